"""Fetching within limits, from servers of the test's own."""

import gzip
import shutil
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.errors import StoryError
from netweight.verdict import fetch as fetching
from netweight.verdict import read_story
from netweight.verdict.fetch import MAX_REDIRECTS, fetch, is_public, is_url, resolve

STORY = b"gpt-oss-120b comes under the Apache 2.0 license, and so does its smaller sibling."
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2001:db8::1",
]  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Answers each path with what the test's table says: status, headers, and body or function."""

    def do_GET(self):
        self.server.seen.append((self.path, self.headers["Host"]))
        status, headers, body = self.server.answers[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if callable(body):
            body(self.wfile)
        else:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # the client has gone, as it should


@contextmanager
def serving(answers, context=None):
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.seen = answers, []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def page(body=STORY, status=200, **headers):
    return (
        status,
        {"Content-Type": "text/plain", "Content-Length": str(len(body))} | headers,
        body,
    )


def here(host, port):
    return ["127.0.0.1"]


def refused(url, match, **options):
    options.setdefault("allow_private", True)
    with pytest.raises(StoryError, match=match) as caught:
        fetch(url, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_public_internet_is_known(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_an_address_of_the_public_internet_is_known(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_is_sent_to_a_name_that_leads_to_a_private_address(address, monkeypatch):
    def connect(*args, **options):
        raise AssertionError("connected")

    monkeypatch.setattr(fetching.socket, "create_connection", connect)
    for found in ([address], ["8.8.8.8", address]):
        with pytest.raises(StoryError, match="not a public address"):
            fetch("http://news.example/a", resolver=lambda host, port, found=found: found)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://2130706433:9/"])
def test_the_system_s_resolver_is_what_decides(url):
    with pytest.raises(
        StoryError, match=r"is at (127\.0\.0\.1|::1), which is not a public address"
    ):
        fetch(url)


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_used():
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving({"/a": page()}) as server:
        url = f"http://news.example:{server.server_port}/a"
        found = fetch(url, allow_private=True, resolver=rebinding)
    assert asked == ["news.example"] and found.content == STORY
    assert server.seen == [("/a", f"news.example:{server.server_port}")]


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.org/a", "only http and https"),
        ("gopher://example.org", "only http and https"),
        ("http://user:secret@example.org/", "user name or password"),
        ("http:///path", "names no host"),
        ("http://example.org:99999/", "not an address"),
        ("http://[::1/", "not an address"),
        ("http://example.org/a b", "control character"),
        ("http://example.org/\r\nHost: other", "control character"),
        ("http://example.org/" + "a" * 2000, "at most 2,000"),
        ("http://" + "\u00e4" * 70 + ".example/", "not a host's name"),
    ],
)
def test_an_address_that_is_not_allowed_is_refused_before_anything_is_asked(url, match):
    def resolver(host, port):
        raise AssertionError("resolved")

    refused(url, match, resolver=resolver)


def test_a_secret_in_an_address_is_not_repeated():
    with pytest.raises(StoryError) as caught:
        fetch("http://user:secret@example.org/")
    assert "secret" not in str(caught.value)


def test_redirects_are_followed_and_each_is_checked(monkeypatch):
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
    names = {"news.example": ["127.0.0.1"], "inside.example": ["169.254.169.254"]}
    with serving({"/a": page(), "/b": page(b"", 302, Location="/a?x=1")}) as server:
        port = server.server_port
        server.answers["/c"] = page(b"", 301, Location=f"http://inside.example:{port}/a")
        server.answers["/d"] = page(b"", 307, Location="file:///etc/passwd")
        resolver = lambda host, _: names[host]  # noqa: E731
        found = fetch(f"http://news.example:{port}/b", resolver=resolver)
        assert found.url == f"http://news.example:{port}/a?x=1"
        refused(
            f"http://news.example:{port}/c", "not a public", resolver=resolver, allow_private=False
        )
        refused(f"http://news.example:{port}/d", "only http and https", resolver=resolver)
    assert [path for path, _ in server.seen] == ["/b", "/a?x=1", "/c", "/d"]


def test_a_redirect_in_a_circle_ends():
    with serving({"/a": page(b"", 302, Location="/a")}) as server:
        refused(f"http://n.example:{server.server_port}/a", "more than 5 times", resolver=here)
    assert len(server.seen) == MAX_REDIRECTS + 1


def test_a_page_larger_than_the_limit_is_refused_by_what_it_declares_and_by_what_it_sends():
    def endless(wire):
        while True:
            wire.write(b"a model " * 1000)

    answers = {
        "/declared": page(b"", **{"Content-Length": "5001"}),
        "/endless": (200, {"Content-Type": "text/plain"}, endless),
        "/just": page(b"a" * 5000),
    }
    with serving(answers) as server:
        url = f"http://n.example:{server.server_port}"
        for path in ("/declared", "/endless"):
            refused(url + path, "larger than a story", resolver=here, max_bytes=5000)
        found = fetch(url + "/just", resolver=here, max_bytes=5000, allow_private=True)
        assert len(found.content) == 5000


def test_a_small_packed_page_cannot_fill_the_memory():
    bomb = gzip.compress(bytes(30_000_000))
    assert len(bomb) < 40_000
    with serving({"/a": page(bomb, **{"Content-Encoding": "gzip"})}) as server:
        start = time.process_time()
        refused(f"http://n.example:{server.server_port}/a", "larger than a story", resolver=here)
    assert time.process_time() - start < 1


def test_a_packed_page_is_unpacked_and_a_cut_one_refused():
    packed = gzip.compress(STORY)
    answers = {
        "/a": page(packed, **{"Content-Encoding": "gzip"}),
        "/cut": page(packed[:-9], **{"Content-Encoding": "gzip"}),
        "/br": page(packed, **{"Content-Encoding": "br"}),
        "/bad": page(b"no gzip at all", **{"Content-Encoding": "gzip"}),
    }
    with serving(answers) as server:
        url = f"http://n.example:{server.server_port}"
        assert fetch(url + "/a", resolver=here, allow_private=True).content == STORY
        refused(url + "/cut", "ends early", resolver=here)
        refused(url + "/br", "'br', which was not asked for", resolver=here)
        refused(url + "/bad", "cannot be fetched", resolver=here)


def test_a_page_that_comes_in_drops_is_given_up_in_time():
    def drip(wire):
        while True:
            wire.write(b"a")
            time.sleep(0.05)

    with serving({"/a": (200, {"Content-Type": "text/plain"}, drip)}) as server:
        start = time.monotonic()
        url = f"http://n.example:{server.server_port}/a"
        refused(url, "longer than 0.4 seconds", resolver=here, timeout_s=0.4)
    assert time.monotonic() - start < 3


def test_headers_that_come_in_drops_are_given_up_in_time():
    listener = fetching.socket.create_server(("127.0.0.1", 0))

    def drip():
        wire, _ = listener.accept()
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"a" * 10_000:
                wire.send(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass  # the client has gone, as it should
        wire.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    start = time.monotonic()
    url = f"http://n.example:{listener.getsockname()[1]}/"
    refused(url, "longer than 0.4 seconds", resolver=here, timeout_s=0.4)
    assert time.monotonic() - start < 3
    thread.join()
    listener.close()


def test_a_server_that_is_not_there_or_breaks_off_is_one_line():
    with serving({"/cut": page(b"short", **{"Content-Length": "500"})}) as server:
        url = f"http://n.example:{server.server_port}"
        refused(url + "/cut", "cannot be fetched", resolver=here)
        refused(url + "/none", "cannot be fetched", resolver=here)  # the server closes
    refused(url + "/cut", "cannot be fetched.*refused", resolver=here)


@pytest.mark.parametrize("status", [204, 304, 403, 404, 500])
def test_an_error_of_the_server_is_named(status):
    with serving({"/a": page(b"", status)}) as server:
        refused(f"http://n.example:{server.server_port}/a", str(status), resolver=here)


@pytest.mark.parametrize("media_type", ["application/zip", "image/png", "application/json"])
def test_what_is_no_text_is_refused_by_its_type(media_type):
    with serving({"/a": page(**{"Content-Type": media_type})}) as server:
        refused(f"http://n.example:{server.server_port}/a", media_type, resolver=here)


def test_a_redirect_away_from_encryption_is_refused(certified):
    context, trust = certified
    with serving({"/a": page(b"", 302, Location="http://news.example/a")}, context) as server:
        url = f"https://news.example:{server.server_port}/a"
        refused(url, "without encryption", resolver=here)
    assert trust


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """A certificate for news.example, and a client that trusts it alone."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=news.example -addext subjectAltName=DNS:news.example -keyout key.pem -out c.pem"
    )
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "c.pem"))
    monkeypatch.setattr(fetching.ssl, "create_default_context", lambda: trusting)
    return context, trusting


def test_https_is_checked_by_the_name_that_was_asked_for(certified):
    context, _ = certified
    with serving({"/a": page()}, context) as server:
        port = server.server_port
        found = fetch(f"https://news.example:{port}/a", resolver=here, allow_private=True)
        assert found.content == STORY
        refused(f"https://other.example:{port}/a", "[Hh]ostname mismatch", resolver=here)


def test_a_story_is_read_from_its_address(monkeypatch):
    html = (
        "<html><head><title>T</title></head><body><article><p>gpt-oss-120b comes under the Apache "
        "2.0 licence, \u00e9ditors say, and anyone may use it.</p></article></body></html>"
    ).encode("latin-1")
    headers = {"Content-Type": "text/html; charset=ISO-8859-1"}
    with serving({"/story": page(html, **headers)}) as server:
        url = f"http://127.0.0.1:{server.server_port}/story"
        with pytest.raises(StoryError, match="--allow-private"):
            read_story(url)
        story = read_story(url, allow_private=True)
    assert "\u00e9ditors" in story.text and story.format == "html"
    assert story.url == story.name == url


@pytest.mark.parametrize(
    ("text", "expected"),
    [("http://a.b", True), ("HTTPS://a.b", True), ("file:///a", True), ("story.txt", False),
     ("C:\\story.txt", False), ("-", False), ("a/http://b", False)],
)  # fmt: skip
def test_an_address_is_told_from_a_file(text, expected):
    assert is_url(text) is expected


def test_a_name_that_leads_nowhere_is_one_line(monkeypatch):
    def unknown(*args, **options):
        raise fetching.socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(fetching.socket, "getaddrinfo", unknown)
    with pytest.raises(StoryError, match="cannot be found"):
        resolve("nowhere.invalid", 80)


@given(st.text(max_size=60))
def test_no_address_makes_anything_but_a_clear_refusal(text):
    with pytest.raises(StoryError):
        fetch("http://" + text, resolver=lambda host, port: ["10.0.0.1"])
