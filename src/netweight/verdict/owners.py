"""Whose a number is: the model named beside it, the subject of its sentence, or nobody's for sure.

Knows where numbers stand relative to names. Does not know which numbers are right.
"""

import re

from netweight.verdict.names import Mention
from netweight.verdict.numerals import Number
from netweight.verdict.story import Span

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

PRONOUN_SUBJECT = re.compile(
    r"\b(?:it|they|its|their|the (?:same )?models?(?! to\b)|she|he)\b", re.IGNORECASE
)
# "A trails B but pulls ahead on X": the second verb has the first one's subject.
_NEXT_VERB = re.compile(r"\b(?:but|and|yet|then)\s+(?:\w+ly\s+|then\s+|still\s+)?[a-z]+(?:s|ed)\b")
OVER_A_RIVAL = re.compile(
    r"\b(?:behind|ahead of|beat(?:s|en|ing)?|tops?|topped|trail\w*|above|below|surpass\w*|"
    r"outperform\w*|than|match\w*|lags?|leads?|edg\w+ (?:out|past)|pass(?:es|ed)|"
    r"outscor\w*|outrank\w*|outd(?:oes|id|one)|"
    r"overt(?:akes?|ook)|eclips\w*|pip(?:s|ped)|best(?:s|ed)|exceed\w*)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_OF_RIVAL = re.compile(
    r"\b(?:match\s+for|equal\s+of|level\s+with|as\s+\w+\s+as|to|with|for)\s+(?:[\w\-]+\s+){0,2}$",
    re.IGNORECASE,
)
_TIGHT = re.compile(
    r"\s*(?:\(\s*(?:at\s+|with\s+)?|['\u2019]s\s+|[:=|]\s*|,?\s*at\s+|\s+(?=\d+\.\d))"
)
_OTHERS = re.compile(
    r"\b(?:versus|vs\.?|against|compare[sd]? (?:to|with)|than|while|whereas|short of|behind|"
    r"to the \d+|ahead of|below|above|trail\w*|beat\w*|tops?|lead\w*|where)\b",
    re.IGNORECASE,
)


def owners_of(
    text: str, numbers: list[Number], single: list[Mention], default: tuple[str, ...]
) -> list[tuple[str | None, bool]]:
    """For each number its model, and whether the words beside it name that model."""
    taken: set[Span] = set()
    owners: list[tuple[str | None, bool]] = []
    spans = [number.span for number in numbers]
    served: set[Span] = set()
    for number in numbers:
        after = named_after(text, number.span, single)
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


# "clear of o4-mini and its 50.1": the number goes with the name before it.
_AND_ITS = re.compile(r",?\s+and\s+its\s+(?:\w+\s+)?")
_ITS_OWN = re.compile(
    r"\s*(?:is|has|gets?|got|scores?|scored|at|with|reach\w*|manages?d?|stands\s+at|comes\s+to)?\s*"
    r"(?:only|just|about|[:(=|])?\s*",
    re.IGNORECASE,
)


def _is_tight(text: str, name: Span, number: Span) -> bool:
    """Whether a number hangs on the name before it, as in "X (41.8%)" or "X's 41.8%"."""
    if _AND_ITS.fullmatch(text, name.end, number.start):
        return True
    is_colon_of_more = text[name.end : number.start].strip() == ":" and OVER_A_RIVAL.search(
        text, 0, name.start
    )
    return bool(_TIGHT.fullmatch(text, name.end, number.start)) and not is_colon_of_more


def named_after(text: str, span: Span, single: list[Mention]) -> Mention | None:
    """The model that follows a number as in "41.8% for X", or None."""
    after = next((m for m in single if m.span.start >= span.end), None)
    if after and after.span.start - span.end <= 80:
        if _FOR.fullmatch(text, span.end, after.span.start):
            return after
        is_told_of = _THAT.fullmatch(text, span.end, after.span.start)
        if is_told_of and _SCORED.match(text, after.span.end):
            return after  # "the 90.0 percent that the 20b scored"
        if not text[span.end : after.span.start].strip() and text[span.end - 1] == "%":
            return after  # "62.4% big, 60.7% small"
        is_beside = re.fullmatch(r"\s*\(\s*", text[span.end : after.span.start])
        if is_beside and text.startswith(")", after.span.end):
            return after
        is_given = _TO.fullmatch(text, span.end, after.span.start)
        is_its_own = _HAS_ITS_OWN.match(text, after.span.end)
        return after if is_given and not is_its_own else None
    return None


_THAT = re.compile(r"\s+(?:that|which)\s+(?:the\s+|its\s+)?", re.IGNORECASE)
_SCORED = re.compile(
    r"(?:\s+(?:model|one|version))?\s+(?:scor|got|gets|reach|achiev|post|manag|earn|hit|made|makes|has|had)\w*"
)
_TO = re.compile(r"\)?\s+to\s+(?:the\s+)?", re.IGNORECASE)
_HAS_ITS_OWN = re.compile(r"['\u2019]s\b|\s*[(,]?\s*(?:at\s+|with\s+)?\d")


def _owner(
    text: str, span: Span, single: list[Mention], taken: set[Span], default: tuple[str, ...]
) -> tuple[str | None, bool]:
    """The model before the number, else alone after it, else the subject under discussion."""
    if SECOND_OF_TWO.search(text[: span.start]) and not _AND_LAST.search(text[: span.start]):
        return None, False  # the second of two numbers, whose model nobody names beside it
    before = [m for m in single if m.span.end <= span.start]
    free = [m for m in before if m.span not in taken] or before
    if free:
        return _before(text, span, free, default)
    said = text[: span.start]
    after = [m for m in single if m.span.start >= span.end]
    has_subject = PRONOUN_SUBJECT.search(said) or re.search(
        r"\b(?:scor|reach|achiev|got|gets|hit|post|earn|manag)\w*", said
    )
    is_other_s = after and _OTHERS.search(text, span.end, after[0].span.start)
    if len({m.ids for m in after}) == 1 and not has_subject and not is_other_s:
        return after[0].ids[0], True
    return default[0] if len(default) == 1 else None, False


SECOND_OF_TWO = re.compile(
    r"(?:\d|\bpoint\s+\w+)\s?(?:%|per\s?cent|points?)?\s+(?:to|and|/|&|versus|vs?\.?|against)\s*$",
    re.IGNORECASE,
)
_AND_LAST = re.compile(r"(?:\band|&|/)\s*$", re.IGNORECASE)


def _before(
    text: str, span: Span, free: list[Mention], default: tuple[str, ...]
) -> tuple[str | None, bool]:
    """The nearest model before, unless a pronoun or a comparison stands in between."""
    last = free[-1]
    if PRONOUN_SUBJECT.search(text, last.span.end, span.start):
        is_rival = OVER_A_RIVAL.search(text, 0, free[0].span.start) or _OF_RIVAL.search(
            text, 0, free[0].span.start
        )
        if is_rival and len(free) == 1 and len(default) == 1:
            return default[0], False
        return free[0].ids[0], False
    if re.search(r";|\s[\u2013\u2014]\s", text[last.span.end : span.start]):
        return last.ids[0], False  # named in another clause: whose it is, the reader guesses
    if len(free) > 1 and _NEXT_VERB.search(text, last.span.end, span.start):
        return free[0].ids[0], False
    is_rival = OVER_A_RIVAL.search(text, 0, last.span.start)
    between = text[last.span.end : span.start]
    if (
        is_rival
        and len(free) > 1
        and re.match(r",?\s*with\b|[^,;]{0,12}:|,\s*(?:scor|gett|reach|\d)", between)
    ):
        return free[0].ids[0], False
    return last.ids[0], True


def only_plain(
    text: str,
    numbers: list[Number],
    single: list[Mention],
    owners: list[tuple[str | None, bool]],
) -> list[tuple[str | None, bool]]:
    """The owners, those that are not plainly beside their number no longer as named.

    Plain is "X scored 41.8%", with no other name or number between, and "41.8% for X"; not "80.1%
    for X, 71.5", nor "41.8%, 59.1% and 71.4% in that order".
    """
    taken = {
        after.span: number.span
        for number in numbers
        if (after := named_after(text, number.span, single)) is not None
    }
    return [
        (model, is_named and _is_plain(text, number, model, single, numbers, taken))
        for number, (model, is_named) in zip(numbers, owners, strict=True)
    ]


def _is_plain(
    text: str,
    number: Number,
    model: str | None,
    single: list[Mention],
    numbers: list[Number],
    taken: dict[Span, Span],
) -> bool:
    after = named_after(text, number.span, single)
    if after is not None and after.ids[0] == model:
        return True
    behind = next((m for m in single if m.span.start >= number.span.end), None)
    if behind and behind.ids[0] == model:
        gap = text[number.span.end : behind.span.start]
        if re.fullmatch(r"[^\d.;,]{0,40}\b(?:for|by|from)\s+(?:the\s+)?", gap):
            return True
    before = [m for m in single if m.span.end <= number.span.start and m.ids[0] == model]
    if not before:
        return False
    name = before[-1]
    if _ITS_OWN.fullmatch(text, name.span.end, number.span.start):
        return True
    between = [
        other
        for other in (*(m.span for m in single), *(n.span for n in numbers))
        if name.span.end <= other.start and other.end <= number.span.start
    ]
    return not between and taken.get(name.span, number.span) == number.span
