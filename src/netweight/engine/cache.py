"""Pages of keys and values: who holds which, and what pages that nobody holds still contain.

A sequence holds pages of two kinds: those of layers that see everything, and those of window
layers, which it gives up as its window moves on. A full page is known by a key, the hash of all
tokens up to its last, and is found by it until its room is needed: whoever begins with the same
tokens, as the next turn of a conversation does, holds it too instead of computing it again. Keys
and values depend on a sequence's adapter as well, and so do the keys of its pages.

Knows page numbers, token ids and reference counts; the pages themselves belong to the model.
"""

import hashlib
import secrets
from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from netweight.engine.capacity import CacheSize, num_pages_of, window_span
from netweight.model import PAGE_TOKENS

Key = bytes
_KEY_BYTES = 16
_GIVEN_UP = -1


class PageCounts(NamedTuple):
    """Pages of one kind: free, held by sequences, and cached: held by nobody but still of use."""

    free: int
    held: int
    cached: int


class PagePool:
    """Pages of one kind, with their holders and keys."""

    def __init__(self, num_pages: int) -> None:
        """All pages are free."""
        self._free = list(range(num_pages))
        self._num_holders = [0] * num_pages
        self._keys: list[Key | None] = [None] * num_pages
        self._page_of: dict[Key, int] = {}
        self._cached: OrderedDict[int, None] = OrderedDict()  # least recently used first

    @property
    def num_available(self) -> int:
        """Pages that can be taken."""
        return len(self._free) + len(self._cached)

    @property
    def counts(self) -> PageCounts:
        """How many pages are in which state."""
        num_held = len(self._num_holders) - self.num_available
        return PageCounts(len(self._free), num_held, len(self._cached))

    def take(self) -> tuple[int, Key | None]:
        """Hold a page; where none is free a cached one, whose key is lost."""
        key = None
        if self._free:
            page = self._free.pop()
        else:
            page, _ = self._cached.popitem(last=False)
            key = self._forget(page)
        self._num_holders[page] = 1
        return page, key

    def find(self, key: Key) -> int | None:
        """The page of this key."""
        return self._page_of.get(key)

    def find_all(self, keys: Iterable[Key]) -> list[int]:
        """The pages of these keys, all of which are known."""
        return [self._page_of[key] for key in keys]

    def num_available_beside(self, pages: Iterable[int]) -> int:
        """Pages that can be taken once these are held."""
        return self.num_available - sum(page in self._cached for page in pages)

    def share(self, page: int) -> None:
        """Hold a page that is cached or that others hold."""
        self._cached.pop(page, None)
        self._num_holders[page] += 1

    def publish(self, page: int, key: Key) -> int:
        """Make a held page known by its key; if another is known by it, hold that one instead."""
        known = self._page_of.setdefault(key, page)
        if known == page:
            self._keys[page] = key
        else:
            self.share(known)
            self.release(page)
        return known

    def release(self, page: int) -> None:
        """Hold a page no longer; the last holder leaves it cached if it has a key, or free."""
        assert self._num_holders[page] > 0, f"page {page} is released but not held"
        self._num_holders[page] -= 1
        if self._num_holders[page] == 0:
            if self._keys[page] is None:
                self._free.append(page)
            else:
                self._cached[page] = None

    def forget(self, key: Key) -> None:
        """Let the page of this key, if there is one, be found no more."""
        page = self._page_of.get(key)
        if page is None:
            return
        self._forget(page)
        if page in self._cached:
            del self._cached[page]
            self._free.append(page)

    def forget_all(self) -> None:
        """Let no page be found any more."""
        for key in list(self._page_of):
            self.forget(key)

    def _forget(self, page: int) -> Key:
        key = self._keys[page]
        assert key is not None, f"page {page} has no key to forget"
        del self._page_of[key]
        self._keys[page] = None
        return key

    def check_integrity(self, held: Iterable[int]) -> None:
        """Assert that every page is free, cached or held, by exactly these holders."""
        holders = Counter(held)
        free, cached = set(self._free), set(self._cached)
        assert len(free) == len(self._free), "a page is free twice"
        assert not free & cached, "a page is free and cached"
        for page, num_holders in enumerate(self._num_holders):
            assert num_holders == holders[page], f"page {page} has a wrong count of holders"
            in_use = (num_holders > 0) + (page in free) + (page in cached)
            assert in_use == 1, f"page {page} is in {in_use} states"
            key = self._keys[page]
            assert key is None or self._page_of.get(key) == page, f"page {page} has a stray key"
            assert (page not in free) or key is None, f"page {page} is free but has a key"
            assert (page not in cached) or key is not None, f"page {page} is cached without a key"
        assert len(self._page_of) == sum(key is not None for key in self._keys), (
            "a key leads astray"
        )

    def check_private(self, pages: Iterable[int]) -> None:
        """Assert that these pages have one holder and are not known to others."""
        for page in pages:
            assert self._num_holders[page] == 1, f"page {page} is written and shared"
            assert self._keys[page] is None, f"page {page} is written and known"


@dataclass
class Holding:
    """One sequence's pages; empty while it waits."""

    adapter: str | None = None  # with which keys and values are computed
    num_stored: int = 0  # tokens whose keys and values the pages have
    pages: "array[int]" = field(default_factory=partial(array, "i"))
    window_pages: "array[int]" = field(default_factory=partial(array, "i"))  # -1: given up
    num_published: int = 0  # pages that have their key
    keys: list[Key] = field(default_factory=list)  # of all full pages of its tokens; stay valid


class _Prefix(NamedTuple):
    """Pages that a sequence can begin with."""

    num_pages: int
    first_window_page: int


class Cache:
    """Pages of both kinds, shared by the sequences that run."""

    def __init__(self, size: CacheSize, sliding_window: int) -> None:
        """Nothing is held."""
        self._full = PagePool(size.num_pages)
        self._window = PagePool(size.num_window_pages)
        self._sliding_window = sliding_window
        # Keyed, so that nobody can make tokens whose key is that of another's.
        self._secret = secrets.token_bytes(_KEY_BYTES)

    @property
    def counts(self) -> tuple[PageCounts, PageCounts]:
        """Pages of layers that see everything, and of window layers."""
        return self._full.counts, self._window.counts

    def open(
        self, holding: Holding, token_ids: Sequence[int], limit: int, *, spare: int | None = None
    ) -> bool:
        """Begin with the longest known prefix of the tokens, at most `limit` of them.

        All pages up to its end must be known, and of window pages those that the token after it
        looks at. With `spare`, only if there is room for all of the tokens and so many pages more;
        else False, and nothing is held. Of window pages, those for one token at a time are enough.
        """
        assert not holding.pages, "a sequence that holds pages is opened"
        self._extend_keys(holding, token_ids, len(token_ids))
        keys = holding.keys[: limit // PAGE_TOKENS]
        num_pages, first_seen = self._longest_prefix(keys)
        pages = self._full.find_all(keys[:num_pages])
        window_pages = self._window.find_all(keys[first_seen:num_pages])
        if spare is not None:
            num_full = num_pages_of(len(token_ids)) - len(pages) + spare
            num_window = window_span(self._sliding_window) - len(window_pages)
            has_room = num_full <= self._full.num_available_beside(pages)
            if not has_room or num_window > self._window.num_available_beside(window_pages):
                return False
        for page in pages:
            self._full.share(page)
        for page in window_pages:
            self._window.share(page)
        holding.pages.extend(pages)
        holding.window_pages.extend([_GIVEN_UP] * first_seen + window_pages)
        holding.num_published = num_pages
        holding.num_stored = num_pages * PAGE_TOKENS
        return True

    def room(self, holding: Holding, most: int) -> int:
        """How many more tokens, up to `most`, a sequence can store with what is available."""
        available = min(self._full.num_available, self._window.num_available)
        return min(most, (len(holding.pages) + available) * PAGE_TOKENS - holding.num_stored)

    def grow(self, holding: Holding, num_tokens: int) -> None:
        """Hold pages for so many more tokens; there must be `room` for them."""
        while len(holding.pages) * PAGE_TOKENS < holding.num_stored + num_tokens:
            page, evicted = self._full.take()
            if evicted is not None:
                self._window.forget(evicted)  # of no use without the other
            holding.pages.append(page)
            window_page, _ = self._window.take()
            holding.window_pages.append(window_page)

    def store(self, holding: Holding, token_ids: Sequence[int], num_stored: int) -> None:
        """Note that the pages have the first `num_stored` of the tokens.

        Full pages get their keys, and window pages that no later token looks at are given up.
        """
        holding.num_stored = num_stored
        self._extend_keys(holding, token_ids, num_stored)
        for index in range(holding.num_published, num_stored // PAGE_TOKENS):
            self._publish(holding, index)
        holding.num_published = num_stored // PAGE_TOKENS
        for index in range(self._first_seen(num_stored) - 1, -1, -1):
            if holding.window_pages[index] == _GIVEN_UP:
                break
            self._window.release(holding.window_pages[index])
            holding.window_pages[index] = _GIVEN_UP

    def release(self, holding: Holding) -> None:
        """Take all pages from a sequence; known ones stay cached.

        The last page goes first, so that what is evicted first is what nothing else builds on.
        """
        for page in reversed(holding.pages):
            self._full.release(page)
        for page in reversed(holding.window_pages):
            if page != _GIVEN_UP:
                self._window.release(page)
        del holding.pages[:], holding.window_pages[:]
        holding.num_stored = holding.num_published = 0

    def forget(self) -> None:
        """Reuse nothing of what was stored so far; holders keep what they hold."""
        self._full.forget_all()
        self._window.forget_all()

    def check_integrity(self, holdings: Iterable[Holding]) -> None:
        """Assert that exactly these sequences hold pages, and that their pages are as they should.

        No page that may still be written is shared or known, and no window page is missing.
        """
        held = list(holdings)
        self._full.check_integrity(page for holding in held for page in holding.pages)
        window_pages = [page for holding in held for page in holding.window_pages]
        self._window.check_integrity(page for page in window_pages if page != _GIVEN_UP)
        for holding in held:
            assert len(holding.pages) == len(holding.window_pages)
            assert len(holding.pages) * PAGE_TOKENS >= holding.num_stored
            first_seen = self._first_seen(holding.num_stored)
            assert _GIVEN_UP not in holding.window_pages[first_seen:], "a window page is missing"
            assert set(holding.window_pages[:first_seen]) <= {_GIVEN_UP}, "a window page is kept"
            first_written = holding.num_stored // PAGE_TOKENS
            self._full.check_private(holding.pages[first_written:])
            self._window.check_private(holding.window_pages[first_written:])

    def _longest_prefix(self, keys: Sequence[Key]) -> _Prefix:
        best, num_seen = _Prefix(0, 0), 0
        for index, key in enumerate(keys):
            if self._full.find(key) is None:
                break
            num_seen = 0 if self._window.find(key) is None else num_seen + 1
            num_pages = index + 1
            first_seen = self._first_seen(num_pages * PAGE_TOKENS)
            if num_seen >= num_pages - first_seen:
                best = _Prefix(num_pages, first_seen)
        return best

    def _first_seen(self, position: int) -> int:
        """The first page that a window layer's token at this position looks at."""
        return max(0, position - self._sliding_window + 1) // PAGE_TOKENS

    def _publish(self, holding: Holding, index: int) -> None:
        """Give a page its key, unless the page before it cannot be found: then it could not be."""
        if index > 0 and self._full.find(holding.keys[index - 1]) != holding.pages[index - 1]:
            return
        key = holding.keys[index]
        holding.pages[index] = self._full.publish(holding.pages[index], key)
        # No window has gone past it yet, so there is a window page as well.
        holding.window_pages[index] = self._window.publish(holding.window_pages[index], key)

    def _extend_keys(self, holding: Holding, token_ids: Sequence[int], num_tokens: int) -> None:
        for index in range(len(holding.keys), num_tokens // PAGE_TOKENS):
            parent = holding.keys[index - 1] if index > 0 else self._root(holding.adapter)
            ids = array("i", token_ids[index * PAGE_TOKENS : (index + 1) * PAGE_TOKENS])
            holding.keys.append(self._key(parent, ids.tobytes()))

    def _root(self, adapter: str | None) -> Key:
        """What the key of a sequence's first page builds on."""
        if adapter is None:
            return b""
        # `person` keeps this apart from the keys of pages, whatever the name is.
        return hashlib.blake2b(
            adapter.encode(), digest_size=_KEY_BYTES, key=self._secret, person=b"adapter"
        ).digest()

    def _key(self, parent: Key, ids: bytes) -> Key:
        return hashlib.blake2b(parent + ids, digest_size=_KEY_BYTES, key=self._secret).digest()
