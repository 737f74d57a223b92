"""MXFP4: 4-bit floats in blocks of 32 along the last axis, each block with one power-of-two scale.

OCP Microscaling Formats v1.0: E2M1 elements (section 5.3), E8M0 scales (section 5.4.1). Byte b of a
block holds element 2b in its low nibble and element 2b + 1 in its high nibble, the layout of the
published gpt-oss checkpoints (openai/gpt-oss, gpt_oss/torch/weights.py). This is the definition of
right; the kernel sets have faster ones.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from netweight.model.config import MXFP4_BLOCK

E2M1 = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0)
SCALE_BIAS = 127
MAX_EXPONENT = 2  # of E2M1: 6 = 1.5 * 2^2


class Mxfp4(NamedTuple):
    """Packed values: `blocks` uint8 [..., columns / 32, 16], `scales` uint8 [..., columns / 32]."""

    blocks: Tensor
    scales: Tensor


def dequantize(blocks: Tensor, scales: Tensor, dtype: torch.dtype) -> Tensor:
    """Unpack to [..., columns]; exact in float32 and in bfloat16.

    Args:
        blocks: uint8 [..., columns / 32, 16].
        scales: uint8 [..., columns / 32]; the scale is 2^(byte - 127), 255 included, as the
            published
            converters have it (the OCP text reserves 255 for NaN).
        dtype: of the result.
    """
    table = torch.tensor(E2M1, dtype=torch.float32, device=blocks.device)
    codes = torch.stack((blocks & 0x0F, blocks >> 4), dim=-1)  # [..., columns / 32, 16, 2]
    values = table[codes.flatten(-2).int()]  # [..., columns / 32, 32]
    exponents = scales.int() - SCALE_BIAS
    return torch.ldexp(values, exponents[..., None]).flatten(-2).to(dtype)


def quantize(values: Tensor) -> Mxfp4:
    """Pack [..., columns] into MXFP4, each block scaled by its largest value's exponent.

    Section 6.3 of the OCP text: scale = 2^(floor(log2(amax)) - 2), elements rounded to nearest,
    ties to the even code, larger values saturating at 6. A block of zeros gets scale 2^0.
    """
    blocks = values.float().unflatten(-1, (-1, MXFP4_BLOCK))  # [..., columns / 32, 32]
    exponents = _shared_exponents(blocks)
    magnitudes = torch.ldexp(blocks.abs(), -exponents[..., None])
    codes = _nearest_code(magnitudes) | (torch.signbit(blocks).int() << 3)
    pairs = codes.unflatten(-1, (-1, 2))  # [..., columns / 32, 16, 2]
    packed = (pairs[..., 0] | (pairs[..., 1] << 4)).to(torch.uint8)
    return Mxfp4(packed, (exponents + SCALE_BIAS).to(torch.uint8))


def round_to_mxfp4(values: Tensor) -> Tensor:
    """`values` [..., columns] rounded to what MXFP4 can hold, in their own dtype, unpacked.

    Equals `dequantize(*quantize(values))`; cheaper, for training with quantised weights.
    """
    blocks = values.float().unflatten(-1, (-1, MXFP4_BLOCK))
    exponents = _shared_exponents(blocks)[..., None]
    magnitudes = torch.ldexp(blocks.abs(), -exponents)
    # Steps of E2M1 are 0.5 up to 2, then 1 up to 4, then 2: round on the step of each value's
    # octave. torch.round takes ties to even multiples, which are the even codes.
    steps = torch.where(magnitudes < 2, 0.5, torch.where(magnitudes < 4, 1.0, 2.0))
    rounded = (torch.round(magnitudes / steps) * steps).clamp(max=6.0)
    return torch.ldexp(torch.copysign(rounded, blocks), exponents).flatten(-2).to(values.dtype)


def _shared_exponents(blocks: Tensor) -> Tensor:
    largest = blocks.abs().amax(dim=-1)  # [..., columns / 32]
    _, exponents = torch.frexp(largest)  # largest = m * 2^e with 0.5 <= m < 1
    exponents = torch.where(largest > 0, exponents - 1 - MAX_EXPONENT, 0)
    return exponents.clamp(-SCALE_BIAS, SCALE_BIAS)


def _nearest_code(magnitudes: Tensor) -> Tensor:
    table = torch.tensor(E2M1[:8])
    midpoints = (table[1:] + table[:-1]) / 2
    below = torch.bucketize(magnitudes, midpoints)  # ties go to the lower code ...
    above = torch.bucketize(magnitudes, midpoints, right=True)  # ... or to the upper one
    return torch.where(below % 2 == 0, below, above).int()
