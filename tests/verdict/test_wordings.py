"""Classes of wording: many ways to say one thing, each with what must be read in it.

The sentences are of every register that writes about models: wire, blog, thread, press release,
transcript.
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.verdict.reading import OPENING, TABLES, labels, read

# ---- documents: topic, verdict, and ways to say it

SAID = [
    ("licence", "supported", "The licence for both models is Apache 2.0."),
    ("licence", "supported", "gpt-oss-120b was published under Apache 2.0."),
    ("licence", "supported", "The weights of gpt-oss-20b are Apache-licensed."),
    ("licence", "supported", "gpt-oss-20b ships under the terms of the Apache License, version "
     "2.0."),
    ("licence", "supported", "License: Apache 2.0 for gpt-oss-120b."),
    ("licence", "supported", "gpt-oss-120b is permissively licensed."),
    ("licence", "supported", "gpt-oss-120b comes with an Apache-2.0 licence attached."),
    ("licence", "supported", "As for gpt-oss, the license, thankfully, is plain Apache 2.0."),
    ("licence", "contradicted", "gpt-oss-120b is out under the MIT licence."),
    ("licence", "contradicted", "gpt-oss-120b is MIT-licensed."),
    ("licence", "contradicted", "gpt-oss-120b isn't Apache-licensed."),
    ("licence", "contradicted", "The gpt-oss weights do not fall under the Apache 2.0 license."),
    ("licence", "contradicted", "The licence of gpt-oss-20b is far from permissive; it is "
     "proprietary."),
    ("commercial-use", "supported", "gpt-oss-120b is free for commercial use."),
    ("commercial-use", "contradicted", "Commercial use of gpt-oss? Commercial use is forbidden "
     "for gpt-oss-120b."),
    ("usage-policy", "supported", "A short usage policy accompanies gpt-oss-120b."),
    ("data-release", "supported", "OpenAI did not release the training data of gpt-oss-120b."),
    ("data-release", "supported", "The training data of gpt-oss-120b remains under wraps."),
    ("data-release", "supported", "No training code was published for gpt-oss."),
    ("data-release", "supported", "What OpenAI kept to itself is the data gpt-oss learned from: "
     "its training data is not public."),
    ("data-release", "contradicted", "OpenAI also published the training data of gpt-oss-120b."),
    ("open-source", "mixed", "gpt-oss-120b is open source."),
    ("open-source", "supported", "Strictly speaking gpt-oss-120b is not open source."),
    ("open-source", "supported", "gpt-oss-120b is open weight, not open source."),
    ("open-source", "supported", "gpt-oss-120b is far from open source."),
    ("closed-before", "supported", "gpt-oss is OpenAI's first open-weight language model since "
     "GPT-2."),
    ("closed-before", "supported", "OpenAI had not done anything like gpt-oss since GPT-2."),
    ("size", "supported", "gpt-oss-120b weighs in at 117 billion parameters."),
    ("size", "supported", "gpt-oss-120b has 117B parameters in total, 5.1B of them active."),
    ("size", "supported", "Of gpt-oss-20b's 21 billion parameters just 3.6 billion wake up for "
     "each token."),
    ("size", "supported", "gpt-oss-120b: 117bn parameters, of which 5.1bn are used per token."),
    ("size", "supported", "gpt-oss-20b is a 21-billion-parameter model."),
    ("size", "contradicted", "gpt-oss-120b carries 175 billion parameters."),
    ("size", "contradicted", "gpt-oss-20b activates 5.1 billion parameters per token."),
    ("memory", "supported", "gpt-oss-120b is at home on a single accelerator with 80 GB."),
    ("memory", "supported", "gpt-oss-120b squeezes into 80 gigabytes of VRAM."),
    ("memory", "supported", "gpt-oss-120b calls for a card with 80 GB of memory."),
    ("memory", "supported", "One can run gpt-oss-120b on a single Nvidia H100."),
    ("memory", "supported", "gpt-oss-20b makes do with 16 GB of RAM."),
    ("memory", "supported", "16 GB of memory is enough for gpt-oss-20b, so they say."),
    ("memory", "mixed", "gpt-oss-20b makes do with 16 GB of RAM, however long the chat."),
    ("memory", "contradicted", "gpt-oss-120b gets by on a laptop with 16 GB."),
    ("memory", "contradicted", "gpt-oss-120b will happily run on an 8 GB phone."),
    ("checkpoint", "supported", "The checkpoint of gpt-oss-120b weighs 60.8 GiB."),
    ("checkpoint", "supported", "The download of gpt-oss-20b is about 13.7 GB."),
    ("checkpoint", "contradicted", "The weights of gpt-oss-20b take up 24 GB."),
    ("cache", "supported", "At the full context the KV cache of gpt-oss-120b takes 4.5 GiB."),
    ("context-length", "supported", "gpt-oss-120b has a 128K context window."),
    ("context-length", "supported", "The context window of gpt-oss-20b is 131,072 tokens."),
    ("context-length", "supported", "gpt-oss-120b handles up to 128,000 tokens."),
    ("context-length", "contradicted", "gpt-oss-120b offers a context window of one sort: "
     "1,000,000 tokens of context."),
    ("context-length", "contradicted", "gpt-oss-20b has a context length of 32k tokens."),
    ("effort-levels", "supported", "The effort of gpt-oss-120b can be set to low, medium or high."),
    ("effort-levels", "supported", "gpt-oss-20b has three reasoning modes."),
    ("effort-levels", "supported", "Reasoning effort of gpt-oss-120b comes in three steps."),
    ("effort-levels", "contradicted", "gpt-oss-120b knows five levels of reasoning effort."),
    ("effort-effect", "supported", "Higher reasoning effort improves the scores of gpt-oss-120b."),
    ("effort-effect", "contradicted", "Raising the effort of gpt-oss-120b makes no difference "
     "to the results."),
    ("effort-effect", "contradicted", "The effort setting of gpt-oss-20b does not change its "
     "scores."),
    ("mixture-of-experts", "supported", "Inside, gpt-oss-120b is a mixture of experts."),
    ("text-only", "supported", "gpt-oss-120b takes text and nothing else."),
    ("text-only", "supported", "Neither gpt-oss model can see images."),
    ("text-only", "supported", "gpt-oss-20b does not accept audio."),
    ("text-only", "supported", "gpt-oss-120b has no vision."),
    ("text-only", "contradicted", "gpt-oss-120b understands photos as well."),
    ("training-compute", "supported", "gpt-oss-120b cost 2.1 million H100 hours to train."),
    ("training-compute", "supported", "Training gpt-oss-120b took 2.1 million hours on H100 GPUs."),
    ("training-compute", "contradicted", "Training gpt-oss-120b took 9 million GPU hours."),
    ("training-data", "supported", "The card of gpt-oss speaks of trillions of tokens and no "
     "more."),
    ("training-data", "supported", "OpenAI does not say how much of gpt-oss's training data is "
     "synthetic."),
    (
        "place-on-board",
        "not_enough_evidence",
        "On SpeechMap gpt-oss-120b sits near the bottom of the list.",
    ),
    ("best-american", "supported", "gpt-oss-120b is the smartest American open-weight model."),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "verdict", "text"), SAID, ids=[t for _, _, t in SAID])
def test_what_a_document_states_is_known_in_many_words(topic, verdict, text):
    assert verdict in labels(OPENING + text, topic)


@pytest.mark.parametrize("text", [t for _, v, t in SAID if v != "contradicted"])
def test_what_is_right_or_open_raises_no_finding(text):
    assert read(OPENING + text)[1] == []


# ---- comparisons: what is compared, and how

COMPARED = [
    ("above", "gpt-oss-120b beats o4-mini handily on HealthBench."),
    ("above", "gpt-oss-120b trumps o4-mini on HealthBench."),
    ("above", "gpt-oss-120b leaves o4-mini in the dust on HealthBench."),
    ("above", "gpt-oss-120b puts o4-mini to shame on HealthBench."),
    ("above", "On HealthBench gpt-oss-120b has the edge over o4-mini."),
    ("above", "gpt-oss-120b edges past o4-mini on HealthBench."),
    ("above", "gpt-oss-120b outdoes o4-mini on HealthBench."),
    ("above", "gpt-oss-120b is seven points clear of o4-mini on HealthBench."),
    ("above", "Compared with o4-mini, gpt-oss-120b is better on HealthBench."),
    ("above", "gpt-oss-120b is more accurate than o4-mini on HealthBench."),
    ("below", "gpt-oss-120b is no match for o3 on MMMLU."),
    ("below", "gpt-oss-120b falls short of o4-mini on MMLU."),
    ("below", "gpt-oss-120b is beaten by o4-mini on MMLU."),
    ("below", "gpt-oss-120b was outperformed by o4-mini on MMLU."),
    ("below", "gpt-oss-120b loses out to o4-mini on MMLU."),
    ("below", "gpt-oss-120b lags o4-mini on MMLU."),
    ("below", "gpt-oss-120b pales next to o4-mini on MMLU."),
    ("below", "Next to o4-mini, gpt-oss-120b looks weaker on MMLU."),
    ("above", "gpt-oss-120b outdid o4-mini on HealthBench."),
    ("equal", "gpt-oss-120b is in a dead heat with o4-mini."),
    ("equal", "gpt-oss-120b is on par with o4-mini."),
    ("equal", "gpt-oss-120b runs neck and neck with o4-mini."),
    ("equal", "gpt-oss-120b holds its own against o4-mini."),
    ("equal", "gpt-oss-120b is nearly as good as o4-mini."),
    ("equal", "gpt-oss-120b trades blows with o4-mini."),
    ("equal", "gpt-oss-120b is in the same league as o4-mini."),
    ("equal", "gpt-oss-120b comes within a whisker of o4-mini."),
    ("equal", "gpt-oss-120b offers o4-mini-level reasoning."),
    ("equal", "gpt-oss-120b is roughly at the level of, or rather on a level with, o4-mini."),
]  # fmt: skip


@pytest.mark.parametrize(("relation", "text"), COMPARED, ids=[t for _, t in COMPARED])
def test_a_comparison_has_its_direction_and_its_sides(relation, text):
    claims, _ = read(text)
    found = [c for c, _ in claims if c.topic == "comparison"]
    assert [(c.relation, c.negated) for c in found] == [(relation, False)]
    assert found[0].subjects == ("gpt-oss-120b",)
    assert set(found[0].comparators) <= {"o4-mini", "o3"} and found[0].comparators


@pytest.mark.parametrize("text", [t for _, t in COMPARED])
def test_a_right_comparison_raises_no_finding(text):
    assert read(text)[1] == []


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("gpt-oss-120b does not beat o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b cannot keep up with o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b hardly beats o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b fails to match o4-mini on MMLU.", "supported"),
        ("Nobody has shown that gpt-oss-120b beats o4-mini on MMLU.", "supported"),
        ("It is a myth that gpt-oss-120b beats o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b isn't behind o4-mini on MMLU.", "contradicted"),
        ("gpt-oss-120b is not beaten by o4-mini on MMLU.", "contradicted"),
        ("gpt-oss-120b never trails o4-mini on MMLU.", "contradicted"),
        ("gpt-oss-120b not only matches but beats o4-mini on MMLU.", "contradicted"),
    ],
)
def test_a_denied_comparison_is_judged_as_denied(text, verdict):
    assert verdict in labels(text, "comparison")


# ---- scores


SCORED = [
    "gpt-oss-120b gets 90.0 per cent on MMLU, o4-mini 93.0 per cent.",
    "MMLU: gpt-oss-120b 90.0, o4-mini 93.0.",
    "On MMLU, 90.0% for gpt-oss-120b compares with 93.0% for o4-mini.",
    "gpt-oss-120b (90.0%) sits below o4-mini (93.0%) on MMLU.",
    "On MMLU gpt-oss-120b and o4-mini score 90.0% and 93.0% respectively.",
    "On MMLU the larger sibling answers 90.0% of the questions correctly, o4-mini 93.0%.",
    "On MMLU the 120B reaches ninety percent.",
    "About 90% of MMLU's questions go right for gpt-oss-120b.",
    "gpt-oss-120b's MMLU score of 90.0 is three points short of o4-mini's 93.0.",
    "With a 90.0 on MMLU, gpt-oss-120b comes three points behind o4-mini.",
    "A score of 90.0% on MMLU was recorded by gpt-oss-120b; o4-mini managed 93.0%.",
    "gpt-oss-20b earns 85.3% on MMLU; its big brother, 90.0%.",
    "gpt-oss-120b posts 2622 Elo on Codeforces with tools, o4-mini 2719.",
    "On Codeforces, tools allowed, gpt-oss-120b is rated 2622 and o4-mini 2719.",
    "On GPQA Diamond gpt-oss-120b climbs from 67.1% (low) to 73.1% (medium) and 80.1% (high).",
    "At medium effort gpt-oss-120b scores 88.0% on MMLU; at high effort it scores 90.0%.",
    "On Humanity's Last Exam, o3 leads with 24.9%, ahead of gpt-oss-120b's 19.0%, all with tools.",
    "On AIME 2025, 97.9% with tools shrink to 92.5% without them for gpt-oss-120b.",
    "gpt-oss-120b hallucinates on 49.1% of PersonQA, against 36.1% for o4-mini.",
    "Version 2 of the AA index has gpt-oss-120b at 58, DeepSeek R1-0528 at 59 and gpt-oss-20b "
     "at 48.",
    "On the Aider leaderboard Kimi K2 (59.1%) is clear of gpt-oss-120b (41.8%).",
    "gpt-oss-120b fell to 14.9% on Humanity's Last Exam once it was deprived of tools.",
    "SWE-bench Verified | gpt-oss-120b | 62.4",
    "gpt-oss-120b solved 62.4% of SWE-bench Verified. Its little brother got 60.7% there.",
    "On HealthBench 57.6% goes to gpt-oss-120b and 59.8% to o3.",
    "Shares rose by 4.5% after gpt-oss-120b got 90.0% on MMLU.",
    "gpt-oss-120b answers 30% faster now, and it got 90.0% on MMLU.",
    "gpt-oss-120b trails o4-mini on MMLU (90.0 vs 93.0) but pulls ahead on HealthBench, 57.6 to "
    "50.1.",
    "It knows little of the world, gpt-oss-120b (SimpleQA 16.8%), and hallucinates (49% PersonQA).",
    "Only o3 (59.8) does better on HealthBench than gpt-oss-120b (57.6).",
    "gpt-oss-120b scores 97.9 on AIME 2025 with Python, and 92.5 without.",
    "The models trail o3 and o4-mini on Codeforces with tools, said OpenAI, which put their "
     "ratings "
    "at 2622 and 2516.",
    "The jump from o3-mini to gpt-oss-20b is from 49.3% to 60.7% on SWE-bench Verified.",
    "gpt-oss-120b doesn't score 93.0% on MMLU, it scores 90.0%.",
]  # fmt: skip


@pytest.mark.parametrize("text", SCORED)
def test_scores_are_read_in_many_shapes(text):
    found = labels(OPENING + text, "score")
    assert found and set(found) == {"supported"}
    assert read(OPENING + text)[1] == []


PASSAGES = [
    "MMLU\n\ngpt-oss-120b: 90.0\no4-mini: 93.0\ngpt-oss-20b: 85.3",
    "Results on MMLU:\n\n- gpt-oss-120b: 90.0%\n- gpt-oss-20b: 85.3%\n- o4-mini: 93.0%",
    "| Benchmark | gpt-oss-120b | o4-mini |\n| MMLU | 90.0 | 93.0 |\n| GPQA Diamond | 80.1 | "
    "81.4 |",
    "ANNA: What about MMLU?\n\nBEN: gpt-oss-120b gets 90.0%.\n\nANNA: And o4-mini?\n\n"
    "BEN: That one has 93.0%.",
    "| | MMLU | GPQA Diamond |\n| gpt-oss-120b | 90.0 | 80.1 |\n| o4-mini | 93.0 | 81.4 |",
    "MMLU: 90.0 (gpt-oss-120b), 85.3 (gpt-oss-20b), 93.0 (o4-mini)",
    "1/ gpt-oss-120b is out. On MMLU it scores 90.0%.\n\n2/ o4-mini gets 93.0% there.",
    "gpt-oss-120b scored 90.0% on MMLU. o4-mini scored 93.0%. gpt-oss-20b came in at 85.3%.",
]


@pytest.mark.parametrize("text", PASSAGES)
def test_scores_are_read_across_lines(text):
    claims, findings = read(text)
    values = {s.value for c, _ in claims for s in c.scores}
    assert {90.0, 93.0} <= values and findings == []
    assert {j.verdict for c, j in claims if c.topic == "score"} == {"supported"}


# ---- opinions

OPINIONS = [
    "gpt-oss-120b is a yawn.",
    "Solid work, this gpt-oss-20b.",
    "gpt-oss-20b? Meh, it is a meh model.",
    "I like gpt-oss-120b.",
    "The gpt-oss release is big.",
    "Honestly, gpt-oss-120b is fine.",
    "We expect gpt-oss to put pressure on prices.",
    "I would not build on gpt-oss-120b yet.",
    "Nobody should write off gpt-oss-20b.",
    "imo gpt-oss-120b is overrated.",
    "gpt-oss-120b punches above its weight.",
    "In our view gpt-oss-120b will change little.",
]


@pytest.mark.parametrize("text", OPINIONS)
def test_an_opinion_is_told_from_a_fact(text):
    assert labels(text, "opinion") == ["not_checkable"]
    assert read(text)[1] == []


# ---- any published figure, in any shape


SHAPES = [
    "{model} scores {value} on {benchmark}{tools}.",
    "On {benchmark}{tools}, {model} gets {value}.",
    "{benchmark}{tools}: {model} {value}",
    "{model} ({value}) on {benchmark}{tools}: not much more to say.",
    "A {value} on {benchmark}{tools} is what {model} got.",
    "According to OpenAI, {model} reaches {value} on {benchmark}{tools}.",
    "{benchmark} is a hard test. {model} came in at {value}{tools}.",
]
TOOLS = {"none": " without tools", "with tools": " with tools", None: ""}
ROWS = [
    row
    for row in TABLES.figures.values()
    if row.metric in TABLES.benchmarks
    and row.unit in ("percent", "elo")
    and not TABLES.benchmarks[row.metric].varies_by_set
    and row.metric != "aider-well-formed"
    and row.conditions.effort in (None, "high")
    and "whole-file" not in (row.conditions.harness or "")  # a condition of its own
]


def told(shape, row, value):
    return OPENING + shape.format(
        model=TABLES.models[row.model].name.removesuffix(" (January 2025)"),
        value=f"{value:.0f}" if row.unit == "elo" else f"{value:.1f}%",
        benchmark=TABLES.benchmarks[row.metric].name,
        tools=TOOLS[row.conditions.tools],
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from(ROWS))
def test_a_published_figure_is_borne_out_in_any_shape(shape, row):
    claims, findings = read(told(shape, row, row.value))
    verdicts = {j.verdict for c, j in claims if c.topic == "score"}
    assert verdicts == {"supported"} and set(findings) <= {"stale_comparator"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from(ROWS), st.sampled_from([-7.37, 6.83]))
def test_a_figure_that_is_not_published_is_found_in_any_shape(shape, row, off):
    value = row.value + (100 * off if row.unit == "elo" else off)
    known = {f.value for f in TABLES.about(row.metric)}
    assume(all(abs(value - other) >= 0.6 for other in known))
    assume(2036 < value < 4000 if row.unit == "elo" else 0 < value <= 100)
    claims, findings = read(told(shape, row, value))
    assert {j.verdict for c, j in claims if c.topic == "score"} == {"contradicted"}
    assert set(findings) - {"stale_comparator"} <= {"invented_number", "column_swap", "model_swap"}
    assert set(findings) - {"stale_comparator"}
