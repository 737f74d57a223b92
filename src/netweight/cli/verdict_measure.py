"""`netweight verdict STORY --model M`: measure what would settle the story's open claims on M.

Joins three rooms: what the verdict leaves open, the tasks that `netweight weigh` runs, and a model
that is served meanwhile. A plan with its cost comes first, and nothing is measured before it is
agreed to.
"""

import shlex
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netweight.cli.weigh import shown_weighing, weighable, what_can_be_seen
from netweight.errors import VerdictError, WeighError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netweight.evals import Settings, Subject, Weighing
    from netweight.evals.suites import Part
    from netweight.verdict import Measured, Report
    from netweight.verdict.plan import Plan, Planned
    from netweight.verdict.report import ClaimPart

Suite = Literal["quick", "release", "full"]

ModelToMeasure = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Measure what would settle the story's open claims on this model, as `netweight "
        "weigh` takes it, and judge again. A plan with its cost is shown first.",
    ),
]
CalledInStory = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="NAME", help="With --model: what the story calls it, if something else."
    ),
]
NameAtServer = Annotated[
    str | None,
    typer.Option("--name", help="With --model: of a server's address, which of its models."),
]
SuiteToUse = Annotated[
    Suite | None,
    typer.Option(help="With --model: the suite whose tasks may be run.  [default: release]"),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="With --model: at most this many samples a task.")
]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        help="With --model: an Inspect model that judges open answers. May be given several times.",
    ),
]
EffortToUse = Annotated[
    Literal["low", "medium", "high"] | None,
    typer.Option("--effort", help="With --model: reasoning effort; else it is not sent."),
]
Agreed = Annotated[bool, typer.Option("--yes", help="With --model: run the plan without asking.")]

_PROBE = "Tell a short story about a fox who lost a key."
_PROBE_TOKENS = 48
_PROBE_TIMEOUT_S = 600.0
# Answers that one sample takes at most, where it is more than one: both halves of a pair, two
# tries, the calls and replies of a conversation.
ANSWERS = {"mirrored": 2, "polyglot": 2, "tools": 4}
_WIDTH = 80


@dataclass(frozen=True)
class Wish:
    """What was asked for with --model and the options that go with it."""

    model: str
    called: str | None = None
    name: str | None = None
    suite: Suite = "release"
    limit: int | None = None
    judges: tuple[str, ...] = ()
    effort: Literal["low", "medium", "high"] | None = None
    is_agreed: bool = False


@dataclass(frozen=True)
class Cost:
    """What a task would take: `tokens` that the model writes, and whether that is their most.

    `problem` says why the task cannot run here; then there is no cost.
    """

    num_samples: int = 0
    tokens: int = 0
    is_most: bool = True
    problem: str | None = None


@dataclass(frozen=True)
class Measuring:
    """What measuring gave: its records, and why a task has none."""

    records: "tuple[Measured, ...]"
    without_figure: Mapping[str, str]


def measure(report: "Report", wish: Wish, out: Path, *, is_quiet: bool) -> Measuring | None:
    """Show the plan, ask, and run it in `out`/weigh; None where nothing was measured.

    The plan goes to standard output, and to standard error if `is_quiet`.

    Raises:
        WeighError: the model cannot be reached, or `out` has another run.
    """
    from netweight import evals
    from netweight.evals import suites
    from netweight.verdict import plan as planning

    settings = evals.Settings(limit=wish.limit, judges=wish.judges, effort=wish.effort)
    folder = out / "weigh"
    stream = sys.stderr if is_quiet else sys.stdout

    def say(text: str = "") -> None:
        print(text, file=stream, flush=True)

    with _opened(wish) as subject:
        parts = {part.measure.task: part for part in suites.SUITES[wish.suite](settings)}
        plan = planning.make_plan(report, subject.name, list(parts))
        if plan.is_empty:
            _say_all(_nothing(plan, report), say)
            return None
        costs = _costs(plan, parts, subject, settings, _recorded(folder))
        names = [one.task for one in plan.tasks if costs[one.task].problem is None]
        speed = _speed(subject) if names and subject.engine == "netweight" else None
        _say_all(plan_lines(plan, costs, wish.suite, speed), say)
        if not names or not _is_agreed(wish, say, is_quiet=is_quiet):
            return None
        weighing = _weigh(subject, wish.suite, folder, settings, names)
    return _finished(weighing, folder, costs, say)


def _say_all(lines: Sequence[str], say: Callable[[str], None]) -> None:
    for line in lines:
        say(line)


@contextmanager
def _opened(wish: Wish) -> "Iterator[Subject]":
    """The model, under the name that the story has for it, so that records meet their claims."""
    with weighable(wish.model, wish.name, None, wish.effort or "medium") as subject:
        yield replace(subject, name=wish.called or name_in_tables(subject.name) or subject.name)


def name_in_tables(name: str) -> str | None:
    """The model of the tables that a server's or a folder's name is, in full, or None.

    A name that only holds one, as that of a fine-tuned copy does, is another model.
    """
    from netweight.verdict import published
    from netweight.verdict.names import find_models

    bare = name.rpartition("/")[2]
    found = find_models(bare, published())
    if len(found) == 1 and len(found[0].ids) == 1 and found[0].span == (0, len(bare)):
        known = found[0].ids[0]
        return None if known.startswith("other:") else known
    return None


# What it costs


def _costs(
    plan: "Plan",
    parts: "Mapping[str, Part]",
    subject: "Subject",
    settings: "Settings",
    recorded: Mapping[str, float],
) -> dict[str, Cost]:
    """What each task takes; a task may download its data for that."""
    most = settings.max_tokens
    if subject.max_context is not None:
        most = min(most, subject.max_context // 2)  # as weigh itself leaves room for the prompt
    costs = {}
    for one in plan.tasks:
        try:
            size = len(parts[one.task].make().dataset)
        except WeighError as error:
            costs[one.task] = Cost(problem=str(error))
            continue
        num_samples = size if settings.limit is None else min(settings.limit, size)
        mean = recorded.get(one.task)
        each = ANSWERS.get(one.task, 1) * most if mean is None else mean
        costs[one.task] = Cost(num_samples, round(num_samples * each), is_most=mean is None)
    return costs


def _recorded(folder: Path) -> dict[str, float]:
    """Tokens of a sample, by task, as an earlier run in the folder has measured them."""
    from netweight.verdict import read_records

    if not any((folder / "records").glob("*.json")):
        return {}
    return {
        record.task: figure.value
        for record in read_records(folder)
        for figure in record.carried
        if figure.metric == "tokens_per_answer"
    }


def _speed(subject: "Subject") -> float:
    """Tokens a second of one short answer of a model that is served here.

    Raises:
        WeighError: it does not answer.
    """
    import openai

    client = openai.OpenAI(
        base_url=subject.base_url,
        api_key=subject.api_key,
        timeout=_PROBE_TIMEOUT_S,
        max_retries=0,
    )
    with client:
        start = time.perf_counter()
        try:
            answer = client.chat.completions.create(
                model=subject.model,
                messages=[{"role": "user", "content": _PROBE}],
                max_tokens=_PROBE_TOKENS,
                temperature=0,
            )
        except openai.APIError as error:
            raise WeighError(f"{subject.name} answers no request: {error}") from error
        elapsed_s = time.perf_counter() - start
    assert answer.usage is not None, "our own server counts tokens"
    return answer.usage.completion_tokens / elapsed_s


# The plan, in words


def plan_lines(
    plan: "Plan", costs: Mapping[str, Cost], suite: str, speed: float | None
) -> list[str]:
    """What would be measured and for which claims, its cost, and what it leaves open."""
    lines = [f"What can be measured on {plan.model}, with the suite {suite}:"]
    for one in plan.tasks:
        lines += ["", *_task_lines(one, costs[one.task], speed)]
    lines += ["", *_wrapped(_in_all(list(costs.values()), speed))]
    if plan.elsewhere:
        told = ", ".join(plan.elsewhere)
        lines += _wrapped(f"Other suites have more that bears on these claims: {told}.")
    return lines + _left_open(plan)


def _task_lines(one: "Planned", cost: Cost, speed: float | None) -> list[str]:
    from netweight.verdict.plan import ROLE_WORDS

    if cost.problem is not None:
        lines = _wrapped(f"{one.task}: cannot run here: {cost.problem}")
    else:
        # Half the width of the normal interval of a rate of one half, the widest there is.
        half = 0.98 / sqrt(cost.num_samples)
        lines = _wrapped(
            f"{what_can_be_seen(one.task, cost.num_samples)}; a rate is known to within "
            f"{half:.0%} at worst. The model writes {_priced(cost, speed)}."
        )
    for claim, role in one.claims:
        lines += _wrapped(f"{ROLE_WORDS[role]} {_named(claim)}", indent=4)
    return lines


def _named(claim: "ClaimPart") -> str:
    quote = textwrap.shorten(claim.quote, 120, placeholder=" \u2026")
    return f"{claim.id} \u201c{quote}\u201d"


def _priced(cost: Cost, speed: float | None) -> str:
    told = f"at most {cost.tokens:,} tokens" if cost.is_most else f"about {cost.tokens:,} tokens"
    if speed is not None:
        told += f", {_minutes(cost.tokens / speed)}"
    return told


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return "under a minute"
    return "about a minute" if seconds < 90 else f"{seconds / 60:,.0f} minutes"


def _in_all(costs: Sequence[Cost], speed: float | None) -> str:
    running = [cost for cost in costs if cost.problem is None]
    whole = Cost(0, sum(c.tokens for c in running), is_most=any(c.is_most for c in running))
    text = f"In all the model writes {_priced(whole, speed)}; what it reads comes on top"
    if whole.is_most:
        text += ". That is if every answer is as long as it may be"
    if speed is None:
        return f"{text}. How long it takes is not known of a model that is served elsewhere."
    return f"{text}. A short probe wrote {speed:,.0f} tokens a second."


def _left_open(plan: "Plan") -> list[str]:
    lines = []
    if plan.about_others:
        lines += ["", "Not settled by this, for these are about other models:"]
    for claim in plan.about_others:
        subjects = ", ".join(claim.subjects) or "a model that the story does not name"
        lines += _wrapped(f"{_named(claim)}: {subjects}", indent=4)
    if plan.unsettled:
        lines += ["", "Not settled by any measurement here; what would settle them:"]
    for claim in plan.unsettled:
        told = " ".join(s.text for s in claim.settles)
        lines += _wrapped(f"{_named(claim)}: {told}", indent=4)
    return lines


def _nothing(plan: "Plan", report: "Report") -> list[str]:
    """Nothing to measure, and what could be done about it."""
    from netweight.verdict.plan import models_of

    lines = _wrapped(
        f"No open claim of this story is settled by measuring {plan.model} with this suite, so "
        "nothing is measured."
    )
    if others := [name for name in models_of(report) if name != plan.model.lower()]:
        lines += _wrapped(
            f"Open claims that can be measured are about: {', '.join(others)}. If the model is one "
            "of these, say which with --as."
        )
    if plan.elsewhere:
        lines += _wrapped(f"Other suites have tasks for it: {', '.join(plan.elsewhere)}.")
    return lines + _left_open(plan)


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False
    )


# Asking, and running


def _is_agreed(wish: Wish, say: Callable[[str], None], *, is_quiet: bool) -> bool:
    if wish.is_agreed:
        return True
    say("")
    if not is_at_a_terminal():
        say("Nothing was measured. To run this plan, add --yes.")
        return False
    return typer.confirm("Proceed?", default=False, err=is_quiet)


def is_at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _weigh(
    subject: "Subject", suite: str, folder: Path, settings: "Settings", names: Sequence[str]
) -> "Weighing":
    """As `netweight weigh` does it, in its own folder, where a run that was broken off goes on."""
    from netweight import evals

    command = shlex.join(["netweight", *sys.argv[1:]])
    with shown_weighing(subject.name) as on_progress:
        try:
            return evals.weigh(
                subject,
                suite,
                folder,
                settings,
                only=names,
                command=command,
                on_progress=on_progress,
            )
        except KeyboardInterrupt:
            print(f"\nstopped; to go on: {command}", file=sys.stderr)
            raise


def _finished(
    weighing: "Weighing", folder: Path, costs: Mapping[str, Cost], say: Callable[[str], None]
) -> Measuring:
    """The records as the verdict reads them."""
    from netweight.evals.scorecard import write_scorecard
    from netweight.verdict import read_records

    missing = {task: cost.problem for task, cost in costs.items() if cost.problem is not None}
    missing |= weighing.without_figure
    for task, reason in missing.items():
        print(f"netweight: {task} has no figure: {reason}", file=sys.stderr)
    if not weighing.records:
        raise VerdictError(f"nothing could be measured; logs are in {folder / 'logs'}.")
    say(f"\nEvery figure and answer is on {write_scorecard(folder)}\n")
    return Measuring(read_records(folder), missing)
