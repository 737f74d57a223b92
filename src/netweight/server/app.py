"""The HTTP application: the APIs and the house's own paths around one model, behind guards."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from netweight.server import (
    chat_api,
    completions_api,
    guards,
    house,
    problems,
    responses_api,
    tokenize_api,
    web,
    wire,
)
from netweight.server.chat import ChatModel
from netweight.server.metrics import Metrics
from netweight.server.service import Service
from netweight.server.sessions import Sessions
from netweight.server.settings import DEFAULTS, ServerSettings
from netweight.server.store import Store
from netweight.server.worker import Worker


def create_app(
    model: ChatModel,
    settings: ServerSettings = DEFAULTS,
    *,
    clock: Callable[[], float] = time.time,
    is_guarded: bool = False,
) -> FastAPI:
    """The application that serves one model. `clock` gives seconds since the epoch.

    Where it `is_guarded` already, by a front, it has no guards of its own.

    The model's engine runs in a thread of its own while the application's lifespan lasts;
    `app.state.worker` is that thread.
    """
    metrics = Metrics()
    worker = Worker(model.engine, metrics=metrics, answer_timeout_s=settings.answer_timeout_s)
    store = Store(settings.store_path)
    sessions = Sessions(settings.tools)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        try:
            yield
        finally:
            await asyncio.to_thread(worker.stop)
            await sessions.close()
            await store.close()

    # The documentation pages of FastAPI load scripts from elsewhere; ours (house) does not.
    app = FastAPI(
        title="netweight",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": wire.Error, "description": "What is wrong with the request."}},
    )
    app.state.worker = worker
    problems.install(app)
    if not is_guarded:
        add_guards(app, metrics, settings)
    service = Service(model, worker, clock)
    # Looked through in this order.
    app.include_router(chat_api.routes(service))
    app.include_router(completions_api.routes(service))
    app.include_router(responses_api.routes(service, store, sessions))
    app.include_router(tokenize_api.routes(service))
    app.include_router(house.routes(service, app.openapi, needs_key=bool(settings.api_keys)))
    app.include_router(web.routes())
    return app


def add_guards(app: FastAPI, metrics: Metrics, settings: ServerSettings) -> None:
    """Put the guards around the application. A request meets the one added last first."""
    app.add_middleware(
        guards.BodyGuard, max_bytes=settings.max_body_bytes, timeout_s=settings.body_timeout_s
    )
    app.add_middleware(guards.CrowdGuard, max_requests=settings.max_requests)
    if settings.api_keys:
        app.add_middleware(guards.KeyGuard, keys=settings.api_keys)
    else:
        app.add_middleware(
            guards.BrowserGuard, host_names=settings.host_names, origins=settings.cors_origins
        )
    if settings.cors_origins:
        # Outside the others, so that a page can read why it was refused.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
        )
    app.add_middleware(guards.Observer, metrics=metrics, access_log=settings.access_log)
