"""OpenAI Chat Completions messages <-> Harmony messages.

System and developer messages become developer messages: Harmony's system message is the platform's.
Harmony has no call ids, so they are used to find a result's tool, and made anew on the way back.
What cannot be carried over, as images, is refused by name. Knows plain dictionaries, no HTTP.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from typing import cast

from netweight.errors import HarmonyError
from netweight.harmony.calls import BUILT_IN, FUNCTIONS, read_call
from netweight.harmony.header import CONSTRAIN
from netweight.harmony.message import (
    Channel,
    DeveloperContent,
    JsonSchema,
    Message,
    ResponseFormat,
    Role,
    Tool,
    ToolNamespace,
)
from netweight.harmony.names import ToolNames
from netweight.harmony.schema import as_node

ApiObject = Mapping[str, object]

_JSON = f"{CONSTRAIN}json"
_TEXT_TYPES = frozenset({"text", "input_text", "output_text", "refusal", "reasoning_text"})
_ANY_OBJECT = {"type": "object"}


def counted_ids() -> Callable[[], str]:
    """Call ids that count up; a server would give random ones."""
    numbers = count()
    return lambda: f"call_{next(numbers)}"


def from_chat(
    messages: Sequence[ApiObject],
    *,
    tools: Sequence[ApiObject] = (),
    response_format: ApiObject | None = None,
    names: ToolNames | None = None,
) -> list[Message]:
    """Chat messages as Harmony, without the system message, which is the caller's to add.

    `tools` and `response_format` are declared in the first developer message. Raises HarmonyError
    naming a role, part or field that Harmony cannot express, and a result that answers no call.
    """
    names = ToolNames() if names is None else names
    declared = read_tools(tools, names)
    formats = read_response_format(response_format)
    reader = _ChatReader(names)
    in_order = in_call_order(messages, reader.book, _answered_by_chat)
    converted = [out for message in in_order for out in reader.read(message)]
    return declare(converted, declared, formats)


def declare(
    messages: Sequence[Message], tools: Sequence[Tool], formats: Sequence[ResponseFormat]
) -> list[Message]:
    """The messages with tools and formats in the developer message at their head."""
    if not tools and not formats:
        return list(messages)
    namespaces = (ToolNamespace.functions(tools),) if tools else ()
    instructions, rest = None, list(messages)
    if rest and rest[0].role is Role.DEVELOPER:
        head = rest.pop(0).content[0]
        instructions = head.instructions if isinstance(head, DeveloperContent) else None
    head = DeveloperContent(instructions, namespaces, tuple(formats))
    return [Message.developer(head), *rest]


def to_chat(
    messages: Iterable[Message],
    *,
    names: ToolNames | None = None,
    new_id: Callable[[], str] | None = None,
) -> list[dict[str, object]]:
    """Harmony messages as chat messages; a system message has no counterpart and is refused.

    Consecutive assistant messages make one chat message: reasoning, content, tool calls, in this
    order.
    """
    writer = _ChatWriter(ToolNames() if names is None else names, new_id or counted_ids())
    for message in messages:
        writer.write(message)
    return writer.out


def read_tools(tools: Sequence[ApiObject], names: ToolNames) -> list[Tool]:
    """The function tools of either API; HarmonyError for another type of tool."""
    functions = [_function(tool) for tool in tools]
    names.declare_all(required_text(function, "name", "tool") for function in functions)
    return [_read_function(function, names) for function in functions]


def _function(tool: ApiObject) -> ApiObject:
    if tool.get("type") != "function":
        raise HarmonyError(f"tools of type {tool.get('type')!r} are not supported, only 'function'")
    return as_node(tool.get("function", tool))


def _read_function(function: ApiObject, names: ToolNames) -> Tool:
    name = required_text(function, "name", "tool")
    description = function.get("description") or ""
    parameters = function.get("parameters")
    if not isinstance(description, str) or not isinstance(parameters, Mapping | None):
        raise HarmonyError(f"tool {name} needs a text as description and a schema as parameters")
    is_empty = parameters is None or parameters == {}
    return Tool(
        names.declare(name), description, None if is_empty else cast(JsonSchema, parameters)
    )


def read_response_format(response_format: ApiObject | None) -> list[ResponseFormat]:
    """The format that a final answer has to follow, if it is more than plain text."""
    if response_format is None:
        return []
    match response_format.get("type"):
        case "text":
            return []
        case "json_object":
            return [ResponseFormat("json_object", _ANY_OBJECT, "A JSON object")]
        case "json_schema":
            given = as_node(response_format.get("json_schema", response_format))
            name = re.sub(r"[^\w.-]", "_", required_text(given, "name", "response_format"))
            schema = given.get("schema", _ANY_OBJECT)
            if not isinstance(schema, Mapping):
                raise HarmonyError("response_format needs a JSON schema as its schema")
            return [ResponseFormat(name, schema, str(given.get("description") or ""))]
        case other:
            raise HarmonyError(f"response_format of type {other!r} is not supported")


def read_parts(content: object, owner: str) -> tuple[str, ...]:
    """Text content, or the texts of a list of parts; HarmonyError for parts that are no text."""
    if isinstance(content, str):
        return (content,)
    if not isinstance(content, Sequence) or not content:
        raise HarmonyError(f"{owner} needs content: a text or a list of text parts")
    texts = []
    for part in map(as_node, content):
        kind = part.get("type")
        if kind not in _TEXT_TYPES:
            raise HarmonyError(f"{owner} has a part of type {kind!r}; only text can be sent")
        texts.append(required_text(part, "refusal" if kind == "refusal" else "text", owner))
    return tuple(texts)


def required_text(fields: ApiObject, field: str, owner: str) -> str:
    """A field that has to be a text."""
    value = fields.get(field)
    if not isinstance(value, str):
        raise HarmonyError(f"{owner} needs a text as its {field!r}, not {value!r}")
    return value


class CallBook:
    """Which tool each call id belongs to, and on which channel it was called."""

    def __init__(self, names: ToolNames) -> None:
        self.names = names
        self._recipients: dict[str, tuple[str, str | None]] = {}
        self._ranks: dict[str, int] = {}
        self._numbers = count()

    def call(self, call_id: str, name: str, arguments: str) -> Message:
        """The message that calls a tool by its API name."""
        if name in BUILT_IN and not self.names.has(name):
            return self.built_in_call(call_id, name, arguments)
        recipient = f"{FUNCTIONS}{self.names.declare(name)}"
        return self._call(call_id, recipient, Channel.COMMENTARY, arguments)

    def built_in_call(self, call_id: str, recipient: str, text: str) -> Message:
        """The message that calls a built-in tool."""
        return self._call(call_id, recipient, Channel.ANALYSIS, text)

    def note(self, call_id: str, recipient: str, channel: str | None) -> None:
        """Take down whom a call is for, so that its result can be written."""
        self._recipients[call_id] = (recipient, channel)
        self._ranks[call_id] = next(self._numbers)

    def _call(self, call_id: str, recipient: str, channel: Channel, arguments: str) -> Message:
        self.note(call_id, recipient, channel)
        content_type = "code" if recipient == "python" else _JSON
        return Message.assistant(
            arguments, channel=channel, recipient=recipient, content_type=content_type
        )

    def rank(self, call_id: object) -> int:
        """The place of a call among all; an id that nobody gave stands last."""
        return self._ranks.get(str(call_id), sys.maxsize)

    def result(self, call_id: str, parts: tuple[str, ...]) -> Message:
        """The message by which a tool answers a call."""
        if call_id not in self._recipients:
            raise HarmonyError(f"the result of {call_id!r} answers no tool call before it")
        name, channel = self._recipients[call_id]
        return Message(Role.TOOL, parts, name, channel, Role.ASSISTANT)


def in_call_order(
    items: Iterable[ApiObject], book: CallBook, answered: Callable[[ApiObject], object]
) -> Iterator[ApiObject]:
    """The items, results that follow each other in the order of their calls.

    Harmony's results name their tool only: of two calls of one tool, the first result is the
    first call's. `answered` gives the id of the call that an item answers, or None. Calls are known
    to the book once their items are read, so it must read each item before the next is taken.
    """
    for is_result, group in groupby(items, lambda item: answered(item) is not None):
        turn = list(group)
        yield from sorted(turn, key=lambda item: book.rank(answered(item))) if is_result else turn


def _answered_by_chat(message: ApiObject) -> object:
    return message.get("tool_call_id") if message.get("role") == "tool" else None


class _ChatReader:
    def __init__(self, names: ToolNames) -> None:
        self.book = CallBook(names)

    def read(self, message: ApiObject) -> Iterator[Message]:
        role = message.get("role")
        match role:
            case "system" | "developer":
                text = "\n\n".join(read_parts(message.get("content"), f"{role} message"))
                yield Message.developer(DeveloperContent(text))
            case "user":
                has_name = message.get("name") is not None
                name = required_text(message, "name", "user message") if has_name else None
                yield Message(Role.USER, read_parts(message.get("content"), "user message"), name)
            case "assistant":
                yield from self.read_assistant(message)
            case "tool":
                parts = read_parts(message.get("content"), "tool message")
                yield self.book.result(
                    required_text(message, "tool_call_id", "tool message"), parts
                )
            case _:
                raise HarmonyError(f"a message of role {role!r} cannot be sent")

    def read_assistant(self, message: ApiObject) -> Iterator[Message]:
        if message.get("function_call"):
            raise HarmonyError("'function_call' is not supported; use 'tool_calls'")
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        if isinstance(reasoning, str):
            yield Message.assistant(reasoning, channel=Channel.ANALYSIS)
        calls = message.get("tool_calls") or []
        content = message.get("content") or message.get("refusal")
        if content:
            channel = Channel.COMMENTARY if calls else Channel.FINAL
            parts = read_parts(content, "assistant message")
            yield Message(Role.ASSISTANT, parts, channel=channel)
        for call in map(as_node, cast(Sequence[object], calls)):
            function = as_node(call.get("function"))
            yield self.book.call(
                required_text(call, "id", "tool call"),
                required_text(function, "name", "tool call"),
                required_text(function, "arguments", "tool call"),
            )
        if not (reasoning or content or calls):
            yield Message.assistant("")


class _ChatWriter:
    def __init__(self, names: ToolNames, new_id: Callable[[], str]) -> None:
        self.names = names
        self.new_id = new_id
        self.out: list[dict[str, object]] = []
        self.open_ids: list[tuple[str, str]] = []  # calls that no result has answered: tool, id

    def write(self, message: Message) -> None:
        if message.role is Role.ASSISTANT:
            self.write_assistant(message)
        elif message.role is Role.TOOL:
            call_id = answered_id(self.open_ids, str(message.name))
            self.out.append({"role": "tool", "tool_call_id": call_id, "content": _content(message)})
        elif message.role is Role.DEVELOPER:
            self.out += [{"role": "developer", "content": text} for text in instructions(message)]
        elif message.role is Role.USER:
            named = {} if message.name is None else {"name": message.name}
            self.out.append({"role": "user", **named, "content": _content(message)})
        else:
            raise HarmonyError("a Harmony system message has no counterpart; leave it out")

    def write_assistant(self, message: Message) -> None:
        call = read_call(message)
        if call is not None:
            call_id = self.new_id()
            self.open_ids.append((call.recipient, call_id))
            function = {"name": self.names.original(call.name), "arguments": message.text}
            entry = {"id": call_id, "type": "function", "function": function}
            self._turn("tool_calls").setdefault("tool_calls", [])
            cast(list[object], self.out[-1]["tool_calls"]).append(entry)
        elif message.channel == Channel.ANALYSIS:
            self._add_text("reasoning_content", message.text)
        else:
            self._add_text("content", message.text)

    def _add_text(self, field: str, text: str) -> None:
        turn = self._turn(field)
        turn[field] = f"{turn[field]}\n\n{text}" if turn.get(field) else text

    def _turn(self, field: str) -> dict[str, object]:
        """The chat message under way, or a new one where this part would come out of order."""
        order = ["reasoning_content", "content", "tool_calls"]
        later = order[order.index(field) + 1 :]
        last = self.out[-1] if self.out else {}
        if last.get("role") != "assistant" or any(last.get(part) for part in later):
            self.out.append({"role": "assistant", "content": None})
        return self.out[-1]


def answered_id(open_ids: list[tuple[str, str]], tool: str) -> str:
    """The id of the oldest open call of a tool, which its result closes."""
    for index, (name, call_id) in enumerate(open_ids):
        if name == tool:
            del open_ids[index]
            return call_id
    raise HarmonyError(f"the result of {tool} answers no call before it")


def instructions(message: Message) -> list[str]:
    """The instructions of a developer message; its tools and formats travel beside the messages."""
    texts = [
        part.instructions if isinstance(part, DeveloperContent) else cast(str, part)
        for part in message.content
    ]
    return [text for text in texts if text is not None]


def _content(message: Message) -> object:
    """A text, or a list of text parts where there are several."""
    if len(message.content) == 1:
        return message.text
    return [{"type": "text", "text": part} for part in message.content]
