"""Sentences cut into clauses: where one statement ends and the next begins.

Punctuation and joining words offer places for a cut. Which of them are taken was learned from
stories of our own (benchmarks/verdict_reader.py) by the words around them. Knows no model and no
benchmark, and nothing of what a clause says.
"""

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from netweight.verdict.lexicon import AUXILIARIES, REPORTING, words
from netweight.verdict.linear import learned
from netweight.verdict.story import Span

_PLACE = re.compile(
    r"[,;:)]+[\"\u201d]?\s+|\s*(?:\u2014|\()\s*|\s+[\u2013-]+\s+|(?<=[.!?])[\"\u201d]\s+|"
    r"\s*[\"\u201c\u201d]\s*|\s+"
)
_JOINING = words(
    "and but or so yet nor while whereas although though because since unless until which who that "
    "as with if when where after before whether than against plus"
)
_REPORTS = re.compile(rf"(?:{REPORTING})$", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z][\w'\u2019\-]*|\d[\d.,]*|[^\w\s]")
_STOP = re.compile(r"[,;:()\u2014.!?]")
_REACH = 160  # characters on either side that are looked at
_LEFT, _RIGHT, _VERB_REACH = 3, 5, 8  # words
_LONG_WORD = 4  # letters above which the ending says something
_FAR = 10
_WORD = re.compile(r"[A-Za-z]{2,}|\d")
_LEAST_WORDS = 2  # in a clause
_NEAR = 80  # characters in which they are looked for
_CUT_FROM = 0.45  # the probability from which a place is cut


class Place(NamedTuple):
    """Where a sentence may be cut: the stretch that falls away, its mark and the word after it."""

    span: Span
    mark: str
    word: str


def tokens_of(text: str) -> list[str]:
    """Words in lower case, numbers as "#", and marks."""
    found = _TOKEN.findall(text)
    return ["#" if t[0].isdigit() else t.lower().replace("\u2019", "'") for t in found]


def places_in(text: str) -> list[Place]:
    """Every place where a sentence may be cut, in reading order."""
    found = []
    for match in _PLACE.finditer(text):
        mark = match[0].strip()
        follows = re.match(r"[\"\u201c(]?([\w'\u2019-]+)", text[match.end() : match.end() + 40])
        word = follows[1].lower() if follows else ""
        before = text[max(0, match.start() - 20) : match.start()].rpartition(" ")[2]
        is_said = not mark and _REPORTS.match(before)
        if mark or word in _JOINING or is_said:
            found.append(Place(Span(*match.span()), mark, "~said" if is_said else word))
    return found


def features_of_place(text: str, place: Place) -> set[str]:
    """What a place is known by: its mark, the words around it, and how far the next mark is."""
    left = tokens_of(text[max(0, place.span.start - _REACH) : place.span.start])
    right = tokens_of(text[place.span.end : place.span.end + _REACH])
    found = {"any", f"mark {place.mark}", f"word {place.word}", f"both {place.mark} {place.word}"}
    for side, row, reach in (("left", left[::-1], _LEFT), ("right", right, _RIGHT)):
        for index in range(reach):
            token = row[index] if index < len(row) else "^"
            found.add(f"{side}{index} {token}")
            if len(token) > _LONG_WORD:
                found.add(f"{side}{index} -{token[-2:]}")
    found.add("pair " + " ".join(right[:2]))
    found.add(f"length left {min(len(left), _FAR)}")
    found.add(f"length right {min(len(right), _FAR)}")
    stop = _STOP.search(text, place.span.end, place.span.end + 100)
    found.add(f"stop {(stop.start() - place.span.end) // 12 if stop else _FAR}")
    if any(token in AUXILIARIES for token in left):
        found.add("verb left")
    if any(token in AUXILIARIES for token in right[:_VERB_REACH]):
        found.add("verb right")
    if any(token.endswith("ed") for token in right[:_VERB_REACH]):
        found.add("past right")
    return found


@functools.lru_cache(maxsize=32)  # a sentence is asked for its clauses several times
def places_with_shares(text: str) -> tuple[tuple[Place, float], ...]:
    """The places where a text may be cut, each with the probability that it is."""
    classifier = learned("cuts")
    return tuple(
        (place, classifier.shares(features_of_place(text, place))["cut"])
        for place in places_in(text)
    )


def clauses_of(text: str, within: Span, kept: Iterable[Span] = ()) -> list[Span]:
    """The stretch of a text in clauses; no cut is made inside a span that is to be kept whole."""
    kept = list(kept)
    stretch = text[within.start : within.end]
    cuts: list[Span] = []
    for place, share in places_with_shares(stretch):
        cut = Span(within.start + place.span.start, within.start + place.span.end)
        if any(k.start < cut.end and cut.start < k.end for k in kept):
            continue
        begin = max(cuts[-1].end if cuts else within.start, cut.start - _NEAR)
        if len(_WORD.findall(text, begin, cut.start)) < _LEAST_WORDS:
            continue  # "Reportedly, it beats ..."
        is_turn = place.mark in (",", ";") and place.word in ("while", "whereas")
        if is_turn or share >= _CUT_FROM:
            cuts.append(cut)
    starts = [within.start, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), within.end]
    return [Span(a, b) for a, b in zip(starts, ends, strict=True) if _WORD.search(text, a, b)]
