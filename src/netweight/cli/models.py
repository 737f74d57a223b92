"""Models as such: which there are, and random ones."""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from netweight.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def models(
    context: Annotated[
        int, typer.Option(min=1, help="Tokens of context to plan memory for.")
    ] = 8192,
    as_json: AsJson = False,
) -> None:
    """List the models that have a name: size, licence, memory need, and where they are on disk.

    Any command that takes a MODEL also takes a checkpoint folder in either published format.
    """
    from netweight.model import KNOWN, locate, shape_of

    rows = []
    for known in KNOWN:
        shape, folder = shape_of(known), locate(known)
        rows.append(
            {
                "name": known.name,
                "parameters": shape.num_parameters,
                "active_parameters": shape.num_active_parameters,
                "checkpoint_bytes": shape.checkpoint_bytes,
                "memory_bytes": shape.checkpoint_bytes
                + shape.kv_cache_bytes(min(context, shape.max_context)),
                "max_context": shape.max_context,
                "licence": known.licence,
                "path": str(folder) if folder else None,
            }
        )
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    _print_models(rows, context)


def _print_models(rows: list[dict[str, Any]], context: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("MODEL")
    for name in ("PARAMS", "ACTIVE", "CHECKPOINT", "MEMORY", "CONTEXT"):
        table.add_column(name, justify="right")
    table.add_column("LICENCE")
    for row in rows:
        table.add_row(
            row["name"],
            _count(row["parameters"]),
            _count(row["active_parameters"]),
            size(row["checkpoint_bytes"]),
            size(row["memory_bytes"]),
            f"{row['max_context']:,}",
            row["licence"],
        )
    Console().print(table)
    print(f"\nMemory is for the weights and a context of {context:,} tokens. On disk:")
    for row in rows:
        if row["path"]:
            print(f"  {row['name']}: {row['path']}")


def _count(number: int) -> str:
    return f"{number / 1e9:.1f}B" if number >= 1e9 else f"{number / 1e6:.1f}M"


def counted(number: int, noun: str) -> str:
    """A number with its noun, of which there is one or another number."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(num_bytes: int) -> str:
    """Bytes for people."""
    return f"{num_bytes / 2**30:.1f} GiB" if num_bytes >= 2**30 else f"{num_bytes / 2**20:.1f} MiB"


def synth(
    shape: Annotated[str, typer.Argument(help="20b, 120b, nano, or a config.json of any shape.")],
    folder: Annotated[Path, typer.Argument(help="A new folder to write.")],
    form: Annotated[
        Literal["huggingface", "original"], typer.Option("--format", help="Which published layout.")
    ] = "huggingface",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="A tokenizer.json or .tiktoken file to put beside the weights."),
    ] = None,
) -> None:
    """Write a random checkpoint in a published format, for tests and benchmarks.

    Example: netweight synth 20b /data/random-20b
    """
    from netweight.model import find_shape, synthesize

    with progress_bar(f"writing {folder}") as show:
        synthesize(
            find_shape(shape), folder, form=form, seed=seed, tokenizer=tokenizer, progress=show
        )
    print(f"wrote {folder}")


@contextmanager
def progress_bar(description: str) -> "Iterator[Callable[[int, int], None]]":
    """A bar for bytes done and bytes in all; it goes away at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), DownloadColumn(True), TimeRemainingColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
