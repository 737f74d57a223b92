"""Does a text that nobody asked mathematics of contain any? A detector in two tiers.

Strong: LaTeX, and equations with an operator, which ordinary prose never needs. Weak: signs of
technical writing that prose may have a reason for, such as "≈" or a code fence. Web addresses are
not read, nor is fenced code in the strong tier. It does not know whether mathematics was asked for,
and it misses equations spelt out in words ("two plus two equals four").
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from netweight.evals.answers import plain

Tier = Literal["strong", "weak"]


class Hit(NamedTuple):
    """One find: `text` is the characters that matched, `start` their offset."""

    tier: Tier
    kind: str
    text: str
    start: int


_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|(?<=\]\()[^)\s]{1,500}(?=\))", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}```.*?(?:^ {0,3}```|\Z)", re.MULTILINE | re.DOTALL)

_COMMANDS = (
    "frac|dfrac|tfrac|sqrt|sum|prod|int|iint|oint|lim|infty|partial|nabla|cdot|cdots|ldots|times|div"
    "|pm|mp|leq|geq|neq|le|ge|approx|equiv|propto|sim|in|notin|subset|cup|cap|forall|exists|neg|land"
    "|lor|implies|iff|rightarrow|Rightarrow|to|mapsto|left|right|boxed|mathbb|mathbf|mathcal|mathrm"
    "|operatorname|text|vec|hat|bar|overline|binom|alpha|beta|gamma|delta|epsilon|varepsilon|zeta"
    "|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta"
    "|Lambda|Sigma|Phi|Psi|Omega|sin|cos|tan|log|ln|exp|max|min"
)
# What may stand beside an operator: a name, a number, a group, or a function of a group. All are
# bounded, as is the window around an equals sign, so that reading takes time in line with length.
_GROUP = r"\([^()=\n]{1,60}\)"
_TERM = rf"(?:(?:\b\w[\w.']{{0,30}})?{_GROUP}|\b\w[\w.'²³]{{0,30}})"
# A hyphen joins words and a slash offers alternatives, so these need space, digits or brackets.
_OPERATOR = (
    r"(?:\s?[+*^\u00b7\u00d7\u00f7]\s?|\s(?:[-/x]|\*\*)\s|(?<=[\d)])(?:/(?=[\w(])|-(?=[\d(])))"
)
_CHAIN = (
    rf"(?:{_TERM}{_OPERATOR}{_TERM}"
    r"|(?:\b\w{1,10})?\([^()=\n]{1,30}(?:\s[-+*/x\u00b7\u00d7\u00f7]\s|\^)[^()=\n]{1,30}\)"
    r"|\b\w{0,10}[²³])"
)
_EQUALS = re.compile(r"(?<![=!<>:~])=(?![=>])")
_CHAIN_BEFORE = re.compile(rf"{_CHAIN}\s?\Z")
_CHAIN_AFTER = re.compile(rf"\s?-?{_CHAIN}")
_ANYTHING_BEFORE = re.compile(r"[\w)\]]\s?\Z")
_ANYTHING_AFTER = re.compile(r"\s?-?[\w(?]")
_WINDOW = 100
_POWER = r"(?<![\w^])(?:\w{1,3}|\))\s?(?:\^\s?[({]?-?\w{1,6}[)}]?|[²³])(?![\w^])"

_STRONG_PATTERNS = {
    "latex delimiters": r"\\\((?s:.{1,400}?)\\\)|\\\[(?s:.{1,400}?)\\\]|\$\$(?s:.{1,400}?)\$\$",
    "latex environment": r"\\begin\{[A-Za-z]+\*?\}",
    "latex command": rf"\\(?:{_COMMANDS})(?![A-Za-z])",
    # As in Pandoc: no space inside the dollars, no digit after them. "$5 and $10" is money.
    "dollar mathematics": (
        r"(?<![\\$\w])\$(?=[^\s$])(?=[^$\n]*[\\^_=+<>*/]|[A-Za-z]\$)"
        r"[^$\n]{1,200}?(?<=[^\s\\])\$(?![\d$])"
    ),
    "function": r"\b[A-Za-z]\w?\([A-Za-z](?:, ?[A-Za-z])*\)\s?=\s?\S",
    "probability": (
        r"\bPr?\([^()\n]{1,60}[|\u2223][^()\n]{1,60}\)|\bPr?\([^()\n]{1,60}\)\s?=\s?[\d.]"
    ),
}
# Left out of the operators: asterisk, bullet, dot and star forms, which separate scenes.
_WEAK_PATTERNS = {
    "mathematical operator": r"[\u2200-\u2216\u221a-\u22c3\u22c8-\u22ff\u00b1\u00d7\u00f7]",
    "mathematical letter": r"[\U0001d400-\U0001d7ff]",
    "superscript or subscript": r"[²³¹\u2070-\u209c]",
    "power": _POWER,
    "function call": r"\b(?:sin|cos|tan|log|ln|exp|sqrt)\s?\(",
    "code fence": r"^ {0,3}```",
    "comparison in code": r"(?<=\s)(?:==|!=|<=|>=|:=|=>|&&)(?=\s)",
}

_STRONG = {kind: re.compile(pattern) for kind, pattern in _STRONG_PATTERNS.items()}
_WEAK = {kind: re.compile(pattern, re.MULTILINE) for kind, pattern in _WEAK_PATTERNS.items()}


def find_formulas(text: str) -> list[Hit]:
    """Return every hit in `text`: the strong tier first, each tier by position.

    One stretch of text can give several hits of different kinds.
    """
    readable = _blank(_ADDRESS, plain(text))
    prose = _blank(_FENCE, readable)
    strong = [*_matches("strong", _STRONG, prose), *_equations(prose)]
    weak = _matches("weak", _WEAK, readable)
    return [hit for tier in (strong, weak) for hit in sorted(tier, key=lambda hit: hit.start)]


def _matches(tier: Tier, patterns: dict[str, re.Pattern[str]], text: str) -> list[Hit]:
    return [
        Hit(tier, kind, match.group(), match.start())
        for kind, pattern in patterns.items()
        for match in pattern.finditer(text)
    ]


def _equations(text: str) -> Iterator[Hit]:
    """Find equals signs with an operator on one side at least: "x = a + b", "2 + 2 = 4"."""
    for equals in _EQUALS.finditer(text):
        before = text[max(0, equals.start() - _WINDOW) : equals.start()].rpartition("\n")[2]
        after = text[equals.end() : equals.end() + _WINDOW].partition("\n")[0]
        left = _CHAIN_BEFORE.search(before)
        right = _CHAIN_AFTER.match(after)
        if (left and _ANYTHING_AFTER.match(after)) or (right and _ANYTHING_BEFORE.search(before)):
            first = left.start() if left else before.rstrip().rfind(" ") + 1
            start = equals.start() - len(before) + first
            end = equals.end() + (right.end() if right else len(after.split(",")[0]))
            yield Hit("strong", "equation", text[start:end], start)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Overwrite what matches with spaces, so that offsets stay true."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
