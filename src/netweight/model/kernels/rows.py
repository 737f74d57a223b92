"""Attention, norm and router in native code (native/), on torch tensors.

Each function computes what the function of the same name in `reference` defines, with bfloat16 in
and out. Keys and values lie in pages as native/attention.h says, which is not the reference's way:
`store` and `paged_attention` belong together. Tolerances: docs/numerics.md.

This is the place where shapes, dtypes and strides are checked; native code trusts them, and checks
the page tables itself.
"""

from typing import NamedTuple

import torch
from torch import Tensor

import netweight._native as _native
from netweight.model.paged import PAGE_TOKENS, Layout
from netweight.model.rope import Rotation

__all__ = ["attend", "paged_attention", "prefer_huge_pages", "rms_norm", "rotate", "route", "store"]

_BFLOAT16, _FLOAT32, _INT32 = torch.bfloat16, torch.float32, torch.int32


def rms_norm(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Divide x bfloat16 [..., hidden] by its root mean square, times scale [hidden]."""
    x = _contiguous(x, "x")
    hidden = x.shape[-1]
    if scale.shape != (hidden,):
        raise ValueError(f"scale has shape {tuple(scale.shape)}, x {tuple(x.shape)}")
    out = torch.empty_like(x)
    _native.rms_norm(
        x.data_ptr(),
        x.numel() // hidden,
        hidden,
        *_stored(scale, "scale"),
        eps,
        out.data_ptr(),
    )
    return out


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn each pair (i, i + head_dim / 2) of x bfloat16 [tokens, heads, head_dim]."""
    tokens, heads, head_dim = x.shape
    cos, sin = _tables(rotation, tokens, head_dim)
    out = torch.empty((tokens, heads, head_dim), dtype=_BFLOAT16)
    _native.rotate(*_heads(x, "x"), tokens, heads, head_dim, cos, sin, out.data_ptr())
    return out


def route(logits: Tensor, experts_per_token: int) -> tuple[Tensor, Tensor]:
    """Choose experts from router logits [tokens, experts], bfloat16 or float32.

    Of equal logits the one with the lower index comes first; torch.topk promises no order.

    Returns:
        The chosen experts' weights (float32) and indices (int64), [tokens, experts_per_token].
    """
    tokens, experts = logits.shape
    if not 0 < experts_per_token <= experts:
        raise ValueError(f"{experts_per_token} of {experts} experts")
    logits = logits.contiguous()
    weights = torch.empty((tokens, experts_per_token), dtype=_FLOAT32)
    chosen = torch.empty((tokens, experts_per_token), dtype=torch.int64)
    _native.route(
        *_stored(logits, "logits"),
        tokens,
        experts,
        experts_per_token,
        weights.data_ptr(),
        chosen.data_ptr(),
    )
    return weights, chosen


def store(k: Tensor, v: Tensor, pages: Tensor, table: Tensor, layout: Layout) -> None:
    """Write turned keys and values [tokens, kv_heads, head_dim] into one layer's pages."""
    place = _place(pages, table, layout, k.shape[2])
    if k.shape != v.shape:
        raise ValueError(f"keys {tuple(k.shape)} and values {tuple(v.shape)}")
    if k.shape[:2] != (place.tokens, place.kv_heads):
        raise ValueError(f"keys of shape {tuple(k.shape)}")
    _native.store(*_heads(k, "k"), *_heads(v, "v"), *place)


def paged_attention(
    q: Tensor,
    pages: Tensor,
    table: Tensor,
    sinks: Tensor,
    layout: Layout,
    *,
    window: int | None,
) -> Tensor:
    """Attention of turned q [tokens, heads, head_dim] to the keys and values that `store` wrote.

    Returns:
        [tokens, heads * head_dim].
    """
    tokens, heads, head_dim = q.shape
    place = _place(pages, table, layout, head_dim)
    _check_attention(tokens, heads, sinks, window, place)
    out = torch.empty((tokens, heads * head_dim), dtype=_BFLOAT16)
    _native.paged_attention(
        *_heads(q, "q"), heads, *_stored(sinks, "sinks"), window or 0, out.data_ptr(), *place
    )
    return out


def attend(
    qkv: Tensor,
    rotation: Rotation,
    pages: Tensor,
    table: Tensor,
    sinks: Tensor,
    layout: Layout,
    *,
    window: int | None,
) -> Tensor:
    """`rotate` queries and keys, `store` keys and values, and `paged_attention`, in one call.

    The result is the same to the last bit.

    Args:
        qkv: bfloat16 [tokens, (heads + 2 kv_heads) * head_dim]: queries, keys, values.
        rotation: of the step's positions, bfloat16.
        pages: one layer's pages.
        table: the layer's kind of `layout`.
        sinks: [heads].
        layout: of the step.
        window: how many keys a query sees, itself included; None for all before it.

    Returns:
        [tokens, heads * head_dim].
    """
    heads, head_dim = sinks.numel(), 2 * rotation.cos.shape[1]
    qkv = _contiguous(qkv, "qkv")
    tokens, width = qkv.shape
    place = _place(pages, table, layout, head_dim)
    if width != (heads + 2 * place.kv_heads) * head_dim:
        raise ValueError(
            f"qkv rows of {width} for {heads} and {place.kv_heads} heads of {head_dim}"
        )
    _check_attention(tokens, heads, sinks, window, place)
    out = torch.empty((tokens, heads * head_dim), dtype=_BFLOAT16)
    _native.attend(
        qkv.data_ptr(),
        *_tables(rotation, tokens, head_dim),
        heads,
        *_stored(sinks, "sinks"),
        window or 0,
        out.data_ptr(),
        *place,
    )
    return out


def prefer_huge_pages(pages: Tensor) -> None:
    """Ask the system for memory in pages of 2 MB under `pages`, before they are first written.

    One token after 16,384 read its keys and values 1.25 times as fast (Zen 3, one core). A hint: it
    changes nothing where the system has no such pages.
    """
    _native.prefer_huge_pages(pages.data_ptr(), pages.nbytes)


class _Place(NamedTuple):
    """Where keys and values go, as native code takes it."""

    pages: int
    num_pages: int
    kv_heads: int
    head_dim: int
    table: int
    num_sequences: int
    max_pages: int
    positions: int
    starts: int
    tokens: int


def _place(pages: Tensor, table: Tensor, layout: Layout, head_dim: int) -> _Place:
    num_pages, two, kv_heads, slots = pages.shape
    positions, starts = layout.positions, layout.starts
    if two != 2 or slots != PAGE_TOKENS * head_dim or head_dim % 2:
        raise ValueError(f"pages of shape {tuple(pages.shape)} for heads of {head_dim}")
    if pages.dtype != _BFLOAT16 or not pages.is_contiguous():
        raise ValueError("pages must be bfloat16 in one piece")
    for part in (positions, starts, table):
        if part.dtype != _INT32 or not part.is_contiguous():
            raise ValueError("a layout is int32 in one piece")
    num_sequences, max_pages = table.shape
    if starts.numel() != num_sequences + 1:
        raise ValueError("a layout has a row of pages per sequence")
    return _Place(
        pages.data_ptr(),
        num_pages,
        kv_heads,
        head_dim,
        table.data_ptr(),
        num_sequences,
        max_pages,
        positions.data_ptr(),
        starts.data_ptr(),
        positions.numel(),
    )


def _check_attention(
    tokens: int, heads: int, sinks: Tensor, window: int | None, place: _Place
) -> None:
    if tokens != place.tokens:
        raise ValueError(f"{tokens} queries for {place.tokens} positions")
    if heads % place.kv_heads:
        raise ValueError(f"{heads} heads for {place.kv_heads} key heads")
    if sinks.numel() != heads:
        raise ValueError(f"{sinks.numel()} sinks for {heads} heads")
    if window is not None and window < 1:
        raise ValueError(f"window {window}")


def _tables(rotation: Rotation, tokens: int, head_dim: int) -> tuple[int, int]:
    for part in rotation:
        if part.dtype != _BFLOAT16 or part.shape != (tokens, head_dim // 2):
            raise ValueError(
                f"a rotation {part.dtype} {tuple(part.shape)} for {tokens} tokens of {head_dim}"
            )
        if not part.is_contiguous():
            raise ValueError("a rotation is in one piece")
    return rotation.cos.data_ptr(), rotation.sin.data_ptr()


def _heads(x: Tensor, name: str) -> tuple[int, int]:
    """Address and distance of tokens of x [tokens, heads, head_dim], which may be part of rows."""
    stride, between_heads, between = x.stride()
    if x.dtype != _BFLOAT16 or between != 1 or between_heads != x.shape[2]:
        raise ValueError(f"{name}: each token's heads must be bfloat16 in one piece")
    return x.data_ptr(), stride


def _stored(x: Tensor, name: str) -> tuple[int, bool]:
    """Address of x, and whether it is bfloat16 and not float32."""
    if x.dtype not in (_BFLOAT16, _FLOAT32) or not x.is_contiguous():
        raise ValueError(f"{name}: {x.dtype}")
    return x.data_ptr(), x.dtype == _BFLOAT16


def _contiguous(x: Tensor, name: str) -> Tensor:
    if x.dtype != _BFLOAT16:
        raise ValueError(f"{name} is {x.dtype}; native kernels take bfloat16")
    return x.contiguous()
