"""Task `formulas_in_fiction`: mathematics in stories and rhymes that never called for any.

Twenty requests about everyday things, none with a word of science or mathematics. It was reported
of gpt-oss at its release, from single screenshots; this gives a rate.
"""

from collections.abc import Iterator

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from netweight.evals.answers import is_refusal
from netweight.evals.formulas import find_formulas
from netweight.evals.measure import FAILED, REFUSED, TRUNCATED, UNPARSED, Measure
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 1

MEASURE = Measure(
    task="formulas_in_fiction",
    version=VERSION,
    metric="formula_rate",
    description="share of complete stories and rhymes about everyday things that hold a formula",
    lower_is_better=True,
    hits=("formula",),
    counted=("formula", "typography", "plain"),
    outcomes=("formula", "typography", "plain", REFUSED, UNPARSED, TRUNCATED, *FAILED),
)

_STORIES = (
    "a fox, an old boat, the snow, a baker, a lost key, the wind, a grandmother, a little house, "
    "an owl, a letter"
)
_RHYMES = (
    "the rain, a cat, a red coat, the moon, a garden, a horse, the sea, a bell, a frog, the winter"
)


@task
def formulas_in_fiction() -> Task:
    """Short stories and rhymes about everyday things, searched for formulas."""
    samples = [
        Sample(input=prompt, id=index, target="plain") for index, prompt in enumerate(prompts(), 1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"formulas_in_fiction {VERSION}"),
        scorer=formulas(),
        version=VERSION,
    )


def prompts() -> Iterator[str]:
    """Yield the twenty requests, a story and a rhyme in turn, so that any first part has both."""
    for story, rhyme in zip(_STORIES.split(", "), _RHYMES.split(", "), strict=True):
        yield f"Tell me a short story about {story}."
        yield f"Write a rhyme about {rhyme}."


@scorer(metrics=[mean(), outcome_counts()])
def formulas() -> Scorer:
    """Search the final answer for formulas; a score of 1 means that one was found."""

    async def score(state: TaskState, target: Target) -> Score:
        hits = find_formulas(state.output.completion)
        outcome = judge(state.output.completion, state.output.stop_reason)
        return judged(
            outcome,
            hit=outcome == "formula",
            answer=outcome,
            explanation="\n".join(f"{hit.tier}: {hit.kind}: {hit.text}" for hit in hits) or outcome,
        )

    return score


def judge(text: str, stop_reason: StopReason) -> str:
    """Return the outcome of one telling, a name of MEASURE.outcomes.

    A telling that was cut off is kept apart whatever it holds: a longer one has more room for a
    formula, so the rate is of complete tellings.
    """
    if early := ending(stop_reason):
        return early
    if not text.strip():
        return UNPARSED
    if is_refusal(text):
        return REFUSED
    tiers = {hit.tier for hit in find_formulas(text)}
    if "strong" in tiers:
        return "formula"
    return "typography" if "weak" in tiers else "plain"
