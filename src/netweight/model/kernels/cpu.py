"""The native CPU kernels (native/, built as netweight._native) on torch tensors.

Formulas, memory layouts and tolerances are those of the functions of the same name in `reference`.
"""

import torch
from torch import Tensor

import netweight._native as _native

__all__ = ["dequantize_mxfp4"]


def dequantize_mxfp4(blocks: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    """Unpack blocks [..., columns / 32, 16], scales [..., columns / 32] to [..., columns]."""
    shape = (*scales.shape[:-1], scales.shape[-1] * 32)
    flat_blocks = blocks.contiguous().flatten().numpy()
    flat_scales = scales.contiguous().flatten().numpy()
    if dtype == torch.bfloat16:
        out = torch.empty(shape, dtype=torch.bfloat16)
        _native.mxfp4_to_bfloat16(
            flat_blocks, flat_scales, out.flatten().view(torch.uint16).numpy()
        )
        return out
    out = torch.empty(shape, dtype=torch.float32)
    _native.mxfp4_to_float32(flat_blocks, flat_scales, out.flatten().numpy())
    return out.to(dtype)
