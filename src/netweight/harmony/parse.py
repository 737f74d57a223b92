"""Token ids -> messages, one token at a time.

The parser never raises (unless strict): whatever a model writes becomes messages, text deltas and
diagnostics, and every token belongs to exactly one span. Control tokens are known by their ids,
never by their spelling. Strict parsing reads as openai-harmony 0.0.8 does and raises where it does.
"""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import replace

from netweight.errors import HarmonyError, VocabularyError
from netweight.harmony.events import (
    Event,
    MessageEnded,
    MessageStarted,
    SpanKind,
    State,
    TextDelta,
)
from netweight.harmony.header import Header, Reading, Segment, may_go_on, oddities, read_header
from netweight.harmony.message import Channel, Layout, Message, Role
from netweight.harmony.official import read_official_header
from netweight.harmony.segments import cut_header, num_header_tokens
from netweight.harmony.stripped import split_stripped
from netweight.harmony.transcript import Transcript
from netweight.harmony.vocab import Vocabulary

REPLACEMENT = "\ufffd"


class Parser(Transcript):
    """Reads one stream of tokens; see the module's docstring.

    `role` is who speaks first when the prompt already ended in `<|start|>` and that role; None for
    a stream that begins with `<|start|>`. After each push, `state`, `header`, `text` (of the
    current or last message), `last_delta`, `messages`, `diagnostics`, `tokens`, `spans` (those
    that are closed) and `open_span` can be read at no cost.
    """

    def __init__(
        self, vocabulary: Vocabulary, role: Role | None = Role.ASSISTANT, *, strict: bool = False
    ) -> None:
        self.vocabulary = vocabulary
        self.role = None if role is None else Role(role)
        self.strict = strict
        self._texts = vocabulary.texts
        self._control = frozenset(vocabulary.special_names)
        special = vocabulary.special
        self._stops = frozenset({special.end, special.return_, special.call})
        self._ends = self._stops | {special.endoftext}
        self.reset()

    def reset(self) -> None:
        """Forget everything read, as if new."""
        self._clear(State.START if self.role is None else State.HEADER)
        self.header: Header | None = None
        self.text = ""
        self.last_delta = ""
        self._pending = b""  # the beginning of a character whose rest has not come
        self._header_role = self.role  # who speaks, where the header need not say
        self._has_start = self.role is not None
        self._message_start = -1  # of the current message; -1: with the prompt's <|start|>
        self._is_clean = True  # whether the message's own tokens may stand in a prompt again
        self._held_channel = False  # a <|channel|> in content, until the next token explains it
        self._plain_texts: dict[int, str] = {}  # of tokens that only add text here

    def push(self, token_id: int) -> list[Event]:
        """Read one token; the events it causes, in order. HarmonyError only when strict."""
        text = self._plain_texts.get(token_id)
        if text is None:
            return self._push_slowly(token_id)
        self.tokens.append(token_id)
        # Taken out of the object so that Python may grow the string in place.
        whole, self.text = self.text, ""
        whole += text
        self.text = whole
        self.last_delta = text
        # Half the time of TextDelta(text), which is a quarter of a push (benchmarks/harmony.py).
        return [tuple.__new__(TextDelta, (text,))]

    def push_all(self, token_ids: Iterable[int]) -> list[Event]:
        """Read several tokens; all their events."""
        return [event for token_id in token_ids for event in self.push(token_id)]

    def finish(self) -> list[Event]:
        """The stream has ended: a message under way is incomplete, further tokens are stray."""
        self.last_delta = ""
        if self.strict and self.state is State.HEADER:
            raise HarmonyError("Unexpected EOS while waiting for message header to complete")
        if self._held_channel:
            self._release_channel(None)
        if self.state is State.HEADER:
            self._break_off_header(None)
        elif self.state is State.CONTENT:
            self._close_span(SpanKind.CONTENT)
            self._end_message(is_complete=False)
        self._close_span(SpanKind.STRAY)
        self.state = State.ENDED
        return self._settle()

    def _fields(self) -> dict[str, object]:
        names = (
            "state", "header", "text", "last_delta", "_pending", "_header_role", "_has_start",
            "_message_start", "_span_start", "_is_clean", "_held_channel", "_plain_texts",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def _push_slowly(self, token_id: int) -> list[Event]:
        self.last_delta = ""
        if self._held_channel:
            self._release_channel(token_id)
        if self.state is State.CONTENT:
            self._push_content(token_id)
        elif self.state is State.HEADER:
            self._push_header(token_id)
        elif self.state is State.START:
            self._push_between(token_id)
        else:
            self._push_after_end(token_id)
        return self._settle()

    def _push_after_end(self, token_id: int) -> None:
        if self._span_start == len(self.tokens):
            self._diagnose("tokens_after_end", str(token_id))
        self.tokens.append(token_id)

    # Between messages

    def _push_between(self, token_id: int) -> None:
        special = self.vocabulary.special
        if token_id == special.start:
            self._take(token_id, SpanKind.START)
            self._open_header(None, has_start=True)
        elif self.strict:
            raise HarmonyError(
                f"Unexpected token {token_id} while expecting start token {special.start}"
            )
        elif token_id == special.endoftext:
            self._take(token_id, SpanKind.END)
            self.state = State.ENDED
        elif token_id in self._stops:
            self._diagnose("stray_stop", self.vocabulary.special_names[token_id])
            self._take(token_id, SpanKind.STRAY)
        else:
            self._open_header(None, has_start=False)
            self._push_header(token_id)

    # Headers

    def _open_header(self, role: Role | None, *, has_start: bool) -> None:
        self.state = State.HEADER
        self.header = None
        self._header_role = role
        self._has_start = has_start
        self._is_clean = has_start
        self._message_start = self._span_start - 1 if has_start else self._span_start

    def _push_header(self, token_id: int) -> None:
        special = self.vocabulary.special
        if token_id == special.message:
            self._end_header()
            self._take(token_id, SpanKind.MESSAGE)
        elif self.strict or not (token_id in self._ends or token_id == special.start):
            self.tokens.append(token_id)
        else:
            self._break_off_header(token_id)
            self._push_between_after(token_id)

    def _push_between_after(self, token_id: int) -> None:
        """The token that broke off a header: it ended its message, or begins the next."""
        if token_id == self.vocabulary.special.start:
            self._push_between(token_id)
            return
        self._take(token_id, SpanKind.END)
        if token_id == self.vocabulary.special.endoftext:
            self.state = State.ENDED

    def _end_header(self) -> None:
        """`<|message|>` has come: read the header before it."""
        ids = self.tokens[self._span_start :]
        if self.strict:
            header = self._read_strictly(ids)
        else:
            if not self._has_start:
                self._diagnose("missing_start", "a header without <|start|> before it")
            segments = self._segments(ids)
            reading = read_header(segments, self._header_role, has_start=self._has_start)
            self._report(reading)
            header = reading.header
        self._close_span(SpanKind.HEADER)
        self._begin_content(header)

    def _read_strictly(self, ids: Sequence[int]) -> Header:
        try:
            text = self.vocabulary.decode_bytes(ids).decode()
        except (VocabularyError, UnicodeDecodeError) as error:
            raise HarmonyError("could not decode header") from error
        return read_official_header(text, self._header_role)

    def _segments(self, ids: Sequence[int]) -> list[Segment]:
        segments, odd_ids = cut_header(self.vocabulary, ids)
        for token_id in odd_ids:
            self._is_clean = False
            self._diagnose("unexpected_token_in_header", str(token_id))
        return segments

    def _break_off_header(self, token_id: int | None) -> None:
        """A header that no `<|message|>` follows: what it holds beyond a header is the message.

        `token_id` is the stop token or `<|start|>` that came instead, or None at the end of the
        stream, where the header may simply have been cut off.
        """
        ids = self.tokens[self._span_start :]
        segments = self._segments(ids)
        is_bare = len(segments) == 1 and (self._header_role is not None or not self._has_start)
        text = "".join(segment.text for segment in segments)
        is_role = text.strip() in set(Role)
        if (
            token_id == self.vocabulary.special.start
            and is_bare
            and (is_role or not self._has_start)
        ):
            self._diagnose("stray_text", text)
            self._drop_header()
            return
        readings = split_stripped(segments[0].text) if is_bare else []
        if not readings:
            readings = [
                read_header(
                    segments, self._header_role, has_message=False, has_start=self._has_start
                )
            ]
        is_said = token_id in self._ends and (
            readings[0].header.channel is not None
            or (
                token_id == self.vocabulary.special.call
                and readings[0].header.recipient is not None
            )
        )
        is_cut_off = token_id is None and len(readings) == 1 and may_go_on(readings[0])
        if is_said or (readings[0].body and not is_cut_off):
            self._diagnose("missing_message", "text without <|message|> before it")
            self._add_whole_messages(readings, segments, ids, is_cut_off=token_id is None)
            return
        is_prompt = token_id is None and self._has_start and text in set(Role)
        if text.strip() and not is_prompt:
            self._diagnose("truncated_header", text)
        self._drop_header(SpanKind.HEADER if is_prompt else SpanKind.STRAY)

    def _drop_header(self, kind: SpanKind = SpanKind.STRAY) -> None:
        self._close_span(kind)
        self.state = State.START

    def _add_whole_messages(
        self,
        readings: list[Reading],
        segments: list[Segment],
        ids: Sequence[int],
        *,
        is_cut_off: bool,
    ) -> None:
        """Messages found in the text of a header, all at once."""
        self._is_clean = False
        num_header = num_header_tokens(self.vocabulary, ids, segments, readings[0])
        self._close_span(SpanKind.HEADER, until=self._span_start + num_header)
        for reading in readings:
            self._report(reading)
            self._begin_content(reading.header)
            self._add_text(reading.body)
            is_last = reading is readings[-1]
            self._end_message(is_complete=not (is_cut_off and is_last))
        self._close_span(SpanKind.CONTENT)

    # Content

    def _begin_content(self, header: Header) -> None:
        self.state = State.CONTENT
        self.header = header
        self.text = ""
        self._pending = b""
        self._events.append(MessageStarted(header))
        if not self.strict:
            for code, detail in oddities(header, is_completion=self.role is not None):
                self._diagnose(code, detail)

    def _push_content(self, token_id: int) -> None:
        special = self.vocabulary.special
        if token_id in self._stops or (token_id == special.endoftext and not self.strict):
            self._close_content(token_id)
        elif token_id == special.start and not self.strict:
            self._diagnose("missing_end", "<|start|> within a message ends it")
            self._is_clean = False
            self._close_span(SpanKind.CONTENT)
            self._end_message(is_complete=True)
            self._push_between(token_id)
        elif token_id == special.channel and not self.strict:
            self.tokens.append(token_id)
            self._held_channel = True
        else:
            self.tokens.append(token_id)
            self._add_token(token_id)

    def _close_content(self, token_id: int) -> None:
        special = self.vocabulary.special
        assert self.header is not None, "content follows a header"
        if token_id == special.endoftext:
            self._diagnose("ended_by_endoftext", "a message ended by <|endoftext|>")
        elif token_id == special.call and self.header.recipient is None and not self.strict:
            self._diagnose("call_without_recipient", "<|call|> after a message to nobody")
        self._close_span(SpanKind.CONTENT)
        self._take(token_id, SpanKind.END)
        self._end_message(is_complete=True)
        if token_id == special.endoftext:
            self.state = State.ENDED

    def _release_channel(self, token_id: int | None) -> None:
        """Decide on a `<|channel|>` within content by the token after it: a new header, or text."""
        self._held_channel = False
        if token_id is None or self._begins_channel(token_id):
            self._diagnose("missing_end", "<|channel|> within a message ends it")
            self._is_clean = False
            self._close_span(SpanKind.CONTENT, until=len(self.tokens) - 1)
            role = self.header.role if self.header else Role.ASSISTANT
            self._end_message(is_complete=True)
            self._open_header(role, has_start=False)
        else:
            self._add_token(self.vocabulary.special.channel)

    def _begins_channel(self, token_id: int) -> bool:
        if token_id in self._control:
            return token_id not in self._ends
        text = self._texts.get(token_id, "").strip()
        return bool(text) and any(
            channel.startswith(text) or text.startswith(channel) for channel in Channel
        )

    def _add_token(self, token_id: int) -> None:
        """A token of the content that is not plain text by itself."""
        if not self.vocabulary.has(token_id):
            self._flush()
            self._add_text(REPLACEMENT)
            self._is_clean = False
            self._diagnose("unknown_token", str(token_id))
            return
        if token_id in self._control:
            self._is_clean = False
            self._diagnose("control_token_in_text", self.vocabulary.special_names[token_id])
        data = self._pending + self.vocabulary.token_bytes(token_id)
        text, num_bytes = codecs.utf_8_decode(data, "replace", False)
        self._pending = data[num_bytes:]
        self._add_text(text)

    def _flush(self) -> None:
        if self._pending:
            self._pending = b""
            self._add_text(REPLACEMENT)

    def _add_text(self, text: str) -> None:
        if text:
            whole, self.text = self.text, ""
            whole += text
            self.text = whole
            self.last_delta += text
            self._events.append(TextDelta(text))

    def _end_message(self, *, is_complete: bool) -> None:
        assert self.header is not None, "a message has a header"
        self._flush()
        header = self.header
        message = Message(
            header.role,
            (self.text,),
            header.name,
            header.channel,
            header.recipient,
            header.content_type,
        )
        layout = Layout(message, self._own_tokens()) if self._is_clean and not self.strict else None
        message = replace(message, layout=layout, is_complete=is_complete)
        self.messages.append(message)
        self._events.append(MessageEnded(message))
        self.state = State.START
        self.header = None

    def _own_tokens(self) -> tuple[int, ...]:
        """The message's tokens from `<|start|>`, which for the first may stand in the prompt."""
        tokens = self.tokens[max(self._message_start, 0) :]
        if self._message_start < 0 and self.role is not None:
            tokens = [self.vocabulary.special.start, *self.vocabulary.encode(self.role), *tokens]
        return tuple(tokens)

    def _report(self, reading: Reading) -> None:
        for code, detail in reading.repairs:
            self._diagnose(code, detail)

    def _settle(self) -> list[Event]:
        """The events of one step, and from here on which tokens only add text."""
        is_plain = self.state is State.CONTENT and not self._pending and not self._held_channel
        self._plain_texts = self._texts if is_plain else {}
        return self._take_events()


def parse_completion(
    vocabulary: Vocabulary,
    token_ids: Iterable[int],
    role: Role | None = Role.ASSISTANT,
    *,
    strict: bool = False,
) -> list[Message]:
    """All messages of a finished stream; `role` as in Parser. HarmonyError only when strict."""
    parser = Parser(vocabulary, role, strict=strict)
    parser.push_all(token_ids)
    parser.finish()
    return parser.messages
