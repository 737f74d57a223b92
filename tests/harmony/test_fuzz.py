"""Any tokens at all: no exception, lossless spans, deltas that add up, linear time."""

import os
import random
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.harmony import (
    MessageEnded,
    MessageStarted,
    Parser,
    Role,
    TextDelta,
    render_message,
)
from tests.harmony import strategies

NUM_STREAMS = int(os.environ.get("NETWEIGHT_FUZZ_STREAMS", "200000"))


def pieces_of(vocabulary):
    """What streams are made of: control tokens thrice, words of headers, ids of nothing."""
    special = vocabulary.special
    control = [[getattr(special, name)] for name in type(special).__slots__]
    words = [vocabulary.encode(text) for text in strategies.HEADER_TEXTS]
    odd = [[vocabulary.size], [10**9], [-1], [200014]]
    return control * 3 + words * 2 + odd


def stream(vocabulary, pieces, rng):
    ids = []
    for _ in range(rng.randint(0, 40)):
        is_piece = rng.random() < 0.8
        ids += rng.choice(pieces) if is_piece else [rng.randrange(vocabulary.size)]
    return ids


def watched(parser, events):
    """The events, once it is seen that the spans so far reach the last token."""
    last = parser.open_span or parser.spans[-1]
    assert last.stop == len(parser.tokens)
    return events


def check(vocabulary, ids, role):
    """Everything that must hold of any stream."""
    parser = Parser(vocabulary, role)
    events = [event for token_id in ids for event in watched(parser, parser.push(token_id))]
    events += parser.finish()
    assert parser.tokens == ids
    assert parser.open_span is None
    position = 0
    for span in parser.spans:
        assert span.start == position < span.stop
        position = span.stop
    assert position == len(ids)
    text, texts = "", []
    for event in events:
        if isinstance(event, MessageStarted):
            text = ""
        elif isinstance(event, TextDelta):
            assert event.text
            text += event.text
        elif isinstance(event, MessageEnded):
            assert event.message.text == text
            texts.append(text)
    assert texts == [message.text for message in parser.messages]
    for message in parser.messages:  # whatever was read can stand in the next prompt
        assert render_message(vocabulary, replace(message, layout=None))
    return parser


def fuzz(vocabulary, num_streams, seed):
    rng = random.Random(seed)
    pieces = pieces_of(vocabulary)
    for _ in range(num_streams):
        check(vocabulary, stream(vocabulary, pieces, rng), rng.choice([None, Role.ASSISTANT]))


def test_random_streams_are_parsed_without_loss(vocabulary):
    fuzz(vocabulary, 4_000, seed=1)


@pytest.mark.slow
def test_very_many_random_streams_are_parsed_without_loss(vocabulary):
    fuzz(vocabulary, NUM_STREAMS, seed=2)


@given(data=st.data())
def test_copying_or_rewinding_anywhere_changes_nothing(vocabulary, data):
    ids = data.draw(strategies.token_streams(vocabulary))
    where = data.draw(st.integers(0, len(ids)))
    whole = check(vocabulary, ids, Role.ASSISTANT)
    parser = Parser(vocabulary)
    parser.push_all(ids[:where])
    mark, twin = parser.mark(), parser.copy()
    parser.push_all(data.draw(strategies.token_streams(vocabulary, max_size=5)))
    parser.rewind(mark)
    for reader in (parser, twin):
        reader.push_all(ids[where:])
        reader.finish()
        assert reader.messages == whole.messages
        assert reader.spans == whole.spans
        assert reader.diagnostics == whole.diagnostics


@given(data=st.data())
def test_what_was_parsed_cleanly_renders_to_the_same_tokens(vocabulary, data):
    ids = data.draw(strategies.token_streams(vocabulary))
    parser = check(vocabulary, ids, Role.ASSISTANT)
    for message in parser.messages:
        if message.layout is None:
            continue
        written = render_message(vocabulary, message)
        assert written[:-1] == list(message.layout.token_ids)[: len(written) - 1]
        assert written[-1] in (vocabulary.special.end, vocabulary.special.call)


@pytest.mark.parametrize("text", ["word", "<|channel|>", "💖", "<|reserved_200014|>", " to=f"])
@pytest.mark.parametrize("opening", ["", "<|channel|>final", "<|channel|>final<|message|>"])
def test_time_is_linear_in_the_length(text, opening, vocabulary, spell):
    body = [200014] if "reserved" in text else spell(text)

    def seconds(num_repeats):
        ids = spell(opening) + body * num_repeats
        start = process_time()
        check(vocabulary, ids, Role.ASSISTANT)
        return (process_time() - start) / len(ids)

    short_s = min(seconds(1_000) for _ in range(3))
    long_s = min(seconds(16_000) for _ in range(3))  # the least: others share the caches
    assert long_s < 6 * short_s + 2e-6
