"""Two models on the same items, or on different ones: is there a difference, and how large?

Every difference is first minus second. Knows counts and numbers; does not know models or records.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from math import copysign, hypot, inf, sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netweight.evals.clusters import (
    NUM_RESAMPLES,
    Estimate,
    bootstrap_mean,
    estimate_mean,
)
from netweight.evals.planning import ALPHA, POWER
from netweight.evals.stats import Interval, check_level, normal_quantile, wilson

Verdict = Literal["equivalent", "different", "undecided"]


class Equivalence(NamedTuple):
    """What two one-sided tests say of a difference and a margin.

    `p_value` is the larger of the two; `interval`, at 1 - 2 alpha, lies within the margin exactly
    when it is at most alpha. `p_different` is the two-sided p-value of no difference.
    """

    difference: float
    interval: Interval
    p_value: float
    p_different: float
    verdict: Verdict


def mcnemar(only_first: int, only_second: int, *, mid_p: bool = False) -> float:
    """Return the two-sided p-value of two models passing equally often, on the same items.

    `only_first` items were passed by the first model alone. Exact: Q. McNemar, Psychometrika 12
    (1947), by the binomial. The exact p-value is too large for few items; `mid_p` counts half of
    what was seen and keeps its level nearly always (M. W. Fagerland, S. Lydersen and P. Laake, BMC
    Medical Research Methodology 13, 2013). Items must be independent: for clusters use
    `estimate_difference`.

    Raises:
        ValueError: a negative count.
    """
    from scipy.special import bdtr

    _check_pairs(only_first, only_second, only_first + only_second)
    fewer, num_unlike = min(only_first, only_second), only_first + only_second
    if num_unlike == 0:
        return 1.0
    at_most = float(bdtr(fewer, num_unlike, 0.5))
    below = float(bdtr(fewer - 1, num_unlike, 0.5)) if fewer else 0.0
    return min(1.0, at_most + below if mid_p else 2 * at_most)


def tango(
    only_first: float, only_second: float, num_items: float, *, level: float = 0.95
) -> Interval:
    """Return the score interval of the difference of two rates over the same items.

    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17 (1998). It has width where the models never
    differ: there it ends at Wilson's upper end of no hits. Items must be independent; of those that
    are not, counts may be effective numbers, so fractions: see `effective_discordance`.

    Raises:
        ValueError: counts that are negative or exceed the items, no items, or a level outside (0,
            1).
    """
    from scipy.optimize import brentq

    if num_items < 1:
        raise ValueError(f"{num_items} items are none to compare on")
    _check_pairs(only_first, only_second, num_items)
    check_level(level)
    z = normal_quantile((1 + level) / 2)
    seen = (only_first - only_second) / num_items

    def end(side: float) -> float:
        if seen == side:
            return side

        def excess(difference: float) -> float:
            return _tango_score(only_first, only_second, num_items, difference) + side * z

        return float(brentq(excess, seen, side * (1 - 1e-9), xtol=1e-12))

    return Interval(end(-1.0), end(1.0), level)


class Discordance(NamedTuple):
    """How many items were passed by one model alone, of how many; effective numbers are fractions.

    So many independent items would be as sure as the clustered ones.
    """

    only_first: float
    only_second: float
    num_items: float


def effective_discordance(
    first: Iterable[bool], second: Iterable[bool], clusters: Iterable[Hashable]
) -> Discordance:
    """Return the counts of independent items with the same difference, and the same certainty.

    As `clusters.clustered_rate_interval` for one rate: the variance of independent items over the
    clustered one, with t's quantile for the normal one, is the share of the items that is left,
    and never more than all. Where few clusters differ, `tango` on these covers as often as stated,
    and neither the t interval nor the bootstrap does, since no spread is seen where nothing was.

    Raises:
        ValueError: as `estimate_difference`; scores other than 0 and 1; or no spread.
    """
    firsts, seconds, names = list(first), list(second), list(clusters)
    if not {*firsts, *seconds} <= {0, 1}:
        raise ValueError("only passes and fails are discordant; for other scores take their means")
    spread = estimate_difference(firsts, seconds, names)
    upper = spread.interval().upper  # refuses what has no spread
    differences = _differences(firsts, seconds)
    num_items = len(differences)
    independent = float(np.abs(differences).mean() - spread.value**2) / num_items
    deviation = (upper - spread.value) / normal_quantile(0.975)
    share = min(1.0, max(independent / deviation**2, 1 / num_items))
    only_first, only_second = (float((differences == side).sum()) for side in (1, -1))
    return Discordance(only_first * share, only_second * share, num_items * share)


def estimate_difference(
    first: Iterable[float], second: Iterable[float], clusters: Iterable[Hashable] | None = None
) -> Estimate:
    """Return the mean difference of two models' scores on the same items, in the same order.

    The paired t-test's, and clustered where clusters are given: see `clusters.estimate_mean`.

    Raises:
        ValueError: as `estimate_mean`, or different numbers of scores.
    """
    return estimate_mean(_differences(first, second), clusters)


def bootstrap_difference(
    first: Iterable[float],
    second: Iterable[float],
    clusters: Iterable[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
) -> Interval:
    """Return the bootstrap interval of the mean difference of scores on the same items.

    Items, or whole clusters of them, are resampled with both models' scores on them: see
    `clusters.bootstrap_mean`.

    Raises:
        ValueError: as `bootstrap_mean`, or different numbers of scores.
    """
    differences = _differences(first, second)
    return bootstrap_mean(
        differences, clusters, seed=seed, level=level, num_resamples=num_resamples
    )


def detectable_mean(difference: Estimate, *, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest mean difference that a t-test of this spread would find.

    The standard error times the sum of t's quantiles of both risks, which S. A. Julious, Statistics
    in Medicine 23 (2004), has with the noncentral t in place of the second: from four degrees on
    its power is within a point of the one asked for.

    Raises:
        ValueError: an alpha outside (0, 1) or a power outside (0.5, 1).
    """
    from scipy.special import stdtrit

    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    if not 0.5 < power < 1:
        raise ValueError(f"power is {power}; it must lie between 0.5 and 1")
    quantiles = stdtrit(difference.degrees, 1 - alpha / 2) + stdtrit(difference.degrees, power)
    return float(quantiles) * difference.standard_error


def newcombe(
    hits_first: int, trials_first: int, hits_second: int, trials_second: int, *, level: float = 0.95
) -> Interval:
    """Return the interval of the difference of two rates over different, independent items.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17 (1998), method 10: the Wilson intervals of both, squared and added.

    Raises:
        ValueError: no trials, hits outside 0..trials, or a level outside (0, 1).
    """
    first = wilson(hits_first, trials_first, level=level)
    second = wilson(hits_second, trials_second, level=level)
    rate_first, rate_second = hits_first / trials_first, hits_second / trials_second
    below = hypot(rate_first - first.lower, second.upper - rate_second)
    above = hypot(first.upper - rate_first, rate_second - second.lower)
    difference = rate_first - rate_second
    return Interval(difference - below, difference + above, level)


def fisher(hits_first: int, trials_first: int, hits_second: int, trials_second: int) -> float:
    """Return Fisher's exact two-sided p-value of equal rates over different, independent items.

    R. A. Fisher, "The design of experiments" (1935), chapter 2. Given all hits, it adds up every
    way to share them between the models that is at most as likely as the one seen.

    Raises:
        ValueError: no trials, or hits outside 0..trials.
    """
    for hits, trials in ((hits_first, trials_first), (hits_second, trials_second)):
        if trials < 1 or not 0 <= hits <= trials:
            raise ValueError(f"{hits} hits in {trials} trials is not a rate")
    from scipy.special import gammaln

    hits = hits_first + hits_second
    shares = np.arange(max(0, hits - trials_second), min(hits, trials_first) + 1)
    logs = -sum(
        gammaln(count + 1)
        for count in (
            shares,
            trials_first - shares,
            hits - shares,
            trials_second - hits + shares,
        )
    )
    chances = np.exp(logs - logs.max())
    seen = chances[hits_first - shares[0]]
    # Ways as likely as the one seen count, though rounding sets them apart.
    return float(chances[chances <= seen * (1 + 1e-7)].sum() / chances.sum())


def exchange_p_value(exchanges: Sequence[tuple[float, Sequence[float]]]) -> float:
    """Return the exact two-sided p-value of all groups being treated alike.

    R. A. Fisher's randomisation test ("The design of experiments", 1935, chapter 3): were all
    alike, every group could as well stand in any other's place, in each cluster anew. It is the
    share of all such exchanges whose sum is at least as far from nought as the one seen. For pairs
    of passes and fails it is McNemar's exact test.

    Args:
        exchanges: for each cluster what it adds up to, and what it would with each group in turn.
    """
    seen = sum(each for each, _ in exchanges)
    chances = {0.0: 1.0}
    for _, possible in exchanges:
        longer: dict[float, float] = defaultdict(float)
        for total, chance in chances.items():
            for each in possible:
                longer[round(total + each, 9)] += chance / len(possible)
        chances = longer
    beyond = abs(seen) - 1e-6  # rounding must not set like sums apart
    return min(1.0, sum(chance for total, chance in chances.items() if abs(total) >= beyond))


def equivalence(
    first: Iterable[float],
    second: Iterable[float],
    clusters: Iterable[Hashable] | None = None,
    *,
    margin: float,
    alpha: float = 0.05,
) -> Equivalence:
    """Test whether two models' mean scores on the same items differ by less than `margin`.

    Two one-sided t-tests: D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15
    (1987); clustered where clusters are given. The verdict is "equivalent" when both reject, even
    where a difference is significant too, since one that small does not matter; else "different"
    when the two-sided test finds one; else "undecided". For passes and fails of independent items
    take `rate_equivalence`, which can also judge models that never differ.

    Raises:
        ValueError: as `estimate_difference`; no spread; a margin of nought or less; or an alpha
            outside (0, 0.5).
    """
    _check_margin(margin, alpha)
    difference = estimate_difference(first, second, clusters)
    p_value = max(difference.p_above(-margin), difference.p_below(margin))
    p_different = difference.p_value()
    return Equivalence(
        difference.value,
        difference.interval(level=1 - 2 * alpha),
        p_value,
        p_different,
        _verdict(p_value, p_different, alpha),
    )


def rate_equivalence(
    only_first: int, only_second: int, num_items: int, *, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test whether two rates over the same independent items differ by less than `margin`.

    As `equivalence`, but by Tango's score tests (see `tango`), and the mid-p of `mcnemar` for a
    difference. With clusters in which the models never differ, count a cluster as one item.

    Raises:
        ValueError: as `tango`; a margin outside (0, 1); or an alpha outside (0, 0.5).
    """
    _check_margin(margin, alpha)
    interval = tango(only_first, only_second, num_items, level=1 - 2 * alpha)
    p_value = p_beyond(only_first, only_second, num_items, margin=margin)
    p_different = mcnemar(only_first, only_second, mid_p=True)
    difference = (only_first - only_second) / num_items
    verdict = _verdict(p_value, p_different, alpha)
    return Equivalence(difference, interval, p_value, p_different, verdict)


def p_beyond(only_first: float, only_second: float, num_items: float, *, margin: float) -> float:
    """Return the p-value of two rates over the same items being further apart than `margin`.

    The larger one of two one-sided score tests; counts are as for `tango`.

    Raises:
        ValueError: as `tango`, or a margin outside (0, 1).
    """
    from scipy.special import ndtr

    _check_margin(margin)
    if margin >= 1:
        raise ValueError(f"margin is {margin}; rates cannot differ by more than 1")
    _check_pairs(only_first, only_second, num_items)
    above = _tango_score(only_first, only_second, num_items, -margin)
    below = _tango_score(only_first, only_second, num_items, margin)
    return float(max(ndtr(-above), ndtr(below)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that at most alpha of all such families hold a false finding.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979). Valid however the tests depend on one another.

    Raises:
        ValueError: a p-value outside [0, 1].
    """
    _check_p_values(p_values)
    ordered = np.sort(p_values) * np.arange(len(p_values), 0, -1)
    return _in_order_of(p_values, np.minimum(np.maximum.accumulate(ordered), 1.0))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted so that of the findings at most alpha are false, in expectation.

    Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal
    Statistical Society B 57 (1995). Valid for tests that are independent or rise together.

    Raises:
        ValueError: a p-value outside [0, 1].
    """
    _check_p_values(p_values)
    num_tests = len(p_values)
    ordered = np.sort(p_values) * num_tests / np.arange(1, num_tests + 1)
    return _in_order_of(p_values, np.minimum.accumulate(ordered[::-1])[::-1])


def _tango_score(
    only_first: float, only_second: float, num_items: float, difference: float
) -> float:
    """Return the score statistic of a true `difference`: positive where more was seen.

    The chance of "only second" is the root of a quadratic, the likeliest under `difference`.
    """
    excess = only_first - only_second - num_items * difference
    linear = (2 * num_items - only_first + only_second) * difference - only_first - only_second
    constant = -only_second * difference * (1 - difference)
    root = sqrt(max(linear * linear - 8 * num_items * constant, 0.0))
    # Two forms of one root; each is used where it does not subtract like from like.
    chance = (root - linear) / (4 * num_items) if linear <= 0 else -2 * constant / (linear + root)
    variance = num_items * (2 * chance + difference * (1 - difference))
    if variance <= 0:
        return 0.0 if excess == 0 else copysign(inf, excess)
    return excess / sqrt(variance)


def _verdict(p_value: float, p_different: float, alpha: float) -> Verdict:
    if p_value <= alpha:
        return "equivalent"
    return "different" if p_different <= alpha else "undecided"


def _differences(first: Iterable[float], second: Iterable[float]) -> NDArray[np.float64]:
    ones, others = np.fromiter(first, np.float64), np.fromiter(second, np.float64)
    if len(ones) != len(others):
        raise ValueError(f"{len(ones)} scores cannot be paired with {len(others)}")
    return ones - others


def _in_order_of(p_values: Sequence[float], adjusted: NDArray[np.float64]) -> list[float]:
    """Put back `adjusted`, which is in rising order of `p_values`, into the order given."""
    restored = np.empty(len(p_values))
    restored[np.argsort(p_values, kind="stable")] = adjusted
    return [float(value) for value in restored]


def _check_p_values(p_values: Sequence[float]) -> None:
    for value in p_values:
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is not a p-value; it must lie between 0 and 1")


def _check_pairs(only_first: float, only_second: float, num_items: float) -> None:
    if min(only_first, only_second) < 0 or only_first + only_second > num_items:
        raise ValueError(f"{only_first} and {only_second} of {num_items} items are no pairs")


def _check_margin(margin: float, alpha: float = 0.05) -> None:
    if not 0 < margin < inf:
        raise ValueError(f"margin is {margin}; it must be the largest difference that is none")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 0.5")
