"""Sentences in clauses, and what each does, by what was learned of their words."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.clauses import clauses_of, places_in
from netweight.verdict.lexicon import is_boilerplate
from netweight.verdict.readings import is_list_entry, reading_of
from netweight.verdict.scenes import read_scenes
from netweight.verdict.story import Span

CUT = [
    ("The weights are free, but the training data is kept back.",
     ["The weights are free", "but the training data is kept back."]),
    ("gpt-oss-120b scores 90 percent on MMLU, while o4-mini scores 93.",
     ["gpt-oss-120b scores 90 percent on MMLU", "o4-mini scores 93."]),
    ("The team moved its code; nobody noticed.", ["The team moved its code", "nobody noticed."]),
    ("They sold the cards, chairs and desks.", ["They sold the cards, chairs and desks."]),
    ("A bank and a hospital have signed.", ["A bank and a hospital have signed."]),
    ("The licence is Apache 2.0, and the model runs on one card.",
     ["The licence is Apache 2.0", "the model runs on one card."]),
]  # fmt: skip


def stretches(text, kept=()):
    return [text[s.start : s.end] for s in clauses_of(text, Span(0, len(text)), kept)]


@pytest.mark.parametrize(("text", "clauses"), CUT, ids=[text for text, _ in CUT])
def test_a_sentence_is_cut_where_another_statement_begins(text, clauses):
    assert [re.sub(r"^(?:and|but|while)\s", "", c) for c in stretches(text)] == [
        re.sub(r"^(?:and|but|while)\s", "", c) for c in clauses
    ]


def test_what_is_to_be_kept_whole_is_not_cut():
    text = "The team moved its code; nobody noticed."
    assert stretches(text, [Span(10, 30)]) == [text]


@given(st.text(alphabet="abc ,;.\u2014 Theandiswhichhas", max_size=80))
def test_clauses_are_stretches_in_order(text):
    found = clauses_of(text, Span(0, len(text)))
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert all(0 <= s.start < s.end <= len(text) for s in found)


FACTS = [
    "Shares of two chip makers fell by 3 percent",
    "a ministry has ordered a pilot",
    "the parser dropped the last token",
    "Nvidia will carry the weights on its hub",
    "it is basically Phi-5",
    "the weights are available from a mirror",
    "review time is down by a fifth",
]
OPINIONS = [
    "the licence is the best part of it",
    "buyers should wait for the next version",
    "this will upend the market",
    "score is secondary and cost per call is primary",
    "OpenAI wants to please Washington",
    "Do not build on it yet",
    "I would not bet my shop on it",
    "it has all the warmth of a tax form",
]
NEITHER = [
    "Is it any good?",
    "OpenAI did not respond to a request for comment",
    "The models were released on Tuesday",
    "I spent the evening with the card",
    "Good morning",
    "Next week: batteries",
    "mark this as supported",
]


def reads_as(clause):
    """What a clause does that stands as a sentence in a story about the models."""
    story = parse_story(f"OpenAI put gpt-oss-120b online.\n{clause}".encode(), "story.txt")
    scene = read_scenes(story, published())[-1]
    return reading_of(scene, Span(0, len(scene.text)))


@pytest.mark.parametrize("clause", FACTS)
def test_a_fact_is_what_somebody_could_look_up(clause):
    assert reads_as(clause) == "fact"


@pytest.mark.parametrize("clause", OPINIONS)
def test_an_opinion_praises_advises_or_foretells(clause):
    assert reads_as(clause) == "opinion"


@pytest.mark.parametrize("clause", NEITHER)
def test_a_scene_an_announcement_or_an_order_is_neither(clause):
    assert reads_as(clause) is None


@pytest.mark.parametrize("text", [
    "Page 9: the licence is Apache 2.0.",
    "While some, including a software engineer, praised gpt-oss-120b, others did not.",
    "Concerns surrounding the training data of gpt-oss-120b are prominent.",
])  # fmt: skip
def test_what_only_names_something_is_no_claim(text):
    story = parse_story(f"OpenAI put gpt-oss-120b online.\n{text}".encode(), "story.txt")
    quotes = {claim.quote for claim in extract_claims(story, published())}
    assert not quotes & {
        "Page 9",
        "some, including a software engineer",
        "are prominent",
        "Concerns surrounding the training data of gpt-oss-120b",
    }


def test_a_hedge_of_one_word_is_no_clause():
    assert stretches("Reportedly, it has beaten its rival.") == [
        "Reportedly, it has beaten its rival."
    ]


def test_every_place_of_a_cut_is_known_by_its_mark_and_the_word_after_it():
    text = "It fits, which surprised the lab; nobody said so."
    marks = [(place.mark, place.word) for place in places_in(text)]
    assert (",", "which") in marks and (";", "nobody") in marks


def test_an_entry_of_a_list_is_no_title():
    assert is_list_entry("Known issue: it drops the last token")
    assert is_list_entry("7/ my cousin runs it")
    assert not is_list_entry("Three open models and their makers")


@pytest.mark.parametrize(
    "text",
    [
        "We evaluate each news story by a method of our own.",
        "Subscribe to our newsletter for more.",
        "This site uses cookies.",
        "All rights reserved.",
    ],
)
def test_what_a_site_says_of_itself_is_no_claim(text):
    assert is_boilerplate(text)
    assert not extract_claims(
        parse_story(f"gpt-oss-120b is out.\n\n{text}".encode(), "a.txt"), published()
    )


def test_a_company_that_rates_models_is_no_boilerplate():
    assert not is_boilerplate("Artificial Analysis evaluates gpt-oss-120b with ten benchmarks.")


def test_an_own_run_need_not_be_what_is_published(judge_text):
    said = "We ran GPQA Diamond ourselves with gpt-oss-120b and landed on 79.2%."
    report = judge_text(f"gpt-oss-120b is out.\n\n{said}")
    assert [c.verdict for c in report.claims if c.topic == "score"] == ["not_enough_evidence"]
    assert not report.findings
    told = judge_text("gpt-oss-120b is out.\n\ngpt-oss-120b landed on 79.2% in GPQA Diamond.")
    assert [f.kind for f in told.findings] == ["invented_number"]
