"""A fixed set of conversations, and what a model makes of them.

The loss on its first part is recorded with the shipped weights (benchmarks/quality.py), and has to
come out the same on every kernel set.
"""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from netweight.harmony import Vocabulary
from netweight.model import PAGE_TOKENS, Layout, Transformer
from recipes.batch import Encoded, pack
from recipes.nano.conversations import LATER_SHARES, example
from recipes.nano.encode import encode

NUM_CONVERSATIONS = 300
NUM_FOR_LOSS = 60


def fixed_set(vocabulary: Vocabulary, num_conversations: int = NUM_CONVERSATIONS) -> list[Encoded]:
    """The first conversations of the set, as nano was trained on last."""
    random = Random("quality")
    drawn = (example(random, shares=LATER_SHARES) for _ in range(num_conversations))
    return [encode(vocabulary, each) for each in drawn]


def targets(conversations: Sequence[Encoded]) -> Tensor:
    """All tokens that are learned: int64 [tokens]."""
    return torch.cat([pack([conversation]).targets for conversation in conversations])


def loss(log_probabilities: Tensor, targets: Tensor) -> float:
    """Mean loss of what is learned, in nats a token, from log-probabilities [tokens, vocab]."""
    return -float(log_probabilities.gather(1, targets[:, None]).mean())


def log_probabilities(model: Transformer, conversations: Sequence[Encoded]) -> Tensor:
    """Before every token that is learned, through the paged cache: [tokens, vocab]."""
    longest = max(len(ids) for ids, _ in conversations)
    num_pages = -(-longest // PAGE_TOKENS)
    cache = model.new_cache(num_pages, num_pages)
    pages = torch.arange(num_pages, dtype=torch.int32)[None]
    parts = []
    for conversation in conversations:
        batch = pack([conversation])
        positions = torch.arange(batch.starts[-1], dtype=torch.int32)
        starts = torch.tensor(batch.starts, dtype=torch.int32)
        layout = Layout(positions, starts, pages, pages)
        parts.append(model.step(batch.token_ids, layout, cache, batch.rows).log_softmax(-1))
    return torch.cat(parts)
