"""A small OpenAI-compatible server over a real socket, which answers as a script tells it."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What the server says to one request; `raw` replaces the whole body."""

    text: str | None = ""
    reasoning: str | None = "I think."
    finish_reason: str = "stop"
    status: int = 200
    raw: str | None = None
    delay_s: float = 0.0


HIGH = 3  # times as long is the reasoning at high effort

Script = Callable[[str], Reply]


def right(prompt: str) -> Reply:
    """Solve a sum, and tell a plain story when asked for anything else."""
    numbers = [int(number) for number in re.findall(r"\d+", prompt)]
    if len(numbers) == 2:
        return Reply(f"The sum is {sum(numbers)}.", f"{numbers[0]} + {numbers[1]}")
    return Reply("A fox went home in the rain.\nThe end.", "A story, then.")


def always(reply: Reply) -> Script:
    return lambda prompt: reply


@dataclass
class FakeServer:
    """The base URL, and every request body received so far."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def fake_server(
    script: Script = right, models: tuple[str, ...] = ("fake",)
) -> Iterator[FakeServer]:
    seen = FakeServer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            listing = {"object": "list", "data": [{"id": model} for model in models]}
            self.send(200 if known else 404, json.dumps(listing if known else {}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.requests.append(body)
            reply = script(body["messages"][-1]["content"])
            time.sleep(reply.delay_s)
            text = reply.raw if reply.raw is not None else json.dumps(completion(body, reply))
            self.send(reply.status, text)

        def send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            with suppress(ConnectionError):  # whoever asked may have gone
                self.end_headers()
                self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    if reply.reasoning is not None:
        times = HIGH if request.get("reasoning_effort") == "high" else 1
        message["reasoning_content"] = " ".join([reply.reasoning] * times)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }
