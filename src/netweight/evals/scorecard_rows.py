"""Rows of tables: a record's figures, and the parts of the index.

Every number in them is a record's own. Does not know pages.
"""

from collections.abc import Mapping
from typing import NamedTuple

from netweight.evals.index import NAME, VERSION, Composition
from netweight.evals.measure import Figure
from netweight.evals.records import Record
from netweight.evals.scorecard_text import interval_text, short, value_text, words

_NO_INTERVAL = "none"
_NUM_NAMED = 2  # outcomes, in the terminal's table


class FigureRow(NamedTuple):
    """One figure of a record, as tables show it."""

    name: str
    value: str
    interval: str
    method: str
    num_samples: str
    description: str
    is_less_better: bool

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return self.interval != _NO_INTERVAL


def figure_row(result: Record) -> FigureRow:
    """The row of one of a record's results."""
    metric, details = result["metric_config"], result["score_details"]
    uncertainty, unit = details["uncertainty"], metric["metric_unit"]
    interval = uncertainty.get("confidence_interval")
    return FigureRow(
        name=words(metric["metric_id"]),
        value=value_text(details["score"], unit),
        interval=interval_text(interval["lower"], interval["upper"], unit)
        if interval
        else _NO_INTERVAL,
        method=interval["method"] if interval else "",
        num_samples=f"{uncertainty['num_samples']:,}",
        description=metric["evaluation_description"],
        is_less_better=metric["lower_is_better"],
    )


class TerminalRow(NamedTuple):
    """One figure as the terminal's table shows it; the first of a task has its name and outcomes.

    `figure` is the metric's id, indented where it is a further one.
    """

    task: str
    figure: str
    value: str
    interval: str
    num_samples: str
    outcomes: str


def terminal_rows(record: Record) -> list[TerminalRow]:
    """A record's figures for the terminal, the headline first."""
    headline, *further = record["evaluation_results"]
    facts = headline["netweight"]
    rows = [_terminal_row(headline, facts["task"], "", _most_frequent(facts["outcomes"]))]
    return rows + [_terminal_row(result, "", "  ", "") for result in further]


def _terminal_row(result: Record, task: str, indent: str, outcomes: str) -> TerminalRow:
    row, metric = figure_row(result), result["metric_config"]["metric_id"]
    return TerminalRow(
        task, f"{indent}{metric}", row.value, row.interval, row.num_samples, outcomes
    )


def _most_frequent(outcomes: Mapping[str, int]) -> str:
    """The commonest outcomes by name, and how many samples had another."""
    counted = sorted(outcomes.items(), key=lambda each: -each[1])
    named = [f"{count} {name}" for name, count in counted[:_NUM_NAMED] if count]
    others = sum(count for _, count in counted[_NUM_NAMED:])
    return ", ".join([*named, f"{others} other"] if others else named)


class IndexRow(NamedTuple):
    """One part of the index, as tables show it; `missing` says why it adds no points."""

    name: str
    weight: str
    value: str
    interval: str
    num_samples: str
    points: str
    missing: str


def index_rows(composition: Composition) -> list[IndexRow]:
    """The parts of the index; of one that was not measured all but its name and weight is empty."""
    return [
        IndexRow(
            row.part.name,
            f"{row.part.weight:.1%}",
            *(_of_figure(row.figure) if row.figure else ("", "", "")),
            "" if row.points is None else short(row.points),
            row.missing or "",
        )
        for row in composition.rows
    ]


def _of_figure(figure: Figure) -> tuple[str, str, str]:
    """Its value, its interval, and of how many answers it is."""
    interval = _NO_INTERVAL
    if figure.interval is not None:
        interval = interval_text(figure.interval.lower, figure.interval.upper, figure.unit)
    return value_text(figure.value, figure.unit), interval, f"{figure.num_samples:,}"


def index_text(composition: Composition) -> str:
    """The index with its interval, or why there is none."""
    index = composition.index
    if index is None:
        assert composition.why_none is not None
        return f"{composition.why_none[:1].upper()}{composition.why_none[1:]}."
    interval = "no interval"
    if index.interval is not None:
        interval = f"{short(index.interval.lower)} to {short(index.interval.upper)}"
    return f"{NAME} v{VERSION}, recomposed: {short(index.value)} ({interval})."
