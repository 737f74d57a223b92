"""The definition of right: each operation of the transformer in plain PyTorch, for any device.

Written to be read against openai/gpt-oss, gpt_oss/torch/model.py, whose numbers it reproduces.
Storage dtype is that of the arguments; norms, softmax, activations and the sum over experts are
computed in float32 and rounded once (docs/numerics.md).
"""

import math

import torch
from torch import Tensor

from netweight.model.mxfp4 import dequantize as dequantize_mxfp4
from netweight.model.rope import Rotation

__all__ = ["attention", "dequantize_mxfp4", "rms_norm", "rotate", "route", "swiglu"]


def rms_norm(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Divide x [..., hidden] by its root mean square, times scale [hidden] (arXiv 1910.07467)."""
    wide = x.float()
    wide = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
    return (wide * scale.float()).to(x.dtype)  # rounds once, after the scale, as the reference does


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn each pair (i, i + head_dim / 2) of x [batch, tokens, heads, head_dim]."""
    cos, sin = rotation.cos[:, None, :], rotation.sin[:, None, :]  # [tokens, 1, head_dim / 2]
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def attention(q: Tensor, k: Tensor, v: Tensor, sinks: Tensor, *, window: int | None) -> Tensor:
    """Causal grouped-query attention with a sink per head.

    The sink is one more logit in each softmax, with no value: it takes weight away from the keys.

    Args:
        q: [batch, tokens, heads, head_dim], the last `tokens` of the `kv_tokens` positions.
        k: [batch, kv_tokens, kv_heads, head_dim]; query head h reads key head
            h // (heads / kv_heads).
        v: like k.
        sinks: [heads], logits, not scaled by 1 / sqrt(head_dim).
        window: how many keys a query sees, itself included; None for all before it.

    Returns:
        [batch, tokens, heads * head_dim], in q's dtype.
    """
    batch, tokens, heads, head_dim = q.shape
    kv_tokens, kv_heads = k.shape[1:3]
    group = heads // kv_heads
    q = q.view(batch, tokens, kv_heads, group, head_dim)
    scores = torch.einsum("bqhgd,bkhd->bhgqk", q, k).float() / math.sqrt(head_dim)
    scores = scores.masked_fill(~_visible(tokens, kv_tokens, window, q.device), -torch.inf)
    sink_column = sinks.float().view(1, kv_heads, group, 1, 1).expand(batch, -1, -1, tokens, 1)
    weights = torch.cat((scores, sink_column), dim=-1).softmax(dim=-1)[..., :-1]
    mixed = torch.einsum("bhgqk,bkhd->bqhgd", weights.to(v.dtype), v)
    return mixed.reshape(batch, tokens, heads * head_dim)


def _visible(tokens: int, kv_tokens: int, window: int | None, device: torch.device) -> Tensor:
    queries = torch.arange(kv_tokens - tokens, kv_tokens, device=device)[:, None]
    keys = torch.arange(kv_tokens, device=device)
    visible = keys <= queries  # [tokens, kv_tokens]
    return visible if window is None else visible & (keys > queries - window)


def route(logits: Tensor, experts_per_token: int) -> tuple[Tensor, Tensor]:
    """Choose experts from router logits [tokens, experts].

    Returns:
        The chosen experts' weights (float32) and indices, both [tokens, experts_per_token]; the
        softmax is over the chosen logits only.
    """
    chosen, indices = logits.float().topk(experts_per_token, dim=-1)
    return chosen.softmax(dim=-1), indices


def swiglu(x: Tensor, *, alpha: float, limit: float) -> Tensor:
    """gpt-oss's clamped SwiGLU: x [..., 2 * intermediate] holds gate and linear parts interleaved.

    gate * sigmoid(alpha * gate) * (linear + 1), gate at most `limit`, linear within +-`limit`.
    """
    gate, linear = x.float()[..., 0::2], x.float()[..., 1::2]
    gate = gate.clamp(max=limit)
    linear = linear.clamp(-limit, limit)
    return (gate * torch.sigmoid(alpha * gate) * (linear + 1)).to(x.dtype)
