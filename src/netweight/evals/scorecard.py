"""The scorecard of a run: one page with its figures, its outcomes, its checks and its samples.

Lays out records and logs; every number on the page comes from them. Measures and judges nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from netweight.evals.index import NAME, SUITE, VERSION, compose_records
from netweight.evals.pairs import Item, WeighedRun, WeighedTask, read_run
from netweight.evals.published import Group, beside
from netweight.evals.scorecard_facts import run_facts, task_notes
from netweight.evals.scorecard_figures import outcomes_plot, rate_words, rates_plot
from netweight.evals.scorecard_page import render, write_page
from netweight.evals.scorecard_rows import FigureRow, IndexRow, figure_row, index_rows, index_text
from netweight.evals.scorecard_samples import Allowance, Samples, grouped, size_of
from netweight.evals.scorecard_text import words


def write_scorecard(out: Path) -> Path:
    """Make `out`/scorecard.html from the records and logs in `out`, and return its path.

    Raises:
        WeighError: there are no records, a record or log cannot be read, or the page not written.
    """
    return write_page(out / "scorecard.html", scorecard_html(read_run(out)))


def scorecard_html(run: WeighedRun) -> str:
    """The page of a run. The same run gives the same bytes."""
    left = Allowance(len(run.tasks))
    tasks = [_task_part(task, left) for task in run.tasks.values()]
    checks = _checks(run.tasks.values())
    return render(
        "scorecard.html.jinja",
        run=run,
        folder=run.folder.name,
        how=_how(run),
        alarms=[task for task in tasks if task.reason],
        tasks=tasks,
        index=_index(run),
        checks=checks,
        checks_passed=sum(check.passed for check in checks),
    )


class _How(NamedTuple):
    """How the run was made, as the page's head says it."""

    date: str
    engine: str
    machine: str
    commit: str
    settings: str
    command: str


def _how(run: WeighedRun) -> _How:
    facts = run_facts(run)
    asked = ("Temperature", "Most tokens", "Reasoning effort", "Seed", "Epochs")
    return _How(
        date=facts["Date"],
        engine=facts["Engine"],
        machine=facts["Machine"],
        commit=facts["Commit"],
        settings=", ".join(f"{name.lower()} {facts[name]}" for name in asked).capitalize(),
        command=facts["Command"],
    )


class _Index(NamedTuple):
    """The index as its section shows it."""

    name: str
    rows: Sequence[IndexRow]
    told: str


def _index(run: WeighedRun) -> _Index | None:
    """The index, of a run of its suite."""
    if run.suite != SUITE:
        return None
    composition = compose_records(task.record for task in run.tasks.values())
    return _Index(f"{NAME} v{VERSION}", index_rows(composition), index_text(composition))


class _CheckRow(NamedTuple):
    name: str
    passed: bool
    detail: str
    tasks: str


def _checks(tasks: Iterable[WeighedTask]) -> list[_CheckRow]:
    """Every check once, with the tasks that it was made for; failed ones first."""
    seen: dict[tuple[str, bool, str], list[str]] = {}
    for task in tasks:
        for check in task.facts["checks"]:
            key = (check["name"], check["passed"], check["detail"])
            seen.setdefault(key, []).append(words(task.facts["task"]))
    rows = [_CheckRow(*key, ", ".join(names)) for key, names in seen.items()]
    return sorted(rows, key=lambda row: row.passed)


@dataclass(frozen=True)
class _TaskPart:
    """One task of a scorecard."""

    id: str
    name: str
    version: int
    dataset: str
    description: str
    better: str
    reason: str | None
    notes: Sequence[str]
    plot: Markup
    mix: Markup
    rate: str
    figures: Sequence[FigureRow]
    samples: Samples[Item]
    logs: str
    published: Sequence[Group]


def _task_part(task: WeighedTask, left: Allowance) -> _TaskPart:
    facts, metric = task.facts, task.headline["metric_config"]
    name = facts["task"]
    by_outcome = grouped(task.items, lambda item: item.outcome, facts["outcomes"])
    return _TaskPart(
        id=f"task-{name}",
        name=words(name),
        version=facts["task_version"],
        dataset=task.headline["source_data"]["dataset_name"],
        description=metric["evaluation_description"],
        better="Less" if metric["lower_is_better"] else "More",
        reason=facts["reason"],
        notes=task_notes(facts),
        plot=rates_plot(task),
        mix=outcomes_plot([task], ["this run"]),
        rate=rate_words(facts),
        figures=[figure_row(result) for result in task.record["evaluation_results"]],
        samples=left.choose(by_outcome, _item_size),
        logs=", ".join(log["path"] for log in facts["logs"]),
        published=beside(name),
    )


def _item_size(item: Item) -> int:
    return size_of(item.prompt, item.answer, item.reasoning, item.explanation)
