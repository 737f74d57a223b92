"""Harmony, the language gpt-oss speaks: messages <-> token ids.

    vocabulary = Vocabulary.load("path/to/tokenizer.json")
    prompt = render_for_completion(vocabulary, [Message.system(), Message.user("hello")])
    parser = Parser(vocabulary)          # the completion continues the prompt's last header
    for token_id in completion:
        events = parser.push(token_id)
    parser.finish()
    parser.messages

Constraints on what a completion may be are in `netweight.harmony.grammar`, which loads numpy. Knows
no tensors, no requests and no network.
"""

from netweight.harmony.answer import Answer, read_answer
from netweight.harmony.arguments import Arguments, read_arguments
from netweight.harmony.calls import ToolCall, read_call
from netweight.harmony.convert import from_chat, to_chat
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
from netweight.harmony.names import ToolNames
from netweight.harmony.parse import Parser, parse_completion
from netweight.harmony.render import (
    ReasoningPolicy,
    render_conversation,
    render_for_completion,
    render_for_training,
    render_message,
)
from netweight.harmony.responses import from_responses, to_responses
from netweight.harmony.session import Session, Update
from netweight.harmony.text import TextParser, parse_text
from netweight.harmony.tools import SchemaMode, browser_namespace, python_namespace
from netweight.harmony.transcript import Mark
from netweight.harmony.vocab import SpecialIds, Vocabulary

__all__ = [
    "Answer",
    "Arguments",
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
    "Session",
    "Span",
    "SpanKind",
    "SpecialIds",
    "State",
    "SystemContent",
    "TextDelta",
    "TextParser",
    "Tool",
    "ToolCall",
    "ToolNames",
    "ToolNamespace",
    "Update",
    "Vocabulary",
    "browser_namespace",
    "from_chat",
    "from_responses",
    "parse_completion",
    "parse_text",
    "python_namespace",
    "read_answer",
    "read_arguments",
    "read_call",
    "render_conversation",
    "render_for_completion",
    "render_for_training",
    "render_message",
    "to_chat",
    "to_responses",
]
