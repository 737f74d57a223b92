"""What a task measures: its outcomes, which of them count, and which of those are hits.

Knows names and counts. Does not know models, Inspect or files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from netweight.evals.stats import Interval, wilson

INFRASTRUCTURE = "infrastructure"
TRUNCATED = "truncated"
UNPARSED = "unparsed"
REFUSED = "refused"


class Rate(NamedTuple):
    """Hits among the answers that count, with the Wilson interval."""

    hits: int
    trials: int
    value: float
    interval: Interval


@dataclass(frozen=True)
class Measure:
    """One task's rate: `hits` out of `counted`; every other outcome is kept apart.

    `outcomes` lists every name that a sample may be given, in the order for tables.
    """

    task: str
    version: int
    metric: str
    description: str
    lower_is_better: bool
    hits: tuple[str, ...]
    counted: tuple[str, ...]
    outcomes: tuple[str, ...]

    def __post_init__(self) -> None:
        assert set(self.hits) <= set(self.counted) <= set(self.outcomes), "outcome names disagree"

    def rate(self, counts: Mapping[str, int]) -> Rate | None:
        """Return the rate with its 95% interval, or None when no answer counts."""
        assert set(counts) <= set(self.outcomes), "a sample has an outcome its task does not list"
        hits = sum(counts.get(name, 0) for name in self.hits)
        trials = sum(counts.get(name, 0) for name in self.counted)
        if trials == 0:
            return None
        return Rate(hits, trials, hits / trials, wilson(hits, trials))
