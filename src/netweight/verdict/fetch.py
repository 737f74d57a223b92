"""One page or PDF from the web, fetched within limits: schemes, addresses, size, time, redirects.

A name is resolved once for each request; if any of its addresses is not public, nothing is sent,
and the connection is made to the very addresses that were checked. Redirects are checked anew.
Proxies are not used, cookies not kept. Knows nothing of stories.
"""

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
import urllib.parse
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from netweight.errors import StoryError

MAX_BYTES = 5_000_000
TIMEOUT_S = 20.0  # for everything after the name's resolution, redirects included
MAX_REDIRECTS = 5
MAX_URL_CHARACTERS = 2_000

_HEADERS = {
    "User-Agent": "netweight-verdict (reads one page at a person's request)",
    "Accept": "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, "
    "application/pdf;q=0.8",
    "Accept-Encoding": "gzip, identity;q=0.5",
    "Connection": "close",
}
_READABLE_TYPES = frozenset(
    {
        "",
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/markdown",
        "text/x-markdown",
        "application/pdf",
    }
)
_EMBEDDED_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: IPv4 behind a translator

Resolve = Callable[[str, int], list[str]]


class Fetched(NamedTuple):
    """What a page's address gave, and the address it was read from after redirects."""

    content: bytes
    url: str
    media_type: str
    charset: str | None


class _Target(NamedTuple):
    url: str
    is_secure: bool
    host: str
    port: int
    path: str


def is_url(text: str) -> bool:
    """Whether a text is meant as an address rather than as a file: it begins with a scheme."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.\-]*://", text))


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, by the system's resolver.

    Raises:
        StoryError: the name leads nowhere.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StoryError(f"{host} cannot be found: {error}. Check the address.") from error
    return list(dict.fromkeys(str(row[4][0]) for row in found))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _EMBEDDED_IPV4:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast


def fetch(
    url: str,
    *,
    allow_private: bool = False,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = MAX_BYTES,
    resolver: Resolve = resolve,
) -> Fetched:
    """Get a page of text, or a PDF.

    Raises:
        StoryError: the address is not allowed or leads nowhere; the reply is too large, too slow,
            an error, or no text.
    """
    deadline = time.monotonic() + timeout_s
    asked = url
    for _ in range(MAX_REDIRECTS + 1):
        target = _target(url)
        addresses = _addresses(target, resolver, allow_private=allow_private)
        try:
            answer = _ask(target, addresses, deadline, max_bytes)
        except TimeoutError as error:
            raise StoryError(
                f"{asked} took longer than {timeout_s:g} seconds. Save the page and give the file."
            ) from error
        except (OSError, http.client.HTTPException, zlib.error) as error:
            raise StoryError(f"{asked} cannot be fetched: {_reason(error)}.") from error
        if isinstance(answer, Fetched):
            return answer
        url = _redirected(target, answer)
    raise StoryError(f"{asked} redirects more than {MAX_REDIRECTS} times. Give the last address.")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _target(url: str) -> _Target:
    """An address taken apart, if it is one that may be fetched."""
    if len(url) > MAX_URL_CHARACTERS or re.search(r"[\x00-\x20\x7f]", url):
        raise StoryError(
            f"an address has at most {MAX_URL_CHARACTERS:,} characters, and none of them is a "
            "space or a control character. Check the address."
        )
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise StoryError(f"{url} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https"):
        raise StoryError(f"{url} is not fetched: only http and https are. Save it and give a file.")
    if parts.username is not None or parts.password is not None:
        raise StoryError("an address with a user name or password in it is not fetched.")
    if not parts.hostname:
        raise StoryError(f"{url} names no host. Write it as https://example.org/story.")
    is_secure = parts.scheme == "https"
    path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return _Target(
        url=parts._replace(fragment="").geturl(),
        is_secure=is_secure,
        host=_ascii_host(parts.hostname),
        port=port or (443 if is_secure else 80),
        path=f"{path}?{query}" if query else path,
    )


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise StoryError(f"{host} is not a host's name: {error}.") from error


def _addresses(target: _Target, resolver: Resolve, *, allow_private: bool) -> list[str]:
    """The target's addresses; all must be public unless private ones are asked for."""
    addresses = resolver(target.host, target.port)
    if not addresses:
        raise StoryError(f"{target.host} cannot be found. Check the address.")
    private = [address for address in addresses if not is_public(address)]
    if private and not allow_private:
        raise StoryError(
            f"{target.host} is at {private[0]}, which is not a public address, so nothing was "
            "sent there. Use --allow-private if that is meant."
        )
    return addresses


def _redirected(target: _Target, location: str) -> str:
    url = urllib.parse.urljoin(target.url, location.strip())
    if target.is_secure and urllib.parse.urlsplit(url).scheme == "http":
        raise StoryError(
            f"{target.url} redirects to an address without encryption: {url}. Give that address "
            "if it is meant."
        )
    return url


class _Timed(io.RawIOBase):
    """A socket's bytes, each wait for them bounded by what is left of one deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self.sock, self.deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        self.sock.settimeout(_left(self.deadline))
        return self.sock.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Reply(http.client.HTTPResponse):
    """A reply that is read against a deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__(sock, method="GET")
        self.fp.close()
        self.fp = io.BufferedReader(_Timed(sock, deadline))


def _ask(target: _Target, addresses: list[str], deadline: float, max_bytes: int) -> Fetched | str:
    """The page, or the address that the reply redirects to."""
    with _connected(target, addresses, deadline) as sock:
        sock.settimeout(_left(deadline))
        sock.sendall(_request(target))
        reply = _Reply(sock, deadline)
        reply.begin()
        with reply:
            if reply.status in (301, 302, 303, 307, 308) and (to := reply.getheader("Location")):
                return to
            return _page(target, reply, max_bytes)


def _connected(target: _Target, addresses: list[str], deadline: float) -> socket.socket:
    """A connection to the first address that takes one, over TLS for https."""
    problem: OSError | None = None
    for address in addresses:
        try:
            sock = socket.create_connection((address, target.port), timeout=_left(deadline))
        except OSError as error:
            _left(deadline)
            problem = error
            continue
        if not target.is_secure:
            return sock
        try:
            return ssl.create_default_context().wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise
    assert problem is not None
    raise problem


def _request(target: _Target) -> bytes:
    default = 443 if target.is_secure else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    host += "" if target.port == default else f":{target.port}"
    lines = [f"GET {target.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in _HEADERS.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _page(target: _Target, reply: http.client.HTTPResponse, max_bytes: int) -> Fetched:
    if reply.status != 200:
        raise StoryError(
            f"{target.url} answered {reply.status} {reply.reason}. Check the address, or save the "
            "page and give the file."
        )
    media_type = reply.headers.get_content_type() if reply.getheader("Content-Type") else ""
    if media_type not in _READABLE_TYPES:
        raise StoryError(
            f"{target.url} is {media_type}, not a text, Markdown, HTML or PDF page. Save its text "
            "and give that."
        )
    declared = reply.getheader("Content-Length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise StoryError(_too_large(target, max_bytes))
    content = _body(target, reply, max_bytes)
    return Fetched(content, target.url, media_type, reply.headers.get_content_charset())


def _body(target: _Target, reply: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """The reply's body, unpacked as it comes so that a small reply cannot fill the memory."""
    encoding = reply.getheader("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise StoryError(f"{target.url} is packed as {encoding!r}, which was not asked for.")
    unpack = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    content = bytearray()
    while chunk := reply.read1(65_536):
        content += unpack.decompress(chunk, max_bytes + 1) if unpack else chunk
        if len(content) > max_bytes:
            raise StoryError(_too_large(target, max_bytes))
    if reply.length:
        raise http.client.IncompleteRead(bytes(content), reply.length)
    if unpack and not unpack.eof:
        raise zlib.error("the packed page ends early")
    return bytes(content)


def _too_large(target: _Target, max_bytes: int) -> str:
    return (
        f"{target.url} is larger than a story: the limit is {max_bytes / 1e6:g} MB. "
        "Save the article alone, as text."
    )
