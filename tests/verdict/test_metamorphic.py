"""Changes to a story that must change one thing, or nothing, in its verdict."""

import json
import os
import random
import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.verdict_gold import read_gold
from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.evidence import parse_published, read_table
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger
from tests.conftest import ROOT

STORIES = [story for split in ("dev", "report") for story in read_gold(split)]
NAMED = pytest.mark.parametrize("gold", STORIES, ids=lambda story: story.id)


def judged(text, tables=None):
    tables = tables or published()
    ledger = Ledger(tables)
    story = parse_story(text.encode(), "story.txt")
    claims = [(claim, judge(claim, ledger)) for claim in extract_claims(story, tables)]
    return claims, find_errors(claims, ledger)


def readings(text, tables=None):
    """Everything that a reader would see of the claims and findings, but for their places."""
    claims, findings = judged(text, tables)
    return (
        [(c.quote, c.topic, c.subjects, c.strength, j) for c, j in claims],
        [(f.kind, f.sentence, f.correction) for f in findings],
    )


OPINIONS = [
    "gpt-oss-120b is a nothing burger.",
    "Frankly, gpt-oss-120b is a letdown.",
    "gpt-oss-120b left me underwhelmed.",
    "I think that gpt-oss-120b is a breakthrough.",
    "gpt-oss-120b is amazing.",
]


@pytest.mark.parametrize("opinion", OPINIONS)
@pytest.mark.parametrize("other", OPINIONS)
def test_another_wording_of_an_opinion_changes_no_label(opinion, other):
    story = "gpt-oss-120b scored 90.0% on MMLU.\n{}\nIt comes under the Apache 2.0 license."
    one, two = (judged(story.format(words))[0] for words in (opinion, other))
    assert [(c.topic, j.verdict) for c, j in one] == [(c.topic, j.verdict) for c, j in two]
    assert one[1][1].verdict == "not_checkable"


PLAIN = [
    "gpt-oss-120b trails o4-mini on MMLU.",
    "gpt-oss-120b beats o4-mini on HealthBench.",
    "gpt-oss-120b surpasses o4-mini on MMLU.",
    "gpt-oss-120b refuses politically sensitive requests.",
    "gpt-oss-120b fits on a GPU with 80 GB.",
    "gpt-oss-20b has 21 billion parameters.",
    "gpt-oss-120b scored 41.8% on Aider Polyglot.",
]
HEDGES = ["Perhaps {}", "Possibly {}", "Reportedly, {}", "It seems that {}", "Critics say that {}"]


@pytest.mark.parametrize("hedge", HEDGES)
@pytest.mark.parametrize("text", PLAIN)
def test_a_hedge_lowers_strength_and_keeps_label_and_evidence(text, hedge):
    ((plain, before),), _ = judged(text)
    ((hedged, after),), _ = judged(hedge.format(text))
    assert hedged.strength < plain.strength
    assert (after.verdict, after.evidence, after.posterior) == (
        before.verdict,
        before.evidence,
        before.posterior,
    )


TABLES = published()
MODELS = sorted({row.model for row in TABLES.figures.values() if row.metric in TABLES.benchmarks})
BENCHMARKS = sorted(b for b in TABLES.benchmarks if TABLES.about(b))
MIRROR = {"supported": "contradicted", "contradicted": "supported"}


@given(
    st.sampled_from(MODELS),
    st.sampled_from(MODELS),
    st.sampled_from(BENCHMARKS),
    st.sampled_from(["beats", "trails", "outperforms", "is ahead of", "is behind"]),
)
def test_two_names_exchanged_turn_a_comparison_round(first, second, benchmark, verb):
    assume(first != second)
    row = TABLES.benchmarks[benchmark]
    alias = row.aliases[0] if benchmark != "bbq-disambiguated" else "BBQ disambiguated"
    names = [TABLES.models[m].aliases[0] for m in (first, second)]
    pair = []
    for one, other in (names, names[::-1]):
        claims, _ = judged(f"{one} {verb} {other} on {alias}.")
        ((_, judgement),) = [(c, j) for c, j in claims if c.topic == "comparison"]
        pair.append(judgement.verdict)
    assert pair[1] == MIRROR.get(pair[0], pair[0])


def test_a_mirrored_comparison_is_really_decided():
    supported, contradicted = (
        judged(text)[0][0][1].verdict
        for text in ("o4-mini beats gpt-oss-120b on MMLU.", "gpt-oss-120b beats o4-mini on MMLU.")
    )
    assert (supported, contradicted) == ("supported", "contradicted")


@pytest.fixture(scope="module", params=[1, 2])
def shuffled(request):
    raw = [read_table(name) for name in ("models.json", "benchmarks.json", "figures.json")]
    order = random.Random(request.param)
    for rows in (raw[2]["figures"], raw[2]["documents"], raw[2]["sources"]):
        order.shuffle(rows)
    return parse_published(*raw)


@pytest.mark.parametrize("split", ["dev", "report"])
def test_the_order_of_the_evidence_changes_nothing(split, shuffled):
    for gold in read_gold(split):
        assert readings(gold.text, shuffled) == readings(gold.text)


UNRELATED = [
    "The harbour office moved its timetable by an hour, and 240 commuters wrote to complain.",
    "Rain fell for nine days. The river rose by 45 percent of its usual height, then fell again.",
    "Marta Klein, 54, has baked bread since 1989. Her shop opens at six.",
]


@NAMED
def test_a_paragraph_about_something_else_changes_nothing(gold):
    paragraphs = gold.text.split("\n\n")
    order = random.Random(gold.id)
    for words in UNRELATED:
        paragraphs.insert(order.randint(1, len(paragraphs)), words)
    assert readings("\n\n".join(paragraphs)) == readings(gold.text)


@NAMED
def test_quotes_are_cut_from_the_story(gold):
    story = parse_story(gold.text.encode(), "story.txt")
    for claim in extract_claims(story, TABLES):
        assert story.text[claim.span.start : claim.span.end] == claim.quote


def test_another_process_with_another_hash_seed_gives_the_same_scores():
    code = "import json; from benchmarks.verdict_gold import score; print(json.dumps(score('dev')))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] and json.loads(outputs[0])["stories"] > 0
