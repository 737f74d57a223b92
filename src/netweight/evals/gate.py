"""Is the set-up fit to measure with? Checks on the answers that came back.

A wrong server looks like a finding about the model: AIME 2025 figures of one model moved by 57
points with the host. A failed check therefore makes a result unusable as evidence, and says why.
Knows texts and counts. Does not know Inspect, tasks or records.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from netweight.evals.measure import FAILED, TRUNCATED, UNPARSED

# Above these shares a rate says more about the set-up than about the model.
MAX_TRUNCATED = 0.02
MAX_UNPARSED = 0.10
MAX_FAILED = 0.05
# Below this share of sums right, it is likelier that the prompt arrives garbled than that the model
# cannot add; an effort that is heeded lengthens reasoning by far more than this factor.
MIN_ANCHORS = 0.5
MIN_EFFORT_RATIO = 1.1

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
    unjudged = tuple(name for name in counts if name.startswith("judge "))
    limits = [
        (TRUNCATED, (TRUNCATED,), MAX_TRUNCATED),
        (UNPARSED, (UNPARSED,), MAX_UNPARSED),
        ("failed", FAILED, MAX_FAILED),
        *([("without a judgement", unjudged, MAX_FAILED)] if unjudged else []),
    ]
    checks = []
    for name, outcomes, limit in limits:
        count = sum(counts.get(outcome, 0) for outcome in outcomes)
        detail = f"{count} of {total} samples are {name}; the limit is {limit:.0%}"
        checks.append(Check(f"{name} at most {limit:.0%}", count <= limit * total, detail))
    return checks


def check_anchors(num_right: int, num_asked: int) -> Check:
    """Check that sums are right which every model at all worth weighing can do."""
    detail = f"{num_right} of {num_asked} sums with a known answer are right"
    return Check("known answers", num_right >= MIN_ANCHORS * num_asked, detail)


def check_effort(low: Sequence[Answer], high: Sequence[Answer]) -> Check:
    """Check that the same questions are thought about longer when high effort is asked for.

    Servers have dropped the effort on its way, so that figures "at high effort" were of another.
    """
    name = "effort is heeded"
    if not any(answer.reasoning.strip() for answer in (*low, *high)):
        return Check(name, True, "no reasoning arrives, so effort cannot be seen in it")
    means = [fmean(len(answer.reasoning.split()) for answer in each) for each in (low, high)]
    detail = f"reasoning has {means[0]:.0f} words at low effort and {means[1]:.0f} at high"
    return Check(name, means[1] >= MIN_EFFORT_RATIO * means[0], detail)


def reason_against(checks: Iterable[Check]) -> str | None:
    """Return why a result is not evidence: the failed checks' details, or None when all passed."""
    return "; ".join(check.detail for check in checks if not check.passed) or None
