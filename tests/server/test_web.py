"""The page's files, as the server gives them out."""

import re
from html.parser import HTMLParser
from importlib import resources

import httpx
import pytest

from netweight.server import serving
from netweight.server.settings import ServerSettings
from tests.server.conftest import ANSWER, saying

FOLDER = resources.files("netweight.server") / "web"
FILES = sorted(file.name for file in FOLDER.iterdir() if file.name != "index.html")


@pytest.fixture(scope="module")
def site():
    """A client of the page of a server that asks for a key."""
    settings = ServerSettings(api_keys=("sesame",))
    with (
        serving(saying(ANSWER), settings) as url,
        httpx.Client(base_url=url.removesuffix("/v1")) as client,
    ):
        yield client


class Addresses(HTMLParser):
    """Everything that a page's elements point at."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href")]


def test_the_page_is_there_without_a_key(site):
    response = site.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_given_as_what_it_is(site, name):
    response = site.get(f"/web/{name}")
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert response.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])
    assert response.content == (FOLDER / name).read_bytes()


def test_a_file_that_is_not_there_is_not_found(site):
    for path in ("/web/none.js", "/web/", "/web/../web.py", "/web/%2e%2e/web.py"):
        assert site.get(path, headers={"Authorization": "Bearer sesame"}).status_code == 404


def test_the_page_may_load_nothing_from_elsewhere(site):
    policy = site.get("/").headers["content-security-policy"]
    assert "default-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*|data:", policy)


def test_the_page_names_only_what_this_server_has(site):
    for address in Addresses(site.get("/").text).found:
        if not address.startswith("#"):
            assert site.get(f"/{address}").status_code == 200, address


def test_no_text_becomes_html():
    for name in FILES:
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_the_page_is_not_part_of_the_api(site):
    assert not {"/", "/web/main.js"} & set(site.get("/openapi.json").json()["paths"])
