"""Matrix products that keep their sums."""

import torch
from torch import Tensor
from torch.nn.functional import linear


def unrounded_product(x: Tensor, weight: Tensor) -> Tensor:
    """Float32 [tokens, out] of x [tokens, in] and a matrix [out, in] of the same dtype."""
    if x.is_cuda and x.dtype != torch.float32:
        return torch.mm(x, weight.T, out_dtype=torch.float32)
    return linear(x.float(), weight.float())
