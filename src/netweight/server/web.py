"""The page at `/`: the HTML, style and scripts of the folder `web`, as they are.

Knows nothing of the model. The page asks the API for everything, as any client does, and its policy
lets it load and ask nothing elsewhere.
"""

from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",  # a new version's page never runs with an old one's scripts
}
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class _File(NamedTuple):
    content: bytes
    media_type: str


def routes() -> APIRouter:
    """The page, and its files under /web/."""
    router = APIRouter()
    for name, file in _files().items():
        path = "/" if name == "index.html" else f"/web/{name}"
        _serve(router, path, file)
    return router


def _serve(router: APIRouter, path: str, file: _File) -> None:
    @router.get(path, include_in_schema=False)
    async def content() -> Response:
        return Response(file.content, headers=_HEADERS, media_type=file.media_type)


def _files() -> Mapping[str, _File]:
    """The files by name. They are few and small: all are kept in memory."""
    folder = resources.files("netweight.server") / "web"
    return {
        file.name: _File(file.read_bytes(), _MEDIA_TYPES[suffix])
        for file in folder.iterdir()
        for suffix in _MEDIA_TYPES
        if file.name.endswith(suffix)
    }
