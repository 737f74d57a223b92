"""Models of any shape with random weights: right on a device, without files, or as files for peers.

Numbers are those of `netweight synth` in kind, drawn by the device, which takes seconds for what
takes a processor minutes.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from netweight.model import Config, Transformer, TritonModel, device_weights
from netweight.model.checkpoint import INDEX_NAME, TensorSpec, tensor_specs
from netweight.model.config import Format
from netweight.model.kernels import REFERENCE
from netweight.model.kernels.gpu import kernel_set
from netweight.model.mxfp4 import SCALE_BIAS
from netweight.model.synth import random_tensor


def lowest_scale(columns: int) -> int:
    """The lower of two neighbouring scale bytes with which values have variance 1 / columns.

    As in `synth.random_tensor`; 73 / 16 is the mean square of the sixteen E2M1 values.
    """
    return SCALE_BIAS - 1 - round(0.5 * math.log2(columns * 73 / 16))


class _Drawn:
    """A shape's tensors by name, each drawn when it is asked for."""

    def __init__(
        self,
        config: Config,
        device: torch.device,
        seed: int,
        form: Format = "huggingface",
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        self.specs = tensor_specs(config, form)
        self._device, self._dtype = device, dtype
        self._generator = torch.Generator(device).manual_seed(seed)

    def take(self, name: str) -> Tensor:
        with self._device:
            tensor = random_tensor(name, self.specs[name], self._generator)
        return tensor.to(self._dtype) if tensor.is_floating_point() else tensor


def random_model(
    config: Config, device: torch.device, dtype: torch.dtype, *, seed: int = 0
) -> TritonModel:
    """A model on the Triton kernels, all of its weights random and on the device."""
    weights = device_weights.assemble(config, _Drawn(config, device, seed, dtype=dtype).take, dtype)
    transformer = Transformer(config, weights, kernel_set.kernels(REFERENCE))
    return TritonModel(transformer, device)


def write_checkpoint(
    config: Config,
    folder: Path,
    device: torch.device,
    *,
    form: Format = "huggingface",
    seed: int = 0,
) -> None:
    """Write a random checkpoint to the new folder `folder`, a file for each layer."""
    drawn = _Drawn(config, device, seed, form)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.to_json(form)), encoding="utf-8")
    shards = list(_shards(drawn.specs))
    weight_map, done = {}, 0
    for number, names in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {name: drawn.take(name).cpu() for name in names}
        save_file(tensors, folder / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(names, file))
        done += sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": done}, "weight_map": weight_map}
    (folder / INDEX_NAME).write_text(json.dumps(index), encoding="utf-8")


def _shards(specs: dict[str, TensorSpec]) -> Iterator[list[str]]:
    """Names, those of one layer together."""
    layers: dict[str, list[str]] = {}
    for name in specs:
        number = next((part for part in name.split(".") if part.isdigit()), "")
        layers.setdefault(number, []).append(name)
    yield from layers.values()
