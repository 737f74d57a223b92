"""From trained parameters to a checkpoint folder in the published Hugging Face layout."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from netweight.harmony import Vocabulary
from netweight.model.config import Config
from netweight.model.mxfp4 import dequantize, quantize
from recipes.nano.train import is_expert_matrix

CARD = Path(__file__).parent / "CARD.md"
CHAT_TEMPLATE = Path(__file__).parent / "chat_template.jinja"


def parameters_of(folder: Path) -> dict[str, Tensor]:
    """The parameters of an exported checkpoint, to train on: experts as MXFP4 rounded them."""
    stored = load_file(folder / "model.safetensors")
    parameters = {}
    for name, value in stored.items():
        if name.endswith("_scales"):
            continue
        if name.endswith("_blocks"):
            name = name.removesuffix("_blocks")
            value = dequantize(value, stored[f"{name}_scales"], torch.float32)
        parameters[name] = value.float().requires_grad_()
    return parameters


def export(
    config: Config, parameters: dict[str, Tensor], vocabulary: Vocabulary, folder: Path
) -> None:
    """Write weights, configuration, chat template and the model card beside the tokenizer."""
    tensors: dict[str, Tensor] = {}
    for name, value in parameters.items():
        if is_expert_matrix(name):
            packed = quantize(value)
            tensors[f"{name}_blocks"], tensors[f"{name}_scales"] = packed
        else:
            tensors[name] = value.to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    shutil.copy(CARD, folder / "README.md")
    special = vocabulary.special
    _write_json(
        folder / "config.json",
        config.to_json("huggingface")
        | {"eos_token_id": special.return_, "pad_token_id": special.endoftext},
    )
    _write_json(
        folder / "generation_config.json",
        {
            "do_sample": True,
            "eos_token_id": [special.return_, special.endoftext, special.call],
            "pad_token_id": special.endoftext,
        },
    )
    export_chat(config, folder)


def export_chat(config: Config, folder: Path) -> None:
    """Write what transformers' AutoTokenizer reads beside tokenizer.json."""
    shutil.copy(CHAT_TEMPLATE, folder / CHAT_TEMPLATE.name)
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|startoftext|>",
            "eos_token": "<|return|>",
            "pad_token": "<|endoftext|>",
            "model_max_length": config.max_context,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
        },
    )


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n")
