"""Classes of wording: many ways to say one thing, each with what must be read in it.

The sentences are of every register that writes about models: wire, blog, thread, press release,
transcript. A right one must raise no finding; a wrong one must raise the one that is named.
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger

TABLES = published()
OPENING = "OpenAI released gpt-oss-120b and gpt-oss-20b.\n\n"


def read(text):
    """The claims with their verdicts, and the kinds of the findings."""
    ledger = Ledger(TABLES)
    story = parse_story(text.encode(), "story.txt")
    claims = [(claim, judge(claim, ledger)) for claim in extract_claims(story, TABLES)]
    return claims, [finding.kind for finding in find_errors(claims, ledger)]


def labels(text, topic):
    claims, _ = read(text)
    return [judgement.verdict for claim, judgement in claims if claim.topic == topic]


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
    ("memory", "mixed", "gpt-oss-20b makes do with 16 GB of RAM."),
    ("memory", "mixed", "16 GB of memory is enough for gpt-oss-20b, so they say."),
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


# ---- errors, each with its twin put right

ERRORS = [
    ("column_swap", "On MMLU gpt-oss-120b has 90.0%; o4-mini has 87.0%.", "87.0%", "93.0%"),
    ("column_swap", "HealthBench: gpt-oss-120b 57.6, o4-mini 59.8.", "59.8", "50.1"),
    ("column_swap", "On GPQA Diamond, o3-mini lands at 81.4 per cent.", "81.4", "77.0"),
    ("model_swap", "On the index (version 2 of the AA index) DeepSeek R1-0528 sits at 64 and "
     "Qwen3-235B-2507 at 59.", "64 and Qwen3-235B-2507 at 59", "59 and Qwen3-235B-2507 at 64"),
    ("size_swap", "On SWE-bench Verified the small one solves 62.4%.", "small", "large"),
    ("size_swap", "The bigger of the two scores 85.3% on MMLU.", "bigger", "smaller"),
    ("size_swap", "gpt-oss-120b is comfortable in 16 GB of memory.", "16 GB", "80 GB"),
    ("size_swap", "gpt-oss-20b comes with 117 billion parameters.", "117", "21"),
    ("size_swap", "The checkpoint of gpt-oss-20b is 60.8 GiB.", "60.8", "12.8"),
    ("size_swap", "OpenAI describes gpt-oss-20b as on par with o4-mini.", "o4-mini", "o3-mini"),
    ("model_swap", "OpenAI itself rates gpt-oss-120b as close to o3.", "o3", "o4-mini"),
    ("invented_number", "gpt-oss-120b has a context window of 200,000 tokens.", "200,000",
     "131,072"),
    ("invented_number", "gpt-oss-120b took 7.4 million H100 hours to train.", "7.4", "2.1"),
    ("invented_number", "The weights of gpt-oss-120b take 99 GB.", "99 GB", "65 GB"),
    ("invented_number", "gpt-oss-120b managed 71.9% on Tau-bench Retail.", "71.9", "67.8"),
    ("dropped_condition", "gpt-oss-120b clocks 19.0% on HLE.", "on HLE", "on HLE with tools"),
    ("dropped_condition", "The 120B has an Elo of 2622 on Codeforces.", "Codeforces",
     "Codeforces, using tools"),
    ("dropped_condition", "On GPQA Diamond gpt-oss-120b gets 73.1%.", "gets 73.1%",
     "gets 73.1% at medium effort"),
    ("stale_comparator", "On the Aider board DeepSeek R1 stands well above gpt-oss-120b.",
     "DeepSeek R1", "DeepSeek R1-0528"),
    ("strength_inflation", "gpt-oss-120b trounces o4-mini.", "trounces o4-mini",
     "comes near o4-mini, OpenAI says"),
    ("strength_inflation", "Across the board, gpt-oss-20b outclasses o3-mini.",
     "Across the board, gpt-oss-20b outclasses", "On SWE-bench Verified gpt-oss-20b outclasses"),
    ("strength_inflation", "gpt-oss-120b equals o4-mini in every benchmark.",
     "equals o4-mini in every benchmark", "is close to o4-mini, OpenAI says"),
    ("hedge_removed", "gpt-oss was fed nothing but synthetic data.", "gpt-oss was",
     "Critics suspect that gpt-oss was"),
    ("hedge_removed", "gpt-oss-120b litters its short stories with equations.", "gpt-oss-120b "
     "litters",
     "According to a few users gpt-oss-120b litters"),
    ("negation", "gpt-oss-20b is not under the Apache licence.", "is not under", "is under"),
    ("negation", "Turning up the effort of gpt-oss-120b does nothing for its scores.",
     "does nothing for its", "improves its"),
    ("negation", "gpt-oss-120b is not a mixture of experts.", "is not", "is"),
    ("negation", "gpt-oss-120b does not fall behind o4-mini on MMLU.", "does not fall", "does "
     "fall"),
    ("category_error", "Aider Polyglot tests whether gpt-oss-120b can speak foreign languages.",
     "can speak foreign languages", "can edit code"),
    ("category_error", "A low SpeechMap score proves that gpt-oss-120b cannot follow instructions.",
     "cannot follow instructions", "is reluctant to comply"),
    ("category_error", "Its MMLU result reveals how creative gpt-oss-120b is at creative writing.",
     "how creative gpt-oss-120b is at creative writing", "the knowledge of gpt-oss-120b"),
    ("negation", "It has also published the training data of gpt-oss-120b.", "has also", "has not"),
    ("negation", "gpt-oss-120b can also handle images.", "can also", "cannot"),
    ("negation", "You cannot use gpt-oss-120b commercially.", "cannot", "can"),
    ("size_swap", "gpt-oss-20b packs 120 billion parameters.", "120", "21"),
    ("size_swap", "gpt-oss-120b uses 3.6 billion active parameters per token.", "3.6", "5.1"),
    ("size_swap", "The maker promises that the 20B model of gpt-oss keeps pace with o4-mini.",
     "o4-mini", "o3-mini"),
    ("model_swap", "On Aider's leaderboard gpt-oss-120b edges out DeepSeek R1-0528.",
     "edges out", "is no match for"),
    ("column_swap", "On PersonQA gpt-oss-120b makes things up 36.1% of the time.", "36.1", "49.1"),
    ("invented_number", "gpt-oss-120b has six levels of reasoning effort.", "six", "three"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "wrong", "right"), ERRORS, ids=[e[1] for e in ERRORS])
def test_an_error_is_found_in_its_wording_and_not_in_its_twin(kind, text, wrong, right):
    assert read(OPENING + text)[1] == [kind]
    mended = text.replace(wrong, right)
    assert mended != text
    assert read(OPENING + mended)[1] == []


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


# ---- sound sentences that look like errors

SOUND = [
    "Nothing on SpeechMap shows that gpt-oss-120b is biased.",
    "SpeechMap does not measure whether gpt-oss-120b follows instructions.",
    "A low Polyglot score says nothing about human languages; gpt-oss-120b may speak many.",
    "People keep telling me that gpt-oss is all synthetic data.",
    "Nobody outside OpenAI knows whether gpt-oss was trained on synthetic data.",
    "The card of gpt-oss gives no share of synthetic data.",
    "I read that gpt-oss-120b slips equations into poems.",
    "I have a laptop with 8 GB of memory and will not try gpt-oss-120b.",
    "At an 8k context gpt-oss-120b leaves room to spare.",
    "We ran gpt-oss-120b with a 4,096-token context.",
    "gpt-oss-120b is 30% cheaper than o4-mini at our provider.",
    "gpt-oss-120b may surpass o4-mini one day.",
    "Will gpt-oss-120b beat o4-mini?",
    "DeepSeek's January model, DeepSeek R1, and its successor DeepSeek R1-0528 both beat "
    "gpt-oss-120b on Aider Polyglot.",
    "On MMLU gpt-oss-120b trails o4-mini, on HealthBench it beats o4-mini, and on GPQA Diamond "
    "nobody can tell.",
    "With tools gpt-oss-120b is rated 2622 on Codeforces. That is below the 2719 of o4-mini.",
    "gpt-oss-120b is rated 2622 on Codeforces. All figures here are with tools.",
    "On HLE, o3-pro would be ahead of gpt-oss-120b.",
    "45% of those who tried gpt-oss-120b said that MMLU bores them.",
    "gpt-oss-120b needs 5.1 billion active parameters and got 90.0% on MMLU in August 2025.",
    "GPT-4o, as judge of the answers on SpeechMap, marked 83.5% of gpt-oss-120b's as complete.",
    "The gpt-oss models, unlike o4-mini, are Apache-licensed.",
    "It is wrong to say that gpt-oss-120b beats o4-mini.",
    "OpenAI speaks of near-parity between gpt-oss-120b and o4-mini on core reasoning benchmarks.",
    "gpt-oss-120b is neither closed nor proprietary.",
    "gpt-oss-120b cost more than 2 million hours on H100 chips.",
    "The claim that gpt-oss-120b outperforms o4-mini on MMLU is false.",
    "A correction: last week we wrote that gpt-oss-120b scored 93.0% on MMLU.",
    "gpt-oss-120b scored 93.0% on MMLU, some wrote. That is wrong: it scored 90.0%.",
    "The OSI would require that the training data of gpt-oss be published.",
    "OpenAI tested gpt-oss-120b under its Preparedness Framework.",
    "I kept taking screenshots of gpt-oss-120b.",
    "Kimi K2 has 59.1% on Aider Polyglot and the old R1 56.9%; OpenAI's model comes third with "
     "41.8%.",
    "We tested gpt-oss-20b on our own 120 questions about tax law, and it answered 74% of them.",
    "In a survey, 62.4% of developers said that they would try gpt-oss-120b.",
    "You could do worse than gpt-oss-120b.",
    "A letter said that gpt-oss-120b beats o4-mini on MMLU. It does not.",
    "On the AA index gpt-oss-120b scored 58 in August 2025; by January it was 33, since the index "
    "had moved to version 4.0.",
    "Training on synthetic data is common in the industry.",
    "gpt-oss-120b wrote a poem. We asked for equations in the story, and we got them.",
    "DeepSeek R1-0528 remains the better coder than gpt-oss-120b: 71.4% on Aider Polyglot against "
    "41.8%.",
    "gpt-oss-120b will not fit on a 24 GB card.",
    "The larger model of gpt-oss runs on one H100; the smaller fits in 16 GB of memory.",
    "Unlike o3, gpt-oss-120b can be downloaded. It cannot see pictures.",
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_sentence_raises_no_finding(text):
    assert read(OPENING + text)[1] == []


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
    assert set(findings) - {"stale_comparator"} <= {"invented_number", "column_swap"}
    assert set(findings) - {"stale_comparator"}
