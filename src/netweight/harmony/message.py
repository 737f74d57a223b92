"""Messages: who says what, on which channel, to whom.

Plain values. Knows no token ids; `render` writes messages down, `parse` reads them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from netweight.errors import HarmonyError

JsonSchema = Mapping[str, object]

DEFAULT_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI."
DEFAULT_KNOWLEDGE_CUTOFF = "2024-06"


class Role(StrEnum):
    """Who speaks; earlier roles outrank later ones."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Channel(StrEnum):
    """Where the assistant speaks: reasoning, tool calls and preambles, or the answer."""

    ANALYSIS = "analysis"
    COMMENTARY = "commentary"
    FINAL = "final"


class ReasoningEffort(StrEnum):
    """How long the model should think."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `parameters` is a JSON schema, or None for no argument."""

    name: str
    description: str = ""
    parameters: JsonSchema | None = None


@dataclass(frozen=True, slots=True)
class ToolNamespace:
    """Tools under one name; one without tools, as `python`, is described in prose."""

    name: str
    description: str | None = None
    tools: tuple[Tool, ...] = ()

    @classmethod
    def functions(cls, tools: Sequence[Tool]) -> Self:
        """The namespace in which Harmony keeps a developer's own tools."""
        return cls("functions", tools=tuple(tools))


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """A named JSON schema that the final answer should follow."""

    name: str
    schema: JsonSchema
    description: str = ""


@dataclass(frozen=True, slots=True)
class SystemContent:
    """What the system message says; a None or empty part is left out.

    Dates are text, by convention YYYY-MM for the cutoff and YYYY-MM-DD for the current date.
    """

    model_identity: str | None = DEFAULT_IDENTITY
    reasoning_effort: ReasoningEffort | None = ReasoningEffort.MEDIUM
    knowledge_cutoff: str | None = DEFAULT_KNOWLEDGE_CUTOFF
    current_date: str | None = None
    valid_channels: tuple[str, ...] = tuple(Channel)
    channel_required: bool = True
    tools: tuple[ToolNamespace, ...] = ()


@dataclass(frozen=True, slots=True)
class DeveloperContent:
    """What the developer message says: instructions, tools, and formats of the final answer."""

    instructions: str | None = None
    tools: tuple[ToolNamespace, ...] = ()
    response_formats: tuple[ResponseFormat, ...] = ()

    @property
    def has_function_tools(self) -> bool:
        """Whether there is a tool in the namespace `functions`."""
        return any(namespace.name == "functions" and namespace.tools for namespace in self.tools)


Content = str | SystemContent | DeveloperContent


@dataclass(frozen=True, slots=True)
class Layout:
    """How a model wrote a message: the token ids from `<|start|>` to the message's last token.

    `message` is the message as read from them. A message that was changed since no longer equals
    it, and is then written anew.
    """

    message: "Message"
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One Harmony message. `content` is a tuple of parts, each encoded on its own.

    `name` is a tool's name (as `functions.f`) or a participant's; `recipient` whom a call is for;
    `content_type` is `json`, `<|constrain|>json`, `code` or the like. Parsed messages carry their
    `layout`, and `is_complete` is False where the text ended before the message did.
    """

    role: Role
    content: tuple[Content, ...]
    name: str | None = None
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None
    layout: Layout | None = field(default=None, compare=False, repr=False)
    is_complete: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        """A plain string is one part of content, and a role's name is the role."""
        if isinstance(self.content, str):
            object.__setattr__(self, "content", (self.content,))
        if type(self.role) is not Role:
            if self.role not in set(Role):
                raise HarmonyError(f"there is no role {self.role!r}; roles are {', '.join(Role)}")
            object.__setattr__(self, "role", Role(self.role))

    @classmethod
    def system(cls, content: SystemContent | str | None = None) -> Self:
        """A system message; with no content, the default one."""
        return cls(Role.SYSTEM, (SystemContent() if content is None else content,))

    @classmethod
    def developer(cls, content: DeveloperContent | str) -> Self:
        """A developer message. A plain string is written as it is, with no heading."""
        return cls(Role.DEVELOPER, (content,))

    @classmethod
    def user(cls, text: str, *, name: str | None = None) -> Self:
        """What the user says."""
        return cls(Role.USER, (text,), name=name)

    @classmethod
    def assistant(
        cls,
        text: str,
        *,
        channel: str | None = Channel.FINAL,
        recipient: str | None = None,
        content_type: str | None = None,
    ) -> Self:
        """What the model says; with a recipient, a tool call."""
        return cls(
            Role.ASSISTANT, (text,), channel=channel, recipient=recipient, content_type=content_type
        )

    @classmethod
    def tool(
        cls,
        name: str,
        text: str,
        *,
        channel: str | None = Channel.COMMENTARY,
        recipient: str | None = Role.ASSISTANT,
    ) -> Self:
        """What a tool answers; `channel` should be that of the call."""
        return cls(Role.TOOL, (text,), name=name, channel=channel, recipient=recipient)

    @property
    def text(self) -> str:
        """The plain text of all parts; HarmonyError where a part is system or developer content."""
        texts = [part for part in self.content if isinstance(part, str)]
        if len(texts) != len(self.content):
            raise HarmonyError(f"the {self.role} message holds structured content, not plain text")
        return "".join(texts)
