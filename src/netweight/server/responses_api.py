"""/v1/responses: answers that are kept, with the tool loop of built-in tools run here.

Leaves meanings to the other `responses_` files. Logs no request's text.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from netweight import engine
from netweight.errors import ContextTooLong, NetweightError, ServerError
from netweight.server import responses_in, responses_out, sse
from netweight.server.answer import Delta, Done
from netweight.server.chat import ChatModel, PendingCall, Rounds
from netweight.server.problems import Problem, problem_of
from netweight.server.responses_answer import Writer, blank_response
from netweight.server.responses_history import History, gather, kept_items
from netweight.server.responses_items import shown_item
from netweight.server.responses_out import Event, Json
from netweight.server.responses_translate import chat_of, check_tools, num_logprobs, tool_names
from netweight.server.service import Service, until_client_leaves
from netweight.server.sessions import Session, Sessions
from netweight.server.store import ResponseMissing, Store, StoredItem, StoredResponse
from netweight.server.strict import only
from netweight.server.words import Words

log = logging.getLogger(__name__)

_RESPONSE = {
    "description": "The response; or, with `stream`, events, the last of which has the response.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}

_Includes = Annotated[list[responses_in.Include], Field(alias="include[]")]


class _Query(BaseModel):
    """Something that a client says after the question mark."""

    model_config = ConfigDict(extra="forbid")

    include: Annotated[list[responses_in.Include], Field()] = []
    include_: _Includes = []  # as OpenAI's clients write it

    @property
    def included(self) -> set[str]:
        return {*self.include, *self.include_}


class _RetrieveQuery(_Query):
    stream: Annotated[bool, only(False)] = False


class _ItemsQuery(_Query):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None


@dataclass(frozen=True)
class _Shared:
    """What the paths of this API share."""

    service: Service
    store: Store
    sessions: Sessions


@dataclass(frozen=True)
class _Job:
    """A response under way: what it answers, the engine's part, and what becomes of it."""

    history: History
    session: Session
    rounds: Rounds
    writer: Writer


def routes(service: Service, store: Store, sessions: Sessions) -> APIRouter:
    """The paths of this API."""
    router = APIRouter()
    shared = _Shared(service, store, sessions)

    @router.post("/v1/responses", response_model=responses_out.Response, responses={200: _RESPONSE})
    async def create(body: responses_in.ResponseRequest, http: Request) -> Response:
        """Go on with a conversation. Built-in tools are run here until there is an answer.

        A response is kept unless `store` is false; name it in `previous_response_id` to go on from
        it. Reasoning comes whole, as `reasoning_text`; sent back with a function's output, the
        model sees it again.
        """
        job = await _begin(shared, body)
        events = _events(shared, job)
        if not body.stream:
            return await until_client_leaves(http, _complete(job, events))
        service.check_open()
        return sse.EventStream(_stream(job, events))

    @router.get("/v1/responses/{response_id}", response_model=responses_out.Response)
    async def retrieve(response_id: str, query: Annotated[_RetrieveQuery, Query()]) -> Response:
        """A response that was kept."""
        stored = await _find(store, response_id)
        output = [shown_item(json.loads(item.body), query.included) for item in stored.output_items]
        return _json(json.loads(stored.body)["response"] | {"output": output})

    @router.delete("/v1/responses/{response_id}")
    async def delete(response_id: str) -> responses_out.DeletedResponse:
        """Forget a response; conversations cannot go on from it, nor from those after it."""
        try:
            await store.delete(response_id)
        except ResponseMissing as missing:
            raise _not_found(response_id) from missing
        return responses_out.DeletedResponse(id=response_id)

    @router.post("/v1/responses/{response_id}/cancel", response_model=responses_out.Response)
    async def cancel(response_id: str) -> Response:
        """Always refused: only background responses can be cancelled, and there are none."""
        await _find(store, response_id)
        raise Problem(
            "only background responses can be cancelled, and there are none here. Closing the "
            "connection stops a response."
        )

    @router.get("/v1/responses/{response_id}/input_items")
    async def input_items(
        response_id: str, query: Annotated[_ItemsQuery, Query()]
    ) -> responses_out.ItemList:
        """What a response that was kept answers, without what came before it, in pages."""
        stored = await _find(store, response_id)
        return _page(stored.input_items, query)

    return router


# Making a response


async def _begin(shared: _Shared, body: responses_in.ResponseRequest) -> _Job:
    """Everything up to the engine.

    Raises:
        Problem, NetweightError: for a request that cannot be answered.
    """
    model = shared.service.named(body.model)
    if body.stream_options is not None and not body.stream:
        raise Problem("stream_options needs stream to be true.", param="stream_options")
    check_tools(body, shared.sessions.tool_names)
    history = await gather(body, shared.store)
    session = _session(shared.sessions, body, history)
    try:
        # Long conversations take a while to render, and the first grammar of all does.
        now = shared.service.now()
        return await asyncio.to_thread(_prepare, model, body, history, session, now)
    except ContextTooLong as error:
        raise Problem(str(error), param="input", code="context_length_exceeded") from error


def _session(sessions: Sessions, body: responses_in.ResponseRequest, history: History) -> Session:
    """The conversation's tools: those of the container that is named, or as before, or new ones."""
    for index, tool in enumerate(body.tools or []):
        if isinstance(tool, responses_in.CodeInterpreterTool) and isinstance(tool.container, str):
            named = sessions.find(tool.container)
            if named is None:
                raise Problem(
                    f"tools[{index}].container: container {tool.container!r} not found; it was "
                    'unused for too long. Send {"type": "auto"}.',
                    status=404,
                    param=f"tools[{index}].container",
                )
            return named
    kept = None if history.session_id is None else sessions.find(history.session_id)
    return kept or sessions.new()


def _prepare(
    model: ChatModel,
    body: responses_in.ResponseRequest,
    history: History,
    session: Session,
    created_at: int,
) -> _Job:
    body = body.model_copy(update={"seed": engine.fresh_seed() if body.seed is None else body.seed})
    names = tool_names(body, history)
    chat = chat_of(body, history, names, session.tool)
    rounds = Rounds(model, chat, tell_messages=True)
    words = Words(model.vocabulary)
    num_top = num_logprobs(body) or 0
    assert body.seed is not None, "it was given one"
    writer = Writer(
        blank_response(
            body,
            response_id=f"resp_{secrets.token_hex(24)}",
            created_at=created_at,
            seed=body.seed,
        ),
        names,
        lambda score: words.scored(score, num_top),
        include=body.included,
        tools=[tool.namespace.name for tool in chat.tools],
        container_id=session.session_id,
        shown=history.shown,
    )
    return _Job(history, session, rounds, writer)


async def _deltas(shared: _Shared, job: _Job) -> AsyncGenerator[Delta]:
    """The deltas of a whole answer, as `ChatModel.answer` gives them. Closing it stops all."""
    worker, rounds = shared.service.worker, job.rounds
    request: engine.Request | None = rounds.request
    goes_on = False
    with shared.sessions.using(job.session), worker.answering() as deadline_s:
        while request is not None:
            of_request = worker.events(request, goes_on=goes_on, deadline_s=deadline_s)
            async with aclosing(of_request) as events:
                async for event in events:
                    for delta in rounds.read(event):
                        yield delta
            for call in rounds.calls:
                yield rounds.answered(call, await _run(shared, job, call, deadline_s))
            request = await asyncio.to_thread(rounds.next_request)
            goes_on = True
    worker.metrics.reasoning_tokens.add(rounds.done.usage.num_reasoning)
    yield rounds.done


async def _run(shared: _Shared, job: _Job, call: PendingCall, deadline_s: float | None) -> str:
    """A tool's answer, if it comes in time; AnswerTimeout if not, and then the tool is stopped."""
    worker = shared.service.worker
    timeout = asyncio.timeout_at(deadline_s)
    try:
        async with timeout:
            return await shared.sessions.answer(
                job.session, call, is_stopped=lambda: worker.end is not None
            )
    except TimeoutError:
        if not timeout.expired():
            raise
        raise worker.timeout from None


async def _events(shared: _Shared, job: _Job) -> AsyncGenerator[Event]:
    """The events of a response, which is in the store before the last of them is told.

    Raises:
        Problem, NetweightError: when something goes wrong.
    """
    writer = job.writer
    for event in writer.opening():
        yield event
    async with aclosing(_deltas(shared, job)) as deltas:
        async for delta in deltas:
            if isinstance(delta, Done):
                events = writer.finish(delta, shared.service.now())
                await _keep(shared.store, job)
                events += writer.last()
            else:
                events = writer.add(delta)
            for event in events:
                yield event


async def _keep(store: Store, job: _Job) -> None:
    """Put the response into the store, if it is meant to be kept.

    Where that fails, the answer is worth more than its being kept: `store` tells that it is not.
    """
    response = job.writer.response
    if not response.store:
        return
    body = json.dumps(
        {
            "session_id": job.session.session_id,
            "response": response.model_dump(exclude={"output"}),
        }
    )
    stored = StoredResponse(
        response.id,
        response.previous_response_id,
        body,
        list(kept_items(job.history.own)),
        job.writer.kept(),
    )
    try:
        await store.put(stored)
    except ServerError as error:
        log.warning("a response is not kept: %s", error)
        response.store = False


async def _complete(job: _Job, events: AsyncGenerator[Event]) -> Response:
    async with aclosing(events):
        async for _ in events:
            pass
    return _json(job.writer.response.model_dump())


async def _stream(job: _Job, events: AsyncGenerator[Event]) -> AsyncGenerator[str]:
    """The events of a streamed response; when something goes wrong, they say so."""
    try:
        async with aclosing(events):
            async for event in events:
                yield _sse(event)
        return
    except Problem as problem:
        failure = problem
    except NetweightError as error:
        failure = problem_of(error)
    for event in job.writer.failed(failure):
        yield _sse(event)


def _sse(event: Event) -> str:
    return sse.event(event.model_dump_json(), name=event.type)


# What is kept


async def _find(store: Store, response_id: str) -> StoredResponse:
    try:
        return await store.get(response_id)
    except ResponseMissing as missing:
        raise _not_found(response_id) from missing


def _not_found(response_id: str) -> Problem:
    return Problem(
        f"response with id {response_id!r} not found. It was deleted, unused for too long, or "
        "never stored (store: false).",
        status=404,
        param="response_id",
        code="response_not_found",
    )


def _page(items: Sequence[StoredItem], query: _ItemsQuery) -> responses_out.ItemList:
    """A page of items, beginning after the one that the client had last."""
    ordered: list[Json] = [json.loads(item.body) for item in items]
    if query.order == "desc":
        ordered.reverse()
    ids = [item["id"] for item in ordered]
    if query.after is not None and query.after not in ids:
        raise Problem(
            f"after: this response has no input item {query.after!r}.",
            param="after",
            code="invalid_value",
        )
    first = 0 if query.after is None else ids.index(query.after) + 1
    page = ordered[first : first + query.limit]
    return responses_out.ItemList(
        data=[shown_item(item, query.included) for item in page],
        first_id=page[0]["id"] if page else None,
        last_id=page[-1]["id"] if page else None,
        has_more=first + query.limit < len(ordered),
    )


def _json(fields: Json) -> Response:
    return Response(json.dumps(fields, ensure_ascii=False), media_type="application/json")
