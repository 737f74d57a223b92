"""Harmony, the language gpt-oss speaks: messages <-> token ids.

    vocabulary = Vocabulary.load("path/to/tokenizer.json")
    prompt = render_for_completion(vocabulary, [Message.system(), Message.user("hello")])
    parser = Parser(vocabulary)          # the completion continues the prompt's last header
    for token_id in completion:
        events = parser.push(token_id)
    parser.finish()
    parser.messages

Knows no tensors, no requests and no network.
"""

from netweight.harmony.events import (
    Diagnostic,
    Event,
    MessageEnded,
    MessageStarted,
    Span,
    SpanKind,
    State,
    TextDelta,
)
from netweight.harmony.header import Header
from netweight.harmony.message import (
    Channel,
    Content,
    DeveloperContent,
    JsonSchema,
    Layout,
    Message,
    ReasoningEffort,
    ResponseFormat,
    Role,
    SystemContent,
    Tool,
    ToolNamespace,
)
from netweight.harmony.parse import Mark, Parser, parse_completion
from netweight.harmony.render import (
    ReasoningPolicy,
    render_conversation,
    render_for_completion,
    render_for_training,
    render_message,
)
from netweight.harmony.tools import SchemaMode, browser_namespace, python_namespace
from netweight.harmony.vocab import SpecialIds, Vocabulary

__all__ = [
    "Channel",
    "Content",
    "DeveloperContent",
    "Diagnostic",
    "Event",
    "Header",
    "JsonSchema",
    "Layout",
    "Mark",
    "Message",
    "MessageEnded",
    "MessageStarted",
    "Parser",
    "ReasoningEffort",
    "ReasoningPolicy",
    "ResponseFormat",
    "Role",
    "SchemaMode",
    "Span",
    "SpanKind",
    "SpecialIds",
    "State",
    "SystemContent",
    "TextDelta",
    "Tool",
    "ToolNamespace",
    "Vocabulary",
    "browser_namespace",
    "parse_completion",
    "python_namespace",
    "render_conversation",
    "render_for_completion",
    "render_for_training",
    "render_message",
]
