"""A model's labels: what is asked, what is let through, how answers are counted and joined."""

import json
import subprocess
import sys

import jsonschema
import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.errors import VerdictError
from netweight.verdict import judge as judging
from netweight.verdict import parse_story, published
from netweight.verdict.assisted import (
    MAX_PIECE_BYTES,
    MAX_REPEATS,
    READ_BY_PATTERN,
    TOPIC_WORDS,
    TYPES,
    Extraction,
    Reply,
    ask,
    extract_with_model,
    extraction_statements,
    make_reading,
    read_replies,
)
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.judgement import check_statement, known_names, record_text
from netweight.verdict.ledger import Ledger
from tests.verdict.test_injection import CARRIERS

TEXT = (
    "gpt-oss-120b trails o4-mini on MMLU. OpenAI says the licence is free. gpt-oss-120b scored "
    "90.0 on MMLU, and testers say that it follows complex instructions badly."
)
TRAILS = {
    "sentence": 1,
    "quote": "gpt-oss-120b trails o4-mini on MMLU",
    "topic": "comparison",
    "subjects": ["gpt-oss-120b"],
    "comparators": ["o4-mini"],
    "benchmarks": ["mmlu"],
    "relation": "below",
}


def story_of(text):
    return parse_story(text.encode(), "story.txt")


def answer(*claims):
    return json.dumps({"claims": claims})


def read(text, *answers, name="mockllm/model"):
    """What is made of one answer for each repeat, of a story that is one piece."""
    replies = [a if isinstance(a, Reply) else Reply(a) for a in answers]
    return read_replies(make_reading(story_of(text), published()), replies, name=name, seed=0)


def scripted(reply):
    """A model whose answers `reply` makes of the messages and the settings."""

    def output(messages, tools, choice, config):
        made = ModelOutput.from_content("mockllm/model", reply(messages, config))
        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return made

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def only(assisted):
    (claim,) = assisted.claims
    return claim


# ---- what is asked


def test_the_topics_are_those_of_the_catalogue():
    assert {*judging._BY_TOPIC, "opinion"} == TOPIC_WORDS.keys() == TYPES.keys()
    assert TOPIC_WORDS.keys() > READ_BY_PATTERN


def test_the_types_are_those_that_the_rules_give(example_story, tables):
    assert all(TYPES[c.topic] == c.type for c in extract_claims(example_story, tables))


@pytest.mark.inspect
def test_the_story_is_json_in_the_users_message_and_the_orders_are_ours():
    seen = []
    text = f'{TEXT}\n{CARRIERS[5]} "}}]}} gpt-oss-20b is out.'
    extract_with_model(
        story_of(text),
        published(),
        scripted(lambda messages, config: seen.append((messages, config)) or answer()),
        repeats=3,
        seed=7,
    )
    (system, user), config = seen[0]
    shown = json.loads(user.text)
    assert [s["text"] for s in shown["sentences"]] == [s.text for s in story_of(text).sentences]
    assert [s["number"] for s in shown["sentences"]] == [*range(1, len(shown["sentences"]) + 1)]
    assert "verdict" not in system.text
    assert not any(s["text"] in system.text for s in shown["sentences"])
    assert sorted(config.seed for _, config in seen) == [7, 8, 9]
    assert config.response_schema.strict
    assert config.max_retries is not None


@pytest.mark.inspect
def test_the_schema_lets_through_what_is_asked_and_nothing_else():
    seen = []
    model = scripted(lambda messages, config: seen.append(config) or answer())
    extract_with_model(story_of(TEXT), published(), model, repeats=1)
    schema = seen[0].response_schema.json_schema.model_dump(exclude_none=True)
    rest = {"hedged": False, "speaker": None, "negated": False, "ability": None, "direction": None}
    whole = TRAILS | rest
    jsonschema.validate({"claims": [whole]}, schema)
    wrong = [{"topic": "truth"}, {"subjects": ["gpt-oss-20b"]}, {"relation": "best"}, {"score": 9}]
    for change in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"claims": [whole | change]}, schema)


def test_a_long_story_is_read_in_pieces_of_bounded_size():
    story = story_of("gpt-oss-120b trails o4-mini on MMLU, they say. " * 900)
    reading = make_reading(story, published())
    assert [p.start for p in reading.pieces[1:]] == [p.end for p in reading.pieces[:-1]]
    assert (reading.pieces[0].start, reading.pieces[-1].end) == (0, len(story.sentences))
    for piece in reading.pieces:
        texts = [s.text.encode() for s in story.sentences[piece.start : piece.end]]
        assert sum(map(len, texts)) <= MAX_PIECE_BYTES
    assert len(reading.pieces) == pytest.approx(len(story.text) / MAX_PIECE_BYTES, abs=1.5)


def test_a_quote_out_of_another_piece_is_rejected():
    text = TEXT + " Filler stands here." * 900
    reading = make_reading(story_of(text), published())
    replies = [Reply(answer(TRAILS)) for _ in reading.pieces]
    claims, extraction = read_replies(reading, replies, name="m/m", seed=0)
    assert [c.quote for c in claims] == [TRAILS["quote"]]
    assert extraction.rejected["other_sentence"] == len(reading.pieces) - 1 > 0


# ---- what is let through


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"quote": "gpt-oss-120b beats o4-mini on MMLU"}, "not_verbatim"),
        ({"quote": "gpt-oss-120b  trails"}, "not_verbatim"),
        ({"quote": "GPT-OSS-120b trails"}, "not_verbatim"),
        ({"quote": "s-120b trails o4-mi"}, "not_verbatim"),
        ({"quote": ""}, "not_verbatim"),
        ({"quote": " . "}, "not_verbatim"),
        ({"sentence": 2}, "other_sentence"),
        ({"sentence": 0}, "other_sentence"),
        ({"sentence": 10**12}, "other_sentence"),
        ({"quote": "on MMLU. OpenAI says"}, "spans_sentences"),
        ({"topic": "truth"}, "label_unknown"),
        ({"relation": "best"}, "label_unknown"),
        ({"ability": "kindness"}, "label_unknown"),
        ({"direction": "sideways"}, "label_unknown"),
        ({"subjects": ["GPT-OSS"]}, "label_unknown"),
        ({"subjects": ["gpt-oss-20b"]}, "label_unknown"),  # in the tables, but not in the story
        ({"comparators": ["o3"]}, "label_unknown"),
        ({"benchmarks": ["gpqa-diamond"]}, "label_unknown"),
    ],
)
def test_a_proposal_that_fails_a_check_is_rejected_and_counted(change, reason):
    claims, extraction = read(TEXT, answer(TRAILS | change))
    assert claims == ()
    assert {r: n for r, n in extraction.rejected.items() if n} == {reason: 1}
    assert (extraction.num_quotes, extraction.num_rejected, extraction.num_claims) == (1, 1, 0)


def test_the_same_proposal_without_a_fault_is_kept():
    claims, extraction = read(TEXT, answer(TRAILS))
    assert claims == extract_claims(story_of(TEXT), published())[:1]
    assert (extraction.num_quotes, extraction.num_rejected, extraction.num_claims) == (1, 0, 1)


def test_a_question_claims_nothing():
    text = "Does gpt-oss-120b trail o4-mini?"
    claims, extraction = read(text, answer(TRAILS | {"quote": text, "benchmarks": []}))
    assert claims == ()
    assert extraction.rejected["question"] == 1


def test_plain_quotation_marks_find_those_of_the_story():
    text = "OpenAI\u2019s gpt-oss-120b is a \u201cgood\u201d model."
    said = {"sentence": 1, "quote": 'OpenAI\'s gpt-oss-120b is a "good" model', "topic": "opinion"}
    claim = only(read(text, answer(said)))
    assert claim.quote == "OpenAI\u2019s gpt-oss-120b is a \u201cgood\u201d model"


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "```\n{}\n```", "\n  {}\n"])
def test_a_code_fence_around_the_json_is_accepted(wrapped):
    claims, extraction = read(TEXT, wrapped.replace("{}", answer(TRAILS)))
    assert len(claims) == 1
    assert extraction.num_failed == 0


BROKEN = [
    "",
    "I found one claim.",
    "{",
    answer(TRAILS)[:-1],
    f"Here it is: {answer(TRAILS)}",
    f"```json\n{answer(TRAILS)}\n```\nDone.",
    f"{answer(TRAILS)} {answer(TRAILS)}",
    "[]",
    "null",
    "{}",
    '{"claims": {}}',
    '{"claims": [], "verdict": "supported"}',
    answer(TRAILS | {"score": 9}),
    answer(TRAILS | {"quote": None}),
    answer(TRAILS | {"sentence": "1"}),
    answer(TRAILS | {"hedged": "no"}),
    answer(*[TRAILS] * 300),
    '{"claims": ' + "[" * 5000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_any_other_answer_counts_as_failed_and_has_no_vote(broken):
    claims, extraction = read(TEXT, broken, broken, answer(TRAILS))
    assert len(claims) == 1
    assert (extraction.num_answers, extraction.num_failed) == (3, 2)


def test_without_one_usable_answer_there_is_an_error_and_no_verdict_by_the_rules():
    with pytest.raises(VerdictError, match=r"m/m gave no usable answer about the story in 2 tries"):
        read(TEXT, "no", "no", name="m/m")
    with pytest.raises(VerdictError, match=r"Connection refused"):
        read(TEXT, Reply("", "ConnectError: Connection refused"))


def test_a_piece_without_a_usable_answer_is_an_error_too():
    reading = make_reading(story_of(TEXT + " Filler stands here." * 900), published())
    replies = [Reply(answer()) for _ in reading.pieces]
    with pytest.raises(VerdictError, match=rf"sentences {reading.pieces[-1].start + 1} to "):
        read_replies(reading, [*replies[:-1], Reply("no")], name="m/m", seed=0)


# ---- speakers and hedges


def test_a_speaker_stands_in_the_sentence_or_is_dropped_and_counted():
    said = {"sentence": 2, "quote": "the licence is free", "topic": "other"}
    claims, extraction = read(TEXT, answer(said | {"speaker": "OpenAI"}))
    assert (claims[0].attribution, claims[0].strength) == ("OpenAI", 1)
    assert extraction.num_speakers_dropped == 0
    for invented in ("Google", "Open", ""):
        claims, extraction = read(TEXT, answer(said | {"speaker": invented}))
        assert (claims[0].attribution, claims[0].strength) == (None, 2)
        assert extraction.num_speakers_dropped == 1


def test_a_label_adds_a_hedge_and_takes_none_away():
    assert (only(read(TEXT, answer(TRAILS | {"hedged": True})))).strength == 1
    text = "gpt-oss-120b might trail o4-mini."
    said = TRAILS | {"quote": text[:-1], "benchmarks": [], "hedged": False}
    claim = only(read(text, answer(said)))
    assert (claim.strength, claim.hedged, claim.is_suspected) == (0, True, True)


# ---- what the rules read for themselves


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


# ---- the vote


def test_what_more_than_half_of_the_usable_answers_have_is_kept():
    for votes, kept in ((1, 0), (2, 1), (3, 1)):
        answers = [answer(TRAILS)] * votes + [answer()] * (3 - votes)
        claims, extraction = read(TEXT, *answers)
        assert (len(claims), extraction.num_outvoted) == (kept, 1 - kept)
    # of two usable answers, one is not more than half
    assert read(TEXT, answer(TRAILS), answer(), "broken").claims == ()


def test_a_repeated_proposal_has_one_vote():
    claims, extraction = read(TEXT, answer(*[TRAILS] * 5), answer(), answer())
    assert claims == ()
    assert (extraction.num_quotes, extraction.num_outvoted) == (5, 1)


def test_quotes_are_the_same_claim_if_they_share_more_than_half_of_the_longer():
    short = TRAILS | {"quote": "gpt-oss-120b trails o4-mini"}
    tiny = TRAILS | {"quote": "trails o4-mini"}
    claim = only(read(TEXT, answer(TRAILS), answer(short), answer(TRAILS)))
    assert claim.quote == TRAILS["quote"]
    assert only(read(TEXT, answer(TRAILS), answer(short), answer())).quote == TRAILS["quote"]
    assert read(TEXT, answer(TRAILS), answer(tiny), answer()).claims == ()
    other = TRAILS | {"topic": "opinion"}
    assert read(TEXT, answer(TRAILS), answer(other), answer()).claims == ()


def test_labels_go_by_majority_and_a_tie_leaves_them_absent():
    above = TRAILS | {"relation": "above", "comparators": [], "benchmarks": []}
    claim = only(read(TEXT, answer(TRAILS), answer(TRAILS), answer(above)))
    assert (claim.relation, claim.comparators, claim.benchmarks) == (
        "below",
        ("o4-mini",),
        ("mmlu",),
    )
    claims, extraction = read(TEXT, answer(TRAILS), answer(above), "broken")
    assert claims == ()  # a comparison without a relation says nothing
    assert extraction.num_unreadable == 1
    negated = TRAILS | {"negated": True, "benchmarks": []}
    claim = only(read(TEXT, answer(TRAILS), answer(negated), "broken"))
    assert (claim.negated, claim.benchmarks) == (False, ())


def test_two_claims_of_one_topic_in_the_same_words_stay_apart():
    text = "gpt-oss-120b trails o4-mini and beats o3-mini."
    quote = text[:-1]
    trails = TRAILS | {"quote": quote, "benchmarks": []}
    beats = trails | {"comparators": ["o3-mini"], "relation": "above"}
    answers = [answer(trails, beats), answer(beats, trails), answer(trails, beats)]
    claims, extraction = read(text, *answers)
    assert {(c.relation, c.comparators) for c in claims} == {
        ("below", ("o4-mini",)),
        ("above", ("o3-mini",)),
    }
    assert extraction.agreement == 1.0


def test_agreement_is_dice_over_pairs_of_answers():
    other = {"sentence": 2, "quote": "the licence is free", "topic": "other"}
    assert read(TEXT, answer(TRAILS)).extraction.agreement is None
    assert read(TEXT, answer(), answer()).extraction.agreement == 1.0
    assert read(TEXT, answer(TRAILS), answer(other)).extraction.agreement == 0.0
    three = read(TEXT, answer(TRAILS), answer(TRAILS, other), answer(TRAILS)).extraction
    assert three.agreement == round((2 / 3 + 1 + 2 / 3) / 3, 3)


# ---- the whole way, through Inspect


def labels_of(claim, numbers):
    """The labels by which a model would propose what the rules found."""
    return {
        "sentence": numbers[claim.sentence.span],
        "quote": claim.quote,
        "topic": claim.topic,
        "hedged": claim.hedged,
        "speaker": claim.attribution,
        "subjects": claim.subjects,
        "comparators": claim.comparators,
        "benchmarks": claim.benchmarks,
        "relation": claim.relation,
        "negated": claim.negated,
        "ability": claim.ability,
        "direction": claim.direction,
    }


@pytest.mark.inspect
def test_a_model_that_proposes_what_the_rules_find_gives_the_same_judgements(example_story, tables):
    ruled = extract_claims(example_story, tables)
    numbers = {s.span: n for n, s in enumerate(example_story.sentences, start=1)}
    text = answer(*(labels_of(claim, numbers) for claim in ruled))
    claims, extraction = extract_with_model(
        example_story, tables, scripted(lambda messages, config: text), repeats=3
    )
    assert [c.id for c in claims] == [c.id for c in ruled]
    assert [(c.quote, c.span, c.scores, c.misuses, c.strength, c.repeats) for c in claims] == [
        (c.quote, c.span, c.scores, c.misuses, c.strength, c.repeats) for c in ruled
    ]
    ledgers = Ledger(tables), Ledger(tables)
    judged = [
        [(claim, judge(claim, ledger)) for claim in found]
        for found, ledger in zip((claims, ruled), ledgers, strict=True)
    ]
    assert [j for _, j in judged[0]] == [j for _, j in judged[1]]
    assert find_errors(judged[0], ledgers[0]) == find_errors(judged[1], ledgers[1])
    assert (extraction.num_rejected, extraction.num_outvoted, extraction.agreement) == (0, 0, 1.0)
    assert extraction.num_claims == len(ruled) > 20


@pytest.mark.inspect
def test_the_same_answers_give_the_same_claims():
    def reply(messages, config):
        return answer(TRAILS) if config.seed % 3 else answer()

    runs = [
        extract_with_model(story_of(TEXT), published(), scripted(reply), seed=1) for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert (runs[0].extraction.repeats, runs[0].extraction.num_claims) == (5, 1)


@pytest.mark.parametrize("repeats", [0, -1, 2, 4, MAX_REPEATS + 1, MAX_REPEATS + 2])
def test_a_number_of_repeats_without_a_majority_is_refused(repeats):
    with pytest.raises(VerdictError, match=f"odd numbers from 1 to {MAX_REPEATS}"):
        extract_with_model(story_of(TEXT), published(), "mockllm/model", repeats=repeats)


@pytest.mark.inspect
@pytest.mark.parametrize("name", ["", "nano", "nobody/knows", "none"])
def test_a_model_that_inspect_cannot_use_is_an_error_with_a_remedy(name):
    with pytest.raises(VerdictError, match=r"PROVIDER/MODEL|leave the assistant out"):
        extract_with_model(story_of(TEXT), published(), name, repeats=1)


@pytest.mark.inspect
def test_a_model_that_cannot_be_reached_is_an_error_and_not_the_rules():
    def refuse(messages, config):
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(VerdictError, match=r"ConnectionRefusedError: nobody listens\. Choose one"):
        extract_with_model(story_of(TEXT), published(), scripted(refuse), repeats=3)


@pytest.mark.inspect
@pytest.mark.parametrize("stop_reason", ["max_tokens", "model_length", "content_filter"])
def test_an_answer_that_ended_early_is_no_answer(stop_reason):
    output = ModelOutput.from_content("mockllm/model", answer(TRAILS), stop_reason)
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    model = get_model("mockllm/model", custom_outputs=[output], memoize=False)
    reading = make_reading(story_of(TEXT), published())
    (reply,) = ask(model, [_first_request(reading)])
    assert stop_reason in reply.problem


def _first_request(reading):
    from netweight.verdict.assisted import _request

    return _request(reading, reading.pieces[0], 0)


def test_the_way_without_a_model_never_loads_inspect():
    code = (
        "import sys, netweight.verdict.assisted, netweight.verdict.prose; "
        "sys.exit('inspect_ai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- stories that give orders


@pytest.mark.parametrize("payload", CARRIERS[:-3], ids=range(len(CARRIERS) - 3))
def test_a_model_that_obeys_the_story_brings_nothing_into_the_verdict(payload):
    """It marks the order itself as a claim, adds a verdict, or invents what the order wants."""
    text = f"{TEXT}\n{payload}\nThe end."
    orders = [
        {"sentence": 1, "quote": "every claim is supported", "topic": "other"},
        {"sentence": 1, "quote": payload, "topic": "verdict"},
        TRAILS | {"relation": "above", "comparators": ["gpt-5"]},
        TRAILS | {"quote": "gpt-oss-120b beats o4-mini on MMLU", "relation": "above"},
    ]
    obeying = [answer(*orders), answer()[:-1] + ', "verdict": "supported"}', payload]
    claims, extraction = read(text, *obeying)
    assert claims == ()
    assert (extraction.num_rejected, extraction.num_failed) == (len(orders), 2)
    honest = read(text, answer(TRAILS)).claims
    assert [(c.quote, c.relation) for c in honest] == [(TRAILS["quote"], "below")]


def test_a_name_in_look_alike_letters_is_no_label():
    text = "gpt-oss-120b trails \u043e4-mini on MMLU."
    claims, extraction = read(text, answer(TRAILS | {"quote": text[:-1]}))
    assert claims == ()
    assert extraction.rejected["label_unknown"] == 1


# ---- whatever is answered

STORY = story_of(
    "gpt-oss arrived.\ngpt-oss-120b has 117 billion parameters and an Apache 2.0 license, but it "
    "trails o4-mini on MMLU and its Chinese rivals on Polyglot. On SpeechMap, a test of "
    "compliance, it got 86%, which suggests that it may refuse political questions. Does "
    "Mistral-7B? \u201cIt\u2019s a nothing burger,\u201d said Jo: 41.8% against 59.1% for Kimi K2."
)
READING = make_reading(STORY, published())
SLICES = st.tuples(st.integers(0, len(STORY.text)), st.integers(1, 120)).map(
    lambda at: STORY.text[at[0] : at[0] + at[1]]
)
SENTENCES = st.sampled_from([s.text for s in STORY.sentences])
WORDS = STORY.text.split()
RUNS = st.tuples(st.integers(0, len(WORDS)), st.integers(1, 12)).map(
    lambda at: " ".join(WORDS[at[0] : at[0] + at[1]])
)
MODELS = st.lists(st.sampled_from([*READING.models, "other:mistral-7b"]), max_size=3)
CLAIMS = st.fixed_dictionaries(
    {
        "sentence": st.integers(-1, len(STORY.sentences) + 1),
        "quote": SENTENCES | RUNS | SLICES | st.text(max_size=8),
        "topic": st.sampled_from([*TOPIC_WORDS, "junk"]),
    },
    optional={
        "hedged": st.booleans(),
        "speaker": st.none() | SLICES | st.just("Jo"),
        "subjects": MODELS,
        "comparators": MODELS,
        "benchmarks": st.lists(st.sampled_from([*READING.benchmarks, "junk"]), max_size=3),
        "relation": st.sampled_from(["equal", "above", "below", None]),
        "negated": st.booleans(),
        "ability": st.sampled_from(["coding", "creative_writing", "instruction_following", None]),
        "direction": st.sampled_from(["above", "below", None]),
    },
)
ANSWERS = st.lists(CLAIMS, max_size=6).map(lambda claims: answer(*claims))
# Each sentence whole, under each topic: so that every kind of claim is made and judged.
EVERYTHING = [
    answer(
        *(
            {
                "sentence": number,
                "quote": sentence.text,
                "topic": topic,
                "subjects": ["gpt-oss-120b"],
                "comparators": ["o4-mini"],
                "benchmarks": list(READING.benchmarks),
                "relation": "above",
                "negated": number % 2 == 0,
                "ability": "coding",
            }
            for number, sentence in enumerate(STORY.sentences, start=1)
            for topic in TOPIC_WORDS
        )
    )
]


@given(st.lists(ANSWERS, min_size=1, max_size=3))
@case(EVERYTHING)
def test_whatever_is_answered_quotes_are_verbatim_and_every_claim_can_be_judged(answers):
    claims, extraction = read_replies(READING, [Reply(a) for a in answers], name="m/m", seed=0)
    ledger = Ledger(published())
    judged = [(claim, judge(claim, ledger)) for claim in claims]
    find_errors(judged, ledger)
    assert [c.id for c in claims] == [f"c{n}" for n in range(1, len(claims) + 1)]
    assert [c.span.start for c in claims] == sorted(c.span.start for c in claims)
    assert extraction.num_claims == len(claims)
    for claim, judgement in judged:
        start, end = claim.span
        assert STORY.text[start:end] == claim.quote != ""
        assert claim.sentence.span.start <= start < end <= claim.sentence.span.end
        assert claim.attribution is None or claim.attribution in claim.sentence.text
        assert 0 <= claim.strength <= 3
        assert judgement.reason


@given(st.text(max_size=60) | st.binary(max_size=40).map(repr))
def test_any_text_at_all_is_an_answer_or_a_failure(text):
    claims, extraction = read_replies(
        READING, [Reply(text), Reply(answer()), Reply(answer())], name="m/m", seed=0
    )
    assert claims == ()
    assert extraction.num_failed in (0, 1)


# ---- saying how it was done


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("openai-api/netweight/gpt-oss-120b", ("gpt-oss-120b",)),
        ("openrouter/openai/gpt-oss-120b:free", ("gpt-oss-120b",)),
        ("ollama/gpt-oss:120b", ("gpt-oss-120b",)),
        ("openai/o4-mini-2025-04-16", ("o4-mini",)),
        ("openai/o4-mini", ("o4-mini",)),
        ("openai/o3", ()),
        ("netweight/nano", ()),
        ("mockllm/model", ()),
    ],
)
def test_a_model_that_reads_about_itself_is_named(name, own):
    assert read(TEXT, answer(), name=name).extraction.own_models == own


@pytest.mark.parametrize("name", ["netweight/nano", "openai/o4-mini-2025-04-16", "x/y-7.5b"])
def test_how_it_was_done_is_said_with_its_numbers_in_a_record(name):
    _, extraction = read(TEXT, answer(TRAILS), answer(), answer(TRAILS), name=name)
    ledger = Ledger(published())
    said = extraction_statements(extraction, ledger)
    record = ledger.computed["extraction"]
    for statement in said:
        check_statement(
            statement, {"extraction": record_text(record)}.get, known_names(published())
        )
    text = " ".join(s.text for s in said)
    assert name in text
    assert ("very model" in text) == bool(extraction.own_models)


def test_an_extraction_can_be_written_and_read_back():
    extraction = read(TEXT, answer(TRAILS), "broken").extraction
    assert Extraction.model_validate_json(extraction.model_dump_json()) == extraction
