"""`netweight weigh` as a person types it, against a scripted server and against our own."""

import json
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from netweight.cli import app
from netweight.engine import Engine
from netweight.errors import UnknownModel, WeighError
from netweight.server import ChatModel, serving
from tests.evals.fake_server import Reply, fake_server, right
from tests.fakes import BYTE_VOCABULARY_SIZE, byte_vocabulary, scripted, spell

pytestmark = pytest.mark.inspect

ANSWER = "It is 100 in all."


@pytest.fixture
def weigh(tmp_path):
    """A function that runs the command with a fresh --out and returns what it printed."""

    def run(*arguments):
        options = ["--limit", "3", "--out", str(tmp_path / "run")]
        options += ["--task", "sums", "--task", "formulas_in_fiction"]
        return CliRunner().invoke(
            app, ["weigh", *arguments, *options], catch_exceptions=False, terminal_width=100
        )

    return run


def test_the_scorecard_shows_rates_intervals_counts_and_where_the_logs_are(weigh, tmp_path):
    with fake_server() as server:
        result = weigh(server.base_url)
    assert result.exit_code == 0
    shown = result.stdout
    assert re.search(r"sums +accuracy +100.0% +29.2 to 100.0% +3 +3 right", shown)
    assert re.search(r"formulas_in_fiction +formula_rate +0.0% +0.0 to 70.8% +3 +3 plain", shown)
    assert str(tmp_path / "run" / "logs") in shown.replace("\n", "")
    assert str(tmp_path / "run" / "scorecard.html") in shown.replace("\n", "")
    assert (tmp_path / "run" / "scorecard.html").read_text("utf-8").count("<details") > 2
    assert "not evidence" not in shown


def test_a_figure_that_is_not_evidence_says_why(weigh):
    def leaking(prompt):
        return Reply("<|channel|>final<|message|>" + right(prompt).text)

    with fake_server(leaking) as server:
        result = weigh(server.base_url)
    assert "sums is not evidence: raw markers stand in 7 of 7" in " ".join(result.stdout.split())


def test_a_task_without_a_figure_is_told_apart_and_fails_the_command(weigh):
    def no_tales(prompt):
        return right(prompt) if re.search(r"\d", prompt) else Reply("", finish_reason="length")

    with fake_server(no_tales) as server:
        result = weigh(server.base_url)
    assert result.exit_code == 1
    assert "3 right" in result.stdout
    told = " ".join(result.stderr.split())
    assert "formulas_in_fiction has no figure: no answer counts: 3 truncated; see the log" in told


def test_json_is_the_records_and_nothing_else(weigh, tmp_path):
    with fake_server() as server:
        records = json.loads(weigh(server.base_url, "--json").stdout)
    on_disk = [json.loads(path.read_text()) for path in (tmp_path / "run" / "records").iterdir()]
    assert sorted(records, key=str) == sorted(on_disk, key=str)


@pytest.mark.parametrize("model", ["zzz", "./no/such/folder", "~/no-such-folder"])
def test_what_looks_like_a_model_or_folder_is_looked_for_as_one(weigh, model):
    with pytest.raises(UnknownModel, match="nor a folder"):
        weigh(model)


def test_a_provider_and_a_name_are_inspects(weigh):
    with pytest.raises(WeighError, match="Inspect cannot use the model nosuch/model"):
        weigh("nosuch/model")


@pytest.mark.parametrize(
    ("spoken", "usable"),
    [
        ("<|channel|>analysis<|message|>I add.<|end|><|start|>assistant", True),
        ("", False),  # no reasoning at all, from a model that always reasons
    ],
)
def test_our_own_servers_answers_are_read_from_the_final_channel(weigh, tmp_path, spoken, usable):
    said = spell(f"{spoken}<|channel|>final<|message|>{ANSWER}<|return|>")
    model = scripted(said, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    chat_model = ChatModel(
        "scripted", byte_vocabulary(), Engine(model), today=lambda: date(2026, 1, 31)
    )
    from netweight.evals import Settings, Subject
    from netweight.evals import weigh as weigh_subject

    with serving(chat_model) as base_url:
        subject = Subject("scripted", "scripted", base_url, reasons=True, max_context=4096)
        settings = Settings(limit=2)
        weighing = weigh_subject(subject, "quick", tmp_path, settings, only=["sums"], command="c")
    facts = weighing.records[0]["evaluation_results"][0]["netweight"]
    (apart,) = (check for check in facts["checks"] if check["name"] == "reasoning apart")
    assert apart["passed"] is usable
    assert facts["outcomes"]["wrong"] == 2


def test_ctrl_c_ends_the_run_at_once_and_says_where_the_logs_are(tmp_path):
    asked = Event()

    def never_ending(prompt):
        asked.set()
        return Reply(delay_s=1)

    command = Path(sys.executable).with_name("netweight")
    with fake_server(never_ending) as server:
        run = subprocess.Popen(
            [command, "weigh", server.base_url, "--out", tmp_path],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked.wait(60)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
    assert run.returncode == 128 + signal.SIGINT
    assert said.strip() == f"stopped; to go on: netweight weigh {server.base_url} --out {tmp_path}"
