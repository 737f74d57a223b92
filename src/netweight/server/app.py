"""The HTTP application: the APIs and the house's own paths, around one model."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, Response

from netweight.server import chat_api, problems, wire
from netweight.server.chat import ChatModel
from netweight.server.service import Service
from netweight.server.worker import Worker


def create_app(model: ChatModel, *, clock: Callable[[], float] = time.time) -> FastAPI:
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
    service = Service(model, worker, clock)
    app.include_router(_house(service))
    app.include_router(chat_api.routes(service))
    return app


def _house(service: Service) -> APIRouter:
    """What is served, and whether it is well."""
    router = APIRouter()
    card = wire.Model(id=service.model.name, created=service.now())

    @router.get("/health")
    async def health() -> Response:
        refusal = service.worker.refusal
        status = wire.Health(status=refusal or "ok")
        return JSONResponse(status.model_dump(), 503 if refusal else 200)

    @router.get("/v1/models")
    async def models() -> wire.ModelList:
        return wire.ModelList(data=[card])

    @router.get("/v1/models/{name:path}")
    async def one_model(name: str) -> wire.Model:
        service.check_name(name)
        return card

    return router
