"""Tasks `mmlu_pro`, `hle`, `gpqa_diamond` and `scicode`: the index's parts that inspect_evals has.

Questions, prompts, data and scorers are those of inspect_evals; how they are chosen, and how often
each is asked, is the index's. What a part needs and is not here, is said before anything is asked.
Does not know the index's weights, nor its other parts.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan

from inspect_ai import Task, task, task_with
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score

from netweight.errors import WeighError
from netweight.evals.answers import is_refusal
from netweight.evals.index import PARTS
from netweight.evals.judging import connect
from netweight.evals.measure import (
    FAILED,
    JUDGE_FAILED,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.published_tools import (
    Reading,
    failure_text,
    from_inspect_evals,
    means_right,
    with_outcomes,
)
from netweight.evals.scoring import ending

VERSION = 1


_ANSWERED = ("right", "wrong", REFUSED, UNPARSED, TRUNCATED)
_RAN = ("right", "wrong", REFUSED, TRUNCATED)

_REPEATS = {part.key: part.repeats for part in PARTS}

_FROM_HUB = "It downloads its data from huggingface.co on first use"


def _measure(name: str, description: str) -> Measure:
    return Measure(
        task=name,
        version=VERSION,
        metric="accuracy",
        description=description,
        lower_is_better=False,
        hits=("right",),
        counted=_ANSWERED,
        outcomes=(*_ANSWERED, *FAILED),
    )


# Multiple choice.


MMLU_PRO_MEASURE = _measure(
    "mmlu_pro", "share of MMLU-Pro's questions, most with ten choices, answered with the right one"
)
GPQA_MEASURE = _measure(
    "gpqa_diamond", "share of GPQA Diamond's questions, with four choices, answered with the right"
)


@task
def mmlu_pro() -> Task:
    """MMLU-Pro's questions without examples, as inspect_evals has them; it downloads the data.

    Raises:
        WeighError: inspect_evals is missing, or the data are not to be had.
    """
    theirs = from_inspect_evals("mmlu_pro", "mmlu_pro", remedy=f"{_FROM_HUB}; try again.")
    return _as_part(theirs, "mmlu_pro")


@task
def gpqa_diamond() -> Task:
    """GPQA Diamond, as inspect_evals has it; it downloads the data.

    Raises:
        WeighError: inspect_evals is missing, or the data are not to be had.
    """
    theirs = from_inspect_evals(
        "gpqa", "gpqa_diamond", remedy="It downloads its data on first use; try again."
    )
    return _as_part(theirs, "gpqa_diamond")


def _as_part(theirs: Task, key: str) -> Task:
    name = f"{key} {VERSION}"
    return with_outcomes(theirs, name, VERSION, read_choice, repeats=_REPEATS[key])


def read_choice(said: Score, output: ModelOutput) -> Reading:
    """Read a score of Inspect's `choice`, whose answer is empty where no letter could be read."""
    if means_right(said.value):
        return Reading("right")
    if early := ending(output.stop_reason):
        return Reading(early)
    return Reading("wrong" if said.answer else _without_answer(output))


def _without_answer(output: ModelOutput) -> str:
    return REFUSED if is_refusal(output.completion) else UNPARSED


# Humanity's Last Exam.


HLE_MEASURE = replace(
    _measure(
        "hle",
        "share of the questions without pictures of Humanity's Last Exam whose answer the judge "
        "calls right",
    ),
    outcomes=(*_ANSWERED, JUDGE_FAILED, *FAILED),
)

_GRADER = "grader"  # the role by which inspect_evals asks for its judge
_HLE_SCORER: Mapping[str, object] = {
    "scorer": "inspect_evals/hle/regex_judge",
    "graders": [_GRADER],
    "args": {
        "template": "regex_judge_template",
        "instructions": "regex_judge_instructions",
        "max_grader_attempts": 3,
    },
}


@task
def hle(judge: str | None = None) -> Task:
    """Humanity's Last Exam without its pictures, as inspect_evals has it; it downloads the data.

    Args:
        judge: the Inspect model that compares answers with the right one. Which it is matters, so
            there is none by default.

    Raises:
        WeighError: there is no judge or it cannot be used, inspect_evals is missing, or the data,
            which are gated, are not to be had.
    """
    if judge is None:
        raise WeighError(
            "hle needs a judge, an Inspect model that compares answers with the right one. Name "
            "one: --judge PROVIDER/MODEL."
        )
    grader = connect(judge)
    theirs = from_inspect_evals(
        "hle",
        "hle",
        remedy=f"{_FROM_HUB}, and only for an account that has accepted the terms on "
        "huggingface.co/datasets/cais/hle: set HF_TOKEN to a token of one.",
        include_multi_modal=False,
        only_hle_verified_gold=False,
        scorer=dict(_HLE_SCORER),
    )
    wrapped = with_outcomes(
        theirs,
        f"hle {VERSION}, judge {judge}",
        VERSION,
        read_judgement,
        unscored=JUDGE_FAILED,
        repeats=_REPEATS["hle"],
    )
    return task_with(wrapped, model_roles={_GRADER: grader.model})


def read_judgement(said: Score, output: ModelOutput) -> Reading:
    """Read a score of `hle`, a grade and a confidence; a grade that is no number is no judgement.

    An empty answer is graded wrong there without a judge, however it ended.
    """
    assert isinstance(said.value, Mapping), "hle scores with a mapping"
    grade = said.value["score"]
    if grade is None or (isinstance(grade, float) and isnan(grade)):
        return Reading(JUDGE_FAILED)
    if means_right(grade):
        return Reading("right")
    if early := ending(output.stop_reason):
        return Reading(early)
    if not output.completion.strip():
        return Reading(UNPARSED)
    return Reading(REFUSED if is_refusal(output.completion) else "wrong")


# SciCode.


STEP_ACCURACY = "step_accuracy"


def _by_step(scored: Sequence[Scored]) -> list[Figure]:
    """The index's figure: steps, not whole problems; those of one problem build on each other."""
    steps: list[tuple[bool, str]] = []
    for each in scored:
        num_passed, num_steps = (int(each.facts.get(name) or 0) for name in ("passed", "steps"))
        steps += [(index < num_passed, each.cluster) for index in range(num_steps)]
    figure = rate_figure(
        STEP_ACCURACY,
        "share of the steps of SciCode's problems whose code passes its tests",
        [passed for passed, _ in steps],
        [cluster for _, cluster in steps],
    )
    return [] if figure is None else [figure]


SCICODE_MEASURE = replace(
    _measure(
        "scicode", "share of SciCode's problems with code for every step that passes its tests"
    ),
    counted=_RAN,
    outcomes=(*_RAN, *FAILED),
    further=_by_step,
)

_DOCKER = (("docker", "compose", "version"), ("docker", "info"))
# inspect_evals takes these out of its copy of the problems only after it has read them, so that in
# a first run every test with one fails (0.28.0). Its sandbox brings both functions.
_NOT_THERE = re.compile(r"from scicode\.compare\.cmp import (?:cmp_tuple_or_list|are_dicts_close)")


@task
def scicode() -> Task:
    """SciCode with the scientists' background and the development set, as inspect_evals has it.

    It downloads the data, and runs what a model wrote in a container of its own.

    Raises:
        WeighError: Docker does not run here, inspect_evals is missing, or the data are not to be
            had.
    """
    _check_docker()
    theirs = from_inspect_evals(
        "scicode",
        "scicode",
        extra="scicode",
        remedy="It downloads its problems and its test data, about a gigabyte, on first use.",
        provide_scientific_background=True,
        include_dev_set=True,
    )
    for sample in theirs.dataset:
        _without_dead_imports(sample)
    return with_outcomes(
        theirs, f"scicode {VERSION}", VERSION, read_steps, repeats=_REPEATS["scicode"]
    )


def _check_docker() -> None:
    for command in _DOCKER:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise WeighError(
                "scicode runs what a model wrote in a Docker container, and "
                f"`{' '.join(command)}` does not work here: {failure_text(error)}. Install and "
                "start Docker, with its compose plugin."
            ) from error


def _without_dead_imports(sample: Sample) -> None:
    for step in (sample.metadata or {})["sub_steps"]:
        step["test_cases"] = [_NOT_THERE.sub("", test) for test in step["test_cases"]]


def read_steps(said: Score, output: ModelOutput) -> Reading:
    """Read a score of `scicode`, which has 1 for every step that passed and 0 for the others."""
    assert isinstance(said.value, Mapping), "scicode scores with a mapping"
    passed = [means_right(value) for value in said.value.values()]
    facts = {"steps": len(passed), "passed": sum(passed)}
    if passed and all(passed):
        return Reading("right", facts)
    return Reading(_how_it_failed(output), facts)


def _how_it_failed(output: ModelOutput) -> str:
    if early := ending(output.stop_reason):
        return early
    return REFUSED if is_refusal(output.completion) else "wrong"


MEASURES: Mapping[str, Measure] = {
    measure.task: measure
    for measure in (MMLU_PRO_MEASURE, HLE_MEASURE, GPQA_MEASURE, SCICODE_MEASURE)
}
