"""Conversations to batches: rendered as the server renders them, learned only where nano speaks."""

from collections.abc import Iterator, Mapping
from itertools import count
from random import Random

from netweight.harmony import (
    DeveloperContent,
    Message,
    Role,
    SystemContent,
    Vocabulary,
    render_for_completion,
)
from netweight.harmony.render import developer_text, system_text
from recipes.batch import Batch, Encoded, packed
from recipes.finetune import conversations as finetune
from recipes.nano.conversations import SHARES, example


def batches(
    vocabulary: Vocabulary,
    batch_tokens: int,
    random: Random,
    shares: Mapping[str, int] = SHARES,
) -> Iterator[Batch]:
    """Training batches without end, of skills in the given shares."""
    conversations = (encode(vocabulary, example(random, shares=shares)) for _ in count())
    return packed(conversations, batch_tokens)


def encode(vocabulary: Vocabulary, messages: list[Message]) -> Encoded:
    """The tokens of a conversation, of which those that the assistant writes are learned.

    A call with no reasoning before it is not: it would teach to call without.
    """
    encoded = finetune.encode(vocabulary, messages)
    spoken = [index for index, m in enumerate(messages) if m.role is Role.ASSISTANT]
    if messages[spoken[0]].recipient is None:
        return encoded
    given = len(render_for_completion(vocabulary, messages[: spoken[1]]))
    learned = [is_learned and place >= given for place, is_learned in enumerate(encoded.is_learned)]
    return Encoded(encoded.token_ids, learned)


def sample_texts(num_examples: int, random: Random) -> Iterator[str]:
    """Every piece of text in `num_examples` conversations: what the tokenizer learns from."""
    for _ in range(num_examples):
        for message in example(random):
            yield from (message.role, message.channel or "", message.recipient or "")
            yield from (_text(part, message) for part in message.content)


def _text(part: object, message: Message) -> str:
    if isinstance(part, SystemContent):
        return system_text(part)
    if isinstance(part, DeveloperContent):
        return developer_text(part)
    return message.text
