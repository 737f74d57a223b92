"""The model, run for a batch of requests: the only part of the engine that calls it.

Each request passes through the model by itself here, so its logits cannot depend on its neighbours.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from netweight.engine.cache import CachePool
from netweight.engine.request import RequestState
from netweight.model import KVCache

log = logging.getLogger(__name__)


class Shape(Protocol):
    """What the engine must know about a model before it runs."""

    @property
    def vocab_size(self) -> int:
        """Token ids are below this."""
        ...

    @property
    def max_context(self) -> int:
        """Tokens that prompt and answer may have together."""
        ...


class Model(Protocol):
    """A model as the engine sees it; `netweight.model.Transformer` is one."""

    @property
    def config(self) -> Shape:
        """Its limits."""
        ...

    def new_cache(self, capacity: int) -> KVCache:
        """An empty cache for `capacity` tokens."""
        ...

    def forward(
        self, token_ids: Tensor, cache: KVCache | None = None, *, last_only: bool = False
    ) -> Tensor:
        """Logits float32 [batch, tokens or 1, vocab] after int64 token ids [batch, tokens]."""
        ...


class ModelFailure(NamedTuple):
    """The model could not run one request."""

    message: str


class Runner:
    """Runs the tokens of each request that its cache does not hold yet."""

    def __init__(self, model: Model, pool: CachePool) -> None:
        """Run `model` on caches from `pool`."""
        self._model = model
        self._pool = pool

    def run(self, batch: Sequence[RequestState]) -> list[Tensor | ModelFailure]:
        """For each request, its next token's logits float32 [vocab], or why there are none."""
        return [self._run_one(state) for state in batch]

    def _run_one(self, state: RequestState) -> Tensor | ModelFailure:
        try:
            logits = self._forward(state)
        except Exception as error:  # whatever it is, the other requests go on
            log.exception("the model failed", extra={"request_id": state.request_id})
            return ModelFailure(f"the model failed: {type(error).__name__}: {error}")
        # max() carries NaN along, so this one number shows every kind of damage.
        if not torch.isfinite(logits.max()):
            log.error("logits are not finite", extra={"request_id": state.request_id})
            return ModelFailure("the model failed: its logits are not finite numbers")
        return logits

    @torch.inference_mode()
    def _forward(self, state: RequestState) -> Tensor:
        cache = self._pool.cache(state.request_id)
        token_ids = torch.tensor([state.token_ids[cache.length :]])  # [1, tokens]
        return self._model.forward(token_ids, cache, last_only=True)[0, -1]  # [vocab]
