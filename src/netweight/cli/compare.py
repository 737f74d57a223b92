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
_FOREST_WIDTH = 51  # characters, an odd number so that nought has one of its own
_WIDE = 100  # columns in which all of a table's fit


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

    Differences are A less B, of rates in points; each task's headline comes first, its further
    figures under it. Tasks that are not evidence are shown, not compared. With --json the data goes
    to standard output, and a page is written only with --out.

    Example: netweight compare out/weigh/first out/weigh/second
    """
    from netweight.evals.comparison_json import as_json as data_of
    from netweight.evals.pairs import compare_runs, read_run
    from netweight.evals.scorecard_comparison import write_comparison

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

    from netweight.evals.scorecard_further import further_lede
    from netweight.evals.scorecard_verdicts import lede

    console = Console(highlight=False)
    for name, run in (("A", comparison.first), ("B", comparison.second)):
        console.print(f"{name}: {_plain(run.model)}, {run.folder}", markup=False)
    console.print()
    is_wide = console.width >= _WIDE
    console.print(_table(comparison, is_wide=is_wide))
    if any(task.judgement for task in comparison.tasks):
        console.print(_method(comparison, is_wide=is_wide), style="dim", markup=False)
    for task in comparison.tasks:
        for note in _notes(task):
            style = "bold red" if task.why_not else "dim"
            console.print(f"{task.task}: {note}", style=style, markup=False)
    for line in _unpaired(comparison):
        console.print(line, style="dim", markup=False)
    for name, reason in comparison.left_out.items():
        console.print(f"{name} is left out: {reason}.", style="bold red", markup=False)
    _print_forest(console, comparison)
    console.print(f"\n{lede(comparison)} {further_lede(comparison)}", markup=False)
    _print_items(console, comparison, limit)


def _table(comparison: "Comparison", *, is_wide: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("FIGURE", overflow="fold")
    for heading in ("A", "B", "A - B", "95% INTERVAL"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("P", "FINDS") if is_wide else ():
        table.add_column(heading, justify="right")
    table.add_column("VERDICT")

    def add(row: list[str], style: str) -> None:
        cells = row if is_wide else [*row[:5], row[-1]]
        table.add_row(*(Text(_plain(cell), style=style) for cell in cells))

    for task in comparison.tasks:
        add(_row(task), "bold")
        for row in _further_rows(task):
            add(row, "")
    return table


def _row(task: "TaskComparison") -> list[str]:
    from netweight.evals.scorecard_text import p_text, points, value_text
    from netweight.evals.scorecard_verdicts import ends_text, verdict_text

    rates = [
        value_text(each.headline["score_details"]["score"], "proportion")
        for each in (task.first, task.second)
    ]
    difference = task.difference
    if difference is None or task.judgement is None:
        return [task.task, *rates, "", "", "", "", verdict_text(task)]
    interval = ends_text(difference.interval) if difference.interval else "none"
    p_value = p_text(task.judgement.p_value)
    detectable = "none" if difference.detectable is None else f"{100 * difference.detectable:.1f}"
    numbers = [points(difference.value), interval, p_value, detectable]
    return [task.task, *rates, *numbers, verdict_text(task)]


def _further_rows(task: "TaskComparison") -> Iterator[list[str]]:
    """A task's further figures, indented; units are told once, with the name."""
    from netweight.evals.scorecard_further import compared_rows

    for row in compared_rows(task):
        unit = row.first.partition(" ")[2]
        name = f"  {row.name}, {unit}" if unit else f"  {row.name}"
        first, second, difference, finds = (
            each.partition(" ")[0]
            for each in (row.first, row.second, row.difference, row.detectable)
        )
        yield [name, first, second, difference, row.interval, row.p_value, finds, row.verdict]


def _method(comparison: "Comparison", *, is_wide: bool) -> str:
    """What the columns of the table are, and how the p-values were corrected."""
    units = "Rates differ by points."
    num_tasks = sum(task.judgement is not None for task in comparison.tasks)
    num_figures = sum(len(task.figures) for task in comparison.tasks)
    corrected = (
        f"for tasks Holm's over {num_tasks}, for the figures below them Benjamini and Hochberg's "
        f"over {num_figures}"
    )
    if not is_wide:
        return (
            f"Verdicts rest on p-values: {corrected}. These, and the smallest difference that "
            f"would have been found, need {_WIDE} columns, or --json. {units}"
        )
    return (
        f"P is of no difference: {corrected}. FINDS is the smallest difference that is found four "
        f"times in five. {units}"
    )


def _notes(task: "TaskComparison") -> list[str]:
    """What keeps a row of the table from being read as it stands."""
    notes = []
    if task.why_not:
        notes.append(f"not compared: {task.why_not}.")
    if task.unpaired:
        notes.append(f"not paired: {task.unpaired}.")
    reason = task.why_not or task.unpaired
    names = [name for name, why in task.not_paired.items() if why == reason]
    if names:
        notes.append(f"not paired for that reason: {', '.join(names)}.")
    return [_plain(note) for note in notes]


def _unpaired(comparison: "Comparison") -> Iterator[str]:
    """Which figures have no row though their task has, for each reason the tasks by figure."""
    found: dict[str, dict[str, list[str]]] = {}
    for task in comparison.tasks:
        for name, reason in task.not_paired.items():
            if reason not in (task.why_not, task.unpaired):
                found.setdefault(reason, {}).setdefault(name, []).append(task.task)
    for reason, names in found.items():
        told = "; ".join(f"{name} of {', '.join(tasks)}" for name, tasks in names.items())
        yield _plain(f"Not paired, since {reason}: {told}.")


def _print_forest(console: "Console", comparison: "Comparison") -> None:
    """The headlines' differences as lines about nought, the margin shaded."""
    from netweight.evals.scorecard_text import words

    compared = [task for task in comparison.tasks if task.difference]
    ends = [end for task in compared for end in _ends(task)]
    if not ends:
        return
    reach = max(comparison.margin, *map(abs, ends))
    width = max(len(words(task.task)) for task in compared)
    label = f"{100 * reach:.1f}"
    left, right = f"B +{label}", f"A +{label}"
    between = f"{'0':^{_FOREST_WIDTH - len(left) - len(right)}}"
    console.print(f"\n{'':{width}}  {left}{between}{right}", style="dim", markup=False)
    for task in compared:
        line = _forest_line(task, reach, comparison.margin)
        console.print(f"{words(task.task):{width}}  {line}", markup=False)


def _ends(task: "TaskComparison") -> list[float]:
    assert task.difference is not None
    interval = task.difference.interval
    return [task.difference.value, *(interval[:2] if interval else ())]


def _forest_line(task: "TaskComparison", reach: float, margin: float) -> str:
    """One difference with its interval; a filled dot is one that is decided."""
    assert task.difference is not None and task.judgement is not None

    def place(value: float) -> int:
        return round((value + reach) / (2 * reach) * (_FOREST_WIDTH - 1))

    cells = [" "] * _FOREST_WIDTH
    for index in range(place(-margin), place(margin) + 1):
        cells[index] = "\u00b7"
    cells[place(0)] = "\u2502"
    value, *ends = _ends(task)
    if ends:
        low, high = map(place, ends)
        cells[low : high + 1] = "\u2500" * (high + 1 - low)
        cells[low], cells[high] = "\u251c", "\u2524"
    cells[place(value)] = "\u25cb" if task.judgement.verdict == "undecided" else "\u25cf"
    return "".join(cells).rstrip()


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
    from netweight.evals.scorecard_text import shown

    return shown(text)
