"""Amounts with a unit, in digits or in words: parameters, gibibytes, layers, experts.

Knows how amounts are written, and which property of a model a unit and the words around it mean.
Does not know the models' figures.
"""

import re
from typing import Literal, NamedTuple

from netweight.verdict.numerals import ONES
from netweight.verdict.reader import named_in
from netweight.verdict.story import Span
from netweight.verdict.wordings import says_active

_TEENS = {
    word: value
    for value, word in enumerate(
        (
            "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen",
        ),
        10,
    )
}  # fmt: skip
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
_WORD_VALUES = {**ONES, **_TEENS, **_TENS}
_WORDS = "|".join(sorted(_WORD_VALUES, key=len, reverse=True))
_ONES = "|".join(ONES)
_HUNDREDS = (
    rf"(?:(?:an?|one|two|three)[\s\-]+)?hundred"
    rf"(?:[\s\-]+(?:and[\s\-]+)?(?:{_WORDS})(?:[\s\-](?:{_ONES}))?)?"
)
_MILLIONS = {"half a million": 5e5, "a million": 1e6, "one million": 1e6, "two million": 2e6}
_SPELT = (
    rf"(?:{'|'.join(_MILLIONS)}|{_HUNDREDS}|"
    rf"(?:{_WORDS})(?:[\s\-](?:{_ONES}))?(?:\s+point\s+(?:{_ONES}))?)"
)
_AMOUNT = re.compile(
    rf"(?<![\w.$\u20ac\u00a3\-])(?P<value>\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?|{_SPELT})[\s\-]*"
    r"(?P<half>and\s+a\s+half\s+)?(?P<unit>billion|bn\b|B\b|GiB\b|GB\b|gi(?:ga|bi)bytes?\b|gigs?\b|(?:\w+\s+)?(?:layers|experts)\b|k?\s*tokens\b|k\b)",
    re.IGNORECASE,
)


_LONGEST = 1000  # characters


class Amount(NamedTuple):
    """A number with the property that it is told of, by the name of the tables' metric."""

    span: Span
    value: float
    metric: str
    bound: Literal["under", "over"] | None = None


_OF_PARAMETERS = re.compile(
    r"\b(?:param\w*|active|activ\w+|weights?|work(?:s|ing)?|fragments?|tokens?|wak\w+|fir(?:e|es|ing)|switch\w*|lights?|"
    r"neurons?|connections?|numbers|dials|in\s+(?:all|total))\b",
    re.IGNORECASE,
)
_NOT_OF_PARAMETERS = re.compile(
    r"\b(?:dollars?|euros?|users?|downloads?|people|valuation|revenue|invest\w*|funding|shares?|company|market|worth|tokens\s+a)\b",
    re.IGNORECASE,
)
_OF_CACHE = re.compile(
    r"\bcache\b|\bon\s+top\b|\b(?:conversation|prompt|context|window)s?\s+(?:at|of)\s+(?:its\s+|their\s+)?(?:full|longest|maximum|greatest)\b|"
    r"\b(?:longest|full|maximum)\s+(?:context|window|conversation|prompt)\b",
    re.IGNORECASE,
)
_WITH_WEIGHTS = re.compile(r"\bweights\s+and\b|\btogether\b", re.IGNORECASE)
_OF_FILES = re.compile(
    r"\b(?:checkpoints?|files?|downloads?|disk|drive|weigh(?:s|ed|ing)?|weights)\b", re.IGNORECASE
)
_OF_MEMORY = re.compile(
    r"\b(?:memory|cards?|GPUs?|V?RAM|laptops?|machines?|accelerators?|fits?|runs?|holds?|needs?|graphics|desktops?|PCs?|box|"
    r"phones?|boards?|H100|happy|content|squeez\w*|copes?|room)\b",
    re.IGNORECASE,
)


_OF_CONTEXT = re.compile(
    r"\b(?:at\s+(?:a|one)\s+(?:go|time|sitting)|at\s+once|in\s+one\s+(?:go|sitting|gulp)|feed|swallow\w*|digest\w*|prompts?|windows?|context|remember\w*|"
    r"attention\s+span|in\s+(?:mind|view|memory)|reads?)\b",
    re.IGNORECASE,
)
_OF_SPEED = re.compile(
    r"\b(?<!half\s)(?:per|a|each|every)\s+(?:second|minute|day|month|million)|trillion|train\w*|cach\w*|fill\w*|\bat\s+\d",
    re.IGNORECASE,
)


_HOLDS = re.compile(
    r"\b(?:fits?|fitted|runs?|running|ran|holds?|needs?|requir\w*|squeez\w*|cop(?:es?|ed)|loads?|takes?|enough|suffic\w*|happy\s+with|content\s+with|room|goes|go\s+on|"
    r"hosts?|handles?|will\s+do|is\s+all|plenty|sits?|lives?|works?|carr(?:y|ies))\b",
    re.IGNORECASE,
)


def _value_of(words: str) -> float:
    low = words.lower().replace(",", "")
    if low[0].isdigit():
        return float(low)
    if low in _MILLIONS:
        return _MILLIONS[low]
    whole, _, tenth = low.partition(" point ")
    total = ONES.get(tenth.strip(), 0) / 10
    head, has_hundred, tail = whole.partition("hundred")
    parts = re.split(r"[\s\-]+", tail if has_hundred else whole)
    total += sum(_WORD_VALUES.get(part, 0) for part in parts)
    if has_hundred:
        total += 100 * ONES.get(head.strip(" -"), 1)
    return total


def amounts_in(clause: str) -> list[Amount]:
    """The amounts of a clause whose unit and context say what property they are of."""
    found: list[Amount] = []
    if len(clause) > _LONGEST:  # no clause that anybody wrote
        return found
    for match in _AMOUNT.finditer(clause):
        if _LEFT_OVER.match(clause, match.end()) or _IS_NAME.search(clause, 0, match.end()):
            continue
        metric = _metric_of(clause, match) or _as_read(clause, Span(*match.span()))
        if metric:
            told = _BOUND.search(clause, max(0, match.start() - 25), match.start())
            bound: Literal["under", "over"] | None = None
            if told:
                bound = "under" if told["under"] else "over"
            found.append(Amount(Span(*match.span()), _told(match), metric, bound))
    return found


_METRICS = ("total-parameters", "active-parameters", "layers", "experts", "context")


def _as_read(clause: str, amount: Span) -> str | None:
    """The property that the reader takes an amount for; none for what somebody has or tried."""
    if _TRIED.search(clause):
        return None
    named = named_in(clause, _METRICS)
    return next(
        (n.tag for n in named if n.span.start < amount.end and amount.start < n.span.end), None
    )


_BOUND = re.compile(
    r"\b(?:(?P<under>(?:fewer|less)\s+than|under|below|(?:just\s+)?short\s+of)|(?:more\s+than|over|above|upwards\s+of))\s+(?:a\s+)?$",
    re.IGNORECASE,
)
_LEFT_OVER = re.compile(
    r"\s+(?:of\s+\w+\s+)?(?:to\s+spare|free|left|unused|over|of\s+headroom|spare|idle)\b",
    re.IGNORECASE,
)
_OF_WINDOW = re.compile(
    r"\b(?:context|window)\b[^.;]{0,30}?\b(?:tops?\s+out|is|limit\w*|maximum|stretch\w*|extends?|goes|reach\w*|ends?)\b|"
    r"\b(?:context|window)\s+of\b",
    re.IGNORECASE,
)
_TRIED = re.compile(r"\b(?:I|[Ww]e|gave|tried|sent|fed|ran)\b|\b[Aa]t\s+an?\s+\S+\s+context\b")


def _told(match: re.Match[str]) -> float:
    return _value_of(match["value"]) + (0.5 if match["half"] else 0.0)


def _distance(words: re.Pattern[str], clause: str, amount: re.Match[str]) -> int:
    """Characters from an amount to the nearest of some words; those before it count double."""
    return min(
        (
            m.start() - amount.end()
            if m.start() >= amount.end()
            else 2 * (amount.start() - m.end())
            for m in words.finditer(clause)
        ),
        default=10**6,
    )


_IS_NAME = re.compile(r"\bthe\s+(?:\w+\s+)?\d+b$", re.IGNORECASE)  # "the 120b" is a model


def _metric_of(clause: str, match: re.Match[str]) -> str | None:
    unit = match["unit"].lower()
    if unit.endswith(("layers", "experts")):
        return "layers" if unit.endswith("layers") else "experts"
    if unit == "k" and not _OF_WINDOW.search(clause):
        return None
    if unit == "k" or unit.endswith("tokens"):
        is_limit = _OF_CONTEXT.search(clause) and not _OF_SPEED.search(clause)
        return "context" if is_limit and not _TRIED.search(clause) else None
    if unit in ("billion", "bn", "b"):
        if not _OF_PARAMETERS.search(clause) or _NOT_OF_PARAMETERS.search(clause):
            return None
        stop = clause.find(",", match.end())
        is_active = says_active(clause[: stop if stop > 0 else len(clause)], *match.span())
        is_active = is_active or (says_active(clause, *match.span()) and match[0][0].isdigit())
        return "active-parameters" if is_active else "total-parameters"
    if _OF_CACHE.search(clause) and not _WITH_WEIGHTS.search(clause):
        to_files = _distance(_OF_FILES, clause, match)
        return (
            "checkpoint-size"
            if to_files < _distance(_OF_CACHE, clause, match)
            else ("cache-at-full-context")
        )
    if not _HOLDS.search(clause):
        return "checkpoint-size" if _OF_FILES.search(clause) else None
    if _OF_MEMORY.search(clause[match.end() : match.end() + 30]):
        return "memory"
    if _OF_FILES.search(clause):
        return "checkpoint-size"
    return "memory" if _OF_MEMORY.search(clause) else None
