"""Limits on what a request may produce: the small protocol through which the engine sees them.

A grammar, a schema or a list of words can stand behind it; the engine knows masks and token ids.
"""

import logging
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netweight.errors import NetweightError
from netweight.model import SamplingKernels

log = logging.getLogger(__name__)

# How the message begins where a constraint itself gives up, which is the fault of who made it.
UNFOLLOWABLE = "the answer could not be held to what was asked of it: "


class Constraint(Protocol):
    """The allowed tokens of one answer, step by step. It has state: one object for one request.

    Any method may raise; the request then ends in an error, and the others go on. A constraint
    that is complete allows the request's stop ids: it does not end an answer by itself.
    """

    def allowed(self) -> NDArray[np.int32]:
        """The mask for the next token: bit i % 32 of element i // 32 tells if id i is allowed.

        Ids beyond the mask are not. The array may be overwritten by the next call.
        """
        ...

    def advance(self, token_id: int) -> None:
        """Take the token that was drawn; stop tokens as well."""
        ...

    def rollback(self, num_tokens: int) -> None:
        """Take back the last tokens. The engine draws one after the other and never needs it."""
        ...

    def forced(self) -> list[int]:
        """The tokens that must come next. For guessing ahead: the mask alone forces them too."""
        ...


class ConstraintFailure(NamedTuple):
    """A constraint could not be followed."""

    message: str


NOTHING_POSSIBLE = ConstraintFailure("the constraint allows no token that the model can produce")


def masked(
    logits: Tensor, constraint: Constraint, kernels: SamplingKernels | None = None
) -> Tensor | ConstraintFailure:
    """Logits float32 [vocab] with minus infinity for every token that is not allowed next."""
    try:
        bits = constraint.allowed()
    except Exception as error:  # whatever it is, the other requests go on
        log.exception("a constraint failed")
        return _failure(error)
    limited, largest = _limit(logits, bits, kernels)
    return limited if largest > -np.inf else NOTHING_POSSIBLE


def bits_of(constraint: Constraint, num_words: int) -> NDArray[np.int32] | ConstraintFailure:
    """The mask for the next token, a copy of its own, with no id allowed beyond what it tells of.

    Args:
        constraint: whose next token it is.
        num_words: of 32 ids each.
    """
    try:
        bits = constraint.allowed()[:num_words]
    except Exception as error:  # whatever it is, the other requests go on
        log.exception("a constraint failed")
        return _failure(error)
    whole = np.zeros(num_words, np.int32)
    whole[: len(bits)] = bits
    return whole


def _limit(
    logits: Tensor, bits: NDArray[np.int32], kernels: SamplingKernels | None
) -> tuple[Tensor, float]:
    """Logits with minus infinity for what is not allowed, and the largest of them."""
    if kernels is not None:
        found = kernels.masked(logits, bits)
        return found.logits, found.largest
    kept = np.unpackbits(bits.view(np.uint8), count=logits.numel(), bitorder="little")
    limited = logits.masked_fill(torch.from_numpy(kept == 0), -torch.inf)
    return limited, float(limited.max())


def advance(constraint: Constraint, token_id: int) -> ConstraintFailure | None:
    """Tell the constraint which token was drawn; why it could not take it, if so."""
    try:
        constraint.advance(token_id)
    except Exception as error:  # whatever it is, the other requests go on
        log.exception("a constraint failed")
        return _failure(error)
    return None


def forced(constraint: Constraint) -> list[int]:
    """The tokens that the constraint says must come next; none where it fails to say."""
    try:
        return constraint.forced()
    except Exception:  # the next mask still holds, and says what is wrong if it fails as well
        log.exception("a constraint failed")
        return []


def _failure(error: Exception) -> ConstraintFailure:
    if isinstance(error, NetweightError):
        return ConstraintFailure(f"{UNFOLLOWABLE}{error}")
    return ConstraintFailure(f"the constraint failed: {type(error).__name__}: {error}")
