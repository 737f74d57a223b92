"""Items of the Responses API that a server kept, and those of built-in tools."""

import pytest

from netweight.errors import HarmonyError
from netweight.harmony import Message, parse_completion, render_conversation
from netweight.harmony.responses import ANSWER_NOT_KEPT, from_responses
from tests.fakes import byte_vocabulary, spell

USER = {"type": "message", "role": "user", "content": "Weather?"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "rain"}
WRITTEN = "<|channel|>commentary to=functions.f json<|message|>{}<|call|>"


def parsed(text):
    return parse_completion(byte_vocabulary(), spell(text))


def rendered(messages):
    return byte_vocabulary().decode(render_conversation(byte_vocabulary(), messages))


def test_a_kept_call_is_rendered_as_the_model_wrote_it():
    messages = from_responses([USER, CALL, RESULT], written={"fc_1": parsed(WRITTEN)})
    assert rendered(messages) == (
        "<|start|>user<|message|>Weather?<|end|><|start|>assistant" + WRITTEN + "<|start|>"
        "functions.f to=assistant<|channel|>commentary<|message|>rain<|end|>"
    )


def test_results_of_kept_calls_are_put_in_their_order():
    calls = [CALL, CALL | {"id": "fc_2", "call_id": "d"}]
    results = [RESULT | {"call_id": "d", "output": "second"}, RESULT | {"output": "first"}]
    written = {"fc_1": parsed(WRITTEN), "fc_2": parsed(WRITTEN)}
    messages = from_responses([*calls, *results], written=written)
    assert [message.text for message in messages] == ["{}", "{}", "first", "second"]


def test_a_kept_call_of_a_tool_whose_identifier_is_another_now_is_written_anew():
    tools = [{"type": "function", "name": name} for name in ("f-g", "f_g")]
    call = CALL | {"name": "f-g"}
    kept = parsed(WRITTEN.replace("functions.f", "functions.f_g"))
    _, message = from_responses([call], tools=tools, written={"fc_1": kept})
    assert message.recipient == "functions.f_g_2"


CODE = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "code": "print(1)",
    "outputs": [{"type": "logs", "logs": "1\n"}],
}


def search(**action):
    return {"type": "web_search_call", "id": "ws_1", "action": action, "results": [{"text": "R"}]}


@pytest.mark.parametrize(
    ("item", "recipient", "text", "answer"),
    [
        (CODE, "python", "print(1)", "1\n"),
        (CODE | {"outputs": None}, "python", "print(1)", ANSWER_NOT_KEPT),
        (CODE | {"code": None}, "python", "", "1\n"),
        (search(type="search", query="a"), "browser.search", '{"query":"a"}', "R"),
        (search(type="open_page", url="b"), "browser.open", '{"id":"b"}', "R"),
        (search(type="open_page"), "browser.open", "{}", "R"),
        (search(type="find_in_page", pattern="c"), "browser.find", '{"pattern":"c"}', "R"),
    ],
)
def test_a_use_of_a_built_in_tool_is_a_call_and_its_answer(item, recipient, text, answer):
    call, result = from_responses([item])
    assert (call.recipient, call.channel, call.text) == (recipient, "analysis", text)
    assert (result.name, result.channel, result.text) == (recipient, "analysis", answer)


def test_kept_answers_of_built_in_tools_are_taken_before_the_items():
    kept = [*parsed("<|channel|>analysis to=python code<|message|>2<|call|>")]
    kept.append(Message.tool("python", "two", channel="analysis"))
    assert from_responses([CODE], written={"ci_1": kept}) == kept


def test_an_unknown_action_is_refused_by_name():
    with pytest.raises(HarmonyError, match="'dance'"):
        from_responses([search(type="dance")])
