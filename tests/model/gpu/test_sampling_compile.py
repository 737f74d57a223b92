"""Sampling kernels, compiled for a GPU at the published vocabulary: no spills, wide loads."""

import pytest

from tests.model.gpu.compiling import Case, compile_all

MODULE = "netweight.model.kernels.gpu.sampling"
TYPES = {
    "logits": "*fp32",
    "bits": "*i32",
    "points": "*fp64",
    "temperature": "*fp32",
    "limits": "*fp32",
    "min_p": "*fp32",
    "peaks": "*fp32",
    "edges": "*fp32",
    "heights": "*fp32",
    "tops": "*fp32",
    "sums": "*fp64",
    "prefixes": "*i32",
    "overs": "*fp64",
    "goals": "*fp64",
    "partials": "*fp64",
    "out": "*i32",
    "stride": "i32",
    "vocab": "i32",
    "words": "i32",
    "chunks": "i32",
    "step": "i32",
}
CHUNK, CHUNKS = 4096, 64  # of 201,088 logits: 50 chunks, in the next power of two
ROWS = ("logits", "bits", "temperature")
LENGTHS = ("stride", "vocab", "words", "chunks")


def case(kernel, names, arch=90, num_warps=8, **constants):
    signature = {name: TYPES[name] for name in names}
    aligned = tuple(name for name in ("stride", "vocab") if name in names)  # 16 divides 201,088
    return Case(f"{MODULE}:{kernel}", signature, constants, aligned, arch, num_warps)


def survey(masked, arch=90):
    names = (*ROWS, "edges", "heights", "tops", "sums", *LENGTHS)
    return case("_survey", names, arch, CHUNK=CHUNK, MASKED=masked, LIMITED=masked)


def narrow(by_weight, arch=90):
    names = (*ROWS, "limits", "peaks", "edges", "prefixes", "partials", *LENGTHS, "step")
    return case(
        "_narrow",
        names,
        arch,
        CHUNK=CHUNK,
        TILE=256,
        UNROLL=4,
        BY_WEIGHT=by_weight,
        MASKED=by_weight,
    )


def pick(masked, arch=90):
    names = (*ROWS, "points", "edges", "heights", "tops", "sums", "out", *LENGTHS)
    return case("_pick", names, arch, CHUNK=CHUNK, CHUNKS=CHUNKS, MASKED=masked, LIMITED=masked)


CASES = {
    "survey": survey(masked=True),
    "survey, sm_80": survey(masked=False, arch=80),
    "narrow by weight": narrow(by_weight=True),
    "narrow by count, sm_80": narrow(by_weight=False, arch=80),
    "pick": pick(masked=True),
    "begin": case(
        "_begin",
        ("tops", "temperature", "min_p", "peaks", "edges", "chunks"),
        num_warps=1,
        CHUNKS=CHUNKS,
        HAS_MIN_P=True,
    ),
    "descend": case(
        "_descend",
        (
            "temperature",
            "limits",
            "edges",
            "prefixes",
            "overs",
            "goals",
            "partials",
            "chunks",
            "step",
        ),
        num_warps=1,
        CHUNKS=CHUNKS,
        LAST=7,
        BY_WEIGHT=True,
    ),
}


@pytest.fixture(scope="module")
def compiled():
    return dict(zip(CASES, compile_all(CASES.values()), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_nothing_spills(compiled, name):
    assert compiled[name].stack == 0


@pytest.mark.parametrize("name", ["survey", "survey, sm_80", "pick"])
def test_logits_are_loaded_16_bytes_at_a_time(compiled, name):
    assert compiled[name].count("LDG.E.128") == CHUNK // (8 * 32 * 4)


def test_each_logit_is_asked_if_it_is_a_number(compiled):
    assert compiled["survey, sm_80"].count("FSETP.NAN") == CHUNK // (8 * 32)


@pytest.mark.parametrize("name", ["narrow by weight", "narrow by count, sm_80"])
def test_a_tile_of_16_sums_stays_in_its_thread(compiled, name):
    one = compiled[name]
    # An addition for each of 16 digits and 4 tiles, and loads of 4 tiles before any of them.
    assert 64 <= one.count("FADD") <= 68
    assert one.shared <= 1024  # for the last sum alone, so none moves between threads before
    assert one.registers <= 64
