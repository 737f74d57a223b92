"""Numbers in a text, in digits and in words: counts, shares, fractions, ratings as they are spoken.

Knows how numbers are written. Does not know what they count.
"""

import re
from typing import NamedTuple

from netweight.verdict.story import Span

_UNIT = r"%|percent\b|per\s?cent\b|pct\b|points?\b|pts\b|Elo\b"
_NUMERAL = re.compile(
    r"(?<![\w.$€£\-/#])(?<!\d:)(?!\d\d:\d\d\])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w]|[.,]\d|-\w|/\d)"
    rf"\s?({_UNIT})?",
    re.IGNORECASE,
)
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 1
    )
}
ONES = {
    word: value
    for value, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), 1
    )
}
_SPELT = re.compile(
    rf"\b({'|'.join(_TENS)})(?:[\s\-]({'|'.join(ONES)}))?(?:\s+point\s+({'|'.join(ONES)}|zero))?"
    r"(?P<unit>\s+(?:percent|per\s?cent)\b)?(?!\s+(?:point|percentage)|[\s\-](?:\w+teen|hundred|thousand|million))\b",
    re.IGNORECASE,
)
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[\s\-](?:{'|'.join(ONES)}))?)"
# "twenty-seven oh six", as a rating is spoken
_SPOKEN_PAIR = re.compile(
    rf"\b(?P<first>{_BELOW_HUNDRED})\s+(?P<second>{_BELOW_HUNDRED}|(?:oh|o)[\s\-](?:{'|'.join(ONES)}))\b"
    r"(?!\s+(?:percent|per\s?cent|point))",
    re.IGNORECASE,
)
# "172 of 200", "172 cases out of 200": a share told by its counts.
_OF_ALL = re.compile(
    r"(?<![\w.$])(?P<part>\d{1,3}(?:,\d{3})*)\s+(?:[a-z]+\s+)?(?:(?:out\s+)?of|in|per)\s+(?:the\s+|its\s+|[A-Z]\w+['\u2019]s\s+|all\s+|every\s+|each\s+|a\s+possible\s+|a\s+)?"
    r"(?P<whole>(?<!in\s)\d{1,3}(?:,\d{3})*|(?<!in\s)\d+|100|hundred)(?![\d.]*\s?(?:%|GB|GiB|billion|million|layers|experts|recommend))\b",
    re.IGNORECASE,
)
_LEAST_WHOLE = 20
_PARTS_OF = {
    "half": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10,
}  # fmt: skip
# "three quarters", "four times in five": rough, and fit to bear something out, not to be wrong.
_FRACTION = re.compile(
    rf"\b(?:(?P<few>{'|'.join(ONES)}|an?)\s+)?(?P<part>half|thirds?|quarters?|fifths?|sixths?|eighths?|tenths?)\b"
    rf"(?=\s+(?:of|the|its|all)\b)|\b(?P<times>{'|'.join(ONES)})\s+(?:[a-z]+\s+)?(?:in|out\s+of)\s+(?:every\s+)?"
    rf"(?P<all>three|four|five|six|seven|eight|nine|twelve|fifteen|twenty)\b",
    re.IGNORECASE,
)


def _value_of(match: re.Match[str]) -> float | None:
    """The percentage that a fraction in words comes to; None for "fifth of" without a count."""
    if match["all"]:
        whole = {**ONES, "twelve": 12, "fifteen": 15, "twenty": 20}[match["all"].lower()]
        return 100 * ONES[match["times"].lower()] / whole
    whole = _PARTS_OF[match["part"].lower().rstrip("s")]
    if not match["few"] and whole != _PARTS_OF["half"]:
        return None
    few = ONES.get((match["few"] or "a").lower(), 1)
    return 100 * few / whole if few < whole else None


def _below_hundred(words: str) -> int:
    """The value of "forty", "forty-one" or "oh six"."""
    return sum(_TENS.get(part, ONES.get(part, 0)) for part in re.split(r"[\s\-]+", words.lower()))


# "nine in ten questions": a share told in words, as fine as its tenths.
_IN_TEN = re.compile(
    rf"\b({'|'.join(ONES)}|[1-9])\s+(?:in|out\s+of)\s+(?:every\s+)?(?:ten|10)\b"
    r"(?=\s+(?:of\s+)?(?:the\s+|its\s+|all\s+)?(?:[\w\-]+\s+){0,2}"
    r"(?:questions?|problems?|tasks?|exercises?|issues?|answers?|items?|cases?)\b)",
    re.IGNORECASE,
)


_TEENS = {
    word: value
    for value, word in enumerate(
        (
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen",
        ),
        11,
    )
}  # fmt: skip
# "no tools: nineteen flat": a score that is called out.
_CALLED_OUT = re.compile(
    rf"\b({'|'.join([*_TEENS, *_TENS])})\s+(?:flat|even|dead|on\s+the\s+nose|exactly)\b",
    re.IGNORECASE,
)


class Number(NamedTuple):
    span: Span  # with its unit
    value: float
    decimals: int
    has_unit: bool
    is_sure: bool = True  # a number in words and without a unit may count something else


def find_numbers(text: str) -> list[Number]:
    """Every numeral, and every percentage in words."""
    found = []
    for match in _NUMERAL.finditer(text):
        digits = match[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        span = Span(match.start(), match.end() if match[2] else match.end(1))
        found.append(Number(span, float(digits), decimals, bool(match[2])))
    for match in _SPELT.finditer(text):
        tens, ones, tenths = (part.lower() if part else None for part in match.groups()[:3])
        if not (ones or tenths or match["unit"]):
            continue  # "sixty" alone counts something
        value = _TENS[tens or ""] + ONES.get(ones or "", 0) + ONES.get(tenths or "", 0) / 10
        has_unit = match["unit"] is not None
        decimals = 1 if tenths else 0
        found.append(
            Number(
                Span(*match.span()),
                value,
                decimals,
                has_unit,
                is_sure=has_unit or tenths is not None,
            )
        )
    for match in _FRACTION.finditer(text):
        share = _value_of(match)
        if share is not None:
            found.append(Number(Span(*match.span()), share, -1, has_unit=True, is_sure=False))
    for match in _SPOKEN_PAIR.finditer(text):
        first, second = (_below_hundred(match[name]) for name in ("first", "second"))
        start, end = match.span()
        found = _without(found, start, end)
        value = float(100 * first + second)
        found.append(Number(Span(start, end), value, 0, has_unit=False, is_sure=False))
    for match in _OF_ALL.finditer(text):
        part = int(match["part"].replace(",", ""))
        whole = 100 if match["whole"] == "hundred" else int(match["whole"].replace(",", ""))
        if 0 < part <= whole and whole >= _LEAST_WHOLE:
            start, end = match.span()
            found = _without(found, start, end)
            value = round(100 * part / whole, 1)
            found.append(Number(Span(*match.span()), value, 1, has_unit=True, is_sure=False))
    for match in _IN_TEN.finditer(text):
        tenths_told = ONES.get(match[1].lower()) or int(match[1])
        start, end = match.span()
        found = _without(found, start, end)
        found.append(Number(Span(*match.span()), 10.0 * tenths_told, -1, has_unit=True))
    return sorted([*found, *_called_out(text, found)])


def _called_out(text: str, found: list[Number]) -> list[Number]:
    """Numbers in one word that are called out, where nothing else was read."""
    values = {**_TEENS, **_TENS}
    return [
        Number(Span(*match.span(1)), float(values[match[1].lower()]), 0, has_unit=True)
        for match in _CALLED_OUT.finditer(text)
        if not any(n.span.start < match.end(1) and match.start(1) < n.span.end for n in found)
    ]


def _without(found: list[Number], start: int, end: int) -> list[Number]:
    """The numbers outside a stretch that is read as one."""
    return [n for n in found if n.span.end <= start or end <= n.span.start]
