"""Artificial Analysis' Intelligence Index v2.2, composed from measured parts, or not at all.

Version 2.2 of August 2025 is what headlines about gpt-oss quoted, and the last of which all parts
can be run without somebody's own graders. An index with a part missing is another number: then
there is none, only the table that says what is missing. Knows figures; runs nothing.

Sources: the names from artificialanalysis.ai/methodology/intelligence-benchmarking, version 2.2;
weights and repeats from NVIDIA NeMo-Skills, `nemo_skills/dataset/aai`, which implements it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from netweight.errors import WeighError
from netweight.evals.measure import Figure
from netweight.evals.stats import Interval

VERSION = "2.2"


@dataclass(frozen=True)
class Part:
    """One evaluation of the index: its weight, and how often each question is asked.

    `ours` is the task of netweight that measures it, `inspect_evals` the task there; where both are
    None nobody has it for Inspect, and `remark` says what comes nearest or what it takes.
    """

    key: str
    name: str
    weight: float
    repeats: int
    ours: str | None = None
    inspect_evals: str | None = None
    remark: str = ""

    @property
    def source(self) -> str | None:
        """Where the part can be had, or None."""
        if self.ours is not None:
            return f"netweight/{self.ours}"
        return f"inspect_evals/{self.inspect_evals}" if self.inspect_evals is not None else None


_WEIGHT = 1 / 8  # all the same

PARTS = (
    Part("mmlu_pro", "MMLU-Pro", _WEIGHT, 1, inspect_evals="mmlu_pro"),
    Part(
        "hle",
        "Humanity's Last Exam",
        _WEIGHT,
        1,
        inspect_evals="hle",
        remark="its questions without pictures; a judge reads the answers, and which one matters",
    ),
    Part("gpqa_diamond", "GPQA Diamond", _WEIGHT, 1, inspect_evals="gpqa_diamond"),
    Part("aime2025", "AIME 2025", _WEIGHT, 10, ours="aime2025", inspect_evals="aime2025"),
    Part(
        "scicode",
        "SciCode",
        _WEIGHT,
        3,
        inspect_evals="scicode",
        remark="with the scientists' background, the development set included",
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
    """One line of the composition: what a part gave, and what it adds to the index, in points."""

    part: Part
    figure: Figure | None
    points: float | None
    missing: str | None  # why there is no figure


@dataclass(frozen=True)
class Composition:
    """The parts, and the index in points out of 100 if every one of them was measured."""

    rows: tuple[Row, ...]
    index: Figure | None

    @property
    def missing(self) -> tuple[Part, ...]:
        """The parts without a figure."""
        return tuple(row.part for row in self.rows if row.figure is None)

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


def compose(figures: Mapping[str, Figure]) -> Composition:
    """Return the composition of measured parts, named by their keys.

    The index is the weighted mean of the parts. Its interval is by the method of variance estimates
    recovery, which takes each end's distance from the rate by itself, so that it keeps the skew of
    the parts' intervals: G. Y. Zou, W. Huang and X. Zhang, "A note on confidence interval
    estimation for a linear function of binomial proportions", Computational Statistics and Data
    Analysis 53 (2009). The parts have no questions in common, so they are independent.

    Raises:
        WeighError: a figure of no part, one that is no proportion, or intervals of two levels.
    """
    known = {part.key for part in PARTS}
    if unknown := [key for key in figures if key not in known]:
        raise WeighError(
            f"the index has no part {unknown[0]!r}. Its parts are: {', '.join(sorted(known))}."
        )
    for key, figure in figures.items():
        if figure.unit != "proportion" or not 0 <= figure.value <= 1:
            raise WeighError(
                f"the index takes proportions from 0 to 1; {key} is {figure.value} {figure.unit}. "
                "Divide percent by 100."
            )
    rows = tuple(_row(part, figures.get(part.key)) for part in PARTS)
    return Composition(rows, _index(figures) if len(figures) == len(PARTS) else None)


def _row(part: Part, figure: Figure | None) -> Row:
    if figure is not None:
        return Row(part, figure, 100 * part.weight * figure.value, None)
    where = part.source
    reason = f"not measured; {where} does" if where else "no task for Inspect has it"
    return Row(part, None, None, f"{reason} ({part.remark})" if part.remark else reason)


def _index(figures: Mapping[str, Figure]) -> Figure:
    value = sum(part.weight * figures[part.key].value for part in PARTS)
    interval, method = _interval(value, figures)
    return Figure(
        "intelligence_index",
        f"Artificial Analysis Intelligence Index v{VERSION}, recomposed: weighted mean of "
        f"{len(PARTS)} evaluations, in points out of 100",
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
