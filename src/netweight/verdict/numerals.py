"""Numbers in a text, in digits and in words: counts, shares, fractions, ratings as they are spoken.

Knows how numbers are written. Does not know what they count.
"""

import re
from collections.abc import Iterator
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
_SPELT = re.compile(
    rf"\b({'|'.join([*_TENS, *_TEENS])})(?:[\s\-]({'|'.join(ONES)}))?(?:\s+point\s+("
    rf"{'|'.join(ONES)}|zero))?"
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
    r"(?<![\w.$])(?P<part>\d{1,3}(?:,\d{3})*)\s+(?:[a-z]+\s+){0,2}?(?:(?:out\s+)?of|in|per)\s+(?:the\s+|its\s+|[A-Z]\w+['\u2019]s\s+|all\s+|every\s+|each\s+|a\s+possible\s+|a\s+)?"
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
    rf"(?=\s+(?:of|the|its|all)\b)|\b(?P<times>{'|'.join(ONES)})\s+(?:[\w\-]+\s+){{0,2}}?(?:in|out\s+of)\s+(?:every\s+)?"
    rf"(?P<all>three|four|five|six|seven|eight|nine|ten|{'|'.join(_TEENS)}|twenty)\b",
    re.IGNORECASE,
)


def _value_of(match: re.Match[str]) -> float | None:
    """The percentage that a fraction in words comes to; None for "fifth of" without a count."""
    if match["all"]:
        whole = {**ONES, **_TEENS, **_TENS}[match["all"].lower()]
        return 100 * ONES[match["times"].lower()] / whole
    whole = _PARTS_OF[match["part"].lower().rstrip("s")]
    if not match["few"] and whole != _PARTS_OF["half"]:
        return None
    few = ONES.get((match["few"] or "a").lower(), 1)
    return 100 * few / whole if few < whole else None


def _below_hundred(words: str) -> int:
    """The value of "forty", "forty-one" or "oh six"."""
    return sum(_TENS.get(part, ONES.get(part, 0)) for part in re.split(r"[\s\-]+", words.lower()))


# "ninety-one times in a hundred", "fewer than seven in a hundred"
_IN_HUNDRED = re.compile(
    rf"\b(?P<tens>{'|'.join([*_TENS, *_TEENS])})(?:[\s\-](?P<ones>"
    rf"{'|'.join(ONES)}))?\s+(?:[a-z]+\s+)?(?:in|out\s+of|of)\s+(?:an?|one|every|each)\s+hundred\b|"
    rf"\b(?P<few>{'|'.join(ONES)})\s+(?:[a-z]+\s+)?(?:in|out\s+of|of)\s+(?:an?|one|every|each)\s+hundred\b",
    re.IGNORECASE,
)


# "nine in ten questions": a share told in words, as fine as its tenths.
_IN_TEN = re.compile(
    rf"\b({'|'.join(ONES)}|[1-9])\s+(?:in|out\s+of)\s+(?:every\s+)?(?:ten|10)\b"
    r"(?=\s+(?:of\s+)?(?:the\s+|its\s+|all\s+)?(?:[\w\-]+\s+){0,2}"
    r"(?:questions?|problems?|tasks?|exercises?|issues?|answers?|items?|cases?)\b)",
    re.IGNORECASE,
)


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
    found = [*_in_digits(text), *_in_words(text)]
    for several in (*_spoken(text), *_shares(text)):  # read as one what was read as two
        found = [*_without(found, several.span.start, several.span.end), several]
    return sorted([*found, *_called_out(text, found)])


def _in_digits(text: str) -> Iterator[Number]:
    for match in _NUMERAL.finditer(text):
        digits = match[1].replace(",", "")
        decimals = len(digits.partition(".")[2])
        span = Span(match.start(), match.end() if match[2] else match.end(1))
        yield Number(span, float(digits), decimals, bool(match[2]))


def _in_words(text: str) -> Iterator[Number]:
    for match in _SPELT.finditer(text):
        tens, ones, tenths = (part.lower() if part else None for part in match.groups()[:3])
        has_unit = match["unit"] is not None
        if not (ones or tenths or has_unit):
            continue  # "sixty" alone counts something
        value = float({**_TENS, **_TEENS}[tens or ""] + ONES.get(ones or "", 0))
        value += ONES.get(tenths or "", 0) / 10
        is_sure = has_unit or tenths is not None
        yield Number(Span(*match.span()), value, int(bool(tenths)), has_unit, is_sure)
    for match in _FRACTION.finditer(text):
        share = _value_of(match)
        if share is not None:
            yield Number(Span(*match.span()), share, -1, has_unit=True, is_sure=False)


def _spoken(text: str) -> Iterator[Number]:
    for match in _SPOKEN_PAIR.finditer(text):
        first, second = (_below_hundred(match[name]) for name in ("first", "second"))
        value = float(100 * first + second)
        yield Number(Span(*match.span()), value, 0, has_unit=False, is_sure=False)


def _shares(text: str) -> Iterator[Number]:
    """Shares told by their counts: "172 of 200", "fifty-three in a hundred", "nine in ten"."""
    for match in _OF_ALL.finditer(text):
        part = int(match["part"].replace(",", ""))
        whole = 100 if match["whole"] == "hundred" else int(match["whole"].replace(",", ""))
        if 0 < part <= whole and whole >= _LEAST_WHOLE:
            value = round(100 * part / whole, 1)
            decimals = 0 if whole == 100 else 1
            yield Number(Span(*match.span()), value, decimals, has_unit=True, is_sure=False)
    for match in _IN_HUNDRED.finditer(text):
        words = [match[name].lower() for name in ("tens", "ones", "few") if match[name]]
        value = float(sum({**_TENS, **_TEENS, **ONES}[word] for word in words))
        yield Number(Span(*match.span()), value, 0, has_unit=True, is_sure=False)
    for match in _IN_TEN.finditer(text):
        tenths = ONES.get(match[1].lower()) or int(match[1])
        yield Number(Span(*match.span()), 10.0 * tenths, -1, has_unit=True)


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


_GAP_WORDS = {**ONES, **_TEENS, **_TENS, "dozen": 12, "couple": 2, "few": 3}
_GAP = re.compile(
    r"(?:\b(?P<more>(?:rather\s+|well\s+|slightly\s+|a\s+little\s+)?(?:more\s+than|over|above|at\s+least|upwards\s+of))\s+|"
    r"\b(?P<less>nearly|almost|not\s+quite|just\s+under|close\s+to|under|less\s+than)\s+|"
    r"\b(?P<rough>about|around|roughly|some|approximately|or\s+so)\s+)?"
    rf"(?:an?\s+|by\s+)?(?P<value>\d+(?:\.\d+)?|{'|'.join(_GAP_WORDS)})(?P<half>\s+and\s+a\s+half)?"
    r"(?:\s+of)?(?P<or_so>\s+or\s+(?:so|\w+))?\s*(?:percentage\s+|full\s+|whole\s+)?(?P<unit>points?|pts|percent(?:age\s+points)?|percentage\s+points|per\s?cent|%)?"
    r"(?P<plus>\s+and\s+more|\s+or\s+more)?",
    re.IGNORECASE,
)


class Gap(NamedTuple):
    """A distance between two scores: the least and the most that its words can mean."""

    span: Span
    low: float
    high: float


def gap_at(text: str, start: int = 0, end: int | None = None) -> Gap | None:
    """The first distance in points that a stretch tells, or None.

    "a few" is 2 to 5, "about seven" 6 to 8, "nearly fifteen" 14 to 15, "more than five" 5 to 7.
    """
    for match in _GAP.finditer(text, start, len(text) if end is None else end):
        word = match["value"].lower()
        is_figure = word[0].isdigit()
        if not match["unit"] and not (match["half"] or match.end() == (end or -1)):
            continue
        value = float(word) if is_figure else float(_GAP_WORDS[word])
        value += 0.5 if match["half"] else 0.0
        slack = 0.5 / 10.0 ** len(word.partition(".")[2]) if is_figure or match["half"] else 0.5
        low, high = value - slack, value + slack
        if word in ("couple", "few"):
            low, high = value - 1.0, value + 2.0 if word == "few" else value + 0.7
        elif match["more"] or match["plus"]:
            low, high = value, value + max(2.0, 0.3 * value)
        elif match["less"]:
            low, high = value - max(1.0, 0.1 * value), value
        elif match["rough"] or match["or_so"]:
            low, high = value - max(1.0, 0.1 * value), value + max(1.0, 0.1 * value)
        return Gap(Span(*match.span()), low, high)
    return None
