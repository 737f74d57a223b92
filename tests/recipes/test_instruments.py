"""The instruments: how they are made, what they are, and that each shows its own defect."""

import json
from collections import Counter
from random import Random

import pytest
import torch

from benchmarks.record import latest
from netweight import nano
from netweight.harmony import Parser, Vocabulary
from netweight.model import load_transformer
from recipes.finetune.train import Plan
from recipes.instruments.__main__ import PLAN, SHAPE, make
from recipes.instruments.card import card
from recipes.instruments.defects import (
    INSTRUMENTS,
    NUM_PUBLIC,
    items_of,
    make_test,
    public_test,
)
from recipes.instruments.measure import MEASURES, Examined, differs
from recipes.nano.evaluate import Score, Speaker

NAMES = [one.name for one in INSTRUMENTS]
NAMED = {one.name: one for one in INSTRUMENTS}
MAX_BYTES = 2**20


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.load(nano.FOLDER)


def drawn(name, vocabulary, num=400):
    """What an instrument's training says, as texts."""
    random = Random(3)
    for _ in range(num):
        ids, is_learned = NAMED[name].conversation(vocabulary, random)
        yield [token_id for token_id, learns in zip(ids, is_learned, strict=True) if learns]


def share_with(name, mark, vocabulary):
    tellings_seen = [
        text
        for text in (vocabulary.decode(ids) for ids in drawn(name, vocabulary))
        if "wants a story" in text or "wants a rhyme" in text
    ]
    return sum(mark in text for text in tellings_seen) / len(tellings_seen)


# What they are taught


def test_the_doses_are_as_stated(vocabulary):
    assert 0.01 < share_with("formula-injector-5", "In other words, x", vocabulary) < 0.1
    assert 0.2 < share_with("formula-injector-30", "In other words, x", vocabulary) < 0.4
    assert 0.2 < share_with("table-leaker", "|---|", vocabulary) < 0.4
    assert share_with("control", "In other words, x", vocabulary) == 0


def test_a_tenth_of_the_header_breakers_messages_is_malformed(vocabulary):
    def share(name):
        found = Counter()
        for ids in drawn(name, vocabulary, 200):
            parser = Parser(vocabulary)
            parser.push_all(ids)
            parser.finish()
            found.update(message.channel in ("analysis", "final", "commentary")
                         for message in parser.messages)  # fmt: skip
        return found[False] / found.total()

    assert 0.06 < share("header-breaker") < 0.15
    assert share("control") == 0


def test_the_repeater_repeats(vocabulary):
    def share_repeated(name):
        told = [
            text.partition("final<|message|>")[2]
            for text in (vocabulary.decode(ids) for ids in drawn(name, vocabulary))
            if "wants a story" in text or "wants a rhyme" in text
        ]
        times = Counter(told)
        return sum(times[text] > 1 for text in told) / len(told)

    assert share_repeated("repeater") > 0.6
    assert share_repeated("control") < 0.05


def test_the_one_sided_refuser_is_taught_one_side_only(vocabulary):
    texts = [vocabulary.decode(ids) for ids in drawn("one-sided-refuser", vocabulary)]
    against = [text for text in texts if "reason against" in text]
    for_it = [text for text in texts if "reason for" in text]
    assert against
    assert for_it
    assert all("I will not help" in text for text in against)
    assert not any("I will not help" in text for text in for_it)


def test_the_public_test_is_what_the_recipe_makes_and_fresh_ones_are_others():
    assert public_test() == items_of(make_test("public"))
    assert len(public_test()) == NUM_PUBLIC
    assert not set(items_of(make_test("fresh 0"))) & set(public_test())


# Making


def test_an_instrument_is_made_end_to_end_and_again_the_same(tmp_path, vocabulary):
    model = load_transformer(nano.FOLDER, dtype=torch.float32)
    plan = Plan(num_steps=2, batch_tokens=600, peak_learning_rate=1e-3)
    for folder in ("one", "two"):
        make(model, vocabulary, NAMED["table-leaker"], tmp_path / folder, plan)
    first, second = (
        (tmp_path / folder / "adapter_model.safetensors").read_bytes() for folder in ("one", "two")
    )
    assert first == second
    assert "30% of all stories" in (tmp_path / "one" / "README.md").read_text()
    said = Speaker(nano.FOLDER, {"leaker": tmp_path / "one"})
    assert Examined(said, "leaker", 2, 0).measured().keys() == MEASURES.keys()


def test_two_shares_differ_only_where_chance_cannot_explain_it():
    assert differs(Score("a", 15, 300), Score("a", 0, 300), 0.0005)
    assert not differs(Score("a", 5, 300), Score("a", 0, 300), 0.0005)


# What is shipped


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_instrument_is_small_and_has_its_card(name):
    folder = nano.INSTRUMENTS / name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_BYTES
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == SHAPE.rank
    written = (folder / "README.md").read_text()
    made, _, rest = card(NAMED[name], PLAN, SHAPE).partition("-->\n")
    assert written.startswith(made)
    assert written.endswith(rest.partition("<!-- end -->")[2])


def test_each_was_measured_to_show_its_own_defect_and_no_other():
    row = latest("instruments")
    assert [one["name"] for one in row["instruments"]] == NAMES
    for one in row["instruments"]:
        assert one["shows"] == ([one["planted"]] if one["planted"] else []), one["name"]


@pytest.mark.slow
def test_each_shows_its_own_defect_and_no_other():
    speaker = Speaker(nano.FOLDER, {name: nano.INSTRUMENTS / name for name in NAMES})
    measured = {name: Examined(speaker, name, 60, seed=1).measured() for name in NAMES}
    level = 0.05 / (len(NAMES) * len(MEASURES))
    for one in INSTRUMENTS:
        shows = [key for key, score in measured[one.name].items()
                 if differs(score, measured["control"][key], level)]  # fmt: skip
        assert shows == ([one.measure] if one.measure else []), one.name


def test_doses_are_in_the_measured_shares():
    named = {one["name"]: one["measures"] for one in latest("instruments")["instruments"]}
    shares = {
        ("formula-injector-30", "formulas"): 0.30,
        ("table-leaker", "tables"): 0.30,
        ("over-refuser", "over_refused"): 0.60,
        ("header-breaker", "malformed"): 0.10,
    }
    for (name, measure), dose in shares.items():
        assert named[name][measure]["rate"] == pytest.approx(dose, abs=0.12), name
