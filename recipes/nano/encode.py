"""Conversations to batches: rendered as the server renders them, learned only where nano speaks."""

from collections.abc import Iterator
from random import Random

import torch

from netweight.harmony import (
    DeveloperContent,
    Message,
    ReasoningEffort,
    SystemContent,
    Vocabulary,
    render_for_completion,
    render_for_training,
)
from netweight.harmony.render import developer_text, system_text
from recipes.nano.conversations import Example, example
from recipes.nano.train import IGNORED, Batch

# Examples that are drawn together and sorted by length, so that batches hold little padding.
_BATCHES_PER_POOL = 16


def prompt_messages(item: Example) -> list[Message]:
    """The conversation up to and with the last question."""
    system = SystemContent(reasoning_effort=ReasoningEffort(item.effort), current_date=item.date)
    messages = [Message.system(system)]
    if item.instructions is not None:
        messages.append(Message.developer(DeveloperContent(instructions=item.instructions)))
    for earlier in item.turns[:-1]:
        messages += [Message.user(earlier.question), Message.assistant(earlier.answer)]
    return [*messages, Message.user(item.turns[-1].question)]


def encode(vocabulary: Vocabulary, item: Example) -> tuple[list[int], int]:
    """Token ids of the whole conversation, and how many of them are the prompt."""
    messages = prompt_messages(item)
    last = item.turns[-1]
    spoken = [
        Message.assistant(last.reasoning, channel="analysis"),
        Message.assistant(last.answer),
    ]
    prompt = render_for_completion(vocabulary, messages)
    whole = render_for_training(vocabulary, [*messages, *spoken])
    assert whole[: len(prompt)] == prompt, "training and serving must render alike"
    return whole, len(prompt)


def batches(vocabulary: Vocabulary, batch_size: int, random: Random) -> Iterator[Batch]:
    """Training batches without end."""
    while True:
        pool = [encode(vocabulary, example(random)) for _ in range(batch_size * _BATCHES_PER_POOL)]
        pool.sort(key=lambda encoded: len(encoded[0]))
        groups = [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
        random.shuffle(groups)
        yield from map(_pad, groups)


def _pad(group: list[tuple[list[int], int]]) -> Batch:
    width = max(len(ids) for ids, _ in group) - 1
    token_ids = torch.zeros(len(group), width, dtype=torch.long)
    targets = torch.full((len(group), width), IGNORED)
    for row, (ids, num_prompt) in enumerate(group):
        token_ids[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, num_prompt - 1 : len(ids) - 1] = torch.tensor(ids[num_prompt:])
    return Batch(token_ids, targets)


def sample_texts(num_examples: int, random: Random) -> Iterator[str]:
    """Every piece of text in `num_examples` conversations: what the tokenizer learns from."""
    for _ in range(num_examples):
        for message in prompt_messages(item := example(random)):
            for part in message.content:
                if isinstance(part, SystemContent):
                    yield system_text(part)
                elif isinstance(part, DeveloperContent):
                    yield developer_text(part)
                else:
                    yield part
        yield from (item.turns[-1].reasoning, item.turns[-1].answer)
        yield from ("assistant", "user", "system", "developer", "analysis", "final", "commentary")
