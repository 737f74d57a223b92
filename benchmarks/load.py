"""Many clients that read streams at once: what each saw, and when.

The clients speak HTTP themselves, since an ordinary one would need more processor time than the
server that is measured. They expect what any does: a status, headers, events.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

Body = dict[str, Any]


@dataclass
class Stream:
    """One response as it came: its pieces, and the time of each."""

    key: int  # which request this is
    started_s: float
    status: int = 0
    pieces: list[bytes] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    is_complete: bool = False

    def events(self) -> list[Body]:
        """The events, without the [DONE] that must be the last of them.

        Raises:
            ValueError: when the stream is not whole.
        """
        if self.status != 200 or not self.is_complete:
            text = b"".join(self.pieces)[-500:].decode(errors="replace")
            raise ValueError(f"status {self.status}, complete: {self.is_complete}: {text}")
        blocks = b"".join(self.pieces).replace(b"\r\n", b"\n").split(b"\n\n")
        *blocks, done, end = [block for block in blocks if not block.startswith(b":")]
        if (done, end) != (b"data: [DONE]", b""):
            raise ValueError(f"the stream ends with {done!r}, {end!r}")
        return [json.loads(block.removeprefix(b"data: ")) for block in blocks]


class _Client(asyncio.Protocol):
    """A connection on which one request follows the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._stream: Stream | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._ended: asyncio.Future[None] | None = None
        self.is_lost = False

    async def ask(self, head: bytes, body: bytes, stream: Stream) -> None:
        """Send a request and wait until its response has ended, or the connection has."""
        assert self._transport is not None
        self._stream = stream
        self._parser = httptools.HttpResponseParser(self)
        self._ended = asyncio.get_running_loop().create_future()
        self._transport.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._end()

    def data_received(self, data: bytes) -> None:
        assert self._parser is not None
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        assert self._stream is not None
        assert self._parser is not None
        self._stream.status = self._parser.get_status_code()
        self._stream.pieces.append(body)
        self._stream.times_s.append(time.perf_counter())

    def on_message_complete(self) -> None:
        assert self._stream is not None
        self._stream.is_complete = True
        self._end()

    def _end(self) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)


async def run(
    url: str,
    bodies: Sequence[Body],
    *,
    num_clients: int,
    duration_s: float,
    check: Callable[[Stream], object],
) -> list[Stream]:
    """Let clients ask for `bodies`, again and again until the time is over.

    Each stream is checked when it ends, and then kept without its pieces.
    """
    deadline = time.perf_counter() + duration_s
    clients = [
        _client(url, _in_turn(bodies, number), deadline, check) for number in range(num_clients)
    ]
    return [stream for streams in await asyncio.gather(*clients) for stream in streams]


def _in_turn(bodies: Sequence[Body], first: int) -> Iterator[tuple[int, bytes]]:
    encoded = [json.dumps(body).encode() for body in bodies]
    while True:
        yield first % len(encoded), encoded[first % len(encoded)]
        first += 1


async def _client(
    url: str,
    requests: Iterator[tuple[int, bytes]],
    deadline_s: float,
    check: Callable[[Stream], object],
) -> list[Stream]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer none\r\n"
    ).encode()
    streams: list[Stream] = []
    client: _Client | None = None
    while time.perf_counter() < deadline_s:
        if client is None or client.is_lost:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(_Client, parts.hostname, parts.port)
        key, body = next(requests)
        stream = Stream(key, time.perf_counter())
        await client.ask(head, body, stream)
        check(stream)
        stream.pieces.clear()
        streams.append(stream)
    return streams
