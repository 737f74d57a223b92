"""Worker processes: answers, errors, and deaths."""

import os
import sys

import pytest

from netweight.bench import Process, check_peer, process, start_ours
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
