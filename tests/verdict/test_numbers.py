"""Every number on the page is traced to a record, place by place."""

import copy
import re

import pytest
from lxml import html

from netweight.verdict import parse_story, read_records, render
from netweight.verdict.judgement import known_names, numbers_in, record_text
from netweight.verdict.report import make_report, statements_of

# What repeats the story's own words, or only leads to another place, states no number of ours.
OTHERS_WORDS = (
    "//blockquote | //h1 | //title | //script | //style | //caption | //code "
    "| //table[@class='overview']//a | //a[@class='no'] | //*[@class='hash'] | //*[@class='cite'] "
    "| //a[starts-with(@href, '#c')] | //a[starts-with(@href, '#e')] "
    "| //*[@class='tick'] | //*[@class='skip']"
)


class Tracer:
    """Takes the page apart into places, each with the records that its numbers must come from."""

    def __init__(self, page, report, tables):
        self.tree, self.report = html.fromstring(page), report
        self.names = (*known_names(tables), *(s.publisher for s in report.sources))
        self.untraced = []
        rows = (*report.evidence, *report.measured)
        self.records = {row.id: row for row in rows}
        self.records |= {f"benchmark:{row.id}": row for row in report.benchmarks}

    def trace(self):
        """The numbers that no record of their place holds, with the place."""
        self.drop(self.tree.xpath(OTHERS_WORDS))
        self.scores()
        self.overview()
        self.evidence_rows()
        self.claims()
        self.findings()
        method = [self.records["method"], self.report.method]
        summary = [self.records[c] for s in self.report.summary for c in s.cites]
        self.take("//section[@class='lede']", summary)
        self.take("//ul[@class='tally']", [], extra=map(str, self.report.tally.values()))
        self.take("//div[@class='read']", method)
        self.rest()
        return self.untraced

    def drop(self, elements):
        for element in elements:
            if element.getparent() is not None:
                element.drop_tree()

    def take(self, path, rows, extra=()):
        for element in self.tree.xpath(path):
            self.check(element, rows, extra)
            element.drop_tree()

    def check(self, element, rows, extra=()):
        held = set(extra).union(*(numbers_in(record_text(row)) for row in rows))
        text = " ".join(element.itertext()).replace("\u2060", "")
        for number in sorted(numbers_in(text, self.names) - held):
            self.untraced.append((number, " ".join(text.split())[:80]))

    def scores(self):
        """Scores and their parts are the document's; what impact is read from, its records'."""
        cited = [c for one in self.report.scores.all for s in one.reason for c in s.cites]
        cited += [c for one in self.report.scores.all for s in one.withheld for c in s.cites]
        rows = [self.report.scores, *(self.records[name] for name in cited)]
        share = self.report.scores.impact_above_hype
        drawn = set() if share is None else {f"{100 * share:.0f}"}
        self.take("//section[@id='scores']", rows, extra={"0", "1", "10"} | drawn)

    def overview(self):
        """The first cell numbers the row as its claim is numbered."""
        for row in self.tree.xpath("//table[@class='overview']//tbody/tr"):
            assert f"c{row.xpath('./th')[0].text}" in {c.id for c in self.report.claims}
            row.xpath("./th")[0].drop_tree()

    def evidence_rows(self):
        """A row's numbers are its own record's, with its source's dates."""
        sources = {source.id: source for source in self.report.sources}
        ordered = {f"e{i}": name for i, name in enumerate(self.in_order(), start=1)}
        for row in self.tree.xpath("//tr[starts-with(@id, 'e')]"):
            record = self.records[ordered[row.get("id")]]
            index = row.xpath("./th[@class='num'] | ./td[@class='num'][1]")[0]
            assert f"e{index.text}" == row.get("id")
            index.drop_tree()
            source = sources.get(getattr(record, "source", None))
            extra = percents(record) if record.id.startswith("measured-") else ()
            self.check(row, [record, *([source] if source else [])], extra)
            row.drop_tree()
        for row in self.tree.xpath("//table[contains(@class, 'sources')]//tbody/tr"):
            self.check(row, self.report.sources)
            row.drop_tree()
        for row in self.tree.xpath("//table[@class='evidence']//tbody/tr[not(@id)]"):
            self.check(row, self.report.benchmarks)
            row.drop_tree()

    def in_order(self):
        cited = {c for c in self.records if c.startswith("benchmark:")}
        shown = [row.id for row in (*self.report.evidence, *self.report.measured)]
        used = {c for s in statements_of(self.report) for c in s.cites}
        return [*shown, *sorted(cited & used)]

    def claims(self):
        for claim in self.report.claims:
            rows = [self.records[name] for name in claim.evidence]
            share = claim.posterior and [
                claim.posterior.mean,
                claim.posterior.low,
                claim.posterior.high,
            ]
            extra = {f"{100 * value:.0f}" for value in share or ()}
            said = numbers_in(claim.attribution or "")
            self.take(f"//article[@id='{claim.id}']", rows, extra | said)

    def findings(self):
        for finding in self.report.findings:
            rows = [self.records[c] for s in finding.correction for c in s.cites]
            self.take(f"//div[@id='{finding.id}']", rows)

    def rest(self):
        """What is left: the heading, captions and the footer."""
        story = self.report.story
        held = numbers_in(record_text(story)) | numbers_in(record_text(self.report.method))
        held |= numbers_in(self.report.date) | {"95"}
        self.check(self.tree.xpath("//body")[0], [], held)


def percents(record):
    values = (record.score, record.low, record.high)
    return {p for v in values for p in numbers_in(f"{100 * v:.1f}")}


@pytest.fixture
def weighed(example_story, tables, write_record):
    """The example with a measured record that bears on it and one that does not."""
    write_record("one", model="nano", hits=1, n=40)
    records = read_records(write_record("two", model="gpt-oss-120b", hits=7, n=60))
    return make_report(example_story, tables, date="2026-11-24", measured=records)


def test_every_number_of_the_example_s_page_is_traced(example, tables):
    assert Tracer(render(example), example, tables).trace() == []


def test_every_number_of_a_page_with_measurements_is_traced(weighed, tables):
    assert Tracer(render(weighed), weighed, tables).trace() == []


def test_every_number_of_the_real_story_s_page_is_traced(real, tables):
    assert Tracer(render(real), real, tables).trace() == []


def planted(page, pattern, replacement):
    changed = re.sub(pattern, replacement, page, count=1, flags=re.S)
    assert changed != page
    return changed


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"(<section class=\"lede\".*?<p>)", r"\g<1>It is 97.531 times better. "),
        (r"(<ul class=\"tally\".*?class=\"count\">)\d+", r"\g<1>97531"),
        (r"(id=\"scores\".*?<td class=\"num\">)", r"\g<1>97.531 "),
        (r"(id=\"scores\".*?<p class=\"read\">)", r"\g<1>97.531 "),
        (r"(<article class=\"claim\".*?<div>\s*<p>)", r"\g<1>It has 97.531 points. "),
        (r"(class=\"value\"[^>]*>)", r"\g<1>97.531 "),
        (r"(<tr id=\"e1\">.*?<td class=\"num\">)", r"\g<1>97.531 "),
        (r"(<div class=\"finding\".*?<p>)", r"\g<1>97.531 "),
        (r"(<div class=\"read\">\s*<p>)", r"\g<1>97.531 "),
        (r"(<footer>\s*<p>)", r"\g<1>97.531 "),
        (r"(id=\"measured\".*?<td class=\"num\">)", r"\g<1>97.531 "),
        (r"(class=\"evidence sources\".*?<td>)", r"\g<1>97.531 "),
    ],
)
def test_a_planted_number_is_found_wherever_it_stands(weighed, tables, pattern, replacement):
    page = planted(render(weighed), pattern, replacement)
    found = {number for number, _ in Tracer(page, weighed, tables).trace()}
    assert found & {"97.531", "97531"}


def test_a_number_of_another_record_is_found_in_a_row(example, tables):
    """A number that some record holds is still wrong in a row that is another record's."""
    rows = [row for row in example.evidence if row.kind == "figure" and row.unit == "percent"]
    first, second = rows[0], next(r for r in rows if r.value != rows[0].value)
    swapped = copy.copy(first).model_copy(update={"value": second.value, "correct": None})
    evidence = tuple(swapped if row.id == first.id else row for row in example.evidence)
    page = render(example.model_copy(update={"evidence": evidence}))
    assert Tracer(page, example, tables).trace()


def test_a_story_s_own_numbers_stay_in_its_quotes(tables):
    story = parse_story(b"gpt-oss-120b scored 12.345% on MMLU in all 678 runs.", "a.txt")
    report = make_report(story, tables, date="2026-01-01")
    assert Tracer(render(report), report, tables).trace() == []
