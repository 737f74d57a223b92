"""The transformer against an outside implementation, and against wrong versions of itself."""

import math
from dataclasses import replace

import pytest
import torch

from netweight.model import Config, kernels, load_transformer, rope
from netweight.model.kernels import REFERENCE
from netweight.model.weights import Mxfp4Experts
from tests.model.paging import Paging
from tests.model.shapes import SHAPES, SMALL, needs_native, tolerance

NUM_TOKENS = 48  # longer than the small window by far


def oracle_logits(folder, token_ids, dtype):
    """Logits of transformers' GptOssForCausalLM from the same files."""
    from transformers import GptOssForCausalLM, Mxfp4Config
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    model = GptOssForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        attn_implementation="eager",
        quantization_config=Mxfp4Config(dequantize=True),
    )
    with torch.no_grad():
        return model(token_ids).logits.float()


def random_tokens(config, num_tokens=NUM_TOKENS, batch=2):
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, config.vocab_size, (batch, num_tokens), generator=generator)


def distance(ours, theirs):
    return float((ours - theirs).abs().max() / theirs.abs().max())


def most_errors(ours, theirs):
    """The error that three quarters of the tokens stay below.

    Random experts are as different as can be, and some router logits nearly tie: a rounding then
    decides between two of them, and that token's logits are others (docs/decisions/0018).
    """
    errors = (ours - theirs).norm(dim=-1) / theirs.norm(dim=-1)
    return float(errors.flatten().quantile(0.75))


@pytest.mark.parametrize("name", SHAPES)
def test_float32_logits_equal_transformers(name, checkpoint_of, load):
    config = SHAPES[name]
    num_tokens = max(NUM_TOKENS, config.sliding_window + 20)
    tokens = random_tokens(config, num_tokens)
    theirs = oracle_logits(checkpoint_of(config), tokens, torch.float32)
    ours = load(config, torch.float32).forward(tokens)
    assert distance(ours, theirs) <= tolerance("logits-float32")


@pytest.mark.parametrize("name", ["small", "published heads", "many experts"])
def test_bfloat16_logits_equal_transformers(name, checkpoint_of, load, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    config = SHAPES[name]
    tokens = random_tokens(config)
    theirs = oracle_logits(checkpoint_of(config), tokens, torch.bfloat16)
    ours = load(config, torch.bfloat16).forward(tokens)
    assert most_errors(ours, theirs) <= tolerance("logits-bfloat16")


def test_both_layouts_of_the_same_weights_give_the_same_logits(load, checkpoint_of, tmp_path):
    from tests.model.layouts import to_original

    to_original(checkpoint_of(SMALL), tmp_path / "original")
    tokens = random_tokens(SMALL)
    ours = load_transformer(tmp_path / "original", dtype=torch.float32).forward(tokens)
    assert torch.equal(ours, load(SMALL, torch.float32).forward(tokens))


def test_a_dequantised_checkpoint_gives_the_same_logits(load, checkpoint_of, tmp_path):
    from tests.model.layouts import to_dequantised

    to_dequantised(checkpoint_of(SMALL), tmp_path / "dense")
    tokens = random_tokens(SMALL)
    ours = load_transformer(tmp_path / "dense", dtype=torch.float32).forward(tokens)
    assert torch.allclose(ours, load(SMALL, torch.float32).forward(tokens), atol=1e-5)


@pytest.mark.parametrize("pieces", [[1] * NUM_TOKENS, [20, 1, 1, 26], [7, 41], [48]], ids=str)
@pytest.mark.parametrize("name", ["small", "five layers", "window of one", "published positions"])
def test_pages_change_nothing(name, pieces, load):
    model = load(SHAPES[name], torch.float32)
    tokens = random_tokens(SHAPES[name])
    paging = Paging(model)
    ids = [part.tolist() for part in tokens.split(pieces, dim=1)]
    parts = [paging.step(dict(enumerate(part))) for part in ids]
    ours = torch.cat([part.unflatten(0, (2, -1)) for part in parts], dim=1)
    assert distance(ours, model.forward(tokens)) <= tolerance("cache-float32")


def test_sequences_of_any_length_share_a_step(load):
    model = load(SMALL, torch.float32)
    a, b, c = (random_tokens(SMALL, length, batch=1)[0].tolist() for length in (40, 17, 1))
    paging = Paging(model)
    paging.step({"a": a[:30]})
    together = paging.step({"b": b, "a": a[30:], "c": c})
    alone = [model.forward(torch.tensor([tokens]))[0] for tokens in (b, a, c)]
    expected = torch.cat((alone[0], alone[1][30:], alone[2]))
    assert distance(together, expected) <= tolerance("cache-float32")


def test_logits_are_made_for_the_rows_asked_for(load):
    model = load(SMALL, torch.float32)
    tokens = random_tokens(SMALL, batch=1)[0].tolist()
    every = Paging(model).step({"a": tokens})
    assert torch.allclose(
        Paging(model).step({"a": tokens}, rows=[47, 3]), every[[47, 3]], atol=1e-5
    )


def test_later_tokens_do_not_change_earlier_logits(load):
    model, tokens = load(SMALL, torch.float32), random_tokens(SMALL)
    changed = tokens.clone()
    changed[:, 30:] = 0
    assert torch.allclose(model.forward(tokens)[:, :30], model.forward(changed)[:, :30], atol=1e-5)


@needs_native
@pytest.mark.parametrize("dense", ["bf16", "int8"])
@pytest.mark.parametrize("name", SHAPES)
def test_native_kernels_give_the_same_logits(name, dense, checkpoint_of, monkeypatch):
    config = SHAPES[name]
    tokens = random_tokens(config)
    pieces = dict(enumerate(tokens.tolist()))
    native = load_transformer(checkpoint_of(config), dense=dense)
    assert native.kernels.is_native
    ours = Paging(native).step(pieces)
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    exact = load_transformer(checkpoint_of(config), dtype=torch.float32).forward(tokens)
    assert most_errors(ours, exact.flatten(0, 1)) <= tolerance(f"logits-native-{dense}")


# Deliberately wrong twins: each must be seen at the tolerance that the right one passes.


def no_sink(q, k, v, sinks, *, window):
    return REFERENCE.attention(q, k, v, torch.full_like(sinks, -torch.inf), window=window)


def window_one_short(q, k, v, sinks, *, window):
    return REFERENCE.attention(q, k, v, sinks, window=window and window - 1)


def window_one_long(q, k, v, sinks, *, window):
    return REFERENCE.attention(q, k, v, sinks, window=window and window + 1)


def halves_instead_of_pairs(x, *, alpha, limit):
    gate, linear = x.chunk(2, dim=-1)
    return REFERENCE.swiglu(torch.stack((gate, linear), -1).flatten(-2), alpha=alpha, limit=limit)


def no_clamp(x, *, alpha, limit):
    return REFERENCE.swiglu(x, alpha=alpha, limit=torch.inf)


def swapped_nibbles(blocks, scales, dtype):
    return REFERENCE.dequantize_mxfp4((blocks >> 4) | (blocks << 4), scales, dtype)


def softmax_over_all_experts(logits, experts_per_token):
    weights, chosen = logits.softmax(-1).topk(experts_per_token)
    return weights, chosen


def adjacent_pairs(x, rotation):
    cos, sin = rotation.cos[:, None, :], rotation.sin[:, None, :]
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)


def scale_before_rounding_is_lost(x, scale, eps):
    return REFERENCE.rms_norm(x, torch.ones_like(scale), eps)


WRONG_TWINS = {
    "attention": [no_sink, window_one_short, window_one_long],
    "swiglu": [halves_instead_of_pairs, no_clamp],
    "dequantize_mxfp4": [swapped_nibbles],
    "route": [softmax_over_all_experts],
    "rotate": [adjacent_pairs],
    "rms_norm": [scale_before_rounding_is_lost],
}


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [(operation, wrong) for operation, twins in WRONG_TWINS.items() for wrong in twins],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_wrong_twin_fails_the_tolerance(operation, wrong, checkpoint_of, monkeypatch):
    # A tight SwiGLU limit, so that leaving it out shows.
    config = replace(SMALL, swiglu_limit=0.5)
    tokens = random_tokens(config)
    right = load_transformer(checkpoint_of(config), dtype=torch.float32).forward(tokens)
    twin = replace(REFERENCE, **{operation: wrong})
    monkeypatch.setattr(kernels, "select", lambda name=None: twin)
    logits = load_transformer(checkpoint_of(config), dtype=torch.float32).forward(tokens)
    assert distance(logits, right) > 10 * tolerance("logits-float32")


def test_rounded_yarn_bounds_fail_the_tolerance(load, monkeypatch):
    config = SHAPES["published positions"]
    model, tokens = load(config, torch.float32), random_tokens(config, 160)
    right = model.forward(tokens)
    low, high = config.yarn_bounds
    monkeypatch.setattr(Config, "yarn_bounds", (math.floor(low), math.ceil(high)))
    monkeypatch.setattr(rope, "_frequencies", rope._frequencies.__wrapped__)  # past its cache
    assert distance(model.forward(tokens), right) > tolerance("logits-float32")


def test_experts_stay_packed_in_memory(load, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    mixture = load(SMALL, torch.bfloat16).weights.layers[0].mixture
    assert isinstance(mixture.gate_up, Mxfp4Experts)
    assert mixture.gate_up.blocks.dtype == torch.uint8
    assert isinstance(mixture.down, Mxfp4Experts)
