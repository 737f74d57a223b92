"""A checkpoint's weights as the native kernels want them: packed once, and mapped ever after.

Small models are packed in memory at each start. The experts of a model that is larger than memory
are not packed into a file, which would double its place on disk: each is read from the checkpoint
and packed when it is used, into one of a fixed number of slots.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from netweight.model.budget import Budget, Dense
from netweight.model.catalog import models_folder
from netweight.model.checkpoint import Checkpoint
from netweight.model.direct import DirectFile
from netweight.model.expert_cache import ExpertCache, Key
from netweight.model.kernels import packed as native
from netweight.model.packfile import Array, Progress, open_or_build
from netweight.model.weights import LayerWeights, Mixture, Weights

_IN_MEMORY_BYTES = 256 << 20  # models up to this size are packed at each start: it takes a moment

# Part of what a packed file is checked against: raise it when the kernels' layout changes.
_LAYOUT_VERSION = 1

Packed = dict[str, Tensor]  # uint8 [parts, part_bytes] by name; a part is a matrix


def load_packed(
    checkpoint: Checkpoint,
    dense: Dense,
    budget: Budget,
    *,
    progress: Progress = lambda done, total: None,
) -> tuple[Weights, ExpertCache | None]:
    """The weights, and the cache of experts where they do not all stay in memory.

    Raises:
        CheckpointError: when there is too little disk space for the packed file.
    """
    with_experts = budget.num_expert_slots is None
    arrays = partial(_arrays, checkpoint, dense, with_experts=with_experts)
    if checkpoint.config.checkpoint_bytes <= _IN_MEMORY_BYTES:
        packed = _pack_in_memory(arrays())
    else:
        source = {
            "layout": _LAYOUT_VERSION,
            "dense": dense,
            "experts": with_experts,
            "files": _fingerprint(checkpoint),
        }
        path = _packed_path(checkpoint, dense, with_experts=with_experts)
        packed = open_or_build(path, source, arrays, progress=progress)
    experts = None
    if budget.num_expert_slots is not None:
        experts = _expert_cache(checkpoint, budget.num_expert_slots)
    return _assemble(checkpoint, dense, packed, experts), experts


def _arrays(checkpoint: Checkpoint, dense: Dense, *, with_experts: bool) -> list[Array]:
    """All packed arrays, in the order in which a token meets them."""
    arrays = [_matrix(checkpoint, "embedding", ["model.embed_tokens"], dense)]
    for index in range(checkpoint.config.num_hidden_layers):
        name, prefix = f"layers.{index}", f"model.layers.{index}"
        qkv = [f"{prefix}.self_attn.{part}_proj" for part in "qkv"]
        arrays += [
            _matrix(checkpoint, f"{name}.qkv", qkv, dense),
            _matrix(checkpoint, f"{name}.out", [f"{prefix}.self_attn.o_proj"], dense),
            _matrix(checkpoint, f"{name}.router", [f"{prefix}.mlp.router"], "bf16"),
        ]
        if with_experts:
            arrays += [_experts(checkpoint, index, part) for part in ("gate_up", "down")]
    return [*arrays, _matrix(checkpoint, "unembedding", ["lm_head"], dense)]


def _matrix(checkpoint: Checkpoint, name: str, parts: list[str], form: Dense) -> Array:
    """Matrices one below the other, packed as one."""
    tensors = [checkpoint.tensor(f"{part}.weight") for part in parts]
    rows, columns = sum(tensor.shape[0] for tensor in tensors), tensors[0].shape[1]

    def fill(_: int, out: Tensor) -> None:
        native.pack(form, torch.cat([tensor.bfloat16() for tensor in tensors]), out)

    return Array(name, 1, native.packed_bytes(form, rows, columns), fill)


def _experts(checkpoint: Checkpoint, layer: int, part: str) -> Array:
    stored = f"model.layers.{layer}.mlp.experts.{part}_proj"
    blocks, scales = checkpoint.tensor(f"{stored}_blocks"), checkpoint.tensor(f"{stored}_scales")

    def fill(expert: int, out: Tensor) -> None:
        native.pack_experts(blocks[expert, None], scales[expert, None], out[None])

    num_bytes = native.packed_bytes("mxfp4", blocks.shape[1], 32 * blocks.shape[2])
    return Array(f"layers.{layer}.{part}", blocks.shape[0], num_bytes, fill)


def _pack_in_memory(arrays: list[Array]) -> Packed:
    packed = {}
    for array in arrays:
        data = torch.empty((array.num_parts, array.part_bytes), dtype=torch.uint8)
        for index, part in enumerate(data):
            array.fill(index, part)
        packed[array.name] = data
    return packed


def _fingerprint(checkpoint: Checkpoint) -> str:
    """What tells one checkpoint from another: its files' names, sizes, times and contents."""
    digest = hashlib.sha256(repr(checkpoint.config).encode())
    for file in sorted({stored.file for stored in checkpoint.stored.values()}):
        status = file.stat()
        digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns}".encode())
    digest.update(repr(sorted(checkpoint.stored.items())).encode())
    return digest.hexdigest()


def _packed_path(checkpoint: Checkpoint, dense: Dense, *, with_experts: bool) -> Path:
    """In NETWEIGHT_HOME/packed: the folder's name, and a hash, since many folders share a name."""
    where = hashlib.sha256(os.fsencode(checkpoint.path.resolve())).hexdigest()[:8]
    kind = dense if with_experts else f"{dense}-without-experts"
    return models_folder().parent / "packed" / f"{checkpoint.path.name}-{where}-{kind}.pack"


def _expert_cache(checkpoint: Checkpoint, num_slots: int) -> ExpertCache:
    config = checkpoint.config
    gate_up = native.packed_bytes("mxfp4", 2 * config.intermediate_size, config.hidden_size)
    down = native.packed_bytes("mxfp4", config.hidden_size, config.intermediate_size)
    files = {stored.file for stored in checkpoint.stored.values()}
    # Two of each, since a read is valid until the next one of the same file and thread.
    blocks_of = {file: DirectFile(file) for file in files}
    scales_of = {file: DirectFile(file) for file in files}

    def read(key: Key, slot: Tensor) -> None:
        for part, out in (("gate_up", slot[:gate_up]), ("down", slot[gate_up:])):
            name = f"model.layers.{key.layer}.mlp.experts.{part}_proj"
            blocks = _read_expert(checkpoint, f"{name}_blocks", key.expert, blocks_of)
            scales = _read_expert(checkpoint, f"{name}_scales", key.expert, scales_of)
            native.pack_experts(blocks[None], scales[None], out[None])

    num_experts = config.num_hidden_layers * config.num_experts
    return ExpertCache(min(num_slots, num_experts), gate_up + down, read)


def _read_expert(
    checkpoint: Checkpoint, name: str, expert: int, files: dict[Path, DirectFile]
) -> Tensor:
    """One expert's part of a stored tensor, straight from disk."""
    stored = checkpoint.location(name)
    num_bytes = (stored.end_byte - stored.first_byte) // stored.shape[0]
    data = files[stored.file].read(stored.first_byte + expert * num_bytes, num_bytes)
    return data.view(stored.shape[1:])


@dataclass(frozen=True)
class PagedMixture:
    """A mixture whose experts are brought into memory as they are chosen."""

    layer: int
    cache: ExpertCache
    mixture: native.PackedMixture
    gate_up: Tensor  # int64 [experts], where the mixture finds them: written before each use
    down: Tensor
    gate_up_bytes: int  # of a slot; the rest is down

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """See Mixture."""
        experts = chosen.unique().tolist()
        slots = self.cache.hold(self.layer, experts)
        base, slot_bytes = self.cache.slots.data_ptr(), self.cache.slots.shape[1]
        addresses = torch.tensor([base + slot * slot_bytes for slot in slots])
        self.gate_up[experts] = addresses
        self.down[experts] = addresses + self.gate_up_bytes
        return self.mixture(x, weights, chosen)


def _assemble(
    checkpoint: Checkpoint, dense: Dense, packed: Packed, experts: ExpertCache | None
) -> Weights:
    config = checkpoint.config
    vocab, hidden = config.vocab_size, config.hidden_size
    return Weights(
        embedding=native.PackedEmbedding(packed["embedding"][0], dense, vocab, hidden),
        layers=[
            _assemble_layer(checkpoint, dense, packed, experts, index)
            for index in range(config.num_hidden_layers)
        ],
        norm=checkpoint.tensor("model.norm.weight").bfloat16(),
        unembedding=native.PackedLinear(packed["unembedding"][0], dense, vocab, hidden, None),
        dtype=torch.bfloat16,
    )


def _assemble_layer(
    checkpoint: Checkpoint, dense: Dense, packed: Packed, experts: ExpertCache | None, index: int
) -> LayerWeights:
    config, name, prefix = checkpoint.config, f"layers.{index}", f"model.layers.{index}."
    hidden, q_size, kv_size = config.hidden_size, config.query_size, config.key_value_size

    def tensor(part: str) -> Tensor:
        return checkpoint.tensor(prefix + part).bfloat16()

    def linear(
        part: str, form: Dense, rows: int, columns: int, bias: Tensor
    ) -> native.PackedLinear:
        return native.PackedLinear(packed[f"{name}.{part}"][0], form, rows, columns, bias)

    qkv_bias = torch.cat([tensor(f"self_attn.{part}_proj.bias") for part in "qkv"])
    return LayerWeights(
        attention_norm=tensor("input_layernorm.weight"),
        qkv=linear("qkv", dense, q_size + 2 * kv_size, hidden, qkv_bias),
        sinks=tensor("self_attn.sinks"),
        out=linear("out", dense, hidden, q_size, tensor("self_attn.o_proj.bias")),
        mlp_norm=tensor("post_attention_layernorm.weight"),
        router=linear("router", "bf16", config.num_experts, hidden, tensor("mlp.router.bias")),
        mixture=_mixture(checkpoint, packed, experts, index),
    )


def _mixture(
    checkpoint: Checkpoint, packed: Packed, experts: ExpertCache | None, index: int
) -> Mixture:
    config, prefix = checkpoint.config, f"model.layers.{index}.mlp.experts."

    def mixture(gate_up: Tensor, down: Tensor) -> native.PackedMixture:
        return native.PackedMixture(
            gate_up,
            checkpoint.tensor(f"{prefix}gate_up_proj_bias").bfloat16(),
            down,
            checkpoint.tensor(f"{prefix}down_proj_bias").bfloat16(),
            alpha=config.swiglu_alpha,
            limit=config.swiglu_limit,
        )

    if experts is None:
        return mixture(packed[f"layers.{index}.gate_up"], packed[f"layers.{index}.down"])
    gate_up, down = torch.zeros((2, config.num_experts), dtype=torch.int64)
    gate_up_bytes = native.packed_bytes("mxfp4", 2 * config.intermediate_size, config.hidden_size)
    return PagedMixture(index, experts, mixture(gate_up, down), gate_up, down, gate_up_bytes)
