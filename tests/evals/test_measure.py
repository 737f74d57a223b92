"""Figures from what scorers said."""

import pytest

from netweight.evals.measure import (
    CLUSTERED,
    EXACT,
    FAILED,
    WILSON,
    Measure,
    Scored,
    mean_figure,
    rate_figure,
)
from netweight.evals.stats import clopper_pearson, wilson


@pytest.fixture
def measure():
    return Measure(
        task="t", version=1, metric="rate", description="d", lower_is_better=False,
        hits=("right",), counted=("right", "wrong"), outcomes=("right", "wrong", *FAILED),
    )  # fmt: skip


def scored(*outcomes, clusters=None):
    return [
        Scored(str(i), 1, outcome, clusters[i] if clusters else str(i), "", 0, {})
        for i, outcome in enumerate(outcomes)
    ]


def test_only_counted_outcomes_are_in_the_headline(measure):
    rate = measure.headline(scored("right", "right", "right", "wrong", *["infrastructure"] * 9))
    assert (rate.value, rate.num_samples, rate.metric) == (0.75, 4, "rate")
    assert (rate.interval, rate.method) == (wilson(3, 4), WILSON)


def test_nothing_counted_is_no_figure_rather_than_zero(measure):
    assert measure.headline(scored("infrastructure", "timeout")) is None


def test_an_outcome_the_task_does_not_list_is_our_mistake(measure):
    with pytest.raises(AssertionError, match="does not list"):
        measure.headline(scored("right", "rigth"))


@pytest.mark.parametrize("hit", [True, False])
def test_all_or_none_have_the_exact_interval(hit):
    figure = rate_figure("m", "d", [hit] * 12)
    assert (figure.interval, figure.method) == (clopper_pearson(12 * hit, 12), EXACT)


def test_samples_of_one_theme_widen_the_interval():
    hits = [True] * 20 + [False] * 20
    alone = rate_figure("m", "d", hits)
    by_theme = rate_figure("m", "d", hits, [index // 4 for index in range(40)])
    assert by_theme.method == CLUSTERED
    assert by_theme.value == alone.value
    width, wider = (each.interval.upper - each.interval.lower for each in (alone, by_theme))
    assert wider > 1.5 * width


def test_a_single_theme_says_nothing_of_others():
    figure = rate_figure("m", "d", [True, False, True], "aaa")
    assert (figure.interval, figure.method) == (None, "none: one cluster")


def test_a_mean_has_students_interval():
    figure = mean_figure("m", "d", [1.0, 2.0, 3.0], unit="tokens")
    assert (figure.value, figure.unit, figure.num_samples) == (2.0, "tokens", 3)
    # 2 plus and minus t(0.975, 2 degrees) = 4.3027 times 1 / sqrt(3)
    assert figure.interval.lower == pytest.approx(2 - 4.3027 / 3**0.5, abs=1e-3)
    assert figure.interval.upper == pytest.approx(2 + 4.3027 / 3**0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("values", "why"), [([3.0], "fewer than two"), ([3.0, 3.0], "all values are equal")]
)
def test_where_a_spread_cannot_be_seen_there_is_no_interval(values, why):
    figure = mean_figure("m", "d", values, unit="score")
    assert figure.interval is None
    assert why in figure.method


def test_of_nothing_there_is_no_figure():
    assert rate_figure("m", "d", []) is None
    assert mean_figure("m", "d", [], unit="score") is None
