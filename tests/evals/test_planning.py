"""Sample sizes: published examples, the way there and back, and simulated power."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netweight.evals.comparing import mcnemar
from netweight.evals.planning import (
    design_effect,
    detectable_paired,
    detectable_unpaired,
    paired_sample_size,
    unpaired_sample_size,
)

EFFECTS = st.floats(1, 8)


def test_connors_paired_sample_size_is_the_published_one():
    # powersamplesize's example of Connor (1987), page 209: 45% one way, 5% the other
    assert paired_sample_size(0.4, 0.5) == 23


def test_unpaired_sample_sizes_are_the_published_ones():
    # R's help page of power.prop.test gives 76.7; the others are in many textbooks
    assert unpaired_sample_size(0.25, 0.5, power=0.9) == 77
    assert unpaired_sample_size(0.1, 0.1) == 199
    assert unpaired_sample_size(0.1, 0.5) == 388


def test_a_fall_needs_as_many_items_as_the_mirrored_rise():
    assert unpaired_sample_size(-0.1, 0.9) == unpaired_sample_size(0.1, 0.1)
    assert paired_sample_size(-0.1, 0.2) == paired_sample_size(0.1, 0.2)


@given(st.integers(50, 5000), st.floats(0.1, 1), EFFECTS)
def test_the_smallest_paired_difference_found_needs_the_items_there_are(num_items, share, effect):
    assume(paired_sample_size(share, share, design_effect=effect) < num_items)
    smallest = detectable_paired(num_items, share, design_effect=effect)
    assert 0 < smallest <= share
    assert paired_sample_size(smallest, share, design_effect=effect) == num_items


@given(st.integers(100, 5000), st.floats(0, 1), EFFECTS)
def test_the_smallest_unpaired_difference_found_needs_the_items_there_are(num_items, rate, effect):
    smallest = detectable_unpaired(num_items, rate, design_effect=effect)
    change = smallest if rate <= 0.5 else -smallest
    needed = unpaired_sample_size(change, rate, design_effect=effect)
    assert 0 <= needed - num_items <= 1


@given(st.integers(100, 5000), st.floats(0.1, 0.9))
def test_more_items_find_less(num_items, rate):
    assert detectable_paired(2 * num_items, rate) < detectable_paired(num_items, rate)
    assert detectable_unpaired(2 * num_items, rate) < detectable_unpaired(num_items, rate)


def test_the_paired_sample_size_gives_the_power_asked_for():
    num_items = paired_sample_size(0.1, 0.3)
    counts = np.random.default_rng(1).multinomial(num_items, (0.2, 0.1, 0.7), 4000)[:, :2].tolist()
    found = {pair: mcnemar(*pair, mid_p=True) <= 0.05 for pair in set(map(tuple, counts))}
    assert 0.77 <= np.mean([found[pair] for pair in map(tuple, counts)]) <= 0.83


def test_the_unpaired_sample_size_gives_the_power_asked_for():
    num_items = unpaired_sample_size(0.1, 0.4)
    hits = np.random.default_rng(2).binomial(num_items, (0.4, 0.5), (20_000, 2))
    middle = hits.sum(axis=1) / (2 * num_items)
    z = (hits[:, 1] - hits[:, 0]) / np.sqrt(2 * num_items * middle * (1 - middle))
    assert 0.78 <= np.mean(np.abs(z) >= 1.96) <= 0.82


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.floats(0, 1))
def test_the_design_effect_is_what_correlation_does_to_the_variance_of_a_mean(sizes, correlation):
    names = np.repeat(np.arange(len(sizes)), sizes)
    covariance = correlation * (names[:, None] == names) + (1 - correlation) * np.eye(len(names))
    factor = covariance.sum() / len(names)  # over the variance of as many strangers
    assert design_effect(sizes, correlation) == pytest.approx(factor)


def test_epochs_that_never_flip_are_worth_one():
    assert design_effect([4] * 100, 1.0) == 4
    assert design_effect([4] * 100, 0.0) == 1


def test_too_few_items_find_nothing():
    with pytest.raises(ValueError, match="add items"):
        detectable_paired(20, 0.1)
    with pytest.raises(ValueError, match="add items"):
        detectable_unpaired(3, 0.5)
    with pytest.raises(ValueError, match="none to compare"):
        detectable_paired(0, 0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"effect": 0.0}, "nought"),
        ({"effect": 0.3}, "discordance"),
        ({"discordance": 0.0}, "discordance"),
        ({"discordance": 1.1}, "discordance"),
        ({"alpha": 0.0}, "alpha"),
        ({"power": 0.5}, "power"),
        ({"design_effect": 0.9}, "design effect"),
    ],
)
def test_a_paired_plan_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        paired_sample_size(**{"effect": 0.1, "discordance": 0.2} | change)


@pytest.mark.parametrize(
    ("effect", "baseline", "message"),
    [(0.0, 0.5, "nought"), (0.2, 0.9, "not a rate"), (0.1, 1.5, "baseline")],
)
def test_an_unpaired_plan_that_cannot_be_is_refused(effect, baseline, message):
    with pytest.raises(ValueError, match=message):
        unpaired_sample_size(effect, baseline)


@pytest.mark.parametrize(("sizes", "correlation"), [([], 0.1), ([0], 0.1), ([2], -0.1), ([2], 2)])
def test_clusters_that_cannot_be_are_refused(sizes, correlation):
    with pytest.raises(ValueError, match=r"at least one item|correlation"):
        design_effect(sizes, correlation)
