"""A comparison as data: JSON, with every pair and every figure in it."""

import json

import pytest

from netweight.evals import capability
from netweight.evals.comparing import mcnemar
from netweight.evals.comparison_json import as_json
from netweight.evals.pairs import compare_runs, read_run
from tests.evals.test_paired_figures import answers, further
from tests.evals.test_pairs import saying, write_task


def test_the_data_has_every_pair_and_is_json(tmp_path):
    first, second = (
        read_run(write_task(tmp_path / name, saying(outcomes)))
        for name, outcomes in (("a", ["right", "wrong", "right"]), ("b", ["right"] * 3))
    )
    data = json.loads(json.dumps(as_json(compare_runs(first, second)), allow_nan=False))
    (task,) = data["tasks"]
    assert [(each["first"], each["second"]) for each in task["items"]] == [
        ("right", "right"),
        ("wrong", "right"),
        ("right", "right"),
    ]
    assert task["difference"]["value"] == pytest.approx(-1 / 3)
    assert task["difference"]["interval"]["level"] == 0.95
    assert data["first"]["model"] == "nano" and task["verdict"] == "undecided"


def test_the_data_has_every_figure_with_its_difference(tmp_path):
    first, second = (
        read_run(
            write_task(
                tmp_path / name,
                answers(30, wrong=wrong),
                capability.MEASURE,
                further=further,
                dataset="capability",
            )
        )
        for name, wrong in (("a", ()), ("b", {1, 4}))
    )
    (task,) = as_json(compare_runs(first, second))["tasks"]
    logic = next(each for each in task["further"] if each["metric"] == "accuracy_logic")
    assert logic["difference"]["value"] == pytest.approx(0.2)
    assert logic["difference"]["p_value"] == mcnemar(2, 0)
    assert logic["p_value_benjamini_hochberg"] >= logic["difference"]["p_value"]
    assert logic["verdict"] == "undecided"
    assert list(task["not_paired"]) == ["tokens_per_hit"]
