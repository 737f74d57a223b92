"""The documents tell the truth: their code runs, their paths exist, their figures are recorded."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def python_blocks():
    for document in DOCUMENTS:
        for number, block in enumerate(
            re.findall(r"```python\n(.*?)```", document.read_text(), re.S)
        ):
            yield pytest.param(block, id=f"{document.name}-{number}")


@pytest.mark.parametrize("block", list(python_blocks()))
def test_every_python_block_runs(block):
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_named_path_exists(document):
    text = document.read_text()
    named = re.findall(r"\]\(([^)#:]+)\)", text)
    missing = [path for path in named if not (document.parent / path).exists()]
    named_in_code = re.findall(
        r"`((?:src|docs|tests|recipes|benchmarks|native|examples)/[\w./-]*)`", text
    )
    missing += [path for path in named_in_code if not (ROOT / path).exists()]
    assert not missing


def test_generated_parts_match_the_recorded_runs():
    from benchmarks.tables import DOCUMENTS as WITH_RECORDED_PARTS
    from benchmarks.tables import rewritten

    for path in WITH_RECORDED_PARTS:
        text = path.read_text(encoding="utf-8")
        assert rewritten(text) == text
