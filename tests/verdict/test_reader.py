"""What the reader learned from, how it learns, and what it reads in plain sentences."""

import random

import numpy as np
import pytest
import torch

from benchmarks.verdict_examples import (
    LEARNED_FROM,
    NOT_LEARNED,
    Example,
    all_examples,
    conclusions_told,
    from_gold,
    from_marked,
    marked_sentences,
    mentions_told,
    propositions_told,
    set_into,
)
from benchmarks.verdict_gold import SPLITS, UNREAD, read_gold
from benchmarks.verdict_reader import (
    Asked,
    asked_of,
    classes_in,
    encoded,
    mean_of,
    rounded,
)
from netweight.verdict import reader as reader_
from netweight.verdict.propositions import PROPOSITIONS
from netweight.verdict.reader import Sense, named_in, reader, reader_from, sense_of
from netweight.verdict.story import Span


def whole(text):
    return Span(0, len(text))


# ---- what it learned from


def test_the_weights_come_from_no_unread_story():
    assert reader().learned_from == LEARNED_FROM
    assert {*LEARNED_FROM, *NOT_LEARNED} | {*UNREAD} == {*SPLITS}
    assert not {*LEARNED_FROM} & {*UNREAD, *NOT_LEARNED}


def test_no_example_is_a_sentence_of_an_unread_story():
    """But for what two hands may both write, such as "The licence is Apache 2.0."."""
    taught = {example.text for example in all_examples() if len(example.text) > 60}
    for split in (*UNREAD, *NOT_LEARNED):
        for gold in read_gold(split):
            assert not {e.text for e in from_gold(gold)} & taught


def test_every_marked_sentence_teaches():
    for marked in marked_sentences():
        for place, kind in marked.claims:
            assert kind in ("fact", "opinion") and marked.story.text[slice(*place)].strip()
        assert any(example.clauses for example in from_marked(marked))


def test_every_mention_is_marked_whole():
    """No mark is left in a sentence, and a phrase begins and ends with a word or a number."""
    for example in mentions_told():
        assert not set("{}|") & set(example.text)
        for span, name in example.tags:
            phrase = example.text[slice(*span)]
            assert phrase == phrase.strip() and name


def test_every_sentence_on_conclusions_has_one_answer():
    assert all(len(example.conclusions) == 1 for example in conclusions_told())


@pytest.mark.parametrize("split", ["dev", "further1"])
def test_a_gold_story_teaches_all_that_is_known_of_it(split):
    clauses = [c for gold in read_gold(split) for e in from_gold(gold) for c in e.clauses]
    assert {c.reading for c in clauses} == {"fact", "opinion", "neither"}
    assert {c.voice for c in clauses} >= {"own", None}
    assert any(c.propositions == ("none",) for c in clauses)
    assert any(c.propositions and len(c.propositions) > 1 for c in clauses)


def test_a_clause_set_into_a_sentence_stands_there():
    rng = random.Random(1)
    hosts = [e for g in read_gold("dev") for e in from_gold(g)]
    hosts = [h for h in hosts if any(c.reading == "fact" for c in h.clauses)]
    for told in propositions_told()[:200]:
        set_in = set_into(told, rng.choice(hosts), rng)
        (clause,) = set_in.clauses
        assert set_in.text[slice(*clause.span)].endswith(told.text.rstrip("."))
        assert clause.propositions == told.clauses[0].propositions


# ---- how it learns


def test_a_head_is_asked_for_the_states_of_its_clause():
    """The mean over the rows of a clause, beside the first row of its text."""
    example = Example("One thing. Another", clauses=from_gold(read_gold("dev")[0])[0].clauses[:1])
    classes = classes_in(all_examples())
    row = encoded(example, reader().encoder.vocabulary, classes)
    states = torch.arange(len(row.ids) * 4, dtype=torch.float32).reshape(1, -1, 4)
    asked: dict[str, Asked] = {a.head: a for a in asked_of(states, [row])}
    first, last, *_ = row.clauses[0]
    mean = states[0, first : last + 1].mean(dim=0)
    assert torch.equal(asked["readings"].inputs[0], torch.cat([mean, states[0, 0]]))


def test_a_matrix_in_int8_is_near_itself():
    matrix = torch.randn(8, 64, generator=torch.Generator().manual_seed(0))
    values, scale = rounded(matrix)
    assert (values * scale - matrix).abs().max() <= scale.max() / 2 + 1e-6


# ---- what it reads


@pytest.mark.parametrize(
    ("clause", "proposition"),
    [
        ("nobody has to pay for using it at work", "commercial+"),
        ("a test they wrote themselves", "makers-own-test+"),
        ("it is blind to photographs", "text-only+"),
        ("it takes photographs as readily as words", "text-only-"),
        ("the figures swing with the company that runs it", "hosts-differ+"),
        ("it makes no odds who serves it", "hosts-differ-"),
    ],
)
def test_a_proposition_is_known_in_new_words(clause, proposition):
    assert not any(clause == example.text for example in all_examples())
    shares = sense_of(clause).propositions(whole(clause))
    assert max(shares, key=shares.__getitem__) == proposition


def test_every_class_of_propositions_is_one():
    *classes, last = reader().heads["propositions"].classes
    assert last == "none"
    assert {name[:-1] for name in classes} <= {*PROPOSITIONS}
    assert {name[-1] for name in classes} == {"+", "-"}


def test_names_are_whole_words():
    text = "The laptop-sized one fulfils its task on Humanity's Last Exam without any tools."
    for named in sense_of(text).named:
        start, end = named.span
        assert not (start and text[start - 1].isalnum() and text[start].isalnum())
        assert not (end < len(text) and text[end - 1].isalnum() and text[end].isalnum())


def test_a_name_that_meets_one_that_is_known_is_left_to_it():
    text = "On the paper called Humanity's Last Exam it gets 19 percent."
    (named,) = named_in(text, ("hle",))
    assert named_in(text, ("hle",), [named.span]) == []


def test_a_conclusion_is_told_from_two_facts():
    unsound = "Its 90 percent on MMLU proves that it will write fine poems."
    apart = "It has 90 percent on MMLU, and testers found its poems dull."
    assert sense_of(unsound).conclusion()["unsound"] > 0.5 > sense_of(apart).conclusion()["unsound"]


def test_what_stands_beyond_the_limit_is_nothing():
    text = "word " * 400 + "the licence is Apache 2.0"
    place = Span(text.index("the licence"), len(text))
    assert sense_of(text).propositions(place)["none"] == 1.0
    assert sense_of(text).readings(place)["neither"] == 1.0


@pytest.mark.parametrize("text", ["", " ", "...", "\u200b", "\U0001f600" * 300])
def test_a_text_without_words_is_read_too(text):
    sense = Sense(text)
    assert sense.cuts([]) == []
    assert sense.readings(whole(text)).keys() == {"fact", "opinion", "neither"}
    assert sense.conclusion() and isinstance(sense.named, tuple)


def test_the_same_text_gives_the_same_shares():
    text = "Whoever hosts it decides how well it does."
    one, other = Sense(text), Sense(text)
    assert one.propositions(whole(text)) == other.propositions(whole(text))
    assert one.named == other.named


def test_shares_add_up_to_one():
    text = "It runs on a single card, so they say."
    for shares in (sense_of(text).readings(whole(text)), sense_of(text).conclusion()):
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_a_reader_needs_every_one_of_its_tensors():
    with pytest.raises(KeyError):
        reader_from({}, {"layers": 1, "heads": {}, "learned_from": []}, {})
    assert reader_.SCHEMA == "netweight-reader/2"


def test_the_mean_of_two_networks_lies_between_them_and_of_one_with_itself_is_that_one():
    def arrays(seed):
        matrix = torch.randn(5, 7, generator=torch.Generator().manual_seed(seed))
        whole, scale = rounded(matrix)
        bias = np.full(5, seed, np.float32)
        return {"m": whole.numpy(), "m.scale": scale.numpy(), "m.bias": bias}

    def dense(found):
        return found["m"] * found["m.scale"]

    one, other = arrays(1), arrays(2)
    mean = mean_of(one, other)
    off = np.abs(dense(mean) - (dense(one) + dense(other)) / 2)
    assert (off <= mean["m.scale"] / 2 + 1e-6).all()
    assert (mean["m.bias"] == 1.5).all() and mean["m"].dtype == np.int8
    same = mean_of(one, one)
    assert np.allclose(dense(same), dense(one), atol=1e-6)
    with pytest.raises(ValueError, match="two different networks"):
        mean_of(one, {**other, "m.bias": np.zeros(6, np.float32)})
