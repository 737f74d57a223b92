"""Numbers that a sentence gives as scores: which model, which benchmark, what value, how measured.

Knows where numbers stand relative to names. Does not know which numbers are right. Where the words
leave open whose a number is, it says so: such a reading can bear a claim out, but finds no error.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from netweight.verdict.conditions import effort_of, tools_of
from netweight.verdict.names import Mention
from netweight.verdict.story import Span

_UNIT = r"%|percent\b|per\s?cent\b|pct\b|points?\b|pts\b|Elo\b"
_NUMERAL = re.compile(
    r"(?<![\w.$€£\-/#])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w]|[.,]\d|-\w|/\d)"
    rf"\s?({_UNIT})?",
    re.IGNORECASE,
)
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 1
    )
}
_ONES = {
    word: value
    for value, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), 1
    )
}
_SPELT = re.compile(
    rf"\b({'|'.join(_TENS)})(?:[\s\-]({'|'.join(_ONES)}))?(?:\s+point\s+({'|'.join(_ONES)}|zero))?"
    r"\s+(?:percent|per\s?cent)\b",
    re.IGNORECASE,
)
# "nine in ten questions": a share told in words, as fine as its tenths.
_IN_TEN = re.compile(
    rf"\b({'|'.join(_ONES)}|[1-9])\s+(?:in|out\s+of)\s+(?:every\s+)?(?:ten|10)\b"
    r"(?=\s+(?:of\s+)?(?:the\s+|its\s+|all\s+)?(?:[\w\-]+\s+){0,2}"
    r"(?:questions?|problems?|tasks?|exercises?|issues?|answers?|items?|cases?)\b)",
    re.IGNORECASE,
)
_NOT_A_SCORE = re.compile(
    r"\s?(?:B|GB|GiB|MB|K|M|x|bn|GPUs?|gigabytes?|gigs?|billion|million|thousand|trillion|"
    r"questions?|exercises?|problems?|languages?|items?|times|tokens?|hours?|days?|weeks?|"
    r"months?|years?|minutes?|seconds?|prompts?|models?|parameters?|"
    r"of (?:the|them|those|these)|tasks?|runs?|people|"
    r"users|cards?|chips?|experts?|layers?|steps?|sets?|subjects?|requests?|cases?|texts?|words?|"
    r"pages?|stories|members?|companies|countries|benchmarks?|categories|dollars?|euros?|cents?|"
    r"st|nd|rd|th|shots?|seats?|levels?|settings?|"
    r"(?:is|was|being) the (?:number|count|amount|year|total))\b",
    re.IGNORECASE,
)
_NAMED_NUMBER = re.compile(
    r"\b(?:version|v\.?|episode|part|no\.?|page|chapter|table|section|top|grade|class|"
    r"step|season|round|week|day|phase|issue|release|appendix|footnote|January|February|March|"
    r"April|May|June|July|August|September|October|November|December|Jan\.?|Feb\.?|Mar\.?|Apr\.?|"
    r"Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)\s*#?$",
    re.IGNORECASE,
)
# "three points behind" and "by 45 percent" are distances, not scores.
_DISTANCE_AFTER = re.compile(
    r"\s*(?:clear|ahead|behind|more|less|higher|lower|better|worse|faster|slower|cheaper|short|"
    r"above|below|up|down|longer|larger|smaller|fewer|stronger|weaker|gap|lead|margin|drop|"
    r"differen\w+|discount|increase|decrease|improvement|advantage|off|apart|shy|in front|"
    r"between|separat\w+|of the (?:way|gap|market|time they))\b",
    re.IGNORECASE,
)
_DISTANCE_BEFORE = re.compile(
    r"\b(?:by|gap of|lead of|margin of|difference of|drop of|edge of|lost|loses?|gain(?:s|ed)?|"
    r"costs? (?:you|it|them|us)?|plus|minus|another|within|"
    r"(?:is|are|was|were|went)\s+(?:up|down)|rose|fell by|grew|only some)"
    r"\s*(?:about|some|roughly|only|just|nearly|almost|an?)?\s*$|[±+\u2212]\s*$",
    re.IGNORECASE,
)
_SHARE_OF = re.compile(r"\s+of\s+(?:(?:the|all|its|these|those|their)\s+)*([\w'\u2019\-]+)")
_TEST_NOUN = re.compile(
    r"(?:questions?|problems?|tasks?|exercises?|items?|cases?|issues?|answers?|time|tests?|"
    r"prompts?|requests?|conversations?|attempts?|repl(?:y|ies)|them|those|requested|contested|"
    r"criticism|essays?|texts?|speeches|political|such|responses?|occasions?|instances?|what|from|"
    r"by|given|\d+)$",
    re.IGNORECASE,
)
_COUNT_AFTER = re.compile(r"\s+(?:out\s+)?of\s+(?:the\s+|its\s+|a\s+)?\d")
_COUNT_BEFORE = re.compile(r"\d\s+(?:out\s+)?of\s+(?:the\s+|its\s+|a\s+)?$")
# "not 93.0% but 90.0%": a number that is denied is not stated.
_DENIED = re.compile(
    r"(?:\bnot|\bnever|n['\u2019]t|\bno longer)\s+(?:(?!but\b)\w+\s+){0,3}$|"
    r"\b(?:rather than|instead of)\s+(?:the\s+|an?\s+)?$",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:against|g[ai]ves?(?: it)?|scor\w+|rat(?:ed|ing|es?)|reach\w*|achiev\w*|gets?|got|at|of|"
    r"hits?|earn\w*|posts?|posted|ha[sd]|have|received|awards?|stands?|stood|holds?|is|are|was|"
    r"were|vs\.?|versus|to|only|just|mere|with|than|and|manag\w+|attain\w*|came in|comes in|"
    r"sits?|sat|lands?|landed|follow\w*|records?|recorded|delivers?|delivered|clocks?|claims?|"
    r"quotes?|lists?|shows?|reads?|result|mark|marks|accuracy|rate|one|figure|number|for|into|"
    r"scored|takes?|took|says|rank\w*|hovers?|settl\w+|the|its|a|index|elo)"
    r"\s*(?:\s(?:an?|about|around|roughly|some|the|only|just|nearly|almost|under|over|a mere|"
    r"a modest|a respectable|a full)\s)?[(=:|\u2013\u2014,]?\s*$|[(=:|]\s*$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"\s*\)?\s*(?:to|vs\.?|versus|against|,?\s*and|,|&|\u2013|-|/|then|,\s*then)\s*\(?\s*",
    re.IGNORECASE,
)
_LIST_JOINT = re.compile(r"\s*(?:,|,?\s*and)\s*")
_FOR = re.compile(
    r"\)?\s*(?:\([^()]{0,40}\)\s*)?,?\s*(?:correct(?:ly)?|right|wrong|accuracy|Elo)?\s*"
    r"(?:(?:for|by|from|of|in the case of)\s+|"
    r"of\s+what\s+|of\s+(?:(?:the|its|those|these|all|their)\s+)*"
    r"(?:(?:answers?|questions?|replies|responses|problems?|tasks?|issues|exercises|cases|attempts)\s+)?(?:given\s+|solved\s+|put\s+)?(?:from|by|to)\s+|"
    r"(?:is|was|are|were)\s+(?:the\s+)?(?:[\w'\u2019\-]+\s+){0,2}(?:row|figure|score|number|"
    r"result|entry|mark|rating|value|one)\s+(?:for|of)\s+|"
    r"(?:is|was)\s+(?:what|where)\s+|(?:goes|went|belongs?)\s+to\s+)"
    r"(?:the\s+|its\s+|their\s+|[A-Z][\w\-]*['\u2019]s\s+)?(?:own\s+|rival\s+|larger\s+|"
    r"smaller\s+|proprietary\s+|closed\s+|paid\s+|open\s+|older\s+){0,2}",
    re.IGNORECASE,
)
_ON = re.compile(
    r"\)?\s*(?:correct(?:ly)?|right|accuracy|wrong|Elo|rating|points)?\s*"
    r"(?:on|in|at|for|of)\s+(?:the\s+|its\s+|their\s+|all\s+)?(?:same\s+)?(?:hard\s+)?"
    r"(?:version\s+\w+\s+of\s+(?:the|its)\s+)?",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r";|\s[\u2013\u2014]\s|\b(?:but|while|whereas|although|though)\b")
_PRONOUN_SUBJECT = re.compile(
    r"\b(?:it|they|its|their|the (?:same )?models?|she|he)\b", re.IGNORECASE
)
# "A trails B but pulls ahead on X": the second verb has the first one's subject.
_NEXT_VERB = re.compile(r"\b(?:but|and|yet|then)\s+(?:\w+ly\s+|then\s+|still\s+)?[a-z]+(?:s|ed)\b")
_OVER_A_RIVAL = re.compile(
    r"\b(?:behind|ahead of|beat(?:s|en|ing)?|tops?|topped|trail\w*|above|below|surpass\w*|"
    r"outperform\w*|than|match\w*|lags?|leads?|edg\w+ (?:out|past))\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_TIGHT = re.compile(r"\s*(?:\(\s*(?:at\s+|with\s+)?|['\u2019]s\s+|[:=|]\s*|,?\s*at\s+)")
_OTHERS = re.compile(
    r"\b(?:versus|vs\.?|against|compare[sd]? (?:to|with)|than|while|whereas|short of|behind|"
    r"ahead of|below|above|trail\w*|beat\w*|tops?|lead\w*|where)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Score:
    """A value stated of a model on a benchmark; `decimals` is how finely it was stated."""

    benchmark: str
    model: str | None
    value: float
    decimals: int
    with_tools: bool | None = None
    bound: Literal["below", "above"] | None = None  # "under 40%" states a limit, not a value
    is_named: bool = True  # the sentence names the model; else a pronoun stands for it
    effort: str | None = None
    is_rough: bool = False  # "about 40%"
    is_clear: bool = True  # the benchmark is named where the reader looks for it


class _Number(NamedTuple):
    span: Span  # with its unit
    value: float
    decimals: int
    has_unit: bool


def find_scores(
    text: str,
    models: list[Mention],
    benchmarks: list[Mention],
    default: tuple[str, ...],
    columns: tuple[str, ...] = (),
    benchmark_columns: tuple[str, ...] = (),
    order: tuple[str, ...] = (),
    *,
    is_order_sure: bool = False,
) -> list[tuple[Span, Score]]:
    """Scores in reading order with their numbers' places; none where no benchmark is named.

    `default` is whom a pronoun stands for, `columns` and `benchmark_columns` what stands at the
    head of a table; `order` is whose the numbers of a line are that names no model.
    """
    if benchmark_columns and not benchmarks:
        benchmarks = [Mention((name,), Span(0, 0)) for name in benchmark_columns]
    if not benchmarks:
        return []
    single = [m for m in models if len(m.ids) == 1 and not m.ids[0].startswith("group:")]
    numbers = _scores_among(text, models, benchmarks, single)
    owners = _owners(text, numbers, single, default)
    if columns and not models and len(numbers) == len(columns):
        owners = [(name, True) for name in columns]
    elif order and not single and len(numbers) == len(order):
        owners = [(name, is_order_sure) for name in order]
    is_row = benchmark_columns and len(numbers) == len(benchmark_columns)
    rows = benchmark_columns if is_row else ()
    spans = [number.span for number in numbers]
    found = []
    for index, (number, (model, is_named)) in enumerate(zip(numbers, owners, strict=True)):
        score = Score(
            benchmark=rows[index] if rows else _benchmark_of(text, number.span, benchmarks),
            model=model,
            value=number.value,
            decimals=number.decimals,
            with_tools=tools_of(text, number.span),
            bound=_bound(text, number.span),
            is_named=is_named,
            effort=effort_of(text, number.span, spans),
            is_clear=not _is_of_a_part(text, number.span, spans)
            and not _is_of_the_wrong(text, number.span, spans),
            is_rough=_ROUGH.search(text, 0, number.span.start) is not None,
        )
        found.append((number.span, score))
    return _in_order(text, _with_lists(text, found, single, benchmarks), single)


# "and for Yoruba alone 62.4%": a number of some of the questions.
_PART_WORDS = re.compile(
    r"\b(?:alone|by itself|subset|subscore|category|sub-?test|"
    r"(?:for|in)\s+(?:Yoruba|Swahili|Hindi|Arabic|German|French|Spanish|Chinese|Japanese|Korean|Italian|Portuguese|Bengali|Indonesian))\b"
)


def _is_of_a_part(text: str, span: Span, numbers: list[Span]) -> bool:
    """Whether the words around a number say that it is of some of the questions only."""
    previous = max((n.end for n in numbers if n.end <= span.start), default=0)
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    stretch = text[previous : min(following, span.end + 30)]
    return _PART_WORDS.search(stretch) is not None


_WRONG = re.compile(
    r"\b(?:wrong(?:ly)?|incorrect(?:ly)?|mistakes?|errors?|failures?)\b", re.IGNORECASE
)


def _is_of_the_wrong(text: str, span: Span, numbers: list[Span]) -> bool:
    """Whether a number counts the answers that were wrong: "gets 10% of MMLU wrong"."""
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    return _WRONG.search(text, span.end, min(following, span.end + 45)) is not None


def _scores_among(
    text: str, models: list[Mention], benchmarks: list[Mention], single: list[Mention]
) -> list[_Number]:
    named = [m.span for m in (*models, *benchmarks)]
    return [
        number
        for number in _numbers(text)
        if not any(number.span.start < n.end and n.start < number.span.end for n in named)
        and _is_share_of_a_test(text, number.span.end, benchmarks, models)
        and _is_score(text, number, [*benchmarks, *models], single)
    ]


def _numbers(text: str) -> list[_Number]:
    """Every numeral, and every percentage in words."""
    found = []
    for match in _NUMERAL.finditer(text):
        digits = match[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        span = Span(match.start(), match.end() if match[2] else match.end(1))
        found.append(_Number(span, float(digits), decimals, bool(match[2])))
    for match in _SPELT.finditer(text):
        tens, ones, tenths = (part.lower() if part else None for part in match.groups())
        value = _TENS[tens or ""] + _ONES.get(ones or "", 0) + _ONES.get(tenths or "", 0) / 10
        found.append(_Number(Span(*match.span()), value, 1 if tenths else 0, has_unit=True))
    for match in _IN_TEN.finditer(text):
        tenths_told = _ONES.get(match[1].lower()) or int(match[1])
        start, end = match.span()
        found = [n for n in found if n.span.end <= start or end <= n.span.start]
        found.append(_Number(Span(*match.span()), 10.0 * tenths_told, -1, has_unit=True))
    return sorted(found)


def _is_score(text: str, number: _Number, names: list[Mention], single: list[Mention]) -> bool:
    start, end = number.span
    if (
        _NAMED_NUMBER.search(text, max(0, start - 12), start)
        or _COUNT_AFTER.match(text, end)
        or _COUNT_BEFORE.search(text, max(0, start - 24), start)
        or _is_distance(text, number)
        or _DENIED.search(text, max(0, start - 40), start)
    ):
        return False
    if number.has_unit:
        return True
    if _NOT_A_SCORE.match(text, end):
        return False
    is_year = number.decimals == 0 and 1990 <= number.value <= 2035
    is_possible = not is_year and (number.value <= 100 or 800 <= number.value <= 4000)
    return is_possible and (
        _CUE.search(text, max(0, start - 40), start) is not None
        or _leads_to_a_test(text, number, names)
        or _follows_name(text, number, names)
        or _named_after(text, number.span, single) is not None
    )


def _leads_to_a_test(text: str, number: _Number, names: list[Mention]) -> bool:
    """Whether a fine number is followed by "on X"."""
    after = next((m for m in names if m.span.start >= number.span.end), None)
    return bool(
        after
        and number.decimals > 0
        and re.fullmatch(r"\s+(?:on|in|at)\s+(?:the\s+)?", text[number.span.end : after.span.start])
    )


def _is_distance(text: str, number: _Number) -> bool:
    start, end = number.span
    before = _DISTANCE_BEFORE.search(text, max(0, start - 30), start)
    return bool(before or (number.has_unit and _DISTANCE_AFTER.match(text, end)))


def _is_share_of_a_test(
    text: str, end: int, benchmarks: list[Mention], models: list[Mention]
) -> bool:
    """Whether "of X" after a number, if it is there, has the questions of a test for X."""
    share = _SHARE_OF.match(text, end)
    if share is None or _TEST_NOUN.match(share[1]):
        return True
    if any(m.span.start <= share.start(1) < m.span.end for m in models):
        return True
    return any(share.start() <= m.span.end and m.span.start <= share.end() for m in benchmarks)


def _follows_name(text: str, number: _Number, names: list[Mention]) -> bool:
    """Whether it is written as "MMLU 90.0" or "gpt-oss-120b: 58"."""
    for name in names:
        if name.span.end <= number.span.start:
            words = text[name.span.end : number.span.start]
            if re.fullmatch(r"\s*[:|=]\s*", words):
                return True
            is_listed = number.value >= 800 or ":" in text[: name.span.start]
            is_second = _ELLIPTIC.search(text, 0, name.span.start) is not None
            is_fine = number.decimals > 0 or is_listed or is_second
            if is_fine and re.fullmatch(r"[\s:,(|\u2013\u2014\-]{1,4}", words):
                return True
    return False


# "A has 33 and B 59": the second number leans on the first.
_ELLIPTIC = re.compile(r"\b\d[\d.]*\b[^.;]{0,60}(?:\band|,)\s+(?:the\s+)?$")


def _owners(
    text: str, numbers: list[_Number], single: list[Mention], default: tuple[str, ...]
) -> list[tuple[str | None, bool]]:
    """For each number its model, and whether the words beside it name that model."""
    taken: set[Span] = set()
    owners: list[tuple[str | None, bool]] = []
    spans = [number.span for number in numbers]
    served: set[Span] = set()
    for number in numbers:
        after = _named_after(text, number.span, single)
        before = next((m for m in reversed(single) if m.span.end <= number.span.start), None)
        if before and (
            _is_tight(text, before.span, number.span)
            or _is_labelled(text, before, after, number.span, spans)
            or _has_its_with(text, before, number.span, served)
        ):
            served.add(before.span)
            owners.append((before.ids[0], True))
        elif after is not None:
            taken.add(after.span)
            owners.append((after.ids[0], True))
        else:
            owners.append(_owner(text, number.span, single, taken, default))
            if before and owners[-1] == (before.ids[0], True):
                served.add(before.span)
    return owners


def _is_labelled(
    text: str, before: Mention, after: Mention | None, number: Span, numbers: list[Span]
) -> bool:
    """Whether each name stands before its number, as in "X is at 85.3%, for Y 87.0%"."""
    return _is_first_of(before, number, numbers) and _leads_on(text, after, numbers)


def _is_first_of(name: Mention, number: Span, numbers: list[Span]) -> bool:
    """Whether no other number stands between a name and its number."""
    return not any(name.span.end <= n.start and n.end <= number.start for n in numbers)


def _leads_on(text: str, name: Mention | None, numbers: list[Span]) -> bool:
    """Whether a name has a number of its own right after it: "X is at 85.3%, for Y 87.0%"."""
    following = [n for n in numbers if name is not None and n.start >= name.span.end]
    return bool(name and following and _ITS_OWN.fullmatch(text, name.span.end, following[0].start))


def _has_its_with(text: str, name: Mention, number: Span, served: set[Span]) -> bool:
    """Whether "behind X with 59" gives X its number: where the subject has one already."""
    between = text[name.span.end : number.start]
    return bool(served and re.fullmatch(r",?\s*with\s+(?:its\s+)?", between))


_ITS_OWN = re.compile(
    r"\s*(?:is|has|gets?|got|scores?|scored|at|with|reach\w*|manages?d?|stands\s+at|comes\s+to)?\s*"
    r"(?:only|just|about|[:(=|])?\s*",
    re.IGNORECASE,
)


def _is_tight(text: str, name: Span, number: Span) -> bool:
    """Whether a number hangs on the name before it, as in "X (41.8%)" or "X's 41.8%"."""
    is_colon_of_more = text[name.end : number.start].strip() == ":" and _OVER_A_RIVAL.search(
        text, 0, name.start
    )
    return bool(_TIGHT.fullmatch(text, name.end, number.start)) and not is_colon_of_more


def _named_after(text: str, span: Span, single: list[Mention]) -> Mention | None:
    """The model that follows a number as in "41.8% for X", or None."""
    after = next((m for m in single if m.span.start >= span.end), None)
    if after and after.span.start - span.end <= 80:
        if _FOR.fullmatch(text, span.end, after.span.start):
            return after
        if not text[span.end : after.span.start].strip() and text[span.end - 1] == "%":
            return after  # "62.4% big, 60.7% small"
        is_beside = re.fullmatch(r"\s*\(\s*", text[span.end : after.span.start])
        if is_beside and text.startswith(")", after.span.end):
            return after
        is_given = _TO.fullmatch(text, span.end, after.span.start)
        is_its_own = _HAS_ITS_OWN.match(text, after.span.end)
        return after if is_given and not is_its_own else None
    return None


_TO = re.compile(r"\)?\s+to\s+(?:the\s+)?", re.IGNORECASE)
_HAS_ITS_OWN = re.compile(r"['\u2019]s\b|\s*[(,]?\s*(?:at\s+|with\s+)?\d")


def _owner(
    text: str, span: Span, single: list[Mention], taken: set[Span], default: tuple[str, ...]
) -> tuple[str | None, bool]:
    """The model before the number, else alone after it, else the subject under discussion."""
    if re.search(r"\d\s?%?\s+(?:to|versus|vs\.?|against)\s*$", text[: span.start]):
        return None, False  # the second of two numbers, whose model nobody names beside it
    before = [m for m in single if m.span.end <= span.start]
    free = [m for m in before if m.span not in taken] or before
    if free:
        return _before(text, span, free)
    said = text[: span.start]
    after = [m for m in single if m.span.start >= span.end]
    has_subject = _PRONOUN_SUBJECT.search(said) or re.search(
        r"\b(?:scor|reach|achiev|got|gets|hit|post|earn|manag)\w*", said
    )
    is_other_s = after and _OTHERS.search(text, span.end, after[0].span.start)
    if len({m.ids for m in after}) == 1 and not has_subject and not is_other_s:
        return after[0].ids[0], True
    return default[0] if len(default) == 1 else None, False


def _before(text: str, span: Span, free: list[Mention]) -> tuple[str | None, bool]:
    """The nearest model before, unless a pronoun or a comparison stands in between."""
    last = free[-1]
    if _PRONOUN_SUBJECT.search(text, last.span.end, span.start):
        return free[0].ids[0], False
    if re.search(r";|\s[\u2013\u2014]\s", text[last.span.end : span.start]):
        return last.ids[0], False  # named in another clause: whose it is, the reader guesses
    if len(free) > 1 and _NEXT_VERB.search(text, last.span.end, span.start):
        return free[0].ids[0], False
    is_rival = _OVER_A_RIVAL.search(text, 0, last.span.start)
    between = text[last.span.end : span.start]
    if (
        is_rival
        and len(free) > 1
        and re.match(r",?\s*with\b|\s*:|,\s*(?:scor|gett|reach|\d)", between)
    ):
        return free[0].ids[0], False
    return last.ids[0], True


def _in_order(
    text: str, found: list[tuple[Span, Score]], single: list[Mention]
) -> list[tuple[Span, Score]]:
    """Read "A, B and C score 1, 2 and 3": the numbers go with the models in their order."""
    out = list(found)
    order: list[Mention] = []
    for start, end in _runs(text, found, _JOINT):
        if end - start < 2:
            order = []
            continue
        previous = found[start - 1][0].end if start else 0
        before = [
            m for m in single if previous <= m.span.start and m.span.end <= found[start][0].start
        ]
        is_crowded = end - start == 2 and len({m.ids for m in before}) > 2
        before = before[-(end - start) :] if end - start == 2 else before
        is_list = end - start == 2 or _are_listed(text, before)
        if not before and len(order) == end - start:
            before = order  # "(93.0 to 90.0) ... (81.4 to 80.1)": the same two again
        if before and _PRONOUN_SUBJECT.search(text, before[-1].span.end, found[start][0].start):
            continue
        order = before if len(before) == end - start and is_list else []
        if len(before) == end - start and is_list:
            for offset, mention in enumerate(before):
                place, score = out[start + offset]
                is_clear = score.is_clear and not is_crowded
                known = replace(score, model=mention.ids[0], is_named=True, is_clear=is_clear)
                out[start + offset] = (place, known)
    return out


def _are_listed(text: str, mentions: list[Mention]) -> bool:
    gaps = (text[a.span.end : b.span.start] for a, b in itertools.pairwise(mentions))
    return all(re.fullmatch(r"\s*(?:,|,?\s*and|&|/)\s*(?:the\s+)?", gap) for gap in gaps)


def _runs(
    text: str, found: list[tuple[Span, Score]], joint: re.Pattern[str]
) -> Iterable[tuple[int, int]]:
    """The stretches of scores that nothing but a joint separates, as index ranges."""
    start = 0
    while start < len(found):
        end = start + 1
        while end < len(found) and joint.fullmatch(
            text, found[end - 1][0].end, found[end][0].start
        ):
            end += 1
        yield start, end
        start = end


def _with_lists(
    text: str, found: list[tuple[Span, Score]], single: list[Mention], benchmarks: list[Mention]
) -> list[tuple[Span, Score]]:
    """Read "against 93.0% and 81.4% for X": one model, and the benchmarks in the order named.

    Where the benchmarks named before do not match the list in number, nobody can say which number
    is whose, and the list is left out.
    """
    out: list[tuple[Span, Score]] = []
    for start, end in _runs(text, found, _LIST_JOINT):
        run = found[start:end]
        owner = _named_after(text, run[-1][0], single)
        if len(run) == 1 or owner is None:
            out += run
            continue
        names = [m.ids[0] for m in benchmarks if m.span.end <= run[0][0].start]
        if len(names) == len(run):
            out += [
                (place, replace(score, model=owner.ids[0], is_named=True, benchmark=name))
                for (place, score), name in zip(run, names, strict=True)
            ]
    return out


_ROUGH = re.compile(
    r"(?:\b(?:about|around|roughly|some|approximately|nearly|almost|close to|circa|or so|near|"
    r"just (?:over|under|above|below)|a shade (?:over|under))|[~\u2248])\s*$",
    re.IGNORECASE,
)
_BELOW = re.compile(r"(?<!just )\b(?:below|under|less than|fewer than)\s+$", re.IGNORECASE)
_ABOVE = re.compile(
    r"(?<!just )\b(?:over|more than|at least|upwards of|north of)\s+$", re.IGNORECASE
)


def _bound(text: str, span: Span) -> Literal["below", "above"] | None:
    if _BELOW.search(text, max(0, span.start - 25), span.start):
        return "below"
    return "above" if _ABOVE.search(text, max(0, span.start - 25), span.start) else None


_LEADS = re.compile(
    r"[\s:(=|,\u2013\u2014]*(?:(?:scores?|result|rating|accuracy)\s+)?(?:of|at|is)?\s*",
    re.IGNORECASE,
)


def _benchmark_of(text: str, span: Span, benchmarks: list[Mention]) -> str:
    """The benchmark named right after the number, else that of its clause, else the nearest."""
    after = [m for m in benchmarks if m.span.start >= span.end]
    if after and _ON.fullmatch(text, span.end, after[0].span.start):
        return after[0].ids[0]
    if after and re.fullmatch(r"\s*\(\s*(?:on\s+)?", text[span.end : after[0].span.start]):
        return after[0].ids[0]
    before = [m for m in benchmarks if m.span.end <= span.start]
    is_led = before and _LEADS.fullmatch(text, before[-1].span.end, span.start)
    if after and not is_led and not text[span.end : after[0].span.start].strip(" *"):
        return after[0].ids[0]  # "49% PersonQA"
    start = max((m.end() for m in _CLAUSE_END.finditer(text, 0, span.start)), default=0)
    stop = _CLAUSE_END.search(text, span.end)
    end = stop.start() if stop else len(text)
    near = [m for m in before if m.span.start >= start]
    next_ = [m for m in after if m.span.start < end]
    chosen = near[-1:] or next_[:1] or before[-1:] or after[:1]
    return chosen[0].ids[0]
