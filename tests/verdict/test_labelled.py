"""What labels become: claims whose numbers, hedges and misuses the rules read for themselves."""

import pytest

from netweight.verdict.claims import extract_claims
from netweight.verdict.labelled import READ_BY_PATTERN, TYPES
from netweight.verdict.marking import TOPIC_WORDS
from tests.verdict.answers import TEXT, TRAILS, answer, only, read


def test_every_topic_has_a_type():
    assert TOPIC_WORDS.keys() == TYPES.keys() > READ_BY_PATTERN


def test_the_types_are_those_that_the_rules_give(example_story, tables):
    assert all(TYPES[c.topic] == c.type for c in extract_claims(example_story, tables))


def test_a_label_adds_a_hedge_and_takes_none_away():
    assert (only(read(TEXT, answer(TRAILS | {"hedged": True})))).strength == 1
    text = "gpt-oss-120b might trail o4-mini."
    said = TRAILS | {"quote": text[:-1], "benchmarks": [], "hedged": False}
    claim = only(read(text, answer(said)))
    assert (claim.strength, claim.hedged, claim.is_suspected) == (0, True, True)


def test_the_numbers_of_a_score_are_read_by_the_rules():
    said = {"sentence": 3, "quote": "gpt-oss-120b scored 90.0 on MMLU", "topic": "score"}
    claim = only(read(TEXT, answer(said | {"subjects": ["gpt-oss-120b"]})))
    assert [(s.model, s.benchmark, s.value) for s in claim.scores] == [
        ("gpt-oss-120b", "mmlu", 90.0)
    ]
    assert claim.benchmarks == ("mmlu",)


def test_a_benchmark_that_only_the_label_knows_gives_a_score_its_table():
    text = "gpt-oss-120b was tried on MMLU.\nThe result came: gpt-oss-120b scored 90.0%."
    said = {"sentence": 2, "quote": "gpt-oss-120b scored 90.0%", "topic": "score"}
    (score,) = only(read(text, answer(said | {"benchmarks": ["mmlu"]}))).scores
    assert (score.benchmark, score.value) == ("mmlu", 90.0)
    assert read(text, answer(said)).claims == ()


@pytest.mark.parametrize(
    ("quote", "labels"),
    [
        ("testers say that it follows complex instructions badly", {"topic": "score"}),
        ("testers say that it follows complex instructions badly", {"topic": "licence"}),
        ("testers say that it follows complex instructions badly", {"topic": "context-length"}),
        ("testers say that it follows complex instructions badly", {"topic": "comparison"}),
        ("testers say that it follows complex instructions badly", {"topic": "ability"}),
        ("testers say that it follows complex instructions badly", {"topic": "compliance-score"}),
    ],
)
def test_a_topic_whose_words_the_quote_does_not_hold_is_counted_as_unreadable(quote, labels):
    claims, extraction = read(TEXT, answer({"sentence": 3, "quote": quote} | labels))
    assert claims == ()
    assert (extraction.num_rejected, extraction.num_unreadable) == (0, 1)


def test_labels_of_another_topic_are_left_out():
    said = TRAILS | {"topic": "opinion", "ability": "coding", "direction": "below"}
    claim = only(read(TEXT, answer(said | {"negated": True})))
    assert (claim.relation, claim.comparators, claim.benchmarks) == (None, (), ())
    assert (claim.ability, claim.direction, claim.negated) == (None, None, False)


def test_each_benchmark_of_a_compliance_score_is_a_claim():
    text = "SpeechMap and Polyglot, two tests of compliance, went badly for gpt-oss-120b."
    said = {
        "sentence": 1,
        "quote": "SpeechMap and Polyglot, two tests of compliance",
        "topic": "compliance-score",
        "subjects": ["gpt-oss-120b"],
    }
    claims, _ = read(text, answer(said | {"benchmarks": ["speechmap", "aider-polyglot"]}))
    assert [c.benchmarks for c in claims] == [("speechmap",), ("aider-polyglot",)]
    assert [[m.benchmark for m in c.misuses] for c in claims] == [[], ["aider-polyglot"]]


def test_a_misused_benchmark_is_noticed_by_the_rules_whatever_the_label():
    text = "A low Polyglot score suggests that gpt-oss-120b writes bad poetry."
    said = {"sentence": 1, "quote": text[:-1], "topic": "opinion", "subjects": ["gpt-oss-120b"]}
    claims, _ = read(text, answer(said))
    assert [c.topic for c in claims] == ["opinion", "ability"]
    assert {(m.benchmark, m.ability) for m in claims[1].misuses} == {
        ("aider-polyglot", "creative_writing")
    }
    assert claims[1].subjects == ("gpt-oss-120b",)


@pytest.mark.parametrize(
    ("text", "labels", "subjects", "comparators"),
    [
        (
            "Mistral-7B beats gpt-oss-20b.",
            {"comparators": ["gpt-oss-20b"]},
            ("other:mistral-7b",),
            ("gpt-oss-20b",),
        ),
        (
            "gpt-oss-20b beats Mistral-7B.",
            {"subjects": ["gpt-oss-20b"]},
            ("gpt-oss-20b",),
            ("other:mistral-7b",),
        ),
        (
            "gpt-oss-20b beats its Chinese rivals.",
            {"subjects": ["gpt-oss-20b"]},
            ("gpt-oss-20b",),
            ("group:chinese-open-weight",),
        ),
        ("Mistral-7B beats Llama 4 Scout.", {}, ("other:mistral-7b",), ("other:llama 4 scout",)),
    ],
)
def test_models_that_no_table_knows_keep_their_side(text, labels, subjects, comparators):
    said = {"sentence": 1, "quote": text[:-1], "topic": "comparison", "relation": "above"} | labels
    claim = only(read(text, answer(said)))
    assert (claim.subjects, claim.comparators) == (subjects, comparators)


def test_a_claim_said_twice_names_the_first():
    text = "gpt-oss-120b trails o4-mini on MMLU. Again: gpt-oss-120b trails o4-mini on MMLU."
    claims, _ = read(text, answer(TRAILS | {"sentence": 2}, TRAILS))
    assert [(c.id, c.repeats) for c in claims] == [("c1", None), ("c2", "c1")]
    assert claims[0].span < claims[1].span


def test_what_a_model_calls_other_is_linked_to_the_record_that_speaks_to_it():
    said = {"sentence": 1, "quote": "nobody has to pay for using it at work", "topic": "other"}
    claim = only(read(f"Of gpt-oss-120b {said['quote']}.", answer(said)))
    assert (claim.topic, claim.proposition, claim.negated) == ("proposition", "commercial", False)
    said = {"sentence": 1, "quote": "the weather was fine in May", "topic": "other"}
    claim = only(read(f"For gpt-oss-120b {said['quote']}.", answer(said)))
    assert (claim.topic, claim.proposition) == ("other", None)
