"""A model's claims beside the rules': what the rules know stands, and the rest is added once."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.verdict import published
from netweight.verdict.claims import extract_claims
from netweight.verdict.marking import TOPIC_WORDS
from netweight.verdict.merging import UNKNOWN, Merged, merge
from netweight.verdict.story import Span
from tests.verdict.answers import story_of

TEXT = (
    "gpt-oss-120b trails o4-mini on MMLU. It has an Apache 2.0 license. gpt-oss-120b scored 90.0 "
    "on MMLU. It fits on a single GPU with 80 GB of memory."
)
RULED = extract_claims(story_of(TEXT), published())
TRAILS, LICENCE, SCORE, MEMORY = RULED


def places(claims):
    return [(claim.topic, claim.span) for claim in claims]


def cut(claim, start, end):
    """The claim with the quote from `start` to `end` of its own."""
    span = Span(claim.span.start + start, claim.span.start + end)
    return replace(claim, span=span, quote=claim.quote[start:end])


def test_the_claims_of_this_test_are_what_it_needs():
    assert [claim.topic for claim in RULED] == ["comparison", "licence", "score", "memory"]


def test_without_a_proposal_or_with_the_rules_own_the_rules_claims_are_all():
    assert merge(RULED, ()) == merge(RULED, RULED) == Merged(RULED, ())


@pytest.mark.parametrize("left", range(len(RULED)))
def test_a_claim_that_the_rules_left_is_added_in_its_place(left):
    ruled = (*RULED[:left], *RULED[left + 1 :])
    assert merge(ruled, RULED) == Merged(RULED, (f"c{left + 1}",))


def test_another_label_for_words_that_the_rules_know_is_left_out():
    above = replace(TRAILS, relation="above")
    opinion = replace(LICENCE, topic="opinion", type="opinion")
    part = cut(SCORE, 0, 12)
    assert merge(RULED, (above, opinion, part)) == Merged(RULED, ())


def test_a_claim_mostly_of_words_that_the_rules_left_is_added_unless_its_topic_is_there():
    ruled = (cut(TRAILS, 0, 12), MEMORY)
    longer = replace(TRAILS, topic="ability", type="ability")
    assert merge(ruled, (longer,)).added == ("c2",)
    assert merge(ruled, (TRAILS,)).added == ()


def test_what_the_rules_cannot_place_gives_way_to_a_claim_of_a_kind_and_to_no_other():
    unknown = replace(LICENCE, topic=UNKNOWN, type="other")
    ruled = (TRAILS, unknown, SCORE, MEMORY)
    assert merge(ruled, (LICENCE,)) == Merged(RULED, ("c2",))
    assert merge(ruled, (replace(LICENCE, topic="opinion", type="opinion"),)).added == ()
    assert merge(ruled, (unknown,)).added == ()


def test_a_claim_said_again_names_the_first_whoever_found_it():
    text = f"{TEXT} Again: gpt-oss-120b trails o4-mini on MMLU."
    ruled = extract_claims(story_of(text), published())
    assert ruled[-1].repeats == "c1"
    claims, added = merge(ruled[1:], ruled[:1])
    assert (claims[-1].repeats, added) == ("c1", ("c1",))


CLAIMS = st.builds(
    lambda claim, ends, topic: cut(replace(claim, topic=topic), *sorted(ends)),
    st.sampled_from(RULED),
    st.tuples(st.integers(0, 12), st.integers(13, 36)),
    st.sampled_from([*TOPIC_WORDS]),
)


PARTS = st.lists(st.sampled_from(RULED), unique=True).flatmap(
    lambda claims: st.tuples(
        *(
            st.builds(
                lambda claim, topic: replace(claim, topic=topic or claim.topic),
                st.just(claim),
                st.sampled_from([None, UNKNOWN]),
            )
            for claim in sorted(claims, key=lambda claim: claim.span)
        )
    )
)


def keeps_what_the_rules_know(ruled, merged):
    """Whether every claim of a known kind is there in its order, and none lost its words."""
    known = [place for place in places(ruled) if place[0] != UNKNOWN]
    found = iter(places(merged.claims))
    return all(place in found for place in known)


def adds_only_what_is_left(ruled, merged):
    own = [claim.span for claim in ruled if claim.topic != UNKNOWN]
    added = [claim.span for claim in merged.claims if claim.id in merged.added]
    return not any(
        2 * (min(one.end, other.end) - max(one.start, other.start)) > one.end - one.start
        for one in added
        for other in own
    )


def loses_no_words(ruled, merged):
    """Whether most of each claim's words are in one that stands now."""
    return all(
        any(
            2 * (min(one.span.end, rule.span.end) - max(one.span.start, rule.span.start))
            > rule.span.end - rule.span.start
            for one in merged.claims
        )
        for rule in ruled
    )


@given(PARTS, st.lists(CLAIMS, max_size=4))
def test_whatever_is_proposed_the_rules_claims_stand(ruled, proposed):
    merged = merge(ruled, sorted(proposed, key=lambda claim: claim.span))
    assert keeps_what_the_rules_know(ruled, merged)
    assert adds_only_what_is_left(ruled, merged)
    assert loses_no_words(ruled, merged)
    assert [claim.id for claim in merged.claims] == [
        f"c{n}" for n in range(1, len(merged.claims) + 1)
    ]
    assert all(one.span.start <= two.span.start for one, two in pairwise(merged.claims))


def test_these_checks_see_a_merging_that_is_wrong():
    above = replace(TRAILS, relation="above", id="c9")
    in_place = Merged((replace(above, topic="opinion"), *RULED[1:]), ("c9",))
    beside = Merged((*RULED, above), ("c9",))
    assert not keeps_what_the_rules_know(RULED, in_place)
    assert not adds_only_what_is_left(RULED, beside)
    assert not loses_no_words(RULED, Merged((cut(TRAILS, 0, 12), *RULED[1:]), ()))
