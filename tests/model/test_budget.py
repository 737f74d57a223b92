"""How memory is divided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import NotEnoughMemory
from netweight.model import GPT_OSS_20B, GPT_OSS_120B
from netweight.model.budget import WORKING_BYTES, dense_bytes, expert_bytes, plan, usable_bytes

GIB = 2**30


def test_the_published_sizes_come_out():
    # arXiv 2508.10925, table 1: 12.8 GiB and 60.8 GiB.
    for config, total in ((GPT_OSS_20B, 12.8), (GPT_OSS_120B, 60.8)):
        experts = config.num_hidden_layers * config.num_experts * expert_bytes(config)
        assert (dense_bytes(config, "bf16") + experts) / GIB == pytest.approx(total, abs=0.05)
        assert dense_bytes(config, "bf16") + experts == config.checkpoint_bytes


def test_eight_bits_halve_the_dense_matrices():
    ratio = dense_bytes(GPT_OSS_20B, "int8") / dense_bytes(GPT_OSS_20B, "bf16")
    assert ratio == pytest.approx(8.5 / 16, abs=0.01)


def test_20b_stays_in_memory_where_it_fits():
    budget = plan(GPT_OSS_20B, "bf16", 20 * GIB)
    assert budget.num_expert_slots is None
    assert budget.kv_bytes == 20 * GIB - GPT_OSS_20B.checkpoint_bytes - WORKING_BYTES


def test_120b_keeps_some_experts_in_20_gib():
    budget = plan(GPT_OSS_120B, "int8", 20 * GIB)
    assert 500 < budget.num_expert_slots < 128 * 36
    assert budget.kv_bytes > GPT_OSS_120B.kv_cache_bytes(8192)


@given(total=st.integers(0, 100 * GIB), dense=st.sampled_from(["bf16", "int8"]))
def test_no_more_is_given_out_than_there_is(total, dense):
    config = GPT_OSS_120B
    try:
        budget = plan(config, dense, total)
    except NotEnoughMemory:
        return
    num_slots = budget.num_expert_slots
    if num_slots is None:
        num_slots = config.num_hidden_layers * config.num_experts
    given_out = budget.kv_bytes + num_slots * expert_bytes(config)
    assert given_out + dense_bytes(config, dense) + WORKING_BYTES <= total


@pytest.mark.parametrize("dense", ["bf16", "int8"])
def test_the_error_says_how_much_would_do(dense):
    with pytest.raises(NotEnoughMemory) as caught:
        plan(GPT_OSS_120B, dense, 4 * GIB)
    needed = float(str(caught.value).split("needs ")[1].split(" GiB")[0])
    plan(GPT_OSS_120B, dense, int((needed + 0.1) * GIB))
    with pytest.raises(NotEnoughMemory):
        plan(GPT_OSS_120B, dense, int((needed - 0.1) * GIB))


def test_this_machine_has_some_memory():
    assert 0 < usable_bytes() < 2**50
