"""The model's own speed, step by step: prompts and decode steps over pages handed out here.

A decode step at a long context needs no prompt of that length first: its speed does not depend on
what the cached keys and values are, so random ones stand for them. Knows no clock but its own and
no process; `worker` puts it at the end of a pipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from netweight.engine.capacity import STEP_TOKENS
from netweight.model import (
    PAGE_TOKENS,
    Dense,
    Layout,
    PagedCache,
    Transformer,
    load_transformer,
    set_num_threads,
)


@dataclass(frozen=True)
class _Pages:
    """Pages for some sequences of one length, in order: sequence s has its own run of them."""

    num_sequences: int
    per_sequence: int

    @property
    def total(self) -> int:
        return self.num_sequences * self.per_sequence

    def layout(self, first: int, num_tokens: int, window: int) -> Layout:
        """Tokens `first` to `first + num_tokens` of every sequence."""
        pages = torch.arange(self.total, dtype=torch.int32).view(self.num_sequences, -1)
        window_pages = pages.clone()
        window_pages[:, : max(0, first - window + 1) // PAGE_TOKENS] = -1  # out of every window
        positions = torch.arange(first, first + num_tokens, dtype=torch.int32)
        starts = torch.arange(self.num_sequences + 1, dtype=torch.int32) * num_tokens
        return Layout(positions.repeat(self.num_sequences), starts, pages, window_pages)


def prefill_seconds(model: Transformer, tokens: Sequence[int]) -> float:
    """The time of one prompt, from nothing to the logits after its last token."""
    started = perf_counter()
    prefill(model, tokens)
    return perf_counter() - started


def prefill(model: Transformer, tokens: Sequence[int], *, step_tokens: int = STEP_TOKENS) -> Tensor:
    """The logits [1, vocab] after a prompt, which is taken `step_tokens` at a time."""
    pages = _Pages(1, _num_pages(len(tokens)))
    cache = model.new_cache(pages.total, pages.total)
    pieces = torch.tensor(tokens).split(step_tokens)
    for index, piece in enumerate(pieces[:-1]):
        layout = pages.layout(index * step_tokens, len(piece), model.config.sliding_window)
        model.step(piece, layout, cache, torch.empty(0, dtype=torch.int64))
    last = pieces[-1]
    layout = pages.layout(len(tokens) - len(last), len(last), model.config.sliding_window)
    return model.step(last, layout, cache, torch.tensor([len(last) - 1]))


class Decoding:
    """Sequences that have `context` tokens already, and get one more each per step."""

    def __init__(self, model: Transformer, context: int, num_sequences: int, steps: int) -> None:
        """Make the cache of `num_sequences` and fill it with random keys and values."""
        self._model = model
        self.length = context
        self._pages = _Pages(num_sequences, _num_pages(context + steps))
        self.cache = model.new_cache(self._pages.total, self._pages.total)
        _fill(self.cache, model.config.num_hidden_layers)

    def step(self, tokens: Sequence[int]) -> float:
        """The time of one step, one token for each sequence."""
        rows = torch.arange(len(tokens))
        started = perf_counter()
        layout = self._pages.layout(self.length, 1, self._model.config.sliding_window)
        self._model.step(torch.tensor(tokens), layout, self.cache, rows)
        seconds = perf_counter() - started
        self.length += 1
        return seconds


def decode_seconds(
    model: Transformer, context: int, steps: Sequence[Sequence[int]], seed: int = 0
) -> list[float]:
    """The time of each step; `steps` holds the tokens of every sequence, step by step."""
    del seed  # the peer's, which needs a prompt to fill its cache
    decoding = Decoding(model, context, len(steps[0]), len(steps))
    return [decoding.step(tokens) for tokens in steps]


def _num_pages(num_tokens: int) -> int:
    return -(-num_tokens // PAGE_TOKENS)


def _fill(cache: PagedCache, num_layers: int) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((64, *cache.layer(0).shape[1:]), generator=generator)
    for index in range(num_layers):
        for pages in cache.layer(index).split(64):
            pages.copy_(noise[: len(pages)])


def load(path: Path, *, dense: Dense, num_threads: int) -> Transformer:
    """The model, ready to step, on `num_threads` threads."""
    set_num_threads(num_threads)
    return load_transformer(path, dense=dense)
