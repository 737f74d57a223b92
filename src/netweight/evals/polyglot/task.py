"""Task `polyglot`: exercises in six languages, solved by editing files, judged by their tests.

Aider's protocol in our own words, so that a figure is comparable to its leaderboard's in kind and
not to the point. `answers` set to "stub" runs the tests on the untouched files, to "reference" on
the published solutions: the floor and the ceiling of this very machine.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import anyio
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import (
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    Value,
    accuracy,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import SandboxEnvironmentSpec
from inspect_ai.util import sandbox as sample_sandbox

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal
from netweight.evals.bwrap import BwrapConfig
from netweight.evals.data import data_file
from netweight.evals.measure import (
    FAILED,
    REFUSED,
    TRUNCATED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.polyglot.edits import EDIT_FORMATS, EditFormat
from netweight.evals.polyglot.exercises import (
    ARCHIVE,
    LANGUAGES,
    REVISION,
    Exercise,
    read_exercises,
)
from netweight.evals.polyglot.protocol import (
    MALFORMED,
    NO_EDITS,
    RIGHT_FIRST,
    RIGHT_SECOND,
    TIMEOUT,
    WRONG,
    Checked,
    Course,
    Reply,
    Try,
    Turn,
    shortened,
    work_through,
)
from netweight.evals.polyglot.runners import (
    PROBES,
    Toolchain,
    find_toolchains,
    is_new_source,
    run_tests,
)
from netweight.evals.scoring import ending, judged, outcome_counts, outcome_of

_Name = TypeVar("_Name", bound=str)

log = logging.getLogger(__name__)

VERSION = 1

Answers = Literal["model", "stub", "reference"]
ANSWERS: tuple[Answers, ...] = get_args(Answers)

_NOT_SOLVED = (WRONG, MALFORMED, NO_EDITS, REFUSED, TRUNCATED, TIMEOUT)


def _further(scored: Sequence[Scored]) -> list[Figure]:
    """Aider's other figures, and the share solved of each language."""
    counted = [each for each in scored if each.outcome in _COUNTED]

    def rate(metric: str, told: str, of: Sequence[Scored], hit: Callable[[Scored], bool]) -> Figure:
        figure = rate_figure(metric, told, map(hit, of), [each.cluster for each in of])
        assert figure is not None, "there is no rate of nothing"
        return figure

    def is_solved(each: Scored) -> bool:
        return each.outcome in (RIGHT_FIRST, RIGHT_SECOND)

    if not counted:
        return []
    by_language: dict[str, list[Scored]] = {}
    for each in counted:
        by_language.setdefault(str(each.facts["language"]), []).append(each)
    return [
        rate(
            "pass_rate_1",
            "share of exercises whose tests pass at the first try",
            counted,
            lambda each: each.outcome == RIGHT_FIRST,
        ),
        rate(
            "well_formed_cases",
            "share of exercises without a reply whose edits could not be read or applied",
            counted,
            lambda each: each.facts["num_malformed"] == 0,
        ),
        *(
            rate(f"pass_rate_2_{name}", f"share of {name} exercises solved", of, is_solved)
            for name, of in sorted(by_language.items())
        ),
    ]


_COUNTED = (RIGHT_FIRST, RIGHT_SECOND, *_NOT_SOLVED)

MEASURE = Measure(
    task="polyglot",
    version=VERSION,
    metric="pass_rate_2",
    description="share of Exercism exercises whose tests pass after at most two tries",
    lower_is_better=False,
    hits=(RIGHT_FIRST, RIGHT_SECOND),
    counted=_COUNTED,
    outcomes=(*_COUNTED, *FAILED),
    further=_further,
)

_COURSE = "polyglot"  # in the sample's store
_CUT_OFF: dict[str, Any] = {  # what there is to say of a sample that one of Inspect's limits ended
    "outcome": TRUNCATED,
    "num_replies": 0,
    "num_malformed": 0,
    "num_timeouts": 0,
    "without_effect": [],
    "outputs": [],
}


@task
def polyglot(
    languages: str | list[str] | None = None,
    exercises: str | list[str] | None = None,
    edit_format: str = "diff",
    answers: str = "model",
) -> Task:
    """Exercism exercises, as Aider's polyglot benchmark asks them.

    Args:
        languages: of cpp, go, java, javascript, python, rust; by default all that can run here.
        exercises: slugs, such as bowling, or names, such as python/bowling; by default all.
        edit_format: `diff` or `whole`: how the model gives its changes.
        answers: `model`; or `stub` or `reference`, which ask no model: the floor and the ceiling.

    Raises:
        WeighError: an argument is unknown, the data are not to be had, or a language that was asked
            for cannot run here.
    """
    form = _chosen("edit format", edit_format, EDIT_FORMATS)
    kind = _chosen("kind of answers", answers, ANSWERS)
    wanted = [_chosen("language", name, LANGUAGES) for name in _listed(languages)]
    plan = _plan(read_exercises(data_file(ARCHIVE)), wanted, _listed(exercises))
    for what, reason in plan.excluded.items():
        log.warning("polyglot leaves out %s: %s", what, reason)
    readable = [place for toolchain in plan.toolchains.values() for place in toolchain.readable]
    return Task(
        dataset=MemoryDataset(
            [_sample(plan.exercises[name]) for name in sorted(plan.exercises, key=_place)],
            name=f"polyglot {VERSION}, {REVISION}: {', '.join(plan.toolchains)}",
        ),
        solver=_solver(plan, form, kind),
        scorer=tests_pass(),
        sandbox=SandboxEnvironmentSpec(
            "bwrap", BwrapConfig(readable=tuple(dict.fromkeys(readable)))
        ),
        metadata={
            "edit_format": edit_format,
            "answers": answers,
            "toolchains": {name: one.version for name, one in plan.toolchains.items()},
            "excluded": dict(plan.excluded),
        },
        version=VERSION,
    )


@dataclass(frozen=True)
class _Plan:
    """What runs here, and what is left out, with the reason. `probes` has one for each language."""

    exercises: Mapping[str, Exercise]
    probes: Mapping[str, Exercise]
    toolchains: Mapping[str, Toolchain]
    excluded: Mapping[str, str]


def _plan(every: Sequence[Exercise], languages: Sequence[str], slugs: Sequence[str]) -> _Plan:
    probes = {one.language: one for one in every if PROBES[one.language] == one.slug}
    known = {exercise.slug for exercise in every} | {exercise.name for exercise in every}
    for slug in slugs:
        if slug not in known:
            raise WeighError(f"there is no exercise {slug!r}. Give names such as python/bowling.")
    every = [one for one in every if not slugs or one.slug in slugs or one.name in slugs]
    every = [one for one in every if not languages or one.language in languages]
    toolchains, missing = find_toolchains(sorted({exercise.language for exercise in every}))
    if refused := [name for name in missing if name in languages]:
        told = "; ".join(f"{name}: {missing[name]}" for name in refused)
        raise WeighError(f"polyglot cannot run {told}.")
    lacking = {
        exercise.name: f"it needs {reason}"
        for exercise in every
        if exercise.language in toolchains
        and (reason := toolchains[exercise.language].lacks(exercise))
    }
    excluded = missing | lacking
    left = {
        exercise.name: exercise
        for exercise in every
        if exercise.language in toolchains and exercise.name not in lacking
    }
    if not left:
        reasons = [f"{name}: {reason}" for name, reason in excluded.items()]
        told = "; ".join(reasons) or "none of that name is in that language"
        raise WeighError(f"polyglot has no exercise to run here: {told}.")
    return _Plan(left, probes, toolchains, excluded)


def _place(name: str) -> str:
    """Where an exercise comes: mixed, so that any first part of them has every language."""
    return hashlib.sha256(name.encode()).hexdigest()


def _sample(exercise: Exercise) -> Sample:
    return Sample(
        id=exercise.name,
        input=exercise.instructions,
        target="tests pass",
        metadata={"cluster": exercise.slug, "language": exercise.language},
    )


class _Trial:
    """Sees once for each language that a solution known to be right passes its tests here."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._locks: dict[str, anyio.Lock] = {}
        self._tested: dict[str, Checked] = {}

    async def check(self, language: str) -> None:
        """Run the trial unless it has been run.

        Raises:
            WeighError: it failed, so a failure of the model's would say nothing.
        """
        probe, toolchain = self._plan.probes[language], self._plan.toolchains[language]
        async with self._locks.setdefault(language, anyio.Lock()):
            if language not in self._tested:
                tested = await run_tests(sample_sandbox(), probe.solved, toolchain, {})
                self._tested[language] = tested
        tested = self._tested[language]
        if not tested.passed:
            raise WeighError(
                f"tests in {language} do not run here: the published solution of {probe.name} "
                f"fails them. Leave {language} out, or mend its toolchain:\n{tested.output}"
            )


def _solver(plan: _Plan, edit_format: EditFormat, answers: Answers) -> Solver:
    """The solver; its plan is no argument of it, since Inspect would write that into the log."""

    @solver(name="work_through")
    def working() -> Solver:
        trial = _Trial(plan)

        async def solve(state: TaskState, generate: Generate) -> TaskState:
            exercise = plan.exercises[str(state.sample_id)]
            toolchain = plan.toolchains[exercise.language]
            if answers != "reference":
                await trial.check(exercise.language)
            if answers == "model":
                return await _ask_model(state, exercise, toolchain, edit_format)
            return await _test_fixed(state, exercise, toolchain, answers)

        return solve

    return working()


async def _ask_model(
    state: TaskState, exercise: Exercise, toolchain: Toolchain, edit_format: EditFormat
) -> TaskState:
    """Have the model work through one exercise."""
    model, outputs = get_model(), list[ModelOutput]()

    async def ask(turns: list[Turn]) -> Reply:
        output = await model.generate([_message(turn) for turn in turns])
        outputs.append(output)
        return Reply(output.completion, ending(output.stop_reason))

    async def test(files: Mapping[str, str]) -> Checked:
        return await run_tests(sample_sandbox(), exercise, toolchain, files)

    course = await work_through(exercise, edit_format, ask, test, is_refusal=is_refusal)
    state.messages = [_message(turn) for turn in course.transcript]
    state.output = outputs[-1]  # only now: a sample that failed before has none
    state.store.set(_COURSE, _facts(exercise, course))
    return state


async def _test_fixed(
    state: TaskState, exercise: Exercise, toolchain: Toolchain, answers: Answers
) -> TaskState:
    """Run the tests on the untouched files or on the reference solution; no model is asked."""
    as_it_runs = exercise.solved if answers == "reference" else exercise
    tested = await run_tests(sample_sandbox(), as_it_runs, toolchain, {})
    state.output = ModelOutput.from_content(answers, f"the {answers} of {exercise.name}")
    state.store.set(_COURSE, _facts(exercise, Course({}, [Try(tested=tested)])))
    return state


def _facts(exercise: Exercise, course: Course) -> dict[str, object]:
    """What the scorer and readers of the log need of a course, as plain data."""
    edited = {path for one in course.tries for path in one.edited}
    return {
        "outcome": course.outcome,
        "num_replies": course.num_replies,
        "num_malformed": course.num_malformed,
        "num_timeouts": sum(one.tested.is_timeout for one in course.tries),
        "without_effect": sorted(
            path
            for path in edited
            if path not in exercise.editable and not is_new_source(exercise, path)
        ),
        "outputs": [shortened(one.tested.output) for one in course.tries],
    }


def _message(turn: Turn) -> ChatMessage:
    match turn.role:
        case "system":
            return ChatMessageSystem(content=turn.text)
        case "user":
            return ChatMessageUser(content=turn.text)
        case "assistant":
            return ChatMessageAssistant(content=turn.text)


@metric
def aider_figures() -> Metric:
    """Give the figures of Aider's leaderboard under its names, out of the completed exercises."""

    def compute(scores: list[SampleScore]) -> Value:
        return dict(figures([score.score for score in scores]))

    return compute


@scorer(metrics=[accuracy(), stderr(cluster="cluster"), outcome_counts(), aider_figures()])
def tests_pass() -> Scorer:
    """Say how an exercise ended; a score of 1 means that its tests pass after at most two tries."""

    async def score(state: TaskState, target: Target) -> Score:
        facts = state.store.get(_COURSE, _CUT_OFF)
        outcome = facts["outcome"]
        return judged(
            outcome,
            hit=outcome in MEASURE.hits,
            answer=outcome,
            explanation="\n\n".join([outcome, *facts["outputs"][-1:]]),
            cluster=state.metadata["cluster"],
            language=state.metadata["language"],
            num_malformed=facts["num_malformed"],
            num_timeouts=facts["num_timeouts"],
            num_replies=facts["num_replies"],
            without_effect=", ".join(facts["without_effect"]),
        )

    return score


def figures(scores: Sequence[Score]) -> dict[str, float]:
    """Return Aider's figures for these scores; rates in percent, as there."""
    facts = [(score.metadata or {})["facts"] for score in scores]
    outcomes = [outcome_of(score) for score in scores]
    num_cases = len(scores)
    if not num_cases:
        return {"test_cases": 0}
    first, second = outcomes.count(RIGHT_FIRST), outcomes.count(RIGHT_SECOND)
    num_with_malformed = sum(fact["num_malformed"] > 0 for fact in facts)
    return {
        "test_cases": num_cases,
        "pass_rate_1": 100 * first / num_cases,
        "pass_rate_2": 100 * (first + second) / num_cases,
        "percent_cases_well_formed": 100 * (1 - num_with_malformed / num_cases),
        "num_malformed_responses": sum(fact["num_malformed"] for fact in facts),
        "num_with_malformed_responses": num_with_malformed,
        "test_timeouts": sum(fact["num_timeouts"] for fact in facts),
    }


def _listed(names: str | list[str] | None) -> list[str]:
    names = names.split(",") if isinstance(names, str) else names or []
    return [name.strip() for name in names if name.strip()]


def _chosen(what: str, value: str, known: Sequence[_Name]) -> _Name:
    for name in known:
        if name == value:
            return name
    raise WeighError(f"there is no {what} {value!r}. Choose one of: {', '.join(known)}.")
