"""Sentences cut into clauses: where one statement ends and the next begins.

Punctuation and joining words offer places for a cut. Which of them are taken the reader says, from
what it learned of stories of our own (netweight.verdict.reader). Knows no model and no benchmark,
and nothing of what a clause says.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from netweight.verdict.lexicon import REPORTING, words
from netweight.verdict.reader import sense_of
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
_WORD = re.compile(r"[A-Za-z]{2,}|\d")
_LEAST_WORDS = 2  # in a clause
_NEAR = 80  # characters in which they are looked for
_CUT_FROM = 0.35  # the probability from which a place is cut
_CUT_UNMARKED_FROM = 0.65  # and between words without a mark
_TURNS = re.compile(r",\s+(?:while|whereas|but\s+(?:the|its?|they|their|this|that|no|nobody))\s")


class Place(NamedTuple):
    """Where a sentence may be cut: the stretch that falls away, its mark and the word after it."""

    span: Span
    mark: str
    word: str


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


def clauses_of(text: str, within: Span, kept: Iterable[Span] = ()) -> list[Span]:
    """The stretch of a text in clauses; no cut is made inside a span that is to be kept whole."""
    kept = list(kept)
    places = [
        Place(Span(within.start + p.span.start, within.start + p.span.end), p.mark, p.word)
        for p in places_in(text[within.start : within.end])
    ]
    shares = sense_of(text).cuts([place.span for place in places])
    cuts: list[Span] = []
    for place, share in zip(places, shares, strict=True):
        cut = place.span
        if any(k.start < cut.end and cut.start < k.end for k in kept):
            continue
        begin = max(cuts[-1].end if cuts else within.start, cut.start - _NEAR)
        if len(_WORD.findall(text, begin, cut.start)) < _LEAST_WORDS:
            continue  # "Reportedly, it beats ..."
        is_turn = place.mark == ";" or _TURNS.match(text, place.span.start) is not None
        if is_turn or share >= (_CUT_FROM if place.mark else _CUT_UNMARKED_FROM):
            cuts.append(cut)
    starts = [within.start, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), within.end]
    return [Span(a, b) for a, b in zip(starts, ends, strict=True) if _WORD.search(text, a, b)]
