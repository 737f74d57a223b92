"""What the scorers of all tasks share: how an answer ended, and a metric that counts outcomes."""

from collections import Counter

from inspect_ai.model import StopReason
from inspect_ai.scorer import Metric, SampleScore, Score, Value, metric

from netweight.evals.measure import REFUSED, TRUNCATED


def ending(stop_reason: StopReason) -> str | None:
    """Return the outcome that the way an answer ended decides alone, or None when it ended well."""
    match stop_reason:
        case "max_tokens" | "model_length":
            return TRUNCATED
        case "content_filter":
            return REFUSED
        case _:
            return None


@metric
def outcome_counts() -> Metric:
    """Count each outcome that came up; samples that failed before they were scored are not here."""

    def compute(scores: list[SampleScore]) -> Value:
        return dict(Counter(outcome_of(score.score) for score in scores))

    return compute


def outcome_of(score: Score) -> str:
    """Return the outcome that a scorer of ours gave one sample."""
    outcome = (score.metadata or {})["outcome"]
    assert isinstance(outcome, str)
    return outcome
