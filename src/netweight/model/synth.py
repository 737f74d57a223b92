"""Random checkpoints in the published formats: any shape, either layout, from a seed.

For tests and benchmarks: the numbers mean nothing, but every tensor has the published name, shape,
dtype and a magnitude at which activations stay finite.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from netweight.errors import CheckpointError
from netweight.model.checkpoint import INDEX_NAME, TensorSpec, tensor_specs
from netweight.model.config import Config, Format
from netweight.model.mxfp4 import SCALE_BIAS

DEFAULT_SHARD_BYTES = 2 << 30
_DTYPE = torch.bfloat16
_MEAN_SQUARE_OF_CODES = 73.0 / 16  # of the sixteen E2M1 values
Progress = Callable[[int, int], None]  # bytes written, bytes in all


def synthesize(
    config: Config,
    folder: Path,
    *,
    form: Format = "huggingface",
    seed: int = 0,
    shard_bytes: int = DEFAULT_SHARD_BYTES,
    tokenizer: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a random checkpoint of `config`'s shape to the new folder `folder`.

    The same arguments give the same bytes. The folder appears whole or not at all. `tokenizer`, a
    vocabulary file, is copied into it so that the model can be asked in text.

    Raises:
        CheckpointError: when `folder` exists, the disk is too full, or there is no tokenizer.
    """
    _check_target(config, folder)
    if tokenizer is not None and not tokenizer.is_file():
        raise CheckpointError(
            f"{tokenizer} is not a file; name a tokenizer.json or .tiktoken file."
        )
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        if tokenizer is not None:
            shutil.copy(tokenizer, partial)
        _write(config, partial, form, seed, shard_bytes, progress or (lambda done, total: None))
        partial.chmod(0o755)  # mkdtemp makes a private folder
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_target(config: Config, folder: Path) -> None:
    if folder.exists():
        raise CheckpointError(f"{folder} exists already; name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder.parent).free
    if config.checkpoint_bytes > free:
        raise CheckpointError(
            f"the checkpoint needs {config.checkpoint_bytes / 2**30:.1f} GiB; "
            f"{folder.parent} has {free / 2**30:.1f} GiB free."
        )


def _write(
    config: Config, folder: Path, form: Format, seed: int, shard_bytes: int, progress: Progress
) -> None:
    (folder / "config.json").write_text(json.dumps(config.to_json(form), indent=2) + "\n")
    shards = list(_shards(tensor_specs(config, form), shard_bytes))
    generator = torch.Generator().manual_seed(seed)
    weight_map, done = {}, 0
    for number, shard in enumerate(shards, start=1):
        name = "model.safetensors"
        if len(shards) > 1:
            name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        tensors = {}
        for tensor_name, spec in shard.items():
            tensors[tensor_name] = random_tensor(tensor_name, spec, generator)
            done += tensors[tensor_name].nbytes
            progress(done, config.checkpoint_bytes)
        save_file(tensors, folder / name, metadata={"format": "pt"})
        (folder / name).chmod(0o644)  # the library makes files for their owner alone
        weight_map.update(dict.fromkeys(shard, name))
    if len(shards) > 1:
        index = {"metadata": {"total_size": done}, "weight_map": weight_map}
        (folder / INDEX_NAME).write_text(json.dumps(index, indent=2) + "\n")


def _shards(specs: dict[str, TensorSpec], shard_bytes: int) -> Iterator[dict[str, TensorSpec]]:
    shard: dict[str, TensorSpec] = {}
    size = 0
    for name, spec in specs.items():
        num_bytes = math.prod(spec.shape) * (1 if "U8" in spec.dtypes else _DTYPE.itemsize)
        if shard and size + num_bytes > shard_bytes:
            yield shard
            shard, size = {}, 0
        shard[name] = spec
        size += num_bytes
    yield shard


def random_tensor(name: str, spec: TensorSpec, generator: torch.Generator) -> Tensor:
    """A tensor of the spec's shape, of a size that keeps activations near one."""
    if name.endswith("blocks"):
        # Eight bytes for each number drawn: eight times as fast as a number for each byte.
        words = torch.empty(math.prod(spec.shape) // 8, dtype=torch.int64)
        words.random_(-(2**63), None, generator=generator)
        return words.view(torch.uint8).view(spec.shape)
    if name.endswith("scales"):
        # Two neighbouring scales whose values have about the variance 1 / columns.
        columns = spec.shape[-1] * 32
        exponent = round(-0.5 * math.log2(columns * _MEAN_SQUARE_OF_CODES))
        low = SCALE_BIAS + exponent - 1
        return torch.randint(low, low + 2, spec.shape, dtype=torch.uint8, generator=generator)
    if name.endswith(("norm.weight", "layernorm.weight", "norm.scale")):
        return (1 + 0.1 * torch.randn(spec.shape, generator=generator)).to(_DTYPE)
    if len(spec.shape) == 1 or name.endswith("bias"):
        return (0.1 * torch.randn(spec.shape, generator=generator)).to(_DTYPE)
    # bfloat16 from the start: the embedding of the published shapes is 2.3 GB in float32.
    values = torch.randn(spec.shape, generator=generator, dtype=_DTYPE)
    return (
        values
        if "embed" in name.split(".")[-2] and "un" not in name
        else values * spec.shape[-1] ** -0.5
    )
