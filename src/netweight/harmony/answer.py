"""A completion as its parts: what the model thought, said, and called.

Takes the messages of one parsed completion. What the model writes in the name of someone else, as
when it goes on with the user's next question, is not part of its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from netweight.harmony.calls import ToolCall, read_call
from netweight.harmony.message import Channel, Message, Role, ToolNamespace


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of a completion; texts of several messages are joined by a blank line.

    `content` is for the user: the final message, and before it what was said on commentary. A
    message on no channel or one that does not exist is content too. `is_complete` tells whether the
    last message ended; `num_foreign` how many messages at the end were written in another's name.
    """

    reasoning: str
    content: str
    calls: tuple[ToolCall, ...]
    is_complete: bool
    num_foreign: int


def read_answer(
    messages: Sequence[Message], offered: Sequence[ToolNamespace] | None = None
) -> Answer:
    """The answer that the messages of a completion make; `offered` as for `read_call`."""
    own = list(takewhile(lambda message: message.role is Role.ASSISTANT, messages))
    calls = [(message, read_call(message, offered)) for message in own]
    said = [message for message, call in calls if call is None]
    reasoning = [message.text for message in said if message.channel == Channel.ANALYSIS]
    content = [message.text for message in said if message.channel != Channel.ANALYSIS]
    return Answer(
        "\n\n".join(text for text in reasoning if text),
        "\n\n".join(text for text in content if text),
        tuple(call for _, call in calls if call is not None),
        own[-1].is_complete if own else True,
        len(messages) - len(own),
    )
