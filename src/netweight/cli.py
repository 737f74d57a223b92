"""The command line: one function per subcommand.

A command imports its rooms only when it runs, so that `--help` is quick and `verdict` never loads
torch. A NetweightError becomes one line on standard error and exit code 1; anything else is our bug
and keeps its traceback.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from netweight.errors import NetweightError, RequestError

if TYPE_CHECKING:
    from netweight.server import ChatModel

app = typer.Typer(
    name="netweight",
    help="Run gpt-oss models, weigh any open-weight model, hold news about them to evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def root() -> None:
    """Keep `netweight COMMAND` a group even while it has few commands."""


AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


@app.command()
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
    for name in ("PARAMETERS", "ACTIVE", "CHECKPOINT", f"MEMORY AT {context:,} TOKENS", "CONTEXT"):
        table.add_column(name, justify="right")
    table.add_column("LICENCE")
    table.add_column("ON DISK", overflow="fold")
    for row in rows:
        table.add_row(
            row["name"],
            _count(row["parameters"]),
            _count(row["active_parameters"]),
            _size(row["checkpoint_bytes"]),
            _size(row["memory_bytes"]),
            f"{row['max_context']:,}",
            row["licence"],
            row["path"] or "no",
        )
    Console().print(table)


def _count(number: int) -> str:
    return f"{number / 1e9:.1f}B" if number >= 1e9 else f"{number / 1e6:.1f}M"


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 2**30:.1f} GiB" if num_bytes >= 2**30 else f"{num_bytes / 2**20:.1f} MiB"


@app.command()
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
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from netweight.model import find_shape, synthesize

    columns = ("{task.description}", BarColumn(), DownloadColumn(True), TimeRemainingColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(f"writing {folder}", total=None)
        synthesize(
            find_shape(shape),
            folder,
            form=form,
            seed=seed,
            tokenizer=tokenizer,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print(f"wrote {folder}")


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


@app.command()
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
    chat_model = _load_chat_model(model)

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import Message, ReasoningEffort
    from netweight.server import terminal

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens)
    aside = Console(stderr=True)
    display = terminal.Display(Console(), aside, show_reasoning=show_reasoning)
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


@app.command()
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
) -> None:
    """Talk to a model in the terminal; /help there lists what else you can do.

    Example: netweight chat nano
    """
    chat_model = _load_chat_model(model)

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import ReasoningEffort
    from netweight.server import terminal

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens)
    terminal.Conversation(chat_model, Console(), settings).run()


@app.command()
def serve(
    model: Model,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    name: Annotated[str | None, typer.Option(help="What clients call the model.")] = None,
) -> None:
    """Serve a model over OpenAI's API, until Ctrl-C.

    Example: netweight serve nano --port 8000
    """
    import logging

    from netweight import server

    sock = server.listen(host, port)  # before the weights: a port in use should not cost a minute
    chat_model = _load_chat_model(model, name)
    url = server.base_url(sock)
    print(f"{chat_model.name} is served at {url} (Ctrl-C stops it). Try it:\n")
    body = {"model": chat_model.name, "messages": [{"role": "user", "content": "What is 27 + 15?"}]}
    print(f"  curl {url}/chat/completions -H 'Content-Type: application/json' \\")
    print(f"    -d '{json.dumps(body)}'\n", flush=True)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    server.run(chat_model, sock)


def _load_chat_model(model: str, name: str | None = None) -> "ChatModel":
    """Load a model, with a sign of life: importing torch and mapping the weights takes seconds."""
    from dataclasses import replace

    from rich.console import Console

    with Console(stderr=True).status(f"loading {model}"):
        from netweight.model import find_model
        from netweight.server import ChatModel

        folder = find_model(model)
        return ChatModel.load(replace(folder, name=name or folder.name))


@app.command()
def verdict(
    story: Annotated[
        str, typer.Argument(help="A text, Markdown or HTML file, or - for standard input.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for verdict.html and verdict.json.  [default: out]")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records that `netweight weigh` wrote.")
    ] = None,
    date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date on the page.  [default: today]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold a news story's claims about models against measured and published evidence.

    Quotes each claim, judges it, and writes one HTML page and its data. Nothing is fetched and no
    model is asked. With --json the data goes to standard output, and to files only with --out.

    Example: netweight verdict examples/story.txt --out out
    """
    from netweight import verdict as room

    tables = room.published()
    report = room.make_report(
        room.read_story(story),
        tables,
        date=(date or datetime.now()).date().isoformat(),
        measured=room.read_records(records) if records else (),
    )
    folder = out or (None if as_json else Path("out"))
    if folder:
        room.write_atomically(folder / "verdict.json", report.to_json())
        room.write_atomically(folder / "verdict.html", room.render(report, tables))
    if as_json:
        print(report.to_json(), end="")
        return
    _print_verdict(room.summary_lines(report), folder)


def _print_verdict(lines: list["SummaryLine"], folder: Path | None) -> None:
    from rich.console import Console
    from rich.text import Text

    styles = {
        "title": "bold",
        "quiet": "dim",
        "finding": "bold red",
        "supported": "bold green",
        "contradicted": "bold red",
        "mixed": "bold yellow",
        "open": "bold",
    }
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text(line.text, styles.get(line.role, "")))
    if folder:
        console.print(f"\nThe page: {folder / 'verdict.html'}", markup=False)


def main() -> None:
    """Run the command line; the package's entry point."""
    try:
        app()
    except NetweightError as error:
        print(f"netweight: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(141)  # the reader of our output went away, as `head` does: 128 + SIGPIPE
