"""Messages -> token ids: whole conversations, prompts for a completion, texts for training.

Every piece of text is encoded on its own as ordinary tokens; only this file writes control tokens.
A header field that could be read as another field, or as another message, is refused. The format is
openai-harmony's; where we differ on purpose is written in docs/decisions.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from netweight.errors import HarmonyError
from netweight.harmony.fixed import comment, literal
from netweight.harmony.header import CONSTRAIN, Segment, read_header
from netweight.harmony.message import (
    Channel,
    Content,
    DeveloperContent,
    Message,
    ResponseFormat,
    Role,
    SystemContent,
)
from netweight.harmony.tools import SchemaMode, tools_section
from netweight.harmony.vocab import Vocabulary

_FORBIDDEN_IN_HEADER = re.compile(r"\s|<\||[\x00-\x1f\x7f]")


class ReasoningPolicy(StrEnum):
    """Which earlier reasoning (all messages on the analysis channel) the model sees again.

    * official: openai-harmony's rule. Once the newest assistant message is final, all that came
      before the first final message of the conversation is dropped.
    * before_last_final: what came before the newest final message is dropped; the reasoning of a
      tool loop under way is kept.
    * keep: nothing is dropped.
    """

    OFFICIAL = "official"
    BEFORE_LAST_FINAL = "before_last_final"
    KEEP = "keep"


def render_conversation(
    vocabulary: Vocabulary,
    messages: Sequence[Message],
    *,
    policy: ReasoningPolicy = ReasoningPolicy.BEFORE_LAST_FINAL,
    schemas: SchemaMode = SchemaMode.FIXED,
) -> list[int]:
    """The token ids of all messages that `policy` keeps; HarmonyError if one cannot be written."""
    has_function_tools = has_functions(messages)
    ids: list[int] = []
    for message in kept_messages(messages, policy):
        ids += render_message(
            vocabulary, message, has_function_tools=has_function_tools, schemas=schemas
        )
    return ids


def render_for_completion(
    vocabulary: Vocabulary,
    messages: Sequence[Message],
    *,
    next_role: Role = Role.ASSISTANT,
    policy: ReasoningPolicy = ReasoningPolicy.BEFORE_LAST_FINAL,
    schemas: SchemaMode = SchemaMode.FIXED,
) -> list[int]:
    """The conversation and the beginning of the next message, which the model is to write."""
    ids = render_conversation(vocabulary, messages, policy=policy, schemas=schemas)
    return [*ids, vocabulary.special.start, *vocabulary.encode(next_role)]


def render_for_training(
    vocabulary: Vocabulary,
    messages: Sequence[Message],
    *,
    policy: ReasoningPolicy = ReasoningPolicy.BEFORE_LAST_FINAL,
    schemas: SchemaMode = SchemaMode.FIXED,
) -> list[int]:
    """The conversation as a text to learn from: a last message that is final ends in `<|return|>`.

    Under before_last_final that last message does not count as earlier: its own reasoning stays, as
    it is what the model has to learn to write.
    """
    if not messages:
        raise HarmonyError("there is nothing to train on: the conversation has no messages")
    *earlier, last = messages
    if policy == ReasoningPolicy.BEFORE_LAST_FINAL:
        kept = [*kept_messages(earlier, policy), last]
        ids = render_conversation(vocabulary, kept, policy=ReasoningPolicy.KEEP, schemas=schemas)
    else:
        ids = render_conversation(vocabulary, messages, policy=policy, schemas=schemas)
    if is_final(last):
        ids[-1] = vocabulary.special.return_
    return ids


def render_message(
    vocabulary: Vocabulary,
    message: Message,
    *,
    has_function_tools: bool = False,
    schemas: SchemaMode = SchemaMode.FIXED,
) -> list[int]:
    """The token ids of one message, as the model wrote it if it did.

    `has_function_tools` says whether the conversation declares some, which its system message
    repeats. Raises HarmonyError for fields that cannot stand in a header and content that its role
    cannot have.
    """
    if message.layout is not None and message.layout.message == message:
        return _as_written(vocabulary, message)
    special, encode = vocabulary.special, vocabulary.encode
    ids = [special.start, *_header(vocabulary, message), special.message]
    for part in message.content:
        text = _content_text(message, part, has_function_tools=has_function_tools, schemas=schemas)
        ids += encode(text)
    ids.append(_terminator(vocabulary, message))
    return ids


def kept_messages(messages: Sequence[Message], policy: ReasoningPolicy) -> list[Message]:
    """The messages that `policy` lets the model see again."""
    first_kept = first_index_kept(messages, policy)
    return [
        message
        for index, message in enumerate(messages)
        if index >= first_kept or message.channel != Channel.ANALYSIS
    ]


def first_index_kept(messages: Sequence[Message], policy: ReasoningPolicy) -> int:
    """Analysis messages before this index are dropped."""
    policy = ReasoningPolicy(policy)
    if policy is ReasoningPolicy.KEEP:
        return 0
    if policy is ReasoningPolicy.BEFORE_LAST_FINAL:
        finals = [index for index, message in enumerate(messages) if is_final(message)]
        return finals[-1] if finals else 0
    said = [message for message in messages if message.role is Role.ASSISTANT]
    if not said or said[-1].channel != Channel.FINAL:
        return 0
    return next(index for index, m in enumerate(messages) if m.channel == Channel.FINAL)


def has_functions(messages: Sequence[Message]) -> bool:
    """Whether a developer message declares function tools."""
    return any(
        isinstance(part, DeveloperContent) and part.has_function_tools
        for message in messages
        for part in message.content
    )


def is_final(message: Message) -> bool:
    """Whether this is an answer of the assistant to the user."""
    return message.role is Role.ASSISTANT and message.channel == Channel.FINAL


def _as_written(vocabulary: Vocabulary, message: Message) -> list[int]:
    """The model's own tokens; in history a message ends in end or call, never in return."""
    assert message.layout is not None, "only a parsed message has a layout"
    ids, special = list(message.layout.token_ids), vocabulary.special
    if ids[-1] in (special.return_, special.endoftext):
        ids[-1] = _terminator(vocabulary, message)
    elif not message.is_complete:
        ids.append(_terminator(vocabulary, message))
    return ids


def _terminator(vocabulary: Vocabulary, message: Message) -> int:
    is_call = message.role is Role.ASSISTANT and message.recipient is not None
    return vocabulary.special.call if is_call else vocabulary.special.end


def _header(vocabulary: Vocabulary, message: Message) -> list[int]:
    encode = vocabulary.encode
    ids = _author(vocabulary, message)
    if message.recipient is not None and message.recipient != "all":
        ids += encode(f" to={_field('recipient', message.recipient)}")
    if message.channel is not None:
        ids += [vocabulary.special.channel, *encode(_field("channel", message.channel))]
    if message.content_type is None:
        return ids
    kind = message.content_type.removeprefix(CONSTRAIN)
    if kind == message.content_type:
        return ids + encode(f" {_field('content_type', kind)}")
    return [*ids, *encode(" "), vocabulary.special.constrain, *encode(_field("content_type", kind))]


def _author(vocabulary: Vocabulary, message: Message) -> list[int]:
    if message.role is not Role.TOOL:
        ids = vocabulary.encode(message.role)
        return (
            ids
            if message.name is None
            else ids + vocabulary.encode(f":{_field('name', message.name)}")
        )
    if message.name is None:
        raise HarmonyError("a tool message needs the tool's name, as in functions.get_weather")
    name = _field("name", message.name)
    if read_header([Segment(None, name)], None).header.role is not Role.TOOL:
        raise HarmonyError(f"a tool cannot be called {name!r}: that reads as another speaker")
    return vocabulary.encode(name)


def _field(field: str, value: str) -> str:
    """A header field, checked: it must not read as two fields, or as another one."""
    if not value or _FORBIDDEN_IN_HEADER.search(value) or value.startswith("to="):
        raise HarmonyError(
            f"{field} {value!r} cannot stand in a message header: "
            "it must be one word, without control tokens, not starting with to="
        )
    return value


def _content_text(
    message: Message, part: Content, *, has_function_tools: bool, schemas: SchemaMode
) -> str:
    match part:
        case str():
            return part
        case SystemContent() if message.role is Role.SYSTEM:
            return system_text(part, has_function_tools=has_function_tools, schemas=schemas)
        case DeveloperContent() if message.role is Role.DEVELOPER:
            return developer_text(part, schemas=schemas)
    raise HarmonyError(f"{type(part).__name__} cannot stand in a {message.role} message")


def system_text(
    content: SystemContent,
    *,
    has_function_tools: bool = False,
    schemas: SchemaMode = SchemaMode.FIXED,
) -> str:
    """What the system message says."""
    if schemas == SchemaMode.FIXED:
        _check_lines(content)
    facts = [] if content.model_identity is None else [content.model_identity]
    if content.knowledge_cutoff is not None:
        facts.append(f"Knowledge cutoff: {content.knowledge_cutoff}")
    if content.current_date is not None:
        facts.append(f"Current date: {content.current_date}")
    sections = ["\n".join(facts)] if facts else []
    if content.reasoning_effort is not None:
        sections.append(f"Reasoning: {content.reasoning_effort}")
    if content.tools:
        sections.append(tools_section(content.tools, schemas))
    if content.valid_channels:
        sections.append(_channels_text(content, has_function_tools=has_function_tools))
    return "\n\n".join(sections)


def _check_lines(content: SystemContent) -> None:
    """What has a line of its own in the system message must not open another."""
    fields = (content.knowledge_cutoff, content.current_date, *content.valid_channels)
    for value in fields:
        if value is not None and len(value.splitlines()) > 1:
            raise HarmonyError(f"{value!r} stands on a line of the system message; it has several")


def _channels_text(content: SystemContent, *, has_function_tools: bool) -> str:
    text = f"# Valid channels: {', '.join(content.valid_channels)}."
    if content.channel_required:
        text += " Channel must be included for every message."
    if has_function_tools:
        text += "\nCalls to these tools must go to the commentary channel: 'functions'."
    return text


def developer_text(content: DeveloperContent, *, schemas: SchemaMode = SchemaMode.FIXED) -> str:
    """What the developer message says."""
    sections = []
    if content.instructions is not None:
        sections += ["# Instructions", content.instructions]
    if content.tools:
        sections.append(tools_section(content.tools, schemas))
    if content.response_formats:
        sections += ["# Response Formats", *map(_format_text, content.response_formats)]
    return "\n\n".join(sections)


def _format_text(response_format: ResponseFormat) -> str:
    if not re.fullmatch(r"[\w.-]+", response_format.name):
        raise HarmonyError(f"response format {response_format.name!r} needs a one-word name")
    lines = comment(response_format.description) if response_format.description else []
    try:
        schema = literal(response_format.schema)
    except RecursionError as error:
        name = response_format.name
        raise HarmonyError(f"the schema of {name} is nested too deeply to be written") from error
    return "\n".join([f"## {response_format.name}", "", *lines, schema])
