"""The built-in `python`: each call is a program of its own, run in a sandbox.

Knows Harmony's declaration of the tool, and the sandbox. Keeps nothing between calls.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from netweight.errors import ToolError
from netweight.harmony import ToolNamespace
from netweight.harmony.calls import ToolCall
from netweight.tools import sandbox

# gpt-oss was trained with a notebook that keeps its state (`harmony.python_namespace`). Where there
# is none, openai/gpt-oss declares python in other words than those, and so do we: the model has to
# know that nothing is kept, and that only print answers.
_DESCRIPTION = """\
Runs Python code while you think; the user does not see it. Use it to calculate, to search and to \
check, not for code that the user asked to be shown.

A message to python is a whole program: nothing is kept from earlier ones. What it prints comes \
back, so print what you want to know. There is the standard library, but no network, no input and \
no file of the user's. A program that takes longer than {wall_s:g} seconds is stopped."""

_FILE_NAME = "code.py"


class Python:
    """Runs the model's code with the interpreter that runs us, without our own packages."""

    def __init__(self, limits: sandbox.Limits = sandbox.Limits()) -> None:  # noqa: B008  # frozen
        """A tool whose programs are held to `limits`.

        Raises:
            ToolError: when there is no sandbox on this machine; says why, and the remedy.
        """
        reason = sandbox.unavailable_because()
        if reason is not None:
            raise ToolError(f"python cannot be offered to the model: {reason}")
        self._limits = limits
        self._prefix = Path(sys.base_prefix).resolve()

    @property
    def namespace(self) -> ToolNamespace:
        """A namespace without tools: what is sent to it is code, not JSON."""
        return ToolNamespace("python", _DESCRIPTION.format(wall_s=self._limits.wall_s))

    def open(self) -> "Python":
        """Itself: nothing is kept for a conversation."""
        return self

    def close(self) -> None:
        """Nothing is open between calls."""

    def run(self, call: ToolCall, *, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """What the program prints, errors included, and in brackets what else came of it.

        Raises:
            ToolError: when the sandbox cannot be started or stopped.
        """
        version = sys.version_info
        interpreter = self._prefix / "bin" / f"python{version.major}.{version.minor}"
        outcome = sandbox.run(
            [
                str(interpreter),
                "-u",
                _FILE_NAME,
            ],  # unbuffered: what was printed before a kill counts
            files={_FILE_NAME: call.text.encode()},
            readable=[self._prefix],
            limits=self._limits,
        )
        if outcome.trouble is None:
            return outcome.output or "[nothing was printed]"
        break_line = "" if outcome.output.endswith("\n") or not outcome.output else "\n"
        return f"{outcome.output}{break_line}[{outcome.trouble}]"
