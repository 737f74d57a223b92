"""What Triton's assembler makes of matrices for few tokens at the published shapes.

Each case is taken from a launch, so that what is compiled here is what is launched.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from netweight.model.kernels.gpu import dense
from tests.model.gpu.compiling import Case, compile_all

HIDDEN, MIXED, QKV, VOCAB = 2880, 4096, 5120, 201088
TENSORS = ("y", "total", "normed", "x", "added", "scale", "weight", "bias")
KINDS = {torch.float16: "*bf16", torch.float32: "*fp32"}
REGISTERS = 65536  # of a multiprocessor
SHARED_BYTES = {90: 228 << 10, 80: 164 << 10}  # of a multiprocessor
IN_FLIGHT = 4.8e12 * 1.2e-6  # bytes: an H200's bandwidth times some latency of its memory
# Eight tokens with their norm come down to this share: with another step's weights in registers one
# program, not two, would fit on a multiprocessor. All others stay above 1.
LEAST_IN_FLIGHT = 0.9
# A multiprocessor issues 128 instructions (for one thread each) per clock, in which 10 weights
# arrive from memory: 12.8 per weight. By tokens; "deep" has too few programs for it to matter.
MOST_INSTRUCTIONS = {
    "wide": {2: 2.8, 4: 3.6, 8: 4.6},
    "narrow": {2: 4.3, 4: 6.0, 8: 8.0},
}
MOST_WITHOUT_NORM = {8: 1.65, 16: 2.7}
BARRIERS = ("BAR", "ACQBULK")  # the latter waits for the launch before


@dataclass
class Launch:
    """One of the kernel, in bfloat16."""

    case: Case
    programs: int

    @property
    def tiling(self):
        sizes = self.case.constants["ROWS"], self.case.num_warps
        return next(n for n, t in dense.TILINGS.items() if (t.rows, t.num_warps) == sizes)

    @property
    def columns(self):
        """Of a step."""
        return 32 * self.case.num_warps

    @property
    def steps(self):
        return -(-self.case.constants["INPUTS"] // self.columns)

    @property
    def bytes_ahead(self):
        """Of a program's weights, asked for before it waits for any."""
        return self.bytes_of_step * min(self.case.constants["AHEAD"], self.steps)

    @property
    def bytes_of_step(self):
        return 2 * self.columns * self.case.constants["ROWS"]


class Launches:
    """Stands for the kernel, and keeps its launches."""

    def __init__(self):
        self.last = None

    def __getitem__(self, grid):
        def launch(*arguments, num_warps, launch_pdl, **constants):
            assert not launch_pdl
            tensors = [one for one in arguments if isinstance(one, torch.Tensor)]
            signature = {n: KINDS[one.dtype] for n, one in zip(TENSORS, tensors, strict=True)}
            signature |= {"eps": "fp32", "tokens": "i32", "x_stride": "i32", "added_stride": "i32"}
            case = Case(
                "netweight.model.kernels.gpu.dense:_dense_kernel",
                signature,
                constants,
                aligned=("x_stride", "added_stride"),
                num_warps=num_warps,
            )
            self.last = Launch(case, grid[0])

        return launch


@pytest.fixture
def launches(monkeypatch):
    kernel = Launches()
    monkeypatch.setattr(dense, "_dense_kernel", kernel)
    return kernel


def empty(*shape, dtype=torch.float16):
    return torch.empty(shape, dtype=dtype, device="meta")


def fused(launches, tokens, outputs, *, with_normed=False, **of):
    """A product with its norm."""
    x, scale = empty(tokens, HIDDEN, **of), empty(HIDDEN, **of)
    matrix = empty(outputs, HIDDEN, **of), empty(outputs, **of)
    dense.norm_linear(x, x, scale, 1e-5, *matrix, with_normed=with_normed)
    return launches.last


def plain(launches, tokens, inputs, outputs):
    """A product; of a part of the vocabulary its sums, without a bias."""
    bias, dtype = (None, torch.float32) if outputs > QKV else (empty(outputs), None)
    dense.linear(empty(tokens, inputs), empty(outputs, inputs), bias, out_dtype=dtype)
    return launches.last


def opcodes(made):
    """All instructions in order, as LDG.E.128."""
    return re.findall(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\d+ )?([A-Z][A-Z0-9_.]*)", made.sass)


def is_weight(opcode):
    return opcode.startswith("LDG.E.EF")  # read once: first to leave the cache


def check_loads(launch, made):
    """Nothing spills; weights arrive 16 bytes at a time; the first are asked for before all else.

    Nothing moves between threads on the way to the matrix unit, but inputs that are copied.
    """
    found = opcodes(made)
    words = launch.case.constants["ROWS"] // 8  # of 16 bytes, in a thread's step
    assert made.stack == 0
    assert list(filter(is_weight, found)) == ["LDG.E.EF.128"] * (words * launch.steps)
    before = found[: next(i for i, name in enumerate(found) if name.startswith(BARRIERS))]
    loads = [name for name in before if name.startswith("LDG")]
    ahead = min(launch.case.constants["AHEAD"], launch.steps)
    assert loads == ["LDG.E.EF.128"] * (words * ahead)
    products = [i for i, name in enumerate(found) if name.startswith("HMMA")]
    between = " ".join(found[products[0] : products[-1]])
    if launch.case.constants["TOKENS"] >= 8:
        assert not re.search("LDS|STS|SHFL", between)
    return found


def least_ahead(launch, made):
    """Of how many steps the weights are under way, at least, where a step's are waited for."""
    tokens, rows = (launch.case.constants[name] for name in ("TOKENS", "ROWS"))
    per_step = 2 * (rows // 16) * (max(tokens, 8) // 8)  # matrix products, of 16 columns each
    asked, products, least = 0, 0, launch.steps
    for opcode in opcodes(made):
        asked += 8 / rows * is_weight(opcode)
        if opcode.startswith("HMMA"):
            if products % per_step == 0 and asked < launch.steps:
                least = min(least, asked - products / per_step)
            products += 1
    assert products == per_step * launch.steps
    return least


def programs_at_once(launch, made):
    """How many a multiprocessor holds, by registers (given out by eights) and shared memory."""
    registers = -(-made.registers // 8) * 8 * 32 * launch.case.num_warps
    shared = made.shared + 1024  # a KiB of each program is the system's
    return min(REGISTERS // registers, SHARED_BYTES[launch.case.arch] // shared)


def check_in_flight(launch, made):
    """All programs of a layer's matrix run at once, with enough bytes, or all, under way."""
    places = programs_at_once(launch, made) * dense.MULTIPROCESSORS
    sizes = launch.case.constants
    if sizes["OUTPUTS"] <= QKV:
        assert launch.programs <= places
    matrix = 2 * sizes["INPUTS"] * sizes["OUTPUTS"]
    programs = min(launch.programs, places)
    assert programs * launch.bytes_ahead >= min(IN_FLIGHT, matrix)
    later = launch.bytes_of_step * least_ahead(launch, made)
    assert programs * later >= min(LEAST_IN_FLIGHT * IN_FLIGHT, matrix)


def per_weight(launch, found):
    """Instructions of a thread for each weight that it multiplies: all, for there is no loop."""
    sizes = launch.case.constants
    weights = sizes["ROWS"] * sizes["INPUTS"] / (32 * launch.case.num_warps)
    return len(found) / weights


def compiled(launched):
    return zip(launched, compile_all([launch.case for launch in launched]), strict=True)


def test_one_token_with_its_norm_streams_weights(launches):
    ((launch, made),) = compiled([fused(launches, 1, QKV)])
    found = check_loads(launch, made)
    check_in_flight(launch, made)
    assert launch.tiling == "wide"
    assert per_weight(launch, found) <= MOST_INSTRUCTIONS["wide"][2]


@pytest.mark.parametrize("tokens", range(1, dense.MOST_FUSED_TOKENS + 1))
def test_a_product_with_its_norm_is_one_launch(tokens, monkeypatch, launches):
    monkeypatch.setattr(dense, "rows", None)
    constants = fused(launches, tokens, QKV).case.constants
    assert constants["NORM"] and constants["ADDED"] and not constants["NORMED"]
    assert 2 <= constants["TOKENS"] < 2 * max(tokens, 2)


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [2, 3, 8])
def test_products_with_their_norm_stream_weights(tokens, launches):
    of_ranks = [fused(launches, tokens, QKV // ranks) for ranks in (1, 2, 8)]
    routers = [fused(launches, tokens, experts, with_normed=True) for experts in (32, 128)]
    for launch, made in compiled(of_ranks + routers):
        found = check_loads(launch, made)
        check_in_flight(launch, made)
        if launch.tiling != "deep":
            most = MOST_INSTRUCTIONS[launch.tiling][launch.case.constants["TOKENS"]]
            assert per_weight(launch, found) <= most
    assert [launch.tiling for launch in of_ranks + routers] == ["wide", "narrow", *["deep"] * 3]


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [1, 16])
def test_products_stream_weights(tokens, launches):
    out = [plain(launches, tokens, MIXED // ranks, HIDDEN) for ranks in (1, 2, 8)]
    logits = [plain(launches, tokens, HIDDEN, VOCAB // ranks) for ranks in (1, 2, 8)]
    others = [plain(launches, tokens, HIDDEN, outputs) for outputs in (32, 128, QKV)]
    for launch, made in compiled(out + logits + others):
        found = check_loads(launch, made)
        check_in_flight(launch, made)
        if launch in (out[0], *logits, others[-1]):  # the others are too short for it to matter
            assert per_weight(launch, found) <= MOST_WITHOUT_NORM[launch.case.constants["TOKENS"]]
    assert {launch.tiling for launch in out} == {"narrow"}
    assert {launch.tiling for launch in logits} == {"wide"}


@pytest.mark.slow
def test_on_ampere_weights_are_streamed_too(launches):
    launched = [fused(launches, tokens, QKV) for tokens in (1, 4, 8)]
    launched += [fused(launches, 1, 128, with_normed=True), fused(launches, 8, QKV // 2)]
    launched += [plain(launches, tokens, MIXED, HIDDEN) for tokens in (1, 16)]
    launched += [plain(launches, tokens, HIDDEN, VOCAB) for tokens in (1, 16)]
    for launch in launched:
        launch.case = replace(launch.case, arch=80)
    for launch, made in compiled(launched):
        check_loads(launch, made)
        assert programs_at_once(launch, made) >= 1


@pytest.mark.slow
def test_a_launch_asks_for_weights_before_it_waits_for_the_one_before(launches):
    launched = [fused(launches, 1, QKV), fused(launches, 8, 128), plain(launches, 1, MIXED, HIDDEN)]
    for launch in launched:
        launch.case = replace(launch.case, constants=launch.case.constants | {"PDL": True})
    for launch, made in compiled(launched):
        found = check_loads(launch, made)
        waits = [i for i, name in enumerate(found) if name == "ACQBULK"]
        assert len(waits) == 1
        before = " ".join(found[: waits[0]])  # check_loads says what loads these are
        assert not re.search(r"\bST|HMMA|BAR|PREEXIT", before)
        assert found.count("PREEXIT") == 1  # lets the next launch begin
    ((_, made),) = compiled([fused(launches, 1, QKV)])
    assert not {"ACQBULK", "PREEXIT"} & {*opcodes(made)}


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
def test_other_types_and_odd_shapes_do_not_spill(arch, launches):
    launched = [fused(launches, 8, QKV, dtype=torch.float32, with_normed=True)]
    assert launched[0].tiling == "float32"
    launched += [fused(launches, tokens, QKV) for tokens in (1, 8)]
    odd = launched[1].case.constants | {"INPUTS": 1001, "OUTPUTS": 4999}
    launched[1].case = replace(launched[1].case, constants=odd, aligned=())
    halves = {
        name: kind.replace("bf16", "fp16") for name, kind in launched[2].case.signature.items()
    }
    launched[2].case = replace(launched[2].case, signature=halves)
    for launch in launched:
        launch.case = replace(launch.case, arch=arch)
    for _, made in compiled(launched):
        assert made.stack == 0


WORSE = [
    ("else:\n        tl.debug_barrier()", "else:\n        pass"),  # loads are put off
    (".trans(1, 2, 0, 4, 5, 3, 6)", ".trans(1, 2, 0, 3, 4, 5, 6)"),  # as in memory
    ("tl.arange(0, PIECE)[None, None, None, :]", "tl.arange(0, PIECE).reshape(1, 1, 1, PIECE)"),
]


@pytest.mark.slow
@pytest.mark.parametrize("change", WORSE)
def test_a_worse_kernel_would_be_noticed(change, launches, monkeypatch, tmp_path):
    source = Path(dense.__file__).read_text()
    assert source.count(change[0]) == 1
    (tmp_path / "worse_dense.py").write_text(source.replace(*change))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    launch = plain(launches, 8, HIDDEN, VOCAB)
    launch.case = replace(launch.case, kernel="worse_dense:_dense_kernel")
    ((_, made),) = compiled([launch])
    with pytest.raises(AssertionError):
        check_loads(launch, made)


@pytest.mark.slow
def test_too_much_ahead_would_be_noticed(launches, monkeypatch):
    tiling = replace(dense.TILINGS["wide"], ahead_norm=6)
    monkeypatch.setitem(dense.TILINGS, "wide", tiling)
    ((launch, made),) = compiled([fused(launches, 8, QKV)])
    with pytest.raises(AssertionError):
        check_in_flight(launch, made)
