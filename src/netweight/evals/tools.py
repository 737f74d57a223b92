"""Task `tools`: function calls on fresh items, from the choice to call at all to the result's use.

No tool runs: a call is looked at, and a right one gets its result. Knows which calls an item needs
and what they return. Does not know how items are made, nor what others publish on the use of tools.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageTool,
    ChatMessageUser,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall, ToolInfo

from netweight.evals.answers import is_refusal, plain
from netweight.evals.measure import (
    FAILED,
    FORMAT_ERROR,
    REFUSED,
    TRUNCATED,
    UNPARSED,
    Figure,
    Measure,
    Scored,
    rate_figure,
)
from netweight.evals.scoring import ending, judged, outcome_counts
from netweight.evals.tool_answers import tells
from netweight.evals.tool_item import CATEGORIES, Call, Item, Turn, Values
from netweight.evals.tool_items import VERSION, items

RIGHT = "right"
WRONG_TOOL, WRONG_ARGUMENTS, INVALID = "wrong tool", "wrong arguments", "invalid arguments"
NO_CALL, NEEDLESS = "no call", "needless call"
NOT_USED, WRONG_ANSWER = "result not used", "wrong answer"

# Of several calls in one message, the first of these decides.
_GRAVITY = (FORMAT_ERROR, WRONG_TOOL, INVALID, WRONG_ARGUMENTS, NEEDLESS)
_MISSES = (*_GRAVITY, NO_CALL, NOT_USED, WRONG_ANSWER, REFUSED, UNPARSED, TRUNCATED)


@dataclass
class Course:
    """How a conversation went. What is None did not come up, so it is in no rate.

    `called` says whether any question met with a call; `is_valid` whether all calls fitted a tool's
    schema; `is_right_tool` whether all were of tools that were due; `has_right_arguments`, of valid
    calls of the right tools, whether all arguments were right; `is_used` whether every result that
    was asked for was told; `is_at_once` whether calls that do not need one another came in one
    message.
    """

    outcome: str = TRUNCATED  # of a conversation that one of Inspect's limits ended
    reason: str = "a limit ended the conversation"
    answer: str = ""
    called: bool = False
    is_valid: bool | None = None
    is_right_tool: bool | None = None
    has_right_arguments: bool | None = None
    is_used: bool | None = None
    is_at_once: bool | None = None
    outputs: list[ModelOutput] = field(default_factory=list)
    messages: list[ChatMessage] = field(default_factory=list)


Ask = Callable[[list[ChatMessage], Sequence[ToolInfo]], Awaitable[ModelOutput]]


async def hold(item: Item, ask: Ask) -> Course:
    """Hold an item's conversation up to its end, or to the first thing that is not right."""
    course = Course()
    for turn in item.turns:
        course.messages.append(ChatMessageUser(content=turn.question))
        course.outcome, course.reason = await _hold_turn(turn, item, course, ask)
        if course.outcome != RIGHT:
            break
    return course


class Verdict(NamedTuple):
    """An outcome, and why."""

    outcome: str
    reason: str


async def _hold_turn(turn: Turn, item: Item, course: Course, ask: Ask) -> Verdict:
    """One question; every message brings a call that is due, or ends it, so it ends."""
    left = list(turn.calls)
    while True:
        output = await ask(course.messages, item.tools)
        course.outputs.append(output)
        course.messages.append(output.message)
        calls = output.message.tool_calls or []
        course.called = course.called or bool(calls)
        course.answer = output.completion or "; ".join(_told(call) for call in calls)
        if early := ending(output.stop_reason):
            return Verdict(early, f"stopped: {output.stop_reason}")
        if not calls:
            verdict = judge_answer(output.completion, turn, left)
            if turn.calls and turn.told and not left:
                course.is_used = verdict.outcome == RIGHT
            return verdict
        if item.category == "parallel" and course.is_at_once is None:
            course.is_at_once = len(calls) > 1
        verdict, made = judge_calls(calls, left, item.tools, course)
        if verdict.outcome != RIGHT:
            return verdict
        for call, due in zip(calls, made, strict=True):
            left.remove(due)
            course.messages.append(
                ChatMessageTool(
                    content=json.dumps(due.result), tool_call_id=call.id, function=call.function
                )
            )


def judge_calls(
    calls: Sequence[ToolCall], left: Sequence[Call], tools: Sequence[ToolInfo], course: Course
) -> tuple[Verdict, list[Call]]:
    """Grade the calls of one message against those that are still due, in any order.

    Returns the gravest grade, and when all are right, which call is which. `course` learns what
    its rates need.
    """
    due, grades, made = list(left), [], []
    schemas = {tool.name: _schema(tool) for tool in tools}
    for call in calls:
        grade, match = _grade(call, due, schemas)
        grades.append(grade)
        if match is not None:
            due.remove(match)
            made.append(match)
        is_valid = not call.parse_error and _is_valid(call, schemas)
        course.is_valid = course.is_valid is not False and is_valid
        if left:
            is_right_tool = call.function in {each.tool for each in left} and grade != WRONG_TOOL
            course.is_right_tool = course.is_right_tool is not False and is_right_tool
            if is_right_tool and is_valid:
                is_right = grade == RIGHT
                course.has_right_arguments = course.has_right_arguments is not False and is_right
    outcome = next((grade for grade in _GRAVITY if grade in grades), RIGHT)
    said = "; ".join(_told(call) for call in calls)
    wanted = "; ".join(f"{call.tool}({json.dumps(call.arguments)})" for call in left) or "no call"
    return Verdict(outcome, f"wanted {wanted}; got {said}"), made


def _grade(
    call: ToolCall, due: Sequence[Call], schemas: Mapping[str, Values]
) -> tuple[str, Call | None]:
    if call.parse_error:
        return FORMAT_ERROR, None
    if not due:
        return NEEDLESS, None
    fitting = [each for each in due if each.tool == call.function]
    if not fitting:
        return WRONG_TOOL, None
    if not _is_valid(call, schemas):
        return INVALID, None
    for each in fitting:
        if _is_alike(_filled(call.arguments, schemas[call.function]), each.arguments):
            return RIGHT, each
    return WRONG_ARGUMENTS, None


def _schema(tool: ToolInfo) -> Values:
    """Return the JSON schema of a tool's arguments, as the model is given it."""
    schema: Values = tool.parameters.model_dump(exclude_none=True)
    return schema


def _is_valid(call: ToolCall, schemas: Mapping[str, Values]) -> bool:
    import jsonschema

    schema = schemas.get(call.function)
    return schema is not None and jsonschema.Draft202012Validator(schema).is_valid(call.arguments)


def _filled(arguments: Values, schema: Values) -> Values:
    """Add the defaults of what a call left out."""
    properties = schema["properties"]
    assert isinstance(properties, dict)
    defaults = {name: each["default"] for name, each in properties.items() if "default" in each}
    return {**defaults, **arguments}


def _is_alike(given: object, wanted: object) -> bool:
    """Compare arguments: of one type, strings by their words, lists in any order.

    JSON does not tell 2 from 2.0, but a number from a string or a truth value it does. Of strings
    neither case nor punctuation counts, nor an article in front: nobody asked for them.
    """
    if isinstance(wanted, str):
        return isinstance(given, str) and _words(given) == _words(wanted)
    if isinstance(wanted, bool) or isinstance(given, bool):
        return given is wanted
    if isinstance(wanted, Mapping):
        return (
            isinstance(given, Mapping)
            and given.keys() == wanted.keys()
            and all(_is_alike(given[name], wanted[name]) for name in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and _is_permutation(given, wanted)
    return given == wanted


def _is_permutation(given: Sequence[object], wanted: Sequence[object]) -> bool:
    left = list(wanted)
    for each in given:
        match = next((index for index, one in enumerate(left) if _is_alike(each, one)), None)
        if match is None:
            return False
        del left[match]
    return not left


def _words(text: str) -> list[str]:
    words = re.findall(r"\w+", plain(text).casefold().replace("'", ""))
    return words[1:] if len(words) > 1 and words[0] in ("a", "an", "the") else words


def judge_answer(text: str, turn: Turn, left: Sequence[Call]) -> Verdict:
    """Judge a message without a call, with the calls `left` that were still due."""
    missing = [value for value in turn.told if not tells(text, value)]
    if not text.strip():
        return Verdict(UNPARSED, "neither a call nor an answer")
    if not left and turn.told and not missing:
        return Verdict(RIGHT, f"tells {turn.told}")
    if is_refusal(text) and (turn.calls or turn.told):
        return Verdict(REFUSED, "declined")
    if left:
        return Verdict(NO_CALL, f"due: {', '.join(call.tool for call in left)}")
    if missing:
        outcome = NOT_USED if turn.calls else WRONG_ANSWER
        return Verdict(outcome, f"the answer does not tell {missing}")
    return Verdict(RIGHT, "no call was due")


def _told(call: ToolCall) -> str:
    if call.parse_error:
        return f"{call.function}: {call.parse_error}"
    return f"{call.function}({json.dumps(call.arguments)})"


_COURSE = "tools"  # in the sample's store
_FACTS = ("is_valid", "is_right_tool", "has_right_arguments", "is_used", "is_at_once")


def _further(scored: Sequence[Scored]) -> list[Figure]:
    """Rates of single steps, each of the conversations in which the step came up."""
    scored = [each for each in scored if each.outcome in MEASURE.counted]

    def rate(
        metric: str,
        description: str,
        fact: str,
        among: Callable[[Scored], bool] = lambda each: True,
    ) -> Figure | None:
        chosen = [each for each in scored if among(each) and each.facts[fact] is not None]
        hits = [bool(each.facts[fact]) for each in chosen]
        return rate_figure(metric, description, hits, [each.cluster for each in chosen])

    figures = [
        rate("valid_call_rate", "of conversations with a call, share in which every call fits "
             "the schema of a tool that is there", "is_valid"),
        rate("right_tool_rate", "of conversations with a call where one was due, share in which "
             "every call is of a tool that was due", "is_right_tool"),
        rate("right_argument_rate", "of conversations with valid calls of the right tools, share "
             "in which all their arguments are right", "has_right_arguments"),
        rate("call_precision", "of conversations with a call, share in which one was due",
             "needs_call", lambda each: each.facts["called"] is True),
        rate("call_recall", "of conversations in which a call was due, share with a call",
             "called", lambda each: each.facts["needs_call"] is True),
        rate("result_use_rate", "of answers that came after all calls, and that had to tell what "
             "they returned, share that tells all of it", "is_used"),
        rate("parallel_rate", "of conversations whose calls do not need one another, and that got "
             "one, share whose first message with a call has several", "is_at_once"),
    ]  # fmt: skip
    for category in CATEGORIES:
        chosen = [each for each in scored if each.facts["category"] == category]
        figures.append(
            rate_figure(
                f"accuracy_{category}",
                f"share of conversations of the kind {category} that are right throughout",
                [each.outcome == RIGHT for each in chosen],
                [each.cluster for each in chosen],
            )
        )
    return [figure for figure in figures if figure is not None]


MEASURE = Measure(
    task="tools",
    version=VERSION,
    metric="accuracy",
    description="share of conversations with tools in which every call and every answer is right",
    lower_is_better=False,
    hits=(RIGHT,),
    counted=(RIGHT, *_MISSES),
    outcomes=(RIGHT, *_MISSES, *FAILED),
    further=_further,
)


@task
def tools(seed: int = 0, num_items: int = 120) -> Task:
    """Function calls on fresh items: whether, which, with what, and what of the result is told."""
    made = {str(index): item for index, item in enumerate(items(seed, num_items), start=1)}
    samples = [
        Sample(
            id=index,
            input=item.turns[0].question,
            target=json.dumps(
                [[call.tool, call.arguments] for t in item.turns for call in t.calls]
            ),
            metadata={"category": item.category},
        )
        for index, item in made.items()
    ]
    return Task(
        dataset=MemoryDataset(samples, name=f"tools {VERSION}, seed {seed}"),
        solver=_solver(made),
        scorer=course_of_calls(),
        version=VERSION,
    )


def _solver(made: Mapping[str, Item]) -> Solver:
    """The solver; the items are no argument of it, since Inspect would write them into the log."""

    @solver(name="hold_conversation")
    def holding() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            model = get_model()

            async def ask(messages: list[ChatMessage], tools: Sequence[ToolInfo]) -> ModelOutput:
                return await model.generate(list(messages), tools=list(tools))

            item = made[str(state.sample_id)]
            course = await hold(item, ask)
            state.messages = course.messages
            state.output = course.outputs[-1]  # only now: a sample that failed before has none
            facts = _plain_facts(item.category, course, needs_call=item.needs_call)
            state.store.set(_COURSE, facts)
            return state

        return solve

    return holding()


def _plain_facts(category: str, course: Course, *, needs_call: bool) -> dict[str, object]:
    """What the scorer and readers of the log need of a course, as plain data."""
    return {
        "outcome": course.outcome,
        "reason": course.reason,
        "answer": course.answer,
        "facts": {
            "category": category,
            "needs_call": needs_call,
            "called": course.called,
            "num_replies": len(course.outputs),
            **{name: getattr(course, name) for name in _FACTS},
        },
    }


@scorer(metrics=[accuracy(), outcome_counts()])
def course_of_calls() -> Scorer:
    """Say how a conversation went; a score of 1 means that all of it was right."""

    async def score(state: TaskState, target: Target) -> Score:
        said = state.store.get(_COURSE)
        if said is None:  # one of Inspect's limits ended it
            needs_call = bool(json.loads(target.text))
            said = _plain_facts(state.metadata["category"], Course(), needs_call=needs_call)
        return judged(
            said["outcome"],
            hit=said["outcome"] == RIGHT,
            answer=said["answer"],
            explanation=f"{said['outcome']}: {said['reason']}",
            **said["facts"],
        )

    return score
