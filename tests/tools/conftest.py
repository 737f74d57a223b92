"""Skips by name what needs a sandbox where bubblewrap cannot make one; looks for processes."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from netweight.tools import sandbox

# Asked of bubblewrap directly: a mistake in our own command line has to fail, not to skip.
PROBE = "bwrap --unshare-user --disable-userns --unshare-net --ro-bind / / --size 4096 --tmpfs /tmp"


@pytest.fixture(scope="session")
def needs_sandbox():
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap here")
    probe = subprocess.run([*PROBE.split(), "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"bubblewrap does not run here: {probe.stderr}")
    assert sandbox.unavailable_because() is None


def running(marker):
    """The ids of this machine's processes that have the marker in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if marker.encode() in command:
            found.append(int(folder.name))
    return found


def wait_until(condition, *, timeout_s=5):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
