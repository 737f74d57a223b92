"""The house's own paths: what is served, how it is, and how it is used."""

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from netweight.server import metrics, wire
from netweight.server.service import Service


def routes(service: Service, openapi: Callable[[], dict[str, object]]) -> APIRouter:
    """Health, models, metrics and documentation; `openapi` gives the OpenAPI document."""
    router = APIRouter()
    card = wire.Model(id=service.model.name, created=service.now())

    @router.get("/health")
    async def health() -> Response:
        refusal = service.worker.refusal
        status = wire.Health(status=refusal or "ok")
        return JSONResponse(status.model_dump(), 503 if refusal else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics_text() -> Response:
        return Response(service.worker.metrics.text(), media_type=metrics.CONTENT_TYPE)

    @router.get("/v1/models")
    async def models() -> wire.ModelList:
        return wire.ModelList(data=[card])

    @router.get("/v1/models/{name:path}")
    async def one_model(name: str) -> wire.Model:
        service.check_name(name)
        return card

    return router
