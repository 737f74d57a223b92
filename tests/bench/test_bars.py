"""The script that measures the CPU engine's bars: its arithmetic, and a run on a small shape."""

import pytest

from benchmarks.cpu import Asked, Bar, Sizes, bars_of
from netweight.bench import Limits
from netweight.model import GPT_OSS_20B
from tests.model.shapes import SMALL, needs_native


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [
        (1.0, False, "reached"),
        (0.9, False, "missed"),
        (1.0, True, "reached"),
        (1.1, True, "missed"),
        (None, False, "not measured"),
    ],
)
def test_a_bar_is_reached_missed_or_not_measured(value, at_most, verdict):
    assert Bar("speed", 1.0, value, at_most=at_most).verdict == verdict


def test_the_bars_lengths_are_those_of_the_published_context():
    assert Sizes.of(GPT_OSS_20B) == Sizes()
    small = Sizes.of(SMALL)
    assert small.long + small.answer < SMALL.max_context
    assert small.short < small.prompt < small.long


@needs_native
@pytest.mark.slow
def test_every_bar_is_measured_on_a_small_shape(checkpoint_of):
    asked = Asked(checkpoint_of(SMALL), SMALL, num_threads=1, rounds=1)
    asked.limits = lambda: Limits(1, 1e9, {"bfloat16": 1e10, "float32": 2e10})
    _, bars = bars_of(asked, None)
    values = {bar.name: bar.value for bar in bars}
    assert len(values) == 9
    unmeasured = [name for name, value in values.items() if value is None]
    assert all("llama.cpp" in name for name in unmeasured)
