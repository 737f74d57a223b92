"""MXFP4 expert matrices as the kernels of `experts` read them, packed with torch on any device.

A matrix [rows, columns] is cut into pieces of 16 rows by 64 columns, zeros filling up the last
ones. One expert's matrix is one run of bytes: the codes of all pieces, then the scales of all
pieces, both in the order [column piece, row piece].

A piece's 512 bytes of codes are 32 lanes of 16 bytes, for the 32 threads of a warp: each thread's
one 16-byte load holds just what it feeds to the tensor cores (the A operand of `mma.m16n8k16` and
of `wgmma`, PTX ISA 8.7, sections 9.7.14 and 9.7.15), so that weights pass from memory to the
matrix unit without a trip from thread to thread. Lane 4 g + c has the rows g and g + 8 of the
piece, and the columns 2 c, 2 c + 1 of each 8. Its four 32-bit words go with the four groups of 16
columns; each half of a word, low for column 2 c and high for 2 c + 1, has four codes:

    index   row     columns     bits for sign, exponent, mantissa
    0       g       0..7        15      8, 7    6
    1       g + 8   0..7        12      5, 4    3
    2       g       8..15        9      2, 1    0
    3       g + 8   8..15       14     11, 10  13

so that `(word << 3 * index) & 0x81C081C0` is a pair of bfloat16 numbers, 2^-126 times the code's
value, for all but the last, which takes three such steps: no four shifts of the mask's half go
without overlap into 16 bits. That codes stand where bfloat16 has the same bits is the idea of
triton_kernels' layout for Hopper.

Row g of a piece is the matrix' row 2 g, and row g + 8 its row 2 g + 1: gate and linear part of
SwiGLU, interleaved in checkpoints, meet in one thread.

A piece's 32 scale bytes are, for each g, those of row g and row g + 8 for the piece's first 32
columns, then for its last 32.
"""

import torch
from torch import Tensor

from netweight.model.config import MXFP4_BLOCK

__all__ = [
    "PIECE_COLUMNS",
    "PIECE_ROWS",
    "largest_scale",
    "pack_experts",
    "packed_bytes",
    "unpack_experts",
]

PIECE_ROWS, PIECE_COLUMNS = 16, 64
CODE_BYTES = PIECE_ROWS * PIECE_COLUMNS // 2
SCALE_BYTES = PIECE_ROWS * PIECE_COLUMNS // MXFP4_BLOCK


def packed_bytes(rows: int, columns: int) -> int:
    """How many bytes one expert's packed matrix takes: a multiple of 16."""
    row_pieces, column_pieces = _pieces(rows, columns)
    return row_pieces * column_pieces * (CODE_BYTES + SCALE_BYTES)


def pack_experts(blocks: Tensor, scales: Tensor, out: Tensor | None = None) -> Tensor:
    """Pack MXFP4 matrices as checkpoints have them, one expert after another.

    Args:
        blocks: uint8 [experts, rows, columns / 32, 16].
        scales: uint8 [experts, rows, columns / 32].
        out: uint8 [experts, packed_bytes(rows, columns)], to be filled; made beside `blocks` if
            None.

    Returns:
        `out`.
    """
    assert blocks.dtype == scales.dtype == torch.uint8, "blocks and scales are bytes"
    assert blocks.shape == (*scales.shape, MXFP4_BLOCK // 2), "a scale for each block of 16 bytes"
    experts, rows, num_blocks = scales.shape
    size = packed_bytes(rows, num_blocks * MXFP4_BLOCK)
    if out is None:
        out = torch.empty((experts, size), dtype=torch.uint8, device=blocks.device)
    assert out.dtype == torch.uint8, f"packed experts are bytes, not {out.dtype}"
    assert out.shape == (experts, size), f"{experts} experts take {size} bytes each"
    for expert in range(experts):
        packed_scales = _pack_scales(scales[expert])
        out[expert, : -packed_scales.numel()] = _pack_codes(blocks[expert])
        out[expert, -packed_scales.numel() :] = packed_scales
    return out


def unpack_experts(data: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Blocks and scales, as `pack_experts` took them, of packed experts: for tests and tools."""
    row_pieces, column_pieces = _pieces(rows, columns)
    num_blocks = columns // MXFP4_BLOCK
    codes = data[:, : row_pieces * column_pieces * CODE_BYTES].int()
    codes = codes.view(
        -1, column_pieces, row_pieces, 8, 4, 2, 2, 2, 2
    )  # [.., g, c, 32s, 16s, h, byte]
    halves = codes[..., 0] | codes[..., 1] << 8
    fields = torch.stack([_code(halves, index) for index in range(4)], dim=-1)
    fields = fields.unflatten(-1, (2, 2))  # [E, col, row, g, c, 32s, 16s, h, 8s, half]
    fields = fields.permute(0, 2, 3, 9, 1, 5, 6, 8, 4, 7)
    matrix = fields.reshape(-1, row_pieces * PIECE_ROWS, column_pieces * PIECE_COLUMNS)
    matrix = matrix[:, :rows, :columns]
    blocks = matrix[..., 0::2] | matrix[..., 1::2] << 4
    scales = _scales(data, rows, columns).permute(0, 2, 3, 5, 1, 4)
    scales = scales.reshape(-1, row_pieces * PIECE_ROWS, 2 * column_pieces)
    return (
        blocks.to(torch.uint8).unflatten(-1, (num_blocks, MXFP4_BLOCK // 2)),
        scales[:, :rows, :num_blocks].contiguous(),
    )


def largest_scale(data: Tensor, rows: int, columns: int) -> int:
    """The largest scale byte of packed experts uint8 [experts, packed_bytes]; waits for it."""
    return int(_scales(data, rows, columns).max())


def _pieces(rows: int, columns: int) -> tuple[int, int]:
    assert columns % MXFP4_BLOCK == 0, f"{columns} columns are not whole blocks"
    return -(-rows // PIECE_ROWS), -(-columns // PIECE_COLUMNS)


def _scales(data: Tensor, rows: int, columns: int) -> Tensor:
    row_pieces, column_pieces = _pieces(rows, columns)
    scales = data[:, row_pieces * column_pieces * CODE_BYTES :]
    return scales.reshape(-1, column_pieces, row_pieces, 8, 2, 2)  # [E, col, row, g, 32s, half]


def _pack_codes(blocks: Tensor) -> Tensor:
    rows, num_blocks = blocks.shape[:2]
    row_pieces, column_pieces = _pieces(rows, num_blocks * MXFP4_BLOCK)
    codes = torch.stack((blocks & 0x0F, blocks >> 4), dim=-1).view(rows, -1)  # [rows, columns]
    codes = _filled(codes, row_pieces * PIECE_ROWS, column_pieces * PIECE_COLUMNS).int()
    codes = codes.view(row_pieces, 8, 2, column_pieces, 2, 2, 2, 4, 2)
    # From [row, g, half, col, 32s, 16s, 8s, c, h] to [col, row, g, c, 32s, 16s, h, 8s, half].
    codes = codes.permute(3, 0, 1, 7, 4, 5, 8, 6, 2)
    halves = _field(codes[..., 0, 0], 0)
    for index in (1, 2, 3):
        halves = halves | _field(codes[..., index >> 1, index & 1], index)
    return torch.stack((halves & 0xFF, halves >> 8), dim=-1).to(torch.uint8).view(-1)


def _pack_scales(scales: Tensor) -> Tensor:
    row_pieces, column_pieces = _pieces(scales.shape[0], scales.shape[1] * MXFP4_BLOCK)
    scales = _filled(scales, row_pieces * PIECE_ROWS, 2 * column_pieces)
    return scales.view(row_pieces, 8, 2, column_pieces, 2).permute(3, 0, 1, 4, 2).reshape(-1)


def _filled(matrix: Tensor, rows: int, columns: int) -> Tensor:
    below, right = rows - matrix.shape[0], columns - matrix.shape[1]
    return torch.nn.functional.pad(matrix, (0, right, 0, below))


def _field(codes: Tensor, index: int) -> Tensor:
    """Codes int32 on their bits of a half word."""
    if index < 3:
        return ((codes & 0x8) << 12 | (codes & 0x7) << 6) >> 3 * index
    return (codes & 0x8) << 11 | (codes & 0x6) << 9 | (codes & 0x1) << 13


def _code(halves: Tensor, index: int) -> Tensor:
    """The inverse of `_field`, other bits disregarded."""
    if index < 3:
        halves = halves << 3 * index
        return halves >> 12 & 0x8 | halves >> 6 & 0x7
    return halves >> 11 & 0x8 | halves >> 9 & 0x6 | halves >> 13 & 0x1
