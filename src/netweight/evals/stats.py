"""Intervals for measured rates.

Knows counts. Does not know tasks, models or records.
"""

from math import sqrt
from typing import NamedTuple


class Interval(NamedTuple):
    """A two-sided confidence interval of a rate; both ends lie in [0, 1]."""

    lower: float
    upper: float
    level: float


def wilson(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Return the Wilson score interval, without continuity correction, of `hits` in `trials`.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927). It stays inside [0, 1] and has width at 0 and at `trials` hits, where the interval of
    the normal approximation collapses to a point.

    Raises:
        ValueError: no trials, hits outside 0..trials, or a level outside (0, 1).
    """
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials is not a rate")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    z = _normal_quantile((1 + level) / 2)
    rate = hits / trials
    shrink = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half_width = z / shrink * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # The ends are exact at 0 and at `trials` hits; rounding must not push them past the rate.
    lower = 0.0 if hits == 0 else centre - half_width
    upper = 1.0 if hits == trials else centre + half_width
    return Interval(lower, upper, level)


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri  # scipy.stats takes a second to import; this does not

    return float(ndtri(probability))
