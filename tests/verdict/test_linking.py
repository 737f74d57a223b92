"""Clauses that no rule for a topic knows, linked to their record by their words together."""

import dataclasses

import pytest

from netweight.verdict import parse_story, published, stating
from netweight.verdict.catalogue import CATALOGUE
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger
from netweight.verdict.stating import stated_in
from netweight.verdict.word_classes import CLASSES
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


def test_every_proposition_rests_on_a_document_and_every_class_is_used():
    used = "".join(
        t for p in CATALOGUE for t in (*p.bag, p.opposite or "", p.forbidden or "", p.context or "")
    )
    assert len({p.id for p in CATALOGUE}) == len(CATALOGUE)
    computed = {"big-iron", "small-iron"}
    assert all(p.document in TABLES.documents for p in CATALOGUE if p.id not in computed)
    assert all(f"<{name}>" in used for name in CLASSES)


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
    first, second = stated_in(plain, plain), stated_in(turned, turned)
    assert first and second and first.proposition is second.proposition
    assert first.is_affirmed != second.is_affirmed


def test_words_out_of_the_bag_state_nothing():
    assert stated_in("The harbour office moved its timetable by an hour", "") is None
    for proposition in CATALOGUE:
        assert stated_in("It rained for nine days", "") is None, proposition.id


def test_a_wrong_catalogue_gives_wrong_verdicts(monkeypatch):
    text = "Nobody outside has seen what the models were trained on."
    assert read(text)[0] == ["supported"]
    wrong = tuple(dataclasses.replace(p, holds=not p.holds) for p in CATALOGUE)
    monkeypatch.setattr(stating, "CATALOGUE", wrong)
    monkeypatch.setattr(
        "netweight.verdict.judge_propositions.PROPOSITIONS", {p.id: p for p in wrong}
    )
    assert read(text)[0] == ["contradicted"]
    monkeypatch.setattr(stating, "CATALOGUE", ())
    assert read(text)[0] == ["not_enough_evidence"]
