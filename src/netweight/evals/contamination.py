"""Tasks `membership` and `canonical_order`: was a test among the training texts?

The first asks whether public texts are likelier to the model than like texts it cannot have seen,
always beside a blind classifier that sees the words alone: what that one tells apart, the model
need not have memorised. The second asks whether a file's own order is likelier than others. Both
need exact log-probabilities of prompts. Each figure is an indication and never a proof.

Min-K%++ needs the mean and the spread of log p over the whole vocabulary at every token. netweight
gives them; of a server that does not, the few likeliest tokens do not determine them, and the
figure is left out with a word.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, log, sqrt
from random import Random
from typing import Any, NamedTuple

import numpy as np
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from numpy.typing import NDArray

from netweight.errors import WeighError
from netweight.evals.clusters import estimate_mean
from netweight.evals.completions import MOMENTS, Moments, endpoint_of, settle
from netweight.evals.measure import FAILED, Figure, Measure, Scored, mean_figure
from netweight.evals.memorised import read_texts, told_apart
from netweight.evals.prose import words
from netweight.evals.scoring import judged, outcome_counts
from netweight.evals.stats import Interval, normal_quantile

VERSION = 1

CAUTION = "an indication of contamination, not a proof"
PUBLIC_LIKELIER, CONTROL_LIKELIER = "public likelier", "control likelier"
CANONICAL_LIKELIER, NOT_LIKELIER = "canonical likelier", "not likelier"

SHARE = 0.2  # of tokens, for Min-K%: the middle of what W. Shi and others tried
LEAST_STD = 1e-5  # nats: float32 tells log p of 200,000 tokens no better
NUM_FOLDS = 5
NUM_DRAWS = 9_999  # of the order test's null: p-values go down to 1 / 10,000
_STORE = "scores"


# Scores of one text: higher says that it is likelier to have been in the training


def mean_logprob(logprobs: Sequence[float]) -> float:
    """Return the mean log-probability of a text's tokens: the loss, negated.

    S. Yeom and others, "Privacy risk in machine learning", arXiv:1709.01604 (2018).

    Raises:
        ValueError: no tokens.
    """
    _check_tokens(logprobs)
    return sum(logprobs) / len(logprobs)


def min_k(logprobs: Sequence[float], share: float = SHARE) -> float:
    """Return Min-K%: the mean log-probability of the `share` of tokens that are least likely.

    W. Shi and others, "Detecting pretraining data from large language models", arXiv:2310.16789
    (2023): what a model has seen has few surprises even at its most surprising.

    Raises:
        ValueError: no tokens, or a share outside (0, 1].
    """
    _check_tokens(logprobs)
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it must lie above 0 and at most at 1")
    lowest = sorted(logprobs)[: ceil(share * len(logprobs))]
    return sum(lowest) / len(lowest)


def min_k_plus_plus(
    logprobs: Sequence[float], moments: Sequence[Moments], share: float = SHARE
) -> float:
    """Return Min-K%++: Min-K% of how many standard deviations each log p lies above its mean.

    J. Zhang and others, "Min-K%++: improved baseline for detecting pre-training data from large
    language models", arXiv:2404.02936 (2024): what a model has seen tends to be likelier than what
    else could stand there, however sure the model is. With mu and sigma of log p over the
    vocabulary, z = (log p - mu) / sigma.

    Where sigma is 0, all that the model deems possible is equally likely: sigma counts as LEAST_STD
    at least, so that such a token has z about 0, and one deemed impossible lies below all others.

    Raises:
        ValueError: as `min_k`, or another number of moments.
    """
    if len(moments) != len(logprobs):
        raise ValueError(f"{len(logprobs)} log-probabilities have {len(moments)} moments")
    standardised = [
        (logprob - mean) / max(std, LEAST_STD)
        for logprob, (mean, std) in zip(logprobs, moments, strict=True)
    ]
    return min_k(standardised, share)


def zlib_ratio(text: str, logprobs: Sequence[float]) -> float:
    """Return the log-probability of a text per byte of its zlib compression.

    N. Carlini and others, "Extracting training data from large language models", arXiv:2012.07805
    (2021), negated: a text that is simple anyhow is held to a higher standard.

    Raises:
        ValueError: no tokens.
    """
    _check_tokens(logprobs)
    return sum(logprobs) / len(zlib.compress(text.encode("utf-8", "replace"), 9))


def _check_tokens(logprobs: Sequence[float]) -> None:
    if not logprobs:
        raise ValueError("no token has a log-probability; a text needs at least two tokens")


# Two sets of scores


class Auc(NamedTuple):
    """The chance that a public text scores above a control, a tie counting half; 0.5 tells nothing.

    `method` is the interval's.
    """

    value: float
    interval: Interval
    method: str


def auc(public: Sequence[float], controls: Sequence[float], *, level: float = 0.95) -> Auc:
    """Return the area under the ROC curve, with an interval that stays inside [0, 1].

    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988), on the logit scale as
    M. S. Pepe, "The statistical evaluation of medical tests" (2003), has it. Where no pair, or all,
    are in order that variance is nought; there by R. G. Newcombe, Statistics in Medicine 25 (2006),
    method 5: all areas no further from what was seen than z standard errors, which are those of
    J. A. Hanley and B. J. McNeil, Radiology 143 (1982).

    Raises:
        ValueError: fewer than two scores of either kind.
    """
    if min(len(public), len(controls)) < 2:
        raise ValueError(
            f"{len(public)} public texts and {len(controls)} controls; two of each are the least"
        )
    ones, others = np.asarray(public, np.float64), np.asarray(controls, np.float64)
    won = (ones[:, None] > others) + 0.5 * (ones[:, None] == others)  # [public, controls]
    value = float(won.mean())
    variance = float(
        won.mean(axis=1).var(ddof=1) / len(ones) + won.mean(axis=0).var(ddof=1) / len(others)
    )
    if value in (0, 1) or variance == 0:
        return Auc(value, _newcombe_auc(value, len(ones), len(others), level), "Newcombe, method 5")
    half_width = normal_quantile((1 + level) / 2) * sqrt(variance) / (value * (1 - value))
    middle = log(value / (1 - value))
    lower, upper = (1 / (1 + np.exp(-(middle + side * half_width))) for side in (-1, 1))
    return Auc(value, Interval(float(lower), float(upper), level), "DeLong, on the logit scale")


def _newcombe_auc(value: float, num_public: int, num_controls: int, level: float) -> Interval:
    from scipy.optimize import brentq

    z = normal_quantile((1 + level) / 2)
    half = (num_public + num_controls) / 2 - 1

    def excess(area: float, side: float) -> float:
        shape = 1 + half * ((1 - area) / (2 - area) + area / (1 + area))
        error = sqrt(area * (1 - area) * shape / (num_public * num_controls))
        return side * (area - value) - z * error

    def end(side: float, edge: float) -> float:
        if value == edge:
            return edge
        return float(brentq(excess, value + side * 1e-9, edge, args=(side,), xtol=1e-9))

    return Interval(end(-1.0, 0.0), end(1.0, 1.0), level)


def blind_scores(
    public: Sequence[str], controls: Sequence[str], num_folds: int = NUM_FOLDS
) -> tuple[list[float], list[float]]:
    """Return how public each text looks by its words alone, to a classifier that never saw it.

    Naive Bayes of which words a text has (add one), as log odds per different word, cross-validated
    in folds of every `num_folds`-th text, so that a text and its counterpart stay together. It
    knows no model: public texts that it tells from controls differ in date, topic or style, and any
    model would tell them apart. D. Das, J. Zhang and F. Tramer, "Blind baselines beat membership
    inference attacks for foundation models", arXiv:2406.16201 (2024).

    Raises:
        ValueError: fewer than two texts of either kind.
    """
    if min(len(public), len(controls)) < 2:
        raise ValueError(
            f"{len(public)} public texts and {len(controls)} controls; two of each are the least"
        )
    bags = [[set(words(text)) for text in texts] for texts in (public, controls)]
    num_folds = min(num_folds, len(public), len(controls))
    scores: list[list[float]] = [[0.0] * len(texts) for texts in bags]
    for fold in range(num_folds):
        trained = [
            [bag for index, bag in enumerate(kind) if index % num_folds != fold] for kind in bags
        ]
        counts = [Counter(word for bag in kind for word in bag) for kind in trained]
        sizes = [len(kind) for kind in trained]
        for kind, texts in enumerate(bags):
            for index in range(fold, len(texts), num_folds):
                scores[kind][index] = _log_odds(texts[index], counts, sizes)
    return scores[0], scores[1]


def _log_odds(bag: set[str], counts: Sequence[Counter[str]], sizes: Sequence[int]) -> float:
    """The mean of log P(word | public) / P(word | control) over the words of one text."""
    odds = [
        log((counts[0][word] + 1) / (sizes[0] + 2)) - log((counts[1][word] + 1) / (sizes[1] + 2))
        for word in sorted(bag)  # sums in one order
    ]
    return sum(odds) / len(odds) if odds else 0.0


# One order against others


class OrderTest(NamedTuple):
    """How the canonical order's score stands among those of random orders, shard by shard.

    `difference` is canonical minus the mean of the others, averaged over shards. `p_value` is exact
    (see `order_test`), `t_p_value` is that of the t-test, as published. Both are one-sided: small
    where the canonical order scores higher.
    """

    difference: float
    p_value: float
    t_p_value: float | None


def order_test(scores: NDArray[np.float64], *, seed: int, num_draws: int = NUM_DRAWS) -> OrderTest:
    """Test whether column 0, the canonical order, scores above the other columns, random orders.

    Y. Oren and others, "Proving test set contamination in black box language models",
    arXiv:2310.17623 (2023): of a file whose order is arbitrary, a model that never saw it likes all
    orders of a shard alike. The published test is a one-sided t-test of each shard's canonical
    score less the mean of its random orders'. The exact one stands beside it, since the t-test
    leans on many shards: under the null, which of a shard's orders is canonical is a fair draw, so
    the canonical mean is held against means of orders drawn for each shard.

    Args:
        scores: [shards, 1 + permutations].
        seed: of the draws.
        num_draws: of the null; the p-value is at least 1 / (num_draws + 1).

    Raises:
        ValueError: no shards, no permutations, or scores that are not finite.
    """
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(f"scores of shape {scores.shape} are not [shards, 1 + permutations]")
    if not np.isfinite(scores).all():
        raise ValueError("every score must be a finite number")
    num_shards, num_orders = scores.shape
    # Against the mean of a shard's other orders, so that long shards weigh no more for their level.
    others = (scores.sum(axis=1, keepdims=True) - scores) / (num_orders - 1)
    excess = scores - others  # [shards, orders]
    seen = excess[:, 0].mean()
    picks = np.random.default_rng(seed).integers(num_orders, size=(num_draws, num_shards))
    drawn = excess[np.arange(num_shards), picks].mean(axis=1)
    slack = 1e-12 * np.abs(scores).max()  # ties count against the finding
    p_value = (1 + int((drawn >= seen - slack).sum())) / (num_draws + 1)
    return OrderTest(float(seen), p_value, _t_p_value(excess[:, 0]))


def _t_p_value(differences: NDArray[np.float64]) -> float | None:
    if len(differences) < 2 or np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return None
    return estimate_mean(differences.tolist()).p_above(0.0)


def neighbours_alike(texts: Sequence[str]) -> float:
    """Return how alike neighbours are: the mean Jaccard index of the words of texts side by side.

    In a file that is sorted by topic or date, neighbours are alike, and any model then likes its
    order: what `order_test` says of this score must be unremarkable for its p-value to hold.
    """
    bags = [set(words(text)) for text in texts]
    alike = [
        len(one & other) / len(one | other) if one | other else 1.0 for one, other in pairwise(bags)
    ]
    return sum(alike) / len(alike) if alike else 0.0


def orders(texts: Sequence[str], num_permutations: int, seed: str) -> Iterator[list[str]]:
    """Yield texts in their own order, then in random ones."""
    random = Random(seed)
    yield list(texts)
    for _ in range(num_permutations):
        yield random.sample(list(texts), len(texts))


# The tasks

_SCORES = {
    "loss": "mean log-probability",
    "min_k": f"Min-K% at K = {100 * SHARE:g}",
    "zlib": "log-probability per byte of zlib",
    "min_k_plus_plus": f"Min-K%++ at K = {100 * SHARE:g}",
}
_OF_MOMENTS = "min_k_plus_plus"
_KINDS = ("public", "control")
_NO_MOMENTS = f"Min-K%++ is not to be had, since the server gives no moments of log p ({MOMENTS})"


def _membership_figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """The area of every score, and the blind baseline's."""
    scored = [each for each in scored if each.outcome in (PUBLIC_LIKELIER, CONTROL_LIKELIER)]
    if len(scored) < 2:
        return []
    # In the order of the files, whichever sample came back first: folds are made by it.
    scored = sorted(scored, key=lambda each: (each.epoch, int(each.sample.rpartition("-")[2])))
    figures = list(_score_figures(scored))
    once = [each for each in scored if each.epoch == scored[0].epoch]
    blind = blind_scores(
        [str(each.facts["public"]) for each in once], [str(each.facts["control"]) for each in once]
    )
    description = (
        "the same chance for a classifier that sees the words alone and asks no model: where it is "
        "far from 0.5 the texts differ anyhow, and the other figures say nothing of training; else "
        f"they are {CAUTION}"
    )
    figures.append(_auc_figure("blind_auc", description, *blind))
    return figures


def _score_figures(scored: Sequence[Scored]) -> Iterator[Figure]:
    """The area of every score; Min-K%'s says so where Min-K%++ is not to be had."""
    has_moments = all(
        each.facts.get(f"{kind}_{_OF_MOMENTS}") is not None for each in scored for kind in _KINDS
    )
    for name, what in _SCORES.items():
        if name == _OF_MOMENTS and not has_moments:
            continue
        description = (
            f"chance that a public text has a higher {what} than a control; above 0.5, and above "
            f"the blind baseline, {CAUTION}"
        )
        if name == "min_k" and not has_moments:
            description += f". {_NO_MOMENTS}"
        public, controls = (
            [_number(each.facts[f"{kind}_{name}"]) for each in scored] for kind in _KINDS
        )
        yield _auc_figure(f"{name}_auc", description, public, controls)


def _auc_figure(
    metric: str, description: str, public: Sequence[float], controls: Sequence[float]
) -> Figure:
    found = auc(public, controls)
    num_texts = len(public) + len(controls)
    return Figure(
        metric,
        description,
        found.value,
        found.interval,
        found.method,
        num_texts,
        lower_is_better=True,
    )


MEASURE = Measure(
    task="membership",
    version=VERSION,
    metric="public_likelier_rate",
    description="share of pairs of a public text and a control in which the public one has the "
    f"higher {_SCORES['min_k']}; above one half, and above the blind baseline, {CAUTION}",
    lower_is_better=True,
    hits=(PUBLIC_LIKELIER,),
    counted=(PUBLIC_LIKELIER, CONTROL_LIKELIER),
    outcomes=(PUBLIC_LIKELIER, CONTROL_LIKELIER, *FAILED),
    further=_membership_figures,
)


def _order_figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """The p-values, the difference that they are of, and what it cost."""
    once = [each for each in scored if each.outcome in (CANONICAL_LIKELIER, NOT_LIKELIER)]
    once = [each for each in once if each.epoch == once[0].epoch]
    if not once:
        return []
    found = order_test(_matrix(once, "logprobs"), seed=0)
    blind = order_test(_matrix(once, "alike"), seed=0)
    excess = _matrix(once, "logprobs")
    figures = [
        mean_figure(
            "order_difference",
            "log-probability of a shard in the file's own order less the mean of random orders; "
            f"above 0 it is {CAUTION}",
            (excess[:, 0] - excess[:, 1:].mean(axis=1)).tolist(),
            unit="nats",
            lower_is_better=True,
        ),
        _p_figure(
            "order_p_value",
            "exact p-value of the file's own order being no likelier than random ones; a small one "
            f"is {CAUTION}, and none where the blind p-value is small, too",
            found.p_value,
            len(once),
        ),
        _p_figure(
            "blind_order_p_value",
            "the same for how alike neighbours' words are, without a model: a small one says that "
            "the file is sorted, so that its order says nothing; else the model's p-value is "
            f"{CAUTION}",
            blind.p_value,
            len(once),
        ),
        Figure(
            "tokens_scored",
            "the test's cost: tokens of prompts that were scored, shards times orders",
            sum(_number(each.facts["num_tokens"]) for each in once),
            None,
            "none: a count",
            len(once),
            "tokens",
            lower_is_better=True,
        ),
    ]
    if found.t_p_value is not None:
        figures.append(
            _p_figure(
                "order_t_p_value",
                f"the one-sided t-test's p-value, as published; a small one is {CAUTION}",
                found.t_p_value,
                len(once),
            )
        )
    return [figure for figure in figures if figure]


def _matrix(scored: Sequence[Scored], fact: str) -> NDArray[np.float64]:
    return np.array([json.loads(str(each.facts[fact])) for each in scored], np.float64)


def _p_figure(metric: str, description: str, value: float, num_shards: int) -> Figure:
    return Figure(metric, description, value, None, "none: a p-value", num_shards)


ORDER_MEASURE = Measure(
    task="canonical_order",
    version=VERSION,
    metric="canonical_likelier_rate",
    description="share of shards that are likelier in the file's own order than in most random "
    f"ones; above one half it is {CAUTION}",
    lower_is_better=True,
    hits=(CANONICAL_LIKELIER,),
    counted=(CANONICAL_LIKELIER, NOT_LIKELIER),
    outcomes=(CANONICAL_LIKELIER, NOT_LIKELIER, *FAILED),
    further=_order_figures,
)


@task
def membership(file: str = "", fresh: str = "", seed: int = 0) -> Task:
    """Public texts and controls, one pair a line, by the log-probabilities of their tokens.

    Args:
        file: JSON lines of what may have been trained on ("text", or "question" and "answer").
        fresh: as many lines that cannot have been, each like its counterpart in topic and style.
        seed: of the order.

    Raises:
        WeighError: a file is missing, cannot be read, or has more lines than the other.
    """
    if not file or not fresh:
        raise WeighError(
            "membership needs two files: file=PUBLIC.jsonl, and fresh=CONTROLS.jsonl of texts that "
            "cannot have been trained on."
        )
    public, controls = read_texts(file), read_texts(fresh)
    if len(public) != len(controls):
        raise WeighError(
            f"{file} has {len(public)} texts and {fresh} {len(controls)}; each text needs one "
            "counterpart, in the same line."
        )
    samples = [
        Sample(id=f"pair-{index}", input=one, metadata={"control": other})
        for index, (one, other) in enumerate(zip(public, controls, strict=True), start=1)
    ]
    Random(f"membership {VERSION} {seed}").shuffle(samples)
    return Task(
        dataset=MemoryDataset(
            samples,
            name=f"membership {VERSION}, {told_apart(file)} and {told_apart(fresh)}, seed {seed}",
        ),
        solver=score_pair(),
        scorer=likelier(),
        version=VERSION,
    )


@task
def canonical_order(
    file: str = "", num_shards: int = 10, num_permutations: int = 20, seed: int = 0
) -> Task:
    """A file's items in its own order and in random ones, by log-probability, in shards.

    It scores every item 1 + num_permutations times: that many times the file's tokens. A shard must
    fit the model's context.

    Args:
        file: JSON lines ("text", or "question" and "answer") whose order is arbitrary.
        num_shards: that the file is cut into, of neighbours.
        num_permutations: random orders of each shard.
        seed: of the random orders.

    Raises:
        WeighError: the file is missing or cannot be read, or the numbers do not fit it.
    """
    if not file:
        raise WeighError("canonical_order needs a file: file=TEST.jsonl, in its published order.")
    texts = read_texts(file)
    if num_permutations < 1 or num_shards < 1 or len(texts) < 2 * num_shards:
        raise WeighError(
            f"{num_shards} shards with {num_permutations} random orders cannot be made of the "
            f"{len(texts)} items of {file}: a shard needs two items and a random order."
        )
    ends = [round(index * len(texts) / num_shards) for index in range(num_shards + 1)]
    samples = [
        Sample(id=f"shard-{index}", input=f"items {start + 1} to {end}", metadata={"texts": shard})
        for index, (start, end) in enumerate(pairwise(ends), start=1)
        if (shard := texts[start:end])
    ]
    Random(f"canonical_order {VERSION} {seed}").shuffle(samples)
    about = f"{told_apart(file)} in {num_shards} shards, {num_permutations} orders"
    return Task(
        dataset=MemoryDataset(samples, name=f"canonical_order {VERSION}, {about}, seed {seed}"),
        solver=score_orders(num_permutations, seed),
        scorer=likelier_in_order(),
        version=VERSION,
    )


@solver
def score_pair() -> Solver:
    """Have the model score a public text and its control."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        texts = {"public": state.input_text, "control": state.metadata["control"]}
        facts: dict[str, Any] = dict(texts)
        usages = list[ModelUsage]()
        async with endpoint_of(model) as endpoint:
            for kind, text in texts.items():
                scores = await endpoint.score(text, moments=True)
                usages.append(scores.usage)
                if not scores.logprobs:
                    raise WeighError(f"a text of one token has no score: {text!r}. Leave it out.")
                facts[f"{kind}_loss"] = mean_logprob(scores.logprobs)
                facts[f"{kind}_min_k"] = min_k(scores.logprobs)
                facts[f"{kind}_zlib"] = zlib_ratio(text, scores.logprobs)
                facts[f"{kind}_min_k_plus_plus"] = (
                    min_k_plus_plus(scores.logprobs, scores.moments) if scores.moments else None
                )
        state.store.set(_STORE, facts)
        settle(state, model, *usages)
        return state

    return solve


@scorer(metrics=[accuracy(), outcome_counts()])
def likelier() -> Scorer:
    """Say which text of a pair has fewer surprises at its most surprising."""

    async def score(state: TaskState, target: Target) -> Score:
        facts = state.store.get(_STORE)
        is_public = facts["public_min_k"] > facts["control_min_k"]
        has_moments = [facts[f"{kind}_{_OF_MOMENTS}"] is not None for kind in _KINDS]
        outcome = PUBLIC_LIKELIER if is_public else CONTROL_LIKELIER
        return judged(
            outcome,
            hit=is_public,
            answer=outcome,
            explanation=f"{outcome}: {facts['public_min_k']:.3f} and {facts['control_min_k']:.3f}"
            + ("" if all(has_moments) else f". {_NO_MOMENTS}"),
            **facts,
        )

    return score


@solver
def score_orders(num_permutations: int, seed: int) -> Solver:
    """Have the model score a shard in its own order and in random ones."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model, usages = get_model(), list[ModelUsage]()
        tried = orders(state.metadata["texts"], num_permutations, f"{state.sample_id} {seed}")
        logprobs, alike = list[float](), list[float]()
        async with endpoint_of(model) as endpoint:
            for texts in tried:
                scores = await endpoint.score("\n\n".join(texts))
                usages.append(scores.usage)
                logprobs.append(sum(scores.logprobs))
                alike.append(neighbours_alike(texts))
        facts = {
            "logprobs": json.dumps(logprobs),
            "alike": json.dumps(alike),
            "num_tokens": sum(usage.input_tokens for usage in usages),
        }
        state.store.set(_STORE, facts)
        settle(state, model, *usages)
        return state

    return solve


@scorer(metrics=[accuracy(), outcome_counts()])
def likelier_in_order() -> Scorer:
    """Say whether a shard is likelier in its own order than in most others."""

    async def score(state: TaskState, target: Target) -> Score:
        facts = state.store.get(_STORE)
        own, *others = json.loads(facts["logprobs"])
        num_below = sum(other < own for other in others)
        is_likelier = 2 * num_below > len(others)
        outcome = CANONICAL_LIKELIER if is_likelier else NOT_LIKELIER
        return judged(
            outcome,
            hit=is_likelier,
            answer=outcome,
            explanation=f"{outcome} than {num_below} of {len(others)} random orders",
            **facts,
        )

    return score


def _number(fact: object) -> float:
    assert isinstance(fact, int | float)
    return float(fact)
