"""Tasks `bfcl` and `tau2`: published tests of the use of tools, through inspect_evals, where it is.

Items, data and scorers are those of inspect_evals; here the items get an order that has a mix in
front, and the scores our outcomes, by a wrapper that other tasks of inspect_evals share. Does not
know what a right call is, nor the items of `tools`.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from inspect_ai import Epochs, Task, task, task_with
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, value_to_float
from inspect_ai.solver import TaskState
from inspect_ai.util import LimitExceededError

from netweight.errors import WeighError
from netweight.evals.measure import (
    FAILED,
    FORMAT_ERROR,
    INFRASTRUCTURE,
    REFUSED,
    TRUNCATED,
    Fact,
    Measure,
)
from netweight.evals.scoring import ending, judged, outcome_counts

VERSION = 1

_ADAPTED = ("right", "wrong", REFUSED, TRUNCATED, FORMAT_ERROR)

_DOMAINS = ("airline", "retail", "telecom", "banking")


def _adapted_measure(name: str, description: str) -> Measure:
    return Measure(
        task=name,
        version=VERSION,
        metric="accuracy",
        description=description,
        lower_is_better=False,
        hits=("right",),
        counted=_ADAPTED,
        outcomes=(*_ADAPTED, *FAILED),
    )


BFCL_MEASURE = _adapted_measure(
    "bfcl", "share of the Berkeley function-calling leaderboard's items that inspect_evals passes"
)
TAU2_MEASURES: Mapping[str, Measure] = {
    domain: _adapted_measure(
        f"tau2_{domain}", f"share of tau2's {domain} conversations that inspect_evals passes"
    )
    for domain in _DOMAINS
}


@task
def bfcl(categories: str | list[str] | None = None) -> Task:
    """The Berkeley function-calling leaderboard, as inspect_evals has it; it downloads the data.

    Args:
        categories: as there; by default all that need neither a key nor a preparation.

    Raises:
        WeighError: inspect_evals is missing, a category is unknown, or the data are not to be had.
    """
    arguments = {} if categories is None else {"categories": categories}
    return _adapted("bfcl", "bfcl", **arguments)


@task
def tau2(domain: str = "retail") -> Task:
    """tau2's conversations with a simulated customer, as inspect_evals has them, data and all.

    Inspect's model role `user` plays the customer; without one the model that is weighed does,
    which flatters or harms it.

    Raises:
        WeighError: inspect_evals is missing, or there is no such domain.
    """
    if domain not in _DOMAINS:
        raise WeighError(f"there is no tau2 domain {domain!r}. Choose of: {', '.join(_DOMAINS)}.")
    return _adapted("tau2", f"tau2_{domain}")


def _adapted(package: str, name: str, **arguments: object) -> Task:
    """Return a task of inspect_evals that measures the use of tools, with our outcomes."""
    extra = "bfcl" if package == "bfcl" else None
    theirs = from_inspect_evals(package, name, extra=extra, remedy="", **arguments)
    return with_outcomes(theirs, f"{name} {VERSION}", VERSION, _reading_of_calls)


def _reading_of_calls(said: Score, output: ModelOutput) -> "Reading":
    return Reading(_outcome_of_theirs(output, is_right=means_right(said.value)))


def _outcome_of_theirs(output: ModelOutput, *, is_right: bool) -> str:
    if is_right:
        return "right"
    if not output.choices:
        return "wrong"
    if early := ending(output.stop_reason):
        return early
    calls = output.message.tool_calls or []
    return FORMAT_ERROR if any(call.parse_error for call in calls) else "wrong"


# Shared by all tasks that inspect_evals has.


@dataclass(frozen=True)
class Reading:
    """What a score of inspect_evals is in our words; `facts` are for the task's further figures."""

    outcome: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def from_inspect_evals(
    package: str,
    name: str,
    *,
    extra: str | None = None,
    remedy: str = "",
    **arguments: object,
) -> Task:
    """Make a task of inspect_evals, which may download its data.

    Args:
        package: where it is in inspect_evals.
        name: the function that makes it.
        extra: what has to be installed beside inspect_evals for it.
        remedy: what may help where it cannot be made.
        arguments: of that function.

    Raises:
        WeighError: inspect_evals or what it needs is missing, or the task cannot be made.
    """
    module = _imported(package, extra)
    try:
        with redirect_stdout(sys.stderr):  # they tell of downloads there; results have it alone
            theirs: Task = getattr(module, name)(**arguments)
    except Exception as error:  # what fails in a download has many bases
        told = failure_text(error)
        raise WeighError(f"inspect_evals cannot make {name}: {told}. {remedy}".rstrip()) from error
    return theirs


def _imported(package: str, extra: str | None) -> ModuleType:
    install = f"pip install 'inspect-evals{f'[{extra}]' if extra else ''}'"
    try:
        return import_module(f"inspect_evals.{package}")
    except ModuleNotFoundError as error:
        missing = (error.name or "inspect_evals").partition(".")[0]
        raise WeighError(
            f"{package} needs the Python package {missing}, which is not installed: {install}"
        ) from error
    except ImportError as error:
        raise WeighError(
            f"{package} of inspect_evals does not fit what is installed: {error}. Try {install} "
            "--upgrade"
        ) from error


def failure_text(error: Exception) -> str:
    """Say in one line why a task of inspect_evals could not be made."""
    from inspect_ai._util.error import PrerequisiteError  # Inspect names it nowhere public

    if type(error).__name__ == "RetryError" and isinstance(error.__cause__, Exception):
        error = error.__cause__  # of tenacity, which says nothing of what failed
    match error:
        case PrerequisiteError():
            told = str(error.message)
        case subprocess.CalledProcessError(stderr=str(said)) if said.strip():
            told = f"{error.cmd[0]} failed: {said.strip().splitlines()[-1]}"
        case _:
            told = str(error)
    return " ".join(told.split()).rstrip(".") or type(error).__name__


def with_outcomes(
    theirs: Task,
    dataset: str,
    version: int,
    read: Callable[[Score, ModelOutput], Reading],
    *,
    unscored: str = INFRASTRUCTURE,
    repeats: int = 1,
) -> Task:
    """Give a task of inspect_evals our outcomes, and an order that has a mix in front.

    Args:
        theirs: the task, with one scorer.
        dataset: what its data are called; the version of theirs is added.
        version: of our task.
        read: says what a score of theirs means.
        unscored: the outcome where their scorer fails.
        repeats: how often each sample is asked where nobody says otherwise.
    """
    assert theirs.scorer is not None, "inspect_evals' tasks have scorers"
    (scoring,) = theirs.scorer
    mixed = sorted(
        theirs.dataset, key=lambda sample: hashlib.sha256(str(sample.id).encode()).digest()
    )
    return task_with(
        theirs,
        dataset=MemoryDataset(mixed, name=f"{dataset}, inspect_evals {theirs.version}"),
        scorer=_scorer(scoring, read, unscored),
        version=version,
        epochs=Epochs(repeats, "mean"),  # theirs may reduce values that ours are not
    )


def _scorer(theirs: Scorer, read: Callable[[Score, ModelOutput], Reading], unscored: str) -> Scorer:
    @scorer(metrics=[accuracy(), outcome_counts()], name="inspect_evals_outcome")
    def wrapped() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            try:
                said = await theirs(state, target)
            except LimitExceededError:
                raise
            except Exception as error:  # noqa: BLE001 - scorers, judges, sandboxes share no base
                told = f"the scorer failed: {failure_text(error)}"
                return judged(unscored, hit=False, answer=None, explanation=told)
            assert said is not None, "inspect_evals scores every sample"
            reading = read(said, state.output)
            return judged(
                reading.outcome,
                hit=reading.outcome == "right",
                answer=said.answer,
                explanation=said.explanation or reading.outcome,
                cluster=None,
                **reading.facts,
            )

        return score

    return wrapped()


def means_right(value: object) -> bool:
    """Whether a single value of Inspect's means that an answer is right."""
    return isinstance(value, str | int | float | bool) and value_to_float()(value) == 1
