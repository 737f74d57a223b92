"""Engines as Ray Serve deployments, on this machine alone or on a Ray cluster, for a front to ask.

Each deployment has one replica, with a model and the whole API around it, so that the front decides
who answers what; Serve starts again what has died. Ray is imported only here, and only when a
cluster is wanted.
"""

import asyncio
import logging
import os
import secrets
import socket
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from starlette.types import ASGIApp, Message

from netweight.errors import ServerError
from netweight.server.app import create_app
from netweight.server.chat import ChatModel
from netweight.server.fleet import Ask, Opening, Piece, ReplicaLost
from netweight.server.settings import ServerSettings
from netweight.server.store import check_store
from netweight.tools import BuiltInTool

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator
    from ray.serve.schema import ApplicationStatusOverview

T = TypeVar("T")

log = logging.getLogger(__name__)

# A piece costs Ray 1.7 ms (two cores, Ray 2.60), so tokens travel together: all streams of a
# replica send 500 pieces a second at most, and one alone waits 2 ms.
_PAUSE_S = 0.002
_MAX_PAUSE_S = 0.1
_BEAT_S = 1.0
_START_S = 3600.0  # a large model is packed first, once
_POLL_S = 0.2
_STOP_S = 10.0
_OBJECT_STORE_BYTES = 2**28  # for bodies on their way
_SERVE_LOGS = {"log_level": "WARNING", "enable_access_log": False}


@dataclass(frozen=True)
class Plan:
    """What is to run. The functions are called where the replicas are, and are sent there."""

    load: Callable[[], ChatModel]
    tools: Callable[[], tuple[BuiltInTool, ...]]
    settings: ServerSettings
    num_replicas: int
    num_threads: int | None = None  # that a replica computes with; None: its share of a machine


class Deployed(NamedTuple):
    """What has come of a plan."""

    replicas: Sequence["RayReplica"]
    model_name: str


async def answer(app: ASGIApp, ask: Ask, pause_s: Callable[[], float]) -> AsyncGenerator[Piece]:
    """An ASGI application's answer, in pieces at least `pause_s` apart. Closing it cancels that."""
    gone, news = asyncio.Event(), asyncio.Event()
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": ask.path,
        "raw_path": ask.raw_path,
        "query_string": ask.query,
        "root_path": "",
        "headers": list(ask.headers),
        "client": None,
        "server": None,
    }
    requests: list[Message] = [{"type": "http.request", "body": ask.body, "more_body": False}]
    opening: Opening | None = None
    body = bytearray()
    is_whole = False

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal opening, is_whole
        if message["type"] == "http.response.start":
            route = getattr(scope.get("route"), "path", None)
            opening = Opening(message["status"], [*message.get("headers", [])], route)
        else:
            body.extend(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            news.set()

    working = asyncio.ensure_future(app(scope, receive, send))
    working.add_done_callback(lambda _: news.set())
    try:
        while not working.done():
            await news.wait()
            news.clear()
            if body and not working.done():
                # All is taken before it is handed out: more may come while the reader has it.
                piece = Piece(opening, bytes(body), is_last=False)
                body.clear()
                opening = None
                yield piece
                await asyncio.wait({working}, timeout=pause_s())
        if working.exception() is not None:
            log.error("an answer has failed", exc_info=working.exception())
        if is_whole:  # which an answer of status 500 is, too
            yield Piece(opening, bytes(body), is_last=True)
    finally:
        gone.set()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


class _Engine:
    """A deployment: a model and the API around it. Lives in a process of Ray's."""

    async def __init__(self, plan: Plan) -> None:  # type: ignore[misc]  # Serve awaits it
        self._num_open = 0
        settings = replace(plan.settings, tools=plan.tools())
        model = await asyncio.to_thread(plan.load)
        self._name = model.name
        self._app = create_app(model, settings, is_guarded=True)
        self._lifespan = self._app.router.lifespan_context(self._app)
        await self._lifespan.__aenter__()

    async def answer(self, ask: Ask) -> AsyncGenerator[Piece]:
        """The API's answer to a request."""
        self._num_open += 1
        pieces = answer(self._app, ask, self._pause_s)
        try:
            async for piece in pieces:
                yield piece
        finally:
            self._num_open -= 1
            await pieces.aclose()

    def _pause_s(self) -> float:
        return min(_PAUSE_S * self._num_open, _MAX_PAUSE_S)

    async def beats(self) -> AsyncGenerator[str | None]:
        """Why no requests are taken, or None: they are; every second."""
        while True:
            yield self._app.state.worker.refusal
            await asyncio.sleep(_BEAT_S)

    async def model_name(self) -> str:
        """What clients call the model."""
        return self._name

    async def pid(self) -> int:
        """The number of this process."""
        return os.getpid()

    def check_health(self) -> None:
        """Serve asks this, and starts another process when it raises."""
        refusal = self._app.state.worker.refusal
        if refusal:
            raise ServerError(refusal)


class RayReplica:
    """A deployment's replica, as the front sees it."""

    def __init__(self, name: str, handle: "DeploymentHandle[Any]") -> None:
        """The handle is the deployment's."""
        self.name = name
        self.handle = handle
        self._streaming = handle.options(stream=True)

    async def ask(self, ask: Ask) -> AsyncGenerator[Piece]:
        """The answer. Closing it cancels the request.

        Raises:
            ReplicaLost: when the replica dies.
        """
        pieces: AsyncGenerator[Piece] = _items(self._streaming.answer.remote(ask))
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def beats(self) -> AsyncGenerator[str | None]:
        """Why it takes no requests, or None: it does; every second.

        Raises:
            ReplicaLost: when the replica dies, at once.
        """
        beats: AsyncGenerator[str | None] = _items(self._streaming.beats.remote())
        async with aclosing(beats):
            async for beat in beats:
                yield beat


async def _items(remote: "DeploymentResponseGenerator[T]") -> AsyncGenerator[T]:
    """What a replica's method yields. Closing this cancels it there."""
    try:
        async for item in remote:
            yield item
    except asyncio.CancelledError:
        # Ray raises this as well when it was Ray that has cancelled.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise ReplicaLost("its request was cancelled") from None
    except _ray_errors() as error:
        raise ReplicaLost(_first_line(error)) from error
    finally:
        remote.cancel()  # does nothing once it has ended


def _ray_errors() -> tuple[type[Exception], ...]:
    from ray.exceptions import RayError
    from ray.serve.exceptions import DeploymentUnavailableError, RayServeException

    return RayError, RayServeException, DeploymentUnavailableError


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


@contextmanager
def deployed(plan: Plan, address: str | None = None) -> Iterator[Deployed]:
    """Replicas while the block lasts: on the cluster at `address`, or on one that is ours alone.

    Afterwards the deployments are gone, and Ray as well if it was started here.

    Raises:
        ServerError: when Ray is missing or cannot be reached, a replica does not start, or those of
            a cluster are to share a file.
    """
    if address is not None and plan.settings.store_path is not None:
        raise ServerError(
            f"replicas on a Ray cluster ({address}) cannot share a file of responses: SQLite's "
            "must be on the machine that uses it. Leave --store out, and each replica keeps its "
            "own in memory; or leave the cluster out."
        )
    with ExitStack() as cleanup:
        cores = len(os.sched_getaffinity(0))
        if address is None:
            plan = cleanup.enter_context(with_shared_store(plan))
        _connect(address, cores, cleanup)
        num_cpus = _cpus_for_each(plan)
        prefix = f"netweight-{secrets.token_hex(4)}"
        names = [f"engine-{index}" for index in range(plan.num_replicas)]
        yield _deploy(plan, {name: f"{prefix}-{name}" for name in names}, num_cpus, cleanup)


@contextmanager
def with_shared_store(plan: Plan) -> Iterator[Plan]:
    """The plan with one file for all replicas' responses, which is kept as long as they are."""
    if plan.settings.store_path is not None:
        yield _with_store(plan, plan.settings.store_path)
        return
    # Only its owner can read what is in it.
    with tempfile.TemporaryDirectory(prefix="netweight-", ignore_cleanup_errors=True) as folder:
        yield _with_store(plan, Path(folder) / "responses.sqlite")


def _with_store(plan: Plan, path: Path) -> Plan:
    check_store(path)  # made once, before all replicas open it
    return replace(plan, settings=replace(plan.settings, store_path=path))


def _connect(address: str | None, cores: int, cleanup: ExitStack) -> None:
    """Start Ray here or connect to a cluster, and make sure that it is left in order."""
    if address is not None and "://" in address:
        raise ServerError(
            f"{address!r} is not a cluster's address. Run netweight on one of its machines, with "
            "--ray-address HOST:PORT, as `ray start` says it, or --ray-address auto."
        )
    if address is not None and address != "auto":
        _check_reachable(address)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        # Ray listens to its own machine only where it believes that there can be no cluster. It
        # looks at this when it is imported.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        # Other users of this machine must not run programs through it.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise ServerError(
            "--replicas needs Ray, which is not installed: pip install 'netweight[ray]'."
        ) from error
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        if address is None:
            ray.init(
                "local",
                num_cpus=cores,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                logging_level=logging.WARNING,
            )
        else:
            ray.init(address, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = "here" if address is None else f"at {address}"
        raise ServerError(f"there is no Ray {where}: {_first_line(error)}") from error
    cleanup.callback(ray.shutdown)
    if address is None or not _is_serve_running():
        serve.start(proxy_location="Disabled", logging_config=_SERVE_LOGS)
        if address is not None:
            cleanup.callback(_stop_serve)


def _is_serve_running() -> bool:
    import ray

    try:
        ray.get_actor("SERVE_CONTROLLER_ACTOR", namespace="serve")
    except ValueError:
        return False
    return True


def _stop_serve() -> None:
    """Stop Serve, which would keep our settings, unless others use it by now."""
    from ray import serve

    if not serve.status().applications:
        serve.shutdown()


def _check_reachable(address: str) -> None:
    """Raise a ServerError unless something listens there; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_STOP_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ServerError(
            f"there is no Ray at {address!r}: {error}. Give HOST:PORT, as `ray start` says it."
        ) from error


def _cpus_for_each(plan: Plan) -> float:
    """The processors that Ray sets aside for a replica.

    Raises:
        ServerError: when there are not enough.
    """
    import ray

    sizes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    if plan.num_threads is not None:
        wanted: float = plan.num_threads
        if sum(size // plan.num_threads for size in sizes) < plan.num_replicas:
            raise ServerError(
                f"{plan.num_replicas} replicas of {plan.num_threads} threads do not fit the "
                f"cluster's machines, whose processors are {sizes}. Ask for fewer (--replicas, "
                "--threads)."
            )
        return wanted
    if not sum(sizes):
        raise ServerError("the cluster has no machine with processors.")
    share = max(sizes) / plan.num_replicas
    return float(int(share)) if share >= 1 else share


def _deploy(plan: Plan, names: dict[str, str], num_cpus: float, cleanup: ExitStack) -> Deployed:
    """Start a deployment for each name; the values are the names that Serve knows them by."""
    from ray import serve

    for app_name in names.values():
        cleanup.callback(_delete, app_name)
    settings = replace(plan.settings, api_keys=(), tools=(), access_log=False)  # those of the front
    engine = serve.deployment(
        _Engine,
        num_replicas=1,
        max_ongoing_requests=1_000_000,  # the front's guards have the limit
        max_constructor_retry_count=1,
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=_STOP_S,
        ray_actor_options={"num_cpus": num_cpus},
        logging_config=_SERVE_LOGS,
    )
    targets = [
        serve.RunTarget(
            engine.options(name=name).bind(replace(plan, settings=settings)),
            name=app_name,
            route_prefix=None,
        )
        for name, app_name in names.items()
    ]
    serve.run_many(targets, wait_for_applications_running=False)
    for app_name in names.values():
        _wait_until_running(app_name)
    replicas = [
        RayReplica(name, serve.get_app_handle(app_name)) for name, app_name in names.items()
    ]
    return Deployed(replicas, replicas[0].handle.model_name.remote().result(timeout_s=_STOP_S))


def _delete(app_name: str) -> None:
    """Have Serve end a deployment; those of a cluster that is gone have ended with it."""
    from ray import serve

    try:
        serve.delete(app_name)
    except _ray_errors() as error:
        log.warning("%s could not be deleted: %s", app_name, _first_line(error))


def _wait_until_running(app_name: str) -> None:
    from ray import serve

    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        status = serve.status().applications[app_name]
        match str(status.status.value):
            case "RUNNING":
                return
            case "DEPLOY_FAILED":
                raise ServerError(f"{app_name} does not start: {_reason(status)}")
        time.sleep(_POLL_S)
    raise ServerError(
        f"{app_name} did not start in {_START_S:g} seconds. Look at `ray status`: the cluster may "
        "lack processors."
    )


def _reason(status: "ApplicationStatusOverview") -> str:
    messages = [d.message for d in status.deployments.values() if d.message] or [status.message]
    text: str = messages[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("netweight.errors.")]
    return (ours or lines or ["no reason is known"])[-1].removeprefix("netweight.errors.")
