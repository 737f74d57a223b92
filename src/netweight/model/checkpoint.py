"""Checkpoints on disk: both published safetensors layouts behind one set of names, memory-mapped.

Names and shapes are checked from the files' headers before any tensor is read, so that a wrong
checkpoint is refused at once with the tensor's name. Names here are Hugging Face's, except that the
fused query-key-value matrix of the original layout appears as its three row slices. Knows no
arithmetic.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from netweight.errors import CheckpointError
from netweight.model.config import MXFP4_BLOCK, MXFP4_BLOCK_BYTES, Config, Format

INDEX_NAME = "model.safetensors.index.json"
_FLOATS = frozenset({"BF16", "F16", "F32"})
_BYTES = frozenset({"U8"})
_TORCH_DTYPES = {
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F32": torch.float32,
    "U8": torch.uint8,
}


class TensorSpec(NamedTuple):
    """What the header must say of a tensor."""

    shape: tuple[int, ...]
    dtypes: frozenset[str]


class Rows(NamedTuple):
    """Rows [first, last) of a stored tensor."""

    stored_name: str
    first: int
    last: int


class Stored(NamedTuple):
    """Where a tensor is and what its file's header says of it."""

    file: Path
    shape: tuple[int, ...]
    dtype: str
    first_byte: int  # of the file
    end_byte: int


def tensor_specs(config: Config, form: Format, *, packed: bool = True) -> dict[str, TensorSpec]:
    """Every tensor of a checkpoint of this shape: stored name -> shape and dtypes.

    `packed=False` is Hugging Face's dequantised layout, whose expert matrices are transposed.
    """
    names = _ORIGINAL if form == "original" else _HUGGINGFACE
    hidden, vocab = config.hidden_size, config.vocab_size
    specs = {
        names.embedding: _floats(vocab, hidden),
        names.norm: _floats(hidden),
        names.unembedding: _floats(vocab, hidden),
    }
    for index in range(config.num_hidden_layers):
        layer = _attention_specs(config, form) | _mlp_specs(config, form, packed=packed)
        specs.update({names.layer.format(index) + name: spec for name, spec in layer.items()})
    return specs


class _Names(NamedTuple):
    embedding: str
    norm: str
    unembedding: str
    layer: str


_ORIGINAL = _Names("embedding.weight", "norm.scale", "unembedding.weight", "block.{}.")
_HUGGINGFACE = _Names(
    "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "model.layers.{}."
)

# Hugging Face name within a layer -> original name. q, k and v are slices of attn.qkv.
_LAYER_NAMES = {
    "input_layernorm.weight": "attn.norm.scale",
    "self_attn.sinks": "attn.sinks",
    "self_attn.o_proj.weight": "attn.out.weight",
    "self_attn.o_proj.bias": "attn.out.bias",
    "post_attention_layernorm.weight": "mlp.norm.scale",
    "mlp.router.weight": "mlp.gate.weight",
    "mlp.router.bias": "mlp.gate.bias",
    "mlp.experts.gate_up_proj_blocks": "mlp.mlp1_weight.blocks",
    "mlp.experts.gate_up_proj_scales": "mlp.mlp1_weight.scales",
    "mlp.experts.gate_up_proj_bias": "mlp.mlp1_bias",
    "mlp.experts.down_proj_blocks": "mlp.mlp2_weight.blocks",
    "mlp.experts.down_proj_scales": "mlp.mlp2_weight.scales",
    "mlp.experts.down_proj_bias": "mlp.mlp2_bias",
}


def _floats(*shape: int) -> TensorSpec:
    return TensorSpec(shape, _FLOATS)


def _attention_specs(config: Config, form: Format) -> dict[str, TensorSpec]:
    hidden, q, kv = config.hidden_size, config.query_size, config.key_value_size
    if form == "original":
        specs = {
            "attn.qkv.weight": _floats(q + 2 * kv, hidden),
            "attn.qkv.bias": _floats(q + 2 * kv),
        }
    else:
        specs = {}
        for name, rows in (("q", q), ("k", kv), ("v", kv)):
            specs[f"self_attn.{name}_proj.weight"] = _floats(rows, hidden)
            specs[f"self_attn.{name}_proj.bias"] = _floats(rows)
    shared = {
        "input_layernorm.weight": _floats(hidden),
        "self_attn.sinks": _floats(config.num_attention_heads),
        "self_attn.o_proj.weight": _floats(hidden, q),
        "self_attn.o_proj.bias": _floats(hidden),
    }
    return specs | _renamed(shared, form)


def _mlp_specs(config: Config, form: Format, *, packed: bool) -> dict[str, TensorSpec]:
    hidden, inner, experts = config.hidden_size, config.intermediate_size, config.num_experts
    shared = {
        "post_attention_layernorm.weight": _floats(hidden),
        "mlp.router.weight": _floats(experts, hidden),
        "mlp.router.bias": _floats(experts),
        "mlp.experts.gate_up_proj_bias": _floats(experts, 2 * inner),
        "mlp.experts.down_proj_bias": _floats(experts, hidden),
    }
    for name, rows, columns in (("gate_up_proj", 2 * inner, hidden), ("down_proj", hidden, inner)):
        matrix = f"mlp.experts.{name}"
        if packed:
            scales = (experts, rows, columns // MXFP4_BLOCK)
            shared[f"{matrix}_blocks"] = TensorSpec((*scales, MXFP4_BLOCK_BYTES), _BYTES)
            shared[f"{matrix}_scales"] = TensorSpec(scales, _BYTES)
        else:
            shared[matrix] = _floats(experts, columns, rows)
    return _renamed(shared, form)


def _renamed(specs: dict[str, TensorSpec], form: Format) -> dict[str, TensorSpec]:
    if form == "huggingface":
        return specs
    return {_LAYER_NAMES[name]: spec for name, spec in specs.items()}


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint folder, verified against its own config."""

    path: Path
    config: Config
    form: Format
    packed: bool
    stored: Mapping[str, Stored] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> "Checkpoint":
        """Open the folder `path` and check every header.

        Raises:
            CheckpointError: naming the file or tensor that is missing, extra, misshapen or damaged.
            ConfigError: for a config.json that does not describe a gpt-oss model.
        """
        config, form = Config.from_json(read_json(path / "config.json"))
        stored = _read_headers(_weight_files(path))
        packed = form == "original" or not any(
            name.endswith("experts.down_proj") for name in stored
        )
        _verify(tensor_specs(config, form, packed=packed), stored, path)
        return cls(path, config, form, packed, stored)

    def tensor(self, name: str) -> Tensor:
        """The tensor `name` (Hugging Face's name), a read-only view of the mapped file."""
        location = self._locate(name)
        if isinstance(location, Rows):
            return self._read(location.stored_name)[location.first : location.last]
        return self._read(location)

    def location(self, name: str) -> Stored:
        """Where the tensor `name` is, for reading parts of it; it must be stored by itself."""
        location = self._locate(name)
        assert isinstance(location, str), f"{name} is part of another tensor"
        return self.stored[location]

    def _locate(self, name: str) -> str | Rows:
        if self.form == "huggingface":
            return name
        for ours, theirs in zip(_HUGGINGFACE[:3], _ORIGINAL[:3], strict=True):
            if name == ours:
                return theirs
        layer, _, rest = name.removeprefix("model.layers.").partition(".")
        prefix = _ORIGINAL.layer.format(layer)
        if rest in _LAYER_NAMES:
            return prefix + _LAYER_NAMES[rest]
        part, _, kind = rest.removeprefix("self_attn.").partition("_proj.")  # "q", "weight"
        first, last = self._qkv_rows(part)
        return Rows(f"{prefix}attn.qkv.{kind}", first, last)

    def _qkv_rows(self, part: str) -> tuple[int, int]:
        q, kv = self.config.query_size, self.config.key_value_size
        return {"q": (0, q), "k": (q, q + kv), "v": (q + kv, q + 2 * kv)}[part]

    def _read(self, stored_name: str) -> Tensor:
        stored = self.stored[stored_name]
        data = self._mapped[stored.file][stored.first_byte : stored.end_byte]
        dtype = _TORCH_DTYPES[stored.dtype]
        if stored.first_byte % dtype.itemsize:
            data = data.clone()  # the format allows unaligned tensors; torch does not
        return data.view(dtype).view(stored.shape)

    @cached_property
    def _mapped(self) -> dict[Path, Tensor]:
        # Private mappings: pages are read when touched, shared with other processes until written.
        return {
            file: torch.from_file(
                str(file), shared=False, size=file.stat().st_size, dtype=torch.uint8
            )
            for file in {stored.file for stored in self.stored.values()}
        }


def read_json(path: Path) -> dict[str, object]:
    """The object in a JSON file; CheckpointError where there is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path.parent} has no {path.name}; it is not a checkpoint folder."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise CheckpointError(f"{path} holds {type(data).__name__}, not a JSON object.")
    return data


def _weight_files(path: Path) -> list[Path]:
    index = path / INDEX_NAME
    if index.exists():
        weight_map = read_json(index).get("weight_map")
        if not isinstance(weight_map, dict):
            raise CheckpointError(f"{index} has no weight_map; download it again.")
        files = [path / str(name) for name in sorted(set(weight_map.values()))]
    else:
        files = sorted(path.glob("*.safetensors"))
    if not files:
        raise CheckpointError(
            f"{path} has no .safetensors file; download the checkpoint's weights."
        )
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise CheckpointError(
            f"{path} lacks {_some(missing)}, which {INDEX_NAME} names; download them."
        )
    return files


def _read_headers(files: Iterable[Path]) -> dict[str, Stored]:
    stored: dict[str, Stored] = {}
    for path in files:
        for name, found in _read_header(path).items():
            if name in stored:
                raise CheckpointError(
                    f"tensor {name} is in both {stored[name].file.name} and {path.name}."
                )
            stored[name] = found
    return stored


def _read_header(path: Path) -> dict[str, Stored]:
    """What a safetensors file holds; the library checks the header, we take the offsets from it."""
    try:
        with safe_open(path, framework="pt"):
            pass
        with path.open("rb") as file:
            (header_bytes,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(header_bytes))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is truncated or not a safetensors file ({error}); download it again."
        ) from error
    header.pop("__metadata__", None)
    start = 8 + header_bytes
    return {
        name: Stored(
            path,
            tuple(entry["shape"]),
            entry["dtype"],
            start + entry["data_offsets"][0],
            start + entry["data_offsets"][1],
        )
        for name, entry in header.items()
    }


def _verify(specs: Mapping[str, TensorSpec], stored: Mapping[str, Stored], path: Path) -> None:
    missing = sorted(set(specs) - set(stored))
    if missing:
        raise CheckpointError(
            f"{path} lacks {_some(missing)}; is it the checkpoint of this config.json?"
        )
    extra = sorted(set(stored) - set(specs))
    if extra:
        raise CheckpointError(f"{path} has unexpected {_some(extra)}; is it a gpt-oss checkpoint?")
    for name, spec in specs.items():
        found = stored[name]
        if found.shape != spec.shape:
            raise CheckpointError(
                f"tensor {name} in {found.file.name} is {list(found.shape)}; config.json asks for "
                f"{list(spec.shape)}."
            )
        if found.dtype not in spec.dtypes:
            raise CheckpointError(
                f"tensor {name} in {found.file.name} is {found.dtype}; it must be "
                f"{' or '.join(sorted(spec.dtypes))}."
            )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    kind = "tensor" if not names[0].endswith(".safetensors") else "file"
    plural = "" if len(names) == 1 else "s"
    return f"{kind}{plural} {shown}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")
