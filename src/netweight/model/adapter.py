"""LoRA adapters at work: what a fine-tune adds to a model's attention and output matrices.

A matrix W becomes W + B A, with A and B of low rank (arXiv 2106.09685, section 4.1). The sum is
never made: each token takes the way through its own adapter's A and B beside the way through W, so
that tokens of different adapters share a step. `adapter_files` reads adapters from disk.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from netweight.model.config import Config
from netweight.model.weights import Linear

Matrix = tuple[int, Literal["qkv", "out"]] | Literal["unembedding"]
"""A matrix of the model as `weights` has it: with its layer's index where it is a layer's."""


class Factors(NamedTuple):
    """A low-rank matrix as a product B A."""

    a: Tensor  # [rank, in]
    b: Tensor  # [out, rank], any scale in it


class LowRank(NamedTuple):
    """Factors as they are applied."""

    a: Linear  # in to rank
    b: Linear  # rank to out

    def __call__(self, x: Tensor) -> Tensor:
        """[tokens, in] to [tokens, out], in x's dtype."""
        return self.b(self.a(x))


@dataclass(frozen=True)
class Adapter:
    """What one fine-tune adds, by the matrix that it adds to."""

    added: Mapping[Matrix, LowRank]
    num_bytes: int  # of memory that it takes


class Adapted(NamedTuple):
    """Rows that have the same adapter."""

    adapter: Adapter
    rows: Tensor  # int64


def assemble_adapter(
    config: Config, factors: Mapping[str, Factors], linear: Callable[[Tensor], Linear]
) -> Adapter:
    """An adapter from what it adds to matrices by Hugging Face name, as `model.layers.0...q_proj`.

    Queries, keys and values are one matrix here, and so their factors become one pair: A one below
    the other, B along the diagonal. `linear` makes what applies a matrix [out, in].
    """
    hidden, q_size, kv_size = config.hidden_size, config.query_size, config.key_value_size
    parts: dict[Matrix, list[Factors]] = {}
    for index in range(config.num_hidden_layers):
        prefix = f"model.layers.{index}.self_attn."
        parts[index, "qkv"] = [
            factors.get(f"{prefix}{name}_proj", _nothing(hidden, size))
            for name, size in (("q", q_size), ("k", kv_size), ("v", kv_size))
        ]
        parts[index, "out"] = [factors.get(f"{prefix}o_proj", _nothing(q_size, hidden))]
    parts["unembedding"] = [factors.get("lm_head", _nothing(hidden, config.vocab_size))]
    joined = {
        matrix: Factors(torch.cat([a for a, _ in pairs]), torch.block_diag(*[b for _, b in pairs]))
        for matrix, pairs in parts.items()
    }
    joined = {matrix: pair for matrix, pair in joined.items() if pair.a.shape[0] > 0}
    added = {matrix: LowRank(linear(a), linear(b)) for matrix, (a, b) in joined.items()}
    num_values = sum(a.numel() + b.numel() for a, b in joined.values())
    return Adapter(added, 2 * num_values)


def _nothing(columns: int, rows: int) -> Factors:
    return Factors(torch.empty((0, columns)), torch.empty((rows, 0)))


def group(
    adapters: Mapping[str, Adapter], names: Sequence[str | None], starts: Tensor
) -> list[Adapted]:
    """A step's tokens by adapter; those that have none are in no group.

    Args:
        adapters: by name.
        names: of each sequence's adapter; empty when no sequence has one.
        starts: as Layout has them.
    """
    if all(name is None for name in names):
        return []
    rows: dict[str, list[int]] = {}
    for name, (start, stop) in zip(names, pairwise(starts.tolist()), strict=True):
        if name is not None:
            rows.setdefault(name, []).extend(range(start, stop))
    return [
        Adapted(adapters[name], torch.tensor(places, device=starts.device))
        for name, places in rows.items()
    ]


def chosen(adapted: Sequence[Adapted], rows: Tensor) -> list[Adapted]:
    """The groups among chosen rows, int64, by their places there: for the unembedding."""
    return [
        Adapted(adapter, torch.isin(rows, own).nonzero().flatten())
        for adapter, own in adapted
        if "unembedding" in adapter.added
    ]


def with_adapters(y: Tensor, x: Tensor, matrix: Matrix, adapted: Sequence[Adapted]) -> Tensor:
    """What the matrix made of x [rows, in], y [rows, out], and what adapters add to it."""
    for adapter, rows in adapted:
        added = adapter.added.get(matrix)
        if added is not None:
            # Rounds what is added once and the sum once more, as PEFT does in the same dtype.
            y.index_add_(0, rows, added(x[rows]).to(y.dtype))
    return y
