"""What every sample adds to each figure of a task, so that two runs' figures can be paired.

A record has figures and a log has samples; the task's own code makes the ones of the others. A
figure is taken apart by making it of one sample at a time, or of one cluster where a sample alone
has none: if those values, each as often as it counts, have the whole figure for their mean, they
are what is paired. A figure that is no mean, such as a p-value or an agreement, is refused by name.
Knows measures and what scorers said; does not know records, logs or runs.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import NamedTuple

from netweight.evals.efficiency import efficiency
from netweight.evals.measure import CLUSTERED, EXACT, WILSON, Figure, Measure, Scored

# How figures that are means of samples have their intervals, or why they have none. Others may be
# equal to a mean by chance, as a p-value of 1 is of other ones, so being equal is not enough.
_METHODS_OF_MEANS = (WILSON, EXACT, CLUSTERED, "Student t", "Tango")
_MEANS_WITHOUT = (
    "none: one cluster",
    "none: fewer than two clusters",
    "none: all values are equal",
    "none: all clusters are equal",
    "none: all clusters differ alike",
)
_TOLERANCE = 1e-9


class Part(NamedTuple):
    """What one sample, or one cluster, adds: a value that counts `weight` times."""

    value: float
    weight: int
    cluster: str


@dataclass(frozen=True)
class Parts:
    """A figure taken apart, by sample and epoch, or by cluster where `by_cluster`."""

    figure: Figure
    parts: Mapping[Hashable, Part]
    by_cluster: bool


def further_figures(measure: Measure, scored: Sequence[Scored]) -> dict[str, Figure]:
    """Return a task's figures but the headline, by name, as `netweight weigh` makes them.

    Without memory, which is no sample's.
    """
    made = [*measure.further(scored), *efficiency(measure, scored, None)]
    return {figure.metric: figure for figure in made}


def take_apart(measure: Measure, scored: Sequence[Scored]) -> dict[str, Parts | str]:
    """Return, for each of a task's further figures, its parts, or why it has none."""
    whole = further_figures(measure, scored)
    by_sample = _parts(measure, [[each] for each in scored], by_cluster=False)
    clusters: dict[str, list[Scored]] = defaultdict(list)
    for each in scored:
        clusters[each.cluster].append(each)
    by_cluster = _parts(measure, list(clusters.values()), by_cluster=True)
    return {
        name: _fitting(figure, by_sample.get(name, {}), by_cluster.get(name, {}))
        for name, figure in whole.items()
    }


def _parts(
    measure: Measure, groups: Sequence[Sequence[Scored]], *, by_cluster: bool
) -> dict[str, dict[Hashable, Part]]:
    """Make all figures of each group alone; one whose figure is of nothing adds nothing."""
    parts: dict[str, dict[Hashable, Part]] = defaultdict(dict)
    for group in groups:
        one = group[0]
        key: Hashable = one.cluster if by_cluster else (one.sample, one.epoch)
        for name, figure in further_figures(measure, group).items():
            parts[name][key] = Part(figure.value, figure.num_samples, one.cluster)
    return parts


def _fitting(
    figure: Figure, by_sample: Mapping[Hashable, Part], by_cluster: Mapping[Hashable, Part]
) -> Parts | str:
    if not figure.method.startswith(_METHODS_OF_MEANS) and figure.method not in _MEANS_WITHOUT:
        return f"it is no mean over samples (its interval: {figure.method})"
    for parts, is_by_cluster in ((by_sample, False), (by_cluster, True)):
        if _is_mean_of(figure, list(parts.values())):
            return Parts(figure, parts, is_by_cluster)
    return "single samples do not add up to it"


def _is_mean_of(figure: Figure, parts: Sequence[Part]) -> bool:
    weight = sum(part.weight for part in parts)
    if weight != figure.num_samples or weight == 0:
        return False
    mean = sum(part.value * part.weight for part in parts) / weight
    return isclose(mean, figure.value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
