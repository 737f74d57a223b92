"""Every weight that an expert's bytes can hold, as the plain and the inline-PTX code unpack it."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from netweight.model.kernels.gpu import packed
from netweight.model.kernels.gpu.experts import MOST_FAST_SCALE, _weights

_COLUMNS = 64


@triton.jit  # type: ignore[untyped-decorator]  # Triton's language has no types
def _unpack(out, data, ROWS: tl.constexpr, FAST: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    words = data.to(tl.pointer_type(tl.int32))
    piece = tl.arange(0, ROWS // 16)[:, None, None]
    codes = tl.load(words + piece * 128 + tl.arange(0, 128)[None, None, :])
    scales = tl.load(words + ROWS // 16 * 128 + piece * 8 + tl.arange(0, 8)[None, None, :])
    at = tl.arange(0, ROWS)[:, None] * 64 + tl.arange(0, 64)[None, :]
    tl.store(out + at, _weights(codes, scales, tl.bfloat16, FAST))


def every_code_and_scale(first: int) -> tuple[Tensor, Tensor]:
    """Blocks and scales of a matrix [64, 64] with 64 scale bytes from `first`, and all codes."""
    codes = torch.arange(_COLUMNS).repeat(64, 1) + torch.arange(64)[:, None]  # at every place
    codes = (codes % 16).view(64, 2, 16, 2)
    blocks = (codes[..., 0] | codes[..., 1] << 4).to(torch.uint8)
    scales = (first + torch.arange(64)).repeat(2, 1).T.clamp(max=MOST_FAST_SCALE)
    return blocks[None], scales.to(torch.uint8)[None].contiguous()


def unpacked(blocks: Tensor, scales: Tensor, device: torch.device, *, fast: bool) -> Tensor:
    """The matrix in bfloat16 on the device, rows in packed order."""
    data = packed.pack_experts(blocks.to(device), scales.to(device))
    out = torch.full((64, _COLUMNS), torch.nan, dtype=torch.bfloat16, device=device)
    _unpack[(1,)](out, data, ROWS=64, FAST=fast)
    return out


def differences(device: torch.device) -> tuple[int, int]:
    """Of all weights with scale bytes up to MOST_FAST_SCALE: how many differ, and how many are."""
    wrong = count = 0
    for first in range(0, MOST_FAST_SCALE + 1, 64):
        blocks, scales = every_code_and_scale(first)
        plain, fast = (unpacked(blocks, scales, device, fast=each) for each in (False, True))
        wrong += int((plain.view(torch.int16) != fast.view(torch.int16)).sum())
        wrong += int(plain.isnan().sum())
        count += plain.numel()
    return wrong, count
