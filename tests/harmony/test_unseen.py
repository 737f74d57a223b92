"""Damaged completions invented after the rules of recovery were written: are the rules general?

Other words, tools and orders than in the collected cases. Where the rules fell short they were made
more general, and no case has a rule of its own.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.harmony import (
    Parser,
    TextParser,
    Tool,
    ToolNamespace,
    browser_namespace,
    python_namespace,
)
from netweight.harmony.answer import read_answer
from tests.harmony.test_cases import held, told

NAMES = ("search_flights", "send_mail", "run_query")
OFFERED = (
    ToolNamespace.functions([Tool(name) for name in NAMES]),
    browser_namespace(),
    python_namespace(),
)
THOUGHT = "<|channel|>analysis<|message|>think<|end|>"
START = "<|start|>assistant"
ANSWER = "<|channel|>final<|message|>ok<|return|>"
BODY = '<|message|>{"q":1}<|call|>'
MAIL = {"calls": [("functions.send_mail", '{"q":1}', {"q": 1})]}
QUERY = {"calls": [("functions.run_query", '{"q":1}', {"q": 1})]}
OK = {"content": "ok"}
THOUGHT_OK = {"reasoning": "think", "content": "ok"}


def query(text, arguments):
    """A call that is well formed up to its arguments, and what is wanted of it."""
    completion = f"<|channel|>commentary to=functions.run_query json<|message|>{text}<|call|>"
    return completion, {"calls": [("functions.run_query", text, arguments)]}


def unknown(name):
    return {"calls": [(name, '{"q":1}', {"q": 1})]}


# completion: what the answer holds, and the diagnostics or repairs that are told, all of them
WANTED = {
    # spaces and order that need no repair
    f"<|channel|>commentary to=functions.send_mail<|constrain|>json {BODY}": (MAIL, []),
    f"<|channel|>commentary  to=functions.send_mail   <|constrain|>json{BODY}": (MAIL, []),
    f"<|channel|>commentary\nto=functions.send_mail json\n{BODY}": (MAIL, []),
    f"<|constrain|>json<|channel|>commentary to=functions.send_mail{BODY}": (MAIL, []),
    f" to=functions.send_mail<|constrain|>json<|channel|>commentary{BODY}": (MAIL, []),
    f"{THOUGHT}<|start|>\nassistant {ANSWER}": (THOUGHT_OK, []),
    f"{START}{ANSWER}": (OK, []),
    "<|channel|>commentary to=user<|message|>hello<|end|>": ({"content": "hello"}, []),
    # content types
    f"<|channel|>commentary to=functions.send_mail <|constrain|>JSON{BODY}": (
        MAIL, ["unknown_content_type"],
    ),
    f"<|channel|>commentary to=functions.send_mail application/json{BODY}": (
        MAIL, ["unknown_content_type"],
    ),
    f"<|channel|>commentary to=functions.send_mail <|constrain|>json<|constrain|>json{BODY}": (
        MAIL, ["repeated_content_type"],
    ),
    f"<|channel|>commentary to=functions.send_mail json json{BODY}": (
        MAIL, ["repeated_content_type"],
    ),
    # recipients
    f"<|channel|>commentary to=functions:send_mail json{BODY}": (MAIL, ["renamed_tool"]),
    f"<|channel|>commentary to=functions/send_mail json{BODY}": (MAIL, ["renamed_tool"]),
    f"<|channel|>commentary to=Functions.Send_Mail json{BODY}": (MAIL, ["renamed_tool"]),
    f"<|channel|>commentary to=send_mail.json{BODY}": (MAIL, ["renamed_tool"]),
    f"<|channel|>commentary to=functions .send_mail json{BODY}": (MAIL, ["misspelt_recipient"]),
    f"<|channel|>commentary to=functions. send_mail json{BODY}": (MAIL, ["misspelt_recipient"]),
    f"<|channel|>commentary To=functions.send_mail json{BODY}": (MAIL, ["misspelt_recipient"]),
    f"<|channel|>commentary recipient=functions.send_mail json{BODY}": (MAIL, ["missing_to"]),
    f"<|channel|>commentary =functions.send_mail json{BODY}": (MAIL, ["missing_to"]),
    f"<|channel|>commentary to=functions.send_mail,json{BODY}": (MAIL, ["extra_header_words"]),
    f"<|channel|>commentary to=functions.send_mail with arguments{BODY}": (
        MAIL, ["extra_header_words"],
    ),
    f"<|channel|>commentary to=send_mail(q) json{BODY}": (
        MAIL, ["extra_header_words", "renamed_tool"],
    ),
    f" to=functions.run_query<|channel|>commentary to=functions.send_mail{BODY}": (
        MAIL, ["conflicting_recipient"],
    ),
    f"<|channel|>to=functions.send_mail json{BODY}": (MAIL, ["empty_channel", "missing_channel"]),
    f" to=functions.send_mail{BODY}": (MAIL, ["missing_channel"]),
    f"<|channel|>commentary/to=functions.send_mail json{BODY}": (MAIL, ["misspelt_channel"]),
    f"{THOUGHT}{START}functions.run_query<|channel|>commentary json{BODY}": (
        {"reasoning": "think", **QUERY}, ["glued_header", "missing_to"],
    ),
    f"<|channel|>commentary to=container.exec json{BODY}": (
        unknown("container.exec"), ["unknown_tool"],
    ),
    f"<|channel|>commentary to=browser{BODY}": (unknown("browser"), ["unknown_tool"]),
    f"<|channel|>commentary to=functions{BODY}": (unknown("functions"), ["unknown_tool"]),
    "<|channel|>commentary to=functions.python code<|message|>print(2)<|call|>": (
        {"calls": [("python", "print(2)", None)]}, ["renamed_tool"],
    ),
    # channels
    "<|channel|>fnal<|message|>ok<|return|>": (OK, ["misspelt_channel"]),
    "<|channel|>final_answer<|message|>ok<|return|>": (OK, ["misspelt_channel"]),
    "<|channel|>FINAL ANSWER<|message|>ok<|return|>": (
        OK, ["misspelt_channel", "unknown_content_type"],
    ),
    '<|channel|>"final"<|message|>ok<|return|>': (OK, ["misspelt_channel"]),
    "<|channel|>analysisfinal<|message|>ok<|return|>": (OK, ["misspelt_channel"]),
    f"<|channel|>Analysiss<|message|>think<|end|>{START}{ANSWER}": (
        THOUGHT_OK, ["misspelt_channel"],
    ),
    f"<|channel|>commentry to=functions.send_mail json{BODY}": (MAIL, ["misspelt_channel"]),
    # roles
    f"{THOUGHT}<|start|>Assistant{ANSWER}": (THOUGHT_OK, ["misspelt_role"]),
    f"assistant{START}{ANSWER}": (OK, ["stray_text"]),
    f"{THOUGHT}{START}{START}{ANSWER}": (THOUGHT_OK, ["truncated_header"]),
    f"{THOUGHT}<|start|>tool<|message|>x<|end|>": (
        {"reasoning": "think", "foreign": 1}, ["missing_name", "not_assistant"],
    ),
    f"<|channel|>commentary to=functions.run_query json{BODY}<|start|>functions.run_query"
    f" to=assistant<|channel|>commentary<|message|>[]<|end|>{START}{ANSWER}": (
        {**QUERY, "foreign": 2}, ["not_assistant"],
    ),
    "<|channel|>final<|message|>ok<|start|>user<|message|>and?<|end|>": (
        {**OK, "foreign": 1}, ["missing_end", "not_assistant"],
    ),
    f"{THOUGHT}<|start|>fin(al<|channel|>final<|message|>ok<|return|>": (
        THOUGHT_OK, ["missing_role", "extra_header_words"],
    ),
    # tokens lost or doubled
    f"{THOUGHT}{ANSWER}": (THOUGHT_OK, ["missing_start", "missing_role"]),
    f"{THOUGHT}final<|message|>ok<|return|>": (THOUGHT_OK, ["missing_start", "missing_role"]),
    f"{THOUGHT}<|message|>ok<|return|>": (
        THOUGHT_OK, ["missing_start", "missing_role", "missing_channel"],
    ),
    f"{THOUGHT}{START} final<|message|>ok<|return|>": (THOUGHT_OK, ["missing_channel_marker"]),
    f"<|channel|>analysis<|message|>think<|channel|>commentary to=functions.run_query json{BODY}": (
        {"reasoning": "think", **QUERY}, ["missing_end", "missing_start"],
    ),
    f"<|channel|>analysis think<|end|>{START}{ANSWER}": (THOUGHT_OK, ["missing_message"]),
    "<|channel|>final\n\n# Heading\ntext<|return|>": (
        {"content": "# Heading\ntext"}, ["missing_message"],
    ),
    '<|channel|>commentary to=functions.run_query\n{"q":1}<|call|>': (QUERY, ["missing_message"]),
    f"<|channel|>final<|message|>{ANSWER}": (OK, ["missing_end", "missing_start"]),
    f"<|channel|>analysis<|message|>think<|call|>{START}{ANSWER}": (
        THOUGHT_OK, ["call_without_recipient"],
    ),
    f"{THOUGHT}\n{START}{ANSWER}": (THOUGHT_OK, ["stray_text"]),
    f"<|channel|>commentary to=functions.send_mail json{BODY}"
    f"<|channel|>commentary to=functions.run_query json{BODY}": (
        {"calls": MAIL["calls"] + QUERY["calls"]}, ["missing_start", "missing_role"],
    ),
    f"<|channel|>commentary to=functions.run_query json{BODY}commentary": (
        QUERY, ["truncated_header"],
    ),
    f"<|channel|>analysis<|message|>think<|message|>more<|end|>{START}{ANSWER}": (
        {"reasoning": "think<|message|>more", "content": "ok"}, ["control_token_in_text"],
    ),
    # broken off
    f"{THOUGHT}{START}<|channel|>commentary to=functions.run_": (
        {"reasoning": "think"}, ["truncated_header"],
    ),
    f"{THOUGHT}{START} to=fun": ({"reasoning": "think"}, ["truncated_header"]),
    "<|channel|>final<|message|>ok<|start|>": (OK, ["missing_end"]),
}  # fmt: skip

MENDED = [
    (*query("null", {}), ["null_arguments"]),
    (*query('json{"q":1}', {"q": 1}), ["leading_text"]),
    (*query('{"q":1},{"q":2}', {"q": 1}), ["trailing_text"]),
    (*query('{"q":1}\n\nI am calling it.', {"q": 1}), ["trailing_text"]),
    (*query('{"q":{"w":[{"z":"y"', {"q": {"w": [{"z": "y"}]}}), ["closed_brackets"]),
    (*query('{"q":"a\r\nb\tc"}', {"q": "a\r\nb\tc"}), ["raw_control_character"]),
    (*query('[{"q":1},{"q":2}]', None), ["unreadable_arguments"]),
]
WANTED |= {completion: (wanted, codes) for completion, wanted, codes in MENDED}


@pytest.mark.parametrize("text", WANTED)
def test_a_completion_never_seen_before_is_recovered(text, vocabulary, spell):
    parser = Parser(vocabulary)
    parser.push_all(spell(text))
    parser.finish()
    answer = read_answer(parser.messages, OFFERED)
    wanted, codes = WANTED[text]
    assert held(answer) == wanted
    assert sorted(told(answer, parser)) == sorted(codes)
    assert answer.is_complete


@given(text=st.sampled_from(list(WANTED)), data=st.data())
def test_the_same_completion_as_text_in_any_pieces_is_recovered_too(vocabulary, text, data):
    reader, position = TextParser(vocabulary), 0
    while position < len(text):
        size = data.draw(st.integers(1, 12))
        reader.push(text[position : position + size])
        position += size
    reader.finish()
    assert held(read_answer(reader.messages, OFFERED)) == WANTED[text][0]


STRIPPED = {
    'analysisUser asks.assistantcommentary to=functions.run_query json{"q":1}': {
        "reasoning": "User asks.", **QUERY,
    },
    'commentary to=functions.run_query json{"q":1}': QUERY,
    "finalHello": {"content": "Hello"},
    "assistantanalysisThink.assistantfinalOK": {"reasoning": "Think.", "content": "OK"},
    "analysisCount.assistantanalysis to=python codeprint(1)": {
        "reasoning": "Count.", "calls": [("python", "print(1)", None)],
    },
}  # fmt: skip


@pytest.mark.parametrize("text", STRIPPED)
def test_a_text_without_markers_is_recovered(text, vocabulary):
    reader = TextParser(vocabulary)
    reader.push(text)
    reader.finish()
    assert held(read_answer(reader.messages, OFFERED)) == STRIPPED[text]
