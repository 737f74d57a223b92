"""A small text encoder: a sentence's pieces, each with a vector of what it means where it stands.

A BERT of six layers (Devlin et al. 2019, arXiv:1810.04805), begun from all-MiniLM-L6-v2 (Wang et
al. 2020, arXiv:2002.10957; Reimers and Gurevych 2019, arXiv:1908.10084; Apache 2.0) and trained
further on stories and clauses of our own (benchmarks/verdict_reader.py). Knows words; what its
vectors are read for stands in netweight.verdict.reader. Needs no tensor library.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netweight.verdict.story import Span

Floats = NDArray[np.float32]
HEADS = 12
MAX_PIECES = 160  # of a sentence; what stands behind is not read
_LONGEST_WORD = 100  # characters; a longer word is one unknown piece
_EPSILON = 1e-12
_CONTINUED = "##"


class Piece(NamedTuple):
    """A row of the vocabulary and the place in the text that it stands for."""

    id: int
    span: Span


def pieces_of(text: str, vocabulary: Mapping[str, int]) -> list[Piece]:
    """The text in pieces: words and marks in lower case without accents, cut longest piece first.

    WordPiece as in BERT's uncased vocabulary. A word with a character that has no piece is one
    unknown piece.
    """
    found: list[Piece] = []
    for start, word in _words(text):
        found += _pieces_of_word(word, start, vocabulary)
    return found


def pieces_read(text: str, vocabulary: Mapping[str, int]) -> list[Piece]:
    """The pieces without the marks at the end, and no more than fit beside those of the ends.

    A full stop would tell a sentence of a story from a clause of our own.
    """
    return pieces_of(text.rstrip(_LAST_MARKS), vocabulary)[: MAX_PIECES - 2]


_LAST_MARKS = " .!?,;:\"'\u201d\u2019"


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Words and single marks with their places."""
    start = -1
    for index, character in enumerate(text):
        is_mark = _is_mark(character)
        if start >= 0 and (is_mark or character.isspace()):
            yield start, text[start:index]
            start = -1
        if is_mark:
            yield index, character
        elif start < 0 and not character.isspace():
            start = index
    if start >= 0:
        yield start, text[start:]


def _is_mark(character: str) -> bool:
    code = ord(character)
    if code < 128:
        return not character.isalnum() and not character.isspace() and code > 32 and code != 127
    is_ideogram = 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF
    return is_ideogram or unicodedata.category(character).startswith("P")


def _pieces_of_word(word: str, start: int, vocabulary: Mapping[str, int]) -> list[Piece]:
    letters: list[str] = []  # without accents, one string for each character of the text
    for character in word:
        parts = unicodedata.normalize("NFD", character.lower())
        letters.append("".join(c for c in parts if unicodedata.category(c) != "Mn"))
    whole = Span(start, start + len(word))
    unknown = [Piece(vocabulary["[UNK]"], whole)]
    if len(word) > _LONGEST_WORD:
        return unknown
    plain = "".join(letters)
    places = [index for index, part in enumerate(letters) for _ in part]
    found: list[Piece] = []
    at = 0
    while at < len(plain):
        for end in range(len(plain), at, -1):
            name = (_CONTINUED if at else "") + plain[at:end]
            if name in vocabulary:
                span = Span(start + places[at], start + places[end - 1] + 1)
                found.append(Piece(vocabulary[name], span))
                at = end
                break
        else:
            return unknown
    return found


@dataclass(frozen=True)
class Layer:
    """The weights of one layer; matrices are (inputs, outputs), float32."""

    qkv: Floats
    qkv_bias: Floats
    out: Floats
    out_bias: Floats
    attention_norm: tuple[Floats, Floats]
    up: Floats
    up_bias: Floats
    down: Floats
    down_bias: Floats
    norm: tuple[Floats, Floats]


@dataclass(frozen=True)
class Encoder:
    """The embeddings, the first norm and the layers.

    `words` has a row for each piece in int8 (rows, width), to be multiplied with `word_scales`
    (rows, 1); `positions` is (positions, width).
    """

    vocabulary: Mapping[str, int]
    words: NDArray[np.int8]
    word_scales: Floats
    positions: Floats
    norm: tuple[Floats, Floats]
    layers: tuple[Layer, ...]

    def pieces(self, text: str) -> list[Piece]:
        """The pieces of a text that are read."""
        return pieces_read(text, self.vocabulary)

    def states(self, pieces: list[Piece]) -> Floats:
        """Vectors (pieces + 2, width) of the text's beginning, its pieces and its end."""
        ends = self.vocabulary["[CLS]"], self.vocabulary["[SEP]"]
        ids = [ends[0], *(piece.id for piece in pieces), ends[1]]
        words = self.words[ids] * self.word_scales[ids]
        states = _normed(words + self.positions[: len(ids)], *self.norm)
        for layer in self.layers:
            states = _through(layer, states)
        return states


def _through(layer: Layer, states: Floats) -> Floats:
    count, width = states.shape
    qkv = (states @ layer.qkv + layer.qkv_bias).reshape(count, 3, HEADS, width // HEADS)
    queries, keys, values = qkv.transpose(1, 2, 0, 3)
    logits = queries @ keys.transpose(0, 2, 1) / np.float32((width // HEADS) ** 0.5)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    heads = (weights @ values).transpose(1, 0, 2).reshape(count, width)
    states = _normed(states + heads @ layer.out + layer.out_bias, *layer.attention_norm)
    inner = states @ layer.up + layer.up_bias
    inner *= 0.5 * (1 + _erf(inner * np.float32(0.5**0.5)))  # GELU (Hendrycks, Gimpel 2016)
    return _normed(states + inner @ layer.down + layer.down_bias, *layer.norm)


# Abramowitz and Stegun 1964, 7.1.26: off by less than 1.5e-7, and scipy would double the start.
_P = np.float32(0.3275911)
_A = [np.float32(a) for a in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)]


def _erf(values: Floats) -> Floats:
    """The error function."""
    size = np.abs(values)
    inverse = 1 / (1 + _P * size)
    series = np.zeros_like(size)
    for factor in _A:
        series = (series + factor) * inverse
    return np.asarray(np.sign(values) * (1 - series * np.exp(-size * size)))


def _normed(states: NDArray[Any], scale: Floats, shift: Floats) -> Floats:
    centred = states - states.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    normed = centred / np.sqrt(variance + np.float32(_EPSILON)) * scale + shift
    return np.asarray(normed, dtype=np.float32)
