import json

import pytest
import torch

from netweight.errors import CheckpointError
from netweight.model import Checkpoint, Config, load_transformer, synthesize
from tests.model.shapes import SMALL


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["original", "huggingface"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, form):
    for name in "ab":
        synthesize(SMALL, tmp_path / name, form=form, seed=5)
    synthesize(SMALL, tmp_path / "c", form=form, seed=6)
    assert files(tmp_path / "a") == files(tmp_path / "b") != files(tmp_path / "c")


@pytest.mark.parametrize("form", ["original", "huggingface"])
def test_what_is_written_opens_and_keeps_activations_near_one(tmp_path, form):
    synthesize(SMALL, tmp_path / "made", form=form)
    model = load_transformer(tmp_path / "made", dtype=torch.float32)
    spread = model.forward(torch.arange(40)[None]).std()
    assert 0.3 < spread < 3


def test_the_size_on_disk_is_what_the_config_says(tmp_path):
    synthesize(SMALL, tmp_path / "made")
    checkpoint = Checkpoint.open(tmp_path / "made")
    assert (
        sum(checkpoint.tensor(name).nbytes for name in checkpoint.stored) == SMALL.checkpoint_bytes
    )


def test_progress_ends_at_the_total(tmp_path):
    seen = []
    synthesize(SMALL, tmp_path / "made", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (SMALL.checkpoint_bytes, SMALL.checkpoint_bytes)
    assert seen == sorted(seen)


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "made").mkdir()
    with pytest.raises(CheckpointError, match="exists already"):
        synthesize(SMALL, tmp_path / "made")


def test_a_failed_write_leaves_nothing(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(SMALL, tmp_path / "made", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_is_said_before_writing(tmp_path):
    huge = Config(num_hidden_layers=10_000_000, num_experts=128)
    with pytest.raises(CheckpointError, match="GiB free"):
        synthesize(huge, tmp_path / "made")


def test_the_written_config_is_the_published_form(tmp_path):
    synthesize(SMALL, tmp_path / "made", form="original")
    data = json.loads((tmp_path / "made" / "config.json").read_text())
    assert data["num_experts"] == 4
    assert "model_type" not in data
