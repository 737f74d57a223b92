"""Task `ifeval`: the prompts and checks of IFEval itself, through inspect_evals.

J. Zhou and others, "Instruction-following evaluation for large language models", arXiv:2311.07911
(2023). Its figures are those of `instructions`, which needs no other package. Makes no items and
checks no order.
"""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from random import Random

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import TaskState

from netweight.errors import WeighError
from netweight.evals.instructions import FOLLOWED, OUTCOMES, how_broken, order_counts, readings
from netweight.evals.measure import FAILED, Figure, Measure, Scored
from netweight.evals.published_tools import failure_text
from netweight.evals.scoring import judged, outcome_counts

VERSION = 1


@task
def ifeval(seed: int = 0) -> Task:
    """IFEval's prompts and checks as inspect_evals has them, in an order of the seed's.

    Raises:
        WeighError: inspect_evals or what its IFEval needs is not installed, or its prompts or its
            checks' data cannot be downloaded.
    """
    from inspect_ai._util.error import PrerequisiteError  # Inspect names it nowhere public

    try:
        with redirect_stdout(sys.stderr):  # they tell of downloads there; results have it alone
            theirs: Task = import_module("inspect_evals.ifeval").ifeval()
            _check_tokenizers()
    except (ImportError, PrerequisiteError, AssertionError) as error:
        # An assertion is how inspect_evals says that it lacks a package (0.26.0).
        raise WeighError(
            "ifeval needs the packages inspect_evals and instruction_following_eval "
            f"({failure_text(error)}). Install them: pip install inspect_evals langdetect "
            "git+https://github.com/josejg/instruction_following_eval. The task `instructions` "
            "measures the same and needs neither."
        ) from error
    except Exception as error:  # what fails in a download has many bases
        raise WeighError(
            f"what ifeval needs cannot be downloaded: {failure_text(error)}. Try again with a "
            "network; the task `instructions` measures the same without one."
        ) from error
    samples = list(theirs.dataset)
    Random(f"ifeval {seed}").shuffle(samples)
    assert theirs.scorer is not None, "inspect_evals' IFEval has a scorer"
    (checks,) = theirs.scorer
    return Task(
        dataset=MemoryDataset(
            samples, name=f"ifeval {VERSION}, inspect_evals {theirs.version}, seed {seed}"
        ),
        scorer=ifeval_readings(checks),
        version=VERSION,
    )


def _check_tokenizers() -> None:
    """Use what IFEval's checks split texts with: its download fails in silence, and scoring then.

    Raises:
        LookupError: it is not there.
    """
    if find_spec("instruction_following_eval") is None:
        return
    texts = import_module("instruction_following_eval.instructions_util")
    try:
        texts.count_sentences("One is here. Two are there.")
        texts.nltk.word_tokenize("One is here.")
    except LookupError as error:
        raise LookupError("the data punkt and punkt_tab of the package nltk") from error


@scorer(metrics=[accuracy(), outcome_counts()])
def ifeval_readings(checks: Scorer) -> Scorer:
    """Let IFEval's own scorer check, and give its reading the form of ours.

    The strict reading alone decides what was followed, so that the headline is IFEval's own; an
    outcome only says how what was not followed ended.
    """

    async def score(state: TaskState, target: Target) -> Score:
        said = await checks(state, target)
        assert said is not None and isinstance(said.value, dict), "IFEval scores with a dictionary"
        text = state.output.completion
        is_followed = bool(said.value["prompt_level_strict"])
        outcome = FOLLOWED if is_followed else how_broken(text, state.output.stop_reason)
        names = ("num_instructions", "inst_level_strict", "inst_level_loose")
        num_orders, num_strict, num_loose = (int(str(said.value[name])) for name in names)
        return judged(
            outcome,
            hit=outcome == FOLLOWED,
            answer=text,
            explanation=f"{outcome}: {said.explanation}",
            cluster=None,
            **order_counts(num_orders, num_strict, num_loose),
        )

    return score


def further(scored: Sequence[Scored]) -> list[Figure]:
    """Return IFEval's other three figures."""
    answered = [each for each in scored if "num_orders" in each.facts]
    return [figure for figure in readings(answered) if figure is not None]


MEASURE = Measure(
    task="ifeval",
    version=VERSION,
    metric="prompt_strict",
    description="share of IFEval's prompts with every instruction followed, by its strict reading",
    lower_is_better=False,
    hits=(FOLLOWED,),
    counted=OUTCOMES,
    outcomes=(*OUTCOMES, *FAILED),
    further=further,
)
