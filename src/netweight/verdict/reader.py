"""What the verdict reads in a sentence: its clauses, what each does and states, and what is named.

Heads on the states of one small encoder (netweight.verdict.encoder). Their weights are data of
the package, learned by benchmarks/verdict_reader.py from stories and sentences of our own. Knows
classes by name only; what follows from them is ruled elsewhere.
"""

import bisect
import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from netweight.verdict.encoder import Encoder, Floats, Layer
from netweight.verdict.story import Span

WEIGHTS = "reader.safetensors"
SCHEMA = "netweight-reader/2"
NOTHING = "-"  # the tag of a piece that names nothing


class Named(NamedTuple):
    """A phrase that means a model, a benchmark, a condition or a quantity, and how sure that is."""

    tag: str
    span: Span
    share: float


@dataclass(frozen=True)
class Head:
    """A linear classifier on states: weights (inputs, classes), float32."""

    classes: tuple[str, ...]
    weight: Floats
    bias: Floats

    def shares(self, states: Floats) -> Floats:
        """Softmax over the classes, for each row of states (rows, inputs)."""
        logits = states @ self.weight + self.bias
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Reader:
    """The encoder with its heads."""

    encoder: Encoder
    heads: Mapping[str, Head]
    learned_from: tuple[str, ...]


class Sense:
    """A text as the encoder sees it; places count its characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._reader = reader()
        self._pieces = self._reader.encoder.pieces(text)
        self._states = self._reader.encoder.states(self._pieces)

    def cuts(self, places: Sequence[Span]) -> list[float]:
        """For each place between two words the probability that a clause ends there."""
        if not places:
            return []
        ends = [piece.span.end for piece in self._pieces]
        starts = [piece.span.start for piece in self._pieces]
        before = [bisect.bisect_right(ends, place.start) for place in places]
        after = [bisect.bisect_left(starts, place.end) + 1 for place in places]
        states = np.concatenate([self._states[before], self._states[after]], axis=1)
        head = self._reader.heads["cuts"]
        shares = head.shares(states)[:, head.classes.index("cut")]
        return [float(share) for share in shares]

    def readings(self, place: Span) -> dict[str, float]:
        """The probability that a clause states a fact, gives an opinion, or does neither."""
        return self._shares("readings", place, with_start=True)

    def propositions(self, place: Span) -> dict[str, float]:
        """The probability of each proposition, made (+) or denied (-), and of none."""
        return self._shares("propositions", place)

    def voices(self, place: Span) -> dict[str, float]:
        """If a clause is wrong: the probability that the story errs, or only tells of it."""
        return self._shares("voices", place, with_start=True)

    def relation(self, place: Span) -> dict[str, float]:
        """How probable it is that a model is said to be above, below or equal to another one.

        "none" where nothing of the kind is said.
        """
        return self._shares("relations", place, with_start=True)

    def conclusion(self) -> dict[str, float]:
        """How probable it is that the text concludes from a benchmark what that does not measure.

        "unsound", "sound" for what it does measure, and "none".
        """
        whole = Span(0, self._pieces[-1].span.end) if self._pieces else Span(0, 0)
        return self._shares("conclusions", whole, with_start=True)

    @functools.cached_property
    def named(self) -> tuple[Named, ...]:
        """The phrases that name something, in reading order; each with its least sure word."""
        head = self._reader.heads["mentions"]
        found: list[Named] = []
        before = NOTHING
        for span, rows in self._words():
            row = head.shares(self._states[rows]).mean(axis=0)
            tag, share = head.classes[int(row.argmax())], float(row.max())
            if tag == before != NOTHING:
                last = found.pop()
                found.append(Named(tag, Span(last.span.start, span.end), min(last.share, share)))
            elif tag != NOTHING:
                found.append(Named(tag, span, share))
            before = tag
        return tuple(found)

    def _words(self) -> list[tuple[Span, list[int]]]:
        """The places of words with the rows of their pieces."""
        words: list[tuple[Span, list[int]]] = []
        for row, piece in enumerate(self._pieces, 1):
            last = words[-1][0] if words else None
            is_letter = self._text[piece.span.start].isalnum()
            if (
                last
                and last.end == piece.span.start
                and is_letter
                and self._text[last.end - 1].isalnum()
            ):
                words[-1] = Span(last.start, piece.span.end), [*words[-1][1], row]
            else:
                words.append((piece.span, [row]))
        return words

    def _shares(self, name: str, place: Span, *, with_start: bool = False) -> dict[str, float]:
        head = self._reader.heads[name]
        inside = [
            i
            for i, piece in enumerate(self._pieces, 1)
            if piece.span.start < place.end and place.start < piece.span.end
        ]
        if not inside:  # nothing of it is read
            return {c: float(c == head.classes[-1]) for c in head.classes}
        states = self._states[inside[0] : inside[-1] + 1].mean(axis=0)
        if with_start:
            states = np.concatenate([states, self._states[0]])
        (row,) = head.shares(states[None])
        return {c: float(share) for c, share in zip(head.classes, row, strict=True)}


@functools.lru_cache(maxsize=512)  # rules ask for a sentence many times, and look back a few
def sense_of(text: str) -> Sense:
    """A text read, or as it was read before."""
    return Sense(text)


SURE = 0.6  # the share from which a name that no rule knows is believed


def named_in(text: str, tags: Collection[str], taken: Iterable[Span] = ()) -> list[Named]:
    """The phrases of some tags that the reader is sure of, but for those that meet a span taken."""
    taken = list(taken)
    return [
        named
        for named in sense_of(text).named
        if named.tag in tags
        and named.share >= SURE
        and not any(t.start < named.span.end and named.span.start < t.end for t in taken)
    ]


@functools.cache
def reader() -> Reader:
    """The weights of the package, as float32 but for the embeddings of pieces."""
    folder = resources.files("netweight.verdict").joinpath("published")
    with resources.as_file(folder.joinpath(WEIGHTS)) as path:
        tensors = load_file(path)
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["about"])
    rows = folder.joinpath("vocabulary.txt").read_text("utf-8").splitlines()
    return reader_from(tensors, about, {name: i for i, name in enumerate(rows)})


def reader_from(
    tensors: Mapping[str, NDArray[Any]], about: Mapping[str, Any], vocabulary: Mapping[str, int]
) -> Reader:
    """A reader from its tensors; a matrix NAME of int8 (outputs, inputs) has scales NAME.scale."""

    def matrix(name: str) -> Floats:
        scaled = tensors[name] * tensors[f"{name}.scale"]
        return np.ascontiguousarray(scaled.astype(np.float32).T)

    def vector(name: str) -> Floats:
        return np.asarray(tensors[name], dtype=np.float32)

    def norm(name: str) -> tuple[Floats, Floats]:
        return vector(f"{name}.weight"), vector(f"{name}.bias")

    layers = tuple(
        Layer(
            qkv=matrix(f"{i}.qkv"),
            qkv_bias=vector(f"{i}.qkv.bias"),
            out=matrix(f"{i}.out"),
            out_bias=vector(f"{i}.out.bias"),
            attention_norm=norm(f"{i}.attention_norm"),
            up=matrix(f"{i}.up"),
            up_bias=vector(f"{i}.up.bias"),
            down=matrix(f"{i}.down"),
            down_bias=vector(f"{i}.down.bias"),
            norm=norm(f"{i}.norm"),
        )
        for i in range(about["layers"])
    )
    encoder = Encoder(
        vocabulary=vocabulary,
        words=np.asarray(tensors["words"]),
        word_scales=vector("words.scale"),
        positions=vector("positions"),
        norm=norm("norm"),
        layers=layers,
    )
    heads = {
        name: Head(tuple(classes), matrix(f"head.{name}"), vector(f"head.{name}.bias"))
        for name, classes in about["heads"].items()
    }
    return Reader(encoder, heads, tuple(about["learned_from"]))
