"""How much a run may spend, tokens and minutes, and how long it still takes.

Once all is spent no further sample is begun. What was measured until then stays valid; it is of
fewer samples. Knows Inspect's protocol for stopping early, and a clock. Knows tasks by their names
only, and no model.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import inf
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
    _until_tokens: float = field(init=False, default=inf)
    _until: float = field(init=False, default=inf)

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

    def seconds_left(self) -> float:
        """How long what is left lasts, tokens at their pace so far; infinite without a limit."""
        now, left_s = self.clock(), [inf]
        if self.minutes is not None:
            left_s.append(self._began + 60 * self.minutes - now)
        if self.tokens is not None and self.spent_tokens:
            seconds_a_token = (now - self._began) / self.spent_tokens
            left_s.append((self.tokens - self.spent_tokens) * seconds_a_token)
        return max(0.0, min(left_s))


@dataclass
class Pace:
    """How long a run still takes, by the samples left of its tasks and how long those so far took.

    The pace of a task is the time since its turn began over the samples done since, so what is
    asked side by side counts as that much faster. A task that has no pace of its own yet, as those
    that are to come, is supposed to go at the run's so far. What earlier logs have is neither left
    nor a part of any pace.
    """

    num_left: dict[str, int]  # by task
    budget: Budget  # which may end the run sooner
    _task: str | None = field(init=False, default=None)  # under way
    _began: float = field(init=False, default=0.0)
    _num_done: int = field(init=False, default=0)  # of it, since then
    _earlier_s: float = field(init=False, default=0.0)  # of the tasks before it
    _num_earlier: int = field(init=False, default=0)

    def tell(self, task: str, num_left: int) -> None:
        """Take in how many samples of a task are left; the first time, its turn begins."""
        if task == self._task:
            self._num_done += self.num_left[task] - num_left
        else:
            self._task, self._began, self._num_done = task, self.budget.clock(), 0
        self.num_left[task] = num_left

    def end(self, task: str) -> None:
        """Take in that a task's turn is over, whatever was left of it."""
        if task == self._task:
            self._earlier_s += self.budget.clock() - self._began
            self._num_earlier += self._num_done
            self._task, self._num_done = None, 0
        self.num_left[task] = 0

    def seconds_left(self) -> float | None:
        """How long the run still takes, or None while no sample tells its pace."""
        num_left, num_done = sum(self.num_left.values()), self._num_earlier + self._num_done
        if num_left == 0:
            return 0.0
        if num_done == 0:
            return None
        own_s = 0.0 if self._task is None else self.budget.clock() - self._began
        num_own = 0 if self._task is None else self.num_left[self._task]
        pace_s = (self._earlier_s + own_s) / num_done
        own_pace_s = own_s / self._num_done if self._num_done else pace_s
        left_s = own_pace_s * num_own + pace_s * (num_left - num_own)
        return min(left_s, self.budget.seconds_left())


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
