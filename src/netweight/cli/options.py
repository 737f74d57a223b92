"""Options that several commands have, and the model that they load."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netweight.errors import AdapterError

if TYPE_CHECKING:
    from netweight.model import Config, Dense
    from netweight.server import ChatModel
    from netweight.tools import BuiltInTool

AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
Model = Annotated[
    str, typer.Argument(help="nano, gpt-oss-20b, gpt-oss-120b, or a checkpoint folder.")
]
Effort = Annotated[
    Literal["low", "medium", "high"], typer.Option(help="How long the model thinks first.")
]
Temperature = Annotated[
    float, typer.Option(min=0, help="0 always takes the likeliest token; 1 is gpt-oss's own.")
]
TopP = Annotated[
    float, typer.Option(min=0, max=1, help="Keep the likeliest tokens that reach this share.")
]
TopK = Annotated[int, typer.Option(min=0, help="Keep this many of the likeliest tokens; 0: all.")]
MinP = Annotated[
    float, typer.Option(min=0, max=1, help="Keep tokens this likely, relative to the likeliest.")
]
Seed = Annotated[int | None, typer.Option(help="Repeat an answer; without it, a fresh one.")]
MaxTokens = Annotated[
    int | None, typer.Option(min=1, help="Stop after this many; else when the context is full.")
]
DenseForm = Annotated[
    Literal["bf16", "int8"],
    typer.Option(
        "--dense",
        help="How attention, embedding and output matrices are kept: int8 halves what is read for "
        "each token, and rounds.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="cpu|cuda:N",
        help="Where the model runs.  [default: the first CUDA device, if there is one]",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Threads that compute.  [default: the cores]")
]
Memory = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="GiB for weights, keys and values; experts that do not fit stay on disk, or beside a "
        "CUDA device in main memory.  [default: nine tenths of what is free]",
    ),
]
Speculate = Annotated[
    int,
    typer.Option(
        min=0, max=32, help="Guess so many tokens ahead where text repeats: faster, same answers."
    ),
]
Adapter = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=PATH",
        help="Speak with a LoRA adapter: the folder that PEFT has saved, and what to call it. The "
        "last one given counts.",
    ),
]
Adapters = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="NAME=PATH",
        help="Serve a LoRA adapter as well, for clients that ask for the model NAME: the folder "
        "that PEFT has saved. May be given several times.",
    ),
]
Instructions = Annotated[str | None, typer.Option("--system", help="Instructions for the model.")]
WithPython = Annotated[
    bool, typer.Option("--python", help="Let the model run Python code in a sandbox (bubblewrap).")
]
WithBrowser = Annotated[
    Path | None,
    typer.Option(
        "--browser",
        metavar="DIR",
        help="Let the model search and open the pages of a folder (HTML, Markdown, text).",
    ),
]


def built_in_tools(*, python: bool, browser: Path | None) -> "tuple[BuiltInTool, ...]":
    """The tools that the model may use; made before the weights are loaded, since some may fail.

    Raises:
        ToolError: when there is no sandbox for Python, or the folder has no pages.
    """
    if not python and browser is None:
        return ()
    from netweight.tools import Browser, Folder, Python

    tools: list[BuiltInTool] = [Python()] if python else []
    return (*tools, Browser(Folder(browser))) if browser is not None else tuple(tools)


def adapter_folders(given: Sequence[str]) -> dict[str, Path]:
    """Folders of adapters by name, from NAME=PATH each.

    Raises:
        AdapterError: for something else, or a name that is given twice.
    """
    folders: dict[str, Path] = {}
    for one in given:
        name, _, path = one.partition("=")
        if not name.strip() or not path:
            raise AdapterError(
                f"--adapter is {one!r}; write NAME=PATH, e.g. --adapter terse=adapters/terse."
            )
        if name in folders:
            raise AdapterError(f"two adapters are called {name!r}. Give one another name.")
        folders[name] = Path(path).expanduser().absolute()  # replicas may run in other folders
    return folders


def load_chat_model(
    model: str,
    name: str | None = None,
    *,
    dense: "Dense" = "bf16",
    threads: int | None = None,
    memory: float | None = None,
    speculate: int = 0,
    device: str | None = None,
    adapters: Mapping[str, Path] | None = None,
    num_sharers: int = 1,
) -> "ChatModel":
    """Load a model, with a sign of life: importing torch takes seconds, packing weights minutes.

    Where so many processes do this on one machine, each takes its share of cores and free memory.
    """
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), DownloadColumn(True), TimeRemainingColumn())
    console = Console(stderr=True)
    is_seen = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not is_seen) as bar:
        task = bar.add_task(f"loading {model}", total=None)
        from netweight.model import (
            Checkpoint,
            find_device,
            find_model,
            set_num_threads,
            usable_bytes,
        )
        from netweight.server import ChatModel, ModelSettings

        folder = find_model(model)
        is_cpu = find_device(device).type == "cpu"
        share = default_threads(Checkpoint.open(folder.path).config) // num_sharers
        set_num_threads(threads or max(1, share))
        if memory is None and num_sharers > 1 and is_cpu:
            memory = usable_bytes() / num_sharers / 2**30
        return ChatModel.load(
            replace(folder, name=name or folder.name),
            ModelSettings(
                dense,
                None if memory is None else int(memory * 2**30),
                speculate,
                device,
                adapters or {},
            ),
            progress=lambda done, total: bar.update(
                task,
                description=f"packing {model}, once" if is_cpu else f"loading {model}",
                completed=done,
                total=total,
            ),
        )


def default_threads(config: "Config") -> int:
    """One for each core that this process may use; one in all for a small model.

    Threads that wait for one another cost a small model more than they give (docs/log.md).
    """
    return 1 if config.num_active_parameters < 50_000_000 else len(os.sched_getaffinity(0))
