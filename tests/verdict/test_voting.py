"""What several answers agree on: claims and labels by majority, and how alike the answers are."""

from tests.verdict.answers import TEXT, TRAILS, answer, only, read


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
