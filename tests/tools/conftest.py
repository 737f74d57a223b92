"""Skips by name what needs a sandbox where there is none."""

import pytest

from netweight.tools import sandbox


@pytest.fixture(scope="session")
def needs_sandbox():
    reason = sandbox.unavailable_because()
    if reason is not None:
        pytest.skip(reason)
