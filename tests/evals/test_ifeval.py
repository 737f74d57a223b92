"""The task ifeval: what it needs is named, and inspect_evals' readings become ours."""

import sys
from types import ModuleType

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Score, mean, scorer

from netweight.errors import WeighError
from netweight.evals import Settings, Subject
from netweight.evals.harness import run_task
from netweight.evals.ifeval import MEASURE, ifeval
from tests.evals.fake_server import Reply, fake_server


def test_without_inspect_evals_the_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_evals", None)
    with pytest.raises(WeighError, match="inspect_evals and instruction_following_eval"):
        ifeval()


def stand_in(make):
    module = ModuleType("inspect_evals.ifeval")
    module.ifeval = make
    return {"inspect_evals": ModuleType("inspect_evals"), "inspect_evals.ifeval": module}


def test_a_failed_download_is_told(monkeypatch):
    def fails():
        raise ConnectionError("no network")

    for name, module in stand_in(fails).items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(WeighError, match=r"cannot be downloaded: no network"):
        ifeval()


@scorer(metrics=[mean()])
def as_inspect_evals_scores():
    """The shape of inspect_evals 0.28.0's values; here an order is followed by "yes"."""

    async def score(state, target):
        num_kept = state.output.completion.count("yes")
        return Score(
            value={
                "prompt_level_strict": num_kept == 2,
                "inst_level_strict": num_kept,
                "prompt_level_loose": num_kept > 0,
                "inst_level_loose": min(2, 2 * num_kept),
                "num_instructions": 2,
            },
            explanation="two",
        )

    return score


@pytest.mark.inspect
def test_ifevals_own_readings_become_ours(monkeypatch, tmp_path):
    answers = {"one": "yes yes", "two": "yes", "three": "", "four": "I cannot help with that."}

    def make():
        dataset = MemoryDataset([Sample(input=each, id=each) for each in answers], name="IFEval")
        return Task(dataset=dataset, scorer=as_inspect_evals_scores(), version=3)

    for name, module in stand_in(make).items():
        monkeypatch.setitem(sys.modules, name, module)
    task = ifeval(seed=1)
    assert task.dataset.name == "ifeval 1, inspect_evals 3, seed 1"
    assert [each.id for each in task.dataset] == [each.id for each in ifeval(seed=1).dataset]
    with fake_server(lambda prompt: Reply(answers[prompt])) as server:
        subject = Subject("fake", "fake", server.base_url)
        run = run_task(task, subject, Settings(), tmp_path, lambda num_done: None)
    outcomes = {each.sample: each.outcome for each in run.scored}
    assert outcomes == {"one": "followed", "two": "broken", "three": "unparsed", "four": "refused"}
    further = {each.metric: each.value for each in MEASURE.further(run.scored)}
    assert MEASURE.headline(run.scored).value == 1 / 4
    assert further == {
        "prompt_loose": 2 / 4,
        "instruction_strict": 3 / 8,
        "instruction_loose": 4 / 8,
    }
