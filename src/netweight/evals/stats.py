"""Measured rates: their intervals, and what repeated answers and two raters say of them.

Knows counts and labels. Does not know tasks, models or records. All of it takes answers as
independent of one another; `clusters` is for answers that are not, `comparing` for two models.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import comb, sqrt
from typing import NamedTuple


class Interval(NamedTuple):
    """A two-sided confidence interval; both ends of a rate's lie in [0, 1]."""

    lower: float
    upper: float
    level: float


class Kappa(NamedTuple):
    """Cohen's kappa: agreement beyond chance, 1 when complete, 0 when chance explains it."""

    value: float
    interval: Interval


def wilson(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Return the Wilson score interval, without continuity correction, of `hits` in `trials`.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927). It stays inside [0, 1] and has width at 0 and at `trials` hits, where the interval of
    the normal approximation collapses to a point.

    Raises:
        ValueError: no trials, hits outside 0..trials, or a level outside (0, 1).
    """
    _check_counts(hits, trials)
    check_level(level)
    return score_interval(hits / trials, trials, level=level)


def clopper_pearson(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval: no rate in it would make counts this far off rarer than stated.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26 (1934), by the beta quantiles. It covers at least as often
    as stated, whatever the rate, and is wider for it.

    Raises:
        ValueError: no trials, hits outside 0..trials, or a level outside (0, 1).
    """
    from scipy.special import betaincinv

    _check_counts(hits, trials)
    check_level(level)
    tail = (1 - level) / 2
    lower = 0.0 if hits == 0 else float(betaincinv(hits, trials - hits + 1, tail))
    upper = 1.0 if hits == trials else float(betaincinv(hits + 1, trials - hits, 1 - tail))
    return Interval(lower, upper, level)


def rate_interval(hits: int, trials: int, *, level: float = 0.95) -> Interval:
    """Return the exact interval at 0 and at `trials` hits, and the Wilson interval between.

    "Never" and "always" are the claims that readers lean on most, and there the exact end needs no
    approximation: a rate beyond it gives such a count in fewer than (1 - level) / 2 of all runs.
    Between the edges Wilson covers as often as stated on average, where the exact interval covers
    more (L. D. Brown, T. T. Cai and A. DasGupta, Statistical Science 16, 2001). At 95% the exact
    end lies further out than Wilson's up to 45 trials, and a little less far out from there.

    Raises:
        ValueError: no trials, hits outside 0..trials, or a level outside (0, 1).
    """
    interval = clopper_pearson if hits in (0, trials) else wilson
    return interval(hits, trials, level=level)


def score_interval(rate: float, trials: float, *, level: float = 0.95) -> Interval:
    """Return Wilson's interval of `rate`; `trials` may be an effective number, so a fraction."""
    z = normal_quantile((1 + level) / 2)
    shrink = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half_width = z / shrink * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # The ends are exact at 0 and at `trials` hits; rounding must not push them past the rate.
    lower = 0.0 if rate == 0 else centre - half_width
    upper = 1.0 if rate == 1 else centre + half_width
    return Interval(lower, upper, level)


def pass_at_k(num_samples: int, num_correct: int, k: int) -> float:
    """Return the chance that of `k` answers to one item at least one is correct.

    Unbiased, from `num_samples` answers of which `num_correct` are: M. Chen and others, "Evaluating
    large language models trained on code", arXiv:2107.03374 (2021), equation 1. For a task's
    figure, give one value per item to `clusters.estimate_mean`.

    Raises:
        ValueError: correct answers outside 0..num_samples, or `k` outside 1..num_samples.
    """
    _check_counts(num_correct, num_samples)
    if not 1 <= k <= num_samples:
        raise ValueError(f"k is {k}; it must lie between 1 and the {num_samples} samples")
    return 1 - comb(num_samples - num_correct, k) / comb(num_samples, k)


def flip_rate(outcomes: Sequence[Hashable]) -> float:
    """Return how often two epochs of one item, drawn at random, disagree.

    The share of pairs of epochs with unlike outcomes: E. H. Simpson, "Measurement of diversity",
    Nature 163 (1949), taken from one. It is unbiased, and so comparable between runs with different
    numbers of epochs, which the share of items that ever flip is not. For a task's figure, give one
    value per item to `clusters.estimate_mean`.

    Raises:
        ValueError: fewer than two epochs.
    """
    num_epochs = len(outcomes)
    if num_epochs < 2:
        raise ValueError(f"{num_epochs} epochs cannot disagree; run at least two")
    num_alike = sum(comb(count, 2) for count in Counter(outcomes).values())
    return 1 - num_alike / comb(num_epochs, 2)


def raw_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Return the share of items to which two raters give the same label.

    Raises:
        ValueError: no items, or raters with different numbers of them.
    """
    _check_raters(first, second)
    return _num_agreed(first, second) / len(first)


def cohen_kappa(
    first: Sequence[Hashable], second: Sequence[Hashable], *, level: float = 0.95
) -> Kappa:
    """Return Cohen's kappa of two raters' labels of the same items, with its interval.

    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20 (1960); the large-sample variance of J. L. Fleiss, J. Cohen and B. S. Everitt,
    Psychological Bulletin 72 (1969). That variance is nought when the raters agree
    everywhere, or one of them gives one label only. Then, by our own choice, the exact interval of
    the agreement is carried over, with chance agreement held at what was seen.

    Raises:
        ValueError: no items, raters with different numbers of them, one label for everything (no
            agreement beyond chance is possible), or a level outside (0, 1).
    """
    _check_raters(first, second)
    check_level(level)
    num_items = len(first)
    firsts, seconds = Counter(first), Counter(second)
    num_agreed = _num_agreed(first, second)
    chance = sum(firsts[label] * seconds[label] for label in firsts) / num_items**2
    if chance == 1:
        raise ValueError("both raters gave every item the same label, so kappa is undefined")
    kappa = (num_agreed / num_items - chance) / (1 - chance)
    # Each cell's part in kappa: the diagonal moves agreement and chance, the rest chance only.
    parts = [
        (one == other) - (1 - kappa) * (seconds[one] + firsts[other]) / num_items
        for one, other in zip(first, second, strict=True)
    ]
    mean_square = sum(part * part for part in parts) / num_items
    variance = (mean_square - (kappa - chance * (1 - kappa)) ** 2) / num_items
    if variance <= 1e-12:
        ends = clopper_pearson(num_agreed, num_items, level=level)[:2]
        lower, upper = ((end - chance) / (1 - chance) for end in ends)
    else:
        half_width = normal_quantile((1 + level) / 2) * sqrt(variance) / (1 - chance)
        lower, upper = kappa - half_width, kappa + half_width
    return Kappa(kappa, Interval(max(lower, -1.0), min(upper, 1.0), level))


def check_level(level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")


def normal_quantile(probability: float) -> float:
    """Return the standard normal's quantile."""
    from scipy.special import ndtri  # scipy.stats takes a second to import; this does not

    return float(ndtri(probability))


def _check_counts(hits: int, trials: int) -> None:
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials is not a rate")


def _check_raters(first: Sequence[Hashable], second: Sequence[Hashable]) -> None:
    if not first or len(first) != len(second):
        raise ValueError(f"raters with {len(first)} and {len(second)} labels cannot be compared")


def _num_agreed(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    return sum(one == other for one, other in zip(first, second, strict=True))
