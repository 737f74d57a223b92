"""A layer's MXFP4 experts on a CUDA device: gate_up, clamped SwiGLU, down, and their weighted sum.

For each token t and each of its experts e, with weight w (reference: `weights.PlainMixture`):

    h = swiglu(round(W1_e x_t + b1_e));   y = round(W2_e h + b2_e);   out_t = round(sum_e w y)

Products and sums are float32, and are rounded to x's type where `round` and `swiglu` say so, which
is where the reference rounds. Weights lie in memory as `packed` says, and are turned into x's type
on their way to the matrix unit. In bfloat16 that is exact (so it is in float32; in float16 it is a
rounding, as in the reference). An expert is found by its address, int64, read anew in each launch,
in device memory or in mapped host memory; address 0 says that the expert is not here: it adds
nothing, and a chosen index below 0 is no expert at all.

Weights are the large operand: one program computes W x^T for some rows of one expert's matrix and
for all its tokens, up to a tile of them, so that weights are read once while a tile suffices.
Pairs of a token and an expert are numbered token * slots + slot. Three launches (`_gate_up_kernel`,
`_down_kernel`, `_combine_kernel`) for up to DIRECT_TOKENS tokens, where every program finds its
expert's tokens for itself; above that one more before them, `routing.group`. No sum depends on the
order in which programs run: each pair's output is stored, and added up slot after slot.

What the choices rest on. None of it has been measured on a device. All numbers are those of
compilations for sm_90 (tests/model/gpu/test_experts_compile.py) and of the H200's data sheet:
4.8 TB/s, 132 multiprocessors at some 1.8 GHz, 989 TFLOP/s in bfloat16.

* Bytes in flight. 4.8 TB/s times some 1.2 us are 5.8 MB, 44 kB per multiprocessor. With one token
  of a published model, 360 programs of 64 rows in gate_up, 2.7 per multiprocessor, each have three
  tiles of 8.7 kB under way: 70 kB. `down` has 180 such, so its columns are split in two.
* Instructions. A multiprocessor takes 39 weights per clock from memory at full bandwidth and issues
  128 instructions (for one thread each): 3.3 per weight. The loop of one token's tile has 3.0 in
  gate_up and 3.2 in down (2.2 of them dequantise: 11 for the bits of 8 weights, 4 packed
  multiplications, 3 for scales), that of 16 tokens 3.3, of 32 tokens 3.5.
* Prompts. The matrix unit multiplies 256 rows by 64 columns by 128 tokens in 1024 clocks at best;
  the schedulers need 520 to issue the loop that dequantises them, and wgmma, asynchronous, takes
  weights from registers: they never touch shared memory once they are bfloat16. At full rate 24
  bytes per clock come from the L2 cache, 5.7 TB/s, against 40 with 128 rows: packed weights are
  cheaper to bring than activations.
* Rows and columns of a tile are those at which the layout of the loaded codes is the one that the
  matrix unit wants: the compiler then moves nothing between threads (no SHFL or STS in the loop).
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.config import MXFP4_BLOCK
from netweight.model.kernels.gpu.packed import (
    PIECE_COLUMNS,
    PIECE_ROWS,
    largest_scale,
    packed_bytes,
)
from netweight.model.kernels.gpu.routing import group, most_tiles

__all__ = ["MOST_FAST_SCALE", "DeviceMixture"]

# The scale byte of 2^1, whose packed multiplier, 2^126 times as much, is bfloat16's largest power.
MOST_FAST_SCALE = 128
DIRECT_TOKENS = 16  # a tile holds all of them; with more, `routing.group` fills tiles
FULL_DEVICE = 264  # programs that leave no multiprocessor of an H200 with less than two
COMBINE_COLUMNS = 512


@dataclass(frozen=True)
class Tiling:
    """What one program computes, and how."""

    tokens: int
    rows: int
    columns: int  # per step
    num_warps: int
    num_stages: int


# By tokens. Up to 16 with `mma`, whose B operand takes fewer instructions than the descriptors of
# `wgmma`, which wants 64 rows per 4 warps and serves the others.
TILINGS = {
    8: Tiling(8, 64, 256, num_warps=4, num_stages=4),
    16: Tiling(16, 64, 128, num_warps=2, num_stages=6),
    32: Tiling(32, 128, 128, num_warps=4, num_stages=4),
    64: Tiling(64, 128, 64, num_warps=4, num_stages=5),
    128: Tiling(128, 256, 64, num_warps=8, num_stages=4),
}
FLOAT32_TILING = Tiling(16, 32, 64, num_warps=4, num_stages=2)  # no tensor cores: for comparisons

PATTERN = tl.constexpr(0x81C081C0 - 2**32)  # sign, exponent and mantissa, in both halves
SIGNS = tl.constexpr(0x80008000 - 2**32)
WORDS = tl.constexpr(128)  # of a piece's codes
EIGHT = tl.constexpr(8)  # words of a piece's scales, and rows between a thread's two
PIECE = tl.constexpr(PIECE_ROWS)
PIECE_WIDTH = tl.constexpr(PIECE_COLUMNS)


class DeviceMixture:
    """A layer's experts: a `weights.Mixture` over packed weights, which it does not copy."""

    def __init__(
        self,
        gate_up: Tensor,
        gate_up_bias: Tensor,
        down: Tensor,
        down_bias: Tensor,
        *,
        alpha: float,
        limit: float,
        wide_scales: bool | None = None,
    ) -> None:
        """Over packed experts, or their addresses.

        Args:
            gate_up: uint8 [experts, packed_bytes(2 * intermediate, hidden)], or int64 [experts],
                the address of each expert's bytes (a multiple of 16), 0 for one that is not here.
                Addresses may change between calls; what they point to must outlive the calls.
            gate_up_bias: [experts, 2 * intermediate], gate and linear interleaved.
            down: like `gate_up`, of packed_bytes(hidden, intermediate); an expert is here with
                both matrices, or with neither.
            down_bias: [experts, hidden].
            alpha: of SwiGLU.
            limit: of SwiGLU.
            wide_scales: whether a scale byte may be above MOST_FAST_SCALE, which takes slower
                code. None looks at the bytes, once, and takes experts that are given by
                addresses for none of these; so are those of the published models.
        """
        self.experts, double = gate_up_bias.shape
        self.hidden, self.intermediate = down_bias.shape[1], double // 2
        assert down_bias.shape[0] == self.experts, "both matrices of each expert have a bias"
        assert self.hidden % MXFP4_BLOCK == 0, f"hidden size {self.hidden} is not whole blocks"
        assert self.intermediate % MXFP4_BLOCK == 0, f"{self.intermediate} is not whole blocks"
        self._biases = gate_up_bias.contiguous(), down_bias.contiguous()
        shapes = (double, self.hidden), (self.hidden, self.intermediate)
        self._kept = gate_up, down
        self._addresses = tuple(
            _addresses(matrices, self.experts, packed_bytes(*shape))
            for matrices, shape in zip(self._kept, shapes, strict=True)
        )
        if wide_scales is None:
            wide_scales = any(
                largest_scale(matrices, *shape) > MOST_FAST_SCALE
                for matrices, shape in zip(self._kept, shapes, strict=True)
                if matrices.dtype == torch.uint8
            )
        self.wide_scales = wide_scales
        self.alpha, self.limit = alpha, limit

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The weighted sum over slots of the experts' outputs, rounded once.

        Args:
            x: bfloat16, float16 or float32 [tokens, hidden].
            weights: float32 [tokens, slots].
            chosen: int64 or int32 [tokens, slots], the experts: different ones for a token, each
                below their number; a negative one is none.

        Returns:
            [tokens, hidden], in x's dtype.
        """
        return self._mix(x, weights, chosen, x.dtype)

    def partial(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The same sum in float32, before it is rounded, for ranks that have some experts each."""
        return self._mix(x, weights, chosen, torch.float32)

    def _mix(self, x: Tensor, weights: Tensor, chosen: Tensor, dtype: torch.dtype) -> Tensor:
        x, weights, chosen = _checked(x, weights, chosen, self.hidden)
        (tokens, slots), pairs = chosen.shape, chosen.numel()
        assert pairs * max(self.hidden, self.intermediate) < 2**31, f"{tokens} tokens at once"
        out = torch.empty((tokens, self.hidden), dtype=dtype, device=x.device)
        if tokens == 0:
            return out
        fast = x.is_cuda and x.dtype == torch.bfloat16 and not self.wide_scales
        tiling = choose_tiling(tokens, slots, self.experts, x.dtype)
        direct = tokens <= DIRECT_TOKENS
        groups = pairs if direct else most_tiles(pairs, self.experts, tiling.tokens)
        shared = {
            "HIDDEN": self.hidden,
            "INTERMEDIATE": self.intermediate,
            "DIRECT": direct,
            "ONE_TOKEN": tokens == 1,
            "PAIRS": triton.next_power_of_2(pairs) if direct else 1,
            "TOKENS": tiling.tokens,
            "TILE_ROWS": tiling.rows,
            "TILE_COLUMNS": tiling.columns,
            "STAGES": tiling.num_stages,
            "FAST": fast,
            "PRECISION": "ieee" if x.dtype == torch.float32 else "tf32",
            "num_warps": tiling.num_warps,
        }
        places = (chosen,) * 3 if direct else tuple(group(chosen, self.experts, tiling.tokens))
        gate_up, down = self._addresses
        gate_up_bias, down_bias = self._biases

        h = torch.empty((pairs, self.intermediate), dtype=x.dtype, device=x.device)
        grid = triton.cdiv(2 * self.intermediate, tiling.rows), groups
        _gate_up_kernel[grid](
            h, x, gate_up, gate_up_bias, *places, pairs, self.alpha, self.limit,
            SLOTS=slots, **shared,
        )  # fmt: skip

        row_tiles = triton.cdiv(self.hidden, tiling.rows)
        splits = count_splits(row_tiles * groups, triton.cdiv(self.intermediate, tiling.columns))
        kept = x.dtype if splits == 1 else torch.float32
        y = torch.empty((splits, pairs, self.hidden), dtype=kept, device=x.device)
        _down_kernel[(row_tiles, groups, splits)](
            y, h, down, down_bias, *places, pairs, SPLITS=splits, **shared
        )

        _combine_kernel[(tokens, triton.cdiv(self.hidden, COMBINE_COLUMNS))](
            out, y, weights, chosen, gate_up, down, down_bias, h, pairs,
            HIDDEN=self.hidden, SLOTS=slots, SPLITS=splits, COLUMNS=COMBINE_COLUMNS, num_warps=4,
        )  # fmt: skip
        return out


def choose_tiling(tokens: int, slots: int, experts: int, dtype: torch.dtype) -> Tiling:
    """By how many tokens an expert has: up to all where few are, else on average.

    While memory is the limit a tile has room for more than the average, so that most experts need
    one; from 48 on it is arithmetic, and what tiles leave unfilled is lost.

    Args:
        tokens: of the step.
        slots: experts per token.
        experts: of the layer.
        dtype: of activations.
    """
    if dtype == torch.float32:
        return FLOAT32_TILING
    if tokens <= 8:
        return TILINGS[8]
    if tokens <= DIRECT_TOKENS:
        return TILINGS[16]
    average = tokens * slots / experts
    width = next((width for width, most in ((16, 5), (32, 20), (64, 48)) if average <= most), 128)
    return TILINGS[width]


def count_splits(programs: int, steps: int) -> int:
    """Among how many programs to split a matrix' columns: few leave part of the device idle."""
    splits = 1
    while programs * splits < FULL_DEVICE and steps >= 4 * splits:
        splits *= 2
    return splits


def _addresses(experts: Tensor, count: int, size: int) -> Tensor:
    if experts.dtype == torch.int64:
        assert experts.shape == (count,), f"an address for each of {count} experts"
        assert experts.is_contiguous(), "addresses stand side by side"
        return experts
    assert experts.dtype == torch.uint8, f"packed experts are bytes, not {experts.dtype}"
    assert experts.shape == (count, size), f"{count} experts of {size} bytes each"
    assert experts.stride(1) == 1, "an expert stands in one piece"
    assert experts.data_ptr() % 16 == experts.stride(0) % 16 == 0, "experts start at 16 bytes"
    places = torch.arange(count, device=experts.device)
    return places * experts.stride(0) + experts.data_ptr()


def _checked(
    x: Tensor, weights: Tensor, chosen: Tensor, hidden: int
) -> tuple[Tensor, Tensor, Tensor]:
    assert x.dtype in (torch.bfloat16, torch.float16, torch.float32), f"activations of {x.dtype}"
    assert x.is_cuda or x.dtype != torch.bfloat16, "Triton's interpreter has no bfloat16"
    assert x.dim() == 2, f"activations have two dimensions, not {x.dim()}"
    assert x.shape[1] == hidden, f"{x.shape[1]} inputs for a matrix of {hidden} columns"
    assert weights.shape == chosen.shape, "a weight for each chosen expert"
    assert chosen.shape[0] == x.shape[0], f"{chosen.shape[0]} choices for {x.shape[0]} tokens"
    assert weights.dtype == torch.float32, f"weights are float32, not {weights.dtype}"
    assert chosen.dtype in (torch.int32, torch.int64), f"choices are integers, not {chosen.dtype}"
    return x.contiguous(), weights.contiguous(), chosen.contiguous()


@triton.jit
def _weights(words, scales, DTYPE: tl.constexpr, FAST: tl.constexpr):
    """Numbers [16 R, 64 C] of codes int32 [R, C, 128] and scales int32 [R, C, 8].

    Written by broadcasting, without tl.join: its shapes say at compile time where each bit goes,
    and the compiler sees that a thread's numbers are already those which the product wants of it.
    """
    R: tl.constexpr = words.shape[0]
    C: tl.constexpr = words.shape[1]
    # Dimensions: row piece, half of it, row g; column piece, 32s, 16s, 8s, pair c, which of it.
    words = words.reshape(R, C, EIGHT, 4, 2, 2).trans(0, 2, 1, 4, 5, 3)
    words = words.reshape(R, 1, EIGHT, C, 2, 2, 1, 4, 1)
    scales = scales.trans(0, 2, 1).reshape(R, 1, EIGHT, C, 1, 1, 1, 1, 1)
    lower = tl.arange(0, 2).reshape(1, 2, 1, 1, 1, 1, 1, 1, 1)
    block = tl.arange(0, 2).reshape(1, 1, 1, 1, 2, 1, 1, 1, 1)
    eights = tl.arange(0, 2).reshape(1, 1, 1, 1, 1, 1, 2, 1, 1)
    high = tl.arange(0, 2).reshape(1, 1, 1, 1, 1, 1, 1, 1, 2)
    index = 2 * eights + lower
    last = ((words << 1) & SIGNS) | ((words >> 3) & 0x01800180) | ((words >> 7) & 0x00400040)
    pairs = tl.where(index == 3, last, (words << (3 * index)) & PATTERN)  # 2^-126 times the values
    scale = (scales >> (16 * block + 8 * lower)) & 0xFF
    if FAST:
        factors = scale * 0x00800080 + 0x3F003F00  # 2^(scale - 127 + 126) in both halves
        pairs, factors = tl.broadcast(pairs, factors)
        # A packed multiplication, which sm_80 has only together with an addition: of -0.
        pairs = tl.inline_asm_elementwise(
            "{.reg .b32 none; mov.b32 none, 0x80008000; fma.rn.bf16x2 $0, $1, $2, none;}",
            constraints="=r,r,r",
            args=[pairs, factors],
            dtype=tl.int32,
            is_pure=True,
            pack=1,
        )
        numbers = (pairs >> (16 * high)).to(tl.int16).to(tl.bfloat16, bitcast=True)
    else:
        # Twice the values, times 2^(scale - 128), which is subnormal for scales 0 and 1.
        numbers = ((pairs >> (16 * high)) << 16).to(tl.float32, bitcast=True) * 2.0**127
        factors = tl.where(scale > 1, (scale - 1) << 23, 0x00200000 << scale)
        numbers = (numbers * factors.to(tl.float32, bitcast=True)).to(DTYPE)
    return numbers.reshape(R * PIECE, C * PIECE_WIDTH)


@triton.jit
def _products(
    address,
    x,
    token,
    there,
    row_tile,
    split,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    SPLITS: tl.constexpr,
    TOKENS: tl.constexpr,
    TILE_ROWS: tl.constexpr,
    TILE_COLUMNS: tl.constexpr,
    STAGES: tl.constexpr,
    FAST: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Float32 [TILE_ROWS, TOKENS]: rows of a matrix times rows `token` [TOKENS] of x.

    Only the part of the columns that has the number `split` of SPLITS is summed. Rows are in packed
    order: each piece's even ones before its odd ones.
    """
    R: tl.constexpr = TILE_ROWS // PIECE
    C: tl.constexpr = TILE_COLUMNS // PIECE_WIDTH
    ROW_PIECES: tl.constexpr = (ROWS + PIECE - 1) // PIECE
    COLUMN_PIECES: tl.constexpr = (COLUMNS + PIECE_WIDTH - 1) // PIECE_WIDTH
    STEPS: tl.constexpr = (COLUMNS + SPLITS * TILE_COLUMNS - 1) // (SPLITS * TILE_COLUMNS)
    codes = tl.multiple_of(address.to(tl.pointer_type(tl.int32)), 16)
    scales = codes + ROW_PIECES * COLUMN_PIECES * WORDS
    row = (row_tile * R + tl.arange(0, R))[:, None, None]
    word = tl.arange(0, WORDS)[None, None, :]
    scale_word = tl.arange(0, EIGHT)[None, None, :]
    at = token * COLUMNS
    sums = tl.zeros((TILE_ROWS, TOKENS), tl.float32)
    for index in tl.range(0, STEPS, num_stages=STAGES):
        step = split * STEPS + index
        column = (tl.arange(0, C) + step * C)[None, :, None]
        k = (tl.arange(0, TILE_COLUMNS) + step * TILE_COLUMNS)[:, None]
        piece = column * ROW_PIECES + row
        whole = tl.full((1, 1, 1), True, tl.int1)
        inside = there[None, :]
        if ROW_PIECES % R != 0:
            whole &= row < ROW_PIECES
        if COLUMNS != SPLITS * STEPS * TILE_COLUMNS:
            whole &= column < COLUMN_PIECES
            inside &= k < COLUMNS
        w = tl.load(codes + (piece * WORDS + word), mask=whole, other=0)
        s = tl.load(scales + (piece * EIGHT + scale_word), mask=whole, other=0)
        inputs = tl.load(x + (at[None, :] + k), mask=inside, other=0.0)
        weights = _weights(w, s, inputs.dtype, FAST)
        sums = tl.dot(weights, inputs, sums, input_precision=PRECISION)
    return sums


@triton.jit
def _tile(
    order,
    starts,
    tiles,
    pairs,
    DIRECT: tl.constexpr,
    ONE_TOKEN: tl.constexpr,
    PAIRS: tl.constexpr,
    TOKENS: tl.constexpr,
):
    """The program's expert (-1: none), its pairs [TOKENS], and which of these there are.

    `order`, `starts` and `tiles` are a Grouping; DIRECT takes the choices [pairs] as `order`.
    """
    tile = tl.program_id(1)
    place = tl.arange(0, TOKENS)
    if ONE_TOKEN:  # each pair is an expert's only one
        expert = tl.load(order + tile).to(tl.int32)
        pair = tl.zeros((TOKENS,), tl.int32) + tile
        there = place == 0
    elif DIRECT:  # a tile for each pair; the first of an expert's pairs takes all of them
        each = tl.arange(0, PAIRS)
        expert = tl.load(order + tile).to(tl.int32)
        others = tl.load(order + each, mask=each < pairs, other=-1).to(tl.int32)
        same = others == expert
        rank = tl.cumsum(same.to(tl.int32), 0) - 1
        ours = same[None, :] & (rank[None, :] == place[:, None])
        pair = tl.sum(tl.where(ours, each[None, :], 0), 1)
        there = place < tl.sum(same.to(tl.int32))
        expert = tl.where(tl.min(tl.where(same, each, PAIRS)) == tile, expert, -1)
    else:
        expert = tl.load(tiles + 2 * tile)
        at = tl.load(tiles + 2 * tile + 1) + place
        there = (expert >= 0) & (at < tl.load(starts + tl.maximum(expert, 0) + 1))
        pair = tl.load(order + at, mask=there, other=0)
    return expert, pair, there


@triton.jit
def _gate_up_kernel(
    h,
    x,
    addresses,
    bias,
    order,
    starts,
    tiles,
    pairs,
    alpha,
    limit,
    HIDDEN: tl.constexpr,
    INTERMEDIATE: tl.constexpr,
    SLOTS: tl.constexpr,
    DIRECT: tl.constexpr,
    ONE_TOKEN: tl.constexpr,
    PAIRS: tl.constexpr,
    TOKENS: tl.constexpr,
    TILE_ROWS: tl.constexpr,
    TILE_COLUMNS: tl.constexpr,
    STAGES: tl.constexpr,
    FAST: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Make h [pairs, INTERMEDIATE] = swiglu(W x + b), for the pairs whose expert is here."""
    expert, pair, there = _tile(order, starts, tiles, pairs, DIRECT, ONE_TOKEN, PAIRS, TOKENS)
    if expert < 0:
        return
    address = tl.load(addresses + expert)
    if address == 0:
        return
    row_tile = tl.program_id(0)
    sums = _products(
        address,
        x,
        pair // SLOTS,
        there,
        row_tile,
        0,
        2 * INTERMEDIATE,
        HIDDEN,
        1,
        TOKENS,
        TILE_ROWS,
        TILE_COLUMNS,
        STAGES,
        FAST,
        PRECISION,
    )
    sums = sums.reshape(TILE_ROWS // PIECE, 2, EIGHT, TOKENS).trans(0, 2, 3, 1)
    gate, linear = tl.split(sums.reshape(TILE_ROWS // 2, TOKENS, 2))
    row = row_tile * (TILE_ROWS // 2) + tl.arange(0, TILE_ROWS // 2)
    whole = row < INTERMEDIATE
    biases = bias + expert.to(tl.int64) * 2 * INTERMEDIATE + 2 * row
    gate += tl.load(biases, mask=whole, other=0.0).to(tl.float32)[:, None]
    linear += tl.load(biases + 1, mask=whole, other=0.0).to(tl.float32)[:, None]
    dtype: tl.constexpr = h.dtype.element_ty
    gate, linear = gate.to(dtype).to(tl.float32), linear.to(dtype).to(tl.float32)  # as reference
    gate = tl.minimum(gate, limit, propagate_nan=tl.PropagateNan.ALL)
    linear = tl.clamp(linear, -limit, limit, propagate_nan=tl.PropagateNan.ALL)
    activated = gate * tl.sigmoid(alpha * gate) * (linear + 1)
    tl.store(
        h + pair[None, :] * INTERMEDIATE + row[:, None],
        activated.to(dtype),
        mask=whole[:, None] & there[None, :],
    )


@triton.jit
def _down_kernel(
    y,
    h,
    addresses,
    bias,
    order,
    starts,
    tiles,
    pairs,
    HIDDEN: tl.constexpr,
    INTERMEDIATE: tl.constexpr,
    SPLITS: tl.constexpr,
    DIRECT: tl.constexpr,
    ONE_TOKEN: tl.constexpr,
    PAIRS: tl.constexpr,
    TOKENS: tl.constexpr,
    TILE_ROWS: tl.constexpr,
    TILE_COLUMNS: tl.constexpr,
    STAGES: tl.constexpr,
    FAST: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Make y [1, pairs, HIDDEN] = W h + b, or float32 [SPLITS, ...] of parts of W h."""
    expert, pair, there = _tile(order, starts, tiles, pairs, DIRECT, ONE_TOKEN, PAIRS, TOKENS)
    if expert < 0:
        return
    address = tl.load(addresses + expert)
    if address == 0:
        return
    row_tile, split = tl.program_id(0), tl.program_id(2)
    sums = _products(
        address,
        h,
        pair,
        there,
        row_tile,
        split,
        HIDDEN,
        INTERMEDIATE,
        SPLITS,
        TOKENS,
        TILE_ROWS,
        TILE_COLUMNS,
        STAGES,
        FAST,
        PRECISION,
    )
    sums = sums.reshape(TILE_ROWS // PIECE, 2, EIGHT, TOKENS).trans(0, 2, 1, 3)
    sums = sums.reshape(TILE_ROWS, TOKENS)
    row = row_tile * TILE_ROWS + tl.arange(0, TILE_ROWS)
    whole = row < HIDDEN
    if SPLITS == 1:
        biases = bias + expert.to(tl.int64) * HIDDEN + row
        sums += tl.load(biases, mask=whole, other=0.0).to(tl.float32)[:, None]
    at = (split * pairs + pair)[None, :] * HIDDEN + row[:, None]
    tl.store(y + at, sums.to(y.dtype.element_ty), mask=whole[:, None] & there[None, :])


@triton.jit
def _combine_kernel(
    out,
    y,
    weights,
    chosen,
    gate_up,
    down,
    bias,
    h,
    pairs,
    HIDDEN: tl.constexpr,
    SLOTS: tl.constexpr,
    SPLITS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Make out [tokens, HIDDEN], the weighted sum of the y of a token's experts that are here."""
    token = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    whole = column < HIDDEN
    mixed = tl.zeros((COLUMNS,), tl.float32)
    for slot in tl.static_range(SLOTS):
        pair = token * SLOTS + slot
        expert = tl.load(chosen + pair).to(tl.int64)
        here = expert >= 0
        here &= tl.load(gate_up + expert, mask=here, other=0) != 0
        here &= tl.load(down + expert, mask=here, other=0) != 0
        sums = tl.load(y + pair * HIDDEN + column, mask=whole & here, other=0.0).to(tl.float32)
        if SPLITS > 1:
            for split in tl.static_range(1, SPLITS):
                at = (split * pairs + pair) * HIDDEN + column
                sums += tl.load(y + at, mask=whole & here, other=0.0)
            biases = bias + expert * HIDDEN + column
            sums += tl.load(biases, mask=whole & here, other=0.0).to(tl.float32)
            sums = sums.to(h.dtype.element_ty).to(tl.float32)  # rounds here, as the reference does
        weight = tl.load(weights + pair)
        mixed += tl.where(here, weight * sums, 0.0)
    tl.store(out + token * HIDDEN + column, mixed.to(out.dtype.element_ty), mask=whole)
