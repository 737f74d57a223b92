"""Every field of /v1/chat/completions: honoured, accepted by name, or refused by name."""

import json

import pytest
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from netweight.server import wire
from tests.server.conftest import ANSWER, client_of, saying
from tests.server.test_app import ask, error_of

USER = {"role": "user", "content": "27 + 15?"}


def tool(name="f", **fields):
    return {"type": "function", "function": {"name": name, **fields}}


def named(name):
    return {"type": "function", "function": {"name": name}}


def schema_format(schema, **fields):
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, **fields}}


def call(**fields):
    function = {"name": "f", "arguments": "{}"}
    return {"id": "c", "type": "function", "function": function} | fields


@pytest.fixture(scope="module")
def client():
    with client_of(saying(ANSWER)) as client:
        yield client


def test_every_field_of_openais_api_is_known():
    theirs = {
        name
        for kind in (CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming)
        for base in kind.__mro__
        for name in getattr(base, "__annotations__", {})
    }
    assert len(theirs) > 35
    assert theirs <= set(wire.ChatCompletionRequest.model_fields)


REFUSED = [
    ({"n": 0}, "n"),
    ({"n": 129}, "n"),
    ({"n": 1.5}, "n"),
    ({"stop": ""}, "stop"),
    ({"stop": ["a", ""]}, "stop[1]"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({"stop": [1]}, "stop[0]"),
    ({"stop": 1}, "stop"),
    ({"seed": "1"}, "seed"),
    ({"seed": 2**63}, "seed"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": 2.1}, "temperature"),
    ({"top_p": 1.01}, "top_p"),
    ({"top_k": -2}, "top_k"),
    ({"top_k": 0.5}, "top_k"),
    ({"min_p": -1}, "min_p"),
    ({"presence_penalty": 2.1}, "presence_penalty"),
    ({"frequency_penalty": -2.1}, "frequency_penalty"),
    ({"repetition_penalty": 1.1}, "repetition_penalty"),
    ({"logit_bias": {"1": 101}}, "logit_bias.1"),
    ({"logit_bias": {"1": "1"}}, "logit_bias.1"),
    ({"logit_bias": {"-1": 1}}, "logit_bias"),
    ({"logit_bias": {"one": 1}}, "logit_bias"),
    ({"logit_bias": {"٣": 1}}, "logit_bias"),
    ({"logit_bias": {"999999999999999999999": 1}}, "logit_bias"),
    ({"logit_bias": [1]}, "logit_bias"),
    ({"logprobs": 1}, "logprobs"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    ({"top_logprobs": 1}, "top_logprobs"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_completion_tokens": -1}, "max_completion_tokens"),
    ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens"),
    ({"reasoning_effort": "minimal"}, "reasoning_effort"),
    ({"reasoning_effort": "none"}, "reasoning_effort"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": True, "stream_options": {"usage": 1}}, "stream_options.usage"),
    (
        {"stream": True, "stream_options": {"include_obfuscation": True}},
        "stream_options.include_obfuscation",
    ),
    # Tools
    ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
    ({"tools": [tool("")]}, "tools[0].function.name"),
    ({"tools": [tool("a" * 65)]}, "tools[0].function.name"),
    ({"tools": [tool("a.b")]}, "tools[0].function.name"),
    ({"tools": [tool("f\n")]}, "tools[0].function.name"),
    ({"tools": [tool("ü")]}, "tools[0].function.name"),
    ({"tools": [tool(strict="yes")]}, "tools[0].function.strict"),
    ({"tools": [tool(parameters=[])]}, "tools[0].function.parameters"),
    ({"tools": [tool(colour="red")]}, "tools[0].function.colour"),
    ({"tools": [tool(f"f{i}") for i in range(129)]}, "tools"),
    (
        {"tools": [tool(), tool("g", strict=True, parameters={"not": {}})]},
        "tools[1].function.parameters",
    ),
    (
        {"tools": [tool(parameters={"uniqueItems": True})], "tool_choice": "required"},
        "tools[0].function.parameters",
    ),
    ({"tool_choice": "any", "tools": [tool()]}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"tool_choice": "required", "tools": []}, "tool_choice"),
    ({"tool_choice": named("g"), "tools": [tool()]}, "tool_choice"),
    ({"tool_choice": {"type": "function"}, "tools": [tool()]}, "tool_choice"),
    ({"tool_choice": {"type": "custom", "custom": {"name": "f"}}}, "tool_choice.type"),
    ({"tool_choice": {"type": "function", "function": {}}}, "tool_choice.function.name"),
    (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [named("g")]},
            },
            "tools": [tool()],
        },
        "tool_choice",
    ),
    (
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "none", "tools": []}}},
        "tool_choice.allowed_tools.mode",
    ),
    ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
    # Formats
    ({"response_format": "json"}, "response_format"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema"}}, "response_format"),
    ({"response_format": {"type": "text", "json_schema": {"name": "n"}}}, "response_format"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {}}},
        "response_format.json_schema.name",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a b"}}},
        "response_format.json_schema.name",
    ),
    ({"response_format": schema_format([])}, "response_format.json_schema.schema"),
    ({"response_format": schema_format({"not": {}})}, "response_format.json_schema.schema"),
    (
        {"response_format": schema_format({"type": "string", "format": "iri"})},
        "response_format.json_schema.schema",
    ),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"verbosity": "low"}, "verbosity"),
    # Ours
    ({"netweight": {"tokens": 1}}, "netweight.tokens"),
    ({"netweight": {"top": 21}}, "netweight.top"),
    ({"netweight": {"token": True}}, "netweight.token"),
    ({"netweight": {"tokens": True}, "n": 2}, "netweight.tokens"),
    # OpenAI's, but not ours
    ({"functions": [{"name": "f"}]}, "functions"),
    ({"function_call": "auto"}, "function_call"),
    ({"audio": {"voice": "alloy", "format": "mp3"}}, "audio"),
    ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"moderation": {"model": "omni"}}, "moderation"),
    ({"guided_json": {}}, "guided_json"),
]

REFUSED_MESSAGES = [
    ([], "messages"),
    ([{"content": "x"}], "messages[0]"),
    ([{"role": "function", "name": "f", "content": "x"}], "messages[0]"),
    ([{"role": "user", "content": None}], "messages[0].content"),
    ([{"role": "user", "content": 1}], "messages[0].content"),
    ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
    (
        [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}],
        "messages[0].content[0].type",
    ),
    ([USER, {"role": "assistant", "function_call": {"name": "f"}}], "messages[1].function_call"),
    ([USER, {"role": "assistant", "audio": {"id": "a"}}], "messages[1].audio"),
    (
        [{"role": "assistant", "content": [{"type": "refusal", "text": "No."}]}],
        "messages[0].content[0]",
    ),
    (
        [{"role": "assistant", "tool_calls": [call(type="custom")]}],
        "messages[0].tool_calls[0].type",
    ),
    (
        [{"role": "assistant", "tool_calls": [call(function={"name": "f", "arguments": {}})]}],
        "messages[0].tool_calls[0].function.arguments",
    ),
    ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
    (
        [USER, {"role": "tool", "content": "x", "tool_call_id": "c"}],
        "messages[1].tool_call_id",
    ),
]


@pytest.mark.parametrize(
    ("fields", "param"),
    [*REFUSED, *(({"messages": messages}, param) for messages, param in REFUSED_MESSAGES)],
    ids=json.dumps,
)
def test_a_wrong_field_is_a_400_that_names_it(client, fields, param):
    response = ask(client, **fields)
    assert response.status_code == 400
    error = error_of(response)
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert param in error["message"]


@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        ({"functions": [{"name": "f"}]}, "send tools"),
        ({"function_call": "auto"}, "send tool_choice"),
        ({"reasoning_effort": "minimal"}, "'low', 'medium' or 'high'"),
        ({"tools": [tool("a b")]}, "^[a-zA-Z0-9_-]{1,64}$"),
        ({"tool_choice": "required"}, "Send tools"),
        ({"response_format": schema_format({"not": {}})}, "not, which cannot be enforced"),
        ({"stop": list("abcde")}, "at most 4"),
        ({"logit_bias": {"one": 1}}, "token ids"),
    ],
)
def test_the_message_says_what_would_do(client, fields, remedy):
    assert remedy in error_of(ask(client, **fields))["message"]


ACCEPTED = [
    {"user": "me", "metadata": {"a": "b"}, "store": True, "service_tier": "flex"},
    {"safety_identifier": "x", "prompt_cache_key": "x", "prompt_cache_retention": "24h"},
    {"prompt_cache_options": {"mode": "implicit"}, "modalities": ["text"], "verbosity": "medium"},
    {"repetition_penalty": 1.0, "parallel_tool_calls": False, "tool_choice": "none", "tools": []},
    {"functions": None, "function_call": None, "audio": None, "web_search_options": None},
    {"temperature": 0, "top_p": 0, "top_k": -1, "min_p": 1, "seed": -(2**63)},
    {"presence_penalty": -2, "frequency_penalty": 2.0, "logit_bias": {"0": -100, "255": 1.5}},
    {"n": 3, "stop": list("abcd"), "logprobs": True, "top_logprobs": 20},
    {"max_tokens": 5, "max_completion_tokens": 5, "reasoning_effort": "low"},
    {"tools": [tool(f"f{i}") for i in range(128)], "tool_choice": "auto"},
    {"tools": [tool("A-b_9" + "x" * 59, strict=False, parameters={})]},
    # Not enforced, so it may be anything that can be written down.
    {"tools": [tool(parameters={"type": "object", "uniqueItems": True})]},
    {"response_format": {"type": "json_object"}, "max_tokens": 3},
    {"response_format": schema_format(None, description="d", strict=True), "max_tokens": 3},
    {"netweight": {}},
]


@pytest.mark.parametrize("fields", ACCEPTED, ids=json.dumps)
def test_what_is_right_is_accepted(client, fields):
    assert ask(client, **fields).status_code == 200, ask(client, **fields).text


def test_messages_as_clients_send_them_are_accepted(client):
    parts = [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]
    messages = [
        {"role": "system", "content": "Brief.", "name": "boss"},
        {"role": "developer", "content": parts},
        {"role": "user", "content": parts, "name": "ann"},
        {"role": "assistant", "content": "Hi.", "refusal": None, "annotations": [], "audio": None},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "name": "bot"},
        {"role": "assistant", "content": None, "tool_calls": [call()], "function_call": None},
        {"role": "assistant", "content": "{}", "parsed": {"a": 1}, "tool_calls": [call(index=0)]},
        {"role": "tool", "content": parts, "tool_call_id": "c"},
        USER,
    ]
    assert ask(client, messages=messages).status_code == 200
