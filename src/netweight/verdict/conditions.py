"""How a score was measured, by the words beside it: with tools or without, at which effort.

Knows words and places. Does not know whose score it is.
"""

import re

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
    r"\btools?\s+(?:off\b|disabled|forbidden|not allowed|switched off)|\btool-?free\b|"
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


def tools_of(text: str, span: Span) -> bool | None:
    """Whether tools were used, by the words nearest to the number; None where nothing is said."""
    told = list(_TOOLS.finditer(text))
    if not told:
        return None
    near = min(told, key=lambda m: (_distance(text, m, span), m.start()))
    return near["with"] is not None


def says_with_tools(text: str) -> bool:
    """Whether words on tools, if there are any, do not all say that there were none."""
    told = [m["with"] is not None for m in _TOOLS.finditer(text)]
    return not told or any(told)


def says_tools_once(text: str) -> bool:
    """Whether there is one place that says whether tools were used, and no more."""
    return len(_TOOLS.findall(text)) == 1


def _distance(text: str, match: re.Match[str], span: Span) -> int:
    """How far the words are, with a surcharge for each comma, "but" or semicolon between."""
    start, end = (
        (match.end(), span.start) if match.end() <= span.start else (span.end, match.start())
    )
    between = text[max(0, start) : max(0, end)]
    turns = len(re.findall(r"[,:]|\b(?:and|but|while|whereas)\b", between))
    return max(0, end - start) + 20 * turns + 60 * between.count(";")


def effort_of(text: str, span: Span, numbers: list[Span]) -> str | None:
    """The effort told for a number: the nearest that no other number stands before.

    One that is told once, before every number or after them all, is told for each.
    """
    if not _SPEAKS_OF_EFFORT.search(text):
        return None
    told = list(_EFFORT.finditer(text))
    following = min((n.start for n in numbers if n.start >= span.end), default=len(text))
    previous = max((n.end for n in numbers if n.end <= span.start), default=0)
    own = [m for m in told if previous <= m.start() and m.end() <= following]
    if own:
        return _level(min(own, key=lambda m: (_distance(text, m, span), -m.start())))
    first, last = min(n.start for n in numbers), max(n.end for n in numbers)
    of_all = [m for m in told if m.end() <= first or last <= m.start()]
    return _level(of_all[0]) if len(told) == len(of_all) == 1 else None


def _level(match: re.Match[str]) -> str:
    return _LEVELS[(match["sure"] or match["bare"] or match["told"] or match["before"]).lower()]
