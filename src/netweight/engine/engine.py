"""The engine: requests in, token events out, one `step` at a time.

A step is schedule, run, settle. Everything is synchronous and single-threaded; whoever needs a
thread puts one around it. Knows token ids, not text: stop ids come with the request, as data.
"""

import secrets
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.engine.cache import Cache, PageCounts
from netweight.engine.capacity import (
    MAX_RUNNING,
    STEP_TOKENS,
    CacheSize,
    cache_for_context,
    window_span,
)
from netweight.engine.constraint import NOTHING_POSSIBLE, ConstraintFailure, advance, masked
from netweight.engine.device_runner import DeviceRunner, DrawingModel
from netweight.engine.flight import Flight
from netweight.engine.request import (
    Event,
    Finish,
    FinishReason,
    PromptLogprobs,
    Request,
    RequestState,
    Token,
    token_budget,
)
from netweight.engine.runner import Model, ModelFailure, Outcome, Runner, TokenDrawn
from netweight.engine.sampler import log_probabilities, moments, sample
from netweight.engine.scheduler import Scheduler, Work
from netweight.engine.speculation import Drafter
from netweight.errors import RequestError
from netweight.model import NOTHING_ALLOWED, PAGE_TOKENS, SamplingKernels


def fresh_seed() -> int:
    """A seed that nobody can guess, small enough to be exact in JSON everywhere."""
    return secrets.randbits(53)


class Stats(NamedTuple):
    """How busy the engine is."""

    num_running: int
    num_waiting: int
    num_preemptions: int  # so far
    pages: PageCounts
    window_pages: PageCounts


class Engine:
    """Continues token sequences with a model.

    Requests run side by side, as many as their pages allow; others wait their turn. A request's
    tokens depend on its prompt, its settings and its seed alone, provided that the model's logits
    do: not on its neighbours, on what was cached, or on what was guessed ahead.
    """

    def __init__(
        self,
        model: Model,
        *,
        cache_size: CacheSize | None = None,
        max_running: int = MAX_RUNNING,
        step_tokens: int = STEP_TOKENS,
        speculate: int = 0,
        fresh_seed: Callable[[], int] = fresh_seed,
    ) -> None:
        """Serve `model`.

        Args:
            model: what gives logits.
            cache_size: pages for keys and values; None: enough for one whole context. `plan_cache`
                has it from bytes.
            max_running: requests that run at once, at most.
            step_tokens: tokens that the model takes in a step, at most.
            speculate: tokens guessed ahead for a request in a step, at most; 0 guesses none.
            fresh_seed: seeds the requests that bring no seed of their own.
        """
        self._shape = shape = model.config
        size = cache_size or cache_for_context(shape.max_context, shape.sliding_window)
        assert size.num_window_pages >= window_span(shape.sliding_window), "no window fits"
        self._cache_tokens = size.num_pages * PAGE_TOKENS
        self._speculate = speculate
        self._fresh_seed = fresh_seed
        self._cache = Cache(size, shape.sliding_window)
        self._scheduler = Scheduler(self._cache, max_running=max_running, step_tokens=step_tokens)
        self._runner = _runner_for(model, size)
        self._flight: Flight | None = None  # launched, and not yet collected
        self._sampling = model.sampling
        self._adapters = model.adapters
        self._next_id = 0

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return self._scheduler.num_requests > 0

    @property
    def stats(self) -> Stats:
        """How busy the engine is."""
        scheduler = self._scheduler
        return Stats(
            scheduler.num_running,
            scheduler.num_waiting,
            scheduler.num_preemptions,
            *self._cache.counts,
        )

    @property
    def adapters(self) -> Collection[str]:
        """The names that requests may have adapters by."""
        return self._adapters

    @property
    def max_tokens(self) -> int:
        """The most tokens that a prompt and its answer may have together."""
        return min(self._shape.max_context, self._cache_tokens)

    def check(self, request: Request) -> int:
        """The most tokens the request may produce. Safe in any thread: nothing it reads changes.

        Raises:
            RequestError: when it cannot run; ContextTooLong when that is for its length.
        """
        return token_budget(
            request,
            vocab_size=self._shape.vocab_size,
            max_context=self._shape.max_context,
            cache_tokens=self._cache_tokens,
            adapters=self._adapters,
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
        drafter = Drafter(self._speculate) if self._speculate > 0 else None
        request_id = self._next_id
        self._next_id += 1
        penalties = request.sampling.penalties(self._shape.vocab_size)
        state = RequestState(request_id, request, max_tokens, seed, generator, drafter, penalties)
        self._scheduler.add(state)
        return request_id

    def cancel(self, request_id: int) -> Finish | None:
        """End a request now and free its memory; None when it has already ended."""
        state = self._scheduler.remove(request_id)
        if state is None:
            return None
        state.has_ended = True
        return _finish(state, "cancelled")

    def step(self) -> list[Event]:
        """Take every running request a step further; what happened, in order of admission.

        A request that is being answered gets a token, or several where guesses were right; one
        whose prompt is still being read gets none.
        """
        flight, self._flight = self._flight, None
        if flight is not None and all(one.state.has_ended for one in flight.work):
            flight = None  # nobody wants what it brings
        if flight is None:
            work = self._scheduler.schedule()
            if not work:
                return []
            flight = self._runner.launch(work)
        flight = self._runner.draw(flight)
        if self._runner.is_ahead and flight.can_be_followed:
            following = self._scheduler.ahead(flight.work)
            if following:
                self._flight = self._runner.launch(following, flight)
        settled = zip(flight.work, self._runner.collect(flight), strict=True)
        return [event for one, outcome in settled for event in self._settle(one, outcome)]

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
        """Assert that pages are held by running requests and by nobody else, and much more."""
        self._scheduler.check_integrity()

    def _settle(self, work: Work, outcome: Outcome) -> Iterator[Event]:
        state = work.state
        if state.has_ended:  # after this step was launched
            return
        if isinstance(outcome, ModelFailure):
            self._cache.forget()  # the damage may be in pages, and others must not begin with them
            yield self._end(state, "error", outcome.message)
            return
        if isinstance(outcome, ConstraintFailure):
            yield self._end(state, "error", outcome.message)
            return
        if isinstance(outcome, TokenDrawn):
            yield from self._draw(work, _drawn_elsewhere(state, outcome.token_id))
            return
        if work.num_scored > 0:
            yield _score(work, outcome[: work.num_scored], self._sampling)
        if work.draws:
            logits = outcome[work.num_scored :]
            yield from self._draw(work, _draw_tokens(state, logits, work.draft, self._sampling))
        else:
            stop = work.first + len(work.token_ids)
            self._cache.store(state.holding, state.token_ids, stop)

    def _draw(self, work: Work, tokens: "_Draws") -> Iterator[Event]:
        state, num_before = work.state, len(work.state.token_ids)
        ending = yield from tokens
        if state.drafter is not None:
            drawn = state.token_ids[num_before:]
            num_right = sum(a == b for a, b in zip(drawn, work.draft, strict=False))
            state.drafter.settle(work.num_drafted, num_right)
        # All that was drawn but the last was a right guess, so its keys and values are there.
        self._cache.store(state.holding, state.token_ids, len(state.token_ids) - 1)
        if ending is not None:
            yield self._end(state, *ending)

    def _end(self, state: RequestState, reason: FinishReason, error: str | None = None) -> Finish:
        self._scheduler.remove(state.request_id)
        state.has_ended = True
        return _finish(state, reason, error)


def _runner_for(model: Model, size: CacheSize) -> Runner | DeviceRunner:
    return DeviceRunner(model, size) if isinstance(model, DrawingModel) else Runner(model, size)


class _Ending(NamedTuple):
    """Why a request ends."""

    reason: FinishReason
    error: str | None = None


_Draws = Generator[Token, None, _Ending | None]
"""Tokens as they are drawn, and why the request ends with them, if it does."""


def _drawn_elsewhere(state: RequestState, token_id: int) -> _Draws:
    """The token that was drawn where the logits are."""
    constraint = state.request.constraint
    if token_id == NOTHING_ALLOWED:
        return _Ending("error", NOTHING_POSSIBLE.message)
    if constraint is not None:
        failed = advance(constraint, token_id)
        if failed is not None:
            return _Ending("error", failed.message)
    yield Token(state.request_id, token_id, None)
    reason = state.accept(token_id)
    return None if reason is None else _Ending(reason)


def _draw_tokens(
    state: RequestState, logits: Tensor, draft: Sequence[int], kernels: SamplingKernels | None
) -> _Draws:
    """Draw a token after each row of logits [rows, vocab], as long as the guesses were right.

    That is speculative sampling (Leviathan et al. 2023, arXiv 2211.17192, section 2.3) where every
    guess is certain: a guess is kept with the probability that the model gives it, and otherwise a
    token is drawn from the others, renormalised. To draw first and then look if it is the guess
    does just that. It takes one number from the generator for each token, so a seed gives the same
    tokens with guesses as without.
    """
    for row, guess in zip(logits, [*draft, None], strict=True):
        token_id = _draw_one(state, row, kernels)
        if isinstance(token_id, ConstraintFailure):
            return _Ending("error", token_id.message)
        logprobs = None
        if state.request.num_logprobs is not None:
            logprobs = log_probabilities(row, token_id, state.request.num_logprobs, kernels)
        yield Token(state.request_id, token_id, logprobs)
        reason = state.accept(token_id)
        if reason is not None:
            return _Ending(reason)
        if token_id != guess:
            break
    return None


def _draw_one(
    state: RequestState, logits: Tensor, kernels: SamplingKernels | None
) -> int | ConstraintFailure:
    """The request's next token, within its constraint if it has one."""
    request, constraint = state.request, state.request.constraint
    if state.penalties is not None:
        logits = state.penalties.applied(logits)
    if constraint is None:
        return sample(logits, request.sampling, state.generator, kernels)
    limited = masked(logits, constraint, kernels)
    if isinstance(limited, ConstraintFailure):
        return limited
    token_id = sample(limited, request.sampling, state.generator, kernels)
    return advance(constraint, token_id) or token_id


def _score(work: Work, logits: Tensor, kernels: SamplingKernels | None) -> PromptLogprobs:
    """Log-probabilities of the prompt tokens that follow those of the rows of logits."""
    state, num_top = work.state, work.state.request.prompt_logprobs
    assert num_top is not None, "a prompt is scored unasked"
    following = state.token_ids[state.num_scored + 1 :]
    pairs = zip(logits, following, strict=False)
    scored = tuple(log_probabilities(row, token_id, num_top, kernels) for row, token_id in pairs)
    state.num_scored += len(scored)
    if not state.request.prompt_moments:
        return PromptLogprobs(state.request_id, scored)
    return PromptLogprobs(state.request_id, scored, tuple(moments(row) for row in logits))


def _finish(state: RequestState, reason: FinishReason, error: str | None = None) -> Finish:
    return Finish(state.request_id, reason, state.seed, error, state.counts)
