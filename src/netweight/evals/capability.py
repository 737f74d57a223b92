"""Task `capability`: arithmetic in words, logic and reading, made fresh from a seed.

Ground truth by construction, so nothing of it can be in any training data. Half of the arithmetic
and of the reading is of the kind that the embedded model was taught, from what its training held
out; the others are harder. Every kind is graded by the number of steps to its answer. Knows which
kinds there are and what they add up to; each kind's items are made in a module of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.capability_answers import judge, read
from netweight.evals.capability_arithmetic import hard_problem, taught_problem
from netweight.evals.capability_item import KINDS, Item, Kind
from netweight.evals.capability_logic import deduction, knights, ordering
from netweight.evals.capability_reading import hard_reading, taught_reading
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.scoring import judged, outcome_counts

VERSION = 2  # 1 asked of facts in whichever order they stood
MAX_ITEMS = 3000

_MAKERS: Mapping[Kind, tuple[Callable[[Random], Item], ...]] = {
    "arithmetic": (taught_problem, hard_problem),
    "logic": (ordering, knights, deduction),
    "reading": (taught_reading, hard_reading),
}


def items(seed: int, num_items: int) -> Iterator[Item]:
    """Yield `num_items` different items, the kinds in turns; the same seed gives the same ones.

    Raises:
        WeighError: a number of items outside 1 to MAX_ITEMS.
    """
    if not 1 <= num_items <= MAX_ITEMS:
        raise WeighError(f"capability has 1 to {MAX_ITEMS} items, not {num_items}. Choose another.")
    random = Random(f"capability {VERSION} {seed}")
    seen = set[tuple[str | None, str]]()
    for index in range(num_items):
        makers = _MAKERS[KINDS[index % len(KINDS)]]
        make = makers[index // len(KINDS) % len(makers)]
        while ((item := make(random)).facts, item.question) in seen:
            pass
        seen.add((item.facts, item.question))
        yield item


# Figures.

_MOST_STEPS = 5  # what needs more is counted with these


def _further(scored: Sequence[Scored]) -> list[Figure]:
    """Rates by kind, and by number of steps within each; every record has the tokens besides."""
    scored = [each for each in scored if each.outcome in MEASURE.counted]
    figures: list[Figure | None] = []
    for kind in KINDS:
        of_kind = [each for each in scored if each.facts["kind"] == kind]
        figures.append(_rate(f"accuracy_{kind}", f"share of {kind} items that are right", of_kind))
        for num_steps in sorted({_steps(each) for each in of_kind}):
            plus = " or more" if num_steps == _MOST_STEPS else ""
            figures.append(
                _rate(
                    f"accuracy_{kind}_{num_steps}",
                    f"share of {kind} items with {num_steps}{plus} steps that are right",
                    [each for each in of_kind if _steps(each) == num_steps],
                )
            )
    return [figure for figure in figures if figure is not None]


def _steps(scored: Scored) -> int:
    num_steps = scored.facts["num_steps"]
    assert isinstance(num_steps, int), "the scorer gives the number of steps"
    return min(num_steps, _MOST_STEPS)


def _rate(metric: str, description: str, scored: Sequence[Scored]) -> Figure | None:
    hits = [each.outcome == "right" for each in scored]
    return rate_figure(metric, description, hits, [each.cluster for each in scored])


_MISSES = ("wrong", REFUSED, UNPARSED, TRUNCATED)

MEASURE = Measure(
    task="capability",
    version=VERSION,
    metric="accuracy",
    description="share of fresh items of arithmetic, logic and reading whose final answer is right",
    lower_is_better=False,
    hits=("right",),
    counted=("right", *_MISSES),
    outcomes=("right", *_MISSES, *FAILED),
    further=_further,
)


@task
def capability(seed: int = 0, num_items: int = 120) -> Task:
    """Arithmetic in words, logic and reading, in turns, made fresh from a seed."""
    samples = [
        Sample(
            id=index,
            input=item.messages(),
            target=item.answer,
            metadata={
                "kind": item.kind,
                "num_steps": item.num_steps,
                "candidates": list(item.candidates),
            },
        )
        for index, item in enumerate(items(seed, num_items), start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"capability {VERSION}, seed {seed}"),
        scorer=one_answer(),
        version=VERSION,
    )


@scorer(metrics=[accuracy(), outcome_counts()])
def one_answer() -> Scorer:
    """Read the final answer as its kind asks for, and compare it with the right one."""

    async def score(state: TaskState, target: Target) -> Score:
        told = state.metadata
        candidates = tuple(told["candidates"])
        item = Item(told["kind"], told["num_steps"], state.input_text, target.text, candidates)
        text = state.output.completion
        outcome = judge(text, state.output.stop_reason, item)
        answer = read(text, item.kind, candidates)
        return judged(
            outcome,
            hit=outcome == "right",
            answer=answer,
            explanation=f"{outcome}: expected {target.text}, read {answer}",
            kind=item.kind,
            num_steps=item.num_steps,
        )

    return score
