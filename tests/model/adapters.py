"""Adapters of random weights in PEFT's layout, written without PEFT, which takes seconds to load.

`peft_oracle` has PEFT's own.
"""

import json

import torch
from safetensors.torch import save_file


def write_adapter(folder, config, *, seed=0, rank=4, size=1.0):
    """An adapter of all attention projections of a model's shape and its output matrix."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator) / shape[1] ** 0.5

    hidden, q_size, kv_size = config.hidden_size, config.query_size, config.key_value_size
    shapes = {"lm_head": (config.vocab_size, hidden)}
    for index in range(config.num_hidden_layers):
        prefix = f"model.layers.{index}.self_attn."
        shapes[f"{prefix}q_proj"] = q_size, hidden
        shapes[f"{prefix}k_proj"] = shapes[f"{prefix}v_proj"] = kv_size, hidden
        shapes[f"{prefix}o_proj"] = hidden, q_size
    tensors = {}
    for module, (rows, columns) in shapes.items():
        tensors[f"base_model.model.{module}.lora_A.weight"] = normal(rank, columns)
        tensors[f"base_model.model.{module}.lora_B.weight"] = size * normal(rows, rank)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": rank}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder
