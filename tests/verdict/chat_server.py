"""A server of the OpenAI API over a real socket, which streams what a test tells it to."""

import json
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from inspect_ai.model import get_model


@dataclass(frozen=True)
class Script:
    """What is answered: deltas of one message, or a body of its own; then how the stream ends."""

    deltas: tuple = ()
    finish_reason: str | None = "stop"  # None: the stream breaks off
    status: int = 200
    body: str | None = None
    silence_s: float = 0.0


@dataclass
class ChatServer:
    """The port, and every request body received so far."""

    port: int = 0
    requests: list = field(default_factory=list)

    def model(self):
        return get_model(
            "openai-api/scripted/m",
            base_url=f"http://127.0.0.1:{self.port}/v1",
            api_key="none",
            memoize=False,
        )


@contextmanager
def chat_server(script):
    seen = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(script.silence_s)
            self.send_response(script.status)
            is_stream = script.body is None
            self.send_header("Content-Type", f"{'text/event-stream' if is_stream else 'text/html'}")
            self.send_header("X-Should-Retry", "false")  # the client's own tries; not Inspect's
            with suppress(ConnectionError):  # whoever asked may have gone
                self.end_headers()
                self.wfile.write((stream(script) if is_stream else script.body).encode())

        def log_message(self, *_):
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    seen.port = server.server_port
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def stream(script):
    chunks = [chunk(delta, None) for delta in script.deltas]
    if script.finish_reason is not None:
        chunks.append(chunk({}, script.finish_reason))
    end = "" if script.finish_reason is None else "data: [DONE]\n\n"
    return "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + end


def chunk(delta, finish_reason):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
