"""/v1/chat/completions: whole and streamed answers.

Leaves meanings to `translate` and `chat`. Logs no request's text.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from starlette.responses import Response

from netweight.errors import NetweightError
from netweight.server import chat, problems, sse, translate, wire
from netweight.server.problems import Problem
from netweight.server.service import Service, until_client_leaves


def routes(service: Service) -> APIRouter:
    """The path of this API."""
    router = APIRouter()

    @router.post("/v1/chat/completions", response_model=wire.ChatCompletion)
    async def chat_completions(body: wire.ChatCompletionRequest, http: Request) -> Response:
        service.check_name(body.model)
        if body.stream_options is not None and not body.stream:
            raise Problem("stream_options needs stream to be true.", param="stream_options")
        names = translate.tool_names(body)
        request = service.model.request(translate.chat_of(body, names))
        answer = translate.Answer(
            service.model.vocabulary,
            completion_id=f"chatcmpl-{secrets.token_hex(12)}",
            created=service.now(),
            model=service.model.name,
            names=names,
            scores=[] if body.logprobs else None,
        )
        deltas = service.deltas(request)
        if not body.stream:
            return await until_client_leaves(http, _complete(answer, deltas))
        service.check_open()
        options = body.stream_options or wire.StreamOptions()
        return sse.EventStream(_stream(answer, deltas, include_usage=bool(options.include_usage)))

    return router


async def _complete(answer: translate.Answer, deltas: AsyncGenerator[chat.Delta]) -> Response:
    async with aclosing(deltas):
        async for delta in deltas:
            answer.add(delta)
            if isinstance(delta, chat.Done):
                return _json(answer.whole(delta))
    raise AssertionError("an answer ended without Done")


async def _stream(
    answer: translate.Answer, deltas: AsyncGenerator[chat.Delta], *, include_usage: bool
) -> AsyncGenerator[str]:
    """The events of a streamed answer; an error is one of them, as OpenAI's clients expect."""
    try:
        yield _event(answer.opening())
        async with aclosing(deltas):
            async for delta in deltas:
                yield _event(answer.add(delta))
                if isinstance(delta, chat.Done) and include_usage:
                    yield _event(answer.usage_chunk(delta))
    except Problem as problem:
        yield sse.event(problem.body)
    except NetweightError as error:
        yield sse.event(problems.problem_of(error).body)
    yield sse.DONE


def _event(chunk: wire.ChatCompletionChunk) -> str:
    return sse.event(chunk.model_dump_json())


def _json(completion: wire.ChatCompletion) -> Response:
    return Response(completion.model_dump_json(), media_type="application/json")
