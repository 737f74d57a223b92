"""What a conversation needs of a tool that runs here."""

from typing import Protocol

from netweight.harmony import ToolNamespace


class BuiltInTool(Protocol):
    """A tool that the system message offers, and that answers the calls to it by itself."""

    @property
    def namespace(self) -> ToolNamespace:
        """How the system message declares it; calls go to its name, or to a tool in it."""

    def run(self, text: str) -> str:
        """Answer a call. What goes wrong in it is part of the answer, for the model to read.

        Raises:
            ToolError: when the tool itself does not work.
        """
