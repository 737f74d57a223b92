"""A model divided among ranks: which part of each tensor a rank holds, and what memory it takes.

Attention is divided by heads, the mixture by experts, the output matrix by rows of the vocabulary
(Shoeybi et al. 2019, arXiv 1909.08053, section 3; Lepikhin et al. 2020, arXiv 2006.16668, section
3.1). Embedding, norms and router are the same everywhere, so that every rank makes the same choice
of experts. Knows nothing of processes.
"""

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from netweight.errors import NetweightError, NotEnoughMemory
from netweight.model.budget import (
    MAX_CONTEXTS,
    MIN_CONTEXT,
    WORKING_BYTES,
    Budget,
    context_bytes,
)
from netweight.model.checkpoint import Checkpoint, tensor_specs
from netweight.model.config import Config
from netweight.model.kernels import REFERENCE, Kernels
from netweight.model.weights import Weights, load_weights

MAX_RANKS = 8  # GPUs of one machine
_ROWS, _COLUMNS = 0, 1


@dataclass(frozen=True)
class Shard:
    """What one of `num_ranks` ranks holds of a model."""

    rank: int
    num_ranks: int

    def config(self, config: Config) -> Config:
        """The shape that attention has here. The number of experts stays that of the model.

        Raises:
            NetweightError: when so many ranks cannot share the model.
        """
        check_ranks(config, self.num_ranks)
        return replace(
            config,
            num_attention_heads=config.num_attention_heads // self.num_ranks,
            num_key_value_heads=config.num_key_value_heads // self.num_ranks,
        )

    def span(self, size: int) -> tuple[int, int]:
        """Where this rank's part of so many rows starts and stops; the last may be smaller."""
        part = -(-size // self.num_ranks)
        return min(self.rank * part, size), min((self.rank + 1) * part, size)

    def part(self, name: str, tensor: Tensor) -> Tensor:
        """This rank's part of the tensor `name` (Hugging Face's name), a view of it."""
        axis = _axis(name)
        if axis is None:
            return tensor
        start, stop = self.span(tensor.shape[axis])
        return tensor.narrow(axis, start, stop - start)

    def num_bytes(self, config: Config, *, packed: bool = True) -> int:
        """Bytes of all weights here: bfloat16, and MXFP4 for the experts of a packed checkpoint."""
        specs = tensor_specs(config, "huggingface", packed=packed)
        return sum(
            math.prod(self._shape(name, spec.shape)) * (1 if "U8" in spec.dtypes else 2)
            for name, spec in specs.items()
        )

    def _shape(self, name: str, shape: tuple[int, ...]) -> list[int]:
        axis = _axis(name)
        sizes = list(shape)
        if axis is not None:
            start, stop = self.span(sizes[axis])
            sizes[axis] = stop - start
        return sizes


def _axis(name: str) -> int | None:
    """The axis along which a tensor is divided; None: every rank has all of it."""
    part = name.rpartition(".self_attn.")[2]
    if part == "o_proj.weight":
        return _COLUMNS
    is_of_heads = part.startswith(("q_proj.", "k_proj.", "v_proj.")) or part == "sinks"
    return _ROWS if is_of_heads or ".mlp.experts." in name or name == "lm_head.weight" else None


def allowed_ranks(config: Config) -> list[int]:
    """How many ranks, from 2 up, can share a model: its key heads and experts must divide."""
    return [
        num_ranks
        for num_ranks in range(2, MAX_RANKS + 1)
        if config.num_key_value_heads % num_ranks == 0 and config.num_experts % num_ranks == 0
    ]


def check_ranks(config: Config, num_ranks: int) -> None:
    """Raise NetweightError, naming what is allowed, when so many ranks cannot share the model."""
    allowed = allowed_ranks(config)
    if num_ranks not in allowed:
        remedy = f"Take {' or '.join(map(str, allowed))}." if allowed else "Run it on one."
        raise NetweightError(
            f"{num_ranks} ranks cannot share this model: its {config.num_key_value_heads} key "
            f"heads and {config.num_experts} experts have to be divided among them. {remedy}"
        )


@dataclass(frozen=True)
class CheckpointPart(Checkpoint):
    """A checkpoint of which a rank sees its part. Its `config` is that of the whole."""

    shard: Shard

    @classmethod
    def of(cls, checkpoint: Checkpoint, shard: Shard) -> "CheckpointPart":
        """A rank's part of `checkpoint`."""
        same = {field.name: getattr(checkpoint, field.name) for field in fields(Checkpoint)}
        return cls(**same, shard=shard)

    def tensor(self, name: str) -> Tensor:
        """The rank's part of a tensor: a view of the mapped file, but a copy of some columns."""
        # A view would keep all columns in memory, where it is some of them.
        return self.shard.part(name, super().tensor(name)).contiguous()


def load_shard(
    checkpoint: Checkpoint,
    shard: Shard,
    dtype: torch.dtype,
    kernels: Kernels,
    device: torch.device,
) -> Weights:
    """A rank's part of the weights on `device`, floating-point ones in `dtype`; no more is read.

    Its output projections and mixtures give this rank's share of a sum, and its output matrix the
    logits of its share of the vocabulary: `parallel.joined` puts them together.
    """
    part = CheckpointPart.of(checkpoint, shard)
    if kernels is REFERENCE:
        return load_weights(part, dtype, kernels, device)
    from netweight.model.device_weights import load_device_weights

    return load_device_weights(part, dtype, device)


def plan_shard(
    checkpoint: Checkpoint, shard: Shard, total_bytes: int, working_bytes: int = WORKING_BYTES
) -> Budget:
    """What of a rank's `total_bytes` is for keys and values, beside its weights and its work.

    Raises:
        NotEnoughMemory: saying how much would do; experts of a shard are never left elsewhere.
    """
    here = shard.config(checkpoint.config)
    fixed = shard.num_bytes(checkpoint.config, packed=checkpoint.packed) + working_bytes
    needed = fixed + context_bytes(here, MIN_CONTEXT)
    if total_bytes < needed:
        raise NotEnoughMemory(
            f"each of {shard.num_ranks} ranks needs {needed / 2**30:.1f} GiB of memory for its "
            f"part of this model, and {total_bytes / 2**30:.1f} GiB may be used. Free some, raise "
            "--memory, or share the model among more ranks."
        )
    return Budget(
        min(total_bytes - fixed, MAX_CONTEXTS * context_bytes(here, here.max_context)), None
    )
