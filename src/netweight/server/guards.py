"""What stands before the APIs: who may come in, how much they may bring, how many at once.

Each guard is an ASGI application around the next one, and answers what it refuses. Knows headers
and sizes; knows nothing of what the APIs do.
"""

import asyncio
import hashlib
import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Iterable

from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from netweight.server.metrics import Metrics
from netweight.server.problems import Problem
from netweight.server.service import CLIENT_LEFT

log = logging.getLogger(__name__)

# Anybody may ask whether the server is well and what it can do; nothing here touches the model.
OPEN_PATHS = frozenset({"/", "/health", "/docs", "/openapi.json"})
OPEN_FOLDER = "/web/"
_HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(:[0-9]*)?")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_DEPTH = 200  # of JSON; pydantic's parser, which counts it, has this limit built in
_RETRY_AFTER_S = 1
_BODIES_AT_ONCE = 8  # of the largest size, that are kept at once


class Observer:
    """Counts and times requests, and logs each in a line without text of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, access_log: bool) -> None:
        """Lines go to this module's logger."""
        self._app, self._metrics, self._access_log = app, metrics, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s, status, is_complete = self._metrics.clock(), CLIENT_LEFT, False

        async def noting(message: Message) -> None:
            nonlocal status, is_complete
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                is_complete = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            status, is_complete = 500, True
            raise
        finally:
            # A response that has begun well and does not end has lost its reader.
            status = status if is_complete else CLIENT_LEFT
            self._note(scope, status, self._metrics.clock() - started_s)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = str(getattr(route, "path", "other"))  # not the client's, which could be anything
        self._metrics.http_requests.add(1, path, scope["method"], str(status))
        self._metrics.request_duration.observe(seconds)
        if self._access_log:
            client = (scope.get("client") or ("-",))[0]
            # As it was sent: percent-encoded, and without the query string.
            sent = scope["raw_path"].decode("ascii", "replace")
            log.info("%s %s %s %d %.3f s", client, scope["method"], sent, status, seconds)


class KeyGuard:
    """Lets nobody in without an API key, but to the open paths."""

    def __init__(self, app: ASGIApp, keys: Iterable[str]) -> None:
        """Any of `keys` will do."""
        self._app = app
        self._digests = [_digest(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what has a key."""
        if scope["type"] == "http" and not _is_open(scope) and not self._has_key(scope):
            problem = Problem(
                "this server needs an API key that it knows, sent as: Authorization: Bearer KEY.",
                status=401,
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await problem.response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        kind, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        digest = _digest(key.strip().encode("utf-8", "surrogateescape"))
        # All are compared, each in constant time, so that time tells nothing of any.
        matches = [secrets.compare_digest(digest, known) for known in self._digests]
        return kind.lower() == "bearer" and any(matches)


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _is_open(scope: Scope) -> bool:
    path = scope["path"]
    is_read = scope["method"] in ("GET", "HEAD")
    return is_read and (path in OPEN_PATHS or path.startswith(OPEN_FOLDER))


class BrowserGuard:
    """Keeps web pages from elsewhere from using a server that asks for no key.

    A page may make its reader's browser send requests to the reader's own machine. It betrays
    itself by its origin, or, where its name was made to lead here (DNS rebinding), by that name: so
    names other than this machine's are refused. An address in digits leads nowhere else.
    """

    def __init__(self, app: ASGIApp, host_names: Iterable[str], origins: Iterable[str]) -> None:
        """`host_names` lead here as well; pages of `origins` are welcome ("*": all)."""
        self._app = app
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(name.lower() for name in host_names)}
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what no foreign page has sent."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is not None:
            await problem.response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host and not self._is_ours(host):
            return Problem(
                f"this server does not answer to the name {host!r}. Use its address or localhost, "
                "or start it with --allow-host NAME or with an API key.",
                status=403,
                code="host_not_allowed",
            )
        origin = headers.get("origin")
        if origin is None or scope["method"] in _SAFE_METHODS or self._is_welcome(origin, host):
            return None
        return Problem(
            f"pages of {origin!r} may not use this server. Start it with --cors-origin {origin} "
            "if they should.",
            status=403,
            code="origin_not_allowed",
        )

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return False
        address, name = match["address"], match["name"]
        if address is not None:
            return _is_address(address)
        return name in self._names or name.endswith(".localhost") or _is_address(name)

    def _is_welcome(self, origin: str, host: str) -> bool:
        is_own_page = origin in (f"http://{host}", f"https://{host}")
        return is_own_page or origin in self._origins or "*" in self._origins


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class CrowdGuard:
    """Takes so many requests at once, those that wait for the model included, and no more.

    Requests that only read are not counted, so that a full server can still be asked how it is.
    """

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        """Refuse what would be more than `max_requests`."""
        self._app, self._max_requests, self._num = app, max_requests, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on while there is room."""
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        if self._num >= self._max_requests:
            problem = _busy(f"as many requests as it takes: {self._num} (--max-requests)")
            await problem.response(scope, receive, send)
            return
        self._num += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._num -= 1


class BodyGuard:
    """Reads a request's body whole, within limits of size, time and depth, and passes it on."""

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float) -> None:
        """A body has `max_bytes` at most and arrives within `timeout_s`."""
        self._app, self._max_bytes, self._timeout_s = app, max_bytes, timeout_s
        self._num_held = 0  # bytes of all requests that are under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what has a body within the limits, or none."""
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        try:
            is_whole = await self._read(scope, receive, body)
            if is_whole:  # else the client left before it had said what it wanted
                await self._app(scope, _replayed(body, receive), send)
        except Problem as problem:
            await problem.response(scope, receive, send)
        finally:
            self._num_held -= len(body)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Read the whole body; False when the client leaves."""
        announced = Headers(scope=scope).get("content-length", "0")
        self._check_size(int(announced) if announced.isdecimal() else 0)
        try:
            async with asyncio.timeout(self._timeout_s):
                is_whole = await self._collect(receive, body)
        except TimeoutError:
            raise Problem(
                f"the request's body did not arrive within {self._timeout_s:g} seconds.",
                status=408,
                code="timeout",
                headers={"Connection": "close"},
            ) from None
        _check_depth(body)
        return is_whole

    async def _collect(self, receive: Receive, body: bytearray) -> bool:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            piece = message.get("body", b"")
            self._check_size(len(body) + len(piece))
            if self._num_held + len(piece) > _BODIES_AT_ONCE * self._max_bytes:
                raise _busy("as many large requests as it has memory for")
            body += piece
            self._num_held += len(piece)
            if not message.get("more_body", False):
                return True

    def _check_size(self, num_bytes: int) -> None:
        if num_bytes > self._max_bytes:
            raise Problem(
                f"the request's body has {num_bytes:,} bytes or more; the limit is "
                f"{self._max_bytes:,} (--max-body). Send less.",
                status=413,
                code="request_too_large",
            )


def _replayed(body: bytearray, receive: Receive) -> Receive:
    """A `receive` that gives the whole body first."""
    messages: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _busy(with_what: str) -> Problem:
    return Problem(
        f"the server is busy with {with_what}; try again later.",
        status=429,
        code="rate_limit_exceeded",
        headers={"Retry-After": str(_RETRY_AFTER_S)},
    )


def _check_depth(body: bytearray) -> None:
    """Refuse JSON that is nested so deeply that reading it would exhaust Python's stack."""
    if body.count(b"[") + body.count(b"{") <= _MAX_DEPTH:
        return
    try:
        from_json(bytes(body))
    except ValueError as error:
        # Whatever else may be wrong with it is told where it is read.
        if "recursion limit" in str(error):
            raise Problem(
                f"the request's JSON is nested deeper than {_MAX_DEPTH} levels.",
                code="invalid_json",
            ) from None
