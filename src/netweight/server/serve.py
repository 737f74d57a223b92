"""Listening: a socket, a web server around the application, and an orderly end."""

import asyncio
import contextlib
import errno
import ipaddress
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import uvicorn
from fastapi import FastAPI

from netweight.errors import ServerError
from netweight.server.app import create_app
from netweight.server.chat import ChatModel
from netweight.server.connection import Connection
from netweight.server.settings import DEFAULTS, ServerSettings

LOOPBACK = "127.0.0.1"
_FAREWELL_S = 10  # for clients to read the end of their answers when the server stops
_POLL_S = 0.05
_START_S = 30


class Work(Protocol):
    """Who answers: an engine's `worker.Worker`, or the `fleet.Fleet` of several engines."""

    @property
    def is_busy(self) -> bool:
        """Whether answers are under way."""
        ...

    def refuse(self) -> None:
        """Take no more requests; those under way go on."""
        ...

    def drain(self) -> None:
        """Take no more requests, and end those under way."""
        ...


class _Server(uvicorn.Server):
    """A web server that, when it stops, lets answers end in time and ends the others itself."""

    def __init__(self, config: uvicorn.Config, worker: Work, grace_s: float) -> None:
        super().__init__(config)
        self._worker, self._grace_s = worker, grace_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, wait, tell clients why their answers end, then close."""
        for server in self.servers:
            server.close()
        self._worker.refuse()
        deadline = time.monotonic() + self._grace_s
        # A second Ctrl-C sets force_exit.
        while self._worker.is_busy and not self.force_exit and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)
        self._worker.drain()
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn leaves this out, and what was left open then ends in an error
            await self.lifespan.shutdown()


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`; port 0 takes any free one.

    Raises:
        ServerError: when the address is in use, not ours, or not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise ServerError(f"{host!r} is not an address of this machine; try {LOOPBACK}.") from error
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise ServerError(_bind_message(host, port, error)) from error
    return sock


def _bind_message(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} on {host} is in use. Stop the program that has it, or take another "
                f"port: --port {port + 1}, or --port 0 for any free one."
            )
        case errno.EACCES:
            return (
                f"port {port} needs administrator rights. Take one from 1024 up, e.g. --port 8000."
            )
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine; try --host {LOOPBACK}."
        case _:
            return f"cannot listen on port {port} of {host}: {error.strerror}."


def base_url(sock: socket.socket) -> str:
    """The URL that OpenAI clients want, of a server on this socket."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # listens everywhere: this machine reaches it here
        host = LOOPBACK
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def is_open(sock: socket.socket) -> bool:
    """Whether other machines can reach this socket."""
    return not ipaddress.ip_address(sock.getsockname()[0]).is_loopback


def run(model: ChatModel, sock: socket.socket, settings: ServerSettings = DEFAULTS) -> None:
    """Serve until a signal (Ctrl-C, SIGTERM) says stop. Takes the socket over."""
    run_app(create_app(model, settings), sock, settings)


def run_app(app: FastAPI, sock: socket.socket, settings: ServerSettings) -> None:
    """Likewise, of an application whose `state.worker` is the Work that it does."""
    _allow_many_connections()
    try:
        _server(app, settings).run([sock])
    except KeyboardInterrupt:
        return  # uvicorn has stopped in order and then repeats the signal it was sent
    finally:
        sock.close()


@contextlib.contextmanager
def serving(
    model: ChatModel,
    settings: ServerSettings = DEFAULTS,
    *,
    host: str = LOOPBACK,
    port: int = 0,
) -> Iterator[str]:
    """Serve in another thread while the block lasts; yields the base URL, ending in /v1.

    Raises:
        ServerError: when the address cannot be had, or the server does not start.
    """
    with serving_app(create_app(model, settings), settings, host=host, port=port) as url:
        yield url


@contextlib.contextmanager
def serving_app(
    app: FastAPI, settings: ServerSettings, *, host: str = LOOPBACK, port: int = 0
) -> Iterator[str]:
    """Likewise, of an application whose `state.worker` is the Work that it does."""
    with listen(host, port) as sock:
        server = _server(app, settings)
        thread = threading.Thread(target=_run, args=(server, sock), name="server", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield base_url(sock)
        finally:
            server.should_exit = True
            thread.join()


def _allow_many_connections() -> None:
    """Let this process have as many files open as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _server(app: FastAPI, settings: ServerSettings) -> _Server:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Connection,
        ws="none",
        log_config=None,  # whoever runs the program configures logging
        access_log=False,  # the guards have one, without query strings
        server_header=False,
        timeout_graceful_shutdown=_FAREWELL_S,
    )
    return _Server(config, app.state.worker, settings.grace_s)


def _run(server: _Server, sock: socket.socket) -> None:
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that it could not start
        server.run([sock])


def _wait_until_started(server: _Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ServerError("the server did not start; its log says why.")
        time.sleep(0.01)
