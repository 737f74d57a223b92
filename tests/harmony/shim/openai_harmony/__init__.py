"""The names of openai_harmony 0.0.8 over netweight.harmony, so that suites written for it can run.

Put `shim` first on the module path. The vocabulary is read from TIKTOKEN_ENCODINGS_BASE. Rendering
is in official mode; parsing is ours, strict where strict is asked for.
"""

import os
from enum import Enum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field

from netweight import harmony as ours
from netweight.errors import HarmonyError as OurError

_PAST_THE_MODEL = {201088: b"<|reserved_201088|>"}  # openai_harmony has one id more than gpt-oss


class HarmonyError(RuntimeError):
    pass


Role = Enum("Role", {role.name: role.value for role in ours.Role}, type=str)
ReasoningEffort = Enum(
    "ReasoningEffort", {e.name: e.value.capitalize() for e in ours.ReasoningEffort}, type=str
)
HarmonyEncodingName = Enum("HarmonyEncodingName", {"HARMONY_GPT_OSS": "HarmonyGptOss"}, type=str)
StreamState = Enum("StreamState", ["START", "HEADER", "CONTENT"])


class _Positional(BaseModel):
    @classmethod
    def new(cls, *values, **fields):
        return cls(**dict(zip(cls.model_fields, values, strict=False)), **fields)


class Author(_Positional):
    role: Role
    name: str | None = None


class TextContent(BaseModel):
    text: str


class ToolDescription(_Positional):
    name: str
    description: str
    parameters: dict | None = None


class ToolNamespaceConfig(BaseModel):
    name: str
    description: str | None = None
    tools: list[ToolDescription] = []

    @classmethod
    def _of(cls, namespace):
        tools = [ToolDescription.new(t.name, t.description, t.parameters) for t in namespace.tools]
        return cls(name=namespace.name, description=namespace.description, tools=tools)

    @classmethod
    def browser(cls):
        return cls._of(ours.browser_namespace())

    @classmethod
    def python(cls):
        return cls._of(ours.python_namespace())


class ChannelConfig(BaseModel):
    valid_channels: list[str] = ["analysis", "commentary", "final"]
    channel_required: bool = True


class _Builder:
    """`with_x` for every field x, changing the object in place as openai_harmony does."""

    def __getattr__(self, name):
        if not name.startswith("with_"):
            raise AttributeError(name)

        def set_field(value):
            setattr(self, name.removeprefix("with_"), value)
            return self

        return set_field

    @classmethod
    def new(cls):
        return cls()


class _HasTools(_Builder):
    def with_tools(self, namespace):
        self.tools = {**(self.tools or {}), namespace.name: namespace}
        return self

    def with_function_tools(self, tools):
        return self.with_tools(ToolNamespaceConfig(name="functions", tools=tools))

    def with_browser_tool(self):
        return self.with_tools(ToolNamespaceConfig.browser())

    def with_python_tool(self):
        return self.with_tools(ToolNamespaceConfig.python())

    def _namespaces(self):
        return tuple(
            ours.ToolNamespace(
                name,
                config.description,
                tuple(ours.Tool(t.name, t.description, t.parameters) for t in config.tools),
            )
            for name, config in (self.tools or {}).items()
        )


class SystemContent(_HasTools, BaseModel):
    model_identity: str | None = ours.SystemContent().model_identity
    reasoning_effort: ReasoningEffort | None = ReasoningEffort.MEDIUM
    conversation_start_date: str | None = None
    knowledge_cutoff: str | None = "2024-06"
    channel_config: ChannelConfig | None = Field(default_factory=ChannelConfig)
    tools: dict[str, ToolNamespaceConfig] | None = None

    def with_required_channels(self, channels):
        return self.with_channel_config(ChannelConfig(valid_channels=channels))

    def ours(self):
        effort, config = self.reasoning_effort, self.channel_config
        return ours.SystemContent(
            self.model_identity,
            effort and ours.ReasoningEffort(effort.value.lower()),
            self.knowledge_cutoff,
            self.conversation_start_date,
            tuple(config.valid_channels) if config else (),
            bool(config and config.channel_required),
            self._namespaces(),
        )


class DeveloperContent(_HasTools, BaseModel):
    instructions: str | None = None
    tools: dict[str, ToolNamespaceConfig] | None = None

    def ours(self):
        return ours.DeveloperContent(self.instructions, self._namespaces())


class Message(_Builder, BaseModel):
    author: Author
    content: list[SystemContent | DeveloperContent | TextContent]
    channel: str | None = None
    recipient: str | None = None
    content_type: str | None = None

    @classmethod
    def from_author_and_content(cls, author, content):
        content = TextContent(text=content) if isinstance(content, str) else content
        return cls.model_construct(author=author, content=[content])

    @classmethod
    def from_role_and_content(cls, role, content):
        return cls.from_author_and_content(Author(role=role), content)

    def ours(self):
        parts = [
            part.text if isinstance(part, TextContent) else part.ours() for part in self.content
        ]
        role, name = ours.Role(self.author.role.value), self.author.name
        return ours.Message(
            role, tuple(parts), name, self.channel, self.recipient, self.content_type
        )

    @classmethod
    def _of(cls, message):
        author = Author(role=Role(message.role.value), name=message.name)
        fields = ("channel", "recipient", "content_type")
        header = {field: getattr(message, field) for field in fields}
        return cls(author=author, content=[TextContent(text=message.text)], **header)


class Conversation(BaseModel):
    messages: list[Message]

    @classmethod
    def from_messages(cls, messages):
        return cls(messages=messages)


class RenderConversationConfig(BaseModel):
    auto_drop_analysis: bool = True


class HarmonyEncoding:
    def __init__(self):
        base = Path(os.environ["TIKTOKEN_ENCODINGS_BASE"])
        self.vocabulary = ours.Vocabulary.load(base / "o200k_base.tiktoken")

    def _render(self, write, conversation, config=None, **options):
        drop = config is None or config.auto_drop_analysis
        policy = ours.ReasoningPolicy.OFFICIAL if drop else ours.ReasoningPolicy.KEEP
        messages = [message.ours() for message in conversation.messages]
        mode = ours.SchemaMode.OFFICIAL
        return _raising(write, self.vocabulary, messages, policy=policy, schemas=mode, **options)

    def render_conversation(self, conversation, config=None):
        return self._render(ours.render_conversation, conversation, config)

    def render_conversation_for_training(self, conversation, config=None):
        return self._render(ours.render_for_training, conversation, config)

    def render_conversation_for_completion(self, conversation, role, config=None):
        role = ours.Role(role.value)
        return self._render(ours.render_for_completion, conversation, config, next_role=role)

    def render(self, message):
        mode = ours.SchemaMode.OFFICIAL
        return _raising(ours.render_message, self.vocabulary, message.ours(), schemas=mode)

    def parse_messages_from_completion_tokens(self, tokens, role=None, *, strict=True):
        parser = StreamableParser(self, role, strict=strict)
        for token in tokens:
            parser.process(token)
        parser.process_eos()
        return parser.messages

    def encode(self, text, *, allowed_special=frozenset(), disallowed_special="all"):
        try:
            return self.vocabulary.encoding.encode(
                text, allowed_special=allowed_special, disallowed_special=disallowed_special
            )
        except ValueError as error:
            raise HarmonyError(str(error)) from error

    def _bytes(self, tokens):
        for token in tokens:
            if not self.vocabulary.has(token) and token not in _PAST_THE_MODEL:
                raise HarmonyError(f"Invalid token for decoding: {token}")
        return b"".join(_PAST_THE_MODEL.get(t) or self.vocabulary.token_bytes(t) for t in tokens)

    def decode_utf8(self, tokens):
        try:
            return self._bytes(tokens).decode()
        except UnicodeDecodeError as error:
            raise HarmonyError(f"Invalid utf-8 sequence: {error}") from error

    def decode(self, tokens):
        return self._bytes(tokens).decode(errors="replace")

    def is_special_token(self, token):
        return self.vocabulary.is_special(token)

    def stop_tokens(self):
        return [*self.stop_tokens_for_assistant_actions(), self.vocabulary.special.end]

    def stop_tokens_for_assistant_actions(self):
        return [self.vocabulary.special.return_, self.vocabulary.special.call]


class StreamableParser:
    def __init__(self, encoding, role, *, strict=True):
        role = None if role is None else ours.Role(role.value)
        self.parser = ours.Parser(encoding.vocabulary, role, strict=strict)

    def process(self, token):
        _raising(self.parser.push, token)

    def process_eos(self):
        _raising(self.parser.finish)

    def _field(self, name):
        return getattr(self.parser.header, name) if self.parser.header else None

    current_role = property(lambda self: self._field("role") and Role(self._field("role").value))
    current_channel = property(lambda self: self._field("channel"))
    current_recipient = property(lambda self: self._field("recipient"))
    current_content_type = property(lambda self: self._field("content_type"))
    current_content = property(lambda self: self.parser.text if self.parser.header else "")
    last_content_delta = property(lambda self: self.parser.last_delta or None)
    messages = property(lambda self: [Message._of(message) for message in self.parser.messages])
    tokens = property(lambda self: self.parser.tokens)

    state = property(lambda self: StreamState[self.parser.state.name])


@cache
def load_harmony_encoding(name):
    return HarmonyEncoding()


def _raising(action, *args, **options):
    """Call ours; its errors become theirs."""
    try:
        return action(*args, **options)
    except OurError as error:
        raise HarmonyError(str(error)) from error
