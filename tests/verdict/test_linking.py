"""Clauses that no rule for a topic knows, linked to their record by their words together."""

import dataclasses

import pytest

from netweight.verdict import judge_propositions, parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger
from netweight.verdict.propositions import PROPOSITIONS
from netweight.verdict.reader import Sense
from netweight.verdict.scenes import read_scenes
from netweight.verdict.stating import stated_in
from netweight.verdict.story import Span
from tests.conftest import ROOT

TABLES = published()
OPENING = (
    "OpenAI put two open-weight models online, gpt-oss-120b and gpt-oss-20b.\n\n"
    "Analysts have been trying the larger one. "
)
NAMING_NONE = (
    "OpenAI has let two models out of the door, a big one and a small one.\n\n"
    "People have been poking at the big one. "
)


def read(text, opening=OPENING):
    ledger = Ledger(TABLES)
    story = parse_story((opening + text).encode(), "story.txt")
    claims = [(claim, judge(claim, ledger)) for claim in extract_claims(story, TABLES)]
    told = [(c, j) for c, j in claims if c.sentence.text in text]
    return [j.verdict for _, j in told], [f.kind for f in find_errors(told, ledger)]


def rows():
    parts = (ROOT / "tests" / "verdict" / "linked.txt").read_text("utf-8").split("\n# ")
    return [
        (opening, *line.split(" | ", 1))
        for opening, part in zip((OPENING, NAMING_NONE), parts, strict=True)
        for line in part.splitlines()[1:]
    ]


@pytest.mark.parametrize(("opening", "label", "text"), rows(), ids=[row[2] for row in rows()])
def test_a_statement_has_its_label_in_words_that_no_gold_story_has(opening, label, text):
    verdicts, kinds = read(text, opening)
    assert label in verdicts
    assert label == "contradicted" or not kinds


def told():
    """The clauses that the propositions were learned from, by what each makes."""
    lines = (ROOT / "tests" / "verdict" / "propositions.txt").read_text("utf-8").splitlines()
    return [line.split(" | ", 2) for line in lines if not line.startswith("#")]


def test_every_proposition_rests_on_a_document_and_was_learned_both_ways():
    assert all(
        p.document in TABLES.documents for p in PROPOSITIONS.values() if p.id not in COMPUTED
    )
    made = {(name, sign) for name, sign, _ in told()}
    by_number = {"size-ratio"}
    for name in PROPOSITIONS.keys() - by_number:
        assert {(name, "+"), (name, "-")} <= made


# Judged by figures, and by no document.
COMPUTED = {"one-card", "home-machine", "malformed-edits"}


def test_the_clauses_to_learn_from_are_many_and_none_is_there_twice():
    texts = [text for _, _, text in told()]
    assert len(texts) > 10_000 and len(set(texts)) == len(texts)
    assert {sign for _, sign, _ in told()} == {"+", "-", "0"}


DENIALS = [
    ("It comes with a usage policy", "No usage policy comes with it"),
    ("The training data is kept secret", "The training data is not kept secret"),
    (
        "The weights are free for anyone to download",
        "The weights are not free for anyone to download",
    ),
    (
        "Anyone may sell products built on the models",
        "Nobody may sell products built on the models",
    ),
]


@pytest.mark.parametrize(("plain", "turned"), DENIALS)
def test_a_denial_turns_a_proposition_round(plain, turned):
    first, second = states(plain), states(turned)
    assert first and second and first.proposition is second.proposition
    assert first.is_affirmed != second.is_affirmed


def states(text):
    scene = read_scenes(parse_story((OPENING + text).encode(), "story.txt"), TABLES)[-1]
    return stated_in(scene, Span(0, len(scene.text)))


def test_words_of_another_matter_state_nothing():
    assert states("The harbour office moved its timetable by an hour.") is None
    assert states("It rained for nine days.") is None
    assert states("None.") is None and states("Nobody.") is None


def test_a_wrong_table_or_wrong_weights_give_wrong_verdicts(monkeypatch):
    text = "Nobody outside has seen what the models were trained on."
    assert read(text)[0] == ["supported"]
    wrong = {
        p.id: dataclasses.replace(p, made=p.denied, denied=p.made) for p in PROPOSITIONS.values()
    }
    monkeypatch.setattr(judge_propositions, "PROPOSITIONS", wrong)
    assert read(text)[0] == ["contradicted"]
    monkeypatch.setattr(Sense, "propositions", lambda self, place: {"none": 1.0})
    assert read(text)[0] == ["not_enough_evidence"]


def test_a_denial_that_reads_like_its_opposite_is_turned_round(monkeypatch):
    """A reader that overlooks every "not" still tells a statement from its denial."""
    told = {"weights-out+": 0.9, "none": 0.1}
    monkeypatch.setattr(Sense, "propositions", lambda self, place: told)
    plain, denied = states("The weights are public"), states("The weights are not public")
    assert (plain.is_affirmed, denied.is_affirmed) == (True, False)
    assert states("The weights are not public, and are not sold").is_affirmed
