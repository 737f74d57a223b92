"""Logistic regression over the classifier's own features, by L-BFGS."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack

from netweight.evals.compliance import LABELS, NUM_BUCKETS, Classifier, features
from recipes.compliance.data import Judged

_NUM_LOGITS = len(LABELS) - 1  # COMPLETE's is zero


@dataclass(frozen=True)
class Plan:
    """How strongly weights are held back, and when to stop."""

    penalty: float = 0.3
    trait_size: float = 0.3  # a trait's deviation, where all n-grams of a segment have length one
    min_responses: int = 3  # an n-gram of fewer weighs nothing
    num_iterations: int = 60


class Design(NamedTuple):
    """Many responses as numbers."""

    ngrams: csr_matrix  # [responses, buckets]
    traits: NDArray[np.float64]  # [responses, traits]
    trait_names: tuple[str, ...]
    targets: NDArray[np.float64]  # [responses, labels], the judges' shares

    def rows(self, chosen: NDArray[np.bool_]) -> "Design":
        """Some of the responses."""
        return self._replace(
            ngrams=self.ngrams[chosen], traits=self.traits[chosen], targets=self.targets[chosen]
        )


def design(judged: Sequence[Judged]) -> Design:
    """The features of responses, and for each label the share of judges that gave it."""
    seen = [features(each.request, each.response) for each in judged]
    starts = np.cumsum([0, *(len(each.buckets) for each in seen)])
    ngrams = csr_matrix(
        (
            np.concatenate([each.values for each in seen]),
            np.concatenate([each.buckets for each in seen]).astype(np.int32),
            starts,
        ),
        shape=(len(seen), NUM_BUCKETS),
    )
    targets = [[each.labels.count(label) / 2 for label in LABELS] for each in judged]
    traits = np.array([list(each.traits.values()) for each in seen])
    return Design(ngrams, traits, tuple(seen[0].traits), np.array(targets))


def train(seen: Design, plan: Plan) -> Classifier:
    """Fit, then round the n-grams' weights to 8 bits; deterministic."""
    mean, deviation = seen.traits.mean(0), seen.traits.std(0) + 1e-9
    kept = np.flatnonzero(
        np.bincount(seen.ngrams.indices, minlength=NUM_BUCKETS) >= plan.min_responses
    )
    scaled = plan.trait_size * (seen.traits - mean) / deviation
    weights, bias = _fit(
        hstack([seen.ngrams[:, kept], csr_matrix(scaled)]).tocsr(), seen.targets, plan
    )
    traits = weights[len(kept) :] * (plan.trait_size / deviation)[:, None]
    scale = float(np.abs(weights[: len(kept)]).max() / 127)
    ngrams = np.zeros((NUM_BUCKETS, _NUM_LOGITS), np.int8)
    ngrams[kept] = np.round(weights[: len(kept)] / scale)
    return Classifier(ngrams, scale, traits, bias - mean @ traits, seen.trait_names)


def _fit(
    inputs: csr_matrix, targets: NDArray[np.float64], plan: Plan
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [inputs, logits] and bias [logits] of least cross entropy plus squared weights."""
    transposed = inputs.T.tocsr()
    num_weights = inputs.shape[1] * _NUM_LOGITS

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = parameters[:num_weights].reshape(-1, _NUM_LOGITS)
        log_likelihoods = _log_softmax(inputs @ weights + parameters[num_weights:])
        error = (np.exp(log_likelihoods) - targets)[:, 1:]
        gradient = transposed @ error + plan.penalty * weights
        value = plan.penalty * np.sum(weights**2) / 2 - np.sum(targets * log_likelihoods)
        return float(value), np.concatenate([gradient.ravel(), error.sum(0)])

    start = np.zeros(num_weights + _NUM_LOGITS)
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": plan.num_iterations}
    ).x
    return found[:num_weights].reshape(-1, _NUM_LOGITS), found[num_weights:]


def probabilities(classifier: Classifier, seen: Design) -> NDArray[np.float64]:
    """[responses, labels], of many at once; `Classifier.classify` gives the same of each."""
    logits = (
        classifier.scale * (seen.ngrams @ classifier.ngrams.astype(np.float64))
        + seen.traits @ classifier.traits
        + classifier.bias
    )
    return np.exp(_log_softmax(logits))


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the logits of all labels but the first, whose logit is zero: all log-likelihoods."""
    every = np.concatenate([np.zeros((len(logits), 1)), logits], axis=1)
    every -= every.max(axis=1, keepdims=True)
    normaliser: NDArray[np.float64] = np.log(np.exp(every).sum(axis=1, keepdims=True))
    return every - normaliser
