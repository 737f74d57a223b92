"""A task's rates and outcomes as plots, and in a sentence which outcomes its rate is of."""

from collections.abc import Sequence

from markupsafe import Markup

from netweight.evals.pairs import WeighedTask
from netweight.evals.plots import Dot, Outcome, Role, dot_plot, outcome_bars
from netweight.evals.records import Record
from netweight.evals.scorecard_rows import figure_row
from netweight.evals.scorecard_text import words


def rates_plot(task: WeighedTask) -> Markup:
    """The headline and every further rate, which share one axis."""
    results = task.record["evaluation_results"]
    rates = [each for each in results if each["metric_config"]["metric_unit"] == "proportion"]
    dots = [rate_dot(each, figure_row(each).name, task) for each in rates]
    name = task.facts["task"]
    return dot_plot(dots, identifier=f"rates-{name}", title=f"Rates of {words(name)}")


def rate_dot(result: Record, label: str, task: WeighedTask) -> Dot:
    """One rate of a task; the dot is open where the task is not evidence."""
    details, row = result["score_details"], figure_row(result)
    interval = details["uncertainty"].get("confidence_interval")
    return Dot(
        label=label,
        value=details["score"],
        lower=interval and interval["lower"],
        upper=interval and interval["upper"],
        text=f"{row.value} ({row.interval})" if interval else f"{row.value}, no interval",
        is_open=not task.facts["usable"],
    )


def outcomes_plot(tasks: Sequence[WeighedTask], names: Sequence[str]) -> Markup:
    """Outcomes of one task in named runs that came up, those that the rate counts first."""
    facts = tasks[0].facts
    outcomes = [
        Outcome(_outcome_label(name, facts), _role(name, facts), counts)
        for name in sorted(facts["outcomes"], key=lambda name: _role_order(name, facts))
        if any(counts := [task.facts["outcomes"].get(name, 0) for task in tasks])
    ]
    name = facts["task"]
    title = f"Outcomes of {words(name)}"
    return outcome_bars(outcomes, names, identifier=f"mix-{name}", title=title)


def _outcome_label(outcome: str, facts: Record) -> str:
    return f"{outcome}, apart" if _role(outcome, facts) == "apart" else outcome


def _role(outcome: str, facts: Record) -> Role:
    if outcome in facts["hits"]:
        return "hit"
    return "counted" if outcome in facts["counted"] else "apart"


def _role_order(outcome: str, facts: Record) -> int:
    return ("hit", "counted", "apart").index(_role(outcome, facts))


def rate_words(facts: Record) -> str:
    """Which outcomes a task's headline counts, out of which."""
    hits, counted = (_listed(facts[name]) for name in ("hits", "counted"))
    return f"The headline counts {hits}, out of {counted}. Outcomes set apart are not in it."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
