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

from netweight.cli.options import AsJson, Temperature, load_chat_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netweight.evals import OnProgress, Record, Subject


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
        str, typer.Option(help="Which tasks; quick is the only suite so far.")
    ] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for logs and records; else a new one in out/weigh.")
    ] = None,
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
        chat_model = load_chat_model(model, name)

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
