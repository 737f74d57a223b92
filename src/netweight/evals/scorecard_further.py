"""The figures beside a comparison's headlines, as rows for pages and the terminal, and as a plot.

Every number is the comparison's own. Does not know pages.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from netweight.evals.differences import IN_POINTS, Difference
from netweight.evals.measure import Unit
from netweight.evals.paired_figures import FigureComparison
from netweight.evals.pairs import Comparison, TaskComparison
from netweight.evals.planning import ALPHA, POWER
from netweight.evals.plots import Dot, forest_plot
from netweight.evals.scorecard_rows import FigureRow, figure_row
from netweight.evals.scorecard_text import p_text, points, value_text, words
from netweight.evals.scorecard_verdicts import VERDICTS, counted, difference_text, runs_of

_NO_INTERVAL = "none"


class ComparedRow(NamedTuple):
    """One figure that was compared, over the samples that count in both runs."""

    metric: str
    name: str
    description: str
    first: str
    second: str
    difference: str
    interval: str
    num_samples: str
    p_value: str
    detectable: str
    verdict: str
    is_open: bool
    method: str

    @property
    def difference_text(self) -> str:
        """The difference with its interval."""
        if self.interval == _NO_INTERVAL:
            return f"{self.difference}, no interval"
        return f"{self.difference} ({self.interval})"


class UnpairedRow(NamedTuple):
    """One figure that was not compared, as either run has it."""

    name: str
    first: str
    second: str


class Unpaired(NamedTuple):
    """Figures that were not compared for one reason."""

    reason: str
    rows: Sequence[UnpairedRow]


def compared_rows(task: TaskComparison) -> list[ComparedRow]:
    """The rows of a task's further figures, in the order of its record."""
    return [_row(each) for each in task.figures]


def _row(each: FigureComparison) -> ComparedRow:
    assert each.judgement is not None, "every figure is judged with the others"
    difference = each.difference
    interval = difference.interval
    return ComparedRow(
        metric=each.metric,
        name=words(each.metric),
        description=each.description,
        first=value_text(each.first, each.unit),
        second=value_text(each.second, each.unit),
        difference=signed(difference.value, each.unit),
        interval=_ends(interval.lower, interval.upper, each.unit) if interval else _NO_INTERVAL,
        num_samples=f"{difference.num_items:,}",
        p_value=p_text(each.judgement.p_value),
        detectable=_detectable(difference, each.unit),
        verdict=VERDICTS[each.judgement.verdict],
        is_open=each.judgement.verdict == "undecided",
        method=f"{difference.method}; {difference.test}",
    )


def signed(value: float, unit: Unit) -> str:
    """A difference with its sign; of rates in points, of everything else in its own unit."""
    if unit in IN_POINTS:
        return points(value)
    return f"+{value_text(value, unit)}" if value > 0 else value_text(value, unit)


def _ends(lower: float, upper: float, unit: Unit) -> str:
    if unit in IN_POINTS:
        return f"{points(lower)} to {points(upper)}"
    ends = (signed(end, unit).partition(" ")[0] for end in (lower, upper))
    return " to ".join(ends)


def _detectable(difference: Difference, unit: Unit) -> str:
    if difference.detectable is None:
        return "none"
    if unit in IN_POINTS:
        return f"{100 * difference.detectable:.1f} points"
    return value_text(difference.detectable, unit)


def unpaired(task: TaskComparison) -> list[Unpaired]:
    """The figures of a task that were not compared, by reason."""
    firsts, seconds = (
        {
            result["metric_config"]["metric_id"]: figure_row(result)
            for result in run.record["evaluation_results"][1:]
        }
        for _, run in runs_of(task)
    )
    rows: dict[str, list[UnpairedRow]] = defaultdict(list)
    for name, reason in task.not_paired.items():
        values = (_with_interval(each.get(name)) for each in (firsts, seconds))
        rows[reason].append(UnpairedRow(words(name), *values))
    return [Unpaired(reason, group) for reason, group in rows.items()]


def _with_interval(row: FigureRow | None) -> str:
    if row is None:
        return "no figure"
    interval = row.interval if row.has_interval else "no interval"
    return f"{row.value} ({interval}), of {row.num_samples}"


def further_forest(task: TaskComparison, margin: float) -> Markup | None:
    """A task's figures that are in points, below its headline; None where it is alone."""
    dots = [_dot(each) for each in task.figures if each.unit in IN_POINTS]
    if not dots or task.difference is None:
        return None
    dots.sort(key=lambda dot: dot.group, reverse=True)
    return forest_plot(
        [difference_dot(task, _better("Headline, ", lower=task.lower_is_better)), *dots],
        identifier=f"further-{task.task}",
        title=f"Figures of {words(task.task)}: A less B, in points, with 95% intervals",
        margin=margin,
        names=("A", "B"),
    )


def difference_dot(task: TaskComparison, group: str) -> Dot:
    """A headline's difference in a plot."""
    assert task.difference is not None and task.judgement is not None
    interval = task.difference.interval
    return Dot(
        label=words(task.task),
        value=task.difference.value,
        lower=interval and interval.lower,
        upper=interval and interval.upper,
        text=difference_text(task.difference),
        is_open=task.judgement.verdict == "undecided",
        group=group,
    )


def _dot(each: FigureComparison) -> Dot:
    row, interval = _row(each), each.difference.interval
    return Dot(
        label=row.name,
        value=each.difference.value,
        lower=interval and interval.lower,
        upper=interval and interval.upper,
        text=row.difference_text,
        is_open=row.is_open,
        group=_better("", lower=each.lower_is_better),
    )


def _better(before: str, *, lower: bool) -> str:
    told = f"{before}{'less' if lower else 'more'} is better"
    return told[:1].upper() + told[1:]


def told_apart(comparison: Comparison) -> list[tuple[TaskComparison, ComparedRow]]:
    """The further figures in which one run is the better one, with their tasks."""
    return [
        (task, _row(each))
        for task in comparison.tasks
        for each in task.figures
        if each.judgement and each.judgement.verdict in ("first better", "second better")
    ]


def further_lede(comparison: Comparison) -> str:
    """What became of all further figures, in a sentence or two."""
    figures = [each for task in comparison.tasks for each in task.figures]
    num_unpaired = sum(len(task.not_paired) for task in comparison.tasks)
    verdicts = Counter(VERDICTS[each.judgement.verdict] for each in figures if each.judgement)
    told = "No figure beside the headlines was compared."
    if figures:
        told = (
            f"Of {counted(len(figures), 'figure')} beside the headlines, A is better in "
            f"{verdicts['A better']} and B in {verdicts['B better']}; {verdicts['equivalent']} are "
            f"equivalent and {verdicts['undecided']} undecided."
        )
    if num_unpaired:
        more = " more" if figures else ""
        told += f" {num_unpaired:,}{more} could not be paired, each for a reason that is given."
    return told


def further_notes(comparison: Comparison) -> list[str]:
    """How further figures are compared, for whoever has to judge the numbers."""
    num_figures = sum(len(task.figures) for task in comparison.tasks)
    return [
        "Every figure is of the samples that count for it in both runs, so A and B may stand a "
        "little off what either run has alone.",
        "Passes and fails of independent samples have McNemar's exact test and Tango's interval. "
        "Where samples share a theme, or are one sample's repeats, whole themes are exchanged in "
        "an exact test, and the interval is Tango's at the number of independent samples that "
        "would be as sure. Amounts have the paired t-test, and the paired bootstrap of whole "
        "themes or, of too few to draw from, Student's interval.",
        f"P-values are Benjamini and Hochberg's over all {counted(num_figures, 'figure')} beside "
        f"the headlines: of those in which one run is called better, no more than {ALPHA:.0%} "
        "are expected to be accidents, as long as figures are independent or rise together. "
        "Intervals hold for each figure alone.",
        f"A figure is equivalent where two one-sided tests, corrected alike, leave no more than "
        f"{100 * comparison.margin:g} points of difference. Of tokens, seconds and scores no "
        "margin in points says what is alike, so they are never called equivalent.",
        f"Beside each is the smallest difference that would be found in {POWER:.0%} of "
        "comparisons like this one, before correction.",
    ]
