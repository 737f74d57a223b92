"""Loading for the native kernels: packed in memory, from a file, or expert by expert from disk."""

from dataclasses import replace

import pytest
import torch

from netweight.errors import NetweightError, NotEnoughMemory
from netweight.model import load_transformer, packing, synthesize
from netweight.model.budget import WORKING_BYTES, dense_bytes, expert_bytes
from tests.model.paging import Paging
from tests.model.shapes import SMALL, needs_native
from tests.model.test_transformer import random_tokens

pytestmark = needs_native

# Enough layers and experts that a few slots are used again and again; long enough a context that
# keys and values are no small part of its memory.
LAYERED = replace(SMALL, num_hidden_layers=6, num_experts=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("layered") / "model"
    synthesize(LAYERED, path, seed=3)
    return path


@pytest.fixture
def packed_folder(tmp_path, monkeypatch):
    """Where packed files go; every model gets one."""
    monkeypatch.setenv("NETWEIGHT_HOME", str(tmp_path))
    monkeypatch.setattr(packing, "_IN_MEMORY_BYTES", 0)
    return tmp_path / "packed"


def logits(model):
    tokens = random_tokens(LAYERED, 40)
    paging = Paging(model)
    first = paging.step(dict(enumerate(tokens[:, :30].tolist())))
    rest = [paging.step(dict(enumerate(tokens[:, i : i + 1].tolist()))) for i in range(30, 40)]
    return torch.cat([first, *rest])


def memory_for(num_slots, dense="bf16"):
    """Memory that leaves room for so many experts."""
    kv = LAYERED.kv_cache_bytes(LAYERED.max_context) * 4 // 3
    experts = num_slots * expert_bytes(LAYERED)
    return dense_bytes(LAYERED, dense) + WORKING_BYTES + max(kv + experts, experts * 10 // 9 + 1)


def test_a_packed_file_gives_the_logits_of_packing_in_memory(folder, packed_folder, monkeypatch):
    from_file = logits(load_transformer(folder))
    assert len(list(packed_folder.glob("model-*-bf16.pack"))) == 1
    monkeypatch.setattr(packing, "_IN_MEMORY_BYTES", 1 << 30)
    assert torch.equal(from_file, logits(load_transformer(folder)))


def test_a_packed_file_is_made_once_for_each_form(folder, packed_folder):
    told = []
    load_transformer(folder, progress=lambda done, total: told.append(done / total))
    assert told[-1] == 1
    load_transformer(folder, progress=lambda done, total: pytest.fail("packed again"))
    load_transformer(folder, dense="int8")
    names = sorted(file.name.rsplit("-", 1)[1] for file in packed_folder.glob("*.pack"))
    assert names == ["bf16.pack", "int8.pack"]


def test_another_checkpoint_in_the_same_folder_is_packed_anew(tmp_path, packed_folder):
    synthesize(LAYERED, tmp_path / "one", seed=1)
    before = logits(load_transformer(tmp_path / "one"))
    synthesize(LAYERED, tmp_path / "other", seed=2)
    for file in (tmp_path / "other").iterdir():
        file.replace(tmp_path / "one" / file.name)
    after = logits(load_transformer(tmp_path / "one"))
    assert not torch.equal(before, after)


@pytest.mark.parametrize("num_slots", [8, 11, 40])
@pytest.mark.parametrize("dense", ["bf16", "int8"])
def test_experts_read_from_disk_give_the_same_logits(folder, packed_folder, num_slots, dense):
    expected = logits(load_transformer(folder, dense=dense))
    model = load_transformer(folder, dense=dense, memory_bytes=memory_for(num_slots, dense))
    assert model.budget.num_expert_slots == num_slots
    assert torch.equal(logits(model), expected)
    counts = model.expert_cache.counts
    assert counts.num_misses > 8
    assert counts.num_early > 8
    num_read = counts.bytes_read / model.expert_cache.slots.shape[1]
    assert counts.num_misses < num_read <= counts.num_misses + counts.num_early
    assert model.expert_cache.resident_bytes <= num_slots * model.expert_cache.slots.shape[1]
    assert list(packed_folder.glob("*-without-experts.pack"))


def test_a_guess_is_what_the_next_router_chooses_where_the_layer_adds_nothing(folder):
    earlier, own = load_transformer(folder).weights.layers[:2]
    draw = torch.Generator().manual_seed(0)
    scales = [torch.rand(64, generator=draw).add(0.25).bfloat16() for _ in range(2)]
    earlier, own = (
        replace(layer, mlp_norm=scale) for layer, scale in zip((earlier, own), scales, strict=True)
    )
    guess = packing.Guess.of(1, earlier, own, num_experts=2)
    right = wrong = 0
    for _ in range(50):
        normed = torch.randn((1, 64), generator=draw)
        chosen = own.router((normed * own.mlp_norm).bfloat16()).topk(2).indices[0].tolist()
        guessed = guess.experts((normed * earlier.mlp_norm).bfloat16())
        right += len(set(guessed) & set(chosen))
        unscaled = replace(guess, rescale=torch.ones(64, dtype=torch.bfloat16))
        wrong += len(set(unscaled.experts((normed * earlier.mlp_norm).bfloat16())) & set(chosen))
    assert right > 95 > wrong  # of 100: roundings can turn a near tie


def test_experts_of_the_original_layout_are_read_from_disk_too(folder, tmp_path, packed_folder):
    from tests.model.layouts import to_original

    to_original(folder, tmp_path / "original")
    model = load_transformer(tmp_path / "original", memory_bytes=memory_for(9))
    assert torch.equal(logits(model), logits(load_transformer(folder)))


def test_too_little_memory_is_said_before_anything_is_packed(folder, packed_folder):
    with pytest.raises(NotEnoughMemory, match="GiB of memory"):
        load_transformer(folder, memory_bytes=memory_for(7))
    assert not packed_folder.exists()


def test_int8_needs_the_native_kernels(folder, monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    with pytest.raises(NetweightError, match="Leave --dense out"):
        load_transformer(folder, dense="int8")


def test_a_dequantised_checkpoint_runs_on_the_reference_kernels(checkpoint_of, tmp_path, caplog):
    from tests.model.layouts import to_dequantised

    to_dequantised(checkpoint_of(SMALL), tmp_path / "dense")
    assert load_transformer(tmp_path / "dense").kernels.name == "reference"
    assert "not in MXFP4" in caplog.text
