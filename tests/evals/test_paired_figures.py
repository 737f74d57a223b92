"""Figures beside the headline, compared sample by sample: planted differences, and none."""

from dataclasses import replace

import pytest

from netweight.evals import capability
from netweight.evals.capability_item import KINDS
from netweight.evals.comparing import mcnemar, tango
from netweight.evals.efficiency import efficiency
from netweight.evals.measure import mean_figure
from netweight.evals.paired_figures import Measured, compare_figures
from netweight.evals.pairs import compare_runs, read_run
from tests.evals.test_pairs import BROKEN, PASSED, measure, said, saying, write_task


def answers(num_items, wrong=()):
    """One answer to each item, the kinds in turns; `wrong` are the numbers of those that fail."""
    return [
        said(
            index,
            "wrong" if index in wrong else "right",
            facts={"kind": KINDS[index % 3], "num_steps": 2},
        )
        for index in range(num_items)
    ]


def further(scored):
    return [*capability.MEASURE.further(scored), *efficiency(capability.MEASURE, scored, None)]


@pytest.fixture
def weighed(tmp_path):
    """A function that writes a run of `capability` and reads it back."""

    def made(name, saying, **run):
        run = {"further": further, "dataset": "capability", **run}
        return read_run(write_task(tmp_path / name, saying, capability.MEASURE, **run))

    return made


def figures(task):
    return {figure.metric: figure for figure in task.figures}


def test_a_planted_difference_is_found_where_it_was_planted_and_nowhere_else(weighed):
    sums = {index for index in range(120) if KINDS[index % 3] == "arithmetic"}
    worse = set(sorted(sums)[:14])
    first, second = weighed("a", answers(120)), weighed("b", answers(120, wrong=worse))
    (task,) = compare_runs(first, second).tasks
    found = figures(task)
    planted = found["accuracy_arithmetic"]
    assert planted.judgement.verdict == "first better"
    assert (planted.first, planted.second) == (1.0, 26 / 40)
    assert planted.difference.p_value == mcnemar(14, 0)
    assert planted.difference.interval == tango(14, 0, 40)
    assert planted.judgement.p_value >= planted.difference.p_value
    others = [name for name in found if "arithmetic" not in name]
    assert {"accuracy_logic", "accuracy_reading", "tokens_per_answer"} <= set(others)
    assert all(found[name].judgement.verdict == "undecided" for name in others)


def test_a_run_never_differs_from_itself_and_large_ones_are_equivalent(weighed):
    same = answers(300, wrong=range(0, 300, 7))
    (task,) = compare_runs(weighed("a", same), weighed("b", same)).tasks
    rates = [figure for figure in task.figures if figure.unit == "proportion"]
    assert len(rates) == 6
    assert {figure.difference.value for figure in task.figures} == {0}
    assert {figure.judgement.verdict for figure in rates} == {"equivalent"}
    tokens = figures(task)["tokens_per_answer"]
    assert tokens.judgement.verdict == "undecided"  # of tokens no margin says what is alike


def test_epochs_of_a_sample_are_one_cluster(weighed):
    runs = []
    for name, wrong in (("a", ()), ("b", range(0, 60, 4))):
        both = [each | {"epoch": epoch} for each in answers(60, wrong=wrong) for epoch in (1, 2)]
        runs.append(weighed(name, both))
    (task,) = compare_runs(*runs).tasks
    found = figures(task)["accuracy_logic"].difference
    assert found.num_items == 40 and found.method.endswith("effective number of items")
    assert found.p_value == pytest.approx(mcnemar(5, 0))
    assert found.p_value > 10 * mcnemar(10, 0)  # what counting epochs as items gives


def test_only_samples_that_count_in_both_are_compared(weighed):
    ones, others = answers(30), answers(30)
    for each in others[:6]:
        each["outcome"] = "timeout"
    (task,) = compare_runs(weighed("a", ones), weighed("b", others)).tasks
    assert figures(task)["accuracy_logic"].difference.num_items == 8
    assert figures(task)["tokens_per_answer"].difference.num_items == 24


def test_every_figure_is_either_compared_or_named_with_the_reason(weighed):
    def more(scored):
        return [*further(scored), mean_figure("secret", "what B alone has", [1, 2], unit="tokens")]

    second = weighed("b", answers(30), further=more)
    (task,) = compare_runs(weighed("a", answers(30)), second).tasks
    assert task.not_paired == {
        "tokens_per_hit": "it is no mean over samples (its interval: bootstrap percentile)",
        "secret": "only the second run has it",
    }
    recorded = [
        result["metric_config"]["metric_id"]
        for result in second.tasks["capability"].record["evaluation_results"]
    ]
    assert {*figures(task), *task.not_paired} == set(recorded[1:])


def refused(one, other, **run):
    (task,) = compare_runs(one, other, **run).tasks
    assert not task.figures
    (reason,) = set(task.not_paired.values())
    return reason


def test_other_samples_and_what_is_not_evidence_are_not_paired(weighed):
    first = weighed("a", answers(30))
    assert "have different data" in refused(first, weighed("b", answers(30), dataset="other"))
    reason = refused(first, weighed("c", answers(30), checks=(PASSED, BROKEN)))
    assert "the second run is not evidence" in reason


def test_a_task_that_is_not_known_here_or_has_moved_on_is_not_paired(tmp_path):
    same = saying(["right"] * 9)
    runs = [read_run(write_task(tmp_path / name, same)) for name in "ab"]
    assert refused(*runs) == "this netweight does not have the task"
    task = runs[0].tasks["riddles"]
    one = Measured(task.record, task.scored)
    newer = compare_figures(one, one, measure(version=2), 0.05)
    assert newer.not_paired == {"tokens": "this netweight has version 2 of the task, not 1"}
    whole = compare_figures(one, one, measure(), 0.05)
    assert whole.not_paired == {"tokens": "it is of the whole run, not of its samples"}


def test_a_record_that_the_log_does_not_bear_out_is_not_paired(weighed):
    def embellished(scored):
        return [
            replace(each, value=0.9) if each.metric == "accuracy_logic" else each
            for each in further(scored)
        ]

    wrong = {index for index in range(30) if KINDS[index % 3] == "logic"}
    first = weighed("a", answers(30, wrong=wrong), further=embellished)
    (task,) = compare_runs(first, weighed("b", answers(30, wrong=wrong))).tasks
    assert "not the one that this netweight finds in the log" in task.not_paired["accuracy_logic"]
    assert "accuracy_reading" in figures(task)
