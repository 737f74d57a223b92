"""Norm and rotation of rows, in Triton.

* `rms_norm`, `add_rms_norm`: x / sqrt(mean(x^2) + eps) * scale in float32, rounded once
  (`reference.rms_norm`); one program per row. `add_rms_norm` rounds x + delta first, as the
  residual stream is kept. Equal to the reference but for the order of one sum and the device's
  reciprocal root: tolerance norm-bfloat16 of docs/numerics.md.
* `rotate_store`: `reference.rotate` of queries and keys and `reference.store` in one launch; a
  program has 16 heads of a token. Products are rounded to the storage type before they are added,
  as the reference has it, so the results are the reference's bit for bit.

Rows of qkv are [heads + 2 kv_heads, head_dim]: queries, keys, values. Pages are the reference's,
[pages, 2, kv_heads, PAGE_TOKENS, head_dim]. Arithmetic is float32 whatever the storage type.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.device_layout import DeviceLayout
from netweight.model.paged import PAGE_TOKENS
from netweight.model.rope import Rotation

__all__ = ["add_rms_norm", "check_rotation", "rms_norm", "rotate_store", "rounded_product"]

# From compiled code, unmeasured on a device: a row of 2,880 bfloat16 is 360 loads of 16 bytes, two
# per thread; 16 halves of heads of 32 bfloat16 are one such load per thread.
_NORM_WARPS = 8
_ROTATE_HEADS = 16
_ROTATE_WARPS = 2


@triton.jit
def _rms_norm(x, scale, out, eps, stride, HIDDEN: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < HIDDEN
    wide = tl.load(x + row * stride + columns, mask=inside, other=0.0).to(tl.float32)
    factor = tl.load(scale + columns, mask=inside, other=0.0).to(tl.float32)
    normed = _normed(wide, factor, eps, HIDDEN)
    tl.store(out + row * HIDDEN + columns, normed.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _add_rms_norm(
    x,
    delta,
    scale,
    total,
    out,
    eps,
    stride,
    delta_stride,
    HIDDEN: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < HIDDEN
    wide = tl.load(x + row * stride + columns, mask=inside, other=0.0).to(tl.float32)
    wide += tl.load(delta + row * delta_stride + columns, mask=inside, other=0.0).to(tl.float32)
    factor = tl.load(scale + columns, mask=inside, other=0.0).to(tl.float32)
    rounded = wide.to(total.dtype.element_ty)  # the residual stream's one rounding
    tl.store(total + row * HIDDEN + columns, rounded, mask=inside)
    normed = _normed(rounded.to(tl.float32), factor, eps, HIDDEN)
    tl.store(out + row * HIDDEN + columns, normed.to(out.dtype.element_ty), mask=inside)


@triton.jit
def _normed(wide, factor, eps, HIDDEN: tl.constexpr):
    return wide * tl.rsqrt(tl.sum(wide * wide, axis=0) / HIDDEN + eps) * factor


def rms_norm(x: Tensor, scale: Tensor, eps: float) -> Tensor:
    """Divide x [..., hidden] by its root mean square, times scale [hidden] (arXiv 1910.07467)."""
    rows = _rows(x, scale, "x")
    num_rows, hidden = rows.shape
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    if num_rows:
        _rms_norm[(num_rows,)](
            rows,
            scale,
            out,
            eps,
            rows.stride(0),
            HIDDEN=hidden,
            BLOCK=triton.next_power_of_2(hidden),
            num_warps=_NORM_WARPS,
        )
    return out


def add_rms_norm(x: Tensor, delta: Tensor, scale: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Add delta [..., hidden] to x, rounded to x's dtype, and take its `rms_norm`.

    Both results are new tensors.
    """
    if delta.shape != x.shape:
        raise ValueError(f"x {tuple(x.shape)} and delta {tuple(delta.shape)}")
    rows, delta_rows = _rows(x, scale, "x"), _rows(delta, scale, "delta")
    num_rows, hidden = rows.shape
    total = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    if num_rows:
        _add_rms_norm[(num_rows,)](
            rows,
            delta_rows,
            scale,
            total,
            out,
            eps,
            rows.stride(0),
            delta_rows.stride(0),
            HIDDEN=hidden,
            BLOCK=triton.next_power_of_2(hidden),
            num_warps=_NORM_WARPS,
        )
    return total, out


@triton.jit(do_not_specialize=["max_pages"])
def _rotate_store(
    qkv,
    cos,
    sin,
    positions,
    sequences,
    table,
    q_out,
    pages,
    stride,
    max_pages,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    HALF: tl.constexpr,
    BLOCK_HALF: tl.constexpr,
    BLOCK_HEADS: tl.constexpr,
    PAGE: tl.constexpr,
):
    token = tl.program_id(0).to(tl.int64)
    heads = tl.program_id(1) * BLOCK_HEADS + tl.arange(0, BLOCK_HEADS)[:, None]
    pairs = tl.arange(0, BLOCK_HALF)[None, :]
    inside = (heads < HEADS + 2 * KV_HEADS) & (pairs < HALF)
    position = tl.load(positions + token)
    present = position >= 0  # a token that pads the batch has zeros for a query
    source = qkv + token * stride + heads * (2 * HALF) + pairs
    first = tl.load(source, mask=inside & present, other=0.0)
    second = tl.load(source + HALF, mask=inside & present, other=0.0)
    turn = token * HALF + pairs
    c = tl.load(cos + turn, mask=(pairs < HALF) & present, other=0.0)
    s = tl.load(sin + turn, mask=(pairs < HALF) & present, other=0.0)
    turned_first = (rounded_product(first, c) - rounded_product(second, s)).to(first.dtype)
    turned_second = (rounded_product(second, c) + rounded_product(first, s)).to(first.dtype)
    is_value = heads >= HEADS + KV_HEADS
    first = tl.where(is_value, first, turned_first)
    second = tl.where(is_value, second, turned_second)

    is_query = heads < HEADS
    target = q_out + (token * HEADS + heads) * (2 * HALF) + pairs
    tl.store(target, first, mask=inside & is_query)
    tl.store(target + HALF, second, mask=inside & is_query)

    column = tl.maximum(position, 0) // PAGE
    page = tl.load(table + tl.load(sequences + token).to(tl.int64) * max_pages + column)
    # Keys of all heads, then values of all heads: heads - HEADS counts through both.
    slot = (heads - HEADS) * PAGE + tl.maximum(position, 0) % PAGE
    target = pages + page.to(tl.int64) * (4 * KV_HEADS * PAGE * HALF) + slot * (2 * HALF) + pairs
    stored = inside & (heads >= HEADS) & present & (page >= 0)
    tl.store(target, first, mask=stored)
    tl.store(target + HALF, second, mask=stored)


@triton.jit
def rounded_product(x, turn):
    """The product in the storage type, rounded once, as a float32."""
    return (x.to(tl.float32) * turn.to(tl.float32)).to(x.dtype).to(tl.float32)


def rotate_store(
    qkv: Tensor, rotation: Rotation, pages: Tensor, table: Tensor, layout: DeviceLayout
) -> Tensor:
    """Turn a step's queries and keys, and store keys and values in one layer's pages.

    Args:
        qkv: [tokens, (heads + 2 kv_heads) * head_dim]: queries, keys, values.
        rotation: of the step's positions, [tokens, head_dim / 2] in qkv's dtype.
        pages: [pages, 2, kv_heads, PAGE_TOKENS * head_dim] in qkv's dtype.
        table: the layer's kind of `layout`.
        layout: of the step. Tokens at position -1 store nothing, and their queries are zeros.

    Returns:
        The queries [tokens, heads, head_dim].
    """
    num_tokens, half = rotation.cos.shape
    kv_heads = pages.shape[2]
    heads = qkv.shape[1] // (2 * half) - 2 * kv_heads
    check_rotation(qkv, rotation, pages, layout)
    q = torch.empty((num_tokens, heads, 2 * half), dtype=qkv.dtype, device=qkv.device)
    if num_tokens:
        _rotate_store[(num_tokens, triton.cdiv(heads + 2 * kv_heads, _ROTATE_HEADS))](
            qkv,
            rotation.cos,
            rotation.sin,
            layout.positions,
            layout.sequences,
            table,
            q,
            pages,
            qkv.stride(0),
            table.shape[1],
            HEADS=heads,
            KV_HEADS=kv_heads,
            HALF=half,
            BLOCK_HALF=triton.next_power_of_2(half),
            BLOCK_HEADS=_ROTATE_HEADS,
            PAGE=PAGE_TOKENS,
            num_warps=_ROTATE_WARPS,
        )
    return q


def _rows(x: Tensor, scale: Tensor, name: str) -> Tensor:
    """X as [rows, hidden] whose numbers lie side by side; a copy only where they do not."""
    hidden = x.shape[-1]
    if scale.shape != (hidden,) or not scale.is_contiguous():
        raise ValueError(f"scale has shape {tuple(scale.shape)}, {name} {tuple(x.shape)}")
    rows = x.reshape(-1, hidden)
    return rows if rows.stride(1) == 1 else rows.contiguous()


def check_rotation(qkv: Tensor, rotation: Rotation, pages: Tensor, layout: DeviceLayout) -> None:
    """Whether the arguments of `rotate_store` fit together.

    Raises:
        ValueError: if they do not.
    """
    num_tokens, half = rotation.cos.shape
    kv_heads, slots = pages.shape[2:]
    heads = qkv.shape[1] // (2 * half) - 2 * kv_heads
    if heads < 1 or qkv.shape != (num_tokens, (heads + 2 * kv_heads) * 2 * half):
        raise ValueError(
            f"qkv {tuple(qkv.shape)} for {num_tokens} rotations, {kv_heads} key heads of {2 * half}"
        )
    if layout.positions.numel() != num_tokens:
        raise ValueError(f"{num_tokens} rotations for {layout.positions.numel()} positions")
    if slots != PAGE_TOKENS * 2 * half or not pages.is_contiguous():
        raise ValueError(f"pages of shape {tuple(pages.shape)} for heads of {2 * half}")
    for part in (pages, *rotation):
        if part.dtype != qkv.dtype:
            raise ValueError(f"qkv is {qkv.dtype}; pages and rotation are too, not {part.dtype}")
    if qkv.stride(1) != 1 or not all(part.is_contiguous() for part in rotation):
        raise ValueError("a token's heads, and a rotation, lie in one piece")
