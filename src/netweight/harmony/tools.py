"""Tools as the prompt shows them: namespaces of TypeScript signatures, and the two built-in ones.

Texts of the built-in tools are those gpt-oss was trained on (openai/harmony, Apache-2.0); other
words would be other tools to the model. Writes text; knows no tokens.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from netweight.errors import HarmonyError
from netweight.harmony.fixed import comment, fixed_type
from netweight.harmony.message import Tool, ToolNamespace
from netweight.harmony.schema import official_type


class SchemaMode(StrEnum):
    """How tools are written: to the byte as openai-harmony does, or losing and leaking nothing."""

    OFFICIAL = "official"
    FIXED = "fixed"


_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def tools_section(namespaces: Iterable[ToolNamespace], mode: SchemaMode) -> str:
    """The `# Tools` section, namespaces in alphabetical order.

    In fixed mode names must be identifiers and a namespace without tools must not write headings of
    its own; HarmonyError otherwise.
    """
    mode = SchemaMode(mode)
    ordered = sorted(namespaces, key=lambda namespace: namespace.name)
    names = [namespace.name for namespace in ordered]
    if len(set(names)) != len(names):
        raise HarmonyError(f"two tool namespaces share a name: {', '.join(names)}; merge them")
    try:
        return "\n\n".join(["# Tools", *(_namespace_text(each, mode) for each in ordered)])
    except RecursionError as error:
        raise HarmonyError("a tool's schema is nested too deeply to be written") from error


def is_identifier(name: str) -> bool:
    """Whether a tool of this name can be declared: a TypeScript identifier in ASCII."""
    return _IDENTIFIER.fullmatch(name) is not None


def _namespace_text(namespace: ToolNamespace, mode: SchemaMode) -> str:
    if mode is SchemaMode.FIXED:
        _check_namespace(namespace)
    lines = [f"## {namespace.name}", ""]
    if not namespace.tools:
        return "\n".join([*lines, *_lines(namespace.description or "")])
    if namespace.description is not None:
        lines += _comment(namespace.description, mode)
    lines += [f"namespace {namespace.name} {{", ""]
    for tool in namespace.tools:
        lines += [*_tool_lines(tool, mode), ""]
    return "\n".join([*lines, f"}} // namespace {namespace.name}"])


def _comment(text: str, mode: SchemaMode) -> list[str]:
    """Comment lines. The official split knows only line feeds, so that other breaks go through."""
    if mode is SchemaMode.FIXED:
        return comment(text)
    return [f"// {line}" for line in _lines(text)]


def _lines(text: str) -> list[str]:
    """Rust's `str::lines`: a line ends in a line feed, and a carriage return before it goes too."""
    lines = text.split("\n")
    ended, last = lines[:-1], lines[-1]
    return [line.removesuffix("\r") for line in ended] + ([last] if last else [])


def _tool_lines(tool: Tool, mode: SchemaMode) -> Iterator[str]:
    yield from _comment(tool.description, mode)
    if tool.parameters is None:
        yield f"type {tool.name} = () => any;"
        return
    write = official_type if mode is SchemaMode.OFFICIAL else fixed_type
    try:
        yield f"type {tool.name} = (_: {write(tool.parameters)}) => any;"
    except HarmonyError as error:
        raise HarmonyError(f"the schema of {tool.name} cannot be written: {error}") from error


def _check_namespace(namespace: ToolNamespace) -> None:
    names = [tool.name for tool in namespace.tools]
    for name in [namespace.name, *names]:
        if not is_identifier(name):
            raise HarmonyError(
                f"{name!r} cannot be declared as a tool; use letters, digits and _, no digit first"
            )
    if len(set(names)) != len(names):
        raise HarmonyError(f"namespace {namespace.name} declares a tool twice: {', '.join(names)}")
    if not namespace.tools:
        forged = [
            line for line in (namespace.description or "").splitlines() if line.startswith("#")
        ]
        if forged:
            raise HarmonyError(
                f"the description of {namespace.name} starts a section of its own: {forged[0]!r}"
            )


def browser_namespace() -> ToolNamespace:
    """The built-in `browser`: search, open a page, find in a page."""
    number, text = {"type": "number"}, {"type": "string"}
    return ToolNamespace(
        "browser",
        description=_BROWSER,
        tools=(
            Tool(
                "search",
                _BROWSER_SEARCH,
                _parameters(
                    {"query": text, "topn": number | {"default": 10}, "source": text}, ["query"]
                ),
            ),
            Tool(
                "open",
                _BROWSER_OPEN,
                _parameters(
                    {
                        "id": {"type": ["number", "string"], "default": -1},
                        "cursor": number | {"default": -1},
                        "loc": number | {"default": -1},
                        "num_lines": number | {"default": -1},
                        "view_source": {"type": "boolean", "default": False},
                        "source": text,
                    },
                    [],
                ),
            ),
            Tool(
                "find",
                _BROWSER_FIND,
                _parameters({"pattern": text, "cursor": number | {"default": -1}}, ["pattern"]),
            ),
        ),
    )


def python_namespace() -> ToolNamespace:
    """The built-in `python`: code in the message body, run in a stateful notebook."""
    return ToolNamespace("python", description=_PYTHON)


def _parameters(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required}


_BROWSER = """Tool for browsing.
The `cursor` appears in brackets before each browsing display: `[{cursor}]`.
Cite information from the tool using the following format:
`【{cursor}†L{line_start}(-L{line_end})?】`, for example: `【6†L9-L11】` or `【8†L3】`.
Do not quote more than 10 words directly from the tool output.
sources=web (default: web)"""

_BROWSER_SEARCH = "Searches for information related to `query` and displays `topn` results."

_BROWSER_OPEN = (
    "Opens the link `id` from the page indicated by `cursor` starting at line number `loc`, "
    "showing `num_lines` lines.\n"
    "Valid link ids are displayed with the formatting: `【{id}†.*】`.\n"
    "If `cursor` is not provided, the most recent page is implied.\n"
    "If `id` is a string, it is treated as a fully qualified URL associated with `source`.\n"
    "If `loc` is not provided, the viewport will be positioned at the beginning of the document or "
    "centered on the most relevant passage, if available.\n"
    "Use this function without `id` to scroll to a new location of an opened page."
)

_BROWSER_FIND = (
    "Finds exact matches of `pattern` in the current page, or the page given by `cursor`."
)

_PYTHON = (
    "Use this tool to execute Python code in your chain of thought. The code will not be shown to "
    "the user. This tool should be used for internal reasoning, but not for code that is intended "
    "to be visible to the user (e.g. when creating plots, tables, or files).\n\n"
    "When you send a message containing Python code to python, it will be executed in a stateful "
    "Jupyter notebook environment. python will respond with the output of the execution or time "
    "out after 120.0 seconds. The drive at '/mnt/data' can be used to save and persist user files. "
    "Internet access for this session is UNKNOWN. Depends on the cluster."
)
