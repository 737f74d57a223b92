"""Conversations to batches: rendered as the server renders them, learned only where nano speaks."""

from collections.abc import Iterator
from itertools import count
from random import Random

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
from recipes.batch import Batch, Encoded, packed
from recipes.nano.conversations import Example, example


def prompt_messages(item: Example) -> list[Message]:
    """The conversation up to and with the last question."""
    system = SystemContent(reasoning_effort=ReasoningEffort(item.effort), current_date=item.date)
    messages = [Message.system(system)]
    if item.instructions is not None:
        messages.append(Message.developer(DeveloperContent(instructions=item.instructions)))
    for earlier in item.turns[:-1]:
        messages += [Message.user(earlier.question), Message.assistant(earlier.answer)]
    return [*messages, Message.user(item.turns[-1].question)]


def encode(vocabulary: Vocabulary, item: Example) -> Encoded:
    """The whole conversation, of which the last turn is learned."""
    messages = prompt_messages(item)
    last = item.turns[-1]
    spoken = [
        Message.assistant(last.reasoning, channel="analysis"),
        Message.assistant(last.answer),
    ]
    prompt = render_for_completion(vocabulary, messages)
    whole = render_for_training(vocabulary, [*messages, *spoken])
    assert whole[: len(prompt)] == prompt, "training and serving must render alike"
    return Encoded(whole, [place >= len(prompt) for place in range(len(whole))])


def batches(vocabulary: Vocabulary, batch_tokens: int, random: Random) -> Iterator[Batch]:
    """Training batches without end."""
    return packed((encode(vocabulary, example(random)) for _ in count()), batch_tokens)


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
