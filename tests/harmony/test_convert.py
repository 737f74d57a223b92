"""OpenAI messages to Harmony and back, for both APIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import HarmonyError
from netweight.harmony import DeveloperContent, Message, Role, ToolNamespace
from netweight.harmony.convert import from_chat, to_chat
from netweight.harmony.names import ToolNames
from netweight.harmony.responses import from_responses, to_responses
from netweight.harmony.tools import is_identifier
from tests.harmony import strategies

GET_WEATHER = {
    "type": "function",
    "function": {"name": "get-weather", "description": "W.", "parameters": {"type": "object"}},
}
CALL = {"id": "call_0", "type": "function", "function": {"name": "get-weather", "arguments": "{}"}}
CHAT = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "Weather?", "name": "bob"},
    {
        "role": "assistant",
        "reasoning_content": "hm",
        "content": "Let me look.",
        "tool_calls": [CALL, CALL | {"id": "call_1"}],
    },
    {"role": "tool", "tool_call_id": "call_0", "content": "20"},
    {"role": "tool", "tool_call_id": "call_1", "content": "21"},
    {"role": "assistant", "content": "20 degrees."},
]


def test_chat_messages_become_harmony():
    messages = from_chat(CHAT, tools=[GET_WEATHER])
    assert [message.channel for message in messages[2:]] == [
        "analysis", "commentary", "commentary", "commentary", "commentary", "commentary", "final",
    ]  # fmt: skip
    assert messages[4].recipient == "functions.get_weather"
    assert messages[6].name == "functions.get_weather"
    assert isinstance(messages[0].content[0], DeveloperContent)
    assert messages[0].content[0].instructions == "Be brief."
    assert messages[0].content[0].tools[0].tools[0].name == "get_weather"


def test_chat_messages_come_back_as_they_were():
    names = ToolNames()
    assert to_chat(from_chat(CHAT, names=names), names=names) == CHAT


def texts():
    return strategies.unicode_texts(10).filter(str.strip)


def chat_turns():
    call = {"id": "", "type": "function"}
    calls = st.lists(
        st.builds(
            lambda name, arguments: call | {"function": {"name": name, "arguments": arguments}},
            st.from_regex(r"[a-z][a-z0-9_-]{0,6}", fullmatch=True),
            texts(),
        ),
        min_size=1,
        max_size=3,
    )
    said = st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": texts()}, optional={"reasoning_content": texts()}
    )
    called = st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": st.none() | texts(), "tool_calls": calls},
        optional={"reasoning_content": texts()},
    )
    parts = st.lists(texts(), min_size=2, max_size=3).map(
        lambda parts: [{"type": "text", "text": part} for part in parts]
    )
    user = st.builds(lambda content: {"role": "user", "content": content}, texts() | parts)
    developer = st.builds(lambda text: {"role": "developer", "content": text}, texts())
    return st.one_of(user, developer, said, called)


def numbered(turns):
    """The turns with the call ids that come back, and a result for each call."""
    number, out = 0, []
    for turn in turns:
        if out and out[-1]["role"] == "assistant" and turn["role"] == "assistant":
            continue  # two assistant turns in a row would be one
        calls = []
        for call in turn.get("tool_calls", []):
            calls.append(call | {"id": f"call_{number}"})
            number += 1
        out.append(turn | ({"tool_calls": calls} if calls else {}))
        out += [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in calls]
    return out


@given(turns=st.lists(chat_turns(), max_size=5).map(numbered))
def test_any_chat_comes_back_as_it_was(turns):
    names = ToolNames()
    assert to_chat(from_chat(turns, names=names), names=names) == turns


@given(turns=st.lists(chat_turns(), max_size=5).map(numbered))
def test_harmony_comes_back_from_the_responses_api_as_it_was(turns):
    names = ToolNames()
    messages = [message for message in from_chat(turns, names=names) if message.name is None]
    items = to_responses(messages, names=names)
    assert from_responses(items, names=names) == messages


def test_responses_items_become_harmony():
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "20"},
    ]
    tool = {"type": "function", "name": "f", "parameters": {}}
    messages = from_responses(items, instructions="Be brief.", tools=[tool])
    assert [message.role for message in messages] == [
        Role.DEVELOPER, Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.TOOL,
    ]  # fmt: skip
    assert messages[2] == Message.assistant("hm", channel="analysis")
    assert messages[0].content[0].tools[0].tools[0].parameters is None


def called(call_id, name="f"):
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"}


def answered(call_id):
    return {"type": "function_call_output", "call_id": call_id, "output": f"of {call_id}"}


def test_results_stand_in_the_order_of_their_calls():
    items = [called("a"), called("b"), answered("b"), answered("a"), called("c"), answered("c")]
    texts = [message.text for message in from_responses(items) if message.role is Role.TOOL]
    assert texts == ["of a", "of b", "of c"]
    calls = [CALL | {"id": "a"}, CALL | {"id": "b"}]
    results = [
        {"role": "tool", "tool_call_id": name, "content": f"of {name}"} for name in ("b", "a")
    ]
    (_, _, first, second) = from_chat([{"role": "assistant", "tool_calls": calls}, *results])
    assert (first.text, second.text) == ("of a", "of b")


def test_results_of_several_tools_find_their_calls_in_any_order():
    messages = from_responses([called("a", "f"), called("b", "g")])
    results = [Message.tool(f"functions.{name}", name) for name in "gf"]
    turns = to_chat([*messages, *results])
    assert [turn["tool_call_id"] for turn in turns[1:]] == ["call_1", "call_0"]


def test_a_text_is_a_whole_input():
    assert from_responses("hi") == [Message.user("hi")]


def test_items_hold_each_message():
    messages = [
        Message.developer("plain"),
        Message.user("q"),
        Message.assistant("pre", channel="commentary"),
        Message.assistant("{}", channel="commentary", recipient="functions.f"),
        Message(Role.TOOL, ("a", "b"), "functions.f", "commentary", "assistant"),
    ]
    kinds = [item["type"] for item in to_responses(messages)]
    assert kinds == ["message", "message", "message", "function_call", "function_call_output"]


def test_a_name_that_can_be_declared_is_declared_as_it_is():
    tools = [{"type": "function", "name": name} for name in ("a-b", "a_b", "a.b")]
    (developer,) = from_responses([], tools=tools)
    declared = [tool.name for tool in developer.content[0].tools[0].tools]
    assert declared == ["a_b_2", "a_b", "a_b_3"]


def test_a_name_of_any_length_comes_back():
    name, names = "mcp__files-on-disk/read." + "very_" * 30, ToolNames()
    tool = {"type": "function", "function": {"name": name}}
    call = {"id": "call_0", "type": "function", "function": {"name": name, "arguments": "{}"}}
    turn = {"role": "assistant", "content": None, "tool_calls": [call]}
    (_, message) = from_chat([turn], tools=[tool], names=names)
    assert is_identifier(message.recipient.removeprefix("functions."))
    assert to_chat([message], names=names) == [turn]


def test_tools_and_formats_are_declared_before_all_else():
    formats = {"type": "json_schema", "json_schema": {"name": "my answer", "schema": {"a": 1}}}
    (developer, user) = from_chat(CHAT[1:2], tools=[GET_WEATHER], response_format=formats)
    content = developer.content[0]
    assert user.role is Role.USER
    assert isinstance(content.tools[0], ToolNamespace)
    assert content.response_formats[0].name == "my_answer"


@pytest.mark.parametrize(
    ("response_format", "num_formats"),
    [({"type": "text"}, 0), ({"type": "json_object"}, 1), (None, 0)],
)
def test_simple_formats_are_known(response_format, num_formats):
    messages = from_chat([], response_format=response_format)
    assert sum(len(message.content[0].response_formats) for message in messages) == num_formats


def test_built_in_tools_are_called_while_reasoning():
    call = {"id": "a", "function": {"name": "python", "arguments": "print(1)"}}
    called, result = from_chat(
        [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "1"},
        ]
    )
    assert (called.channel, called.recipient, called.content_type) == ("analysis", "python", "code")
    assert (result.channel, result.name) == ("analysis", "python")


def test_a_declared_function_python_is_no_built_in():
    names = ToolNames(["python"])
    call = {"id": "a", "function": {"name": "python", "arguments": "{}"}}
    (called,) = from_chat([{"role": "assistant", "tool_calls": [call]}], names=names)
    assert called.recipient == "functions.python"


def test_an_assistant_that_says_nothing_is_kept():
    assert from_chat([{"role": "assistant", "content": None}]) == [Message.assistant("")]


def test_preamble_and_answer_of_one_turn_are_one_content():
    messages = [Message.assistant("a", channel="commentary"), Message.assistant("b")]
    assert to_chat(messages) == [{"role": "assistant", "content": "a\n\nb"}]


def test_reasoning_after_an_answer_begins_a_new_message():
    messages = [Message.assistant("a"), Message.assistant("t", channel="analysis")]
    assert [turn.get("reasoning_content") for turn in to_chat(messages)] == [None, "t"]


IMAGE = {"type": "image_url", "image_url": {"url": "x"}}

REFUSED = [
    ({"role": "user", "content": [IMAGE]}, "part of type 'image_url'"),
    ({"role": "user", "content": None}, "needs content"),
    ({"role": "user", "content": "x", "name": 3}, "'name'"),
    ({"role": "function", "content": "x"}, "role 'function'"),
    ({"role": "tool", "tool_call_id": "z", "content": "x"}, "answers no tool call"),
    ({"role": "tool", "content": "x"}, "'tool_call_id'"),
    ({"role": "assistant", "function_call": {"name": "f"}}, "'function_call' is not supported"),
    ({"role": "assistant", "tool_calls": [{"id": "a"}]}, "'name'"),
]


@pytest.mark.parametrize(("message", "reason"), REFUSED)
def test_what_harmony_cannot_say_is_refused_by_name(message, reason):
    with pytest.raises(HarmonyError, match=reason):
        from_chat([message])


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "file_search_call"}, "type 'file_search_call'"),
        ({"type": "message", "role": "critic", "content": "x"}, "role 'critic'"),
        ({"type": "reasoning", "encrypted_content": "x"}, "encrypted"),
    ],
)
def test_items_that_harmony_cannot_say_are_refused_by_name(item, reason):
    with pytest.raises(HarmonyError, match=reason):
        from_responses([item])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tools": [{"type": "web_search"}]}, "'web_search'"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": 3}}]}, "schema"),
        ({"tools": [{"type": "function", "function": {}}]}, "'name'"),
        ({"response_format": {"type": "xml"}}, "'xml'"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": 3}}},
            "JSON schema",
        ),
    ],
)
def test_tools_and_formats_that_do_not_exist_are_refused_by_name(fields, reason):
    with pytest.raises(HarmonyError, match=reason):
        from_chat([], **fields)


@pytest.mark.parametrize("convert", [to_chat, to_responses])
def test_the_way_back_refuses_what_has_no_counterpart(convert):
    with pytest.raises(HarmonyError, match="no counterpart"):
        convert([Message.system()])
    with pytest.raises(HarmonyError, match="answers no call"):
        convert([Message.tool("functions.f", "x")])


def test_names_are_identifiers_and_lead_back():
    names = ToolNames(["a-b", "a.b", "a_b", "1st", "语"])
    declared = [names.declare(name) for name in ("a-b", "a.b", "a_b", "1st", "语")]
    assert declared[2] == "a_b"
    assert len(set(declared)) == 5
    assert [names.original(name) for name in declared] == ["a-b", "a.b", "a_b", "1st", "语"]
    assert names.original("other") == "other"
    assert names.has("1st")
