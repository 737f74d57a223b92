"""The number that tells which files a model was loaded from."""

import hashlib
import subprocess

import pytest

from netweight.server.source import Source

WEIGHTS = ["model-00001.safetensors", "model-00002.safetensors"]


@pytest.fixture
def folders(tmp_path):
    """A checkpoint and an adapter of it."""
    for folder in ("model", "adapter"):
        (tmp_path / folder).mkdir()
        for name in (*WEIGHTS, "config.json", "README.md"):
            (tmp_path / folder / name).write_text(f"{folder} {name}")
    return tmp_path / "model", tmp_path / "adapter"


def sha256sum(folder):
    """The lines of the command of that name, for the files that count."""
    names = ["config.json", *WEIGHTS]
    command = ["sha256sum", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def test_the_digest_is_that_of_what_sha256sum_prints(folders):
    model, adapter = folders
    source = Source(model, {"a": adapter})
    assert source.digest() == hashlib.sha256(sha256sum(model)).hexdigest()
    both = sha256sum(model) + sha256sum(adapter)
    assert source.digest("a") == hashlib.sha256(both).hexdigest()


@pytest.mark.parametrize(
    ("name", "counts"), [("config.json", True), (WEIGHTS[1], True), ("README.md", False)]
)
def test_a_changed_file_changes_it_if_the_model_is_made_of_it(folders, name, counts):
    model, _ = folders
    before = Source(model, {}).digest()
    (model / name).write_text("changed")
    assert (Source(model, {}).digest() != before) == counts


def test_files_are_read_once(folders):
    model, _ = folders
    source = Source(model, {})
    before = source.digest()
    (model / "config.json").write_text("changed after it was loaded")
    assert source.digest() == before
