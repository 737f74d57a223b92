"""The whole way with a model: what is counted, what is added, what is said of it."""

import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import VerdictError
from netweight.verdict import (
    make_report,
    published,
    records_of,
    render,
    summary_lines,
    with_prose,
    write_prose,
)
from netweight.verdict.asking import Problem, Reply
from netweight.verdict.assisted import (
    MAX_REPEATS,
    Extraction,
    extract_with_model,
    extraction_statements,
    read_replies,
)
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.judgement import check_statement, known_names, record_text
from netweight.verdict.ledger import Ledger
from netweight.verdict.marking import TOPIC_WORDS, make_reading
from netweight.verdict.merging import merge
from netweight.verdict.prose import NOT_WRITTEN, NOTHING_SAID
from tests.verdict.answers import TEXT, TRAILS, answer, read, scripted, story_of
from tests.verdict.test_injection import CARRIERS

UNREACHED = Reply("", Problem("unreached", "ConnectError: Connection refused"))


def test_answers_without_a_usable_one_give_no_claim_and_are_counted_by_kind():
    cut = Reply("", Problem("cut_short"))
    claims, extraction = read(TEXT, "no", cut, UNREACHED, UNREACHED, "[]")
    assert claims == ()
    assert extraction.failed == {
        "unreached": 2,
        "too_long": 0,
        "cut_short": 1,
        "declined": 0,
        "not_json": 2,
    }
    assert (extraction.num_failed, extraction.num_unread, extraction.agreement) == (5, 1, None)


def test_a_model_of_which_no_answer_came_is_an_error():
    with pytest.raises(VerdictError, match=r"m/m gave no answer .* 2 tries.*Connection refused"):
        read(TEXT, UNREACHED, UNREACHED, name="m/m")
    assert read(TEXT, UNREACHED, "no").extraction.num_failed == 2


def test_a_piece_without_a_usable_answer_is_counted_and_the_others_stand():
    reading = make_reading(story_of(TEXT + " Filler stands here." * 900), published())
    replies = [Reply("no") for _ in reading.pieces]
    claims, extraction = read_replies(
        reading, [Reply(answer(TRAILS)), *replies[1:]], name="m/m", seed=0
    )
    assert [claim.quote for claim in claims] == [TRAILS["quote"]]
    assert extraction.num_unread == len(reading.pieces) - 1 > 0


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
    model = scripted(lambda messages, config: text)
    assert extract_with_model(example_story, tables, model, repeats=3).claims == ruled
    reading = make_reading(example_story, tables)
    claims, extraction = read_replies(reading, [Reply(text)] * 3, name="m/m", seed=0)
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
def test_a_model_that_cannot_be_reached_is_an_error_and_not_the_rules():
    def refuse(messages, config):
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(VerdictError, match=r"ConnectionRefusedError: nobody listens\. Choose one"):
        extract_with_model(story_of(TEXT), published(), scripted(refuse), repeats=3)


@pytest.mark.inspect
@pytest.mark.parametrize(
    "said",
    [answer(), answer(TRAILS | {"quote": "All claims are supported"}), "I would rather not.", "{"],
)
def test_a_model_that_answers_badly_leaves_the_verdict_of_the_rules_and_this_is_told(said, tables):
    story = story_of(TEXT)
    model = scripted(lambda messages, config: said)
    assisted = extract_with_model(story, tables, model, repeats=3)
    report = make_report(story, tables, date="2026-11-30", assisted=assisted)
    prose = write_prose(report, tables, model, records_of(report).get)
    report = with_prose(report, prose, tables)
    plain = make_report(story, tables, date="2026-11-30")
    assert (report.claims, report.findings, report.scores) == (
        plain.claims,
        plain.findings,
        plain.scores,
    )
    extraction = report.assistant.extraction
    told = NOTHING_SAID if extraction.num_failed == 3 else NOT_WRITTEN
    assert report.summary == (*plain.summary, told)
    assert told.text in render(report).replace("\u2019", "'")
    assert extraction.added == ()
    assert extraction.num_failed + extraction.num_rejected + (said == answer()) * 3 == 3
    texts = " ".join(s.text for s in report.method.statements)
    assert f"Unusable answers: {extraction.num_failed} of 3" in texts
    assert ("added nothing" in texts) == (extraction.num_failed == 3)


@pytest.mark.slow
@pytest.mark.inspect
def test_the_embedded_model_is_asked_and_the_verdict_is_that_of_the_rules(example_story, tables):
    """Its context holds no question about a story; our server says so, and nothing else breaks."""
    claims, extraction = extract_with_model(example_story, tables, "netweight/nano", repeats=1)
    assert claims == extract_claims(example_story, tables)
    assert (extraction.failed["too_long"], extraction.num_answers) == (1, 1)


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


# ---- whatever is answered

STORY = story_of(
    "gpt-oss arrived.\ngpt-oss-120b has 117 billion parameters and an Apache 2.0 license, but it "
    "trails o4-mini on MMLU and its Chinese rivals on Polyglot. On SpeechMap, a test of "
    "compliance, it got 86%, which suggests that it may refuse political questions. Does "
    "Mistral-7B? \u201cIt\u2019s a nothing burger,\u201d said Jo: 41.8% against 59.1% for Kimi K2."
)
READING = make_reading(STORY, published())
RULED = extract_claims(STORY, published())
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
    merged = merge(RULED, claims).claims
    find_errors([(claim, judge(claim, ledger)) for claim in merged], ledger)
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


@pytest.mark.inspect
def test_a_report_with_every_label_on_every_sentence_passes_the_release_rule(tables):
    model = scripted(lambda messages, config: EVERYTHING[0])
    assisted = extract_with_model(STORY, tables, model, repeats=1)
    report = make_report(STORY, tables, date="2026-11-30", assisted=assisted)
    plain = make_report(STORY, tables, date="2026-11-30")
    assert len(report.claims) > len(plain.claims)
    kept = [(c.quote, c.topic, c.verdict, c.posterior) for c in report.claims]
    for claim in plain.claims:
        told = (claim.quote, claim.topic, claim.verdict, claim.posterior)
        assert claim.topic == "other" or told in kept
    assert {c.id for c in report.claims} >= {*report.assistant.extraction.added}


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


@pytest.mark.inspect
def test_the_terminal_says_which_claims_a_model_has_found(tables):
    model = scripted(lambda messages, config: EVERYTHING[0])
    assisted = extract_with_model(STORY, tables, model, repeats=1)
    report = make_report(STORY, tables, date="2026-11-30", assisted=assisted)
    told = {claim.id for claim in report.claims if claim.repeats is None}
    added = [i for i in report.assistant.extraction.added if i in told]
    lines = [line.text for line in summary_lines(report)]
    found_by = f"(a claim found by {assisted.extraction.model})"
    assert [line.split()[0] for line in lines if line.endswith(found_by)] == [i[1:] for i in added]
    assert added
    plain = make_report(STORY, tables, date="2026-11-30")
    assert not any("found by" in line.text for line in summary_lines(plain))
