"""One thing asked of a model through Inspect, and what came back.

Any Inspect model can be asked. The answer is to be JSON of a given schema: providers that can hold
a model to one are told it, and the answers of all are checked in the same way. Whatever goes wrong
with a request is in its reply. Does not know what is asked, or why.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from netweight.errors import VerdictError
from netweight.verdict.evidence import first_problem

if TYPE_CHECKING:
    from inspect_ai.model import Model, ModelOutput

    Assistant = str | Model  # what can be asked: an Inspect model, or its name

TEMPERATURE = 1.0  # at 0 the repeats would all be one
MAX_ANSWER_TOKENS = 8_192  # leaves room to reason
# Of silence, where the answer comes as a stream. A whole answer may take a slow machine far longer:
# at 5 tokens a second, the longest one takes 27 minutes.
SILENCE_S = 300
TIMEOUT_S = 3_600  # of one answer, however it comes, and of all tries at it together
MAX_RETRIES = 3
MAX_TOLD_CHARACTERS = 300

Failure = Literal["unreached", "too_long", "cut_short", "declined", "not_json"]
FAILURE_WORDS: dict[Failure, str] = {
    "unreached": "no answer came",
    "too_long": "the question does not fit into the model's context",
    "cut_short": "the answer was cut short",
    "declined": "the model declined to answer",
    "not_json": "the answer is not the JSON that was asked for",
}


class Request(NamedTuple):
    """One thing asked of a model: our instructions, the material as JSON, the answer's schema."""

    instructions: str
    data: str
    schema: dict[str, Any]
    seed: int


class Problem(NamedTuple):
    """Why a request has no usable answer: the kind, and what was told of it in one line."""

    kind: Failure
    told: str = ""


class Reply(NamedTuple):
    """What came back: the answer's text, or the problem that kept it from being whole."""

    text: str
    problem: Problem | None = None


class Answered(BaseModel):
    """A part of an answer; anything beside what was asked for is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def ask(model: "Assistant", requests: Sequence[Request]) -> list[Reply]:
    """Every request's reply in the requests' order; what went wrong with one is in its reply.

    Raises:
        VerdictError: Inspect does not know the model, or it lacks a key or a package.
    """
    return asyncio.run(_ask_all(model, requests))


async def _ask_all(model: "Assistant", requests: Sequence[Request]) -> list[Reply]:
    if not isinstance(model, str):
        return await asyncio.gather(*(_ask_one(model, request) for request in requests))
    async with _connect(model) as connected:
        return await asyncio.gather(*(_ask_one(connected, request) for request in requests))


def _connect(name: str) -> "Model":
    """A new model: its connections belong to one event loop, so to one run."""
    from inspect_ai._util.error import PrerequisiteError  # Inspect names it nowhere public
    from inspect_ai.model import get_model

    try:
        return get_model(name, memoize=False)
    except (PrerequisiteError, ValueError) as error:
        told = str(error.message if isinstance(error, PrerequisiteError) else error)
        plain = " ".join(re.sub(r"\[/?[a-z ]+\]", "", told).split())  # without terminal markup
        raise VerdictError(
            f"Inspect cannot use the assistant {name!r}: {plain.rstrip('.')}. Name a model as "
            "PROVIDER/MODEL, such as netweight/nano."
        ) from error


async def _ask_one(model: "Model", request: Request) -> Reply:
    from inspect_ai.model import (
        ChatMessageSystem,
        ChatMessageUser,
        GenerateConfig,
        ResponseSchema,
    )
    from inspect_ai.util import JSONSchema

    config = GenerateConfig(
        temperature=TEMPERATURE,
        seed=request.seed,
        max_tokens=MAX_ANSWER_TOKENS,
        max_retries=MAX_RETRIES,
        stream_idle_timeout=SILENCE_S,
        attempt_timeout=TIMEOUT_S,
        timeout=TIMEOUT_S,
        response_schema=ResponseSchema(
            name="answer", json_schema=JSONSchema.model_validate(request.schema), strict=True
        ),
    )
    try:
        output = await model.generate(
            [
                ChatMessageSystem(content=request.instructions),
                ChatMessageUser(content=request.data),
            ],
            config=config,
        )
    except Exception as error:  # noqa: BLE001 - errors of Inspect's providers share no base
        return Reply("", Problem("unreached", _told(error)))
    return _reply(output)


def _told(error: BaseException) -> str:
    """What a failed request met, in one bounded line."""
    from tenacity import RetryError  # what Inspect raises when it gives up trying again

    met = error.last_attempt.exception() if isinstance(error, RetryError) else None
    error = met or error
    *_, line = str(error).splitlines() or [""]  # Inspect puts the request before it
    return _plain(f"{type(error).__name__}: {line}")


def _plain(text: str) -> str:
    """Somebody else's words for a message of ours: one bounded line, without a full stop."""
    plain = "".join(character for character in text if character.isprintable())
    return plain[:MAX_TOLD_CHARACTERS].rstrip(". ")


def _reply(output: "ModelOutput") -> Reply:
    if output.empty:
        return Reply("", Problem("unreached", _plain(output.error)) if output.error else None)
    if output.stop_reason == "model_length":
        return Reply("", Problem("too_long"))
    if output.stop_reason == "max_tokens":
        return Reply("", Problem("cut_short"))
    if output.stop_reason == "content_filter" or _is_refusal(output):
        return Reply("", Problem("declined"))
    if output.error:
        return Reply("", Problem("unreached", _plain(output.error)))
    return Reply(output.completion)


def _is_refusal(output: "ModelOutput") -> bool:
    """Whether the provider itself marks the answer as a refusal."""
    content = output.message.content
    return not isinstance(content, str) and any(
        part.type == "text" and part.refusal for part in content
    )


_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)
A = TypeVar("A", bound=BaseModel)


def parse_reply(reply: Reply, form: type[A]) -> A | Problem:
    """The answer in a reply, bare or in one code fence; or why it has none."""
    if reply.problem is not None:
        return reply.problem
    text = reply.text.strip()
    fenced = _FENCED.fullmatch(text)
    try:
        return form.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as error:
        return Problem("not_json", _plain(first_problem(error)))


def or_none(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of that value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listing(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a list of such values."""
    return {"type": "array", "items": schema}


def record_of(**fields: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
