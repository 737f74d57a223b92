"""What of an answer is let through: quotes of the story, labels that exist, the own speaker."""

import pytest

from netweight.verdict import published
from netweight.verdict.asking import Reply
from netweight.verdict.assisted import read_replies
from netweight.verdict.claims import extract_claims
from netweight.verdict.marking import make_reading
from tests.verdict.answers import TEXT, TRAILS, answer, only, read, story_of


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


def test_a_quote_out_of_another_piece_is_rejected():
    text = TEXT + " Filler stands here." * 900
    reading = make_reading(story_of(text), published())
    replies = [Reply(answer(TRAILS)) for _ in reading.pieces]
    claims, extraction = read_replies(reading, replies, name="m/m", seed=0)
    assert [c.quote for c in claims] == [TRAILS["quote"]]
    assert extraction.rejected["other_sentence"] == len(reading.pieces) - 1 > 0


def test_a_name_in_look_alike_letters_is_no_label():
    text = "gpt-oss-120b trails \u043e4-mini on MMLU."
    claims, extraction = read(text, answer(TRAILS | {"quote": text[:-1]}))
    assert claims == ()
    assert extraction.rejected["label_unknown"] == 1


def test_a_speaker_stands_in_the_sentence_or_is_dropped_and_counted():
    said = {"sentence": 2, "quote": "the licence is free", "topic": "other"}
    claims, extraction = read(TEXT, answer(said | {"speaker": "OpenAI"}))
    assert (claims[0].attribution, claims[0].strength) == ("OpenAI", 1)
    assert extraction.num_speakers_dropped == 0
    for invented in ("Google", "Open", ""):
        claims, extraction = read(TEXT, answer(said | {"speaker": invented}))
        assert (claims[0].attribution, claims[0].strength) == (None, 2)
        assert extraction.num_speakers_dropped == 1
