"""One set of weights in the other published layouts, written with safetensors alone."""

import json

import torch
from safetensors.torch import load_file, save_file

from netweight.model import Config
from netweight.model.mxfp4 import dequantize

RENAMED = {
    "model.embed_tokens.weight": "embedding.weight",
    "model.norm.weight": "norm.scale",
    "lm_head.weight": "unembedding.weight",
    "model.layers.": "block.",
    "input_layernorm.weight": "attn.norm.scale",
    "post_attention_layernorm.weight": "mlp.norm.scale",
    "self_attn.o_proj": "attn.out",
    "self_attn.sinks": "attn.sinks",
    "mlp.router": "mlp.gate",
    "mlp.experts.gate_up_proj_bias": "mlp.mlp1_bias",
    "mlp.experts.gate_up_proj_": "mlp.mlp1_weight.",
    "mlp.experts.down_proj_bias": "mlp.mlp2_bias",
    "mlp.experts.down_proj_": "mlp.mlp2_weight.",
}


def read(folder):
    data = json.loads((folder / "config.json").read_text())
    return Config.from_json(data)[0], load_file(folder / "model.safetensors")


def write(folder, config_json, tensors):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config_json))
    save_file(tensors, folder / "model.safetensors")


def to_original(source, target):
    config, tensors = read(source)
    renamed = {}
    for name, tensor in tensors.items():
        if "self_attn.q_proj" in name:
            parts = [tensors[name.replace("q_proj", f"{part}_proj")] for part in "qkv"]
            name, tensor = name.replace("self_attn.q_proj", "attn.qkv"), torch.cat(parts)
        elif "self_attn.k_proj" in name or "self_attn.v_proj" in name:
            continue
        for ours, theirs in RENAMED.items():
            name = name.replace(ours, theirs)
        renamed[name] = tensor
    write(target, config.to_json("original"), renamed)


def to_dequantised(source, target):
    config, tensors = read(source)
    dense = {name: tensor for name, tensor in tensors.items() if tensor.dtype != torch.uint8}
    for name, blocks in tensors.items():
        if name.endswith("_blocks"):
            scales = tensors[name.replace("_blocks", "_scales")]
            matrix = dequantize(blocks, scales, torch.bfloat16)
            dense[name.removesuffix("_blocks")] = matrix.transpose(1, 2).contiguous()
    data = config.to_json("huggingface")
    del data["quantization_config"]
    write(target, data, dense)
