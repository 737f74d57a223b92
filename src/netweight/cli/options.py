"""Options that several commands have, and the model that they load."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
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
Instructions = Annotated[str | None, typer.Option("--system", help="Instructions for the model.")]
WithPython = Annotated[
    bool, typer.Option("--python", help="Let the model run Python code in a sandbox (bubblewrap).")
]


def built_in_tools(*, python: bool) -> "tuple[BuiltInTool, ...]":
    """The tools that the model may use; a missing sandbox is told before the weights are loaded."""
    if not python:
        return ()
    from netweight.tools import Python

    return (Python(),)


def load_chat_model(model: str, name: str | None = None) -> "ChatModel":
    """Load a model, with a sign of life: importing torch and mapping the weights takes seconds."""
    from dataclasses import replace

    from rich.console import Console

    with Console(stderr=True).status(f"loading {model}"):
        import torch

        from netweight.model import Checkpoint, find_model
        from netweight.server import ChatModel

        folder = find_model(model)
        # Threads that wait for one another cost a small model more than they give: nano on a busy
        # machine of two cores wrote 94 tokens/s with one and 12 with two (docs/log.md).
        if Checkpoint.open(folder.path).config.num_active_parameters < 50_000_000:
            torch.set_num_threads(1)
        return ChatModel.load(replace(folder, name=name or folder.name))
