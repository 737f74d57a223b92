"""Which requests run in the next step: first come, first served, as far as the cache reaches.

Knows how much room a request needs, not what it says. No request overtakes an older one.
"""

from collections import deque

from netweight.engine.cache import CachePool
from netweight.engine.request import RequestState


class Scheduler:
    """The queue of requests that wait, and the set of those that run."""

    def __init__(self, pool: CachePool) -> None:
        """Admit requests as long as `pool` has room for them."""
        self._pool = pool
        self._waiting: deque[RequestState] = deque()
        self._running: dict[int, RequestState] = {}

    @property
    def num_requests(self) -> int:
        """Requests that wait or run."""
        return len(self._waiting) + len(self._running)

    def add(self, state: RequestState) -> None:
        """Queue a request. It must fit an empty pool, or it would wait for ever."""
        assert state.num_cache_tokens <= self._pool.num_tokens, "a request that can never run"
        self._waiting.append(state)

    def schedule(self) -> list[RequestState]:
        """Start what there is room for, oldest first; all requests that now run."""
        while self._waiting:
            oldest = self._waiting[0]
            if not self._pool.take(oldest.request_id, oldest.num_cache_tokens):
                break
            self._running[oldest.request_id] = self._waiting.popleft()
        return list(self._running.values())

    def remove(self, request_id: int) -> RequestState | None:
        """Take a request out, wherever it is, and free its room; None when it is not here."""
        state = self._running.pop(request_id, None)
        if state is not None:
            self._pool.free(request_id)
            return state
        for state in self._waiting:
            if state.request_id == request_id:
                self._waiting.remove(state)
                return state
        return None

    def check_integrity(self) -> None:
        """Assert that running requests, and only those, hold room in the pool."""
        self._pool.check_integrity(set(self._running))
        assert not any(state.request_id in self._running for state in self._waiting)
