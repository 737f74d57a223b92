"""The page of a comparison: two runs side by side, task by task and pair by pair.

Lays out what `pairs` found; every number on the page comes from there. Measures and judges nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from netweight.evals.pairs import Comparison, Pair, TaskComparison
from netweight.evals.planning import ALPHA
from netweight.evals.plots import dot_plot, forest_plot
from netweight.evals.published import Group, beside
from netweight.evals.scorecard_facts import run_facts
from netweight.evals.scorecard_figures import outcomes_plot, rate_dot, rate_words
from netweight.evals.scorecard_further import (
    ComparedRow,
    Unpaired,
    compared_rows,
    difference_dot,
    further_forest,
    further_lede,
    further_notes,
    told_apart,
    unpaired,
)
from netweight.evals.scorecard_page import render, write_page
from netweight.evals.scorecard_rows import figure_row
from netweight.evals.scorecard_samples import Allowance, Samples, grouped, size_of
from netweight.evals.scorecard_text import p_text, words
from netweight.evals.scorecard_verdicts import (
    comparison_notes,
    detectable_text,
    difference_text,
    lede,
    runs_of,
    verdict_text,
)

MAX_LISTED = 3_000  # rows of one table


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Write the page of a comparison.

    Raises:
        WeighError: it cannot be written.
    """
    return write_page(path, comparison_html(comparison))


def comparison_html(comparison: Comparison) -> str:
    """The page of a comparison. The same one gives the same bytes."""
    left = Allowance(len(comparison.tasks))
    facts = [run_facts(run) for run in (comparison.first, comparison.second)]
    alarms = [(words(task.task), task.why_not) for task in comparison.tasks if task.why_not]
    alarms += [(words(name), reason) for name, reason in comparison.left_out.items()]
    return render(
        "comparison.html.jinja",
        first=comparison.first,
        second=comparison.second,
        dates=" and ".join(dict.fromkeys(each["Date"] for each in facts)),
        alarms=alarms,
        num_tasks=len(comparison.tasks) + len(comparison.left_out),
        num_compared=sum(task.judgement is not None for task in comparison.tasks),
        lede=lede(comparison),
        further_lede=further_lede(comparison),
        further_notes=further_notes(comparison),
        told_apart=[
            (f"task-{task.task}", words(task.task), row) for task, row in told_apart(comparison)
        ],
        forest=_forest(comparison),
        margin=f"{100 * comparison.margin:g}",
        tasks=[_part(task, left, comparison.margin) for task in comparison.tasks],
        how=[
            (name, *(each.get(name, "not recorded") for each in facts))
            for name in dict.fromkeys([*facts[0], *facts[1]])
        ],
        alpha=ALPHA,
    )


def _forest(comparison: Comparison) -> Markup | None:
    """Every difference that has an interval, those where more is better apart from the rest."""
    dots = [
        difference_dot(each, "Less is better" if each.lower_is_better else "More is better")
        for each in comparison.tasks
        if each.difference
    ]
    dots.sort(key=lambda dot: dot.group, reverse=True)
    if not dots:
        return None
    return forest_plot(
        dots,
        identifier="forest",
        title="Differences, A less B, in points with 95% intervals; the band is the margin",
        margin=comparison.margin,
        names=("A", "B"),
    )


class _Cross(NamedTuple):
    """Counts of pairs: rows of the first run's outcomes, columns of the second's."""

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True)
class _Part:
    """One task of a comparison."""

    id: str
    name: str
    figure: str
    description: str
    better: str
    first: str
    second: str
    difference: str
    p_value: str
    detectable: str
    verdict: str
    kind: str
    notes: Sequence[str]
    plot: Markup
    mix: Markup
    rate: str
    compared: Sequence[ComparedRow]
    further_plot: Markup | None
    unpaired: Sequence[Unpaired]
    cross: _Cross | None
    num_pairs: int
    pairs: Samples[Pair]
    listed: Sequence[Pair]
    published: Sequence[Group]


def _part(each: TaskComparison, left: Allowance, margin: float) -> _Part:
    metric = each.first.headline["metric_config"]
    rows = [figure_row(task.headline) for _, task in runs_of(each)]
    return _Part(
        id=f"task-{each.task}",
        name=words(each.task),
        figure=rows[0].name,
        description=metric["evaluation_description"],
        better="Less" if metric["lower_is_better"] else "More",
        first=f"{rows[0].value} of {rows[0].num_samples}",
        second=f"{rows[1].value} of {rows[1].num_samples}",
        difference=difference_text(each.difference) if each.difference else "not compared",
        p_value=p_text(each.judgement.p_value) if each.judgement else "",
        detectable=detectable_text(each.difference) if each.difference else "",
        verdict=verdict_text(each),
        kind=_kind(each),
        notes=comparison_notes(each),
        plot=dot_plot(
            [rate_dot(task.headline, name, task) for name, task in runs_of(each)],
            identifier=f"rates-{each.task}",
            title=f"{words(each.task)}: {rows[0].name} of A and of B",
        ),
        mix=outcomes_plot([each.first, each.second], ["A", "B"]),
        rate=rate_words(each.first.facts),
        compared=compared_rows(each),
        further_plot=further_forest(each, margin),
        unpaired=unpaired(each),
        cross=_cross(each) if each.pairs else None,
        num_pairs=len(each.pairs),
        pairs=left.choose(grouped(each.differing, _change), _pair_size),
        listed=each.pairs[:MAX_LISTED],
        published=beside(each.task),
    )


def _kind(each: TaskComparison) -> str:
    """How the page marks a verdict."""
    if each.judgement is None:
        return "bad"
    return "open" if each.judgement.verdict == "undecided" else "good"


def _cross(each: TaskComparison) -> _Cross:
    seen = each.outcomes
    order = [*each.first.facts["outcomes"], *each.second.facts["outcomes"]]
    firsts, seconds = (_in_order({key[side] for key in seen}, order) for side in (0, 1))
    return _Cross(seconds, [(one, [seen[one, other] for other in seconds]) for one in firsts])


def _in_order(names: set[str], order: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(order) if name in names]


def _change(pair: Pair) -> str:
    return f"A {pair.first.outcome}, B {pair.second.outcome}"


def _pair_size(pair: Pair) -> int:
    first, second = pair
    return size_of(first.prompt) + sum(
        size_of(item.answer, item.reasoning, item.explanation) for item in (first, second)
    )
