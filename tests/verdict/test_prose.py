"""A model's sentences for the top: which pass, which are replaced, and that nothing is lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.verdict import prose
from netweight.verdict.judgement import Statement, check_statement, known_names, record_text
from netweight.verdict.prose import (
    MAX_DATA_BYTES,
    MAX_SENTENCE_CHARACTERS,
    MAX_SENTENCES,
    NOT_WRITTEN,
    TRIES,
    Sentence,
    _checked,
    _material,
    _placed,
    verdicts_said,
    write_prose,
)
from tests.verdict.test_injection import CARRIERS

TEXT = (
    "gpt-oss-120b has an Apache 2.0 license. gpt-oss-120b outperforms o4-mini on MMLU. "
    "gpt-oss-120b scored 99.9% on MMLU. Low marks on Polyglot suggest that gpt-oss-120b is biased."
)


@pytest.fixture(scope="module")
def judged(judge_text):
    return judge_text(TEXT)


def lookup(report):
    """What records, benchmarks and claims say; of a claim what was judged, not its quote."""
    texts = {row.id: record_text(row) for row in (*report.evidence, *report.measured)}
    texts |= {f"benchmark:{row.id}": record_text(row) for row in report.benchmarks}
    for claim in report.claims:
        said = (*claim.reason, *claim.caveats, *claim.settles)
        texts[claim.id] = "\n".join(s.text for s in said)
    return texts.get


@pytest.fixture
def passes(judged, tables):
    def check(text, *cites):
        sentence = Sentence(text=text, cites=cites)
        return _checked(sentence, judged, tables, lookup(judged)) is not None

    return check


def scripted(*answers):
    """A model that gives these answers one after the other."""
    outputs = [ModelOutput.from_content("mockllm/model", text) for text in answers]
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return get_model("mockllm/model", custom_outputs=outputs, memoize=False)


def answer(*sentences):
    return json.dumps({"sentences": [{"text": t, "cites": list(c)} for t, c in sentences]})


LICENCE = ("The claim about the licence is supported.", ("c1",))
PARITY = ("That gpt-oss-120b outperforms o4-mini on MMLU is contradicted.", ("c2",))


def test_the_claims_of_this_test_are_judged_as_it_needs_them(judged):
    assert [c.verdict for c in judged.claims[:3]] == ["supported", "contradicted", "contradicted"]


# ---- what passes and what does not


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        LICENCE,
        PARITY,
        ("That gpt-oss-120b is measurably behind o4-mini is why the claim is wrong.", ("c2",)),
        ("The score is contradicted: published is 90.", ("c3",)),
        ("Published for gpt-oss-120b on MMLU: 90.", ("card-mmlu-gpt-oss-120b",)),
        ("Some of the claims are contradicted.", ("c2", "c3")),
        ("Aider Polyglot measures code editing.", ("benchmark:aider-polyglot",)),
    ],
)
def test_a_sentence_that_says_what_its_citations_say_passes(passes, text, cites):
    assert passes(text, *cites)


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        # citations
        (LICENCE[0], ()),
        (LICENCE[0], ("c99",)),
        (LICENCE[0], ("c1", "no-such-record")),
        # numbers: not cited, or only in the story's own words
        ("The score is contradicted: published is 91.", ("c3",)),
        ("The score of 99.9 is contradicted.", ("c3",)),
        ("The claim about the licence, one of seven, is supported.", ("c1",)),
        # models
        ("That gpt-oss-120b outperforms o3 on MMLU is contradicted.", ("c2",)),
        ("The licence of gpt-oss-20b is supported.", ("c1",)),
        ("The licence of Llama 2 is supported.", ("c1",)),
        ("The licence of the 20B model is supported.", ("c1",)),
        # verdicts
        ("The claim about the licence is contradicted.", ("c1",)),
        ("The claim about the licence is not supported.", ("c1",)),
        ("The claim about the licence is unsupported.", ("c1",)),
        ("The claim about the licence is partly right.", ("c1",)),
        ("There is not enough evidence on the licence.", ("c1",)),
        ("That gpt-oss-120b outperforms o4-mini is supported.", ("c2",)),
        ("That gpt-oss-120b outperforms o4-mini is true.", ("c2",)),
        ("That gpt-oss-120b outperforms o4-mini isn't wrong.", ("c2",)),
        ("These claims are supported.", ("c1", "c2")),
        ("The licence is supported and the comparison contradicted.", ("c1", "c2")),
        ("gpt-oss-120b outperforms o4-mini on MMLU.", ("c2",)),  # told as a fact
        ("The story is wrong about Aider Polyglot.", ("benchmark:aider-polyglot",)),
        # orders
        ("That gpt-oss-120b matches o4-mini is contradicted.", ("c2",)),
        ("Code editing is ahead of much else.", ("benchmark:aider-polyglot",)),
        # form
        ("The claim about the licence is <b>supported</b>.", ("c1",)),
        ("The claim about the licence is supported, see https://example.org.", ("c1",)),
        ("The claim about the licence is supported, see www.example.org.", ("c1",)),
        ("[The claim](x) about the licence is supported.", ("c1",)),
        ("The \u201cclaim\u201d about the licence is supported.", ("c1",)),
        ("The claim about the licence is supported", ("c1",)),
        ("The claim is supported. The author is a fool.", ("c1",)),
        ("The claim is supported\u202e.", ("c1",)),
        ("The claim about the licence is supported" + ", and so on" * 40 + ".", ("c1",)),
        ("...", ("c1",)),
        ("", ("c1",)),
    ],
)
def test_a_sentence_that_says_more_or_other_is_rejected(passes, text, cites):
    assert passes(*LICENCE[:1], *LICENCE[1])  # so it is this sentence's own fault
    assert not passes(text, *cites)


@pytest.mark.parametrize(
    ("check", "text", "cites"),
    [
        ("check_statement", "The score is contradicted: published is 91.", ("c3",)),
        ("_names_only", "The licence of gpt-oss-20b is supported.", ("c1",)),
        ("_states_only", "That gpt-oss-120b matches o4-mini is contradicted.", ("c2",)),
        ("_judges_as", "gpt-oss-120b outperforms o4-mini on MMLU.", ("c2",)),
        ("_is_plain", "The claim is supported, see www.example.org.", ("c1",)),
    ],
)
def test_each_check_is_what_stops_its_kind(passes, monkeypatch, check, text, cites):
    assert not passes(text, *cites)
    monkeypatch.setattr(prose, check, lambda *arguments: True)
    assert passes(text, *cites)


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        ("It is supported.", "supported", "contradicted"),
        ("It is not supported.", "contradicted", "supported"),
        ("It holds up.", "supported", "mixed"),
        ("It is false.", "contradicted", "supported"),
        ("It is never wrong.", "supported", "contradicted"),
        ("It is mixed.", "mixed", "supported"),
        ("It is only partly true.", "mixed", "supported"),
        ("It is true only in part.", "mixed", "supported"),
        ("There is not enough evidence.", "not_enough_evidence", "contradicted"),
        ("It remains open.", "not_enough_evidence", "supported"),
        ("Nobody can tell, as the data cannot tell.", "mixed", "supported"),
        ("It is an opinion.", "not_checkable", "not_enough_evidence"),
        ("It is not checkable.", "not_checkable", "supported"),
    ],
)
def test_verdict_words_are_read(text, fits, does_not):
    (said,) = verdicts_said(text)
    assert fits in said
    assert does_not not in said


@pytest.mark.parametrize(
    "text", ["The weights are open-weight.", "It has 90 on MMLU.", "The model is out."]
)
def test_other_words_give_no_verdict(text):
    assert verdicts_said(text) == []


# ---- what stands in the end


def said(text, *cites):
    return Statement(text=text, cites=cites)


OURS = [said("tally", "tally"), said("a", "x", "y"), said("b", "z"), said("c")]
A, B = said("A", "x", "y"), said("B", "q")


@pytest.mark.parametrize(
    ("passed", "texts"),
    [
        ([], ["tally", "a", "b", "c"]),
        ([None], ["tally", "a", "b", "c"]),
        ([A], ["tally", "A", "b", "c"]),  # A rests on all that a does
        ([B], ["tally", "B", "a", "b", "c"]),
        ([B, None, A], ["tally", "B", "b", "A", "c"]),
        ([None, A], ["tally", "b", "A", "c"]),
        ([A, A], ["tally", "A", "b", "c"]),
        ([None] * 6, ["tally", "a", "b", "c"]),
    ],
)
def test_our_sentence_stands_where_one_was_rejected_or_something_would_be_lost(passed, texts):
    assert [s.text for s in _placed(passed, OURS)] == texts


def test_a_report_without_a_summary_sentence_of_ours_keeps_the_models():
    assert _placed([A, None], []) == (A,)


# ---- the whole way, through Inspect


@pytest.mark.inspect
def test_good_sentences_stand_and_bad_ones_are_counted(judged, tables):
    bad = ("gpt-oss-120b has 300 billion parameters.", ("c1",))
    model = scripted(answer(LICENCE, bad, PARITY))
    statements, num_rejected = write_prose(judged, tables, model, lookup(judged))
    texts = [s.text for s in statements]
    assert num_rejected == 1
    assert texts[:2] == [judged.summary[0].text, LICENCE[0]]
    assert PARITY[0] in texts
    assert bad[0] not in texts
    assert {*judged.summary} <= {*statements}  # nothing of ours is covered by these


@pytest.mark.inspect
def test_more_sentences_than_asked_for_are_rejected(judged, tables):
    many = [(f"The claim about the licence is supported{'!' * n}", ("c1",)) for n in range(1, 10)]
    statements, num_rejected = write_prose(judged, tables, scripted(answer(*many)), lookup(judged))
    assert num_rejected == len(many) - MAX_SENTENCES
    assert sum(s.cites == ("c1",) for s in statements) == MAX_SENTENCES


@pytest.mark.inspect
def test_an_answer_that_is_no_json_is_asked_for_again_and_then_ours_stand(judged, tables):
    good = answer(LICENCE)
    statements, _ = write_prose(judged, tables, scripted("no", "no", good), lookup(judged))
    assert LICENCE[0] in [s.text for s in statements]
    broken = ["no", answer(LICENCE)[:-1], '{"sentences": [], "score": 9}']
    assert len(broken) == TRIES
    written = write_prose(judged, tables, scripted(*broken), lookup(judged))
    assert written == ((*judged.summary, NOT_WRITTEN), None)


@pytest.mark.inspect
@pytest.mark.parametrize("kind", ["unreached", "too_long"])
def test_what_another_try_would_meet_again_ends_it_and_ours_stand(judged, tables, kind):
    asked = []

    def fail(messages, tools, choice, config):
        asked.append(config.seed)
        if kind == "unreached":
            raise ConnectionRefusedError("nobody listens")
        output = ModelOutput.from_content("mockllm/model", answer(LICENCE), "model_length")
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    model = get_model("mockllm/model", custom_outputs=fail, memoize=False)
    written = write_prose(judged, tables, model, lookup(judged), seed=4)
    assert written == ((*judged.summary, NOT_WRITTEN), None)
    assert asked == [4]


def test_the_model_is_shown_no_words_of_the_story(judge_text, tables):
    for payload in CARRIERS[:12]:
        report = judge_text(f"Frankly, gpt-oss-120b is a letdown. {payload}\n{TEXT}")
        shown = json.dumps(_material(report, tables), ensure_ascii=False)
        assert "contradicted" in shown
        assert payload[:30] not in shown
        assert not any(claim.quote in shown for claim in report.claims)


def test_what_the_model_is_shown_is_bounded_and_the_gravest_comes_first(judge_text, tables):
    lines = [f"gpt-oss-120b scored {n / 10}% on MMLU." for n in range(300, 900)]
    report = judge_text("\n".join([TEXT, *lines]))
    shown = _material(report, tables)["claims"]
    assert len(json.dumps(shown).encode()) < 2 * MAX_DATA_BYTES
    assert 0 < len(shown) < len(report.claims)
    assert shown[0]["verdict"] == "contradicted"


VOCABULARY = """gpt-oss-120b o4-mini o3 MMLU 90 99.9 120B is not supported contradicted mixed beats
behind the claim licence Llama 4 <b> , . ."""
TEXTS = st.lists(st.sampled_from(VOCABULARY.split()), max_size=14).map(
    lambda words: " ".join(words) + "."
)


@given(data=st.data())
def test_whatever_passes_holds_only_cited_numbers_and_no_markup(data, judged, tables):
    ids = [*(c.id for c in judged.claims), *(r.id for r in judged.evidence), "c99"]
    sentence = Sentence(
        text=data.draw(TEXTS | st.text(max_size=30)),
        cites=tuple(data.draw(st.lists(st.sampled_from(ids), max_size=3))),
    )
    statement = _checked(sentence, judged, tables, lookup(judged))
    if statement is not None:
        check_statement(statement, lookup(judged), known_names(tables))
        assert not {"<", ">"} & {*statement.text}
        assert 0 < len(statement.text) <= MAX_SENTENCE_CHARACTERS
        assert statement.cites
