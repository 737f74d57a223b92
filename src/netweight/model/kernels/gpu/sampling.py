"""From logits float32 [rows, vocab] to a token of each row, where the logits are, in Triton.

`draw` is `netweight.engine.sampler.sample` for many rows: weights exp((logit - largest) / T) that
pass min_p, then top_k, then top_p, each on what the one before it left, and the first token, in id
order, whose running sum exceeds point * total. All three filters keep what is at or above a logit,
the row's edge, so that tokens that tie at an edge all stay:

* min_p: at or above largest + T log(min_p);
* top_k: at or above the k-th largest logit;
* top_p: at or above the largest logit v for which the weights at or above v reach top_p of all.

Memory: a row is cut into chunks. `_survey` leaves each chunk's largest logit and the sum of its
weights relative to that; `_pick` finds the chunk in whose part of the running sum the point lies,
and the token in it. Without filters that is all: the logits are read once, and one chunk of each
row again. The edges of top_k and top_p are found digit by digit, four bits at a time, in the 32
bits of a logit's order-preserving integer (`_key`): `_narrow` adds up each chunk's counts or
weights in the 16 parts of the interval that is left, and `_descend` chooses one. A chunk that has
nothing there is not read again.

Arithmetic: weights are float32; a chunk's sum and all that follows is float64, but for the weights
of one digit, of which up to chunk / 256 are added in float32 first. The order of all sums is fixed
and nothing is added atomically: a row's token does not depend on the rows beside it. The boundary
between two tokens is where the reference has it within the tolerance running-sum of
docs/numerics.md. A logit within rounding of the edge of min_p, or a sum within rounding of top_p,
may fall on the other side of it. Logits that differ are no tie, though their probabilities may
round to the same float64.

No call waits for the device and all sizes come from shapes, so calls can be captured in a graph.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.kernels.protocol import NOTHING_ALLOWED, UNSOUND

__all__ = ["draw", "is_sound", "log_probabilities"]

# From compiled code, unmeasured on a device: 16 logits per thread in four loads of 16 bytes, and 50
# chunks of the published vocabulary, so that three rows are enough for an H200's 132 processors.
_CHUNK = 4096
_WARPS = 8
_TILE = 32 * _WARPS  # one logit per thread, so that its 16 sums stay in registers
_UNROLL = 4  # tiles, so that as many loads are under way

_DIGITS: tl.constexpr = tl.constexpr(16)
_STEPS = 8  # digits of 4 bits in a key
_NOTHING: tl.constexpr = tl.constexpr(NOTHING_ALLOWED)
_UNSOUND: tl.constexpr = tl.constexpr(UNSOUND)
_COLDEST: tl.constexpr = tl.constexpr(1e-30)  # as in netweight.engine.sampler
_LEAST_TOP_P: tl.constexpr = tl.constexpr(1e-9)


@triton.jit
def _masked(x, bits, row, ids, words):
    """Logits x of ids with minus infinity where the row's mask has no bit."""
    word = tl.load(bits + row * words + (ids >> 5), mask=(ids >> 5) < words, other=0)
    return tl.where(((word >> (ids & 31)) & 1) != 0, x, -float("inf"))


@triton.jit
def _key(x):
    """The unsigned integer of a float32, in the same order, but that -0 is below 0.

    That is no matter: edges are compared with as float32, and what keeps one zero keeps both.
    """
    integer = x.to(tl.int32, bitcast=True)
    return (integer ^ ((integer >> 31) | -2147483648)).to(tl.uint32, bitcast=True)


@triton.jit
def _of_key(key):
    """The float32 of a `_key`."""
    integer = key.to(tl.int32, bitcast=True)
    return (integer ^ (~(integer >> 31) | -2147483648)).to(tl.float32, bitcast=True)


@triton.jit
def _survey(
    logits,
    bits,
    temperature,
    edges,
    heights,
    tops,
    sums,
    stride,
    vocab,
    words,
    chunks,
    CHUNK: tl.constexpr,
    MASKED: tl.constexpr,
    LIMITED: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    chunk = tl.program_id(1)
    ids = chunk * CHUNK + tl.arange(0, CHUNK)
    raw = tl.load(logits + row * stride + ids, mask=ids < vocab, other=-float("inf"))
    x = raw
    if MASKED:
        x = _masked(raw, bits, row, ids, words)
    top = tl.max(x, 0)
    cold = tl.maximum(tl.load(temperature + row), _COLDEST)
    weights = tl.exp((x - tl.where(top > -float("inf"), top, 0.0)) / cold)
    if LIMITED:
        weights = tl.where(x >= tl.load(edges + row), weights, 0.0)
    place = row * chunks + chunk
    if not LIMITED:
        tl.store(heights + place, tl.max(tl.where(raw == raw, raw, float("inf")), 0))
        tl.store(tops + place, top)
    tl.store(sums + place, tl.sum(weights.to(tl.float64), 0))


@triton.jit
def _begin(
    tops, temperature, min_p, peaks, edges, chunks, CHUNKS: tl.constexpr, HAS_MIN_P: tl.constexpr
):
    """Each row's largest logit, and the edge that min_p makes."""
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, CHUNKS)
    peak = tl.max(tl.load(tops + row * chunks + at, mask=at < chunks, other=-float("inf")), 0)
    tl.store(peaks + row, peak)
    edge = tl.full((), -float("inf"), tl.float32)
    if HAS_MIN_P:
        least = tl.load(min_p + row).to(tl.float64)
        cold = tl.maximum(tl.load(temperature + row), _COLDEST).to(tl.float64)
        exact = peak.to(tl.float64) + cold * tl.log(tl.where(least > 0, least, 1.0))
        nearest = exact.to(tl.float32)
        # The first float32 that is not below: at min_p 1 the largest logit itself.
        above = _of_key(_key(nearest) + 1)
        nearest = tl.where(nearest.to(tl.float64) < exact, above, nearest)
        edge = tl.where(least > 0, nearest, edge)
    tl.store(edges + row, edge)


@triton.jit(do_not_specialize=["step"])
def _narrow(
    logits,
    bits,
    temperature,
    limits,
    peaks,
    edges,
    prefixes,
    partials,
    stride,
    vocab,
    words,
    chunks,
    step,
    CHUNK: tl.constexpr,
    TILE: tl.constexpr,
    UNROLL: tl.constexpr,
    BY_WEIGHT: tl.constexpr,
    MASKED: tl.constexpr,
):
    """A chunk's counts (top_k) or weights (top_p), by digit number `step` of the key.

    Only keys that begin with the row's prefix count, and only logits that passed the filters
    before. `partials` are float64 [rows, chunks, 16].
    """
    row = tl.program_id(0).to(tl.int64)
    chunk = tl.program_id(1)
    limit = tl.load(limits + row)
    is_limited = limit < 1 if BY_WEIGHT else limit > 0
    asked = tl.load(temperature + row)
    if is_limited & (asked > 0):
        digits = tl.arange(0, _DIGITS)
        mine = partials + (row * chunks + chunk) * _DIGITS
        prefix = tl.load(prefixes + row, mask=step > 0, other=0).to(tl.uint32, bitcast=True)
        # What the last step found here for the digit that was chosen after it.
        found = tl.load(mine + (prefix & (_DIGITS - 1)), mask=step > 0, other=1.0)
        codes = (prefix << 4) + digits.to(tl.uint32)
        shift = (28 - 4 * step).to(tl.uint32)
        peak = tl.load(peaks + row)
        edge = tl.load(edges + row)
        cold = tl.maximum(asked, _COLDEST)
        sums = tl.full((_DIGITS, TILE), 0.0, tl.float32)
        start = tl.where(found > 0, 0, CHUNK)
        while start < CHUNK:
            for _ in tl.static_range(UNROLL):
                ids = chunk * CHUNK + start + tl.arange(0, TILE)
                x = tl.load(logits + row * stride + ids, mask=ids < vocab, other=-float("inf"))
                if MASKED:
                    x = _masked(x, bits, row, ids, words)
                weights = tl.full((TILE,), 1.0, tl.float32)
                if BY_WEIGHT:
                    weights = tl.exp((x - peak) / cold)
                weights = tl.where((x >= edge) & (x > -float("inf")), weights, 0.0)
                code = _key(x) >> shift
                sums += tl.where(code[None, :] == codes[:, None], weights[None, :], 0.0)
                start += TILE
        tl.store(mine + digits, tl.sum(sums.to(tl.float64), 1))


@triton.jit(do_not_specialize=["step"])
def _descend(
    temperature,
    limits,
    edges,
    prefixes,
    overs,
    goals,
    partials,
    chunks,
    step,
    CHUNKS: tl.constexpr,
    LAST: tl.constexpr,
    BY_WEIGHT: tl.constexpr,
):
    """Choose the digit in which a row's edge is; after the last, raise the edge to it.

    Of a row are kept: the digits so far (`prefixes`, int32), the sum above all keys that begin with
    them (`overs`, float64) and the sum that the edge has to reach (`goals`, float64).
    """
    row = tl.program_id(0).to(tl.int64)
    limit = tl.load(limits + row)
    is_limited = limit < 1 if BY_WEIGHT else limit > 0
    if is_limited & (tl.load(temperature + row) > 0):
        at, digits = tl.arange(0, CHUNKS), tl.arange(0, _DIGITS)
        places = (row * chunks + at[:, None]) * _DIGITS + digits[None, :]
        sums = tl.sum(tl.load(partials + places, mask=(at < chunks)[:, None], other=0.0), 0)
        is_later = step > 0
        prefix = tl.load(prefixes + row, mask=is_later, other=0).to(tl.uint32, bitcast=True)
        over = tl.load(overs + row, mask=is_later, other=0.0)
        if BY_WEIGHT:
            goal = tl.maximum(limit.to(tl.float64), _LEAST_TOP_P) * tl.sum(sums, 0)
        else:
            goal = tl.minimum(limit.to(tl.float64), tl.sum(sums, 0))
        goal = tl.where(is_later, tl.load(goals + row, mask=is_later, other=0.0), goal)
        reached = over + tl.cumsum(sums, 0, reverse=True)
        digit = tl.max(tl.where((reached >= goal) & (sums > 0), digits, -1), 0)
        # Sums of two steps differ by rounding: what falls short of the goal is at the lower end.
        lowest = tl.min(tl.where(sums > 0, digits, _DIGITS - 1), 0)
        digit = tl.where(digit < 0, lowest, digit)
        over += tl.sum(tl.where(digits > digit, sums, 0.0), 0)
        prefix = (prefix << 4) + digit.to(tl.uint32)
        tl.store(prefixes + row, prefix.to(tl.int32, bitcast=True))
        tl.store(overs + row, over)
        tl.store(goals + row, goal)
        if step == LAST:
            tl.store(edges + row, tl.maximum(tl.load(edges + row), _of_key(prefix)))


@triton.jit
def _place(weights, goal, SIZE: tl.constexpr):
    """The first place whose running sum exceeds the goal; rounding may let none: then the last."""
    at = tl.arange(0, SIZE)
    running = tl.cumsum(weights, 0)
    first = tl.min(tl.where((running > goal) & (weights > 0), at, SIZE), 0)
    return tl.minimum(first, tl.max(tl.where(weights > 0, at, 0), 0))


@triton.jit
def _pick(
    logits,
    bits,
    points,
    temperature,
    edges,
    heights,
    tops,
    sums,
    out,
    stride,
    vocab,
    words,
    chunks,
    CHUNK: tl.constexpr,
    CHUNKS: tl.constexpr,
    MASKED: tl.constexpr,
    LIMITED: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, CHUNKS)
    inside = at < chunks
    height = tl.max(tl.load(heights + row * chunks + at, mask=inside, other=-float("inf")), 0)
    tops_here = tl.load(tops + row * chunks + at, mask=inside, other=-float("inf"))
    top = tl.max(tops_here, 0)
    asked = tl.load(temperature + row)
    cold = tl.maximum(asked, _COLDEST)
    distance = (tops_here - tl.where(top > -float("inf"), top, 0.0)).to(tl.float64)
    scales = tl.exp(distance / cold.to(tl.float64))
    weights = tl.load(sums + row * chunks + at, mask=inside, other=0.0) * scales
    goal = tl.load(points + row).to(tl.float64) * tl.sum(weights, 0)
    likeliest = tl.min(tl.where(tops_here == top, at, CHUNKS - 1), 0)
    chunk = tl.where(asked > 0, _place(weights, goal, CHUNKS), likeliest)
    rest = goal - tl.sum(tl.where(at < chunk, weights, 0.0), 0)
    rest /= tl.sum(tl.where(at == chunk, scales, 0.0), 0)
    base = tl.max(tl.where(at == chunk, tops_here, -float("inf")), 0)

    ids = chunk * CHUNK + tl.arange(0, CHUNK)
    x = tl.load(logits + row * stride + ids, mask=ids < vocab, other=-float("inf"))
    if MASKED:
        x = _masked(x, bits, row, ids, words)
    within = tl.exp((x - tl.where(base > -float("inf"), base, 0.0)) / cold)
    if LIMITED:
        within = tl.where(x >= tl.load(edges + row), within, 0.0)
    drawn = _place(within.to(tl.float64), rest, CHUNK)
    first = tl.min(tl.where(x == top, tl.arange(0, CHUNK), CHUNK - 1), 0)
    token = chunk * CHUNK + tl.where(asked > 0, drawn, first)
    token = tl.where(top > -float("inf"), token, _NOTHING)
    is_finite = (height > -float("inf")) & (height < float("inf"))
    tl.store(out + row, tl.where(is_finite, token, _UNSOUND))


def draw(
    logits: Tensor,
    points: Tensor,
    temperature: Tensor,
    *,
    min_p: Tensor | None = None,
    top_k: Tensor | None = None,
    top_p: Tensor | None = None,
    bits: Tensor | None = None,
    chunk: int = _CHUNK,
) -> Tensor:
    """Draw a token id of each row.

    A filter that is None is in no row's settings, which the host knows: without any there are two
    launches. Each of top_k and top_p takes 16 more if a row has it.

    Args:
        logits: float32 [rows, vocab], rows in one piece.
        points: float64 or float32 [rows] in [0, 1), uniform for a draw. Of float32 there are only
            2^24, so that many unlikely tokens would never be drawn.
        temperature: float32 [rows]; 0 takes the likeliest token, the lowest id of equals, whatever
            the point. What is not 0 must not be rounded to it; 1e-30 is as good as any below.
        min_p: float32 [rows]; 0 keeps all.
        top_k: int32 [rows]; 0 keeps all.
        top_p: float32 [rows]; 1 keeps all, 0 the likeliest.
        bits: int32 [rows, words]: bit i % 32 of word i // 32 tells if id i may be drawn, and ids
            beyond may not. Ones for a row that may have all.
        chunk: logits in a program, a power of two.

    Returns:
        int32 [rows]: a token; NOTHING_ALLOWED where the mask leaves none that the model can
        produce; UNSOUND where the largest of the row's logits, masked or not, is no finite number.

    Raises:
        ValueError: a shape, a type or a stride is none of these.
    """
    _check_rows(logits, chunk)
    rows = logits.shape[0]
    _check_vectors(rows, logits.device, points=points, temperature=temperature)
    filters = {"min_p": min_p, "top_k": top_k, "top_p": top_p}
    used = {name: values for name, values in filters.items() if values is not None}
    _check_vectors(rows, logits.device, **used)
    if bits is not None and not (
        bits.dtype == torch.int32 and bits.ndim == 2 and len(bits) == rows and bits.is_contiguous()
    ):
        raise ValueError(f"masks are int32 [{rows}, words], not {bits.dtype} {tuple(bits.shape)}")
    out = torch.empty(rows, dtype=torch.int32, device=logits.device)
    if rows > 0:
        batch = _Batch(logits, temperature, bits, chunk)
        if used:
            batch.limit(min_p, top_k, top_p)
        batch.pick(points, out)
    return out


def log_probabilities(
    logits: Tensor, token_ids: Tensor, num_top: int, *, chunk: int = _CHUNK
) -> tuple[Tensor, Tensor, Tensor]:
    """Natural log-probabilities of a token of each row and of the `num_top` likeliest.

    The sum is `_survey`'s, which writes nothing of the logits' size; the ranks are torch.topk's,
    a few passes over the logits, which leaves open the order of tokens that are equally likely.

    Args:
        logits: float32 [rows, vocab].
        token_ids: int64 [rows].
        num_top: how many of the likeliest.
        chunk: as in `draw`.

    Returns:
        The tokens' own, float32 [rows]; the likeliest tokens, int32 [rows, num_top], the likeliest
        first; theirs, float32 [rows, num_top]. NaN in rows that `is_sound` refuses.

    Raises:
        ValueError: a shape or a type is none of these.
    """
    _check_rows(logits, chunk)
    rows, vocab = logits.shape
    if token_ids.dtype != torch.int64 or token_ids.shape != (rows,):
        raise ValueError(f"token ids are int64 [{rows}], not {token_ids.dtype} {token_ids.shape}")
    if not 0 <= num_top <= vocab:
        raise ValueError(f"{num_top} of {vocab} tokens; at most all can be ranked")
    batch = _Batch(logits, torch.ones(rows, device=logits.device), None, chunk)
    total = batch.log_total()[:, None]
    own = (logits.gather(1, token_ids[:, None]) - total)[:, 0].float()
    values, ids = logits.topk(num_top)
    return own, ids.int(), (values - total).float()


def is_sound(logits: Tensor) -> Tensor:
    """Whether the largest of each row's logits is a finite number, bool [rows].

    Args:
        logits: float32 [rows, vocab]; `amax` hands on what is not a number.
    """
    return logits.amax(-1).isfinite()


class _Batch:
    """Rows of logits, cut into chunks and surveyed."""

    def __init__(
        self, logits: Tensor, temperature: Tensor, bits: Tensor | None, chunk: int
    ) -> None:
        self._logits, self._temperature, self._bits, self._chunk = logits, temperature, bits, chunk
        self._device = logits.device
        self._rows, self._vocab = logits.shape
        self._chunks = triton.cdiv(self._vocab, chunk)
        self._padded = triton.next_power_of_2(self._chunks)  # chunks that a program looks through
        shape = (self._rows, self._chunks)
        self._heights = torch.empty(shape, device=self._device)
        self._tops = torch.empty(shape, device=self._device)
        self._sums = torch.empty(shape, dtype=torch.float64, device=self._device)
        self._edges: Tensor | None = None
        self._survey()

    def limit(self, min_p: Tensor | None, top_k: Tensor | None, top_p: Tensor | None) -> None:
        """Keep only what the filters leave."""
        self._edges = torch.empty(self._rows, device=self._device)
        peaks = torch.empty(self._rows, device=self._device)
        _begin[(self._rows,)](
            self._tops,
            self._temperature,
            min_p,
            peaks,
            self._edges,
            self._chunks,
            CHUNKS=self._padded,
            HAS_MIN_P=min_p is not None,
            num_warps=1,
        )
        if top_k is not None:
            self._raise_edges(top_k, peaks, by_weight=False)
        if top_p is not None:
            self._raise_edges(top_p, peaks, by_weight=True)
        self._survey()

    def pick(self, points: Tensor, out: Tensor) -> None:
        """Write each row's token at its point of the running sum."""
        _pick[(self._rows,)](
            self._logits,
            self._bits,
            points,
            self._temperature,
            self._edges,
            self._heights,
            self._tops,
            self._sums,
            out,
            *self._lengths(),
            self._chunks,
            CHUNK=self._chunk,
            CHUNKS=self._padded,
            MASKED=self._bits is not None,
            LIMITED=self._edges is not None,
            num_warps=_WARPS,
        )

    def log_total(self) -> Tensor:
        """The logarithm of each row's sum of weights at temperature 1, float64 [rows]."""
        highest = self._heights.amax(1, keepdim=True).double()
        scales = (self._tops - highest).exp()
        return highest[:, 0] + (self._sums * scales).sum(1).log()

    def _lengths(self) -> tuple[int, int, int]:
        words = 0 if self._bits is None else self._bits.shape[1]
        return self._logits.stride(0), self._vocab, words

    def _survey(self) -> None:
        _survey[(self._rows, self._chunks)](
            self._logits,
            self._bits,
            self._temperature,
            self._edges,
            self._heights,
            self._tops,
            self._sums,
            *self._lengths(),
            self._chunks,
            CHUNK=self._chunk,
            MASKED=self._bits is not None,
            LIMITED=self._edges is not None,
            num_warps=_WARPS,
        )

    def _raise_edges(self, limits: Tensor, peaks: Tensor, *, by_weight: bool) -> None:
        device, rows = self._device, self._rows
        shape = (rows, self._chunks, _DIGITS.value)
        partials = torch.empty(shape, dtype=torch.float64, device=device)
        prefixes = torch.empty(rows, dtype=torch.int32, device=device)
        overs = torch.empty(rows, dtype=torch.float64, device=device)
        goals = torch.empty(rows, dtype=torch.float64, device=device)
        tile = min(_TILE, self._chunk)
        for step in range(_STEPS):
            _narrow[(rows, self._chunks)](
                self._logits,
                self._bits,
                self._temperature,
                limits,
                peaks,
                self._edges,
                prefixes,
                partials,
                *self._lengths(),
                self._chunks,
                step,
                CHUNK=self._chunk,
                TILE=tile,
                UNROLL=min(_UNROLL, self._chunk // tile),
                BY_WEIGHT=by_weight,
                MASKED=self._bits is not None,
                num_warps=_WARPS,
            )
            _descend[(rows,)](
                self._temperature,
                limits,
                self._edges,
                prefixes,
                overs,
                goals,
                partials,
                self._chunks,
                step,
                CHUNKS=self._padded,
                LAST=_STEPS - 1,
                BY_WEIGHT=by_weight,
                num_warps=1,
            )


_KINDS = {
    "points": (torch.float64, torch.float32),
    "temperature": (torch.float32,),
    "min_p": (torch.float32,),
    "top_k": (torch.int32,),
    "top_p": (torch.float32,),
}


def _check_rows(logits: Tensor, chunk: int) -> None:
    if logits.dtype != torch.float32 or logits.ndim != 2 or logits.shape[1] == 0:
        raise ValueError(
            f"logits are float32 [rows, vocab], not {logits.dtype} {tuple(logits.shape)}"
        )
    if logits.stride(1) != 1:
        raise ValueError(f"rows of logits lie in one piece, not {logits.stride(1)} numbers apart")
    if chunk < 1 or chunk & (chunk - 1):
        raise ValueError(f"a chunk of {chunk} logits; a power of two is needed")


def _check_vectors(rows: int, device: torch.device, **vectors: Tensor) -> None:
    for name, values in vectors.items():
        if values.dtype not in _KINDS[name] or values.shape != (rows,) or values.device != device:
            raise ValueError(
                f"{name} is {values.dtype} {tuple(values.shape)} on {values.device}; "
                f"it must be {_KINDS[name][0]} [{rows}] on {device}"
            )
        if values.stride(0) != 1 and rows > 1:
            raise ValueError(f"{name} must lie in one piece")
