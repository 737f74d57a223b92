"""What a conversation needs of a tool that runs here.

A built-in tool is one thing for all conversations; each opens it, and what a tool keeps from call
to call is kept in what was opened.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Protocol

from netweight.harmony import ToolNamespace
from netweight.harmony.calls import ToolCall


class OpenTool(Protocol):
    """A tool in use by one conversation. It answers one call at a time; others wait."""

    @property
    def namespace(self) -> ToolNamespace:
        """How the system message declares it; calls go to its name, or to a tool in it."""

    def run(self, call: ToolCall, *, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """Answer a call. What goes wrong in it is part of the answer, for the model to read.

        Blocks until then, or until soon after `is_stopped`, which may be asked from time to time.

        Raises:
            ToolError: when the tool itself does not work.
        """

    def close(self) -> None:
        """Let go of all that was kept. Ends a call that is running; a later one starts anew."""


class BuiltInTool(Protocol):
    """A tool that the system message offers, and that answers the calls to it by itself."""

    @property
    def namespace(self) -> ToolNamespace:
        """How the system message declares it."""

    def open(self) -> OpenTool:
        """The tool for one conversation. Costs nothing until the first call."""


@contextmanager
def opened(tools: Iterable[BuiltInTool]) -> Iterator[tuple[OpenTool, ...]]:
    """The tools, opened for one conversation, which ends with the block."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(closing(tool.open())) for tool in tools)
