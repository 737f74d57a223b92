"""Artificial Analysis' Intelligence Index v2.2, composed from measured parts, or not at all.

Version 2.2 of August 2025 is what headlines about gpt-oss quoted, and the last of which all parts
can be run without somebody's own graders. An index with a part missing is another number: then
there is none, only the table that says what is missing. Knows figures and records; runs nothing.

Sources: the names from artificialanalysis.ai/methodology/intelligence-benchmarking, version 2.2;
weights and repeats from NVIDIA NeMo-Skills, `nemo_skills/dataset/aai`, which implements it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from netweight.errors import WeighError
from netweight.evals.measure import Figure
from netweight.evals.records import Record, check_record
from netweight.evals.stats import Interval

NAME = "Artificial Analysis Intelligence Index"
VERSION = "2.2"
SUITE = "index"  # only a run of this suite is composed

# A part of which fewer answers count than this share of what the index has, was measured in part.
# Some requests always fail; a run with more failures than that is no evidence anyway.
MIN_SHARE = 0.95


@dataclass(frozen=True)
class Part:
    """One evaluation of the index: its weight, and how often each question is asked.

    `task` is the task here that measures it, and `metric` which of its figures is the index's;
    `num_answers` is of how many answers that figure is, for each repeat. Where `task` is None
    nobody has it for Inspect. `remark` says what the task takes, or what comes nearest.
    """

    key: str
    name: str
    weight: float
    repeats: int
    task: str | None = None
    num_answers: int = 0
    metric: str = "accuracy"
    remark: str = ""


_WEIGHT = 1 / 8  # all the same

PARTS = (
    Part("mmlu_pro", "MMLU-Pro", _WEIGHT, 1, "mmlu_pro", 12_032, remark="with inspect_evals"),
    Part(
        "hle",
        "Humanity's Last Exam",
        _WEIGHT,
        1,
        "hle",
        2_150,  # 86% of 2,500 have no picture: scale.com/leaderboard/humanitys_last_exam_text_only
        remark="with inspect_evals, its questions without pictures; a judge reads the answers, and "
        "which one matters",
    ),
    Part(
        "gpqa_diamond", "GPQA Diamond", _WEIGHT, 1, "gpqa_diamond", 198, remark="with inspect_evals"
    ),
    Part("aime2025", "AIME 2025", _WEIGHT, 10, "aime2025", 30),
    Part(
        "scicode",
        "SciCode",
        _WEIGHT,
        3,
        "scicode",
        338,
        "step_accuracy",
        remark="with inspect_evals and Docker: the steps of its problems, with the scientists' "
        "background, the development set included",
    ),
    Part(
        "livecodebench",
        "LiveCodeBench",
        _WEIGHT,
        3,
        remark="inspect_evals has livecodebench_pro, which is another benchmark",
    ),
    Part("ifbench", "IFBench", _WEIGHT, 5, remark="inspect_evals has ifeval, which is easier"),
    Part("aa_lcr", "AA-LCR", _WEIGHT, 3, remark="documents of about 100,000 tokens, and a judge"),
)


@dataclass(frozen=True)
class Row:
    """One line of the composition: what a part gave, and what it adds to the index, in points.

    A part may have a figure that adds nothing: `missing` then says why it does not count.
    """

    part: Part
    figure: Figure | None
    points: float | None
    missing: str | None


@dataclass(frozen=True)
class Composition:
    """The parts, and the index in points out of 100 if every one of them was measured."""

    rows: tuple[Row, ...]
    index: Figure | None

    @property
    def missing(self) -> tuple[Part, ...]:
        """The parts that add nothing."""
        return tuple(row.part for row in self.rows if row.points is None)

    @property
    def why_none(self) -> str | None:
        """Why there is no index, or None where there is one."""
        if not self.missing:
            return None
        weight = sum(part.weight for part in self.missing)
        names = ", ".join(part.name for part in self.missing)
        return (
            f"no index: {len(self.missing)} of {len(self.rows)} parts, with {weight:.1%} of the "
            f"weight, are missing: {names}"
        )


def compose(
    figures: Mapping[str, Figure], not_counted: Mapping[str, str] | None = None
) -> Composition:
    """Return the composition of measured parts, named by their keys.

    The index is the weighted mean of the parts. Its interval is by the method of variance estimates
    recovery, which takes each end's distance from the rate by itself, so that it keeps the skew of
    the parts' intervals: G. Y. Zou, W. Huang and X. Zhang, "A note on confidence interval
    estimation for a linear function of binomial proportions", Computational Statistics and Data
    Analysis 53 (2009). The parts have no questions in common, so they are independent.

    Args:
        figures: of the parts that were measured.
        not_counted: why a part must not be in the index, whether or not it has a figure.

    Raises:
        WeighError: a figure of no part, one that is no proportion, or intervals of two levels.
    """
    known, reasons = {part.key for part in PARTS}, not_counted or {}
    if unknown := [key for key in (*figures, *reasons) if key not in known]:
        raise WeighError(
            f"the index has no part {unknown[0]!r}. Its parts are: {', '.join(sorted(known))}."
        )
    for key, figure in figures.items():
        if figure.unit != "proportion" or not 0 <= figure.value <= 1:
            raise WeighError(
                f"the index takes proportions from 0 to 1; {key} is {figure.value} {figure.unit}. "
                "Divide percent by 100."
            )
    rows = tuple(_row(part, figures.get(part.key), reasons.get(part.key)) for part in PARTS)
    is_whole = all(row.points is not None for row in rows)
    return Composition(rows, _index(figures) if is_whole else None)


def _row(part: Part, figure: Figure | None, reason: str | None) -> Row:
    if reason is not None:
        return Row(part, figure, None, reason)
    if figure is not None:
        return Row(part, figure, 100 * part.weight * figure.value, None)
    told = f"not measured; the task {part.task} does" if part.task else "no task for Inspect has it"
    return Row(part, None, None, f"{told} ({part.remark})" if part.remark else told)


def _index(figures: Mapping[str, Figure]) -> Figure:
    value = sum(part.weight * figures[part.key].value for part in PARTS)
    interval, method = _interval(value, figures)
    return Figure(
        "intelligence_index",
        f"{NAME} v{VERSION}, recomposed: weighted mean of {len(PARTS)} evaluations, in points out "
        "of 100",
        100 * value,
        interval,
        method,
        sum(figure.num_samples for figure in figures.values()),
        "score",
    )


def _interval(value: float, figures: Mapping[str, Figure]) -> tuple[Interval | None, str]:
    below = above = 0.0
    levels = set[float]()
    for part in PARTS:
        figure = figures[part.key]
        if figure.interval is None:
            return None, f"none: {part.name} has no interval"
        levels.add(figure.interval.level)
        below += (part.weight * (figure.value - figure.interval.lower)) ** 2
        above += (part.weight * (figure.interval.upper - figure.value)) ** 2
    if len(levels) > 1:
        raise WeighError(f"the parts have intervals of levels {sorted(levels)}; give them one.")
    ends = (100 * (value - sqrt(below)), 100 * (value + sqrt(above)))
    return Interval(*ends, levels.pop()), "variance estimates recovery"


# From a run's records, to JSON.


def compose_run(folder: Path) -> Composition:
    """Return the composition of the records in a run's folder, whenever they were made.

    Raises:
        WeighError: a record cannot be read.
    """
    return compose_records(map(_read_record, sorted((folder / "records").glob("*.json"))))


def _read_record(path: Path) -> Record:
    try:
        record: Record = json.loads(path.read_text("utf-8"))
        check_record(record)
    except (OSError, ValueError, WeighError) as error:
        raise WeighError(f"the record {path} cannot be read: {error}. Weigh again.") from error
    return record


def compose_records(records: Iterable[Record]) -> Composition:
    """Return the composition of a run's records; those of other suites and tasks are passed over.

    What is no evidence, or was asked in part only, has a figure but does not count.
    """
    figures, reasons = dict[str, Figure](), dict[str, str]()
    by_task = {part.task: part for part in PARTS if part.task}
    for record in records:
        facts = record["evaluation_results"][0]["netweight"]
        part = by_task.get(facts["task"])
        if part is None or facts["suite"] != SUITE:
            continue
        figure = _figure(record, part.metric)
        reason = _why_not_counted(part, facts, figure)
        if figure is not None:
            figures[part.key] = figure
        if reason is not None:
            reasons[part.key] = reason
    return compose(figures, reasons)


def _why_not_counted(part: Part, facts: Record, figure: Figure | None) -> str | None:
    if figure is None:
        return f"its record has no {part.metric}"
    if not facts["usable"]:
        return f"not evidence: {facts['reason']}"
    num_answers = part.num_answers * part.repeats
    if figure.num_samples < MIN_SHARE * num_answers:
        return f"measured in part: {figure.num_samples:,} of about {num_answers:,} answers"
    return None


def _figure(record: Record, metric: str) -> Figure | None:
    """Read back a figure that `records.make_record` wrote, or None where there is no such one."""
    for result in record["evaluation_results"]:
        config, details = result["metric_config"], result["score_details"]
        if config["metric_id"] != metric:
            continue
        told = details["uncertainty"].get("confidence_interval")
        return Figure(
            metric,
            config["evaluation_description"],
            details["score"],
            told and Interval(told["lower"], told["upper"], told["confidence_level"]),
            told["method"] if told else "none recorded",
            details["uncertainty"]["num_samples"],
            config["metric_unit"],
            config["lower_is_better"],
        )
    return None


def as_json(composition: Composition) -> Record:
    """Return a composition as JSON has it."""
    return {
        "name": NAME,
        "version": VERSION,
        "parts": [
            {
                "part": row.part.key,
                "name": row.part.name,
                "weight": row.part.weight,
                "repeats": row.part.repeats,
                "task": row.part.task,
                "figure": row.figure and _as_json(row.figure),
                "points": row.points,
                "missing": row.missing,
            }
            for row in composition.rows
        ],
        "index": composition.index and _as_json(composition.index),
        "why_none": composition.why_none,
    }


def _as_json(figure: Figure) -> Record:
    interval = figure.interval
    return {
        "value": figure.value,
        "interval": interval
        and {"lower": interval.lower, "upper": interval.upper, "level": interval.level},
        "method": figure.method,
        "num_samples": figure.num_samples,
    }
