"""Rates from outcome counts."""

import pytest

from netweight.evals.measure import Measure


@pytest.fixture
def measure():
    return Measure(
        task="t", version=1, metric="rate", description="d", lower_is_better=False,
        hits=("right",), counted=("right", "wrong"), outcomes=("right", "wrong", "infrastructure"),
    )  # fmt: skip


def test_only_counted_outcomes_are_in_the_rate(measure):
    rate = measure.rate({"right": 3, "wrong": 1, "infrastructure": 96})
    assert (rate.hits, rate.trials, rate.value) == (3, 4, 0.75)


def test_nothing_counted_is_no_rate_rather_than_zero(measure):
    assert measure.rate({"infrastructure": 9}) is None


def test_an_outcome_the_task_does_not_list_is_our_mistake(measure):
    with pytest.raises(AssertionError, match="does not list"):
        measure.rate({"right": 1, "rigth": 1})
