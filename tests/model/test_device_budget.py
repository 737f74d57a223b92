"""How a card's memory is divided."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import NotEnoughMemory
from netweight.model import GPT_OSS_20B, GPT_OSS_120B
from netweight.model.budget import Budget, dense_bytes, expert_bytes
from netweight.model.device_budget import DeviceBudget, expert_shape, mxfp4_bytes, working_bytes
from netweight.model.device_budget import plan as plan_device
from netweight.model.kernels.gpu.packed import packed_bytes

GIB, MIB = 2**30, 2**20
MODELS = {"20b": GPT_OSS_20B, "120b": GPT_OSS_120B}
# Cards by their makers' gigabytes, in MiB as nvidia-smi has them: RTX 4090, L40S, H100, H200.
CARDS = {24: 24564, 48: 46068, 80: 81559, 141: 143771}


def plan(config, free, total=None, *, memory=None, host=200 * GIB, dtype=torch.bfloat16, **other):
    working = other.pop("working", working_bytes(config, dtype, 512, 64))
    return plan_device(
        config,
        free,
        free if total is None else total,
        dtype=dtype,
        memory_bytes=memory,
        working=working,
        host_bytes=host,
        **other,
    )


def on_card(model, gigabytes, **other):
    total = CARDS[gigabytes] * MIB
    return plan(MODELS[model], total - GIB // 2, total, **other)


def num_all(config):
    return config.num_hidden_layers * config.num_experts


def given_out(config, budget, dtype=torch.bfloat16):
    """What the engine will take, computed anew."""
    slots = num_all(config) if budget.num_expert_slots is None else budget.num_expert_slots
    dense = dense_bytes(config, "bf16") * dtype.itemsize // 2
    return dense + slots * expert_bytes(config) + budget.staging_bytes + budget.kv_bytes


def test_an_expert_of_the_published_models_takes_what_it_takes_in_the_checkpoint():
    for config in MODELS.values():
        shape = expert_shape(config)
        assert shape.expert_bytes == expert_bytes(config)
        assert shape[:2] == (config.num_hidden_layers, config.num_experts)
        weights = dense_bytes(config, "bf16") + num_all(config) * shape.expert_bytes
        assert weights == config.checkpoint_bytes


def test_the_gpus_kernels_pack_published_models_as_reckoned():
    for config in MODELS.values():
        assert expert_shape(config, packed_bytes) == expert_shape(config)


@given(rows=st.integers(1, 99), num_blocks=st.integers(1, 99))
def test_codes_and_scales_are_aligned(rows, num_blocks):
    size = mxfp4_bytes(rows, 32 * num_blocks)
    assert size % 16 == 0
    assert 0 <= size - 17 * rows * num_blocks < 16


@pytest.mark.parametrize(
    ("model", "gigabytes"), [("20b", 24), ("20b", 48), ("20b", 80), ("120b", 80), ("120b", 141)]
)
def test_a_model_stays_on_a_card_that_holds_it(model, gigabytes):
    budget = on_card(model, gigabytes)
    assert (budget.num_expert_slots, budget.staging_bytes) == (None, 0)
    published = {"20b": 12.8, "120b": 60.8}[model]  # arXiv 2508.10925, table 1, in GiB
    room = CARDS[gigabytes] / 1024 - published
    # Half a GiB was taken; the rest is left over, context, graphs and activations.
    assert budget.kv_bytes / GIB == pytest.approx(
        room - 0.5 - CARDS[gigabytes] / 51200 - 1.7, abs=0.1
    )


# GiB: card - taken - a fiftieth - dense - context and graphs - activations - staging, of which
# nine tenths are slots: 23.99 - 0.5 - 0.48 - 4.05 - 1.25 - 0.42 - 3.15 and the same from 44.99.
@pytest.mark.parametrize(("gigabytes", "slots_gib"), [(24, 0.9 * 14.14), (48, 0.9 * 34.72)])
def test_120b_keeps_its_most_used_experts_on_smaller_cards(gigabytes, slots_gib):
    budget = on_card("120b", gigabytes)
    assert budget.num_expert_slots * 13_219_200 / GIB == pytest.approx(slots_gib, rel=0.005)
    assert budget.staging_bytes == 2 * 128 * 13_219_200
    assert budget.kv_bytes > GPT_OSS_120B.kv_cache_bytes(8192)
    left = CARDS[gigabytes] * MIB - given_out(GPT_OSS_120B, budget)
    assert 1.5 * GIB < left < 4 * GIB  # half a GiB was taken; context, graphs and activations


def test_120b_has_room_for_many_contexts_on_141_gb():
    assert on_card("120b", 141).kv_bytes > 8 * GPT_OSS_120B.kv_cache_bytes(131_072)


def test_keys_and_values_end_at_what_is_of_use():
    contexts = on_card("20b", 141).kv_bytes / GPT_OSS_20B.kv_cache_bytes(131_072)
    assert contexts == pytest.approx(16 * 4 / 3, abs=0.01)


def test_20b_runs_on_a_card_that_does_not_hold_it():
    budget = plan(GPT_OSS_20B, 8 * GIB)
    assert 0 < budget.num_expert_slots < 768


def test_a_budget_is_what_the_transformer_takes():
    assert isinstance(on_card("120b", 24), Budget)


sizes = st.integers(0, 160 * GIB)
models = st.sampled_from(list(MODELS.values()))
dtypes = st.sampled_from([torch.bfloat16, torch.float32])


def slots_of(config, budget):
    return num_all(config) if budget.num_expert_slots is None else budget.num_expert_slots


def kv_and_slots(config, free, **other):
    """None where the model does not run."""
    try:
        budget = plan(config, free, **other)
    except NotEnoughMemory:
        return None
    return budget.kv_bytes, slots_of(config, budget)


@given(config=models, free=sizes, memory=st.none() | sizes, dtype=dtypes)
def test_no_more_is_given_out_than_there_is(config, free, memory, dtype):
    try:
        budget = plan(config, free, memory=memory, dtype=dtype)
    except NotEnoughMemory:
        return
    assert budget.kv_bytes >= config.kv_cache_bytes(8192)
    assert budget.num_expert_slots is None or 0 < budget.num_expert_slots < num_all(config)
    reserved = working_bytes(config, dtype, 512, 64) + GIB
    assert given_out(config, budget, dtype) + reserved <= min(free, memory or free)


@given(config=models, free=sizes, more=st.integers(0, 20 * GIB))
def test_more_memory_never_gives_less(config, free, more):
    less, greater = kv_and_slots(config, free), kv_and_slots(config, free + more)
    if less is None:
        return
    assert greater is not None
    assert greater[1] >= less[1]
    # Where all experts come to fit, they do at the expense of keys and values.
    if (less[1] == num_all(config)) == (greater[1] == num_all(config)):
        assert greater[0] >= less[0]


@given(config=models, free=sizes, more=st.integers(1, GIB))
def test_larger_steps_and_wider_numbers_leave_less(config, free, more):
    usual = plan_or_none(config, free)
    working = working_bytes(config, torch.bfloat16, 512, 64) + more
    larger = plan_or_none(config, free, working=working)
    assert larger is None or slots_of(config, larger) <= slots_of(config, usual)
    wider = plan_or_none(config, free, dtype=torch.float32)
    assert wider is None or slots_of(config, wider) <= slots_of(config, usual)


def plan_or_none(config, free, **other):
    try:
        return plan(config, free, **other)
    except NotEnoughMemory:
        return None


@pytest.mark.parametrize("memory", [None, 5 * GIB])
def test_the_error_says_how_much_would_do_and_what_helps(memory):
    with pytest.raises(NotEnoughMemory) as caught:
        plan(GPT_OSS_120B, 5 * GIB, memory=memory)
    needed = float(re.search(r"needs ([0-9.]+) GiB of device memory", str(caught.value))[1])
    assert ("Raise --memory" in str(caught.value)) == (memory is not None)
    assert "smaller model" in str(caught.value)
    card = 24 * GIB
    plan(GPT_OSS_120B, card, memory=int((needed + 0.1) * GIB))
    with pytest.raises(NotEnoughMemory):
        plan(GPT_OSS_120B, card, memory=int((needed - 0.1) * GIB))


def test_more_than_is_free_cannot_be_asked_for():
    with pytest.raises(NotEnoughMemory, match=r"asks for 20\.0 GiB, and 10\.0 GiB of .* 24\.0 GiB"):
        plan(GPT_OSS_20B, 10 * GIB, 24 * GIB, memory=20 * GIB)


def test_a_fiftieth_of_the_card_is_left_alone_unless_memory_is_said():
    all_of_it = plan(GPT_OSS_20B, 24 * GIB, memory=24 * GIB)
    usual = plan(GPT_OSS_20B, 24 * GIB, 25 * GIB)
    assert all_of_it.kv_bytes - usual.kv_bytes == 25 * GIB // 50


def test_experts_need_room_in_the_hosts_memory_only_where_they_are_kept_there():
    least = expert_shape(GPT_OSS_120B).host_bytes
    assert 56.7 * GIB < least < 58 * GIB
    assert on_card("120b", 24, host=least).num_expert_slots > 0
    with pytest.raises(NotEnoughMemory, match=r"needs 57\.0 GiB there, and 32\.0 GiB may be used"):
        on_card("120b", 24, host=32 * GIB)
    assert on_card("120b", 80, host=0).num_expert_slots is None


def test_the_error_about_host_memory_says_what_card_would_do():
    with pytest.raises(NotEnoughMemory) as caught:
        on_card("120b", 48, host=0)
    needed = float(re.search(r"which needs ([0-9.]+) GiB", str(caught.value))[1])
    card = 80 * GIB
    enough = plan(GPT_OSS_120B, card, memory=int((needed + 0.1) * GIB))
    assert enough.num_expert_slots is None
    short = plan(GPT_OSS_120B, card, memory=int((needed - 0.1) * GIB))
    assert short.num_expert_slots is not None


def test_another_packed_size_is_reckoned_with():
    padded = expert_shape(GPT_OSS_120B, lambda rows, columns: 2 * mxfp4_bytes(rows, columns))
    slots = [on_card("120b", 48, experts=experts).num_expert_slots for experts in (None, padded)]
    assert slots[1] < 0.5 * slots[0]


def test_activations_grow_with_tokens_and_logits_with_rows():
    one = working_bytes(GPT_OSS_120B, torch.bfloat16, 1, 0)
    assert working_bytes(GPT_OSS_120B, torch.bfloat16, 4096, 0) == 4096 * one
    hidden = GPT_OSS_120B.hidden_size
    # At the least: the residual, four experts' float32 outputs, and their gate_up in bfloat16.
    assert one > 2 * hidden + 4 * (4 * hidden + 2 * 2 * hidden)
    row = working_bytes(GPT_OSS_120B, torch.bfloat16, 0, 1)
    assert row >= 4 * GPT_OSS_120B.vocab_size
    assert working_bytes(replace(GPT_OSS_120B, vocab_size=100), torch.bfloat16, 0, 1) < row


def test_slots_and_staging_are_none_or_neither():
    assert on_card("120b", 80) == DeviceBudget(on_card("120b", 80).kv_bytes, None, 0)
