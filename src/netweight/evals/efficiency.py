"""What a task's answers cost: tokens, seconds, and tokens for each right answer.

Every record has these figures, so that a model that is right more often by thinking longer is seen
to do so. Knows what scorers said. Does not know models or machines.
"""

from collections.abc import Callable, Sequence

import numpy as np

from netweight.evals.measure import Figure, Measure, Scored, mean_figure
from netweight.evals.stats import Interval

_NUM_RESAMPLES = 2000
_LEVEL = 0.95


def efficiency(
    measure: Measure, scored: Sequence[Scored], peak_bytes: Callable[[], int] | None
) -> list[Figure]:
    """Tokens and speed of the answers that count, and of hits where a hit is what is wanted."""
    counting = [each for each in scored if each.outcome in measure.counted]
    timed = [each for each in counting if each.seconds > 0]
    figures = [
        mean_figure(
            "tokens_per_answer",
            "mean tokens that the model wrote for an answer, its reasoning included",
            [each.num_tokens for each in counting],
            [each.cluster for each in counting],
            unit="tokens",
            lower_is_better=True,
        ),
        mean_figure(
            "answer_speed",
            "mean tokens a second of an answer, from its request to its end; answers ran side by "
            "side, so this is no measure of the most a server can give",
            [each.num_tokens / each.seconds for each in timed],
            [each.cluster for each in timed],
            unit="tokens/s",
        ),
        None if measure.lower_is_better else tokens_per_hit(measure, counting),
        None if peak_bytes is None else _memory(peak_bytes()),
    ]
    return [figure for figure in figures if figure is not None]


def tokens_per_hit(measure: Measure, counting: Sequence[Scored]) -> Figure | None:
    """All tokens over all hits, those of misses included; None without a hit.

    The interval is the percentile bootstrap's over clusters (B. Efron, "The jackknife, the
    bootstrap and other resampling plans", 1982); resamples without a hit have no ratio, and where
    more than one in forty have none, neither has the interval.
    """
    names = sorted({each.cluster for each in counting})
    place = {name: index for index, name in enumerate(names)}
    tokens, hits = np.zeros(len(names)), np.zeros(len(names))
    for each in counting:
        tokens[place[each.cluster]] += each.num_tokens
        hits[place[each.cluster]] += each.outcome in measure.hits
    if not hits.sum():
        return None
    drawn = np.random.default_rng(0).integers(len(names), size=(_NUM_RESAMPLES, len(names)))
    all_hits = hits[drawn].sum(axis=1)
    interval, method = None, "none: too few hits"
    if (all_hits == 0).mean() <= (1 - _LEVEL) / 2 and len(names) > 1:
        ratios = tokens[drawn].sum(axis=1)[all_hits > 0] / all_hits[all_hits > 0]
        ends = np.quantile(ratios, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        interval, method = Interval(float(ends[0]), float(ends[1]), _LEVEL), "bootstrap percentile"
    return Figure(
        "tokens_per_hit",
        f"tokens written for all answers over the number that are {' or '.join(measure.hits)}",
        float(tokens.sum() / hits.sum()),
        interval,
        method,
        len(counting),
        "tokens",
        lower_is_better=True,
    )


def _memory(num_bytes: int) -> Figure:
    return Figure(
        "peak_memory",
        "most memory that the process which served and measured the model has held so far",
        float(num_bytes),
        None,
        "none: one reading",
        1,
        "bytes",
        lower_is_better=True,
    )
