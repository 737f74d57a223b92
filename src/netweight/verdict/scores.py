"""Numbers that a sentence gives as scores: which model, which benchmark, what value, how measured.

Knows where numbers stand relative to names. Does not know which numbers are right. Where the words
leave open whose a number is, it says so: such a reading can bear a claim out, but finds no error.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from netweight.verdict.clauses import clauses_of
from netweight.verdict.conditions import effort_of, tools_of
from netweight.verdict.names import Mention
from netweight.verdict.numerals import Number, find_numbers
from netweight.verdict.owners import (
    OVER_A_RIVAL,
    PRONOUN_SUBJECT,
    SECOND_OF_TWO,
    named_after,
    only_plain,
    owners_of,
)
from netweight.verdict.story import Span

_NOT_A_SCORE = re.compile(
    r"\s?(?:B|GB|GiB|MB|K|M|x|bn|GPUs?|gi(?:ga|bi)bytes?|gigs?|billion|million|thousand|trillion|"
    r"questions?|exercises?|problems?|languages?|items?|times|tokens?|hours?|days?|weeks?|"
    r"months?|years?|minutes?|seconds?|prompts?|models?|parameters?|"
    r"of (?:the|them|those|these)|tasks?|runs?|people|watts?|W|kWh|degrees|decibels|kilo\w*|kg|"
    r"metres?|miles?|"
    r"users|cards?|chips?|experts?|layers?|steps?|sets?|subjects?|requests?|cases?|texts?|words?|"
    r"pages?|stories|members?|companies|countries|benchmarks?|categories|dollars?|euros?|cents?|"
    r"st|nd|rd|th|shots?|seats?|levels?|settings?|"
    r"January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:is|was|being) the (?:number|count|amount|year|total))\b",
    re.IGNORECASE,
)
_NAMED_NUMBER = re.compile(
    r"\b(?:version|(?<!\d\s)(?<!%\s)v\.?|episode|part|no\.?|page|chapter|table|section|top|grade|class|"
    r"step|season|round|week|day|phase|issue|release|appendix|footnote|Apache|licen[cs]e|January|February|March|"
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
    r"\b(?:(?:deficit|difference|gap|lead|margin|distance|shortfall|edge|advantage|spread)\s+(?:is|was|of|comes\s+to|amounts\s+to|stands\s+at)|by|(?:gap|jump|rise|fall|increase|decline|growth|slide|surge|climb|discount)\sof|lead\sof|margin\sof|difference\sof|drop\sof|edge\sof|lost|loses?|gain(?:s|ed)?|"
    r"costs? (?:you|it|them|us)?|plus|minus|another|within|"
    r"(?:is|are|was|were|went)\s+(?:up|down)|rose|fell by|grew|only some)"
    r"\s*(?:about|some|roughly|only|just|nearly|almost|an?)?\s*$|[±+\u2212]\s*$",
    re.IGNORECASE,
)
_SHARE_OF = re.compile(
    r"\s+of\s+(?:(?:the|all|its|these|those|their)\s+)*([\w'\u2019\-]+)((?:\s+[\w\-]+){0,3})"
)
_TEST_NOUN = re.compile(
    r"(?:questions?|problems?|tasks?|exercises?|items?|cases?|issues?|answers?|time|tests?|"
    r"prompts?|requests?|conversations?|attempts?|repl(?:y|ies)|jobs?|bugs?|tickets?|errands?|puzzles?|sums?|them|those|requested|contested|"
    r"criticism|essays?|texts?|speeches|political|such|responses?|occasions?|instances?|what|from|"
    r"by|given|\d+)$",
    re.IGNORECASE,
)
# "86% of the government-criticism texts": a noun that only tests have, behind what describes it
_ASKED_FOR = re.compile(
    r"questions?|problems?|tasks?|exercises?|requests?|prompts?|texts?|essays?|answers?",
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
# "anywhere from 36.7 to 93.3": no one's score.
_RANGE = re.compile(
    r"\b(?:anywhere\s+from|rang\w+\s+(?:anywhere\s+)?from|between)\s+\d+(?:\.\d+)?\s?%?\s+(?:to|and|up\s+to)\s+\d+(?:\.\d+)?",
    re.IGNORECASE,
)
# It hangs on who hosts it: the figures go from one end to the other.
_HOSTED = re.compile(r"\b(?:hosts?|hosting|hosted|providers?|servers?)\b", re.IGNORECASE)
_SPAN = re.compile(r"\bfrom\s+\d+(?:\.\d+)?\s?%?\s+to\s+\d+(?:\.\d+)?", re.IGNORECASE)
# "goes up from 92.5 to 97.9": the first was measured under what the sentence does not tell.
_FROM = re.compile(r"\bfrom\s+$", re.IGNORECASE)
_TO_NEXT = re.compile(r"\s?%?\s+to\s+\d", re.IGNORECASE)
_CUE = re.compile(
    r"\b(?:on|against|g[ai]ves?(?:\sit)?|scor\w+|rat(?:ed|ing|es?)|reach\w*|achiev\w*|gets?|got|at|of|"
    r"hits?|earn\w*|posts?|posted|ha[sd]|have|received|awards?|stands?|stood|holds?|is|are|was|"
    r"were|vs\.?|versus|to|only|just|mere|with|than|and|manag\w+|attain\w*|came in|comes in|"
    r"sits?|sat|lands?|landed|follow\w*|records?|recorded|delivers?|delivered|clocks?|claims?|"
    r"quotes?|lists?|shows?|reads?|result|mark|marks|accuracy|rate|one|figure|number|for|into|"
    r"scored|v|takes?|took|says|rank\w*|hovers?|settl\w+|the|its|a|index|elo)"
    r"\s*(?:\s(?:an?|about|around|roughly|some|the|only|just|nearly|almost|under|over|a mere|"
    r"a modest|a respectable|a full)\s)?[(=:|\u2013\u2014,]?\s*$|[(=:|]\s*$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"\s*\)?\s*(?:to|v\.?|vs\.?|versus|against|,?\s*and|,|&|\u2013|-|/|then|,\s*then)\s*\(?\s*",
    re.IGNORECASE,
)
_LIST_JOINT = re.compile(r"\s*(?:,|,?\s*and)\s*")
_ON = re.compile(
    r"\)?\s*(?:correct(?:ly)?|right|accuracy|wrong|Elo|rating|points)?\s*"
    r"(?:of\s+(?:those|the\s+ones|what\s+is\s+asked)\s+)?"
    r"(?:on|in|at|for|of)\s+(?:the\s+|its\s+|their\s+|all\s+)?(?:same\s+)?(?:hard\s+)?"
    r"(?:version\s+\w+\s+of\s+(?:the|its)\s+)?",
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
    is_bare: bool = False  # a whole number without a unit: it may be a count


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
    owners = owners_of(text, numbers, single, default)
    owners = [
        (model, is_named and not _is_only_the_same(text, model, single))
        for model, is_named in owners
    ]
    owners = only_plain(text, numbers, single, owners)
    owners = _without_seconds(text, numbers, owners)
    if columns and not models and len(numbers) == len(columns):
        owners = [(name, True) for name in columns]
    elif order and not single and len(numbers) == len(order):
        owners = [(name, is_order_sure) for name in order]
    is_row = benchmark_columns and len(numbers) == len(benchmark_columns)
    rows = benchmark_columns if is_row else ()
    spans = [number.span for number in numbers]
    clauses = clauses_of(text, Span(0, len(text)), spans)
    found = []
    for index, (number, (model, is_named)) in enumerate(zip(numbers, owners, strict=True)):
        score = Score(
            benchmark=rows[index]
            if rows
            else _benchmark_of(text, number.span, benchmarks, clauses),
            model=model,
            value=number.value,
            decimals=number.decimals,
            with_tools=tools_of(text, number.span, clauses, spans),
            bound=_bound(text, number.span),
            is_named=is_named,
            effort=effort_of(text, number.span, spans),
            is_clear=number.is_sure
            and not is_own_run(text)
            and not (model is None and SECOND_OF_TWO.search(text, 0, number.span.start))
            and not _FOR_SEVERAL.match(text, number.span.end)
            and not _is_of_a_part(text, number.span, spans)
            and not _is_of_the_wrong(text, number.span, spans, benchmarks),
            is_rough=_ROUGH.search(text, 0, number.span.start) is not None,
            is_bare=not number.has_unit and not number.decimals,
        )
        found.append((number.span, score))
    subject = default[0] if len(default) == 1 else None
    return _in_order(text, _with_lists(text, found, single, benchmarks), single, subject)


_OWN_RUN = re.compile(
    r"\b(?:I|[Ww]e)(?:['\u2019]ve|\s+have|\s+also|\s+then)?\s+(?:re-?ran|ran|run|tested|tried|measured|benchmarked|repeated|reproduced|"
    r"replicated|timed|(?:got|landed)(?=[^.;,]*\d))\b|\b(?:ourselves|myself|in-house)\b|\b(?:[Mm]y|[Oo]ur)\s+(?:own\s+)?(?:runs?|re-?runs?|tests?|attempts?|"
    r"copy|numbers?|results?|scores?)\b|\b(?:re-?runs?|re-?ran|reproduc\w+|replicat\w+)\b|\bindependent(?:ly)?\s+(?:\w+\s+)?"
    r"(?:runs?|re-?runs?|tests?|checks?|measur\w+|ran)\b"
    r"|\b(?:outside|independent|academic|university|third[\s\-]party)\s+(?:\w+\s+){0,2}?(?:groups?|teams?|labs?|researchers?|testers?|"
    r"users?)\b|\b(?:group|team|lab|users?|readers?|testers?)\s+(?:at|in|of)\s+[^.;,]{1,30}\s+(?:got|ran|measured|found|reports?)\b"
)
_OF_THE_MAKER = re.compile(r"\b(?:OpenAI|compan(?:y|ies)|vendor|maker|card)\b")


def is_own_run(text: str) -> bool:
    """Whether somebody else than the maker measured anew: that need not be what is published."""
    return _OWN_RUN.search(text) is not None and _OF_THE_MAKER.search(text) is None


# Two numbers told at once, as in: 49.1% and 53.2% for the two open models.
_FOR_SEVERAL = re.compile(
    r"\s*(?:,?\s*(?:and|to|or)\s+\d[\d.]*\s*%?\s*)?\s*(?:for|by|from)\s+(?:the|both|its)\s+(?:two\s+|both\s+|open\s+){0,2}models\b",
    re.IGNORECASE,
)


def _without_seconds(
    text: str, numbers: list[Number], owners: list[tuple[str | None, bool]]
) -> list[tuple[str | None, bool]]:
    """Leave the second of two joined numbers without an owner where nobody is named for either."""
    out = list(owners)
    for index in range(1, len(numbers)):
        between = text[numbers[index - 1].span.end : numbers[index].span.start]
        is_joined = re.fullmatch(r"\s*(?:and|v|vs\.?|/|&)\s*", between) is not None
        if (
            is_joined
            and out[index - 1][0]
            and owners[index] == owners[index - 1] == (owners[index][0], False)
        ):
            out[index] = (None, False)
    return out


def _is_only_the_same(text: str, model: str | None, single: list[Mention]) -> bool:
    """Whether a model is not named, but meant by "the same model": whose that is, one guesses."""
    names = [text[m.span.start : m.span.end].lower() for m in single if m.ids[0] == model]
    return bool(names) and all(name.startswith("the same") for name in names)


# "and for Yoruba alone 62.4%": a number of some of the questions.
_PART_WORDS = re.compile(
    r"\b(?:alone|by itself|"
    r"on\s+the\s+(?:others?|rest|remaining|other\s+(?:half|kind|ones|questions|set))|subset|subscore|category|sub-?test|"
    r"(?:for|in)\s+(?:Swahili|Hindi|Arabic|German|French|Spanish|Chinese|Japanese|Korean|Italian|Portuguese|Bengali|Indonesian))\b"
)


def _is_of_a_part(text: str, span: Span, numbers: list[Span]) -> bool:
    """Whether the words around a number say that it is of some of the questions only."""
    previous = max((n.end for n in numbers if n.end <= span.start), default=0)
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    if _RESULT_OF_TWO.match(text, span.end):  # said of both
        following = min((n.start for n in numbers if n.start > following), default=len(text))
    stretch = text[previous : min(following, span.end + 30)]
    return _PART_WORDS.search(stretch) is not None


_WRONG = re.compile(
    r"\b(?:wrong(?:ly)?|incorrect(?:ly)?|mistakes?|errors?|failures?)\b", re.IGNORECASE
)


def _is_of_the_wrong(text: str, span: Span, numbers: list[Span], benchmarks: list[Mention]) -> bool:
    """Whether a number counts the answers that were wrong: "gets 10% of MMLU wrong".

    Not where a benchmark is named that is a rate of such answers.
    """
    if any(name.endswith("hallucination") for m in benchmarks for name in m.ids):
        return False
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    stop = _STOP.search(text, span.end)
    limit = min(following, span.end + 80, stop.start() if stop else len(text))
    return _WRONG.search(text, span.end, limit) is not None


_STOP = re.compile(r"[,;]\s")


def _scores_among(
    text: str, models: list[Mention], benchmarks: list[Mention], single: list[Mention]
) -> list[Number]:
    named = [m.span for m in (*models, *benchmarks)]
    return [
        number
        for number in find_numbers(text)
        if not any(_crosses(number.span, n) for n in named)
        and (
            _is_share_of_a_test(text, number.span.end, benchmarks, models)
            or (number.decimals == 1 and any(m.span.end > m.span.start for m in benchmarks))
        )
        and _is_score(text, number, [*benchmarks, *models], single)
    ]


def _crosses(number: Span, name: Span) -> bool:
    """Whether a number and a name meet, and the name is not inside, as in "94 of X's 225"."""
    is_inside = number.start < name.start and name.end < number.end
    return number.start < name.end and name.start < number.end and not is_inside


def _is_score(text: str, number: Number, names: list[Mention], single: list[Mention]) -> bool:
    start, end = number.span
    if (
        _NAMED_NUMBER.search(text, max(0, start - 12), start)
        or _COUNT_AFTER.match(text, end)
        or _COUNT_BEFORE.search(text, max(0, start - 24), start)
        or _is_distance(text, number)
        or _DENIED.search(text, max(0, start - 40), start)
        or any(m.start() <= start < m.end() for m in _RANGE.finditer(text))
        or (
            _HOSTED.search(text) and any(m.start() <= start < m.end() for m in _SPAN.finditer(text))
        )
        or (_FROM.search(text, 0, start) and _TO_NEXT.match(text, end))
    ):
        return False
    if number.has_unit:
        return True
    if _NOT_A_SCORE.match(text, end):
        return False
    is_year = number.decimals == 0 and 1990 <= number.value <= 2035
    is_possible = not is_year and (number.value <= 100 or 800 <= number.value <= 4000)
    return is_possible and (
        (number.decimals == 1 and number.value <= _FULL_MARKS)
        or _CUE.search(text, max(0, start - 40), start) is not None
        or _leads_to_a_test(text, number, names)
        or _follows_name(text, number, names)
        or named_after(text, number.span, single) is not None
    )


_FULL_MARKS = 100


def _leads_to_a_test(text: str, number: Number, names: list[Mention]) -> bool:
    """Whether a fine number is followed by "on X"."""
    after = next((m for m in names if m.span.start >= number.span.end), None)
    return bool(
        after
        and number.decimals > 0
        and re.fullmatch(r"\s+(?:on|in|at)\s+(?:the\s+)?", text[number.span.end : after.span.start])
    )


def _is_distance(text: str, number: Number) -> bool:
    start, end = number.span
    before = _DISTANCE_BEFORE.search(text, max(0, start - 30), start)
    if before and before[0].strip() == "by" and _RESULT_OF_TWO.match(text, end):
        return False
    return bool(before or (number.has_unit and _DISTANCE_AFTER.match(text, end)))


_RESULT_OF_TWO = re.compile(r"\s*%?\s+(?:to|against)\s+\d")  # "wins by 67.8 to 65.6"
# "the 56.9 of China's R1"
_OWNED = re.compile(r"\s+of\s+(?:(?:the|its|their|[A-Z][\w.\-]*(?:['\u2019]s)?)\s+){0,3}")


def _is_share_of_a_test(
    text: str, end: int, benchmarks: list[Mention], models: list[Mention]
) -> bool:
    """Whether "of X" after a number, if it is there, has the questions of a test for X."""
    share = _SHARE_OF.match(text, end)
    if share is None or _TEST_NOUN.match(share[1]) or share[1].lower() in ("that", "it", "them"):
        return True
    if any(_ASKED_FOR.fullmatch(word) for word in share[2].split()):
        return True
    owned = (text[end : m.span.start] for m in models if m.span.start >= end)
    if any(_OWNED.fullmatch(words) for words in owned):
        return True
    return any(share.start() <= m.span.end and m.span.start <= share.end() for m in benchmarks)


def _follows_name(text: str, number: Number, names: list[Mention]) -> bool:
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


def _in_order(
    text: str,
    found: list[tuple[Span, Score]],
    single: list[Mention],
    default: str | None,
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
        if end - start == 2 and (rival := _only_rival(text, before, found, start)):
            first, second = out[start][1], out[start + 1][1]
            out[start] = (out[start][0], replace(first, model=default, is_named=False))
            out[start + 1] = (out[start + 1][0], replace(second, model=rival.ids[0], is_named=True))
            continue
        if not before and len(order) == end - start:
            before = order  # "(93.0 to 90.0) ... (81.4 to 80.1)": the same two again
        if before and PRONOUN_SUBJECT.search(text, before[-1].span.end, found[start][0].start):
            continue
        if len(before) == 2 and _ASIDE.search(text, 0, before[0].span.start):
            before = before[::-1]  # "Compared with X, Y is ahead: 87 against 82"
        order = before if len(before) == end - start and is_list else []
        if len(before) == end - start and is_list:
            for offset, mention in enumerate(before):
                place, score = out[start + offset]
                is_clear = score.is_clear and not is_crowded
                known = replace(score, model=mention.ids[0], is_named=True, is_clear=is_clear)
                out[start + offset] = (place, known)
    return out


_ASIDE = re.compile(
    r"\b(?:compared\s+(?:with|to)|next\s+to|beside|set\s+against|measured\s+against|unlike)\s+(?:the\s+)?$",
    re.IGNORECASE,
)


def _only_rival(
    text: str, before: list[Mention], found: list[tuple[Span, Score]], start: int
) -> Mention | None:
    """The one model before two numbers, where it is who the subject is compared with.

    "It is well ahead of X, 60.7 against 49.3": the second number is X's.
    """
    if len(before) != 1 or not OVER_A_RIVAL.search(text, 0, before[0].span.start):
        return None
    between = text[before[0].span.end : found[start][0].start]
    joint = text[found[start][0].end : found[start + 1][0].start]
    is_apart = re.fullmatch(
        r"(?:\s+(?:on|in|at)\s+[^,:(\d]{2,40})?(?:\s*[,:(]\s*(?:by\s+)?|\s+by\s+)", between
    )
    return before[0] if is_apart and re.search(r"against|to\b|versus|v", joint) else None


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
        owner = named_after(text, run[-1][0], single)
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
    r"(?<!just )\b(?:over|above|beyond|more than|at least|upwards of|north of)\s+$", re.IGNORECASE
)


def _bound(text: str, span: Span) -> Literal["below", "above"] | None:
    if _BELOW.search(text, max(0, span.start - 25), span.start):
        return "below"
    return "above" if _ABOVE.search(text, max(0, span.start - 25), span.start) else None


_LEADS = re.compile(
    r"[\s:(=|,\u2013\u2014]*(?:(?:scores?|result|rating|accuracy)\s+)?(?:of|at|is)?\s*",
    re.IGNORECASE,
)


def _benchmark_of(text: str, span: Span, benchmarks: list[Mention], clauses: list[Span]) -> str:
    """The benchmark named right after the number, else that of its clause, else the nearest."""
    if inside := [m for m in benchmarks if span.start <= m.span.start and m.span.end <= span.end]:
        return inside[0].ids[0]
    after = [m for m in benchmarks if m.span.start >= span.end]
    if after and _ON.fullmatch(text, span.end, after[0].span.start):
        return after[0].ids[0]
    if after and re.fullmatch(r"\s*\(\s*(?:on\s+)?", text[span.end : after[0].span.start]):
        return after[0].ids[0]
    before = [m for m in benchmarks if m.span.end <= span.start]
    is_led = before and _LEADS.fullmatch(text, before[-1].span.end, span.start)
    if after and not is_led and not text[span.end : after[0].span.start].strip(" *"):
        return after[0].ids[0]  # "49% PersonQA"
    clause = next(c for c in clauses if c.start <= span.start < c.end)
    near = [m for m in before if m.span.start >= clause.start]
    next_ = [m for m in after if m.span.start < clause.end]
    chosen = near[-1:] or next_[:1] or before[-1:] or after[:1]
    return chosen[0].ids[0]
