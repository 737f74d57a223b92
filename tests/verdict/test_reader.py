"""How the reader of clauses learns, and from what."""

import json

import pytest

from benchmarks.verdict_gold import SPLITS, UNREAD, read_gold
from benchmarks.verdict_reader import (
    LEARNED_FROM,
    OPENING,
    TABLE,
    Example,
    cuts_in,
    learn,
    marked_gold,
    marked_sentences,
    readings_in,
)

RED_OR_BLUE = [
    Example(frozenset({"any", f"word {n % 4}"}), "red" if n % 4 < 2 else "blue") for n in range(40)
]


def test_what_can_be_told_apart_is_told_apart():
    learned = learn(RED_OR_BLUE, "cuts")
    for example in RED_OR_BLUE:
        shares = learned.shares(example.features)
        assert max(shares, key=shares.__getitem__) == example.label
        assert learned.shares(["any"])["red"] == pytest.approx(0.5, abs=0.01)


def test_a_feature_that_occurs_once_is_not_learned():
    once = [*RED_OR_BLUE, Example(frozenset({"any", "only here"}), "red")]
    assert "only here" not in learn(once, "cuts").weights


def test_the_weights_come_from_no_unread_story():
    table = json.loads(TABLE.read_text("utf-8"))
    assert tuple(table["learned_from"]) == LEARNED_FROM
    assert {*LEARNED_FROM} | {*UNREAD} == {*SPLITS} and not {*LEARNED_FROM} & {*UNREAD}


def test_every_marked_sentence_teaches():
    """Each is read after the opening, and its claims stand where they were marked."""
    for marked in marked_sentences():
        story = marked.story.text
        assert story.startswith(OPENING.rstrip()) and marked.start == len(OPENING)
        for place, kind in marked.claims:
            assert kind in ("fact", "opinion") and story[place.start : place.end].strip()
        assert readings_in(marked) or story[len(OPENING) :].strip().endswith("?")


@pytest.mark.parametrize("split", ["dev", "further1"])
def test_a_gold_story_teaches_cuts_and_readings(split):
    marked = [marked_gold(gold) for gold in read_gold(split)]
    assert {e.label for m in marked for e in cuts_in(m)} == {"cut", "whole"}
    assert {e.label for m in marked for e in readings_in(m)} == {"fact", "opinion", "neither"}
