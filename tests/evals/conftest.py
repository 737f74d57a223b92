"""What tests of evaluations share: the bubblewrap that some need, skipped by name without."""

import shutil
import subprocess

import pytest

# Asked of bubblewrap directly: a mistake in our own command line has to fail, not to skip.
PROBE = "bwrap --unshare-user --disable-userns --unshare-net --ro-bind / / --proc /proc true"


@pytest.fixture(scope="session")
def needs_bwrap():
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap here")
    probe = subprocess.run(PROBE.split(), capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"bubblewrap does not run here: {probe.stderr}")
