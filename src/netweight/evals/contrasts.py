"""Finds the figure "not this, but that" in prose, as the published slop-score leaderboard does.

The ten surface patterns are those of slop-score's detector (github.com/sam-paech/slop-score at
289264a, js/regexes-stage1.js, MIT, notice in slop_lists.json), restated. Its second stage, which
needs a tagger of parts of speech, runs in its web page only and never touched the leaderboard.
Matching follows JavaScript, offsets in UTF-16 included, because the figures are to be equal. The
patterns are rough: "is not here. It is late." counts as a contrast. English only.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Contrast(NamedTuple):
    """One figure: the pattern that found it, and the whole sentences it lies in.

    Figures that share a sentence are one, under the name of the first.
    """

    pattern: str
    sentences: str


class _Found(NamedTuple):
    """A match by the first and last sentence that it touches; sorts as slop-score sorts."""

    first: int
    last: int
    start: int
    order: int


_DOUBLE_QUOTE = re.compile("[\u201c\u201d]")
_SINGLE_QUOTE = re.compile("[\u2018\u2019]")
_DASH = re.compile("[\u2013\u2014]")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
# JavaScript's white space; `\s` in it is the ASCII part, as patterns are compiled with re.ASCII.
_SPACE = r"[\s\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"

_IT = r"(?:it|they|this|that)"
_IS = r"(?:is|are|was|were)"
_IT_IS = rf"{_IT}(?:'s|'re|\s+{_IS})"
_IS_NOT = rf"(?:{_IS}\s+not|{_IS}n't|ain't)"
_ON = r"[^.?!]{0,160}"
_REPORTED = (
    r"(?![^.?!]{0,80}\b(?:knew|know|thought|think|said|says|told|heard|learned)\b"
    r"[^.?!]{0,40}?\bthat\b)"
)
_NOT_A_CONTRAST = (
    "when|while|which|who|whom|whose|where|if|that|as|because|although|though|till|until|unless"
    r"|here|there|then|my|we|i|you|it\s+seems|it\s+appears|it\s+felt|it\s+looks?|anything"
)
_SAID = "said|asked|whispered|muttered|replied|added|shouted|cried"
_THEY_ARE = r"(?:(?:it|they)\s+(?:is|are)|it's|they're)"

# These start at the start of a sentence, and hold a negation before that sentence ends.
_FROM_SENTENCE = {
    "pron be not sep be": (
        rf"\s*[\"']?(?:{_IT}\s+{_IS}(?:\s+not|n't)|(?:it's|they're|that's)\s+not)\b{_ON}"
        rf"[.;:?!]\s*[\"']?{_IT}\s+(?:{_IS}|'s|'re)\b(?!\s+not\b)"
    ),
    "np be not sep they be": (
        rf"\s*{_REPORTED}(?!\s*not\s+without\b)(?![^.?!]{{0,50}}\bnot\s+put\b)"
        rf"{_ON}?\b{_IS_NOT}\b{_ON}[.;:?!]\s*[\"']?{_IT}\b(?:'re|\s+{_IS})\b(?!\s+not\b)"
    ),
    "no longer": (
        rf"\s*{_ON}\bno\s+longer\b[^.;:?!]{{0,160}}[.;:?!]\s*{_IT}\s+{_IS}\b(?!\s+not\b)"
    ),
    "not just sep": (
        rf"\s*[\"']?(?:{_IT_IS}|{_IT}\b)\s+not\s+just\b{_ON}[.?!]\s*[\"']?{_IT_IS}\b(?!\s+not\b)"
    ),
    "not period sameverb": (
        rf"(?=[^.?!]*+[.?!]\s*{_IT}\s)"  # changes nothing but time, as does possession
        r"[^.?!]*?\b(?:do|does|did)n't\b\s+(?:\w+\s+){0,2}([a-z]{3,})\b[^.?!]*+[.?!]\s*"
        rf"{_IT}\s+\1(?:ed|es|s|ing)?\b"
    ),
    "simple be not it be": (
        rf"\s*[\"']?(?!(?:he|she|i|you|we)\b){_REPORTED}"
        rf"{_ON}?\b{_IS_NOT}\b{_ON}[.;:?!]\s*[\"']?it(?:'s|\s+{_IS})\b"
    ),
    "embedded not just sep": (
        rf"[^.?!]{{0,80}}?\b{_THEY_ARE}\s+not\s+just\b{_ON}[.?!]\s*{_THEY_ARE}\b"
    ),
}
# These start anywhere, at most a few words ahead of their negation.
_FROM_NEGATION = {
    "not but": (
        rf"\b(?:{_IS_NOT}|not(?!\s+(?:that|only)\b))\s+"
        r"(?:(?!\bbut\b)[^.?!\n\r\u2028\u2029]){1,100}?[,;:]\s*but\s+"
        rf"(?!(?:{_NOT_A_CONTRAST})\b)"
    ),
    "not dash": (
        r"\b(?:\w+n't|not)\s+(?:just|only|merely)?\s+[^.?!\n\r\u2028\u2029]{1,160}?"
        rf"(?:-|\s-\s)\s*{_IT}\s+"
        r"(?:(?:'re|are|'s|is|were|was)\b|(?!'re|are|'s|is|were|was)[*_~]*[a-z]\w*)"
    ),
    "dialogue not just": (
        rf"[\"']?{_IT_IS}\s+not\s+just\b[^\"']{{0,160}}[\"']?\s*"
        rf"(?:[^.?!]{{0,80}}\b(?:{_SAID})\b[^.?!]{{0,80}}[.?!]\s*)?"
        rf"[\"']?{_IT_IS}\s+[*_~]?[a-z]\w*"
    ),
}
_REACH = 40  # characters from such a start to its negation: "weren't", or "they were not"

# Where one sentence has several figures, the name kept is the first by place, then in this order.
_NAMES = (
    "not but",
    "not dash",
    "pron be not sep be",
    "np be not sep they be",
    "no longer",
    "not just sep",
    "not period sameverb",
    "simple be not it be",
    "embedded not just sep",
    "dialogue not just",
)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile with JavaScript's white space, runs of it bounded so that no text takes for ever."""
    bounded = pattern.replace(r"\s+", r"\s{1,40}").replace(r"\s*", r"\s{0,40}")
    return re.compile(bounded.replace(r"\s", _SPACE), re.IGNORECASE | re.ASCII)


_PATTERNS = {name: _compiled((_FROM_SENTENCE | _FROM_NEGATION)[name]) for name in _NAMES}
_NEGATION = _compiled(r"n't|not|no\s+longer")
_SPACES = _compiled(r"\s")
_STOP = re.compile(r"[.!?]")


def find_contrasts(text: str) -> list[Contrast]:
    """Return every contrast in `text`, by position, each with the sentences that hold it."""
    text = _plain(utf16(text))
    stops = [stop.start() for stop in _STOP.finditer(text)]
    bounds = [0, *(stop + 1 for stop in stops)]
    if bounds[-1] < len(text):
        bounds.append(len(text))
    contrasts: list[Contrast] = []
    for found in _merged(sorted(_matches(text, stops, bounds))):
        sentences = text[bounds[found.first] : bounds[found.last + 1]].strip()
        contrasts.append(Contrast(_NAMES[found.order], _from_utf16(sentences)))
    return contrasts


def _matches(text: str, stops: list[int], bounds: list[int]) -> Iterator[_Found]:
    negations = [match.start() for match in _NEGATION.finditer(text)]
    sentences = sorted(set(_sentence_starts(text, stops, negations)))
    nearby = sorted(
        {start for each in negations for start in range(max(each - _REACH, 0), each + 1)}
    )
    for order, (name, pattern) in enumerate(_PATTERNS.items()):
        starts = sentences if name in _FROM_SENTENCE else nearby
        for start, end in _spans(pattern, text, starts):
            first = bisect_right(bounds, start) - 1
            last = bisect_left(bounds, end) - 1
            yield _Found(first, last, start, order)


def _sentence_starts(text: str, stops: list[int], negations: list[int]) -> Iterator[int]:
    """Yield where sentences with a negation start: past one space after the stop before it."""
    for negation in negations:
        before = bisect_left(stops, negation)
        if before == 0:
            yield 0
        elif _SPACES.match(text, stops[before - 1] + 1):
            yield stops[before - 1] + 2


def _spans(pattern: re.Pattern[str], text: str, starts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield what `finditer` would, trying only `starts`: a hundred times as fast on prose."""
    end = 0
    for start in starts:
        if start >= end and (match := pattern.match(text, start)):
            end = match.end()
            yield match.span()


def _merged(found: list[_Found]) -> Iterator[_Found]:
    """Yield one for each run of matches that share sentences, from sorted matches."""
    last = -1
    for index, each in enumerate(found):
        if each.first > last:
            last = each.last
            for later in found[index + 1 :]:
                if later.first > last:
                    break
                last = max(last, later.last)
            yield each._replace(last=last)


def _plain(text: str) -> str:
    text = _DOUBLE_QUOTE.sub('"', text)
    return _DASH.sub("-", _SINGLE_QUOTE.sub("'", text))


def utf16(text: str) -> str:
    """Return `text` as JavaScript sees it, a character beyond U+FFFF as two."""
    return _BEYOND.sub(lambda match: _surrogates(ord(match.group())), text)


def _surrogates(code: int) -> str:
    return chr(0xD7C0 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))


def _from_utf16(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
