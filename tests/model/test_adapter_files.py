"""Adapters on disk: what is refused, and that it is said what is wrong, where, and what helps."""

import json
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from netweight.errors import AdapterError
from netweight.model import load_transformer
from tests.model.peft_oracle import Oracle
from tests.model.shapes import SHAPES, SMALL

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
LAYER = "base_model.model.model.layers.0"
Q = f"{LAYER}.self_attn.q_proj"


@pytest.fixture(scope="module")
def written(checkpoint_of, tmp_path_factory):
    """The folder of an adapter of the small shape, as PEFT writes it."""
    folder = tmp_path_factory.mktemp("written")
    return Oracle(checkpoint_of(SMALL)).write(folder, r=4, target_modules=["q_proj", "lm_head"])


@pytest.fixture
def folder(written, tmp_path):
    """A copy of it, to be spoilt."""
    return shutil.copytree(written, tmp_path / "adapter")


@pytest.fixture
def refusal(folder, checkpoint_of):
    """A function that loads the adapter and returns why it is refused."""

    def get(config=SMALL):
        with pytest.raises(AdapterError) as refused:
            load_transformer(checkpoint_of(config), adapters={"a": folder})
        return str(refused.value)

    return get


def set_config(folder, **fields):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def change_tensors(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)


def test_what_peft_writes_is_read(folder, checkpoint_of):
    model = load_transformer(checkpoint_of(SMALL), adapters={"a": folder})
    assert set(model.adapters["a"].added) == {(0, "qkv"), (1, "qkv"), "unembedding"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"peft_type": "LOHA"}, "peft_type is 'LOHA'; only LORA"),
        ({"use_dora": True}, "use_dora is true, which is not supported.*Train without use_dora"),
        ({"bias": "all"}, """bias is 'all'.*Train with bias="none"."""),
        ({"lora_bias": True}, "lora_bias is true"),
        ({"modules_to_save": ["lm_head"]}, r'modules_to_save is \["lm_head"\]'),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is true"),
        (
            {"target_parameters": ["7.mlp.experts.gate_up_proj"]},
            "target_parameters is .*experts.gate_up_proj.*only plain LoRA of q_proj",
        ),
        ({"alora_invocation_tokens": [1, 2]}, r"alora_invocation_tokens is \[1, 2\]"),
        ({"of_next_year": {"x": 1}}, 'of_next_year is {"x": 1}, which is not supported'),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'.*changes the base model's"),
        ({"r": 0}, "r is 0; a rank is a whole number from 1 up"),
        ({"r": "4"}, "r is '4'"),
        ({"lora_alpha": None}, "lora_alpha is None; it must be a number"),
        ({"lora_alpha": float("nan")}, "lora_alpha is nan"),
        ({"use_rslora": "yes"}, "use_rslora is 'yes'; it must be true or false"),
        ({"rank_pattern": [4]}, r"rank_pattern is \[4\]; it must be an object"),
        ({"rank_pattern": {"q_proj": 0.5}}, "rank_pattern of q_proj is 0.5"),
        ({"alpha_pattern": {"(": 3}}, r"alpha_pattern has '\(', which is no regular expression"),
        ({"r": 8}, r"lora_A.weight is \[4, 64\].*the rank in adapter_config.json, 8"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_that_is_wrong_or_not_supported(fields, message, folder, refusal):
    set_config(folder, **fields)
    assert re.search(f"adapter/.*{message}", refusal(), re.S)


def test_settings_that_change_nothing_are_accepted(folder, checkpoint_of):
    set_config(folder, lora_dropout=0.1, use_dora=False, task_type="CAUSAL_LM", corda_config=None)
    load_transformer(checkpoint_of(SMALL), adapters={"a": folder})


def renamed(old, new):
    return lambda tensors: tensors.update({new: tensors.pop(old)})


def with_nan(tensors):
    tensors[f"{Q}.lora_B.weight"][0, 0] = torch.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            renamed(f"{Q}.lora_A.weight", f"{LAYER}.mlp.experts.lora_A.weight"),
            "adapts model.layers.0.mlp.experts, which is not supported. Train only q_proj",
        ),
        (
            renamed(f"{Q}.lora_A.weight", f"{Q}.lora_magnitude_vector"),
            "q_proj.lora_magnitude_vector is no part of plain LoRA",
        ),
        (
            renamed(f"{Q}.lora_A.weight", f"{Q.replace('layers.0', 'layers.2')}.lora_A.weight"),
            "is of layer 2; the model's last is 1",
        ),
        (lambda tensors: tensors.pop(f"{Q}.lora_B.weight"), "lacks .*q_proj.lora_B.weight"),
        (with_nan, "q_proj.lora_B.weight has values that are not finite"),
        (lambda tensors: tensors.clear(), "adapts nothing"),
        (
            lambda tensors: tensors["base_model.model.lm_head.base_layer.weight"].mul_(2),
            "lm_head.base_layer.weight is not the model's own matrix",
        ),
    ],
)
def test_a_tensor_that_is_wrong_or_not_supported(change, message, folder, refusal):
    change_tensors(folder, change)
    assert re.search(f"{WEIGHTS}.*{message}", refusal(), re.S)


def test_an_adapter_of_another_model(folder, refusal):
    change_tensors(folder, lambda t: t.pop("base_model.model.lm_head.base_layer.weight"))
    message = refusal(SHAPES["published heads"])
    assert "lora_B.weight is [128, 4]" in message
    assert "ask for [4096, 4]. Give the model that the adapter was trained on" in message


def test_a_folder_that_is_none(folder, refusal):
    shutil.rmtree(folder)
    assert re.search("adapter has no adapter_config.json. Give a folder on this machine", refusal())


def test_missing_weights(folder, refusal):
    (folder / WEIGHTS).unlink()
    assert "has no adapter_model.safetensors. Copy it there." in refusal()
    (folder / "adapter_model.bin").write_bytes(b"")
    assert "adapter_model.bin may run code" in refusal()


def test_truncated_weights(folder, refusal):
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])
    assert "is truncated or not a safetensors file" in refusal()
