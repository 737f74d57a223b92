"""The command line: one function per subcommand.

A command imports its rooms only when it runs, so that `--help` is quick and `verdict` never loads
torch. A NetweightError becomes one line on standard error and exit code 1; anything else is our bug
and keeps its traceback.
"""

import json
import os
import re
import shlex
import sys
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from netweight.errors import NetweightError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netweight.evals import OnProgress, Record, Subject
    from netweight.harmony import Vocabulary
    from netweight.harmony.report import Report as HarmonyReport
    from netweight.server import ChatModel
    from netweight.tools import BuiltInTool
    from netweight.verdict.summary import Line as SummaryLine

app = typer.Typer(
    name="netweight",
    help="Run gpt-oss models, weigh any open-weight model, hold news about them to evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # so that a docstring's lines flow together
    add_completion=False,
)


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
    for name in ("PARAMS", "ACTIVE", "CHECKPOINT", "MEMORY", "CONTEXT"):
        table.add_column(name, justify="right")
    table.add_column("LICENCE")
    for row in rows:
        table.add_row(
            row["name"],
            _count(row["parameters"]),
            _count(row["active_parameters"]),
            _size(row["checkpoint_bytes"]),
            _size(row["memory_bytes"]),
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
WithPython = Annotated[
    bool, typer.Option("--python", help="Let the model run Python code in a sandbox (bubblewrap).")
]


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
    python: WithPython = False,
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
    tools = _tools(python=python)
    chat_model = _load_chat_model(model)

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import Message, ReasoningEffort
    from netweight.server import terminal

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens, tools)
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
    if result.done is None:
        raise typer.Exit(130)  # stopped by Ctrl-C: 128 + SIGINT


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
    python: WithPython = False,
) -> None:
    """Talk to a model in the terminal; /help there lists what else you can do.

    Example: netweight chat nano
    """
    tools = _tools(python=python)
    chat_model = _load_chat_model(model)

    from rich.console import Console

    from netweight.engine import Sampling
    from netweight.harmony import ReasoningEffort
    from netweight.server import terminal

    sampling = Sampling(temperature, top_p, top_k, min_p, seed)
    settings = terminal.Settings(ReasoningEffort(effort), system, sampling, max_tokens, tools)
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

    # Listen before loading the weights: a port in use should not cost a minute.
    with server.listen(host, port) as sock:
        chat_model = _load_chat_model(model, name)
        url = server.base_url(sock)
        print(f"{chat_model.name} is served at {url} (Ctrl-C stops it). Try it:\n")
        ask = {"role": "user", "content": "What is 27 + 15?"}
        body = json.dumps({"model": chat_model.name, "messages": [ask]})
        print(f"  curl {url}/chat/completions -H 'Content-Type: application/json' \\")
        print(f"    -d '{body}'\n", flush=True)
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        server.run(chat_model, sock)


def _tools(*, python: bool) -> "tuple[BuiltInTool, ...]":
    """The tools that the model may use; a missing sandbox is told before the weights are loaded."""
    if not python:
        return ()
    from netweight.tools import Python

    return (Python(),)


def _load_chat_model(model: str, name: str | None = None) -> "ChatModel":
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


@app.command()
def weigh(
    model: Annotated[
        str,
        typer.Argument(
            help="nano, gpt-oss-20b, gpt-oss-120b or a checkpoint folder, served here meanwhile; "
            "the http(s):// address of an OpenAI-compatible server (NETWEIGHT_API_KEY holds its "
            "key); or any Inspect model name, PROVIDER/MODEL."
        ),
    ],
    suite: Annotated[str, typer.Option(help="Which tasks: quick.")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for logs and records; else a new one in out/weigh.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Which model of a server; else what records call it.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Makes the questions, and goes with each.")] = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many samples a task.")
    ] = None,
    effort: Annotated[
        Literal["low", "medium", "high"] | None,
        typer.Option(help="Reasoning effort; else it is not sent and the server decides."),
    ] = None,
    temperature: Temperature = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of one answer.")] = 2048,
    as_json: AsJson = False,
) -> None:
    """Measure a model: Inspect logs, and evidence records that `netweight verdict` can read.

    Example: netweight weigh nano --suite quick
    """
    from netweight import evals

    settings = evals.Settings(
        seed=seed, limit=limit, effort=effort, temperature=temperature, max_tokens=max_tokens
    )
    with _weighable(model, name) as subject, _weighing(subject.name) as on_progress:
        out = out or _fresh_folder(subject.name)
        command = shlex.join(["netweight", *sys.argv[1:]])
        try:
            weighing = evals.weigh(
                subject, suite, out, settings, command=command, on_progress=on_progress
            )
        except KeyboardInterrupt:
            print(f"\nstopped; what was done is logged in {out / 'logs'}", file=sys.stderr)
            raise
    if as_json:
        print(json.dumps(weighing.records, indent=2))
    else:
        _print_scorecard(subject.name, weighing.records, out)
    for task, reason in weighing.without_figure.items():
        print(f"netweight: {task} has no figure: {reason}", file=sys.stderr)
    if weighing.without_figure:
        raise typer.Exit(1)


@contextmanager
def _weighable(model: str, name: str | None) -> "Iterator[Subject]":
    """What a MODEL argument of weigh means; a local model is served while the block lasts."""
    from netweight import evals

    if model.startswith(("http://", "https://")):
        yield evals.server_subject(model, name, os.environ.get("NETWEIGHT_API_KEY", "none"))
    elif "/" in model and model[0] not in "./~" and not Path(model).is_dir():
        yield evals.Subject(name or model, model)
    else:
        chat_model = _load_chat_model(model, name)

        from netweight.model import find_model, find_shape
        from netweight.server import serving

        config = find_shape(str(find_model(model).path / "config.json"))
        with serving(chat_model) as base_url:
            yield evals.Subject(
                chat_model.name,
                chat_model.name,
                base_url,
                reasons=True,
                max_context=config.max_context,
                engine="netweight",
                engine_version=version("netweight"),
                deployment="self_deployed",
                weights="open_weights",
                evaluator="first_party" if model == "nano" else "third_party",
            )


@contextmanager
def _weighing(name: str) -> "Iterator[OnProgress]":
    """A progress bar on standard error, one task after another."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"weighing {name}: starting", total=None)

        def show(task: str, done: int, total: int) -> None:
            description = f"weighing {name}: {task}"
            if done == 0:
                progress.reset(bar, total=total, description=description)
            progress.update(bar, completed=done)

        yield show


def _fresh_folder(name: str) -> Path:
    plain = re.sub(r"[^\w.-]+", "-", name)
    return Path("out", "weigh", f"{plain}-{datetime.now():%Y%m%d-%H%M%S}")


def _print_scorecard(name: str, records: "list[Record]", out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("TASK", "METRIC"):
        table.add_column(heading, no_wrap=True)
    for heading in ("RATE", "95% INTERVAL", "N"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("OUTCOMES")
    for record in records:
        table.add_row(*_scorecard_row(record["evaluation_results"][0]))
    console = Console(highlight=False)
    console.print(table)
    for record in records:
        facts = record["evaluation_results"][0]["netweight"]
        if not facts["usable"]:
            told = f"{facts['task']} is not evidence: {facts['reason']}."
            console.print(told, style="bold red", markup=False)
    print(f"\n{name}: records are in {out / 'records'}, logs in {out / 'logs'}")
    print(f"To read every question and answer: inspect view --log-dir {out / 'logs'}")


def _scorecard_row(result: "Record") -> list[str]:
    facts, details = result["netweight"], result["score_details"]
    uncertainty = details["uncertainty"]
    interval = uncertainty["confidence_interval"]
    return [
        facts["task"],
        result["metric_config"]["metric_id"],
        f"{details['score']:.1%}",
        f"{interval['lower']:.1%} to {interval['upper']:.1%}",
        str(uncertainty["num_samples"]),
        ", ".join(f"{count} {name}" for name, count in facts["outcomes"].items() if count),
    ]


harmony = typer.Typer(
    help="See what the model sees, and what a completion means.", no_args_is_help=True
)
app.add_typer(harmony, name="harmony")

VocabularyOf = Annotated[
    str,
    typer.Option(
        "--vocabulary", help="A model's name, its folder, a tokenizer.json or a .tiktoken file."
    ),
]


@harmony.command("render")
def harmony_render(
    file: Annotated[
        str, typer.Argument(help="Chat messages or a chat request as JSON; - for standard input.")
    ],
    vocabulary: VocabularyOf = "nano",
    whole: Annotated[
        Literal["completion", "conversation", "training"],
        typer.Option("--for", help="With or without the next header, or as a text to train on."),
    ] = "completion",
    policy: Annotated[
        Literal["before_last_final", "official", "keep"],
        typer.Option(help="Which earlier reasoning the model sees again."),
    ] = "before_last_final",
    schemas: Annotated[
        Literal["fixed", "official"],
        typer.Option(help="Tools with nothing lost, or as openai-harmony writes them."),
    ] = "fixed",
    effort: Effort = "medium",
    date: Annotated[str | None, typer.Option(help="The date that the model is told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a conversation as the tokens that a model reads.

    Example: netweight harmony render request.json
    """
    from netweight.harmony import ReasoningEffort, ReasoningPolicy, SchemaMode, render, report

    text = _read_text(file)
    words = _load_vocabulary(vocabulary)
    messages = report.read_conversation(text, effort=ReasoningEffort(effort), date=date)
    write = {
        "completion": render.render_for_completion,
        "conversation": render.render_conversation,
        "training": render.render_for_training,
    }[whole]
    ids = write(words, messages, policy=ReasoningPolicy(policy), schemas=SchemaMode(schemas))
    _print_harmony(report.report_tokens(words, ids, None), as_json=as_json)


@harmony.command("parse")
def harmony_parse(
    file: Annotated[
        str, typer.Argument(help="Token ids, or a completion as text; - for standard input.")
    ],
    vocabulary: VocabularyOf = "nano",
    role: Annotated[
        Literal["assistant", "user", "none"],
        typer.Option(help="Whose header the prompt ended in; none: it begins with <|start|>."),
    ] = "assistant",
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what openai-harmony refuses; for token ids.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a completion means: its messages, its spans, and what had to be repaired.

    Example: netweight harmony parse completion.txt
    """
    from netweight.errors import HarmonyError
    from netweight.harmony import Role, report

    text = _read_text(file)
    words = _load_vocabulary(vocabulary)
    first = None if role == "none" else Role(role)
    ids = report.read_token_ids(text)
    if ids is not None:
        result = report.report_tokens(words, ids, first, strict=strict)
    elif strict:
        raise HarmonyError("--strict reads token ids only; this is text.")
    else:
        result = report.report_text(words, text.removesuffix("\n"), first)
    _print_harmony(result, as_json=as_json)


def _load_vocabulary(name: str) -> "Vocabulary":
    from netweight.harmony import Vocabulary

    if Path(name).exists():
        return Vocabulary.load(name)
    if name == "nano":  # without loading torch, which takes seconds
        from netweight import nano

        return Vocabulary.load(nano.FOLDER)
    from netweight.model import find_model

    return Vocabulary.load(find_model(name).path)


def _read_text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {file}: {error}") from error


def _print_harmony(report: "HarmonyReport", *, as_json: bool) -> None:
    if as_json:
        print(report.to_json())
        return
    from rich.console import Console
    from rich.text import Text

    colours = {
        "analysis": "blue",
        "commentary": "magenta",
        "final": "green",
        "user": "cyan",
        "system": "yellow",
        "developer": "yellow",
    }
    console = Console(highlight=False, soft_wrap=True)
    for span in report.spans:
        style = colours.get(span.channel or "", "red" if span.kind == "stray" else "")
        line = Text(f"{span.start:>6} {span.kind:<8} ", "dim")
        line.append(span.text, style if span.kind in ("content", "stray") else f"bold {style}")
        console.print(line)
    num_tokens = sum(len(span.token_ids) for span in report.spans)
    console.print(f"{num_tokens} tokens, {len(report.messages)} messages", style="dim")
    for diagnostic in report.diagnostics:
        told = f"{diagnostic.code} at token {diagnostic.token_index}: {diagnostic.detail}"
        console.print(told, style="red", markup=False)


def main() -> None:
    """Run the command line; the package's entry point."""
    try:
        app()
    except NetweightError as error:
        print(f"netweight: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(141)  # the reader of our output went away, as `head` does: 128 + SIGPIPE
