import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from netweight.errors import CheckpointError
from netweight.model import Checkpoint, synthesize
from netweight.model.checkpoint import tensor_specs
from tests.model.layouts import to_original
from tests.model.shapes import SMALL


@pytest.fixture
def folder(checkpoint_of, tmp_path):
    """A copy of a small checkpoint that a test may damage."""
    return shutil.copytree(checkpoint_of(SMALL), tmp_path / "checkpoint")


def rewrite(folder, change):
    """Apply `change` to the checkpoint's dictionary of tensors."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def test_the_published_checkpoints_have_as_many_tensors_as_ours():
    from netweight.model import GPT_OSS_20B, GPT_OSS_120B

    assert len(tensor_specs(GPT_OSS_20B, "huggingface")) == 459
    assert len(tensor_specs(GPT_OSS_120B, "huggingface")) == 687
    assert len(tensor_specs(GPT_OSS_20B, "original")) == 363
    assert len(tensor_specs(GPT_OSS_120B, "original")) == 543


def test_the_published_shapes_of_20b_experts():
    from netweight.model import GPT_OSS_20B

    specs = tensor_specs(GPT_OSS_20B, "original")
    assert specs["block.0.mlp.mlp1_weight.blocks"].shape == (32, 5760, 90, 16)
    assert specs["block.23.mlp.mlp2_weight.scales"].shape == (32, 2880, 90)
    assert specs["block.0.attn.qkv.weight"].shape == (5120, 2880)


def test_tensors_are_views_of_the_mapped_file(folder):
    checkpoint = Checkpoint.open(folder)
    first = checkpoint.tensor("lm_head.weight")
    assert first.untyped_storage().nbytes() >= (folder / "model.safetensors").stat().st_size


def test_query_key_and_value_are_slices_of_the_fused_matrix(folder, tmp_path):
    to_original(folder, tmp_path / "original")
    ours, theirs = Checkpoint.open(tmp_path / "original"), Checkpoint.open(folder)
    assert ours.form == "original"
    for name in theirs.stored:
        assert torch.equal(ours.tensor(name), theirs.tensor(name)), name


def test_a_sharded_checkpoint_reads_like_one_file(folder, tmp_path):
    synthesize(SMALL, tmp_path / "shards", seed=7, shard_bytes=60_000)
    shards = Checkpoint.open(tmp_path / "shards")
    assert len({stored.file for stored in shards.stored.values()}) > 3
    whole = Checkpoint.open(folder)
    assert all(torch.equal(shards.tensor(name), whole.tensor(name)) for name in whole.stored)


def test_shards_without_an_index_read_too(tmp_path):
    synthesize(SMALL, tmp_path / "shards", form="original", shard_bytes=60_000)
    (tmp_path / "shards" / "model.safetensors.index.json").unlink()
    assert Checkpoint.open(tmp_path / "shards").tensor("model.norm.weight").shape == (64,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("lm_head.weight"), "lacks tensor lm_head.weight"),
        (lambda t: t.update(surplus=torch.zeros(1)), "unexpected tensor surplus"),
        (
            lambda t: t.update({"model.norm.weight": torch.zeros(65)}),
            r"model.norm.weight in model.safetensors is \[65\]; config.json asks for \[64\]",
        ),
        (
            lambda t: t.update({"model.norm.weight": torch.zeros(64, dtype=torch.int32)}),
            "model.norm.weight in model.safetensors is I32; it must be BF16 or F16 or F32",
        ),
    ],
)
def test_a_wrong_tensor_is_named(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.open(folder)


def test_a_truncated_file_is_named(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is truncated"):
        Checkpoint.open(folder)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"\xff" * 64])
def test_a_file_that_is_no_safetensors_is_named(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is truncated or not"):
        Checkpoint.open(folder)


def test_a_config_of_more_layers_names_what_is_missing(folder):
    data = json.loads((folder / "config.json").read_text())
    data["num_hidden_layers"] = 3
    del data["layer_types"]
    (folder / "config.json").write_text(json.dumps(data))
    with pytest.raises(CheckpointError, match=r"lacks tensors model\.layers\.2\..* and 16 more"):
        Checkpoint.open(folder)


@pytest.mark.parametrize("content", ["{", "[1, 2]", "\x00"])
def test_a_config_that_is_no_json_object_is_refused(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        Checkpoint.open(folder)


def test_a_folder_without_config_or_weights_is_refused(tmp_path, folder):
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        Checkpoint.open(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"no \.safetensors file"):
        Checkpoint.open(folder)


def test_a_missing_shard_is_named(tmp_path):
    synthesize(SMALL, tmp_path / "shards", shard_bytes=60_000)
    gone = sorted((tmp_path / "shards").glob("*.safetensors"))[1]
    gone.unlink()
    with pytest.raises(CheckpointError, match=f"lacks file {gone.name}"):
        Checkpoint.open(tmp_path / "shards")
