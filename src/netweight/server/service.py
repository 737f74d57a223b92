"""What every API shares: the model, the thread that runs it, and the way of a request.

An API is a module with a `routes(service)`; `app` puts them together.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from netweight.server.chat import ChatModel
from netweight.server.problems import Problem
from netweight.server.worker import Worker

CLIENT_LEFT = 499  # nobody reads it; nginx's number for a client that closed the connection


@dataclass(frozen=True)
class Service:
    """One served model and its adapters. `clock` gives seconds since the epoch."""

    model: ChatModel
    worker: Worker
    clock: Callable[[], float] = time.time

    def now(self) -> int:
        """The time, in whole seconds, as OpenAI's objects have it."""
        return int(self.clock())

    @property
    def names(self) -> list[str]:
        """What may be asked for: the model, then each of its adapters."""
        return [self.model.name, *self.model.engine.adapters]

    def named(self, name: str) -> ChatModel:
        """The model, with the adapter of this name unless the name is its own.

        Raises:
            Problem: when there is none.
        """
        if name == self.model.name:
            return self.model
        if name not in self.names:
            raise Problem(
                f"the model {name!r} does not exist; this server has "
                f"{', '.join(map(repr, self.names))}.",
                status=404,
                param="model",
                code="model_not_found",
            )
        return self.model.with_adapter(name)

    def check_open(self) -> None:
        """Raise the Problem of a server that takes no requests, before a stream has begun."""
        if self.worker.refusal:
            raise Problem(
                f"{self.worker.refusal}; try again later.", status=503, code="unavailable"
            )


async def until_client_leaves(http: Request, work: Coroutine[None, None, Response]) -> Response:
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
