"""What Triton's assembler makes of norm, rotation and attention at the published shapes."""

import re

import pytest
import torch

from netweight.model.device_layout import PREFILL_TILE, device_layout
from netweight.model.kernels.gpu import attention, rows
from tests.model.gpu.compiling import Case, compile_all
from tests.model.steps import Heads, angles

HEADS, KV_HEADS, HEAD_DIM, HIDDEN, PAGE = 64, 8, 64, 2880, 16
SHARED_BYTES = {90: 228 << 10, 80: 164 << 10}  # of a multiprocessor
REGISTERS = 65536  # of a multiprocessor


def attention_case(tile, window, *, is_split=False, own=0, arch=90, heads=HEADS, kv_heads=KV_HEADS):
    """As `attend` (own 1) or `paged_attention` launches it in bfloat16."""
    tuning = attention.DECODE if tile == 1 else attention.PREFILL
    group = heads // kv_heads
    return Case(
        "netweight.model.kernels.gpu.attention:_paged_attention",
        {
            **dict.fromkeys(("q", "cos", "sin", "pages", "sinks", "out"), "*bf16"),
            **dict.fromkeys(("table", "positions", "starts", "tiles"), "*i32"),
            **dict.fromkeys(("parts", "sums"), "*fp32" if is_split else "*bf16"),
            "scale": "fp32",
            **dict.fromkeys(("stride", "max_pages", "first_token", "splits"), "i32"),
        },
        {
            "IS_SPLIT": is_split,
            "KV_HEADS": kv_heads,
            "BLOCK_ROWS": max(tile * group, 16),
            "BLOCK_GROUP": group,
            "NUM_STAGES": tuning.num_stages,
            **shape(tile, window, tuning, heads, own),
        },
        aligned=("stride",),
        arch=arch,
        num_warps=tuning.num_warps,
        num_stages=tuning.num_stages,
    )


def merge_case(tile, arch=90):
    tuning = attention.DECODE if tile == 1 else attention.PREFILL
    return Case(
        "netweight.model.kernels.gpu.attention:_merge",
        {
            **dict.fromkeys(("parts", "sums"), "*fp32"),
            **dict.fromkeys(("positions", "starts", "tiles"), "*i32"),
            "out": "*bf16",
            **dict.fromkeys(("first_token", "splits"), "i32"),
        },
        {"BLOCK_SPLITS": attention._MAX_SPLITS, **shape(tile, None, tuning, HEADS, 0)},
        arch=arch,
    )


def shape(tile, window, tuning, heads, own):
    return {
        "OWN": own,
        "TILE": tile,
        "WINDOW": window or 0,
        "HEADS": heads,
        "HEAD_DIM": HEAD_DIM,
        "BLOCK_DIM": HEAD_DIM,
        "BLOCK_KEYS": tuning.block_keys,
        "MIN_BLOCKS": attention._MIN_SPLIT_KEYS // tuning.block_keys,
        "PAGE": PAGE,
    }


def norm_case(arch=90):
    return Case(
        "netweight.model.kernels.gpu.rows:_add_rms_norm",
        {
            **dict.fromkeys(("x", "delta", "scale", "total", "out"), "*bf16"),
            "eps": "fp32",
            **dict.fromkeys(("stride", "delta_stride"), "i32"),
        },
        {"HIDDEN": HIDDEN, "BLOCK": 4096},
        aligned=("stride", "delta_stride"),
        arch=arch,
        num_warps=rows._NORM_WARPS,
    )


def rotate_case(arch=90):
    return Case(
        "netweight.model.kernels.gpu.rows:_rotate_store",
        {
            **dict.fromkeys(("qkv", "cos", "sin", "q_out", "pages"), "*bf16"),
            **dict.fromkeys(("positions", "sequences", "table"), "*i32"),
            **dict.fromkeys(("stride", "max_pages"), "i32"),
        },
        {
            "HEADS": HEADS,
            "KV_HEADS": KV_HEADS,
            "HALF": HEAD_DIM // 2,
            "BLOCK_HALF": HEAD_DIM // 2,
            "BLOCK_HEADS": rows._ROTATE_HEADS,
            "PAGE": PAGE,
        },
        aligned=("stride",),
        arch=arch,
        num_warps=rows._ROTATE_WARPS,
    )


def programs_at_once(case, made):
    """How many a multiprocessor holds, by registers (given out by eights) and shared memory."""
    registers = -(-made.registers // 8) * 8 * 32 * case.num_warps
    shared = made.shared + 1024  # a KiB of each program is the system's
    return min(REGISTERS // registers, SHARED_BYTES[case.arch] // shared)


def hot_loop(made):
    """How many instructions the first loop has, which is the one over whole blocks of keys."""
    labels, num_instructions = {}, 0
    for line in made.sass.splitlines():
        if label := re.match(r"\s*(\.L_x_\d+):", line):
            labels[label[1]] = num_instructions
        elif re.match(r"\s*/\*[0-9a-f]{4,}\*/", line):
            num_instructions += 1
            target = re.search(r"BRA.*(\.L_x_\d+)", line)
            length = num_instructions - labels.get(target[1], num_instructions) if target else 0
            if length > 100:
                return length
    raise AssertionError("there is no loop")


def widths(made, opcode):
    """The last suffix of each such instruction: 128 where a thread moves 16 bytes."""
    return set(re.findall(rf"\b{opcode}\.[\w.]*?(\w+) ", made.sass))


def test_norm_and_rotation_move_16_bytes_per_thread():
    norm, rotate = compile_all([norm_case(), rotate_case()])
    # x, delta and scale twice each; the halves of heads and of angles. No loop, no spilt register.
    for made, loads in ((norm, 6), (rotate, 4)):
        assert (made.stack, made.count("LDG.E.128"), made.count("STG.E.128")) == (0, loads, 4)
        assert not {"U16", "64"} & widths(made, "LDG")


class Launches:
    """Stands for a kernel, and keeps what it is launched with."""

    def __init__(self):
        self.options = []

    def __getitem__(self, grid):
        return lambda *arguments, **options: self.options.append(options)


def test_the_cases_here_are_what_is_launched(monkeypatch):
    kernel = Launches()
    monkeypatch.setattr(attention, "_paged_attention", kernel)
    monkeypatch.setattr(attention, "_merge", Launches())
    heads = Heads.random([2000, 40], kv_heads=KV_HEADS)
    pages, sinks = heads.pages(), heads.sinks
    prompts = device_layout(heads.layout({0: (1999, 2000), 1: (20, 40)}), "cpu")
    q = torch.zeros(21, HEADS, HEAD_DIM, dtype=torch.bfloat16)
    attention.paged_attention(q, pages, prompts.pages, sinks, prompts, window=128)
    decodes = device_layout(heads.layout({0: (1999, 2000)}), "cpu")
    qkv = torch.zeros(1, (HEADS + 2 * KV_HEADS) * HEAD_DIM, dtype=torch.bfloat16)
    call = (qkv, angles(1, HEAD_DIM), pages, decodes.pages, sinks, decodes)
    attention.attend(*call, window=None)
    cases = [
        attention_case(1, 128),
        attention_case(PREFILL_TILE, 128),
        attention_case(1, None, is_split=True, own=1),
    ]
    expected = [{**case.constants, "num_warps": case.num_warps} for case in cases]
    assert kernel.options == expected


DECODES = [
    attention_case(1, None, is_split=True, own=1),
    attention_case(1, None, own=1),
    attention_case(1, 128, own=1),
    attention_case(1, None, is_split=True),  # beside prompts
    attention_case(1, None, is_split=True, own=1, heads=8, kv_heads=1),  # one of eight ranks
    attention_case(1, None, is_split=True, own=1, arch=80),
    attention_case(1, 128, own=1, arch=80),
]
PROMPTS = [
    attention_case(PREFILL_TILE, None),
    attention_case(PREFILL_TILE, 128),
    attention_case(PREFILL_TILE, None, is_split=True),
    attention_case(PREFILL_TILE, None, heads=8, kv_heads=1),
    attention_case(PREFILL_TILE, None, arch=80),
    attention_case(PREFILL_TILE, 128, arch=80),
]


@pytest.mark.slow
def test_decodes_wait_for_memory_and_for_nothing_else():
    for case, made in zip(DECODES, compile_all(DECODES), strict=True):
        assert made.stack == 0
        assert widths(made, "LDGSTS") == {"128"}
        assert made.count("HMMA") > 0
        assert programs_at_once(case, made) >= (3 if case.arch == 90 else 2)
        if case.constants["WINDOW"]:
            continue
        # An H200 gives each multiprocessor 21 bytes per cycle, in which it issues 4 instructions:
        # at 0.05 per byte a quarter of those.
        num_bytes = 2 * 2 * HEAD_DIM * attention.DECODE.block_keys
        assert hot_loop(made) * case.num_warps / num_bytes < 0.05


@pytest.mark.slow
def test_prompts_are_multiplied_by_the_widest_instructions():
    for case, made in zip(PROMPTS, compile_all(PROMPTS), strict=True):
        assert made.stack == 0
        assert widths(made, "LDGSTS") == {"128"}
        assert (made.count("HGMMA") > 0) == (case.arch == 90)
        assert (made.count("HMMA") > 0) == (case.arch == 80)
        assert programs_at_once(case, made) >= (2 if case.arch == 90 else 1)


@pytest.mark.slow
def test_all_other_kernels_fit_in_registers():
    cases = [merge_case(1), merge_case(PREFILL_TILE), merge_case(1, 80), norm_case(80)]
    for made in compile_all([*cases, rotate_case(80)]):
        assert made.stack == 0
        assert made.count("LDG.E.128") >= 4


@pytest.mark.slow
def test_blocks_that_are_too_large_would_be_noticed(monkeypatch):
    monkeypatch.setattr(attention, "PREFILL", attention.Tuning(128, 4, 3))
    (made,) = compile_all([attention_case(PREFILL_TILE, None)])
    assert made.stack > 0
