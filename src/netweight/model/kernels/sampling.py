"""From logits float32 [vocab] to a token, in native code (native/draw.h).

What netweight.engine.sampler and .constraint define in torch, in one or two passes over the
vocabulary and without double precision: weights exp((logit - largest) / temperature) are float32,
their sums double. Tokens whose weights are equal count as tied.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import netweight._native as _native

__all__ = ["Masked", "argmax", "draw", "log_probabilities", "masked"]


class Masked(NamedTuple):
    """Logits with minus infinity for every token that is not allowed, and the largest of them."""

    logits: Tensor
    largest: float


def argmax(logits: Tensor) -> int:
    """The likeliest token, the lowest id of equals."""
    return _native.argmax(*_whole(logits))


def draw(
    logits: Tensor, point: float, *, temperature: float, min_p: float, top_k: int, top_p: float
) -> int:
    """The token at `point` in [0, 1) of the running sum over the distribution.

    Args:
        logits: float32 [vocab].
        point: uniform, for a draw.
        temperature: above 0.
        min_p: tokens less likely than this times the likeliest are dropped first; 0 for none.
        top_k: then all but so many; 0 for none.
        top_p: then all but the smallest set that reaches this share of what is left; 1 for none.
            Tokens that tie at an edge all stay.
    """
    if not (temperature > 0 and 0 <= min_p <= 1 and top_k >= 0 and 0 < top_p <= 1):
        raise ValueError(f"temperature {temperature}, min_p {min_p}, top_k {top_k}, top_p {top_p}")
    return _native.draw(*_whole(logits), temperature, min_p, top_k, top_p, point)


def log_probabilities(
    logits: Tensor, token_id: int, num_top: int
) -> tuple[float, list[tuple[int, float]]]:
    """The natural log-probability of a token, and the `num_top` likeliest with theirs."""
    if not 0 <= token_id < logits.numel():
        raise ValueError(f"token {token_id} of {logits.numel()}")
    own, *top = _native.log_probabilities(*_whole(logits), token_id, num_top)
    return own[1], top


def masked(logits: Tensor, bits: NDArray[np.int32]) -> Masked:
    """Keep the logits of tokens whose bit, i % 32 of element i // 32, is set; others get -inf."""
    if bits.dtype.itemsize != 4 or not bits.flags.c_contiguous:
        raise ValueError(f"a mask is 32-bit words in one piece, not {bits.dtype}")
    out = torch.empty_like(logits)
    largest = _native.mask(*_whole(logits), bits.ctypes.data, bits.size, out.data_ptr())
    return Masked(out, largest)


def _whole(logits: Tensor) -> tuple[int, int]:
    if logits.dtype != torch.float32 or logits.ndim != 1 or not logits.is_contiguous():
        raise ValueError(f"logits are float32 [vocab], not {logits.dtype} {tuple(logits.shape)}")
    return logits.data_ptr(), logits.numel()
