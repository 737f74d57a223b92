"""What importing a room costs: some must run without a tensor library, and help must be quick."""

import subprocess
import sys

import pytest


def modules_after(statement):
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("room", ["errors", "harmony", "verdict", "evals", "cli"])
def test_a_room_loads_without_torch(room):
    assert "torch" not in modules_after(f"import netweight.{room}")


def test_verdict_loads_without_inspect():
    assert "inspect_ai" not in modules_after("import netweight.verdict")


def test_the_model_room_does_load_torch():
    assert "torch" in modules_after("import netweight.model")
