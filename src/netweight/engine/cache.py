"""Room for keys and values, and who holds it.

Counts tokens and hands out one cache per request. Does not know what the tokens are.
"""

from collections.abc import Callable

from netweight.model import KVCache


class CachePool:
    """Room for a fixed number of tokens, shared by the requests that run."""

    def __init__(self, new_cache: Callable[[int], KVCache], num_tokens: int) -> None:
        """Share room for `num_tokens`; `new_cache` makes a cache of a given capacity."""
        self.num_tokens = num_tokens
        self._new_cache = new_cache
        self._held: dict[int, int] = {}  # request id -> tokens
        self._caches: dict[int, KVCache] = {}

    @property
    def num_free(self) -> int:
        """Tokens that nobody holds."""
        return self.num_tokens - sum(self._held.values())

    def take(self, request_id: int, num_tokens: int) -> bool:
        """Hold room for a request; False, and nothing held, when there is too little."""
        assert request_id not in self._held, f"request {request_id} holds room already"
        if num_tokens > self.num_free:
            return False
        self._held[request_id] = num_tokens
        return True

    def cache(self, request_id: int) -> KVCache:
        """The holder's cache; the first call reserves its memory, and raises if there is none."""
        if request_id not in self._caches:
            self._caches[request_id] = self._new_cache(self._held[request_id])
        return self._caches[request_id]

    def free(self, request_id: int) -> None:
        """Give a request's room and memory back."""
        del self._held[request_id]
        self._caches.pop(request_id, None)

    def check_integrity(self, running: set[int]) -> None:
        """Assert that exactly the running requests hold room, and not more than there is."""
        assert set(self._held) == running, f"held by {set(self._held)}, running {running}"
        assert set(self._caches) <= running, "a cache outlived its request"
        assert self.num_free >= 0, "more room is held than there is"
