"""The linked data says what the verdict says, and no more."""

import json

import pytest
from lxml import html

from netweight.verdict import make_report, parse_story, render
from netweight.verdict.linked import RATINGS, as_script, linked_data


@pytest.fixture(scope="session")
def graph(example):
    return linked_data(example)["@graph"]


def reviews_of(graph):
    return {item["@id"]: item for item in graph if item["@type"] == "ClaimReview"}


def test_every_distinct_claim_that_can_be_checked_is_reviewed(graph, example):
    expected = {
        f"#{c.id}" for c in example.claims if not c.repeats and c.verdict != "not_checkable"
    }
    assert set(reviews_of(graph)) == expected
    assert {part["@id"] for part in graph[0]["hasPart"]} == expected


def test_a_review_says_what_the_claim_s_judgement_says(graph, example):
    for claim in example.claims:
        review = reviews_of(graph).get(f"#{claim.id}")
        if review is None:
            continue
        assert review["claimReviewed"] == claim.quote
        rating = review["reviewRating"]
        assert rating.get("ratingValue") == RATINGS.get(claim.verdict)
        assert claim.verdict.replace("_", " ") == rating["alternateName"].lower()
        assert review["reviewBody"] == " ".join(s.text for s in claim.reason)


def test_a_claim_without_enough_evidence_has_no_rating(graph, example):
    open_claims = [c.id for c in example.claims if c.verdict == "not_enough_evidence"]
    assert open_claims
    for name in open_claims:
        rating = reviews_of(graph)[f"#{name}"]["reviewRating"]
        assert set(rating) == {"@type", "alternateName"}


def test_a_claim_about_our_own_model_is_never_rated(judge_text):
    report = judge_text("gpt-oss-20b is released under the MIT license.")
    own = report.claims[0].model_copy(update={"subjects": ("nano",)})
    ratings = [
        reviews_of(linked_data(one)["@graph"])["#c1"]["reviewRating"]
        for one in (report, report.model_copy(update={"claims": (own,)}))
    ]
    assert ratings[0]["ratingValue"] == 1 and "ratingValue" not in ratings[1]


def test_the_story_is_named_with_what_it_declares_and_nothing_else(tables):
    bare = parse_story(b"gpt-oss is open.", "a.txt")
    full = parse_story(b"---\ndate: 2025-08-05\npublisher: P\n---\ngpt-oss is open.", "a.md")
    works = [
        linked_data(make_report(one, tables, date="2026-01-01"))["@graph"][0]["isBasedOn"]
        for one in (bare, full)
    ]
    assert set(works[0]) == {"@type", "@id", "name", "identifier"}
    assert works[1]["publisher"]["name"] == "P" and works[1]["datePublished"] == "2025-08-05"


def test_nobody_is_made_an_author(graph):
    assert not any("author" in key.lower() for item in graph for key in item)


HOSTILE = "</script><script>alert(1)</script> <!-- gpt-oss-20b has the MIT license & \u2028 more."


def test_no_text_of_a_story_leaves_the_data_block(tables):
    report = make_report(parse_story(HOSTILE.encode(), "</script>.txt"), tables, date="2026-01-01")
    (script,) = html.fromstring(render(report)).xpath("//script")
    assert script.get("type") == "application/ld+json"
    assert not set("<>&\u2028") & set(script.text)
    assert json.loads(script.text) == linked_data(report)


def test_the_data_reads_back_as_it_was(example):
    assert json.loads(as_script(linked_data(example))) == linked_data(example)
