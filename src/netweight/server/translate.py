"""OpenAI's words become the house's: the body of a chat completion -> a Chat.

OpenAI's system message becomes Harmony's developer message, which is what gpt-oss was trained on;
Harmony's own system message is the house's. Messages themselves are translated by
`netweight.harmony.from_chat`. Knows no HTTP.
"""

from collections.abc import Iterator, Sequence

from netweight.engine import Sampling
from netweight.errors import HarmonyError
from netweight.harmony import JsonSchema, ReasoningEffort, ToolNames, Vocabulary, from_chat
from netweight.harmony.calls import FUNCTIONS
from netweight.harmony.enforce import enforceable
from netweight.server import wire
from netweight.server.chat import Chat
from netweight.server.problems import Problem

_ANY_OBJECT: JsonSchema = {"type": "object"}


def tool_names(body: wire.ChatCompletionRequest) -> ToolNames:
    """Harmony's identifiers for the client's tools and for those that were called earlier."""
    offered = [tool.function.name for tool in body.tools or []]
    called = [call.function.name for call in _calls(body)]
    return ToolNames([*offered, *called])


def chat_of(body: wire.ChatCompletionRequest, names: ToolNames) -> Chat:
    """What the client asks for, its tools under the identifiers that `names` gives them.

    Raises:
        Problem: for fields that contradict each other, a tool message that answers no call, or a
            schema that cannot be enforced.
        HarmonyError: for messages and tools that Harmony cannot express.
    """
    _check_fields(body)
    _check_results(body)
    tool_choice, may_call = _tool_choice(body, names)
    is_forced = tool_choice not in ("auto", "none")
    tools = [] if tool_choice == "none" else body.tools or []
    strict = {tool.function.name for tool in tools if tool.function.strict}
    for index, tool in enumerate(tools):
        if is_forced or tool.function.name in strict:
            schema = tool.function.parameters
            _check_schema(schema, tool.function.name, f"tools[{index}].function.parameters")
    answer_schema = _answer_schema(body.response_format)
    _check_schema(answer_schema, "the answer", "response_format.json_schema.schema")
    return Chat(
        messages=from_chat(
            [message.model_dump(exclude_none=True) for message in body.messages],
            tools=[tool.model_dump(exclude_none=True) for tool in tools],
            response_format=_response_format(body.response_format),
            names=names,
        ),
        effort=ReasoningEffort(body.reasoning_effort or ReasoningEffort.MEDIUM),
        sampling=sampling(body),
        max_tokens=body.max_completion_tokens or body.max_tokens,
        num_logprobs=_num_logprobs(body),
        tool_choice=tool_choice,
        may_call=may_call,
        parallel_calls=body.parallel_tool_calls is not False,
        strict_tools=frozenset(_full_name(name, names) for name in strict),
        answer_schema=answer_schema,
    )


def stops(body: wire.DrawingFields) -> tuple[str, ...]:
    """The strings at which an answer ends, of a chat its final part."""
    return (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())


def check_bias(body: wire.ChatCompletionRequest, vocabulary: Vocabulary) -> None:
    """Refuse a bias for a token that there is not."""
    wrong = next((key for key in body.logit_bias or {} if not vocabulary.has(int(key))), None)
    if wrong is not None:
        raise Problem(
            f"logit_bias has token id {wrong}; the vocabulary's are below {vocabulary.size}.",
            param="logit_bias",
            code="invalid_value",
        )


def _calls(body: wire.ChatCompletionRequest) -> Iterator[wire.ToolCall]:
    """The tool calls of earlier messages."""
    for message in body.messages:
        if isinstance(message, wire.AssistantMessage):
            yield from message.tool_calls or []


def _check_fields(body: wire.ChatCompletionRequest) -> None:
    """Refuse fields that mean nothing without another, or beside it."""
    if body.stream_options is not None and not body.stream:
        raise Problem("stream_options needs stream to be true.", param="stream_options")
    if body.top_logprobs is not None and not body.logprobs:
        raise Problem("top_logprobs needs logprobs to be true.", param="top_logprobs")
    if len({body.max_tokens, body.max_completion_tokens} - {None}) > 1:
        raise Problem(
            "max_tokens and max_completion_tokens differ; send one of them.", param="max_tokens"
        )
    if body.tells_tokens and (body.n or 1) > 1:
        raise Problem(
            "netweight.tokens needs n to be 1: the tokens of several answers would be mixed up.",
            param="netweight.tokens",
        )


def _check_results(body: wire.ChatCompletionRequest) -> None:
    """Refuse a tool message that answers no call before it."""
    called: set[str] = set()
    for index, message in enumerate(body.messages):
        if isinstance(message, wire.AssistantMessage):
            called.update(call.id for call in message.tool_calls or [])
        elif isinstance(message, wire.ToolMessage) and message.tool_call_id not in called:
            param = f"messages[{index}].tool_call_id"
            raise Problem(
                f"{param} answers no tool call of an earlier message.",
                param=param,
                code="invalid_value",
            )


def _full_name(name: str, names: ToolNames) -> str:
    return FUNCTIONS + names.declare(name)


def _tool_choice(
    body: wire.ChatCompletionRequest, names: ToolNames
) -> tuple[str, frozenset[str] | None]:
    """The choice, and the tools that it may be made from, if not from all."""
    choice = body.tool_choice
    if choice is None:
        return "auto", None
    if isinstance(choice, str):
        if choice == "required" and not body.tools:
            raise Problem(
                "tool_choice is 'required', but there are no tools to call. Send tools.",
                param="tool_choice",
                code="invalid_value",
            )
        return choice, None
    if choice.function is not None:
        _check_offered(body, [choice.function.name])
        return _full_name(choice.function.name, names), None
    assert choice.allowed_tools is not None, "one of the two is set"
    allowed = [tool.function.name for tool in choice.allowed_tools.tools]
    _check_offered(body, allowed)
    return choice.allowed_tools.mode, frozenset(_full_name(name, names) for name in allowed)


def _check_offered(body: wire.ChatCompletionRequest, chosen: Sequence[str]) -> None:
    offered = {tool.function.name for tool in body.tools or []}
    missing = next((name for name in chosen if name not in offered), None)
    if missing is not None:
        raise Problem(
            f"tool_choice names {missing!r}, which is not among the tools.",
            param="tool_choice",
            code="invalid_value",
        )


def _response_format(response_format: wire.ResponseFormat | None) -> dict[str, object] | None:
    if response_format is None:
        return None
    return response_format.model_dump(exclude_none=True, by_alias=True)


def _answer_schema(response_format: wire.ResponseFormat | None) -> JsonSchema | None:
    if response_format is None or response_format.type == "text":
        return None
    given = response_format.json_schema
    return _ANY_OBJECT if given is None or given.schema_ is None else given.schema_


def _check_schema(schema: JsonSchema | None, name: str, param: str) -> None:
    """Refuse a schema with a keyword that no constraint knows, naming the field that has it."""
    if schema is None:
        return
    try:
        enforceable(schema, name, is_object=name != "the answer")
    except HarmonyError as error:
        raise Problem(f"{param}: {error}.", param=param, code="invalid_value") from error


def sampling(body: wire.DrawingFields) -> Sampling:
    """How tokens are drawn."""
    # OpenAI's defaults, which are also gpt-oss's recommended settings.
    return Sampling(
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        top_k=max(0, body.top_k or 0),
        min_p=body.min_p or 0.0,
        seed=body.seed,
        presence_penalty=body.presence_penalty or 0.0,
        frequency_penalty=body.frequency_penalty or 0.0,
        logit_bias=tuple((int(key), bias) for key, bias in (body.logit_bias or {}).items()),
    )


def _num_logprobs(body: wire.ChatCompletionRequest) -> int | None:
    """How many of the likeliest tokens the engine tells, for whoever wants most."""
    wanted = [body.top_logprobs or 0] if body.logprobs else []
    if body.netweight is not None and body.netweight.tokens:
        wanted.append(body.netweight.top)
    return max(wanted, default=None)
