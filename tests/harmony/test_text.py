"""Completions as text: markers spelled out, stripped, and cut into pieces anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.harmony import MessageStarted, TextDelta, parse_completion
from netweight.harmony.text import TextParser, parse_text
from tests.harmony import strategies

COMPLETION = (
    "<|channel|>analysis<|message|>hm <b> 💖<|end|><|start|>assistant"
    '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a":1}<|call|>'
)


def test_spelled_markers_are_control_tokens(vocabulary, spell):
    assert parse_text(vocabulary, COMPLETION) == parse_completion(vocabulary, spell(COMPLETION))


@given(cuts=st.lists(st.integers(0, len(COMPLETION)), max_size=8).map(sorted))
def test_pieces_of_any_size_give_the_same_messages(vocabulary, cuts):
    parser = TextParser(vocabulary)
    bounds = [0, *cuts, len(COMPLETION)]
    events = []
    for start, stop in pairwise(bounds):
        events += parser.push(COMPLETION[start:stop])
    events += parser.finish()
    assert parser.messages == parse_text(vocabulary, COMPLETION)
    assert sum(isinstance(event, MessageStarted) for event in events) == 2
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == 'hm <b> 💖{"a":1}'


def test_the_beginning_of_a_marker_is_held_back(vocabulary):
    parser = TextParser(vocabulary)
    parser.push("<|channel|>final<|message|>a <")
    assert parser.parser.text == "a "
    parser.push("|e")
    assert parser.parser.text == "a "
    parser.push("x")
    assert parser.parser.text == "a <|ex"


@pytest.mark.parametrize("text", ["", "<|", "<|end|>", "<|reserved_200014|>", "analysis"])
def test_odd_texts_are_read(text, vocabulary):
    assert parse_text(vocabulary, text) in ([], parse_text(vocabulary, text))


@given(text=strategies.texts())
def test_no_text_makes_reading_fail(vocabulary, text):
    for message in parse_text(vocabulary, text):
        assert isinstance(message.text, str)
