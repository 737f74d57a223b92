"""A comparison of two runs, A and B, in words: verdicts, differences, and what to mind."""

from collections import Counter

from netweight.evals.differences import Difference
from netweight.evals.pairs import Comparison, TaskComparison, WeighedTask
from netweight.evals.planning import POWER
from netweight.evals.scorecard_facts import task_notes
from netweight.evals.scorecard_text import p_text, points
from netweight.evals.stats import Interval

VERDICTS = {
    "first better": "A better",
    "second better": "B better",
    "equivalent": "equivalent",
    "undecided": "undecided",
}


def lede(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    verdicts = Counter(verdict_text(task) for task in comparison.tasks if task.judgement)
    num_compared = verdicts.total()
    if not num_compared:
        return "No task could be compared."
    return (
        f"Of {counted(num_compared, 'task')} compared, A is better in {verdicts['A better']} and "
        f"B in {verdicts['B better']}; {verdicts['equivalent']} are equivalent, within "
        f"{100 * comparison.margin:g} points, and {verdicts['undecided']} undecided."
    )


def counted(number: int, noun: str) -> str:
    """A number of things, with an s where they are several."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def verdict_text(each: TaskComparison) -> str:
    """The verdict in a word or two."""
    return VERDICTS[each.judgement.verdict] if each.judgement else "not compared"


def difference_text(difference: Difference) -> str:
    """A difference in points, with its interval."""
    value = points(difference.value)
    if difference.interval is None:
        return f"{value}, no interval"
    return f"{value} ({ends_text(difference.interval)})"


def ends_text(interval: Interval) -> str:
    """The ends of a difference's interval, in points."""
    return f"{points(interval.lower)} to {points(interval.upper)}"


def detectable_text(difference: Difference) -> str:
    """The smallest difference that so many samples show, in points."""
    return "none" if difference.detectable is None else f"{100 * difference.detectable:.1f} points"


def runs_of(each: TaskComparison) -> list[tuple[str, WeighedTask]]:
    """The task in both runs, with the names that pages give them."""
    return [("A", each.first), ("B", each.second)]


def comparison_notes(each: TaskComparison) -> list[str]:
    """What a reader has to mind of one task's comparison."""
    notes = []
    if each.why_not:
        notes.append(f"Not compared: {each.why_not}.")
    if each.unpaired:
        notes.append(f"Not paired: {each.unpaired}, so the rates are compared as of other samples.")
    elif any(each.num_alone):
        alone = [
            f"{count:,} only in {name}" for count, name in zip(each.num_alone, "AB", strict=True)
        ]
        notes.append(f"Samples without a counterpart are left out: {', '.join(alone)}.")
    for name, task in runs_of(each):
        notes += [f"{name}: {note}" for note in task_notes(task.facts)]
    if each.difference:
        notes.append(_difference_note(each, each.difference))
    return notes


def _difference_note(each: TaskComparison, difference: Difference) -> str:
    assert each.judgement is not None
    equal = each.judgement.p_equivalent
    told = [
        f"A less B, in points: {difference_text(difference)}, of {difference.num_items:,} samples "
        f"({difference.method}). No difference: p = {p_text(each.judgement.p_value)} "
        f"({difference.test}; Holm)."
    ]
    if equal is not None:
        told.append(f"A difference beyond the margin: p = {p_text(equal)} (Holm).")
    if difference.detectable is not None:
        told.append(
            f"So many samples show a difference of {detectable_text(difference)} in "
            f"{POWER:.0%} of comparisons, and smaller ones less often."
        )
    else:
        told.append("So few samples could hardly have shown any difference.")
    return " ".join(told)
