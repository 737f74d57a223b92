"""The difference of two models' scores: its value, interval, p-values and what it could have shown.

One place chooses the method by what the scores are, for headlines and all other figures alike.
Every difference is first minus second. Knows numbers and clusters; does not know records or tasks.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from netweight.evals.clusters import Estimate, estimate_mean, intracluster_correlation
from netweight.evals.comparing import (
    bootstrap_difference,
    detectable_mean,
    effective_discordance,
    equivalence,
    estimate_difference,
    exchange_p_value,
    fisher,
    mcnemar,
    newcombe,
    p_beyond,
    rate_equivalence,
    tango,
)
from netweight.evals.measure import Unit
from netweight.evals.planning import (
    ALPHA,
    design_effect,
    detectable_paired,
    detectable_unpaired,
    paired_sample_size,
)
from netweight.evals.stats import Interval, clopper_pearson

# A margin in points says something of these, and nothing of tokens or seconds.
IN_POINTS: tuple[Unit, ...] = ("proportion", "difference")
# How far two figures of a unit can be apart.
_REACH = {"proportion": 1.0, "difference": 2.0}
_SEED = 0  # of the resamples, so that the same runs give the same interval

MCNEMAR, TANGO = "McNemar, exact", "Tango score"
BOOTSTRAP, STUDENT = "paired bootstrap", "Student t"


@dataclass(frozen=True)
class Difference:
    """Of two figures; every number is of `num_items` that count in both.

    `interval` is None where `method` says why. `p_equivalent` is of the difference being beyond the
    margin; None where nothing can be said of it. `detectable` is the smallest difference that so
    many items would have shown, None when they would have shown none.
    """

    value: float
    interval: Interval | None
    method: str
    p_value: float
    test: str
    p_equivalent: float | None
    detectable: float | None
    num_items: int


@dataclass(frozen=True)
class Scores:
    """Two models' scores on the same items, in the same order; items may share a cluster."""

    firsts: Sequence[float]
    seconds: Sequence[float]
    clusters: Sequence[str]

    @property
    def differences(self) -> list[float]:
        """Each item's, first minus second."""
        return [one - other for one, other in zip(self.firsts, self.seconds, strict=True)]

    @property
    def are_passes(self) -> bool:
        """Whether every score is a pass or a fail."""
        return {*self.firsts, *self.seconds} <= {0, 1}

    @property
    def num_clusters(self) -> int:
        """How many clusters there are; as many as items where none is shared."""
        return len(set(self.clusters))

    @property
    def are_independent(self) -> bool:
        """Whether every item is its own cluster."""
        return self.num_clusters == len(self.clusters)


def paired_difference(scores: Scores, margin: float, unit: Unit = "proportion") -> Difference:
    """Return the difference of two mean scores on the same items, of which there is at least one.

    Passes and fails of independent items: McNemar's exact test and Tango's interval. Of items in
    clusters: Fisher's exact randomisation of whole clusters, of which McNemar's test is the case of
    single items, and Tango's interval at the effective number of items. Everything else: the paired
    bootstrap over clusters, Student's interval where they are too few for it, and the paired t-test
    over clusters. The equivalence test is for units that a margin is one of.

    Raises:
        ValueError: as `comparing.equivalence`.
    """
    if unit == "proportion" and scores.are_passes and scores.are_independent:
        return _of_passes(scores, margin)
    spread = None
    if scores.num_clusters > 1:
        spread = estimate_difference(scores.firsts, scores.seconds, scores.clusters)
    if spread is None or spread.standard_error == 0:
        return _without_spread(scores, margin, unit)
    if unit == "proportion" and scores.are_passes:
        return _of_clustered_passes(scores, spread, margin)
    return _of_means(scores, spread, margin, unit)


def _of_passes(scores: Scores, margin: float) -> Difference:
    only_first, only_second = (
        sum(difference == side for difference in scores.differences) for side in (1, -1)
    )
    num_items = len(scores.firsts)
    equal = rate_equivalence(only_first, only_second, num_items, margin=margin)
    return Difference(
        value=equal.difference,
        interval=tango(only_first, only_second, num_items),
        method=TANGO,
        p_value=mcnemar(only_first, only_second),
        test=MCNEMAR,
        p_equivalent=equal.p_value,
        detectable=_detectable(only_first + only_second, num_items, 1.0),
        num_items=num_items,
    )


def _of_clustered_passes(scores: Scores, spread: Estimate, margin: float) -> Difference:
    differences = scores.differences
    discordance = effective_discordance(
        map(bool, scores.firsts), map(bool, scores.seconds), scores.clusters
    )
    totals: dict[str, float] = defaultdict(float)
    for cluster, difference in zip(scores.clusters, differences, strict=True):
        totals[cluster] += difference
    effect = _design_effect(differences, scores.clusters)
    return Difference(
        value=spread.value,
        interval=tango(*discordance),
        method=f"{TANGO}, at the effective number of items",
        p_value=exchange_p_value([(each, (each, -each)) for each in totals.values() if each]),
        test="exact randomisation of clusters",
        p_equivalent=p_beyond(*discordance, margin=margin),
        detectable=_detectable(round(sum(map(abs, differences))), len(differences), effect),
        num_items=len(differences),
    )


def _of_means(scores: Scores, spread: Estimate, margin: float, unit: Unit) -> Difference:
    clustered = "" if scores.are_independent else ", clustered"
    interval, method = _interval(scores, spread)
    reach = _REACH.get(unit, inf)
    p_equivalent = None
    if unit in IN_POINTS:
        p_equivalent = equivalence(
            scores.firsts, scores.seconds, scores.clusters, margin=margin
        ).p_value
    return Difference(
        value=spread.value,
        interval=Interval(max(interval.lower, -reach), min(interval.upper, reach), interval.level),
        method=method + clustered,
        p_value=spread.p_value(),
        test=f"paired t{clustered}",
        p_equivalent=p_equivalent,
        detectable=detectable_mean(spread),
        num_items=len(scores.firsts),
    )


def _interval(scores: Scores, spread: Estimate) -> tuple[Interval, str]:
    try:
        resampled = bootstrap_difference(scores.firsts, scores.seconds, scores.clusters, seed=_SEED)
    except ValueError:  # so few clusters that resamples cannot place the ends
        return spread.interval(), STUDENT
    return resampled, BOOTSTRAP


def _without_spread(scores: Scores, margin: float, unit: Unit) -> Difference:
    """Where all clusters differ alike, so that there is no t-test, nor anything to resample.

    A cluster counts as one item, and the p-value is the sign test's over clusters. Only of rates
    that never differ does so much say how far apart they may be.
    """
    num_items, num_clusters = len(scores.firsts), scores.num_clusters
    value = sum(scores.differences) / num_items
    num_first, num_second = (num_clusters * (value * side > 0) for side in (1, -1))
    is_none = unit == "proportion" and value == 0 and num_clusters > 1
    equal = rate_equivalence(0, 0, num_clusters, margin=margin) if is_none else None
    detectable = None
    if unit == "proportion" and scores.are_passes:
        effect = _design_effect(scores.differences, scores.clusters)
        detectable = _detectable(round(sum(map(abs, scores.differences))), num_items, effect)
    return Difference(
        value=value,
        interval=tango(0, 0, num_clusters) if is_none else None,
        method=f"{TANGO}, a cluster as one item" if is_none else "none: no spread of clusters",
        p_value=mcnemar(num_first, num_second),
        test="sign test over clusters",
        p_equivalent=equal and equal.p_value,
        detectable=detectable,
        num_items=num_items,
    )


def _design_effect(differences: Sequence[float], clusters: Sequence[str]) -> float:
    sizes = list(Counter(clusters).values())
    if len(sizes) < 2 or len(set(differences)) == 1:
        return design_effect(sizes, 1.0)  # nothing says how alike they are, so as if all alike
    correlation = intracluster_correlation(differences, clusters)
    return design_effect(sizes, min(max(correlation, 0.0), 1.0))


def _detectable(num_discordant: int, num_items: int, effect: float) -> float | None:
    """At the discordance seen, or at the most it may be when none was.

    Where so few items differed that even all of them on one side would show nothing, the smallest
    difference that would show by bringing as many discordant items with it.
    """
    discordance = num_discordant / num_items or clopper_pearson(0, num_items).upper
    try:
        return detectable_paired(num_items, discordance, design_effect=effect)
    except ValueError:
        return _detectable_alone(num_items, effect)


def _detectable_alone(num_items: int, effect: float) -> float | None:
    if mcnemar(floor(num_items / effect), 0) > ALPHA:  # not even if all of them differed
        return None
    low, high = 0.0, 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        if paired_sample_size(middle, middle, design_effect=effect) > num_items:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True)
class Rate:
    """One model's passes and fails on items of its own."""

    passes: Sequence[int]
    clusters: Sequence[str]


def unpaired_difference(first: Rate, second: Rate) -> Difference:
    """Return the difference of rates over different items: Newcombe's interval, Fisher's test.

    Where items share clusters, both take the effective numbers of items.
    """
    (hits_1, trials_1, rate_1), (hits_2, trials_2, rate_2) = map(_effective_counts, (first, second))
    try:
        detectable = detectable_unpaired(min(trials_1, trials_2), rate_2)
    except ValueError:
        detectable = None
    counts = (hits_1, trials_1, hits_2, trials_2)
    is_clustered = [trials_1, trials_2] != [len(first.passes), len(second.passes)]
    return Difference(
        value=rate_1 - rate_2,
        interval=newcombe(*counts),
        method="Newcombe, at the effective number of items" if is_clustered else "Newcombe",
        p_value=fisher(*counts),
        test="Fisher, exact",
        p_equivalent=None,
        detectable=detectable,
        num_items=trials_1 + trials_2,
    )


def _effective_counts(rate: Rate) -> tuple[int, int, float]:
    """Hits and trials of independent items that would be as sure, and the true rate.

    E. L. Korn and B. I. Graubard, Survey Methodology 24 (1998), rounded down; where all hit or all
    miss, a cluster counts as one trial.
    """
    hits, num_items = sum(rate.passes), len(rate.passes)
    share, num_clusters = hits / num_items, len(set(rate.clusters))
    if num_clusters == num_items:
        return hits, num_items, share
    if share in (0, 1) or num_clusters == 1:
        return round(share * num_clusters), num_clusters, share
    spread = estimate_mean(rate.passes, rate.clusters).standard_error
    independent = share * (1 - share)
    trials = max(1, floor(independent / max(spread**2, independent / num_items)))
    return round(share * trials), trials, share
