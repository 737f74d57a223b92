"""What keeps a sample of a log from telling anything of the model: its requests, scorer or judge.

Reads Inspect's samples. Runs nothing, and does not know tasks. Inspect takes over a second to
import, so only functions that need it import it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netweight.evals.measure import FAILED, INFRASTRUCTURE, JUDGE_FAILED, TIMEOUT

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample, EvalSampleSummary

SCORER = "scorer"  # failed where it was to judge an answer: our own mistake, not the model's
_SCORERS = "scorers"  # Inspect's name for the span in which they run
_MOST_NAMED = 5
_MOST_CHARACTERS = 200


def is_settled(sample: "EvalSample | EvalSampleSummary") -> bool:
    """Whether a sample has a score that stands, so that it need not be asked again.

    Neither a failed request nor a failed scorer or judge leaves one, whether the sample ended in an
    error or whoever wrapped the scorer has made an outcome of it.
    """
    outcomes = {(score.metadata or {}).get("outcome") for score in (sample.scores or {}).values()}
    return sample.error is None and outcomes.isdisjoint((*FAILED, JUDGE_FAILED))


def kind_of_failure(sample: "EvalSample") -> str:
    """Return one of `FAILED`, or `SCORER`, for a sample that ended in an error."""
    assert sample.error is not None
    if has_failed_scorer(sample):
        return SCORER
    told = f"{sample.error.message} {failure_of(sample)}".lower()
    return TIMEOUT if "timeout" in told or "timed out" in told else INFRASTRUCTURE


def has_failed_scorer(sample: "EvalSample") -> bool:
    """Whether the answer is there and its scorer raised.

    Inspect keeps no kind of an error, but scorers begin only once all else went well. A sample that
    was called off while it was scored, since the run ended, is none.
    """
    from inspect_ai._util.error import is_cancellation_message  # Inspect names it nowhere public
    from inspect_ai.event import SpanBeginEvent

    if sample.error is None or sample.scores or is_cancellation_message(sample.error.message):
        return False
    return any(
        isinstance(event, SpanBeginEvent) and event.name == _SCORERS for event in sample.events
    )


def failure_of(sample: "EvalSample") -> str:
    """Return what a sample that ended in an error met, in one line.

    Of failed requests that is what the last one met: the sample's own error hides that in retries.
    """
    from inspect_ai.event import ModelEvent

    assert sample.error is not None
    met = [event.error for event in sample.events if isinstance(event, ModelEvent) and event.error]
    if not met or has_failed_scorer(sample):
        met = [sample.error.message]
    return met[-1].strip().partition("\n")[0].rstrip(".")


def scorer_failures(samples: Sequence["EvalSample"]) -> str:
    """Name the samples whose scorer failed, each with its exception; of many, the first few."""
    named = [f"{_name(sample)} with {_cut(failure_of(sample))}" for sample in samples[:_MOST_NAMED]]
    num_left = len(samples) - len(named)
    return ", ".join([*named, f"and {num_left} more"] if num_left else named)


def _name(sample: "EvalSample") -> str:
    return f"{sample.id}" if sample.epoch == 1 else f"{sample.id} in epoch {sample.epoch}"


def _cut(text: str) -> str:
    """An exception may quote the whole answer."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\u2026"
