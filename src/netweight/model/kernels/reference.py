"""The definition of right: each operation of the transformer in plain PyTorch, for any device.

Written to be read against openai/gpt-oss, gpt_oss/torch/model.py, whose numbers it reproduces.
Storage dtype is that of the arguments; norms, softmax, activations and the sum over experts are
computed in float32 and rounded once (docs/numerics.md).
"""

import math
from itertools import pairwise

import torch
from torch import Tensor

from netweight.model.mxfp4 import dequantize as dequantize_mxfp4
from netweight.model.paged import PAGE_TOKENS, Layout
from netweight.model.rope import Rotation

__all__ = [
    "attention",
    "dequantize_mxfp4",
    "paged_attention",
    "rms_norm",
    "rotate",
    "route",
    "store",
    "swiglu",
]


def rms_norm(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Divide x [..., hidden] by its root mean square, times scale [hidden] (arXiv 1910.07467)."""
    wide = x.float()
    wide = wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)
    return (wide * scale.float()).to(x.dtype)  # rounds once, after the scale, as the reference does


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn each pair (i, i + head_dim / 2) of x [..., tokens, heads, head_dim]."""
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


def store(k: Tensor, v: Tensor, pages: Tensor, table: Tensor, layout: Layout) -> None:
    """Write the step's keys and values [tokens, kv_heads, head_dim] into one layer's pages.

    Args:
        k: keys, already turned.
        v: values.
        pages: [pages, 2, kv_heads, PAGE_TOKENS * head_dim]; in this kernel set each head's part is
            [PAGE_TOKENS, head_dim].
        table: int32 [sequences, max_pages], the layer's kind of `layout`.
        layout: of the step.
    """
    kv_heads, head_dim = k.shape[1:]
    counts = layout.starts.diff().long()
    numbers = torch.arange(counts.numel(), device=counts.device)
    sequences = torch.repeat_interleave(numbers, counts)  # [tokens]
    positions = layout.positions.long()
    page = table[sequences, positions // PAGE_TOKENS].long()
    assert bool((page >= 0).all()), "a token of this step has no page"
    slots = pages.view(-1, 2, kv_heads, PAGE_TOKENS, head_dim)
    slots[page, 0, :, positions % PAGE_TOKENS] = k
    slots[page, 1, :, positions % PAGE_TOKENS] = v


def paged_attention(
    q: Tensor,
    pages: Tensor,
    table: Tensor,
    sinks: Tensor,
    layout: Layout,
    *,
    window: int | None,
) -> Tensor:
    """Attention of the step's tokens to the keys and values in pages, their own included.

    Args:
        q: [tokens, heads, head_dim], already turned.
        pages: as `store` has written them.
        table: as for `store`.
        sinks: as for `attention`.
        layout: of the step.
        window: as for `attention`.

    Returns:
        [tokens, heads * head_dim], in q's dtype.
    """
    kv_heads, head_dim = pages.shape[2], q.shape[-1]
    slots = pages.view(-1, 2, kv_heads, PAGE_TOKENS, head_dim)
    starts = layout.starts.tolist()
    mixed = []
    for sequence, (start, stop) in enumerate(pairwise(starts)):
        if start == stop:
            continue
        first, last = int(layout.positions[start]), int(layout.positions[stop - 1])
        first_page = 0 if window is None else max(0, first - window + 1) // PAGE_TOKENS
        used = table[sequence, first_page : last // PAGE_TOKENS + 1].long()
        kv = slots[used].transpose(2, 3).transpose(0, 1).flatten(1, 2)  # [2, slots, kv_heads, dim]
        kv = kv[:, : last + 1 - first_page * PAGE_TOKENS]
        mixed.append(attention(q[None, start:stop], kv[:1], kv[1:], sinks, window=window)[0])
    return torch.cat(mixed)


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
