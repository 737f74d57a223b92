"""How fast is Harmony rendered, parsed and constrained, beside openai-harmony in one run?

A 20-message conversation and a 4,000-token completion, on gpt-oss's vocabulary in NETWEIGHT_DATA.
Bars: streaming parse with the accessors read at every token, and re-rendering a conversation that
grew by one message, at least 3 times openai-harmony's speed; full render no slower than it; median
mask under 100 us and first mask under 50 ms. `parse` reads all accessors, the text so far among
them; `parse_few` those that cost openai-harmony little: delta, channel and recipient.
`render_grown` uses a session, which keeps the earlier tokens; `render_grown_anew` has none and
renders all 21 messages again, as openai-harmony does in both.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import openai_harmony as official

from benchmarks.record import append, median_seconds
from netweight.harmony import (
    Message,
    Parser,
    ReasoningPolicy,
    Role,
    SystemContent,
    Tool,
    ToolNamespace,
    Vocabulary,
    render_for_completion,
)
from netweight.harmony.grammar import Constrainer, Rules
from netweight.harmony.session import Session

DATA = Path(os.environ.get("NETWEIGHT_DATA", Path(__file__).parents[2] / "shared" / "data"))
os.environ["TIKTOKEN_ENCODINGS_BASE"] = str(DATA)  # where openai-harmony looks for the vocabulary

DATE = "2026-11-24"
PARAGRAPH = (
    "A page of keys and values belongs to whoever holds it last; the others only read it. When the "
    "last holder lets go, the page is free, and the next request may take it without asking. "
)
ARGUMENTS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "units": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "days"],
}


def conversation(num_messages: int) -> list[Message]:
    """Turns of user, reasoning and answer, as many as fit, of a few sentences each."""
    turns = [Message.system(SystemContent(current_date=DATE))]
    number = 0
    while len(turns) < num_messages:
        number += 1
        text = f"{number}. {PARAGRAPH * (1 + number % 3)}"
        turns += [
            Message.user(text),
            Message.assistant(text, channel="analysis"),
            Message.assistant(text),
        ]
    return turns[:num_messages]


def completion(vocabulary: Vocabulary, num_tokens: int) -> list[int]:
    """Reasoning, then an answer of as many tokens as are left."""
    ids: list[int] = []
    special = vocabulary.special
    for channel, share in (("analysis", 0.25), ("final", 0.75)):
        body = vocabulary.encode(PARAGRAPH * num_tokens)[: int(num_tokens * share)]
        header = [special.channel, *vocabulary.encode(channel), special.message]
        opening = [special.start, *vocabulary.encode("assistant")] if ids else []
        ids += [*opening, *header, *body, special.end]
    return [*ids[:-1], special.return_]


def parse_ours(vocabulary: Vocabulary, ids: Sequence[int]) -> int:
    """Push every token and read what a server reads: delta, text, header, state, messages."""
    parser = Parser(vocabulary, Role.ASSISTANT)
    num_seen = 0
    for token_id in ids:
        parser.push(token_id)
        header = parser.header
        channel = header.channel if header else None
        recipient = header.recipient if header else None
        num_seen += bool(parser.last_delta) + bool(parser.text) + bool(channel) + bool(recipient)
        num_seen += len(parser.messages) + (parser.state is not None)
    parser.finish()
    return num_seen


def parse_ours_lightly(vocabulary: Vocabulary, ids: Sequence[int]) -> None:
    """Push every token and read delta, channel and recipient only."""
    parser = Parser(vocabulary, Role.ASSISTANT)
    for token_id in ids:
        parser.push(token_id)
        header = parser.header
        _ = parser.last_delta, header and header.channel, header and header.recipient
    parser.finish()


def officially(messages: Sequence[Message]) -> official.Conversation:
    """The conversation as openai-harmony's own objects, the system message with the same date."""
    system = official.SystemContent.new().with_conversation_start_date(DATE)
    first = official.Message.from_role_and_content(official.Role.SYSTEM, system)
    others = [
        official.Message.from_role_and_content(official.Role(message.role), message.text)
        for message in messages[1:]
    ]
    for message, other in zip(messages[1:], others, strict=True):
        other.channel = message.channel
    return official.Conversation.from_messages([first, *others])


def main() -> None:
    """Measure and append one row."""
    vocabulary = Vocabulary.load(DATA / "o200k_base.tiktoken")
    encoding = official.load_harmony_encoding(official.HarmonyEncodingName.HARMONY_GPT_OSS)
    messages = conversation(20)
    ids = completion(vocabulary, 4000)
    theirs = officially(messages)
    config = official.RenderConversationConfig(auto_drop_analysis=False)

    def parse_theirs() -> None:
        parser = official.StreamableParser(encoding, official.Role.ASSISTANT)
        for token_id in ids:
            parser.process(token_id)
            _ = parser.last_content_delta, parser.current_content, parser.current_channel
            _ = parser.current_recipient, parser.state, parser.messages

    def parse_theirs_lightly() -> None:
        parser = official.StreamableParser(encoding, official.Role.ASSISTANT)
        for token_id in ids:
            parser.process(token_id)
            _ = parser.last_content_delta, parser.current_channel, parser.current_recipient

    def render_theirs(conversation: official.Conversation = theirs) -> list[int]:
        role = official.Role.ASSISTANT
        return list(encoding.render_conversation_for_completion(conversation, role, config=config))

    def render_ours(conversation: Sequence[Message] = messages) -> list[int]:
        return render_for_completion(vocabulary, conversation, policy=ReasoningPolicy.KEEP)

    grown = [*messages, Message.user(PARAGRAPH)]
    theirs_grown = officially(grown)
    assert render_ours() == render_theirs(), "both must do the same work"
    assert render_ours(grown) == render_theirs(theirs_grown), "both must do the same work"
    sessions = iter(_sessions(vocabulary, messages, 100))
    times: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "parse": (lambda: parse_ours(vocabulary, ids), parse_theirs),
        "parse_few": (lambda: parse_ours_lightly(vocabulary, ids), parse_theirs_lightly),
        "render": (render_ours, render_theirs),
        "render_grown": (
            lambda: next(sessions).update(grown),
            lambda: render_theirs(theirs_grown),
        ),
        "render_grown_anew": (lambda: render_ours(grown), lambda: render_theirs(theirs_grown)),
    }
    row: dict[str, object] = {"num_prompt_tokens": len(render_ours()), "num_parsed": len(ids)}
    for name, (ours, others) in times.items():
        row |= compare(name, ours, others)
    row |= measure_masks(vocabulary)
    append("harmony", row)


def compare(
    name: str, ours: Callable[[], object], others: Callable[[], object]
) -> dict[str, object]:
    """Median seconds of both, taken in turns, and how many times faster ours is."""
    times = [[median_seconds(work, num_repeats=2) for work in (ours, others)] for _ in range(15)]
    our_s, their_s = (median(side) for side in zip(*times, strict=True))
    told = f"{name}: {our_s * 1e3:.3f} ms, openai-harmony {their_s * 1e3:.3f} ms"
    print(f"{told}, {their_s / our_s:.1f} times", file=sys.stderr)
    return {
        f"{name}_ms": round(our_s * 1e3, 4),
        f"{name}_official_ms": round(their_s * 1e3, 4),
        f"{name}_times_faster": round(their_s / our_s, 2),
    }


def measure_masks(vocabulary: Vocabulary) -> dict[str, object]:
    """A call is written token by token under its constraint; each mask is timed, and the first."""
    constrainer = Constrainer(vocabulary)
    tools = (ToolNamespace.functions([Tool("get_weather", "The weather.", ARGUMENTS)]),)
    special = vocabulary.special
    head = [special.channel, *vocabulary.encode("commentary to=functions.get_weather")]
    kind = [*vocabulary.encode(" "), special.constrain, *vocabulary.encode("json")]
    body = vocabulary.encode('{"city":"Paris, in the north","days":3,"units":"celsius"}')
    first_s, mask_s = [], []
    for _ in range(20):
        start = perf_counter()
        constraint = constrainer.constrain(Rules(tools, "get_weather"))
        constraint.allowed()
        first_s.append(perf_counter() - start)
        for token_id in [*head, *kind, special.message, *body, special.call]:
            start = perf_counter()
            constraint.allowed()
            mask_s.append(perf_counter() - start)
            constraint.advance(token_id)
    row = {
        "mask_median_us": round(median(mask_s) * 1e6, 1),
        "mask_p99_us": round(sorted(mask_s)[int(len(mask_s) * 0.99)] * 1e6, 1),
        "first_mask_ms": round(max(first_s) * 1e3, 2),
    }
    print(f"masks: {row}", file=sys.stderr)
    return dict(row)


def _sessions(vocabulary: Vocabulary, messages: Sequence[Message], count: int) -> list[Session]:
    """Sessions that have rendered the conversation once, each for one timed update."""
    sessions = [Session(vocabulary, policy=ReasoningPolicy.KEEP) for _ in range(count)]
    for session in sessions:
        session.update(messages)
    return sessions


if __name__ == "__main__":
    main()
