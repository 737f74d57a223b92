"""OpenAI Responses items <-> Harmony messages; see `convert` for what both APIs share."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from netweight.errors import HarmonyError
from netweight.harmony.calls import FUNCTIONS, read_call
from netweight.harmony.convert import (
    ApiObject,
    CallBook,
    answered_id,
    counted_ids,
    declare,
    in_call_order,
    instructions,
    read_parts,
    read_response_format,
    read_tools,
    required_text,
)
from netweight.harmony.message import Channel, DeveloperContent, Message, Role
from netweight.harmony.names import ToolNames
from netweight.harmony.schema import as_node, to_json

ANSWER_NOT_KEPT = "[the answer was not kept]"
_PHASES = {"commentary": Channel.COMMENTARY, "final_answer": Channel.FINAL}


def from_responses(
    items: str | Sequence[ApiObject],
    *,
    instructions: str | None = None,
    tools: Sequence[ApiObject] = (),
    text_format: ApiObject | None = None,
    names: ToolNames | None = None,
    written: Mapping[str, Sequence[Message]] | None = None,
) -> list[Message]:
    """The input of a Responses request as Harmony, without the system message.

    `written` has, by their ids, items as the model wrote them: its own messages with their layout,
    and the answers of built-in tools. They are taken instead of the items.

    Raises HarmonyError naming an item or part that Harmony cannot express.
    """
    names = ToolNames() if names is None else names
    declared = read_tools(tools, names)
    reader = _ItemReader(names, written or {})
    messages = [] if instructions is None else [Message.developer(DeveloperContent(instructions))]
    if isinstance(items, str):
        messages.append(Message.user(items))
    else:
        in_order = in_call_order(items, reader.book, _answered_by_item)
        messages += [message for item in in_order for message in reader.read(item)]
    return declare(messages, declared, read_response_format(text_format))


def to_responses(
    messages: Iterable[Message],
    *,
    names: ToolNames | None = None,
    new_id: Callable[[], str] | None = None,
) -> list[dict[str, object]]:
    """Harmony messages as items of the Responses API, one for each message."""
    names = ToolNames() if names is None else names
    new_id = new_id or counted_ids()
    open_ids: list[tuple[str, str]] = []
    return [item for message in messages for item in _items(message, names, new_id, open_ids)]


def _answered_by_item(item: ApiObject) -> object:
    return item.get("call_id") if item.get("type") == "function_call_output" else None


class _ItemReader:
    def __init__(self, names: ToolNames, written: Mapping[str, Sequence[Message]]) -> None:
        self.names = names
        self.book = CallBook(names)
        self.written = written

    def read(self, item: ApiObject) -> Iterator[Message]:
        written = self.written.get(str(item.get("id")), ())
        if written and self._still_holds(item, written[0]):
            yield from written
        else:
            yield from self._translate(item)

    def _still_holds(self, item: ApiObject, first: Message) -> bool:
        """Whether what was written still means the item, whose tool may have a new identifier."""
        if item.get("type") != "function_call":
            return True
        name = required_text(item, "name", "function_call")
        if first.recipient != f"{FUNCTIONS}{self.names.declare(name)}":
            return False
        call_id = required_text(item, "call_id", "function_call")
        self.book.note(call_id, first.recipient, first.channel)
        return True

    def _translate(self, item: ApiObject) -> Iterator[Message]:
        kind = item.get("type", "message")
        match kind:
            case "message":
                yield self.read_message(item)
            case "reasoning":
                yield from self.read_reasoning(item)
            case "function_call":
                yield self.book.call(
                    required_text(item, "call_id", "function_call"),
                    required_text(item, "name", "function_call"),
                    required_text(item, "arguments", "function_call"),
                )
            case "function_call_output":
                parts = read_parts(item.get("output"), "function_call_output")
                yield self.book.result(
                    required_text(item, "call_id", "function_call_output"), parts
                )
            case "code_interpreter_call":
                yield from self.read_code(item)
            case "web_search_call":
                yield from self.read_search(item)
            case _:
                raise HarmonyError(f"an input item of type {kind!r} cannot be sent")

    def read_message(self, item: ApiObject) -> Message:
        role = item.get("role")
        parts = read_parts(item.get("content"), f"{role} message")
        match role:
            case "system" | "developer":
                return Message.developer(DeveloperContent("\n\n".join(parts)))
            case "user":
                return Message(Role.USER, parts)
            case "assistant":
                channel = _PHASES.get(str(item.get("phase")), Channel.FINAL)
                return Message(Role.ASSISTANT, parts, channel=channel)
        raise HarmonyError(f"a message of role {role!r} cannot be sent")

    def read_code(self, item: ApiObject) -> Iterator[Message]:
        """Code and what it printed."""
        code = item.get("code")
        logs = [as_node(output).get("logs") for output in _list(item.get("outputs"))]
        yield from self._built_in(item, "python", code if isinstance(code, str) else "", logs)

    def read_search(self, item: ApiObject) -> Iterator[Message]:
        """A use of the browser and what it told."""
        action = as_node(item.get("action"))
        match action.get("type"):
            case "search":
                name, fields = "search", {"query": action.get("query")}
            case "open_page":
                name, fields = "open", {"id": action.get("url")}
            case "find_in_page":
                name, fields = "find", {"pattern": action.get("pattern")}
            case other:
                raise HarmonyError(f"a web search whose action is {other!r} cannot be sent")
        arguments = {field: value for field, value in fields.items() if value is not None}
        results = [as_node(result).get("text") for result in _list(item.get("results"))]
        yield from self._built_in(item, f"browser.{name}", to_json(arguments), results)

    def _built_in(
        self, item: ApiObject, recipient: str, text: str, answers: Sequence[object]
    ) -> Iterator[Message]:
        """A call of a built-in tool and its answer, or, where that was not kept, word of that."""
        call_id = required_text(item, "id", str(item.get("type")))
        yield self.book.built_in_call(call_id, recipient, text)
        texts = tuple(answer for answer in answers if isinstance(answer, str))
        yield self.book.result(call_id, texts or (ANSWER_NOT_KEPT,))

    def read_reasoning(self, item: ApiObject) -> Iterator[Message]:
        """Reasoning as the model wrote it, or else its summary; sealed reasoning cannot be read."""
        content = item.get("content") or item.get("summary")
        if item.get("encrypted_content") and not content:
            raise HarmonyError(
                "a reasoning item holds only encrypted content, which only its maker reads"
            )
        texts = [part | {"type": "text"} for part in content] if isinstance(content, list) else []
        if texts:
            yield Message(Role.ASSISTANT, read_parts(texts, "reasoning"), channel=Channel.ANALYSIS)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _items(
    message: Message,
    names: ToolNames,
    new_id: Callable[[], str],
    open_ids: list[tuple[str, str]],
) -> Iterator[dict[str, object]]:
    match message.role:
        case Role.SYSTEM:
            raise HarmonyError("a Harmony system message has no counterpart; leave it out")
        case Role.DEVELOPER:
            for text in instructions(message):
                yield _message_item("developer", "input_text", (text,))
        case Role.USER:
            yield _message_item("user", "input_text", _texts(message))
        case Role.TOOL:
            call_id = answered_id(open_ids, str(message.name))
            texts = _texts(message)
            output: object = texts[0] if len(texts) == 1 else _parts("input_text", texts)
            yield {"type": "function_call_output", "call_id": call_id, "output": output}
        case _:
            yield _assistant_item(message, names, new_id, open_ids)


def _assistant_item(
    message: Message,
    names: ToolNames,
    new_id: Callable[[], str],
    open_ids: list[tuple[str, str]],
) -> dict[str, object]:
    call = read_call(message)
    if call is not None:
        call_id = new_id()
        open_ids.append((call.recipient, call_id))
        name = names.original(call.name)
        return {
            "type": "function_call", "call_id": call_id, "name": name, "arguments": message.text
        }  # fmt: skip
    if message.channel == Channel.ANALYSIS:
        content = _parts("reasoning_text", _texts(message))
        return {"type": "reasoning", "summary": [], "content": content}
    phase = "commentary" if message.channel == Channel.COMMENTARY else "final_answer"
    return _message_item("assistant", "output_text", _texts(message)) | {"phase": phase}


def _message_item(role: str, kind: str, texts: Sequence[str]) -> dict[str, object]:
    return {"type": "message", "role": role, "content": _parts(kind, texts)}


def _parts(kind: str, texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"type": kind, "text": text} for text in texts]


def _texts(message: Message) -> tuple[str, ...]:
    return tuple(part for part in message.content if isinstance(part, str))
