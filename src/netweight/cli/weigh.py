"""The weigh command: measure a model, wherever it is."""

import json
import os
import re
import shlex
import sys
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netweight.cli.options import (
    Adapter,
    AsJson,
    Temperature,
    adapter_folders,
    load_chat_model,
)
from netweight.errors import WeighError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from netweight.evals import Effort, OnProgress, Record, Subject
    from netweight.evals.run import Progress
    from netweight.server import ChatModel

# Share of items that just one of two models passes, supposed before anything is known of them.
_DISCORDANCE = 0.2


def weigh(
    model: Annotated[
        str,
        typer.Argument(
            help="nano, gpt-oss-20b, gpt-oss-120b or a checkpoint folder, served here meanwhile; "
            "the http(s):// address of an OpenAI-compatible server (NETWEIGHT_API_KEY holds its "
            "key); or any Inspect model name, PROVIDER/MODEL."
        ),
    ],
    suite: Annotated[
        Literal["quick", "release", "full", "index"],
        typer.Option(
            help="quick: minutes; release: what gpt-oss was argued about; full: all but the "
            "index; index: Artificial Analysis' Intelligence Index v2.2, as far as it can be had."
        ),
    ] = "quick",
    task: Annotated[
        list[str] | None,
        typer.Option(help="Only this task of the suite. May be given several times."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for logs and records, else a new one in out/weigh. A run that was broken "
            "off goes on there."
        ),
    ] = None,
    adapter: Adapter = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Of a server's address, which of its models; of others, what records call it."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Makes the questions, and goes with each.")] = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many samples a task.")
    ] = None,
    epochs: Annotated[
        int,
        typer.Option(
            min=1, help="How often each sample is asked; of the index, times its repeats."
        ),
    ] = 1,
    budget_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Begin no sample once so many tokens were read and written."),
    ] = None,
    budget_minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin no sample after so many minutes.")
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(help="An Inspect model that judges open answers. May be given several times."),
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
        seed=seed,
        limit=limit,
        epochs=epochs,
        judges=tuple(judge or ()),
        effort=effort,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    budget = evals.Budget(budget_tokens, budget_minutes)
    opened = weighable(model, name, adapter, effort or "medium")
    with opened as subject, shown_weighing(subject.name) as on_progress:
        out = out or _fresh_folder(subject.name)
        command = shlex.join(["netweight", *sys.argv[1:]])
        try:
            weighing = evals.weigh(
                subject,
                suite,
                out,
                settings,
                only=task or (),
                command=command,
                budget=budget,
                on_progress=on_progress,
            )
        except KeyboardInterrupt:
            again = command if "--out" in sys.argv else f"{command} --out {shlex.quote(str(out))}"
            print(f"\nstopped; to go on: {again}", file=sys.stderr)
            raise
    if as_json:
        print(json.dumps(_data_of(weighing.records, suite, out), indent=2))
    else:
        _print_scorecard(subject.name, weighing.records, suite, out)
    for part, reason in weighing.left_out.items():
        print(f"netweight: left out of {part}: {reason}", file=sys.stderr)
    for missing, reason in weighing.without_figure.items():
        print(f"netweight: {missing} has no figure: {reason}", file=sys.stderr)
    if weighing.without_figure:
        raise typer.Exit(1)


@contextmanager
def weighable(
    model: str, name: str | None, adapter: str | None, effort: "Effort"
) -> "Iterator[Subject]":
    """What a MODEL argument of weigh means; a local model is served while the block lasts."""
    from netweight import evals

    is_address = model.startswith(("http://", "https://"))
    is_elsewhere = is_address or (
        "/" in model and model[0] not in "./~" and not Path(model).is_dir()
    )
    if is_elsewhere and adapter is not None:
        raise WeighError(
            f"--adapter is for models that are served here; {model} is served elsewhere. Let its "
            "server load the adapter, and name it with --name."
        )
    if is_address:
        yield evals.server_subject(model, name, os.environ.get("NETWEIGHT_API_KEY", "none"))
    elif is_elsewhere:
        yield evals.Subject(name or model, model)
    else:
        with _served_here(model, name, adapter, effort) as subject:
            yield subject


@contextmanager
def _served_here(
    model: str, name: str | None, adapter: str | None, effort: "Effort"
) -> "Iterator[Subject]":
    from netweight import evals

    adapters = adapter_folders([] if adapter is None else [adapter])
    chat_model = load_chat_model(model, name, adapters=adapters)

    from netweight.model import find_model, find_shape
    from netweight.server import serving
    from netweight.server.source import Source

    folder = find_model(model).path
    spoken_with = next(iter(adapters), chat_model.name)
    with serving(chat_model) as base_url:
        yield evals.Subject(
            spoken_with,
            spoken_with,
            base_url,
            reasons=True,
            max_context=find_shape(str(folder / "config.json")).max_context,
            engine="netweight",
            engine_version=version("netweight"),
            deployment="self_deployed",
            weights="open_weights",
            evaluator="first_party" if model == "nano" else "third_party",
            details={
                "checkpoint_sha256": Source(folder, adapters).digest(next(iter(adapters), None)),
                "prompt_of_a_question": _prompt(chat_model, effort),
            },
            peak_bytes=_peak_bytes,
        )


def _peak_bytes() -> int:
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): kibibytes but for macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _prompt(chat_model: "ChatModel", effort: "Effort") -> str:
    """What the model sees of a question: with the effort and the date that the server writes."""
    from netweight.harmony import Message, ReasoningEffort
    from netweight.server import Chat

    chat = Chat([Message.user("What is 2 + 2?")], effort=ReasoningEffort(effort))
    return chat_model.vocabulary.decode(chat_model.request(chat).prompt_ids)


@contextmanager
def shown_weighing(name: str) -> "Iterator[OnProgress]":
    """A progress bar on standard error, one task after another, with the time left for all."""
    from rich import progress as rich
    from rich.console import Console

    columns = (
        "{task.description}",
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        "{task.fields[left]}",
    )
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(f"weighing {name}: starting", total=None, left="")

        shown = ""

        def show(at: "Progress") -> None:
            nonlocal shown
            left = _time_left(at.seconds_left)
            if at.task != shown:
                shown = at.task
                bars.reset(bar, total=at.num_samples, description=f"weighing {name}: {at.task}")
                if at.task != "gate":
                    seen = what_can_be_seen(at.task, at.num_samples)
                    bars.console.print(f"{seen}; for all tasks, {left}", highlight=False)
            bars.update(bar, completed=at.num_done, left=left)

        yield show


def _time_left(seconds: float | None) -> str:
    """Of all tasks together; no more exact than it can be known."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 60:
        return "less than a minute left"
    if seconds < 2 * 3600:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.0f} h left"


def what_can_be_seen(task: str, num_samples: int) -> str:
    """The smallest effect that so many samples can tell, said before they are asked."""
    from netweight.evals.planning import detectable_paired

    items = f"{task}: {num_samples} samples"
    try:
        effect = detectable_paired(num_samples, _DISCORDANCE)
    except ValueError:
        return f"{items}, too few to tell two models apart"
    return (
        f"{items}; asked of two models that answer {_DISCORDANCE:.0%} of them differently, they "
        f"tell a difference of {effect:.0%}"
    )


def _fresh_folder(name: str) -> Path:
    plain = re.sub(r"[^\w.-]+", "-", name)
    return Path("out", "weigh", f"{plain}-{datetime.now():%Y%m%d-%H%M%S}")


def _data_of(records: "list[Record]", suite: str, out: Path) -> "list[Record] | Record":
    """A run as JSON has it: its records, and of the suite `index` what they compose too."""
    from netweight.evals.index import SUITE, as_json, compose_run

    return {"records": records, "index": as_json(compose_run(out))} if suite == SUITE else records


def _print_scorecard(name: str, records: "list[Record]", suite: str, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from netweight.evals.index import SUITE
    from netweight.evals.scorecard import write_scorecard
    from netweight.evals.scorecard_rows import terminal_rows

    table = Table(box=None, pad_edge=False)
    for heading in ("TASK", "METRIC"):
        table.add_column(heading, no_wrap=True)
    for heading in ("VALUE", "95% INTERVAL", "N"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("OUTCOMES")
    for record in records:
        headline, *_ = terminal_rows(record)  # the others are many, and on the scorecard
        table.add_row(*map(Text, headline))
    console = Console(highlight=False)
    if records:
        console.print(table)
    for record in records:
        facts = record["evaluation_results"][0]["netweight"]
        if not facts["usable"]:
            told = f"{facts['task']} is not evidence: {facts['reason']}."
            console.print(told, style="bold red", markup=False)
    if suite == SUITE:
        _print_index(console, out)
    if records:
        print(f"\n{name}: every figure and answer is on {write_scorecard(out)}")
    print(f"Records are in {out / 'records'}, logs in {out / 'logs'}")
    print(f"To read every question and answer: inspect view --log-dir {out / 'logs'}")


def _print_index(console: "Console", out: Path) -> None:
    """The parts of the index, why some do not count, and the index, or why there is none."""
    from rich.table import Table
    from rich.text import Text

    from netweight.evals.index import compose_run
    from netweight.evals.scorecard_rows import index_rows, index_text

    table = Table(box=None, pad_edge=False)
    table.add_column("PART", no_wrap=True)
    for heading in ("WEIGHT", "VALUE", "95% INTERVAL", "N", "POINTS"):
        table.add_column(heading, justify="right", no_wrap=True)
    composition = compose_run(out)
    rows = index_rows(composition)
    for row in rows:
        table.add_row(*map(Text, (*row[:-2], row.points or "missing")))
    console.print()
    console.print(table)
    for row in rows:
        if row.missing:
            console.print(f"{row.name}: {row.missing}.", markup=False)
    console.print(f"\n{index_text(composition)}", markup=False)
