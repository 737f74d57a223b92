"""How a score was measured, by the words beside it: with tools or without, at which effort.

Knows words and places. Does not know whose score it is.
"""

import re
from collections.abc import Sequence

from netweight.verdict.reader import named_in
from netweight.verdict.story import Span

_TOOL_WORDS = r"(?:tools?\b|tool[\s\-]use\b|browsing\b|browser\b|a terminal\b|Python\b|search tool)"
_WITH = (
    rf"(?:\bwith\s+(?:access\s+to\s+|the\s+help\s+of\s+|its\s+|a\s+|Python\s+){{0,2}}{_TOOL_WORDS}(?!\s+(?:off|disabled|forbidden|switched\s+off|barred|banned|removed)\b)|"
    r"\bwith\s+(?:all\s+)?(?:its|their|the|all)\s+(?:\w+\s+)?tools\b|"
    r"\b(?:using|given|allowed|equipped with|armed with|aided by)\s+(?:its\s+|Python\s+)?tools?\b|"
    r"\bwith\s+them(?=\s*[,.;:])|"
    r"\btools?\s+(?:enabled|allowed|on\b|switched on|included|permitted)|"
    r"\btool[\s\-](?:assisted|enabled|augmented|aided)|\bmay use (?:its )?tools\b|\(tools\))"
)
_WITHOUT = (
    rf"(?:\b(?:without|no|w/o|minus|sans)\s+(?:access\s+to\s+|any\s+|its\s+|the\s+|using\s+|"
    rf"Python\s+|external\s+){{0,2}}{_TOOL_WORDS}|"
    r"\btools?\s+(?:(?:are|were|is|was)\s+)?(?:off\b|gone\b|disabled|forbidden|"
    r"not allowed|switched off)|\btool-?free\b|"
    r"\bwithout(?=\s*(?:[.,;:)]|$))|\bwithout (?:them|looking anything up|help|aids?)\b|"
    r"\bunaided\b|\b(?:deprived|stripped|robbed)\sof\s(?:its\s|all\s|any\s|them|tools)|\bneither\s+with\s+tools|\btak\w+\s+(?:the\s+|its\s+|away\s+)*tools?(?:\s+away)?\b|"
    r"\b(?:bare|barehanded|on\sits\sown|by\sitself)\b(?=[^.;]{0,30}\btools?\b)|\btools?\s+(?:\w+\s+)?(?:away|removed|withheld|barred|banned)\b|"
    r"\bfrom memory\b|\bclosed[\s\-]book\b|\bstripped of (?:them|tools)\b)"
)
_TOOLS = re.compile(rf"(?P<without>{_WITHOUT})|(?P<with>{_WITH})", re.IGNORECASE)

_LEVELS = {
    "low": "low", "lowest": "low", "minimal": "low", "minimum": "low", "least": "low",
    "bottom": "low", "laziest": "low", "lightest": "low",
    "medium": "medium", "middle": "medium", "mid": "medium",
    "high": "high", "highest": "high", "top": "high", "maximum": "high", "max": "high",
    "full": "high", "hardest": "high", "longest": "high", "utmost": "high", "greatest": "high",
}  # fmt: skip
_LEVEL = "|".join(sorted(_LEVELS, key=len, reverse=True))
_NOUN = r"(?:reasoning|effort|thinking|settings?|mode|step|levels?|gear|compute)"
_EFFORT = re.compile(
    rf"\b(?P<sure>{_LEVEL})(?:[\s\-]+{_NOUN})+\b|\((?P<bare>{_LEVEL})\)|"
    rf"\b(?:at|on|in|and|to|with)\s+(?:the\s+|its\s+)?(?P<told>low|medium|high|minimum|lowest|highest|maximum)\b"
    r"(?!\s+(?:speed|school|quality|end|cost|price|memory|risk|capab))|"
    r"\b(?P<before>low|medium|high)\s*[:=]?\s*(?=\d)",
    re.IGNORECASE,
)
_SPEAKS_OF_EFFORT = re.compile(
    rf"\b{_NOUN}\b|\b(?:turned|dialled|dialed|set|lowered|switched|cranked)\s+(?:\w+\s+)?(?:to|up|down)\b|\((?:{_LEVEL})\)",
    re.IGNORECASE,
)


def tools_of(text: str, span: Span, clauses: Sequence[Span], numbers: list[Span]) -> bool | None:
    """Whether tools were used, by the words nearest to the number; None where nothing is said.

    Words behind it in another clause that has a number of its own are said of that one, unless they
    are said of both.
    """
    told = _tools_in(text)
    if not told:
        return None
    place, is_with = min(told, key=lambda t: (_distance(text, t[0], span), t[0].start))
    clause = next((c for c in clauses if c.start <= place.start < c.end), None)
    is_elsewhere = clause is not None and place.start > span.end and span.start < clause.start
    others = [n for n in numbers if clause and clause.start <= n.start < clause.end]
    return None if is_elsewhere and others and not _OF_BOTH.search(text) else is_with


_ONLY_TOOLS = re.compile(r"(?:its\s+|the\s+)?tools?", re.IGNORECASE)
_OF_BOTH = re.compile(
    r"\b(?:both|each|all(?!\s+(?:its|the|of\s+its|their)\s+tools)|alike|either|every|too|again)\b",
    re.IGNORECASE,
)


def _tools_in(text: str) -> list[tuple[Span, bool]]:
    """The places that say whether tools were used, by their words or as the reader takes them."""
    found = [(Span(*m.span()), m["with"] is not None) for m in _TOOLS.finditer(text)]
    return found + [
        (span, tag == "tools")
        for tag, span, _ in named_in(text, ("tools", "no-tools"), (span for span, _ in found))
        if not _ONLY_TOOLS.fullmatch(text, *span)  # "tools matter": no condition
    ]


def says_with_tools(text: str) -> bool:
    """Whether words on tools, if there are any, do not all say that there were none."""
    told = [is_with for _, is_with in _tools_in(text)]
    return not told or any(told)


def says_tools_plainly(text: str) -> bool:
    """Whether it is said that tools were used, or that none were, and never the other."""
    return len({is_with for _, is_with in _tools_in(text)}) == 1


def _distance(text: str, told: Span, span: Span) -> int:
    """How far the words are, with a surcharge for each comma, "but" or semicolon between."""
    start, end = (told.end, span.start) if told.end <= span.start else (span.end, told.start)
    between = text[max(0, start) : max(0, end)]
    turns = len(re.findall(r"[,:]|\b(?:and|but|while|whereas)\b", between))
    return max(0, end - start) + 20 * turns + 60 * between.count(";")


def effort_of(text: str, span: Span, numbers: list[Span]) -> str | None:
    """The effort told for a number: the nearest that no other number stands before.

    One that is told once, before every number or after them all, is told for each.
    """
    told = _efforts_in(text)
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    previous = max((n.end for n in numbers if n.end <= span.start), default=0)
    own = [
        t
        for t in told
        if previous <= t[0].start
        and t[0].end <= following
        and not (following < len(text) and ";" in text[span.end : t[0].start])
    ]
    if own:
        return min(own, key=lambda t: (_distance(text, t[0], span), -t[0].start))[1]
    first, last = min(n.start for n in numbers), max(n.end for n in numbers)
    of_all = [t for t in told if t[0].end <= first or last <= t[0].start]
    return of_all[0][1] if len(told) == len(of_all) == 1 else None


def _efforts_in(text: str) -> list[tuple[Span, str]]:
    """The places that say at which effort, by their words or as the reader takes them."""
    found = []
    if _SPEAKS_OF_EFFORT.search(text):
        found = [(Span(*m.span()), _level(m)) for m in _EFFORT.finditer(text)]
    return found + [
        (span, tag)
        for tag, span, _ in named_in(text, ("low", "medium", "high"), (span for span, _ in found))
    ]


def _level(match: re.Match[str]) -> str:
    return _LEVELS[(match["sure"] or match["bare"] or match["told"] or match["before"]).lower()]
