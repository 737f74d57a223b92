"""The streaming parser: what can be read while it reads, and strict parsing."""

import pytest

from netweight.errors import HarmonyError
from netweight.harmony import (
    Diagnostic,
    Header,
    MessageEnded,
    MessageStarted,
    Parser,
    Role,
    Span,
    SpanKind,
    State,
    TextDelta,
    parse_completion,
)


@pytest.fixture
def parser(vocabulary):
    return Parser(vocabulary)


def test_events_tell_the_message_as_it_comes(parser, spell):
    events = parser.push_all(spell("<|channel|>final<|message|>hi you<|return|>"))
    header = Header(Role.ASSISTANT, channel="final")
    assert events[:3] == [MessageStarted(header), TextDelta("hi"), TextDelta(" you")]
    assert events[3] == MessageEnded(parser.messages[0])


def test_accessors_follow_each_token(parser, spell):
    assert (parser.state, parser.header) == (State.HEADER, None)
    parser.push_all(spell("<|channel|>commentary to=functions.f json<|message|>{"))
    assert parser.state is State.CONTENT
    assert parser.header.recipient == "functions.f"
    assert (parser.text, parser.last_delta) == ("{", "{")
    parser.push_all(spell("}<|call|>"))
    assert (parser.state, parser.header, parser.last_delta) == (State.START, None, "")
    assert parser.text == "{}"


def test_deltas_wait_for_whole_characters(parser, spell, vocabulary):
    parser.push_all(spell("<|channel|>final<|message|>"))
    deltas = []
    for token_id in vocabulary.encode("💖!"):
        parser.push(token_id)
        deltas.append(parser.last_delta)
    assert deltas == ["", "💖", "!"]


def test_half_a_character_at_the_end_is_flushed_as_a_delta(parser, spell, vocabulary):
    parser.push_all(spell("<|channel|>final<|message|>") + vocabulary.encode("💖")[:1])
    assert parser.text == ""
    assert parser.finish()[0] == TextDelta("\ufffd")
    assert parser.messages[0].text == "\ufffd"


def test_spans_say_what_each_token_is(parser, spell):
    parser.push_all(spell("<|channel|>final<|message|>hi<|end|><|return|><|start|>user"))
    kinds = [span.kind for span in parser.spans]
    assert kinds == ["header", "message", "content", "end", "stray", "start"]
    assert parser.spans[2] == Span(SpanKind.CONTENT, 3, 4)
    assert parser.open_span == Span(SpanKind.HEADER, 7, 8)


def test_reading_an_accessor_builds_nothing(parser, spell):
    parser.push_all(spell("<|channel|>final<|message|>" + "word " * 50))
    for name in ("spans", "messages", "diagnostics", "tokens", "text", "header"):
        assert getattr(parser, name) is getattr(parser, name)


def test_a_body_found_in_a_header_is_content(parser, spell):
    parser.push_all(spell("<|channel|>final it is<|return|>"))
    assert [span.kind for span in parser.spans] == ["header", "content", "end"]


def test_the_open_header_of_a_prompt_is_no_damage(vocabulary, spell):
    parser = Parser(vocabulary, None)
    parser.push_all(spell("<|start|>user<|message|>hi<|end|><|start|>assistant"))
    parser.finish()
    assert parser.diagnostics == []
    assert parser.spans[-1].kind is SpanKind.HEADER
    assert parser.open_span is None


def test_a_diagnostic_says_what_and_where(parser, spell):
    parser.push_all(spell("<|channel|>final<|message|>x<|end|><|end|>"))
    assert parser.diagnostics == [Diagnostic("stray_stop", "<|end|>", 5)]


def test_what_comes_after_the_end_is_stray_and_said_once(parser, spell):
    parser.push_all(spell("<|channel|>final<|message|>x<|return|><|endoftext|>more words"))
    parser.finish()
    assert [diagnostic.code for diagnostic in parser.diagnostics] == ["tokens_after_end"]
    assert parser.state is State.ENDED
    assert parser.finish() == []


def test_an_odd_token_in_a_header_is_left_out(parser, spell):
    parser.push_all([*spell("<|channel|>fin"), 200014, *spell("al<|message|>x<|end|>")])
    assert parser.messages[0].channel == "final"
    assert parser.messages[0].layout is None
    assert parser.diagnostics[0].code == "unexpected_token_in_header"


def test_reset_forgets_everything(parser, spell, vocabulary):
    parser.push_all(spell("<|channel|>final<|message|>x"))
    parser.reset()
    fresh = Parser(vocabulary)
    assert (parser.state, parser.tokens, parser.text) == (fresh.state, [], "")
    parser.push_all(spell("<|channel|>final<|message|>y<|end|>"))
    assert [message.text for message in parser.messages] == ["y"]


def test_a_mark_of_another_parser_is_refused(parser, spell, vocabulary):
    other = Parser(vocabulary)
    other.push_all(spell("<|channel|>final"))
    with pytest.raises(AssertionError, match="another parser"):
        parser.rewind(other.mark())


def test_a_header_cut_in_two_by_the_next_message_is_reported(parser, spell):
    text = "<|channel|>final the answer<|start|>assistant<|channel|>final<|message|>x<|return|>"
    parser.push_all(spell(text))
    assert [message.text for message in parser.messages] == ["the answer", "x"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Unexpected EOS while waiting for message header to complete"),
        ("<|channel|><|message|>", "channel marker present but no channel value found in header"),
        ("a b c<|message|>", 'unexpected tokens remaining in message header: Some("a")'),
        ('"\\ b c<|message|>', 'Some("\\"\\\\")'),
        ("<|message|>x<|end|>x", "Unexpected token 87 while expecting start token 200006"),
        ("<|message|>x<|end|><|start|><|message|>", "message header did not contain a role"),
        ("<|message|>x<|end|><|start|>me<|message|>", "Unknown role: me"),
    ],
)
def test_strict_parsing_refuses(text, error, vocabulary, spell):
    with pytest.raises(HarmonyError) as raised:
        parse_completion(vocabulary, spell(text), strict=True)
    assert error in str(raised.value)


def test_strict_parsing_refuses_a_header_that_is_no_text(vocabulary, spell):
    half = vocabulary.encode("💖")[:1]
    with pytest.raises(HarmonyError, match="could not decode header"):
        parse_completion(vocabulary, half + spell("<|message|>"), strict=True)


def test_strict_parsing_takes_control_tokens_in_content_for_text(vocabulary, spell):
    (message,) = parse_completion(vocabulary, spell("<|message|>a<|start|>b<|end|>"), strict=True)
    assert message.text == "a<|start|>b"
    assert message.layout is None


def test_strict_parsing_lets_the_model_repeat_its_role(vocabulary, spell):
    ids = spell("assistant<|channel|>final<|message|>x<|end|>")
    (message,) = parse_completion(vocabulary, ids, strict=True)
    assert (message.role, message.recipient) == (Role.ASSISTANT, None)
