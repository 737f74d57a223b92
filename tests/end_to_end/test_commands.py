"""The commands that talk to a model, as a person runs them."""

import io
import json
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from netweight import cli
from netweight.model import Checkpoint, find_model
from tests.model.adapters import write_adapter


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command in this process: its exit code, standard output and standard error."""

    def command(*arguments, stdin=""):
        monkeypatch.setattr("sys.argv", ["netweight", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return command


def test_generate_answers_and_its_json_says_how(run, tiny_folder):
    arguments = ("generate", tiny_folder, "hi", "--max-tokens", 8, "--seed", 4, "--json")
    code, out, _ = run(*arguments)
    record = json.loads(out)
    assert code == 0
    assert record["model"] == "tiny"
    assert record["seed"] == 4
    assert 0 < record["completion_tokens"] <= 8
    assert record["finish_reason"] in ("stop", "length", "tool_calls")


def test_generate_and_chat_speak_with_an_adapter(run, tmp_path):
    config = Checkpoint.open(find_model("nano").path).config
    folders = [write_adapter(tmp_path / name, config, seed=ord(name)) for name in "ab"]
    ask = ("generate", "nano", "hi", "--max-tokens", 30, "--seed", 4, "--json", "--adapter")
    plain, with_a, with_b = (
        json.loads(run(*arguments)[1])
        for arguments in (ask[:-1], (*ask, f"a={folders[0]}"), (*ask, f"b={folders[1]}"))
    )
    assert (plain["model"], with_a["model"], with_b["model"]) == ("nano", "a", "b")
    said = {f"{answer['reasoning']} {answer['content']}" for answer in (plain, with_a, with_b)}
    assert len(said) == 3
    limits = ("--max-tokens", 30, "--seed", 4)
    _, out, _ = run("chat", "nano", *limits, "--adapter", f"a={folders[0]}", stdin="hi\n/quit\n")
    said = f"{with_a['reasoning'] or ''}{with_a['content'] or ''}"
    assert "".join(said.split()) in "".join(out.split())


def test_generate_keeps_standard_output_for_the_answer(run, tiny_folder):
    code, out, err = run("generate", tiny_folder, "-", "--max-tokens", 8, stdin="hi\n")
    assert code == 0
    assert "tokens/s" in err
    assert "tokens/s" not in out


def test_chat_works_in_a_pipe(run, tiny_folder):
    lines = "hi\n/effort low\n/quit\n"
    code, out, _ = run("chat", tiny_folder, "--max-tokens", 4, stdin=lines)
    assert code == 0
    assert "Effort is low." in out
    assert out.count("tokens/s") == 1


@pytest.mark.parametrize(
    "arguments", [("generate", "TINY", "hi"), ("chat", "TINY"), ("serve", "TINY")]
)
def test_python_without_a_sandbox_is_refused_with_the_remedy(
    run, tiny_folder, tmp_path, monkeypatch, arguments
):
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = [{"TINY": tiny_folder}.get(argument, argument) for argument in arguments]
    code, out, err = run(*arguments, "--python")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"netweight: [^\n]*install bubblewrap[^\n]*\n", err), err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "no-such-model", "hi"], "neither a known model"),
        (["generate", "TINY", " "], "prompt is empty"),
        (["generate", "TINY", "x" * 9000], "Shorten the prompt"),
        (["generate", "TINY", "hi", "--seed", str(2**64)], "seed is"),
        (["generate", "EMPTY", "hi"], "config.json"),
        (["chat", "EMPTY"], "config.json"),
        (["serve", "EMPTY", "--port", "0"], "config.json"),
        (["serve", "TINY", "--host", "203.0.113.7"], "not an address of this machine"),
        (["serve", "TINY", "--port", "TAKEN"], "is in use"),
        (["generate", "TINY", "hi", "--browser", "EMPTY"], "has no pages"),
        (["chat", "TINY", "--browser", "no-such-folder"], "no-such-folder is no folder"),
        (["serve", "TINY", "--browser", "EMPTY"], "has no pages"),
    ],
)
def test_what_goes_wrong_is_one_line_and_exit_code_1(
    run, tiny_folder, tmp_path, arguments, message
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        names = {"TINY": tiny_folder, "EMPTY": tmp_path, "TAKEN": taken.getsockname()[1]}
        code, out, err = run(*(names.get(argument, argument) for argument in arguments))
    assert code == 1
    assert re.fullmatch(r"netweight: [^\n]*\n", err), err
    assert message in err
    assert out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate"],
        ["generate", "nano"],
        ["generate", "nano", "hi", "--temperature", "-1"],
        ["generate", "nano", "hi", "--effort", "extreme"],
        ["serve", "nano", "--port", "70000"],
        ["chat", "nano", "--max-tokens", "none"],
    ],
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


def test_serve_prints_its_url_and_stops_in_order(tiny_folder):
    arguments = ["serve", tiny_folder, "--port", "0", "--name", "mine"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "netweight", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            assert client.get(f"{url}/models").json()["data"][0]["id"] == "mine"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "GET /v1/models" in errors
    assert "Traceback" not in errors
