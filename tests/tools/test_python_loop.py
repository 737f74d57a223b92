"""A model that runs Python: the sandbox, the loop and the terminal together."""

import io
from contextlib import closing

import pytest
from rich.console import Console

from netweight.harmony import Message
from netweight.server import terminal
from netweight.tools import Python
from tests.server.conftest import ANSWER, python_call, saying_in_turn


@pytest.fixture
def python(needs_sandbox):
    with closing(Python().open()) as tool:
        yield tool


def test_what_the_code_prints_is_read_by_the_model_and_shown(python):
    code = "print(27 + 15)\nopen('/etc/shadow')"
    out, model = Console(file=io.StringIO(), width=80), saying_in_turn(python_call(code), ANSWER)
    chat = terminal.Settings(tools=(python,)).chat([Message.user("27 + 15?")])
    result = terminal.answer(model, chat, terminal.Display(out, out))
    assert result.calls[0].answer.startswith("42\nTraceback (most recent call last):\n")
    assert result.done.messages[2] == Message.tool(
        "python", result.calls[0].answer, channel="analysis"
    )
    assert "python answers: 42\nTraceback" in out.file.getvalue()
    assert out.file.getvalue().endswith("\n\nIt is 42 ✓.\n")
