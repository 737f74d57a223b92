"""Weighing a model: a suite's tasks run one after another, their results made records.

Sees the model only over HTTP or through an Inspect provider. Does not start servers, print, or
decide what the results mean.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netweight.errors import WeighError
from netweight.evals.budget import Budget, Pace
from netweight.evals.efficiency import efficiency
from netweight.evals.gate import (
    Answer,
    Check,
    check_anchors,
    check_effort,
    check_markers,
    check_reasoning,
    check_shares,
)
from netweight.evals.harness import Run, num_answered, num_samples, run_task, served_models
from netweight.evals.measure import Measure
from netweight.evals.provenance import Provenance, commit, machine
from netweight.evals.records import (
    Record,
    Result,
    make_record,
    record_path,
    replace_file,
    write_record,
)
from netweight.evals.subject import Effort, Settings, Subject

if TYPE_CHECKING:  # Inspect takes over a second to import, which `--help` should not wait for
    from inspect_ai import Task

    from netweight.evals.suites import Part


class Progress(NamedTuple):
    """How far a run is: samples done of the task under way, and about how long all tasks take.

    `seconds_left` is None until a sample's time is known. Of tasks that are to come it supposes the
    pace of the run so far.
    """

    task: str
    num_done: int
    num_samples: int
    seconds_left: float | None = None


OnProgress = Callable[[Progress], None]

SUITES = ("quick", "release", "full", "index")
NUM_PROBES = 4


class Weighing(NamedTuple):
    """What weighing a model gave: records, why a task has none, and what tasks left out."""

    records: list[Record]
    without_figure: dict[str, str]  # task: reason
    left_out: dict[str, str]  # part of a task that cannot be asked on this machine: reason


@dataclass(frozen=True)
class _Turn:
    """A part, its task or why there is none, and how many samples of it are still to be asked."""

    part: "Part"
    task: "Task | WeighError"
    num_left: int = 0


@dataclass(frozen=True)
class _Gate:
    """What was asked before everything else, and what it shows of the set-up."""

    answers: Sequence[Answer]
    checks: Sequence[Check]


def server_subject(base_url: str, name: str | None, api_key: str) -> Subject:
    """Return the subject served at an OpenAI-compatible address; without a name, its only model.

    Raises:
        WeighError: no such server answers, or it offers no or several models, or not that one.
    """
    offered = served_models(base_url, api_key)
    listing = ", ".join(offered) or "none"
    if name is None and len(offered) != 1:
        raise WeighError(f"{base_url} offers these models: {listing}. Choose one with --name.")
    if name is not None and offered and name not in offered:
        raise WeighError(f"{base_url} does not offer {name!r}. It offers: {listing}.")
    model = name or offered[0]
    return Subject(name=model, model=model, base_url=base_url, api_key=api_key)


def weigh(
    subject: Subject,
    suite: str,
    out: Path,
    settings: Settings | None = None,
    *,
    only: Collection[str] = (),
    command: str,
    budget: Budget | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Weighing:
    """Run `suite` on `subject`, or `only` some of its tasks; write `out`/logs and `out`/records.

    A run that was broken off, or whose budget ran out, goes on in its folder. A few probes come
    first: when none is answered the run stops there. A set-up that answers but fails a check is
    measured all the same, and its records say that they are not evidence. A task in which no answer
    counts, or whose data is not to be had, has no figure, so no record; the others are unharmed.
    `command` is what a reader would type to make the run again.

    Raises:
        WeighError: the suite is unknown, `out` cannot be written or has another run, or the model
            answers no probe.
    """
    settings = _fitting(settings or Settings(), subject)
    parts = _parts(suite, only, settings)
    budget = budget or Budget()
    out = _made_folder(out)
    _claim(out, subject, suite, settings)
    gate = _gate(subject, settings, out / "logs", on_progress)
    weighing = Weighing([], {}, {})
    turns = [_turn(part, _asked(part, settings), out / "logs") for part in parts]
    pace = Pace({turn.part.measure.task: turn.num_left for turn in turns}, budget)
    for index, turn in enumerate(turns):
        task, asked = turn.part.measure.task, _asked(turn.part, settings)
        record_path(out / "records", task).unlink(missing_ok=True)  # until it is made anew
        budget.begin_part(len(parts) - index)
        try:
            run = _run(turn, subject, asked, out / "logs", pace, on_progress)
        except WeighError as error:
            weighing.without_figure[task] = str(error)
            continue
        weighing.left_out.update(_left_out(turn))
        result = _result(turn.part.measure, run, gate, subject)
        if result is None:
            weighing.without_figure[task] = _why_nothing_counts(run)
            continue
        provenance = Provenance(command, run.started, datetime.now(UTC), machine(), commit())
        record = make_record(result, subject, asked, provenance, suite=suite, folder=out)
        write_record(record, out / "records")
        weighing.records.append(record)
    return weighing


def _fitting(settings: Settings, subject: Subject) -> Settings:
    """Leave half of a known context to the prompt: a server refuses what cannot fit."""
    if subject.max_context is None:
        return settings
    return replace(settings, max_tokens=min(settings.max_tokens, subject.max_context // 2))


def _parts(suite: str, only: Collection[str], settings: Settings) -> "Sequence[Part]":
    if suite not in SUITES:
        raise WeighError(f"there is no suite {suite!r}. Choose one of: {', '.join(SUITES)}.")
    from netweight.evals import suites

    parts = suites.SUITES[suite](settings)
    names = [part.measure.task for part in parts]
    for name in only:
        if name not in names:
            raise WeighError(f"{suite} has no task {name!r}. Its tasks are: {', '.join(names)}.")
    return [part for part in parts if not only or part.measure.task in only]


def _made_folder(out: Path) -> Path:
    try:
        (out / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeighError(f"cannot write to {out}: {error}. Choose another --out.") from error
    return out.resolve()


def _claim(out: Path, subject: Subject, suite: str, settings: Settings) -> None:
    """Say in `out` whose run it is, so that two are never mixed.

    A limit may grow, and how requests are sent may change: neither changes an answer. Other weights
    under the same name, or another engine, do.
    """
    asked = asdict(settings)
    for name in ("limit", "epochs", "max_connections", "max_retries", "attempt_timeout_s"):
        del asked[name]
    ours = {
        "model": subject.name,
        "checkpoint": subject.details.get("checkpoint_sha256"),
        "engine": f"{subject.engine} {subject.engine_version}",
        "suite": suite,
        **asked,
        "judges": list(settings.judges),
    }
    file = out / "run.json"
    try:
        theirs = json.loads(file.read_text("utf-8")) if file.exists() else ours
    except (OSError, ValueError) as error:
        raise WeighError(f"cannot read {file}: {error}. Choose another --out.") from error
    if theirs != ours:
        different = [name for name in ours if theirs.get(name) != ours[name]]
        told = ", ".join(f"{name} {theirs.get(name)!r}, not {ours[name]!r}" for name in different)
        raise WeighError(f"{out} has a run with {told}. Choose another --out.")
    try:
        replace_file(file, json.dumps(ours, indent=2) + "\n")
    except OSError as error:
        raise WeighError(f"cannot write to {out}: {error}. Choose another --out.") from error


def _asked(part: "Part", settings: Settings) -> Settings:
    """How a part's samples are asked: as often as the settings say, times its repeats."""
    return replace(settings, epochs=settings.epochs * part.repeats)


def _turn(part: "Part", settings: Settings, logs: Path) -> _Turn:
    """Make a part's task, before any other is run, since its samples are among those left."""
    try:
        task = part.make()
        num_left = num_samples(task, settings) - num_answered(task, logs)
    except WeighError as error:
        return _Turn(part, error)
    return _Turn(part, task, max(0, num_left))


def _run(
    turn: _Turn,
    subject: Subject,
    settings: Settings,
    logs: Path,
    pace: Pace,
    on_progress: OnProgress,
) -> Run:
    name, task = turn.part.measure.task, turn.task
    if isinstance(task, WeighError):
        raise task
    total = num_samples(task, settings)

    def tell(num_done: int) -> None:
        pace.tell(name, max(0, total - num_done))
        on_progress(Progress(name, num_done, total, pace.seconds_left()))

    try:
        return run_task(task, subject, settings, logs, tell, pace.budget)
    finally:
        pace.end(name)


def _left_out(turn: "_Turn") -> dict[str, str]:
    """What the task says in its metadata that it does not ask, with the reason."""
    if isinstance(turn.task, WeighError):
        return {}
    excluded: dict[str, str] = (turn.task.metadata or {}).get("excluded", {})
    name = turn.part.measure.task
    return {f"{name}: {part}": reason for part, reason in excluded.items()}


def _gate(subject: Subject, settings: Settings, logs: Path, on_progress: OnProgress) -> _Gate:
    """Ask a few sums before anything else, so that a dead server is known within seconds.

    The same ones at low and at high effort show whether the effort arrives.
    """
    from inspect_ai import task_with

    from netweight.evals.sums import sums

    efforts: tuple[Effort | None, ...] = (settings.effort, "low", "high")
    runs = []
    for index, effort in enumerate(efforts):
        name = "gate" if index == 0 else f"gate_{effort}"
        task = task_with(sums(seed=settings.seed + 1, num_items=NUM_PROBES), name=name)
        asked = replace(settings, effort=effort, limit=None, epochs=1)

        def tell(num_done: int, before: int = index * NUM_PROBES) -> None:
            on_progress(Progress("gate", before + num_done, len(efforts) * NUM_PROBES))

        run = run_task(task, subject, asked, logs, tell, is_fresh=True)
        if not run.answers:
            raise WeighError(
                f"{subject.name} answers no request: {run.failure}. See the log {run.logs[-1]} for "
                "more."
            )
        runs.append(run)
    usual, low, high = runs
    checks = [
        check_anchors(usual.counts["right"], NUM_PROBES),
        check_effort(low.answers, high.answers),
    ]
    return _Gate(usual.answers, checks)


def _result(measure: Measure, run: Run, gate: _Gate, subject: Subject) -> Result | None:
    headline = measure.headline(run.scored)
    if headline is None:
        return None
    answers = [*gate.answers, *run.answers]
    checks = [
        *gate.checks,
        check_reasoning(answers, expected=subject.reasons),
        check_markers(answers),
        *check_shares(run.counts),
    ]
    return Result(
        measure=measure,
        dataset=run.dataset,
        counts=run.counts,
        headline=headline,
        further=[
            *measure.further(run.scored),
            *efficiency(measure, run.scored, subject.peak_bytes),
        ],
        checks=checks,
        reasoned=any(answer.reasoning for answer in answers),
        logs=run.logs,
        num_unasked=run.num_unasked,
        why_unasked=run.why_unasked,
    )


def _why_nothing_counts(run: Run) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in run.counts.items() if count)
    told = outcomes or run.why_unasked or "no sample was asked"
    failure = f" ({run.failure})" if run.failure else ""
    return f"no answer counts: {told}{failure}; see the log {run.logs[-1]}"
