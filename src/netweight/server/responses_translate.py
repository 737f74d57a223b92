"""A request to /v1/responses, in the house's words: a Chat.

`instructions` and developer messages become Harmony's developer messages; items are translated by
`netweight.harmony.from_responses`. Knows no HTTP and no store.
"""

from collections.abc import Callable, Iterator, Sequence

from netweight.engine import Sampling
from netweight.errors import HarmonyError
from netweight.harmony import JsonSchema, ReasoningEffort, ToolNames, from_responses
from netweight.harmony import calls as harmony_calls
from netweight.harmony.calls import FUNCTIONS
from netweight.harmony.enforce import enforceable
from netweight.server import responses_in as given
from netweight.server.chat import Chat
from netweight.server.problems import Problem
from netweight.server.responses_history import History
from netweight.tools import OpenTool

_ANY_OBJECT: JsonSchema = {"type": "object"}
# OpenAI's types of tools, Harmony's names of them, and how to have them.
PYTHON, BROWSER = "python", "browser"
_FLAGS = {PYTHON: "--python", BROWSER: "--browser DIR"}


def built_in(kind: str) -> str:
    """Harmony's name for a type of built-in tool."""
    return PYTHON if kind == "code_interpreter" else BROWSER


def tool_names(body: given.ResponseRequest, history: History) -> ToolNames:
    """Harmony's identifiers for the client's functions and for those that were called earlier."""
    called = [item["name"] for item in history.prompt_items if item["type"] == "function_call"]
    return ToolNames([*(tool.name for tool in _functions(body)), *called])


def check_tools(body: given.ResponseRequest, available: frozenset[str]) -> None:
    """Refuse built-in tools that the server has not got, and tools that are there twice.

    Raises:
        Problem: with the remedy.
    """
    seen: set[str] = set()
    for index, tool in enumerate(body.tools or []):
        name = tool.name if isinstance(tool, given.FunctionTool) else built_in(tool.type)
        key = f"{tool.type == 'function'} {name}"
        if tool.type != "function" and name not in available:
            raise Problem(
                f"tools[{index}]: this server runs no {tool.type}. Start it with {_FLAGS[name]}.",
                param=f"tools[{index}]",
                code="invalid_value",
            )
        if key in seen:
            raise Problem(
                f"tools[{index}]: there are two tools {name!r}. Leave one out.",
                param=f"tools[{index}]",
                code="invalid_value",
            )
        seen.add(key)


def chat_of(
    body: given.ResponseRequest,
    history: History,
    names: ToolNames,
    open_tool: Callable[[str], OpenTool],
) -> Chat:
    """What the client asks for, its functions under the identifiers that `names` gives them.

    `open_tool` opens a built-in tool by its Harmony name.

    Raises:
        Problem: for fields that contradict each other, or a schema that cannot be enforced.
        HarmonyError: for items and tools that Harmony cannot express.
        RequestError: for a sampling setting out of range.
    """
    is_offered = body.tool_choice != "none"
    tools = tuple(open_tool(name) for name in _built_ins(body)) if is_offered else ()
    tool_choice, may_call = _tool_choice(body, names, tools)
    functions = list(_functions(body)) if is_offered else []
    strict = [tool for tool in functions if is_strict(tool)]
    _check_schemas(body, strict, is_forced=tool_choice not in ("auto", "none"))
    answer_format = body.text.format if body.text else None
    return Chat(
        messages=from_responses(
            history.prompt_items,
            instructions=body.instructions,
            tools=[tool.model_dump(exclude_none=True) for tool in functions],
            text_format=None
            if answer_format is None
            else answer_format.model_dump(exclude_none=True, by_alias=True),
            names=names,
            written=history.written,
        ),
        effort=ReasoningEffort((body.reasoning and body.reasoning.effort) or "medium"),
        sampling=Sampling(
            temperature=1.0 if body.temperature is None else body.temperature,
            top_p=1.0 if body.top_p is None else body.top_p,
            seed=body.seed,
        ),
        max_tokens=body.max_output_tokens,
        max_tool_calls=Chat.max_tool_calls if body.max_tool_calls is None else body.max_tool_calls,
        num_logprobs=num_logprobs(body),
        tools=tools,
        tool_choice=tool_choice,
        may_call=may_call,
        parallel_calls=body.parallel_tool_calls is not False,
        strict_tools=frozenset(_full_name(tool.name, names) for tool in strict),
        answer_schema=_answer_schema(answer_format),
    )


def is_strict(tool: given.FunctionTool) -> bool:
    """Whether the arguments follow the schema: unless the client says, they do where they can."""
    if tool.strict is not None:
        return tool.strict
    try:
        enforceable(tool.parameters or _ANY_OBJECT, tool.name, is_object=True)
    except HarmonyError:
        return False
    return True


def num_logprobs(body: given.ResponseRequest) -> int | None:
    """How many of the likeliest tokens are told at each place of the answer; None: nothing is."""
    is_wanted = body.top_logprobs or "message.output_text.logprobs" in body.included
    return (body.top_logprobs or 0) if is_wanted else None


def _functions(body: given.ResponseRequest) -> Iterator[given.FunctionTool]:
    for tool in body.tools or []:
        if isinstance(tool, given.FunctionTool):
            yield tool


def _built_ins(body: given.ResponseRequest) -> Iterator[str]:
    for tool in body.tools or []:
        if not isinstance(tool, given.FunctionTool):
            yield built_in(tool.type)


def _full_name(name: str, names: ToolNames) -> str:
    return FUNCTIONS + names.declare(name)


def _tool_choice(
    body: given.ResponseRequest, names: ToolNames, tools: Sequence[OpenTool]
) -> tuple[str, frozenset[str] | None]:
    """The choice, and the tools that it may be made from, if not from all."""
    match body.tool_choice:
        case None:
            return "auto", None
        case str(choice):
            if choice == "required" and not body.tools:
                raise _misfit("tool_choice is 'required', but there are no tools. Send tools.")
            return choice, None
        case given.AllowedTools(mode=mode, tools=allowed):
            full = [name for each in allowed for name in _chosen(each, body, names, tools)]
            return mode, frozenset(full)
        case chosen:
            # Of a tool with several functions, as the browser, the first opens the others.
            return _chosen(chosen, body, names, tools)[0], None


def _chosen(
    choice: given.ChosenFunction | given.ChosenBuiltIn,
    body: given.ResponseRequest,
    names: ToolNames,
    tools: Sequence[OpenTool],
) -> list[str]:
    """The full names of what is meant, which is among the request's tools."""
    if isinstance(choice, given.ChosenFunction):
        if choice.name not in {tool.name for tool in _functions(body)}:
            raise _misfit(f"tool_choice names {choice.name!r}, which is not among the tools.")
        return [_full_name(choice.name, names)]
    name = built_in(choice.type)
    meant = [tool.namespace for tool in tools if tool.namespace.name == name]
    if not meant:
        raise _misfit(f"tool_choice names {choice.type!r}, which is not among the tools.")
    return harmony_calls.tool_names(meant)


def _misfit(message: str) -> Problem:
    return Problem(message, param="tool_choice", code="invalid_value")


def _answer_schema(
    answer_format: given.TextFormat | given.JsonObjectFormat | given.JsonSchemaFormat | None,
) -> JsonSchema | None:
    match answer_format:
        case given.JsonSchemaFormat(schema_=schema):
            return schema
        case given.JsonObjectFormat():
            return _ANY_OBJECT
        case _:
            return None


def _check_schemas(
    body: given.ResponseRequest, strict: Sequence[given.FunctionTool], *, is_forced: bool
) -> None:
    """Refuse a schema with a keyword that no constraint knows, naming the field that has it."""
    for index, tool in enumerate(body.tools or []):
        if isinstance(tool, given.FunctionTool) and (is_forced or tool in strict):
            param = f"tools[{index}].parameters"
            _check_schema(tool.parameters or _ANY_OBJECT, tool.name, param, is_object=True)
    answer_schema = _answer_schema(body.text.format if body.text else None)
    if answer_schema is not None:
        _check_schema(answer_schema, "the answer", "text.format.schema", is_object=False)


def _check_schema(schema: JsonSchema, name: str, param: str, *, is_object: bool) -> None:
    try:
        enforceable(schema, name, is_object=is_object)
    except HarmonyError as error:
        raise Problem(f"{param}: {error}.", param=param, code="invalid_value") from error
