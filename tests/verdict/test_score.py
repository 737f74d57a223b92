"""Hype, belittling and impact: the arithmetic by hand, its limits, and when it is withheld."""

import functools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import hype, impact
from netweight.verdict.claims import extract_claims
from netweight.verdict.evidence import published
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger
from netweight.verdict.loaded import is_borne_out, leaning, loaded_words
from netweight.verdict.score import MAX_WIDTH, NUM_MOVERS, score
from netweight.verdict.standing import standings
from netweight.verdict.story import parse_story

PADDING = " ".join(["The hall was full, and the coffee was cold before the talk began."] * 13)


@functools.cache
def weighed(text):
    """The standings of a story's claims."""
    story, ledger = parse_story(text.encode(), "story.txt"), Ledger(published())
    judged = [(claim, judge(claim, ledger)) for claim in extract_claims(story, published())]
    return standings(judged, story, ledger)


def scores_of(text):
    story, ledger = parse_story(text.encode(), "story.txt"), Ledger(published())
    return score(weighed(text), story, ledger)


# Where a claim stands


@pytest.mark.parametrize(
    ("text", "favour"),
    [
        ("gpt-oss-120b outperforms o4-mini on MMLU.", 1),
        ("gpt-oss-120b is behind o4-mini on MMLU.", -1),
        ("gpt-oss-120b does not match o4-mini on MMLU.", -1),
        (
            "o4-mini outperforms gpt-oss-120b on MMLU.",
            1,
        ),  # told of o4-mini alone: it is the subject
        ("gpt-oss-120b runs on the Apache 2.0 license.", 1),
        ("gpt-oss-120b is not open source.", -1),
        ("gpt-oss-20b is biased.", -1),
        ("gpt-oss-20b is not biased.", 1),
        ("gpt-oss-20b slips equations into poems.", -1),
        ("gpt-oss-120b scored 99.9% on MMLU.", 1),  # 90.0 is published
        ("gpt-oss-120b scored 12.5% on MMLU.", -1),
        ("gpt-oss-20b hallucinated on 53.2% of PersonQA.", -1),
        ("gpt-oss-20b has 21 billion parameters.", 0),
    ],
)
def test_a_claim_leans_for_its_models_or_against_them(text, favour):
    assert [one.favour for one in weighed(text)] == [favour]


def test_a_rival_that_is_ahead_speaks_against_the_models_of_the_story():
    told = weighed(
        "gpt-oss-120b has 117 billion parameters, and gpt-oss-120b has the Apache 2.0 license. "
        "Qwen3 235B outperforms gpt-oss-120b on the Intelligence Index."
    )
    assert {one.claim.topic: one.favour for one in told}["comparison"] == -1


def test_a_claim_is_as_central_as_its_most_central_telling():
    told = weighed(
        "gpt-oss-120b beats o4-mini\n\ngpt-oss-20b has the Apache 2.0 license.\n\n"
        "gpt-oss-120b beats o4-mini (which is news, while gpt-oss-20b has 21 billion parameters)."
    )
    by_topic = {one.claim.topic: one for one in told}
    assert by_topic["comparison"].centrality == 1.0
    assert by_topic["comparison"].headline_strength == by_topic["comparison"].body_strength
    assert by_topic["licence"].centrality == 0.8
    assert by_topic["size"].centrality == 0.25
    assert sum(one.claim.topic == "comparison" for one in told) == 1


def test_the_vendor_alone_is_one_voice_and_a_third_party_is_another():
    alone = weighed("OpenAI says gpt-oss-120b scored 90.0% on MMLU.")[0]
    assert (alone.voice, alone.is_independent) == ("vendor", False)
    checked = weighed("gpt-oss-120b scored 41.8% on Aider Polyglot.")[0]
    assert (checked.voice, checked.is_independent) == ("story", True)


def test_conditions_that_a_figure_depends_on_are_told_or_left_out():
    bare = weighed("gpt-oss-120b scored 96.6% on AIME 2024.")[0]
    assert bare.told == {"who measured": False, "tools": False, "effort": False}
    full = weighed(
        "By OpenAI's own count gpt-oss-120b scored 96.6% on AIME 2024 with tools at high effort."
    )[0]
    assert full.told == {"who measured": True, "tools": True, "effort": True}


# Loaded words


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("a revolutionary, game-changing release", 1),
        ("a nothing burger", -1),
        ("impressive and disappointing at once", 0),
        ("not impressive", 0),
        ("hardly a disaster", 0),
        ("a release on a Tuesday", 0),
    ],
)
def test_what_opinions_lean_to(text, leans):
    assert leaning(text) == leans


def test_a_word_with_a_quantity_beside_it_informs():
    assert loaded_words("An astonishing 98.7% on AIME", 1) == ["astonishing"]
    assert is_borne_out("An astonishing 98.7% on AIME")
    assert not is_borne_out("An astonishing model called gpt-oss-120b")


# The arithmetic


def test_overclaim_is_what_is_asserted_beyond_the_posterior():
    one = weighed("gpt-oss-120b outperforms o4-mini on MMLU.")[0]
    assert one.strength == 3
    mean = one.judgement.posterior.mean
    assert mean < 0.1  # it is behind
    assert hype.overclaim([one]) == pytest.approx((0.97 - mean) / 0.97)
    right = weighed("gpt-oss-120b has the Apache 2.0 license.")[0]
    assert hype.overclaim([right]) == 0
    both = (0.5 * (0.97 - mean)) / (0.5 * 0.97 + 0.8 * 0.85)
    assert hype.overclaim(
        [replace(one, centrality=0.5), replace(right, centrality=0.8)]
    ) == pytest.approx(both)
    assert hype.underclaim([right]) == pytest.approx(right.judgement.posterior.mean - 0.85)


def test_a_point_score_is_ten_times_the_weighted_components():
    parts = hype.parts_of(weighed("News\n\ngpt-oss-120b outperforms o4-mini on MMLU."), 1)
    values = hype.components(parts)
    assert values["one voice"] == 1  # figures of the vendor's own, nobody named
    assert values["left out"] == 0.5  # the benchmark is told, who measured is not
    expected = 10 * (0.4 * values["overclaim"] + 0.15 * (1 + 0.5))
    assert hype.point_score(parts) == pytest.approx(expected)


def test_a_headline_stronger_than_its_body_inflates():
    text = "gpt-oss-120b outperforms o4-mini\n\nOpenAI says gpt-oss-120b nearly matches o4-mini."
    parts = hype.parts_of(weighed(text), 1)
    assert hype.components(parts)["headline"] == pytest.approx((3 - 1) / 3)


@pytest.mark.parametrize(
    ("softer", "stronger"),
    [
        (
            "gpt-oss-120b may outperform o4-mini on MMLU.",
            "gpt-oss-120b outperforms o4-mini on MMLU.",
        ),
        ("gpt-oss-120b beats gpt-oss-20b on MMLU.", "gpt-oss-120b beats o4-mini on MMLU."),
        ("gpt-oss-120b is here.", "gpt-oss-120b outperforms o4-mini on every benchmark."),
    ],
)
def test_the_stronger_and_the_wronger_a_claim_the_more_hype(softer, stronger):
    less, more = (hype.point_score(hype.parts_of(weighed(text), 1)) for text in (softer, stronger))
    assert less < more


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, -1]))
def test_scores_lie_between_0_and_10_and_do_not_depend_on_order(seed, favour):
    whole = list(weighed(STORY))
    chosen = random.Random(seed).sample(whole, random.Random(seed).randrange(1, len(whole) + 1))
    parts = hype.parts_of(chosen, favour)
    drawn = hype.draw_scores(parts, np.random.default_rng(seed))
    assert 0 <= drawn.min() <= drawn.max() <= 10
    assert all(0 <= value <= 1 for value in hype.components(parts).values())
    backwards = hype.parts_of(chosen[::-1], favour)
    assert hype.point_score(backwards) == pytest.approx(hype.point_score(parts))


STORY = (
    "A stunning open model\n\n"
    "gpt-oss-120b surpasses o4-mini on MMLU, and gpt-oss-120b has the Apache 2.0 license. "
    "gpt-oss-120b scored 90.0% on MMLU. gpt-oss-20b runs in 16 GB. "
    "gpt-oss-120b is behind Qwen3 235B on the Intelligence Index. "
    "gpt-oss-20b is biased, and gpt-oss-20b hallucinates. " + PADDING
)


def test_draws_are_around_the_point_score():
    parts = hype.parts_of(weighed(STORY), 1)
    drawn = hype.draw_scores(parts, np.random.default_rng(1))
    assert abs(float(np.median(drawn)) - hype.point_score(parts)) < 1


def test_draws_know_less_than_nothing_where_sources_are_weak():
    """A posterior that hangs on its source moves more than one that does not."""
    one = weighed("gpt-oss-120b outperforms o4-mini on MMLU.")[0]
    posterior = one.judgement.posterior
    sure = posterior.model_copy(update={"low": posterior.mean, "high": posterior.mean})
    unsure = posterior.model_copy(update={"low": 0.02, "high": 0.9, "mean": 0.5})
    spreads = [
        float(np.std(hype._draw_posterior(p, np.random.default_rng(0)))) for p in (sure, unsure)
    ]
    assert spreads[0] < spreads[1]


# What is given and what is withheld


def test_a_score_is_given_with_its_interval_and_what_moves_it():
    found = scores_of(STORY)
    assert found.hype.low <= found.hype.value <= found.hype.high
    assert found.hype.high - found.hype.low <= MAX_WIDTH + 1
    assert all((2 * v) % 1 == 0 for v in (found.hype.value, found.hype.low, found.hype.high))
    first = found.hype.movers[0]
    claims = {one.claim.id: one.claim.topic for one in weighed(STORY)}
    assert claims[first.claim] == "comparison"
    assert first.change < 0
    assert len(found.hype.movers) <= NUM_MOVERS


def test_the_same_inputs_give_the_same_scores():
    assert scores_of(STORY) == scores_of(STORY)


def test_an_unrelated_paragraph_changes_no_score():
    unrelated = "\n\nThe canteen served soup. It rained on the way home, and the trams were late."
    assert scores_of(STORY + unrelated) == scores_of(STORY)


def test_a_short_story_is_not_scored_and_says_so():
    found = scores_of("gpt-oss-120b surpasses o4-mini on MMLU.")
    assert found.hype.value is None
    assert "fewer than 150 words" in found.hype.withheld[0].text


def test_a_story_without_a_claim_of_a_kind_has_no_score_of_that_kind():
    found = scores_of("gpt-oss-120b has the Apache 2.0 license. " + PADDING)
    assert "no claim against the models" in found.belittling.withheld[0].text
    assert found.hype.value is not None


def test_claims_that_no_evidence_speaks_to_withhold_the_score_and_are_named():
    text = (
        "gpt-oss-120b slips equations into poems. gpt-oss-120b was trained on synthetic data. "
        "gpt-oss-120b lacks common sense. " + PADDING
    )
    found = scores_of(text)
    assert found.belittling.value is None
    assert "less than 60%" in found.belittling.withheld[0].text
    assert len(found.belittling.missing) == 3


def test_an_unknown_model_has_no_impact_score():
    found = scores_of("Llama 4 Scout outperforms Gemma 3 27B on MMLU. " + PADDING)
    assert found.impact.value is None
    assert found.label == "Not enough to go on"


def test_impact_is_read_from_records_and_is_the_same_for_every_story_of_a_release():
    first, second = (
        scores_of(text) for text in (STORY, "gpt-oss-20b is out of the oven. " + STORY)
    )
    assert first.impact == second.impact
    assert set(first.impact.components) == {"capability", "access", "reach"}
    assert first.impact.coverage == 0.85  # nothing is known of safety
    cited = {cite for statement in first.impact.reason for cite in statement.cites}
    assert {"licence", "params-120b", "params-qwen3-235b-a22b-2507", "checkpoint-20b"} <= cited


def test_a_wider_gap_makes_more_impact():
    ledger, rng = Ledger(published()), np.random.default_rng(0)
    models = frozenset({"gpt-oss-120b", "gpt-oss-20b"})
    capability = impact.components(models, ledger, rng)[0]
    assert capability.name == "capability"
    assert capability.value < 0.5  # it is behind the best before it
    ahead = impact.components(frozenset({"qwen3-235b-a22b-2507"}), Ledger(published()), rng)[0]
    assert ahead.value > 0.5


@pytest.mark.parametrize(
    ("hype_at", "impact_at", "label"),
    [
        ((1, 2), (5, 7), "Substance over hype"),
        ((6, 8), (2, 4), "Hype over substance"),
        ((3, 6), (4, 7), "No clear balance"),
    ],
)
def test_the_label_follows_from_the_intervals(hype_at, impact_at, label):
    from netweight.verdict import score as room

    found = scores_of(STORY)

    def at(one, ends):
        return one.model_copy(update={"value": ends[0], "low": ends[0], "high": ends[1]})

    none = found.belittling.model_copy(update={"value": None, "low": None, "high": None})
    told = {"hype": at(found.hype, hype_at), "impact": at(found.impact, impact_at)}
    assert room._label({**told, "belittling": none}) == label
