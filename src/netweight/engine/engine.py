"""The engine: requests in, token events out, one `step` at a time.

A step is schedule, run, settle. Everything is synchronous and single-threaded; whoever needs a
thread puts one around it. Knows token ids, not text: stop ids come with the request, as data.
"""

import secrets
from collections.abc import Callable, Generator, Iterator

import torch
from torch import Tensor

from netweight.engine.cache import CachePool
from netweight.engine.constraint import ConstraintFailure, advance, masked
from netweight.engine.request import (
    Event,
    Finish,
    FinishReason,
    Request,
    RequestState,
    Token,
    token_budget,
)
from netweight.engine.runner import Model, ModelFailure, Runner
from netweight.engine.sampler import log_probabilities, sample
from netweight.engine.scheduler import Scheduler
from netweight.errors import RequestError


def fresh_seed() -> int:
    """A seed that nobody can guess, small enough to be exact in JSON everywhere."""
    return secrets.randbits(53)


class Engine:
    """Continues token sequences with a model.

    Requests whose prompts and answers fit the context together run side by side; others wait their
    turn. A request's tokens depend on its prompt, its settings and its seed alone.
    """

    def __init__(self, model: Model, *, fresh_seed: Callable[[], int] = fresh_seed) -> None:
        """Serve `model`; `fresh_seed` seeds the requests that bring no seed of their own."""
        self._shape = model.config
        self._fresh_seed = fresh_seed
        pool = CachePool(model.new_cache, model.config.max_context)
        self._scheduler = Scheduler(pool)
        self._runner = Runner(model, pool)
        self._next_id = 0

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return self._scheduler.num_requests > 0

    def check(self, request: Request) -> int:
        """The most tokens the request may produce. Safe in any thread: nothing it reads changes.

        Raises:
            RequestError: when it cannot run; ContextTooLong when that is for its length.
        """
        return token_budget(
            request, vocab_size=self._shape.vocab_size, max_context=self._shape.max_context
        )

    def submit(self, request: Request) -> int:
        """Admit a request; its id. From now on it ends with exactly one Finish event.

        Raises:
            RequestError: as `check` does, before any work.
        """
        max_tokens = self.check(request)
        seed = request.sampling.seed
        seed = self._fresh_seed() if seed is None else seed
        generator = torch.Generator().manual_seed(seed)
        request_id = self._next_id
        self._next_id += 1
        self._scheduler.add(RequestState(request_id, request, max_tokens, seed, generator))
        return request_id

    def cancel(self, request_id: int) -> Finish | None:
        """End a request now and free its memory; None when it has already ended."""
        state = self._scheduler.remove(request_id)
        return None if state is None else Finish(request_id, "cancelled", state.seed)

    def step(self) -> list[Event]:
        """Give every running request one more token; what happened, in order of admission."""
        batch = self._scheduler.schedule()
        outcomes = self._runner.run(batch)
        settled = zip(batch, outcomes, strict=True)
        return [event for state, outcome in settled for event in self._settle(state, outcome)]

    def generate(self, request: Request) -> Generator[Event]:
        """Run one request by itself, event by event. Closing the iterator cancels it.

        Raises:
            RequestError: as `submit` does, or when other requests are under way.
        """
        if self.has_work:
            raise RequestError("generate() needs an idle engine; use submit() and step() instead.")
        request_id = self.submit(request)
        try:
            while self.has_work:
                yield from self.step()
        finally:
            self.cancel(request_id)

    def check_integrity(self) -> None:
        """Assert that memory is held by running requests and by nobody else."""
        self._scheduler.check_integrity()

    def _settle(self, state: RequestState, outcome: Tensor | ModelFailure) -> Iterator[Event]:
        if isinstance(outcome, ModelFailure):
            yield self._finish(state, "error", outcome.message)
            return
        request = state.request
        token_id = _draw(state, outcome)
        if isinstance(token_id, ConstraintFailure):
            yield self._finish(state, "error", token_id.message)
            return
        logprobs = None
        if request.num_logprobs is not None:
            logprobs = log_probabilities(outcome, token_id, request.num_logprobs)
        yield Token(state.request_id, token_id, logprobs)
        reason = state.accept(token_id)
        if reason is not None:
            yield self._finish(state, reason)

    def _finish(
        self, state: RequestState, reason: FinishReason, error: str | None = None
    ) -> Finish:
        self._scheduler.remove(state.request_id)
        return Finish(state.request_id, reason, state.seed, error)


def _draw(state: RequestState, logits: Tensor) -> int | ConstraintFailure:
    """The request's next token, within its constraint if it has one."""
    request, constraint = state.request, state.request.constraint
    if constraint is None:
        return sample(logits, request.sampling, state.generator)
    limited = masked(logits, constraint)
    if isinstance(limited, ConstraintFailure):
        return limited
    token_id = sample(limited, request.sampling, state.generator)
    return advance(constraint, token_id) or token_id
