import json
import logging
import threading
import time

import httpx
import pytest

from netweight.server import serving
from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, one_hot, spell
from tests.server.conftest import ANSWER, chat_model, client_of, saying, until

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "27 + 15?"}]}


def ask(client, **fields):
    return client.post("chat/completions", json={**BODY, **fields})


def stream(client, **fields):
    """The data of all events but the last, which must be [DONE]."""
    response = ask(client, stream=True, **fields)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, done, end = response.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


def error_of(response):
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"error"}
    return response.json()["error"]


def test_an_answer_has_content_reasoning_and_usage(answering):
    completion = ask(answering, seed=5).json()
    [choice] = completion["choices"]
    assert choice["message"]["content"] == "It is 42 ✓."
    assert choice["message"]["reasoning"] == "27 + 15 is 42."
    assert choice["message"]["reasoning_content"] == "27 + 15 is 42."
    assert choice["finish_reason"] == "stop"
    assert completion["usage"]["completion_tokens_details"]["reasoning_tokens"] == 15
    assert completion["seed"] == 5


def test_a_streamed_answer_is_the_same_in_pieces(answering):
    chunks = stream(answering)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == "It is 42 ✓."
    assert "".join(delta.get("reasoning", "") for delta in deltas) == "27 + 15 is 42."
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert not any("usage" in chunk for chunk in chunks)


def test_usage_is_streamed_last_when_asked_for(answering):
    *_, last = stream(answering, stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"] == ask(answering).json()["usage"]


def test_a_tool_call_comes_whole_or_in_pieces(calling):
    [choice] = ask(calling).json()["choices"]
    [call] = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Zürich"}'}
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    chunks = [chunk["choices"][0] for chunk in stream(calling)]
    pieces = [c["delta"]["tool_calls"][0] for c in chunks if "tool_calls" in c["delta"]]
    assert pieces[0]["function"] == {"name": "weather", "arguments": ""}
    assert pieces[0]["id"].startswith("call_")
    arguments = "".join(piece["function"]["arguments"] for piece in pieces)
    assert arguments == '{"city":"Zürich"}'
    assert chunks[-1]["finish_reason"] == "tool_calls"


def test_logprobs_name_every_token_of_the_content(answering):
    [choice] = ask(answering, logprobs=True, top_logprobs=2).json()["choices"]
    scores = choice["logprobs"]["content"]
    assert bytes(byte for score in scores for byte in score["bytes"]).decode() == "It is 42 ✓."
    assert all(len(score["top_logprobs"]) == 2 for score in scores)
    streamed = [
        score
        for chunk in stream(answering, logprobs=True, top_logprobs=2)
        for score in (chunk["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert streamed == scores


def test_models_and_health(answering):
    [model] = answering.get("models").json()["data"]
    assert model["id"] == "scripted"
    assert answering.get("models/scripted").json() == model
    assert answering.get("../health").json() == {"status": "ok"}
    response = answering.get("models/other")
    assert response.status_code == 404
    assert error_of(response)["code"] == "model_not_found"


def test_an_unknown_model_is_not_found(answering):
    response = ask(answering, model="gpt-5")
    assert response.status_code == 404
    assert "'gpt-5' does not exist; this server has 'scripted'" in error_of(response)["message"]


def test_a_conversation_too_long_has_its_own_code(answering):
    long = [{"role": "user", "content": "x" * 5000}]
    for fields in ({"messages": long}, {"messages": long, "stream": True}):
        response = ask(answering, **fields)
        assert response.status_code == 400
        assert error_of(response)["code"] == "context_length_exceeded"


HARMLESS = {
    "user": "me",
    "metadata": {"a": "b"},
    "store": False,
    "service_tier": "auto",
    "safety_identifier": "x",
    "prompt_cache_key": "x",
    "prompt_cache_retention": "24h",
    "parallel_tool_calls": True,
    "n": 1,
    "stop": None,
    "frequency_penalty": 0,
    "presence_penalty": 0.0,
    "logit_bias": {},
    "response_format": {"type": "text"},
    "modalities": ["text"],
    "tools": [],
}


def test_fields_that_change_nothing_are_accepted(answering):
    assert ask(answering, **HARMLESS).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"best_of": 2}, "best_of", "unknown_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "invalid_value"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"temperature": "1"}, "temperature", "invalid_value"),
        ({"top_k": -2}, "top_k", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"max_tokens": True}, "max_tokens", "invalid_value"),
        ({"seed": 2**70}, "seed", "invalid_value"),
        ({"reasoning_effort": "minimal"}, "reasoning_effort", "invalid_value"),
        ({"stream_options": {}}, "stream_options", None),
        ({"messages": []}, "messages", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "cat", "content": ""}]}, "messages[0]", "invalid_value"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "user", "content": "", "mood": "good"}]},
            "messages[0].mood",
            "unknown_parameter",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(answering, fields, param, code):
    response = ask(answering, **fields)
    assert response.status_code == 400
    error = error_of(response)
    assert (error["param"], error["code"]) == (param, code)
    assert param in error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 10_000, b'{"model": NaN}']
)
def test_a_body_that_is_no_json_object_is_a_400(answering, content):
    headers = {"content-type": "application/json"}
    response = answering.post("chat/completions", content=content, headers=headers)
    assert response.status_code == 400
    assert error_of(response)["type"] == "invalid_request_error"


def test_a_body_sent_as_something_else_is_a_400_that_says_so(answering):
    response = answering.post("chat/completions", content=json.dumps(BODY))
    assert response.status_code == 400
    assert "Content-Type: application/json" in error_of(response)["message"]


def test_an_unknown_field_is_named_whatever_its_name(answering):
    assert error_of(ask(answering, **{"best of": 2}))["param"] == "best of"


@pytest.mark.parametrize("field", ["model", "user", "messages", "unknown \ud800"])
def test_half_a_surrogate_pair_breaks_nothing(answering, field):
    value = [{"role": "user", "content": "\ud800"}] if field == "messages" else "\ud800"
    body = json.dumps({**BODY, field: value})
    headers = {"content-type": "application/json"}
    response = answering.post("chat/completions", content=body, headers=headers)
    assert response.status_code < 500


def test_unknown_paths_and_methods_have_the_same_form_of_error(answering):
    response = answering.get("nothing")
    assert response.status_code == 404
    assert error_of(response)["message"] == "GET /v1/nothing: Not Found."
    assert answering.get("chat/completions").status_code == 405


def test_a_tool_that_harmony_cannot_write_is_a_400(answering):
    function = {"name": "f", "parameters": {"$ref": "#/nowhere"}}
    tool = {"type": "function", "function": function}
    response = ask(answering, tools=[tool])
    assert response.status_code == 400
    assert "#/nowhere" in error_of(response)["message"]


def test_a_model_failure_is_a_500_or_an_error_event():
    def next_logits(token_ids, num_prompt):
        if len(token_ids) > num_prompt + 2:
            raise RuntimeError("out of memory")
        return one_hot(ord("a"), BYTE_VOCABULARY_SIZE)

    model = FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    with client_of(chat_model(model)) as client:
        response = ask(client)
        assert response.status_code == 500
        assert "out of memory" in error_of(response)["message"]
        assert "out of memory" in stream(client)[-1]["error"]["message"]
        assert client.get("../health").status_code == 200


@pytest.fixture
def endless():
    """A chat model that goes on until somebody stops it: an analysis without end."""
    opening = spell("<|channel|>analysis<|message|>a")

    def next_logits(token_ids, num_prompt):
        time.sleep(0.002)
        place = min(len(token_ids) - num_prompt, len(opening) - 1)
        return one_hot(opening[place], BYTE_VOCABULARY_SIZE)

    model = FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=1_000_000)
    return chat_model(model)


def test_the_first_event_comes_long_before_the_last(endless):
    with client_of(endless) as client:
        body = {**BODY, "stream": True, "max_tokens": 200}
        with client.stream("POST", "chat/completions", json=body) as response:
            times_s = [time.monotonic() for line in response.iter_lines() if line]
    assert len(times_s) > 190
    assert times_s[-1] - times_s[0] > 0.25


def test_a_client_that_leaves_a_stream_frees_the_engine(endless):
    with client_of(endless) as client:
        body = {**BODY, "stream": True}
        with client.stream("POST", "chat/completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            until(lambda: endless.engine.has_work)
        until(lambda: not endless.engine.has_work)
        endless.engine.check_integrity()


def test_a_client_that_leaves_while_waiting_frees_the_engine(endless):
    with client_of(endless) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("chat/completions", json=BODY, timeout=httpx.Timeout(30, read=0.3))
        until(lambda: not endless.engine.has_work)


def test_one_client_leaving_does_not_disturb_another(endless):
    with client_of(endless) as client:
        body = {**BODY, "max_tokens": 100}
        answers = []
        other = threading.Thread(target=lambda: answers.append(ask(client, max_tokens=100)))
        with client.stream("POST", "chat/completions", json={**body, "stream": True}) as response:
            lines = response.iter_lines()
            next(lines)
            other.start()
        other.join(timeout=60)
    assert answers[0].json()["choices"][0]["finish_reason"] == "length"


def test_a_server_that_stops_tells_its_clients_why(endless):
    results = []

    def read(url, body):
        results.append(httpx.post(f"{url}/chat/completions", json=body, timeout=60).text)

    with serving(endless) as url:
        bodies = ({**BODY, "stream": True}, BODY)
        threads = [threading.Thread(target=read, args=(url, body)) for body in bodies]
        for thread in threads:
            thread.start()
        until(lambda: endless.engine._scheduler.num_requests == 2)
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == 2
    assert all("the server is stopping" in text for text in results)


def test_a_server_whose_engine_has_failed_says_so(monkeypatch, caplog):
    model = saying(ANSWER)
    monkeypatch.setattr(model.engine, "step", lambda: 1 / 0)
    with client_of(model) as client:
        assert "the engine has failed" in stream(client)[-1]["error"]["message"]
        for fields in ({}, {"stream": True}):
            response = ask(client, **fields)
            assert response.status_code == 503
            assert "the engine has failed" in error_of(response)["message"]
        assert client.get("../health").status_code == 503
    assert "ZeroDivisionError" in caplog.text


def test_no_log_line_holds_the_text_of_a_request(answering, caplog):
    secret = "zanzibar"
    with caplog.at_level(logging.DEBUG):
        ask(answering, messages=[{"role": "user", "content": secret}])
        ask(answering, messages=[{"role": secret, "content": secret}])
        answering.post("chat/completions", content=secret)
    assert secret not in caplog.text


def test_the_openapi_document_describes_the_request(answering):
    document = answering.get("../openapi.json").json()
    schema = document["components"]["schemas"]["ChatCompletionRequest"]
    assert schema["additionalProperties"] is False
    assert set(HARMLESS) < set(schema["properties"])


def test_a_model_may_have_another_name():
    with client_of(saying(ANSWER, name="house/blend")) as client:
        assert client.get("models/house/blend").json()["id"] == "house/blend"
        assert ask(client, model="house/blend").status_code == 200
