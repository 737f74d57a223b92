"""What tests of /v1/responses share: servers, streams read event by event, a browser."""

import json
import re
import threading
import time
from contextlib import contextmanager

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from netweight.harmony import Tool, ToolNamespace
from netweight.server.settings import ServerSettings
from tests.server.conftest import Shouting, client_of, saying, saying_in_turn

EVENT = TypeAdapter(ResponseStreamEvent)
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "Weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CODE = {"type": "code_interpreter", "container": {"type": "auto"}}
SEARCH = {"type": "web_search"}


def then(*messages):
    """Messages in the order in which a model says them; all but the last end in `<|end|>`."""
    ended = [re.sub(r"<\|(call|return)\|>$", "<|end|>", message) for message in messages[:-1]]
    return "<|start|>assistant".join([*ended, messages[-1]])


def thought(text):
    return f"<|channel|>analysis<|message|>{text}<|end|>"


def final(text):
    return f"<|channel|>final<|message|>{text}<|return|>"


def preamble(text):
    return f"<|channel|>commentary<|message|>{text}<|end|>"


def call(arguments, *, name="weather"):
    return (
        f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{arguments}<|call|>"
    )


def code(text):
    return f"<|channel|>analysis to=python code<|message|>{text}<|call|>"


def browse(function, arguments):
    return (
        f"<|channel|>analysis to=browser.{function} <|constrain|>json<|message|>{arguments}<|call|>"
    )


class BuiltIn:
    """A tool that a server can offer: opens one of `make`'s for each conversation."""

    def __init__(self, make):
        self._make = make
        self.namespace = make().namespace
        self.opened = []

    def open(self):
        self.opened.append(self._make())
        return self.opened[-1]


class Python(Shouting):
    """Shouts, and remembers what it was told, until it is closed."""

    def __init__(self):
        super().__init__("python")
        self.num_closed = 0

    def run(self, call, *, is_stopped):
        super().run(call, is_stopped=is_stopped)
        return " ".join(self.heard).upper()

    def close(self):
        self.num_closed += 1
        self.heard.clear()


class Waiting(Python):
    """Runs until it is stopped."""

    def __init__(self):
        super().__init__()
        self.has_begun = threading.Event()
        self.has_ended = threading.Event()

    def run(self, call, *, is_stopped):
        self.has_begun.set()
        deadline = time.monotonic() + 60
        while not is_stopped() and time.monotonic() < deadline:
            time.sleep(0.002)
        self.was_stopped = is_stopped()
        self.has_ended.set()
        return "stopped"


class Browser:
    """Tells what it was asked."""

    namespace = ToolNamespace(
        "browser",
        "Browses.",
        tuple(Tool(name, "", {"type": "object"}) for name in ("search", "open", "find")),
    )

    def __init__(self):
        self.num_views = 0

    def run(self, call, *, is_stopped):
        """As the real browser, shows numbered views; those of pages have an address."""
        place = {"browser.search": "", "browser.find": " (https://tea.example/find?pattern=pot)"}
        self.num_views += 1
        asked = json.dumps(call.arguments)
        return (
            f"[{self.num_views - 1}] Tea{place.get(call.name, ' (https://tea.example)')}\n{asked}"
        )

    def close(self):
        pass


class Api:
    """A client of one server, its model, and the prompts that the model was given."""

    def __init__(self, client, model):
        self.client = client
        self.model = model
        self.prompts = []
        submit = model.engine.submit
        model.engine.submit = lambda request: self._note(request) or submit(request)

    def _note(self, request):
        self.prompts.append(self.model.vocabulary.decode(request.prompt_ids))

    def post(self, **fields):
        body = {"model": "scripted", "input": "27 + 15?", **fields}
        return self.client.post("responses", json=body)

    def create(self, **fields):
        """The response, which is as OpenAI's types say."""
        reply = self.post(**fields)
        assert reply.status_code == 200, reply.text
        Response.model_validate(reply.json(), strict=False)
        return reply.json()

    def stream(self, **fields):
        """The events, all of them as OpenAI's types say, and numbered."""
        reply = self.post(stream=True, **fields)
        assert reply.headers["content-type"].startswith("text/event-stream"), reply.text
        events = read_events(reply.text)
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        return events


def read_events(text):
    *blocks, end = text.split("\n\n")
    assert end == ""
    events = []
    for block in blocks:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        EVENT.validate_python(event)
        events.append(event)
    return events


@contextmanager
def api(model, **settings):
    """A real server around a ChatModel."""
    with client_of(model, ServerSettings(**settings)) as client:
        yield Api(client, model)


def api_saying(*texts, max_context=4096, **settings):
    """A server whose model says the next text each time that there is one more call."""
    say = saying if len(texts) == 1 else saying_in_turn
    return api(say(*texts, max_context=max_context), **settings)


def steps(events):
    """The types of events, repeated ones once, without their common beginning."""
    types = [event["type"].removeprefix("response.") for event in events]
    return [kind for kind, before in zip(types, [None, *types], strict=False) if kind != before]


def item_of(response, kind):
    [item] = [item for item in response["output"] if item["type"] == kind]
    return item


def error_of(reply):
    assert reply.headers["content-type"] == "application/json"
    assert reply.json().keys() == {"error"}
    assert reply.json()["error"].keys() == {"message", "type", "param", "code"}
    return reply.json()["error"]


# The order of events. OpenAI's own, as captured in openai/gpt-oss (tests-data/*.txt, 7b58334), had
# no text of thoughts, whose events are those of the reference server in that repository.

MESSAGE = [
    "output_item.added", "content_part.added", "output_text.delta", "output_text.done",
    "content_part.done", "output_item.done",
]  # fmt: skip
THOUGHT = [
    "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.done",
    "content_part.done", "output_item.done",
]  # fmt: skip
FUNCTION_CALL = [
    "output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
    "output_item.done",
]  # fmt: skip
WEB_SEARCH = [
    "output_item.added", "web_search_call.in_progress", "web_search_call.searching",
    "web_search_call.completed", "output_item.done",
]  # fmt: skip
CODE_RUN = [
    "output_item.added", "code_interpreter_call.in_progress", "code_interpreter_call_code.delta",
    "code_interpreter_call_code.done", "code_interpreter_call.interpreting",
    "code_interpreter_call.completed", "output_item.done",
]  # fmt: skip


def without_ids(value):
    """A JSON value without what is different each time."""
    if isinstance(value, dict):
        volatile = {"id", "call_id", "created_at", "completed_at", "container_id", "seed"}
        return {name: without_ids(item) for name, item in value.items() if name not in volatile}
    return [without_ids(item) for item in value] if isinstance(value, list) else value


def add_up(events):
    """The output as a client that reads nothing but deltas has it."""
    items = {}
    for event in events:
        index = event.get("output_index")
        match event:
            case {"type": "response.output_item.added", "item": item}:
                assert item["status"] == "in_progress"
                items[index] = item
            case {"type": "response.output_item.done", "item": item}:
                # What is known at the end only, and is not told in deltas.
                items[index] |= {name: item[name] for name in ("status", "action") if name in item}
                assert items[index] == item
            case {"item_id": item_id}:
                assert items[index]["id"] == item_id
                add_to(items[index], event)
    return [items[index] for index in sorted(items)]


def add_to(item, event):
    """Add what one event tells to the item that it is of."""
    match event:
        case {"type": "response.content_part.added", "part": part}:
            item["content"].append(part)
        case {"type": "response.output_text.delta", "delta": delta, "logprobs": logprobs}:
            item["content"][0]["text"] += delta
            item["content"][0]["logprobs"] += logprobs
        case {"type": "response.reasoning_text.delta", "delta": delta}:
            item["content"][0]["text"] += delta
        case {"type": "response.output_text.annotation.added", "annotation": annotation}:
            assert len(item["content"][0]["annotations"]) == event["annotation_index"]
            item["content"][0]["annotations"].append(annotation)
        case {"type": "response.function_call_arguments.delta", "delta": delta}:
            item["arguments"] += delta
        case {"type": "response.code_interpreter_call_code.delta", "delta": delta}:
            item["code"] += delta
