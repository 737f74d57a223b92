"""What a parser reports: where it stands, what each token is, and what happened.

Plain values; see `parse`.
"""

from enum import StrEnum
from typing import NamedTuple

from netweight.harmony.header import Header
from netweight.harmony.message import Message


class State(StrEnum):
    """Where a parser stands: between messages, in a header, in content, or at the end."""

    START = "start"
    HEADER = "header"
    CONTENT = "content"
    ENDED = "ended"


class SpanKind(StrEnum):
    """What a run of tokens is."""

    START = "start"  # <|start|>
    HEADER = "header"
    MESSAGE = "message"  # <|message|>
    CONTENT = "content"
    END = "end"  # <|end|>, <|call|>, <|return|> or <|endoftext|>, closing a message
    STRAY = "stray"  # belongs to no message


class Span(NamedTuple):
    """Tokens `start` to `stop` (exclusive) of the input."""

    kind: SpanKind
    start: int
    stop: int


class MessageStarted(NamedTuple):
    """A header is complete; text of the message follows."""

    header: Header


class TextDelta(NamedTuple):
    """More text of the current message, in whole characters."""

    text: str


class MessageEnded(NamedTuple):
    """A message is complete, or, where `message.is_complete` is False, broke off."""

    message: Message


class Diagnostic(NamedTuple):
    """Something that was repaired: what kind, the particulars, and by which token it was seen."""

    code: str
    detail: str
    token_index: int


Event = MessageStarted | TextDelta | MessageEnded | Diagnostic
