"""netweight compare as a user runs it: what it prints, writes and refuses."""

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from netweight.cli.compare import compare
from netweight.errors import WeighError
from netweight.evals import capability
from netweight.evals.pairs import compare_runs, read_run
from netweight.evals.scorecard_further import compared_rows
from tests.evals.test_paired_figures import answers, further
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


def test_a_narrow_terminal_leaves_room_for_names_and_says_what_it_leaves_out(folders, monkeypatch):
    wide = run("a", "b").output
    assert "FINDS" in wide and "need 100 columns" not in " ".join(wide.split())
    monkeypatch.setenv("COLUMNS", "80")
    narrow = run("a", "b").output
    assert "FINDS" not in narrow and "need 100 columns" in " ".join(narrow.split())
    row = next(line.split() for line in narrow.splitlines() if line.startswith("riddles "))
    assert row[:4] == ["riddles", "100.0%", "37.5%", "+62.5"] and row[-2:] == ["A", "better"]


def test_runs_of_different_suites_are_refused(folders):
    write_task(folders / "c", saying(["right"]), suite="full")
    assert "with the suite quick, c with full" in str(run("a", "c").exception)


@pytest.fixture
def sums_apart(tmp_path, monkeypatch):
    """Two runs of `capability` that differ in arithmetic alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name, wrong in (("a", ()), ("b", range(0, 60, 3))):
        run = {"further": further, "dataset": "capability"}
        write_task(tmp_path / name, answers(120, wrong=wrong), capability.MEASURE, **run)
    return tmp_path


def test_terminal_page_and_json_have_the_same_figures(sums_apart):
    output, data = run("a", "b").output, json.loads(run("a", "b", "--json").stdout)
    page = " ".join((sums_apart / "out" / "compare.html").read_text("utf-8").split())
    compared = compare_runs(read_run(sums_apart / "a"), read_run(sums_apart / "b")).tasks[0]
    rows = [line.strip() for line in output.splitlines() if line.startswith("  ")]
    for row, told in zip(compared_rows(compared), data["tasks"][0]["further"], strict=True):
        line = next(line for line in rows if re.match(rf"{row.name}(,|  )", line))
        assert row.difference.partition(" ")[0] in line and row.interval in line
        assert row.p_value in line and line.endswith(row.verdict)
        assert row.difference_text in page and row.description in page
        assert told["metric"] == row.metric
        assert told["verdict"].replace("first", "A") == row.verdict
    assert "Not paired, since it is no mean over samples" in output
    assert "tokens_per_hit of capability." in output


def test_further_figures_stand_under_their_headline_and_say_how_they_are_corrected(sums_apart):
    output = run("a", "b").output
    rows = output.splitlines()
    headline = next(index for index, row in enumerate(rows) if row.startswith("capability "))
    assert rows[headline + 1].startswith("  accuracy arithmetic ")
    assert "Benjamini and Hochberg's over 7" in " ".join(output.split())
    assert "Of 7 figures beside the headlines, A is better in 2" in " ".join(output.split())


def test_the_plot_has_each_interval_between_its_ends(sums_apart):
    line = next(
        row
        for row in run("a", "b").output.splitlines()
        if row.startswith("capability  ") and "\u2524" in row
    )
    cells = line[len("capability  ") :]
    low, dot, high = (cells.index(mark) for mark in "\u251c\u25cf\u2524")
    assert 25 < low < dot < high == 50  # right of nought, and as far as the plot goes
    assert cells[25] == "\u2502" and set(cells[20:25]) <= {" ", "\u00b7"}
