"""The engine: token ids in, token ids out."""

from netweight.engine.constraint import Constraint
from netweight.engine.engine import Engine, fresh_seed
from netweight.engine.request import (
    Event,
    Finish,
    FinishReason,
    Logprobs,
    Request,
    Sampling,
    Token,
    TokenLogprob,
)
from netweight.engine.runner import Model

__all__ = [
    "Constraint",
    "Engine",
    "Event",
    "Finish",
    "FinishReason",
    "Logprobs",
    "Model",
    "Request",
    "Sampling",
    "Token",
    "TokenLogprob",
    "fresh_seed",
]
