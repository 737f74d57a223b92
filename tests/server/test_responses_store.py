"""Conversations that go on in /v1/responses, and the paths to what is kept."""

import pytest
from openai.types.responses import ResponseItemList
from pydantic import TypeAdapter

from netweight.errors import ServerError
from netweight.server.store import Store
from tests.server.conftest import ANSWER, saying
from tests.server.responses import (
    CODE,
    WEATHER,
    BuiltIn,
    Python,
    api,
    api_saying,
    call,
    code,
    error_of,
    final,
    item_of,
    then,
    thought,
)

ROME = '{"city":"Rome"}'
CALLING = then(thought("Look."), call(ROME))
USER = {"role": "user", "content": "Weather?"}


def answer_to(response, text="rain"):
    item = item_of(response, "function_call")
    return {"type": "function_call_output", "call_id": item["call_id"], "output": text}


@pytest.fixture(scope="module")
def looping():
    """A server whose model calls a function, and answers when the function has."""
    with api_saying(CALLING, final("It rains.")) as server:
        yield server


PROMPT_END = (
    "<|start|>user<|message|>Weather?<|end|><|start|>assistant" + CALLING + "<|start|>"
    "functions.weather to=assistant<|channel|>commentary<|message|>rain<|end|><|start|>assistant"
)


def test_a_tool_loop_goes_on_from_the_previous_response_with_the_thoughts_of_the_model(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    fields = {"previous_response_id": first["id"], "tools": [WEATHER]}
    second = looping.create(**fields, input=[answer_to(first)])
    assert item_of(second, "message")["content"][0]["text"] == "It rains."
    assert looping.prompts[-1].endswith(PROMPT_END)
    assert looping.prompts[-1].startswith(looping.prompts[-2])
    # All but the function's answer and what did not fill a page came from the cache.
    usage = second["usage"]
    assert usage["input_tokens_details"]["cached_tokens"] > usage["input_tokens"] - 120


def test_a_tool_loop_goes_on_from_items_that_are_passed_back(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    items = [USER, *first["output"], answer_to(first)]
    looping.create(input=items, tools=[WEATHER])
    assert looping.prompts[-1].endswith(PROMPT_END)


def test_items_of_a_server_that_keeps_nothing_are_written_anew(looping):
    first = looping.create(input=[USER], tools=[WEATHER], store=False)
    assert first["store"] is False
    looping.create(input=[USER, *first["output"], answer_to(first)], tools=[WEATHER])
    rewritten = PROMPT_END.replace(
        "<|channel|>commentary to=functions.weather ", " to=functions.weather<|channel|>commentary "
    )
    assert looping.prompts[-1].endswith(rewritten)


def test_items_that_were_changed_are_taken_as_they_are_now(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    reasoning, function_call = first["output"]
    changed = reasoning | {"content": [{"type": "reasoning_text", "text": "Hm."}]}
    looping.create(input=[USER, changed, function_call, answer_to(first)], tools=[WEATHER])
    assert "<|message|>Hm.<|end|>" in looping.prompts[-1]
    assert "Look." not in looping.prompts[-1]


def test_items_can_be_referred_to(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    references = [{"type": "item_reference", "id": item["id"]} for item in first["output"]]
    response = looping.create(input=[USER, *references, answer_to(first)], tools=[WEATHER])
    assert looping.prompts[-1].endswith(PROMPT_END)
    kept = looping.client.get(f"responses/{response['id']}/input_items", params={"order": "asc"})
    assert [item["type"] for item in kept.json()["data"]] == [
        "message", "reasoning", "function_call", "function_call_output",
    ]  # fmt: skip


def test_thoughts_are_forgotten_when_the_answer_has_been_given_and_instructions_are_not_kept(
    looping,
):
    first = looping.create(input=[USER], tools=[WEATHER], instructions="Be brief.")
    second = looping.create(previous_response_id=first["id"], input=[answer_to(first)])
    assert "Be brief." not in looping.prompts[-1]
    assert "Look." in looping.prompts[-1]
    third = looping.create(previous_response_id=second["id"], input="Thanks.")
    assert third["previous_response_id"] == second["id"]
    assert "Look." not in looping.prompts[-1]
    assert looping.prompts[-1].endswith(
        "<|channel|>final<|message|>It rains.<|end|>"
        "<|start|>user<|message|>Thanks.<|end|><|start|>assistant"
    )


def test_a_conversation_can_go_two_ways(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    for text in ("rain", "sun"):
        fields = {"previous_response_id": first["id"], "tools": [WEATHER]}
        looping.create(**fields, input=[answer_to(first, text)])
        assert f"<|message|>{text}<|end|>" in looping.prompts[-1]


def test_a_call_has_to_be_answered(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    reply = looping.post(previous_response_id=first["id"], input="And?")
    assert reply.status_code == 400
    assert item_of(first, "function_call")["call_id"] in error_of(reply)["message"]


def test_what_is_kept_need_not_be_sent_again(looping):
    first = looping.create(input=[USER], tools=[WEATHER])
    reply = looping.post(
        previous_response_id=first["id"], input=[*first["output"], answer_to(first)]
    )
    assert reply.status_code == 400
    assert error_of(reply)["param"] == "input[0].id"


def test_an_unknown_response_cannot_be_continued(looping):
    for fields in ({}, {"stream": True}):
        reply = looping.post(previous_response_id="resp_9", **fields)
        assert reply.status_code == 400
        error = error_of(reply)
        assert error["code"] == "previous_response_not_found"
        assert error["param"] == "previous_response_id"
    unstored = looping.create(store=False)
    assert looping.post(previous_response_id=unstored["id"]).status_code == 400


def test_a_conversation_with_a_deleted_response_cannot_be_continued():
    with api(saying(ANSWER)) as server:
        first = server.create()
        second = server.create(previous_response_id=first["id"])
        server.client.delete(f"responses/{first['id']}")
        reply = server.post(previous_response_id=second["id"])
        assert reply.status_code == 400
        assert first["id"] in error_of(reply)["message"]


def test_a_streamed_response_can_be_continued_as_soon_as_its_last_event_is_there():
    with api(saying(ANSWER)) as server:
        previous = None
        for _ in range(3):
            previous = server.stream(previous_response_id=previous)[-1]["response"]["id"]
        assert server.prompts[-1].count("It is 42 ✓.") == 2


def test_what_code_told_is_known_to_the_model_in_the_next_response():
    tools = (BuiltIn(Python),)
    with api_saying(then(code("a"), call(ROME)), final("x"), tools=tools) as server:
        first = server.create(tools=[CODE, WEATHER])
        fields = {"tools": [CODE, WEATHER]}
        server.create(**fields, previous_response_id=first["id"], input=[answer_to(first)])
        by_id = server.prompts[-1]
        items = [{"role": "user", "content": "27 + 15?"}, *first["output"], answer_to(first)]
        server.create(**fields, input=items)
    assert "<|start|>python to=assistant<|channel|>analysis<|message|>A<|end|>" in by_id
    assert server.prompts[-1] == by_id


# What is kept


def test_a_response_can_be_retrieved_as_it_was(looping):
    for fields in ({}, {"top_logprobs": 1, "metadata": {"a": "b"}, "instructions": "Rhyme."}):
        response = looping.create(**fields)
        assert looping.client.get(f"responses/{response['id']}").json() == response
    incomplete = looping.create(max_output_tokens=15)
    assert looping.client.get(f"responses/{incomplete['id']}").json() == incomplete


def test_a_deleted_response_is_gone(looping):
    path = f"responses/{looping.create()['id']}"
    deleted = looping.client.delete(path).json()
    assert deleted == {"id": path.partition("/")[2], "object": "response", "deleted": True}
    for reply in (
        looping.client.get(path),
        looping.client.delete(path),
        looping.client.get(f"{path}/input_items"),
        looping.client.post(f"{path}/cancel"),
    ):
        assert reply.status_code == 404
        assert error_of(reply)["type"] == "invalid_request_error"


def test_a_response_that_is_not_to_be_kept_is_not(looping):
    response = looping.create(store=False)
    assert looping.client.get(f"responses/{response['id']}").status_code == 404


def test_only_background_responses_could_be_cancelled(looping):
    reply = looping.client.post(f"responses/{looping.create()['id']}/cancel")
    assert reply.status_code == 400
    assert "background" in error_of(reply)["message"]


ITEMS = [
    {"role": "developer", "content": "Rhyme."},
    {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
    {"role": "assistant", "content": "b"},
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "c"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "d"},
    {"type": "code_interpreter_call", "id": "ci_1", "code": "e", "outputs": None},
    {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "f"}},
    {"role": "user", "content": "g"},
]


@pytest.fixture(scope="module")
def answering():
    """A server whose model answers at once."""
    with api(saying(ANSWER)) as server:
        yield server


def test_input_items_are_listed_in_pages(answering):
    path = f"responses/{answering.create(input=ITEMS)['id']}/input_items"
    kinds = [item.get("type", "message") for item in ITEMS]

    def page(**query):
        reply = answering.client.get(path, params=query).json()
        TypeAdapter(ResponseItemList).validate_python(reply)
        return reply

    whole = page(order="asc")
    assert [item["type"] for item in whole["data"]] == kinds
    assert (whole["has_more"], whole["first_id"]) == (False, whole["data"][0]["id"])
    assert page()["data"] == whole["data"][::-1]
    ids = []
    after = {}
    while True:
        part = page(order="asc", limit=4, **after)
        ids += [item["id"] for item in part["data"]]
        if not part["has_more"]:
            break
        after = {"after": part["last_id"]}
    assert ids == [item["id"] for item in whole["data"]]
    empty = answering.client.get(path, params={"after": ids[-1], "order": "asc"}).json()
    assert (empty["data"], empty["has_more"]) == ([], False)


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("input_items?limit=0", "limit"),
        ("input_items?limit=101", "limit"),
        ("input_items?order=up", "order"),
        ("input_items?after=msg_9", "after"),
        ("input_items?before=msg_9", "before"),
        ("?stream=true", "stream"),
        ("?starting_after=3", "starting_after"),
        ("?include=everything", "include[0]"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name(looping, path, param):
    response_id = looping.create(max_output_tokens=3)["id"]
    slash = "" if path.startswith("?") else "/"
    reply = looping.client.get(f"responses/{response_id}{slash}{path}")
    assert reply.status_code == 400
    assert error_of(reply)["param"] == param


# The store itself


def test_a_conversation_survives_a_restart(tmp_path):
    path = tmp_path / "kept.sqlite"
    with api_saying(CALLING, final("It rains."), store_path=path) as server:
        first = server.create(input=[USER], tools=[WEATHER])
    with api_saying(CALLING, final("It rains."), store_path=path) as server:
        assert server.client.get(f"responses/{first['id']}").json() == first
        fields = {"previous_response_id": first["id"], "tools": [WEATHER]}
        server.create(**fields, input=[answer_to(first)])
        assert server.prompts[-1].endswith(PROMPT_END)


def test_a_server_does_not_start_with_a_file_that_is_no_store(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 500)
    with pytest.raises(ServerError, match=r"notes\.txt"), api_saying(ANSWER, store_path=path):
        pass


def test_an_answer_that_cannot_be_kept_is_given_all_the_same_and_says_so(monkeypatch, caplog):
    async def put(self, response):
        raise ServerError("the disk is full.")

    monkeypatch.setattr(Store, "put", put)
    with api(saying(ANSWER)) as server:
        response = server.create()
        assert (response["status"], response["store"]) == ("completed", False)
        assert server.stream()[-1]["response"]["store"] is False
    assert "the disk is full" in caplog.text


def test_a_store_that_fails_is_a_503(monkeypatch):
    async def conversation(self, response_id):
        raise ServerError("the disk is gone.")

    monkeypatch.setattr(Store, "conversation", conversation)
    with api(saying(ANSWER)) as server:
        reply = server.post(previous_response_id="resp_1")
        assert reply.status_code == 503
        assert "the disk is gone" in error_of(reply)["message"]
