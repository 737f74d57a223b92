"""Which tokens of which requests the next step takes: first come, first served, within limits.

Requests that are being answered come first, with a token each, so that no long prompt stalls them
by more than a step; what is left of the step goes to prompts, the oldest first, piece by piece.
Where pages run out the youngest running request gives its up and waits again, so that the oldest
always goes on and every request ends. Nobody starts before an older request has started.

Knows how many tokens a request has, not what they say.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from netweight.engine.cache import Cache
from netweight.engine.capacity import MAX_RUNNING, STEP_TOKENS
from netweight.engine.request import RequestState

# Logits of so many guessed tokens, and of so many prompt tokens, are held at once: 51 MB each for a
# vocabulary of 201,088.
_EXTRA_ROWS = 64
UNSEEN = -1  # a token that is drawn but not known here yet


class Work(NamedTuple):
    """What a step does for one request."""

    state: RequestState
    first: int  # position of the first token it takes
    token_ids: list[int]  # what the cache lacks, or a piece of it, then guesses
    num_drafted: int  # guesses among them
    num_scored: int  # prompt tokens after which log-probabilities are told
    draws: bool  # whether tokens are drawn after it

    @property
    def num_rows(self) -> int:
        """Its last tokens, after which logits are wanted."""
        return self.num_scored + (1 + self.num_drafted if self.draws else 0)

    @property
    def draws_on_device(self) -> bool:
        """Whether its one draw needs nothing of the host but a number and a mask."""
        is_single = self.draws and self.num_scored == 0 and self.num_drafted == 0
        return is_single and self.state.draws_from_logits_alone

    @property
    def draft(self) -> list[int]:
        """The guesses."""
        return self.token_ids[len(self.token_ids) - self.num_drafted :]


class Scheduler:
    """The queue of requests that wait, and the list of those that run, both oldest first."""

    def __init__(
        self, cache: Cache, *, max_running: int = MAX_RUNNING, step_tokens: int = STEP_TOKENS
    ) -> None:
        """Run at most `max_running` requests at once, `step_tokens` tokens in each step."""
        assert max_running < step_tokens, "answers would leave no room for prompts"
        self._cache = cache
        self._max_running = max_running
        self._step_tokens = step_tokens
        self._waiting: deque[RequestState] = deque()
        self._running: list[RequestState] = []
        self.num_preemptions = 0

    @property
    def num_running(self) -> int:
        """Requests that hold pages."""
        return len(self._running)

    @property
    def num_waiting(self) -> int:
        """Requests that have not begun, or gave their pages up."""
        return len(self._waiting)

    @property
    def num_requests(self) -> int:
        """Requests that wait or run."""
        return self.num_waiting + self.num_running

    def add(self, state: RequestState) -> None:
        """Queue a request. It must fit the empty cache, or it would wait for ever."""
        self._waiting.append(state)

    def schedule(self) -> list[Work]:
        """What the next step takes, oldest request first; their pages are held."""
        num_answering = sum(state.num_pending == 1 for state in self._running)
        left = _Left(self._step_tokens - num_answering)
        work = list(self._go_on(left))
        work += self._start(left)
        assert work or not self._waiting, "requests wait and nothing runs"
        return work

    def ahead(self, work: Sequence[Work]) -> list[Work]:
        """The step after one that is under way: a token more for each of its requests.

        Nobody knows yet which token: `UNSEEN` stands for it. Empty where that step has to wait: a
        prompt is being read, somebody could start, the host draws or guesses, or there is no room.
        """
        going_on = [one for one in work if not one.state.has_ended]
        could_start = bool(self._waiting) and len(self._running) < self._max_running
        if could_start or len(going_on) != len(self._running):
            return []
        if not all(one.draws_on_device and one.state.drafter is None for one in going_on):
            return []
        going_on = [one for one in going_on if one.state.num_left > 1]
        for one in going_on:
            num_tokens = len(one.token_ids) + 1  # nothing of the step under way is stored yet
            if self._cache.room(one.state.holding, num_tokens) < num_tokens:
                return []
            self._cache.grow(one.state.holding, num_tokens)
        return [
            Work(one.state, one.first + len(one.token_ids), [UNSEEN], 0, 0, True)
            for one in going_on
        ]

    def remove(self, request_id: int) -> RequestState | None:
        """Take a request out, wherever it is, and free its pages; None when it is not here."""
        for queue in (self._running, self._waiting):
            for state in queue:
                if state.request_id == request_id:
                    queue.remove(state)
                    self._cache.release(state.holding)
                    return state
        return None

    def check_integrity(self) -> None:
        """Assert that running requests, and only those, hold pages, and that all is in order."""
        self._cache.check_integrity(state.holding for state in self._running)
        assert not any(state.holding.pages for state in self._waiting), "who waits holds pages"
        ids = [state.request_id for state in (*self._running, *self._waiting)]
        assert ids == sorted(ids), "a request was overtaken"
        assert len(self._running) <= self._max_running

    def _go_on(self, left: "_Left") -> Iterator[Work]:
        """Work for running requests, as long as pages last."""
        for state in list(self._running):
            if not self._make_room(state):
                return  # it was the youngest left
            if state.num_pending > 1:
                yield from self._read(state, left)
            else:
                yield self._answer(state, left)

    def _start(self, left: "_Left") -> Iterator[Work]:
        """Work for requests that have waited, while there are tokens and pages left."""
        while self._waiting and left.tokens > 0 and len(self._running) < self._max_running:
            state = self._waiting[0]
            # A prompt's log-probabilities must be computed even where its pages are known.
            limit = len(state.token_ids) - 1 if state.num_unscored == 0 else state.num_scored
            # A page for each running request lets it go on for a while before pages run out. With
            # nobody else there is room for certain, and no page to be spared.
            spare = len(self._running) or None
            if not self._cache.open(state.holding, state.token_ids, limit, spare=spare):
                return
            if state.num_cached_tokens is None:
                state.num_cached_tokens = state.holding.num_stored
            self._running.append(self._waiting.popleft())
            yield from self._read(state, left)

    def _read(self, state: RequestState, left: "_Left") -> Iterator[Work]:
        """The next piece of a prompt, or of what a preempted request had; none if none is left."""
        most = min(state.num_pending, left.tokens)
        num_told = 0  # at the piece's begin, tokens after which nothing is to be told any more
        if state.num_unscored > 0:
            num_told = max(0, state.num_scored - state.holding.num_stored)
            most = min(most, num_told + left.scored)
        num_tokens = self._cache.room(state.holding, most)
        if num_tokens > 0:
            num_scored = min(max(0, num_tokens - num_told), state.num_unscored)
            left.tokens -= num_tokens
            left.scored -= num_scored
            yield self._work(state, num_tokens, num_scored=num_scored)

    def _answer(self, state: RequestState, left: "_Left") -> Work:
        """The one pending token of a request that is being answered, and guesses after it."""
        most = min(left.tokens // 2, left.drafted)  # prompts always get the other half
        draft = state.draft(self._cache.room(state.holding, 1 + most) - 1)
        left.tokens -= len(draft)
        left.drafted -= len(draft)
        return self._work(state, 1, draft)

    def _work(
        self,
        state: RequestState,
        num_tokens: int,
        draft: Sequence[int] = (),
        *,
        num_scored: int = 0,
    ) -> Work:
        """Hold pages for so many pending tokens and for guesses after them."""
        first = state.holding.num_stored
        token_ids = [*state.token_ids[first : first + num_tokens], *draft]
        draws = num_tokens == state.num_pending
        self._cache.grow(state.holding, len(token_ids))
        return Work(state, first, token_ids, len(draft), num_scored, draws)

    def _make_room(self, state: RequestState) -> bool:
        """Let a request store one token more; False if there is no room and none younger runs."""
        while state in self._running and self._cache.room(state.holding, 1) == 0:
            self._preempt(self._running[-1])
        return state in self._running

    def _preempt(self, state: RequestState) -> None:
        """Let the youngest running request wait again; what it has drawn stays drawn."""
        self._cache.release(state.holding)
        self._running.remove(state)
        self._waiting.appendleft(state)
        self.num_preemptions += 1


class _Left:
    """What is left of a step while it is filled."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens  # beside one for each request that is being answered
        self.drafted = _EXTRA_ROWS
        self.scored = _EXTRA_ROWS
