"""Chat models that say what a test wrote down, and servers around them."""

import asyncio
import time
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import httpx
import pytest

from netweight.engine import Engine
from netweight.harmony import ToolNamespace
from netweight.server import ChatModel, serving
from netweight.server.settings import DEFAULTS
from tests.fakes import (
    BYTE_VOCABULARY_SIZE,
    byte_vocabulary,
    scripted,
    scripted_in_turn,
    spell,
)


def chat_model(model, *, name="scripted"):
    """A ChatModel over a fake model, on a fixed day."""
    return ChatModel(name, byte_vocabulary(), Engine(model), today=lambda: date(2026, 11, 24))


def saying(text, *, max_context=4096, **kwargs):
    """A ChatModel that answers everything with `text`, which follows `<|start|>assistant`."""
    model = scripted(spell(text), vocab_size=BYTE_VOCABULARY_SIZE, max_context=max_context)
    return chat_model(model, **kwargs)


def saying_in_turn(*texts, max_context=4096):
    """A ChatModel that says the next text each time that a tool has answered."""
    [call] = spell("<|call|>")
    replies = [spell(text) for text in texts]
    size = {"vocab_size": BYTE_VOCABULARY_SIZE, "max_context": max_context}
    return chat_model(scripted_in_turn(replies, call, **size))


class Shouting:
    """A built-in tool that repeats in capitals what it is told, and remembers it."""

    def __init__(self, name="python"):
        self.namespace = ToolNamespace(name, "Shouts.")
        self.heard = []

    def run(self, call, *, is_stopped):
        self.heard.append(call.text)
        return call.text.upper()


def client_at(url):
    """An HTTP client of a server, without certificates, which take long to read."""
    return httpx.Client(base_url=url, timeout=60, verify=False)


@contextmanager
def client_of(model, settings=DEFAULTS):
    """An HTTP client of a real server around a ChatModel."""
    with serving(model, settings) as url, client_at(url) as client:
        yield client


def until(condition, *, timeout_s=30):
    """Wait for something that happens soon, if not on a busy machine."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


@pytest.fixture(scope="session", autouse=True)
def quick_stops():
    """Let uvicorn look more often whether it is to stop: tests stop hundreds of servers."""
    naps = SimpleNamespace(**{**vars(asyncio), "sleep": lambda s: asyncio.sleep(s / 10)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uvicorn.server.asyncio", naps)
        yield


ANSWER = (
    "<|channel|>analysis<|message|>27 + 15 is 42.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>It is 42 ✓.<|return|>"
)
CALL = (
    "<|channel|>analysis<|message|>Look.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json"
    '<|message|>{"city":"Zürich"}<|call|>'
)


def python_call(code, *, to="python"):
    """What a model says to run code, after a thought."""
    return (
        "<|channel|>analysis<|message|>Try.<|end|>"
        f"<|start|>assistant<|channel|>analysis to={to} code<|message|>{code}<|call|>"
    )


@pytest.fixture(scope="module")
def answering():
    """A client of a server that says ANSWER."""
    with client_of(saying(ANSWER)) as client:
        yield client


@pytest.fixture(scope="module")
def calling():
    """A client of a server that says CALL."""
    with client_of(saying(CALL)) as client:
        yield client
