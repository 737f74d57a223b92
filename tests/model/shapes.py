"""Small shapes of every kind, and the tolerances of docs/numerics.md."""

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from netweight.model import Config

NUMERICS = Path(__file__).parents[2] / "docs" / "numerics.md"


def native_sets():
    """Kernel sets that are built and that this processor has."""
    if find_spec("netweight._native") is None:
        return []
    from netweight.model.kernels import cpu

    return cpu.supported()


needs_native = pytest.mark.skipif(
    not native_sets(), reason="the native kernels are not built, or this processor lacks AVX2"
)
# One sliding and one full layer, a window that prompts of the tests exceed.
SMALL = Config(
    num_hidden_layers=2,
    num_experts=4,
    experts_per_token=2,
    vocab_size=160,
    hidden_size=64,
    intermediate_size=96,
    head_dim=16,
    num_attention_heads=8,
    num_key_value_heads=2,
    sliding_window=8,
    initial_context_length=512,
    rope_scaling_factor=4.0,
)

SHAPES = {
    "small": SMALL,
    "published heads": replace(SMALL, num_attention_heads=64, num_key_value_heads=8, head_dim=64),
    "one expert": replace(SMALL, num_experts=1, experts_per_token=1),
    "many experts": replace(SMALL, num_experts=128, experts_per_token=4, intermediate_size=32),
    "five layers": replace(SMALL, num_hidden_layers=5, sliding_window=3),
    "one key head": replace(SMALL, num_key_value_heads=1, head_dim=32),
    "window of one": replace(SMALL, sliding_window=1, swiglu_limit=0.5),
    "published positions": replace(
        SMALL,
        head_dim=64,
        initial_context_length=4096,
        rope_scaling_factor=32.0,
        sliding_window=128,
    ),
}


def tolerance(name):
    """The bound that docs/numerics.md states."""
    row = re.search(rf"^\| {re.escape(name)} \|[^|]*\| ([0-9.e-]+) \|", NUMERICS.read_text(), re.M)
    assert row, f"docs/numerics.md has no row {name}"
    return float(row[1])
