import itertools
import re

import pytest
from lxml import html

from netweight.verdict import make_report, parse_report, parse_story, read_records, render
from netweight.verdict.page import MAX_PAGE_BYTES, SYMBOLS, context_of
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def page(example, tables):
    return render(example)


@pytest.fixture(scope="session")
def tree(page):
    return html.fromstring(page)


@pytest.fixture(scope="session")
def stylesheet():
    return (ROOT / "src" / "netweight" / "verdict" / "page.css").read_text()


def test_the_page_is_small_and_the_same_each_time(page, example, tables):
    assert MAX_PAGE_BYTES == 300_000
    assert len(page.encode()) < MAX_PAGE_BYTES / 2
    assert render(example) == page


def test_the_real_story_s_page_is_small_too(real, tables):
    assert len(render(real).encode()) < MAX_PAGE_BYTES


def test_the_page_of_a_story_with_hundreds_of_claims_is_small_and_says_what_it_leaves_out(tables):
    rivals = [row.name for row in tables.models.values() if "gpt-oss" not in row.name]
    words = [(rival, row.name) for rival in rivals for row in tables.benchmarks.values()]
    text = " ".join(f"gpt-oss-120b matches {rival} on {name}." for rival, name in words)
    report = make_report(parse_story(text.encode(), "a.txt"), tables, date="2026-01-01")
    page = render(report)
    tree = html.fromstring(page)
    num_shown = len(tree.xpath("//article"))
    assert len(page.encode()) <= MAX_PAGE_BYTES and 50 < num_shown < len(report.claims)
    (note,) = tree.xpath("//p[contains(., 'more claims than a page has room for')]")
    assert f"{len(report.claims)}, said" in note.text_content()
    assert f"first {num_shown} are" in note.text_content()
    ids = set(tree.xpath("//@id"))
    assert all(link[1:] in ids for link in tree.xpath("//a/@href") if link[0] == "#")


def test_the_page_needs_nothing_but_the_data(example, page, tables):
    assert render(parse_report(example.to_json(), "verdict.json", tables)) == page


def test_nothing_on_the_page_runs_or_is_fetched(tree, page):
    assert not tree.xpath("//link | //img | //iframe | //object | //form | //base")
    assert tree.xpath("//script/@type") == ["application/ld+json"]  # data, which no browser runs
    assert not tree.xpath("//@style | //@src | //@*[starts-with(name(), 'on')]")
    assert "@import" not in page and "url(" not in page
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_the_policy_s_hash_is_the_style_s(tree):
    import base64
    import hashlib

    style = tree.xpath("//style")[0].text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"sha256-{digest}" in tree.xpath("//meta[@http-equiv]/@content")[0]


def test_links_lead_to_sources_or_to_places_that_exist(tree):
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for link in tree.xpath("//a/@href"):
        is_place = link[0] == "#" and link[1:] in ids
        assert link.startswith("https://") or is_place or link == "verdict.json", link


def test_a_page_of_several_links_to_its_own_data(example):
    links = html.fromstring(render(example, data="story-2.json")).xpath("//footer//a/@href")
    assert links == ["story-2.json"]


def test_what_a_story_declares_of_itself_is_marked_as_its_own_account(tables):
    text = b"---\ndate: 2025-08-05\npublisher: <b>P</b>\n---\ngpt-oss is open."
    tree = html.fromstring(
        render(make_report(parse_story(text, "a.md"), tables, date="2026-01-01"))
    )
    (line,) = tree.xpath("//p[@class='meta'][contains(., 'By its own account')]")
    assert line.text_content() == "By its own account from <b>P</b>, of 2025-08-05."
    bare = html.fromstring(
        render(make_report(parse_story(b"Rain.", "a"), tables, date="2026-01-01"))
    )
    assert "own account" not in bare.text_content()


def test_every_claim_has_a_permalink_a_chip_and_its_quote(tree, example):
    for claim in example.claims:
        (article,) = tree.xpath(f"//article[@id='{claim.id}']")
        (chip,) = article.xpath(".//span[contains(@class, 'chip')]")
        assert SYMBOLS[claim.verdict] in chip.text_content()
        assert len(chip.text_content().split()) >= 2  # a symbol and a word: never colour alone
        assert article.xpath(".//mark")[0].text_content() == claim.quote


def test_every_sentence_of_ours_is_on_the_page(tree, example):
    shown = re.sub(r"\s+", " ", tree.text_content().replace("\u2060", ""))
    for claim in example.claims:
        if claim.repeats is None:
            for statement in (*claim.reason, *claim.caveats, *claim.settles):
                assert statement.text in shown


def test_the_page_is_built_for_assistive_technology(tree):
    assert tree.get("lang") == "en"
    assert tree.xpath("//a[@class='skip']/@href") == ["#claims"]
    levels = [int(h.tag[1]) for h in tree.xpath("//h1 | //h2 | //h3")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    for table in tree.xpath("//table"):
        assert table.xpath("./caption") and not table.xpath(".//th[not(@scope)]")
    for region in tree.xpath("//*[@class='scroll']"):  # what scrolls can be reached by keyboard
        assert region.get("tabindex") == "0" and region.get("aria-label")
    for svg in tree.xpath("//svg"):
        assert svg.get("role") == "img" and svg.xpath("./title") and svg.xpath("./desc")
        assert all(i in svg.xpath(".//@id") for i in svg.get("aria-labelledby").split())


def luminance(colour):
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes(stylesheet):
    for block in re.findall(r":root \{[^}]*--paper[^}]*\}", stylesheet):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))
        yield {
            k: v if len(v) == 7 else "#" + "".join(2 * c for c in v[1:]) for k, v in colours.items()
        }


def test_contrast_suffices_in_every_theme(stylesheet):
    themes = list(palettes(stylesheet))
    assert len(themes) == 3  # light, dark, print
    for theme in themes:
        for text in ("ink", "muted", "accent"):
            for ground in ("paper", "wash"):
                assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)


def test_the_page_follows_the_reader_s_theme_and_prints(stylesheet):
    assert "prefers-color-scheme: dark" in stylesheet and "@media print" in stylesheet
    assert ":focus-visible" in stylesheet


HOSTILE = """<script>alert(1)</script> gpt-oss-120b's "license" & <b>story</b>

gpt-oss-20b <img src=x onerror=alert(1)> is released under the MIT license</mark></blockquote>
<script>alert(2)</script>. {{ 7 * 7 }} {% raw %} According to <I>Mallory</I>, gpt-oss-120b trails
o4-mini on MMLU &lt;. \u202eevil\u202c gpt-oss-120b is a javascript:alert(3) nothing burger.
"""


@pytest.mark.parametrize("name", ["a.txt", '"><script>alert(4)</script>.txt', "a.md"])
def test_markup_in_a_story_stays_text(tables, name):
    report = make_report(parse_story(HOSTILE.encode(), name), tables, date="2026-01-01")
    tree = html.fromstring(render(report))
    assert not tree.xpath("//script[not(@type)] | //img | //b[contains(., 'story')] | //i")
    assert len(tree.xpath("//script")) == 1
    assert not tree.xpath("//@*[starts-with(name(), 'on')]")
    assert {"contradicted", "supported"} <= {c.verdict for c in report.claims}
    marks = [mark.text_content() for mark in tree.xpath("//mark")]
    assert marks == [claim.quote for claim in report.claims]
    assert "49" not in tree.xpath("//title")[0].text and "\u202e" not in tree.text_content()


def test_measured_records_stand_apart(example_story, tables, write_record):
    write_record("good", model="nano", hits=1, n=40)
    bad = {"usable": False, "reason": "<b>markers</b> in answers"}
    records = read_records(write_record("bad", model="gpt-oss-120b", **bad))
    report = make_report(example_story, tables, date="2026-01-01", measured=records)
    tree = html.fromstring(render(report))
    (section,) = tree.xpath("//h2[@id='measured']/following::table[1]")
    text = section.text_content()
    assert "1 of 40" in text and "no claim of this story" in text
    assert "Not usable: <b>markers</b> in answers" in text
    assert not any(r.id in {row.id for row in report.evidence} for r in records)


def test_a_story_without_claims_still_makes_a_page(tables):
    report = make_report(parse_story(b"Rain is expected.", "a.txt"), tables, date="2026-01-01")
    tree = html.fromstring(render(report))
    assert "None was found" in tree.text_content() and not tree.xpath("//article")


def test_the_context_is_the_rest_of_the_sentence_shortened(example):
    for claim in example.claims:
        before, after = context_of(claim)
        joined = (before + claim.quote + after).strip("\u2026")
        assert joined in claim.sentence and len(before) <= 91 and len(after) <= 91
