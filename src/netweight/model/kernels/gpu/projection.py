"""Matrices outside the experts as layers: our kernels for few tokens, torch's library for many.

Few tokens are bound by memory, and by the number of launches, which `dense` saves; many by
arithmetic, which cuBLAS does best.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from netweight.model.kernels.gpu import dense, rows
from netweight.model.products import unrounded_product

__all__ = ["DeviceLinear", "DeviceUnembedding"]


@dataclass(frozen=True)
class DeviceLinear:
    """A `weights.Linear` over a matrix [out, in] and its bias [out]."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """See Linear."""
        if x.shape[0] <= dense.MOST_TOKENS:
            return dense.linear(x.contiguous(), self.weight, self.bias)
        return linear(x, self.weight, self.bias)

    def sums(self, x: Tensor) -> Tensor:
        """Float32 [tokens, out], before the bias and before it is rounded."""
        return _sums(x, self.weight)

    def after_norm(
        self, x: Tensor, added: Tensor | None, scale: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See Kernels.norm_linear."""
        if x.shape[0] <= dense.MOST_TOKENS:
            total, t, y = dense.norm_linear(
                x, added, scale, eps, self.weight, self.bias, with_normed=True
            )
            assert t is not None, "the norm was asked for"
            return total, t, y
        total, t = (
            (x, rows.rms_norm(x, scale, eps))
            if added is None
            else rows.add_rms_norm(x, added, scale, eps)
        )
        return total, t, linear(t, self.weight, self.bias)


@dataclass(frozen=True)
class DeviceUnembedding:
    """A `weights.Unembedding` over a matrix [vocab, hidden], whose sums are not rounded."""

    weight: Tensor

    def logits(self, x: Tensor) -> Tensor:
        """See Unembedding."""
        return _sums(x, self.weight)


def _sums(x: Tensor, weight: Tensor) -> Tensor:
    if x.shape[0] <= dense.MOST_TOKENS:
        return dense.linear(x.contiguous(), weight, None, out_dtype=torch.float32)
    return unrounded_product(x, weight)
