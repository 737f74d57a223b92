"""Intervals against published values, another implementation, and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from netweight.evals.stats import wilson


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_published_intervals(hits, trials, lower, upper):
    interval = wilson(hits, trials)
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (lower, upper)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipys_and_holds_the_rate(counts):
    hits, trials = counts
    interval = wilson(hits, trials, level=0.9)
    other = binomtest(hits, trials).proportion_ci(0.9, method="wilson")
    assert (interval.lower, interval.upper) == pytest.approx((other.low, other.high), abs=1e-12)
    assert 0 <= interval.lower <= hits / trials <= interval.upper <= 1


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_counting_misses_instead_of_hits_mirrors_the_interval(counts):
    hits, trials = counts
    seen, mirrored = wilson(hits, trials), wilson(trials - hits, trials)
    assert seen.lower == pytest.approx(1 - mirrored.upper, abs=1e-12)


def simulated_coverage(interval, num_trials=80, num_draws=20_000):
    """How often an interval holds the true rate, over rates drawn evenly from [0.05, 0.95]."""
    generator = np.random.default_rng(1)
    rates = generator.uniform(0.05, 0.95, num_draws)
    ends = np.array([interval(hits, num_trials) for hits in range(num_trials + 1)])
    drawn = ends[generator.binomial(num_trials, rates)]
    return np.mean((drawn[:, 0] <= rates) & (rates <= drawn[:, 1]))


def normal_approximation(hits, trials):
    rate = hits / trials
    half_width = 1.96 * (rate * (1 - rate) / trials) ** 0.5
    return rate - half_width, rate + half_width


def test_a_95_percent_interval_covers_the_truth_95_times_in_100():
    assert 0.94 <= simulated_coverage(lambda h, n: wilson(h, n)[:2]) <= 0.96


def test_the_simulation_can_tell_the_normal_approximation_from_wilson():
    assert simulated_coverage(normal_approximation) < 0.94


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(hits, trials):
    with pytest.raises(ValueError, match="is not a rate"):
        wilson(hits, trials)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        wilson(1, 2, level=level)
