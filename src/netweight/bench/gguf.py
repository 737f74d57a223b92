"""A gpt-oss checkpoint as one GGUF file, so that llama.cpp can run the same weights beside us.

GGUF version 3, as ggml-org/ggml's docs/gguf.md describes it: a header, metadata, a directory of
tensors, then their data, each aligned to 32 bytes. Metadata keys and tensor names are those that
llama.cpp reads for the architecture `gpt-oss`. Two things differ from the published checkpoint:

* A block of 32 MXFP4 values is 17 bytes, the scale first, and byte j holds values j and j + 16.
* The gate and linear rows, interleaved there, are two tensors here.

Unless it is given words (`gguf_words`), the file has a vocabulary of the right size and none in it,
and is run from token ids. Knows no speed and no process.
"""

import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import torch
from torch import Tensor

from netweight.bench.gguf_words import Words
from netweight.errors import CheckpointError
from netweight.model import Checkpoint, Config
from netweight.model.config import MXFP4_BLOCK

Dense = Literal["int8", "bf16"]
Progress = Callable[[int, int], None]  # bytes written, bytes in all

ALIGNMENT = 32
_Q8_0_BLOCK = 32
_CHUNK_VALUES = 1 << 23  # converted at a time: 32 MiB in float32

# ggml's numbers of tensor types, and the bytes of a block of 32 values of each.
_TYPES = {"F32": 0, "Q8_0": 8, "BF16": 30, "MXFP4": 39}
_BLOCK_BYTES = {"F32": 128, "Q8_0": 34, "BF16": 64, "MXFP4": 17}

# GGUF's numbers of metadata types.
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_VALUE_FORMAT = {_UINT32: "<I", _INT32: "<i", _FLOAT32: "<f", _BOOL: "<B"}

_Value = int | float | str
_Values = tuple[int, tuple[_Value, ...]]  # an array's element type, and its elements


@dataclass(frozen=True)
class _TensorOut:
    """A tensor of the file: its directory entry and what makes its bytes, piece by piece."""

    name: str
    shape: tuple[int, ...]  # rows last but one, columns last, as torch has it
    kind: str
    pieces: Callable[[], Iterator[bytes]]

    @property
    def num_bytes(self) -> int:
        """Bytes of the data, without padding."""
        num_values = torch.Size(self.shape).numel()
        if self.kind == "F32":
            return 4 * num_values
        return num_values // 32 * _BLOCK_BYTES[self.kind]


def convert(
    checkpoint: Checkpoint,
    path: Path,
    *,
    dense: Dense = "int8",
    words: Words | None = None,
    progress: Progress | None = None,
) -> None:
    """Write `checkpoint` to the new file `path`; it appears whole or not at all.

    Args:
        checkpoint: of either published layout, with MXFP4 experts.
        path: of the file; its folder must exist.
        dense: attention, embedding and output matrices as Q8_0 (8 bits, one scale for 32 values)
            or as bfloat16.
        words: the vocabulary, for whoever reads text.
        progress: called with bytes written and bytes in all.

    Raises:
        CheckpointError: when the experts are not packed, the shape is one that llama.cpp would
            compute differently, or the disk is too full.
    """
    _check(checkpoint)
    tensors = list(_tensors(checkpoint, dense))
    total = sum(tensor.num_bytes for tensor in tensors)
    free = shutil.disk_usage(path.parent).free
    if total > free:
        raise CheckpointError(
            f"the GGUF file needs {total / 2**30:.1f} GiB; {path.parent} has "
            f"{free / 2**30:.1f} GiB free."
        )
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_header(_metadata(checkpoint.config, words), tensors))
            _write_data(file, tensors, total, progress or (lambda done, total: None))
        Path(partial).chmod(0o644)
        Path(partial).rename(path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _check(checkpoint: Checkpoint) -> None:
    config = checkpoint.config
    if not checkpoint.packed:
        raise CheckpointError(f"{checkpoint.path} has no MXFP4 experts; GGUF needs packed ones.")
    for name in ("swiglu_limit", "rope_ntk_alpha", "rope_ntk_beta"):
        fixed, value = getattr(Config, name), getattr(config, name)
        if value != fixed:
            raise CheckpointError(
                f"llama.cpp has {name} = {fixed} built in for gpt-oss; this model has {value}."
            )


def _header(metadata: dict[str, tuple[int, _Value | _Values]], tensors: list[_TensorOut]) -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, (kind, value) in metadata.items():
        parts += [_string(key), struct.pack("<I", kind), _packed_value(kind, value)]
    offset = 0
    for tensor in tensors:
        parts += [_string(tensor.name), struct.pack("<I", len(tensor.shape))]
        parts += [struct.pack("<Q", size) for size in reversed(tensor.shape)]  # columns first
        parts.append(struct.pack("<IQ", _TYPES[tensor.kind], offset))
        offset += _aligned(tensor.num_bytes)
    header = b"".join(parts)
    return header.ljust(_aligned(len(header)), b"\0")


def _packed_value(kind: int, value: _Value | _Values) -> bytes:
    if isinstance(value, tuple):
        element_kind, elements = value
        packed = (_packed_value(element_kind, element) for element in elements)
        return struct.pack("<IQ", element_kind, len(elements)) + b"".join(packed)
    return _string(str(value)) if kind == _STRING else struct.pack(_VALUE_FORMAT[kind], value)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _aligned(num_bytes: int) -> int:
    return -(-num_bytes // ALIGNMENT) * ALIGNMENT


def _metadata(config: Config, words: Words | None) -> dict[str, tuple[int, _Value | _Values]]:
    integers = {
        "vocab_size": config.vocab_size,
        "context_length": config.max_context,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "expert_feed_forward_length": config.intermediate_size,
        "expert_count": config.num_experts,
        "expert_used_count": config.experts_per_token,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": config.head_dim,
        "attention.value_length": config.head_dim,
        "attention.sliding_window": config.sliding_window,
        "rope.dimension_count": config.head_dim,
        "rope.scaling.original_context_length": config.initial_context_length,
    }
    floats = {
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": config.rope_theta,
        "rope.scaling.factor": config.rope_scaling_factor,
    }
    return {
        "general.architecture": (_STRING, "gpt-oss"),
        "general.alignment": (_UINT32, ALIGNMENT),
        **_word_metadata(words),
        "gpt-oss.rope.scaling.type": (_STRING, "yarn"),
        **{f"gpt-oss.{name}": (_UINT32, value) for name, value in integers.items()},
        **{f"gpt-oss.{name}": (_FLOAT32, value) for name, value in floats.items()},
    }


def _word_metadata(words: Words | None) -> dict[str, tuple[int, _Value | _Values]]:
    prefix = "tokenizer.ggml."
    if words is None:
        return {f"{prefix}model": (_STRING, "no_vocab")}
    return {
        f"{prefix}model": (_STRING, "gpt2"),
        f"{prefix}pre": (_STRING, "gpt-4o"),
        f"{prefix}tokens": (_ARRAY, (_STRING, words.tokens)),
        f"{prefix}token_type": (_ARRAY, (_INT32, words.kinds)),
        f"{prefix}merges": (_ARRAY, (_STRING, words.merges)),
        f"{prefix}bos_token_id": (_UINT32, words.begin_id),
        f"{prefix}eos_token_id": (_UINT32, words.end_id),
        f"{prefix}add_bos_token": (_BOOL, 0),
    }


def _write_data(file: BinaryIO, tensors: list[_TensorOut], total: int, progress: Progress) -> None:
    done = 0
    for tensor in tensors:
        expected = done + tensor.num_bytes
        for piece in tensor.pieces():
            file.write(piece)
            done += len(piece)
            progress(done, total)
        assert done == expected, f"{tensor.name} has {done - expected} bytes too many"
        file.write(bytes(_aligned(tensor.num_bytes) - tensor.num_bytes))


def _tensors(checkpoint: Checkpoint, dense: Dense) -> Iterator[_TensorOut]:
    matrix_kind = "Q8_0" if dense == "int8" else "BF16"

    def matrix(name: str, source: str) -> _TensorOut:
        # ggml stores whole blocks: a row that is none (small shapes have such) stays bfloat16.
        weight = checkpoint.tensor(source)
        return _matrix(name, weight, "BF16" if weight.shape[-1] % _Q8_0_BLOCK else matrix_kind)

    def vector(name: str, source: str) -> _TensorOut:
        return _floats(name, checkpoint.tensor(source))

    yield matrix("token_embd.weight", "model.embed_tokens.weight")
    yield vector("output_norm.weight", "model.norm.weight")
    yield matrix("output.weight", "lm_head.weight")
    for index in range(checkpoint.config.num_hidden_layers):
        ours, theirs = f"model.layers.{index}.", f"blk.{index}."
        for name, source in _ATTENTION_NAMES.items():
            yield matrix(f"{theirs}{name}.weight", f"{ours}self_attn.{source}.weight")
            yield vector(f"{theirs}{name}.bias", f"{ours}self_attn.{source}.bias")
        for name, source in _VECTOR_NAMES.items():
            yield vector(theirs + name, ours + source)
        yield from _experts(checkpoint, ours, theirs)


_ATTENTION_NAMES = {
    "attn_q": "q_proj",
    "attn_k": "k_proj",
    "attn_v": "v_proj",
    "attn_output": "o_proj",
}
_VECTOR_NAMES = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_sinks.weight": "self_attn.sinks",
    "post_attention_norm.weight": "post_attention_layernorm.weight",
    "ffn_gate_inp.weight": "mlp.router.weight",
    "ffn_gate_inp.bias": "mlp.router.bias",
}


def _experts(checkpoint: Checkpoint, ours: str, theirs: str) -> Iterator[_TensorOut]:
    gate_up, down = f"{ours}mlp.experts.gate_up_proj", f"{ours}mlp.experts.down_proj"
    sources = {
        "ffn_gate_exps": (gate_up, slice(0, None, 2)),
        "ffn_up_exps": (gate_up, slice(1, None, 2)),
        "ffn_down_exps": (down, slice(None)),
    }
    for name, (source, rows) in sources.items():
        blocks = checkpoint.tensor(f"{source}_blocks")[:, rows]
        scales = checkpoint.tensor(f"{source}_scales")[:, rows]
        yield _packed(f"{theirs}{name}.weight", blocks, scales)
        bias = checkpoint.tensor(f"{source}_bias")[:, rows]
        yield _floats(f"{theirs}{name}.bias", bias)


def _floats(name: str, values: Tensor) -> _TensorOut:
    return _TensorOut(name, tuple(values.shape), "F32", lambda: iter([_bytes(values.float())]))


def _matrix(name: str, weight: Tensor, kind: str) -> _TensorOut:
    encode = q8_0 if kind == "Q8_0" else lambda rows: rows.to(torch.bfloat16)
    num_rows = max(1, _CHUNK_VALUES // weight.shape[-1])
    return _TensorOut(
        name,
        tuple(weight.shape),
        kind,
        lambda: (_bytes(encode(rows)) for rows in weight.split(num_rows)),
    )


def _packed(name: str, blocks: Tensor, scales: Tensor) -> _TensorOut:
    shape = (*scales.shape[:-1], scales.shape[-1] * MXFP4_BLOCK)
    experts = range(blocks.shape[0])
    return _TensorOut(
        name,
        shape,
        "MXFP4",
        lambda: (_bytes(mxfp4(blocks[expert], scales[expert])) for expert in experts),
    )


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().view(torch.uint8).numpy().tobytes()


def mxfp4(blocks: Tensor, scales: Tensor) -> Tensor:
    """Blocks uint8 [..., 16] and scales uint8 [...] as ggml has them: uint8 [..., 17]."""
    codes = torch.stack((blocks & 0x0F, blocks >> 4), dim=-1).flatten(-2)  # [..., 32]
    return torch.cat((scales[..., None], codes[..., :16] | codes[..., 16:] << 4), dim=-1)


def q8_0(rows: Tensor) -> Tensor:
    """Rows [..., columns] as ggml's Q8_0: uint8 [..., columns / 32, 34], a float16 scale first.

    The scale is the largest magnitude over 127; values are rounded to the nearest multiple of it.
    """
    blocks = rows.float().unflatten(-1, (-1, _Q8_0_BLOCK))
    scales = blocks.abs().amax(dim=-1, keepdim=True) / 127  # [..., columns / 32, 1]
    values = torch.where(scales > 0, blocks / scales, 0.0).round().to(torch.int8)
    return torch.cat((scales.half().view(torch.uint8), values.view(torch.uint8)), dim=-1)
