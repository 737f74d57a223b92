"""The server's front, where several engines stand behind it. It sends requests on, has no model.

A request goes to one of the engines, which are called replicas here, and its answer comes back in
pieces. The front knows which replicas are up. When one is lost, requests of which no byte has been
answered go to another one; streams that have begun end with an error. Every wait has an end. Knows
no Ray: how to reach a replica is the replica's own affair.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import NamedTuple, Protocol

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from netweight.server import metrics, problems, reference, routing, sse
from netweight.server.app import add_guards
from netweight.server.metrics import Metrics
from netweight.server.problems import Problem
from netweight.server.responses_out import ErrorEvent
from netweight.server.settings import DEFAULTS, ServerSettings

log = logging.getLogger(__name__)

# A request that kills whoever reads it should not kill all.
_MAX_TRIES = 2
_RETRY_AFTER_S = 5
_NOT_SENT_ON = frozenset({b"authorization", b"connection", b"content-length", b"transfer-encoding"})
_SEQUENCE_NUMBER = re.compile(rb'"sequence_number": ?(\d+)')


@dataclass(frozen=True)
class Ask:
    """A request, as it goes to a replica."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Opening(NamedTuple):
    """How an answer begins; `route` is the path of the API that gave it, if one did."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    route: str | None


class Piece(NamedTuple):
    """Some of an answer; the first one has its opening."""

    opening: Opening | None
    body: bytes
    is_last: bool


class ReplicaLost(Exception):
    """A replica does not answer, and why."""


class Replica(Protocol):
    """An engine with the whole API around it, somewhere else."""

    @property
    def name(self) -> str:
        """As engine-0."""
        ...

    def ask(self, ask: Ask) -> AsyncGenerator[Piece]:
        """The answer. Closing it cancels the request. Raises ReplicaLost."""
        ...

    def beats(self) -> AsyncGenerator[str | None]:
        """Why it takes no requests, or None: it does; again and again. Raises ReplicaLost."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long the front waits, in seconds."""

    silence: float = 15.0  # between two beats, until a replica counts as lost
    pause: float = 1.0  # until a lost replica is listened to again
    replica: float = 30.0  # for a replica to come up while none is
    fetch: float = 5.0  # for what the front wants to know itself
    overtime: float = 300.0  # after the time that an answer may take without a sign of life


class _Limit:
    """How long an answer is waited for. Once it is ended, nothing puts that off."""

    def __init__(self, timeout: asyncio.Timeout, quiet_s: float | None) -> None:
        self._timeout, self._quiet_s, self._is_ended = timeout, quiet_s, False

    def extend(self) -> None:
        """There was a sign of life."""
        if not self._is_ended and self._quiet_s is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._quiet_s)

    def end(self) -> None:
        """Wait no longer."""
        self._is_ended = True
        self._timeout.reschedule(asyncio.get_running_loop().time())


@dataclass(eq=False)
class _Seat:
    """A replica, and what the front knows of it."""

    replica: Replica
    state: str = "starting"
    limits: set[_Limit] = field(default_factory=set)  # of requests that it answers

    @property
    def is_up(self) -> bool:
        return self.state == "ok"

    def end_all(self) -> None:
        """Wait no longer for the answers under way."""
        for limit in self.limits:
            limit.end()


class Fleet:
    """The replicas: which are up, what they have to do, and where conversations were."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        patience: Patience = Patience(),
    ) -> None:
        """Nothing is known of the replicas until `watching` begins."""
        self.patience = patience
        self.refusal: str | None = None
        self.num_retries = 0
        self.num_lost = 0
        self._homes = routing.Homes()
        self._seats = {replica.name: _Seat(replica) for replica in replicas}
        self._news = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """Whether answers are under way."""
        return any(seat.limits for seat in self._seats.values())

    @property
    def states(self) -> dict[str, str]:
        """How each replica is: ok, or why it gets no requests."""
        return {name: seat.state for name, seat in self._seats.items()}

    @property
    def replicas_up(self) -> list[Replica]:
        """Those that are up."""
        return [seat.replica for seat in self._seats.values() if seat.is_up]

    def refuse(self) -> None:
        """Take no more requests; those under way go on."""
        self.refusal = "the server is stopping"
        self._news.set()

    def drain(self) -> None:
        """Take no more requests, and end those under way."""
        self.refuse()
        for seat in self._seats.values():
            seat.end_all()

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """While the block lasts, all replicas are listened to."""
        watches = [asyncio.ensure_future(self._watch(seat)) for seat in self._seats.values()]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, seat: _Seat) -> None:
        while True:
            try:
                async with asyncio.timeout(self.patience.silence) as timeout:
                    await self._listen(seat, _Limit(timeout, self.patience.silence))
            except (TimeoutError, ReplicaLost) as error:
                log.debug("%s is not heard: %s", seat.replica.name, error)
            self._note(seat, "lost")
            seat.end_all()
            await asyncio.sleep(self.patience.pause)

    async def _listen(self, seat: _Seat, limit: _Limit) -> None:
        async with aclosing(seat.replica.beats()) as beats:
            async for refusal in beats:
                self._note(seat, refusal or "ok")
                limit.extend()

    def _note(self, seat: _Seat, state: str) -> None:
        if seat.state != state:
            log.log(
                logging.INFO if state == "ok" else logging.WARNING,
                "%s was %s and is now: %s",
                *(seat.replica.name, seat.state, state),
            )
            self.num_lost += seat.is_up
        seat.state = state
        if seat.is_up:
            self._news.set()

    def check_open(self) -> None:
        """Raise the Problem of a server that takes no requests."""
        if self.refusal:
            raise Problem(f"{self.refusal}; try again later.", status=503, code="unavailable")

    async def find(self, affinity: routing.Affinity, tried: Sequence[str] = ()) -> Replica:
        """The replica for a request; waits for one to come up while none is.

        Those that have tried and were lost are asked again only where there is no other.

        Raises:
            Problem: when none does.
        """
        self.check_open()
        if not self.replicas_up:
            await self._wait_for_one()
        loads = {name: len(seat.limits) for name, seat in self._seats.items() if seat.is_up}
        fresh = {name: load for name, load in loads.items() if name not in tried}
        name = routing.choose(affinity, fresh or loads, self._homes)
        if affinity.key is not None:
            self._homes.put(affinity.key, name)
        return self._seats[name].replica

    def remember(self, ids: Sequence[str], replica: Replica) -> None:
        """These responses and containers are at a replica."""
        for what in ids:
            self._homes.put(what, replica.name)

    async def _wait_for_one(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience.replica):
                while not self.replicas_up and not self.refusal:
                    self._news.clear()
                    await self._news.wait()
        self.check_open()
        if not self.replicas_up:
            raise Problem(
                f"none of the {len(self._seats)} engines is up; lost ones are started again. Try "
                "again later.",
                status=503,
                code="no_engine",
                headers={"Retry-After": str(_RETRY_AFTER_S)},
            )

    async def relay(
        self,
        replica: Replica,
        ask: Ask,
        take: Callable[[Piece], Awaitable[None]],
        quiet_s: float | None,
    ) -> None:
        """Let a replica answer; `quiet_s` is how long it may take between two pieces.

        Raises:
            ReplicaLost: when its answer does not come to its end.
            Problem: when the server stops, or the replica is silent for too long.
        """
        seat = self._seats[replica.name]
        try:
            async with asyncio.timeout(quiet_s) as timeout:
                limit = _Limit(timeout, quiet_s)
                seat.limits.add(limit)
                try:
                    await _take_all(replica.ask(ask), take, limit)
                finally:
                    seat.limits.discard(limit)
        except ReplicaLost:
            if seat.is_up:  # until its next beat, it is left alone
                self._note(seat, "lost")
            raise
        except TimeoutError:
            self.check_open()
            if not seat.is_up:
                raise ReplicaLost("it is not heard any more") from None
            raise Problem(
                f"{replica.name} gave no sign of this answer for {quiet_s} seconds.",
                status=504,
                code="timeout",
                headers={"x-should-retry": "false"},
            ) from None


async def _take_all(
    pieces: AsyncGenerator[Piece],
    take: Callable[[Piece], Awaitable[None]],
    limit: _Limit,
) -> None:
    async with aclosing(pieces):
        async for piece in pieces:
            limit.extend()
            await take(piece)
            if piece.is_last:
                return
    raise ReplicaLost("its answer has no end")


class _Reply:
    """An answer on its way to the client. What is no stream is sent when all of it is there."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._held = bytearray()
        self._opening: Opening | None = None
        self._sequence_number = -1
        self.has_begun = False

    async def add(self, piece: Piece) -> None:
        """Take a piece in, and send what can be sent."""
        if piece.opening is not None:
            self._opening = piece.opening
        assert self._opening is not None, "an answer has an opening"
        self._held += piece.body
        if piece.is_last or self._is_stream:
            await self._begin(self._opening)
            await self._give(is_last=piece.is_last)

    @property
    def _is_stream(self) -> bool:
        assert self._opening is not None
        kind = Headers(raw=list(self._opening.headers)).get("content-type", "")
        return kind.startswith("text/event-stream")

    async def end_with(self, problem: Problem) -> None:
        """End a stream that has begun with the error event of its API."""
        if self._scope["path"] == "/v1/responses":
            event = ErrorEvent(
                sequence_number=self._sequence_number + 1,
                code=problem.code,
                message=problem.message,
                param=problem.param,
            )
            self._held += sse.event(event.model_dump_json(), name=event.type).encode()
        else:
            self._held += (sse.event(problem.body) + sse.DONE).encode()
        await self._give(is_last=True)

    async def _begin(self, opening: Opening) -> None:
        if self.has_begun:
            return
        self.has_begun = True
        if opening.route is not None:  # for the guard that counts requests by path
            self._scope["route"] = SimpleNamespace(path=opening.route)
        await self._send(
            {
                "type": "http.response.start",
                "status": opening.status,
                "headers": list(opening.headers),
            }
        )

    async def _give(self, *, is_last: bool) -> None:
        body = bytes(self._held)
        self._held.clear()
        numbers = _SEQUENCE_NUMBER.findall(body)
        self._sequence_number = int(numbers[-1]) if numbers else self._sequence_number
        message = {"type": "http.response.body", "body": body, "more_body": not is_last}
        await self._send(message)


class _Forward:
    """The ASGI application that lets replicas answer."""

    def __init__(self, fleet: Fleet, quiet_s: float | None) -> None:
        self._fleet, self._quiet_s = fleet, quiet_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, unless the client leaves first."""
        body = await _body(receive)
        if body is None:
            return
        answering = asyncio.ensure_future(self._answer(_ask_of(scope, body), scope, send))
        leaving = asyncio.ensure_future(_client_leaves(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _answer(self, ask: Ask, scope: Scope, send: Send) -> None:
        affinity = routing.affinity_of(ask.path, ask.body)
        tried: list[str] = []
        while True:
            replica, reply = await self._fleet.find(affinity, tried), _Reply(scope, send)
            tried.append(replica.name)
            try:
                await self._relay(replica, ask, reply)
                return
            except ReplicaLost as lost:
                log.warning("%s was lost with a request: %s", replica.name, lost)
                problem, may_retry = _lost(replica), len(tried) < _MAX_TRIES
            except Problem as error:
                problem, may_retry = error, False
            if reply.has_begun:
                await reply.end_with(problem)
                return
            if not may_retry:
                raise problem
            self._fleet.num_retries += 1

    async def _relay(self, replica: Replica, ask: Ask, reply: _Reply) -> None:
        async def take(piece: Piece) -> None:
            if ask.path == "/v1/responses":
                self._fleet.remember(routing.ids_in(piece.body), replica)
            await reply.add(piece)

        await self._fleet.relay(replica, ask, take, self._quiet_s)


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _lost(replica: Replica) -> Problem:
    return Problem(
        f"{replica.name} was lost before it had answered; it is started again. Try again.",
        status=503,
        code="engine_lost",
        headers={"Retry-After": str(_RETRY_AFTER_S)},
    )


def _ask_of(scope: Scope, body: bytes) -> Ask:
    headers = [(name, value) for name, value in scope["headers"] if name not in _NOT_SENT_ON]
    if body:
        headers.append((b"content-length", str(len(body)).encode()))
    return Ask(
        scope["method"],
        scope["path"],
        scope["raw_path"],
        scope["query_string"],
        tuple(headers),
        body,
    )


async def _body(receive: Receive) -> bytes | None:
    """The request's body, within the limits of the guards; None when the client leaves."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def create_front(
    replicas: Sequence[Replica],
    model_name: str,
    settings: ServerSettings = DEFAULTS,
    *,
    patience: Patience = Patience(),
) -> FastAPI:
    """The application that lets replicas of one model answer; `app.state.worker` is their fleet.

    Guards stand here, and not before the replicas. Health and metrics tell of all of them.
    """
    fleet = Fleet(replicas, patience)
    counted = Metrics()
    _watch(counted, fleet)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with fleet.watching():
            yield

    app = FastAPI(title="netweight", lifespan=lifespan, openapi_url=None)
    app.state.worker = fleet
    problems.install(app)
    add_guards(app, counted, settings)
    timeout_s = settings.answer_timeout_s
    quiet_s = None if timeout_s is None else timeout_s + patience.overtime

    @app.get("/health")
    async def health() -> Response:
        why = fleet.refusal or (None if fleet.replicas_up else "no engine is up")
        status = {"status": why or "ok", "replicas": fleet.states}
        return JSONResponse(status, 503 if why else 200)

    @app.get("/metrics")
    async def metrics_text() -> Response:
        replicas = fleet.replicas_up
        answers = [_fetched(fleet, replica, "/metrics") for replica in replicas]
        texts = {"front": counted.text()}
        for replica, text in zip(replicas, await asyncio.gather(*answers), strict=True):
            texts |= {} if text is None else {replica.name: text.decode()}
        return Response(merged(texts), media_type=metrics.CONTENT_TYPE)

    @app.get("/docs")
    async def docs(http: Request) -> Response:
        replica = await fleet.find(routing.Affinity())
        document = await _fetched(fleet, replica, "/openapi.json")
        if document is None:
            raise _lost(replica)
        url, needs_key = f"{http.url.scheme}://{http.url.netloc}", bool(settings.api_keys)
        page = reference.render(
            json.loads(document), model=model_name, url=url, needs_key=needs_key
        )
        return HTMLResponse(page.html, headers=page.headers)

    app.router.routes.append(Route("/{path:path}", _Forward(fleet, quiet_s)))
    return app


def _watch(counted: Metrics, fleet: Fleet) -> None:
    def up_and_down() -> Mapping[str, float]:
        num_up = len(fleet.replicas_up)
        return {"up": num_up, "down": len(fleet.states) - num_up}

    counted.watch("replicas", "Engines behind the front.", "gauge", up_and_down)
    lost = "Times that an engine was lost."
    counted.watch("replicas_lost_total", lost, "counter", lambda: fleet.num_lost)
    retried = "Requests that were lost with an engine before their answer began."
    counted.watch("requests_lost_total", retried, "counter", lambda: fleet.num_retries)


async def _fetched(fleet: Fleet, replica: Replica, path: str) -> bytes | None:
    """What a replica answers to a GET; None when it is lost over it."""
    body = bytearray()

    async def take(piece: Piece) -> None:
        body.extend(piece.body)

    try:
        ask = Ask("GET", path, path.encode(), b"", (), b"")
        await fleet.relay(replica, ask, take, fleet.patience.fetch)
    except (ReplicaLost, Problem) as error:
        log.warning("%s did not give its %s: %s", replica.name, path, error)
        return None
    return bytes(body)


def merged(texts: Mapping[str, str]) -> str:
    """Several servers' metrics as one text, each line with its server's name as label `replica`."""
    families: dict[str, list[str]] = {}
    for name, text in texts.items():
        lines: list[str] = []
        for block in text.split("# HELP ")[1:]:
            help_line, type_line, *samples = block.splitlines()
            lines = families.setdefault(f"# HELP {help_line}\n{type_line}\n", [])
            lines += [_labelled(sample, name) for sample in samples]
    return "".join(heading + "".join(lines) for heading, lines in families.items())


def _labelled(sample: str, name: str) -> str:
    metric, rest = re.split(r"(?=[{ ])", sample, maxsplit=1)
    label = f'replica="{name}"'
    if rest.startswith("{"):
        return f"{metric}{{{label},{rest[1:]}\n"
    return f"{metric}{{{label}}}{rest}\n"
