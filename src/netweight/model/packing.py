"""A checkpoint's weights as the native kernels want them: packed once, and mapped ever after.

Small models are packed in memory at each start. The experts of a model that is larger than memory
are not packed into a file, which would double its place on disk: each is read from the checkpoint
and packed when it is used, into one of a fixed number of slots.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.model.budget import Budget, Dense
from netweight.model.catalog import models_folder
from netweight.model.checkpoint import Checkpoint
from netweight.model.direct import DirectFile
from netweight.model.expert_cache import ExpertCache, Key
from netweight.model.kernels import packed as native
from netweight.model.kernels import rows as native_rows
from netweight.model.packfile import Array, Progress, open_or_build
from netweight.model.weights import LayerWeights, Mixture, Weights

_IN_MEMORY_BYTES = 256 << 20  # models up to this size are packed at each start: it takes a moment

_PART_BYTES = 2 << 20  # of an expert that are read at once

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


def packed_linear(weight: Tensor) -> native.PackedLinear:
    """A matrix [out, in] of an adapter, packed as bfloat16."""
    return native.PackedLinear(native.pack("bf16", weight), "bf16", *weight.shape)


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

    parts = [
        *_parts("gate_up", 2 * config.intermediate_size, config.hidden_size, 0),
        *_parts("down", config.hidden_size, config.intermediate_size, gate_up),
    ]

    def read(key: Key, index: int, slot: Tensor) -> None:
        part = parts[index]
        name = f"model.layers.{key.layer}.mlp.experts.{part.matrix}_proj"
        blocks = _read_rows(checkpoint, f"{name}_blocks", key.expert, part, blocks_of)
        scales = _read_rows(checkpoint, f"{name}_scales", key.expert, part, scales_of)
        native.pack_experts(blocks[None], scales[None], slot[part.first_byte : part.end_byte][None])

    num_experts = config.num_hidden_layers * config.num_experts
    cache = ExpertCache(min(num_slots, num_experts), gate_up + down, read, num_parts=len(parts))
    native_rows.prefer_huge_pages(cache.slots)
    return cache


class _Part(NamedTuple):
    """Rows of an expert's matrix that are read at once, and where they stand in its slot."""

    matrix: str
    first_row: int
    end_row: int
    first_byte: int
    end_byte: int


def _parts(matrix: str, rows: int, columns: int, first_byte: int) -> Iterator[_Part]:
    """A matrix in whole tiles of about 2 MB: enough requests for the disk, none of them small."""
    tile_bytes = native.packed_bytes("mxfp4", native.TILE_ROWS, columns)
    step = max(1, _PART_BYTES // tile_bytes) * native.TILE_ROWS
    for first_row in range(0, rows, step):
        end_row = min(first_row + step, rows)
        first = first_byte + native.packed_bytes("mxfp4", first_row, columns)
        end = first_byte + native.packed_bytes("mxfp4", end_row, columns)
        yield _Part(matrix, first_row, end_row, first, end)


def _read_rows(
    checkpoint: Checkpoint, name: str, expert: int, part: _Part, files: dict[Path, DirectFile]
) -> Tensor:
    """Some rows of one expert's stored tensor, straight from disk."""
    stored = checkpoint.location(name)
    experts, rows = stored.shape[:2]
    row_bytes = (stored.end_byte - stored.first_byte) // (experts * rows)
    first = stored.first_byte + (expert * rows + part.first_row) * row_bytes
    data = files[stored.file].read(first, (part.end_row - part.first_row) * row_bytes)
    return data.view(-1, *stored.shape[2:])


@dataclass(frozen=True)
class Guess:
    """Which experts a layer will choose, guessed one layer earlier by its own router.

    A layer adds little to what passes through it, so the router of the next one already sees most
    of what it will choose by (Eliseev and Mazur 2023, arXiv 2312.17238, section 3.2).
    """

    layer: int
    router: native.PackedLinear
    rescale: Tensor  # bfloat16 [hidden]: from the earlier layer's norm to this one's
    num_experts: int

    @classmethod
    def of(cls, layer: int, earlier: LayerWeights, own: LayerWeights, num_experts: int) -> "Guess":
        """For `layer`, of which so many experts are guessed for each token."""
        assert isinstance(own.router, native.PackedLinear), "a router is packed like the rest"
        rescale = own.mlp_norm.float() / earlier.mlp_norm.float()
        finite = torch.where(rescale.isfinite(), rescale, 0)
        return cls(layer, own.router, finite.bfloat16(), num_experts)

    def experts(self, x: Tensor) -> list[int]:
        """For the earlier layer's normed x, bfloat16 [tokens, hidden]."""
        logits = self.router(x * self.rescale)
        guessed: list[int] = logits.topk(self.num_experts, dim=-1).indices.unique().tolist()
        return guessed


@dataclass(frozen=True)
class PagedMixture:
    """A mixture whose experts are brought into memory as they are chosen, or guessed."""

    layer: int
    cache: ExpertCache
    mixture: native.PackedMixture
    gate_up: Tensor  # int64 [experts], where the mixture finds them: written before each use
    down: Tensor
    gate_up_bytes: int  # of a slot; the rest is down
    next_layer: Guess | None = None

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """See Mixture."""
        experts = chosen.unique().tolist()
        slots = self.cache.hold(self.layer, experts)
        if self.next_layer is not None:
            self.cache.expect(self.next_layer.layer, self.next_layer.experts(x))
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
    layers = [
        _assemble_layer(checkpoint, dense, packed, experts, index)
        for index in range(config.num_hidden_layers)
    ]
    return Weights(
        embedding=native.PackedEmbedding(packed["embedding"][0], dense, vocab, hidden),
        layers=layers if experts is None else _with_guesses(layers, config.experts_per_token),
        norm=checkpoint.tensor("model.norm.weight").bfloat16(),
        unembedding=native.PackedLinear(packed["unembedding"][0], dense, vocab, hidden, None),
        dtype=torch.bfloat16,
    )


def _with_guesses(layers: list[LayerWeights], experts_per_token: int) -> list[LayerWeights]:
    """The layers, each but the last beginning to read what the next one will probably choose.

    That is the likelier half: a wrong guess takes the disk's time from what is needed.
    """
    num_experts = max(1, experts_per_token // 2)
    guessing = []
    for index, (layer, following) in enumerate(pairwise(layers)):
        assert isinstance(layer.mixture, PagedMixture), "experts are in a cache"
        guess = Guess.of(index + 1, layer, following, num_experts)
        guessing.append(replace(layer, mixture=replace(layer.mixture, next_layer=guess)))
    return [*guessing, layers[-1]]


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
