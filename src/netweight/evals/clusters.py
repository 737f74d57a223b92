"""Means and rates of items that come in clusters: themes, exercises, epochs of one item.

Items of a cluster tend to pass and fail together, so they say less than as many items on their own.
Name the widest group that shares something: the theme, or the item itself where the only repeats
are its epochs. Every item weighs the same, whatever its cluster. Knows numbers and cluster names.
"""

from collections.abc import Hashable, Iterable
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netweight.evals.stats import (
    Interval,
    check_level,
    clopper_pearson,
    normal_quantile,
    score_interval,
)

NUM_RESAMPLES = 10_000
# Below this many resamples beyond an end of the interval, the end is noise.
MIN_BEYOND = 5
_CELLS_AT_ONCE = 1_000_000  # resamples times clusters held in memory: 8 MB an array


class Estimate(NamedTuple):
    """A mean, its standard error, and the degrees of freedom of Student's t that go with it."""

    value: float
    standard_error: float
    degrees: float

    def interval(self, *, level: float = 0.95) -> Interval:
        """Return the t interval.

        Raises:
            ValueError: a level outside (0, 1), or no spread to make an interval of.
        """
        check_level(level)
        half_width = _t_quantile((1 + level) / 2, self.degrees) * self._spread()
        return Interval(self.value - half_width, self.value + half_width, level)

    def p_value(self, null: float = 0.0) -> float:
        """Return the two-sided p-value of the true mean being `null`."""
        return 2 * min(self.p_above(null), self.p_below(null))

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value; a small one says that the true mean is above `bound`."""
        from scipy.special import stdtr

        return float(stdtr(self.degrees, (bound - self.value) / self._spread()))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value; a small one says that the true mean is below `bound`."""
        from scipy.special import stdtr

        return float(stdtr(self.degrees, (self.value - bound) / self._spread()))

    def _spread(self) -> float:
        if self.standard_error == 0:
            raise ValueError(
                f"all clusters have the mean {self.value}, and no spread is no certainty; "
                "rates have intervals here too: clustered_rate_interval, comparing.tango"
            )
        return self.standard_error


def estimate_mean(values: Iterable[float], clusters: Iterable[Hashable] | None = None) -> Estimate:
    """Return the mean of `values` with its standard error, clustered where `clusters` are given.

    Without clusters these are the textbook's: s / sqrt(n), with n - 1 degrees. With clusters, sums
    of residuals by cluster take the place of single residuals (K.-Y. Liang and S. L. Zeger,
    Biometrika 73, 1986; for evaluations E. Miller, "Adding error bars to evals", arXiv:2411.00640,
    2024). Few clusters are corrected for as in R. M. Bell and D. F. McCaffrey, Survey Methodology
    28 (2002): each square is divided by one minus the cluster's share of the items, and degrees are
    Satterthwaite's. For clusters of one size both are the usual correction, G / (G - 1) and G - 1
    degrees for G clusters; the more unequal the sizes, the fewer the degrees.

    Raises:
        ValueError: fewer than two clusters (or values), numbers that are not finite, or as many
            names of clusters as there are not values.
    """
    totals, sizes = _by_cluster(values, clusters)
    num_items = float(sizes.sum())
    shares = sizes / num_items
    mean = float(totals.sum() / num_items)
    residuals = totals - mean * sizes
    variance = float((residuals**2 / (1 - shares)).sum()) / num_items**2
    is_rounding = np.abs(residuals).max() <= 1e-12 * np.abs(totals).max()
    return Estimate(mean, 0.0 if is_rounding else sqrt(variance), _degrees(shares))


def clustered_rate_interval(
    hits: Iterable[bool], clusters: Iterable[Hashable], *, level: float = 0.95
) -> Interval:
    """Return the Wilson interval of a rate over clusters, at the effective number of items.

    That number is the one of independent items with the same standard error, less what t asks for
    over the normal quantile, and never above the true number: E. L. Korn and B. I. Graubard,
    Survey Methodology 24 (1998), there for the exact interval. When all hit or all miss the spread
    is unknown; then a cluster counts as one trial, in the exact interval, which is the widest
    reading. Unlike a t interval this stays inside [0, 1].

    Raises:
        ValueError: as `estimate_mean`; hits other than 0 and 1; or a level outside (0, 1).
    """
    check_level(level)
    hits, clusters = list(hits), list(clusters)
    if not set(hits) <= {0, 1}:
        raise ValueError("a rate is of hits and misses; for other numbers use estimate_mean")
    estimate = estimate_mean(hits, clusters)
    if estimate.value in (0, 1):
        num_clusters = len(set(clusters))
        return clopper_pearson(int(estimate.value) * num_clusters, num_clusters, level=level)
    normal, student = (
        normal_quantile((1 + level) / 2),
        _t_quantile((1 + level) / 2, estimate.degrees),
    )
    variance = (estimate.standard_error * student / normal) ** 2
    independent = estimate.value * (1 - estimate.value)
    num_effective = independent / max(variance, independent / len(hits))
    return score_interval(estimate.value, num_effective, level=level)


def bootstrap_mean(
    values: Iterable[float],
    clusters: Iterable[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
) -> Interval:
    """Return the expanded percentile bootstrap interval of a mean, resampling whole clusters.

    T. C. Hesterberg, "What teachers should know about the bootstrap", arXiv:1411.5279 (2014): the
    percentile interval is too narrow by sqrt((G - 1) / G) for G clusters and by the normal quantile
    in place of t's, so its ends are taken further out by as much. The degrees are those of
    `estimate_mean`: G - 1 for clusters of one size. Resampling clusters: A. C. Davison and D. V.
    Hinkley, "Bootstrap methods and their application" (1997), section 3.8. Unlike a t interval it
    follows the skew of the data. The same seed gives the same interval.

    Raises:
        ValueError: as `estimate_mean`; clusters so few that the resamples cannot place the ends
            (below five of one size at 95%); no spread; or a level outside (0, 1).
    """
    check_level(level)
    totals, sizes = _by_cluster(values, clusters)
    num_clusters = len(totals)
    quantile = _t_quantile((1 + level) / 2, _degrees(sizes / sizes.sum()))
    tail = _normal_below(-quantile * sqrt(num_clusters / (num_clusters - 1)))
    if tail * num_resamples < MIN_BEYOND:
        raise ValueError(
            f"{num_resamples} resamples of {num_clusters} clusters cannot place the ends of a "
            f"{level:.0%} interval; use the t interval of estimate_mean"
        )
    means = _resampled_means(totals, sizes, np.random.default_rng(seed), num_resamples)
    lower, upper = (float(end) for end in np.quantile(means, (tail, 1 - tail)))
    if upper - lower <= 1e-12 * np.abs(means).max():
        raise ValueError("all resamples have the same mean, and no spread is no certainty")
    return Interval(lower, upper, level)


def intracluster_correlation(values: Iterable[float], clusters: Iterable[Hashable]) -> float:
    """Return how alike items of a cluster are: 1 when equal, 0 when no more than strangers.

    The analysis of variance estimator: A. Donner, "A review of inference procedures for the
    intraclass correlation coefficient in the one-way random effects model", International
    Statistical Review 54 (1986). It may come out below 0. `planning.design_effect` takes it,
    as 0 then.

    Raises:
        ValueError: as `estimate_mean`; no cluster with two items; or no spread at all.
    """
    values, clusters = list(values), list(clusters)
    totals, sizes = _by_cluster(values, clusters)
    num_items, num_clusters = sizes.sum(), len(sizes)
    if num_items == num_clusters:
        raise ValueError("every cluster has one item, so nothing says how alike its items are")
    squares = (np.array(values) ** 2).sum()
    by_cluster = (totals**2 / sizes).sum()
    between = (by_cluster - totals.sum() ** 2 / num_items) / (num_clusters - 1)
    within = (squares - by_cluster) / (num_items - num_clusters)
    size = (num_items - (sizes**2).sum() / num_items) / (num_clusters - 1)
    spread = between + (size - 1) * within
    if spread <= 1e-12 * squares:
        raise ValueError("all values are equal, so nothing says how alike a cluster's items are")
    return float((between - within) / spread)


def _by_cluster(
    values: Iterable[float], clusters: Iterable[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each cluster's sum of values and its number of items."""
    numbers = np.fromiter(values, np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("every value must be a finite number; leave out what was not measured")
    names = range(len(numbers)) if clusters is None else list(clusters)
    if len(names) != len(numbers):
        raise ValueError(f"{len(numbers)} values in {len(names)} named places; name each one's")
    index_of = {name: index for index, name in enumerate(dict.fromkeys(names))}
    if len(index_of) < 2:
        raise ValueError(f"{len(index_of)} clusters show no spread; two are the least")
    indices = np.fromiter((index_of[name] for name in names), np.intp)
    totals: NDArray[np.float64] = np.bincount(indices, numbers).astype(np.float64)
    return totals, np.bincount(indices).astype(np.float64)  # each [clusters]


def _degrees(shares: NDArray[np.float64]) -> float:
    """Return Satterthwaite's degrees of freedom for clusters with these shares of the items.

    One over trace(B @ B), where B[g, g] is share g and B[g, h] B[h, g] is weight g times weight h.
    """
    weights = shares**2 / (1 - shares)
    return float(1 / ((shares**2).sum() + weights.sum() ** 2 - (weights**2).sum()))


def _resampled_means(
    totals: NDArray[np.float64],
    sizes: NDArray[np.float64],
    generator: np.random.Generator,
    num_resamples: int,
) -> NDArray[np.float64]:
    step = max(1, _CELLS_AT_ONCE // len(totals))
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, step):
        rows = min(step, num_resamples - start)
        picks = generator.integers(len(totals), size=(rows, len(totals)))  # [resamples, clusters]
        means[start : start + rows] = totals[picks].sum(axis=1) / sizes[picks].sum(axis=1)
    return means


def _t_quantile(probability: float, degrees: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def _normal_below(value: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(value))
