"""Completions of the collected kinds: each gives what people who met it wanted.

The file of cases says in words what is wanted; here it is as values. More of the same kinds are in
`test_recovery.py`.
"""

import json

import pytest

from netweight.errors import HarmonyError
from netweight.harmony import Parser, Role, Tool, ToolNamespace, browser_namespace, python_namespace
from netweight.harmony.answer import read_answer

PARIS = '{"city":"Paris"}'
WEATHER = "functions.get_weather"
OFFERED = (
    ToolNamespace.functions([Tool(name) for name in ("get_weather", "write", "shell", "f", "g")]),
    browser_namespace(),
    python_namespace(),
)


def call(recipient=WEATHER, text=PARIS, arguments=None):
    return {"calls": [(recipient, text, arguments or json.loads(text))]}


F = {"a": 1}
TWO_CALLS = {"calls": [("functions.f", '{"a":1}', F), ("functions.g", '{"b":1}', {"b": 1})]}
T_THEN_Y = {"reasoning": "t", "content": "y"}

# id: what the answer holds, and the diagnostics or repairs that must be among those told
WANTED = {
    "hdr-recipient-in-channel": (call(), []),
    "hdr-recipient-in-role": ({"reasoning": "t", **call()}, []),
    "hdr-call-on-analysis": (call(), ["call_off_commentary"]),
    "hdr-call-on-final": (call(), ["call_off_commentary"]),
    "hdr-constrain-adjacent": (call(), []),
    "hdr-constrain-then-space": (call(), []),
    "hdr-constrain-no-recipient-final": ({"content": '{"a":1}'}, []),
    "hdr-constrain-no-recipient-commentary": ({"content": PARIS}, ["call_without_recipient"]),
    "hdr-commentary-json-no-recipient": ({"content": PARIS}, []),
    "hdr-constrain-freeform": (
        call("functions.write", "{}", {}),
        ["extra_header_words"],
    ),
    "hdr-duplicate-recipient": (call(), ["repeated_recipient"]),
    "hdr-recipient-both-places": ({"reasoning": "t", **call()}, ["repeated_recipient"]),
    "hdr-dotted-name": (call("math.sum", '{"a":2}'), ["unknown_tool"]),
    "hdr-bare-name": (call(), ["renamed_tool"]),
    "hdr-functions-python": ({"calls": [("python", "print(1)", None)]}, ["renamed_tool"]),
    "hdr-functions-browser": (call("browser.search", '{"query":"x"}'), ["renamed_tool"]),
    "hdr-glued-json": (call("functions.shell", "{}", {}), ["renamed_tool"]),
    "hdr-space-in-recipient": (call(), ["misspelt_recipient"]),
    "hdr-to-assistant": ({"content": "x"}, []),
    "ch-missing": ({"content": "hello"}, ["missing_channel"]),
    "ch-space": ({"content": "hi"}, ["space_before_channel"]),
    "ch-duplicate-marker": ({"content": "hi"}, ["repeated_channel"]),
    "ch-stray-commentary-tool": ({"reasoning": "t", **call()}, ["repeated_channel"]),
    "ch-contaminated-recipient": ({"reasoning": "t", **call()}, ["repeated_channel"]),
    "ch-typo-final": ({"content": "answer"}, ["misspelt_channel"]),
    "ch-glued-role": ({"content": "hi"}, ["misspelt_channel"]),
    "ch-commentary-question": ({"content": "We need data.\n\ny"}, ["missing_message"]),
    "ch-dash-commentary": ({"reasoning": "t", **call()}, ["repeated_channel"]),
    "miss-message-final": ({"content": '{"answer":"hi"}'}, ["missing_message"]),
    "miss-message-2nd-msg": ({"reasoning": "t", "content": "the answer"}, ["missing_message"]),
    "miss-everything": ({"content": '{"verdict":"ready"}'}, ["missing_message"]),
    "miss-start": (T_THEN_Y, ["missing_start"]),
    "miss-role": (T_THEN_Y, ["missing_role"]),
    "miss-end-start": (T_THEN_Y, ["missing_end"]),
    "miss-call-sep": (TWO_CALLS, ["missing_end"]),
    "end-instead-of-call": (TWO_CALLS, []),
    "extra-role": (T_THEN_Y, ["glued_header"]),
    "extra-text-between": (T_THEN_Y, ["stray_text"]),
    "extra-return-after-end": ({"content": "y"}, ["stray_stop"]),
    "extra-double-return": ({"content": "y"}, ["stray_stop"]),
    "extra-after-call-final": ({**call("functions.f", "{}", {}), "content": "y"}, []),
    "extra-constrain-after-end": ({"reasoning": "t", "content": "{}"}, ["missing_start"]),
    "full-prompt-as-completion": ({"foreign": 2}, ["not_assistant"]),
    "role-unknown-bash": ({"reasoning": "t", "foreign": 1}, ["unknown_role"]),
    "role-named-user": ({"foreign": 1}, []),
    "role-self-played-user": ({"content": "a", "foreign": 2}, ["not_assistant"]),
    "trunc-empty": ({}, []),
    "trunc-in-channel": ({}, ["truncated_header"]),
    "trunc-in-args": (
        {"reasoning": "t", "calls": [(WEATHER, '{"city":"Par', None)], "incomplete": True},
        ["incomplete_arguments"],
    ),
    "trunc-in-analysis": ({"reasoning": "I was thin", "incomplete": True}, []),
    "content-nested-control": (
        {"content": "use <|constrain|> and <|message|> here"},
        ["control_token_in_text"],
    ),
    "content-endoftext": ({"content": "a"}, ["ended_by_endoftext"]),
    "header-plain-marker-text": ({"content": "k"}, ["extra_header_words", "missing_channel"]),
    "content-invalid-id": ({"content": "good \ufffdrest of answer"}, ["unknown_token"]),
    "content-utf8-split": ({"content": "💖 👨\u200d👩\u200d👧\u200d👦"}, []),
    "args-trailing-bracket": (
        call("functions.f", PARIS + "]", {"city": "Paris"}),
        ["trailing_text"],
    ),
    "args-missing-brace": (
        call("functions.f", '{"data":{"a":{"b":1}}', {"data": {"a": {"b": 1}}}),
        ["closed_brackets"],
    ),
    "args-empty": ({"calls": [("functions.f", "", {})]}, []),
    "args-two-values": (call("functions.f", '{"a":1}{"b":2}', F), ["trailing_text"]),
    "args-raw-newline": (
        call("functions.f", '{"code":"line1\nline2"}', {"code": "line1\nline2"}),
        ["raw_control_character"],
    ),
    "args-marker-in-string": (
        call("functions.f", '{"t":"write <|end|> literally"}', {"t": "write <|end|> literally"}),
        [],
    ),
    "text-mode-stripped": ({"reasoning": "We think.", "content": "The answer."}, []),
}


@pytest.fixture(scope="module")
def cases(shared_data):
    lines = (shared_data / "harmony_cases.jsonl").read_text().splitlines()
    return {case["id"]: case for case in map(json.loads, lines)}


def told(answer, parser):
    repairs = [code for made in answer.calls for code, _ in made.repairs]
    return [diagnostic.code for diagnostic in parser.diagnostics] + repairs


def held(answer):
    """What an answer holds, without what is empty."""
    fields = {
        "reasoning": answer.reasoning,
        "content": answer.content,
        "calls": [(made.recipient, made.text, made.arguments) for made in answer.calls],
        "foreign": answer.num_foreign,
    }
    return {name: value for name, value in fields.items() if value}


def test_every_case_is_covered(cases):
    assert set(cases) == set(WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_a_case_gives_what_was_wanted(name, vocabulary, cases):
    case = cases[name]
    parser = Parser(vocabulary, case["role"] and Role(case["role"]))
    parser.push_all(case["tokens"])
    parser.finish()
    answer = read_answer(parser.messages, OFFERED)
    wanted, codes = WANTED[name]
    is_incomplete = wanted.get("incomplete", name == "text-mode-stripped")
    assert held(answer) == {key: value for key, value in wanted.items() if key != "incomplete"}
    assert answer.is_complete is not is_incomplete
    assert set(codes) <= set(told(answer, parser))
    if not codes and name != "text-mode-stripped":
        assert told(answer, parser) in ([], ["not_assistant"])


@pytest.mark.parametrize("name", WANTED)
def test_no_case_leaks_a_marker_into_a_header_or_a_text(name, vocabulary, cases):
    parser = Parser(vocabulary, Role.ASSISTANT)
    parser.push_all(cases[name]["tokens"])
    parser.finish()
    for message in parser.messages:
        fields = [message.name, message.channel, message.recipient]
        assert not any("<|" in field for field in fields if field)
        is_meant = name in ("content-nested-control", "args-marker-in-string")
        assert is_meant or "<|" not in message.text


def test_strict_parsing_refuses_what_openai_harmony_refuses(vocabulary, cases):
    for case in cases.values():
        parser = Parser(vocabulary, case["role"] and Role(case["role"]), strict=True)
        error = None
        try:
            parser.push_all(case["tokens"])
            parser.finish()
        except HarmonyError as raised:
            error = str(raised)
        assert error == case["official_strict"].get("error"), case["id"]
