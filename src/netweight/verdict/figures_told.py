"""Clauses whose every number is a published figure of the models that they can be about.

For sentences that no grammar of ours takes apart: "the very same file was down at 33", "a second
judge allowed 167". Where one number fits nothing, the clause says something else, and nothing is
said of it: what is found here can only bear a clause out.
"""

import re
from collections.abc import Iterable

from netweight.verdict.evidence import Figure, Published
from netweight.verdict.numerals import Number, find_numbers
from netweight.verdict.scenes import Scene, names_of, overlap
from netweight.verdict.story import Span

_OTHER_UNIT = re.compile(
    r"[\s\-]?(?:B|GB|GiB|MB|K|M|bn|billion|million|thousand|trillion|tokens?|hours?|days?|weeks?|months?|years?|"
    r"minutes?|seconds?|watts?|dollars?|euros?|cents?|cards?|GPUs?|gi(?:ga|bi)bytes?|gigs?|points?|layers|experts|times\s+(?:as|the))\b",
    re.IGNORECASE,
)
_BEFORE_IT = re.compile(
    r"(?:[$\u20ac\u00a3]|\b(?:version|v\.?|no\.?|January|February|March|April|May|June|July|August|September|"
    r"October|November|December|of\s+(?:the\s+|its\s+|all\s+)?)\s*)$",
    re.IGNORECASE,
)
_LEAST_COUNT = 20  # below, a whole number counts too many other things
_YEARS = (1990, 2035)


def figures_in(scene: Scene, place: Span, tables: Published) -> tuple[str, ...]:
    """The ids of the figures that the numbers of a clause are; empty where one is none of them."""
    told = [n for n in find_numbers(scene.text) if _is_told(scene, n, place)]
    here = names_of([m for m in scene.benchmarks if overlap(m.span, place)])
    named = here or names_of(scene.benchmarks) or scene.earlier_benchmarks or scene.told_benchmarks
    about = _about(scene, place)
    rows = [row for row in tables.figures.values() if row.model in about and _is_on(row, named)]
    found: list[str] = []
    for number in told:
        fitting = [row for row in rows if _fits(row, number)]
        if not fitting:
            return ()
        found.append(fitting[0].id)
    is_telling = any(n.decimals > 0 or _is_counted(n) for n in told) or (bool(named) and bool(told))
    return tuple(dict.fromkeys(found)) if is_telling else ()


def _is_counted(number: Number) -> bool:
    """Whether a share is told by its counts, as in "94 of 100"."""
    return number.has_unit and not number.is_sure and number.decimals == 0


def _about(scene: Scene, place: Span) -> set[str]:
    """The models that a clause can be about: those it names, else those of its paragraph."""
    here = names_of([m for m in scene.models if overlap(m.span, place)])
    return {*here} or {*scene.paragraph_models, *scene.running_subjects, *scene.main_subjects}


def _is_on(row: Figure, benchmarks: Iterable[str]) -> bool:
    """Whether a figure is on one of the benchmarks or on a part of one; on any if there is none."""
    names = {*benchmarks}
    return row.unit in ("percent", "points", "elo") and (
        not names or row.metric in names or any(row.metric.startswith(f"{n}-") for n in names)
    )


def _is_told(scene: Scene, number: Number, place: Span) -> bool:
    """Whether a number of the sentence stands in the clause, and could be a score."""
    start, end = number.span
    if not (place.start <= start and end <= place.end):
        return False
    if any(overlap(m.span, number.span) for m in (*scene.models, *scene.benchmarks)):
        return False
    is_year = number.decimals == 0 and _YEARS[0] <= number.value <= _YEARS[1]
    is_other = _OTHER_UNIT.match(scene.text, end) or _BEFORE_IT.search(scene.text, 0, start)
    return not is_year and not is_other


def _fits(row: Figure, number: Number) -> bool:
    """Whether a number is a figure to its decimals, or the count behind it."""
    is_count = row.correct == number.value and number.value >= _LEAST_COUNT and not number.decimals
    rounding = 0.5 / 10.0 ** max(number.decimals, 0) + (2.0 if number.decimals < 0 else 0.0)
    return bool(is_count) or abs(row.value - number.value) <= rounding + 1e-9
