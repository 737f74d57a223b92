"""Worker processes: answers, errors, and deaths."""

import os
import sys

import pytest

from netweight.bench import (
    Process,
    TookTooLong,
    check_peer,
    process,
    start_ours,
    start_peer,
)
from netweight.bench.status import resident
from netweight.errors import BenchError
from tests.model.shapes import SMALL

ECHO = """
import json, sys
for line in sys.stdin:
    command = json.loads(line)
    if command["do"] == "die":
        sys.exit("I was asked to die")
    print(json.dumps(command), flush=True)
"""


@pytest.fixture
def echo():
    with Process([sys.executable, "-c", ECHO], num_threads=1) as worker:
        yield worker


def test_a_command_is_answered(echo):
    assert echo.ask("add", a=1, b=[2, 3]) == {"do": "add", "a": 1, "b": [2, 3]}


def test_an_error_is_raised_here(echo):
    with pytest.raises(BenchError, match="too long"):
        echo.ask("add", error="the context is too long")


def test_a_worker_that_dies_says_why(echo):
    with pytest.raises(BenchError, match="in die: I was asked to die"):
        echo.ask("die")
    with pytest.raises(BenchError):
        echo.ask("add")


def test_a_missing_peer_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv(process.PEER_PYTHON, "/no/such/python")
    with pytest.raises(BenchError, match="pip install llama-cpp-python"):
        check_peer()


def test_our_worker_runs_a_model(checkpoint_of):
    with start_ours(num_threads=1) as worker:
        loaded = worker.ask("load", path=str(checkpoint_of(SMALL)), threads=1, dense="bf16")
        assert loaded["name"].startswith("netweight ")
        assert worker.ask("prefill", tokens=[1, 2, 3])["seconds"] > 0
        steps = [[1, 2], [3, 4], [5, 6]]
        assert len(worker.ask("decode", context=20, steps=steps, seed=0)["seconds"]) == 3
        memory = worker.ask("memory")
        assert memory["peak"] >= memory["private"] > 0
        with pytest.raises(BenchError, match="not a checkpoint folder"):
            worker.ask("load", path="/", threads=1, dense="bf16")


def test_memory_is_read_from_the_kernels_own_count(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text(
        "Name:\tx: y\nVmHWM:\t  30 kB\nRssAnon:\t  10 kB\nRssFile:\t  8 kB\n"
    )
    assert resident(7, root=tmp_path) == (30 * 1024, 10 * 1024, 8 * 1024)
    assert resident(os.getpid()).private > 0


def test_a_worker_that_takes_too_long_is_ended():
    waits = "import sys, time\nfor line in sys.stdin:\n    time.sleep(60)"
    with (
        Process([sys.executable, "-c", waits], num_threads=1) as worker,
        pytest.raises(TookTooLong, match="think took longer than 0 s"),
    ):
        worker.ask("think", timeout_s=0.3)


def test_an_answer_in_time_is_an_answer(echo):
    assert echo.ask("add", timeout_s=30.0, a=1) == {"do": "add", "a": 1}


@pytest.mark.parametrize(("name", "hint"), [("transformers", "accelerate"), ("gpt-oss", "gpt-oss")])
def test_every_missing_peer_says_how_to_get_it(name, hint, monkeypatch):
    monkeypatch.setenv(process.PEER_PYTHON, "/no/such/python")
    with pytest.raises(BenchError, match=hint):
        check_peer(name)


def test_transformers_answer_as_our_worker_does(checkpoint_of):
    with start_peer("transformers", num_threads=1) as worker:
        told = worker.ask("load", path=str(checkpoint_of(SMALL)), device="cpu", context=40)
        assert told["name"].startswith("transformers ")
        assert worker.ask("prefill", tokens=[1, 2, 3])["seconds"] > 0
        steps = [[1, 2], [3, 4], [5, 6]]
        assert len(worker.ask("decode", context=20, steps=steps, seed=0)["seconds"]) == 3
        assert worker.ask("memory")["peak"] > 0
