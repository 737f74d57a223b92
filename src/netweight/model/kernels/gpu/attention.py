"""Attention over pages of keys and values, in Triton.

    out[t, h] = sum_k exp(s_k - m) v_k / (exp(sink_h - m) + sum_k exp(s_k - m))
    s_k = q[t, h] . k_k / sqrt(head_dim),  over the keys k that t sees

as `reference.paged_attention` has it. The softmax runs over blocks of keys (Milakov and Gimelshein,
arXiv 1805.02867; Dao, arXiv 2307.08691) and starts from the sink, a logit without a value. Scores
and sums are float32; weights are rounded to the storage type before the product with the values;
the result is rounded once. Tolerance: attention-amx of docs/numerics.md, which rounds as this does.

Pages are the reference's, [pages, 2, kv_heads, PAGE_TOKENS, head_dim]. A program has one key head
and the query heads that share it, of one token or of a tile of a prompt: they are the rows of its
matrix products, so that keys and values are read once for all of them. It begins at the first page
that a window shows, masks only the blocks at the edges of what is seen, and looks up no page
beyond. Where few programs have many keys, several share a program's keys (split-K, as in
FlashDecoding), and a second kernel adds up their parts, in a fixed order.

`attend` is `rows.rotate_store` and `paged_attention`. For steps of one token per sequence it is one
launch: the softmax then starts from the token's own key and value too, which go to its page and
need not come back from there.
"""

import math
from functools import cache
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.device_layout import PREFILL_TILE, DeviceLayout
from netweight.model.kernels.gpu.rows import check_rotation, rotate_store, rounded_product
from netweight.model.paged import PAGE_TOKENS
from netweight.model.rope import Rotation

__all__ = ["DECODE", "PREFILL", "attend", "num_splits", "paged_attention"]


class Tuning(NamedTuple):
    """How a kernel is compiled."""

    block_keys: int  # keys per step of the running softmax
    num_warps: int
    num_stages: int  # blocks on their way from memory, and in use


# From compiled code (test_attention_compile.py), unmeasured on a device.
DECODE = Tuning(block_keys=128, num_warps=4, num_stages=3)
PREFILL = Tuning(block_keys=64, num_warps=8, num_stages=3)

# As many programs of DECODE as an H200 holds at once, three on each of 132 multiprocessors.
# Unmeasured, as are the numbers that follow.
_RESIDENT_PROGRAMS = 396
# A program with fewer keys is mostly start and end; one with more is what all others wait for.
_MIN_SPLIT_KEYS, _MAX_SPLIT_KEYS = 256, 4096
# More splits, or more programs for all, would be mostly parts to add up: at most 100 MB of them.
_MAX_SPLITS, _MAX_PROGRAMS = 64, 8 * _RESIDENT_PROGRAMS

_LOG2_E = tl.constexpr(math.log2(math.e))
_LOWEST = tl.constexpr(-1e30)  # the maximum of nothing; finite, so that differences are numbers
_MIN_ROWS = 16  # of a matrix product


@triton.jit
def _tile(tiles, starts, index, TILE: tl.constexpr):
    """Sequence, first token and number of tokens of a tile; TILE 1: sequences have one token."""
    if TILE == 1:
        sequence = index
        first = index
        count = tl.full((), 1, tl.int32)
    else:
        sequence = tl.load(tiles + 2 * index)
        first = tl.load(tiles + 2 * index + 1)
        count = tl.minimum(tl.load(starts + sequence + 1) - first, TILE)
    return sequence, first, count


@triton.jit
def _blocks(
    position,
    last,
    splits,
    WINDOW: tl.constexpr,
    BLOCK_KEYS: tl.constexpr,
    MIN_BLOCKS: tl.constexpr,
    PAGE: tl.constexpr,
):
    """The first key of the pages that tokens from `position` to `last` see, and blocks per split.

    All splits have as many, but for the last one in use.
    """
    start = tl.zeros((), tl.int32)
    if WINDOW > 0:
        start = tl.maximum(position - WINDOW + 1, 0) // PAGE * PAGE
    num_blocks = tl.cdiv(last + 1 - start, BLOCK_KEYS)
    return start, tl.maximum(tl.cdiv(num_blocks, splits), MIN_BLOCKS)


@triton.jit
def _attend(
    mixed,
    total,
    largest,
    query,
    query_positions,
    keys,
    values,
    table,
    begin,
    end,
    last,
    scale,
    MASKED: tl.constexpr,
    OWN: tl.constexpr,
    WINDOW: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_DIM: tl.constexpr,
    BLOCK_KEYS: tl.constexpr,
    PAGE: tl.constexpr,
    PAGE_STRIDE: tl.constexpr,
    NUM_STAGES: tl.constexpr,
):
    """Carry the running softmax over the blocks of keys from `begin` to before `end`.

    `largest` and `total` [rows]: the largest score, in powers of two, and the sum of weights
    relative to it; `mixed` [rows, BLOCK_DIM]: the sum of values.
    """
    dims = tl.arange(0, BLOCK_DIM)[None, :]
    ahead = begin + tl.arange(0, BLOCK_KEYS)
    # Looked up a block ahead: were the page's number awaited first, keys and values would not be
    # under way while others are in use.
    page = tl.load(table + ahead // PAGE, mask=ahead <= last, other=-1)
    for block in tl.range(begin, end, BLOCK_KEYS, num_stages=NUM_STAGES):
        positions = block + tl.arange(0, BLOCK_KEYS)
        # Behind the last token a page may hold anything.
        stored = (positions <= last) & (page >= 0)
        slots = page.to(tl.int64) * PAGE_STRIDE + positions % PAGE * HEAD_DIM
        offsets = slots[:, None] + dims
        inside = stored[:, None] & (dims < HEAD_DIM)
        if MASKED or HEAD_DIM != BLOCK_DIM:
            k = tl.load(keys + offsets, mask=inside, other=0.0)
            v = tl.load(values + offsets, mask=inside, other=0.0)
        else:
            k = tl.load(keys + offsets)
            v = tl.load(values + offsets)
        scores = tl.dot(query, tl.trans(k), input_precision="ieee")
        if MASKED:
            seen = positions[None, :] <= query_positions[:, None] - OWN
            if WINDOW > 0:
                seen = seen & (positions[None, :] > query_positions[:, None] - WINDOW)
            scores = tl.where(seen, scores, -float("inf"))
        higher = tl.maximum(largest, tl.max(scores, axis=1) * scale)
        weights = tl.exp2(scores * scale - higher[:, None])  # one instruction, then the power
        shrink = tl.exp2(largest - higher)
        largest = higher
        total = total * shrink + tl.sum(weights, axis=1)
        ahead = positions + BLOCK_KEYS
        page = tl.load(table + ahead // PAGE, mask=ahead <= last, other=-1)
        mixed = mixed * shrink[:, None]
        # Rounds weights to the storage type, as the reference does.
        mixed = tl.dot(weights.to(v.dtype), v, mixed, input_precision="ieee")
    return mixed, total, largest


@triton.jit
def _turned(source, cos, sin, inside, dims, HALF: tl.constexpr):
    """Numbers [rows, dims] of heads at `source` [rows, 1], turned as `rows.rotate_store` does."""
    pairs = dims % HALF
    x = tl.load(source + dims, mask=inside, other=0.0)
    y = tl.load(source + tl.where(dims < HALF, dims + HALF, dims - HALF), mask=inside, other=0.0)
    c = tl.load(cos + pairs, mask=dims < 2 * HALF, other=0.0)
    s = tl.load(sin + pairs, mask=dims < 2 * HALF, other=0.0)
    s = tl.where(dims < HALF, -s, s)
    return (rounded_product(x, c) + rounded_product(y, s)).to(x.dtype)


@triton.jit(do_not_specialize=["max_pages", "first_token", "splits"])
def _paged_attention(
    q,
    cos,
    sin,
    pages,
    table,
    sinks,
    positions,
    starts,
    tiles,
    out,
    parts,
    sums,
    scale,
    stride,
    max_pages,
    first_token,
    splits,
    OWN: tl.constexpr,
    IS_SPLIT: tl.constexpr,
    TILE: tl.constexpr,
    WINDOW: tl.constexpr,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
    BLOCK_GROUP: tl.constexpr,
    BLOCK_DIM: tl.constexpr,
    BLOCK_KEYS: tl.constexpr,
    MIN_BLOCKS: tl.constexpr,
    PAGE: tl.constexpr,
    NUM_STAGES: tl.constexpr,
):
    """One split of the keys of a tile and a key head: program ids are (tile, key head, split).

    A row is a token of the tile and one of the BLOCK_GROUP query heads, padding included, of the
    key head. If IS_SPLIT, `mixed` goes to `parts` [tokens, HEADS, splits, HEAD_DIM], `total` and
    `largest` to `sums` [tokens, HEADS, splits, 2], both float32; tokens count from `first_token`.

    Rows of `q` are `stride` numbers apart. If OWN, which is 0 or 1, they are those of qkv, and the
    tile's one token is turned and stored here: the first split takes its key and value from there.
    """
    kv_head = tl.program_id(1)
    split = tl.program_id(2)
    # Of a prompt's tiles the last has most to do, so it begins first.
    index = tl.program_id(0) if TILE == 1 else tl.num_programs(0) - 1 - tl.program_id(0)
    sequence, first, count = _tile(tiles, starts, index, TILE)
    rows = tl.arange(0, BLOCK_ROWS)
    tokens = rows // BLOCK_GROUP
    heads = kv_head * (HEADS // KV_HEADS) + rows % BLOCK_GROUP
    present = (tokens < count) & (rows % BLOCK_GROUP < HEADS // KV_HEADS)
    dims = tl.arange(0, BLOCK_DIM)[None, :]
    inside = present[:, None] & (dims < HEAD_DIM)
    places = (first + tokens).to(tl.int64) * HEADS + heads
    offsets = places[:, None] * HEAD_DIM + dims

    position = tl.load(positions + first)
    if position < 0:  # pads the batch
        if not IS_SPLIT:
            zeros = tl.zeros((BLOCK_ROWS, BLOCK_DIM), out.dtype.element_ty)
            tl.store(out + offsets, zeros, mask=inside)
        return
    last = position + count - 1 - OWN  # of what is read: the own token may not be in its page yet
    start, per_split = _blocks(position, last, splits, WINDOW, BLOCK_KEYS, MIN_BLOCKS, PAGE)
    begin = start + split * per_split * BLOCK_KEYS
    end = tl.minimum(begin + per_split * BLOCK_KEYS, last + 1)
    if (begin >= end) & (split > 0):  # a split without keys
        return

    keys = pages + kv_head * (PAGE * HEAD_DIM)
    values = keys + KV_HEADS * PAGE * HEAD_DIM
    table += sequence.to(tl.int64) * max_pages
    # The sink is the first split's: of all others the running softmax begins with nothing.
    sink = tl.load(sinks + heads, mask=present & (split == 0), other=-float("inf"))
    sink = sink.to(tl.float32) * _LOG2_E
    largest = tl.maximum(sink, _LOWEST)
    query_positions = position + tokens
    source = q + ((first + tokens).to(tl.int64) * stride + heads * HEAD_DIM)[:, None]
    if OWN:
        turn = first.to(tl.int64) * (HEAD_DIM // 2)
        query = _turned(source, cos + turn, sin + turn, inside, dims, HEAD_DIM // 2)
        source = q + first.to(tl.int64) * stride + (HEADS + kv_head) * HEAD_DIM
        k = _turned(source, cos + turn, sin + turn, dims < HEAD_DIM, dims, HEAD_DIM // 2)
        v = tl.load(source + KV_HEADS * HEAD_DIM + dims, mask=dims < HEAD_DIM, other=0.0)
        page = tl.load(table + position // PAGE)
        slot = page.to(tl.int64) * (2 * KV_HEADS * PAGE * HEAD_DIM) + position % PAGE * HEAD_DIM
        stored = (dims < HEAD_DIM) & (page >= 0) & (split == 0)
        tl.store(keys + slot + dims, k, mask=stored)
        tl.store(values + slot + dims, v, mask=stored)
        score = tl.sum(query.to(tl.float32) * k.to(tl.float32), axis=1) * scale
        score = tl.where(split == 0, score, -float("inf"))
        largest = tl.maximum(largest, score)
        weight = tl.exp2(score - largest)
        total = tl.exp2(sink - largest) + weight
        mixed = weight.to(v.dtype).to(tl.float32)[:, None] * v.to(tl.float32)
    else:
        query = tl.load(source + dims, mask=inside, other=0.0)
        total = tl.exp2(sink - largest)
        mixed = tl.zeros((BLOCK_ROWS, BLOCK_DIM), tl.float32)
    if WINDOW == 0:
        # The blocks that every row sees all of.
        whole = (position + 1 - OWN) // BLOCK_KEYS * BLOCK_KEYS
        middle = tl.maximum(tl.minimum(end, whole), begin)
        mixed, total, largest = _attend(
            mixed,
            total,
            largest,
            query,
            query_positions,
            keys,
            values,
            table,
            begin,
            middle,
            last,
            scale,
            MASKED=False,
            OWN=OWN,
            WINDOW=WINDOW,
            HEAD_DIM=HEAD_DIM,
            BLOCK_DIM=BLOCK_DIM,
            BLOCK_KEYS=BLOCK_KEYS,
            PAGE=PAGE,
            PAGE_STRIDE=2 * KV_HEADS * PAGE * HEAD_DIM,
            NUM_STAGES=NUM_STAGES,
        )
        begin = middle
    mixed, total, largest = _attend(
        mixed,
        total,
        largest,
        query,
        query_positions,
        keys,
        values,
        table,
        begin,
        end,
        last,
        scale,
        MASKED=True,
        OWN=OWN,
        WINDOW=WINDOW,
        HEAD_DIM=HEAD_DIM,
        BLOCK_DIM=BLOCK_DIM,
        BLOCK_KEYS=BLOCK_KEYS,
        PAGE=PAGE,
        PAGE_STRIDE=2 * KV_HEADS * PAGE * HEAD_DIM,
        NUM_STAGES=NUM_STAGES if WINDOW > 0 else 1,  # of a block or two there is nothing to overlap
    )
    if IS_SPLIT:
        place = (places - first_token * HEADS) * splits + split
        tl.store(parts + place[:, None] * HEAD_DIM + dims, mixed, mask=inside)
        tl.store(sums + 2 * place, total, mask=present)
        tl.store(sums + 2 * place + 1, largest, mask=present)
    else:
        tl.store(out + offsets, (mixed / total[:, None]).to(out.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["first_token", "splits"])
def _merge(
    parts,
    sums,
    positions,
    starts,
    tiles,
    out,
    first_token,
    splits,
    OWN: tl.constexpr,
    TILE: tl.constexpr,
    WINDOW: tl.constexpr,
    HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_DIM: tl.constexpr,
    BLOCK_SPLITS: tl.constexpr,
    BLOCK_KEYS: tl.constexpr,
    MIN_BLOCKS: tl.constexpr,
    PAGE: tl.constexpr,
):
    """Add up the splits of a token and a head: program ids are (tile and token of it, head)."""
    _, first, count = _tile(tiles, starts, tl.program_id(0) // TILE, TILE)
    token = tl.program_id(0) % TILE
    if token >= count:
        return
    dims = tl.arange(0, BLOCK_DIM)[None, :]
    position = tl.load(positions + first)
    place = (first + token).to(tl.int64) * HEADS + tl.program_id(1)
    target = out + place * HEAD_DIM + dims
    if position < 0:  # pads the batch
        tl.store(target, tl.zeros((1, BLOCK_DIM), out.dtype.element_ty), mask=dims < HEAD_DIM)
        return
    last = position + count - 1 - OWN
    start, per_split = _blocks(position, last, splits, WINDOW, BLOCK_KEYS, MIN_BLOCKS, PAGE)
    split = tl.arange(0, BLOCK_SPLITS)
    used = (start + split * per_split * BLOCK_KEYS <= last) | (split == 0)
    source = (place - first_token * HEADS) * splits + split
    total = tl.load(sums + 2 * source, mask=used, other=0.0)
    largest = tl.load(sums + 2 * source + 1, mask=used, other=_LOWEST)
    shrink = tl.exp2(largest - tl.max(largest, axis=0))
    inside = used[:, None] & (dims < HEAD_DIM)
    mixed = tl.load(parts + source[:, None] * HEAD_DIM + dims, mask=inside, other=0.0)
    mixed = tl.sum(mixed * shrink[:, None], axis=0)[None, :] / tl.sum(total * shrink, axis=0)
    tl.store(target, mixed.to(out.dtype.element_ty), mask=dims < HEAD_DIM)


def paged_attention(
    q: Tensor,
    pages: Tensor,
    table: Tensor,
    sinks: Tensor,
    layout: DeviceLayout,
    *,
    window: int | None,
) -> Tensor:
    """Attention of the step's tokens to the keys and values in pages, their own included.

    Args:
        q: [tokens, heads, head_dim], already turned.
        pages: [pages, 2, kv_heads, PAGE_TOKENS * head_dim] in q's dtype, as `rotate_store` left
            them.
        table: the layer's kind of `layout`.
        sinks: [heads], logits, of any float dtype.
        layout: of the step. Tokens at position -1 attend to nothing.
        window: how many keys a query sees, itself included; None for all before it.

    Returns:
        [tokens, heads * head_dim], in q's dtype; zeros where there is no token.
    """
    if q.dim() != 3 or not q.is_contiguous():
        raise ValueError(
            f"queries {tuple(q.shape)}; they are [tokens, heads, head_dim] in one piece"
        )
    step = _Step.of(q.flatten(1), q.shape[2], pages, table, sinks, layout, window)
    if layout.num_decodes:
        step.run(DECODE, 1, layout.num_decodes, layout.max_context)
    if len(layout.tiles):
        step.run(PREFILL, PREFILL_TILE, len(layout.tiles), layout.max_prompt_context)
    return step.out


def attend(
    qkv: Tensor,
    rotation: Rotation,
    pages: Tensor,
    table: Tensor,
    sinks: Tensor,
    layout: DeviceLayout,
    *,
    window: int | None,
) -> Tensor:
    """`rotate_store` and `paged_attention`; one launch for steps of one token per sequence.

    There the programs of a token's keys turn it and store it, which saves a launch per layer.

    Args:
        qkv: [tokens, (heads + 2 kv_heads) * head_dim]: queries, keys, values.
        rotation: of the step's positions, [tokens, head_dim / 2] in qkv's dtype.
        pages: as for `paged_attention`, in qkv's dtype.
        table: the layer's kind of `layout`.
        sinks: [heads].
        layout: of the step.
        window: how many keys a query sees, itself included; None for all before it.

    Returns:
        [tokens, heads * head_dim], in qkv's dtype.
    """
    if len(layout.tiles):
        q = rotate_store(qkv, rotation, pages, table, layout)
        return paged_attention(q, pages, table, sinks, layout, window=window)
    check_rotation(qkv, rotation, pages, layout)
    head_dim = 2 * rotation.cos.shape[1]
    step = _Step.of(qkv, head_dim, pages, table, sinks, layout, window, rotation)
    if layout.num_decodes:
        step.run(DECODE, 1, layout.num_decodes, layout.max_context)
    return step.out


@cache  # for every layer of every step, else
def num_splits(num_programs: int, num_keys: int) -> int:
    """Among how many programs the keys of one are divided, which are at most `num_keys`.

    So few that the last wave of programs on an H200 leaves little more of it idle than it must
    (FlashDecoding's rule), and so many that one long sequence does not keep all others waiting.
    """
    most = min(num_keys // _MIN_SPLIT_KEYS, _MAX_SPLITS, _MAX_PROGRAMS // num_programs)
    most = max(most, 1)
    least = min(triton.cdiv(num_keys, _MAX_SPLIT_KEYS), most)

    def busy(splits: int) -> float:
        waves = num_programs * splits / _RESIDENT_PROGRAMS
        return waves / math.ceil(waves)

    good = 0.9 * max(busy(splits) for splits in range(least, most + 1))
    return next(splits for splits in range(least, most + 1) if busy(splits) >= good)


class _Step(NamedTuple):
    """The arguments of `paged_attention` or `attend`, checked, and room for the result."""

    rows: Tensor  # [tokens, heads * head_dim], or of qkv
    head_dim: int
    pages: Tensor
    table: Tensor
    sinks: Tensor
    layout: DeviceLayout
    window: int | None
    rotation: Rotation | None  # None: queries are turned, and keys and values stored
    out: Tensor

    @classmethod
    def of(
        cls,
        rows: Tensor,
        head_dim: int,
        pages: Tensor,
        table: Tensor,
        sinks: Tensor,
        layout: DeviceLayout,
        window: int | None,
        rotation: Rotation | None = None,
    ) -> "_Step":
        kv_heads, heads = pages.shape[2], sinks.numel()
        width = (heads if rotation is None else heads + 2 * kv_heads) * head_dim
        if rows.shape != (layout.positions.numel(), width) or heads % kv_heads:
            raise ValueError(
                f"rows {tuple(rows.shape)} for {layout.positions.numel()} positions, {heads} sinks "
                f"and {kv_heads} key heads of {head_dim}"
            )
        if pages.shape[1:] != (2, kv_heads, PAGE_TOKENS * head_dim) or pages.dtype != rows.dtype:
            raise ValueError(
                f"pages {pages.dtype} {tuple(pages.shape)} for {rows.dtype} heads of {head_dim}"
            )
        if window is not None and window < 1:
            raise ValueError(f"window {window}")
        if not all(part.is_contiguous() for part in (pages, table, sinks)):
            raise ValueError("pages, their table and sinks each lie in one piece")
        out = torch.empty((len(rows), heads * head_dim), dtype=rows.dtype, device=rows.device)
        return cls(rows, head_dim, pages, table, sinks, layout, window, rotation, out)

    def run(self, tuning: Tuning, tile: int, num_tiles: int, max_context: int) -> None:
        """Attend for all tiles of so many tokens each, 1 for those of the first sequences."""
        layout, head_dim, device = self.layout, self.head_dim, self.out.device
        heads, kv_heads = self.sinks.numel(), self.pages.shape[2]
        visible = max_context
        if self.window is not None:
            visible = min(max_context, self.window + tile + PAGE_TOKENS)
        splits = num_splits(num_tiles * kv_heads, visible)
        num_tokens = layout.num_decodes if tile == 1 else len(self.out) - layout.num_decodes
        first_token = 0 if tile == 1 else layout.num_decodes
        parts = sums = self.out
        if splits > 1:
            scratch = (num_tokens, heads, splits)
            parts = torch.empty((*scratch, head_dim), dtype=torch.float32, device=device)
            sums = torch.empty((*scratch, 2), dtype=torch.float32, device=device)
        shape = {
            "OWN": 0 if self.rotation is None else 1,
            "TILE": tile,
            "WINDOW": self.window or 0,
            "HEADS": heads,
            "HEAD_DIM": head_dim,
            "BLOCK_DIM": max(triton.next_power_of_2(head_dim), _MIN_ROWS),
            "BLOCK_KEYS": tuning.block_keys,
            "MIN_BLOCKS": _MIN_SPLIT_KEYS // tuning.block_keys,
            "PAGE": PAGE_TOKENS,
        }
        group = triton.next_power_of_2(heads // kv_heads)
        _paged_attention[(num_tiles, kv_heads, splits)](
            self.rows,
            *(self.rotation or (self.rows, self.rows)),
            self.pages,
            self.table,
            self.sinks,
            layout.positions,
            layout.starts,
            layout.tiles,
            self.out,
            parts,
            sums,
            math.log2(math.e) / math.sqrt(head_dim),
            self.rows.stride(0),
            self.table.shape[1],
            first_token,
            splits,
            IS_SPLIT=splits > 1,
            KV_HEADS=kv_heads,
            BLOCK_ROWS=max(tile * group, _MIN_ROWS),
            BLOCK_GROUP=group,
            NUM_STAGES=tuning.num_stages,
            num_warps=tuning.num_warps,
            **shape,
        )
        if splits > 1:
            _merge[(num_tiles * tile, heads)](
                parts,
                sums,
                layout.positions,
                layout.starts,
                layout.tiles,
                self.out,
                first_token,
                splits,
                BLOCK_SPLITS=_MAX_SPLITS,
                **shape,
            )
