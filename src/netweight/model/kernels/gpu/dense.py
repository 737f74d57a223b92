"""The matrices outside the experts, for few tokens, in Triton; with the norm before them, or not.

* `linear`: W x + b, as `torch.nn.functional.linear`: products and sums in float32, the bias added
  to them, rounded once (or left in float32).
* `norm_linear`: `reference.rms_norm` of x + added, and `linear` of that, in one launch for up to
  MOST_FUSED_TOKENS. x + added is rounded first, as the residual stream is kept; what is normalised
  is rounded before it is multiplied. It is `rows.add_rms_norm` and `linear`, bit for bit but for
  the order of two sums.

W is [out, in] as the checkpoint has it, x [tokens, in]. One program computes some rows of W times
all tokens: W is read once. Its warps share the columns, 32 for each at a time, and their sums are
added up at the end, in an order that is always the same: no atomics, and no second launch. A
token's result does not depend on the tokens beside it, bit for bit, if their number stays in the
same of 1 to 8, and 9 to 16 (for `norm_linear` 1 and 2, 3 and 4, 5 to 8).

What the choices rest on. None of it has been measured on a device. All numbers are those of
compilations for sm_90 (tests/model/gpu/test_dense_compile.py) and of the H200's data sheet, as in
`experts`: 4.8 TB/s, 132 multiprocessors at some 1.8 GHz.

* Bytes in flight. 5.8 MB are wanted, 44 kB per multiprocessor. The first AHEAD tiles of a program's
  rows are asked for before all else. Registers hold them; barriers keep the assembler from putting
  loads off until just before they are used, which saves registers. All programs of a published
  layer's matrix fit on the device at once, so that each has the same share of the bandwidth, and it
  does not matter that some multiprocessors have two and others one. 160 programs of 32 rows for q,
  k and v have 48 kB each under way at first, 7.9 MB, and later, where they wait, at least 11 MB for
  two tokens, 5.9 for four, 5.2 for eight; 180 of 16 rows for attention's output 8.8 MB and 6.6 or
  more. A router has 2 or 8 programs, of 16 warps that ask for all of their 92 kB at once. Splitting
  columns between programs would add a launch, which takes longer than what it saves.
* Instructions. A multiprocessor takes 10 weights from memory per clock and issues 128 instructions
  (for one thread each): 12.8 per weight. The matrix unit multiplies by eight tokens at least, and
  with it there are 1.4 to 1.6 per weight, 2.6 for 16 tokens. Multiply-adds (a weight has to be
  widened, and each row's sums added up across threads) took 4.4 for one token and 6.6 for two: so
  that there is no other path for these.
* The norm. Each program computes that of all its tokens, while its first weights are under way:
  some ten instructions per number. For less than eight tokens a number is computed in few lanes and
  copied to those that want it: 2.7 instructions per weight for two tokens, product included, 3.5
  for four, 4.5 for eight. For 16 it would be 8, two thirds of all that can be issued: there the
  norm has a launch of its own.
* Layout. Eight numbers of a row, 16 bytes, lie in one thread; the matrix unit wants pairs of them.
  As a sum over columns may be taken in any order, `_operand` names those eight columns by the
  places that the unit gives to the thread: between memory and the unit nothing moves between
  threads, and no shared memory is used.

`pdl` lets a launch begin before the one before it has ended (programmatic dependent launch, from
sm_90 on): it asks for its first weights, which nobody writes, and waits for the other launch before
it reads or writes anything else. In compiled code these loads stand before the wait; what it gains
has not been measured. On other devices, and in the interpreter, it changes nothing.
"""

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.kernels.gpu import rows

__all__ = [
    "MOST_FUSED_TOKENS",
    "MOST_TOKENS",
    "TILINGS",
    "Tiling",
    "choose_tiling",
    "linear",
    "norm_linear",
]

MOST_TOKENS = 16
MOST_FUSED_TOKENS = 8  # with a norm in the same launch
MULTIPROCESSORS = 132  # of an H200


@dataclass(frozen=True)
class Tiling:
    """What one program computes, and how."""

    rows: int  # a multiple of 16
    num_warps: int
    ahead: int  # steps of 32 columns per warp whose weights are under way
    ahead_norm: int  # the same, where the norm needs registers too


TILINGS = {
    "wide": Tiling(32, num_warps=8, ahead=4, ahead_norm=3),
    "narrow": Tiling(16, num_warps=8, ahead=6, ahead_norm=6),
    "deep": Tiling(16, num_warps=16, ahead=6, ahead_norm=6),
    "float32": Tiling(16, num_warps=4, ahead=1, ahead_norm=1),  # no tensor cores: for comparisons
}

EIGHT = tl.constexpr(8)
PIECE = tl.constexpr(32)  # columns of a warp's step: four threads' eight each


@triton.jit(do_not_specialize=["tokens"])
def _dense_kernel(
    y,
    total,
    normed,
    x,
    added,
    scale,
    weight,
    bias,
    eps,
    tokens,
    x_stride,
    added_stride,
    INPUTS: tl.constexpr,
    OUTPUTS: tl.constexpr,
    NORM: tl.constexpr,
    ADDED: tl.constexpr,
    NORMED: tl.constexpr,
    BIAS: tl.constexpr,
    TOKENS: tl.constexpr,
    ROWS: tl.constexpr,
    WARPS: tl.constexpr,
    AHEAD: tl.constexpr,
    PDL: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Make y [tokens, OUTPUTS]; with NORM, the first program writes total and normed too."""
    STEPS: tl.constexpr = (INPUTS + WARPS * PIECE - 1) // (WARPS * PIECE)
    NEAR: tl.constexpr = min(1 if NORM else 2, STEPS)  # steps ahead of which inputs are read
    WIDTH: tl.constexpr = max(TOKENS, 8)
    row_tile = tl.program_id(0)
    weight_at = _weight_rows(weight, row_tile, INPUTS, OUTPUTS, ROWS)
    weights: tl.tuple = ()
    for step in tl.static_range(min(AHEAD, STEPS)):
        weights += (_load(weight_at, step, INPUTS, WARPS, True),)
    if PDL:
        tl.extra.cuda.gdc_wait()
        tl.extra.cuda.gdc_launch_dependents()
    else:
        tl.debug_barrier()
    token = tl.minimum(_numbers(TOKENS), tokens - 1)  # as for rows
    at = token * INPUTS
    first = row_tile == 0
    x_at = x + token * x_stride
    added_at = added + token * added_stride
    root = 0.0
    if NORM:
        root = _root(x_at, added_at, total + at, first, eps, INPUTS, WARPS, ADDED)
    scale_at = scale + 0 * token  # of the inputs' layout
    near: tl.tuple = ()
    for step in tl.static_range(NEAR):
        near += (_near(x_at, added_at, scale_at, step, INPUTS, WARPS, NORM, ADDED),)
    sums = tl.zeros((WARPS, ROWS, WIDTH), tl.float32)
    for step in tl.static_range(STEPS):
        if step + NEAR < STEPS:
            near += (_near(x_at, added_at, scale_at, step + NEAR, INPUTS, WARPS, NORM, ADDED),)
        if step + AHEAD < STEPS:
            weights += (_load(weight_at, step + AHEAD, INPUTS, WARPS, True),)
        tl.debug_barrier()  # before it these loads have been asked for
        inputs, others, factors = near[step]
        if NORM:
            inputs = _normed(inputs, others, factors, root, ADDED)
            k = _columns(step, WARPS)
            if NORMED:
                tl.store(normed + at + k, inputs, mask=first & (k < INPUTS))
        columns = _operand(_eight(inputs)).trans(0, 2, 1)
        sums = tl.dot(_operand(weights[step]), columns, sums, input_precision=PRECISION)
    _finish(y, bias, tl.sum(sums, axis=0), row_tile * ROWS, tokens, OUTPUTS, BIAS)


@triton.jit
def _numbers(COUNT: tl.constexpr):
    """0 to COUNT - 1, [8, 1, COUNT / 8, 1]; below 8 [COUNT, 1, 1, 1]."""
    eights = tl.arange(0, (COUNT + 7) // 8)[None, None, :, None]
    return eights * EIGHT + tl.arange(0, min(COUNT, 8))[:, None, None, None]


@triton.jit
def _weight_rows(weight, row_tile, INPUTS: tl.constexpr, OUTPUTS: tl.constexpr, ROWS: tl.constexpr):
    row = _numbers(ROWS)
    if OUTPUTS % ROWS != 0:  # the last one stands for those past the end, which are not stored
        row = tl.minimum(row, OUTPUTS - 1 - row_tile * ROWS)
    return weight + row_tile.to(tl.int64) * (ROWS * INPUTS) + row * INPUTS


@triton.jit
def _columns(step, WARPS: tl.constexpr):
    """Those of a step, [1, WARPS, 1, PIECE]."""
    pieces = tl.arange(0, WARPS)[None, :, None, None] + step * WARPS
    return pieces * PIECE + tl.arange(0, PIECE)[None, None, None, :]


@triton.jit
def _load(at, step, INPUTS: tl.constexpr, WARPS: tl.constexpr, ONCE: tl.constexpr):
    """A step's columns of rows at `at` [8, 1, n, 1]: [8, WARPS, n, PIECE]."""
    EVICTION: tl.constexpr = "evict_first" if ONCE else ""
    k = _columns(step, WARPS)
    if (step + 1) * WARPS * PIECE <= INPUTS:
        numbers = tl.load(at + k, eviction_policy=EVICTION)
    else:
        numbers = tl.load(at + k, mask=k < INPUTS, other=0.0, eviction_policy=EVICTION)
    return numbers


@triton.jit
def _near(
    x_at,
    added_at,
    scale_at,
    step,
    INPUTS: tl.constexpr,
    WARPS: tl.constexpr,
    NORM: tl.constexpr,
    ADDED: tl.constexpr,
):
    """A step's x, added and scale; x for those that are not wanted."""
    inputs = _load(x_at, step, INPUTS, WARPS, False)
    others = inputs
    factors = inputs
    if NORM:
        factors = _load(scale_at, step, INPUTS, WARPS, False)
    if ADDED:
        others = _load(added_at, step, INPUTS, WARPS, False)
    return inputs, others, factors


@triton.jit
def _rounded_sum(x, added):
    return (x.to(tl.float32) + added.to(tl.float32)).to(x.dtype)  # the residual stream's rounding


@triton.jit
def _root(
    x_at,
    added_at,
    total_at,
    first,
    eps,
    INPUTS: tl.constexpr,
    WARPS: tl.constexpr,
    ADDED: tl.constexpr,
):
    """The reciprocal root mean square of each token, float32 [n, 1, m, 1]; stores the sums."""
    N: tl.constexpr = x_at.shape[0]
    M: tl.constexpr = x_at.shape[2]
    squares = tl.zeros((N, WARPS, M, PIECE), tl.float32)
    for step in tl.static_range((INPUTS + WARPS * PIECE - 1) // (WARPS * PIECE)):
        inputs = _load(x_at, step, INPUTS, WARPS, False)
        if ADDED:
            inputs = _rounded_sum(inputs, _load(added_at, step, INPUTS, WARPS, False))
            k = _columns(step, WARPS)
            tl.store(total_at + k, inputs, mask=first & (k < INPUTS))
        wide = inputs.to(tl.float32)
        squares += wide * wide
        if step % 2 == 1:
            tl.debug_barrier()  # else the assembler reads ahead until registers run out
    mean = tl.sum(tl.sum(squares, axis=3), axis=1) / INPUTS
    return tl.rsqrt(mean + eps)[:, None, :, None]


@triton.jit
def _normed(inputs, others, factors, root, ADDED: tl.constexpr):
    if ADDED:
        inputs = _rounded_sum(inputs, others)
    # Rounds once, after the scale, as the reference does.
    return (inputs.to(tl.float32) * root * factors.to(tl.float32)).to(inputs.dtype)


@triton.jit
def _eight(inputs):
    """Fewer tokens than eight, [n, WARPS, 1, PIECE], as often as makes eight."""
    N: tl.constexpr = inputs.shape[0]
    WARPS: tl.constexpr = inputs.shape[1]
    if N < 8:
        inputs = tl.broadcast_to(inputs[None], (8 // N, N, WARPS, 1, PIECE))
        inputs = inputs.reshape(8, WARPS, 1, PIECE)
    return inputs


@triton.jit
def _operand(tile):
    """[8, WARPS, n, PIECE] as [WARPS, 8 n, PIECE], columns in the matrix unit's order.

    A thread's eight columns 8 c + 4 s + 2 h + l become 16 s + 8 h + 2 c + l, where the unit's two
    steps s have them.
    """
    N: tl.constexpr = tile.shape[2]
    WARPS: tl.constexpr = tile.shape[1]
    parts = tile.reshape(EIGHT, WARPS, N, 4, 2, 2, 2).trans(1, 2, 0, 4, 5, 3, 6)
    return parts.reshape(WARPS, N * EIGHT, PIECE)


@triton.jit
def _finish(y, bias, sums, first_row, tokens, OUTPUTS: tl.constexpr, BIAS: tl.constexpr):
    row = first_row + tl.arange(0, sums.shape[0])
    token = tl.arange(0, sums.shape[1])
    if BIAS:
        sums += tl.load(bias + row, mask=row < OUTPUTS, other=0.0).to(tl.float32)[:, None]
    inside = (row < OUTPUTS)[:, None] & (token < tokens)[None, :]
    at = token[None, :] * OUTPUTS + row[:, None]
    tl.store(y + at, sums.to(y.dtype.element_ty), mask=inside)


def linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    out_dtype: torch.dtype | None = None,
    pdl: bool = False,
) -> Tensor:
    """Multiply few tokens by a matrix, and add its bias.

    Args:
        x: bfloat16, float16 or float32 [tokens, in], MOST_TOKENS at most.
        weight: [out, in], in x's dtype.
        bias: [out].
        out_dtype: x's (None), or float32: sums as they are.
        pdl: whether to begin before the launch before this has ended.

    Returns:
        [tokens, out] in `out_dtype`.

    Raises:
        ValueError: if they do not fit together.
    """
    _check(x, weight, bias)
    if out_dtype not in (None, x.dtype, torch.float32):
        raise ValueError(f"sums of {x.dtype} are stored as that or as float32, not {out_dtype}")
    dtype = x.dtype if out_dtype is None else out_dtype
    y = torch.empty((x.shape[0], weight.shape[0]), dtype=dtype, device=x.device)
    if x.shape[0]:
        _launch(y, x, weight, bias, pdl=pdl)
    return y


def norm_linear(
    x: Tensor,
    added: Tensor | None,
    scale: Tensor,
    eps: float,
    weight: Tensor,
    bias: Tensor | None,
    *,
    with_normed: bool,
    pdl: bool = False,
) -> tuple[Tensor, Tensor | None, Tensor]:
    """Add to few tokens, normalise them, multiply them by a matrix, and add its bias.

    Args:
        x: bfloat16, float16 or float32 [tokens, in], MOST_TOKENS at most.
        added: [tokens, in] in any float dtype; None: nothing.
        scale: [in], the norm's.
        eps: the norm's.
        weight: [out, in], in x's dtype.
        bias: [out].
        with_normed: whether what has been multiplied is wanted too.
        pdl: whether to begin before the launch before this has ended.

    Returns:
        x + added, rounded to x's dtype (x itself where nothing is added); its norm [tokens, in], or
        None; and [tokens, out]; all in x's dtype.

    Raises:
        ValueError: if they do not fit together.
    """
    _check(x, weight, bias)
    if added is not None and added.shape != x.shape:
        raise ValueError(f"x is {_named(x)}, what is added {_named(added)}")
    if scale.shape != x.shape[1:] or not scale.is_contiguous():
        raise ValueError(f"a scale {_named(scale)} for x {_named(x)}")
    if x.shape[0] > MOST_FUSED_TOKENS:
        total, rounded = _norm_alone(x, added, scale, eps)
        y = linear(rounded, weight, bias, pdl=pdl)
        return total, rounded if with_normed else None, y
    y = torch.empty((x.shape[0], weight.shape[0]), dtype=x.dtype, device=x.device)
    total = x if added is None else torch.empty(x.shape, dtype=x.dtype, device=x.device)
    normed = torch.empty(x.shape, dtype=x.dtype, device=x.device) if with_normed else None
    if x.shape[0]:
        _launch(y, x, weight, bias, norm=_Norm(added, scale, eps, total, normed), pdl=pdl)
    return total, normed, y


def _norm_alone(
    x: Tensor, added: Tensor | None, scale: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    if added is None:
        return x, rows.rms_norm(x, scale, eps)
    return rows.add_rms_norm(x, added, scale, eps)


def choose_tiling(outputs: int, dtype: torch.dtype) -> Tiling:
    """By how many rows there are: fewer get smaller tiles, so that all of the device has some.

    Args:
        outputs: rows of the matrix.
        dtype: of the matrix.
    """
    if dtype == torch.float32:
        return TILINGS["float32"]
    names = (name for name in ("wide", "narrow") if _fills(outputs, TILINGS[name]))
    return TILINGS[next(names, "deep")]


def _fills(outputs: int, tiling: Tiling) -> bool:
    return outputs > (MULTIPROCESSORS - 1) * tiling.rows


@dataclass(frozen=True)
class _Norm:
    """What comes before the product, and where its results go."""

    added: Tensor | None
    scale: Tensor
    eps: float
    total: Tensor
    normed: Tensor | None


def _launch(
    y: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    norm: _Norm | None = None,
    pdl: bool,
) -> None:
    outputs, inputs = weight.shape
    tokens = x.shape[0]
    x = _side_by_side(x)
    added = None if norm is None or norm.added is None else _side_by_side(norm.added)
    tiling = choose_tiling(outputs, x.dtype)
    pdl = pdl and x.is_cuda and torch.cuda.get_device_capability(x.device) >= (9, 0)
    fewest = 8 if norm is None else 2  # one takes more instructions to copy to lanes than two
    _dense_kernel[(triton.cdiv(outputs, tiling.rows),)](
        y,
        y if norm is None else norm.total,
        y if norm is None or norm.normed is None else norm.normed,
        x,
        x if added is None else added,
        x if norm is None else norm.scale,
        weight,
        weight if bias is None else bias,
        0.0 if norm is None else norm.eps,
        tokens,
        x.stride(0),
        0 if added is None else added.stride(0),
        INPUTS=inputs,
        OUTPUTS=outputs,
        NORM=norm is not None,
        ADDED=added is not None,
        NORMED=norm is not None and norm.normed is not None,
        BIAS=bias is not None,
        TOKENS=max(fewest, triton.next_power_of_2(tokens)),
        ROWS=tiling.rows,
        WARPS=tiling.num_warps,
        AHEAD=tiling.ahead if norm is None else tiling.ahead_norm,
        PDL=pdl,
        PRECISION="ieee" if x.dtype == torch.float32 else "tf32",
        num_warps=tiling.num_warps,
        launch_pdl=pdl,
    )


def _check(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if x.dim() != 2 or weight.dim() != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x {_named(x)} for a matrix {_named(weight)}")
    if x.shape[0] > MOST_TOKENS:
        raise ValueError(f"{x.shape[0]} tokens; these kernels take {MOST_TOKENS} at most")
    if x.dtype not in (torch.bfloat16, torch.float16, torch.float32) or weight.dtype != x.dtype:
        raise ValueError(f"x {_named(x)} and a matrix {_named(weight)} have one float dtype")
    if x.dtype == torch.bfloat16 and not x.is_cuda:
        raise ValueError("Triton's interpreter has no bfloat16; use float16 or float32")
    if not weight.is_contiguous():
        raise ValueError(f"a matrix {_named(weight)} does not lie in one piece")
    if bias is not None and (bias.shape != weight.shape[:1] or not bias.is_contiguous()):
        raise ValueError(f"a bias {_named(bias)} for a matrix {_named(weight)}")


def _side_by_side(x: Tensor) -> Tensor:
    """X with each token's numbers side by side; a copy only where they are not."""
    return x if x.stride(1) == 1 else x.contiguous()


def _named(x: Tensor) -> str:
    return f"{list(x.shape)} of {x.dtype}"
