"""The router's choice in one launch, and chosen experts grouped into tiles of tokens in another.

`route` computes what `reference.route` does, to the tolerance "router" of docs/numerics.md: the
largest logits, of equal ones the lowest index first, NaN above all as in torch.topk, and a softmax
over the chosen ones alone, in float32.

`group` sorts pairs (a token and one of its experts, numbered token * slots + slot) by expert, pairs
of one expert staying in order, and cuts each expert's run into tiles. All of it stays on the
device, with as many tiles as could be needed at most, so that launches can be captured in a graph.
One program per expert counts all pairs for itself: a few microseconds more than a parallel scan,
for one launch in place of three.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["Grouping", "group", "most_tiles", "route"]

ROUTE_TOKENS = 4  # per program of one warp: 64 tokens take 16 programs, 1 token one
GROUP_PAIRS = 4096  # per round, 16 for each thread: a prompt of 8,192 tokens takes 8 rounds
NONE = tl.constexpr(-(2**31))  # below the key of every number, minus infinity included


class Grouping(NamedTuple):
    """Pairs by expert; pairs of no expert (a negative index) are left out."""

    order: Tensor  # int32 [pairs]: the pairs, sorted; what is left over at the end is undefined
    starts: Tensor  # int32 [experts + 1]: where each expert's pairs start in `order`
    tiles: Tensor  # int32 [most_tiles, 2]: expert and place in `order` of the tile's first pair;
    # the expert is -1 from the number of tiles on


def route(logits: Tensor, experts_per_token: int) -> tuple[Tensor, Tensor]:
    """Choose experts from router logits [tokens, experts], of any floating-point type.

    Returns:
        The chosen experts' weights (float32) and indices (int64), both
        [tokens, experts_per_token], the likeliest first.
    """
    tokens, experts = logits.shape
    assert 0 < experts_per_token <= experts, f"{experts_per_token} of {experts} experts"
    assert logits.stride(1) == 1, "a token's logits stand side by side"
    weights = torch.empty((tokens, experts_per_token), dtype=torch.float32, device=logits.device)
    chosen = torch.empty((tokens, experts_per_token), dtype=torch.int64, device=logits.device)
    if tokens:
        _route_kernel[(triton.cdiv(tokens, ROUTE_TOKENS),)](
            weights,
            chosen,
            logits,
            tokens,
            logits.stride(0),
            EXPERTS=experts,
            WIDTH=triton.next_power_of_2(experts),
            SLOTS=experts_per_token,
            SLOTS_WIDTH=triton.next_power_of_2(experts_per_token),
            TOKENS=ROUTE_TOKENS,
            num_warps=1,
        )
    return weights, chosen


def most_tiles(pairs: int, experts: int, tile_tokens: int) -> int:
    """How many tiles pairs can need: each expert that has some may leave one tile unfilled."""
    return pairs // tile_tokens + min(pairs, experts)


def group(chosen: Tensor, experts: int, tile_tokens: int) -> Grouping:
    """Sort pairs by expert and cut them into tiles.

    Args:
        chosen: int64 or int32 [tokens, slots], experts below `experts`; a negative one is none.
        experts: how many there are.
        tile_tokens: how many pairs make a tile.
    """
    assert chosen.is_contiguous(), "choices stand side by side"
    pairs = chosen.numel()
    tiles = most_tiles(pairs, experts, tile_tokens)
    width = min(GROUP_PAIRS, triton.next_power_of_2(max(pairs, 16)))
    grouping = Grouping(
        order=torch.empty(pairs, dtype=torch.int32, device=chosen.device),
        starts=torch.empty(experts + 1, dtype=torch.int32, device=chosen.device),
        tiles=torch.empty((tiles, 2), dtype=torch.int32, device=chosen.device),
    )
    _group_kernel[(experts,)](
        *grouping,
        chosen,
        pairs,
        tiles,
        EXPERTS=experts,
        WIDTH=triton.next_power_of_2(experts + 1),
        TILE_TOKENS=tile_tokens,
        PAIRS=width,
        num_warps=8 if width > 1024 else 4,
    )
    return grouping


@triton.jit
def _route_kernel(
    weights,
    chosen,
    logits,
    tokens,
    stride,
    EXPERTS: tl.constexpr,
    WIDTH: tl.constexpr,
    SLOTS: tl.constexpr,
    SLOTS_WIDTH: tl.constexpr,
    TOKENS: tl.constexpr,
):
    token = tl.program_id(0) * TOKENS + tl.arange(0, TOKENS)
    expert = tl.arange(0, WIDTH)
    slot = tl.arange(0, SLOTS_WIDTH)
    at = token.to(tl.int64)[:, None] * stride + expert[None, :]
    there = (token < tokens)[:, None] & (expert < EXPERTS)[None, :]
    x = tl.load(logits + at, mask=there, other=0.0).to(tl.float32)
    # Integers in the numbers' order; adding zero makes one of both zeros.
    bits = (x + 0.0).to(tl.int32, bitcast=True)
    keys = tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    keys = tl.where(x != x, 0x7FFFFFFF, keys)
    keys = tl.where((expert < EXPERTS)[None, :], keys, NONE)
    best = tl.zeros((TOKENS, SLOTS_WIDTH), tl.float32)
    index = tl.zeros((TOKENS, SLOTS_WIDTH), tl.int32)
    for place in tl.static_range(SLOTS):
        likeliest = tl.argmax(keys, 1, tie_break_left=True)
        taken = expert[None, :] == likeliest[:, None]
        logit = tl.sum(tl.where(taken, x, 0.0), 1)
        best = tl.where((slot == place)[None, :], logit[:, None], best)
        index = tl.where((slot == place)[None, :], likeliest[:, None], index)
        keys = tl.where(taken, NONE, keys)
    first = tl.sum(tl.where((slot == 0)[None, :], best, 0.0), 1)  # the largest, or NaN
    chose = (slot < SLOTS)[None, :]
    powers = tl.where(chose, tl.exp(tl.where(chose, best - first[:, None], 0.0)), 0.0)
    out = token.to(tl.int64)[:, None] * SLOTS + slot[None, :]
    there = (token < tokens)[:, None] & (slot < SLOTS)[None, :]
    tl.store(weights + out, powers / tl.sum(powers, 1)[:, None], mask=there)
    tl.store(chosen + out, index.to(tl.int64), mask=there)


@triton.jit
def _group_kernel(
    order,
    starts,
    tiles,
    chosen,
    pairs,
    num_tiles,
    EXPERTS: tl.constexpr,
    WIDTH: tl.constexpr,
    TILE_TOKENS: tl.constexpr,
    PAIRS: tl.constexpr,
):
    expert = tl.program_id(0)
    experts = tl.arange(0, WIDTH)
    each = tl.arange(0, PAIRS)
    counts = tl.zeros((WIDTH,), tl.int32)
    first = 0  # of a round; `range` over an argument fails in the interpreter
    while first < pairs:
        there = first + each < pairs
        choice = tl.load(chosen + first + each, mask=there, other=-1).to(tl.int32)
        counts += tl.histogram(tl.where(choice < 0, 0, choice), WIDTH, mask=choice >= 0)
        first += PAIRS
    ends = tl.cumsum(counts, 0)
    start = tl.sum(tl.where(experts < expert, counts, 0))
    if expert == 0:
        tl.store(starts + experts, ends - counts, mask=experts <= EXPERTS)

    needed = (counts + TILE_TOKENS - 1) // TILE_TOKENS
    first_tile = tl.sum(tl.where(experts < expert, needed, 0))
    end_tile = tl.sum(tl.where(experts <= expert, needed, 0))
    first = 0
    while first < num_tiles:
        tile = first + each
        ours = (tile >= first_tile) & (tile < end_tile)
        tl.store(tiles + 2 * tile, expert, mask=ours)
        tl.store(tiles + 2 * tile + 1, start + (tile - first_tile) * TILE_TOKENS, mask=ours)
        if expert == EXPERTS - 1:
            left_over = (tile >= end_tile) & (tile < num_tiles)
            tl.store(tiles + 2 * tile, -1, mask=left_over)
            tl.store(tiles + 2 * tile + 1, 0, mask=left_over)
        first += PAIRS

    first = 0
    while first < pairs:
        there = first + each < pairs
        choice = tl.load(chosen + first + each, mask=there, other=-1).to(tl.int32)
        ours = choice == expert
        place = start + tl.cumsum(ours.to(tl.int32), 0) - 1
        tl.store(order + place, first + each, mask=ours)
        start += tl.sum(ours.to(tl.int32))
        first += PAIRS
