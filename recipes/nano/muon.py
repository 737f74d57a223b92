"""Muon: momentum whose every matrix is made orthogonal before it is applied.

Keller Jordan and others, "Muon: an optimizer for hidden layers in neural networks" (2024,
kellerjordan.github.io/posts/muon). torch.optim.Muon takes single matrices only; this one takes a
layer's experts as they are stored, and orthogonalises all matrices of one shape at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import overload

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the iteration's polynomial, as published
_NUM_ITERATIONS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrices, roughly: singular values of 0.7 to 1.2, but tiny ones less.

    Args:
        matrices: float32 [..., rows, columns].

    Returns:
        The same shape; five Newton-Schulz iterations of degree five.
    """
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_NUM_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    done: Tensor = x.mT if is_tall else x
    return done


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, with decoupled weight decay.

    Parameters are [rows, columns] or [experts, rows, columns]. A step moves each matrix by
    lr * sqrt(max(1, rows / columns)) in every direction.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float, weight_decay: float
    ) -> None:
        """Remember the settings."""
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("Muon takes no closure; compute the gradients before")
        for group in self.param_groups:
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    push = self._push(parameter, group["momentum"])
                    alike[parameter.shape].append((parameter, push))
            for shape, pairs in alike.items():
                moves = orthogonal(torch.stack([push for _, push in pairs]))
                rate = group["lr"] * max(1.0, shape[-2] / shape[-1]) ** 0.5
                for (parameter, _), move in zip(pairs, moves, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(move, alpha=rate)
        return None

    def _push(self, parameter: Tensor, momentum: float) -> Tensor:
        """The gradient with Nesterov's momentum."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        assert parameter.grad is not None
        state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(state["momentum"], momentum)
