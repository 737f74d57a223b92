"""Pages: their sizes, and which layers share them."""

import pytest
import torch

from netweight.model import (
    GPT_OSS_20B,
    PAGE_TOKENS,
    Layout,
    PagedCache,
    page_bytes,
    window_page_bytes,
)
from netweight.model.kernels import reference
from tests.model.paging import ints, table
from tests.model.shapes import SMALL


def test_pages_of_a_long_sequence_are_what_the_config_says():
    num_tokens = 131_072
    full = num_tokens // PAGE_TOKENS * page_bytes(GPT_OSS_20B)
    window = GPT_OSS_20B.sliding_window // PAGE_TOKENS * window_page_bytes(GPT_OSS_20B)
    assert full + window == GPT_OSS_20B.kv_cache_bytes(num_tokens)


def test_layers_of_a_kind_have_pages_of_their_own():
    cache = PagedCache(SMALL, num_pages=3, num_window_pages=5, dtype=torch.float32)
    kv = (2, SMALL.num_key_value_heads, PAGE_TOKENS * SMALL.head_dim)
    assert cache.layer(0).shape == (5, *kv)
    assert cache.layer(1).shape == (3, *kv)
    cache.layer(0).fill_(1)
    cache.layer(1).fill_(2)
    assert bool((cache.layer(0) == 1).all())


def test_a_token_without_a_page_is_our_mistake():
    layout = Layout(ints([16]), ints([0, 1]), table([[0, 1]]), table([[0, -1]]))
    k = torch.zeros(1, 2, 4)
    pages = torch.zeros(2, 2, 2, PAGE_TOKENS * 4)
    with pytest.raises(AssertionError, match="no page"):
        reference.store(k, k, pages, layout.window_pages, layout)
