"""Triton kernels under the interpreter, where no GPU is."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def interpreter():
    """Skips by name where there is no Triton, and mends its interpreter."""
    pytest.importorskip("triton", reason="there is no triton here")
    from netweight.model.kernels.gpu.interpreter import mend

    mend()
