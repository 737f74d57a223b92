"""How many items does a comparison need, and what could one with these items have seen?

For rates, two-sided tests, and by the normal approximation, which is a little hopeful below some
thirty items. Knows numbers only.
"""

from collections.abc import Callable, Sequence
from math import ceil, inf, sqrt

from netweight.evals.stats import normal_quantile

ALPHA = 0.05
POWER = 0.8


def design_effect(cluster_sizes: Sequence[int], correlation: float) -> float:
    """Return by what factor clusters raise the number of items that a comparison needs.

    L. Kish, "Survey sampling" (1965): 1 + (m - 1) times the correlation, where m is the size of
    clusters; for unequal ones the mean over items, not clusters (S. M. Eldridge, D. Ashby and S.
    Kerry, International Journal of Epidemiology 35, 2006). The correlation is of what is compared:
    `clusters.intracluster_correlation` of scores for an unpaired comparison, of differences for a
    paired one.

    Raises:
        ValueError: no clusters, an empty one, or a correlation outside [0, 1].
    """
    if not cluster_sizes or min(cluster_sizes) < 1:
        raise ValueError("clusters need at least one item each")
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation is {correlation}; it must lie between 0 and 1")
    met = sum(size * size for size in cluster_sizes) / sum(cluster_sizes)
    return 1 + (met - 1) * correlation


def paired_sample_size(
    effect: float,
    discordance: float,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """Return how many items two models must both answer for a test to find `effect`.

    `effect` is the difference of their rates, `discordance` the share of items that just one of
    them passes. R. J. Connor, "Sample size for testing differences in proportions for the
    paired-sample design", Biometrics 43 (1987), for McNemar's test; mid-p comes close, the exact
    test needs a few more.

    Raises:
        ValueError: an effect of nought or above the discordance, a discordance outside (0, 1], a
            design effect below 1, an alpha outside (0, 1) or a power outside (0.5, 1).
    """
    alpha_z, power_z = _quantiles(alpha, power)
    _check_discordance(discordance)
    effect = _positive(effect)
    if effect > discordance:
        raise ValueError(f"rates differ by at most the discordance {discordance}, not {effect}")
    return _whole(_paired_items(effect, discordance, alpha_z, power_z), design_effect)


def detectable_paired(
    num_items: int,
    discordance: float,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float:
    """Return the smallest difference of two rates that a test on the same items would find.

    `paired_sample_size` solved for the effect, a quadratic.

    Raises:
        ValueError: as `paired_sample_size`, or too few items to find any difference.
    """
    alpha_z, power_z = _quantiles(alpha, power)
    _check_discordance(discordance)
    effective = _effective(num_items, design_effect)
    # All items that differ favour one model: no difference is larger.
    if _paired_items(discordance, discordance, alpha_z, power_z) > effective:
        raise ValueError(f"{num_items} items are too few to find any difference; add items")
    root = power_z * sqrt(effective + power_z**2 - alpha_z**2)
    return sqrt(discordance) * (sqrt(effective) * alpha_z + root) / (effective + power_z**2)


def unpaired_sample_size(
    effect: float,
    baseline: float,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> int:
    """Return how many items each of two models needs, on different items, to find `effect`.

    `effect` is what is added to the rate `baseline`, and may be negative. J. L. Fleiss, B. Levin
    and M. C. Paik, "Statistical methods for rates and proportions" (2003), chapter 4, without
    continuity correction; R's power.prop.test is the same. Fisher's exact test needs more.

    Raises:
        ValueError: rates outside [0, 1], an effect of nought, a design effect below 1, an alpha
            outside (0, 1) or a power outside (0.5, 1).
    """
    _positive(effect)
    _check_baseline(baseline)
    if not 0 <= baseline + effect <= 1:
        raise ValueError(f"{baseline} changed by {effect} is not a rate")
    return _whole(_unpaired_items(effect, baseline, alpha, power), design_effect)


def detectable_unpaired(
    num_items: int,
    baseline: float,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    power: float = POWER,
) -> float:
    """Return the smallest difference from `baseline` found with `num_items` for each model.

    Towards one half, where rates spread most and a difference is hardest to see.
    `unpaired_sample_size` solved for the effect.

    Raises:
        ValueError: as `unpaired_sample_size`, or too few items to find any difference.
    """
    effective = _effective(num_items, design_effect)
    _check_baseline(baseline)
    side = 1.0 if baseline <= 0.5 else -1.0
    largest = max(baseline, 1 - baseline)

    def excess(effect: float) -> float:
        return _unpaired_items(side * effect, baseline, alpha, power) - effective

    if excess(largest) > 0:
        raise ValueError(f"{num_items} items are too few to find any difference; add items")
    return _root(excess, 1e-9, largest)


def _paired_items(effect: float, discordance: float, alpha_z: float, power_z: float) -> float:
    spread = alpha_z * sqrt(discordance) + power_z * sqrt(discordance - effect**2)
    return (spread / effect) ** 2


def _unpaired_items(effect: float, baseline: float, alpha: float, power: float) -> float:
    alpha_z, power_z = _quantiles(alpha, power)
    other = min(max(baseline + effect, 0.0), 1.0)  # rounding may leave [0, 1]
    middle = (baseline + other) / 2
    same = alpha_z * sqrt(2 * middle * (1 - middle))
    apart = power_z * sqrt(baseline * (1 - baseline) + other * (1 - other))
    return ((same + apart) / effect) ** 2


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high))


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")
    if not 0.5 < power < 1:
        raise ValueError(f"power is {power}; it must lie between 0.5 and 1")
    return normal_quantile(1 - alpha / 2), normal_quantile(power)


def _effective(num_items: int, design_effect: float) -> float:
    if num_items < 1:
        raise ValueError(f"{num_items} items are none to compare on")
    _check_design_effect(design_effect)
    return num_items / design_effect


def _whole(num_items: float, design_effect: float) -> int:
    _check_design_effect(design_effect)
    # Rounding must not ask for one item more than an exact solution.
    return ceil(num_items * design_effect * (1 - 1e-9))


def _check_design_effect(design_effect: float) -> None:
    if not 1 <= design_effect < inf:
        raise ValueError(f"design effect is {design_effect}; it must be at least 1")


def _check_discordance(discordance: float) -> None:
    if not 0 < discordance <= 1:
        raise ValueError(f"discordance is {discordance}; it must lie above 0, and at most at 1")


def _check_baseline(baseline: float) -> None:
    if not 0 <= baseline <= 1:
        raise ValueError(f"baseline is {baseline}; it must lie between 0 and 1")


def _positive(effect: float) -> float:
    if effect == 0:
        raise ValueError("no number of items finds an effect of nought")
    return abs(effect)
