"""Clustered means and rates: textbook data, identities, and how often the intervals cover."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from netweight.evals.clusters import (
    bootstrap_mean,
    clustered_rate_interval,
    estimate_mean,
    intracluster_correlation,
)
from netweight.evals.stats import clopper_pearson, wilson

# Student (1908), hours of sleep gained on one drug over another by ten patients
SLEEP = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]

SCORES = st.lists(st.integers(0, 8).map(float), min_size=3, max_size=30)


def spread_out(values):
    assume(len(set(values)) > 1)
    return values


def test_the_interval_of_a_mean_is_students():
    estimate = estimate_mean(SLEEP)
    interval = estimate.interval()
    assert estimate.value == pytest.approx(1.58)
    assert estimate.value / estimate.standard_error == pytest.approx(4.0621, abs=1e-4)
    assert (interval.lower, interval.upper) == pytest.approx((0.7001142, 2.4598858), abs=1e-7)
    assert estimate.p_value() == pytest.approx(0.002833, abs=1e-6)


@given(SCORES, st.integers(0, 8))
def test_without_clusters_tests_of_a_mean_are_scipys(values, null):
    estimate = estimate_mean(spread_out(values))
    two_sided = ttest_1samp(values, null)
    above = ttest_1samp(values, null, alternative="greater")
    assert estimate.degrees == pytest.approx(len(values) - 1)
    assert estimate.p_value(null) == pytest.approx(two_sided.pvalue)
    assert estimate.p_above(null) == pytest.approx(above.pvalue)
    assert estimate.p_below(null) == pytest.approx(1 - above.pvalue)


@given(SCORES, st.integers(2, 5))
def test_epochs_that_repeat_an_item_exactly_add_nothing(values, num_epochs):
    items = list(range(len(values))) * num_epochs
    repeated = estimate_mean(spread_out(values) * num_epochs, items)
    assert repeated == pytest.approx(estimate_mean(values))


@given(st.lists(st.lists(st.integers(0, 8), min_size=4, max_size=4), min_size=2, max_size=9))
def test_clusters_of_one_size_are_as_one_value_each(rows):
    means = spread_out([sum(row) / 4 for row in rows])
    names = [name for name, row in enumerate(rows) for _ in row]
    assert estimate_mean(np.ravel(rows), names) == pytest.approx(estimate_mean(means))


def test_error_and_degrees_are_bell_and_mccaffreys_in_matrix_form():
    names = np.repeat(["a", "b", "c", "d"], [1, 2, 5, 9])
    values = np.random.default_rng(4).normal(size=17)
    residual_maker = np.eye(17) - 1 / 17
    blocks = [residual_maker[names == name] for name in "abcd"]  # each [size, items]
    adjusted = [
        np.linalg.pinv(rows[:, names == name]) for rows, name in zip(blocks, "abcd", strict=True)
    ]
    # One row a cluster: the weighted sum of its residuals, as a linear form of the values.
    forms = np.array([np.ones(len(a)) @ root(a) @ r for a, r in zip(adjusted, blocks, strict=True)])
    eigenvalues = np.linalg.eigvalsh(forms @ forms.T)
    estimate = estimate_mean(values, names)
    assert estimate.standard_error == pytest.approx(np.sqrt(((forms @ values) ** 2).sum()) / 17)
    assert estimate.degrees == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())


def root(matrix):
    """The symmetric square root."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(values.clip(0)) @ vectors.T


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(values, random):
    pairs = [(value, index % 3) for index, value in enumerate(spread_out(values))]
    shuffled = random.sample(pairs, len(pairs))
    one, other = (estimate_mean(*zip(*rows, strict=True)) for rows in (pairs, shuffled))
    assert one == pytest.approx(other, abs=1e-9)


def test_a_rate_of_items_on_their_own_has_nearly_wilsons_interval():
    hits = [True] * 70 + [False] * 230
    interval = clustered_rate_interval(hits, range(300))
    assert interval[:2] == pytest.approx(wilson(70, 300)[:2], abs=1e-3)


def test_a_rate_of_all_hits_counts_each_cluster_once():
    hits, themes = [True] * 60, list(range(12)) * 5
    assert clustered_rate_interval(hits, themes) == clopper_pearson(12, 12)
    assert clustered_rate_interval([not hit for hit in hits], themes) == clopper_pearson(0, 12)


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.integers(2, 9))
def test_a_clustered_rates_interval_holds_the_rate_inside_0_to_1(hits, num_themes):
    themes = [index % num_themes for index in range(len(hits))]
    interval = clustered_rate_interval(hits, themes)
    assert 0 <= interval.lower <= np.mean(hits) <= interval.upper <= 1
    plain = wilson(sum(hits), len(hits))
    assert interval.upper - interval.lower >= 0.999 * (plain.upper - plain.lower)


def test_a_seed_gives_one_bootstrap_interval():
    assert bootstrap_mean(SLEEP, seed=1) == bootstrap_mean(SLEEP, seed=1)
    assert bootstrap_mean(SLEEP, seed=1) != bootstrap_mean(SLEEP, seed=2)


def test_the_bootstrap_comes_to_the_t_interval_where_values_are_many_and_even():
    values = np.random.default_rng(5).normal(size=400)
    bootstrap, student = bootstrap_mean(values, seed=1), estimate_mean(values).interval()
    assert bootstrap[:2] == pytest.approx(student[:2], abs=0.005)


def test_many_clusters_are_resampled_in_parts_that_together_are_the_whole(monkeypatch):
    whole = bootstrap_mean(SLEEP, seed=1)
    monkeypatch.setattr("netweight.evals.clusters._CELLS_AT_ONCE", 70)
    assert bootstrap_mean(SLEEP, seed=1) == whole


def test_correlation_within_clusters_is_1_for_copies_and_about_0_for_strangers():
    values = np.random.default_rng(6).normal(size=3000)
    copies = intracluster_correlation(np.repeat(values, 3), np.repeat(range(3000), 3))
    assert copies == pytest.approx(1)
    assert abs(intracluster_correlation(values, np.arange(3000) % 600)) < 0.03


def test_correlation_within_clusters_is_the_one_simulated():
    values, names = clustered_scores(np.random.default_rng(7), np.full(2000, 5), correlation=0.4)
    assert intracluster_correlation(values, names) == pytest.approx(0.4, abs=0.03)


# Coverage. Eight or twenty-five themes of very unequal size, and a true mean of 0.
SIZES = {"few": np.array([2, 3, 5, 8, 10, 12, 15, 20]), "many": np.tile([1, 4, 8, 12, 20], 5)}


def clustered_scores(generator, sizes, correlation=0.3):
    names = np.repeat(np.arange(len(sizes)), sizes)
    shared = generator.normal(size=len(sizes))[names] * correlation**0.5
    return shared + generator.normal(size=len(names)) * (1 - correlation) ** 0.5, names


def coverage(interval_of, sizes, num_draws):
    generator = np.random.default_rng(8)
    ends = np.array(
        [interval_of(*clustered_scores(generator, sizes))[:2] for _ in range(num_draws)]
    )
    return np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_a_clustered_means_95_percent_interval_covers_it_95_times_in_100(sizes):
    assert 0.93 <= coverage(lambda *data: estimate_mean(*data).interval(), sizes, 3000) <= 0.97


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_the_same_simulation_catches_an_interval_that_ignores_clusters(sizes):
    assert coverage(lambda values, _: estimate_mean(values).interval(), sizes, 500) < 0.8


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_the_cluster_bootstrap_covers_a_mean_95_times_in_100(sizes):
    def interval_of(values, names):
        return bootstrap_mean(values, names, seed=1, num_resamples=2000)

    assert 0.93 <= coverage(interval_of, sizes, 1500) <= 0.97


def rate_coverage(interval_of, num_draws=3000, correlation=0.2):
    """How often it holds the true rate, over rates in [0.1, 0.9] and beta-binomial themes."""
    generator = np.random.default_rng(9)
    names = np.repeat(np.arange(20), np.tile([2, 5, 8, 15], 5))
    rates = generator.uniform(0.1, 0.9, num_draws)
    spread = (1 - correlation) / correlation
    of_themes = generator.beta(rates * spread, (1 - rates) * spread, (20, num_draws)).T
    hits = generator.random((num_draws, len(names))) < of_themes[:, names]
    ends = np.array([interval_of(row, names)[:2] for row in hits])
    return np.mean((ends[:, 0] <= rates) & (rates <= ends[:, 1]))


def test_a_clustered_rates_95_percent_interval_covers_it_95_times_in_100():
    assert 0.93 <= rate_coverage(clustered_rate_interval) <= 0.97


def test_the_same_simulation_catches_wilsons_interval_over_clusters():
    assert rate_coverage(lambda hits, names: wilson(int(hits.sum()), len(hits)), 500) < 0.85


def test_numbers_that_make_no_estimate_are_refused():
    with pytest.raises(ValueError, match="finite"):
        estimate_mean([1.0, float("nan")])
    with pytest.raises(ValueError, match="two are the least"):
        estimate_mean([1.0, 2.0, 3.0], "aaa")
    with pytest.raises(ValueError, match="name each"):
        estimate_mean([1.0, 2.0, 3.0], "ab")
    with pytest.raises(ValueError, match="hits and misses"):
        clustered_rate_interval([1, 2], "ab")


def test_no_spread_is_refused_rather_than_called_certainty():
    equal = estimate_mean([0.1] * 9, "aaabbbccc")
    for use in (equal.interval, equal.p_value, lambda: bootstrap_mean([0.1] * 9, seed=1)):
        with pytest.raises(ValueError, match="no spread is no certainty"):
            use()


def test_the_bootstrap_refuses_clusters_too_few_to_place_its_ends():
    with pytest.raises(ValueError, match="t interval"):
        bootstrap_mean(SLEEP, "aabbccddaa", seed=1)
    bootstrap_mean(SLEEP, "aabbccddee", seed=1)


def test_correlation_needs_a_cluster_of_two_and_some_spread():
    with pytest.raises(ValueError, match="one item"):
        intracluster_correlation([1.0, 2.0], "ab")
    with pytest.raises(ValueError, match="equal"):
        intracluster_correlation([1.0] * 4, "aabb")


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_an_impossible_level_is_refused(level):
    for interval in (
        lambda: estimate_mean(SLEEP).interval(level=level),
        lambda: bootstrap_mean(SLEEP, seed=1, level=level),
        lambda: clustered_rate_interval([True, False], "ab", level=level),
    ):
        with pytest.raises(ValueError, match="between 0 and 1"):
            interval()
