"""One connection to a client, with limits on slowness where uvicorn has none.

They are on headers, their size and the time until they are complete; on the rest of a request that
has been answered already; and on a client that does not read its answer. Whoever exceeds one is cut
off. A request's body has its limits in `guards`.
"""

import asyncio
import logging

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

_MAX_HEADER_BYTES = 64 * 1024


class _Collecting(asyncio.Transport):
    """Writes at the end of the event loop's round what was written in it.

    To write to a client that sleeps is to wake it. Where the writes of a step to 64 clients follow
    each other, the clients' processor is awake for all but the first: a token then cost the server
    40 microseconds in place of 55 (2-core virtual machine, uvloop 0.23).
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(bytes(data))

    def _flush(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()


class Connection(HttpToolsProtocol):
    """A uvicorn connection that does not wait for ever."""

    header_timeout_s = 20.0
    stall_timeout_s = 60.0  # in which a client reads something, where there is much to read
    linger_timeout_s = 10.0  # in which the rest of a refused request has to come

    _timers: dict[str, asyncio.TimerHandle]
    _num_header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self.transport = _Collecting(transport, self.loop)
        self._timers = {}
        self._wait("headers", self.header_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers."""
        super().data_received(data)
        if "headers" in self._timers:
            self._num_header_bytes += len(data)
            if self._num_header_bytes > _MAX_HEADER_BYTES:
                self._cut_off("headers are too large")
        elif self._is_between_requests and self.timeout_keep_alive_task is None:
            # What came ended a refused request; uvicorn takes it for the beginning of another.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        self._wait("headers", self.header_timeout_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Headers have come."""
        self._stop_waiting("headers")
        self._num_header_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request has come whole."""
        self._stop_waiting("the rest of a refused request")
        super().on_message_complete()
        self.cycle.more_body = False  # uvicorn forgets it when the response was earlier

    def on_response_complete(self) -> None:
        """Wait for what may still come of the request, and throw it away."""
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._wait("the rest of a refused request", self.linger_timeout_s)

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        super().pause_writing()
        self._wait("the client to read", self.stall_timeout_s)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._stop_waiting("the client to read")

    @property
    def _is_between_requests(self) -> bool:
        cycle = self.cycle
        if cycle is None:  # uvicorn begins so
            return True
        return cycle.response_complete and not cycle.more_body

    def _wait(self, for_what: str, timeout_s: float) -> None:
        if for_what not in self._timers and not self.transport.is_closing():
            self._timers[for_what] = self.loop.call_later(
                timeout_s, self._cut_off, f"{for_what} did not come in {timeout_s:g} s"
            )

    def _stop_waiting(self, for_what: str) -> None:
        timer = self._timers.pop(for_what, None)
        if timer is not None:
            timer.cancel()

    def _cut_off(self, why: str) -> None:
        log.info("connection cut off: %s", why)
        self.transport.abort()
