"""Notebooks in a sandbox, skipped by name where bubblewrap cannot make one; looks for processes."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from netweight.harmony.calls import ToolCall
from netweight.tools import Python, sandbox
from netweight.tools.sandbox import Limits

GONE = "variables, imports and files are gone"


@pytest.fixture(scope="session")
def needs_sandbox(needs_bwrap):
    assert sandbox.unavailable_because() is None


@pytest.fixture(scope="module")
def tool(needs_sandbox):
    return Python(Limits(wall_s=60))


@pytest.fixture(scope="module")
def notebook(tool):
    """One for all tests of a module; whatever one does to it, the next finds a notebook."""
    with closing(tool.open()) as notebook:
        yield notebook


def run(notebook, code, **settings):
    """What the model is told of a cell."""
    call = ToolCall("python", "python", code, None, is_known=True, is_complete=True)
    return notebook.run(call, **settings)


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
