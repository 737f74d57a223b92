import io
import os
import signal

import pytest
from rich.console import Console

from netweight.engine import Sampling
from netweight.errors import RequestError
from netweight.harmony import Message
from netweight.server import ContentDelta, ReasoningDelta, terminal
from netweight.server.terminal import Conversation, Display, Settings
from tests.fakes import BYTE_VOCABULARY_SIZE, one_hot
from tests.server.conftest import ANSWER, CALL, Shouting, python_call, saying, saying_in_turn


def console():
    return Console(file=io.StringIO(), width=80)


def converse(monkeypatch, model, *lines):
    """What a conversation with these input lines prints."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
    out = console()
    Conversation(model, out, Settings(sampling=Sampling(seed=1))).run()
    return out.file.getvalue()


def prompts_of(model):
    """The prompts that the model has been given, as they come."""
    prompts = []
    plain = model.request

    def request(chat):
        request = plain(chat)
        prompts.append(model.vocabulary.decode(request.prompt_ids))
        return request

    model.request = request
    return prompts


def test_a_piped_conversation_prints_reasoning_answer_and_speed(monkeypatch):
    text = converse(monkeypatch, saying(ANSWER), "27 + 15?")
    assert text.startswith("27 + 15 is 42.\n\nIt is 42 ✓.\n")
    assert "tokens/s, seed 1" in text


def test_the_conversation_is_remembered_until_it_is_cleared(monkeypatch):
    model = saying(ANSWER)
    prompts = prompts_of(model)
    converse(monkeypatch, model, "one", "two", "/clear", "three")
    assert "one" in prompts[1]
    assert "<|channel|>final<|message|>It is 42 ✓.<|end|>" in prompts[1]
    assert "one" not in prompts[2]


def test_effort_and_instructions_can_be_changed(monkeypatch):
    model = saying(ANSWER)
    prompts = prompts_of(model)
    lines = ("/effort high", "/system Be brief.", "one", "/system", "two")
    converse(monkeypatch, model, *lines)
    assert "Reasoning: high" in prompts[0]
    assert "# Instructions\n\nBe brief.<|end|>" in prompts[0]
    assert "Instructions" not in prompts[1]


@pytest.mark.parametrize("line", ["/effort extreme", "/effort"])
def test_an_effort_that_does_not_exist_changes_nothing(monkeypatch, line):
    assert "Effort is medium; /effort low" in converse(monkeypatch, saying(ANSWER), line)


def test_help_and_unknown_commands_list_the_commands(monkeypatch):
    for line in ("/help", "/dance", "/"):
        assert "/effort low|medium|high" in converse(monkeypatch, saying(ANSWER), line)


def test_quit_leaves_and_empty_lines_are_not_asked(monkeypatch):
    model = saying(ANSWER)
    prompts = prompts_of(model)
    converse(monkeypatch, model, "", "  ", "/quit", "never")
    assert prompts == []


def test_a_conversation_too_long_is_an_error_one_can_recover_from(monkeypatch):
    text = converse(monkeypatch, saying(ANSWER, max_context=600), "x" * 500, "short")
    assert "Shorten the prompt. /clear starts anew." in " ".join(text.split())
    assert "It is 42 ✓." in text


def test_a_tool_call_is_shown_with_its_arguments(monkeypatch):
    text = converse(monkeypatch, saying(CALL), "weather?")
    assert 'calls weather: {"city":"Zürich"}' in text


def test_a_built_in_tool_is_called_and_answers_before_the_model_does():
    out, model = console(), saying_in_turn(python_call("a"), ANSWER)
    chat = Settings(tools=(Shouting(),)).chat([Message.user("x")])
    result = terminal.answer(model, chat, Display(out, out))
    assert out.file.getvalue() == (
        "Try.\n\ncalls python: a\n\npython answers: A\n\n27 + 15 is 42.\n\nIt is 42 ✓.\n"
    )
    call = {"name": "python", "arguments": "a", "answer": "A"}
    assert result.record()["tool_calls"] == [call]


def test_a_call_that_nothing_answers_is_said_to_be_the_end():
    chat = Settings().chat([Message.user("x")])
    result = terminal.answer(saying(CALL), chat, lambda delta: None)
    assert result.summary().endswith("ended in a tool call that nothing answers")
    call = {"name": "weather", "arguments": '{"city":"Zürich"}', "answer": None}
    assert result.record()["tool_calls"] == [call]


def test_reasoning_and_answer_go_where_they_belong():
    out, aside = console(), console()
    display = Display(out, aside)
    for delta in (ReasoningDelta("hm"), ReasoningDelta("m"), ContentDelta("[b]42")):
        display(delta)
    display.end()
    assert out.file.getvalue() == "[b]42\n"
    assert aside.file.getvalue() == "hmm\n\n"


def test_reasoning_can_be_hidden():
    out, aside = console(), console()
    display = Display(out, aside, show_reasoning=False)
    display(ReasoningDelta("hm"))
    display(ContentDelta("42"))
    assert (out.file.getvalue(), aside.file.getvalue()) == ("42", "")


def test_control_characters_do_not_reach_a_terminal():
    out = Console(file=io.StringIO(), force_terminal=True, color_system=None)
    Display(out, out)(ContentDelta("a\x1b]0;b\x07\tc\n"))
    assert out.file.getvalue() == "a\ufffd]0;b\ufffd\tc\n"


def test_ctrl_c_stops_an_answer_and_frees_the_engine():
    model = saying(ANSWER)
    seen = []

    def show(delta):
        seen.append(delta)
        os.kill(os.getpid(), signal.SIGINT)

    result = terminal.answer(model, Settings().chat([Message.user("x")]), show)
    assert len(seen) == 1
    assert result.done is None
    assert result.summary() == "stopped"
    assert not model.engine.has_work


def test_ctrl_c_stops_an_answer_that_shows_nothing():
    model = saying("<|channel|>no end of a header ")
    forwards = []

    def next_logits(token_ids, num_prompt):
        forwards.append(len(token_ids))
        os.kill(os.getpid(), signal.SIGINT)
        return one_hot(ord("x"), BYTE_VOCABULARY_SIZE)

    model.engine._runner._model.next_logits = next_logits
    result = terminal.answer(model, Settings().chat([Message.user("x")]), lambda delta: None)
    assert (len(forwards), result.done) == (1, None)


def test_a_second_ctrl_c_is_not_held_back():
    with pytest.raises(KeyboardInterrupt), terminal.interruptible() as is_stopped:
        os.kill(os.getpid(), signal.SIGINT)
        assert is_stopped()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_model_failure_is_an_error():
    model = saying(ANSWER)
    model.engine._runner._model.next_logits = lambda *_: 1 / 0
    with pytest.raises(RequestError, match="ZeroDivisionError"):
        terminal.answer(model, Settings().chat([Message.user("x")]), lambda delta: None)


def test_speed_is_tokens_over_seconds():
    times = iter([10.0, 14.0])
    chat = Settings(max_tokens=20).chat([Message.user("x")])
    result = terminal.answer(saying(ANSWER), chat, lambda delta: None, clock=times.__next__)
    assert result.tokens_per_s == 5
    assert result.summary().endswith("cut off at the limit")
    assert result.record()["finish_reason"] == "length"
