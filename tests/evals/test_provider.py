"""`netweight/MODEL` in Inspect: a server of its own, or one that runs already."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from inspect_ai.log import read_eval_log

from netweight import nano
from netweight.errors import WeighError
from netweight.evals.served import Server
from tests.evals.fake_server import fake_server, right

pytestmark = pytest.mark.inspect

INSPECT = Path(sys.executable).with_name("inspect")


def inspect_eval(folder, *options):
    """The log of three sums, by Inspect's own command."""
    command = [INSPECT, "eval", "netweight/sums", "--limit=3", "--display=none", *options]
    subprocess.run([*command, f"--log-dir={folder}"], check=True, timeout=120)
    (path,) = folder.glob("*.eval")
    return read_eval_log(str(path))


def servers():
    """Processes that serve nano on any port."""
    return {
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[-3:] == ["nano", "--port", "0"]
    }


def test_an_inspect_task_runs_on_a_server_that_the_provider_starts_and_ends(tmp_path):
    before = servers()
    log = inspect_eval(tmp_path, "--model=netweight/nano", "--temperature=0", "--max-tokens=200")
    assert log.status == "success"
    assert [sample.scores["integer"].metadata["outcome"] for sample in log.samples] == ["right"] * 3
    parts = log.samples[0].output.message.content
    assert [part.type for part in parts] == ["reasoning", "text"]
    assert not servers() - before


def test_an_adapter_answers_where_one_is_named(tmp_path):
    adapter = f"adapter=control={nano.INSTRUMENTS / 'control'}"
    log = inspect_eval(tmp_path, "--model=netweight/nano", "-M", adapter, "-M", "threads=1")
    assert log.status == "success"
    assert {sample.output.model for sample in log.samples} == {"control"}


def test_a_server_that_runs_already_is_used(tmp_path):
    with fake_server(right) as server:
        log = inspect_eval(
            tmp_path, "--model=netweight/fake", f"--model-base-url={server.base_url}"
        )
    assert log.status == "success"
    assert {request["model"] for request in server.requests} == {"fake"}


def test_a_server_is_there_until_it_is_closed():
    before = servers()
    server = Server("nano")
    assert server.base_url.startswith("http://127.0.0.1:")
    assert len(servers() - before) == 1
    server.close()
    assert not servers() - before


def test_a_model_that_cannot_be_served_is_said_so():
    with pytest.raises(WeighError, match=r"no server started: .*nowhere"):
        Server("nowhere/at/all")
