"""The command line as a newcomer meets it: help, small commands, and mistakes."""

import json
import subprocess
import sys

import pytest

from tests.model.shapes import SMALL

COMMANDS = ["models", "generate", "chat", "serve", "synth", "bench", "plan", "weigh"]
COMMANDS += ["compare", "verdict"]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "netweight", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "", "COLUMNS": "80", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
    )


def test_help_lists_every_command():
    done = run("--help")
    assert done.returncode == 0
    assert all(f" {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert (
        "Usage: netweight" in done.stdout or f"Usage: python -m netweight {command}" in done.stdout
    )


def test_models_tells_sizes_as_json():
    rows = {row["name"]: row for row in json.loads(run("models", "--json").stdout)}
    assert rows["gpt-oss-20b"]["parameters"] == 20_914_757_184
    assert rows["nano"]["path"]
    assert rows["gpt-oss-120b"]["memory_bytes"] > rows["gpt-oss-120b"]["checkpoint_bytes"]


def test_models_fits_a_terminal():
    assert "gpt-oss-120b" in run("models").stdout


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SMALL.to_json("original")))
    return path


def test_synth_writes_a_checkpoint(config_file, tmp_path):
    done = run("synth", config_file, tmp_path / "made", "--format", "original", "--seed", "3")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["synth", "30b", "new"], "neither 20b, 120b nor nano, nor a"),
        (["synth", "nano", "/"], "exists already"),
        (["synth", "nano", "new", "--tokenizer", "missing"], "not a file"),
        (["generate", "gpt-7", "hello"], "neither a known model"),
        (["verdict", "missing.txt"], "missing.txt"),
        (["serve", "/"], "config.json"),
        (["generate", "nano", "hi", "--adapter", "terse"], "write NAME=PATH"),
        (["chat", "nano", "--adapter", "a=missing"], "missing has no adapter_config.json"),
        (["serve", "nano", "--adapter", "a=x", "--adapter", "a=y"], "two adapters are called 'a'"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_an_unknown_command_or_flag_is_a_usage_error():
    assert run("fly").returncode == 2
    assert run("models", "--fly").returncode == 2
