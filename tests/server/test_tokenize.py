import pytest

from netweight.harmony import Message, SystemContent, render_for_completion
from tests.fakes import BYTE_VOCABULARY_SIZE, byte_vocabulary, spell

HELLO = [{"role": "user", "content": "hi"}]


def post(client, path, **body):
    return client.post(f"../{path}", json=body)


def error_of(response):
    assert response.status_code == 400
    return response.json()["error"]


def test_a_prompt_becomes_ordinary_tokens(answering):
    told = post(answering, "tokenize", prompt="hi <|end|>").json()
    assert told == {"count": 10, "max_model_len": 4096, "tokens": list(b"hi <|end|>")}


def test_messages_become_what_the_model_reads(answering):
    told = post(answering, "tokenize", model="scripted", messages=HELLO).json()
    system = Message.system(SystemContent(current_date="2026-11-24"))
    expected = render_for_completion(byte_vocabulary(), [system, Message.user("hi")])
    assert told["tokens"] == expected
    assert told["count"] == len(expected)


def test_what_shapes_a_prompt_shapes_its_tokens(answering):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    fields = {"reasoning_effort": "high", "tools": [tool]}
    told = post(answering, "tokenize", messages=HELLO, **fields).json()
    text = post(answering, "detokenize", tokens=told["tokens"]).json()["prompt"]
    assert "Reasoning: high" in text
    assert "type look = " in text
    usage = answering.post(
        "chat/completions", json={"model": "scripted", "messages": HELLO, **fields}
    ).json()["usage"]
    assert usage["prompt_tokens"] == told["count"]


def test_the_text_of_each_token_is_told_when_asked_for(answering):
    told = post(answering, "tokenize", messages=HELLO, return_token_strs=True).json()
    assert told["token_strs"][:2] == ["<|start|>", "s"]
    assert len(told["token_strs"]) == told["count"]


def test_a_prompt_longer_than_the_context_is_counted(answering):
    assert post(answering, "tokenize", prompt="x" * 5000).json()["count"] == 5000


def test_tokens_become_text_with_control_tokens_by_name(answering):
    assert post(answering, "detokenize", tokens=spell("<|start|>é")).json() == {
        "prompt": "<|start|>é"
    }
    assert post(answering, "detokenize", tokens=[0xC3]).json()["prompt"] == "\ufffd"


@pytest.mark.parametrize("body", [{}, {"prompt": "a", "messages": HELLO}, {"messages": []}])
def test_either_a_prompt_or_messages_is_needed(answering, body):
    assert error_of(post(answering, "tokenize", **body))["code"] == "invalid_value"


def test_an_id_that_is_no_token_is_named(answering):
    error = error_of(post(answering, "detokenize", tokens=[1, BYTE_VOCABULARY_SIZE]))
    assert error["param"] == "tokens[1]"
    assert str(BYTE_VOCABULARY_SIZE) in error["message"]


@pytest.mark.parametrize("path", ["tokenize", "detokenize"])
def test_another_model_is_not_found(answering, path):
    body = {"model": "gpt-5", **({"prompt": "a"} if path == "tokenize" else {"tokens": []})}
    assert post(answering, path, **body).status_code == 404
