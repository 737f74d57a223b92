"""Comparisons of two models: published examples, other implementations, and simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import binom, binomtest, false_discovery_control, fisher_exact, ttest_rel

from netweight.evals.clusters import Estimate
from netweight.evals.comparing import (
    benjamini_hochberg,
    bootstrap_difference,
    detectable_mean,
    effective_discordance,
    equivalence,
    estimate_difference,
    exchange_p_value,
    fisher,
    holm,
    mcnemar,
    newcombe,
    p_beyond,
    rate_equivalence,
    tango,
)
from netweight.evals.stats import normal_quantile, wilson

PAIRS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 60)).map(
    lambda counts: (counts[0], counts[1], sum(counts))
)
RATES = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_mcnemars_p_values_are_fagerlands_published_ones():
    # Fagerland, Lydersen and Laake (2013), airway hyper-responsiveness: 7 one way, 1 the other
    assert mcnemar(7, 1) == pytest.approx(0.070, abs=5e-4)
    assert mcnemar(7, 1, mid_p=True) == pytest.approx(0.039, abs=5e-4)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test_and_mid_p_is_smaller(only_first, only_second):
    assume(only_first + only_second > 0)
    exact = mcnemar(only_first, only_second)
    assert exact == pytest.approx(binomtest(only_first, only_first + only_second).pvalue)
    assert exact == mcnemar(only_second, only_first)
    assert mcnemar(only_first, only_second, mid_p=True) <= exact


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=14))
def test_exchanging_pairs_is_mcnemars_exact_test(differences):
    exchanges = [(each, (each, -each)) for each in differences]
    expected = mcnemar(differences.count(1), differences.count(-1))
    assert exchange_p_value(exchanges) == pytest.approx(expected)


def test_models_that_never_differ_are_not_found_different():
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize("num_unlike", [6, 15, 40, 200])
def test_mcnemar_finds_no_more_than_5_percent_where_nothing_is(num_unlike):
    chances = binom.pmf(np.arange(num_unlike + 1), num_unlike, 0.5)
    counts = [(first, num_unlike - first) for first in range(num_unlike + 1)]
    found = np.array([mcnemar(*pair) <= 0.05 for pair in counts])
    found_mid_p = np.array([mcnemar(*pair, mid_p=True) <= 0.05 for pair in counts])
    assert chances[found].sum() <= 0.05
    assert chances[found].sum() <= chances[found_mid_p].sum() <= 0.06


def test_tangos_interval_is_the_published_one():
    # Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014): the same children
    interval = tango(1, 7, 21)
    assert (round(interval.lower, 3), round(interval.upper, 3)) == (-0.517, -0.026)


@given(st.integers(1, 2000))
def test_where_models_never_differ_tangos_interval_ends_at_wilsons(num_items):
    interval, upper = tango(0, 0, num_items), wilson(0, num_items).upper
    assert interval[:2] == pytest.approx((-upper, upper), abs=1e-9)


@given(PAIRS)
def test_tangos_interval_holds_the_difference_and_mirrors(counts):
    only_first, only_second, num_items = counts
    interval, mirrored = tango(*counts), tango(only_second, only_first, num_items)
    difference = (only_first - only_second) / num_items
    assert -1 <= interval.lower < difference < interval.upper <= 1
    assert interval[:2] == pytest.approx((-mirrored.upper, -mirrored.lower), abs=1e-8)


@given(PAIRS.filter(lambda counts: counts[0] + counts[1] > 0))
def test_tangos_interval_excludes_nought_where_mcnemars_z_does(counts):
    only_first, only_second, _ = counts
    z = abs(only_first - only_second) / (only_first + only_second) ** 0.5
    assume(abs(z - normal_quantile(0.975)) > 1e-6)
    interval = tango(*counts)
    assert (interval.lower > 0 or interval.upper < 0) == (z > normal_quantile(0.975))


def test_models_that_always_differ_one_way_reach_the_edge():
    assert tango(5, 0, 5).upper == 1
    assert tango(0, 5, 5).lower == -1


def covered(ends, truths):
    return np.mean((ends[:, 0] <= truths) & (truths <= ends[:, 1]))


def test_tangos_95_percent_interval_covers_the_difference_95_times_in_100():
    generator, num_items = np.random.default_rng(1), 50
    cells = generator.dirichlet((1, 1, 3), 4000)  # only first, only second, alike
    counts = generator.multinomial(num_items, cells)[:, :2]
    table = {pair: tango(*pair, num_items)[:2] for pair in set(map(tuple, counts.tolist()))}
    ends = np.array([table[pair] for pair in map(tuple, counts.tolist())])
    assert 0.93 <= covered(ends, cells[:, 0] - cells[:, 1]) <= 0.97


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 20), 0.6791, 1.0000),
    ],
)
def test_newcombes_intervals_are_the_published_ones(counts, lower, upper):
    interval = newcombe(*counts)
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (lower, upper)


def test_newcombes_95_percent_interval_covers_the_difference_95_times_in_100():
    generator = np.random.default_rng(2)
    rates = generator.uniform(0.05, 0.95, (4000, 2))
    hits = generator.binomial((40, 50), rates)
    ends = np.array([newcombe(int(one), 40, int(other), 50)[:2] for one, other in hits])
    assert 0.93 <= covered(ends, rates[:, 0] - rates[:, 1]) <= 0.97


def test_fishers_lady_tasting_tea_is_not_surprising():
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)


@given(RATES, RATES)
def test_fishers_p_value_equals_scipys(first, second):
    (hits_first, trials_first), (hits_second, trials_second) = first, second
    table = [[hits_first, trials_first - hits_first], [hits_second, trials_second - hits_second]]
    assert fisher(*first, *second) == pytest.approx(fisher_exact(table).pvalue, rel=1e-7)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=20))
def test_a_difference_is_tested_as_in_the_paired_t_test(pairs):
    assume(len({one - other for one, other in pairs}) > 1)
    first, second = zip(*pairs, strict=True)
    estimate = estimate_difference(first, second)
    assert estimate.value == pytest.approx(np.mean(first) - np.mean(second))
    assert estimate.p_value() == pytest.approx(ttest_rel(first, second).pvalue)


SIZES = np.tile([4, 8, 12, 16], 8)  # 32 themes, 320 items
NAMES = np.repeat(np.arange(len(SIZES)), SIZES)


def paired_answers(generator):
    """Passes of two models, equal over all themes; a theme may favour either of them."""
    difficulty = generator.uniform(0.2, 0.8, len(SIZES))
    favour = generator.choice([-0.2, 0.2], len(SIZES))
    rates = np.stack((difficulty, difficulty + favour))[:, NAMES]
    return generator.random(rates.shape) < rates


def difference_coverage(interval_of, num_draws):
    generator = np.random.default_rng(3)
    ends = np.array([interval_of(*paired_answers(generator))[:2] for _ in range(num_draws)])
    return covered(ends, 0.0)


def test_the_clustered_bootstrap_of_a_difference_covers_it_95_times_in_100():
    def interval_of(first, second):
        return bootstrap_difference(first, second, NAMES, seed=1, num_resamples=1000)

    assert 0.93 <= difference_coverage(interval_of, 1500) <= 0.97


def test_the_clustered_t_interval_of_a_difference_covers_it_95_times_in_100():
    def interval_of(first, second):
        return estimate_difference(first, second, NAMES).interval()

    assert 0.93 <= difference_coverage(interval_of, 3000) <= 0.97


@pytest.mark.parametrize(
    "naive",
    [
        lambda first, second: bootstrap_difference(first, second, seed=1, num_resamples=1000),
        lambda first, second: tango(int((first > second).sum()), int((first < second).sum()), 320),
    ],
    ids=["bootstrap of items", "tango"],
)
def test_the_same_simulation_catches_a_difference_that_ignores_clusters(naive):
    assert difference_coverage(naive, 300) < 0.92


def test_scores_of_different_items_cannot_be_paired():
    for compare in (estimate_difference, lambda *data: bootstrap_difference(*data, seed=1)):
        with pytest.raises(ValueError, match="cannot be paired"):
            compare([1.0, 0.0], [1.0])


MARGINS = st.floats(0.01, 0.9)


@given(PAIRS, MARGINS)
def test_rates_are_equivalent_exactly_when_the_interval_lies_within_the_margin(counts, margin):
    result = rate_equivalence(*counts, margin=margin)
    assume(abs(result.p_value - 0.05) > 1e-6)
    within = -margin < result.interval.lower and result.interval.upper < margin
    assert result.interval.level == pytest.approx(0.9)
    assert within == (result.p_value < 0.05) == (result.verdict == "equivalent")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=9), MARGINS)
def test_means_are_equivalent_exactly_when_the_interval_lies_within_the_margin(pairs, margin):
    assume(len({one - other for one, other in pairs}) > 1)
    result = equivalence(*zip(*pairs, strict=True), margin=margin)
    assume(abs(result.p_value - 0.05) > 1e-6)
    within = -margin < result.interval.lower and result.interval.upper < margin
    assert within == (result.p_value < 0.05) == (result.verdict == "equivalent")


@pytest.mark.parametrize(
    ("only_first", "only_second", "num_items", "verdict"),
    [
        (10, 12, 1000, "equivalent"),
        (0, 0, 200, "equivalent"),
        (5, 20, 2000, "equivalent"),  # significantly different, and within the margin
        (60, 20, 300, "different"),
        (3, 4, 20, "undecided"),
        (0, 0, 20, "undecided"),
    ],
)
def test_the_verdict_on_a_margin_of_3_points(only_first, only_second, num_items, verdict):
    assert rate_equivalence(only_first, only_second, num_items, margin=0.03).verdict == verdict


def test_models_a_whole_margin_apart_are_called_equivalent_5_times_in_100():
    generator = np.random.default_rng(4)
    themes = np.repeat(np.arange(12), 5)
    called = 0
    for _ in range(3000):
        shared = generator.normal(size=12)[themes]
        first = 0.5 + 0.3 * shared + generator.normal(size=60)
        result = equivalence(first, np.zeros(60), themes, margin=0.5)
        called += result.verdict == "equivalent"
    assert 0.035 <= called / 3000 <= 0.065


@pytest.mark.parametrize("margin", [0.0, -0.1, float("nan")])
def test_a_margin_must_be_positive(margin):
    with pytest.raises(ValueError, match="margin"):
        rate_equivalence(1, 1, 9, margin=margin)
    with pytest.raises(ValueError, match="margin"):
        equivalence([1, 0], [0, 0], margin=margin)


def test_rates_cannot_differ_by_a_margin_of_1_or_more():
    with pytest.raises(ValueError, match="more than 1"):
        rate_equivalence(1, 1, 9, margin=1.0)


def test_an_alpha_of_a_half_or_more_tests_nothing():
    with pytest.raises(ValueError, match="alpha"):
        rate_equivalence(1, 1, 9, margin=0.1, alpha=0.5)


def test_scores_that_never_differ_are_sent_to_the_test_for_rates():
    with pytest.raises(ValueError, match="tango"):
        equivalence([1, 0, 1], [1, 0, 1], margin=0.1)


# Benjamini and Hochberg (1995), section 3.2
HEART = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
HEART += [0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_of_benjamini_and_hochbergs_15_tests_holm_keeps_3_and_they_keep_4():
    assert sum(value <= 0.05 for value in holm(HEART)) == 3
    assert sum(value <= 0.05 for value in benjamini_hochberg(HEART)) == 4


def test_holms_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(P_VALUES.filter(bool))
def test_benjamini_and_hochbergs_values_are_scipys(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values).tolist())


@given(P_VALUES, st.floats(0.001, 0.999))
def test_holm_rejects_what_stepping_down_rejects(p_values, alpha):
    stepped, left = set(), len(p_values)
    for value in sorted(p_values):
        if value * left > alpha:
            break
        stepped.add(value)
        left -= 1
    kept = {value for value, own in zip(p_values, holm(p_values), strict=True) if own <= alpha}
    assert kept == stepped


@given(P_VALUES)
def test_holm_is_stricter_and_neither_makes_a_p_value_smaller(p_values):
    for own, family, discovery in zip(
        p_values, holm(p_values), benjamini_hochberg(p_values), strict=True
    ):
        assert own <= discovery * (1 + 1e-12)
        assert discovery <= family * (1 + 1e-12) <= 1 + 1e-12


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(adjust, value):
    with pytest.raises(ValueError, match="not a p-value"):
        adjust([0.5, value])


@pytest.mark.parametrize("counts", [(-1, 2, 5), (3, 3, 5)])
def test_pairs_that_cannot_be_are_refused(counts):
    for compare in (tango, lambda *pairs: rate_equivalence(*pairs, margin=0.1)):
        with pytest.raises(ValueError, match="no pairs"):
            compare(*counts)


def test_no_items_are_none_to_compare_on():
    with pytest.raises(ValueError, match="none to compare"):
        tango(0, 0, 0)


@pytest.mark.parametrize("counts", [(1, 0, 1, 2), (3, 2, 1, 2), (1, 2, -1, 2)])
def test_rates_that_cannot_be_are_refused(counts):
    for compare in (newcombe, fisher):
        with pytest.raises(ValueError, match="is not a rate"):
            compare(*counts)


@pytest.mark.parametrize("degrees", [4, 9, 30, 400])
def test_a_mean_difference_that_is_detectable_is_found_four_times_in_five(degrees):
    effect = detectable_mean(Estimate(0.0, 0.5, degrees)) / 0.5
    beyond = stats.t.ppf(0.975, degrees)
    power = stats.nct.sf(beyond, degrees, effect) + stats.nct.cdf(-beyond, degrees, effect)
    assert power == pytest.approx(0.8, abs=0.01)
    assert stats.nct.sf(beyond, degrees, 0.8 * effect) < 0.7  # less would be found less often


@pytest.mark.parametrize("risks", [{"alpha": 0}, {"alpha": 1}, {"power": 0.5}, {"power": 1}])
def test_risks_that_are_none_are_refused(risks):
    with pytest.raises(ValueError, match="must lie between"):
        detectable_mean(Estimate(0.0, 0.5, 9), **risks)


def test_items_that_share_nothing_are_as_many_as_they_are_but_for_students_quantile():
    first, second = [1] * 8 + [0] * 12, [0] * 5 + [1] * 7 + [0] * 8
    found = effective_discordance(first, second, range(20))
    share = (normal_quantile(0.975) / stats.t.ppf(0.975, 19)) ** 2 * 19 / 20
    assert found == pytest.approx((5 * share, 4 * share, 20 * share))


def test_items_of_a_cluster_that_all_come_out_alike_are_one_less_what_t_asks_for():
    first = [1] * 12 + [0] * 28
    found = effective_discordance(first, [0] * 40, [index // 4 for index in range(40)])
    share = (normal_quantile(0.975) / stats.t.ppf(0.975, 9)) ** 2 * 9 / 10
    assert found.num_items == pytest.approx(10 * share)
    assert found.only_first / found.num_items == pytest.approx(0.3) and found.only_second == 0


def test_never_more_items_are_counted_than_there_are_nor_fewer_than_one():
    balanced = effective_discordance([1, 0] * 10, [0, 1] * 10, [n // 4 for n in range(18)] + [9, 8])
    assert balanced.num_items <= 20
    assert effective_discordance([1, 1, 0, 0], [0] * 4, "aabb").num_items == 1


def test_discordance_is_of_passes_and_fails_with_some_spread():
    with pytest.raises(ValueError, match="only passes and fails"):
        effective_discordance([0.5, 1], [0, 1], "ab")
    with pytest.raises(ValueError, match="no spread"):
        effective_discordance([1, 1], [0, 0], "ab")


@given(st.integers(0, 12), st.integers(0, 12), st.integers(24, 80), st.floats(0.02, 0.4))
def test_rates_are_within_the_margin_exactly_where_the_interval_is(first, second, items, margin):
    p_value = p_beyond(first, second, items, margin=margin)
    assume(abs(p_value - 0.05) > 1e-6)
    inside = tango(first, second, items, level=0.9)
    assert (p_value < 0.05) == (-margin < inside.lower and inside.upper < margin)
    assert p_value == rate_equivalence(first, second, items, margin=margin).p_value
