"""One difference of two models' scores: by hand, by brute force, and planted or not."""

import itertools
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, stdtrit

from netweight.evals import differences
from netweight.evals.comparing import tango
from netweight.evals.differences import Rate, Scores, paired_difference, unpaired_difference
from netweight.evals.planning import paired_sample_size
from netweight.evals.stats import clopper_pearson


def alone(firsts, seconds):
    """Scores of items that share nothing."""
    return Scores(firsts, seconds, [str(index) for index in range(len(firsts))])


def test_passes_of_independent_items_are_tested_exactly_as_by_hand():
    found = paired_difference(alone([1] * 6 + [0] * 4, [0] * 10), 0.05)
    assert found.p_value == 2 / 2**6  # six heads in six tosses, or none
    assert found.value == 0.6 and found.num_items == 10
    assert (found.method, found.test) == ("Tango score", "McNemar, exact")
    assert found.interval == tango(6, 0, 10)


def test_amounts_are_tested_by_the_paired_t_test_as_by_hand():
    found = paired_difference(alone([5.0, 7.0, 9.0], [4.0, 5.0, 6.0]), 0.05, "tokens")
    t = 2 / (1 / sqrt(3))  # differences of 1, 2 and 3: their mean, and their standard error
    assert found.value == 2
    assert found.p_value == pytest.approx(1 - t / sqrt(2 + t * t))  # Student's t, two degrees
    assert found.test == "paired t" and found.p_equivalent is None  # points say nothing of tokens


def test_the_interval_of_clustered_scores_is_that_of_all_ways_to_draw_the_clusters():
    totals, size = [4, 1, 0, 3, -1, 2], 4
    firsts, seconds, clusters = [], [], []
    for index, total in enumerate(totals):
        firsts += [1] * max(total, 0) + [0] * (size - max(total, 0))
        seconds += [0] * (size - max(-total, 0)) + [1] * max(-total, 0)
        clusters += [str(index)] * size
    found = paired_difference(Scores(firsts, seconds, clusters), 0.05, "score")
    draws = [sum(draw) / (6 * size) for draw in itertools.product(totals, repeat=6)]
    # The expanded percentiles of Hesterberg's, for t's quantile at five degrees.
    tail = ndtr(-stdtrit(5, 0.975) * sqrt(6 / 5))
    lower, upper = np.quantile(draws, (tail, 1 - tail))
    assert found.method == "paired bootstrap, clustered"
    assert found.interval.lower == pytest.approx(lower, abs=1 / 24)  # one step of the means
    assert found.interval.upper == pytest.approx(upper, abs=1 / 24)


def test_too_few_clusters_to_resample_get_student_s_interval_and_it_is_said():
    clusters = ["a", "a", "b", "b"]
    found = paired_difference(Scores([1, 1, 0, 0.9], [0, 0, 0, 1], clusters), 0.05)
    assert found.method == "Student t, clustered" and found.test == "paired t, clustered"
    assert found.interval.upper == 1.0  # a rate's difference goes no further


def test_clustered_passes_are_tested_by_all_exchanges_of_whole_clusters_as_by_hand():
    clusters = [name for name in "abcdefgh" for _ in range(3)]
    firsts = [1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0]
    found = paired_difference(Scores(firsts, [0] * 24, clusters), 0.05)
    assert found.p_value == 2 / 2**7  # seven clusters that all lean one way, and one that does not
    assert found.test == "exact randomisation of clusters"
    assert found.interval.lower > 0


def test_a_cluster_says_less_than_as_many_items():
    firsts, seconds = [1] * 30 + [0] * 30, [0] * 60
    items = paired_difference(alone(firsts, seconds), 0.05)
    clustered = paired_difference(
        Scores(firsts, seconds, [str(index // 6) for index in range(60)]), 0.05
    )
    assert clustered.p_value > 1000 * items.p_value
    assert clustered.detectable > 1.5 * items.detectable


@pytest.mark.parametrize("num_clusters", [1, 4])
def test_scores_that_differ_alike_everywhere_have_no_interval_but_rates_that_never_do(num_clusters):
    clusters = [str(index % num_clusters) for index in range(8)]
    tokens = paired_difference(Scores([3.0] * 8, [2.0] * 8, clusters), 0.05, "tokens")
    assert tokens.interval is None and tokens.value == 1 and tokens.detectable is None
    assert tokens.p_value == min(1.0, 2 / 2**num_clusters)
    same = paired_difference(Scores([0.5] * 8, [0.5] * 8, clusters), 0.05)
    assert (same.interval is None) == (num_clusters == 1)
    contrast = paired_difference(Scores([1.0] * 8, [1.0] * 8, clusters), 0.05, "difference")
    assert contrast.interval is None and contrast.p_equivalent is None and contrast.p_value == 1


UNITS = st.sampled_from(["proportion", "difference", "tokens"])
SCORES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(SCORES, UNITS, st.integers(1, 8))
def test_turning_the_models_around_turns_the_difference_around(scores, unit, per_cluster):
    firsts, seconds = map(list, zip(*scores, strict=True))
    clusters = [str(index // per_cluster) for index in range(len(scores))]
    one = paired_difference(Scores(firsts, seconds, clusters), 0.05, unit)
    other = paired_difference(Scores(seconds, firsts, clusters), 0.05, unit)
    assert one.value == pytest.approx(-other.value)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.detectable == pytest.approx(other.detectable)
    assert (one.interval is None) == (other.interval is None)
    if one.interval is not None:
        assert one.interval.lower == pytest.approx(-other.interval.upper, abs=1e-6)
        assert one.interval.lower - 1e-9 <= one.value <= one.interval.upper + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=30), UNITS)
def test_a_model_never_differs_from_itself(scores, unit):
    found = paired_difference(alone(scores, scores), 0.05, unit)
    assert (found.value, found.p_value) == (0, 1)
    assert found.interval is None or found.interval.lower < 0 < found.interval.upper


def test_equivalence_is_said_exactly_where_the_interval_lies_within_the_margin():
    for num_items in (20, 40, 60, 100):  # of which the first two are too few
        found = paired_difference(alone([1] * num_items, [1] * num_items), 0.05)
        inside = tango(0, 0, num_items, level=0.9)
        is_within = inside.lower > -0.05 and inside.upper < 0.05
        assert (found.p_equivalent <= 0.05) == is_within
    assert paired_difference(alone([1] * 20, [1] * 20), 0.05).p_equivalent > 0.05


def in_themes(random, num_themes, *, only_first, only_second, alike):
    """Scores on three samples of each theme, whose chances to differ are drawn by theme."""
    chances = np.array([only_first, only_second, 1 - only_first - only_second])
    firsts, seconds, clusters = [], [], []
    for theme in range(num_themes):
        of_theme = random.dirichlet(chances * (1 - alike) / alike)
        for kind in random.choice(3, size=3, p=of_theme):
            firsts.append(int(kind == 0))
            seconds.append(int(kind == 1))
            clusters.append(str(theme))
    return Scores(firsts, seconds, clusters)


def simulated(only_first, only_second):
    random = np.random.default_rng(1)
    chances = {"only_first": only_first, "only_second": only_second, "alike": 0.4}
    return [in_themes(random, 40, **chances) for _ in range(200)]


def test_clustered_models_that_differ_only_by_chance_are_told_apart_no_more_often_than_said():
    found = [paired_difference(scores, 0.05).p_value for scores in simulated(0.05, 0.05)]
    assert np.mean(np.array(found) <= 0.05) <= clopper_pearson(10, 200, level=0.99).upper


def covered(scores, difference):
    """How often an interval holds the true difference."""
    intervals = [paired_difference(each, 0.05).interval for each in scores]
    return np.mean([each.lower <= difference <= each.upper for each in intervals])


def test_intervals_of_clustered_passes_hold_the_truth_as_often_as_said_though_few_differ():
    runs = simulated(0.02, 0.05)
    assert covered(runs, -0.03) >= clopper_pearson(190, 200, level=0.99).lower
    as_items = [alone(each.firsts, each.seconds) for each in simulated(0.2, 0.3)]
    assert covered(as_items, -0.1) < 0.9  # the deliberately wrong way: clusters taken for nothing


def test_rates_over_different_items_are_as_wide_as_their_clusters_make_them():
    passes = [int(index // 4 % 3 > 0) for index in range(60)]
    apart = unpaired_difference(*[Rate(passes, [str(n) for n in range(60)])] * 2)
    clustered = unpaired_difference(*[Rate(passes, [str(n // 4) for n in range(60)])] * 2)
    widths = [each.interval.upper - each.interval.lower for each in (apart, clustered)]
    assert widths[1] > 1.5 * widths[0]
    assert "effective" in clustered.method and apart.method == "Newcombe"
    assert apart.p_equivalent is None


@pytest.mark.parametrize("num_discordant", [0, 2, 12, 30])
def test_the_detectable_difference_is_one_that_so_many_items_find(num_discordant):
    found = differences._detectable(num_discordant, 80, 1.0)
    discordance = num_discordant / 80 or clopper_pearson(0, 80).upper
    assert paired_sample_size(found, max(discordance, found)) <= 80
    assert paired_sample_size(0.97 * found, max(discordance, 0.97 * found)) > 80


def test_too_few_items_find_nothing():
    assert differences._detectable(1, 5, 1.0) is None
    assert differences._detectable(1, 20, 4.0) is None
    assert differences._detectable(1, 6, 1.0) < 1
