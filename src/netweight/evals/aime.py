"""Task `aime`: the American Invitational Mathematics Examination of 2024 or 2025, thirty problems.

A year's items are so few that one answer to each says little: ask each in several epochs; intervals
are then clustered by problem. The problems are public, with solutions, so the later year, after a
model's training data ends, says more than the earlier. Downloads the data; they are no part of
netweight.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal, plain
from netweight.evals.data import data_file
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    mean_figure,
)
from netweight.evals.scoring import ending, judged, outcome_counts
from netweight.evals.stats import flip_rate

VERSION = 1

FILES: Mapping[int, str] = {2024: "aime/aime24.jsonl", 2025: "aime/aime25.jsonl"}

_MISSES = ("wrong", REFUSED, UNPARSED, TRUNCATED)

_PROMPT = (
    "{problem}\n\nWork this out. The answer is an integer from 0 to 999. End with the answer in "
    "\\boxed{{}}, with nothing else in the box."
)


def _further(scored: Sequence[Scored]) -> list[Figure]:
    """How often two answers to one problem disagree, where each was asked in several epochs."""
    by_problem: dict[str, list[bool]] = {}
    for each in scored:
        if each.outcome == "right" or each.outcome in _MISSES:
            by_problem.setdefault(each.sample, []).append(each.outcome == "right")
    figure = mean_figure(
        "flip_rate",
        "how often two answers to one problem are one right and one not, mean over problems",
        [flip_rate(hits) for hits in by_problem.values() if len(hits) > 1],
        unit="proportion",
        lower_is_better=True,
    )
    return [] if figure is None else [figure]


def _check_year(year: int) -> None:
    if year not in FILES:
        raise WeighError(
            f"there are no data of AIME {year}. Choose one of: {', '.join(map(str, FILES))}."
        )


def measure_of(year: int) -> Measure:
    """Return the measure of a year's problems: results of two years never share a row.

    Raises:
        WeighError: a year of which there are no data.
    """
    _check_year(year)
    return Measure(
        task=f"aime{year}",
        version=VERSION,
        metric="accuracy",
        description=f"share of answers to the thirty problems of AIME {year} that are right",
        lower_is_better=False,
        hits=("right",),
        counted=("right", *_MISSES),
        outcomes=("right", *_MISSES, *FAILED),
        further=_further,
    )


MEASURE = measure_of(2025)


class Problem(NamedTuple):
    """One problem of the examination, its answer, and a published solution, or none."""

    name: str
    text: str
    answer: int
    solution: str


@task
def aime(year: int = 2025) -> Task:
    """Thirty problems of AIME I and II; ask each in several epochs.

    Raises:
        WeighError: a year of which there are no data, or the data are not to be had.
    """
    _check_year(year)
    samples = [
        Sample(
            id=problem.name,
            input=_PROMPT.format(problem=problem.text.strip()),
            target=str(problem.answer),
        )
        for problem in _mixed(read_problems(data_file(FILES[year])))
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"aime {VERSION}, {year}"),
        scorer=boxed_integer(),
        version=VERSION,
    )


def read_problems(path: Path) -> list[Problem]:
    """Read a year's problems.

    Raises:
        WeighError: the file is not as published.
    """
    try:
        return list(_problems(path))
    except (OSError, ValueError, KeyError) as error:
        raise WeighError(
            f"cannot read {path}: {error!r}. Remove it to download it again."
        ) from error


def _problems(path: Path) -> Iterator[Problem]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            answer = int(told["expected_answer"])
            yield Problem(told["id"], told["problem"], answer, told["reference_solution"] or "")


def _mixed(problems: Sequence[Problem]) -> list[Problem]:
    """Put the two papers' problems in turns, since each paper begins with its easiest."""
    half = len(problems) // 2
    pairs = zip(problems[:half], problems[half:], strict=True)
    return [problem for pair in pairs for problem in pair]


# What is put around a number for its looks: \mathbf{127}, \textbf{(019)}, $204$, 73^\circ.
_STYLE = re.compile(
    r"\\(?:math|text)\s*(?:bf|rm|sf|tt|it|bb|normal)?(?![a-z])|\\bold(?:symbol)?(?![a-z])"
    r"|\\bm(?![a-z])|\\[,;!: ]|\^?\{?\\circ\}?|\\%|[\s{}()$.*~]"
)
_BOX = re.compile(r"\\(?:boxed|framebox|fbox)\s*\{")
_AROUND = r"[\s*$\\()\[\].#>]*"
_CONCLUSION = re.compile(
    rf"{_AROUND}(?:(?:(?:so|thus|therefore|hence),? )?(?:the )?(?:final )?answer"
    rf"(?: is:?| ?:| ?=)?)?{_AROUND}(\d+){_AROUND}",
    re.IGNORECASE,
)


def read_answer(text: str) -> int | None:
    r"""Return the integer of the last box; without a box, that of a last line which is the answer.

    Strict, since a long derivation is full of integers. A box has to hold one integer and nothing
    else but what is for its looks. A last line counts when it consists of one integer, at most
    after words such as "The answer is". Anything else is no answer that can be read: an empty box,
    a fraction or an equation in it, or an integer somewhere in a sentence. Leading zeros, as the
    examination's answer sheet has them, do not matter.
    """
    said = plain(text)
    boxes = list(_BOX.finditer(said))
    if boxes:
        inside = _up_to_close(said, boxes[-1].end())
        return _integer(_STYLE.sub(" ", inside).strip()) if inside is not None else None
    lines = said.strip().splitlines()
    found = _CONCLUSION.fullmatch(lines[-1]) if lines else None
    return _integer(found[1]) if found else None


def _up_to_close(text: str, start: int) -> str | None:
    """Return what stands before the brace that closes the one before `start`."""
    depth = 1
    for index in range(start, len(text)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return text[start:index]
    return None


def _integer(digits: str) -> int | None:
    return int(digits) if re.fullmatch(r"\d{1,9}", digits, re.ASCII) else None


@scorer(metrics=[accuracy(), outcome_counts()])
def boxed_integer() -> Scorer:
    """Compare the boxed integer of the final answer with the right one."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        outcome = judge(text, state.output.stop_reason, int(target.text))
        answer = read_answer(text)
        return judged(
            outcome,
            hit=outcome == "right",
            answer=None if answer is None else str(answer),
            explanation=f"{outcome}: expected {target.text}, read {answer}",
        )

    return score


def judge(text: str, stop_reason: StopReason, target: int) -> str:
    """Return the outcome of one final answer, a name of MEASURE.outcomes."""
    if early := ending(stop_reason):
        return early
    answer = read_answer(text)
    if answer == target:
        return "right"
    if is_refusal(text):
        return REFUSED
    return UNPARSED if answer is None else "wrong"
