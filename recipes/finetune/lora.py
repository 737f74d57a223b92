"""Low-rank factors: made, put beside a model's weights, and written as PEFT writes them.

E. J. Hu and others, "LoRA", arXiv 2106.09685, section 4.1: B begins as zero, so that training
begins at the model itself.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from netweight.model import Config
from netweight.model.adapter import Adapter, Factors, assemble_adapter
from netweight.model.weights import PlainLinear

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "lm_head")


@dataclass(frozen=True)
class Shape:
    """Which matrices are adapted, and how."""

    rank: int = 16
    alpha: float = 32.0
    targets: tuple[str, ...] = TARGETS[:4]

    @property
    def scale(self) -> float:
        """What B A is multiplied by."""
        return self.alpha / self.rank


def begin(config: Config, shape: Shape, seed: int) -> dict[str, Factors]:
    """Factors to train, by the Hugging Face name of their matrix."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {
        "q_proj": (config.hidden_size, config.query_size),
        "k_proj": (config.hidden_size, config.key_value_size),
        "v_proj": (config.hidden_size, config.key_value_size),
        "o_proj": (config.query_size, config.hidden_size),
        "lm_head": (config.hidden_size, config.vocab_size),
    }
    names = [
        f"model.layers.{index}.self_attn.{target}"
        for index in range(config.num_hidden_layers)
        for target in shape.targets
        if target != "lm_head"
    ]
    names += [target for target in shape.targets if target == "lm_head"]
    made: dict[str, Factors] = {}
    for name in names:
        columns, rows = sizes[name.rpartition(".")[2]]
        # Uniform within 1 / sqrt(columns), as PEFT begins.
        a = (2 * torch.rand((shape.rank, columns), generator=generator) - 1) / math.sqrt(columns)
        made[name] = Factors(a.requires_grad_(), torch.zeros(rows, shape.rank).requires_grad_())
    return made


def parameters(factors: dict[str, Factors]) -> list[Tensor]:
    """All that is trained."""
    return [matrix for pair in factors.values() for matrix in pair]


def assembled(config: Config, factors: dict[str, Factors], shape: Shape) -> Adapter:
    """The factors as an adapter, through which gradients pass."""
    scaled = {name: Factors(a, b * shape.scale) for name, (a, b) in factors.items()}
    return assemble_adapter(config, scaled, lambda matrix: PlainLinear([(matrix, None)]))


def save(folder: Path, factors: dict[str, Factors], shape: Shape, base: str) -> None:
    """Write an adapter's folder in PEFT's layout; `base` names the model that it belongs to."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"base_model.model.{name}.lora_{letter}.weight": matrix.detach().bfloat16()
        for name, pair in factors.items()
        for letter, matrix in zip("AB", pair, strict=True)
    }
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "target_modules": list(shape.targets),
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
    }
    half = folder / "adapter_model.half"
    save_file(tensors, half, metadata={"format": "pt"})
    half.chmod(0o644)
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    half.replace(folder / "adapter_model.safetensors")  # the folder is whole when this is there


def targets_of(names: Sequence[str]) -> tuple[str, ...]:
    """The targets that were asked for, in their order.

    Raises:
        ValueError: for one that cannot be adapted.
    """
    for name in names:
        if name not in TARGETS:
            raise ValueError(f"{name} cannot be adapted; {', '.join(TARGETS)} can")
    return tuple(target for target in TARGETS if target in names)
