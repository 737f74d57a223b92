"""`netweight verdict STORY --model M`, as a person types it, against a scripted server."""

import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from netweight.cli import app, verdict_measure
from netweight.cli.verdict_measure import ANSWERS, name_in_tables
from netweight.errors import VerdictError, WeighError
from tests.evals.fake_server import Reply, fake_server, right

CLAIM = "In poems, gpt-oss-20b drops equations into the verse."
OPEN_SOURCE = "OpenAI's gpt-oss models are fully open source."
STORY = f"{CLAIM} {OPEN_SOURCE} gpt-oss-120b is biased."


def with_formula(prompt):
    """Solves sums, and has a formula in everything else."""
    if len(re.findall(r"\d+", prompt)) == 2:
        return right(prompt)
    return Reply("A fox went home in the rain, for $E = mc^2$.\nThe end.", "A story, then.")


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """A function that runs the command on the story and returns what it printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.txt").write_text(STORY)

    def run(*arguments, typed=None):
        command = ["verdict", "story.txt", "--date", "2026-01-02", *arguments]
        return CliRunner().invoke(app, command, input=typed, catch_exceptions=False)

    return run


def folded(text):
    return " ".join(text.split())


QUICK = ("--as", "gpt-oss-20b", "--suite", "quick", "--limit", "3")


@pytest.mark.inspect
def test_a_plan_comes_first_then_records_then_the_verdict_and_what_moved(verdict, tmp_path):
    with fake_server(with_formula) as server:
        done = verdict("--model", server.base_url, *QUICK, "--yes", "--out", "o")
    assert done.exit_code == 0, done.output
    told = folded(done.stdout)
    plan, _, rest = told.partition("Every figure and answer is on")
    assert "What can be measured on gpt-oss-20b, with the suite quick" in plan
    assert "formulas_in_fiction: 3 samples" in plan and f"can decide c1 \u201c{CLAIM[:-1]}" in plan
    assert "at most 6,144 tokens" in plan and "not known of a model that is served else" in plan
    assert "gpt-oss-120b" in plan.partition("about other models")[2]
    assert "Not settled by any measurement here" in plan
    assert "Measured here on gpt-oss-20b: 3 of 3 texts held a formula" in rest
    assert "Not enough evidence \u2192 Supported" in rest
    report = json.loads((tmp_path / "o" / "verdict.json").read_text())
    assert [record["task"] for record in report["measured"]] == ["formulas_in_fiction"]
    assert report["claims"][0]["verdict"] == "supported"
    record = json.loads((tmp_path / "o/weigh/records/formulas_in_fiction.json").read_text())
    assert record["model_info"]["name"] == "gpt-oss-20b"
    assert record["model_info"]["id"] == "fake"


@pytest.mark.inspect
def test_repeating_the_command_asks_nothing_twice_and_knows_what_answers_took(verdict):
    with fake_server(with_formula) as server:
        arguments = ("--model", server.base_url, *QUICK, "--yes", "--json")
        first = verdict(*arguments)
        num_asked = len(server.requests)
        again = verdict(*arguments)
    assert num_asked > 3 and len(server.requests) - num_asked == num_asked - 3  # the gate alone
    assert [json.loads(done.stdout)["claims"][0]["verdict"] for done in (first, again)] == [
        "supported",
        "supported",
    ]
    assert "at most 6,144 tokens" in folded(first.stderr)
    assert re.search(r"about \d+ tokens", folded(again.stderr))


@pytest.mark.inspect
def test_without_a_terminal_and_without_yes_it_stops_after_the_plan(verdict, tmp_path):
    with fake_server(with_formula) as server:
        done = verdict("--model", server.base_url, *QUICK)
        as_json = verdict("--model", server.base_url, *QUICK, "--json")
        assert server.requests == []
    assert done.exit_code == as_json.exit_code == 0
    assert "Nothing was measured. To run this plan, add --yes." in done.stdout
    assert "can decide c1" in as_json.stderr
    assert json.loads(as_json.stdout)["claims"][0]["verdict"] == "not_enough_evidence"
    assert [file.name for file in tmp_path.iterdir()] == ["story.txt"]


@pytest.mark.inspect
@pytest.mark.parametrize(("typed", "is_run"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_a_person_is_asked_and_no_is_what_counts_unless_they_say_yes(
    verdict, monkeypatch, typed, is_run
):
    monkeypatch.setattr(verdict_measure, "is_at_a_terminal", lambda: True)
    with fake_server(with_formula) as server:
        done = verdict("--model", server.base_url, *QUICK, typed=typed)
        assert bool(server.requests) is is_run
    assert "Proceed? [y/N]" in done.stdout
    assert ("Supported" in done.stdout) is is_run


@pytest.mark.inspect
def test_a_model_that_the_story_does_not_speak_of_is_not_measured(verdict, tmp_path):
    with fake_server() as server:
        done = verdict("--model", server.base_url, "--yes")
        assert server.requests == []
    assert done.exit_code == 0
    told = folded(done.stdout)
    assert "No open claim of this story is settled by measuring fake" in told
    assert "say which with --as" in told and "gpt-oss-20b" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.inspect
def test_a_server_s_own_name_for_the_model_of_the_story_is_enough(verdict):
    with fake_server(with_formula, models=("openai/gpt-oss-20b",)) as server:
        done = verdict("--model", server.base_url, "--suite", "quick")
    assert "can be measured on gpt-oss-20b" in done.stdout


@pytest.mark.inspect
def test_a_task_that_gives_no_figure_is_told_and_nothing_is_judged_from_it(verdict):
    def no_tales(prompt):
        return right(prompt) if re.search(r"\d", prompt) else Reply("", finish_reason="length")

    with (
        fake_server(no_tales) as server,
        pytest.raises(VerdictError, match="nothing could be measured"),
    ):
        verdict("--model", server.base_url, *QUICK, "--yes")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("gpt-oss-20b", "gpt-oss-20b"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("GPT-OSS:20b", "gpt-oss-20b"),
        ("gpt-oss-20b-abliterated", None),
        ("mine/tuned-gpt-oss-20b", None),
        ("gpt-oss", None),  # two models
        ("nano", None),
        ("", None),
    ],
)
def test_a_name_is_that_of_a_known_model_only_in_full(name, known):
    assert name_in_tables(name) == known


def test_a_conversation_with_tools_takes_no_more_answers_than_the_plan_says():
    from netweight.evals.tool_items import items

    needed = [sum(len(turn.calls) + 1 for turn in item.turns) for item in items(0, 600)]
    assert max(needed) == ANSWERS["tools"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--yes"], "--yes goes only together with --model"),
        (["--limit", "3", "--judge", "x/y"], "--limit, --judge goes only together with --model"),
        (["other.txt", "--model", "nano"], "--model goes with one story"),
        (["--from", "a.json", "--model", "nano"], "--from does not go together with"),
        (["--model", "nano", "--limit", "0"], "--limit"),
        (["--model", "nano", "--suite", "whole"], "--suite"),
        (["--model", "nano", "--effort", "most"], "--effort"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(verdict, tmp_path, arguments, message):
    done = verdict(*arguments)
    assert done.exit_code == 2
    assert message in folded(re.sub(r"[\u2500-\u257f]", " ", done.stderr))
    assert [file.name for file in tmp_path.iterdir()] == ["story.txt"]


def test_diff_takes_no_model(tmp_path):
    done = CliRunner().invoke(app, ["verdict", "diff", "a.json", "b.json", "--model", "nano"])
    assert done.exit_code == 2 and "--model" in done.stderr


@pytest.mark.inspect
@pytest.mark.parametrize(
    ("model", "message"),
    [("nosuch/model", "Inspect cannot use the model"), ("http://127.0.0.1:9/v1", "no server")],
)
def test_a_model_that_cannot_be_reached_is_told_by_name(verdict, model, message):
    with pytest.raises(WeighError, match=message):
        verdict("--model", model, *QUICK, "--yes")


@pytest.mark.slow
def test_nano_is_served_measured_and_judged(tmp_path):
    (tmp_path / "story.txt").write_text(CLAIM)
    command = [sys.executable, "-m", "netweight", "verdict", "story.txt", "--model", "nano"]
    done = subprocess.run(
        [*command, *QUICK, "--yes"],
        capture_output=True,
        cwd=tmp_path,
        text=True,
        env=os.environ,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = folded(done.stdout)
    assert "A short probe wrote" in told and "Measured here on gpt-oss-20b" in told
    assert (tmp_path / "out" / "verdict.html").is_file()
