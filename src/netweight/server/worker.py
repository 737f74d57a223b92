"""The engine's thread: requests come in from the event loop, events go back to it.

One thread owns the engine, so the engine needs no locks. All events of a step cross to the event
loop together. Knows nothing of HTTP or of conversations.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVarTuple, Unpack

from netweight.engine import Engine, Event, Finish, PromptLogprobs, Request, Stats, Token
from netweight.errors import AnswerTimeout, ServerError
from netweight.server.metrics import Metrics

_Arguments = TypeVarTuple("_Arguments")

log = logging.getLogger(__name__)


# To tell a client of a token costs as much as a small model's step, and a text that grows fifty
# times a second grows smoothly. Steps that take longer than this are told of one by one.
_PACE_S = 0.02


class _Inbox:
    """Where the events of one caller's requests arrive. Used in its event loop's thread alone.

    What is first or last is handed over at once, and what is in between when _PACE_S have gone by
    since the last time, so that quick steps are handed over together.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._events: list[tuple[int, Event]] = []
        self._error: ServerError | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._due_s = 0.0  # when somebody may be told again
        self._timer: asyncio.TimerHandle | None = None

    def put(self, index: int, event: Event, now: float) -> None:
        """An event has come, unless the caller has been told that no more would."""
        if self._error is None:
            self._events.append((index, event))
            if now >= self._due_s or type(event) is Finish:
                self._due_s = now + _PACE_S
                self._wake()
            elif self._timer is None:  # in case that the next step is late
                self._timer = self.loop.call_later(_PACE_S, self._be_late)

    def _be_late(self) -> None:
        self._timer = None
        if self._events:
            self._wake()

    def fail(self, error: ServerError) -> None:
        """There will be no more events."""
        if self._error is None:
            self._error = error
            self._wake()

    async def take(self) -> list[tuple[int, Event]]:
        """All events that have come since the last time; waits for the first of them.

        Raises:
            ServerError: when there will be no more.
        """
        while not self._events:
            if self._error is not None:
                raise self._error
            self._waiting = self.loop.create_future()
            await self._waiting
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Nobody takes any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@dataclass(eq=False)
class _Stream:
    """The way back of one request's events."""

    request: Request
    index: int
    inbox: _Inbox
    last_s: float  # when its last event was seen, or when it came
    num_tokens: int = 0
    request_id: int | None = None  # given in the engine's thread
    followers: "list[_Stream]" = field(default_factory=list)  # wait until this one's prompt is read


def _call(
    loop: asyncio.AbstractEventLoop,
    callback: Callable[[Unpack[_Arguments]], None],
    *arguments: *_Arguments,
) -> None:
    """Let the loop's thread call; a loop that is closed has nobody left who would listen."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)


class Worker:
    """Runs an engine in a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        engine: Engine,
        *,
        metrics: Metrics | None = None,
        answer_timeout_s: float | None = None,
    ) -> None:
        """The engine belongs to this worker from `start` on.

        Args:
            engine: what answers.
            metrics: where its tokens are counted.
            answer_timeout_s: after which an answer is given up; None: never.
        """
        self.metrics = metrics or Metrics()
        self._engine = engine
        self._answer_timeout_s = answer_timeout_s
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._streams: dict[int, _Stream] = {}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._is_stopping = False
        self._num_answers = 0  # that are made of several requests
        self.refusal: str | None = "the engine has not started"  # why no new request is taken
        self.end: str | None = None  # why those under way do not go on
        self.num_steps = 0
        self.metrics.watch_engine(self)

    @property
    def stats(self) -> Stats:
        """How busy the engine is. Numbers that change while they are read may not fit together."""
        return self._engine.stats

    @property
    def is_busy(self) -> bool:
        """Whether answers are under way."""
        return self._engine.has_work or self._num_answers > 0

    @property
    def cpu_s(self) -> float:
        """Processor time that the engine's thread has used."""
        if not self._thread.is_alive() or self._thread.ident is None:
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(self._thread.ident))

    def start(self) -> None:
        """Start the thread; requests may come."""
        self.refusal = None
        self._thread.start()

    def refuse(self) -> None:
        """Take no more requests; those under way go on."""
        self.refusal = self.refusal or "the server is stopping"

    def drain(self) -> None:
        """Take no more requests, and end those under way."""
        self.refusal = self.end = self.end or "the server is stopping"
        self._commands.put(lambda: self._fail_all("the server is stopping"))

    def stop(self) -> None:
        """Drain, and wait until the thread has ended."""
        self.drain()
        self._commands.put(self._end)
        self._thread.join()

    @contextmanager
    def answering(self) -> Iterator[float | None]:
        """An answer that takes several requests; while it lasts, answers are under way.

        Yields when it has to end, in the event loop's time; None: at no time.
        """
        self._num_answers += 1
        try:
            yield self._deadline_s(asyncio.get_running_loop())
        finally:
            self._num_answers -= 1

    async def events(
        self, request: Request, *, goes_on: bool = False, deadline_s: float | None = None
    ) -> AsyncGenerator[Event]:
        """A request's events. Closing the iterator, or cancelling its task, cancels the request.

        One that `goes_on` belongs to an answer under way; it is taken until that has to end, which
        is by its `deadline_s`.

        Raises:
            ServerError: when the worker takes no requests, or stops before the request has ended.
            AnswerTimeout: when the request takes too long.
            RequestError: when the request cannot run.
        """
        several = self.batches_of([request], goes_on=goes_on, deadline_s=deadline_s)
        async with aclosing(several) as batches:
            async for batch in batches:
                for _, event in batch:
                    yield event

    async def batches_of(
        self,
        requests: Sequence[Request],
        *,
        is_stopped: Callable[[int], bool] | None = None,
        goes_on: bool = False,
        deadline_s: float | None = None,
    ) -> AsyncGenerator[list[tuple[int, Event]]]:
        """The events of several requests, each with its request's place: always all that are there.

        A request is cancelled when it `is_stopped`, which is asked after each batch with an event
        of its own; its Finish still comes, after what events were on their way. Of requests that
        share one object as their prompt, the first reads it, and the others find it in the cache.

        Raises:
            ServerError, AnswerTimeout, RequestError: as `events` does.
        """
        for request in requests:
            self._engine.check(request)
        refusal = self.end if goes_on else self.refusal
        if refusal:
            raise ServerError(f"{refusal}; try again later.")
        inbox, now = _Inbox(), self.metrics.clock()
        streams = [_Stream(request, i, inbox, now) for i, request in enumerate(requests)]
        self._commands.put(lambda: self._submit(streams))
        timer = self._time_out(inbox, deadline_s)
        num_left = len(streams)
        stopped: set[int] = set()
        try:
            while num_left > 0:
                batch = await inbox.take()
                num_left -= len([None for _, event in batch if type(event) is Finish])
                yield batch
                if is_stopped is not None:
                    running = {index for index, _ in batch} - stopped
                    stopped |= self._stop([streams[i] for i in running if is_stopped(i)])
        finally:
            inbox.close()
            if timer is not None:
                timer.cancel()
            if num_left > 0:
                self._commands.put(lambda: self._cancel(streams))

    def _stop(self, streams: Sequence[_Stream]) -> set[int]:
        """Cancel requests whose Finish is still waited for; their places."""
        if streams:
            self._commands.put(lambda: self._cancel(streams))
        return {stream.index for stream in streams}

    @property
    def timeout(self) -> AnswerTimeout:
        """What an answer ends with that takes too long."""
        return AnswerTimeout(
            f"the answer took longer than {self._answer_timeout_s:g} seconds, this server's limit "
            "for all of it, tool calls included. Ask for fewer tokens (max_tokens), or start the "
            "server with a longer --timeout."
        )

    def _time_out(self, inbox: _Inbox, deadline_s: float | None) -> asyncio.TimerHandle | None:
        if deadline_s is None:
            deadline_s = self._deadline_s(inbox.loop)
        if deadline_s is None:
            return None
        return inbox.loop.call_at(deadline_s, inbox.fail, self.timeout)

    def _deadline_s(self, loop: asyncio.AbstractEventLoop) -> float | None:
        return None if self._answer_timeout_s is None else loop.time() + self._answer_timeout_s

    def _deliver(self, events: list[tuple[_Stream, Event]]) -> None:
        """Give events to those who wait for them; in their event loop's thread."""
        now = self.metrics.clock()
        last_seen = Counter[float]()
        for stream, event in events:
            stream.inbox.put(stream.index, event, now)
            if type(event) is Token:
                if stream.num_tokens == 0:
                    self.metrics.time_to_first_token.observe(now - stream.last_s)
                else:
                    last_seen[stream.last_s] += 1
                stream.last_s = now
                stream.num_tokens += 1
            elif isinstance(event, Finish):
                self._count(stream, event)
        # Most requests were last seen together, a step ago.
        for seen_s, number in last_seen.items():
            self.metrics.inter_token_latency.observe(now - seen_s, number)

    def _count(self, stream: _Stream, finish: Finish) -> None:
        self.metrics.finished.add(1, finish.reason)
        self.metrics.prompt_tokens.add(len(stream.request.prompt_ids))
        self.metrics.cached_tokens.add(finish.counts.num_cached_tokens)
        self.metrics.generation_tokens.add(stream.num_tokens)

    # From here on: the engine's thread.

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                self._obey()
                if self._engine.has_work:
                    self._send([(self._streams[e.request_id], e) for e in self._engine.step()])
                    self.num_steps += 1
        except Exception:  # our own mistake, but no client may wait for ever because of it
            log.exception("the engine has failed")
            self.refusal = self.end = "the engine has failed"
            self._fail_all(self.end)
            while not self._is_stopping:
                self._commands.get()()

    def _obey(self) -> None:
        """Follow all commands that have come; with nothing else to do, wait for one."""
        if not self._engine.has_work:
            self._commands.get()()
        while not self._commands.empty():
            self._commands.get()()

    def _send(self, events: list[tuple[_Stream, Event]]) -> None:
        """Hand a step's events to their event loops, with one call for each loop."""
        batches: dict[asyncio.AbstractEventLoop, list[tuple[_Stream, Event]]] = {}
        for stream, event in events:
            batches.setdefault(stream.inbox.loop, []).append((stream, event))
            if isinstance(event, Finish):
                del self._streams[event.request_id]
            if stream.followers and not isinstance(event, PromptLogprobs):
                self._begin(stream.followers)
                stream.followers = []
        for loop, batch in batches.items():
            self._send_to(loop, batch)

    def _send_to(
        self, loop: asyncio.AbstractEventLoop, events: list[tuple[_Stream, Event]]
    ) -> None:
        _call(loop, self._deliver, events)

    def _submit(self, streams: Sequence[_Stream]) -> None:
        """Start requests, those with a prompt of their own at once."""
        first: dict[int, _Stream] = {}  # by the prompt's identity: equal prompts cost time to see
        for stream in streams:
            leader = first.setdefault(id(stream.request.prompt_ids), stream)
            if leader is not stream:
                leader.followers.append(stream)
        self._begin(list(first.values()))

    def _begin(self, streams: Sequence[_Stream]) -> None:
        for stream in streams:
            if self.end:  # since the request was queued
                self._fail(stream, self.end)
                return
            stream.request_id = self._engine.submit(stream.request)
            self._streams[stream.request_id] = stream

    def _cancel(self, streams: Sequence[_Stream]) -> None:
        """End requests whose reader is done with them and that have not ended."""
        for stream in streams:
            if stream.request_id in self._streams:
                del self._streams[stream.request_id]
                finish = self._engine.cancel(stream.request_id)
                if finish is not None:
                    self._send_to(stream.inbox.loop, [(stream, finish)])

    def _fail_all(self, why: str) -> None:
        streams = list(self._streams.values())
        for stream in streams:
            self._fail(stream, why)
        self._cancel(streams)

    def _fail(self, stream: _Stream, why: str) -> None:
        error = ServerError(f"{why}; try again later.")
        _call(stream.inbox.loop, stream.inbox.fail, error)

    def _end(self) -> None:
        self._is_stopping = True
