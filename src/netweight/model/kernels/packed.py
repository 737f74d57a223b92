"""Packed matrices of the native kernels: packing them, and layers over them.

native/pack.h has the layouts, native/tiles.h the arithmetic, docs/numerics.md the tolerances. One
layout serves every instruction set. Packed data may lie anywhere (a memory map, a slot of a cache
of experts) and is never copied.
"""

from typing import Literal

import torch
from torch import Tensor

import netweight._native as _native
from netweight.model.config import MXFP4_BLOCK

__all__ = [
    "PackedEmbedding",
    "PackedLinear",
    "PackedMixture",
    "pack",
    "pack_experts",
    "packed_bytes",
    "unpack",
    "unpack_experts",
]

DenseForm = Literal["bf16", "int8"]
Form = Literal["bf16", "int8", "mxfp4"]

TILE_ROWS = 16
MOST_SLOTS = 64  # experts per token that the native mixture takes


def packed_bytes(form: Form, rows: int, columns: int) -> int:
    """How many bytes a packed matrix takes."""
    return int(_native.packed_bytes(form, rows, columns))


def pack(form: DenseForm, weight: Tensor, out: Tensor | None = None) -> Tensor:
    """Pack [rows, columns].

    Args:
        form: bf16 (float32 weights are rounded) or int8 (a float16 scale for 32 inputs, weights
            rounded to its 255 multiples and cut at 8e6).
        weight: bfloat16 or float32.
        out: uint8 [packed_bytes], to be filled; made if None.

    Returns:
        `out`.
    """
    assert weight.dim() == 2, f"a matrix has two dimensions, not {weight.dim()}"
    assert weight.dtype in (torch.bfloat16, torch.float32), f"cannot pack {weight.dtype}"
    if form == "bf16":
        weight = weight.to(torch.bfloat16)
    weight = weight.contiguous()
    rows, columns = weight.shape
    out = _bytes_for(packed_bytes(form, rows, columns), out)
    is_float32 = weight.dtype == torch.float32
    _native.pack(form, weight.data_ptr(), is_float32, rows, columns, out.data_ptr())
    return out


def pack_experts(blocks: Tensor, scales: Tensor, out: Tensor | None = None) -> Tensor:
    """Pack MXFP4 matrices as checkpoints have them.

    Args:
        blocks: uint8 [experts, rows, columns / 32, 16].
        scales: uint8 [experts, rows, columns / 32].
        out: uint8 [experts, packed_bytes("mxfp4", rows, columns)], to be filled; made if None.

    Returns:
        `out`.
    """
    assert blocks.dtype == scales.dtype == torch.uint8, "blocks and scales are bytes"
    assert blocks.shape == (*scales.shape, MXFP4_BLOCK // 2), "a scale for each block of 16 bytes"
    blocks, scales = blocks.contiguous(), scales.contiguous()
    experts, rows, num_blocks = scales.shape
    columns = num_blocks * MXFP4_BLOCK
    size = packed_bytes("mxfp4", rows, columns)
    if out is None:
        out = torch.empty((experts, size), dtype=torch.uint8)
    assert out.shape == (experts, size), f"{experts} experts take {size} bytes each"
    for expert in range(experts):
        to = _bytes_for(size, out[expert])
        _native.pack_mxfp4(
            blocks[expert].data_ptr(), scales[expert].data_ptr(), rows, columns, to.data_ptr()
        )
    return out


def unpack(form: DenseForm, data: Tensor, rows: int, columns: int) -> Tensor:
    """The weights [rows, columns] of a packed matrix, in float32: slow, for tests and tools."""
    tiles = data.view(-1, packed_bytes(form, TILE_ROWS, columns))  # [tiles, bytes of a tile]
    num_blocks = _count_blocks(columns)
    num_values = num_blocks * MXFP4_BLOCK * TILE_ROWS
    if form == "bf16":
        values = tiles.view(torch.bfloat16).float()
    else:
        values = tiles[:, :num_values].contiguous().view(torch.int8).float()
    values = values.view(-1, num_blocks, MXFP4_BLOCK // 2, TILE_ROWS, 2).transpose(2, 3)
    values = values.flatten(3)  # [tiles, blocks, 16, 32]
    if form == "int8":
        scales = tiles[:, num_values:].contiguous().view(torch.float16).float()
        values = values * scales[:, : num_blocks * TILE_ROWS].view(-1, num_blocks, TILE_ROWS, 1)
    return values.transpose(1, 2).flatten(2).flatten(0, 1)[:rows, :columns].contiguous()


def unpack_experts(data: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Blocks and scales, as `pack_experts` took them, of packed experts: for tests and tools."""
    experts, num_blocks = data.shape[0], columns // MXFP4_BLOCK
    tiles = data.view(experts, -1, packed_bytes("mxfp4", TILE_ROWS, columns))
    num_nibble_bytes = num_blocks * TILE_ROWS * MXFP4_BLOCK // 2
    groups = tiles[..., :num_nibble_bytes].reshape(experts, -1, num_blocks, 4, TILE_ROWS, 4)
    codes = torch.stack((groups & 0x0F, groups >> 4), dim=-2)  # [.., blocks, 4, 16, 2, 4]
    codes = codes.transpose(3, 4).flatten(4)  # [experts, tiles, blocks, 16, 32]
    blocks = (codes[..., 0::2] | codes[..., 1::2] << 4).transpose(2, 3).flatten(1, 2)
    scales = tiles[..., num_nibble_bytes : num_nibble_bytes + num_blocks * TILE_ROWS]
    scales = scales.reshape(experts, -1, num_blocks, TILE_ROWS).transpose(2, 3).flatten(1, 2)
    return blocks[:, :rows].contiguous(), scales[:, :rows].contiguous()


class PackedLinear:
    """A packed matrix and its bias: x W^T + b, rounded once."""

    def __init__(
        self, data: Tensor, form: Form, rows: int, columns: int, bias: Tensor | None = None
    ) -> None:
        """Over packed data, which is not copied.

        Args:
            data: uint8 [packed_bytes(form, rows, columns)].
            form: as it was packed; mxfp4 is one expert of `pack_experts`.
            rows: outputs.
            columns: inputs.
            bias: bfloat16 [rows].
        """
        self.rows, self.columns = rows, columns
        self._data = _bytes_for(packed_bytes(form, rows, columns), data)
        self._bias = _bias(bias, (rows,))
        address = 0 if self._bias is None else self._bias.data_ptr()
        self._matrix = _native.Matrix(form, data.data_ptr(), rows, columns, address)

    def __call__(self, x: Tensor) -> Tensor:
        """Bfloat16 [tokens, columns] to bfloat16 [tokens, rows]."""
        x = _activations(x, self.columns)
        out = torch.empty((x.shape[0], self.rows), dtype=torch.bfloat16)
        self._matrix.linear(x.data_ptr(), x.shape[0], out.data_ptr())
        return out

    def logits(self, x: Tensor) -> Tensor:
        """Bfloat16 [tokens, columns] to float32 [tokens, rows]: the sums as they are."""
        x = _activations(x, self.columns)
        out = torch.empty((x.shape[0], self.rows), dtype=torch.float32)
        self._matrix.logits(x.data_ptr(), x.shape[0], out.data_ptr())
        return out


class PackedEmbedding:
    """Rows of a packed matrix by token id."""

    def __init__(self, data: Tensor, form: DenseForm, rows: int, columns: int) -> None:
        """Over packed data, as PackedLinear: the same data may serve both."""
        self.rows, self.columns = rows, columns
        self._data = _bytes_for(packed_bytes(form, rows, columns), data)
        self._matrix = _native.Matrix(form, data.data_ptr(), rows, columns, 0)

    def __call__(self, token_ids: Tensor) -> Tensor:
        """Int64 [tokens] to bfloat16 [tokens, columns].

        Raises:
            IndexError: for an id that is not a row.
        """
        ids = token_ids.contiguous()
        assert ids.dtype == torch.int64, f"token ids are int64, not {ids.dtype}"
        assert ids.dim() == 1, f"token ids have one dimension, not {ids.dim()}"
        out = torch.empty((ids.shape[0], self.columns), dtype=torch.bfloat16)
        self._matrix.embed(ids.data_ptr(), ids.shape[0], out.data_ptr())
        return out


class PackedMixture:
    """A layer's experts: gate_up, clamped SwiGLU and down of each token's chosen ones, weighted."""

    def __init__(
        self,
        gate_up: Tensor,
        gate_up_bias: Tensor,
        down: Tensor,
        down_bias: Tensor,
        *,
        alpha: float,
        limit: float,
    ) -> None:
        """Over packed experts, which are not copied.

        Args:
            gate_up: uint8 [experts, bytes] as of `pack_experts`, or int64 [experts] addresses of as
                many bytes each. Addresses are read anew in each call,
                and only those of chosen experts are followed: whoever moves experts about writes
                them in place, and keeps the memory alive.
            gate_up_bias: bfloat16 [experts, 2 * intermediate], gate and linear in turn.
            down: like gate_up, of hidden rows and intermediate columns.
            down_bias: bfloat16 [experts, hidden].
            alpha: of SwiGLU.
            limit: of SwiGLU.
        """
        self.experts, double = gate_up_bias.shape
        self.hidden, self.intermediate = down_bias.shape[1], double // 2
        assert self.hidden % MXFP4_BLOCK == 0, f"hidden size {self.hidden} is not whole blocks"
        assert self.intermediate % MXFP4_BLOCK == 0, f"{self.intermediate} is not whole blocks"
        self._biases = (
            _bias(gate_up_bias, (self.experts, double)),
            _bias(down_bias, (self.experts, self.hidden)),
        )
        self._kept = (gate_up, down)
        self._addresses = (
            _addresses(gate_up, self.experts, packed_bytes("mxfp4", double, self.hidden)),
            _addresses(down, self.experts, packed_bytes("mxfp4", self.hidden, self.intermediate)),
        )
        self._mixture = _native.Mixture(
            self._addresses[0].data_ptr(),
            gate_up_bias.data_ptr(),
            self._addresses[1].data_ptr(),
            down_bias.data_ptr(),
            self.experts,
            self.hidden,
            self.intermediate,
            alpha,
            limit,
        )

    def __call__(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The weighted sum over slots of the experts' outputs, rounded once.

        Args:
            x: bfloat16 [tokens, hidden].
            weights: float32 [tokens, slots].
            chosen: int64 or int32 [tokens, slots], the experts.

        Raises:
            IndexError: for an expert that is none.
        """
        x = _activations(x, self.hidden)
        tokens, slots = chosen.shape
        assert weights.shape == chosen.shape, "a weight for each chosen expert"
        assert tokens == x.shape[0], f"{tokens} choices for {x.shape[0]} tokens"
        assert slots <= MOST_SLOTS, f"{slots} experts per token; at most {MOST_SLOTS} are built"
        weights, chosen = weights.float().contiguous(), chosen.long().contiguous()
        out = torch.empty((tokens, self.hidden), dtype=torch.bfloat16)
        self._mixture.call(
            x.data_ptr(), weights.data_ptr(), chosen.data_ptr(), tokens, slots, out.data_ptr()
        )
        return out


def _bytes_for(size: int, data: Tensor | None) -> Tensor:
    if data is None:
        return torch.empty(size, dtype=torch.uint8)
    assert data.dtype == torch.uint8, f"packed data are bytes, not {data.dtype}"
    assert data.is_contiguous(), "packed data stand in one piece"
    assert data.numel() == size, f"{data.numel()} bytes, where the matrix takes {size}"
    return data


def _bias(bias: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    if bias is None:
        return None
    assert bias.dtype == torch.bfloat16, f"biases are bfloat16, not {bias.dtype}"
    assert bias.shape == shape, f"a bias of {tuple(bias.shape)}, not {shape}"
    assert bias.is_contiguous(), "a bias stands in one piece"
    return bias


def _addresses(experts: Tensor, count: int, size: int) -> Tensor:
    if experts.dtype == torch.int64:
        assert experts.shape == (count,), f"an address for each of {count} experts"
        assert experts.is_contiguous(), "addresses stand side by side"
        return experts
    assert experts.dtype == torch.uint8, f"packed experts are bytes, not {experts.dtype}"
    assert experts.shape == (count, size), f"{count} experts of {size} bytes each"
    assert experts[0].is_contiguous(), "an expert stands in one piece"
    return experts.data_ptr() + torch.arange(count) * experts.stride(0)


def _activations(x: Tensor, columns: int) -> Tensor:
    assert x.dtype == torch.bfloat16, f"activations are bfloat16, not {x.dtype}"
    assert x.dim() == 2, f"activations have two dimensions, not {x.dim()}"
    assert x.shape[1] == columns, f"{x.shape[1]} inputs for a matrix of {columns} columns"
    return x.contiguous()


def _count_blocks(columns: int) -> int:
    return -(-columns // MXFP4_BLOCK)
