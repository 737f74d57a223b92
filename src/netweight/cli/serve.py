"""The command that serves a model over HTTP, and what it tells of how that is guarded."""

import json
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli import parallel
from netweight.cli.options import (
    Adapters,
    DenseForm,
    Device,
    Memory,
    Model,
    Speculate,
    Threads,
    WithBrowser,
    WithPython,
    adapter_folders,
    built_in_tools,
    load_chat_model,
)
from netweight.errors import ServerError

if TYPE_CHECKING:
    from netweight.server import ServerSettings

_MIB = 2**20
_KEYS_VARIABLE = "NETWEIGHT_API_KEYS"
_RAY_VARIABLE = "RAY_ADDRESS"  # Ray's own

ApiKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key",
        help="Ask clients for this key; may be given several times. Others on this machine can see "
        f"it in the list of processes; {_KEYS_VARIABLE} (separated by commas) and --api-key-file "
        "keep it to yourself.",
    ),
]
ApiKeyFile = Annotated[
    Path | None, typer.Option(help="A file of such keys, one a line; # begins a comment.")
]
CorsOrigins = Annotated[
    list[str] | None,
    typer.Option(
        "--cors-origin",
        help="Let web pages from there use the API, as https://example.org; * lets all.",
    ),
]
HostNames = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        help="Answer to this name as well. Without an API key a server answers only to addresses, "
        "localhost and this machine's name, so that no web page can have a browser use it.",
    ),
]
MaxBody = Annotated[float, typer.Option(min=0.001, help="MiB that a request may have.")]
MaxRequests = Annotated[
    int,
    typer.Option(min=1, help="Requests taken at once, waiting ones included; more get a 429."),
]
Timeout = Annotated[
    float, typer.Option(min=0, help="Seconds in which an answer has to end; 0: no limit.")
]
Store = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keep responses there (SQLite), so that conversations in /v1/responses go on after a "
        "restart; 30 days unused, or over 1 GiB in all, they are forgotten.  [default: in memory, "
        "until the server stops]",
    ),
]
Replicas = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1000,
        help="Run so many engines as Ray Serve deployments, which share this machine or a cluster "
        "(pip install 'netweight[ray]').  [default: one engine, here]",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="HOST:PORT of a running Ray cluster for the replicas, or auto.  [default: "
        f"{_RAY_VARIABLE}, or else a cluster of this machine alone]",
    ),
]
TensorParallel = Annotated[
    int,
    typer.Option(
        min=1,
        max=8,
        help="Divide the model among so many processes of this machine, which compute each answer "
        "together: its key heads and experts must divide by it.",
    ),
]
Grace = Annotated[
    float,
    typer.Option(min=0, help="Seconds for which answers go on after Ctrl-C; a second one ends it."),
]


def serve(
    model: Model,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    name: Annotated[str | None, typer.Option(help="What clients call the model.")] = None,
    api_key: ApiKeys = None,
    api_key_file: ApiKeyFile = None,
    cors_origin: CorsOrigins = None,
    allow_host: HostNames = None,
    max_body: MaxBody = 32,
    max_requests: MaxRequests = 256,
    timeout: Timeout = 3600,
    grace: Grace = 10,
    store: Store = None,
    python: WithPython = False,
    browser: WithBrowser = None,
    device: Device = None,
    dense: DenseForm = "bf16",
    threads: Threads = None,
    memory: Memory = None,
    speculate: Speculate = 0,
    adapter: Adapters = None,
    replicas: Replicas = None,
    ray_address: RayAddress = None,
    tensor_parallel: TensorParallel = 1,
) -> None:
    """Serve a model over OpenAI's API, until Ctrl-C.

    Example: netweight serve nano --port 8000
    """
    import logging
    import os
    from functools import partial

    if tensor_parallel > 1:
        parallel.check_options(replicas=replicas, adapters=adapter, dense=dense, device=device)
        if not parallel.is_rank():
            parallel.start_ranks(model, tensor_parallel, device)
            return
        if not parallel.begin_rank(tensor_parallel):
            parallel.follow_first(model, device=device, threads=threads, memory=memory)
            return
    from netweight import server

    if ray_address is not None and replicas is None:
        raise ServerError("--ray-address says where replicas run; say how many: --replicas N.")
    settings = server.ServerSettings(
        api_keys=api_keys(api_key or [], os.environ.get(_KEYS_VARIABLE, ""), api_key_file),
        cors_origins=tuple(cors_origin or ()),
        host_names=tuple(allow_host or ()),
        max_body_bytes=int(max_body * _MIB),
        max_requests=max_requests,
        answer_timeout_s=timeout or None,
        grace_s=grace,
        store_path=None if store is None else store.absolute(),
        tools=built_in_tools(python=python, browser=browser),
        access_log=True,
    )
    adapters = adapter_folders(adapter or [])
    load = partial(
        load_chat_model,
        *(model, name),
        device=device,
        dense=dense,
        threads=threads,
        memory=memory,
        speculate=speculate,
        adapters=adapters,
    )
    # Listen before loading the weights: a port in use should not cost a minute.
    with server.listen(host, port) as sock:
        if server.is_open(sock) and not settings.api_keys:
            print(
                "netweight: other machines can use this server, and it asks for no key; --api-key "
                "sets one.",
                file=sys.stderr,
            )
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        url = server.base_url(sock)
        if replicas is None:
            if settings.store_path is not None:
                server.check_store(settings.store_path)
            lead = partial(
                parallel.leading,
                *(model, name),
                device=device,
                threads=threads,
                memory=memory,
                speculate=speculate,
            )
            with lead() if tensor_parallel > 1 else nullcontext(load()) as chat_model:
                _tell(chat_model.name, adapters, url, settings)
                server.run(chat_model, sock, settings)
            return
        from netweight.model import find_model

        plan = server.Plan(
            partial(load, num_sharers=replicas),
            partial(built_in_tools, python=python, browser=browser),
            settings,
            replicas,
            threads,
        )
        address = ray_address or os.environ.get(_RAY_VARIABLE) or None
        if address is None:
            find_model(model)  # a mistake in its name should not cost a cluster's start
        with server.deployed(plan, address) as (engines, model_name):
            _tell(model_name, adapters, url, settings)
            server.run_app(server.create_front(engines, model_name, settings), sock, settings)


def api_keys(given: list[str], listed: str, file: Path | None) -> tuple[str, ...]:
    """All keys: those given, those in a list with commas, those in a file.

    Raises:
        ServerError: for a key that no client could send, or a file that has none.
    """
    keys = [*given, *(key.strip() for key in listed.split(",") if key.strip())]
    if file is not None:
        keys += _keys_of(file)
    for key in keys:
        # A header's value is trimmed, and clients send keys as ASCII.
        if not key.isascii() or not key.isprintable() or not key or key != key.strip():
            raise ServerError(
                "an API key is empty, begins or ends with a space, or has characters other than "
                "printable ASCII; no client could send it."
            )
    return tuple(keys)


def _keys_of(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(f"cannot read the API keys in {file}: {error}.") from error
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise ServerError(f"{file} has no API key; write one a line, or leave --api-key-file out.")
    return keys


def _tell(name: str, adapters: Iterable[str], url: str, settings: "ServerSettings") -> None:
    """Say where the model is and how to ask it."""
    names = "".join(f", {adapter}" for adapter in adapters)
    print(f"{name}{names} {'are' if names else 'is'} served at {url} (Ctrl-C stops it). Try it:\n")
    body = json.dumps(
        {"model": name, "messages": [{"role": "user", "content": "What is 27 + 15?"}]}
    )
    print(f"  curl {url}/chat/completions -H 'Content-Type: application/json' \\")
    if settings.api_keys:
        print("    -H 'Authorization: Bearer YOUR_KEY' \\")
    print(f"    -d '{body}'\n")
    site = url.removesuffix("/v1")
    print(f"Or in a browser: {site}/. What else it can do: {site}/docs\n", flush=True)
