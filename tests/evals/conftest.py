"""What tests that run Inspect share."""

import gc

import pytest

# Inspect 0.3.285 raises these in its own code on every run, and tests turn warnings into errors.
INSPECT_WARNINGS = (
    "ignore:The 'initial' parameter is deprecated:DeprecationWarning",  # its use of tenacity
    "ignore:Unclosed <MemoryObject:ResourceWarning",  # its anyio streams, left to the collector
)


def pytest_configure(config):
    config.addinivalue_line("markers", "inspect: runs Inspect, whose own warnings are let pass")


def pytest_collection_modifyitems(items):
    for item in items:
        if "inspect" in item.keywords:
            for warning in INSPECT_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def collected(request):
    """Collect what Inspect left behind while its warnings are still let pass."""
    yield
    if "inspect" in request.keywords:
        gc.collect()
