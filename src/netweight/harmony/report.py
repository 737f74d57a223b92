"""What a sequence of tokens means, for people and for JSON: the work behind `netweight harmony`.

Reads conversations and completions from files, and describes tokens span by span. Prints nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from netweight.errors import HarmonyError
from netweight.harmony.calls import read_call
from netweight.harmony.convert import from_chat
from netweight.harmony.events import Diagnostic, Span, SpanKind
from netweight.harmony.message import Message, ReasoningEffort, Role, SystemContent
from netweight.harmony.parse import Parser
from netweight.harmony.schema import as_node
from netweight.harmony.text import TextParser
from netweight.harmony.vocab import Vocabulary


@dataclass(frozen=True, slots=True)
class DescribedSpan:
    """A span of tokens with its text, and the channel (or else the role) of its message."""

    kind: SpanKind
    start: int
    token_ids: list[int]
    text: str
    channel: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """All that a sequence of tokens means; together the spans are the tokens.

    The diagnostics are the parser's and those of reading each call's tool and arguments.
    """

    spans: list[DescribedSpan]
    messages: list[Message]
    diagnostics: list[Diagnostic]

    def to_json(self) -> str:
        """The report as indented JSON; messages without their layout."""
        fields = {
            "num_tokens": sum(len(span.token_ids) for span in self.spans),
            "spans": [asdict(span) for span in self.spans],
            "messages": [_message_fields(message) for message in self.messages],
            "diagnostics": [diagnostic._asdict() for diagnostic in self.diagnostics],
        }
        return json.dumps(fields, indent=2, ensure_ascii=False)


def report_tokens(
    vocabulary: Vocabulary, token_ids: Sequence[int], role: Role | None, *, strict: bool = False
) -> Report:
    """Parse tokens and describe each span; `role` as for Parser. HarmonyError only when strict."""
    parser = Parser(vocabulary, role, strict=strict)
    parser.push_all(token_ids)
    parser.finish()
    return _report(vocabulary, parser)


def report_text(vocabulary: Vocabulary, text: str, role: Role | None) -> Report:
    """The same for a completion that came as text, markers spelled out or stripped."""
    reader = TextParser(vocabulary, role)
    reader.push(text)
    reader.finish()
    return _report(vocabulary, reader.parser)


def read_token_ids(text: str) -> list[int] | None:
    """Token ids in a file, else None: bare numbers, a JSON list, or an object's `tokens`."""
    if re.fullmatch(r"[\d\s,]+", text):
        return [int(number) for number in re.findall(r"\d+", text)]
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # text that is no JSON, or brackets without end
        return None
    ids = document.get("tokens") if isinstance(document, dict) else document
    if isinstance(ids, list) and all(type(token_id) is int for token_id in ids):
        return ids
    return None


def read_conversation(
    text: str, *, effort: ReasoningEffort = ReasoningEffort.MEDIUM, date: str | None = None
) -> list[Message]:
    """A conversation in a file: Chat Completions messages, or a request that holds them.

    Of a request, `messages`, `tools`, `response_format` and `reasoning_effort` are read. A system
    message of Harmony's own kind is put before. Raises HarmonyError for a file that is neither.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HarmonyError(f"the conversation is not JSON: {error}") from error
    request = {"messages": document} if isinstance(document, list) else as_node(document)
    response_format = request.get("response_format")
    wanted = request.get("reasoning_effort")
    if wanted is not None and wanted not in set(ReasoningEffort):
        raise HarmonyError(f"reasoning_effort is low, medium or high, not {wanted!r}")
    effort = effort if wanted is None else ReasoningEffort(str(wanted))
    system = Message.system(SystemContent(reasoning_effort=effort, current_date=date))
    chat = from_chat(
        _objects(request, "messages"),
        tools=_objects(request, "tools") if request.get("tools") else (),
        response_format=None if response_format is None else as_node(response_format),
    )
    return [system, *chat]


def _objects(request: Mapping[str, object], field: str) -> list[Mapping[str, object]]:
    value = request.get(field)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise HarmonyError(f"the conversation has no {field!r} that is a list of objects")
    return value


def _report(vocabulary: Vocabulary, parser: Parser) -> Report:
    spans, messages = parser.spans, parser.messages
    owners = _owners(spans)
    diagnostics = parser.diagnostics + _call_diagnostics(spans, owners, messages)
    described = [
        _describe(vocabulary, parser, span, messages[owner] if owner < len(messages) else None)
        for span, owner in zip(spans, owners, strict=True)
    ]
    return Report(described, messages, sorted(diagnostics, key=lambda said: said.token_index))


def _owners(spans: Sequence[Span]) -> list[int]:
    """The index of the message to which each span belongs, or, if it is stray, would belong."""
    owners, index, has_text = [], 0, False
    for span in spans:
        if has_text and span.kind in (SpanKind.START, SpanKind.HEADER):  # ended by what came next
            index, has_text = index + 1, False
        owners.append(index)
        has_text = has_text or span.kind in (SpanKind.MESSAGE, SpanKind.CONTENT)
        if span.kind is SpanKind.END:
            index, has_text = index + 1, False
    return owners


def _call_diagnostics(
    spans: Sequence[Span], owners: Sequence[int], messages: Sequence[Message]
) -> list[Diagnostic]:
    """What had to be repaired in calls, each by the last token of its message."""
    last_token = {owner: span.stop - 1 for owner, span in zip(owners, spans, strict=True)}
    return [
        Diagnostic(code, detail, last_token.get(index, spans[-1].stop - 1))
        for index, message in enumerate(messages)
        if (call := read_call(message)) is not None
        for code, detail in call.repairs
    ]


def _describe(
    vocabulary: Vocabulary, parser: Parser, span: Span, message: Message | None
) -> DescribedSpan:
    ids = parser.tokens[span.start : span.stop]
    data = [vocabulary.token_bytes(i) if vocabulary.has(i) else f"[{i}]".encode() for i in ids]
    text = b"".join(data).decode("utf-8", errors="replace")
    is_part = span.kind is not SpanKind.STRAY
    channel = (message.channel or str(message.role)) if message and is_part else None
    return DescribedSpan(span.kind, span.start, ids, text, channel)


def _message_fields(message: Message) -> dict[str, object]:
    fields: dict[str, object] = {
        "role": message.role,
        "name": message.name,
        "channel": message.channel,
        "recipient": message.recipient,
        "content_type": message.content_type,
    }
    said = {name: value for name, value in fields.items() if value is not None}
    said |= {"text": message.text, "is_complete": message.is_complete}
    call = read_call(message)
    return said if call is None or call.arguments is None else {**said, "arguments": call.arguments}
