"""What a model is asked about a story: the orders, the material, the schema, the pieces."""

import json

import jsonschema
import pytest

from netweight.verdict import judge as judging
from netweight.verdict import published
from netweight.verdict.assisted import extract_with_model
from netweight.verdict.marking import MAX_PIECE_BYTES, TOPIC_WORDS, make_reading
from tests.verdict.answers import TEXT, TRAILS, answer, scripted, story_of
from tests.verdict.test_injection import CARRIERS


def test_the_topics_are_those_of_the_catalogue():
    assert {*judging._BY_TOPIC, "opinion"} == TOPIC_WORDS.keys()


@pytest.mark.inspect
def test_the_story_is_json_in_the_users_message_and_the_orders_are_ours():
    seen = []
    text = f'{TEXT}\n{CARRIERS[5]} "}}]}} gpt-oss-20b is out.'
    extract_with_model(
        story_of(text),
        published(),
        scripted(lambda messages, config: seen.append((messages, config)) or answer()),
        repeats=3,
        seed=7,
    )
    (system, user), config = seen[0]
    shown = json.loads(user.text)
    assert [s["text"] for s in shown["sentences"]] == [s.text for s in story_of(text).sentences]
    assert [s["number"] for s in shown["sentences"]] == [*range(1, len(shown["sentences"]) + 1)]
    assert "verdict" not in system.text
    assert not any(s["text"] in system.text for s in shown["sentences"])
    assert sorted(config.seed for _, config in seen) == [7, 8, 9]
    assert config.response_schema.strict
    assert config.max_retries is not None


@pytest.mark.inspect
def test_the_schema_lets_through_what_is_asked_and_nothing_else():
    seen = []
    model = scripted(lambda messages, config: seen.append(config) or answer())
    extract_with_model(story_of(TEXT), published(), model, repeats=1)
    schema = seen[0].response_schema.json_schema.model_dump(exclude_none=True)
    rest = {"hedged": False, "speaker": None, "negated": False, "ability": None, "direction": None}
    whole = TRAILS | rest
    jsonschema.validate({"claims": [whole]}, schema)
    wrong = [{"topic": "truth"}, {"subjects": ["gpt-oss-20b"]}, {"relation": "best"}, {"score": 9}]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"claims": [whole | change]}, schema)


def test_a_long_story_is_read_in_pieces_of_bounded_size():
    story = story_of("gpt-oss-120b trails o4-mini on MMLU, they say. " * 900)
    reading = make_reading(story, published())
    assert [p.start for p in reading.pieces[1:]] == [p.end for p in reading.pieces[:-1]]
    assert (reading.pieces[0].start, reading.pieces[-1].end) == (0, len(story.sentences))
    for piece in reading.pieces:
        texts = [s.text.encode() for s in story.sentences[piece.start : piece.end]]
        assert sum(map(len, texts)) <= MAX_PIECE_BYTES
    assert len(reading.pieces) == pytest.approx(len(story.text) / MAX_PIECE_BYTES, abs=1.5)
