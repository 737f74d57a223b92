"""The house's own paths: what is served, how it is, and how it is used."""

import asyncio
from collections.abc import Callable
from importlib.metadata import version

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from netweight.server import metrics, reference, wire
from netweight.server.service import Service


def routes(
    service: Service, openapi: Callable[[], dict[str, object]], *, needs_key: bool
) -> APIRouter:
    """Health, models, metrics and the reference; `openapi` gives the OpenAPI document."""
    router = APIRouter()
    cards = {name: wire.Model(id=name, created=service.now()) for name in service.names}

    @router.get("/health")
    async def health() -> Response:
        """Whether requests are taken; with status 503, why not."""
        refusal = service.worker.refusal
        status = wire.Health(status=refusal or "ok")
        return JSONResponse(status.model_dump(), 503 if refusal else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics_text() -> Response:
        """Counters, gauges and histograms in the text format of Prometheus."""
        return Response(service.worker.metrics.text(), media_type=metrics.CONTENT_TYPE)

    @router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs(http: Request) -> Response:
        url = f"{http.url.scheme}://{http.url.netloc}"
        page = reference.render(openapi(), model=service.model.name, url=url, needs_key=needs_key)
        return HTMLResponse(page.html, headers=page.headers)

    @router.get("/info")
    async def info(model: str | None = None) -> wire.Info:
        """Which engine and which files answer; the first time, a large checkpoint takes a while."""
        named = service.named(model or service.model.name)
        source = named.source
        # In another thread, since it reads all of the files.
        digest = None if source is None else await asyncio.to_thread(source.digest, named.adapter)
        return wire.Info(
            version=version("netweight"),
            model_id=named.name,
            adapter=named.adapter,
            checkpoint_sha256=digest,
        )

    @router.get("/v1/models")
    async def models() -> wire.ModelList:
        """The model that is served, and what it is called with each of its adapters."""
        return wire.ModelList(data=[*cards.values()])

    @router.get("/v1/models/{name:path}")
    async def one_model(name: str) -> wire.Model:
        """One of them by its name."""
        service.named(name)
        return cards[name]

    return router
