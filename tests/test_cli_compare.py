"""netweight compare as a user runs it: what it prints, writes and refuses."""

import json

import pytest
import typer
from typer.testing import CliRunner

from netweight.cli.compare import compare
from netweight.errors import WeighError
from tests.evals.test_pairs import BROKEN, PASSED, measure, said, saying, write_task

app = typer.Typer()
app.command()(compare)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two runs: a task in which 25 items differ, and one that is not evidence in the second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    evil = said(1, "right", answer="\x1b[2J\u202eright\nright")
    write_task(tmp_path / "a", [evil, *saying(["right"] * 40)[1:]])
    write_task(tmp_path / "b", saying(["wrong"] * 25 + ["right"] * 15), model="other")
    write_task(tmp_path / "a", saying(["right", "wrong"]), measure("bad"), checks=(PASSED,))
    write_task(
        tmp_path / "b", saying(["right"] * 2), measure("bad"), checks=(BROKEN,), model="other"
    )
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_it_prints_rates_differences_and_items_and_writes_a_page(folders):
    done = run("a", "b")
    assert done.exit_code == 0, done.output
    row = next(line.split() for line in done.output.splitlines() if line.startswith("riddles "))
    assert row[:4] == ["riddles", "100.0%", "37.5%", "+62.5"] and row[-2:] == ["A", "better"]
    assert "< 0.001" in done.output
    assert "A: nano, a" in done.output and "B: other, b" in done.output
    assert "Of 1 task compared, A is better in 1 and B in 0" in done.output
    assert "The page: out/compare.html" in done.output
    assert (folders / "out" / "compare.html").read_text("utf-8").startswith("<!doctype html>")


def test_what_is_not_evidence_is_said_and_not_compared(folders):
    output = run("a", "b").output
    assert "bad: not compared: the second run is not evidence: raw markers" in output
    row = next(line.split() for line in output.splitlines() if line.startswith("bad "))
    assert row == ["bad", "50.0%", "100.0%", "not", "compared"]


def test_the_first_twenty_items_that_differ_are_listed_or_all(folders):
    short, long = run("a", "b").output, run("a", "b", "--all-items").output
    assert "Items with different outcomes: 26" in short  # the one that is no evidence, too
    assert num_items(short) == 20 and "and 6 more" in short
    assert num_items(long) == 26 and "more:" not in long


def num_items(output):
    return sum(line.startswith("    A ") for line in output.splitlines())


def test_nothing_a_model_wrote_reaches_the_terminal_as_a_command(folders):
    output = run("a", "b").output
    assert "\x1b" not in output and "\u202e" not in output
    assert "A right: \u27e8U+001B\u27e9[2J\u27e8U+202E\u27e9right right" in output


def test_json_goes_to_standard_output_and_a_page_only_where_it_is_asked_for(folders):
    data = json.loads(run("a", "b", "--json").stdout)
    assert data["schema"] == "netweight-comparison/1" and data["margin"] == 0.05
    assert {task["task"]: task["verdict"] for task in data["tasks"]} == {
        "riddles": "first better",
        "bad": None,
    }
    assert not (folders / "out").exists()
    run("a", "b", "--json", "--out", "pages/one.html", "--margin", "10")
    assert "10 points to either side" in (folders / "pages" / "one.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("second", "message"),
    [("nowhere", "there is no folder nowhere"), ("empty", "empty has no records")],
)
def test_a_folder_without_a_run_is_named(folders, second, message):
    (folders / "empty").mkdir()
    done = run("a", second)
    assert isinstance(done.exception, WeighError) and message in str(done.exception)
    assert not (folders / "out").exists()


def test_runs_of_different_suites_are_refused(folders):
    write_task(folders / "c", saying(["right"]), suite="full")
    assert "with the suite quick, c with full" in str(run("a", "c").exception)
