"""/v1/chat/completions: whole and streamed answers.

Leaves meanings to `translate` and `chat`. Logs no request's text.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from netweight import engine
from netweight.engine import Event
from netweight.errors import NetweightError
from netweight.server import problems, sse, translate, wire
from netweight.server.answer import AnswerReader, harmony_tokens
from netweight.server.chat import ChatModel
from netweight.server.chat_answer import Completion
from netweight.server.problems import Problem
from netweight.server.service import Service, until_client_leaves

_SHORT_BYTES = 8192  # a millisecond to render

_RESPONSE = {
    "description": "All answers; or, with `stream`, events: objects chat.completion.chunk as data, "
    "then [DONE].",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


def routes(service: Service) -> APIRouter:
    """The path of this API."""
    router = APIRouter()

    @router.post(
        "/v1/chat/completions", response_model=wire.ChatCompletion, responses={200: _RESPONSE}
    )
    async def chat_completions(body: wire.ChatCompletionRequest, http: Request) -> Response:
        """Answer a conversation, in reasoning, content and tool calls."""
        model = service.named(body.model)
        if _is_short(body, http):
            job = _prepare(model, body, service.now())
        else:
            job = await asyncio.to_thread(_prepare, model, body, service.now())
        if not body.stream:
            return await until_client_leaves(http, _complete(service, job))
        service.check_open()
        return sse.EventStream(_stream(service, job))

    return router


def _is_short(body: wire.ChatCompletionRequest, http: Request) -> bool:
    """Whether it is prepared in less time than another thread takes to begin.

    Long conversations take a while to render, and grammars to compile, the first a second.
    """
    is_free = not body.tools and body.response_format is None
    return is_free and int(http.headers.get("content-length", _SHORT_BYTES)) < _SHORT_BYTES


@dataclass(frozen=True)
class _Job:
    """What is asked of the engine, who reads its answers, and what becomes of them."""

    requests: Sequence[engine.Request]
    readers: Sequence[AnswerReader]
    completion: Completion
    has_stops: bool


def _prepare(model: ChatModel, body: wire.ChatCompletionRequest, created: int) -> _Job:
    """Everything up to the engine.

    Raises:
        Problem, HarmonyError, RequestError: for a request that cannot be answered.
    """
    translate.check_bias(body, model.vocabulary)
    names = translate.tool_names(body)
    chat = translate.chat_of(body, names)
    requests = model.requests(chat, body.n or 1)
    prompt_ids = requests[0].prompt_ids
    completion = Completion(
        body,
        names,
        model.vocabulary,
        prompt_ids=prompt_ids,
        completion_id=f"chatcmpl-{secrets.token_hex(12)}",
        created=created,
    )
    if completion.tells_tokens:
        completion.read_prompt(harmony_tokens(model.vocabulary, prompt_ids))
    stops = translate.stops(body)
    readers = [
        AnswerReader(
            model.vocabulary,
            len(prompt_ids),
            chat.offered,
            tell_tokens=completion.tells_tokens or completion.tells_ids,
            stops=stops,
        )
        for _ in requests
    ]
    return _Job(requests, readers, completion, bool(stops))


def _batches(service: Service, job: _Job) -> AsyncGenerator[list[tuple[int, Event]]]:
    """The events of all answers. Closing it cancels them."""
    readers = job.readers
    is_stopped = (lambda index: readers[index].is_stopped) if job.has_stops else None
    return service.worker.batches_of(job.requests, is_stopped=is_stopped)


def _count(service: Service, job: _Job) -> None:
    service.worker.metrics.reasoning_tokens.add(job.completion.num_reasoning)


async def _complete(service: Service, job: _Job) -> Response:
    completion = job.completion
    async with aclosing(_batches(service, job)) as batches:
        async for batch in batches:
            for index, event in batch:
                for delta in job.readers[index].read(event):
                    completion.add(index, delta)
    _count(service, job)
    return Response(completion.whole().model_dump_json(), media_type="application/json")


async def _stream(service: Service, job: _Job) -> AsyncGenerator[str]:
    """The events of a streamed answer; an error is one of them, as OpenAI's clients expect."""
    completion, readers = job.completion, job.readers
    events = [sse.event(opening.model_dump_json()) for opening in completion.openings()]
    try:
        async with aclosing(_batches(service, job)) as batches:
            yield sse.taken(events)
            async for batch in batches:
                for index, event in batch:
                    for delta in readers[index].read(event):
                        chunk = completion.chunk(index, delta)
                        if chunk is not None:
                            events.append(sse.event(chunk))
                yield sse.taken(events)
        _count(service, job)
        if completion.includes_usage:
            events.append(sse.event(completion.usage_chunk().model_dump_json()))
    except Problem as problem:
        events.append(sse.event(problem.body))
    except NetweightError as error:
        events.append(sse.event(problems.problem_of(error).body))
    yield sse.taken([*events, sse.DONE])
