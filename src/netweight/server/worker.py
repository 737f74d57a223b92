"""The engine's thread: requests come in from the event loop, events go back to it.

One thread owns the engine, so the engine needs no locks; each request has its own queue. Knows
nothing of HTTP or of conversations.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from netweight.engine import Engine, Event, Finish, Request
from netweight.errors import ServerError

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Stream:
    """The way back of one request's events."""

    request: Request
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    events: "asyncio.Queue[Event | ServerError]" = field(default_factory=asyncio.Queue)
    request_id: int | None = None  # given in the engine's thread

    def send(self, event: Event | ServerError) -> None:
        """Hand an event, or why there are no more, to the event loop."""
        self.loop.call_soon_threadsafe(self.events.put_nowait, event)


class Worker:
    """Runs an engine in a thread of its own, from `start` to `stop`."""

    def __init__(self, engine: Engine) -> None:
        """The engine belongs to this worker from `start` on."""
        self._engine = engine
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._streams: dict[int, _Stream] = {}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._is_stopping = False
        self.refusal: str | None = "the engine has not started"  # why no request is taken

    def start(self) -> None:
        """Start the thread; requests may come."""
        self.refusal = None
        self._thread.start()

    def drain(self) -> None:
        """Take no more requests, and end those under way."""
        self.refusal = "the server is stopping"
        self._commands.put(lambda: self._fail_all("the server is stopping"))

    def stop(self) -> None:
        """Drain, and wait until the thread has ended."""
        self.drain()
        self._commands.put(self._end)
        self._thread.join()

    async def events(self, request: Request) -> AsyncGenerator[Event]:
        """A request's events. Closing the iterator, or cancelling its task, cancels the request.

        Raises:
            ServerError: when the worker takes no requests, or stops before the request has ended.
            RequestError: when the request cannot run.
        """
        self._engine.check(request)
        if self.refusal:
            raise ServerError(f"{self.refusal}; try again later.")
        stream = _Stream(request)
        self._commands.put(lambda: self._submit(stream))
        try:
            while True:
                event = await stream.events.get()
                if isinstance(event, ServerError):
                    raise event
                yield event
                if isinstance(event, Finish):
                    return
        finally:
            self._commands.put(lambda: self._cancel(stream))

    # From here on: the engine's thread.

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._obey()
                if self._engine.has_work:
                    for event in self._engine.step():
                        self._streams[event.request_id].send(event)
        except Exception:  # our own mistake, but no client may wait for ever because of it
            log.exception("the engine has failed")
            self.refusal = "the engine has failed"
            self._fail_all(self.refusal)
            while not self._is_stopping:
                self._commands.get()()

    def _obey(self) -> None:
        """Follow all commands that have come; with nothing else to do, wait for one."""
        if not self._engine.has_work:
            self._commands.get()()
        while not self._commands.empty():
            self._commands.get()()

    def _submit(self, stream: _Stream) -> None:
        if self.refusal:  # since the request was queued
            stream.send(ServerError(f"{self.refusal}; try again later."))
            return
        stream.request_id = self._engine.submit(stream.request)
        self._streams[stream.request_id] = stream

    def _cancel(self, stream: _Stream) -> None:
        """Forget a stream whose reader is done with it, and end its request if it has not ended."""
        if stream.request_id in self._streams:
            del self._streams[stream.request_id]
            self._engine.cancel(stream.request_id)

    def _fail_all(self, why: str) -> None:
        for stream in list(self._streams.values()):
            stream.send(ServerError(f"{why}; try again later."))
            self._cancel(stream)

    def _end(self) -> None:
        self._is_stopping = True
