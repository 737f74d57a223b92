"""What the sections of `benchmarks.gpu` find, in what time, and how it is shown and kept.

Knows no device and no model: sections are asked for by name.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from netweight.bench import TookTooLong

NO_TIME = "not measured (time)"
TRIED = "interpreter, not a measurement"
_LEAST_S = 5.0  # a section is not begun with less
_NUM_TEXT = 400  # characters of an error that are shown


@dataclass(frozen=True)
class Finding:
    """One number, and what it has to be if anything."""

    name: str
    value: float | None  # None: not measured, `note` says why
    bound: float | None = None  # that the value must reach, or with `at_most` not exceed
    at_most: bool = False
    is_check: bool = False  # a wrong result, not a slow one, where it does not hold
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is what it has to be; what is not a number is not."""
        if self.value is None or self.bound is None:
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.value is None:
            return "not measured"
        if self.bound is None:
            return "measured"
        words = ("wrong", "right") if self.is_check else ("missed", "reached")
        return words[int(self.holds)]

    def record(self) -> dict[str, Any]:
        """For JSON, which has no NaN."""
        is_number = self.value is not None and math.isfinite(self.value)
        return {**asdict(self), "value": self.value if is_number else None, "verdict": self.verdict}


@dataclass(frozen=True)
class Section:
    """Something to find out."""

    name: str
    limit_s: float  # after which it is given up


@dataclass(frozen=True)
class Outcome:
    """What became of a section."""

    name: str
    seconds: float
    findings: tuple[Finding, ...] = ()
    problem: str = ""  # why it failed, or was not measured

    @property
    def is_failed(self) -> bool:
        """Whether it ended with an error, or a check of it does not hold."""
        if self.problem:
            return self.problem != NO_TIME
        return any(one.is_check and not one.holds for one in self.findings)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        found = [one.record() for one in self.findings]
        return {
            "name": self.name,
            "seconds": round(self.seconds, 1),
            "problem": self.problem,
            "findings": found,
        }


def run_all(
    sections: Sequence[Section],
    ask: Callable[[str, float], Sequence[Finding]],
    *,
    budget_s: float,
    clock: Callable[[], float] = monotonic,
    tell: Callable[[Outcome], object] = lambda outcome: None,
) -> list[Outcome]:
    """Ask for one section after another until the time is over; none hides the others.

    Args:
        sections: in the order of their worth.
        ask: given a section's name and the seconds it has. Raises TookTooLong after these, and
            whatever goes wrong.
        budget_s: seconds for all of them.
        clock: of seconds.
        tell: given each outcome at once.
    """
    deadline = clock() + budget_s
    outcomes = []
    for section in sections:
        started = clock()
        left_s = deadline - started
        problem, findings = (NO_TIME, ()) if left_s < _LEAST_S else _asked(section, ask, left_s)
        outcomes.append(Outcome(section.name, clock() - started, findings, problem))
        tell(outcomes[-1])
    return outcomes


def _asked(
    section: Section, ask: Callable[[str, float], Sequence[Finding]], left_s: float
) -> tuple[str, tuple[Finding, ...]]:
    try:
        return "", tuple(ask(section.name, min(section.limit_s, left_s)))
    except TookTooLong as error:
        return NO_TIME if left_s < section.limit_s else str(error), ()
    except Exception as error:  # noqa: BLE001  # whatever it is, the other sections go on
        return f"{type(error).__name__}: {error}", ()


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """1 if something failed or is wrong."""
    return int(any(outcome.is_failed for outcome in outcomes))


def lines_of(outcome: Outcome, *, tried: bool = False) -> list[str]:
    """An outcome, for people; `tried`: its times are none of a device's."""
    if outcome.problem:
        word = "" if outcome.problem == NO_TIME else "FAILED: "
        text = " ".join(outcome.problem.split())
        return [f"{outcome.name} ({outcome.seconds:.1f} s) {word}{text[-_NUM_TEXT:]}"]
    head = f"{outcome.name} ({outcome.seconds:.1f} s)"
    return [head, *(_line(one, tried=tried) for one in outcome.findings)]


def _line(one: Finding, *, tried: bool) -> str:
    verdict = one.verdict if one.is_check or not tried or one.value is None else TRIED
    value = "-" if one.value is None else f"{one.value:.4g}"
    bound = "" if one.bound is None else f"{'<=' if one.at_most else '>='} {one.bound:.3g}"
    note = f" ({one.note})" if one.note else ""
    return f"  {verdict:<12} {value:>9} {bound:<10} {one.name}{note}"


def summary_of(outcomes: Sequence[Outcome], *, tried: bool = False) -> str:
    """How many checks and bars, and how many of them hold; bars are of measurements only."""
    found = [one for outcome in outcomes for one in outcome.findings]
    measured = [one for one in found if one.value is not None and one.bound is not None]
    parts = [TRIED] if tried else []
    for kind, is_check in (("checks right", True), ("bars reached", False)):
        ours = [one for one in measured if one.is_check == is_check]
        if is_check or not tried:
            parts.append(f"{sum(one.holds for one in ours)} of {len(ours)} {kind}")
    failed = [outcome.name for outcome in outcomes if outcome.is_failed]
    late = [outcome.name for outcome in outcomes if outcome.problem == NO_TIME]
    parts.append(f"failed: {', '.join(failed) or 'none'}")
    parts.append(f"{NO_TIME}: {', '.join(late) or 'none'}")
    return "; ".join(parts)


def row_of(outcomes: Sequence[Outcome], about: Mapping[str, object]) -> dict[str, object]:
    """One row of results."""
    return {**about, "sections": [outcome.record() for outcome in outcomes]}
