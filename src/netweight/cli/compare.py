"""The compare command: two runs of `netweight weigh`, item by item."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from netweight.evals.pairs import Comparison, Pair, TaskComparison

NUM_ITEMS = 20
_EXCERPT = 60


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A folder that `netweight weigh` wrote.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another, of the same suite.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML page.  [default: out/compare.html]")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.1, max=99, help="Points; a smaller difference counts as none.")
    ] = 5.0,
    all_items: Annotated[
        bool, typer.Option("--all-items", help=f"List every item that differs, not {NUM_ITEMS}.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two runs item by item: paired differences, with intervals, and one HTML page.

    Differences are A less B, in points. Tasks that are not evidence are shown, not compared. With
    --json the data goes to standard output, and a page is written only with --out.

    Example: netweight compare out/weigh/first out/weigh/second
    """
    from netweight.evals.pairs import as_json as data_of
    from netweight.evals.pairs import compare_runs, read_run
    from netweight.evals.scorecard import write_comparison

    comparison = compare_runs(read_run(a), read_run(b), margin=margin / 100)
    page = out or (None if as_json else Path("out", "compare.html"))
    if page:
        write_comparison(comparison, page)
    if as_json:
        print(json.dumps(data_of(comparison), indent=2, allow_nan=False))
    else:
        _print_comparison(comparison, None if all_items else NUM_ITEMS)
        print(f"\nThe page: {page}")


def _print_comparison(comparison: "Comparison", limit: int | None) -> None:
    from rich.console import Console

    from netweight.evals.scorecard import lede

    console = Console(highlight=False)
    for name, run in (("A", comparison.first), ("B", comparison.second)):
        console.print(f"{name}: {_plain(run.model)}, {run.folder}", markup=False)
    console.print()
    console.print(_table(comparison))
    for task in comparison.tasks:
        for note in _notes(task):
            style = "bold red" if task.why_not else "dim"
            console.print(f"{task.task}: {note}", style=style, markup=False)
    for name, reason in comparison.left_out.items():
        console.print(f"{name} is left out: {reason}.", style="bold red", markup=False)
    console.print(f"\n{lede(comparison)}", markup=False)
    _print_items(console, comparison, limit)


def _table(comparison: "Comparison") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("TASK", no_wrap=True)
    for heading in ("A", "B", "A - B", "95% INTERVAL", "P (HOLM)"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("VERDICT")
    for task in comparison.tasks:
        table.add_row(*(Text(_plain(cell)) for cell in _row(task)))
    return table


def _row(task: "TaskComparison") -> list[str]:
    from netweight.evals.scorecard import ends_text, p_text, points, value_text, verdict_text

    rates = [
        value_text(each.headline["score_details"]["score"], "proportion")
        for each in (task.first, task.second)
    ]
    difference = task.difference
    if difference is None or task.judgement is None:
        return [task.task, *rates, "", "", "", verdict_text(task)]
    interval = ends_text(difference.interval) if difference.interval else "none"
    p_value = p_text(task.judgement.p_value)
    return [task.task, *rates, points(difference.value), interval, p_value, verdict_text(task)]


def _notes(task: "TaskComparison") -> list[str]:
    """What keeps a row of the table from being read as it stands."""
    notes = []
    if task.why_not:
        notes.append(f"not compared: {task.why_not}.")
    if task.unpaired:
        notes.append(f"not paired: {task.unpaired}.")
    return [_plain(note) for note in notes]


def _print_items(console: "Console", comparison: "Comparison", limit: int | None) -> None:
    differing = [(task.task, pair) for task in comparison.tasks for pair in task.differing]
    if not differing:
        console.print("\nNo item came to different outcomes.")
        return
    console.print(f"\nItems with different outcomes: {len(differing)}")
    for task, pair in differing[:limit]:
        for line in _item_lines(task, pair):
            console.print(line, markup=False, soft_wrap=True)
    if limit is not None and len(differing) > limit:
        console.print(f"  and {len(differing) - limit} more: --all-items lists them.")


def _item_lines(task: str, pair: "Pair") -> Iterator[str]:
    epoch = f", epoch {pair.first.epoch}" if pair.first.epoch > 1 else ""
    yield f"  {task} {_plain(pair.first.sample)}{epoch}"
    for name, item in (("A", pair.first), ("B", pair.second)):
        yield f"    {name} {item.outcome}: {_excerpt(item.answer or item.explanation)}"


def _excerpt(text: str) -> str:
    plain = " ".join(_plain(text[: 4 * _EXCERPT]).split())
    return plain if len(plain) <= _EXCERPT else plain[: _EXCERPT - 1] + "\u2026"


def _plain(text: str) -> str:
    """Text of others for the terminal: nothing in it moves the cursor or turns the line around."""
    from netweight.evals.scorecard import shown

    return shown(text)
