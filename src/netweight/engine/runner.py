"""The model, run once for all requests of a step: the only part of the engine that calls it.

A step's tokens are one flat batch over the pages that the requests hold.
"""

import logging
from array import array
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from netweight.engine.capacity import CacheSize
from netweight.engine.scheduler import Work
from netweight.model import Layout, PagedCache, SamplingKernels

log = logging.getLogger(__name__)


class Shape(Protocol):
    """What the engine must know about a model before it runs."""

    @property
    def vocab_size(self) -> int:
        """Token ids are below this."""
        ...

    @property
    def max_context(self) -> int:
        """Tokens that prompt and answer may have together."""
        ...

    @property
    def sliding_window(self) -> int:
        """Tokens that a token of a window layer sees, itself included."""
        ...


class Model(Protocol):
    """A model as the engine sees it; `netweight.model.Transformer` is one."""

    @property
    def config(self) -> Shape:
        """Its limits."""
        ...

    @property
    def sampling(self) -> SamplingKernels | None:
        """What draws from its logits fastest; None: `sampler` does."""
        ...

    @property
    def adapters(self) -> Collection[str]:
        """The names of adapters that sequences may have."""
        ...

    def new_cache(self, num_pages: int, num_window_pages: int) -> PagedCache:
        """Pages for keys and values."""
        ...

    def step(
        self,
        token_ids: Tensor,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        """Logits float32 [rows, vocab] after some of the tokens, which `layout` puts in place.

        `adapters` are those of its sequences.
        """
        ...


class ModelFailure(NamedTuple):
    """The model could not run one request."""

    message: str


class Runner:
    """Runs steps of a model on its pages."""

    def __init__(self, model: Model, size: CacheSize) -> None:
        """Reserve pages for `model`."""
        self._model = model
        self._cache = model.new_cache(*size)

    def run(self, work: Sequence[Work]) -> list[Tensor | ModelFailure]:
        """For each request the logits float32 [rows, vocab] that it needs, or why there are none.

        The rows are those after its last tokens. What fails is tried again one by one, since one
        request alone may be the cause.
        """
        try:
            logits = self._step(work)
        except Exception as error:  # whatever it is, the other requests go on
            if len(work) > 1:
                return [outcome for one in work for outcome in self.run([one])]
            request_id = work[0].state.request_id
            log.exception("the model failed", extra={"request_id": request_id})
            return [ModelFailure(f"the model failed: {type(error).__name__}: {error}")]
        # max() carries NaN along, so one number a row shows every kind of damage.
        is_sound = torch.isfinite(logits.amax(-1))
        sizes = [one.num_rows for one in work]
        pairs = zip(work, logits.split(sizes), is_sound.split(sizes), strict=True)
        return [_checked(one, rows, sound) for one, rows, sound in pairs]

    def _step(self, work: Sequence[Work]) -> Tensor:
        token_ids = torch.tensor([token_id for one in work for token_id in one.token_ids])
        stops = list(accumulate(len(one.token_ids) for one in work))
        rows = [
            row
            for one, stop in zip(work, stops, strict=True)
            for row in range(stop - one.num_rows, stop)
        ]
        wanted = torch.tensor(rows, dtype=torch.int64)
        adapters = [one.state.request.adapter for one in work]
        return self._model.step(token_ids, _layout(work, stops), self._cache, wanted, adapters)


def _checked(work: Work, logits: Tensor, is_sound: Tensor) -> Tensor | ModelFailure:
    if bool(is_sound.all()):
        return logits
    log.error("logits are not finite", extra={"request_id": work.state.request_id})
    return ModelFailure("the model failed: its logits are not finite numbers")


def _layout(work: Sequence[Work], stops: Sequence[int]) -> Layout:
    positions = [np.arange(len(one.token_ids), dtype=np.int32) + one.first for one in work]
    holdings = [one.state.holding for one in work]
    return Layout(
        torch.from_numpy(np.concatenate(positions)),
        torch.tensor([0, *stops], dtype=torch.int32),
        _table([holding.pages for holding in holdings]),
        _table([holding.window_pages for holding in holdings]),
    )


def _table(rows: Sequence["array[int]"]) -> Tensor:
    """Page numbers int32 [sequences, max_pages]; -1 where a sequence has none."""
    table = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int32)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return torch.from_numpy(table)
