"""What a task measures: its outcomes, which of them count, which are hits, and further figures.

Knows what scorers said of samples, and numbers. Does not know models, Inspect or files.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from netweight.evals.clusters import clustered_rate_interval, estimate_mean
from netweight.evals.stats import Interval, clopper_pearson, wilson

INFRASTRUCTURE = "infrastructure"
TIMEOUT = "timeout"
FORMAT_ERROR = "format error"
TRUNCATED = "truncated"
UNPARSED = "unparsed"
REFUSED = "refused"

JUDGE_FAILED = "judge failed"  # nothing that a judge said can be used
FAILED = (TIMEOUT, INFRASTRUCTURE)  # they say nothing of the model, and any sample may have them

WILSON, EXACT, CLUSTERED = "Wilson score", "Clopper-Pearson", "Wilson score, clustered"

Fact = str | float | bool | None
Unit = Literal[
    "proportion", "difference", "tokens", "tokens/s", "seconds", "bytes", "score", "nats"
]


class Scored(NamedTuple):
    """What a scorer said of one sample in one epoch.

    Samples of one `cluster` share a theme or an item, so that they are not independent; by default
    each sample is its own. `facts` are whatever else the task's further figures need.
    """

    sample: str
    epoch: int
    outcome: str
    cluster: str
    answer: str  # the final text
    num_tokens: int  # that the model wrote for it, reasoning included
    facts: Mapping[str, Fact]
    seconds: float = 0.0  # that its requests took


@dataclass(frozen=True)
class Figure:
    """A measured number: `interval` is None where too little is there to have one."""

    metric: str
    description: str
    value: float
    interval: Interval | None
    method: str  # of the interval, or why there is none
    num_samples: int
    unit: Unit = "proportion"
    lower_is_better: bool = False


def rate_figure(
    metric: str,
    description: str,
    hits: Iterable[bool],
    clusters: Iterable[Hashable] | None = None,
    *,
    lower_is_better: bool = False,
) -> Figure | None:
    """A share of hits with its 95% interval, or None of nothing.

    Wilson's interval; the exact one where all or none hit; and where some share a cluster, Wilson's
    at the effective number of items.
    """
    hits = list(hits)
    names = list(clusters) if clusters is not None else list(range(len(hits)))
    if not hits:
        return None
    num_hits, num_clusters = sum(hits), len(set(names))
    interval: Interval | None
    if 1 < num_clusters < len(hits):
        interval, method = clustered_rate_interval(hits, names), CLUSTERED
    elif num_clusters == 1 < len(hits):
        interval, method = None, "none: one cluster"
    elif 0 < num_hits < len(hits):
        interval, method = wilson(num_hits, len(hits)), WILSON
    else:
        interval, method = clopper_pearson(num_hits, len(hits)), EXACT
    return Figure(
        metric,
        description,
        num_hits / len(hits),
        interval,
        method,
        len(hits),
        lower_is_better=lower_is_better,
    )


def mean_figure(
    metric: str,
    description: str,
    values: Iterable[float],
    clusters: Iterable[Hashable] | None = None,
    *,
    unit: Unit,
    lower_is_better: bool = False,
) -> Figure | None:
    """A mean with its 95% t interval, clustered where some share a cluster, or None of nothing."""
    values = list(values)
    names = list(clusters) if clusters is not None else list(range(len(values)))
    if not values:
        return None
    mean, interval = sum(values) / len(values), None
    if len(set(names)) < 2:
        method = "none: fewer than two clusters"
    elif min(values) == max(values):
        method = "none: all values are equal"
    else:
        interval = estimate_mean(values, names).interval()
        method = "Student t" if len(set(names)) == len(names) else "Student t, clustered"
    return Figure(metric, description, mean, interval, method, len(values), unit, lower_is_better)


def no_further(_: Sequence[Scored]) -> Sequence[Figure]:
    """No figures but the headline."""
    return ()


@dataclass(frozen=True)
class Measure:
    """One task's headline, `hits` out of `counted`, with every other outcome kept apart.

    `outcomes` lists every name that a sample may be given, in the order for tables. `further` makes
    the task's other figures from all samples that were scored.
    """

    task: str
    version: int
    metric: str
    description: str
    lower_is_better: bool
    hits: tuple[str, ...]
    counted: tuple[str, ...]
    outcomes: tuple[str, ...]
    further: Callable[[Sequence[Scored]], Sequence[Figure]] = no_further

    def __post_init__(self) -> None:
        assert set(self.hits) <= set(self.counted) <= set(self.outcomes), "outcome names disagree"
        assert set(FAILED) <= set(self.outcomes), "every task's requests can fail"

    def headline(self, scored: Iterable[Scored]) -> Figure | None:
        """The rate with its 95% interval, clustered where samples are; None when nothing counts."""
        scored = list(scored)
        assert {each.outcome for each in scored} <= set(self.outcomes), (
            "a sample has an outcome its task does not list"
        )
        counting = [each for each in scored if each.outcome in self.counted]
        return rate_figure(
            self.metric,
            self.description,
            [each.outcome in self.hits for each in counting],
            [each.cluster for each in counting],
            lower_is_better=self.lower_is_better,
        )
