"""A run that is killed, over and over, is in the end the run that nobody killed."""

import signal
import subprocess
import sys
import time
from random import Random

import pytest

from tests.evals.fake_server import Reply, fake_server, right
from tests.evals.test_run import figures

pytestmark = pytest.mark.inspect

NUM_KILLS = 20


def slowly(prompt):
    reply = right(prompt)
    return Reply(reply.text, reply.reasoning, delay_s=0.4)


def weighing(base_url, out):
    """The same command everywhere, since records repeat it."""
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "netweight", "weigh", base_url, "--out", "."]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=out, **quiet)


def has_begun(out, process):
    """Wait until something was measured, or all of it."""
    while not list(out.glob("logs/*sums*.eval")) and process.poll() is None:
        time.sleep(0.05)
    return process.poll() is None


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_and_goes_on_is_the_run_that_nobody_killed(tmp_path):
    random, num_killed = Random(1), 0
    with fake_server(slowly) as server:
        whole = weighing(server.base_url, tmp_path / "whole")
        assert whole.wait() == 0
        num_whole, before = len(server.requests), len(server.requests)
        while num_killed < NUM_KILLS:
            process = weighing(server.base_url, tmp_path / "killed")
            if not has_begun(tmp_path / "killed", process):
                break
            time.sleep(random.uniform(0, 6))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                num_killed += 1
            process.wait()
        assert weighing(server.base_url, tmp_path / "killed").wait() == 0
        num_asked = len(server.requests) - before
    assert num_killed == NUM_KILLS
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")
    # Probes of every start, and at most both connections' samples under way, are asked again.
    assert num_asked <= num_whole + (12 + 2) * NUM_KILLS
