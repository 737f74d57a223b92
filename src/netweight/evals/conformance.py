"""Task `conformance`: does what the model writes follow the form of Harmony, token by token?

A server parses its model's output before anybody sees it, and a tolerant one mends what is wrong;
so it is asked for raw completions of its own prompts, with their control tokens. Only models that
speak Harmony (github.com/openai/harmony, Apache-2.0) have this form; of others it says nothing.
"""

import re
from collections.abc import Sequence

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from netweight.errors import WeighError
from netweight.evals.completions import endpoint_of, settle
from netweight.evals.fiction import prompts
from netweight.evals.measure import (
    FAILED,
    FORMAT_ERROR,
    TRUNCATED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.scoring import judged, outcome_counts
from netweight.evals.sums import additions

VERSION = 1

WELL_FORMED = "well formed"
_STORE = "said"
_MAX_TOKENS = 512
_NUM_TELLINGS = 20

_START = "<|start|>assistant"
_ENDS = re.compile(r"(<\|end\|>|<\|return\|>|<\|call\|>)")
_MESSAGE = re.compile(
    r"(?: to=[\w.-]+)?<\|channel\|>(?P<channel>analysis|commentary|final)(?: to=[\w.-]+)?"
    r"(?: ?<\|constrain\|>\w+)?<\|message\|>(?P<text>(?:(?!<\|\w+\|>).)*)\Z",
    re.DOTALL,
)


def _further(scored: Sequence[Scored]) -> Sequence[Figure]:
    kept = [each for each in scored if each.outcome in (WELL_FORMED, FORMAT_ERROR)]
    broken = [
        (is_broken, each.cluster)
        for each in kept
        for is_broken in _spread(each.facts["num_broken"], each.facts["num_messages"])
    ]
    figure = rate_figure(
        "malformed_messages",
        "share of messages whose header or end is not Harmony's",
        [is_broken for is_broken, _ in broken],
        [cluster for _, cluster in broken],
        lower_is_better=True,
    )
    return [figure] if figure else []


def _spread(num_broken: object, num_messages: object) -> list[bool]:
    assert isinstance(num_broken, int | float) and isinstance(num_messages, int | float)
    return [index < num_broken for index in range(int(num_messages))]


MEASURE = Measure(
    task="conformance",
    version=VERSION,
    metric="well_formed_rate",
    description="share of answers in which every message has the form of Harmony",
    lower_is_better=False,
    hits=(WELL_FORMED,),
    counted=(WELL_FORMED, FORMAT_ERROR),
    outcomes=(WELL_FORMED, FORMAT_ERROR, TRUNCATED, *FAILED),
    further=_further,
)


@task
def conformance(seed: int = 0, num_items: int = 100, effort: str = "low") -> Task:
    """Sums and tellings, each drawn once at temperature 1, control tokens and all.

    Args:
        seed: of the sums, and of what is drawn.
        num_items: up to 20 of them tellings, in turns with sums.
        effort: low, medium or high.

    Raises:
        WeighError: an argument is out of range.
    """
    if num_items < 1:
        raise WeighError(f"num_items is {num_items}; it must be at least 1.")
    if effort not in ("low", "medium", "high"):
        raise WeighError(f"there is no effort {effort!r}. Choose one of: low, medium, high.")
    sums = [item.question for item in additions(seed, num_items)]
    told = list(prompts())[:_NUM_TELLINGS]
    mixed = [question for pair in zip(told, sums, strict=False) for question in pair]
    questions = [*mixed, *sums[len(told) :]][:num_items]
    samples = [
        Sample(id=index, input=question, metadata={"seed": seed * 1_000_003 + index})
        for index, question in enumerate(questions, start=1)
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"conformance {VERSION}, seed {seed}, {effort} effort"),
        solver=draw_raw(effort),
        scorer=in_form(),
        version=VERSION,
    )


@solver
def draw_raw(effort: str) -> Solver:
    """Draw one answer as the model writes it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = get_model()
        async with endpoint_of(model) as endpoint:
            said = await endpoint.proceed(
                await endpoint.conversation(state.input_text, effort),
                max_tokens=_MAX_TOKENS,
                temperature=1.0,
                seed=state.metadata["seed"] + 500_000_003 * (state.epoch - 1),
                special_text=True,
            )
        state.store.set(_STORE, {"text": said.text, "is_cut": said.is_cut})
        settle(state, model, said.usage)
        return state

    return solve


@scorer(metrics=[mean(), outcome_counts()])
def in_form() -> Scorer:
    """Say whether every message of an answer has Harmony's form."""

    async def score(state: TaskState, target: Target) -> Score:
        said = state.store.get(_STORE)
        broken = broken_messages(said["text"])
        outcome = TRUNCATED if said["is_cut"] else FORMAT_ERROR if broken else WELL_FORMED
        return judged(
            outcome,
            hit=outcome == WELL_FORMED,
            answer=said["text"],
            explanation="\n".join(broken) or outcome,
            num_broken=len(broken),
            num_messages=len(messages_of(said["text"])),
        )

    return score


def messages_of(completion: str) -> list[str]:
    """Cut a completion after every token that ends a message; what follows the last is one, too."""
    parts = _ENDS.split(completion)
    ended = [text + end for text, end in zip(parts[::2], parts[1::2], strict=False)]
    return [*ended, parts[-1]] if parts[-1] else ended


def broken_messages(completion: str) -> list[str]:
    """Return the messages of a completion that are not Harmony's; the prompt began the first.

    A message that is not the last ends with <|end|>, or with <|call|> when calls go on; the last
    ends with <|return|> or <|call|>.
    """
    messages = messages_of(completion)
    return [
        message
        for index, message in enumerate(messages)
        if not _is_formed(message, is_first=index == 0, is_last=index == len(messages) - 1)
    ]


def _is_formed(message: str, *, is_first: bool, is_last: bool) -> bool:
    if not is_first:
        if not message.startswith(_START):
            return False
        message = message.removeprefix(_START)
    text, end = message, ""
    if ended := _ENDS.search(message):
        text, end = message[: ended.start()], ended[0]
    allowed = ("<|return|>", "<|call|>") if is_last else ("<|end|>", "<|call|>")
    return end in allowed and _MESSAGE.match(text) is not None
