"""A task's figures beside its headline, paired sample by sample between two runs.

A figure that cannot be paired is named with the reason, never dropped. Every difference is first
minus second. Knows records and what scorers said; does not know runs, logs or pages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import NamedTuple

from netweight.evals.differences import Difference, Scores, paired_difference
from netweight.evals.figure_values import Part, Parts, take_apart
from netweight.evals.judgements import Judgement
from netweight.evals.measure import Measure, Scored, Unit
from netweight.evals.records import Record


class Measured(NamedTuple):
    """One run of a task: its record, and every sample that was scored."""

    record: Record
    scored: Sequence[Scored]

    @property
    def results(self) -> dict[str, Record]:
        """The record's further figures by name, in its order."""
        return {
            result["metric_config"]["metric_id"]: result
            for result in self.record["evaluation_results"][1:]
        }

    @property
    def version(self) -> int:
        """The version of the task that was run."""
        version = self.record["evaluation_results"][0]["netweight"]["task_version"]
        assert isinstance(version, int)
        return version


@dataclass(frozen=True)
class FigureComparison:
    """One figure in both runs; `first` and `second` are of the samples that count in both."""

    metric: str
    description: str
    unit: Unit
    lower_is_better: bool
    first: float
    second: float
    difference: Difference
    judgement: Judgement | None = None


class Compared(NamedTuple):
    """The figures that were compared, and by name why the others were not."""

    figures: Sequence[FigureComparison]
    not_paired: Mapping[str, str]


def none_compared(first: Measured, second: Measured, reason: str) -> Compared:
    """Say of every figure why there is nothing to compare."""
    return Compared([], dict.fromkeys(_names(first, second), reason))


def compare_figures(
    first: Measured, second: Measured, measure: Measure | None, margin: float
) -> Compared:
    """Compare every further figure of one task, whose samples are the same ones in both runs.

    `measure` is what this netweight has under the task's name, None without one.
    """
    if measure is None:
        return none_compared(first, second, "this netweight does not have the task")
    if measure.version != first.version:
        told = f"this netweight has version {measure.version} of the task, not {first.version}"
        return none_compared(first, second, told)
    apart = [take_apart(measure, each.scored) for each in (first, second)]
    figures: list[FigureComparison] = []
    not_paired: dict[str, str] = {}
    for name in _names(first, second):
        if reason := _reason_against(name, (first, second), apart):
            not_paired[name] = reason
            continue
        one, other = apart[0][name], apart[1][name]
        assert isinstance(one, Parts) and isinstance(other, Parts), "there is no reason against it"
        compared = _compare(one, other, margin)
        if isinstance(compared, str):
            not_paired[name] = compared
        else:
            figures.append(compared)
    return Compared(figures, not_paired)


def _names(first: Measured, second: Measured) -> Iterable[str]:
    return dict.fromkeys([*first.results, *second.results])


def _reason_against(
    name: str, runs: Sequence[Measured], apart: Sequence[Mapping[str, Parts | str]]
) -> str | None:
    """Why a figure cannot be paired, as far as one run alone tells it."""
    results = [run.results.get(name) for run in runs]
    if results[0] is None or results[1] is None:
        return f"only the {'second' if results[0] is None else 'first'} run has it"
    for result, parts in zip(results, apart, strict=True):
        found = parts.get(name, "it is of the whole run, not of its samples")
        if isinstance(found, str):
            return found
        assert result is not None
        if not _is_recorded(found, result):
            return "its record's value is not the one that this netweight finds in the log"
    return None


def _is_recorded(parts: Parts, result: Record) -> bool:
    details, figure = result["score_details"], parts.figure
    return details["uncertainty"]["num_samples"] == figure.num_samples and isclose(
        details["score"], figure.value, rel_tol=1e-9, abs_tol=1e-9
    )


def _compare(first: Parts, second: Parts, margin: float) -> FigureComparison | str:
    """Compare what counts in both; of a part that counts several times, as often as it does."""
    if first.by_cluster != second.by_cluster:
        return "it is made of samples in one run and of clusters in the other"
    shared = [key for key in first.parts if key in second.parts]
    if not shared:
        return "no sample counts in both runs"
    if any(first.parts[key].weight != second.parts[key].weight for key in shared):
        return "a sample does not count as often in one run as in the other"
    unit = first.figure.unit
    scores = Scores(
        [score for key in shared for score in _spelt_out(first.parts[key], unit)],
        [score for key in shared for score in _spelt_out(second.parts[key], unit)],
        [first.parts[key].cluster for key in shared for _ in range(first.parts[key].weight)],
    )
    figure, num_items = first.figure, len(scores.clusters)
    return FigureComparison(
        metric=figure.metric,
        description=figure.description,
        unit=figure.unit,
        lower_is_better=figure.lower_is_better,
        first=sum(scores.firsts) / num_items,
        second=sum(scores.seconds) / num_items,
        difference=paired_difference(scores, margin, figure.unit),
    )


def _spelt_out(part: Part, unit: Unit) -> list[float]:
    """Return a part's scores: of a rate the passes, then the fails; otherwise its value repeated.

    Which of two runs' passes in one part belong together is not known, nor does it matter: a part
    is taken as a whole, in its cluster.
    """
    num_hits = round(part.value * part.weight)
    if unit == "proportion" and isclose(num_hits, part.value * part.weight, abs_tol=1e-9):
        return [1.0] * num_hits + [0.0] * (part.weight - num_hits)
    return [part.value] * part.weight
