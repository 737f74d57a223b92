"""Many hands on the same facts: sentences with their labels and errors, and stories without any.

The tables beside this file are of our own making, in wordings that no gold story has.
"""

import pytest

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger
from tests.conftest import ROOT

FOLDER = ROOT / "tests" / "verdict"
OPENING = "OpenAI put gpt-oss-120b and gpt-oss-20b online.\n"
TABLES = published()


def rows():
    lines = (FOLDER / "tellings.txt").read_text("utf-8").splitlines()
    return [line.split(" | ", 2) for line in lines if line and not line.startswith("#")]


def read(text):
    ledger = Ledger(TABLES)
    story = parse_story(text.encode(), "story.txt")
    claims = [(claim, judge(claim, ledger)) for claim in extract_claims(story, TABLES)]
    return claims, find_errors(claims, ledger)


@pytest.mark.parametrize(("label", "kind", "text"), rows(), ids=[row[2] for row in rows()])
def test_a_sentence_has_its_label_and_its_error(label, kind, text):
    claims, findings = read(OPENING + text)
    said = [judgement.verdict for claim, judgement in claims if claim.span.start >= len(OPENING)]
    found = [finding.kind for finding in findings if finding.sentence in text]
    assert label in said if label != "-" else not said
    assert kind in found if kind != "-" else not found


STORIES = (FOLDER / "sound_stories.txt").read_text("utf-8").split("\n=====\n")


@pytest.mark.parametrize("text", STORIES, ids=[text.split("\n", 1)[0][:40] for text in STORIES])
def test_a_story_without_errors_raises_no_finding(text):
    claims, findings = read(text)
    assert len(claims) > 3
    assert [(finding.kind, finding.sentence) for finding in findings] == []


# Numbers changed to some that no source holds: the stories could raise findings.
CHANGED = [
    ("71.5 for gpt-oss-20b", "76.5 for gpt-oss-20b"),
    ("o4-mini 98.7", "o4-mini 97.1"),
    ("gpt-oss-120b has 57.6", "gpt-oss-120b has 61.6"),
]


@pytest.mark.parametrize(("right", "wrong"), CHANGED)
def test_the_same_stories_with_a_number_changed_do(right, wrong):
    (text,) = [story for story in STORIES if right in story]
    assert read(text.replace(right, wrong))[1]


FLAWED = [
    ("OpenAI's gpt-oss-120b has overtaken the company's own o4-mini on core reasoning benchmarks. "
     "The smaller gpt-oss-20b, which fills a whole 80 GB card, is aimed at labs. On MMLU it "
     "reached 90.0%. OpenAI has also opened its training data for inspection.",
     ["strength_inflation", "size_swap", "size_swap", "negation"]),
    ("On the Aider board gpt-oss-120b stands at 59.1 per cent and Kimi K2 at 41.8. DeepSeek R1, "
     "the best that China has, scored 56.9.\n\nIt runs to 200,000 tokens of context.",
     ["model_swap", "stale_comparator", "invented_number"]),
    ("gpt-oss-120b solved 97.9% of AIME 2025, the card says. The 20b solved 92.5% without tools. "
     "Its training corpus was synthetic from end to end. No effort setting exists.",
     ["dropped_condition", "size_swap", "hedge_removed", "negation"]),
    ("gpt-oss-120b is rated on Codeforces. Its Codeforces rating is 2622, without any tools. At "
     "low effort gpt-oss-120b gets 80.1% on GPQA Diamond.",
     ["column_swap", "column_swap"]),
    ("gpt-oss-120b came out. OpenAI rated it as High in biology under its Preparedness Framework. "
     "The licence forbids commercial use.",
     ["negation", "negation"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kinds"), FLAWED, ids=[text[:40] for text, _ in FLAWED])
def test_errors_are_found_across_sentences(text, kinds):
    assert [finding.kind for finding in read("On gpt-oss\n\n" + text)[1]] == kinds


WRITTEN = (FOLDER / "flawed_stories.txt").read_text("utf-8").split("\n=====\n")


@pytest.mark.parametrize("text", WRITTEN, ids=[text.split("\n", 1)[0] for text in WRITTEN])
def test_every_error_of_a_flawed_story_is_found_and_nothing_else(text):
    story, _, errors = text.partition("\n-----\n")
    planted = [line.split(" | ", 1) for line in errors.splitlines()]
    findings = read(story)[1]
    assert [kind for kind, _ in planted] == [finding.kind for finding in findings]
    for (_, mark), finding in zip(planted, findings, strict=True):
        assert mark in finding.sentence
