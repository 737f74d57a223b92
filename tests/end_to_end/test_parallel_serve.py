"""`netweight serve --tensor-parallel` as a process: it answers and ends as one rank does."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest

from netweight import cli
from netweight.model import find_model
from netweight.server import ChatModel
from netweight.server import serving as serving_here

BODY = {
    "model": "nano",
    "messages": [{"role": "user", "content": "What is 27 + 15?"}],
    "temperature": 0,
    "max_tokens": 90,
}
START_S = 60  # on a busy machine; importing torch takes some seconds


@contextmanager
def serving(model, *arguments):
    """A server on two ranks, and a client of it."""
    command = [sys.executable, "-W", "error", "-m", "netweight", "serve", str(model), "--port", "0"]
    with subprocess.Popen(
        [*command, "--tensor-parallel", "2", *map(str, arguments)],
        stdout=PIPE,
        stderr=PIPE,
        text=True,
    ) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            transport = httpx.HTTPTransport(retries=5)
            with httpx.Client(base_url=url, transport=transport, timeout=START_S) as client:
                yield process, client
        finally:
            process.kill()


def told(process):
    """What it wrote until its end, and how it ended."""
    # Not communicate(), which would leave out what readline() has already buffered.
    output, errors = process.stdout.read(), process.stderr.read()
    return process.wait(START_S), output, errors


def ranks_of(process):
    """Process ids of its ranks by number."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    ranks = {}
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        ranks.update({int(entry[5:]): pid for entry in environment if entry.startswith(b"RANK=")})
    return ranks


def wait_until_gone(pids):
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a rank lives on"
        time.sleep(0.05)


@pytest.mark.slow
def test_two_ranks_answer_as_one_does_and_end_with_ctrl_c(monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    with serving_here(ChatModel.load(find_model("nano"))) as url:
        alone = httpx.post(f"{url}/chat/completions", json=BODY, timeout=START_S).json()
    with serving("nano") as (process, client):
        ours = client.post("chat/completions", json=BODY).json()
        ranks = ranks_of(process)
        assert sorted(ranks) == [0, 1]
        process.send_signal(signal.SIGINT)
        code, output, errors = told(process)
    assert ours["choices"] == alone["choices"]
    assert "42" in ours["choices"][0]["message"]["content"]
    assert ours["usage"] == alone["usage"]
    assert code == 0
    assert "Or in a browser: http://" in output
    assert re.fullmatch(r"\S+ \S+ INFO 127\.0\.0\.1 POST /v1/chat/completions 200 .*\n", errors)
    wait_until_gone(ranks.values())


@pytest.mark.slow
def test_an_answer_under_way_ends_before_the_ranks_do(tiny_folder):
    with serving(tiny_folder, "--grace", 40) as (process, client):
        body = {"model": "tiny", "prompt": "a", "stream": True, "max_tokens": 60}
        with client.stream("POST", "completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            ranks = ranks_of(process)
            process.send_signal(signal.SIGTERM)
            text = "\n".join(lines)
        code, _, errors = told(process)
    assert text.rstrip().endswith("data: [DONE]")
    assert re.search(r'"finish_reason": "(length|stop)"', text)
    assert code == -signal.SIGTERM
    assert "Traceback" not in errors
    wait_until_gone(ranks.values())


@pytest.mark.slow
def test_the_death_of_a_rank_ends_the_server_and_says_so(tiny_folder):
    with serving(tiny_folder) as (process, client):
        body = {"model": "tiny", "prompt": "a", "stream": True, "max_tokens": 9000}
        with client.stream("POST", "completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            ranks = ranks_of(process)
            os.kill(ranks[1], signal.SIGKILL)
            start = time.monotonic()
            text = "\n".join(lines)
        code, _, errors = told(process)
    assert time.monotonic() - start < 10
    assert "a rank has gone" in text or "some ranks only" in text, text
    assert code == 1
    assert re.search(r"^netweight: rank 1 was killed \(SIGKILL\)", errors, re.M)
    assert "torch.distributed.elastic" not in errors
    wait_until_gone(ranks.values())


@pytest.mark.slow
def test_ranks_do_not_outlive_the_command(tiny_folder):
    with serving(tiny_folder) as (process, _):
        ranks = ranks_of(process)
        assert len(ranks) == 2
        process.kill()
        wait_until_gone(ranks.values())


@pytest.mark.slow
def test_ctrl_c_before_anything_is_served_is_quiet(tiny_folder):
    command = [sys.executable, "-m", "netweight", "serve", str(tiny_folder), "--port", "0"]
    with subprocess.Popen(
        [*command, "--tensor-parallel", "2"], stdout=PIPE, stderr=PIPE, text=True
    ) as process:
        deadline = time.monotonic() + START_S
        while len(ranks := ranks_of(process)) < 2:
            assert time.monotonic() < deadline, "no ranks are started"
        process.send_signal(signal.SIGINT)
        assert told(process) == (130, "", "")
    wait_until_gone(ranks.values())


@pytest.mark.slow
def test_what_rank_0_refuses_is_one_line(tiny_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "netweight",
            "serve",
            str(tiny_folder),
            "--port",
            str(port),
        ]
        done = subprocess.run(
            [*command, "--tensor-parallel", "2"], capture_output=True, text=True, timeout=START_S
        )
    assert done.returncode == 1
    assert re.fullmatch(rf"netweight: port {port} [^\n]* is in use[^\n]*\n", done.stderr)
    assert done.stdout == ""


@pytest.fixture
def refused(monkeypatch, capsys):
    """Runs the command in this process: its exit code and what it writes."""

    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["netweight", "serve", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert printed.out == ""
        return ended.value.code, printed.err

    return command


@pytest.mark.parametrize("number", [0, 9, "two"])
def test_a_number_that_no_model_has_is_wrong_usage(refused, number):
    code, errors = refused("nano", "--tensor-parallel", number)
    assert code == 2
    assert "--tensor-parallel" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "3 ranks cannot share this model: its 2 key heads and 8 experts.* Take 2[.]"),
        ((2, "--replicas", 2), "--replicas .* --tensor-parallel .* Leave one of them out"),
        ((2, "--adapter", "a=b"), "--adapter does not go together with --tensor-parallel"),
        ((2, "--dense", "int8"), "--dense int8 needs the native kernels"),
        ((2, "--device", "cuda:1"), "--device is cuda:1, .* GPUs 0 to N - 1"),
    ],
)
def test_what_ranks_do_not_do_is_one_line_with_the_remedy(refused, arguments, message):
    code, errors = refused("nano", "--tensor-parallel", *arguments)
    assert code == 1
    assert re.fullmatch(rf"netweight: [^\n]*{message}[^\n]*\n", errors), errors


def test_ranks_that_torchrun_has_started_in_another_number_are_refused(refused, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    code, errors = refused("nano", "--tensor-parallel", 2)
    assert code == 1
    assert "torchrun has started 4 ranks, and --tensor-parallel is 2" in errors
