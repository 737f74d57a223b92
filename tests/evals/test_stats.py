"""Rates and agreement against published values, other implementations, and simulation."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from netweight.evals.stats import (
    clopper_pearson,
    cohen_kappa,
    flip_rate,
    pass_at_k,
    rate_interval,
    raw_agreement,
    wilson,
)

COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


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


@given(COUNTS)
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


@pytest.mark.parametrize("num_trials", [10, 20, 80, 400])
@pytest.mark.parametrize("interval", [wilson, rate_interval])
def test_a_95_percent_interval_covers_the_truth_95_times_in_100(interval, num_trials):
    assert 0.94 <= simulated_coverage(lambda h, n: interval(h, n)[:2], num_trials) <= 0.965


def test_the_simulation_can_tell_the_normal_approximation_from_wilson():
    assert simulated_coverage(normal_approximation) < 0.94


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 5
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_the_exact_interval_is_newcombes_published_one(hits, trials, lower, upper):
    interval = clopper_pearson(hits, trials)
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (lower, upper)


@given(COUNTS)
def test_the_exact_interval_equals_scipys(counts):
    interval = clopper_pearson(*counts, level=0.9)
    other = binomtest(*counts).proportion_ci(0.9, method="exact")
    assert (interval.lower, interval.upper) == pytest.approx((other.low, other.high), abs=1e-9)


@pytest.mark.parametrize("num_trials", [5, 20, 80])
def test_the_exact_interval_covers_every_rate_at_least_as_often_as_stated(num_trials):
    rates = np.linspace(0.001, 0.999, 999)
    hits = np.arange(num_trials + 1)[:, None]
    ends = np.array([clopper_pearson(int(count), num_trials)[:2] for count in hits[:, 0]])
    held = (ends[:, :1] <= rates) & (rates <= ends[:, 1:])
    assert (held * binom.pmf(hits, num_trials, rates)).sum(axis=0).min() >= 0.95


@given(st.integers(1, 500))
def test_never_and_always_get_the_exact_interval_and_the_rest_wilsons(trials):
    assert rate_interval(0, trials) == clopper_pearson(0, trials)
    assert rate_interval(trials, trials) == clopper_pearson(trials, trials)
    assert all(rate_interval(hits, trials) == wilson(hits, trials) for hits in range(1, trials, 7))


@given(COUNTS.filter(lambda counts: counts[0] < counts[1]))
def test_one_more_hit_moves_both_ends_up(counts):
    hits, trials = counts
    fewer, more = rate_interval(hits, trials), rate_interval(hits + 1, trials)
    assert fewer.lower < more.lower
    assert fewer.upper < more.upper


def test_the_exact_end_of_never_is_further_out_than_wilsons_up_to_45_trials():
    assert clopper_pearson(0, 45).upper > wilson(0, 45).upper
    assert clopper_pearson(0, 46).upper < wilson(0, 46).upper


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, rate_interval])
@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(interval, hits, trials):
    with pytest.raises(ValueError, match="is not a rate"):
        interval(hits, trials)


@pytest.mark.parametrize("interval", [wilson, clopper_pearson, rate_interval])
@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_an_impossible_level_is_refused(interval, level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval(1, 2, level=level)


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_k_is_the_share_of_draws_of_k_with_a_correct_answer(answers, data):
    k = data.draw(st.integers(1, len(answers)))
    draws = [any(draw) for draw in combinations(answers, k)]
    assert pass_at_k(len(answers), sum(answers), k) == pytest.approx(np.mean(draws))


def test_pass_at_k_holds_at_sizes_that_overflow_a_float():
    assert pass_at_k(5000, 5, 2500) == pytest.approx(1 - 0.5**5, abs=1e-3)


@pytest.mark.parametrize(("num_samples", "num_correct", "k"), [(5, 2, 0), (5, 2, 6)])
def test_k_must_lie_within_the_samples(num_samples, num_correct, k):
    with pytest.raises(ValueError, match=f"k is {k}"):
        pass_at_k(num_samples, num_correct, k)


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=9))
def test_the_flip_rate_is_the_share_of_pairs_of_epochs_that_disagree(outcomes):
    assert flip_rate(outcomes) == pytest.approx(
        np.mean([one != other for one, other in combinations(outcomes, 2)])
    )


def test_the_flip_rate_does_not_depend_on_the_number_of_epochs():
    passed = np.random.default_rng(2).random((4000, 8)) < 0.8
    few, many = (np.mean([flip_rate(row[:n].tolist()) for row in passed]) for n in (2, 8))
    assert few == pytest.approx(2 * 0.8 * 0.2, abs=0.02)
    assert many == pytest.approx(2 * 0.8 * 0.2, abs=0.01)


def test_one_epoch_has_no_flip_rate():
    with pytest.raises(ValueError, match="at least two"):
        flip_rate([True])


def raters(table):
    """Two raters' labels, from how often each pair of labels came."""
    pairs = [pair for pair, count in np.ndenumerate(table) for _ in range(count)]
    return [one for one, _ in pairs], [other for _, other in pairs]


DIAGNOSES = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])


def test_kappa_is_fleisss_published_one():
    # Fleiss, Levin and Paik (2003), table 18.1: kappa 0.68, standard error 0.087
    kappa = cohen_kappa(*raters(DIAGNOSES))
    assert raw_agreement(*raters(DIAGNOSES)) == pytest.approx(0.89)
    assert kappa.value == pytest.approx(0.68, abs=0.005)
    assert kappa.interval.upper - kappa.value == pytest.approx(1.96 * 0.087, abs=0.002)


def kappa_of(shares):
    chance = shares.sum(axis=1) @ shares.sum(axis=0)
    return (np.trace(shares) - chance) / (1 - chance)


def test_kappas_interval_is_that_of_numerical_derivatives():
    shares, step = DIAGNOSES / DIAGNOSES.sum(), 1e-6
    moved = [shares + step * (np.eye(9)[cell].reshape(3, 3) - shares) for cell in range(9)]
    slopes = [(kappa_of(there) - kappa_of(shares)) / step for there in moved]
    error = np.sqrt((shares.ravel() * np.square(slopes)).sum() / DIAGNOSES.sum())
    kappa = cohen_kappa(*raters(DIAGNOSES))
    assert kappa.interval.upper - kappa.value == pytest.approx(1.959964 * error, rel=1e-4)


LABELS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("abc")), min_size=2, max_size=40)


@given(LABELS.filter(lambda pairs: len({label for pair in pairs for label in pair}) > 1))
def test_kappa_lies_in_its_interval_and_does_not_care_who_comes_first(pairs):
    first, second = zip(*pairs, strict=True)
    kappa, swapped = cohen_kappa(first, second), cohen_kappa(second, first)
    assert -1 <= kappa.interval.lower <= kappa.value <= kappa.interval.upper <= 1
    assert swapped.value == pytest.approx(kappa.value)
    assert swapped.interval.lower == pytest.approx(kappa.interval.lower, abs=1e-7)


def test_complete_agreement_is_not_certainty():
    kappa = cohen_kappa("aabb" * 5, "aabb" * 5)
    assert kappa.value == 1
    assert kappa.interval.lower == pytest.approx(2 * clopper_pearson(20, 20).lower - 1)


def test_a_rater_with_one_label_leaves_kappa_wide_open():
    kappa = cohen_kappa("a" * 20, "aaab" * 5)
    assert kappa.value == pytest.approx(0)
    assert kappa.interval.lower < -0.5
    assert kappa.interval.upper > 0.5


def test_kappas_interval_covers_the_truth_95_times_in_100():
    shares = np.array([[0.35, 0.10], [0.05, 0.50]])
    tables = np.random.default_rng(3).multinomial(100, shares.ravel(), 2000).reshape(-1, 2, 2)
    ends = np.array([cohen_kappa(*raters(table)).interval[:2] for table in tables])
    truth = kappa_of(shares)
    assert 0.93 <= np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) <= 0.97


@pytest.mark.parametrize(("first", "second"), [("", ""), ("ab", "a")])
def test_raters_of_different_items_are_refused(first, second):
    for agreement in (raw_agreement, cohen_kappa):
        with pytest.raises(ValueError, match="cannot be compared"):
            agreement(first, second)


def test_one_label_for_everything_leaves_kappa_undefined():
    with pytest.raises(ValueError, match="undefined"):
        cohen_kappa("aaa", "aaa")
