"""Fixtures every room's tests share."""

import gc
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Triton reads this where a kernel is decorated: before any of ours is imported.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# One thread: tests are small, and spinning worker threads slow a busy machine down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]


def use_native(path):
    """Test the native kernels of another build (make check-native)."""
    spec = importlib.util.spec_from_file_location("netweight._native", path)
    sys.modules["netweight._native"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if "NETWEIGHT_TEST_NATIVE" in os.environ:
    use_native(os.environ["NETWEIGHT_TEST_NATIVE"])

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run tests marked slow")
    parser.addoption("--regen", action="store_true", help="rewrite golden files")


# Asked of bubblewrap directly: a mistake in a command line of ours has to fail, not to skip.
PROBE = (
    "bwrap --unshare-user --disable-userns --unshare-net --ro-bind / / --proc /proc --size 4096 "
    "--tmpfs /tmp true"
)


@pytest.fixture(scope="session")
def needs_bwrap():
    """Skips by name where bubblewrap cannot make a sandbox."""
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap here")
    probe = subprocess.run(PROBE.split(), capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"bubblewrap does not run here: {probe.stderr}")


@pytest.fixture(autouse=True)
def warnings_are_logged():
    """Inspect, once it has run in this process, lets the root logger take errors only."""
    logging.getLogger().setLevel(logging.WARNING)


# Inspect 0.3.285 raises these in its own code on every run, and tests turn warnings into errors.
INSPECT_WARNINGS = (
    "ignore:The 'initial' parameter is deprecated:DeprecationWarning",  # its use of tenacity
    "ignore:Unclosed <MemoryObject:ResourceWarning",  # its anyio streams, left to the collector
)


@pytest.fixture(autouse=True)
def collected(request):
    """Collect what Inspect left behind while its warnings are still let pass."""
    yield
    if "inspect" in request.keywords:
        gc.collect()


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "inspect" in item.keywords:
            for warning in INSPECT_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of public data files; tests that need it skip by name where it is missing."""
    folder = Path(os.environ.get("NETWEIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set NETWEIGHT_DATA to a folder that has it")
    return folder
