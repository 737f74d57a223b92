"""Several stories side by side: what one makes of what another said."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from netweight.errors import VerdictError
from netweight.verdict import (
    make_drift,
    make_report,
    parse_drift,
    parse_story,
    published,
    render_drift,
)
from netweight.verdict.matching import is_same_matter, stated_numbers

# A vendor's sentence and what two retellings made of it, in words of our own.
VENDOR = (
    "OpenAI says that gpt-oss-120b achieves near-parity with o4-mini on core reasoning benchmarks. "
    "The models come under the Apache 2.0 license. gpt-oss-120b has 117 billion parameters."
)
SECOND = (
    "The new gpt-oss-120b matches o4-mini on core reasoning benchmarks. The models come under the "
    "Apache 2.0 license. gpt-oss-120b scored 41.8% on Aider Polyglot."
)
THIRD = (
    "gpt-oss-120b matches or surpasses o4-mini in every reasoning test. gpt-oss-120b scored 44.4% "
    "on Aider Polyglot. It has 120 billion parameters. It comes with an MIT license. It is a "
    "nothing burger."
)


@pytest.fixture(scope="session")
def chain(tables):
    return drift_of([VENDOR, SECOND, THIRD], tables)


def drift_of(texts, tables):
    stories = [parse_story(t.encode(), f"{n}.txt") for n, t in enumerate(texts, start=1)]
    return make_drift([make_report(s, tables, date="2026-01-01") for s in stories], tables)


def row(drift, start):
    return next(m for m in drift.matters if m.label.startswith(start))


def kinds(telling):
    return [shift.kind for shift in telling.shifts]


def test_near_parity_becomes_a_match_and_then_more(chain):
    first, second, third = row(chain, "Comparison").tellings
    assert [t.strength for t in (first, second, third)] == [1, 2, 3]
    assert kinds(first) == [] and first.since is None
    assert kinds(second) == ["stronger", "speaker"] and second.since == 1
    assert kinds(third) == ["stronger", "relation", "verdict"] and third.since == 2
    relation = third.shifts[1]
    assert (relation.before, relation.after) == ("equal to", "ahead of")


def test_the_same_words_are_no_shift(chain):
    tellings = row(chain, "Licence").tellings
    assert tellings[1].quote == tellings[0].quote and tellings[1].shifts == ()
    assert kinds(tellings[2]) == ["verdict"]


def test_another_number_is_named_with_both(chain):
    (shift,) = row(chain, "Score").tellings[1].shifts
    assert (shift.kind, shift.before, shift.after) == ("number", "41.8", "44.4")


def test_a_telling_is_compared_with_the_last_story_that_told_it(chain):
    _, third = row(chain, "Size").tellings
    assert (third.story, third.since) == (3, 1)
    assert (third.shifts[0].before, third.shifts[0].after) == ("117", "120")


def test_the_steps_count_the_rows(chain):
    assert [(s.told, s.told_before, s.stronger, s.left_out) for s in chain.steps] == [
        (3, 0, 0, 0),
        (3, 2, 1, 1),
        (4, 4, 1, 0),
    ]
    assert [s.num_opinions for s in chain.sources] == [0, 0, 1]


def test_a_softer_telling_is_weaker(tables):
    drift = drift_of(
        ["gpt-oss-120b surpasses o4-mini.", "gpt-oss-120b may surpass o4-mini."], tables
    )
    assert "weaker" in kinds(drift.shared[0].tellings[1])
    assert (drift.steps[1].stronger, drift.steps[1].weaker) == (0, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("gpt-oss-120b beats o4-mini.", "gpt-oss-120b beats o3-mini."),
        ("gpt-oss-120b beats o4-mini on MMLU.", "gpt-oss-120b beats o4-mini on Codeforces."),
        ("gpt-oss-120b has an MIT license.", "gpt-oss-120b fits on an 80 GB GPU."),
        ("gpt-oss-120b scored 90.0 on MMLU.", "o4-mini scored 93.0 on MMLU."),
    ],
)
def test_claims_about_other_things_are_kept_apart(first, second, judge_text):
    claims = [judge_text(text).claims[0] for text in (first, second)]
    assert not is_same_matter(*claims) and is_same_matter(claims[0], claims[0])


def test_digits_of_names_are_no_numbers_of_a_claim(judge_text, tables):
    report = judge_text(
        "OpenAI says that gpt-oss-120b, like o4-mini, scored 41.8% on Aider Polyglot."
    )
    assert stated_numbers(report.claims[0], tables) == {"41.8"}


def test_the_strongest_of_several_stands_for_a_story(tables):
    twice = (
        "gpt-oss-120b may surpass o4-mini. In short, gpt-oss-120b surpasses o4-mini in all tests."
    )
    drift = drift_of([twice, "gpt-oss-120b surpasses o4-mini."], tables)
    assert drift.shared[0].tellings[0].num_claims == 2
    assert drift.shared[0].tellings[0].strength == 3


def test_one_story_or_the_same_one_twice_is_refused(tables, example):
    with pytest.raises(VerdictError, match="from 2 to 12"):
        make_drift([example], tables)
    with pytest.raises(VerdictError, match="the same story as"):
        make_drift([example, example], tables)


def test_stories_with_nothing_in_common_make_a_page_that_says_so(tables):
    drift = drift_of(["Rain is expected in the north.", "gpt-oss has an MIT license."], tables)
    assert drift.shared == ()
    assert "no two of these stories" in render_drift(drift)


def test_the_table_reads_back_and_gives_the_same_page(chain):
    again = parse_drift(chain.to_json(), "drift.json")
    assert again == chain and render_drift(again) == render_drift(chain)


def test_a_table_with_a_count_of_somebody_else_s_is_refused(chain):
    document = json.loads(chain.to_json())
    document["steps"][1]["stronger"] = 9
    with pytest.raises(VerdictError, match="not those of its rows"):
        parse_drift(json.dumps(document), "drift.json")
    with pytest.raises(VerdictError, match="not a table of schema"):
        parse_drift(json.dumps(document | {"schema": "other"}), "drift.json")


@pytest.fixture(scope="session")
def tree(chain):
    return html.fromstring(render_drift(chain))


def test_a_row_has_a_cell_for_every_story_and_links_to_its_judgement(tree, chain):
    for matter in chain.shared:
        (row,) = tree.xpath(f"//tr[@id='{matter.id}']")
        assert len(row.xpath("./td")) == len(chain.sources)
        for told in matter.tellings:
            (link,) = row.xpath(f"./td[{told.story}]//a")
            assert link.get("href") == f"story-{told.story}.html#{told.claim}"
            assert link.text == f"\u201c{told.quote}\u201d"


def test_every_number_on_the_page_is_one_of_the_table_s(tree, chain):
    for quote in tree.xpath("//a[contains(@href, '#c')] | //time | //code | //*[@class='hash']"):
        quote.text = ""
    text = " ".join(tree.xpath("//body")[0].itertext())
    held = set(re.findall(r"\d+", chain.to_json()))
    assert set(re.findall(r"\d+", text)) <= held
    assert not {"97531"} <= held  # the check can fail


def test_the_page_s_policy_lets_nothing_run_and_its_tables_are_named(tree):
    assert not tree.xpath("//script | //link | //img | //@style | //@src")
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]
    for table in tree.xpath("//table"):
        assert table.xpath("./caption") and not table.xpath(".//th[not(@scope)]")


def test_markup_in_stories_stays_text(tables):
    hostile = "<script>alert(1)</script> gpt-oss-20b has <b>the MIT license</b>."
    tree = html.fromstring(render_drift(drift_of([hostile, hostile + " Indeed."], tables)))
    assert not tree.xpath("//script | //td//b[contains(., 'MIT')]")
    assert any("<b>the MIT" in text for text in tree.xpath("//a/text()"))


SENTENCES = st.lists(
    st.sampled_from(
        [
            *(VENDOR + " " + SECOND + " " + THIRD).replace(". ", ".|").split("|"),
            "gpt-oss-20b refuses political requests.",
        ]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=8)
@given(st.lists(SENTENCES, min_size=2, max_size=4))
def test_every_claim_is_in_one_row_and_every_shift_has_an_earlier_story(texts):
    stories = [f"Story {n}. " + " ".join(text) for n, text in enumerate(texts)]
    drift = drift_of(stories, published())
    assert sum(t.num_claims for m in drift.matters for t in m.tellings) == sum(
        s.num_claims for s in drift.sources
    )
    for matter in drift.matters:
        told = [t.story for t in matter.tellings]
        assert told == sorted(set(told))
        assert [t.since for t in matter.tellings] == [None, *told[:-1]]
