"""Bytes and operations by arithmetic, against the model card and the checkpoint."""

import pytest

from netweight.bench import plan
from netweight.model import GPT_OSS_20B, GPT_OSS_120B
from tests.model.shapes import SHAPES, SMALL


@pytest.mark.parametrize(
    ("config", "dense", "gigabytes"),
    [
        (GPT_OSS_20B, "bf16", 3.71),
        (GPT_OSS_20B, "int8", 2.57),
        (GPT_OSS_120B, "bf16", 5.00),
        (GPT_OSS_120B, "int8", 3.56),
    ],
)
def test_bytes_of_a_decoded_token_are_those_of_the_published_shapes(config, dense, gigabytes):
    work = plan.decode_work(config, dense=dense, context=0, batch=1)
    assert work.read_bytes / 1e9 == pytest.approx(gigabytes, abs=0.005)


@pytest.mark.parametrize(("config", "gigaflops"), [(GPT_OSS_20B, 7.2), (GPT_OSS_120B, 10.3)])
def test_a_token_takes_two_operations_for_each_active_parameter(config, gigaflops):
    work = plan.decode_work(config, dense="bf16", context=0, batch=1)
    assert work.flops / 1e9 == pytest.approx(gigaflops, abs=0.05)
    assert work.flops == pytest.approx(2 * config.num_active_parameters, rel=0.002)


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES)
def test_bf16_weights_are_the_checkpoint(config):
    assert plan.weights_bytes(config, "bf16") == config.checkpoint_bytes
    assert plan.weights_bytes(config, "int8") < config.checkpoint_bytes


def test_the_cache_of_a_full_context_is_what_the_layers_keep():
    need = plan.memory(GPT_OSS_20B, dense="bf16", context=131_072, batch=1, step_tokens=512)
    assert need.cache / 2**30 == pytest.approx(3.0, abs=0.01)
    assert need.total == need.weights + need.cache + need.activations


@pytest.mark.parametrize(("tokens", "experts"), [(1, 4), (8, 21.0), (32, 31.6), (128, 32)])
def test_distinct_experts_grow_towards_all_of_them(tokens, experts):
    assert plan.distinct_experts(GPT_OSS_20B, tokens) == pytest.approx(experts, abs=0.05)


def test_a_batch_reads_the_dense_weights_once():
    one = plan.decode_work(GPT_OSS_20B, dense="bf16", context=512, batch=1)
    eight = plan.decode_work(GPT_OSS_20B, dense="bf16", context=512, batch=8)
    assert one.read_bytes < eight.read_bytes < 8 * one.read_bytes
    assert eight.flops == pytest.approx(8 * one.flops)


def test_a_prompt_skips_the_output_matrix_on_all_but_its_last_token():
    lone = plan.prefill_work(GPT_OSS_20B, dense="bf16", num_tokens=1).flops
    prompt = plan.prefill_work(GPT_OSS_20B, dense="bf16", num_tokens=101).flops
    output = 2 * GPT_OSS_20B.vocab_size * GPT_OSS_20B.hidden_size
    assert prompt - output == pytest.approx(101 * (lone - output), rel=0.01)


def test_a_long_context_costs_the_full_layers_only():
    def read(context):
        return plan.decode_work(SMALL, dense="bf16", context=context, batch=1).read_bytes

    per_token = 2 * 2 * SMALL.key_value_size  # keys and values of one layer
    assert read(1000) - read(900) == 100 * per_token


def test_speed_is_the_slower_of_reading_and_multiplying():
    arguments = {"dense": "bf16", "context": 64, "batch": 1}

    def predict(read_bytes_per_s, peak_flops):
        machine = {"read_bytes_per_s": read_bytes_per_s, "peak_flops": peak_flops}
        return plan.predict(SMALL, **arguments, **machine, usable_bytes=1)

    slow_memory, slow_units = predict(1e6, 1e15), predict(1e15, 1e6)
    assert slow_memory.fits == "no"
    work = plan.decode_work(SMALL, **arguments)
    assert slow_memory.decode_tokens_per_s == pytest.approx(1e6 / work.read_bytes)
    assert slow_units.decode_tokens_per_s == pytest.approx(1e6 / work.flops)
