"""Intervals for rates and for differences between rates, and how a difference is read.

Knows arithmetic only: no claim, no source and no model. Rates and margins are fractions of one.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

Reading = Literal["higher", "lower", "equivalent", "inconclusive"]


class Interval(NamedTuple):
    """A range of values that the data leave plausible at the stated level."""

    low: float
    high: float


class Difference(NamedTuple):
    """One rate less another: the estimate, its 95% and 90% intervals, and the reading."""

    estimate: float
    interval: Interval
    inner: Interval
    reading: Reading


def z_score(level: float) -> float:
    """The normal quantile that leaves (1 - level) / 2 on each side."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(correct: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval for `correct` of `n` (Wilson, JASA 22, 1927).

    Raises:
        ValueError: n is not positive, or correct lies outside 0..n.
    """
    if n <= 0 or not 0 <= correct <= n:
        raise ValueError(f"{correct} of {n} is not a rate")
    z = z_score(level)
    rate = correct / n
    scale = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    # At the ends the formula is exact, and rounding is not.
    low = 0.0 if correct == 0 else centre - half
    high = 1.0 if correct == n else centre + half
    return Interval(low, high)


def difference_of_rates(
    first: float, first_n: int, second: float, second_n: int, *, margin: float
) -> Difference:
    """`first` less `second`, as independent samples, read against the margin.

    Shared questions make the true interval narrower where item results are known; published rates
    do not say which items were right, so the unpaired interval is the honest one.
    """
    variance = first * (1 - first) / first_n + second * (1 - second) / second_n
    return difference(first - second, math.sqrt(variance), margin=margin)


def difference(estimate: float, standard_error: float, *, margin: float) -> Difference:
    """Read an estimate: different, equivalent within the margin, or neither can be said.

    Different: the 95% interval leaves out zero. Equivalent: the 90% interval is inside the margin,
    which is the two one-sided tests of Schuirmann (1987) at 5% each. A difference that is both real
    and within the margin is read as equivalent: it is too small to matter.
    """
    outer, inner = (
        Interval(estimate - z * standard_error, estimate + z * standard_error)
        for z in (z_score(0.95), z_score(0.90))
    )
    return Difference(estimate, outer, inner, _read(outer, inner, margin))


def _read(outer: Interval, inner: Interval, margin: float) -> Reading:
    if -margin < inner.low and inner.high < margin:
        return "equivalent"
    if outer.low > 0:
        return "higher"
    if outer.high < 0:
        return "lower"
    return "inconclusive"


def items_to_tell(rate: float, *, margin: float) -> int:
    """Items per model so that equal models at this rate would be read as equivalent.

    The 90% half-width of a difference of two independent rates must not exceed the margin.
    """
    return math.ceil(2 * rate * (1 - rate) * (z_score(0.90) / margin) ** 2)


def items_without_a_hit(upper: float, *, level: float = 0.95) -> int:
    """Clean items needed before Wilson's upper bound for zero hits falls to `upper`.

    With no hit the bound is z^2 / (n + z^2).
    """
    z = z_score(level)
    return math.ceil(z * z * (1 - upper) / upper)
