"""Built-in tools in /v1/responses: run here, in sessions that conversations keep."""

import json
import threading
import time
from http.client import HTTPConnection

import httpx
import pytest

from netweight.errors import ToolError
from netweight.server import serving
from netweight.server.settings import ServerSettings
from tests.fakes import spell
from tests.server.conftest import saying_in_turn
from tests.server.responses import (
    CODE,
    CODE_RUN,
    MESSAGE,
    SEARCH,
    THOUGHT,
    WEATHER,
    WEB_SEARCH,
    Browser,
    BuiltIn,
    Python,
    Waiting,
    add_up,
    api_saying,
    browse,
    call,
    code,
    error_of,
    final,
    item_of,
    read_events,
    steps,
    then,
    thought,
)

ROME = '{"city":"Rome"}'


def test_code_is_run_here_and_the_model_goes_on():
    tool = BuiltIn(Python)
    with api_saying(then(thought("Try."), code("a b")), final("Done."), tools=(tool,)) as server:
        events = server.stream(tools=[CODE], include=["code_interpreter_call.outputs"])
        assert steps(events) == [
            "created",
            "in_progress",
            *THOUGHT,
            *CODE_RUN,
            *MESSAGE,
            "completed",
        ]
        response = events[-1]["response"]
        run = item_of(response, "code_interpreter_call")
        assert (run["code"], run["status"]) == ("a b", "completed")
        assert run["outputs"] == [{"type": "logs", "logs": "A B"}]
        assert add_up_without_outputs(events) == [
            i | {"outputs": None} if i is run else i for i in response["output"]
        ]
        assert item_of(response, "message")["content"][0]["text"] == "Done."
        assert "# Tools\n\n## python\n\nShouts." in server.prompts[0]
        assert server.prompts[1].startswith(server.prompts[0])
        usage = response["usage"]
        assert usage["input_tokens"] == sum(len(spell(prompt)) for prompt in server.prompts)
        assert usage["input_tokens_details"]["cached_tokens"] > len(spell(server.prompts[0])) - 32
        assert response["seed"] == server.create(tools=[CODE], seed=response["seed"])["seed"]


def add_up_without_outputs(events):
    hidden = [json.loads(json.dumps(event)) for event in events]
    for event in hidden:
        if event.get("item", {}).get("type") == "code_interpreter_call":
            event["item"]["outputs"] = None
    return add_up(hidden)


def test_what_tools_told_is_shown_only_to_those_who_ask():
    with api_saying(code("a"), final("Done."), tools=(BuiltIn(Python),)) as server:
        response = server.create(tools=[CODE])
        assert item_of(response, "code_interpreter_call")["outputs"] is None
        path = f"responses/{response['id']}"
        assert item_of(server.client.get(path).json(), "code_interpreter_call")["outputs"] is None
        for name in ("include", "include[]"):
            shown = server.client.get(path, params={name: "code_interpreter_call.outputs"}).json()
            outputs = item_of(shown, "code_interpreter_call")["outputs"]
            assert outputs == [{"type": "logs", "logs": "A"}]


def test_the_browser_is_web_search():
    uses = [
        browse("search", '{"query":"tea"}'),
        browse("open", '{"id":"https://tea.example"}'),
        browse("find", '{"pattern":"pot"}'),
    ]
    with api_saying(*uses, final("Tea."), tools=(BuiltIn(Browser),)) as server:
        events = server.stream(tools=[SEARCH], include=["web_search_call.results"])
    assert steps(events) == ["created", "in_progress", *WEB_SEARCH * 3, *MESSAGE, "completed"]
    opened = next(event["item"] for event in events if event.get("output_index") == 1)
    assert opened["action"] == {"type": "open_page", "url": None}
    *calls, _ = events[-1]["response"]["output"]
    assert [call["action"] for call in calls] == [
        {"type": "search", "query": "tea", "queries": None, "sources": None},
        {"type": "open_page", "url": "https://tea.example"},
        {"type": "find_in_page", "pattern": "pot", "url": "https://tea.example"},
    ]
    assert calls[0]["results"] == [{"type": "text", "text": '[0] Tea\n{"query": "tea"}'}]


def test_what_the_answer_cites_is_told_as_soon_as_it_is_written():
    uses = [browse("search", '{"query":"tea"}'), browse("open", '{"id":0}')]
    text = "Hot 【1†L0-L2】 and 【0†L1】【7†L1】 good 【1†L9】."
    with api_saying(*uses, final(text), tools=(BuiltIn(Browser),)) as server:
        events = server.stream(tools=[SEARCH])
        response = events[-1]["response"]
        [part] = item_of(response, "message")["content"]
        assert [text[a["start_index"] : a["end_index"]] for a in part["annotations"]] == [
            "【1†L0-L2】", "【1†L9】",
        ]  # fmt: skip
        page = {("Tea", "https://tea.example")}
        assert {(a["title"], a["url"]) for a in part["annotations"]} == page
        assert add_up(events) == response["output"]
        [first, _] = [e for e in events if e["type"] == "response.output_text.annotation.added"]
        before = events[first["sequence_number"] - 1]
        assert (before["type"], before["delta"]) == ("response.output_text.delta", "】")


def test_pages_that_were_shown_earlier_can_be_cited():
    uses = [browse("open", '{"id":"https://tea.example"}'), final("Hot 【0†L1】【1†L2】.")]
    with api_saying(*uses, tools=(BuiltIn(Browser),)) as server:
        first = server.create(tools=[SEARCH])
        fields = {"tools": [SEARCH], "previous_response_id": first["id"], "input": "Where?"}
        for response, num_cited in ((first, 1), (server.create(**fields), 2)):
            [part] = item_of(response, "message")["content"]
            assert len(part["annotations"]) == num_cited


def test_a_built_in_tool_can_be_chosen():
    tools = (BuiltIn(Python), BuiltIn(Browser))
    with api_saying(code("a"), final("Done."), tools=tools) as server:
        choice = {"type": "code_interpreter"}
        response = server.create(tools=[CODE, SEARCH], tool_choice=choice)
        assert item_of(response, "code_interpreter_call")["code"] == "a"
    with api_saying(browse("search", '{"query":"a"}'), final("Done."), tools=tools) as server:
        choice = {"type": "web_search_preview"}
        response = server.create(tools=[CODE, SEARCH], tool_choice=choice)
        assert item_of(response, "web_search_call")["action"]["query"] == "a"


def test_calls_of_built_in_tools_are_limited():
    with api_saying(code("a"), code("b"), code("c"), tools=(BuiltIn(Python),)) as server:
        response = server.create(tools=[CODE], max_tool_calls=2, max_output_tokens=300)
    runs = [item for item in response["output"] if item["type"] == "code_interpreter_call"]
    assert [run["code"] for run in runs] == ["a", "b"]


def test_code_beside_a_function_call_is_run_before_the_client_answers():
    text = then(code("a"), call(ROME))
    with api_saying(text, tools=(BuiltIn(Python),)) as server:
        events = server.stream(tools=[CODE, WEATHER], include=["code_interpreter_call.outputs"])
    run, function_call = events[-1]["response"]["output"]
    assert (run["status"], run["outputs"][0]["logs"]) == ("completed", "A")
    assert function_call["arguments"] == ROME
    assert events[-1]["type"] == "response.completed"


def test_a_call_that_the_model_does_not_wait_for_is_left_incomplete():
    with api_saying(then(code("a"), final("Bye.")), tools=(BuiltIn(Python),)) as server:
        events = server.stream(tools=[CODE])
    assert [item["status"] for item in events[-1]["response"]["output"]] == [
        "incomplete",
        "completed",
    ]
    assert [e["output_index"] for e in events if e["type"] == "response.output_item.done"] == [1, 0]


class Broken(Python):
    def run(self, call, *, is_stopped):
        raise ToolError("the sandbox is gone.")


def test_a_tool_that_does_not_work_fails_the_response():
    with api_saying(code("a"), final("x"), tools=(BuiltIn(Broken),)) as server:
        reply = server.post(tools=[CODE])
        assert reply.status_code == 503
        assert "the sandbox is gone" in error_of(reply)["message"]
        assert (
            "the sandbox is gone" in server.stream(tools=[CODE])[-1]["response"]["error"]["message"]
        )


# Sessions


def test_a_conversation_keeps_its_tools_and_another_has_its_own():
    tool = BuiltIn(Python)
    with api_saying(code("a"), code("b"), final("x"), tools=(tool,)) as server:
        fields = {"tools": [CODE], "include": ["code_interpreter_call.outputs"]}
        first = server.create(**fields, max_tool_calls=1, max_output_tokens=60)
        run = item_of(first, "code_interpreter_call")
        following = server.create(**fields, previous_response_id=first["id"], input="Go on.")
        # The first thought and its call are the model's own, so that the second reply is due.
        again = item_of(following, "code_interpreter_call")
        assert again["container_id"] == run["container_id"]
        assert again["outputs"][0]["logs"] == "A B"
        other = server.create(**fields, max_tool_calls=1, max_output_tokens=60)
        fresh = item_of(other, "code_interpreter_call")
        assert fresh["container_id"] != run["container_id"]
        assert fresh["outputs"][0]["logs"] == "A"
        assert len(tool.opened) == 2


def test_items_that_are_passed_back_lead_to_the_same_tools_and_so_does_a_containers_id():
    tool = BuiltIn(Python)
    with api_saying(code("a"), code("b"), final("x"), tools=(tool,)) as server:
        fields = {"tools": [CODE], "include": ["code_interpreter_call.outputs"], "store": False}
        first = server.create(**fields, max_tool_calls=1, max_output_tokens=60)
        run = item_of(first, "code_interpreter_call")
        passed_back = [{"role": "user", "content": "?"}, run]
        server.create(**fields, input=passed_back, max_tool_calls=1, max_output_tokens=60)
        assert tool.opened[0].heard == ["a", "b"]
        named = CODE | {"container": run["container_id"]}
        server.create(**fields | {"tools": [named]}, max_tool_calls=1, max_output_tokens=60)
        assert tool.opened[0].heard == ["a", "b", "a"]
        assert len(tool.opened) == 1
        reply = server.post(tools=[CODE | {"container": "cntr_gone"}])
        assert reply.status_code == 404
        assert error_of(reply)["param"] == "tools[0].container"


def test_tools_are_closed_when_the_server_stops():
    tool = BuiltIn(Python)
    with api_saying(code("a"), final("x"), tools=(tool,)) as server:
        server.create(tools=[CODE])
        assert tool.opened[0].num_closed == 0
    assert tool.opened[0].num_closed == 1


# While a tool runs


@pytest.fixture
def slow():
    """A server whose model runs code that takes long, and the tool that runs it."""
    tool = Waiting()
    built_in = BuiltIn(Python)
    built_in._make = lambda: tool
    with api_saying(code("a"), final("x"), tools=(built_in,)) as server:
        yield server, tool


BODY = {"model": "scripted", "input": "?", "tools": [CODE]}


def test_a_client_that_leaves_a_stream_stops_its_tool_at_once(slow):
    server, tool = slow
    with server.client.stream("POST", "responses", json={**BODY, "stream": True}) as reply:
        lines = reply.iter_lines()
        next(lines)
        assert tool.has_begun.wait(30)
    assert tool.has_ended.wait(30)
    assert tool.was_stopped
    assert not server.model.engine.has_work
    server.model.engine.check_integrity()


def test_a_client_that_leaves_while_waiting_stops_its_tool_at_once(slow):
    server, tool = slow
    url = server.client.base_url
    connection = HTTPConnection(url.host, url.port)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/responses", json.dumps(BODY), headers)
    assert tool.has_begun.wait(30)
    connection.close()
    assert tool.has_ended.wait(30)
    assert tool.was_stopped


def test_others_are_answered_while_a_tool_runs(slow):
    server, tool = slow
    with server.client.stream("POST", "responses", json={**BODY, "stream": True}) as reply:
        lines = reply.iter_lines()
        next(lines)
        assert tool.has_begun.wait(30)
        other = server.create(input="no tools", max_output_tokens=5)
        assert other["status"] == "incomplete"
        assert not tool.has_ended.is_set()


def test_a_server_that_stops_ends_a_call_and_says_why():
    tool, texts = Waiting(), []
    built_in = BuiltIn(Python)
    built_in._make = lambda: tool
    settings = ServerSettings(tools=(built_in,))
    with serving(saying_in_turn(code("a"), final("x")), settings) as url:
        body = {**BODY, "stream": True}
        reading = threading.Thread(
            target=lambda: texts.append(httpx.post(f"{url}/responses", json=body, timeout=60).text)
        )
        reading.start()
        assert tool.has_begun.wait(30)
    reading.join(timeout=30)
    failed = read_events(texts[0])[-1]
    assert failed["type"] == "response.failed"
    assert "the server is stopping" in failed["response"]["error"]["message"]


class Unhurried(Python):
    """Takes a moment."""

    def run(self, call, *, is_stopped):
        time.sleep(0.2)
        return super().run(call, is_stopped=is_stopped)


def test_all_rounds_of_an_answer_have_its_time_together():
    tool = BuiltIn(Unhurried)
    with api_saying(*[code("a")] * 16, final("Done."), tools=(tool,), answer_timeout_s=1) as server:
        reply = server.post(tools=[CODE])
        error = error_of(reply)
        assert (reply.status_code, error["code"]) == (504, "timeout")
        assert "1 seconds, this server's limit for all of it, tool calls incl" in error["message"]
        [python] = tool.opened
        assert 1 <= len(python.heard) <= 6


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_tool_that_takes_too_long_is_stopped_with_the_answer(is_streamed):
    tool = BuiltIn(Waiting)
    # Long enough for the model to have called its tool, on a busy machine too.
    with api_saying(code("a"), final("Done."), tools=(tool,), answer_timeout_s=3) as server:
        if is_streamed:
            failed = server.stream(tools=[CODE])[-1]
            assert failed["type"] == "response.failed"
            message = failed["response"]["error"]["message"]
        else:
            message = error_of(server.post(tools=[CODE]))["message"]
        assert "longer than 3 seconds" in message
        [python] = tool.opened
        assert python.has_begun.is_set()
        assert python.has_ended.wait(5)
        assert python.was_stopped
