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
from netweight.errors import NetweightError
from netweight.server import problems, sse, translate, wire
from netweight.server.answer import AnswerReader, Delta, Done, harmony_tokens
from netweight.server.problems import Problem
from netweight.server.service import Service, until_client_leaves

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
        service.check_name(body.model)
        # Long conversations take a while to render, and the first grammar of all does.
        job = await asyncio.to_thread(_prepare, service, body)
        deltas = _deltas(service, job)
        if not body.stream:
            return await until_client_leaves(http, _complete(job.completion, deltas))
        service.check_open()
        return sse.EventStream(_stream(job.completion, deltas))

    return router


@dataclass(frozen=True)
class _Job:
    """What is asked of the engine, who reads its answers, and what becomes of them."""

    requests: Sequence[engine.Request]
    readers: Sequence[AnswerReader]
    completion: translate.Completion


def _prepare(service: Service, body: wire.ChatCompletionRequest) -> _Job:
    """Everything up to the engine.

    Raises:
        Problem, HarmonyError, RequestError: for a request that cannot be answered.
    """
    translate.check_bias(body, service.model.vocabulary)
    names = translate.tool_names(body)
    chat = translate.chat_of(body, names)
    model = service.model
    requests = model.requests(chat, body.n or 1)
    completion = translate.Completion(
        body,
        names,
        model.vocabulary,
        completion_id=f"chatcmpl-{secrets.token_hex(12)}",
        created=service.now(),
    )
    prompt_ids = requests[0].prompt_ids
    if completion.tells_tokens:
        completion.read_prompt(harmony_tokens(model.vocabulary, prompt_ids))
    readers = [
        AnswerReader(
            model.vocabulary,
            len(prompt_ids),
            chat.offered,
            tell_tokens=completion.tells_tokens,
            stops=translate.stops(body),
        )
        for _ in requests
    ]
    return _Job(requests, readers, completion)


async def _deltas(service: Service, job: _Job) -> AsyncGenerator[list[tuple[int, Delta]]]:
    """The deltas of all answers, each with its answer's index. Closing it cancels them.

    Those that are there at once come together.
    """
    batches = service.worker.batches_of(
        job.requests, is_stopped=lambda index: job.readers[index].is_stopped
    )
    async with aclosing(batches):
        async for batch in batches:
            deltas = [
                (index, delta) for index, event in batch for delta in job.readers[index].read(event)
            ]
            for _, delta in deltas:
                if isinstance(delta, Done):
                    service.worker.metrics.reasoning_tokens.add(delta.usage.num_reasoning)
            yield deltas


async def _complete(
    completion: translate.Completion, batches: AsyncGenerator[list[tuple[int, Delta]]]
) -> Response:
    async with aclosing(batches):
        async for deltas in batches:
            for index, delta in deltas:
                completion.add(index, delta)
    return Response(completion.whole().model_dump_json(), media_type="application/json")


async def _stream(
    completion: translate.Completion, batches: AsyncGenerator[list[tuple[int, Delta]]]
) -> AsyncGenerator[str]:
    """The events of a streamed answer; an error is one of them, as OpenAI's clients expect."""
    try:
        for opening in completion.openings():
            yield sse.event(opening.model_dump_json())
        async with aclosing(batches):
            async for deltas in batches:
                events: list[str] = []
                for index, delta in deltas:
                    if isinstance(delta, Done):  # which may turn out to be an error
                        yield "".join(events)
                        events.clear()
                    chunk = completion.chunk(index, delta)
                    events += [] if chunk is None else [sse.event(chunk)]
                yield "".join(events)
        if completion.includes_usage:
            yield sse.event(completion.usage_chunk().model_dump_json())
    except Problem as problem:
        yield sse.event(problem.body)
    except NetweightError as error:
        yield sse.event(problems.problem_of(error).body)
    yield sse.DONE
