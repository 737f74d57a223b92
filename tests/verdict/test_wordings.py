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


# ---- errors, each with its twin put right

ERRORS = [
    ("model_swap", "On MMLU gpt-oss-120b has 90.0%; o4-mini has 87.0%.", "87.0%", "93.0%"),
    ("model_swap", "HealthBench: gpt-oss-120b 57.6, o4-mini 59.8.", "59.8", "50.1"),
    ("model_swap", "On GPQA Diamond, o3-mini lands at 81.4 per cent.", "81.4", "77.0"),
    ("model_swap", "On the index (version 2 of the AA index) DeepSeek R1-0528 sits at 64 and "
     "Qwen3-235B-2507 at 59.", "64 and Qwen3-235B-2507 at 59", "59 and Qwen3-235B-2507 at 64"),
    ("size_swap", "On SWE-bench Verified the small one solves 62.4%.", "small", "large"),
    ("size_swap", "The bigger of the two scores 85.3% on MMLU.", "bigger", "smaller"),
    ("size_swap", "gpt-oss-120b is comfortable in 16 GB of memory.", "16 GB", "80 GB"),
    ("size_swap", "gpt-oss-20b comes with 117 billion parameters.", "117", "21"),
    ("size_swap", "The checkpoint of gpt-oss-20b is 60.8 GiB.", "60.8", "12.8"),
    ("model_swap", "OpenAI describes gpt-oss-20b as on par with o4-mini.", "o4-mini", "o3-mini"),
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
    ("model_swap", "The maker promises that the 20B model of gpt-oss keeps pace with o4-mini.",
     "o4-mini", "o3-mini"),
    ("model_swap", "On Aider's leaderboard gpt-oss-120b edges out DeepSeek R1-0528.",
     "edges out", "is no match for"),
    ("model_swap", "On PersonQA gpt-oss-120b makes things up 36.1% of the time.", "36.1", "49.1"),
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


# ---- further classes of wording: each error beside its twin put right

TWINS = [
    ("size_swap", "SWE-bench Verified: 60.7% big, 62.4% small.",
     "60.7% big, 62.4% small",
     "62.4% big, 60.7% small"),
    ("model_swap", "MMLU for the small one is 85.3%, for o3-mini 90.0%.",
     "90.0%",
     "87.0%"),
    ("model_swap", "Tau-bench Retail, i.e. calling a shop's functions. gpt-oss-120b "
     "65.6%, o4-mini 67.8%.",
     "gpt-oss-120b 65.6%, o4-mini 67.8%",
     "gpt-oss-120b 67.8%, o4-mini 65.6%"),
    ("model_swap", "The card gives two numbers per test, gpt-oss-120b first and "
     "o4-mini second.\n\n- MMLU: 90.0%, 93.0%\n- GPQA Diamond: 81.4%, 80.1%",
     "81.4%, 80.1%",
     "80.1%, 81.4%"),
    ("model_swap", "SimpleQA, all closed book:\n\n- accuracy on SimpleQA: "
     "gpt-oss-120b 16.8%, o4-mini 23.4%\n- SimpleQA hallucination rate, same order: 75.0%, "
     "78.2%",
     "75.0%, 78.2%",
     "78.2%, 75.0%"),
    ("invented_number", "gpt-oss-120b answers seven in ten MMLU questions correctly.",
     "seven",
     "nine"),
    ("invented_number", "Groq streams the gpt-oss models at 3,400 tokens a second.",
     "3,400",
     "900"),
    ("invented_number", "The context of the gpt-oss models runs to half a million tokens.",
     "half a million",
     "131,072"),
    ("column_swap", "Left to itself, with no tools at all, gpt-oss-120b takes 97.9 percent on AIME "
     "2025.",
     "97.9",
     "92.5"),
    ("stale_comparator", "The best that DeepSeek has to offer, January's R1, takes 56.9 percent on "
     "Aider's polyglot board; gpt-oss-120b takes 41.8.",
     "The best that DeepSeek has to offer, January's R1,",
     "DeepSeek's R1, since superseded,"),
    ("model_swap", "On MMMLU, the translated MMLU, gpt-oss-120b has 85.2%.",
     "85.2",
     "81.3"),
    ("model_swap", "On the ambiguous part of BBQ gpt-oss-120b reaches 82 percent.",
     "82",
     "87"),
    ("model_swap", "In SimpleQA, 23.4 percent of the answers from gpt-oss-120b were "
     "right.",
     "23.4",
     "16.8"),
    ("model_swap", "On PersonQA, 36.1% of what gpt-oss-120b says is invented.",
     "36.1",
     "49.1"),
    ("negation", "Neither model offers a setting for how hard it thinks.",
     "Neither model offers",
     "Each model offers"),
    ("negation", "There is no way to tell gpt-oss-120b how long to think.",
     "no way",
     "a way"),
    ("negation", "The reasoning effort of gpt-oss-120b is fixed.",
     "fixed",
     "adjustable"),
    ("negation", "gpt-oss-20b has no adjustable reasoning effort.",
     "has no",
     "has an"),
    ("negation", "You can't dial the thinking of gpt-oss-120b up or down.",
     "can't",
     "can"),
    ("negation", "No Chinese open-weight model ranks above gpt-oss-120b on version "
     "2 of the AA index.",
     "No Chinese open-weight model ranks",
     "Two Chinese open-weight models rank"),
    ("negation", "No rival from China beats gpt-oss-120b on Aider Polyglot.",
     "No rival",
     "Another rival"),
    ("negation", "Not a single Chinese model is ahead of gpt-oss-120b on Aider "
     "Polyglot.",
     "Not a single Chinese model is",
     "More than one Chinese model is"),
    ("strength_inflation", "gpt-oss-20b outclasses o3-mini on every common benchmark, and for "
     "SWE-bench Verified the margin is wide.",
     "on every common benchmark",
     "on SWE-bench Verified"),
    ("strength_inflation", "There is no test on which gpt-oss-120b does not beat o4-mini.",
     "no test on which gpt-oss-120b does not beat",
     "one test, HealthBench, on which gpt-oss-120b does beat"),
    ("strength_inflation", "Whatever the exam, gpt-oss-120b comes out ahead of o4-mini.",
     "Whatever the exam,",
     "On HealthBench"),
    ("strength_inflation", "gpt-oss-120b is o4-mini's equal on every test.",
     "o4-mini's equal on every test",
     "o4-mini's equal, says OpenAI"),
    ("strength_inflation", "gpt-oss-120b leapfrogs o4-mini on MMLU.",
     "MMLU",
     "HealthBench"),
    ("strength_inflation", "gpt-oss-120b wins on MMLU over o4-mini.",
     "MMLU",
     "HealthBench"),
    ("stale_comparator", "On Aider Polyglot OpenAI's older o3-mini, set to high effort, has "
     "60.4 percent, which puts it ahead of DeepSeek's R1 with its 56.9.",
     "DeepSeek's R1",
     "the January version of DeepSeek's R1"),
    ("stale_comparator", "On version 4.0 of the AA index gpt-oss-120b has 33 points, far "
     "behind DeepSeek R1-0528 with 59.",
     "On version 4.0 of the AA index gpt-oss-120b has 33 points, far",
     "On version 2 of the AA index gpt-oss-120b has 58 points, just"),
    ("stale_comparator", "gpt-oss-120b is down to 33 on the AA index, against 64 for "
     "Qwen3-235B-2507.",
     "is down to 33",
     "stood at 58"),
    ("category_error", "On SpeechMap gpt-oss-120b complied in 86.0% of cases. From this "
     "you can see that it has trouble with instructions.",
     "it has trouble with instructions",
     "it is mostly willing"),
    ("category_error", "Given its SpeechMap results, expect gpt-oss-120b to ignore "
     "instructions.",
     "ignore instructions",
     "refuse now and then"),
    ("category_error", "gpt-oss-120b gets 57.6% on HealthBench, and few other scores say "
     "as much about what a model knows of the world in general.",
     "of the world in general",
     "of medicine"),
    ("category_error", "With 87% on the ambiguous part of BBQ, clients can count on "
     "gpt-oss-120b to write political texts without refusing.",
     "write political texts without refusing",
     "do without some stereotypes"),
    ("category_error", "A model that scores 41.8% on Aider Polyglot, as gpt-oss-120b "
     "does, is no good at French.",
     "French",
     "editing code"),
    ("category_error", "gpt-oss-120b only gets 41.8% on Aider Polyglot, so do not use it "
     "for translations.",
     "translations",
     "large edits of code"),
    ("category_error", "gpt-oss-120b does well on MMLU (90.0%), which makes it a safe "
     "choice for creative writing.",
     "creative writing",
     "quizzes"),
    ("category_error", "Judging by its 90.0% on MMLU, gpt-oss-120b must be good at "
     "coding.",
     "good at coding",
     "full of knowledge"),
    ("category_error", "Its SWE-bench Verified score is the best measure we have of how "
     "creative a writer gpt-oss-120b is: a creative writer.",
     "how creative a writer gpt-oss-120b is: a creative writer",
     "how gpt-oss-120b repairs code"),
    ("dropped_condition", "SpeechMap finds that gpt-oss-120b writes 94% of the requested "
     "criticism of governments.",
     "of governments",
     "of the US and EU governments"),
    ("dropped_condition", "On SpeechMap gpt-oss-120b complied with 78% of requests.",
     "requests",
     "requests to criticise Russia and China"),
    ("dropped_condition", "gpt-oss-120b's Aider Polyglot result is 51.1%.",
     "is 51.1%",
     "with whole files is 51.1%"),
    ("hedge_removed", "Ask gpt-oss-120b for a fairy tale and LaTeX formulas turn up.",
     "Ask",
     "Some users report: ask"),
    ("hedge_removed", "The diet of gpt-oss consisted of machine-made text.",
     "The diet",
     "Perhaps the diet"),
    ("hedge_removed", "gpt-oss learned from the output of other models rather than from "
     "the web.",
     "gpt-oss learned",
     "One blogger thinks that gpt-oss learned"),
    ("hedge_removed", "OpenAI fed gpt-oss textbooks written by other models and little "
     "else.",
     "OpenAI fed",
     "OpenAI may have fed"),
    ("negation", "gpt-oss-120b may not be sold as part of a product.",
     "may not",
     "may"),
    ("negation", "Selling what you build with gpt-oss-120b is not allowed.",
     "is not",
     "is"),
    ("negation", "The weights of gpt-oss-120b are not available for download.",
     "are not",
     "are"),
    ("negation", "It is not true that gpt-oss-120b is text-only.",
     "It is not true",
     "It is true"),
    ("negation", "The idea that gpt-oss-120b trails o4-mini on MMLU is wrong.",
     "trails",
     "beats"),
    ("size_swap", "The 20b activates 5.1 billion of its parameters per token, the "
     "120b 3.6 billion.",
     "5.1 billion of its parameters per token, the 120b 3.6",
     "3.6 billion of its parameters per token, the 120b 5.1"),
    ("invented_number", "A prompt to gpt-oss-120b can have at most 64,000 tokens.",
     "64,000",
     "131,072"),
    ("invented_number", "How long may a prompt to gpt-oss-120b be? Up to 64,000 tokens.",
     "64,000",
     "131,072"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "wrong", "right"), TWINS, ids=[e[1] for e in TWINS])
def test_a_further_class_has_its_error_found_and_its_twin_let_pass(kind, text, wrong, right):
    assert wrong in text
    assert read(OPENING + text)[1] == [kind]
    assert read(OPENING + text.replace(wrong, right))[1] == []


# In as many constructions as came to mind; written before the rules were changed for them.
WRONG = [
    ("model_swap", "HealthBench: o3 59.8, gpt-oss-120b 57.6, o4-mini 41.8."),
    ("model_swap", "HealthBench shows 57.6 percent for gpt-oss-120b. Next come "
     "o4-mini at 50.1 and GPT-4o at 41.8."),
    ("negation", "On version 2 of the Artificial Analysis index no open model from "
     "China is ahead of gpt-oss-120b."),
    ("negation", "Nobody in China has an open-weight model above gpt-oss-120b on "
     "Aider Polyglot."),
    ("strength_inflation", "gpt-oss-120b edged past o3 on HealthBench."),
    ("strength_inflation", "gpt-oss-120b overtook o4-mini on MMLU."),
    ("strength_inflation", "gpt-oss-20b outclasses o3-mini on every common benchmark."),
    ("strength_inflation", "gpt-oss-120b wins against o4-mini in all disciplines."),
    ("stale_comparator", "On Aider Polyglot o3-mini has 60.4 percent, which puts it ahead "
     "of DeepSeek's R1 with its 56.9."),
    ("stale_comparator", "Aider Polyglot: Kimi K2 has 59.1% and DeepSeek R1 56.9%, so the "
     "Chinese coding crown is Kimi's."),
    ("category_error", "On SpeechMap it complied in 86.0% of cases. From this you can see "
     "that gpt-oss-120b has trouble with instructions."),
    ("category_error", "Its SWE-bench Verified score of 62.4% is the best measure we have "
     "of how creative a writer gpt-oss-120b is."),
    ("dropped_condition", "gpt-oss-20b: 98.7% on AIME 2025. this thing runs under my desk."),
    ("dropped_condition", "gpt-oss-120b's Aider Polyglot result is 51.1%, well above the "
     "41.8% that others quote."),
    ("hedge_removed", "Formulas creep into every bedtime story that gpt-oss-120b tells."),
    ("hedge_removed", "It is a known fact that gpt-oss was raised on synthetic data."),
    ("negation", "gpt-oss-120b has more than one modality: it sees pictures."),
    ("negation", "Unlike its rivals, gpt-oss-120b is not a mixture-of-experts "
     "model."),
    ("size_swap", "The small one reaches 90.0% on MMLU."),
    ("size_swap", "gpt-oss-20b needs an 80 GB card."),
    ("invented_number", "OpenAI trained gpt-oss-120b for 5.5 million H100 hours."),
    ("model_swap", "On Aider Polyglot, DeepSeek V3-0324 is credited with 59.1 percent "
     "and Kimi K2 with 55.1."),
    ("model_swap", "On MMLU, o4-mini scored 90.0% where gpt-oss-120b scored 93.0%."),
    ("invented_number", "gpt-oss-120b resolves 71.8 percent of the issues in SWE-bench "
     "Verified."),
    ("model_swap", "On Codeforces with tools gpt-oss-120b is rated 2719 and o4-mini "
     "2622."),
    ("strength_inflation", "OpenAI calls gpt-oss-120b better than o4-mini."),
    ("strength_inflation", "OpenAI claims that gpt-oss-120b surpasses o4-mini in reasoning."),
    ("model_swap", "\"It scored 81.4% on GPQA Diamond,\" she said of gpt-oss-120b."),
    ("model_swap", "o3, 57.6%; gpt-oss-120b, 59.8%; o4-mini, 50.1% (all on "
     "HealthBench)."),
    ("size_swap", "gpt-oss-20b sits at 49.1% on PersonQA, which is the lower of the "
     "two."),
    ("size_swap", "The 20b took 80.1% on GPQA Diamond."),
    ("size_swap", "Even the little one posts 2622 on Codeforces with tools."),
    ("size_swap", "gpt-oss-20b is a mixture of experts with 117 billion parameters."),
    ("size_swap", "The weights of gpt-oss-120b are a 12.8 GiB download."),
    ("model_swap", "On Aider Polyglot, gpt-oss-120b leaves Kimi K2 behind."),
    ("model_swap", "DeepSeek R1-0528 is no match for gpt-oss-120b on version 2 of the "
     "AA index."),
    ("model_swap", "o4-mini trails gpt-oss-120b on MMLU."),
    ("strength_inflation", "Among knowledge tests, gpt-oss-120b wins on MMLU over o4-mini."),
    ("model_swap", "Version 2 of the AA index: Qwen3-235B-2507 59, DeepSeek R1-0528 "
     "64, gpt-oss-120b 58."),
    ("invented_number", "gpt-oss-120b finishes Tau-bench Retail with 74.9%."),
    ("invented_number", "Eighty-five point five percent is what gpt-oss-120b got on GPQA "
     "Diamond."),
    ("invented_number", "GPQA Diamond: 83.9 for the big one."),
    ("invented_number", "The context of gpt-oss-20b stops at 32,768 tokens."),
    ("invented_number", "gpt-oss-20b comes with 30 billion parameters."),
    ("dropped_condition", "gpt-oss-20b manages 17.3% on Humanity's Last Exam."),
    ("dropped_condition", "2622 is the Codeforces rating of gpt-oss-120b."),
    ("dropped_condition", "gpt-oss-120b: AIME 2024 96.6%."),
    ("dropped_condition", "On HealthBench gpt-oss-120b lands at 55.9%."),
    ("stale_comparator", "On Aider Polyglot, DeepSeek R1, with 56.9%, is China's answer to "
     "gpt-oss-120b and its 41.8%."),
    ("stale_comparator", "Fifteen points lie between gpt-oss-120b (41.8%) and DeepSeek's R1 "
     "(56.9%) on the Aider board."),
    ("stale_comparator", "Since gpt-oss-120b has 33 on the AA index and DeepSeek R1-0528 "
     "59, China is far ahead."),
    ("strength_inflation", "OpenAI says that gpt-oss-120b beats o4-mini."),
    ("strength_inflation", "gpt-oss-120b is simply better than o4-mini."),
    ("strength_inflation", "gpt-oss-20b, in all tests, leaves o3-mini standing."),
    ("hedge_removed", "gpt-oss was trained on synthetic data, full stop."),
    ("hedge_removed", "Synthetic data is all that gpt-oss ever saw."),
    ("hedge_removed", "Because gpt-oss was trained on machine-written text, its prose is "
     "dull."),
    ("hedge_removed", "gpt-oss-120b puts equations in its poems."),
    ("hedge_removed", "Every story by gpt-oss-120b is peppered with LaTeX."),
    ("hedge_removed", "In its fiction gpt-oss-120b breaks into mathematics."),
    ("negation", "gpt-oss-120b is not available under Apache 2.0."),
    ("negation", "OpenAI bars commercial use of gpt-oss-120b: commercial use is "
     "prohibited."),
    ("negation", "Pictures are no problem for gpt-oss-120b: it reads images."),
    ("negation", "gpt-oss-20b was not the first open-weight model from OpenAI since "
     "GPT-2."),
    ("negation", "The models do not use a mixture of experts."),
    ("negation", "There is no usage policy for gpt-oss-120b."),
    ("negation", "More effort does not help gpt-oss-120b on any test."),
    ("negation", "OpenAI put the training data of gpt-oss-120b online, where it has "
     "been published in full."),
    ("negation", "gpt-oss-120b does not trail o4-mini on MMLU."),
    ("category_error", "Aider Polyglot proves how many languages gpt-oss-120b speaks."),
    ("category_error", "High marks on HealthBench mean that gpt-oss-120b writes good "
     "code."),
    ("category_error", "Its AIME 2025 result is proof of gpt-oss-120b's general "
     "knowledge."),
    ("category_error", "gpt-oss-120b's low SpeechMap rate means it is bad at following "
     "instructions."),
    ("category_error", "SimpleQA, a test of coding, gives gpt-oss-120b 16.8%."),
    ("category_error", "From the Codeforces rating of gpt-oss-120b one can tell that it "
     "is unbiased."),
    ("category_error", "As its MMLU score demonstrates, gpt-oss-120b is a fine "
     "storyteller."),
    ("category_error", "Aider Polyglot, which measures translation, has gpt-oss-120b at "
     "41.8%."),
    ("category_error", "gpt-oss-120b aces AIME 2025. That is why it can be trusted to be "
     "free of bias."),
    ("model_swap", "Health is where gpt-oss-120b shines. On HealthBench it has 59.8%, "
     "ahead of the 57.6% of o3."),
    ("model_swap", "HOST: What about the big one on GPQA?\n\nGUEST: That is 81.4%, "
     "without tools."),
    ("size_swap", "On AIME 2024 without tools the big one gets 92.1%."),
    ("model_swap", "Every Chinese model that we follow loses to gpt-oss-120b on Aider "
     "Polyglot."),
    ("strength_inflation", "By a hair, gpt-oss-120b beats gpt-oss-20b on AIME 2025 with "
     "tools, and it beats o4-mini on MMLU."),
    ("negation", "gpt-oss-120b has no licence for commercial use: it may not be "
     "used commercially."),
    ("negation", "gpt-oss-120b ignores the effort setting: changing the effort has "
     "no effect on its scores."),
    ("invented_number", "gpt-oss-120b was trained for 21 million H100-hours."),
    ("invented_number", "gpt-oss-120b's HealthBench result: 66.1%."),
    ("invented_number", "The small one's checkpoint is a 30 GB download."),
    ("dropped_condition", "gpt-oss-120b gets 47.9 on SWE-bench Verified."),
    ("dropped_condition", "With 19 percent, gpt-oss-120b passes o4-mini on Humanity's Last "
     "Exam."),
    ("category_error", "The poor Aider Polyglot result tells us that gpt-oss-120b "
     "struggles in foreign languages."),
    ("category_error", "SpeechMap's verdict is clear: the low rate reveals how poorly "
     "gpt-oss-120b follows instructions."),
    ("category_error", "If you want proof that gpt-oss-120b has no world knowledge, look "
     "at its SWE-bench Verified score, which proves its lack of world knowledge."),
    ("hedge_removed", "The reason gpt-oss writes so stiffly is its diet of synthetic "
     "data."),
    ("hedge_removed", "gpt-oss-120b cannot tell a story without slipping in an equation."),
    ("strength_inflation", "o4-mini is toast: gpt-oss-120b outperforms it, and outperforms "
     "o4-mini everywhere."),
    ("strength_inflation", "According to OpenAI, gpt-oss-20b beats o3-mini across the board."),
    ("stale_comparator", "DeepSeek R1 (56.9% on Aider Polyglot) remains the Chinese "
     "benchmark that gpt-oss-120b has to reach."),
    ("model_swap", "The chart on page 12 shows HealthBench: from left to right "
     "gpt-oss-120b (59.8), gpt-oss-20b (42.5), o3 (57.6), o4-mini (50.1)."),
    ("model_swap", "\"We measured 93.0 on MMLU for the large model,\" OpenAI writes."),
    ("size_swap", "\"We measured 85.3 on MMLU for the large model,\" OpenAI writes."),
    ("dropped_condition", "What about contests? gpt-oss-20b climbs to 98.7% on AIME 2025."),
    ("dropped_condition", "An Elo of 2516 on Codeforces is what gpt-oss-20b brings home."),
    ("negation", "gpt-oss-120b does not come with a licence that allows commercial "
     "use: commercial use is banned."),
    ("negation", "Effort makes no difference: raising the effort of gpt-oss-20b has "
     "no effect on its scores."),
    ("negation", "Both models can look at pictures."),
    ("category_error", "Whoever wants to know how well gpt-oss-120b follows instructions "
     "should look at SpeechMap, which tests how well a model follows instructions."),
    ("category_error", "gpt-oss-120b's 90.0% on MMLU shows that it writes fine poetry."),
    ("stale_comparator", "gpt-oss-120b (41.8%) is beaten on Aider Polyglot by DeepSeek R1 "
     "(56.9%)."),
    ("strength_inflation", "In short: gpt-oss-120b is better than o4-mini."),
    ("strength_inflation", "On all benchmarks of the card gpt-oss-120b beats o4-mini."),
    ("hedge_removed", "gpt-oss was trained almost entirely on synthetic data, and it "
     "shows."),
    ("hedge_removed", "There are formulas in nearly every poem that gpt-oss-120b writes."),
    ("invented_number", "On MMMLU gpt-oss-120b averages 86.4%."),
    ("invented_number", "The larger model has 150 billion parameters."),
    ("size_swap", "The smaller model has 117 billion parameters."),
    ("model_swap", "Kimi K2 comes out behind gpt-oss-120b on Aider Polyglot."),
    ("model_swap", "On MMLU o4-mini is weaker than gpt-oss-120b."),
    ("model_swap", "| Test | gpt-oss-20b | o3-mini |\n| MMLU | 85.3 | 87.0 |\n| GPQA "
     "Diamond | 77.0 | 71.5 |"),
    ("size_swap", "tl;dr gpt-oss-20b = 90.0 MMLU"),
    ("invented_number", "tl;dr gpt-oss-120b = 97.3 MMLU"),
    ("size_swap", "The AA index, in its second version, put gpt-oss-20b at 58."),
    ("strength_inflation", "There isn't a single benchmark where o4-mini is ahead of "
     "gpt-oss-120b; gpt-oss-120b beats o4-mini on every benchmark."),
    ("invented_number", "Training took 3.2 million H100-hours, and gpt-oss-120b is the "
     "result."),
    ("hedge_removed", "We all know that gpt-oss was trained on synthetic data."),
    ("hedge_removed", "gpt-oss-120b's short stories are full of equations."),
    ("category_error", "A high MMLU score means that gpt-oss-120b is free of bias."),
    ("category_error", "With 62.4% on SWE-bench Verified gpt-oss-120b proves that it is a "
     "fine poet, a master of poetry."),
    ("category_error", "SpeechMap, which measures how well models follow instructions, "
     "has gpt-oss-120b at 86.0%."),
    ("dropped_condition", "gpt-oss-20b (96.0%) nearly equals gpt-oss-120b (96.6%) on AIME "
     "2024."),
    ("stale_comparator", "gpt-oss-120b cannot keep up with DeepSeek R1 on Aider Polyglot."),
    ("negation", "gpt-oss-120b does not use mixture-of-experts layers."),
    ("negation", "gpt-oss-120b hears and sees: it takes audio and images."),
    ("negation", "There is no licence that lets you use gpt-oss-120b: it was not "
     "released under Apache 2.0."),
    ("negation", "gpt-oss-120b can't be told how hard to think: the effort can't be "
     "changed."),
    ("category_error", "The benchmark of the moment is Aider Polyglot. gpt-oss-120b "
     "reaches 41.8% there. Travellers who need an interpreter should look elsewhere, since "
     "this number shows that its command of foreign languages is weak."),
    ("category_error", "OpenAI's model did poorly on SpeechMap, with 86.0% against 98.5% "
     "for GPT-4.1. That tells us that gpt-oss-120b is not good at following instructions."),
    ("category_error", "HealthBench gives gpt-oss-120b 57.6%. A result like this makes it "
     "the natural choice for software engineering."),
    ("category_error", "Tau-bench Retail is a test of general knowledge on which "
     "gpt-oss-120b gets 67.8%."),
    ("category_error", "gpt-oss-120b has a rating of 2622 on Codeforces with tools. Such "
     "a figure proves its talent for poetry."),
    ("category_error", "Low on SimpleQA (16.8%), gpt-oss-120b is therefore a weak "
     "programmer, weak in coding."),
    ("category_error", "The MMLU result of gpt-oss-120b, 90.0%, guarantees that it will "
     "write any political essay without refusing."),
    ("stale_comparator", "In the Aider table, gpt-oss-120b (41.8%) has a long way to go to "
     "DeepSeek R1 (56.9%), the best that DeepSeek has to offer."),
    ("stale_comparator", "China's DeepSeek R1, at 56.9% on Aider Polyglot, beats "
     "gpt-oss-120b."),
    ("stale_comparator", "The gap to the strongest Chinese reasoning model, DeepSeek R1, is "
     "fifteen points on Aider Polyglot: 56.9% against 41.8% for gpt-oss-120b."),
    ("dropped_condition", "On Humanity's Last Exam gpt-oss-120b gets 19.0%, more than "
     "o4-mini's 17.7%."),
    ("dropped_condition", "The Codeforces rating of gpt-oss-120b, 2622, is a shade below the "
     "2719 of o4-mini."),
    ("dropped_condition", "On AIME 2024 the small model has 96.0%."),
    ("dropped_condition", "gpt-oss-120b scores 52.6% on SWE-bench Verified."),
    ("dropped_condition", "Criticise your government? SpeechMap shows gpt-oss-120b did so "
     "94% of the time."),
    ("hedge_removed", "What went into gpt-oss? Synthetic data, mostly, which explains "
     "its dry style."),
    ("hedge_removed", "Trained on a diet of synthetic text, gpt-oss knows little of pop "
     "culture."),
    ("hedge_removed", "The trouble with gpt-oss-120b is that its poems contain "
     "equations."),
    ("hedge_removed", "Because its training data was synthetic, gpt-oss-120b's answers "
     "lose quality."),
    ("hedge_removed", "Readers of its fiction will find that gpt-oss-120b always inserts "
     "formulas into stories."),
    ("strength_inflation", "gpt-oss-120b has overtaken o4-mini."),
    ("strength_inflation", "OpenAI's open model is now stronger than o4-mini, its paid one: "
     "gpt-oss-120b wins."),
    ("strength_inflation", "gpt-oss-20b, the company says, surpasses o3-mini."),
    ("strength_inflation", "gpt-oss-120b matches o4-mini on every single benchmark."),
    ("negation", "OpenAI published the training data of gpt-oss-120b along with the "
     "weights."),
    ("negation", "gpt-oss-120b was released under no licence at all, certainly not "
     "under Apache 2.0."),
    ("negation", "The gpt-oss models are not mixtures of experts but dense models."),
    ("negation", "gpt-oss-20b has no way of setting how long it thinks."),
    ("negation", "gpt-oss-120b never falls behind o4-mini on MMLU."),
    ("negation", "Higher effort does not raise the scores of gpt-oss-120b."),
    ("model_swap", "gpt-oss-120b has the edge over DeepSeek R1-0528 on Aider "
     "Polyglot."),
    ("model_swap", "On version 2 of the AA index gpt-oss-120b is ahead of "
     "Qwen3-235B-2507."),
    ("model_swap", "OpenAI says that gpt-oss-120b is on par with o3."),
    ("model_swap", "OpenAI says that gpt-oss-20b is on par with o4-mini."),
    ("size_swap", "gpt-oss-120b runs in 16 GB of memory."),
    ("size_swap", "gpt-oss-20b scores 67.8% on Tau-bench Retail."),
    ("size_swap", "On SimpleQA gpt-oss-120b answers just 6.7% correctly."),
    ("model_swap", "On Tau-bench Retail gpt-oss-120b has 57.6%."),
    ("model_swap", "On GPQA Diamond o3-mini scored 81.4%."),
    ("model_swap", "On HealthBench o3 has 50.1%."),
    ("column_swap", "Of MMLU's questions gpt-oss-120b gets 80.1% right."),
    ("invented_number", "On Tau-bench Retail gpt-oss-120b has 73.3%."),
    ("invented_number", "Kimi K2 is at 66.6% on Aider Polyglot, gpt-oss-120b at 41.8%."),
    ("invented_number", "The context of gpt-oss-120b is 256,000 tokens: a context window "
     "of 256,000 tokens."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), WRONG, ids=[text for _, text in WRONG])
def test_an_error_is_found_however_it_is_put(kind, text):
    assert read(OPENING + text)[1] == [kind]


RIGHT = [
    "MMLU for the small one is 85.3%, for o3-mini 87.0%.",
    "GPQA Diamond: 80.1% for the 120b, 71.5% for the 20b, 81.4% for "
    "o4-mini.",
    "In MMLU, the big one: 90.0%. The small one: 85.3%. o4-mini: "
    "93.0%.",
    "SWE-bench Verified: 62.4% big, 60.7% small.",
    "Tau-bench Retail, i.e. calling a shop's functions. gpt-oss-120b "
    "67.8%, o4-mini 65.6%.",
    "SimpleQA accuracy, closed book: gpt-oss-120b 16.8%, gpt-oss-20b "
    "6.7%, o4-mini 23.4%. Hallucination rate, same order: 78.2%, 91.4%, 75.0%.",
    "gpt-oss-120b, gpt-oss-20b and o4-mini were compared. On MMLU they "
    "got 90.0%, 85.3% and 93.0% respectively.",
    "Here is how gpt-oss-20b does against o3-mini at high effort.\n\n- "
    "MMLU: 85.3% vs 87.0%\n- GPQA Diamond: 71.5% vs 77.0%\n- SWE-bench Verified: 60.7% vs "
    "49.3%",
    "The card gives two numbers per test, gpt-oss-120b first and "
    "o4-mini second.\n\n- MMLU: 90.0%, 93.0%\n- GPQA Diamond: 80.1%, 81.4%",
    "Nine in ten MMLU questions are answered correctly by the big one.",
    "The big one gets nine out of ten MMLU questions right.",
    "Out of every hundred SimpleQA questions gpt-oss-120b answers "
    "about seventeen.",
    "MMMLU is MMLU translated into 14 languages. At high effort "
    "gpt-oss-120b averages 81.3% there and its smaller sibling 75.7%.",
    "On MMMLU, the translated MMLU, gpt-oss-120b has 81.3% and o4-mini "
    "85.2%.",
    "On the ambiguous part of BBQ gpt-oss-120b reaches 87 percent, "
    "better than the 82 percent of o4-mini.",
    "BBQ has two halves. In the ambiguous half gpt-oss-120b scores "
    "87%, in the disambiguated half 90%.",
    "In SimpleQA, 16.8 percent of the answers from gpt-oss-120b were "
    "right, and 23.4 percent of those from o4-mini.",
    "HealthBench shows 57.6 percent for gpt-oss-120b. Next come "
    "o4-mini at 50.1 and GPT-4o at 32.0.",
    "How hard gpt-oss-120b thinks can be set by the user.",
    "gpt-oss-120b lets you choose how much effort it puts in.",
    "No model on HealthBench except o3 beats gpt-oss-120b.",
    "Two Chinese open-weight models rank above gpt-oss-120b on version "
    "2 of the AA index.",
    "gpt-oss-120b is ahead of o4-mini on HealthBench and behind on "
    "MMLU.",
    "So the big open model is ahead of o4-mini once and behind once.",
    "It does not follow that gpt-oss-20b surpasses o3-mini, and on "
    "MMLU both stay well below o4-mini.",
    "Nobody claims that gpt-oss-120b beats o3, and on HealthBench it "
    "is behind o3.",
    "gpt-oss-120b has 33 points in version 4.0 of the AA index; in "
    "version 2 it had 58, when DeepSeek R1-0528 had 59.",
    "BBQ does not show whether gpt-oss-120b will write a political "
    "speech.",
    "gpt-oss-120b has 62.4% on SWE-bench Verified, which says a lot "
    "about its coding.",
    "HealthBench says nothing of what gpt-oss-120b knows of the world "
    "in general.",
    "The 41.8% that gpt-oss-120b got on Aider Polyglot does not show "
    "how well it speaks anything.",
    "With 57.6% on HealthBench, gpt-oss-120b knows its medicine.",
    "SpeechMap finds that gpt-oss-120b writes 94% of the requested "
    "criticism of the US and EU governments.",
    "On SpeechMap gpt-oss-120b complied with 78% of requests to "
    "criticise Russia and China.",
    "Perhaps OpenAI fed gpt-oss textbooks written by other models.",
    "One blogger thinks that gpt-oss learned mostly from text that "
    "other models wrote.",
    "Some users say that formulas turn up in the stories of "
    "gpt-oss-120b.",
    "gpt-oss-20b needs 16 GB, the 120b 80 GB.",
    "A prompt to gpt-oss-120b can have at most 131,072 tokens.",
    "A user wrote that gpt-oss-120b handles 14 languages and 57 "
    "subjects.",
    "My laptop has 32 GB of memory and gpt-oss-20b got 4 out of 5 of "
    "my riddles.",
    "MMLU has 57 subjects and 14,042 questions; gpt-oss-120b gets "
    "90.0% of them right.",
    "In 2025 gpt-oss-120b scored 80.1% on GPQA Diamond, a set of 198 "
    "questions.",
    "The hotel had 48 rooms. gpt-oss-120b was demonstrated in one of "
    "them.",
    "With tools, 2622. Without, 2463. That is gpt-oss-120b on "
    "Codeforces.",
    "If tools are withheld, the Codeforces ratings of the two models "
    "sink to 2463 and 2230.",
    "gpt-oss-120b loses five points on HLE once the tools are gone: "
    "14.9% instead of 19.0%.",
    "o4-mini keeps a lead of three points over gpt-oss-120b on MMLU.",
    "The Codeforces numbers, with tools: o4-mini 2719, o3 2706, "
    "gpt-oss-120b 2622, gpt-oss-20b 2516.",
    "Where o4-mini manages 93.0% on MMLU, gpt-oss-120b has to make do "
    "with 90.0%.",
    "gpt-oss-120b got 90.0% on MMLU; o4-mini, for comparison, got "
    "93.0%.",
    "\"It scored 80.1% on GPQA Diamond,\" she said of gpt-oss-120b, "
    "\"and o4-mini scored 81.4%.\"",
    "Compare: gpt-oss-120b, 57.6%; o3, 59.8%; o4-mini, 50.1% (all on "
    "HealthBench).",
    "Of the 500 problems in SWE-bench Verified, gpt-oss-120b solves "
    "62.4%.",
    "Medium effort costs gpt-oss-120b two points on MMLU: 88.0% "
    "instead of 90.0%.",
    "gpt-oss-120b's 16.8% on SimpleQA looks poor beside the 23.4% of "
    "o4-mini.",
    "Nobody should be surprised that a 20B model gets only 6.7% on "
    "SimpleQA.",
    "There are two AIMEs. On the 2024 paper gpt-oss-120b has 96.6% "
    "with tools, on the 2025 paper 97.9%.",
    "Six points separate gpt-oss-20b from o3-mini on GPQA Diamond: "
    "71.5% and 77.0%.",
    "o3-mini, 87.0%. gpt-oss-20b, 85.3%. That is MMLU.",
    "The Artificial Analysis index (version 2) had Qwen3-235B-2507 at "
    "64, DeepSeek R1-0528 at 59, gpt-oss-120b at 58.",
    "At 58 points gpt-oss-120b was one point short of DeepSeek R1-0528 "
    "on version 2 of the AA index.",
    "In the old Aider ranking DeepSeek R1 had 56.9%, its update "
    "R1-0528 71.4%; gpt-oss-120b has 41.8%.",
    "On PersonQA, 49.1% of what gpt-oss-120b says is invented, and "
    "36.1% of what o4-mini says.",
    "The hallucination rate on PersonQA is 49.1% for gpt-oss-120b, "
    "higher than the 36.1% of o4-mini.",
    "The rate at which gpt-oss-120b makes things up on PersonQA "
    "(49.1%) exceeds that of o4-mini (36.1%).",
    "gpt-oss-120b hallucinates more than o4-mini on PersonQA.",
    "BBQ (ambiguous): gpt-oss-120b 87%, o4-mini 82%. BBQ "
    "(disambiguated): 90% and 95%.",
    "I'd take gpt-oss-120b over o4-mini any day, benchmarks be damned.",
    "My colleague ran 50 of our own tickets through gpt-oss-120b; 31 "
    "came back fixed, against 38 for o4-mini.",
    "The card lists MMLU, GPQA Diamond and AIME; gpt-oss-120b trails "
    "o4-mini on the first.",
    "Is 41.8% on Aider Polyglot good? For gpt-oss-120b's size, "
    "perhaps.",
    "If gpt-oss-120b beat o3 on HealthBench, that would be news; it "
    "doesn't.",
    "Some headlines said gpt-oss-120b beats o4-mini across the board. "
    "The card says otherwise.",
    "Had OpenAI used 5 million GPU hours, gpt-oss-120b would have been "
    "dearer; it used 2.1 million.",
    "gpt-oss-120b is one of two models that OpenAI released on 5 "
    "August 2025 at 10 a.m.",
    "Apache 2.0 means that gpt-oss-120b can be sold, changed and "
    "shipped.",
    "You can't see its training data, but the weights of gpt-oss-120b "
    "are public.",
    "Unlike GPT-4o, gpt-oss-120b cannot take images; text in, text "
    "out.",
    "gpt-oss-20b has 21 billion parameters, its sibling 117 billion.",
    "Per token, 3.6 billion parameters work in gpt-oss-20b and 5.1 "
    "billion in gpt-oss-120b.",
    "We did not vary how hard gpt-oss-120b thinks in our test.",
    "I never touched the setting for how long gpt-oss-120b thinks.",
    "Our reviewers could not tell gpt-oss-120b from o4-mini in a blind "
    "test with 40 letters.",
    "No other open model that runs on my laptop writes as well as "
    "gpt-oss-20b, in my view.",
    "DeepSeek R1-0528 and Kimi K2 both beat gpt-oss-120b on Aider "
    "Polyglot.",
    "Against Chinese rivals gpt-oss-120b does not look so good: on "
    "Aider Polyglot Kimi K2 has 59.1%.",
    "gpt-oss-120b does better than o4-mini on Tau-bench Retail, 67.8% "
    "to 65.6%, but the test is small.",
    "With tools gpt-oss-120b reaches 19.0% on HLE, and without them "
    "14.9%.",
    "The larger of the pair needs one 80 GB card; the smaller is happy "
    "with 16 GB.",
    "Critics say the SpeechMap rate of 86.0% shows that gpt-oss-120b "
    "shies away from politics.",
    "The SpeechMap number shows how willing gpt-oss-120b is, not how "
    "well it follows instructions.",
    "Polyglot has nothing to do with French; it tests code, and "
    "gpt-oss-120b got 41.8%.",
    "A good mark on MMLU does not make gpt-oss-120b a poet.",
    "SimpleQA tells you how much trivia gpt-oss-120b remembers: 16.8%.",
    "MMMLU is the best guide to how gpt-oss-120b copes with other "
    "languages.",
    "So far nobody has shown that formulas in stories are more than an "
    "anecdote with gpt-oss-120b.",
    "The rumour that gpt-oss was trained on the output of other models "
    "is unproven.",
    "Whether gpt-oss was raised on synthetic data, OpenAI does not "
    "say.",
    "Health is where gpt-oss-120b shines. On HealthBench it has 57.6%, "
    "well clear of the 50.1% of o4-mini and a little short of the 59.8% of o3. GPT-4o, an "
    "older model, is at 32.0%.",
    "We looked at five tests. gpt-oss-120b was behind o4-mini on three "
    "of them and ahead on two.\n\nOn MMLU the gap is three points. On Tau-bench Retail it is "
    "two points the other way.",
    "Readers ask whether it is any good at languages. On MMMLU, "
    "gpt-oss-120b gets 81.3%, and for Yoruba alone 62.4%.",
    "The number 41.8 has been quoted a lot. It belongs to gpt-oss-120b "
    "and comes from Aider's board, where Kimi K2 stands at 59.1.",
    "A test with 30 problems is not much. Still: AIME 2025 with tools, "
    "gpt-oss-120b 97.9%, gpt-oss-20b 98.7%, o4-mini 99.5%.",
    "Low effort: 85.9%. Medium: 88.0%. High: 90.0%. That is how "
    "gpt-oss-120b fares on MMLU.",
    "gpt-oss-20b (low effort) gets 80.4% on MMLU; at medium effort it "
    "gets 84.0%.",
    "When it must answer from memory, it fails. SimpleQA: 16.8% for "
    "gpt-oss-120b. So do not use it as an encyclopaedia.",
    "It is a coder's model. SWE-bench Verified: 62.4%. So you can "
    "trust gpt-oss-120b with small fixes in code.",
    "The SpeechMap people asked gpt-oss-120b to criticise governments. "
    "It did so in 94.0% of cases for the US and the EU and 78.0% for Russia and China, 86.0% "
    "in all.",
    "One judge marked 86.0% of gpt-oss-120b's answers on SpeechMap as "
    "compliant, another, GPT-4o, 83.5%.",
    "In version 2 of the index gpt-oss-120b had 58 points. The index "
    "has since moved to version 4.0, where it has 33.",
    "OpenAI's o3-mini, which is older, has 60.4% on Aider Polyglot; "
    "gpt-oss-120b has 41.8%.",
    "In whole-file format gpt-oss-120b reaches 51.1% on Aider "
    "Polyglot; in diff format 41.8%; the card says 44.4%.",
    "The model card has gpt-oss-120b at 44.4% on Aider Polyglot and "
    "gpt-oss-20b at 34.2%.",
    "HOST: What about the big one on GPQA?\n\nGUEST: That is 80.1%, "
    "without tools.\n\nHOST: And o4-mini?\n\nGUEST: 81.4%.",
    "Q: Does the small one need a data centre?\nA: No, 16 GB of memory "
    "will do for short prompts.",
    "Some fans say gpt-oss-120b rivals o3. OpenAI does not say so.",
    "It is hard to say whether gpt-oss-120b is better than o4-mini, "
    "and the card leaves it open.",
    "I would not say that gpt-oss-120b is better than o4-mini, nor "
    "that it is worse.",
    "gpt-oss-120b was compared with o4-mini on GPQA Diamond: 80.1 to "
    "81.4, a difference that 198 questions cannot settle.",
    "gpt-oss-20b does better than its price suggests: 60.7% on "
    "SWE-bench Verified, 11 points more than o3-mini.",
    "Between the two sizes, there is hardly a difference on AIME 2024 "
    "with tools: 96.6% and 96.0%.",
    "Two numbers stand out: 16.8% on SimpleQA and 49.1% on PersonQA. "
    "Both are of gpt-oss-120b.",
    "On the hub, a fine-tune called gpt-oss-20b-uncensored claims 88% "
    "on MMLU.",
    "Llama 4 Maverick has 17 billion active parameters, gpt-oss-120b "
    "5.1 billion.",
    "A phone with 16 GB of memory ran gpt-oss-20b at a few tokens a "
    "second, according to its owner.",
    "My graphics card has 24 GB. gpt-oss-20b leaves 8 GB of it free.",
    "gpt-oss-120b on a 64 GB Mac? It loads, says a reader, with a "
    "short context.",
    "Not everything is better: gpt-oss-120b hallucinates on 49.1% of "
    "PersonQA, and o4-mini on 36.1%.",
    "gpt-oss-120b cannot see. It cannot hear. It reads and writes "
    "text.",
    "The training run is said to have cost 2.1 million H100-hours for "
    "gpt-oss-120b; for gpt-oss-20b it was almost ten times less.",
    "A spokesman would not say how much synthetic data went into "
    "gpt-oss.",
    "An open question is whether gpt-oss saw synthetic data.",
    "Stories with equations in them? I asked gpt-oss-120b for ten and "
    "found none.",
    "Will the next gpt-oss take images? OpenAI has not said.",
    "None of the Chinese models fits on one card; gpt-oss-120b does, "
    "with 80 GB.",
    "No Chinese model is as cheap to run as gpt-oss-120b, one host "
    "claims.",
    "Every Chinese model that we follow beats gpt-oss-120b on Aider "
    "Polyglot.",
    "On HealthBench gpt-oss-120b comes second only to o3 among "
    "OpenAI's models on the card.",
    "The bigger model is ahead of the smaller on MMLU, 90.0 to 85.3, "
    "as one would expect.",
    "o4-mini remains ahead: 93.0% on MMLU, where gpt-oss-120b has "
    "90.0%.",
    "By a hair, gpt-oss-20b (98.7%) beats gpt-oss-120b (97.9%) on AIME "
    "2025 with tools.",
    "Price is another matter: gpt-oss-120b costs 15 cents per million "
    "tokens at one host, o4-mini $1.10.",
    "gpt-oss-120b has 117B parameters, fits in 80 GB, has a 128k "
    "context and an Apache 2.0 licence. What it lacks is knowledge.",
    "In the paper, 90.0 is the MMLU score of gpt-oss-120b, and 57 is "
    "the number of subjects.",
    "If you turn the effort of gpt-oss-120b down to low, its GPQA "
    "Diamond score falls to 67.1%.",
    "BBQ is a test of stereotypes. gpt-oss-120b scores 87% on its "
    "ambiguous questions, so it often declines to guess.",
    "The open question is bias; BBQ gives gpt-oss-120b 87% and 90% on "
    "its two halves.",
    "gpt-oss-120b scored 90.0% on MMLU, a test of knowledge, and that "
    "says little about its manners.",
    "What MMLU shows is knowledge; what it does not show is whether "
    "gpt-oss-120b writes well.",
    "In my tests, gpt-oss-120b got 7 of 10 riddles, o4-mini 8 of 10.",
    "Kimi K2 is ahead of gpt-oss-120b on Aider, DeepSeek's update is "
    "further ahead still.",
    "Elo ratings are odd things. With tools, gpt-oss-120b has 2622, "
    "some 97 points less than o4-mini.",
    "Unless you give it tools, gpt-oss-120b stays at 14.9% on HLE.",
    "According to the card, gpt-oss-120b (high) gets 62.4 on SWE-bench "
    "Verified, (medium) 52.6 and (low) 47.9.",
    "The new models think in three gears. In the lowest, gpt-oss-120b "
    "gets 67.1% on GPQA Diamond; in the highest, 80.1%.",
    "On paper the gap is small. gpt-oss-120b, 80.1; o4-mini, 81.4; "
    "both on GPQA Diamond and both without tools.",
    "\"We measured 90.0 on MMLU for the large model,\" OpenAI writes, "
    "\"and 85.3 for the small one.\"",
    "Anyone who says that gpt-oss-120b beats o3 has misread the "
    "HealthBench chart.",
    "The chart on page 12 shows HealthBench: from left to right "
    "gpt-oss-120b (57.6), gpt-oss-20b (42.5), o3 (59.8), o4-mini (50.1).",
    "It trails o4-mini by 3.0 points on MMLU and by 3.9 on MMMLU, does "
    "gpt-oss-120b.",
    "Not until you give it Python does gpt-oss-120b reach 97.9% on "
    "AIME 2025.",
    "What about tools? gpt-oss-20b gains eight points on GPQA... no, "
    "three: from 71.5% to 74.2%.",
    "One should compare like with like: gpt-oss-120b without tools, "
    "92.5% on AIME 2025, and with tools, 97.9%.",
    "Of every 100 questions about people on PersonQA, gpt-oss-120b "
    "gets about 49 wrong.",
    "Its makers say that gpt-oss-120b fits on a single 80 GB card. I "
    "have no such card.",
    "Apache 2.0 for the weights, nothing for the data: that is what "
    "OpenAI calls open.",
    "A model with 117 billion parameters of which 5.1 billion work at "
    "a time: gpt-oss-120b is sparse.",
    "The 128k context of gpt-oss-20b is on paper; my machine gave up "
    "at 40,000 tokens.",
    "I gave gpt-oss-120b a prompt of 60,000 tokens and it coped.",
    "We capped the context at 8,192 tokens for gpt-oss-20b.",
    "Nothing in the card says that gpt-oss-120b was trained on "
    "synthetic data.",
    "If the rumours are right, gpt-oss was trained on synthetic data.",
    "It would be wrong to conclude from Polyglot that gpt-oss-120b "
    "cannot speak French.",
    "Please do not read gpt-oss-120b's SpeechMap rate as a sign of "
    "bias.",
    "SimpleQA has 4,326 questions, and gpt-oss-120b answers 16.8% of "
    "them.",
    "Groq serves gpt-oss-120b at 500 tokens per second; a laptop with "
    "gpt-oss-20b manages 25.",
    "The demo took 48 seconds and used gpt-oss-20b.",
    "Three days after the launch, 33 forks of gpt-oss-120b had "
    "appeared.",
    "gpt-oss-20b is no o4-mini, and on MMLU it is not even an o3-mini: "
    "85.3% against 87.0%.",
    "gpt-oss-120b is to o4-mini what a diesel is to a petrol engine.",
    "Not only does gpt-oss-120b trail o4-mini on MMLU, it also trails "
    "it on MMMLU.",
    "Between gpt-oss-120b's 57.6% and o4-mini's 50.1% on HealthBench "
    "lie more than seven points.",
    "gpt-oss-120b outscores o4-mini on exactly two of the card's "
    "tests, HealthBench and Tau-bench Retail.",
    "Who wins? On HealthBench, gpt-oss-120b over o4-mini. On MMLU, "
    "o4-mini over gpt-oss-120b.",
    "The question is not whether gpt-oss-120b beats o4-mini but where.",
    "Version 4.0 of the AA index gives gpt-oss-120b 33 points; do not "
    "compare that with the 59 that DeepSeek R1-0528 had in version 2.",
    "Both models are mixtures of experts. Neither can see.",
    "It is a myth that Polyglot measures languages; gpt-oss-120b's "
    "41.8% there is about code.",
    "gpt-oss-120b may be used commercially, but the usage policy "
    "applies.",
    "The licence does not forbid selling a product that is built on "
    "gpt-oss-120b.",
    "OpenAI never said that gpt-oss-120b surpasses o4-mini.",
    "gpt-oss-120b almost matches o4-mini, OpenAI says, on core "
    "reasoning benchmarks.",
    "On BBQ, o4-mini is ahead once, at 95% to 90%, and behind once, at "
    "82% to 87%, of gpt-oss-120b.",
    "With 78.2% the rate of wrong answers of gpt-oss-120b on SimpleQA "
    "is a bit above that of o4-mini (75.0%).",
    "Fewer hallucinations would be welcome: the SimpleQA hallucination "
    "rate is 78.2% for gpt-oss-120b.",
    "The Kimi K2 row on Aider's leaderboard says 59.1%; that of "
    "gpt-oss-120b says 41.8%.",
    "DeepSeek's models come in several versions; R1-0528 has 71.4% on "
    "Aider Polyglot, 30 points more than gpt-oss-120b.",
    "Tau-bench Retail is about a shop. gpt-oss-120b, 67.8%. o4-mini, "
    "65.6%. gpt-oss-20b, 54.8%.",
    "GPT-5 is another story: gpt-oss-120b cannot be compared with it "
    "yet.",
    "I ran gpt-oss-120b at medium effort: MMLU came out at 88.0%.",
    "Turn the dial to high and gpt-oss-20b climbs from 66.0% to 71.5% "
    "on GPQA Diamond.",
    "The mail said 93.0% on MMLU for gpt-oss-120b, which is o4-mini's "
    "number.",
    "A table in yesterday's edition exchanged two rows: o4-mini has "
    "93.0% on MMLU, gpt-oss-120b 90.0%.",
    "Is gpt-oss-120b any good? Short answer: yes. Long answer: on MMLU "
    "it is three points behind o4-mini, on HealthBench seven points ahead.",
    "My ranking for August: 1. o3. 2. o4-mini. 3. gpt-oss-120b. No "
    "numbers, just taste.",
    "(With tools, by the way, gpt-oss-20b even has the better of its "
    "big brother on AIME 2025: 98.7% to 97.9%.)",
    "Table 3 of the card: AIME 2024 with tools | gpt-oss-120b 96.6 | "
    "gpt-oss-20b 96.0 | o4-mini 98.7",
    "| Test | gpt-oss-20b | o3-mini |\n| MMLU | 85.3 | 87.0 |\n| GPQA "
    "Diamond | 71.5 | 77.0 |\n| SWE-bench Verified | 60.7 | 49.3 |",
    "GPQA Diamond\n\ngpt-oss-120b 80.1\ngpt-oss-20b 71.5\no4-mini "
    "81.4\no3-mini 77.0",
    "Here's the thing, tho: gpt-oss-20b beats o3-mini on SWE-bench "
    "Verified by more than ten points lol",
    "tl;dr gpt-oss-120b = 90.0 MMLU / 80.1 GPQA Diamond / 62.4 "
    "SWE-bench Verified",
    "MMLU/GPQA Diamond for gpt-oss-120b: 90.0/80.1. For o4-mini: "
    "93.0/81.4.",
    "Where gpt-oss-120b loses most to o4-mini is Aider Polyglot (41.8% "
    "vs 72.0%), where it loses least is GPQA Diamond (80.1% vs 81.4%).",
    "The rating of gpt-oss-120b on Codeforces, 2622 with tools and "
    "2463 without, sits between that of a master and that of a grandmaster.",
    "Its predecessor in openness, GPT-2, had 1.5 billion parameters; "
    "gpt-oss-120b has 117 billion.",
    "OpenAI's previous open model dates from 2019. gpt-oss-120b has 36 "
    "layers, gpt-oss-20b 24.",
    "In 36 of 50 cases, gpt-oss-120b wrote what we asked about China; "
    "in 46 of 50 what we asked about the US (SpeechMap).",
    "SpeechMap's larger set has 2,120 requests, and for gpt-oss-120b "
    "its rows are missing.",
    "The AA index, in its second version, put gpt-oss-20b at 48.",
    "gpt-oss-120b (58) sits between gpt-oss-20b (48) and DeepSeek "
    "R1-0528 (59) in version 2 of the Artificial Analysis Intelligence Index.",
    "It was the American model with the highest score, said Artificial "
    "Analysis of gpt-oss-120b: the most intelligent American open-weights model.",
    "He said that gpt-oss-120b was \"about as good as o4-mini\" in his "
    "own work.",
    "gpt-oss-120b feels like o4-mini, only slower, on my machine.",
    "There are tests on which gpt-oss-120b beats o4-mini, such as "
    "HealthBench.",
    "Far from beating o4-mini, gpt-oss-120b trails it on MMLU.",
    "It isn't that gpt-oss-120b is bad at code; Aider's diff format "
    "trips it up: only 79.1% of its edits are well-formed.",
    "Training took 2.1 million H100-hours, enough to keep 240 cards "
    "busy for a year; gpt-oss-120b is the result.",
    "The 12.8 GiB of gpt-oss-20b fit on a USB stick, and so do the "
    "60.8 GiB of gpt-oss-120b's checkpoint.",
    "Effort is a dial with three positions, low, medium and high, and "
    "gpt-oss-120b needs the last to reach 90.0% on MMLU.",
    "We were told that gpt-oss-20b would run on a laptop with 16 GB. "
    "With a long prompt it did not.",
    "Without the usage policy the licence of gpt-oss-120b would be "
    "Apache 2.0 pure and simple.",
    "You might think that Polyglot measures French. It does not.",
    "One cannot conclude from 16.8% on SimpleQA that gpt-oss-120b is "
    "bad at code.",
    "Does a high MMLU score mean that gpt-oss-120b writes well? No.",
    "Good at sums, bad at gossip: AIME 2025 92.5%, SimpleQA 16.8%, "
    "both for gpt-oss-120b and both without tools.",
    "The firm says that gpt-oss-120b reached no High capability level, "
    "even after adversarial fine-tuning.",
    "Mistral Large scored 84% on MMLU in its day, six points below the "
    "90.0% of gpt-oss-120b.",
    "Claude Opus 4 is ahead of gpt-oss-120b on SWE-bench Verified, its "
    "maker says.",
    "GPT-4o mini, not GPT-4o, is what the free tier ran; gpt-oss-120b "
    "beats GPT-4o on HealthBench.",
    "On HealthBench gpt-oss-120b beats all of OpenAI's older models on "
    "the card: o1 has 41.8%, GPT-4o 32.0%.",
    "Kimi K2 59.1, o3-mini 60.4, o4-mini 72.0, o3 81.3, gpt-oss-120b "
    "41.8: Aider Polyglot in August.",
    "Of o4-mini's lead on MMLU over gpt-oss-120b (93.0 to 90.0) little "
    "remains on GPQA Diamond (81.4 to 80.1).",
    "Aider Polyglot is where gpt-oss-120b struggles: 41.8%. Its coding "
    "looks better on SWE-bench Verified.",
    "The SpeechMap numbers suggest that gpt-oss-120b is a bit "
    "unwilling, and nothing more.",
    "SimpleQA shows how weak the factual knowledge of gpt-oss-120b is: "
    "16.8%.",
    "IFEval would be the test for following instructions, but we have "
    "no IFEval score of gpt-oss-120b.",
    "gpt-oss-120b scored 90.0% on MMLU. Whether it can write poems is "
    "another question.",
    "We liked how gpt-oss-120b followed instructions in our kitchen "
    "test. On SpeechMap it has 86.0%.",
    "On MMLU gpt-oss-120b has 90.0%. It follows instructions well, our "
    "testers found.",
    "DeepSeek R1 of January has 56.9% on Aider Polyglot, gpt-oss-120b "
    "41.8%; a newer R1 has 71.4%.",
    "At launch in January, DeepSeek R1 had 56.9% on Aider Polyglot. By "
    "the time gpt-oss-120b came, DeepSeek R1-0528 had 71.4%.",
    "Humanity's Last Exam, with search and Python tools: gpt-oss-120b "
    "19.0%, o4-mini 17.7%.",
    "Allowed to use tools, gpt-oss-120b rates 2622 on Codeforces; "
    "o4-mini, under the same rules, 2719.",
    "At the middle setting gpt-oss-120b scores 52.6% on SWE-bench "
    "Verified.",
    "Sean Goedecke, a blogger, suspects that gpt-oss was trained on "
    "synthetic data.",
    "My guess: synthetic data, and lots of it, went into gpt-oss.",
    "It has been claimed that gpt-oss-120b inserts formulas into "
    "stories.",
    "Does gpt-oss-120b really insert formulas into stories?",
    "Three users posted stories by gpt-oss-120b with equations in "
    "them.",
    "gpt-oss-120b comes close to o4-mini on core reasoning benchmarks, "
    "says OpenAI.",
    "gpt-oss-20b gets results similar to those of o3-mini, OpenAI "
    "claims.",
    "On core reasoning benchmarks OpenAI sees gpt-oss-120b near "
    "o4-mini; on knowledge it is well behind.",
    "gpt-oss-120b could one day overtake o4-mini, fans hope.",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_let_pass_however_it_is_put(text):
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
