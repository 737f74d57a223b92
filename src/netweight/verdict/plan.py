"""Which measurements would settle a story's open claims, on one model.

Works from a verdict and from names of tasks. Runs nothing, and knows no cost: the command line
joins this with what `netweight weigh` knows of its tasks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from netweight.verdict.report import ClaimPart, Report
from netweight.verdict.settling import Bearing, Role, measurements_of

OPEN = ("mixed", "not_enough_evidence")

ROLE_WORDS: dict[Role, str] = {
    "decides": "can decide",
    "bears": "bears on, without deciding",
    "indicates": "is no more than an indication for",
    "carries": "has the cost of answers for",
}


@dataclass(frozen=True)
class Planned:
    """One task, and the claims that its record would speak to, each with what it does for it."""

    task: str
    claims: tuple[tuple[ClaimPart, Role], ...]


@dataclass(frozen=True)
class Plan:
    """What to measure on `model`, and which open claims that leaves.

    `elsewhere` are tasks that the chosen suite does not have, and that bear on claims which no task
    of it can decide.
    `about_others` could be settled by measuring another model. Of `unsettled` no task of ours
    says anything; what would settle them stands with the claim.
    """

    model: str
    tasks: tuple[Planned, ...]
    elsewhere: tuple[str, ...]
    about_others: tuple[ClaimPart, ...]
    unsettled: tuple[ClaimPart, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to measure."""
        return not self.tasks


def make_plan(report: Report, model: str, tasks: Sequence[str]) -> Plan:
    """What of `tasks` to run on the model that the story calls `model`, in the order of `tasks`.

    A claim is settled only by measuring a model that it is about.
    """
    is_open = [c for c in report.claims if c.verdict in OPEN and c.repeats is None]
    own = [c for c in is_open if is_about(c, model)]
    others = [c for c in is_open if c not in own and measurements_of(c)]
    wanted = [(claim, b) for claim in own for b in measurements_of(claim)]
    wanted = _with_any_record(wanted, tasks)
    planned = tuple(
        Planned(task, claims)
        for task in tasks
        if (claims := tuple((claim, b.role) for claim, b in wanted if b.task == task))
    )
    settled = {claim.id for one in planned for claim, _ in one.claims}
    decided = {c.id for one in planned for c, role in one.claims if role == "decides"}
    elsewhere = dict.fromkeys(
        b.task for claim, b in wanted if b.task not in tasks and claim.id not in decided
    )
    away = {claim.id for claim in others} | settled
    return Plan(
        model=model,
        tasks=planned,
        elsewhere=tuple(elsewhere),
        about_others=tuple(others),
        unsettled=tuple(claim for claim in is_open if claim.id not in away),
    )


def is_about(claim: ClaimPart, model: str) -> bool:
    """Whether the claim names the model as one of its subjects."""
    return model.lower() in {subject.lower() for subject in claim.subjects}


def models_of(report: Report) -> tuple[str, ...]:
    """The models that the story's open and measurable claims are about."""
    found = (
        subject
        for claim in report.claims
        if claim.verdict in OPEN and measurements_of(claim)
        for subject in claim.subjects
    )
    return tuple(dict.fromkeys(found))


def _with_any_record(
    wanted: Sequence[tuple[ClaimPart, Bearing]], tasks: Collection[str]
) -> list[tuple[ClaimPart, Bearing]]:
    """Leave what every record carries to a task that runs anyway, where one does."""
    others = [b.task for _, b in wanted if b.role != "carries" and b.task in tasks]
    if not others:
        return list(wanted)
    return [
        (claim, Bearing(others[0], b.role) if b.role == "carries" else b) for claim, b in wanted
    ]
