"""The pages: every number from a record, every text only text, and readable wherever they are."""

import base64
import hashlib
import itertools
import re

import pytest
from lxml import html

from netweight.errors import WeighError
from netweight.evals import scorecard_samples
from netweight.evals.pairs import compare_runs, read_run
from netweight.evals.published import groups
from netweight.evals.scorecard import scorecard_html, write_scorecard
from netweight.evals.scorecard_comparison import comparison_html, write_comparison
from netweight.evals.scorecard_rows import terminal_rows
from netweight.evals.scorecard_verdicts import lede
from netweight.evals.subject import Settings
from tests.conftest import ROOT
from tests.evals.test_pairs import BROKEN, PASSED, measure, said, saying, write_task
from tests.server.browser import chromium

STYLE = (ROOT / "src/netweight/evals/templates/page.css").read_text("utf-8")
HOSTILE = (
    "<script>alert(1)</script></details></div><img src=x onerror=alert(2)> {{ 7 * 7 }} "
    "\u202eevil\u202c \x1b[31mred\x00 \ud800 \u05e9\u05dc\u05d5\u05dd"
)


def in_python(outcomes):
    """Samples with the facts that the task's own further figures take."""
    facts = {"language": "python", "num_malformed": 0}
    return [each | {"facts": facts} for each in saying(outcomes)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of three tasks: one with figures of others beside it, one that is not evidence."""
    folder = tmp_path_factory.mktemp("run")
    first = ["right"] * 12 + ["wrong"] * 5 + ["refused", "timeout"]
    write_task(folder, in_python(first), measure("polyglot", metric="pass_rate_2"))
    hostile = dict.fromkeys(("prompt", "answer", "reasoning", "explanation"), HOSTILE)
    write_task(folder, [said(1, "wrong", **hostile), said(2, "right")], measure("riddles"))
    write_task(folder, saying(["right", "wrong"]), measure("bad"), checks=(PASSED, BROKEN))
    return folder


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    settings = Settings(temperature=1.0)
    second = ["wrong"] * 12 + ["right"] * 5 + ["refused", "right"]
    of = measure("polyglot", metric="pass_rate_2")
    write_task(folder, in_python(second), of, settings=settings, model="gpt-oss-20b")
    hostile = dict.fromkeys(("answer", "reasoning", "explanation"), HOSTILE)
    samples = [said(1, "right", prompt=HOSTILE, **hostile), said(2, "right")]
    write_task(folder, samples, measure("riddles"), settings=settings, model="gpt-oss-20b")
    for name in ("bad", "alone"):
        same = {"settings": settings, "model": "gpt-oss-20b"}
        write_task(folder, saying(["right", "right"]), measure(name), **same)
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return read_run(folder)


@pytest.fixture(scope="module")
def comparison(run, other_folder):
    return compare_runs(run, read_run(other_folder))


@pytest.fixture(scope="module")
def card(run):
    return html.fromstring(scorecard_html(run))


@pytest.fixture(scope="module")
def beside(comparison):
    return html.fromstring(comparison_html(comparison))


@pytest.fixture(scope="module", params=["card", "beside"])
def tree(request):
    return request.getfixturevalue(request.param)


def words(element):
    return " ".join(element.text_content().split())


def test_nothing_on_a_page_runs_or_is_fetched(tree):
    assert not tree.xpath("//script | //link | //img | //iframe | //object | //form | //base")
    assert not tree.xpath("//@style | //@src | //@*[starts-with(name(), 'on')]")
    assert "@import" not in STYLE and "url(" not in STYLE
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    digest = hashlib.sha256(tree.xpath("//style")[0].text.encode()).digest()
    assert f"style-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_a_page_is_built_for_assistive_technology(tree):
    assert tree.get("lang") == "en" and tree.xpath("//title")[0].text
    levels = [int(h.tag[1]) for h in tree.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for table in tree.xpath("//table"):
        assert table.xpath("./caption") and not table.xpath(".//th[not(@scope)]")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for svg in tree.xpath("//svg"):
        assert all(each in ids for each in svg.get("aria-labelledby").split())
    for link in tree.xpath("//a/@href"):
        assert link.startswith("https://") or (link[0] == "#" and link[1:] in ids)
    assert all(s.get("aria-label") for s in tree.xpath("//*[@role='region']"))


def test_what_a_model_wrote_stays_text(tree):
    shown_texts = [each.text_content() for each in tree.xpath("//div[contains(@class, 'text')]")]
    hostile = [text for text in shown_texts if "alert(1)" in text]
    assert len(hostile) >= 4
    for text in hostile:
        assert "</details></div><img src=x onerror=alert(2)> {{ 7 * 7 }}" in text
        assert "\u27e8U+202E\u27e9evil\u27e8U+202C\u27e9 \u27e8U+001B\u27e9[31mred" in text
        assert "\u05e9\u05dc\u05d5\u05dd" in text  # another script is no attack
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", tree.text_content())
    assert all(each.get("dir") == "auto" for each in tree.xpath("//div[contains(@class, 'text')]"))


def test_every_figure_is_the_record_s_own(card, run):
    for name, task in run.tasks.items():
        (article,) = card.xpath(f"//article[@id='task-{name}']")
        rows = article.xpath("./div[@class='scroll'][1]//tbody/tr")
        results = task.record["evaluation_results"]
        assert len(rows) == len(results) == 2
        for row, result in zip(rows, results, strict=True):
            details = result["score_details"]
            interval = details["uncertainty"].get("confidence_interval")
            value, ends, size = (words(cell) for cell in row.xpath("./td")[:3])
            scale = 100 if result["metric_config"]["metric_unit"] == "proportion" else 1
            assert numbers(value) == [pytest.approx(scale * details["score"], rel=0.01, abs=0.05)]
            expected = [scale * interval[end] for end in ("lower", "upper")] if interval else []
            assert numbers(ends) == pytest.approx(expected, rel=0.01, abs=0.05)
            assert numbers(size) == [details["uncertainty"]["num_samples"]]


def numbers(text):
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))]


def test_every_outcome_s_count_is_the_record_s_own(card, run):
    for name, task in run.tasks.items():
        outcomes = {each: count for each, count in task.facts["outcomes"].items() if count}
        (description,) = card.xpath(f"//desc[@id='mix-{name}-d']")
        total = sum(outcomes.values())
        for outcome, count in outcomes.items():
            assert re.search(rf"{outcome}(, apart)?: {count} of {total}", description.text)
        summaries = card.xpath(f"//article[@id='task-{name}']/details/summary")
        assert {words(each) for each in summaries} == {f"{o}: {c}" for o, c in outcomes.items()}


def test_a_scorecard_says_how_the_run_was_made(card, run):
    header = words(card.xpath("//header")[0])
    assert "nano, weighed with the suite quick" in header and "2026-01-31" in header
    assert "A machine" in header and "Commit 000000000000." in header
    assert "Temperature 0, most tokens 2,048, reasoning effort not sent, seed 0" in header
    assert "netweight weigh nano" in header


def test_what_is_not_evidence_is_said_first_and_again_at_its_task(card):
    (alarm,) = card.xpath("//section[@class='alarm']")
    assert "Not evidence: 1 of 3 tasks" in words(alarm)
    assert "bad: raw markers stand in 3 of 80 answers" in words(alarm)
    first = card.xpath("//main/*")[0]
    assert first is alarm
    task = words(card.xpath("//article[@id='task-bad']")[0])
    assert task.startswith("bad not evidence") and "Why it is not evidence: raw markers" in task
    checks = card.xpath("//h2[@id='checks']/following-sibling::details[1]")[0]
    assert checks.get("open") is not None and "failed" in words(checks)
    assert card.xpath("//*[@id='rates-bad-d']/..//circle/@class") == ["dot open"]


def test_a_sound_run_has_no_alarm_and_all_unsound_ones_say_so(tmp_path):
    write_task(tmp_path / "good", saying(["right", "wrong"]))
    write_task(tmp_path / "bad", saying(["right", "wrong"]), checks=(BROKEN,))
    good, bad = (scorecard_html(read_run(tmp_path / name)) for name in ("good", "bad"))
    assert 'class="alarm"' not in good and "1 of 1 passed" in good
    assert "No result here is evidence" in bad


def test_figures_of_others_stand_apart_with_their_source(card):
    (section,) = card.xpath("//section[@class='published']")
    assert section.getparent().get("id") == "task-polyglot"
    assert "not measured here" in words(section)
    (group,) = [group for group in groups() if group.id == "aider-polyglot"]
    assert len(section.xpath(".//tbody/tr")) == len(group.figures)
    for row in section.xpath(".//tbody/tr"):
        assert row.xpath(".//a/@href")[0].startswith("https://") and "read 2026-11" in words(row)
    assert "41.8% (35.5 to 48.3)" in words(section)
    drawn = " ".join(words(svg) for svg in card.xpath("//svg"))
    assert not any(figure.model in drawn for figure in group.figures)
    assert not section.xpath(".//svg")


def test_samples_are_one_click_away(card):
    groups_here = card.xpath("//article[@id='task-polyglot']/details")
    samples = groups_here[0].xpath("./div[@class='sample']")
    assert len(samples) == 12
    told = words(samples[0])
    for part in ("Sample 1", "Riddle 1?", "It is right.", "right: as expected", "Let me think."):
        assert part in told


def test_a_page_holds_the_rarer_outcomes_first_and_says_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.setattr(scorecard_samples, "MAX_SAMPLES", 10)
    write_task(tmp_path, saying(["right"] * 30 + ["wrong"] * 4))
    tree = html.fromstring(scorecard_html(read_run(tmp_path)))
    assert "10 of 34 are here, the rarer outcomes first" in words(tree)
    assert "logs/0_riddles.eval" in words(tree)
    summaries = [words(each) for each in tree.xpath("//article/details/summary")]
    assert summaries == ["right: 30, of which 6 are here", "wrong: 4"]


def test_a_page_stays_within_its_bytes_whatever_models_write(tmp_path, monkeypatch):
    monkeypatch.setattr(scorecard_samples, "MAX_BYTES", 60_000)
    long = [said(n, "right", answer="<&>" * 900, reasoning="\x00" * 50) for n in range(20)]
    write_task(tmp_path, long, measure("long"))
    write_task(tmp_path, long, measure("more"))
    page = scorecard_html(read_run(tmp_path))
    assert len(page.encode()) < 60_000 + 30_000  # the rest of the page is not samples
    tree = html.fromstring(page)
    shares = [len(a.xpath(".//div[@class='sample']")) for a in tree.xpath("//article")]
    assert shares[0] == shares[1] > 0


def test_the_same_run_gives_the_same_bytes(run, comparison):
    assert scorecard_html(run) == scorecard_html(read_run(run.folder))
    assert comparison_html(comparison) == comparison_html(comparison)


def test_pages_are_written_to_their_places(folder, comparison, tmp_path):
    assert write_scorecard(folder) == folder / "scorecard.html"
    assert (folder / "scorecard.html").read_text("utf-8").startswith("<!doctype html>")
    page = write_comparison(comparison, tmp_path / "new" / "page.html")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    (tmp_path / "file").write_text("")
    with pytest.raises(WeighError, match="cannot write"):
        write_comparison(comparison, tmp_path / "file" / "page.html")


def test_a_comparison_s_numbers_are_the_comparison_s_own(beside, comparison):
    by_name = {task.task: task for task in comparison.tasks}
    rows = beside.xpath("//h2[@id='tasks']/following-sibling::div[1]//tbody/tr")
    assert len(rows) == len(by_name) == 3
    for row in rows:
        task = by_name[row.xpath(".//a/@href")[0].removeprefix("#task-")]
        first, second, difference, p_value = (words(cell) for cell in row.xpath("./td")[:4])
        for text, each in ((first, task.first), (second, task.second)):
            score = each.headline["score_details"]
            size = score["uncertainty"]["num_samples"]
            assert numbers(text) == [pytest.approx(100 * score["score"], abs=0.05), size]
        if task.difference is None:
            assert difference == "not compared" and p_value == ""
            continue
        interval = task.difference.interval
        expected = [100 * each for each in (task.difference.value, *interval[:2])]
        assert numbers(difference.replace("\u2212", "-")) == pytest.approx(expected, abs=0.05)
        assert float(p_value) == pytest.approx(task.judgement.p_value, rel=0.06)


def test_a_comparison_counts_every_pair_of_outcomes(beside, comparison):
    for task in comparison.tasks:
        (table,) = beside.xpath(
            f"//article[@id='task-{task.task}']//table[@class='narrow'][../@class]"
        )
        columns = [words(cell) for cell in table.xpath(".//thead//th")][1:]
        counts = {
            (words(row.xpath("./th")[0]), column): int(words(cell))
            for row in table.xpath("./tbody/tr")
            for column, cell in zip(columns, row.xpath("./td"), strict=True)
        }
        assert {key: count for key, count in counts.items() if count} == dict(task.outcomes)


def test_a_comparison_marks_what_is_not_compared_and_draws_only_what_is(beside):
    (alarm,) = beside.xpath("//section[@class='alarm']")
    assert "Not compared: 2 of 4 tasks" in words(alarm)
    assert "bad: the first run is not evidence" in words(alarm)
    assert "alone: only the second run has a figure" in words(alarm)
    (forest,) = beside.xpath("//desc[@id='forest-d']")
    assert "polyglot" in forest.text and "bad" not in forest.text


def test_a_comparison_shows_both_answers_and_what_was_asked_otherwise(beside):
    (article,) = beside.xpath("//article[@id='task-polyglot']")
    (group,) = [d for d in article.xpath("./details") if "A right, B wrong: 12" in words(d[0])]
    assert len(group.xpath("./div[@class='sample']")) == 12
    told = words(group.xpath("./div[@class='sample']")[0])
    assert "A: right" in told and "It is right." in told
    assert "B: wrong" in told and "It is wrong." in told
    rows = beside.xpath("//h2[@id='how']/following::tr[@class='unlike']")
    assert [[words(cell) for cell in row] for row in rows] == [
        ["Model, differs", "nano", "gpt-oss-20b"],
        ["Known to its server as, differs", "nano", "gpt-oss-20b"],
        ["Temperature, differs", "0", "1"],
    ]


def test_the_comparison_in_a_sentence_counts_verdicts(comparison):
    assert lede(comparison) == (
        "Of 2 tasks compared, A is better in 0 and B in 0; 0 are equivalent, within 5 points, and "
        "2 undecided."
    )


def test_the_terminal_has_the_headline_and_the_further_figures(run):
    first, second = terminal_rows(run.tasks["polyglot"].record)
    assert first == (
        "polyglot",
        "pass_rate_2",
        "70.6%",
        "46.9 to 86.7%",
        "17",
        "12 right, 5 wrong, 2 other",
    )
    assert second[:3] == ("", "  tokens", "16.5 tokens") and second[5] == ""


def luminance(colour):
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_suffices_in_every_theme():
    themes = [
        {
            name: value if len(value) == 7 else "#" + "".join(2 * c for c in value[1:])
            for name, value in re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block)
        }
        for block in re.findall(r":root \{[^}]*--paper[^}]*\}", STYLE)
    ]
    assert len(themes) == 3  # light, dark, print
    for theme in themes:
        for text, ground in itertools.product(("ink", "muted", "accent"), ("paper", "wash")):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground, theme)


OVERFLOW = """() => {
  document.querySelectorAll("details").forEach(each => each.open = true);
  const wide = [...document.querySelectorAll("main *, header *, footer *")].filter(each =>
    !each.closest(".scroll") && each.getBoundingClientRect().right > innerWidth + 1);
  return [document.documentElement.scrollWidth, wide.map(each => each.outerHTML.slice(0, 80))];
}"""
TEXT_SIZE = """() => Math.min(...[...document.querySelectorAll("svg text")].map(each =>
  parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a))"""


@pytest.mark.slow
def test_a_phone_shows_pages_whole_and_legible_and_nothing_is_refused(run, comparison, tmp_path):
    (tmp_path / "card.html").write_text(scorecard_html(run), "utf-8")
    (tmp_path / "beside.html").write_text(comparison_html(comparison), "utf-8")
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        told = []
        tab.on("console", lambda message: told.append(message.text))
        for name in ("card", "beside"):
            tab.goto((tmp_path / f"{name}.html").as_uri())
            assert tab.evaluate(TEXT_SIZE) >= 10
            assert tab.evaluate(OVERFLOW) == [390, []]
        assert told == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_the_pages(run, comparison, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    pages = {"card": scorecard_html(run), "beside": comparison_html(comparison)}
    with chromium() as browser:
        # Axe is a script, which the pages' own policy would refuse.
        context = browser.new_context(color_scheme=scheme, bypass_csp=True)
        tab = context.new_page()
        for name, page in pages.items():
            (tmp_path / f"{name}.html").write_text(page, "utf-8")
            tab.goto((tmp_path / f"{name}.html").as_uri())
            tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            found = axe.run(tab)
            assert found.violations_count == 0, found.generate_report()
        context.close()
