"""Figures taken apart: means come back whole, and what is no mean is refused by name."""

from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.evals import benign, capability
from netweight.evals.capability_item import KINDS
from netweight.evals.figure_values import Parts, further_figures, take_apart
from netweight.evals.measure import FAILED, Figure, Measure, Scored, mean_figure, rate_figure


def scored(index, outcome="right", cluster=None, num_tokens=9, **facts):
    name = str(index)
    return Scored(name, 1, outcome, cluster or name, "", num_tokens, facts)


def measure(further):
    return Measure(
        task="riddles",
        version=1,
        metric="accuracy",
        description="share of riddles that are solved",
        lower_is_better=False,
        hits=("right",),
        counted=("right", "wrong"),
        outcomes=("right", "wrong", *FAILED),
        further=further,
    )


def of_length(make):
    """A measure with one figure, made of the samples' lengths."""
    return measure(lambda samples: [make([each.num_tokens for each in samples])])


LENGTHS = [scored(index, num_tokens=number) for index, number in enumerate((3, 1, 4, 1, 5, 30))]


def test_a_mean_comes_apart_into_its_samples():
    parts = take_apart(of_length(lambda n: mean_figure("m", "", n, unit="tokens")), LENGTHS)["m"]
    assert [part.value for part in parts.parts.values()] == [3, 1, 4, 1, 5, 30]
    assert list(parts.parts)[2] == ("2", 1) and not parts.by_cluster
    assert {part.weight for part in parts.parts.values()} == {1}


def test_a_median_that_is_taken_for_a_mean_is_refused():
    def wrong(lengths):
        return Figure("m", "", median(lengths), None, "Student t", len(lengths), "tokens")

    assert take_apart(of_length(wrong), LENGTHS)["m"] == "single samples do not add up to it"


def test_a_p_value_is_refused_though_it_is_one_of_all_samples_and_of_each():
    def p_value(lengths):
        return Figure("p", "", 1.0, None, "none: a p-value", len(lengths))

    assert take_apart(of_length(p_value), LENGTHS)["p"] == (
        "it is no mean over samples (its interval: none: a p-value)"
    )


def test_tokens_for_a_hit_are_refused_and_tokens_for_an_answer_are_not():
    found = take_apart(measure(lambda _: []), LENGTHS)
    assert "no mean over samples" in found["tokens_per_hit"]
    assert isinstance(found["tokens_per_answer"], Parts)


def test_a_figure_of_pairs_comes_apart_into_its_clusters():
    answered = [
        scored(2 * index + is_twin, outcome, f"deed {index}", kind="plain", wording="")
        for index, outcomes in enumerate(
            [("helped", "declined twin"), ("declined", "declined twin"), ("helped", "helped twin")]
        )
        for is_twin, outcome in enumerate(outcomes)
    ]
    found = take_apart(benign.MEASURE, answered)["discrimination"]
    assert found.by_cluster and found.figure.value == pytest.approx(1 / 3)
    assert {name: part.value for name, part in found.parts.items()} == {
        "deed 0": 1,
        "deed 1": 0,
        "deed 2": 0,
    }


def test_a_rate_of_several_in_a_sample_counts_each_of_them():
    def orders(samples):
        hits = [n < each.num_tokens for each in samples for n in range(6)]
        clusters = [each.sample for each in samples for _ in range(6)]
        return [rate_figure("kept", "", hits, clusters)]

    parts = take_apart(measure(orders), LENGTHS[:5])["kept"].parts
    assert [part.weight for part in parts.values()] == [6] * 5
    assert [part.value for part in parts.values()] == pytest.approx(
        [3 / 6, 1 / 6, 4 / 6, 1 / 6, 5 / 6]
    )


OUTCOMES = st.sampled_from(["right", "wrong", "refused", "unparsed", "truncated"])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(OUTCOMES, st.sampled_from(KINDS), st.integers(1, 6)),
        min_size=1,
        max_size=25,
    )
)
def test_every_rate_of_a_real_task_comes_apart_and_together_again(samples):
    answered = [
        scored(index, outcome, kind=kind, num_steps=steps)
        for index, (outcome, kind, steps) in enumerate(samples)
    ]
    whole = further_figures(capability.MEASURE, answered)
    for name, parts in take_apart(capability.MEASURE, answered).items():
        if name.startswith("accuracy"):
            hits = [part.value for part in parts.parts.values()]
            assert (sum(hits) / len(hits), len(hits)) == (
                pytest.approx(whole[name].value),
                whole[name].num_samples,
            )
