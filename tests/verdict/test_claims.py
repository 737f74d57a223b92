import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims


def claims_of(text):
    return extract_claims(parse_story(text.encode(), "a.txt"), published())


def only(text):
    (claim,) = claims_of(text)
    return claim


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("gpt-oss-20b is licensed under the Apache 2.0 license.", "licence"),
        ("OpenAI's gpt-oss models are fully open source.", "open-source"),
        ("gpt-oss is OpenAI's first open-weight release since GPT-2.", "closed-before"),
        ("gpt-oss-120b has 117 billion parameters.", "size"),
        ("gpt-oss-20b runs in 16 GB of memory.", "memory"),
        ("gpt-oss-120b scored 90.0 on MMLU.", "score"),
        ("gpt-oss-120b trails o4-mini on MMLU.", "comparison"),
        ("In poems, gpt-oss-20b drops equations into the verse.", "maths-in-writing"),
        ("gpt-oss was trained mostly on synthetic data.", "synthetic-data"),
        ("gpt-oss-20b refuses politically sensitive questions.", "refusal"),
        ("gpt-oss-20b hallucinates about people.", "hallucination"),
        ("gpt-oss-120b is remarkably efficient.", "efficiency"),
        ("gpt-oss-120b struggles with creative writing.", "ability"),
        ("gpt-oss-120b struggles to follow instructions.", "instruction-following"),
        ("Frankly, gpt-oss-120b is a nothing burger.", "opinion"),
        ("gpt-oss-120b has been downloaded 5 million times.", "other"),
    ],
)
def test_each_kind_of_statement_is_recognised(text, topic):
    assert only(text).topic == topic


@pytest.mark.parametrize(
    "text",
    [
        "The committee met on Tuesday, and 45% of its members were absent.",
        "Does gpt-oss-120b match o4-mini?",
        "Rain is expected in the north.",
        "gpt-oss-120b was announced on a Tuesday.",
    ],
)
def test_what_claims_nothing_measurable_gives_no_claim(text):
    assert claims_of(text) == ()


def test_a_sentence_with_several_assertions_is_cut_between_them():
    text = (
        "gpt-oss-120b comes under the Apache 2.0 license, fits on one GPU with 80 GB of memory, "
        "and struggles with creative writing."
    )
    assert [(c.topic, c.quote) for c in claims_of(text)] == [
        ("licence", "gpt-oss-120b comes under the Apache 2.0 license"),
        ("memory", "fits on one GPU with 80 GB of memory"),
        ("ability", "struggles with creative writing"),
    ]


@pytest.mark.parametrize(
    ("text", "subjects", "relation", "comparators"),
    [
        ("gpt-oss-20b beats o3-mini.", ("gpt-oss-20b",), "above", ("o3-mini",)),
        ("gpt-oss-120b is on par with o4-mini.", ("gpt-oss-120b",), "equal", ("o4-mini",)),
        (
            "In tests gpt-oss-120b came in behind DeepSeek R1-0528 and Kimi K2.",
            ("gpt-oss-120b",),
            "below",
            ("deepseek-r1-0528", "kimi-k2"),
        ),
        ("Kimi K2 outperforms gpt-oss-120b.", ("kimi-k2",), "above", ("gpt-oss-120b",)),
        ("Mistral-7B beats gpt-oss-20b.", ("other:mistral-7b",), "above", ("gpt-oss-20b",)),
    ],
)
def test_a_comparison_has_its_sides(text, subjects, relation, comparators):
    claim = only(text)
    assert (claim.subjects, claim.relation, claim.comparators) == (subjects, relation, comparators)


def test_a_size_stands_for_a_model_only_in_a_story_about_it():
    about = claims_of("gpt-oss arrived.\nThe 120B model struggles with creative writing.")
    assert about[0].subjects == ("gpt-oss-120b",)
    other = claims_of("Llama 4 Scout arrived.\nThe 120B model struggles with creative writing.")
    assert other[0].subjects == ("other:llama 4 scout",)


def test_the_same_model_means_the_one_under_discussion():
    text = (
        "gpt-oss-120b is out. On Aider Polyglot the same model scored 41.8%, while Kimi K2 "
        "reached 59.1%."
    )
    first, second = claims_of(text)
    told = [(s.model, s.value) for claim in (first, second) for s in claim.scores]
    assert told == [("gpt-oss-120b", 41.8), ("kimi-k2", 59.1)]
    assert first.beside == second.beside == (*first.scores, *second.scores)


@pytest.mark.parametrize(
    ("text", "strength", "hedged"),
    [
        ("gpt-oss-120b might beat o4-mini.", 0, True),
        ("OpenAI says gpt-oss-120b trails o4-mini.", 1, True),
        ("gpt-oss-120b trails o4-mini.", 2, False),
        ("gpt-oss-120b surpasses o4-mini.", 3, False),
    ],
)
def test_strength_follows_the_words(text, strength, hedged):
    claim = only(text)
    assert (claim.strength, claim.hedged) == (strength, hedged)


def test_the_speaker_is_named_in_the_story_s_words():
    assert only("According to Artificial Analysis, gpt-oss-120b trails o3.").attribution == (
        "Artificial Analysis"
    )
    assert only("gpt-oss-120b trails o3.").attribution is None


def test_a_claim_said_twice_names_the_first():
    first, second = claims_of(
        "gpt-oss-120b has an Apache 2.0 license.\nAgain: gpt-oss-120b has an Apache 2.0 license."
    )
    assert (first.repeats, second.repeats) == (None, "c1")


@pytest.mark.parametrize(
    ("text", "misuses"),
    [
        (
            "A low Polyglot score suggests that gpt-oss-120b is biased.",
            {("aider-polyglot", "bias")},
        ),
        (
            "GPQA Diamond results prove that gpt-oss-20b writes great poetry.",
            {("gpqa-diamond", "creative_writing")},
        ),
        (
            "gpt-oss-120b got 41.8% on Aider Polyglot, a multilingual benchmark.",
            {("aider-polyglot", "multilingual")},
        ),
        (
            "SpeechMap measures how well gpt-oss-120b follows instructions.",
            {("speechmap", "instruction_following")},
        ),
        (
            "gpt-oss-120b did badly on SpeechMap. These results show that it cannot follow "
            "complex instructions.",
            {("speechmap", "instruction_following")},
        ),
    ],
)
def test_a_benchmark_used_for_the_wrong_thing_is_noticed(text, misuses):
    found = {(m.benchmark, m.ability) for claim in claims_of(text) for m in claim.misuses}
    assert found == misuses


@pytest.mark.parametrize(
    "text",
    [
        "IFEval shows that gpt-oss-120b struggles to follow instructions.",
        "Aider Polyglot shows that gpt-oss-120b is weak at coding.",
        "BBQ results suggest that gpt-oss-120b is biased.",
        "SpeechMap reports low compliance for gpt-oss-120b.",
        "gpt-oss-120b leads on GPQA, but critics say that its creative writing is weak.",
        "MMLU scores are high. Separately, users complain about creative writing of gpt-oss-120b.",
    ],
)
def test_a_benchmark_used_for_what_it_measures_is_left_alone(text):
    assert [m for claim in claims_of(text) for m in claim.misuses] == []


VOCABULARY = """gpt-oss-120b o4-mini the models MMLU SpeechMap 41.8% 120B and 20B parameters Apache
2.0 license but suggests , . ; \u2014 while beats bias following instructions may <b> \u201c \u2019
16 GB on synthetic data refuse political Harmony"""
WORDS = st.sampled_from([*VOCABULARY.split(), "\n"])


@given(st.lists(WORDS, max_size=60).map(" ".join))
def test_every_quote_is_verbatim_at_its_place(text):
    story = parse_story(("A story about gpt-oss. " + text).encode(), "a.txt")
    for claim in extract_claims(story, published()):
        assert story.text[claim.span.start : claim.span.end] == claim.quote != ""
        assert 0 <= claim.strength <= 3


def test_the_same_words_of_another_model_are_no_repetition():
    claims = claims_of(
        "gpt-oss-120b has an Apache 2.0 license. Llama 4 Scout has an Apache 2.0 license."
    )
    assert [c.repeats for c in claims] == [None, None]
