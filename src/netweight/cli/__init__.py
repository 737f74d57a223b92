"""The command line: one function per subcommand.

A command imports its rooms only when it runs, so that `--help` is quick and `verdict` never loads
torch. A NetweightError becomes one line on standard error and exit code 1; anything else is our bug
and keeps its traceback.
"""

import sys

import typer

from netweight.cli import harmony
from netweight.cli.bench import bench, plan
from netweight.cli.compare import compare
from netweight.cli.models import models, synth
from netweight.cli.serve import serve
from netweight.cli.talk import chat, generate
from netweight.cli.verdict import verdict
from netweight.cli.weigh import weigh
from netweight.errors import NetweightError

app = typer.Typer(
    name="netweight",
    help="Run gpt-oss models, weigh any open-weight model, hold news about them to evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # so that a docstring's lines flow together
    add_completion=False,
)
for command in (models, synth, generate, chat, serve, bench, plan, weigh, compare, verdict):
    app.command()(command)
app.add_typer(harmony.app, name="harmony")


def main() -> None:
    """Run the command line; the package's entry point."""
    try:
        app()
    except NetweightError as error:
        print(f"netweight: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(141)  # the reader of our output went away, as `head` does: 128 + SIGPIPE
