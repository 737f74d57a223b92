"""Commands that let a model speak: once, or in a terminal chat."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from netweight.cli.options import (
    Adapter,
    AsJson,
    DenseForm,
    Device,
    Effort,
    Instructions,
    MaxTokens,
    Memory,
    MinP,
    Model,
    Seed,
    Speculate,
    Temperature,
    Threads,
    TopK,
    TopP,
    WithBrowser,
    WithPython,
    adapter_folders,
    built_in_tools,
    load_chat_model,
)
from netweight.errors import RequestError

if TYPE_CHECKING:
    from netweight.model import Dense
    from netweight.server import ChatModel


def generate(
    model: Model,
    prompt: Annotated[str, typer.Argument(help="What to ask; - reads it from standard input.")],
    effort: Effort = "medium",
    temperature: Temperature = 1.0,
    top_p: TopP = 1.0,
    top_k: TopK = 0,
    min_p: MinP = 0.0,
    seed: Seed = None,
    max_tokens: MaxTokens = None,
    system: Instructions = None,
    python: WithPython = False,
    browser: WithBrowser = None,
    device: Device = None,
    dense: DenseForm = "bf16",
    threads: Threads = None,
    memory: Memory = None,
    speculate: Speculate = 0,
    adapter: Adapter = None,
    show_reasoning: Annotated[bool, typer.Option(help="Show the model's thoughts.")] = True,
    as_json: AsJson = False,
) -> None:
    """Answer one prompt. The answer goes to standard output, all else to standard error.

    Example: netweight generate nano "What is 27 + 15?"
    """
    if prompt == "-":
        prompt = sys.stdin.read()
    if not prompt.strip():
        raise RequestError('the prompt is empty; say what to ask, e.g. "What is 27 + 15?".')
    built_in = built_in_tools(python=python, browser=browser)
    chat_model = _load(
        *(model, adapter),
        device=device,
        dense=dense,
        threads=threads,
        memory=memory,
        speculate=speculate,
    )

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import Message, ReasoningEffort
    from netweight.server import terminal
    from netweight.tools import opened

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    aside = Console(stderr=True)
    display = terminal.Display(Console(), aside, show_reasoning=show_reasoning)
    with opened(built_in) as tools:
        settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens, tools)
        result = terminal.answer(
            chat_model,
            settings.chat([Message.user(prompt)]),
            (lambda delta: None) if as_json else display,
        )
    if as_json:
        print(json.dumps({"model": chat_model.name, **result.record()}, indent=2))
        return
    display.end()
    aside.print(result.summary(), style="dim", highlight=False)
    if result.done is None:
        raise typer.Exit(130)  # stopped by Ctrl-C: 128 + SIGINT


def chat(
    model: Model,
    effort: Effort = "medium",
    temperature: Temperature = 1.0,
    top_p: TopP = 1.0,
    top_k: TopK = 0,
    min_p: MinP = 0.0,
    seed: Seed = None,
    max_tokens: MaxTokens = None,
    system: Instructions = None,
    python: WithPython = False,
    browser: WithBrowser = None,
    device: Device = None,
    dense: DenseForm = "bf16",
    threads: Threads = None,
    memory: Memory = None,
    speculate: Speculate = 0,
    adapter: Adapter = None,
) -> None:
    """Talk to a model in the terminal; /help there lists what else you can do.

    Example: netweight chat nano
    """
    built_in = built_in_tools(python=python, browser=browser)
    chat_model = _load(
        *(model, adapter),
        device=device,
        dense=dense,
        threads=threads,
        memory=memory,
        speculate=speculate,
    )

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import ReasoningEffort
    from netweight.server import terminal
    from netweight.tools import opened

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    with opened(built_in) as tools:
        settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens, tools)
        terminal.Conversation(chat_model, Console(), settings).run()


def _load(
    model: str,
    adapter: str | None,
    *,
    device: str | None,
    dense: "Dense",
    threads: int | None,
    memory: float | None,
    speculate: int,
) -> "ChatModel":
    """The model, as its adapter makes it where one is named."""
    adapters = adapter_folders([] if adapter is None else [adapter])
    chat_model = load_chat_model(
        model,
        device=device,
        dense=dense,
        threads=threads,
        memory=memory,
        speculate=speculate,
        adapters=adapters,
    )
    for name in adapters:
        chat_model = chat_model.with_adapter(name)
    return chat_model
