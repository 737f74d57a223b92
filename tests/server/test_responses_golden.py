"""Streams of /v1/responses, event by event, as files in tests/golden (pytest --regen).

The order of events and the fields of each are held against OpenAI's own streams, as captured in
openai/gpt-oss (tests-data/basic-event-stream.txt and web-search-event-stream.txt, 7b58334).
"""

import re
from pathlib import Path

import pytest

from tests.server.responses import (
    CODE,
    SEARCH,
    WEATHER,
    Browser,
    BuiltIn,
    Python,
    api_saying,
    browse,
    call,
    code,
    final,
    preamble,
    read_events,
    then,
    thought,
)

GOLDEN = Path(__file__).parents[1] / "golden"

CASES = {
    "answer": ([then(thought("Hm"), final("No✓"))], {}),
    "calls": (
        [then(preamble("I"), call("{}"), call("[]"))],
        {"tools": [WEATHER | {"strict": False}]},
    ),
    "code": (
        [code("a"), final("A")],
        {"tools": [CODE], "include": ["code_interpreter_call.outputs"]},
    ),
    "search": ([browse("open", '{"id":"x"}'), final("【0†L0】")], {"tools": [SEARCH]}),
    "incomplete": ([thought("Hmm")], {"max_output_tokens": 12}),
    "logprobs": ([final("No")], {"top_logprobs": 1}),
}


def readable(stream):
    """The stream without what differs from run to run; the response whole in its last event."""
    text = re.sub(r"\b(resp|rs|msg|fc|ci|ws|call|cntr)_[0-9a-f]{24,48}", r"\1_ID", stream)
    text = re.sub(r'"(created|completed)_at":\d+', r'"\1_at":0', text)
    text = re.sub(r'"cached_tokens":\d+', '"cached_tokens":0', text)
    text = re.sub(r'"logprob":-?\d+\.\d+', '"logprob":LOGPROB', text)
    *begun, last = text.removesuffix("\n\n").split("\n\n")
    begun = [re.sub(r'"response":\{.*\}\}', '"response":RESPONSE}', event) for event in begun]
    return "\n\n".join([*begun, last]) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_a_stream_is_as_it_was(name, request):
    texts, fields = CASES[name]
    tools = (BuiltIn(Python), BuiltIn(Browser))
    with api_saying(*texts, tools=tools) as server:
        reply = server.post(stream=True, seed=7, **fields)
    read_events(reply.text)
    text = readable(reply.text)
    path = GOLDEN / f"responses_{name}.txt"
    if request.config.getoption("--regen"):
        path.write_text(text)
    assert text == path.read_text()


# The fields that OpenAI's streams have, by event and by item; ours may have more.
PLACE = {"item_id", "output_index", "content_index"}
FIELDS = {
    "response.created": {"response"},
    "response.in_progress": {"response"},
    "response.output_item.added": {"output_index", "item"},
    "response.content_part.added": PLACE | {"part"},
    "response.output_text.delta": PLACE | {"delta", "logprobs"},
    "response.output_text.annotation.added": PLACE | {"annotation_index", "annotation"},
    "response.output_text.done": PLACE | {"text", "logprobs"},
    "response.content_part.done": PLACE | {"part"},
    "response.output_item.done": {"output_index", "item"},
    "response.web_search_call.in_progress": {"output_index", "item_id"},
    "response.web_search_call.searching": {"output_index", "item_id"},
    "response.web_search_call.completed": {"output_index", "item_id"},
    "response.completed": {"response"},
}
RESPONSE = {
    "id", "object", "created_at", "status", "background", "error", "incomplete_details",
    "instructions", "max_output_tokens", "max_tool_calls", "model", "output",
    "parallel_tool_calls", "previous_response_id", "reasoning", "service_tier", "store",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage",
    "user", "metadata",
}  # fmt: skip
ITEMS = {
    "reasoning": {"id", "type", "summary"},
    "message": {"id", "type", "status", "content", "role"},
    "web_search_call": {"id", "type", "status", "action"},
}
PARTS = {"output_text": {"type", "annotations", "logprobs", "text"}}
ANNOTATION = {"type", "start_index", "end_index", "title", "url"}
USAGE = {
    "input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details",
    "total_tokens",
}  # fmt: skip


def test_events_have_all_the_fields_of_openais():
    told = [browse("search", '{"query":"a"}'), browse("open", '{"id":0}')]
    text = then(thought("Hm"), final("Tea【1†L0】."))
    with api_saying(*told, text, tools=(BuiltIn(Browser),)) as server:
        events = server.stream(tools=[SEARCH])
    assert {event["type"] for event in events} >= FIELDS.keys()
    for event in events:
        assert event.keys() >= FIELDS.get(event["type"], set()) | {"type", "sequence_number"}
        if "response" in event:
            assert event["response"].keys() >= RESPONSE
        if "item" in event:
            assert event["item"].keys() >= ITEMS[event["item"]["type"]]
        if "part" in event:
            assert event["part"].keys() >= PARTS.get(event["part"]["type"], set())
        if "annotation" in event:
            assert event["annotation"].keys() >= ANNOTATION
    assert events[-1]["response"]["usage"].keys() == USAGE
