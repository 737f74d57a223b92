"""Measures slop: words and figures that language models overuse, on the scale of slop-score.

The definition, the lists and the scale are those of the published leaderboard (S. J. Paech,
"slop-score", 2025, github.com/sam-paech/slop-score at 289264a; MIT, notice in slop_lists.json), so
that a figure can stand beside the 22 models and the human baseline there. Texts are taken as one
after another. It knows no models; a low figure is no praise, and a high one may be a pastiche.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from netweight.evals.contrasts import find_contrasts, utf16

SHORTEST = 300  # characters; slop-score leaves out texts of so many or fewer

_QUOTE = re.compile("[\u2018\u2019\u201a\u201b\u2032\u02bc\uff07`]")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_LETTERS = re.compile(r"[a-z']+")
_BEFORE_APOSTROPHE = re.compile(r"[a-z]+(?:\s+[a-z]+)*")


class Range(NamedTuple):
    """The least and the greatest value of a measure among the published rows."""

    least: float
    greatest: float


class Lists(NamedTuple):
    """What counts as slop, and the published ranges that make a score of it."""

    words: frozenset[str]
    trigrams: frozenset[tuple[str, ...]]
    word_range: Range
    trigram_range: Range
    contrast_range: Range


class Slop(NamedTuple):
    """Counts over a set of texts; `num_characters` are UTF-16 units, joins included."""

    num_texts: int
    num_words: int
    num_characters: int
    num_slop_words: int
    num_slop_trigrams: int
    num_contrasts: int

    @property
    def words_per_thousand(self) -> float:
        """Slop words per 1,000 words."""
        return self.num_slop_words / self.num_words * 1000

    @property
    def trigrams_per_thousand(self) -> float:
        """Slop trigrams per 1,000 words."""
        return self.num_slop_trigrams / self.num_words * 1000

    @property
    def contrasts_per_thousand(self) -> float:
        """Contrasts, "not this, but that", per 1,000 characters."""
        return self.num_contrasts / self.num_characters * 1000

    @property
    def score(self) -> float:
        """The slop score, 0 to 100: 60% words, 25% contrasts and 15% trigrams, each on its range.

        The ranges are those of the leaderboard generated on 2025-11-07, with a tenth added at
        either end: scores are comparable with that leaderboard only, and stop at its edges.
        """
        lists = published_lists()
        return 100 * (
            0.60 * _position(self.words_per_thousand, lists.word_range)
            + 0.25 * _position(self.contrasts_per_thousand, lists.contrast_range)
            + 0.15 * _position(self.trigrams_per_thousand, lists.trigram_range)
        )


def measure_slop(texts: Sequence[str]) -> Slop:
    """Return the slop of English `texts` as one body, texts of 300 characters or fewer left out.

    Three rough edges are kept, because the published figures have them. Three-word phrases are
    listed without their small words ("voice barely whisper") but sought among all words, so that
    few are found. An entry with an apostrophe counts up to it ("k'tharr" as the letter k). And
    words count in a title or a quotation as anywhere.

    Raises:
        ValueError: no text is long enough, or none has a word in Latin letters.
    """
    long_enough = [text for text in map(utf16, texts) if len(text) > SHORTEST]
    body = "\n\n".join(long_enough)
    words = slop_words(body)
    if not words:
        raise ValueError(
            f"none of {len(texts)} texts has over {SHORTEST} characters and a word in Latin "
            "letters; slop cannot be measured. Give longer texts in English."
        )
    lists = published_lists()
    trigrams = zip(words, words[1:], words[2:], strict=False)
    return Slop(
        num_texts=len(long_enough),
        num_words=len(words),
        num_characters=len(body),
        num_slop_words=sum(word in lists.words for word in words),
        num_slop_trigrams=sum(trigram in lists.trigrams for trigram in trigrams),
        num_contrasts=len(find_contrasts(body)),
    )


def slop_words(text: str) -> list[str]:
    """Return the words of `text` as slop-score cuts them: lower case, at most one apostrophe."""
    pieces = (piece.strip("'") for piece in _LETTERS.findall(_QUOTE.sub("'", text.lower())))
    return [piece for piece in pieces if _WORD.fullmatch(piece)]


@cache
def published_lists() -> Lists:
    """Return the lists and ranges behind the published leaderboard."""
    text = files("netweight.evals").joinpath("slop_lists.json").read_text("utf-8")
    published = json.loads(text)
    ranges = published["ranges"]
    return Lists(
        frozenset(map(_entry, published["words"])),
        frozenset(tuple(_entry(trigram).split()) for trigram in published["trigrams"]),
        Range(*ranges["words"]),
        Range(*ranges["trigrams"]),
        Range(*ranges["contrasts"]),
    )


def _entry(entry: str) -> str:
    """Cut a list's entry before an apostrophe.

    Upstream read its lists so until 289264a of 2025-11-23; the leaderboard was made before that.
    With whole entries 0.02 to 0.07 fewer words per 1,000 count in four models' texts.
    """
    match = _BEFORE_APOSTROPHE.match(entry)
    assert match, f"slop_lists.json has an entry that is no word: {entry}"
    return match.group()


def _position(value: float, published: Range) -> float:
    margin = (published.greatest - published.least) * 0.1
    least, greatest = published.least - margin, published.greatest + margin
    return min(max((value - least) / (greatest - least), 0.0), 1.0)
