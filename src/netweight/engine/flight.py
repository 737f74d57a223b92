"""A step that was launched, and what it will bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from netweight.engine.constraint import ConstraintFailure
from netweight.engine.scheduler import Work


class Arriving:
    """A tensor on its way to the host."""

    def __init__(self, tensor: Tensor) -> None:
        """Send it off, after what is computed before it."""
        self._event: torch.cuda.Event | None = None
        self._host = tensor
        if tensor.is_cuda:
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()

    def wait(self) -> Tensor:
        """The tensor on the host, once it is there."""
        if self._event is not None:
            self._event.synchronize()
        return self._host


@dataclass(frozen=True)
class Drawn:
    """What a step on a device brings, by request id where it is of one."""

    token_ids: Tensor | None  # where the model is: for the step after
    places: Mapping[int, int]  # in token_ids
    arriving: Arriving | None  # the same
    logits: Mapping[int, Arriving]  # of requests that are drawn on the host
    refused: Mapping[int, ConstraintFailure]  # requests whose constraint failed


class Flight(NamedTuple):
    """A step under way; one on the host is run when it is collected."""

    work: Sequence[Work]
    logits: Tensor | None = None  # where the model is
    drawn: Drawn | None = None
    error: Exception | None = None  # why it does not go on

    @property
    def can_be_followed(self) -> bool:
        """Whether each of its requests has a token for the step after, seen or not."""
        return self.drawn is not None and not self.drawn.refused and not self.drawn.logits
