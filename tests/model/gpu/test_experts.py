import importlib.util
import sys
from pathlib import Path

import pytest
import torch
import triton
import triton.language as tl
from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

from netweight.model.kernels import REFERENCE
from netweight.model.kernels.gpu import experts as kernels
from netweight.model.kernels.gpu import packed
from netweight.model.weights import Mxfp4Experts, PlainMixture
from tests.model.gpu.test_packed import random_mxfp4
from tests.model.shapes import SMALL, tolerance

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# The norm of the difference over the norm of the value. Float32: another order of a hundred terms
# or so. Float16: where a sum falls on the other side of a rounding, 2^-11, three times on the way.
TOLERANCES = {
    getattr(torch, name): tolerance(f"mixture-gpu-{name}") for name in ("float32", "float16")
}
DTYPES = list(TOLERANCES)


def needs_gpu(test):
    """Mark a test of what the interpreter has not: bfloat16, inline assembly, graphs."""
    skip = pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device")
    return pytest.mark.gpu(skip(test))


@pytest.fixture(autouse=True)
def poisoned(monkeypatch):
    """Fresh tensors hold NaN, so that whatever a kernel leaves out shows."""
    empty = torch.empty

    def poison(*shape, **keywords):
        fresh = empty(*shape, **keywords)
        return fresh.fill_(torch.nan if fresh.is_floating_point() else 99)

    monkeypatch.setattr(torch, "empty", poison)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Experts:
    """A small mixture, packed and plain."""

    def __init__(self, experts=4, hidden=64, intermediate=32, dtype=torch.float32):
        self.gate_up = random_mxfp4(experts, 2 * intermediate, hidden, seed=1, scales=(120, 126))
        self.down = random_mxfp4(experts, hidden, intermediate, seed=2, scales=(120, 126))
        self.biases = normal(experts, 2 * intermediate, seed=3), normal(experts, hidden, seed=4)
        self.biases = tuple(bias.to(dtype) for bias in self.biases)
        self.experts, self.hidden, self.dtype = experts, hidden, dtype

    def packed(self, module=kernels, **changed):
        parts = {"gate_up": self.gate_up, "down": self.down, "biases": self.biases} | changed
        gate_up, down = (packed.pack_experts(*parts[name]) for name in ("gate_up", "down"))
        return self.over(gate_up.to(DEVICE), down.to(DEVICE), parts["biases"], module)

    def over(self, gate_up, down, biases=None, module=kernels):
        gate_up_bias, down_bias = (bias.to(DEVICE) for bias in biases or self.biases)
        return module.DeviceMixture(
            gate_up,
            gate_up_bias,
            down,
            down_bias,
            alpha=SMALL.swiglu_alpha,
            limit=SMALL.swiglu_limit,
        )

    def plain(self, x, weights, chosen):
        """The definition."""
        gate_up, down = (
            Mxfp4Experts(*matrices, self.dtype, REFERENCE) for matrices in (self.gate_up, self.down)
        )
        mixture = PlainMixture(SMALL, REFERENCE, gate_up, self.biases[0], down, self.biases[1])
        return mixture(*(part.cpu() for part in (x, weights, chosen)))

    def inputs(self, tokens, slots, seed=5):
        logits = normal(tokens, self.experts, seed=seed)
        x = normal(tokens, self.hidden, seed=seed + 1).to(self.dtype)
        return tuple(part.to(DEVICE) for part in (x, *REFERENCE.route(logits, slots)))


def distance(ours, theirs):
    assert ours.isfinite().all()
    ours, theirs = ours.cpu().double(), theirs.double()
    return float((ours - theirs).norm() / theirs.norm())


def check(experts, inputs, mixture=None):
    mixed = (mixture or experts.packed())(*inputs)
    assert mixed.dtype == experts.dtype
    assert distance(mixed, experts.plain(*inputs)) <= TOLERANCES[experts.dtype]


@pytest.mark.parametrize(
    ("tokens", "dtype"),
    [(1, torch.float32), (9, torch.float32), (17, torch.float32)]
    + [(tokens, torch.float16) for tokens in (1, 2, 8, 9, 16, 17)],
)
def test_the_mixture_is_its_definition(tokens, dtype):
    experts = Experts(5, 64, 96, dtype=dtype)
    check(experts, experts.inputs(tokens, 1 if 3 < tokens < 17 else 3))


@pytest.mark.parametrize(
    "shape", [(1, 32, 32), (3, 96, 32), (2, 32, 64), (2, 288, 32), (2, 160, 96)]
)
@pytest.mark.parametrize("tokens", [1, 18])
def test_rows_and_columns_need_not_fill_tiles(shape, tokens):
    experts = Experts(*shape, dtype=torch.float16)
    check(experts, experts.inputs(tokens, min(shape[0], 2)))


def use_tiling(monkeypatch, width):
    monkeypatch.setattr(kernels, "choose_tiling", lambda *_: kernels.TILINGS[width])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("width", "tokens"), [(8, 7), (16, 17), (32, 33), (64, 65), (128, 129)])
def test_tiles_of_every_width_are_right(width, tokens, dtype, monkeypatch):
    if DEVICE == "cuda" and dtype == torch.float32:
        pytest.skip("float32 has a tiling of its own there; others do not fit into a GPU")
    use_tiling(monkeypatch, width)
    experts = Experts(2, 96, 64, dtype=dtype)
    check(experts, experts.inputs(tokens, 1))


def test_tiles_grow_with_the_tokens_of_an_expert():
    def width(tokens, experts=32, dtype=torch.bfloat16):
        return kernels.choose_tiling(tokens, 4, experts, dtype).tokens

    assert [width(t) for t in (1, 8, 9, 16, 17, 64, 256, 2048)] == [8, 8, 16, 16, 16, 32, 64, 128]
    assert [width(t, 128) for t in (1, 64, 512, 8192)] == [8, 16, 32, 128]
    assert width(8192, dtype=torch.float32) == 16


def test_columns_split_among_programs_add_up():
    experts = Experts(1, 32, 288)  # five steps of 64, which two programs share
    assert kernels.count_splits(1, 5) == 2
    for tokens in (1, 3):
        check(experts, experts.inputs(tokens, 1))


def test_as_many_programs_as_fill_the_device_and_have_two_steps():
    assert kernels.count_splits(45 * 4, 12) == 2  # one token of a published model
    assert kernels.count_splits(45 * 8, 12) == 1
    assert kernels.count_splits(1, 3) == 1
    assert kernels.count_splits(1, 12) == 4  # three steps each


@pytest.mark.parametrize("tokens", [3, 17])
def test_all_tokens_may_choose_one_expert_and_leave_others_empty(tokens):
    experts = Experts()
    x, weights, _ = experts.inputs(tokens, 1)
    check(experts, (x, weights, torch.full((tokens, 1), 3, device=DEVICE)))


@pytest.mark.parametrize("tokens", [1, 3, 17])
def test_choices_may_be_of_either_integer_type(tokens):
    experts = Experts(dtype=torch.float16)
    x, weights, chosen = experts.inputs(tokens, 2)
    check(experts, (x, weights, chosen.int()))


@pytest.mark.parametrize("scales", [(0, 30), (129, 150), (60, 190)])
def test_small_and_large_scales_are_exact(scales):
    experts = Experts(3, 64, 32)
    experts.gate_up = random_mxfp4(3, 64, 64, seed=1, scales=scales)
    for tokens in (1, 17):
        x, *choice = experts.inputs(tokens, 1)
        check(experts, (x * 2.0 ** (126 - scales[1]), *choice))


def all_codes(first):
    """Blocks and scales of 128 rows: 16 codes, each twice, with each of 64 scales, twice."""
    codes = torch.arange(16).repeat(128, 2)
    blocks = (codes[:, 0::2] | codes[:, 1::2] << 4).to(torch.uint8).view(1, 128, 1, 16)
    return blocks, (first + torch.arange(128) // 2).to(torch.uint8).view(1, 128, 1)


@pytest.mark.filterwarnings("ignore:.*encountered in multiply:RuntimeWarning")  # with scale 255
@pytest.mark.parametrize("first", [0, 64, 128, 192])
def test_every_code_times_every_scale_is_the_references(first):
    mxfp4 = all_codes(first)
    weights = numbers_of(packed.pack_experts(*mxfp4), 128)
    expected = REFERENCE.dequantize_mxfp4(*mxfp4, torch.float32)[0, :, :16]
    assert torch.equal(weights, expected)
    assert torch.equal(weights.signbit(), expected.signbit())


class MultipliedPairs:
    """What the kernels' one line of assembly gives: for the interpreter, which has no assembly."""

    def __init__(self, text, constraints, values, *_):
        assert "mov.b32 none, 0x80008000; fma.rn.bf16x2 $0, $1, $2, none;" in text
        assert constraints == "=r,r,r"
        pairs, factors = (torch.from_numpy(v.data.copy()).view(torch.bfloat16) for v in values)
        product = (pairs.double() * factors.double()).to(torch.bfloat16)
        self.result = TensorHandle(product.view(torch.int32).numpy(), tl.int32)

    def get_result(self, index):
        return self.result


@pytest.mark.parametrize("first", [0, 64, 65, 66])
def test_packed_multiplications_make_the_same_numbers(first, monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setattr(InterpreterBuilder, "create_inline_asm", MultipliedPairs)
    mxfp4 = all_codes(first)
    weights = numbers_of(packed.pack_experts(*mxfp4), 128, torch.bfloat16, fast=True)
    expected = REFERENCE.dequantize_mxfp4(*mxfp4, torch.bfloat16)[0, :, :16]
    same = torch.equal(weights.view(torch.int16), expected.contiguous().view(torch.int16))
    assert same == (first + 63 <= kernels.MOST_FAST_SCALE)


@needs_gpu
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("tokens", [1, 2, 8, 9, 16, 17, 40, 100, 300, 1500])
def test_in_bfloat16_the_mixture_is_its_definition(tokens, wide):
    experts = Experts(4, 288, 352, dtype=torch.bfloat16)
    if wide:
        experts.gate_up[1][0, 0, 0] = 129
    inputs = experts.inputs(tokens, 2)
    mixture = experts.packed()
    assert mixture.wide_scales == wide
    assert distance(mixture(*inputs), experts.plain(*inputs)) <= tolerance("mixture")


@needs_gpu
@pytest.mark.parametrize("tokens", [1, 8, 64])
def test_a_captured_graph_takes_other_tokens_and_choices(tokens):
    experts = Experts(8, 288, 352, dtype=torch.bfloat16)
    mixture = experts.packed()
    held = experts.inputs(tokens, 2)
    mixture(*held)  # compiles
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        mixed = mixture(*held)
    others = experts.inputs(tokens, 2, seed=50)
    for part, other in zip(held, others, strict=True):
        part.copy_(other)
    graph.replay()
    assert torch.equal(mixed, mixture(*others))


@triton.jit
def unpack_kernel(out, data, ROWS: tl.constexpr, FAST: tl.constexpr):
    words = data.to(tl.pointer_type(tl.int32))
    piece = tl.arange(0, ROWS // 16)[:, None, None]
    codes = tl.load(words + piece * 128 + tl.arange(0, 128)[None, None, :])
    scales = tl.load(words + ROWS // 16 * 128 + piece * 8 + tl.arange(0, 8)[None, None, :])
    at = tl.arange(0, ROWS)[:, None] * 64 + tl.arange(0, 64)[None, :]
    tl.store(out + at, kernels._weights(codes, scales, out.dtype.element_ty, FAST))


def numbers_of(data, rows, dtype=torch.float32, *, fast=False):
    """What `_weights` makes of packed rows of 64 columns: its first 16 columns, in row order."""
    out = torch.full((rows, 64), 7.0, device=DEVICE, dtype=dtype)
    unpack_kernel[(1,)](out, data.to(DEVICE), ROWS=rows, FAST=fast)
    lower = out.view(rows // 16, 2, 8, 64).transpose(1, 2).reshape(rows, 64)
    return lower[:, :16].cpu()


def test_what_is_not_here_adds_nothing_and_halves_add_up():
    experts = Experts()
    data = [packed.pack_experts(*m).to(DEVICE) for m in (experts.gate_up, experts.down)]
    for tokens in (1, 17):
        inputs = experts.inputs(tokens, 2)
        halves = []
        for ours in ([0, 3], [1, 2]):
            addresses = [torch.zeros(4, dtype=torch.int64, device=DEVICE) for _ in data]
            for kind, matrices in zip(addresses, data, strict=True):
                for expert in ours:
                    kind[expert] = matrices[expert].data_ptr()
            mixture = experts.over(*addresses)
            halves.append(mixture.partial(*inputs))
            assert halves[-1].dtype == torch.float32
            nobody = torch.full_like(inputs[2], 2 if 0 in ours else 0)
            assert not mixture(inputs[0], inputs[1][:, :1], nobody[:, :1].contiguous()).any()
        assert distance(sum(halves), experts.plain(*inputs)) <= TOLERANCES[torch.float32]


@pytest.mark.parametrize("tokens", [1, 3, 17])
def test_a_token_of_no_expert_gets_zeros_and_disturbs_no_other(tokens):
    experts = Experts()
    x, weights, chosen = experts.inputs(tokens, 2)
    chosen[-1] = -1
    x[-1], weights[-1] = torch.nan, torch.nan
    mixed = experts.packed()(x, weights, chosen)
    assert not mixed[-1].any()
    if tokens > 1:
        alone = experts.plain(x[:-1], weights[:-1], chosen[:-1])
        assert distance(mixed[:-1], alone) <= TOLERANCES[torch.float32]


def test_experts_may_move_between_calls():
    experts = Experts()
    inputs = experts.inputs(3, 2)
    expected = experts.packed()(*inputs)
    slots = [[*packed.pack_experts(*m).to(DEVICE)] for m in (experts.gate_up, experts.down)]
    addresses = [torch.tensor([s.data_ptr() for s in kind], device=DEVICE) for kind in slots]
    mixture = experts.over(*addresses)
    assert torch.equal(mixture(*inputs), expected)
    moved = slots[0][2].clone()
    slots[0][2].zero_()
    addresses[0][2] = moved.data_ptr()
    assert torch.equal(mixture(*inputs), expected)


def test_results_are_the_same_each_time_and_not_rounded_when_partial():
    experts = Experts(dtype=torch.float16)
    mixture = experts.packed()
    for tokens in (3, 17):
        inputs = experts.inputs(tokens, 2)
        first, again, partial = mixture(*inputs), mixture(*inputs), mixture.partial(*inputs)
        assert torch.equal(first, again)
        assert torch.equal(partial.half(), first)
        assert not torch.equal(partial, first.float())


def test_no_token_is_no_work():
    experts = Experts()
    assert experts.packed()(*experts.inputs(0, 2)).shape == (0, 64)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the interpreter's numpy
def test_what_is_not_finite_stays_with_its_token(bad):
    experts = Experts(dtype=torch.float16)
    for tokens in (6, 17):
        x, weights, chosen = experts.inputs(tokens, 2)
        x[4, 50] = bad
        mixed = experts.packed()(x, weights, chosen)
        assert mixed[4].isnan().any()
        rest = torch.arange(tokens) != 4
        expected = experts.plain(x, weights, chosen)[rest]
        assert distance(mixed[rest.to(DEVICE)], expected) <= TOLERANCES[torch.float16]


def test_deliberately_wrong_mixtures_fail_at_the_tolerance():
    experts = Experts(dtype=torch.float16)
    inputs = experts.inputs(17, 2)
    exact = experts.plain(*inputs)
    blocks, scales = experts.gate_up
    gate_up_bias, down_bias = experts.biases
    for changed in (
        {"gate_up": (blocks >> 4 | blocks << 4, scales)},
        {"gate_up": (blocks, scales.roll(1, dims=-1))},
        {"gate_up": (blocks.roll(1, dims=1), scales.roll(1, dims=1))},
        {"gate_up": (blocks.roll(8, dims=-1), scales)},
        {"down": tuple(part.roll(1, dims=0) for part in experts.down)},
        {"biases": (torch.zeros_like(gate_up_bias), down_bias)},
        {"biases": (gate_up_bias, torch.zeros_like(down_bias))},
    ):
        assert distance(experts.packed(**changed)(*inputs), exact) > TOLERANCES[experts.dtype]


MISTAKES = [  # tokens, what is right, what is wrong
    (2, "16 * block + 8 * lower", "16 * block"),  # the scale of the other row
    (2, "(words >> 7) & 0x00400040", "0"),  # a mantissa left out
    (17, "gate, linear = tl.split", "linear, gate = tl.split"),
    (2, "(linear + 1)", "linear"),
    (2, "weight * sums", "sums"),
    (2, "tl.cumsum(same.to(tl.int32), 0) - 1", "tl.cumsum(same.to(tl.int32), 0)"),
    (17, "tl.load(order + at,", "tl.load(order + place,"),
]


@pytest.mark.parametrize(("tokens", "right", "wrong"), MISTAKES)
def test_deliberately_wrong_kernels_fail_at_the_tolerance(tokens, right, wrong, tmp_path):
    source = Path(kernels.__file__).read_text()
    assert source.count(right) == 1
    twin = tmp_path / "wrong_experts.py"
    twin.write_text(source.replace(right, wrong))
    spec = importlib.util.spec_from_file_location(twin.stem, twin)
    module = importlib.util.module_from_spec(spec)
    sys.modules[twin.stem] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    experts = Experts(dtype=torch.float16)
    inputs = experts.inputs(tokens, 2)
    mixed = experts.packed(module=module)(*inputs)
    wide = distance(mixed.nan_to_num(nan=0.0), experts.plain(*inputs))
    assert mixed.isnan().any() or wide > TOLERANCES[experts.dtype]


def test_inputs_that_do_not_fit_are_refused():
    experts = Experts()
    mixture, (x, weights, chosen) = experts.packed(), experts.inputs(3, 2)
    with pytest.raises(AssertionError, match="matrix of 64 columns"):
        mixture(x[:, :32], weights, chosen)
    with pytest.raises(AssertionError, match="a weight for each"):
        mixture(x, weights[:, :1], chosen)
    with pytest.raises(AssertionError, match="weights are float32"):
        mixture(x, weights.half(), chosen)
    with pytest.raises(AssertionError, match="choices are integers"):
        mixture(x, weights, chosen.float())
    with pytest.raises(AssertionError, match="bytes each"):
        experts.over(torch.zeros((5, 16), dtype=torch.uint8, device=DEVICE), experts.down[0])
    if DEVICE == "cpu":
        with pytest.raises(AssertionError, match="no bfloat16"):
            mixture(x.bfloat16(), weights, chosen)


def test_scales_beyond_the_fast_multiplication_are_noticed():
    experts = Experts()
    assert not experts.packed().wide_scales
    for largest in (128, 129):
        experts.down[1][-1, -1, -1] = largest
        assert experts.packed().wide_scales == (largest > 128)
