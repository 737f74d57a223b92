"""The real python and the real browser in /v1/responses: a sandbox, and a folder of pages."""

import time

import pytest

from netweight.tools import Browser, Folder, Python
from tests.server.responses import (
    CODE,
    SEARCH,
    api_saying,
    browse,
    code,
    final,
    item_of,
    then,
    thought,
)
from tests.tools.conftest import needs_sandbox, running, wait_until

__all__ = ["needs_sandbox"]

OUTPUTS = {"tools": [CODE], "include": ["code_interpreter_call.outputs"]}


def logs_of(response):
    runs = [item for item in response["output"] if item["type"] == "code_interpreter_call"]
    return ["".join(output["logs"] for output in run["outputs"]).strip() for run in runs]


@pytest.mark.usefixtures("needs_sandbox")
def test_code_keeps_its_state_through_a_conversation_and_not_beyond():
    texts = [
        then(thought("Set."), code("x = 6 * 7")),
        then(thought("Ask."), code("print(x)")),
        final("It is 42."),
    ]
    with api_saying(*texts, tools=(Python(),), max_context=16384) as server:
        first = server.create(**OUTPUTS, max_tool_calls=1, max_output_tokens=60)
        second = server.create(**OUTPUTS, previous_response_id=first["id"], input="Go on.")
        assert logs_of(second) == ["42"]
        assert item_of(second, "message")["content"][0]["text"] == "It is 42."
        alone = [{"role": "user", "content": "?"}, item_of(first, "code_interpreter_call")]
        alone[1] |= {"container_id": "cntr_other"}
        other = server.create(**OUTPUTS, input=alone)
        assert "NameError" in logs_of(other)[0]


@pytest.mark.usefixtures("needs_sandbox")
def test_a_client_that_leaves_ends_what_runs_in_the_sandbox():
    marker = f"marker-{time.monotonic_ns()}"
    text = code(f"import os; os.execvp('sleep', ['{marker}', '1000'])")
    with api_saying(text, final("x"), tools=(Python(),), max_context=16384) as server:
        body = {"model": "scripted", "input": "?", "tools": [CODE], "stream": True}
        with server.client.stream("POST", "responses", json=body) as reply:
            lines = reply.iter_lines()
            next(lines)
            wait_until(lambda: running(marker), timeout_s=30)
        wait_until(lambda: not running(marker), timeout_s=30)


def test_pages_of_a_folder_are_found_opened_and_cited(tmp_path):
    (tmp_path / "tea.md").write_text("# Tea\n\nPour it hot, at 95 degrees.\n")
    (tmp_path / "ink.md").write_text("# Ink\n\nKeep it cold.\n")
    texts = [
        then(thought("Look."), browse("search", '{"query":"hot tea"}')),
        browse("open", '{"id":0}'),
        browse("find", '{"pattern":"95"}'),
        final("At 95 degrees【1†L2】."),
    ]
    tools = (Browser(Folder(tmp_path)),)
    with api_saying(*texts, tools=tools, max_context=32768) as server:
        events = server.stream(tools=[SEARCH], include=["web_search_call.results"])
    response = events[-1]["response"]
    searched, opened, found = [i for i in response["output"] if i["type"] == "web_search_call"]
    assert "Tea" in searched["results"][0]["text"]
    assert "95 degrees" in opened["results"][0]["text"]
    assert opened["action"]["url"].endswith("tea.md")
    assert found["action"] == {
        "type": "find_in_page", "pattern": "95", "url": opened["action"]["url"],
    }  # fmt: skip
    [part] = item_of(response, "message")["content"]
    [citation] = part["annotations"]
    assert (citation["title"], citation["url"]) == ("Tea", opened["action"]["url"])
