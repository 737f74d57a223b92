import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.engine import CacheSize, Engine, Request, Sampling, plan_cache
from netweight.engine.capacity import MAX_RUNNING, STEP_TOKENS, cache_for_context, window_span
from netweight.errors import NotEnoughMemory
from netweight.model import (
    GPT_OSS_20B,
    GPT_OSS_120B,
    PAGE_TOKENS,
    page_bytes,
    window_page_bytes,
)
from netweight.model.budget import plan
from tests.fakes import Pseudorandom

PAGE, WINDOW_PAGE = page_bytes(GPT_OSS_20B), window_page_bytes(GPT_OSS_20B)
BUSY = MAX_RUNNING * 9 + STEP_TOKENS // PAGE_TOKENS  # window pages of as many as may run


def test_a_window_touches_one_page_more_than_it_fills():
    assert [window_span(window) for window in (1, 2, 16, 17, 18, 128)] == [1, 2, 2, 2, 3, 9]


@given(st.integers(9 * WINDOW_PAGE + PAGE, 20 * 2**30))
def test_planned_pages_fill_the_bytes_and_no_more(cache_bytes):
    size = plan_cache(GPT_OSS_20B, cache_bytes)
    left = cache_bytes - size.num_pages * PAGE - size.num_window_pages * WINDOW_PAGE
    assert 0 <= left < PAGE
    assert size.num_pages >= 1
    assert 9 <= size.num_window_pages <= cache_bytes // PAGE + BUSY


def test_a_quarter_is_for_windows():
    pages = 4096
    assert plan_cache(GPT_OSS_20B, pages * PAGE) == CacheSize(pages * 3 // 4, pages // 4)


def test_less_than_a_page_beside_one_window_is_not_enough():
    with pytest.raises(NotEnoughMemory, match="too few"):
        plan_cache(GPT_OSS_20B, 9 * WINDOW_PAGE + PAGE - 1)


def test_without_a_size_there_is_room_for_one_context_and_its_windows():
    assert cache_for_context(131_072, 128) == CacheSize(8192, 8192 + BUSY)


def test_the_smallest_cache_runs_a_request():
    model = Pseudorandom(max_context=64, sliding_window=128)
    engine = Engine(model, cache_size=CacheSize(2, window_span(128)))
    *tokens, finish = engine.generate(Request([1] * 20, Sampling(temperature=0)))
    assert (len(tokens), finish.reason) == (12, "length")


@pytest.mark.parametrize("config", [GPT_OSS_20B, GPT_OSS_120B], ids=["20b", "120b"])
def test_the_least_memory_a_model_runs_in_holds_8192_tokens(config):
    with pytest.raises(NotEnoughMemory) as caught:
        plan(config, "int8", 0)
    needed_gib = float(str(caught.value).split("needs ")[1].split(" GiB")[0])
    budget = plan(config, "int8", int((needed_gib + 0.1) * 2**30))
    assert plan_cache(config, budget.kv_bytes).num_pages * PAGE_TOKENS >= 8192
