import re
from collections import Counter
from dataclasses import replace

import pytest

from netweight.model.kernels.gpu import experts as kernels
from tests.model.gpu.compiling import Case, compile_all

HIDDEN = INTERMEDIATE = 2880  # of both published models
SLOTS = 4
MODULE = "netweight.model.kernels.gpu.experts"
ROUTING = "netweight.model.kernels.gpu.routing"
PLACES = ("order", "starts", "tiles")

# Instructions in the loop for each weight that a thread dequantises and multiplies, of which 2.2
# are the dequantisation. A multiprocessor issues 128 (times a thread), and takes 39 weights from
# memory, per clock: up to 3.3 memory is the limit.
MOST_INSTRUCTIONS = {8: 3.25, 16: 3.35, 32: 3.65, 64: 4.15, 128: 4.2}


def case(kernel, width, *, direct=False, one=False, fast=True, dtype="bf16", arch=90, tiling=None):
    """`_gate_up_kernel` or `_down_kernel` as DeviceMixture launches it."""
    tiling = tiling or kernels.TILINGS[width]
    splits = 2 if kernel == "down" and one else 1
    kept = "fp32" if splits > 1 else dtype
    tensors = {"gate_up": {"h": dtype, "x": dtype}, "down": {"y": kept, "h": dtype}}[kernel]
    tensors |= {"addresses": "i64", "bias": "bf16"}
    tensors |= dict.fromkeys(PLACES, "i64" if direct else "i32")
    own = {"gate_up": {"SLOTS": SLOTS}, "down": {"SPLITS": splits}}[kernel]
    numbers = {"pairs": "i32"} | ({"alpha": "fp32", "limit": "fp32"} if kernel == "gate_up" else {})
    return Case(
        f"{MODULE}:_{kernel}_kernel",
        {name: f"*{kind}" for name, kind in tensors.items()} | numbers,
        own
        | {
            "HIDDEN": HIDDEN,
            "INTERMEDIATE": INTERMEDIATE,
            "DIRECT": direct,
            "ONE_TOKEN": one,
            "PAIRS": (4 if one else 64) if direct else 1,
            "TOKENS": tiling.tokens,
            "TILE_ROWS": tiling.rows,
            "TILE_COLUMNS": tiling.columns,
            "STAGES": tiling.num_stages,
            "FAST": fast,
            "PRECISION": "ieee" if dtype == "fp32" else "tf32",
        },
        arch=arch,
        num_warps=tiling.num_warps,
    )


def loop(compiled):
    """Instructions of the longest loop with a matrix product in it, by opcode."""
    lines = compiled.sass.splitlines()
    labels = {line.split(":")[0]: at for at, line in enumerate(lines) if line.startswith(".L_x_")}
    longest = []
    for at, line in enumerate(lines):
        back = re.search(r"\bBRA\b.*`\((\.L_x_\d+)\)", line)
        body = lines[labels[back[1]] : at] if back and labels[back[1]] < at else []
        if len(body) > len(longest) and "MMA" in "".join(body):
            longest = body
    instruction = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\d+ )?([A-Z0-9]+)([A-Z0-9_.]*)")
    found = [instruction.search(line) for line in longest]
    return Counter(one[1] for one in found if one), "\n".join(longest)


def check_streaming(compiled, tiling, most_stack=0):
    """Nothing spills, weights arrive 16 bytes at a time, and go from thread to unit directly."""
    assert compiled.stack <= most_stack
    opcodes, text = loop(compiled)
    assert not opcodes["SHFL"] + opcodes["STS"] + opcodes["LDL"] + opcodes["STL"]
    values = tiling.rows * tiling.columns / (32 * tiling.num_warps)  # of each thread
    words = len(re.findall(r"LDGSTS\.E\.BYPASS\S*\.128", text))
    assert words >= values / 32  # a load for 32 codes; the others are of activations
    return opcodes, sum(opcodes.values()) / values


def test_a_single_tokens_kernel_streams_weights():
    (compiled,) = compile_all([case("gate_up", 8, direct=True, one=True)])
    tiling = kernels.TILINGS[8]
    opcodes, instructions = check_streaming(compiled, tiling)
    assert instructions <= MOST_INSTRUCTIONS[8]
    assert opcodes["HMMA"] == tiling.columns // 16

    # Bytes under way on each of 132 multiprocessors, against what 4.8 TB/s bring in 1.2 us.
    programs = SLOTS * 2 * INTERMEDIATE / tiling.rows
    stages = (tiling.num_stages - 1) * tiling.rows * tiling.columns * 17 / 32
    assert programs / 132 * stages > 4.8e12 * 1.2e-6 / 132
    per_multiprocessor = -(-programs // 132)
    assert per_multiprocessor * (compiled.shared + 1024) <= 227 * 1024
    assert per_multiprocessor * compiled.registers * 32 * tiling.num_warps <= 65536


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["gate_up", "down"])
def test_on_hopper_every_width_streams_weights(kernel):
    widths = list(kernels.TILINGS)
    cases = [case(kernel, width) for width in widths]
    cases += [case(kernel, width, direct=True) for width in (8, 16)]
    cases += [case(kernel, 8, direct=True, one=True)]
    for width, compiled in zip([*widths, 8, 16, 8], compile_all(cases), strict=True):
        opcodes, instructions = check_streaming(compiled, kernels.TILINGS[width])
        assert instructions <= MOST_INSTRUCTIONS[width]
        wide = width > 16
        assert bool(opcodes["HGMMA"]) == wide
        assert bool(opcodes["HMMA"]) != wide
        assert compiled.shared <= 227 * 1024


def test_the_widest_tile_asks_no_more_of_the_cache_than_it_gives():
    tiling = kernels.TILINGS[128]
    step = tiling.rows * 17 / 32 + tiling.tokens * 2  # bytes of a column
    clocks = tiling.rows * tiling.tokens / 2048  # of the matrix unit at its best
    assert step / clocks < 25  # 132 multiprocessors at 1.8 GHz: 6 TB/s


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["gate_up", "down"])
def test_on_ampere_every_width_multiplies_in_tensor_cores(kernel):
    widths = list(kernels.TILINGS)
    for width, compiled in zip(
        widths, compile_all([case(kernel, width, arch=80) for width in widths]), strict=True
    ):
        # The widest tile keeps six numbers that its loop does not use in memory.
        opcodes, _ = check_streaming(compiled, kernels.TILINGS[width], most_stack=24)
        assert opcodes["HMMA"]
        assert opcodes["HFMA2"]  # packed multiplications, of which Ampere has this one
        assert compiled.shared <= 163 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
def test_without_packed_multiplications_nothing_spills_either(arch):
    cases = [
        case("gate_up", width, fast=False, dtype=dtype, arch=arch)
        for width in (8, 64, 128)
        for dtype in ("bf16", "fp16")
    ]
    cases += [case("down", 16, fast=False, dtype="fp32", arch=arch, tiling=kernels.FLOAT32_TILING)]
    for compiled in compile_all(cases):
        assert compiled.stack == 0
        assert compiled.shared <= 163 * 1024


@pytest.mark.slow
def test_what_the_others_look_for_is_found_where_it_is():
    tiling = kernels.Tiling(256, 128, 64, num_warps=4, num_stages=3)
    spilling, plain, float32 = compile_all(
        [
            case("gate_up", 256, tiling=tiling),
            case("gate_up", 8, fast=False),
            case("gate_up", 16, fast=False, dtype="fp32", tiling=kernels.FLOAT32_TILING),
        ]
    )
    assert spilling.stack > 0
    with pytest.raises(AssertionError):
        check_streaming(spilling, tiling)
    assert check_streaming(plain, kernels.TILINGS[8])[1] > 6
    assert not float32.count("HGMMA") + float32.count("HMMA")
    assert float32.count("STS")


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90])
def test_the_small_kernels_compile_without_spills(arch):
    pointers = {"out": "*bf16", "y": "*bf16", "weights": "*fp32", "chosen": "*i64"}
    pointers |= {"gate_up": "*i64", "down": "*i64", "bias": "*bf16", "h": "*bf16"}
    combine = Case(
        f"{MODULE}:_combine_kernel",
        pointers | {"pairs": "i32"},
        {"HIDDEN": HIDDEN, "SLOTS": SLOTS, "SPLITS": 1, "COLUMNS": kernels.COMBINE_COLUMNS},
        arch=arch,
    )
    split = replace(
        combine,
        signature=combine.signature | {"y": "*fp32"},
        constants=combine.constants | {"SPLITS": 2},
    )
    routes = [
        Case(
            f"{ROUTING}:_route_kernel",
            {"weights": "*fp32", "chosen": "*i64", "logits": "*bf16"}
            | {"tokens": "i32", "stride": "i32"},
            {"EXPERTS": experts, "WIDTH": experts}
            | {"SLOTS": SLOTS, "SLOTS_WIDTH": SLOTS, "TOKENS": 4},
            arch=arch,
            num_warps=1,
        )
        for experts in (32, 128)
    ]
    groups = [
        Case(
            f"{ROUTING}:_group_kernel",
            {"order": "*i32", "starts": "*i32", "tiles": "*i32", "chosen": "*i64"}
            | {"pairs": "i32", "num_tiles": "i32"},
            {"EXPERTS": experts, "WIDTH": 2 * experts, "TILE_TOKENS": 32, "PAIRS": 4096},
            arch=arch,
            num_warps=8,
        )
        for experts in (32, 128)
    ]
    for compiled in compile_all([combine, split, *routes, *groups]):
        assert compiled.stack == 0
