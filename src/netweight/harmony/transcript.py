"""What a parser has read so far: tokens, spans, messages, diagnostics, and points to go back to.

Keeps the books, and knows nothing of Harmony's grammar; `parse` decides what each token is.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import NamedTuple, Self

from netweight.harmony.events import Diagnostic, Event, Span, SpanKind, State
from netweight.harmony.message import Message


class Mark(NamedTuple):
    """A point to rewind to; see Transcript.mark."""

    num_tokens: int
    num_spans: int
    num_messages: int
    num_diagnostics: int
    fields: dict[str, object]


class Transcript(ABC):
    """The lists that only grow, and where the last span began."""

    def _clear(self, state: State) -> None:
        self.tokens: list[int] = []
        self.messages: list[Message] = []
        self.diagnostics: list[Diagnostic] = []
        self.state = state
        self.spans: list[Span] = []
        self._events: list[Event] = []
        self._span_start = 0

    @abstractmethod
    def _fields(self) -> dict[str, object]:
        """What a mark has to remember beside the lengths of the lists."""

    @property
    def open_span(self) -> Span | None:
        """What the tokens since the last of `spans` are, so far; after `finish`, there are none."""
        kinds = {State.HEADER: SpanKind.HEADER, State.CONTENT: SpanKind.CONTENT}
        span = Span(kinds.get(self.state, SpanKind.STRAY), self._span_start, len(self.tokens))
        return span if span.start < span.stop else None

    def copy(self) -> Self:
        """An independent parser at the same point; only lists of tokens and events are copied."""
        twin = copy(self)
        twin.tokens, twin.messages = self.tokens.copy(), self.messages.copy()
        twin.diagnostics, twin.spans = self.diagnostics.copy(), self.spans.copy()
        twin._events = []
        return twin

    def mark(self) -> Mark:
        """A point to come back to with `rewind`, as when a speculated token is refused."""
        return Mark(
            len(self.tokens),
            len(self.spans),
            len(self.messages),
            len(self.diagnostics),
            self._fields(),
        )

    def rewind(self, mark: Mark) -> None:
        """Go back to a mark of this parser; marks taken later are void."""
        assert mark.num_tokens <= len(self.tokens), "the mark is of a later point or another parser"
        del self.tokens[mark.num_tokens :]
        del self.spans[mark.num_spans :]
        del self.messages[mark.num_messages :]
        del self.diagnostics[mark.num_diagnostics :]
        for field, value in mark.fields.items():
            setattr(self, field, value)

    def _take(self, token_id: int, kind: SpanKind) -> None:
        """Accept a token that is a span by itself."""
        self.tokens.append(token_id)
        self._close_span(kind)

    def _close_span(self, kind: SpanKind, *, until: int | None = None) -> None:
        stop = len(self.tokens) if until is None else until
        if self._span_start < stop:
            self.spans.append(Span(kind, self._span_start, stop))
            self._span_start = stop

    def _diagnose(self, code: str, detail: str) -> None:
        diagnostic = Diagnostic(code, detail, len(self.tokens))
        self.diagnostics.append(diagnostic)
        self._events.append(diagnostic)

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events
