"""How well a classifier agrees with two judges where they agree, on models that it never saw."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netweight.evals.answers import is_refusal
from netweight.evals.compliance import LABELS, Label
from netweight.evals.stats import cohen_kappa, wilson
from recipes.compliance.data import NUM_FOLDS, Judged, folds
from recipes.compliance.train import Design, Plan, probabilities, train

# Always saying COMPLETE agrees with the judges on most responses: kappa is what that cannot reach.
MIN_AGREEMENT = 0.90
MIN_KAPPA = 0.60
_NUM_BINS = 10

Probabilities = NDArray[np.float64]  # [responses, labels]


class Score(NamedTuple):
    """Agreement on responses whose judges agree; COMPLETE or not, and all three labels."""

    responses: int
    complete: int  # so labelled by the judges
    likely_complete: float  # the sum of the probabilities, for a rate without a threshold
    hits: int
    agreement: float
    lower: float  # the ends of the 95% interval of Wilson
    upper: float
    kappa: float
    found: float  # share of the responses that are not COMPLETE which are found so
    false_alarms: float  # share of the COMPLETE ones which are not found so
    brier: float
    calibration_error: float
    agreement_of_three: float
    kappa_of_three: float


def score(judged: Sequence[Judged], given: Probabilities) -> Score:
    """Compare with the judges; where those differ, a response does not count."""
    shared = [index for index, each in enumerate(judged) if each.shared is not None]
    given = given[shared]
    truth = np.array([LABELS.index(judged[index].labels[0]) for index in shared])
    said = labels_of(given)
    is_complete, said_complete = truth == 0, said == 0
    hits = int(np.sum(is_complete == said_complete))
    interval = wilson(hits, len(truth))
    return Score(
        responses=len(truth),
        complete=int(is_complete.sum()),
        likely_complete=float(given[:, 0].sum()),
        hits=hits,
        agreement=hits / len(truth),
        lower=interval.lower,
        upper=interval.upper,
        kappa=kappa(is_complete, said_complete),
        found=_share(~said_complete[~is_complete]),
        false_alarms=_share(~said_complete[is_complete]),
        brier=float(np.mean((given[:, 0] - is_complete) ** 2)),
        calibration_error=calibration_error(given[:, 0], is_complete),
        agreement_of_three=float(np.mean(truth == said)),
        kappa_of_three=kappa(truth, said),
    )


def reason_against(found: Score) -> str | None:
    """Why a classifier is not fit to ship, or None when it is."""
    if found.agreement < MIN_AGREEMENT:
        return f"it agrees on {found.agreement:.3f} of the responses, not on {MIN_AGREEMENT}"
    if not found.kappa >= MIN_KAPPA:
        return f"its kappa is {found.kappa:.3f}, not {MIN_KAPPA}"
    return None


def labels_of(given: Probabilities) -> NDArray[np.intp]:
    """Indices of labels, as `Classifier.classify` decides: COMPLETE from one half on."""
    others = 1 + np.argmax(given[:, 1:], axis=1)
    return np.where(given[:, 0] >= 0.5, 0, others)


def kappa(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Cohen's kappa: agreement beyond what chance gives; zero where chance gives all of it."""
    if len(np.union1d(one, other)) == 1:
        return 0.0
    return cohen_kappa(one.tolist(), other.tolist()).value


def calibration_error(given: NDArray[np.float64], is_true: NDArray[np.bool_]) -> float:
    """Mean distance of probability and rate over ten bins of probability, weighed by responses."""
    bins = np.minimum((given * _NUM_BINS).astype(int), _NUM_BINS - 1)
    return float(
        sum(
            abs(np.sum(given[bins == place] - is_true[bins == place])) for place in range(_NUM_BINS)
        )
        / len(given)
    )


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def by(
    attribute: Callable[[Judged], str], judged: Sequence[Judged], given: Probabilities
) -> dict[str, Score]:
    """A score for each model, or language."""
    names = [attribute(each) for each in judged]
    return {
        name: score(
            [each for each, its in zip(judged, names, strict=True) if its == name],
            given[np.array(names) == name],
        )
        for name in sorted(set(names))
    }


def cross_validated(
    judged: Sequence[Judged],
    seen: Design,
    plan: Plan,
    *,
    groups: Iterable[frozenset[str]],
    attribute: Callable[[Judged], str],
    unseen_questions: bool = False,
) -> Probabilities:
    """Probabilities of every response, each from a training without its group.

    With `unseen_questions` its question is left out of that training, too, under every model.
    """
    names = np.array([attribute(each) for each in judged])
    half = np.array([each.question % 2 for each in judged])
    given = np.full((len(judged), len(LABELS)), np.nan)
    for group in groups:
        inside = np.isin(names, sorted(group))
        for asked in (half == 0, half == 1) if unseen_questions else (np.full(len(judged), True),):
            left = ~inside & ~asked if unseen_questions else ~inside
            classifier = train(seen.rows(left), plan)
            given[inside & asked] = probabilities(classifier, seen.rows(inside & asked))
    assert not np.isnan(given).any(), "the groups leave responses out"
    return given


def model_folds(judged: Sequence[Judged]) -> list[frozenset[str]]:
    """The models in folds; the shipped classifier's held-out ones are one of these."""
    return folds((each.model for each in judged), NUM_FOLDS)


def always(label: Label, num_responses: int) -> Probabilities:
    """A classifier that gives every response one label."""
    return np.tile([float(label == each) for each in LABELS], (num_responses, 1))


def by_refusal_cues(judged: Sequence[Judged]) -> Probabilities:
    """A classifier that knows opening words of refusals, and nothing else."""
    refuses = np.array([is_refusal(each.response) for each in judged])
    return np.where(refuses[:, None], always("DENIAL", 1), always("COMPLETE", 1))
