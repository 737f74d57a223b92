"""Suites: which tasks they have, and that the document says so."""

import pytest

from netweight.evals import SUITES, index_parts
from netweight.evals import run as weighing
from netweight.evals.measure import FAILED
from netweight.evals.subject import Settings
from netweight.evals.suites import SUITES as PARTS
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "weigh.md"
BEGIN, END = "<!-- tasks -->\n", "<!-- end -->"


def tasks_of(suite):
    return [part.measure.task for part in PARTS[suite](Settings())]


def test_the_suites_that_are_offered_are_there():
    assert tuple(PARTS) == SUITES == weighing.SUITES


@pytest.mark.parametrize("suite", SUITES)
def test_no_suite_has_a_task_twice(suite):
    assert len(set(tasks_of(suite))) == len(tasks_of(suite))


def test_the_full_suite_has_all_of_the_release_suite():
    assert set(tasks_of("release")) < set(tasks_of("full"))


def test_the_index_has_every_part_that_there_is_a_task_for_with_its_repeats():
    parts = PARTS["index"](Settings())
    assert [(part.measure.task, part.repeats) for part in parts] == [
        ("mmlu_pro", 1), ("hle", 1), ("gpqa_diamond", 1), ("aime2025", 10), ("scicode", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("suite", ["quick", "release", "full"])
def test_no_other_suite_repeats_of_its_own_accord(suite):
    assert {part.repeats for part in PARTS[suite](Settings())} == {1}


def test_the_index_takes_the_first_judge(monkeypatch):
    given = []
    monkeypatch.setattr(index_parts, "hle", lambda judge: given.append(judge))
    for judges in ((), ("a/b", "c/d")):
        parts = PARTS["index"](Settings(judges=judges))
        next(part for part in parts if part.measure.task == "hle").make()
    assert given == [None, "a/b"]


def test_the_quick_suite_needs_no_data_and_no_other_package(monkeypatch, tmp_path):
    monkeypatch.setenv("NETWEIGHT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", None)
    for part in PARTS["quick"](Settings()):
        task = part.make()
        assert task.name.removeprefix("netweight/") == part.measure.task
        assert len(task.dataset) >= 10


def test_every_dataset_is_named_by_task_version_and_seed():
    for part in PARTS["quick"](Settings(seed=7)):
        if part.measure.task != "formulas_in_fiction":  # the same twenty for every seed
            name = part.make().dataset.name
            assert name.startswith(f"{part.measure.task} {part.measure.version}, seed 7")


def table():
    rows = []
    for part in [part for suite in ("full", "index", "quick") for part in PARTS[suite](Settings())]:
        measure = part.measure
        suites = ", ".join(suite for suite in SUITES if measure.task in tasks_of(suite))
        told = measure.description.partition(". ")[0].partition(":")[0]
        apart = [name for name in measure.outcomes if name not in (*measure.counted, *FAILED)]
        row = f"| `{measure.task}` | {suites} | {told} | {', '.join(apart) or 'nothing else'} |\n"
        rows += [row] if row not in rows else []
    head = "| task | suites | headline | kept apart, besides failed requests |\n|---|---|---|---|\n"
    return head + "".join(rows)


def test_the_document_lists_every_task(request):
    text = DOCUMENT.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(BEGIN)[1].partition(END)[2]
    made = before + BEGIN + table() + END + after
    if request.config.getoption("--regen"):
        DOCUMENT.write_text(made, "utf-8")
        text = made
    assert text == made
