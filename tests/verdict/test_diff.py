"""What changed from one verdict to another."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netweight.verdict import (
    compare_reports,
    difference_lines,
    make_report,
    parse_story,
    published,
    read_records,
)
from netweight.verdict.matching import pair_claims
from tests.conftest import ROOT

STORY = (
    "gpt-oss-120b slips equations into verse, testers say. gpt-oss-120b scored 41.8% on Aider "
    "Polyglot. gpt-oss-20b has the MIT license."
)


@pytest.fixture
def diff(tables, judge_text):
    def compared(before, after, **options):
        return compare_reports(judge_text(before), judge_text(after, **options), tables)

    return compared


def test_a_verdict_does_not_differ_from_itself(example, tables):
    found = compare_reports(example, example, tables)
    assert found.claims == found.records == found.findings_added == found.findings_removed == ()
    assert found.is_same_text
    assert found.num_unchanged == len([c for c in example.claims if c.repeats is None])


def test_a_new_and_a_dropped_claim_are_named(diff):
    gone = "gpt-oss-20b has the MIT license"
    found = diff(STORY, STORY.replace(gone, "gpt-oss-120b fits on an 80 GB GPU"))
    kinds = {change.kind: change for change in found.claims}
    assert not found.is_same_text
    assert "80 GB" in kinds["added"].quote and kinds["added"].before is None
    assert kinds["removed"].quote == gone and kinds["removed"].after is None


def test_a_corrected_number_is_a_changed_claim(diff):
    (change,) = diff(STORY, STORY.replace("41.8%", "61.8%")).claims
    shifts = {shift.kind: (shift.before, shift.after) for shift in change.shifts}
    assert shifts["number"] == ("41.8", "61.8")
    assert shifts["verdict"][0] == "Supported"
    assert "story" in change.causes


def test_a_corrected_licence_moves_the_verdict_with_the_story_s_words(diff):
    (change,) = diff(STORY, STORY.replace("MIT", "Apache 2.0")).claims
    (shift,) = change.shifts
    assert (shift.before, shift.after) == ("Contradicted", "Supported")
    assert change.causes == ("story",)


def test_a_new_measurement_moves_a_verdict_without_the_story(diff, write_record):
    records = read_records(write_record(model="gpt-oss-120b", hits=9, n=40))
    found = diff(STORY, STORY, measured=records)
    assert found.is_same_text
    (record,) = found.records
    assert (record.kind, record.before, record.after) == ("added", None, "9 of 40")
    (change,) = found.claims
    assert change.causes == ("evidence",) and records[0].id in change.records_added
    assert [s.kind for s in change.shifts] == ["verdict"]


def test_a_model_measured_again_is_a_changed_record(tables, judge_text, write_record):
    reports = []
    for name, hits in (("first", 1), ("second", 7)):
        folder = write_record(name, model="gpt-oss-120b", hits=hits, n=40)
        (record,) = [r for r in read_records(folder) if r.hits == hits]
        reports.append(judge_text(STORY, measured=[record]))
    (change,) = compare_reports(*reports, tables).records
    assert (change.kind, change.before, change.after) == ("changed", "1 of 40", "7 of 40")


def test_a_published_figure_that_changed_is_named(judge_text, tables):
    report = judge_text(STORY)
    figures = {row.id: row for row in report.evidence if row.kind == "figure"}
    (name, row), *_ = figures.items()
    changed = row.model_copy(update={"value": row.value + 1})
    rows = tuple(changed if e.id == name else e for e in report.evidence)
    found = compare_reports(report, report.model_copy(update={"evidence": rows}), tables)
    assert [(r.kind, r.id) for r in found.records] == [("changed", name)]
    assert any(name in change.records_changed for change in found.claims)


def test_a_verdict_that_moved_with_nothing_moved_with_the_method(judge_text, tables):
    report = judge_text(STORY)
    other = report.claims[0].model_copy(update={"verdict": "mixed"})
    moved = report.model_copy(update={"claims": (other, *report.claims[1:])})
    (change,) = compare_reports(report, moved, tables).claims
    assert change.causes == ("method",)


def test_an_error_that_was_corrected_is_named(example, tables):
    text = (ROOT / "examples" / "story.txt").read_text()
    (sentence,) = {f.sentence for f in example.findings if f.kind == "category_error"}
    assert sentence in text
    story = parse_story(text.replace(sentence, "They differ.").encode(), "story.txt")
    after = make_report(story, tables, date=example.date)
    assert sentence in compare_reports(example, after, tables).findings_removed
    assert sentence in compare_reports(after, example, tables).findings_added


def test_the_lines_name_every_change_and_fit_the_width(diff, write_record):
    records = read_records(write_record(model="gpt-oss-120b", hits=9, n=40))
    found = diff(STORY, STORY.replace("41.8%", "61.8%"), measured=records)
    for width in (40, 80):
        lines = difference_lines(found, width=width)
        assert max(len(line.text) for line in lines) <= width
    text = " ".join(" ".join(line.text for line in lines).split())
    assert "41.8 \u2192 61.8" in text and "9 of 40" in text
    assert f"Claims changed: {len(found.claims)}; unchanged: {found.num_unchanged}." in text


SENTENCES = st.permutations(
    [
        "gpt-oss-120b scored 41.8% on Aider Polyglot.",
        "gpt-oss-20b has the MIT license.",
        "gpt-oss-120b surpasses o4-mini on MMLU.",
        "gpt-oss-120b runs on a single 80 GB GPU.",
    ]
)


@settings(max_examples=15)
@given(SENTENCES, SENTENCES, st.integers(0, 4), st.integers(0, 4))
def test_every_claim_is_in_one_pair(first, second, num_first, num_second):
    before, after = (
        make_report(parse_story(("News. " + " ".join(s)).encode(), "a"), published(), date="2026")
        for s in (first[:num_first], second[:num_second])
    )
    pairs = pair_claims(before.claims, after.claims)
    assert sorted(p.before.id for p in pairs if p.before) == sorted(c.id for c in before.claims)
    assert [p.after.id for p in pairs if p.after] == [c.id for c in after.claims]
    both = {p.after.quote for p in pairs if p.before and p.after}
    assert both == {c.quote for c in before.claims} & {c.quote for c in after.claims}


def test_the_document_names_its_schema(example, tables):
    document = json.loads(compare_reports(example, example, tables).to_json())
    assert document["schema"] == "netweight-verdict-diff/2"
