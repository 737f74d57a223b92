"""Server-sent events: a stream of `data:` lines, as OpenAI's clients read them.

The format is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

DONE = "data: [DONE]\n\n"


def event(data: str, name: str | None = None) -> str:
    """One event, with its name if it has one. JSON has no line breaks: one `data:` line will do."""
    assert "\n" not in data and "\r" not in data, "an event must be one line"
    return f"data: {data}\n\n" if name is None else f"event: {name}\ndata: {data}\n\n"


def taken(events: list[str]) -> str:
    """All of them as one text; the list is empty then."""
    text = "".join(events)
    events.clear()
    return text


class EventStream(StreamingResponse):
    """A response that streams events, and closes their source when the client goes away."""

    def __init__(self, events: AsyncGenerator[str]) -> None:
        """Send what `events` yields, as it comes: any number of events at a time, even none."""
        # no-transform and X-Accel-Buffering keep proxies from collecting events into lumps.
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all events, or those until the client leaves."""
        # A task of its own, since each event would wake all calls up to the server's otherwise.
        sending = asyncio.ensure_future(self.stream_response(send))
        watching = asyncio.ensure_future(_client_leaves(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            watching.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)

    async def stream_response(self, send: Send) -> None:
        """Send all events. However that ends, their source is closed at once."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        async with aclosing(self._events):
            await send(start)
            async for some in self._events:
                if some:
                    body = some.encode()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
