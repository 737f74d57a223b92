"""What answers cost."""

import numpy as np
import pytest

from netweight.evals.efficiency import efficiency, tokens_per_hit
from netweight.evals.measure import FAILED, Measure, Scored


def measure(*, lower_is_better=False):
    return Measure(
        task="t", version=1, metric="rate", description="d", lower_is_better=lower_is_better,
        hits=("right",), counted=("right", "wrong"), outcomes=("right", "wrong", *FAILED),
    )  # fmt: skip


def scored(outcomes, tokens, seconds=2.0):
    return [
        Scored(str(i), 1, outcome, str(i), "", count, {}, seconds)
        for i, (outcome, count) in enumerate(zip(outcomes, tokens, strict=True))
    ]


def named(figures):
    return {figure.metric: figure for figure in figures}


def test_wrong_answers_cost_what_the_right_ones_have_to_pay():
    figure = tokens_per_hit(measure(), scored(["right", "wrong", "right"], [10, 30, 20]))
    assert figure.value == 60 / 2


def test_without_a_hit_there_is_no_price():
    assert tokens_per_hit(measure(), scored(["wrong"] * 3, [1, 2, 3])) is None


def test_with_hardly_a_hit_there_is_no_interval():
    figure = tokens_per_hit(measure(), scored(["right", *["wrong"] * 9], [10] * 10))
    assert (figure.value, figure.interval) == (100, None)


def test_the_interval_covers_the_true_ratio_about_as_often_as_it_says():
    random, covered, num_runs = np.random.default_rng(3), 0, 300
    truth = 100 / 0.6
    for _ in range(num_runs):
        outcomes = np.where(random.random(120) < 0.6, "right", "wrong")
        tokens = random.poisson(100, size=120)
        interval = tokens_per_hit(measure(), scored(outcomes.tolist(), tokens.tolist())).interval
        covered += interval.lower <= truth <= interval.upper
    assert 0.90 <= covered / num_runs <= 0.99


def test_failed_requests_cost_nothing_that_is_counted():
    all_scored = scored(["right", "timeout"], [10, 1000])
    figures = named(efficiency(measure(), all_scored, None))
    assert figures["tokens_per_answer"].value == 10
    assert figures["answer_speed"].value == 5
    assert figures["tokens_per_hit"].value == 10


def test_where_a_hit_is_a_fault_it_has_no_price():
    figures = named(efficiency(measure(lower_is_better=True), scored(["right"], [10]), None))
    assert "tokens_per_hit" not in figures


@pytest.mark.parametrize("peak", [None, lambda: 3 * 2**30])
def test_memory_is_told_where_it_can_be_seen(peak):
    figures = named(efficiency(measure(), scored(["right"], [10]), peak))
    assert ("peak_memory" in figures) == (peak is not None)
    if peak is not None:
        assert (figures["peak_memory"].value, figures["peak_memory"].unit) == (3 * 2**30, "bytes")
