"""Weighing a model: a suite's tasks run one after another, their results made records.

Sees the model only over HTTP or through an Inspect provider. Does not start servers, print, or
decide what the results mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netweight.errors import WeighError
from netweight.evals.gate import Answer, check_markers, check_reasoning, check_shares
from netweight.evals.harness import Run, run_task, served_models
from netweight.evals.measure import Measure
from netweight.evals.provenance import Provenance, commit, machine
from netweight.evals.records import Record, Result, make_record, record_path, write_record
from netweight.evals.subject import Settings, Subject

if TYPE_CHECKING:  # Inspect takes over a second to import, which `--help` should not wait for
    from inspect_ai import Task

OnProgress = Callable[[str, int, int], None]  # task, samples done, samples in all

SUITES = ("quick",)
NUM_PROBES = 3


class Weighing(NamedTuple):
    """What weighing a model gave: records, and why a task has none."""

    records: list[Record]
    without_figure: dict[str, str]  # task: reason


@dataclass(frozen=True)
class Part:
    """One task of a suite, ready to run."""

    task: "Task"
    measure: Measure


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
    command: str,
    on_progress: OnProgress = lambda task, done, total: None,
) -> Weighing:
    """Run `suite` on `subject`; write `out`/logs and `out`/records, in place of any there before.

    A few probes come first: when none is answered the run stops there. A set-up that answers but
    fails a check is measured all the same, and its records say that they are not evidence. A task
    in which no answer counts has no figure, so no record; the others are unharmed by it.
    `command` is what a reader would type to make the run again.

    Raises:
        WeighError: the suite is unknown, `out` cannot be written, or the model answers no probe.
    """
    settings = _fitting(settings or Settings(), subject)
    parts = _parts(suite, settings.seed)
    out = _made_folder(out)
    probes = _probe(subject, settings, out / "logs", on_progress)
    for part in parts:  # so that the records there are never of two runs
        record_path(out / "records", part.measure.task).unlink(missing_ok=True)
    weighing = Weighing([], {})
    for part in parts:
        progress = _Progress(part.measure.task, _size(part.task, settings), on_progress)
        run = run_task(part.task, subject, settings, out / "logs", progress.advance)
        result = _result(part.measure, run, probes, subject)
        if result is None:
            weighing.without_figure[part.measure.task] = _why_nothing_counts(run)
            continue
        provenance = Provenance(command, run.started, datetime.now(UTC), machine(), commit())
        record = make_record(result, subject, settings, provenance, suite=suite, folder=out)
        write_record(record, out / "records")
        weighing.records.append(record)
    return weighing


def _fitting(settings: Settings, subject: Subject) -> Settings:
    """Leave half of a known context to the prompt: a server refuses what cannot fit."""
    if subject.max_context is None:
        return settings
    return replace(settings, max_tokens=min(settings.max_tokens, subject.max_context // 2))


def _parts(suite: str, seed: int) -> list[Part]:
    from netweight.evals import fiction, sums

    match suite:
        case "quick":
            return [
                Part(sums.sums(seed=seed), sums.MEASURE),
                Part(fiction.formulas_in_fiction(), fiction.MEASURE),
            ]
        case _:
            raise WeighError(f"there is no suite {suite!r}. Choose one of: {', '.join(SUITES)}.")


def _made_folder(out: Path) -> Path:
    try:
        (out / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeighError(f"cannot write to {out}: {error}. Choose another --out.") from error
    return out.resolve()


def _probe(
    subject: Subject, settings: Settings, logs: Path, on_progress: OnProgress
) -> Sequence[Answer]:
    """Ask a few sums before anything else, so that a dead server is known within seconds."""
    from inspect_ai import task_with

    from netweight.evals.sums import sums

    task = task_with(sums(seed=settings.seed + 1, num_items=NUM_PROBES), name="gate")
    progress = _Progress("gate", _size(task, settings), on_progress)
    run = run_task(task, subject, settings, logs, progress.advance)
    if not run.answers:
        raise WeighError(
            f"{subject.name} answers no request: {run.failure}. See the log {run.log} for more."
        )
    return run.answers


def _result(
    measure: Measure, run: Run, probes: Sequence[Answer], subject: Subject
) -> Result | None:
    rate = measure.rate(run.counts)
    if rate is None:
        return None
    answers = [*probes, *run.answers]
    checks = [
        check_reasoning(answers, expected=subject.reasons),
        check_markers(answers),
        *check_shares(run.counts),
    ]
    reasoned = any(answer.reasoning for answer in answers)
    return Result(measure, run.dataset, run.counts, rate, checks, reasoned, run.log)


def _why_nothing_counts(run: Run) -> str:
    outcomes = ", ".join(f"{count} {name}" for name, count in run.counts.items() if count)
    failure = f" ({run.failure})" if run.failure else ""
    return f"no answer counts: {outcomes}{failure}; see the log {run.log}"


def _size(task: "Task", settings: Settings) -> int:
    size = len(task.dataset)
    return size if settings.limit is None else min(settings.limit, size)


class _Progress:
    """Counts a task's samples as they end and tells the caller."""

    def __init__(self, task: str, total: int, on_progress: OnProgress) -> None:
        self._task, self._done, self._total = task, 0, total
        self._tell = on_progress
        self._tell(task, 0, total)

    def advance(self) -> None:
        self._done += 1
        self._tell(self._task, self._done, self._total)
