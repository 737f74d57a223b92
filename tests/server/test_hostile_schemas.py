"""Schemas that are dear to compile or to follow: they are refused, or served, and hurt nobody."""

import json
import threading
import time

import httpx
import pytest

from netweight.engine import Engine
from netweight.harmony import Vocabulary
from netweight.server import ChatModel, serving
from tests.fakes import scripted

# A constraint that took its time from the others stopped them for 4 seconds, on two idle cores.
LONGEST_S = 2.0

PATTERN = {"type": "string", "pattern": "^(a{1000}){1000}$"}
NAMES = {"patternProperties": {f"^k{i}_[a-z]+$": {} for i in range(600)}}
REFUSED = {
    "divisor": ({"type": "integer", "minimum": 1, "multipleOf": 999_983}, "the limit is 1000"),
    "names": (NAMES, "more than 2 seconds or 1024 MiB to compile, which is the limit"),
    "values": ({"enum": [f"value {i}" for i in range(100_000)]}, "the limit is 250,000"),
    "constant": ({"const": [0] * 61_000}, "limit for this grammar: 60000"),
    "depth": (
        json.loads('{"items": ' * 180 + "{}" + "}" * 180),
        "nested too deeply|cannot be enforced",
    ),
}
SERVED = {
    "pattern": PATTERN,
    "unanchored": {"type": "string", "pattern": "(a{1000}){1000}"},
    "length": {"type": "string", "minLength": 10**6, "maxLength": 10**9},
    "items": {"type": ["string", "array"], "minItems": 10**6, "maxItems": 2**31},
    "choices": {"anyOf": [{"type": "string", "pattern": f"^.*a{{{i}}}$"} for i in range(100)]},
}


@pytest.fixture(scope="module")
def url(shared_data):
    """A server of a model that says "aaa... in gpt-oss's vocabulary, which has masks that cost."""
    vocabulary = Vocabulary.load(shared_data / "o200k_base.tiktoken")
    ids_of = {name: token_id for token_id, name in vocabulary.special_names.items()}
    start = [ids_of["<|channel|>"], *vocabulary.encode("final"), ids_of["<|message|>"]]
    reply = [*start, *vocabulary.encode('"'), *vocabulary.encode("a") * 6000]
    model = scripted(reply, vocab_size=vocabulary.size, max_context=8192)
    with serving(ChatModel("scripted", vocabulary, Engine(model))) as url:
        ask(url, {"type": "string"})  # makes what makes constraints
        yield url


class Watched(threading.Thread):
    """Reads a stream beside what a test does, and notes when each piece of it comes."""

    def __init__(self, url):
        super().__init__()
        self._url = url
        self.has_begun = threading.Event()
        self.is_done = False
        self.times_s = []

    def run(self):
        body = {"model": "scripted", "messages": [{"role": "user", "content": "a"}], "stream": True}
        with httpx.stream("POST", f"{self._url}/chat/completions", json=body, timeout=20) as stream:
            for line in stream.iter_lines():
                if line:
                    self.times_s.append(time.monotonic())
                if len(self.times_s) > 3:
                    self.has_begun.set()
                if self.is_done and len(self.times_s) > 5:  # a quick refusal outruns the stream
                    break

    def __enter__(self):
        self.start()
        assert self.has_begun.wait(10)
        return self

    def __exit__(self, *_):
        self.is_done = True
        self.join()

    @property
    def longest_s(self):
        return max(b - a for a, b in zip(self.times_s, self.times_s[1:], strict=False))


def ask(url, schema, **fields):
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    body = {
        "model": "scripted",
        "messages": [{"role": "user", "content": "a"}],
        "response_format": form,
        "max_tokens": 40,
    }
    return httpx.post(f"{url}/chat/completions", json=body | fields, timeout=60)


def ask_tools(url, schema):
    tool = {"type": "function", "name": "f", "parameters": schema, "strict": True}
    body = {"model": "scripted", "input": "a", "tools": [tool], "max_output_tokens": 40}
    return httpx.post(f"{url}/responses", json=body, timeout=60)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_dear_is_refused_and_tokens_beside_it_keep_coming(url, name):
    schema, reason = REFUSED[name]
    with Watched(url) as beside:
        answer = ask(url, schema)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_value"
    assert any(text in error["message"] for text in reason.split("|")), error["message"]
    assert len(beside.times_s) > 5
    assert beside.longest_s < LONGEST_S


@pytest.mark.parametrize("name", SERVED)
def test_what_can_be_followed_is_served_and_tokens_beside_it_keep_coming(url, name):
    with Watched(url) as beside:
        answer = ask(url, SERVED[name], n=3)
    assert answer.status_code == 200, answer.text
    for choice in answer.json()["choices"]:
        assert choice["message"]["content"].startswith(('"aaaaaaaa', "["))
    assert beside.longest_s < LONGEST_S


def test_a_tool_of_the_responses_api_is_refused_alike(url):
    schema, reason = REFUSED["constant"]
    with Watched(url) as beside:
        answer = ask_tools(url, {"type": "object", "properties": {"a": schema}})
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert message.startswith("the schema of functions.f cannot be enforced")
    assert reason in message
    assert beside.longest_s < LONGEST_S


def test_what_turns_out_to_be_too_dear_is_the_clients_mistake(url, monkeypatch):
    monkeypatch.setattr("netweight.harmony.grammar.MAX_START_S", 0.0)
    monkeypatch.setattr("netweight.harmony.grammar.MAX_TOKEN_S", 1e-9)
    answer = ask(url, PATTERN)
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert message.startswith("the answer could not be held to what was asked of it")
    assert "too complex to follow" in message
    events = ask(url, PATTERN, stream=True).text
    assert '"code": "invalid_value"' in events
    assert events.endswith("data: [DONE]\n\n")
