"""Streams of /v1/chat/completions, event by event, as files in tests/golden (pytest --regen)."""

import re
from pathlib import Path

import pytest

from tests.server.conftest import client_of, saying
from tests.server.test_app import ask
from tests.server.test_chat_api import WEATHER

GOLDEN = Path(__file__).parents[1] / "golden"

SHORT = (
    "<|channel|>analysis<|message|>Hm✓<|end|>"
    "<|start|>assistant<|channel|>final<|message|>No.<|return|>"
)
CALLS = (
    "<|channel|>commentary<|message|>I<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{}"
    "<|end|><|start|>assistant to=functions.weather<|channel|>commentary<|message|>[]<|call|>"
)
CASES = {
    "answer": (SHORT, {}),
    "usage": (SHORT, {"stream_options": {"include_usage": True}}),
    "calls": (CALLS, {"tools": [WEATHER]}),
    "choices": (SHORT.partition("<|end|>")[0], {"n": 2, "max_tokens": 4}),
    "stop": (SHORT, {"stop": "o."}),
    "logprobs": (SHORT, {"logprobs": True, "top_logprobs": 1}),
    "tokens": (SHORT, {"netweight": {"tokens": True, "top": 1}}),
}


def readable(stream):
    """The stream without what differs from run to run, and without the prompt's tokens."""
    text = re.sub(r"(chatcmpl|call)-?_?[0-9a-f]{24}", r"\1-ID", stream)
    text = re.sub(r'"created":\d+', '"created":0', text)
    text = re.sub(r'"prompt":\[[^]]*\]', '"prompt":[PROMPT]', text)
    return re.sub(r'"logprob":-?\d+\.\d+', '"logprob":LOGPROB', text)


@pytest.mark.parametrize("name", CASES)
def test_a_stream_is_as_it_was(name, request):
    said, fields = CASES[name]
    with client_of(saying(said)) as client:
        text = readable(ask(client, stream=True, seed=7, **fields).text)
    path = GOLDEN / f"chat_{name}.txt"
    if request.config.getoption("--regen"):
        path.write_text(text)
    assert text == path.read_text()
