"""The engine: token ids in, token ids out."""

from netweight.engine.cache import PageCounts
from netweight.engine.capacity import STEP_TOKENS, CacheSize, plan_cache
from netweight.engine.constraint import UNFOLLOWABLE, Constraint
from netweight.engine.engine import Engine, Stats, fresh_seed
from netweight.engine.request import (
    Counts,
    Event,
    Finish,
    FinishReason,
    Logprobs,
    PromptLogprobs,
    Request,
    Sampling,
    Token,
    TokenLogprob,
)
from netweight.engine.runner import Model

__all__ = [
    "STEP_TOKENS",
    "UNFOLLOWABLE",
    "CacheSize",
    "Constraint",
    "Counts",
    "Engine",
    "Event",
    "Finish",
    "FinishReason",
    "Logprobs",
    "Model",
    "PageCounts",
    "PromptLogprobs",
    "Request",
    "Sampling",
    "Stats",
    "Token",
    "TokenLogprob",
    "fresh_seed",
    "plan_cache",
]
