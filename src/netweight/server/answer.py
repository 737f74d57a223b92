"""One answer: the engine's events for it, as deltas that both of OpenAI's APIs can tell.

Knows Harmony and the engine's events; knows no request, no HTTP and no terminal.
"""

import logging
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from netweight import harmony
from netweight.engine import Event, Finish, Logprobs, PromptLogprobs, Token
from netweight.harmony import Channel, Message, Role, State, ToolNamespace, Vocabulary
from netweight.harmony.calls import FUNCTIONS, ToolCall, read_call, resolve_tool
from netweight.server.stops import StopFinder

log = logging.getLogger(__name__)

AnswerEnd = Literal["stop", "length", "tool_calls", "cancelled", "error"]


class TokenScore(NamedTuple):
    """A token of the content and its log-probabilities."""

    token_id: int
    logprobs: Logprobs


class ReasoningDelta(NamedTuple):
    """More of what the model thinks (the analysis channel)."""

    text: str


class ContentDelta(NamedTuple):
    """More of the answer (the final channel), or of a preamble to a tool call."""

    text: str
    scores: tuple[TokenScore, ...] = ()


class CallStarted(NamedTuple):
    """The model calls a tool; `number` counts the calls of this answer from 0.

    `recipient` is the tool's full name, as functions.f; `name` is the same without `functions.`.
    """

    number: int
    call_id: str
    name: str
    recipient: str


class CallDelta(NamedTuple):
    """More of a call's arguments, as the model writes them."""

    number: int
    arguments: str


class CallAnswered(NamedTuple):
    """A built-in tool has answered the call of this number, and the model goes on."""

    number: int
    name: str
    text: str


class Usage(NamedTuple):
    """Tokens read and written; reasoning tokens are among the completion's.

    After a tool's answer the model reads a new prompt, which counts as well. Cached tokens are
    among the prompt's.
    """

    num_prompt: int
    num_completion: int
    num_reasoning: int
    num_cached: int


class Done(NamedTuple):
    """The answer has ended: always the last delta.

    `messages` is all that the model said and what built-in tools answered. The reason is tool_calls
    where the last call was for others to answer, or one too many.
    """

    reason: AnswerEnd
    usage: Usage
    seed: int
    messages: tuple[Message, ...]
    error: str | None = None


class MessageStarted(NamedTuple):
    """The model begins a message; told only where a reader tells messages apart."""

    channel: str | None


class MessageEnded(NamedTuple):
    """The message is whole, or broke off, which it says; told as MessageStarted is."""

    message: Message


class HarmonyToken(NamedTuple):
    """A token of the conversation, and what it is.

    `kind` is special (a control token), header, or where the text stands: the assistant's channel,
    or another's role.
    """

    token_id: int
    kind: str


class TokenWritten(NamedTuple):
    """The model has written a token; told only where a reader tells tokens.

    It comes before the deltas that the token brings.
    """

    token: HarmonyToken
    logprobs: Logprobs | None


Delta = (
    ReasoningDelta
    | ContentDelta
    | CallStarted
    | CallDelta
    | CallAnswered
    | MessageStarted
    | MessageEnded
    | TokenWritten
    | Done
)


class _KindReader:
    """Tells what each token is while a parser reads it."""

    def __init__(self, parser: harmony.Parser) -> None:
        self._parser = parser
        self._text_kind = ""

    def push(self, token_id: int) -> tuple[str, list[harmony.Event]]:
        """What the token is, and what the parser says of it."""
        is_text = self._parser.state is State.CONTENT
        events = self._parser.push(token_id)
        for event in events:
            if isinstance(event, harmony.MessageStarted):
                role, channel = event.header.role, event.header.channel
                is_ours = role is Role.ASSISTANT and channel is not None
                self._text_kind = str(channel) if is_ours else str(role)
        if self._parser.vocabulary.is_special(token_id):
            return "special", events
        return self._text_kind if is_text else "header", events


def harmony_tokens(vocabulary: Vocabulary, token_ids: Iterable[int]) -> list[HarmonyToken]:
    """What each token of a prompt is."""
    kinds = _KindReader(harmony.Parser(vocabulary, None))
    return [HarmonyToken(token_id, kinds.push(token_id)[0]) for token_id in token_ids]


class _Gate:
    """Lets content through up to a stop string, with the scores of the tokens that began it."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._finder = StopFinder(stops)
        self._num_in = self._num_out = 0  # characters
        self._waiting: deque[tuple[int, tuple[TokenScore, ...]]] = deque()  # where their text began

    @property
    def is_shut(self) -> bool:
        """Whether a stop string has come."""
        return self._finder.is_found

    def push(self, delta: ContentDelta) -> Iterator[ContentDelta]:
        """What of the content so far may pass."""
        self._waiting.append((self._num_in, delta.scores))
        self._num_in += len(delta.text)
        return self._passing(self._finder.push(delta.text))

    def open(self) -> Iterator[ContentDelta]:
        """What was held back, when the message has ended."""
        return self._passing(self._finder.rest())

    def _passing(self, text: str) -> Iterator[ContentDelta]:
        self._num_out += len(text)
        scores: list[TokenScore] = []
        while self._waiting and self._waiting[0][0] < self._num_out:
            scores += self._waiting.popleft()[1]
        if text:
            yield ContentDelta(text, tuple(scores))


_MessageKind = Literal["reasoning", "content", "call", "foreign"]


def _kind(header: harmony.Header) -> _MessageKind:
    if header.role is not Role.ASSISTANT:
        return "foreign"
    if header.recipient not in (None, "all", Role.USER, Role.ASSISTANT):
        return "call"
    return "reasoning" if header.channel == Channel.ANALYSIS else "content"


class AnswerReader:
    """Turns the engine's events for one answer into deltas.

    Analysis is reasoning; a message to a recipient is a tool call; everything else that the
    assistant says is content. Messages of one kind are kept apart by an empty line, or, with
    `tell_messages`, by deltas that say where each begins and ends. The final content ends before
    the first stop string; then the answer `is_stopped`, and its request should be cancelled.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        num_prompt: int,
        offered: Sequence[ToolNamespace] | None = None,
        *,
        tell_messages: bool = False,
        tell_tokens: bool = False,
        stops: Sequence[str] = (),
    ) -> None:
        """Read the answer to a prompt of `num_prompt` tokens that offered these tools.

        Without `offered`, a tool's name is taken as the model wrote it.
        """
        self._parser = harmony.Parser(vocabulary, Role.ASSISTANT)
        self._offered = offered
        self._tell_messages = tell_messages
        self._kinds = _KindReader(self._parser) if tell_tokens else None
        self._gate = _Gate(stops) if stops else None
        self._is_special = vocabulary.is_special
        self._num_prompt = num_prompt
        self._num_completion = 0
        self._num_reasoning = 0
        self._num_cached = 0
        self.num_calls = 0
        self._earlier: list[Message] = []  # of the requests before this one
        self._kind: _MessageKind | None = None  # of the message under way
        self._last_kind: _MessageKind | None = None
        self._is_final = False  # whether it is on the final channel
        self._told: set[_MessageKind] = set()  # kinds that have said something
        self._needs_break = False
        self._scores: list[TokenScore] = []  # of tokens whose characters are not complete yet

    @property
    def is_stopped(self) -> bool:
        """Whether a stop string has ended the answer. What the model writes after it is ignored."""
        return self._gate is not None and self._gate.is_shut

    def calls(self) -> list[tuple[ToolCall, str | None]]:
        """The calls of the request being read, and on which channels they were made."""
        read = [(read_call(message, self._offered), message) for message in self._parser.messages]
        return [(call, message.channel) for call, message in read if call is not None]

    def go_on(self, tool_answers: Sequence[Message], num_prompt: int) -> None:
        """Read on after tools' answers, which are in a new prompt of `num_prompt` tokens."""
        self._earlier += [*self._parser.messages, *tool_answers]
        self._parser.reset()
        self._num_prompt += num_prompt
        self._last_kind = None

    def read(self, event: Event) -> Iterable[Delta]:
        """The deltas that one event brings, each event once."""
        match event:
            case Token():
                return () if self.is_stopped else self._read_token(event)
            case Finish():
                return self._read_finish(event)
            case PromptLogprobs():
                raise AssertionError("a chat asks for no log-probabilities of its prompt")

    def _read_finish(self, finish: Finish) -> Iterator[Delta]:
        if not self.is_stopped:
            yield from self._deltas(self._parser.finish())
            if self._scores:
                yield ContentDelta("", self._take_scores())
        yield self._done(finish)

    def _read_token(self, token: Token) -> Iterable[Delta]:
        self._num_completion += 1
        self._num_reasoning += self._kind == "reasoning"
        if token.logprobs is not None and self._kind == "content":
            self._score(token.token_id, token.logprobs)
        if self._kinds is not None:
            return self._tell_token(token, self._kinds)
        events = self._parser.push(token.token_id)
        # Nearly every token only adds text; without generators that takes half the time.
        if len(events) == 1 and type(events[0]) is harmony.TextDelta:
            return self._text(events[0].text)
        return self._deltas(events)

    def _score(self, token_id: int, logprobs: Logprobs) -> None:
        if not self._is_special(token_id):
            self._scores.append(TokenScore(token_id, logprobs))

    def _tell_token(self, token: Token, kinds: _KindReader) -> Iterator[Delta]:
        kind, events = kinds.push(token.token_id)
        yield TokenWritten(HarmonyToken(token.token_id, kind), token.logprobs)
        yield from self._deltas(events)

    def _deltas(self, events: list[harmony.Event]) -> Iterator[Delta]:
        for event in events:
            match event:
                case harmony.MessageStarted(header):
                    yield from self._start(header)
                case harmony.TextDelta(text):
                    yield from self._text(text)
                case harmony.MessageEnded(message):
                    if self._gate is not None and self._is_final:
                        yield from self._gate.open()
                    self._last_kind, self._kind = self._kind, None
                    if self._tell_messages and self._last_kind != "foreign":
                        yield MessageEnded(message)
                case harmony.Diagnostic(code, _, token_index):
                    log.debug("answer repaired", extra={"code": code, "token_index": token_index})

    def _start(self, header: harmony.Header) -> Iterator[Delta]:
        self._kind = _kind(header)
        self._is_final = self._kind == "content" and header.channel != Channel.COMMENTARY
        self._needs_break = self._kind in self._told and not self._tell_messages
        if self._tell_messages and self._kind != "foreign":
            yield MessageStarted(header.channel)
        if self._kind == "call":
            recipient = self._recipient(header)
            name = recipient.removeprefix(FUNCTIONS)
            yield CallStarted(self.num_calls, f"call_{secrets.token_hex(12)}", name, recipient)
            self.num_calls += 1
        elif self._kind == "foreign":
            log.warning("the model speaks for another role", extra={"role": str(header.role)})

    def _recipient(self, header: harmony.Header) -> str:
        assert header.recipient is not None, "a call has a recipient"
        if self._offered is None:
            return header.recipient
        return resolve_tool(header.recipient, self._offered).recipient

    def _text(self, text: str) -> Iterable[Delta]:
        kind = self._kind
        if kind == "call":
            return (CallDelta(self.num_calls - 1, text),)
        if self._needs_break:
            text = "\n\n" + text
            self._needs_break = False
        if kind is not None:
            self._told.add(kind)
        if kind == "reasoning":
            return (ReasoningDelta(text),)
        if kind != "content":
            return ()
        delta = ContentDelta(text, self._take_scores())
        if self._gate is not None and self._is_final:
            return self._gate.push(delta)
        return (delta,)

    def _take_scores(self) -> tuple[TokenScore, ...]:
        if not self._scores:
            return ()
        scores = tuple(self._scores)
        self._scores.clear()
        return scores

    def _done(self, finish: Finish) -> Done:
        called = finish.reason == "stop" and self._last_kind == "call"
        if self.is_stopped:
            finish = replace(finish, reason="stop", error=None)
        self._num_cached += finish.counts.num_cached_tokens
        usage = Usage(self._num_prompt, self._num_completion, self._num_reasoning, self._num_cached)
        reason = "tool_calls" if called else finish.reason
        messages = (*self._earlier, *self._parser.messages)
        return Done(reason, usage, finish.seed, messages, finish.error)
