"""Each reference operation against its definition, written as loops over single numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.model.kernels import reference


def attention_by_loops(q, k, v, sinks, window):
    batch, tokens, heads, head_dim = q.shape
    kv_tokens, kv_heads = k.shape[1:3]
    out = torch.zeros(batch, tokens, heads, head_dim)
    for b in range(batch):
        for t in range(tokens):
            position = kv_tokens - tokens + t
            first = 0 if window is None else max(0, position - window + 1)
            for h in range(heads):
                kv = h // (heads // kv_heads)
                logits = [
                    float(q[b, t, h] @ k[b, s, kv]) / math.sqrt(head_dim)
                    for s in range(first, position + 1)
                ]
                total = sum(math.exp(x) for x in logits) + math.exp(float(sinks[h]))
                for s, x in zip(range(first, position + 1), logits, strict=True):
                    out[b, t, h] += math.exp(x) / total * v[b, s, kv]
    return out.flatten(2)


@given(
    tokens=st.integers(1, 6),
    earlier=st.integers(0, 5),
    window=st.none() | st.integers(1, 7),
    group=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_attention_is_its_definition(tokens, earlier, window, group, seed):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    q = normal(2, tokens, 2 * group, 4)
    k, v = normal(2, tokens + earlier, 2, 4), normal(2, tokens + earlier, 2, 4)
    sinks = normal(2 * group)
    ours = reference.attention(q, k, v, sinks, window=window)
    assert torch.allclose(ours, attention_by_loops(q, k, v, sinks, window), atol=1e-5)


def test_a_large_sink_takes_all_the_weight():
    q, kv = torch.randn(1, 3, 2, 4), torch.randn(1, 3, 2, 4)
    out = reference.attention(q, kv, kv, torch.full((2,), 1000.0), window=None)
    assert torch.equal(out, torch.zeros(1, 3, 8))


def test_huge_scores_stay_finite():
    q = torch.full((1, 2, 1, 4), 1e4, dtype=torch.bfloat16)
    out = reference.attention(q, q, q, torch.zeros(1, dtype=torch.bfloat16), window=None)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize(("gate", "linear"), [(3.0, 2.0), (9.0, 9.0), (-9.0, -9.0), (0.0, 5.0)])
def test_swiglu_is_its_definition(gate, linear):
    x = torch.tensor([gate, linear])
    g, m = min(gate, 7.0), max(-7.0, min(linear, 7.0))
    expected = g / (1 + math.exp(-1.702 * g)) * (m + 1)
    assert reference.swiglu(x, alpha=1.702, limit=7.0).item() == pytest.approx(expected, rel=1e-5)


def test_the_chosen_experts_weights_sum_to_one():
    weights, chosen = reference.route(torch.randn(20, 16), 4)
    assert torch.allclose(weights.sum(-1), torch.ones(20))
    assert all(len(set(row.tolist())) == 4 for row in chosen)


def test_rms_norm_rounds_once_after_the_scale():
    x = torch.randn(4, 64).to(torch.bfloat16)
    scale = torch.randn(64)
    wide = x.double()
    exact = wide / (wide.square().mean(-1, keepdim=True) + 1e-5).sqrt() * scale
    ours = reference.rms_norm(x, scale, 1e-5)
    assert torch.equal(ours, exact.float().to(torch.bfloat16))
