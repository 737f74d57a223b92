"""What a response goes on from: the request's own input, and what the store has of it.

Items are JSON objects as the API shows them. Beside them the store has how the model wrote its own:
given back token by token, they are found in the engine's cache. Knows the store and Harmony's
messages; knows no HTTP.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from netweight.harmony import Layout, Message, Role
from netweight.server import responses_in as given
from netweight.server.problems import Problem
from netweight.server.responses_out import Json
from netweight.server.store import ResponseMissing, Store, StoredItem

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "code_interpreter_call": "ci",
    "web_search_call": "ws",
}


def new_id(kind: str) -> str:
    """An id that nobody can guess, for an item of this type."""
    return f"{_PREFIXES[kind]}_{secrets.token_hex(16)}"


@dataclass
class History:
    """All that the model has to know: items of earlier responses, then the request's own.

    `written` has, by their ids, items as the model wrote them. `session_id` is that of the tools
    that the conversation has opened, if any.
    """

    items: list[Json] = field(default_factory=list)
    own: list[Json] = field(default_factory=list)
    written: dict[str, list[Message]] = field(default_factory=dict)
    session_id: str | None = None

    @property
    def prompt_items(self) -> list[Json]:
        """The items that the model is told: calls that broke off would only confuse it."""
        return [item for item in (*self.items, *self.own) if not _broke_off(item)]

    @property
    def shown(self) -> Iterator[str]:
        """What the browser showed, in its order."""
        for messages in self.written.values():
            for message in messages:
                if message.role is Role.TOOL and str(message.name).startswith("browser."):
                    yield message.text


def _broke_off(item: Json) -> bool:
    return item["type"].endswith("_call") and item.get("status") == "incomplete"


async def gather(body: given.ResponseRequest, store: Store) -> History:
    """What the request refers to, and what it brings.

    Raises:
        Problem: for a response or item that is not kept, an item that is there twice, and calls and
            their outputs that do not match.
        ServerError: when the store fails.
    """
    history = History()
    if body.previous_response_id is not None:
        await _add_earlier(history, body.previous_response_id, store)
    await _add_own(history, _given_items(body), store)
    _check_ids(history)
    _check_calls(history)
    history.session_id = _container(history) or history.session_id
    return history


async def _add_earlier(history: History, response_id: str, store: Store) -> None:
    try:
        responses = await store.conversation(response_id)
    except ResponseMissing as missing:
        what = f"previous response with id {response_id!r} not found"
        if missing.response_id != response_id:
            what = f"response {response_id!r} goes on from {missing.response_id!r}, which is gone"
        raise Problem(
            f"{what}. It was deleted, unused for too long, or never stored (store: false).",
            param="previous_response_id",
            code="previous_response_not_found",
        ) from missing
    for response in responses:
        for item in response.items:
            _take(history, history.items, item)
    history.session_id = json.loads(responses[-1].body)["session_id"]


def _take(history: History, items: list[Json], stored: StoredItem) -> None:
    items.append(json.loads(stored.body))
    _take_written(history, stored)


def _take_written(history: History, stored: StoredItem) -> None:
    if stored.written is not None:
        history.written[stored.item_id] = read_messages(stored.written)


def _given_items(body: given.ResponseRequest) -> list[given.GivenItem]:
    if not body.input and not isinstance(body.input, str):
        if body.previous_response_id is None:
            raise Problem("input is missing.", param="input", code="missing_required_parameter")
        return []
    if isinstance(body.input, str):
        return [given.GivenMessage(role="user", content=body.input)]
    return body.input


async def _add_own(history: History, items: Sequence[given.GivenItem], store: Store) -> None:
    kept = await store.items(item.id for item in items if item.id is not None)
    for index, item in enumerate(items):
        stored = kept.get(item.id) if item.id is not None else None
        if isinstance(item, given.ItemReference):
            if stored is None:
                raise Problem(
                    f"input[{index}].id: item with id {item.id!r} not found. Items are kept with "
                    "the responses that they belong to; send the item itself.",
                    status=404,
                    param=f"input[{index}].id",
                )
            _take(history, history.own, stored)
        else:
            full = _completed(item)
            history.own.append(full)
            if stored is not None and _says(full) == _says(json.loads(stored.body)):
                _take_written(history, stored)


def _completed(item: given.GivenItem) -> Json:
    """The item as the API shows it, with all that clients may leave out."""
    kind = item.type
    full: Json = {"id": new_id(kind), "status": "completed"} | item.model_dump(exclude_none=True)
    if kind == "message" and isinstance(full["content"], str):
        full["content"] = [_text_part(full["role"], full["content"])]
    if kind == "reasoning":
        full.setdefault("summary", [])
    if kind == "code_interpreter_call":
        full = {"container_id": "", "code": ""} | full
    return full


def _text_part(role: str, text: str) -> Json:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def _says(item: Json) -> object:
    """What an item means to the model, for finding out whether a client has changed it."""
    match item["type"]:
        case "message":
            return item["role"], item.get("phase"), _texts(item["content"])
        case "reasoning":
            return _texts(item.get("content"))
        case "function_call":
            return item["call_id"], item["name"], item["arguments"]
        case "code_interpreter_call":
            return item["code"]
        case "web_search_call":
            return {name: value for name, value in item["action"].items() if value is not None}
        case _:
            return item


def _texts(parts: Sequence[Json] | None) -> list[object]:
    return [part.get("text") for part in parts or ()]


def _check_ids(history: History) -> None:
    seen = {item["id"] for item in history.items}
    for index, item in enumerate(history.own):
        if item["id"] in seen:
            raise Problem(
                f"input[{index}].id: item {item['id']!r} is there twice. What "
                "previous_response_id leads to need not be sent again.",
                param=f"input[{index}].id",
                code="invalid_value",
            )
        seen.add(item["id"])


def _check_calls(history: History) -> None:
    """Each output answers a call before it, and each call has an output, as OpenAI demands."""
    unanswered: dict[str, None] = {}
    called: set[str] = set()
    for index, item in enumerate(history.items + history.own, start=-len(history.items)):
        if item["type"] == "function_call" and not _broke_off(item):
            called.add(item["call_id"])
            unanswered[item["call_id"]] = None
        elif item["type"] == "function_call_output":
            if item["call_id"] not in called:
                raise Problem(
                    f"input[{index}].call_id: no function call {item['call_id']!r} comes before "
                    "this output.",
                    param=f"input[{index}].call_id",
                    code="invalid_value",
                )
            unanswered.pop(item["call_id"], None)
    if unanswered:
        raise Problem(
            f"input: no output for function call {next(iter(unanswered))!r}. Send an item of type "
            "function_call_output with this call_id.",
            param="input",
            code="invalid_value",
        )


def _container(history: History) -> str | None:
    """The container of the last code that was run, as far as the items tell."""
    for item in reversed(history.own):
        if item["type"] == "code_interpreter_call" and item["container_id"]:
            return str(item["container_id"])
    return None


# Messages as the model wrote them, and tools' answers to them


def written_text(messages: Iterable[Message]) -> str:
    """The messages as JSON for the store."""
    return json.dumps([_written(message) for message in messages], separators=(",", ":"))


def _written(message: Message) -> Json:
    fields = {
        "role": str(message.role),
        "name": message.name,
        "channel": message.channel,
        "recipient": message.recipient,
        "content_type": message.content_type,
        "text": message.text,
        "is_complete": message.is_complete,
        "token_ids": None if message.layout is None else list(message.layout.token_ids),
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_messages(text: str) -> list[Message]:
    """The messages that `written_text` wrote."""
    return [_read(fields) for fields in json.loads(text)]


def _read(fields: Json) -> Message:
    said = Message(
        Role(fields["role"]),
        (fields["text"],),
        fields.get("name"),
        fields.get("channel"),
        fields.get("recipient"),
        fields.get("content_type"),
    )
    token_ids = fields.get("token_ids")
    layout = None if token_ids is None else Layout(said, tuple(token_ids))
    return Message(
        said.role,
        said.content,
        said.name,
        said.channel,
        said.recipient,
        said.content_type,
        layout,
        fields["is_complete"],
    )


def kept_items(items: Sequence[Json]) -> Iterator[StoredItem]:
    """A request's own items, for the store."""
    for item in items:
        yield StoredItem(str(item["id"]), json.dumps(item, separators=(",", ":")))
