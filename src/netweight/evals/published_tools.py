"""Tasks `bfcl` and `tau2`: published tests of the use of tools, through inspect_evals, where it is.

Items, data and scorers are those of inspect_evals; here the items get an order that has a mix in
front, and the scores our outcomes. Does not know what a right call is, nor the items of `tools`.
"""

import hashlib
import subprocess
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

from inspect_ai import Task, task, task_with
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, value_to_float
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.measure import FAILED, FORMAT_ERROR, REFUSED, TRUNCATED, Measure
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
    """Return a task of inspect_evals with our outcomes, in an order that has a mix in front."""
    make = getattr(_imported(package), name)
    try:
        theirs: Task = make(**arguments)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise WeighError(f"inspect_evals cannot make {name}: {error}") from error
    assert theirs.scorer is not None, "inspect_evals' tasks have scorers"
    (scoring,) = theirs.scorer
    mixed = sorted(
        theirs.dataset, key=lambda sample: hashlib.sha256(str(sample.id).encode()).digest()
    )
    dataset = MemoryDataset(mixed, name=f"{name} {VERSION}, inspect_evals {theirs.version}")
    return task_with(theirs, dataset=dataset, scorer=_with_outcomes(scoring), version=VERSION)


def _imported(package: str) -> ModuleType:
    try:
        return import_module(f"inspect_evals.{package}")
    except ModuleNotFoundError as error:
        missing = (error.name or "inspect_evals").partition(".")[0]
        extra = "[bfcl]" if package == "bfcl" else ""
        raise WeighError(
            f"{package} needs the Python package {missing}, which is not installed: "
            f"pip install 'inspect-evals{extra}'"
        ) from error


def _with_outcomes(theirs: Scorer) -> Scorer:
    """Wrap a scorer of inspect_evals, whose scores say right or wrong and nothing else."""
    as_number = value_to_float()

    @scorer(metrics=[accuracy(), outcome_counts()], name="inspect_evals_outcome")
    def wrapped() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            said = await theirs(state, target)
            assert said is not None, "inspect_evals scores every sample"
            outcome = _outcome_of_theirs(state.output, is_right=as_number(said.value) == 1)
            return judged(
                outcome,
                hit=outcome == "right",
                answer=said.answer,
                explanation=said.explanation or outcome,
            )

        return score

    return wrapped()


def _outcome_of_theirs(output: ModelOutput, *, is_right: bool) -> str:
    if is_right:
        return "right"
    if not output.choices:
        return "wrong"
    if early := ending(output.stop_reason):
        return early
    calls = output.message.tool_calls or []
    return FORMAT_ERROR if any(call.parse_error for call in calls) else "wrong"
