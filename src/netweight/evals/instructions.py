"""Task `instructions`: orders about the form of a text, made fresh from a seed and checked by code.

What a text says does not count, only its form. Knows outcomes and figures; how items are made is
`instruction_items`', how an order is checked `instruction_checks`'. `ifeval` has the same figures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.evals.answers import is_refusal
from netweight.evals.instruction_checks import follows, follows_loosely
from netweight.evals.instruction_items import KINDS, NUMBERS, SIZES, Constraint, Kind, items
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Fact,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 1

FOLLOWED, BROKEN = "followed", "broken"
OUTCOMES = (FOLLOWED, BROKEN, REFUSED, UNPARSED, TRUNCATED)


@task
def instructions(seed: int = 0, num_items: int = 200) -> Task:
    """Orders about the form of a text, one to three at a time, made fresh from a seed."""
    samples = [
        Sample(
            input=item.prompt,
            target=", ".join(each.kind for each in item.constraints),
            id=index,
            metadata={"constraints": [asdict(each) for each in item.constraints]},
        )
        for index, item in enumerate(items(seed, num_items), start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"instructions {VERSION}, seed {seed}"),
        scorer=forms(),
        version=VERSION,
    )


@scorer(metrics=[accuracy(), outcome_counts()])
def forms() -> Scorer:
    """Check every order in the final answer."""

    async def score(state: TaskState, target: Target) -> Score:
        constraints = [
            Constraint(each["kind"], tuple(each["values"]))
            for each in state.metadata["constraints"]
        ]
        return judge(state.output.completion, state.output.stop_reason, constraints)

    return score


def judge(text: str, stop_reason: StopReason, constraints: Sequence[Constraint]) -> Score:
    """Return the score of one final answer.

    A refusal or an answer that was cut off follows no order, though it may well have no commas.
    """
    is_answer = (ended := how_broken(text, stop_reason)) == BROKEN
    strict = [is_answer and follows(each, text) for each in constraints]
    loose = [is_answer and follows_loosely(each, text) for each in constraints]
    kinds = [each.kind for each in constraints]
    broken = [kind for kind, is_kept in zip(kinds, strict, strict=True) if not is_kept]
    outcome = ended if broken else FOLLOWED
    return judged(
        outcome,
        hit=outcome == FOLLOWED,
        answer=text,
        explanation=f"{outcome}: " + (f"not {', '.join(broken)}" if broken else "all orders"),
        cluster=None,
        **order_counts(len(kinds), sum(strict), sum(loose)),
        kinds=_joined(kinds, [True] * len(kinds)),
        kept=_joined(kinds, strict),
    )


def how_broken(text: str, stop_reason: StopReason) -> str:
    """Return the outcome of an answer that does not follow all orders."""
    if early := ending(stop_reason):
        return early
    if not text.strip():
        return UNPARSED
    return REFUSED if is_refusal(text) else BROKEN


def _joined(kinds: Sequence[Kind], chosen: Sequence[bool]) -> str:
    return " ".join(kind for kind, is_chosen in zip(kinds, chosen, strict=True) if is_chosen)


def order_counts(num_orders: int, num_strict: int, num_loose: int) -> dict[str, Fact]:
    """Return the facts that `readings` are made of."""
    return {"num_orders": num_orders, "num_strict": num_strict, "num_loose": num_loose}


def further(scored: Sequence[Scored]) -> list[Figure]:
    """Return the four readings but the headline, and the strict one by number and kind."""
    answered = [each for each in scored if "num_orders" in each.facts]
    figures = [
        *readings(answered),
        *(_by_number(answered, number) for number in sorted(set(SIZES))),
        *(_by_kind(answered, kind) for kind in KINDS),
    ]
    return [figure for figure in figures if figure is not None]


def readings(scored: Sequence[Scored]) -> list[Figure | None]:
    """Return the loose rate of prompts, and both rates of single orders, clustered by prompt."""
    return [
        rate_figure(
            "prompt_loose",
            "share of prompts with every order followed, Markdown and a first or last line aside",
            [each.facts["num_loose"] == each.facts["num_orders"] for each in scored],
            [each.cluster for each in scored],
        ),
        _orders("instruction_strict", "share of single orders followed", scored, "num_strict"),
        _orders(
            "instruction_loose",
            "share of single orders followed, Markdown and a first or last line aside",
            scored,
            "num_loose",
        ),
    ]


def _orders(metric: str, description: str, scored: Iterable[Scored], fact: str) -> Figure | None:
    hits: list[bool] = []
    clusters: list[str] = []
    for each in scored:
        num_orders, num_kept = int(each.facts["num_orders"] or 0), int(each.facts[fact] or 0)
        hits += [True] * num_kept + [False] * (num_orders - num_kept)
        clusters += [each.cluster] * num_orders
    return rate_figure(metric, description, hits, clusters)


def _by_number(scored: Iterable[Scored], number: int) -> Figure | None:
    chosen = [each for each in scored if each.facts["num_orders"] == number]
    return rate_figure(
        f"prompt_strict_of_{number}",
        f"share of prompts with {NUMBERS[number]} order{'s' * (number > 1)}, all of them followed",
        [each.outcome == FOLLOWED for each in chosen],
        [each.cluster for each in chosen],
    )


def _by_kind(scored: Iterable[Scored], kind: Kind) -> Figure | None:
    chosen = [each for each in scored if kind in str(each.facts["kinds"]).split()]
    return rate_figure(
        f"strict_{kind}",
        f"share of orders of the kind {kind.replace('_', ' ')} followed, alone or beside others",
        [kind in str(each.facts["kept"]).split() for each in chosen],
        [each.cluster for each in chosen],
    )


MEASURE = Measure(
    task="instructions",
    version=VERSION,
    metric="prompt_strict",
    description=(
        "share of requests with one to three orders about form whose final answer follows all of "
        "them, as it stands"
    ),
    lower_is_better=False,
    hits=(FOLLOWED,),
    counted=OUTCOMES,
    outcomes=(*OUTCOMES, *FAILED),
    further=further,
)
