"""Is the set-up fit to measure with? Checks on the answers that came back.

A wrong server looks like a finding about the model: AIME 2025 figures of one model moved by 57
points with the host. A failed check therefore makes a result unusable as evidence, and says why.
Knows texts and counts. Does not know Inspect, tasks or records.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netweight.evals.measure import INFRASTRUCTURE, TRUNCATED, UNPARSED

# Above these shares a rate says more about the set-up than about the model.
MAX_TRUNCATED = 0.02
MAX_UNPARSED = 0.10
MAX_INFRASTRUCTURE = 0.05

MARKERS = re.compile(
    r"<\|(?:start|end|message|channel|constrain|call|return|endoftext)\|>"
    r"|assistant(?:final|analysis|commentary)"  # markers whose special tokens were dropped
    r"|</?think>"
)


@dataclass(frozen=True)
class Check:
    """One thing that must hold before a result is evidence."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Answer:
    """What one request brought back: the final text, and the reasoning kept apart from it."""

    text: str
    reasoning: str


def check_reasoning(answers: Iterable[Answer], *, expected: bool) -> Check:
    """Check that reasoning came apart from the answers, where the model is known to reason."""
    answers = list(answers)
    num_reasoned = sum(bool(answer.reasoning.strip()) for answer in answers)
    detail = f"{num_reasoned} of {len(answers)} answers came with reasoning apart from them"
    if not expected:
        return Check("reasoning apart", True, detail + "; none is required of this model")
    return Check("reasoning apart", num_reasoned > 0, detail)


def check_markers(answers: Iterable[Answer]) -> Check:
    """Check that no marker of the conversation format stands in an answer's text."""
    answers = list(answers)
    leaks = [match.group() for answer in answers if (match := MARKERS.search(answer.text))]
    detail = f"raw markers stand in {len(leaks)} of {len(answers)} answers"
    return Check("no markers", not leaks, f"{detail}, such as {leaks[0]!r}" if leaks else detail)


def check_shares(counts: Mapping[str, int]) -> list[Check]:
    """Check that truncated, unparsed and failed requests stay under their limits."""
    total = sum(counts.values())
    limits = (
        (TRUNCATED, MAX_TRUNCATED),
        (UNPARSED, MAX_UNPARSED),
        (INFRASTRUCTURE, MAX_INFRASTRUCTURE),
    )
    return [
        Check(
            f"{name} at most {limit:.0%}",
            counts.get(name, 0) <= limit * total,
            f"{counts.get(name, 0)} of {total} samples are {name}; the limit is {limit:.0%}",
        )
        for name, limit in limits
    ]


def reason_against(checks: Iterable[Check]) -> str | None:
    """Return why a result is not evidence: the failed checks' details, or None when all passed."""
    return "; ".join(check.detail for check in checks if not check.passed) or None
