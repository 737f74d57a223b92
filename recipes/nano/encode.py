"""Conversations to batches: rendered as the server renders them, learned only where nano speaks."""

from collections.abc import Iterator, Mapping
from itertools import count
from random import Random

from netweight.harmony import DeveloperContent, Message, SystemContent, Vocabulary
from netweight.harmony.render import developer_text, system_text
from recipes.batch import Batch, packed
from recipes.finetune.conversations import encode
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
