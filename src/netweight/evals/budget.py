"""How much a run may spend: tokens and minutes, after which no further sample is begun.

What was measured until then stays valid; it is of fewer samples. Knows Inspect's protocol for
stopping early, and a clock. Does not know tasks or models.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai.dataset import Sample
    from inspect_ai.log import EvalSpec
    from inspect_ai.scorer import SampleScore
    from inspect_ai.util import EarlyStop
    from pydantic import JsonValue


@dataclass
class Budget:
    """Tokens that a run's models may write and read, and minutes it may take; None is no limit.

    Each part is given an equal share of what the parts before it have left over, so that a long one
    leaves something for those that follow.
    """

    tokens: int | None = None
    minutes: float | None = None
    clock: Callable[[], float] = time.monotonic
    spent_tokens: int = 0
    _began: float = field(init=False)
    _until_tokens: float = field(init=False, default=float("inf"))
    _until: float = field(init=False, default=float("inf"))

    def __post_init__(self) -> None:
        self._began = self.clock()

    def begin_part(self, num_left: int) -> None:
        """Set what one part may spend, when `num_left` are left and it is the first of them."""
        now = self.clock()
        if self.minutes is not None:
            end = self._began + 60 * self.minutes
            self._until = now + max(0.0, end - now) / num_left
        if self.tokens is not None:
            left = max(0, self.tokens - self.spent_tokens)
            self._until_tokens = self.spent_tokens + left / num_left

    def spend(self, num_tokens: int) -> None:
        """Count what one sample took."""
        self.spent_tokens += num_tokens

    def reason_to_stop(self) -> str | None:
        """Why no further sample of this part may begin, or None while one may."""
        if self.spent_tokens >= self._until_tokens:
            return "its share of the token budget is spent"
        if self.clock() >= self._until:
            return "its share of the time budget is spent"
        return None


class Gatekeeper:
    """Inspect's early stopping: no sample begins twice, or once the budget is spent."""

    def __init__(self, budget: Budget, done: Collection[tuple[str, int]] = ()) -> None:
        """Keep the budget, which the caller spends, and ids and epochs of earlier logs."""
        self._budget, self._done = budget, done
        self.reason: str | None = None  # why samples were left out, when the budget is why

    async def start_task(self, task: "EvalSpec", samples: "list[Sample]", epochs: int) -> str:
        """Give the name that logs have for this."""
        return "budget"

    async def schedule_sample(self, id: str | int, epoch: int) -> "EarlyStop | None":
        """Leave out a sample that is done, or that there is nothing left for."""
        from inspect_ai.util import EarlyStop

        if (str(id), epoch) in self._done:
            return EarlyStop(id=id, epoch=epoch, reason="an earlier log has it")
        reason = self._budget.reason_to_stop()
        self.reason = reason or self.reason
        return EarlyStop(id=id, epoch=epoch, reason=reason) if reason else None

    async def complete_sample(
        self, id: str | int, epoch: int, scores: "dict[str, SampleScore]"
    ) -> None:
        """Nothing is left to do."""

    async def complete_task(self) -> "dict[str, JsonValue]":
        """Add nothing to the log."""
        return {}
