"""The server's front, where several engines stand behind it. It sends requests on, has no model.

Which engine answers is decided by the `fleet`. When one is lost, requests of which no byte has been
answered go to another one; streams that have begun end with an error.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from netweight.server import metrics, problems, reference, routing, sse
from netweight.server.app import add_guards
from netweight.server.fleet import (
    PATIENCE,
    RETRY_AFTER_S,
    Ask,
    Fleet,
    Opening,
    Patience,
    Piece,
    Replica,
    ReplicaLost,
)
from netweight.server.metrics import Metrics
from netweight.server.problems import Problem
from netweight.server.responses_out import ErrorEvent
from netweight.server.settings import DEFAULTS, ServerSettings

log = logging.getLogger(__name__)

# A request that kills whoever reads it should not kill all.
_MAX_TRIES = 2
_NOT_SENT_ON = frozenset({b"authorization", b"connection", b"content-length", b"transfer-encoding"})
_SEQUENCE_NUMBER = re.compile(rb'"sequence_number": ?(\d+)')


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
        headers={"Retry-After": str(RETRY_AFTER_S)},
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
    patience: Patience = PATIENCE,
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
        answers = [fleet.fetch(replica, "/metrics") for replica in replicas]
        texts = {"front": counted.text()}
        for replica, text in zip(replicas, await asyncio.gather(*answers), strict=True):
            texts |= {} if text is None else {replica.name: text.decode()}
        return Response(metrics.merged(texts), media_type=metrics.CONTENT_TYPE)

    @app.get("/docs")
    async def docs(http: Request) -> Response:
        replica = await fleet.find(routing.Affinity())
        document = await fleet.fetch(replica, "/openapi.json")
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
