"""The model's own speed, step by step: prompts and decode steps over pages handed out here.

A decode step at a long context needs no prompt of that length first: its speed does not depend on
what the cached keys and values are, so random ones stand for them. A step on a device is over when
the device is. Knows no clock but its own and no process; `worker` puts it at the end of a pipe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.bench.cuda import wait
from netweight.engine import Engine, Finish, Request, Sampling, Token, plan_cache
from netweight.engine.capacity import STEP_TOKENS
from netweight.errors import NetweightError
from netweight.model import (
    DEVICE_STEP_TOKENS,
    PAGE_TOKENS,
    Dense,
    DeviceModel,
    Layout,
    PagedCache,
    Transformer,
    load_transformer,
    set_num_threads,
)

Model = Transformer | DeviceModel
_CPU = torch.device("cpu")
# Of a device's steps before those that are timed: one compiles kernels, one captures a graph.
_WARM_UP_STEPS = 3


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


class Caches:
    """Caches of a model by their number of pages.

    Those of a device's model are kept and used again, since its graphs lead to them; the processor
    gets memory that nobody has touched.
    """

    def __init__(self, model: Model) -> None:
        """Have none yet."""
        self._model = model
        self._kept: dict[int, PagedCache] = {}

    def of(self, num_pages: int) -> PagedCache:
        """A cache with so many pages of each kind."""
        if not isinstance(self._model, DeviceModel):
            return self._model.new_cache(num_pages, num_pages)
        if num_pages not in self._kept:
            self._kept[num_pages] = self._model.new_cache(num_pages, num_pages)
        return self._kept[num_pages]


def device_of(model: Model) -> torch.device:
    """Where its steps run."""
    return model.device if isinstance(model, DeviceModel) else _CPU


def step_tokens_of(model: Model) -> int:
    """Tokens of a prompt that a step takes at most, as in the server."""
    return DEVICE_STEP_TOKENS if isinstance(model, DeviceModel) else STEP_TOKENS


def prefill_seconds(model: Model, tokens: Sequence[int], caches: Caches | None = None) -> float:
    """The time of one prompt, from nothing to the logits after its last token."""
    started = perf_counter()
    prefill(model, tokens, step_tokens=step_tokens_of(model), caches=caches)
    wait(device_of(model))
    return perf_counter() - started


def prefill(
    model: Model,
    tokens: Sequence[int],
    *,
    step_tokens: int = STEP_TOKENS,
    caches: Caches | None = None,
) -> Tensor:
    """The logits [1, vocab] after a prompt, which is taken `step_tokens` at a time."""
    pages = _Pages(1, _num_pages(len(tokens)))
    cache = (caches or Caches(model)).of(pages.total)
    pieces = torch.tensor(tokens).split(step_tokens)
    for index, piece in enumerate(pieces[:-1]):
        layout = pages.layout(index * step_tokens, len(piece), model.config.sliding_window)
        model.step(piece, layout, cache, torch.empty(0, dtype=torch.int64))
    last = pieces[-1]
    layout = pages.layout(len(tokens) - len(last), len(last), model.config.sliding_window)
    return model.step(last, layout, cache, torch.tensor([len(last) - 1]))


class Decoding:
    """Sequences that have `context` tokens already, and get one more each per step."""

    def __init__(
        self,
        model: Model,
        context: int,
        num_sequences: int,
        steps: int,
        caches: Caches | None = None,
    ) -> None:
        """Make the cache of `num_sequences` and fill it with random keys and values."""
        self._model = model
        self.length = context
        self._pages = _Pages(num_sequences, _num_pages(context + steps))
        self.cache = (caches or Caches(model)).of(self._pages.total)
        _fill(self.cache, model.config.num_hidden_layers)

    def step(self, tokens: Sequence[int]) -> float:
        """The time of one step, one token for each sequence."""
        rows = torch.arange(len(tokens))
        started = perf_counter()
        self._model.step(torch.tensor(tokens), self.layout(), self.cache, rows)
        wait(device_of(self._model))
        seconds = perf_counter() - started
        self.length += 1
        return seconds

    def warm_up(self, tokens: Sequence[int]) -> None:
        """Take the next step a few times, and then forget that."""
        for _ in range(_WARM_UP_STEPS):
            self.step(tokens)
            self.length -= 1

    def layout(self) -> Layout:
        """Of the next step."""
        return self._pages.layout(self.length, 1, self._model.config.sliding_window)


def decode_seconds(
    model: Model,
    context: int,
    steps: Sequence[Sequence[int]],
    seed: int = 0,
    caches: Caches | None = None,
) -> list[float]:
    """The time of each step; `steps` holds the tokens of every sequence, step by step."""
    del seed  # the peer's, which needs a prompt to fill its cache
    decoding = Decoding(model, context, len(steps[0]), len(steps), caches)
    if isinstance(model, DeviceModel):
        decoding.warm_up(steps[0])
    return [decoding.step(tokens) for tokens in steps]


def engine_of(model: Model) -> Engine:
    """An engine on the model as a server has it."""
    size = None if model.budget is None else plan_cache(model.config, model.budget.kv_bytes)
    return Engine(model, cache_size=size, step_tokens=step_tokens_of(model))


class Served(NamedTuple):
    """What an engine took for prompts that it answered side by side."""

    first_token_s: list[float]  # the time to each prompt's first token
    decode_s: float  # of the steps in which all were being answered, one token each
    decode_tokens: int


def serve(engine: Engine, prompts: Sequence[Sequence[int]], max_tokens: int) -> Served:
    """Answer prompts side by side through an idle engine, greedily.

    Raises:
        NetweightError: when one of them fails.
    """
    greedy = Sampling(temperature=0.0, seed=0)
    requests = [Request(prompt, greedy, max_tokens=max_tokens) for prompt in prompts]
    started = perf_counter()
    waiting = {engine.submit(request): index for index, request in enumerate(requests)}
    first_token_s = [0.0] * len(prompts)
    decode_s, decode_tokens = 0.0, 0
    while engine.has_work:
        all_answer = not waiting
        step_started = perf_counter()
        events = engine.step()
        now = perf_counter()
        failed = [e.error for e in events if isinstance(e, Finish) and e.reason == "error"]
        if failed:
            raise NetweightError(f"the engine failed: {failed[0]}")
        tokens = [event for event in events if isinstance(event, Token)]
        for event in tokens:
            index = waiting.pop(event.request_id, None)
            if index is not None:
                first_token_s[index] = now - started
        if all_answer and len(tokens) == len(prompts):
            decode_s += now - step_started
            decode_tokens += len(tokens)
    return Served(first_token_s, decode_s, decode_tokens)


def _num_pages(num_tokens: int) -> int:
    return -(-num_tokens // PAGE_TOKENS)


def _fill(cache: PagedCache, num_layers: int) -> None:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((64, *cache.layer(0).shape[1:]), generator=generator)
    noise = noise.to(cache.layer(0).device, cache.layer(0).dtype)
    for index in range(num_layers):
        for pages in cache.layer(index).split(64):
            pages.copy_(noise[: len(pages)])


def load(path: Path, *, dense: Dense, num_threads: int) -> Transformer:
    """The model on the processor, ready to step, on `num_threads` threads."""
    set_num_threads(num_threads)
    return load_transformer(path, dense=dense)
