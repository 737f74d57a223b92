"""Tasks `memorised` and `public_against_fresh`: what a model has by heart, beside what it cannot.

The first has well-known openings continued, or the items of a test file, and counts those that
come word for word; the second asks a public test's questions and fresh ones of the same form. A
difference is an indication of what was in the training, never a proof: a text may be guessed, a
fresh test may be harder, and training that removes verbatim recall leaves no trace here.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, get_args

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import StopReason, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal, last_number
from netweight.evals.comparing import fisher, newcombe
from netweight.evals.completions import endpoint_of, settle
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    mean_figure,
    rate_figure,
)
from netweight.evals.prose import words
from netweight.evals.scoring import ending, judged, outcome_counts
from netweight.evals.subject import Effort

VERSION = 1

PUBLIC, FRESH = "public", "fresh"
CAUTION = "an indication of memorised training data, not a proof"

RECITED, NOT_RECITED = "recited", "not recited"
CONTROL_RECITED, CONTROL_NOT_RECITED = "control recited", "control not recited"
RIGHT, WRONG, FRESH_RIGHT, FRESH_WRONG = "right", "wrong", "fresh right", "fresh wrong"

NUM_WORDS = (
    10  # word for word in a row: more than a good guess gives, fewer than an edition changes
)
_TOKENS_PER_WORD = 6  # nano, whose vocabulary is small, takes four over these passages
_STORE = "continuation"


class Item(NamedTuple):
    """A question of a test, and its answer."""

    question: str
    answer: str


class Passage(NamedTuple):
    """The beginning of a text, and how it goes on."""

    title: str
    beginning: str
    rest: str


def _recitation_figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """Controls that were "recited", how many words of both kinds came, and the difference."""
    kinds = {
        PUBLIC: [each for each in scored if each.outcome in (RECITED, NOT_RECITED)],
        FRESH: [each for each in scored if each.outcome in (CONTROL_RECITED, CONTROL_NOT_RECITED)],
    }
    hits = {
        kind: [each.outcome in (RECITED, CONTROL_RECITED) for each in some]
        for kind, some in kinds.items()
    }
    figures: list[Figure | None] = [
        rate_figure(
            "control_recited_rate",
            "share of passages that stand in no training data and were continued word for word all "
            "the same: what guessing gives, beside which the rate of well-known ones is "
            f"{CAUTION}",
            hits[FRESH],
            lower_is_better=True,
        )
    ]
    for kind, name in ((PUBLIC, "recited_words"), (FRESH, "control_recited_words")):
        figures.append(
            mean_figure(
                name,
                f"words continued as the text has them before the first that differs, {kind} "
                f"texts: {CAUTION}",
                [_number(each.facts["num_same"]) for each in kinds[kind]],
                unit="score",
                lower_is_better=True,
            )
        )
    figures += _difference("recited", hits[PUBLIC], hits[FRESH])
    return [figure for figure in figures if figure]


def _twin_figures(scored: Sequence[Scored]) -> Sequence[Figure]:
    """The fresh twins' accuracy, and the difference of both."""
    hits = {
        PUBLIC: [each.outcome == RIGHT for each in scored if each.outcome in (RIGHT, WRONG)],
        FRESH: [
            each.outcome == FRESH_RIGHT
            for each in scored
            if each.outcome in (FRESH_RIGHT, FRESH_WRONG)
        ],
    }
    fresh = rate_figure(
        "fresh_accuracy",
        "share of fresh items, of the same form as the public ones, that are right, of those "
        f"answered; public ones that are right more often are {CAUTION}",
        hits[FRESH],
    )
    differences = _difference("accuracy", hits[PUBLIC], hits[FRESH])
    return [figure for figure in (fresh, *differences) if figure]


def _difference(what: str, public: Sequence[bool], fresh: Sequence[bool]) -> list[Figure]:
    """Public minus fresh, with its interval and p-value; nothing where one of them is missing."""
    if not public or not fresh:
        return []
    counts = (sum(public), len(public), sum(fresh), len(fresh))
    num_items = len(public) + len(fresh)
    return [
        Figure(
            f"{what}_difference",
            f"{what}: public minus fresh; above 0 it is {CAUTION}",
            counts[0] / counts[1] - counts[2] / counts[3],
            newcombe(*counts),
            "Newcombe, from two Wilson scores",
            num_items,
            "difference",
            lower_is_better=True,
        ),
        Figure(
            f"{what}_p_value",
            "Fisher's exact two-sided p-value of public and fresh being alike; a small one is "
            f"{CAUTION}",
            fisher(*counts),
            None,
            "none: a p-value",
            num_items,
        ),
    ]


MEASURE = Measure(
    task="memorised",
    version=VERSION,
    metric="recited_rate",
    description=f"share of well-known passages continued word for word at temperature 0: {CAUTION}",
    lower_is_better=True,
    hits=(RECITED,),
    counted=(RECITED, NOT_RECITED),
    outcomes=(RECITED, NOT_RECITED, CONTROL_RECITED, CONTROL_NOT_RECITED, *FAILED),
    further=_recitation_figures,
)

TWINS_MEASURE = Measure(
    task="public_against_fresh",
    version=VERSION,
    metric="public_accuracy",
    description="share of a public test's items that are right, of those answered; beside fresh "
    f"twins, {CAUTION}",
    lower_is_better=False,
    hits=(RIGHT,),
    counted=(RIGHT, WRONG),
    outcomes=(
        *(RIGHT, WRONG, FRESH_RIGHT, FRESH_WRONG),
        *(REFUSED, UNPARSED, TRUNCATED, *FAILED),
    ),
    further=_twin_figures,
)


@task
def memorised(file: str = "", fresh: str = "", num_words: int = NUM_WORDS, seed: int = 0) -> Task:
    """Texts continued from their first half, greedily, by raw completions.

    Args:
        file: JSON lines of a public test ("question" and "answer", or "text"); by default
            well-known openings in the public domain.
        fresh: the same of items that nobody can have seen; by default passages of our own.
        num_words: that must come word for word, or all where a text has fewer left.
        seed: of the order.

    Raises:
        WeighError: a file cannot be read, only one is given, or an argument is out of range.
    """
    if num_words < 1:
        raise WeighError(f"num_words is {num_words}; at least 1 word must be recited.")
    if bool(file) != bool(fresh):
        raise WeighError("file and fresh belong together: without controls a share says nothing.")
    kinds = _from_files(file, fresh) if file else known_passages()
    samples = {
        kind: [
            Sample(
                id=f"{kind}-{index}",
                input=passage.beginning,
                target=passage.rest,
                metadata={"kind": kind, "title": passage.title},
            )
            for index, passage in enumerate(passages, start=1)
        ]
        for kind, passages in kinds.items()
    }
    source = f"{told_apart(file)} and {told_apart(fresh)}" if file else "well-known openings"
    return Task(
        dataset=MemoryDataset(
            in_turns(samples[PUBLIC], samples[FRESH], seed),
            name=f"memorised {VERSION}, {source}, {num_words} words, seed {seed}",
        ),
        solver=proceed(num_words),
        scorer=recited(num_words),
        version=VERSION,
    )


@task
def public_against_fresh(
    file: str = "", fresh: str = "", effort: Effort | None = None, seed: int = 0
) -> Task:
    """A public test's questions and fresh ones of the same form, asked alike.

    Args:
        file: JSON lines of the public test, with "question" and "answer".
        fresh: the same of items made in the same way that nobody can have seen.
        effort: low, medium or high, in place of the run's; what is known by heart shows best at
            low effort, where a model has no room to work an answer out.
        seed: of the order.

    Raises:
        WeighError: a file is missing or cannot be read, or the effort is unknown.
    """
    if not file or not fresh:
        raise WeighError(
            "public_against_fresh needs two files: file=PUBLIC.jsonl and fresh=FRESH.jsonl, each "
            'line with "question" and "answer".'
        )
    if effort is not None and effort not in get_args(Effort):
        raise WeighError(f"effort is {effort!r}. Choose one of: {', '.join(get_args(Effort))}.")
    samples = {
        kind: [
            Sample(
                id=f"{kind}-{index}",
                input=item.question,
                target=item.answer,
                metadata={"kind": kind},
            )
            for index, item in enumerate(read_items(path), start=1)
        ]
        for kind, path in ((PUBLIC, file), (FRESH, fresh))
    }
    name = f"public_against_fresh {VERSION}, {told_apart(file)} and {told_apart(fresh)}"
    return Task(
        dataset=MemoryDataset(
            in_turns(samples[PUBLIC], samples[FRESH], seed),
            name=f"{name}, effort {effort or 'as asked'}, seed {seed}",
        ),
        solver=generate(reasoning_effort=effort),
        scorer=twin(),
        version=VERSION,
    )


def in_turns(public: Sequence[Sample], fresh: Sequence[Sample], seed: int) -> list[Sample]:
    """Shuffle both kinds and mix them evenly, so that any first part has both."""
    random = Random(f"turns {VERSION} {seed}")
    placed = [
        ((index + 0.5) / len(kind), sample)
        for kind in (public, fresh)
        for index, sample in enumerate(random.sample(list(kind), len(kind)))
    ]
    return [sample for _, sample in sorted(placed, key=lambda each: each[0])]


def known_passages() -> Mapping[str, Sequence[Passage]]:
    """Return well-known openings, and passages of our own in the same manner."""
    told = json.loads(files("netweight.evals").joinpath("public_domain.json").read_text("utf-8"))
    return {
        kind: [halved(each["title"], each["text"]) for each in told[name]]
        for kind, name in ((PUBLIC, "known"), (FRESH, "controls"))
    }


def _from_files(file: str, fresh: str) -> Mapping[str, Sequence[Passage]]:
    return {
        kind: [
            halved(f"{Path(path).name}, {index}", text)
            for index, text in enumerate(read_texts(path), start=1)
        ]
        for kind, path in ((PUBLIC, file), (FRESH, fresh))
    }


def halved(title: str, text: str) -> Passage:
    """Cut a text after half of its words.

    Raises:
        WeighError: it has fewer than four words.
    """
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    if len(ends) < 4:
        raise WeighError(f"{title} has {len(ends)} words; four are the least to be halved.")
    middle = ends[len(ends) // 2 - 1]
    return Passage(title, text[:middle], text[middle:])


def read_items(path: str) -> list[Item]:
    """Return the items of a test in JSON lines.

    Raises:
        WeighError: the file cannot be read, is empty, or a line has no question and answer.
    """
    return [
        Item(_field(line, "question", path, number), _field(line, "answer", path, number))
        for number, line in _lines(path)
    ]


def read_texts(path: str) -> list[str]:
    """Return the texts of JSON lines: "text", or a question and its answer below it.

    Raises:
        WeighError: the file cannot be read, is empty, or a line has neither.
    """
    return [
        _field(line, "text", path, number)
        if "text" in line
        else "\n".join(_field(line, name, path, number) for name in ("question", "answer"))
        for number, line in _lines(path)
    ]


def told_apart(path: str) -> str:
    """Return a name for a file that another content would not have, so that runs never mix."""
    return f"{Path(path).name} {hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]}"


def _lines(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = Path(path).read_text("utf-8").splitlines()
        found = [(number, json.loads(line)) for number, line in enumerate(lines, 1) if line.strip()]
    except (OSError, ValueError) as error:
        raise WeighError(f"cannot read the items of {path}: {error}. Give JSON lines.") from error
    if not found or not all(isinstance(line, dict) for _, line in found):
        raise WeighError(f"{path} has no items. Give JSON lines, each an object.")
    yield from found


def _field(line: Mapping[str, Any], name: str, path: str, number: int) -> str:
    value = line.get(name)
    if not isinstance(value, str) or not value.strip():
        raise WeighError(f'line {number} of {path} has no "{name}" that is a text.')
    return value


@solver
def proceed(num_words: int) -> Solver:
    """Have the model continue the sample's beginning as it stands, at temperature 0."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        async with endpoint_of(model) as endpoint:
            said = await endpoint.proceed(
                state.input_text, max_tokens=_TOKENS_PER_WORD * (num_words + 1), temperature=0.0
            )
        state.store.set(_STORE, said.text)
        settle(state, model, said.usage)
        return state

    return solve


@scorer(metrics=[accuracy(), outcome_counts()])
def recited(num_words: int) -> Scorer:
    """Compare a continuation with how the text goes on, word by word."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.store.get(_STORE)
        num_same, num_asked = num_same_words(text, target.text), len(words(target.text))
        is_recited = num_same >= min(num_words, num_asked)
        kind = state.metadata["kind"]
        names = {
            PUBLIC: (NOT_RECITED, RECITED),
            FRESH: (CONTROL_NOT_RECITED, CONTROL_RECITED),
        }
        outcome = names[kind][is_recited]
        return judged(
            outcome,
            hit=outcome == RECITED,
            answer=text,
            explanation=f"{outcome}: the first {num_same} of {num_asked} words of "
            f"{state.metadata['title']}",
            kind=kind,
            num_same=num_same,
            num_asked=num_asked,
            text=text,
        )

    return score


def num_same_words(continuation: str, rest: str) -> int:
    """Return how many words come as the text has them before the first that differs.

    Case, punctuation and line breaks do not matter: editions differ in them.
    """
    pairs = zip(words(continuation), words(rest), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@scorer(metrics=[accuracy(), outcome_counts()])
def twin() -> Scorer:
    """Judge an answer to a public or a fresh item."""

    async def score(state: TaskState, target: Target) -> Score:
        text, kind = state.output.completion, state.metadata["kind"]
        outcome = judge(text, state.output.stop_reason, target.text, kind)
        return judged(
            outcome,
            hit=outcome == RIGHT,
            answer=text,
            explanation=f"{outcome}: expected {target.text}",
            kind=kind,
        )

    return score


def judge(text: str, stop_reason: StopReason, target: str, kind: str) -> str:
    """Return the outcome of one answer, a name of TWINS_MEASURE.outcomes.

    Where the right answer has a number, its last one is compared with the answer's last one; else
    the right answer's words must stand together in the answer.
    """
    if early := ending(stop_reason):
        return early
    number = last_number(target)
    said = last_number(text) if number else " ".join(words(text)) or None
    is_right = said == number if number else f" {' '.join(words(target))} " in f" {said or ''} "
    if is_right:
        return RIGHT if kind == PUBLIC else FRESH_RIGHT
    if is_refusal(text):
        return REFUSED
    if said is None:
        return UNPARSED
    return WRONG if kind == PUBLIC else FRESH_WRONG


def _number(fact: object) -> float:
    assert isinstance(fact, int | float)
    return float(fact)
