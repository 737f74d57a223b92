"""Skips by name what needs a sandbox where bubblewrap cannot make one."""

import shutil
import subprocess

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
