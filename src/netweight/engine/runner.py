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
from netweight.engine.constraint import ConstraintFailure
from netweight.engine.flight import Flight
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


class TokenDrawn(NamedTuple):
    """The token that was drawn for one request, where its logits are."""

    token_id: int  # or NOTHING_ALLOWED


Outcome = Tensor | TokenDrawn | ModelFailure | ConstraintFailure
"""What a step brings one request: the logits float32 [rows, vocab] after its last tokens, from
which the host draws; or the token; or why there is neither."""


class Runner:
    """Runs steps of a model on its pages."""

    is_ahead = False  # whether the next step may be launched before this one has arrived

    def __init__(self, model: Model, size: CacheSize) -> None:
        """Reserve pages for `model`."""
        self._model = model
        self._cache = model.new_cache(*size)

    def launch(self, work: Sequence[Work], after: Flight | None = None) -> Flight:
        """Begin a step; on the host it is run when it is collected."""
        assert after is None, "a step on the host is launched before the one before it has arrived"
        return Flight(work)

    def draw(self, flight: Flight) -> Flight:
        """Have tokens drawn; the host draws when all has arrived."""
        return flight

    def collect(self, flight: Flight) -> Sequence[Outcome]:
        """What the step brings each of its requests.

        What fails is tried again one by one, since one request alone may be the cause.
        """
        work = flight.work
        try:
            logits = self._step(work)
        except Exception as error:  # whatever it is, the other requests go on
            if len(work) > 1:
                return [outcome for one in work for outcome in self.collect(Flight([one]))]
            log.exception("the model failed", extra={"request_id": work[0].state.request_id})
            return [failure(error)]
        # max() carries NaN along, so one number a row shows every kind of damage.
        is_sound = torch.isfinite(logits.amax(-1))
        sizes = [one.num_rows for one in work]
        pairs = zip(work, logits.split(sizes), is_sound.split(sizes), strict=True)
        return [_checked(one, rows, sound) for one, rows, sound in pairs]

    def _step(self, work: Sequence[Work]) -> Tensor:
        batch = batch_of(work)
        token_ids = torch.tensor([token_id for one in work for token_id in one.token_ids])
        return self._model.step(token_ids, batch.layout, self._cache, batch.rows, batch.adapters)


class Batch(NamedTuple):
    """A step's requests as one flat batch."""

    layout: Layout
    rows: Tensor  # int64, the tokens after which logits are wanted
    adapters: list[str | None]  # of each sequence


def batch_of(work: Sequence[Work]) -> Batch:
    """Where the tokens of a step belong, and which of them are followed by logits."""
    stops = list(accumulate(len(one.token_ids) for one in work))
    rows = [
        row
        for one, stop in zip(work, stops, strict=True)
        for row in range(stop - one.num_rows, stop)
    ]
    adapters = [one.state.request.adapter for one in work]
    return Batch(_layout(work, stops), torch.tensor(rows, dtype=torch.int64), adapters)


def failure(error: Exception) -> ModelFailure:
    """What to tell a request that the model could not run."""
    return ModelFailure(f"the model failed: {type(error).__name__}: {error}")


def not_finite(work: Work) -> ModelFailure:
    """What to tell a request whose logits are damaged."""
    log.error("logits are not finite", extra={"request_id": work.state.request_id})
    return ModelFailure("the model failed: its logits are not finite numbers")


def _checked(work: Work, logits: Tensor, is_sound: Tensor) -> Tensor | ModelFailure:
    return logits if bool(is_sound.all()) else not_finite(work)


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
