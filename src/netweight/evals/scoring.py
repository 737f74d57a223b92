"""What the scorers of all tasks share: how an answer ended, and the form of a score."""

from collections import Counter

from inspect_ai.model import StopReason
from inspect_ai.scorer import Metric, SampleScore, Score, Value, metric

from netweight.evals.measure import REFUSED, TRUNCATED, Fact


def ending(stop_reason: StopReason) -> str | None:
    """Return the outcome that the way an answer ended decides alone, or None when it ended well."""
    match stop_reason:
        case "max_tokens" | "model_length":
            return TRUNCATED
        case "content_filter":
            return REFUSED
        case _:
            return None


def judged(
    outcome: str,
    *,
    hit: bool,
    answer: str | None,
    explanation: str,
    cluster: str | None = None,
    **facts: Fact,
) -> Score:
    """Return a score of ours: an outcome's name, and what the task's further figures need.

    Args:
        outcome: a name of the task's Measure.
        hit: whether it is one of the Measure's hits, as Inspect's viewer shows it.
        answer: what was read in the completion.
        explanation: why, for whoever reads the log.
        cluster: of samples that are not independent; by default the sample is its own.
        facts: for `Scored.facts`.
    """
    metadata = {"outcome": outcome, "cluster": cluster, "facts": facts}
    return Score(value=int(hit), answer=answer, explanation=explanation, metadata=metadata)


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
