"""Task `sums`: additions of two-digit numbers, made fresh from a seed, answered with an integer.

Easy for a large model, so that anything but nearly all right points at the set-up; the measured
skill of the embedded model, whose training never sees the pairs asked here.
"""

import hashlib
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.evals.answers import is_refusal, last_number
from netweight.evals.measure import FAILED, REFUSED, TRUNCATED, UNPARSED, Measure
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 2  # 1 asked for pairs, too, that training could show in the check of a subtraction

MEASURE = Measure(
    task="sums",
    version=VERSION,
    metric="accuracy",
    description="share of fresh additions of two-digit numbers whose final answer is right",
    lower_is_better=False,
    hits=("right",),
    counted=("right", "wrong", REFUSED, UNPARSED, TRUNCATED),
    outcomes=("right", "wrong", REFUSED, UNPARSED, TRUNCATED, *FAILED),
)

_QUESTIONS = (
    "What is {a} + {b}?",
    "{a} plus {b}",
    "Add {a} and {b}.",
    "How much is {a} + {b}?",
    "What is the sum of {a} and {b}?",
)


class Addition(NamedTuple):
    """One question and its right answer."""

    question: str
    total: int


@task
def sums(seed: int = 0, num_items: int = 80) -> Task:
    """Additions of two-digit numbers that the embedded model never saw, made fresh from a seed."""
    samples = [
        Sample(input=question, target=str(total), id=index)
        for index, (question, total) in enumerate(additions(seed, num_items), start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"sums {VERSION}, seed {seed}"),
        scorer=integer(),
        version=VERSION,
    )


def additions(seed: int, num_items: int) -> Iterator[Addition]:
    """Yield `num_items` additions of different pairs; the same seed gives the same ones.

    Raises:
        ValueError: more items than there are pairs.
    """
    random = Random(f"sums {VERSION} {seed}")
    for low, high in random.sample(list(_held_out_pairs()), num_items):
        a, b = random.choice(((low, high), (high, low)))
        yield Addition(random.choice(_QUESTIONS).format(a=a, b=b), a + b)


def _held_out_pairs() -> Iterator[tuple[int, int]]:
    """Yield the pairs that training never shows: with a three-digit sum, and a fifth by hash."""
    for low in range(10, 100):
        for high in range(max(low, 100 - low), 100):
            if hashlib.sha256(f"{low},{high}".encode()).digest()[0] % 5 == 0:
                yield low, high


@scorer(metrics=[accuracy(), outcome_counts()])
def integer() -> Scorer:
    """Compare the last number of the final answer with the target."""

    async def score(state: TaskState, target: Target) -> Score:
        answer = last_number(state.output.completion)
        outcome = judge(state.output.completion, state.output.stop_reason, target.text)
        return judged(
            outcome,
            hit=outcome == "right",
            answer=answer,
            explanation=f"{outcome}: expected {target.text}, read {answer}",
        )

    return score


def judge(text: str, stop_reason: StopReason, target: str) -> str:
    """Return the outcome of one final answer, a name of MEASURE.outcomes."""
    if early := ending(stop_reason):
        return early
    answer = last_number(text)
    if answer == target:
        return "right"
    if is_refusal(text):
        return REFUSED
    return UNPARSED if answer is None else "wrong"
