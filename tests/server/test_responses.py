"""/v1/responses against a real server: what comes back, whole and in events."""

import json

import pytest

from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, one_hot, spell
from tests.server.conftest import ANSWER, chat_model, saying
from tests.server.responses import (
    CODE,
    FUNCTION_CALL,
    MESSAGE,
    SEARCH,
    THOUGHT,
    WEATHER,
    add_up,
    api,
    api_saying,
    call,
    error_of,
    final,
    item_of,
    preamble,
    steps,
    then,
    thought,
    without_ids,
)

ROME = '{"city":"Rome"}'
CALLING = then(thought("Look."), preamble("One moment."), call(ROME))


@pytest.fixture(scope="module")
def answering():
    with api(saying(ANSWER)) as server:
        yield server


@pytest.fixture(scope="module")
def calling():
    with api(saying(CALLING)) as server:
        yield server


def test_a_response_has_a_thought_an_answer_and_usage(answering):
    response = answering.create(seed=5)
    reasoning, message = response["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "27 + 15 is 42."}]
    assert reasoning["summary"] == []
    [part] = message["content"]
    assert (part["type"], part["text"]) == ("output_text", "It is 42 ✓.")
    assert (message["role"], message["phase"]) == ("assistant", "final_answer")
    assert {item["status"] for item in response["output"]} == {"completed"}
    assert (response["status"], response["error"], response["incomplete_details"]) == (
        "completed", None, None,
    )  # fmt: skip
    usage = response["usage"]
    assert usage["output_tokens_details"] == {"reasoning_tokens": 15}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert response["seed"] == 5
    again = answering.create(seed=5)["usage"]
    assert again["input_tokens_details"]["cached_tokens"] > 100


def test_a_response_repeats_what_was_asked_for(answering):
    fields = {
        "instructions": "Be brief.",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 500,
        "max_tool_calls": 3,
        "metadata": {"a": "b"},
        "user": "me",
        "safety_identifier": "x",
        "prompt_cache_key": "k",
        "parallel_tool_calls": False,
        "tool_choice": {"type": "function", "name": "weather"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "store": False,
    }
    tools = [WEATHER | {"strict": True}]
    response = answering.create(**fields, tools=tools)
    assert {name: response[name] for name in fields} == fields
    assert response["tools"] == tools
    assert (response["truncation"], response["service_tier"]) == ("disabled", "default")


def test_the_prompt_is_harmony_with_instructions_and_effort(answering):
    answering.create(
        instructions="Be brief.",
        reasoning={"effort": "high"},
        input=[
            {"role": "developer", "content": "Rhyme."},
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"role": "assistant", "content": "b"},
            {"type": "message", "role": "user", "content": "c"},
        ],
    )
    prompt = answering.prompts[-1]
    assert "Reasoning: high\n" in prompt
    assert prompt.endswith(
        "<|start|>developer<|message|># Instructions\n\nBe brief.<|end|>"
        "<|start|>developer<|message|># Instructions\n\nRhyme.<|end|>"
        "<|start|>user<|message|>a<|end|>"
        "<|start|>assistant<|channel|>final<|message|>b<|end|>"
        "<|start|>user<|message|>c<|end|><|start|>assistant"
    )


def test_events_come_in_openais_order(answering):
    events = answering.stream()
    assert steps(events) == ["created", "in_progress", *THOUGHT, *MESSAGE, "completed"]


def test_events_of_a_function_call_come_in_openais_order(calling):
    events = calling.stream()
    assert steps(events) == [
        "created", "in_progress", *THOUGHT, *MESSAGE, *FUNCTION_CALL, "completed",
    ]  # fmt: skip


@pytest.mark.parametrize("server", ["answering", "calling"])
def test_a_streamed_response_adds_up_to_the_whole_one(server, request):
    server = request.getfixturevalue(server)
    fields = {"seed": 1, "top_logprobs": 1}
    whole = server.create(**fields)
    events = server.stream(**fields)
    last = events[-1]["response"]
    assert add_up(events) == last["output"]
    cached = whole["usage"].pop("input_tokens_details"), last["usage"].pop("input_tokens_details")
    assert cached[0]["cached_tokens"] <= cached[1]["cached_tokens"]
    assert without_ids(last) == without_ids(whole)
    first = events[0]["response"]
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert len({first["id"], last["id"], events[1]["response"]["id"]}) == 1


def test_a_preamble_is_told_from_the_answer(calling):
    message = item_of(calling.create(), "message")
    assert message["phase"] == "commentary"
    assert message["content"][0]["text"] == "One moment."


def test_a_function_call_has_its_arguments_and_two_ids(calling):
    item = item_of(calling.create(tools=[WEATHER]), "function_call")
    assert (item["name"], item["arguments"], item["status"]) == ("weather", ROME, "completed")
    assert item["id"].startswith("fc_")
    assert item["call_id"].startswith("call_")


def test_an_answer_without_a_word_is_a_message_and_a_thought_without_one_is_nothing():
    with api_saying(then(thought(""), final(""))) as server:
        events = server.stream()
    [message] = events[-1]["response"]["output"]
    assert message["content"][0]["text"] == ""
    assert steps(events)[2:-1] == [step for step in MESSAGE if step != "output_text.delta"]


def test_words_put_into_another_mouth_are_not_in_the_output():
    text = ANSWER.replace("<|return|>", "<|end|><|start|>user<|message|>Thanks!<|return|>")
    with api_saying(text) as server:
        assert [item["type"] for item in server.create()["output"]] == ["reasoning", "message"]


def test_log_probabilities_name_every_token_of_the_answer(answering):
    for fields in (
        {"top_logprobs": 2},
        {"top_logprobs": 2, "include": ["message.output_text.logprobs"]},
    ):
        [part] = item_of(answering.create(**fields), "message")["content"]
        scores = part["logprobs"]
        assert bytes(byte for score in scores for byte in score["bytes"]).decode() == part["text"]
        assert all(len(score["top_logprobs"]) == 2 for score in scores)
    [part] = item_of(answering.create(include=["message.output_text.logprobs"]), "message")[
        "content"
    ]
    assert all(score["top_logprobs"] == [] for score in part["logprobs"])
    [part] = item_of(answering.create(), "message")["content"]
    assert part["logprobs"] == []


def test_a_response_that_reaches_its_limit_is_incomplete(answering):
    events = answering.stream(max_output_tokens=18)
    assert events[-1]["type"] == "response.incomplete"
    response = events[-1]["response"]
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert (response["status"], response["completed_at"]) == ("incomplete", None)
    [item] = response["output"]
    assert item["status"] == "incomplete"
    assert item["content"][0]["text"] == "27 + 15 "
    assert steps(events)[2:-1] == THOUGHT
    whole = answering.create(max_output_tokens=18)
    assert whole["status"] == "incomplete"
    assert without_ids(whole["output"]) == without_ids(response["output"])


def test_a_call_cut_off_is_incomplete_and_not_shown_to_the_model_again(calling):
    num_tokens = len(spell(CALLING)) - 3
    response = calling.create(max_output_tokens=num_tokens)
    assert item_of(response, "function_call")["status"] == "incomplete"
    calling.create(previous_response_id=response["id"], input="Go on.")
    assert "to=functions" not in calling.prompts[-1]


# What is enforced


def test_an_answer_follows_its_schema_and_thoughts_do_not():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    text = then(thought("Not JSON."), final('{"n":42}'))
    with api_saying(text) as server:
        json_format = {"type": "json_schema", "name": "number", "schema": schema, "strict": True}
        response = server.create(text={"format": json_format})
        assert json.loads(item_of(response, "message")["content"][0]["text"]) == {"n": 42}
        assert response["text"]["format"] == json_format
        assert "# Response Formats\n\n## number\n" in server.prompts[-1]
        response = server.create(text={"format": {"type": "json_object"}})
        assert response["status"] == "completed"
    with api_saying(then(thought("a"), final("no"))) as server:
        response = server.create(text={"format": json_format}, max_output_tokens=200, temperature=0)
        text = item_of(response, "message")["content"][0]["text"]
        assert text.lstrip().startswith("{")


def test_a_tool_choice_is_enforced():
    with api_saying(call(ROME)) as server:
        for choice in ("required", {"type": "function", "name": "weather"}):
            response = server.create(tools=[WEATHER], tool_choice=choice)
            assert item_of(response, "function_call")["arguments"] == ROME
        response = server.create(tools=[WEATHER], tool_choice="none", max_output_tokens=60)
        assert not any(item["type"] == "function_call" for item in response["output"])
        assert "weather" not in server.prompts[-1]


def test_only_allowed_tools_are_called_and_all_are_shown():
    other = WEATHER | {"name": "tides"}
    allowed = {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "tides"}],
    }
    with api_saying(call(ROME)) as server:
        response = server.create(tools=[WEATHER, other], tool_choice=allowed, max_output_tokens=99)
        names = {item["name"] for item in response["output"] if item["type"] == "function_call"}
        assert names <= {"tides"}
        assert "type weather" in server.prompts[-1]
        assert response["tool_choice"] == allowed


def test_functions_are_strict_where_they_can_be():
    loose = WEATHER | {"name": "loose", "parameters": {"type": "object", "not": {}}}
    with api_saying(call('{"city":1}')) as server:
        response = server.create(
            tools=[WEATHER, loose, WEATHER | {"name": "free", "strict": False}]
        )
        assert [tool["strict"] for tool in response["tools"]] == [True, False, False]
        arguments = json.loads(item_of(response, "function_call")["arguments"])
        assert isinstance(arguments["city"], str)
        response = server.create(tools=[WEATHER | {"strict": False}])
        assert item_of(response, "function_call")["arguments"] == '{"city":1}'


def test_parallel_calls_are_items_of_their_own_and_can_be_forbidden():
    two = then(call('{"city":"A"}'), call('{"city":"B"}'))
    with api_saying(two, final("Fine.")) as server:
        response = server.create(tools=[WEATHER])
        calls = response["output"]
        assert [json.loads(item["arguments"])["city"] for item in calls] == ["A", "B"]
        assert len({item["call_id"] for item in calls}) == 2
        outputs = [
            {"type": "function_call_output", "call_id": item["call_id"], "output": f"of {index}"}
            for index, item in enumerate(calls)
        ]
        following = server.create(
            previous_response_id=response["id"], input=outputs[::-1], tools=[WEATHER]
        )
        assert item_of(following, "message")["content"][0]["text"] == "Fine."
        answers = [
            f"<|start|>functions.weather to=assistant<|channel|>commentary<|message|>of {n}<|end|>"
            for n in (0, 1)
        ]
        assert server.prompts[-1].endswith(two + "".join(answers) + "<|start|>assistant")
        response = server.create(tools=[WEATHER], parallel_tool_calls=False, max_output_tokens=150)
        assert [item["type"] for item in response["output"]].count("function_call") <= 1


def test_a_function_may_have_a_name_that_harmony_cannot_declare():
    with api_saying(call(ROME, name="get_weather"), final("Sun.")) as server:
        tool = WEATHER | {"name": "get-weather"}
        response = server.create(tools=[tool])
        item = item_of(response, "function_call")
        assert item["name"] == "get-weather"
        output = {"type": "function_call_output", "call_id": item["call_id"], "output": "sun"}
        server.create(
            input=[{"role": "user", "content": "?"}, *response["output"], output], tools=[tool]
        )
        assert "<|start|>functions.get_weather to=assistant" in server.prompts[-1]


# What goes wrong


def test_a_tool_that_the_server_has_not_got_is_refused_with_the_remedy(answering):
    for tool, flag in ((CODE, "--python"), (SEARCH, "--browser")):
        reply = answering.post(tools=[tool])
        assert reply.status_code == 400
        assert flag in error_of(reply)["message"]
        assert error_of(reply)["param"] == "tools[0]"


def failing():
    def next_logits(token_ids, num_prompt):
        if len(token_ids) > num_prompt + 18:
            raise RuntimeError("out of memory")
        place = min(len(token_ids) - num_prompt, len(spell(ANSWER)) - 1)
        return one_hot(spell(ANSWER)[place], BYTE_VOCABULARY_SIZE)

    return chat_model(FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096))


def test_a_model_failure_is_a_500_or_a_failed_response():
    with api(failing()) as server:
        reply = server.post()
        assert reply.status_code == 500
        assert "out of memory" in error_of(reply)["message"]
        events = server.stream()
        error, failed = events[-2:]
        assert (error["type"], failed["type"]) == ("error", "response.failed")
        assert "out of memory" in error["message"]
        response = failed["response"]
        assert (response["status"], response["store"]) == ("failed", False)
        assert "out of memory" in response["error"]["message"]
        assert response["output"][0]["status"] == "incomplete"
        assert server.client.get(f"responses/{response['id']}").status_code == 404


def test_a_conversation_too_long_has_its_own_code(answering):
    for fields in ({}, {"stream": True}):
        reply = answering.post(input="x" * 5000, **fields)
        assert reply.status_code == 400
        assert error_of(reply)["code"] == "context_length_exceeded"
        assert error_of(reply)["param"] == "input"


HARMLESS = {
    "user": "me",
    "safety_identifier": "x",
    "prompt_cache_key": "x",
    "prompt_cache_retention": "24h",
    "prompt_cache_options": {"mode": "implicit"},
    "service_tier": "auto",
    "truncation": "disabled",
    "background": False,
    "include": ["reasoning.encrypted_content", "file_search_call.results"],
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "reasoning": {"summary": "detailed", "context": "auto"},
    "tools": [],
    "conversation": None,
    "max_tool_calls": 0,
}


def test_fields_that_change_nothing_are_accepted(answering):
    answering.create(**HARMLESS)
    answering.create(stream=None, instructions=None, previous_response_id=None, tool_choice=None)


def message_of(*parts):
    return [{"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"best_of": 2}, "best_of", "unknown_parameter"),
        ({"background": True}, "background", "invalid_value"),
        ({"truncation": "auto"}, "truncation", "invalid_value"),
        ({"conversation": "conv_1"}, "conversation", "invalid_value"),
        ({"prompt": {"id": "p"}}, "prompt", "invalid_value"),
        ({"text": {"verbosity": "low"}}, "text.verbosity", "invalid_value"),
        ({"text": {"format": {"type": "xml"}}}, "text.format", "invalid_value"),
        ({"reasoning": {"effort": "minimal"}}, "reasoning.effort", "invalid_value"),
        ({"reasoning": {"context": "all_turns"}}, "reasoning.context", "invalid_value"),
        ({"include": ["everything"]}, "include[0]", "invalid_value"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"temperature": "1"}, "temperature", "invalid_value"),
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid_value"),
        ({"max_tool_calls": -1}, "max_tool_calls", "invalid_value"),
        ({"max_tool_calls": 129}, "max_tool_calls", "invalid_value"),
        ({"top_logprobs": 21}, "top_logprobs", "invalid_value"),
        ({"stream_options": {}}, "stream_options", None),
        ({"stream": True, "stream_options": {"include_obfuscation": True}},
         "stream_options.include_obfuscation", "invalid_value"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "invalid_value"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata", "invalid_value"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": []}, "input", "missing_required_parameter"),
        ({"input": 3}, "input", "invalid_value"),
        ({"input": [{"type": "mcp_call"}]}, "input[0]", "invalid_value"),
        ({"input": [{"role": "cat", "content": ""}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": message_of()}, "input[0].content", "invalid_value"),
        ({"input": message_of({"type": "input_image", "image_url": "x"})},
         "input[0].content[0]", "invalid_value"),
        ({"input": message_of({"type": "input_text", "text": "x", "mood": 1})},
         "input[0].content[0].mood", "unknown_parameter"),
        ({"input": [{"type": "reasoning", "encrypted_content": "x"}]}, None, "invalid_value"),
        ({"input": [{"type": "item_reference", "id": "msg_9"}]}, "input[0].id", None),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]},
         "input[0].call_id", "invalid_value"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]},
         "input", "invalid_value"),
        ({"input": [{"role": "user", "content": "a", "id": "msg_1"}] * 2},
         "input[1].id", "invalid_value"),
        ({"tools": [{"type": "mcp"}]}, "tools[0]", "invalid_value"),
        ({"tools": [{"type": "function", "name": "a b"}]}, "tools[0].name", "invalid_value"),
        ({"tools": [WEATHER, WEATHER]}, "tools[1]", "invalid_value"),
        ({"tools": [WEATHER | {"strict": True, "parameters": {"not": {}}}]},
         "tools[0].parameters", "invalid_value"),
        ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "function", "name": "f"}}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "code_interpreter"}}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "mcp"}}, "tool_choice", "invalid_value"),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {"not": {}}}}},
         "text.format.schema", "invalid_value"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_by_name(answering, fields, param, code):
    reply = answering.post(**fields)
    assert reply.status_code == (404 if param == "input[0].id" else 400)
    error = error_of(reply)
    assert (error["param"], error["code"]) == (param, code)
    assert error["type"] == "invalid_request_error"
    assert param is None or param.partition("[")[0] in error["message"]


HALF = "\ud800"


@pytest.mark.parametrize(
    "fields",
    [
        {"input": HALF},
        {"user": HALF},
        {"instructions": HALF},
        {"metadata": {HALF: "a"}},
        {"tools": [WEATHER | {"description": HALF}]},
        {"tools": [WEATHER | {"parameters": {"title": HALF}}], "tool_choice": "none"},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"title": HALF}}}},
        {"input": [{"role": "user", "content": "a", "id": HALF}]},
        {HALF: 1},
    ],
)
def test_half_a_surrogate_pair_is_refused(answering, fields):
    body = json.dumps({"model": "scripted", "input": "a", **fields})
    headers = {"content-type": "application/json"}
    reply = answering.client.post("responses", content=body, headers=headers)
    assert reply.status_code == 400
    assert error_of(reply)["type"] == "invalid_request_error"


def test_an_unknown_model_is_not_found(answering):
    reply = answering.post(model="gpt-5")
    assert reply.status_code == 404
    assert error_of(reply)["code"] == "model_not_found"
