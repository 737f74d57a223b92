"""The HTTP application: paths, and what answers them.

Knows HTTP; leaves meanings to `translate` and `chat`, and the engine to `worker`. Logs no request's
text.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from netweight import engine
from netweight.errors import NetweightError
from netweight.server import chat, problems, sse, translate, wire
from netweight.server.problems import Problem
from netweight.server.worker import Worker

CLIENT_LEFT = 499  # nobody reads it; nginx's number for a client that closed the connection


def create_app(model: chat.ChatModel, *, clock: Callable[[], float] = time.time) -> FastAPI:
    """The application that serves one model. `clock` gives seconds since the epoch.

    The model's engine runs in a thread of its own while the application's lifespan lasts;
    `app.state.worker` is that thread.
    """
    worker = Worker(model.engine)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        try:
            yield
        finally:
            await asyncio.to_thread(worker.stop)

    # The documentation pages of FastAPI load scripts from elsewhere; /openapi.json does not.
    app = FastAPI(title="netweight", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.worker = worker
    problems.install(app)
    _add_routes(app, model, worker, clock)
    return app


def _add_routes(
    app: FastAPI, model: chat.ChatModel, worker: Worker, clock: Callable[[], float]
) -> None:
    card = wire.Model(id=model.name, created=int(clock()))

    def check_name(name: str) -> None:
        if name != model.name:
            raise Problem(
                f"the model {name!r} does not exist; this server has {model.name!r}.",
                status=404,
                param="model",
                code="model_not_found",
            )

    @app.get("/health")
    async def health() -> Response:
        status = wire.Health(status=worker.refusal or "ok")
        return JSONResponse(status.model_dump(), 503 if worker.refusal else 200)

    @app.get("/v1/models")
    async def models() -> wire.ModelList:
        return wire.ModelList(data=[card])

    @app.get("/v1/models/{name:path}")
    async def one_model(name: str) -> wire.Model:
        check_name(name)
        return card

    @app.post("/v1/chat/completions", response_model=wire.ChatCompletion)
    async def chat_completions(body: wire.ChatCompletionRequest, http: Request) -> Response:
        check_name(body.model)
        if body.stream_options is not None and not body.stream:
            raise Problem("stream_options needs stream to be true.", param="stream_options")
        names = translate.tool_names(body)
        request = model.request(translate.chat_of(body, names))
        answer = translate.Answer(
            model.vocabulary,
            completion_id=f"chatcmpl-{secrets.token_hex(12)}",
            created=int(clock()),
            model=model.name,
            names=names,
            scores=[] if body.logprobs else None,
        )
        deltas = _deltas(model, worker, request)
        if not body.stream:
            return await _until_client_leaves(http, _complete(answer, deltas))
        if worker.refusal:
            raise Problem(f"{worker.refusal}; try again later.", status=503, code="unavailable")
        options = body.stream_options or wire.StreamOptions()
        return sse.EventStream(_stream(answer, deltas, include_usage=bool(options.include_usage)))


async def _deltas(
    model: chat.ChatModel, worker: Worker, request: engine.Request
) -> AsyncGenerator[chat.Delta]:
    """An answer's deltas. Closing the generator cancels the request."""
    reader = chat.AnswerReader(model.vocabulary, len(request.prompt_ids))
    async with aclosing(worker.events(request)) as events:
        async for event in events:
            for delta in reader.read(event):
                yield delta


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


async def _until_client_leaves(http: Request, work: Coroutine[None, None, Response]) -> Response:
    """The work's response; or, when the client leaves first, the work is cancelled."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_client_leaves(http))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=CLIENT_LEFT)
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _client_leaves(http: Request) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass
