import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from netweight.verdict.intervals import (
    difference,
    difference_of_rates,
    items_to_tell,
    items_without_a_hit,
    wilson,
)

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_wilson_agrees_with_scipy(count):
    correct, n = count
    expected = binomtest(correct, n).proportion_ci(0.95, method="wilson")
    assert wilson(correct, n) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("correct", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_a_count_outside_its_total_is_refused(correct, n):
    with pytest.raises(ValueError, match="not a rate"):
        wilson(correct, n)


@pytest.mark.parametrize(
    ("first", "second", "n", "reading"),
    [
        (0.90, 0.93, 14042, "lower"),
        (0.93, 0.90, 14042, "higher"),
        (0.801, 0.814, 198, "inconclusive"),
        (0.90, 0.905, 14042, "equivalent"),
        (0.90, 0.91, 200000, "equivalent"),  # real, but too small to matter
    ],
)
def test_a_difference_is_read_against_the_margin(first, second, n, reading):
    assert difference_of_rates(first, n, second, n, margin=0.03).reading == reading


@given(st.floats(-0.3, 0.3), st.floats(1e-4, 0.2))
def test_swapping_the_models_mirrors_the_reading(estimate, error):
    mirrored = {"higher": "lower", "lower": "higher"}
    reading = difference(estimate, error, margin=0.03).reading
    assert difference(-estimate, error, margin=0.03).reading == mirrored.get(reading, reading)


def test_the_clean_texts_needed_are_the_fewest_that_suffice():
    n = items_without_a_hit(0.01)
    assert wilson(0, n).high <= 0.01 < wilson(0, n - 1).high


def test_the_items_needed_give_the_margin_as_half_width():
    n = items_to_tell(0.8, margin=0.03)
    inner = difference_of_rates(0.8, n, 0.8, n, margin=0.03).inner
    assert math.isclose(inner.high, 0.03, rel_tol=0.01)
    assert difference_of_rates(0.8, n, 0.8, n, margin=0.03).reading == "equivalent"
