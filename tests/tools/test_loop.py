"""Models that use the built-in tools: the tool, the loop and the terminal together."""

import io

import pytest
from rich.console import Console

from netweight.harmony import Message
from netweight.server import terminal
from netweight.tools import Browser, Folder, Python, opened
from tests.server.conftest import ANSWER, python_call, saying_in_turn


@pytest.fixture
def out():
    return Console(file=io.StringIO(), width=80)


def ask(model, out, *tools):
    """What comes of a question that the model answers with these tools."""
    with opened(tools) as in_use:
        chat = terminal.Settings(tools=in_use).chat([Message.user("27 + 15?")])
        return terminal.answer(model, chat, terminal.Display(out, out))


def browser_call(tool, arguments):
    return python_call(arguments, to=f"browser.{tool}")


@pytest.mark.usefixtures("needs_sandbox")
def test_what_code_prints_is_read_by_the_model_and_kept_for_its_next_call(out):
    first = "x = 27 + 15\nprint(x)\nopen('/etc/shadow')"
    model = saying_in_turn(python_call(first), python_call("x + 1"), ANSWER)
    result = ask(model, out, Python())
    assert result.calls[0].answer.startswith("42\nTraceback (most recent call last):\n")
    assert result.calls[1].answer == "43\n"
    assert result.done.messages[2] == Message.tool(
        "python", result.calls[0].answer, channel="analysis"
    )
    assert "python answers: 42\nTraceback" in out.file.getvalue()
    assert out.file.getvalue().endswith("\n\nIt is 42 ✓.\n")


def test_a_model_searches_opens_and_finds(out, tmp_path):
    (tmp_path / "sums.md").write_text("# Sums\n27 + 15 is 42.")
    model = saying_in_turn(
        browser_call("search", '{"query":"sums 27"}'),
        browser_call("open", '{"id":0}'),
        browser_call("find", '{"pattern":"is 42"}'),
        ANSWER,
        max_context=8192,
    )
    result = ask(model, out, Browser(Folder(tmp_path)))
    assert [call.name for call in result.calls] == [
        "browser.search", "browser.open", "browser.find",
    ]  # fmt: skip
    assert [call.answer.split("\n")[0] for call in result.calls] == [
        "[0] sums 27",
        "[1] Sums (file:///sums.md)",
        "[2] Find results for text: `is 42` in `Sums` (file:///sums.md/find?pattern=is 42)",
    ]
    assert result.done.messages[2].name == "browser.search"
    assert result.content == "It is 42 ✓."


@pytest.mark.usefixtures("needs_sandbox")
def test_python_and_browser_can_be_had_at_once(out, tmp_path):
    (tmp_path / "sums.md").write_text("# Sums\n27 + 15 is 42.")
    model = saying_in_turn(
        python_call("6 * 7"), browser_call("open", '{"id":"sums.md"}'), ANSWER, max_context=8192
    )
    result = ask(model, out, Python(), Browser(Folder(tmp_path)))
    assert result.calls[0].answer == "42\n"
    assert "27 + 15 is 42." in result.calls[1].answer
