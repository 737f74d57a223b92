"""Conversations to fine-tune on: a JSON line each, in the form of OpenAI's chat messages.

    {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}],
     "tools": [...], "reasoning_effort": "medium"}

`tools` and `reasoning_effort` may be left out. What the assistant says is learned, rendered as the
server renders it. Reasoning before the last final answer is dropped there, and a turn that has lost
its reasoning is not learned: it would teach to answer without.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from netweight.errors import HarmonyError
from netweight.harmony import (
    Message,
    ReasoningEffort,
    ReasoningPolicy,
    Role,
    SystemContent,
    Vocabulary,
    from_chat,
    render_for_training,
)
from netweight.harmony.render import kept_messages
from recipes.batch import Encoded

_FIELDS = frozenset({"messages", "tools", "reasoning_effort"})


class DataError(Exception):
    """A file of conversations that cannot be learned from."""


def read(path: Path, vocabulary: Vocabulary, max_tokens: int) -> list[Encoded]:
    """Every conversation of a file.

    Raises:
        DataError: naming the line that is no conversation, teaches nothing or is too long.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    conversations: list[Encoded] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            encoded = encode(vocabulary, messages_of(json.loads(line)))
        except (ValueError, HarmonyError) as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        if len(encoded.token_ids) > max_tokens:
            raise DataError(
                f"{path}, line {number}: {len(encoded.token_ids)} tokens, but {max_tokens} are the "
                "limit. Shorten the conversation, or raise --batch-tokens."
            )
        conversations.append(encoded)
    if len(conversations) < 2:
        raise DataError(f"{path} needs two conversations at least: one is kept for evaluation.")
    return conversations


def messages_of(record: object) -> list[Message]:
    """The Harmony messages of one record, with the system message that a server would add.

    Raises:
        ValueError: when it has another form.
        HarmonyError: when Harmony cannot express it.
    """
    if not isinstance(record, Mapping) or not isinstance(record.get("messages"), list):
        raise ValueError('this is not an object with "messages", a list')
    if unknown := sorted(set(record) - _FIELDS):
        raise ValueError(f"unknown field {unknown[0]!r}; fields are {', '.join(sorted(_FIELDS))}")
    effort = record.get("reasoning_effort", "medium")
    if effort not in set(ReasoningEffort):
        raise ValueError(f"reasoning_effort is {effort!r}, not {', '.join(ReasoningEffort)}")
    if not all(isinstance(message, Mapping) for message in record["messages"]):
        raise ValueError("a message is not an object")
    system = Message.system(SystemContent(reasoning_effort=ReasoningEffort(effort)))
    return [system, *from_chat(record["messages"], tools=record.get("tools") or ())]


def encode(vocabulary: Vocabulary, messages: list[Message]) -> Encoded:
    """The tokens of a conversation, of which those that the assistant writes are learned.

    Raises:
        ValueError: when there are none.
    """
    if not messages or messages[-1].role is not Role.ASSISTANT:
        raise ValueError("the last message has to be the assistant's, for that is what is learned")
    ids = render_for_training(vocabulary, messages)
    return Encoded(ids, _learned(vocabulary, ids, _are_whole(messages)))


def _are_whole(messages: list[Message]) -> list[bool]:
    """Of each assistant's message that is rendered, whether its turn has kept its reasoning."""
    *earlier, last = messages
    kept = {id(m) for m in [*kept_messages(earlier, ReasoningPolicy.BEFORE_LAST_FINAL), last]}
    are_whole: list[bool] = []
    is_whole = True
    for message in messages:
        if message.role is Role.USER:
            is_whole = True
        elif id(message) not in kept:
            is_whole = False
        elif message.role is Role.ASSISTANT:
            are_whole.append(is_whole)
    return are_whole


def _learned(vocabulary: Vocabulary, ids: list[int], are_whole: list[bool]) -> list[bool]:
    """Which tokens of such a message the model writes.

    Those after the role that a prompt ends with; where it goes on after a message of its own, with
    that role, too.
    """
    special = vocabulary.special
    ends = {special.end, special.return_, special.call}
    head = [special.start, *vocabulary.encode(Role.ASSISTANT)]
    is_learned: list[bool] = []
    remaining = iter(are_whole)
    learns = False
    for place, token_id in enumerate(ids):
        is_learned.append(learns)
        if ids[place + 1 - len(head) : place + 1] == head:
            learns = next(remaining)
        elif token_id in ends:
            goes_on = token_id == special.end and ids[place + 1 : place + 1 + len(head)] == head
            learns = learns and goes_on
    return is_learned
