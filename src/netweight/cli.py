"""The command line: one function per subcommand.

A command imports its rooms only when it runs, so that `--help` is quick and `verdict` never loads
torch. A NetweightError becomes one line on standard error and exit code 1; anything else is our bug
and keeps its traceback.
"""

import sys

import typer

from netweight.errors import NetweightError

app = typer.Typer(
    name="netweight",
    help="Run gpt-oss models, weigh any open-weight model, and hold news about them to the evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def root() -> None:
    """Keep `netweight COMMAND` a group even while it has few commands."""


def main() -> None:
    """Run the command line; the package's entry point."""
    try:
        app()
    except NetweightError as error:
        print(f"netweight: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(141)  # the reader of our output went away, as `head` does: 128 + SIGPIPE
