"""The stories of our own: are they sound, and does the verdict meet its bars on both halves?"""

import re
from collections import Counter
from typing import get_args

import pytest

from benchmarks import verdict_gold
from benchmarks.verdict_gold import (
    LABELS,
    GoldClaim,
    Judged,
    judge_story,
    macro_f1,
    matched,
    read_gold,
    score,
)
from netweight.verdict.faults import Kind
from netweight.verdict.findings import find_errors
from netweight.verdict.ledger import Ledger

# The first sets. The later ones, from which the reader has learned too, are tested together.
SPLITS = (
    "dev", "report", "blind_dev", "blind_dev2", "blind_dev3", "blind_dev4", "blind_dev5",
)  # fmt: skip
OWN = ("dev", "report")  # by the author of the rules
MIN_RECALL = 0.9
MAX_FALSE_ALARMS = 0.05
MIN_MACRO_F1 = 0.8


@pytest.fixture(scope="module", params=SPLITS)
def judged(request):
    return [judge_story(gold) for gold in read_gold(request.param)]


# Sets whose exchanged figures are all of other models.
RARE = dict.fromkeys(("blind_dev", "blind_dev2", "blind_dev3"), frozenset({"column_swap"}))


def share(rate):
    return rate["hits"] / rate["n"]


@pytest.mark.parametrize("split", verdict_gold.SPLITS)
def test_the_stories_are_many_short_and_sound(split):
    stories = read_gold(split)
    assert len(stories) >= 18 and sum(not s.planted for s in stories) >= 7
    for story in stories:
        assert 60 <= len(story.text.split()) <= 250
        assert all(claim.label in LABELS for claim in story.claims)
        for quote in [c.quote for c in story.claims] + [p.mark for p in story.planted]:
            assert story.text.count(quote) == 1, (story.id, quote)
    kinds = Counter(p.kind for s in stories for p in s.planted)
    assert set(kinds) >= {*get_args(Kind)} - RARE.get(split, frozenset())
    assert split not in OWN or min(kinds.values()) >= 3


def test_no_story_is_in_two_sets():
    texts = [s.text for split in verdict_gold.SPLITS for s in read_gold(split)]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("split", SPLITS)
def test_the_bars_are_met(split):
    scored = score(split)
    assert share(scored["recall"]) >= MIN_RECALL
    assert share(scored["sentences_with_false_alarms"]) <= MAX_FALSE_ALARMS
    assert share(scored["exact_quotes"]) == 1
    assert scored["macro_f1"] >= MIN_MACRO_F1


def test_the_bars_are_met_on_all_sets_together():
    stories = [
        judge_story(gold)
        for split in verdict_gold.SPLITS
        if split not in verdict_gold.UNREAD
        for gold in read_gold(split)
    ]
    found = sum(len(story.found) for story in stories)
    planted = sum(len(story.gold.planted) for story in stories)
    assert found / planted >= MIN_RECALL
    sound = [story for story in stories if not story.gold.planted]
    alarmed = {finding.sentence for story in sound for finding in story.false_alarms}
    sentences = sum(len(story.story.sentences) for story in sound)
    assert len(alarmed) / sentences <= MAX_FALSE_ALARMS
    labels = [(claim.label, said) for story in stories for claim, said in matched(story)]
    assert macro_f1(labels)[0] >= MIN_MACRO_F1


def test_a_second_run_gives_the_same_numbers():
    assert score("dev") == score("dev")


def test_every_finding_has_its_sentence_and_a_correction(judged):
    for story in judged:
        sentences = {s.text for s in story.story.sentences}
        for finding in story.findings:
            assert finding.sentence in sentences and finding.claims
            assert all(s.text and s.cites for s in finding.correction)


def test_every_open_claim_says_what_would_settle_it(judged):
    for story in judged:
        for _, judgement in story.claims:
            is_open = judgement.verdict in ("mixed", "not_enough_evidence")
            assert not is_open or judgement.settles


def test_posterior_and_label_agree(judged):
    for story in judged:
        for claim, judgement in story.claims:
            if judgement.verdict == "not_checkable":
                assert judgement.posterior is None
                continue
            p = judgement.posterior
            assert 0 <= p.low <= p.mean <= p.high <= 1, claim.quote
            if judgement.verdict == "supported":
                assert p.mean > 0.5, claim.quote
            if judgement.verdict == "contradicted":
                assert p.mean < 0.5, claim.quote


# ---- the measure itself


def test_without_findings_nothing_is_found(judged):
    blind = [Judged(j.gold, j.story, j.claims, ()) for j in judged]
    assert not any(j.found or j.false_alarms for j in blind)


def test_a_finding_of_another_kind_does_not_count(judged):
    story = next(j for j in judged if j.found)
    wrong = tuple(f.model_copy(update={"kind": "other"}) for f in story.findings)
    changed = Judged(story.gold, story.story, story.claims, wrong)
    assert story.found and not changed.found


def test_a_detector_that_flags_everything_fails_the_false_alarms(judged):
    clean = next(j for j in judged if not j.gold.planted and j.claims)
    (any_finding,) = [f for j in judged for f in j.findings][:1]
    everywhere = tuple(
        any_finding.model_copy(update={"sentence": s.text}) for s in clean.story.sentences
    )
    alarmed = Judged(clean.gold, clean.story, clean.claims, everywhere)
    assert len(alarmed.false_alarms) == len(clean.story.sentences)


def test_labels_that_are_all_one_score_badly(judged):
    gold = [g.label for j in judged for g, _ in matched(j)]
    assert macro_f1((label, "supported") for label in gold)[0] < 0.3


def test_the_mean_over_labels_is_that_of_the_definition():
    rows = [("supported", "supported"), ("supported", "mixed"), ("mixed", "mixed"), ("mixed", None)]
    mean, by_label = macro_f1(rows)
    assert by_label == pytest.approx({"supported": 2 / 3, "mixed": 1 / 2})
    assert mean == pytest.approx(7 / 12)


def test_a_claim_is_matched_once(judged):
    story = next(j for j in judged if len(j.claims) > 1)
    gold = story.gold.claims[0]
    twice = GoldClaim(gold.label, gold.type, gold.quote + "")
    assert dict(matched(story))[twice] == dict(matched(story))[gold]


# ---- each planted error put right


RIGHT = {
    "d11": [
        ("outperforms o4-mini, OpenAI's own paid model", "comes near o4-mini, OpenAI says"),
        ("ahead of the 50.1% of o3", "behind the 59.8% of o3"),
        ("Its rating on Codeforces is 2622", "With tools its rating on Codeforces is 2622"),
    ],
    "d13": [
        ("gpt-oss-20b has 117 billion", "gpt-oss-120b has 117 billion"),
        ("gpt-oss-20b scored 62.4%", "gpt-oss-120b scored 62.4%"),
        ("87.0% on GPQA Diamond", "77.0% on GPQA Diamond"),
        ("does not hallucinate", "does hallucinate"),
    ],
    "d14": [
        ("o4-mini scored 90.0% on MMLU and gpt-oss-120b scored 93.0%",
         "o4-mini scored 93.0% on MMLU and gpt-oss-120b scored 90.0%"),
        ("Kimi K2 trails gpt-oss-120b", "gpt-oss-120b trails Kimi K2"),
        ("reached 88.3%", "reached 80.1%"),
    ],
    "d21": [
        ("DeepSeek R1 scored 56.9%", "DeepSeek R1 0528 scored 71.4%"),
        ("High GPQA Diamond scores prove that it follows instructions well.",
         "High GPQA Diamond scores prove that it knows science."),
    ],
    "d15": [
        ("gpt-oss-120b scored 96.6% on AIME 2024", "gpt-oss-120b scored 95.8% on AIME 2024"),
        ("It was trained mostly", "Some suspect that it was trained mostly"),
        ("It matches or surpasses", "OpenAI says that it comes near"),
        ("in 94.1% of cases", "in 49.1% of cases"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_story_put_right_has_no_findings(name):
    gold = next(s for s in read_gold("dev") if s.id == name)
    text = gold.text
    for wrong, right in RIGHT[name]:
        assert wrong in text
        text = text.replace(wrong, right)
    mended = judge_story(type(gold)(gold.id, gold.style, text, (), ()))
    assert [(f.kind, f.sentence) for f in mended.findings] == []


def test_findings_follow_from_claims_alone(tables):
    assert find_errors([], Ledger(tables)) == ()


def test_gold_text_names_no_address():
    for split in SPLITS:
        assert not any(re.search(r"https?://", s.text) for s in read_gold(split))
