"""/v1/completions: prompts continued as they stand, whole and streamed.

Leaves meanings to `completions`. Logs no request's text.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from starlette.responses import Response

from netweight.engine import Event
from netweight.errors import NetweightError
from netweight.server import completions_wire as wire
from netweight.server import problems, sse
from netweight.server.completions import Completion
from netweight.server.continuation import Piece
from netweight.server.problems import Problem
from netweight.server.service import Service, until_client_leaves

_RESPONSE = {
    "description": "All answers; or, with `stream`, events: such objects as data, then [DONE].",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


def routes(service: Service) -> APIRouter:
    """The path of this API."""
    router = APIRouter()

    @router.post("/v1/completions", response_model=wire.Completion, responses={200: _RESPONSE})
    async def completions(body: wire.CompletionRequest, http: Request) -> Response:
        """Continue prompts as they stand."""
        model = service.named(body.model)
        # In another thread, since long prompts take a while to encode.
        completion = await asyncio.to_thread(
            Completion,
            body,
            model,
            completion_id=f"cmpl-{secrets.token_hex(12)}",
            created=service.now(),
        )
        is_stopped = completion.is_stopped if body.stop else None
        batches = service.worker.batches_of(completion.requests, is_stopped=is_stopped)
        if not body.stream:
            return await until_client_leaves(http, _complete(completion, batches))
        service.check_open()
        return sse.EventStream(_stream(completion, batches))

    return router


async def _complete(
    completion: Completion, batches: AsyncGenerator[list[tuple[int, Event]]]
) -> Response:
    pieces: list[list[Piece]] = [[] for _ in completion.requests]
    async with aclosing(batches):
        async for batch in batches:
            for index, event in batch:
                pieces[index] += completion.read(index, event)
    return Response(completion.whole(pieces), media_type="application/json")


async def _stream(
    completion: Completion, batches: AsyncGenerator[list[tuple[int, Event]]]
) -> AsyncGenerator[str]:
    """The events of a streamed answer; an error is one of them, as OpenAI's clients expect."""
    events: list[str] = []
    try:
        async with aclosing(batches):
            async for batch in batches:
                for index, event in batch:
                    for piece in completion.read(index, event):
                        chunk = completion.chunk(index, piece)
                        if chunk is not None:
                            events.append(sse.event(chunk))
                yield sse.taken(events)
        usage = completion.usage_chunk()
        if usage is not None:
            events.append(sse.event(usage))
    except Problem as problem:
        events.append(sse.event(problem.body))
    except NetweightError as error:
        events.append(sse.event(problems.problem_of(error).body))
    yield sse.taken([*events, sse.DONE])
