"""How many pages of keys and values there are: what a context needs, or what fits into memory.

Arithmetic only.
"""

from typing import NamedTuple

from netweight.errors import NotEnoughMemory
from netweight.model import PAGE_TOKENS, Config, page_bytes, window_page_bytes

MAX_RUNNING = 64  # requests at once
STEP_TOKENS = 512  # tokens that one step takes at most


class CacheSize(NamedTuple):
    """Pages for layers that see everything, and for window layers."""

    num_pages: int
    num_window_pages: int


def num_pages_of(num_tokens: int) -> int:
    """Pages that so many tokens fill, the last one perhaps in part."""
    return -(-num_tokens // PAGE_TOKENS)


def window_span(sliding_window: int) -> int:
    """Window pages that a sequence needs to go on by one token: those its window can touch."""
    return num_pages_of(sliding_window - 1) + 1


def cache_for_context(max_context: int, sliding_window: int) -> CacheSize:
    """Pages for one whole context or many short ones.

    Of window pages, as many as running requests ever need, and the same as of others beside them,
    so that every cached prefix can have its window.
    """
    num_pages = num_pages_of(max_context)
    return CacheSize(num_pages, num_pages + _busy_window_pages(sliding_window))


def plan_cache(config: Config, cache_bytes: int) -> CacheSize:
    """Divide bytes of memory between the two kinds of pages.

    Window pages get a quarter: at most what `MAX_RUNNING` requests need and one beside each other
    page for cached prefixes, and at least what one request needs. With fewer than `MAX_RUNNING`
    requests need, fewer run at once.

    Raises:
        NotEnoughMemory: when there is not one page left for the other layers.
    """
    span = window_span(config.sliding_window)
    bytes_per_page, bytes_per_window_page = page_bytes(config), window_page_bytes(config)
    num_window = max(span, cache_bytes // 4 // bytes_per_window_page)
    most = cache_bytes // bytes_per_page + _busy_window_pages(config.sliding_window)
    num_window = min(num_window, most)
    num_pages = (cache_bytes - num_window * bytes_per_window_page) // bytes_per_page
    if num_pages < 1:
        needed = span * bytes_per_window_page + bytes_per_page
        raise NotEnoughMemory(
            f"{cache_bytes} bytes for keys and values are too few: one page takes {needed}. "
            "Give the cache more memory."
        )
    return CacheSize(num_pages, num_window)


def _busy_window_pages(sliding_window: int) -> int:
    """Window pages that running requests hold at most: a span each, and the step's own tokens."""
    return MAX_RUNNING * window_span(sliding_window) + num_pages_of(STEP_TOKENS)
