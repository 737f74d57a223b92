"""Tool calls: which offered tool a message calls, however it was named, with what arguments.

Models write `functions.python` for the built-in `python`, forget `functions.`, or run the name and
the content type together. The tools that were offered decide. Knows nothing of how tools are run.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from netweight.harmony.arguments import read_arguments
from netweight.harmony.message import Message, Role, ToolNamespace

FUNCTIONS = "functions."
BUILT_IN = ("python", "browser.search", "browser.open", "browser.find")
_GLUED_TYPES = (".json", ".code", "json", "code")
_NOT_TOOLS = frozenset({*Role, "all"})


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as read from a message.

    `recipient` is the tool's full name, `functions.f` or `browser.search` or `python`; `name` is
    the same without `functions.`. `text` is what the model wrote; `arguments` the JSON object read
    from it, or None where there is none, as for `python`, whose text is code. `repairs` names what
    had to be guessed, each with particulars.
    """

    recipient: str
    name: str
    text: str
    arguments: dict[str, object] | None
    is_known: bool
    is_complete: bool
    repairs: tuple[tuple[str, str], ...] = ()


class Resolved(NamedTuple):
    """A full name, whether it was offered, and the repair that led to it, if any."""

    recipient: str
    is_known: bool
    repair: tuple[str, str] | None = None


def read_call(message: Message, offered: Sequence[ToolNamespace] | None = None) -> ToolCall | None:
    """The tool call that a message is, or None.

    `offered` are the tools of the prompt; None where they are not known, so that every name is
    taken as it is.
    """
    is_call = message.role is Role.ASSISTANT and message.recipient is not None
    if not is_call or message.recipient in _NOT_TOOLS:
        return None
    resolved = resolve_tool(str(message.recipient), offered)
    repairs = [] if resolved.repair is None else [resolved.repair]
    arguments = None
    if takes_json(resolved.recipient, offered):
        read = read_arguments(message.text, is_complete=message.is_complete)
        arguments = read.value
        repairs += read.repairs
    return ToolCall(
        resolved.recipient,
        resolved.recipient.removeprefix(FUNCTIONS),
        message.text,
        arguments,
        resolved.is_known,
        message.is_complete,
        tuple(repairs),
    )


def tool_names(offered: Sequence[ToolNamespace]) -> list[str]:
    """The full names of offered tools; a namespace without tools is called whole."""
    return [
        name
        for namespace in offered
        for name in (
            [f"{namespace.name}.{tool.name}" for tool in namespace.tools] or [namespace.name]
        )
    ]


def takes_json(recipient: str, offered: Sequence[ToolNamespace] | None) -> bool:
    """Whether a tool's text is a JSON object; a namespace without tools, as python, takes code."""
    bare = {namespace.name for namespace in offered or () if not namespace.tools}
    return recipient not in (bare or {"python"})


def resolve_tool(written: str, offered: Sequence[ToolNamespace] | None) -> Resolved:
    """The tool that a recipient means: by its exact name, or by one that a known slip explains."""
    names = BUILT_IN if offered is None else tool_names(offered)
    if written in names:
        return Resolved(written, is_known=True)
    candidates = _candidates(written)
    for candidate in candidates:
        if candidate in names:
            return Resolved(candidate, is_known=True, repair=("renamed_tool", written))
    parts = {_last_part(candidate) for candidate in candidates}
    loose = [name for name in names if _last_part(name) in parts]
    if len(loose) == 1:
        return Resolved(loose[0], is_known=True, repair=("renamed_tool", written))
    if offered is None:
        return Resolved(written, is_known=True)
    bare = written.removeprefix(FUNCTIONS)
    recipient = bare if bare in BUILT_IN else written
    return Resolved(recipient, is_known=False, repair=("unknown_tool", written))


def _candidates(written: str) -> list[str]:
    """What a slip may have stood for, the likeliest first."""
    plain = [written.removeprefix(FUNCTIONS), f"{FUNCTIONS}{written}"]
    unglued = [
        spelling.removesuffix(glued)
        for glued in _GLUED_TYPES
        for spelling in (written, *plain)
        if spelling.endswith(glued)
    ]
    return plain + unglued


def _last_part(name: str) -> str:
    return re.split(r"[.:/]", name)[-1].lower()
