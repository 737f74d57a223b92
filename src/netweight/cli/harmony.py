"""The harmony commands: what the model sees, and what a completion means."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from netweight.cli.models import counted
from netweight.cli.options import AsJson, Effort
from netweight.errors import RequestError

if TYPE_CHECKING:
    from netweight.harmony import Vocabulary
    from netweight.harmony.report import Report as HarmonyReport

app = typer.Typer(
    help="See what the model sees, and what a completion means.", no_args_is_help=True
)
VocabularyOf = Annotated[
    str,
    typer.Option(
        "--vocabulary", help="A model's name, its folder, a tokenizer.json or a .tiktoken file."
    ),
]


@app.command("render")
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


@app.command("parse")
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
    numbers = counted(num_tokens, "token"), counted(len(report.messages), "message")
    console.print(", ".join(numbers), style="dim")
    for diagnostic in report.diagnostics:
        told = f"{diagnostic.code} at token {diagnostic.token_index}: {diagnostic.detail}"
        console.print(told, style="red", markup=False)
