"""A whole model on the Triton kernels, in an engine, against the reference kernels."""

import logging
from dataclasses import replace

import pytest
import torch

from netweight.engine import CacheSize, Engine, Request, Sampling, Token
from netweight.errors import NetweightError, NotEnoughMemory
from netweight.model import (
    DeviceModel,
    TritonModel,
    device_budget,
    find_device,
    kernels,
    synthesize,
)
from netweight.model import device as device_module
from netweight.model.checkpoint import Checkpoint
from netweight.model.device_weights import expert_shape
from netweight.model.loading import load_on_device, load_transformer
from netweight.model.offload import OffloadedMixture
from tests.model.adapters import write_adapter
from tests.model.paging import Paging
from tests.model.shapes import SMALL, tolerance

DEVICE = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
TINY = replace(SMALL, vocab_size=97, num_attention_heads=4, num_key_value_heads=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("device") / "model"
    synthesize(TINY, path, seed=7)
    return path


@pytest.fixture(scope="module")
def reference(folder):
    return load_transformer(folder, dtype=torch.float32)


def load(folder, **options):
    options = {"dtype": torch.float32, "adapters": {}} | options
    return load_on_device(Checkpoint.open(folder), DEVICE, **options)


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def step_logits(model, adapters=None):
    """Prompts, a mixed step, and steps of one token each; all logits."""
    paging = Paging(model)

    def step(pieces):
        return paging.step(pieces, adapters=adapters).cpu()

    return torch.cat(
        [
            step({"a": [5, 6, 7, 8, 9, 10, 11, 12, 13], "b": [20]}),
            step({"a": [14], "b": list(range(21, 40))}),
            step({"a": [15], "b": [40]}),
            step({"b": [41]}),
        ]
    )


@pytest.fixture(scope="module")
def right(reference):
    """What the reference kernels give."""
    return step_logits(reference)


@pytest.fixture(scope="module")
def found(model):
    return step_logits(model)


def worst(found, right):
    return float((found - right).abs().max() / right.abs().max())


def test_all_kinds_of_steps_give_the_references_logits(model, found, right):
    assert isinstance(model, TritonModel) and model.transformer.kernels.name == "triton"
    assert worst(found, right) < tolerance("logits-float32")


def test_a_model_without_its_sinks_is_not_the_reference(model, reference, monkeypatch):
    weights = model.transformer.weights
    wrong = [replace(layer, sinks=torch.full_like(layer.sinks, -9.0)) for layer in weights.layers]
    monkeypatch.setattr(model.transformer, "weights", replace(weights, layers=wrong))
    found, right = (Paging(one).step({"a": [5, 6, 7]}).cpu() for one in (model, reference))
    assert worst(found, right) > tolerance("logits-float32")


def tokens_of(model, requests, **options):
    engine = Engine(model, **options)
    told = {engine.submit(request): [] for request in requests}
    while engine.has_work:
        for event in engine.step():
            if isinstance(event, Token):
                told[event.request_id].append(event.token_id)
            else:
                assert event.reason == "length", event.error
    return list(told.values())


def test_an_engine_draws_the_tokens_that_it_draws_on_the_host(model, reference):
    requests = [
        Request([1, 2, 3], Sampling(temperature=0), max_tokens=5),
        Request([4] * 18, Sampling(seed=1), max_tokens=4),
        Request([5, 6], Sampling(seed=2, top_p=0.8), max_tokens=3),
        Request([7], Sampling(seed=3), max_tokens=3, num_logprobs=1),  # the host draws
    ]
    options = {"cache_size": CacheSize(40, 40)}
    assert tokens_of(model, requests, **options) == tokens_of(reference, requests, **options)


def test_a_batch_between_two_sizes_is_filled_up(model, reference):
    assert 9 not in device_module.GRAPH_SIZES
    steps = [{name: [3 * name + 1, name] for name in range(9)}, {name: [50] for name in range(9)}]
    found, right = ([], [])
    for logits, one in ((found, model), (right, reference)):
        paging = Paging(one)
        logits += [paging.step(pieces).cpu() for pieces in steps]
    for ours, theirs in zip(found, right, strict=True):
        assert ours.shape == theirs.shape
        assert worst(ours, theirs) < tolerance("logits-float32")


def test_adapters_add_what_they_add_on_the_reference_kernels(folder, tmp_path):
    adapters = {"a": write_adapter(tmp_path / "a", TINY, seed=1)}
    pieces, names = {"a": [5, 6, 7], "b": [20]}, {"a": "a"}
    found = Paging(load(folder, adapters=adapters)).step(pieces, adapters=names).cpu()
    adapted = load_transformer(folder, dtype=torch.float32, adapters=adapters)
    assert worst(found, Paging(adapted).step(pieces, adapters=names)) < tolerance("logits-float32")
    assert worst(found, Paging(adapted).step(pieces)) > 1e-2


def test_experts_in_host_memory_change_nothing(folder, found, monkeypatch):
    budget = device_budget.DeviceBudget(1 << 20, 3, expert_shape(TINY).staging_bytes)
    monkeypatch.setattr(device_budget, "plan", lambda *_, **__: budget)
    offloaded = load(folder)
    mixtures = [layer.mixture for layer in offloaded.transformer.weights.layers]
    assert all(isinstance(mixture, OffloadedMixture) for mixture in mixtures)
    assert torch.equal(step_logits(offloaded), found)
    Paging(offloaded).step({"a": [5]})  # looks at what was counted
    assert mixtures[0].experts.counts.num_uses > 0


def test_too_little_memory_is_told_before_anything_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(device_module, "DEVICE_STEP_TOKENS", 1)
    with pytest.raises(NotEnoughMemory, match="GiB of device memory"):
        load(folder, memory_bytes=1 << 20)


def test_without_triton_the_reference_kernels_serve_and_say_so(folder, right, monkeypatch, caplog):
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    with caplog.at_level(logging.WARNING):
        plain = load(folder)
    assert "triton is not installed" in caplog.text
    assert type(plain) is DeviceModel
    assert worst(step_logits(plain), right) < tolerance("logits-float32")


def test_an_old_gpu_runs_on_the_reference_kernels(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert kernels.select_on(torch.device("cuda:0")).name == "reference"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert kernels.select_on(torch.device("cuda:0")).name == "triton"


def test_weights_are_told_of_as_they_come(folder):
    told = []
    load(folder, progress=lambda done, total: told.append((done, total)))
    sizes = {total for _, total in told}
    assert len(sizes) == 1 and told[-1] == (max(sizes), max(sizes))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_devices_are_found_by_name_or_refused_with_a_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("cpu") == find_device(None) == torch.device("cpu")
    with pytest.raises(NetweightError, match="no device is called 'tpu'"):
        find_device("tpu")
    with pytest.raises(NetweightError, match=r"cuda:0 cannot be used: .*--device cpu"):
        find_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device("cuda") == find_device(None) == torch.device("cuda:0")
    assert find_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(NetweightError, match="no cuda:2: this machine has cuda:0 to cuda:1"):
        find_device("cuda:2")
