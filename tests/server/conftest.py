"""Chat models that say what a test wrote down, and servers around them."""

from contextlib import contextmanager
from datetime import date

import httpx
import pytest

from netweight.engine import Engine
from netweight.server import ChatModel, serving
from tests.fakes import BYTE_VOCABULARY_SIZE, byte_vocabulary, scripted, spell


def chat_model(model, *, name="scripted"):
    """A ChatModel over a fake model, on a fixed day."""
    return ChatModel(name, byte_vocabulary(), Engine(model), today=lambda: date(2026, 11, 24))


def saying(text, *, max_context=4096, **kwargs):
    """A ChatModel that answers everything with `text`, which follows `<|start|>assistant`."""
    model = scripted(spell(text), vocab_size=BYTE_VOCABULARY_SIZE, max_context=max_context)
    return chat_model(model, **kwargs)


@contextmanager
def client_of(model):
    """An HTTP client of a real server around a ChatModel."""
    with serving(model) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


ANSWER = (
    "<|channel|>analysis<|message|>27 + 15 is 42.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>It is 42 ✓.<|return|>"
)
CALL = (
    "<|channel|>analysis<|message|>Look.<|end|>"
    "<|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json"
    '<|message|>{"city":"Zürich"}<|call|>'
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
