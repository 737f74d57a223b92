"""The pages in a browser: both themes, a phone, print; checked by axe-core, and by their policy."""

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from netweight.verdict import (
    make_drift,
    make_report,
    parse_story,
    read_records,
    render,
    render_drift,
)
from tests.server.browser import chromium

WAYS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
    "print": {"color_scheme": "dark"},
}
PAGES = ["verdict", "drift"]


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def axe():
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, example, example_story, tables, write_record):
    """A verdict with a measured record and a table of two stories, as the command writes them."""
    measured = read_records(write_record(model="gpt-oss-120b", hits=3, n=40))
    report = make_report(example_story, tables, date=example.date, measured=measured)
    other = "gpt-oss-120b surpasses o4-mini on core reasoning benchmarks. It has an MIT license."
    second = make_report(parse_story(other.encode(), "b.txt"), tables, date=example.date)
    (tmp_path / "verdict.html").write_text(render(report), encoding="utf-8")
    drift = render_drift(make_drift([example, second], tables))
    (tmp_path / "drift.html").write_text(drift, encoding="utf-8")
    return tmp_path


def opened(browser, folder, name, way, **options):
    """The page, and what it asked for or complained of."""
    context = browser.new_context(**WAYS[way], **options)
    tab = context.new_page()
    if way == "print":
        tab.emulate_media(media="print")
    noted = []
    tab.on("console", lambda message: noted.append(message.text))
    tab.on("request", lambda request: noted.append(request.url))
    tab.on("pageerror", lambda error: noted.append(str(error)))
    tab.goto((folder / f"{name}.html").as_uri())
    return tab, noted


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "way", ["light", *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS if way != "light")]
)
def test_the_page_is_accessible_and_asks_for_nothing(browser, folder, axe, name, way):
    tab, noted = opened(browser, folder, name, way, bypass_csp=True)
    assert noted == [(folder / f"{name}.html").as_uri()]
    tab.add_script_tag(content=axe)
    found = tab.evaluate("axe.run(document)")
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
    assert len(found["passes"]) > 15
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    tab.context.close()


def test_axe_finds_what_is_wrong_with_a_page(browser, folder, axe):
    text = (folder / "verdict.html").read_text(encoding="utf-8")
    worse = text.replace('<html lang="en">', "<html>").replace("<main>", "<div>")
    (folder / "worse.html").write_text(worse, encoding="utf-8")
    tab, _ = opened(browser, folder, "worse", "light", bypass_csp=True)
    tab.add_script_tag(content=axe)
    found = {v["id"] for v in tab.evaluate("axe.run(document)")["violations"]}
    assert {"html-has-lang", "landmark-one-main"} <= found
    tab.context.close()


def asked_of(listener):
    """All that anyone has sent; a browser may open a connection on suspicion and send nothing."""
    sent = b""
    listener.settimeout(0.2)
    with listener, suppress(TimeoutError):
        while True:
            wire, _ = listener.accept()
            wire.settimeout(0.2)
            with wire, suppress(TimeoutError):
                sent += wire.recv(1000)
    return sent


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_stops_whatever_would_get_into_the_page(browser, folder, name):
    listener = socket.create_server(("127.0.0.1", 0))
    away = f"http://127.0.0.1:{listener.getsockname()[1]}"
    planted = (
        f"<script>document.title = 'run'</script><img src='{away}/a.png' "
        f"onerror=\"document.title = 'run'\"><iframe src='{away}/'></iframe>"
        f"<link rel=stylesheet href='{away}/a.css'><style>h1 {{ color: red }}</style>"
        "<p id=planted style='color: red'>here</p></main>"
    )
    page = folder / f"{name}.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", planted), encoding="utf-8")
    tab, noted = opened(browser, folder, name, "light")
    assert tab.title() != "run"
    red = "rgb(255, 0, 0)"
    for element in ("#planted", "h1"):
        assert tab.evaluate(f"getComputedStyle(document.querySelector('{element}')).color") != red
    assert len([text for text in noted if "Content Security Policy" in text]) >= 5
    tab.context.close()
    assert asked_of(listener) == b""


def test_a_claim_s_permalink_leads_to_the_claim(browser, folder):
    tab, _ = opened(browser, folder, "verdict", "light")
    tab.goto((folder / "verdict.html").as_uri() + "#c12")
    box = tab.locator("#c12").bounding_box()
    assert -1 < box["y"] < 720  # half a pixel may be above the edge
    tab.context.close()


def test_the_page_prints_on_white_with_its_addresses(browser, folder):
    tab, _ = opened(browser, folder, "verdict", "print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = "getComputedStyle(document.querySelector('.sources a'), '::after').content"
    assert "http" in tab.evaluate(shown)
    assert tab.pdf()[:5] == b"%PDF-"
    tab.context.close()
