"""From trained parameters to a checkpoint folder in the published Hugging Face layout."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from netweight.harmony import Vocabulary
from netweight.model.config import Config
from netweight.model.mxfp4 import quantize
from recipes.nano.train import is_expert_matrix

CARD = Path(__file__).parent / "CARD.md"


def export(
    config: Config, parameters: dict[str, Tensor], vocabulary: Vocabulary, folder: Path
) -> None:
    """Write weights, configuration and the model card beside the tokenizer."""
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


def _write_json(path: Path, data: dict[str, object]) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n")
