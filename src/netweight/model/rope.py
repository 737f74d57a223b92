"""Rotary positions with YaRN's scaling, as gpt-oss has them.

YaRN: Peng et al. 2023 (arXiv 2309.00071), sections 3.2 (interpolation by parts) and 3.4 (attention
temperature). gpt-oss leaves the correction bounds unrounded and scales every length, on all layers.
"""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.model.config import Config


class Rotation(NamedTuple):
    """Cosines and sines of each position: [tokens, head_dim / 2]."""

    cos: Tensor
    sin: Tensor


def inverse_frequencies(config: Config) -> list[float]:
    """Radians per position of each of the head_dim / 2 pairs, interpolated by parts."""
    half = config.head_dim // 2
    low, high = config.yarn_bounds
    return [
        _interpolate(
            config.rope_theta ** (-index / half), index, low, high, config.rope_scaling_factor
        )
        for index in range(half)
    ]


def _interpolate(frequency: float, index: int, low: float, high: float, factor: float) -> float:
    ramp = min(max((index - low) / (high - low), 0.0), 1.0)
    return frequency / factor * ramp + frequency * (1 - ramp)


def concentration(config: Config) -> float:
    """YaRN's attention temperature, multiplied into cosine and sine alike."""
    if config.rope_scaling_factor <= 1:
        return 1.0
    return 0.1 * math.log(config.rope_scaling_factor) + 1.0


def rotation(config: Config, positions: Tensor, dtype: torch.dtype) -> Rotation:
    """Cosines and sines of `positions` (int64 [tokens]), in float32, rounded once to `dtype`."""
    frequencies = _frequencies(config, positions.device)
    angles = positions.float()[:, None] * frequencies  # [tokens, head_dim / 2]
    scale = concentration(config)
    return Rotation((angles.cos() * scale).to(dtype), (angles.sin() * scale).to(dtype))


@cache  # for every step of every answer, else
def _frequencies(config: Config, device: torch.device) -> Tensor:
    return torch.tensor(inverse_frequencies(config), dtype=torch.float32, device=device)
