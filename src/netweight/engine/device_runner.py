"""Steps of a model on a device: tokens are drawn there, and the host does not wait for them.

A step is launched before the tokens of the one before it are known: they go from the draw to its
input on the device. It computes while the host looks at them, tells of them, and makes the masks
with which the step itself will draw. Requests with penalties or log-probabilities have their logits
brought to the host, and are drawn there by `sampler`; while there are any, no step runs ahead.
"""

import logging
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netweight.engine.capacity import CacheSize
from netweight.engine.constraint import ConstraintFailure, bits_of
from netweight.engine.flight import Arriving, Drawn, Flight
from netweight.engine.request import RequestState
from netweight.engine.runner import (
    Model,
    ModelFailure,
    Outcome,
    TokenDrawn,
    batch_of,
    failure,
    not_finite,
)
from netweight.engine.sampler import COLDEST
from netweight.engine.scheduler import UNSEEN, Work
from netweight.model import UNSOUND, Draws, Layout, PagedCache

log = logging.getLogger(__name__)

_GONE = ModelFailure("the request has ended")  # for a place that nobody looks at


@runtime_checkable
class DrawingModel(Model, Protocol):
    """A model whose logits stay where they are; `netweight.model.TritonModel` is one."""

    @property
    def is_ahead(self) -> bool:
        """Whether `step` takes tokens from the draw before it."""
        ...

    def step_from(
        self,
        token_ids: Tensor,
        previous: Tensor | None,
        layout: Layout,
        cache: PagedCache,
        rows: Tensor,
        adapters: Sequence[str | None],
    ) -> Tensor:
        """As `step`; a token id -1 - i stands for element i of `previous`, what `draw` returned."""
        ...

    def draw(self, logits: Tensor, draws: Draws) -> Tensor:
        """Token ids [rows] where the logits are; NOTHING_ALLOWED or UNSOUND where there is none."""
        ...


class DeviceRunner:
    """Runs steps of a model that draws on its device."""

    def __init__(self, model: DrawingModel, size: CacheSize) -> None:
        """Reserve pages for `model`."""
        self._model = model
        self._cache = model.new_cache(*size)
        self._num_words = -(-model.config.vocab_size // 32)
        self.is_ahead = model.is_ahead

    def launch(self, work: Sequence[Work], after: Flight | None = None) -> Flight:
        """Begin a step, perhaps with tokens that the step before it, still under way, draws."""
        try:
            return Flight(work, self._step(work, None if after is None else after.drawn))
        except Exception as error:  # whatever it is, the other requests go on
            log.exception("a step failed")
            return Flight(work, error=error)

    def draw(self, flight: Flight) -> Flight:
        """Have tokens drawn. What was drawn before must have been settled, since masks need it."""
        if flight.logits is None:
            return flight
        try:
            return flight._replace(drawn=self._draw(flight.work, flight.logits))
        except Exception as error:  # whatever it is, the other requests go on
            log.exception("a draw failed")
            return flight._replace(error=error)

    def collect(self, flight: Flight) -> Sequence[Outcome]:
        """What the step brings each of its requests; those that have ended meanwhile, anything.

        What fails is tried again one by one, since one request alone may be the cause.
        """
        drawn = flight.drawn
        if drawn is None:
            assert flight.error is not None, "a step is collected that was not drawn"
            return self._one_by_one(flight.work, flight.error)
        ids = [] if drawn.arriving is None else drawn.arriving.wait().tolist()
        return [_outcome(one, drawn, ids) for one in flight.work]

    def _one_by_one(self, work: Sequence[Work], error: Exception) -> list[Outcome]:
        if len(work) == 1:
            return [failure(error)]
        singles = [[_seen(one)] for one in work if not one.state.has_ended]
        outcomes = iter([self.collect(self.draw(self.launch(one)))[0] for one in singles])
        return [_GONE if one.state.has_ended else next(outcomes) for one in work]

    def _draw(self, work: Sequence[Work], logits: Tensor) -> Drawn:
        stops = accumulate(one.num_rows for one in work)
        rows = {one.state.request_id: stop for one, stop in zip(work, stops, strict=True)}
        alive = [one for one in work if not one.state.has_ended]
        on_host = {
            (request_id := one.state.request_id): Arriving(
                logits[rows[request_id] - one.num_rows : rows[request_id]]
            )
            for one in alive
            if not one.draws_on_device
        }
        here = [one.state for one in alive if one.draws_on_device]
        masks = {
            state.request_id: bits_of(constraint, self._num_words)
            for state in here
            if (constraint := state.request.constraint) is not None
        }
        refused = {key: mask for key, mask in masks.items() if isinstance(mask, ConstraintFailure)}
        here = [state for state in here if state.request_id not in refused]
        if not here:
            return Drawn(None, {}, None, on_host, refused)
        bits = {key: mask for key, mask in masks.items() if not isinstance(mask, ConstraintFailure)}
        if len(here) < logits.shape[0]:
            chosen = torch.tensor([rows[state.request_id] - 1 for state in here])
            logits = logits[chosen.to(logits.device, non_blocking=True)]
        token_ids = self._model.draw(logits, _draws(here, bits, self._num_words))
        places = {state.request_id: place for place, state in enumerate(here)}
        return Drawn(token_ids, places, Arriving(token_ids), on_host, refused)

    def _step(self, work: Sequence[Work], after: Drawn | None) -> Tensor:
        batch = batch_of(work)
        places = {} if after is None else after.places
        token_ids = torch.tensor(
            [
                -1 - places[one.state.request_id] if token_id == UNSEEN else token_id
                for one in work
                for token_id in one.token_ids
            ]
        )
        previous = None if after is None else after.token_ids
        return self._model.step_from(
            token_ids, previous, batch.layout, self._cache, batch.rows, batch.adapters
        )


def _draws(
    states: Sequence[RequestState], masks: Mapping[int, NDArray[np.int32]], num_words: int
) -> Draws:
    settings = [state.request.sampling for state in states]
    points = [
        # `sample` leaves the generator alone at temperature 0, too.
        float(torch.rand((), dtype=torch.float64, generator=state.generator))
        if one.temperature > 0
        else 0.0
        for state, one in zip(states, settings, strict=True)
    ]
    bits = None
    if masks:
        free = np.full(num_words, -1, np.int32)
        rows = [masks.get(state.request_id, free) for state in states]
        bits = torch.from_numpy(np.stack(rows))
    temperatures = [_kept_from_zero(one.temperature) for one in settings]
    return Draws(
        torch.tensor(points, dtype=torch.float64),
        torch.tensor(temperatures, dtype=torch.float32),
        torch.tensor([one.min_p for one in settings], dtype=torch.float32),
        torch.tensor([one.top_k for one in settings], dtype=torch.int32),
        torch.tensor([one.top_p for one in settings], dtype=torch.float32),
        bits,
    )


def _kept_from_zero(temperature: float) -> float:
    """A temperature that float32 does not round to 0, which has a meaning of its own."""
    return max(temperature, COLDEST) if temperature > 0 else 0.0


def _outcome(work: Work, drawn: Drawn, token_ids: Sequence[int]) -> Outcome:
    request_id = work.state.request_id
    if work.state.has_ended:
        return _GONE
    if request_id in drawn.refused:
        return drawn.refused[request_id]
    if request_id in drawn.logits:
        logits = drawn.logits[request_id].wait()
        return logits if bool(torch.isfinite(logits.amax(-1)).all()) else not_finite(work)
    token_id = token_ids[drawn.places[request_id]]
    return not_finite(work) if token_id == UNSOUND else TokenDrawn(token_id)


def _seen(work: Work) -> Work:
    """The work with the tokens that were not known when it was made."""
    stop = work.first + len(work.token_ids)
    assert work.num_drafted == 0 or UNSEEN not in work.token_ids, "guesses follow an unseen token"
    if UNSEEN not in work.token_ids:
        return work
    return work._replace(token_ids=work.state.token_ids[work.first : stop])
