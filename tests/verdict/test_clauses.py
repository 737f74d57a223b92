"""Sentences in clauses, and what each does, by word classes alone."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.clauses import clauses_of, is_list_entry, reads_as, without_speaker
from netweight.verdict.lexicon import is_boilerplate
from netweight.verdict.story import Span

CUT = [
    ("The fans scream, and the bill has doubled.", ["The fans scream", "the bill has doubled."]),
    ("Prices fell because the rivals had to answer.",
     ["Prices fell", "the rivals had to answer."]),
    ("The team moved its code; nobody noticed.", ["The team moved its code", "nobody noticed."]),
    ("They sold the cards, chairs and desks.", ["They sold the cards, chairs and desks."]),
    ("It fits, which surprised the lab.", ["It fits", "surprised the lab."]),
    ("A bank and a hospital have signed.", ["A bank and a hospital have signed."]),
]  # fmt: skip


def stretches(text, kept=()):
    return [text[s.start : s.end] for s in clauses_of(text, Span(0, len(text)), kept)]


@pytest.mark.parametrize(("text", "clauses"), CUT, ids=[text for text, _ in CUT])
def test_a_cut_has_a_verb_on_both_sides(text, clauses):
    assert stretches(text) == clauses


def test_what_is_to_be_kept_whole_is_not_cut():
    text = "The fans scream, and the bill has doubled."
    assert stretches(text, [Span(10, 25)]) == [text]


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


@pytest.mark.parametrize("clause", FACTS)
def test_a_fact_is_what_somebody_could_look_up(clause):
    assert reads_as(clause) == "fact"


@pytest.mark.parametrize("clause", OPINIONS)
def test_an_opinion_praises_advises_or_foretells(clause):
    assert reads_as(clause) == "opinion"


@pytest.mark.parametrize("clause", NEITHER)
def test_a_scene_an_announcement_or_an_order_is_neither(clause):
    assert reads_as(clause) is None


def test_in_quotation_marks_a_view_without_an_event_is_an_opinion():
    said = "Small nations need tools of their own"
    assert (reads_as(said), reads_as(said, is_quoted=True)) == ("fact", "opinion")
    assert reads_as("The server crashed twice", is_quoted=True) == "fact"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("She said that her team had halved its bill.", "her team had halved its bill."),
        ("A spokesman told reporters the hub was full.", "the hub was full."),
        ("Another host is said to charge 15 cents.", "Another host is said to charge 15 cents."),
    ],
)
def test_the_speaker_is_no_part_of_what_is_said(text, left):
    span = without_speaker(text, Span(0, len(text)))
    assert text[span.start : span.end] == left


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
