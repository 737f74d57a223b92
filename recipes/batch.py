"""Conversations as batches to learn from: one after the other, without padding."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from netweight.model import Transformer
from netweight.model.adapter import Adapter
from netweight.model.transformer import RunLayer


class Encoded(NamedTuple):
    """A conversation's tokens, and of each whether the model has to learn to write it."""

    token_ids: list[int]
    is_learned: list[bool]


class Batch(NamedTuple):
    """Several conversations, none of which sees another."""

    token_ids: Tensor  # int64 [tokens]
    starts: list[int]  # where each conversation begins, and where the last one ends
    rows: Tensor  # int64 [learned], tokens after which one is learned
    targets: Tensor  # int64 [learned], what is learned there


def pack(conversations: Sequence[Encoded]) -> Batch:
    """All of them as one batch."""
    token_ids: list[int] = []
    starts, rows, targets = [0], [], []
    for ids, is_learned in conversations:
        rows += [starts[-1] + place for place, learn in enumerate(is_learned[1:]) if learn]
        targets += [token_id for token_id, learn in zip(ids, is_learned, strict=True) if learn]
        token_ids += ids[:-1]
        starts.append(len(token_ids))
    return Batch(torch.tensor(token_ids), starts, torch.tensor(rows), torch.tensor(targets))


def packed(conversations: Iterable[Encoded], batch_tokens: int) -> Iterator[Batch]:
    """Batches of at most `batch_tokens`, or of one conversation that is longer."""
    waiting: list[Encoded] = []
    num_tokens = 0
    for conversation in conversations:
        if waiting and num_tokens + len(conversation.token_ids) - 1 > batch_tokens:
            yield pack(waiting)
            waiting, num_tokens = [], 0
        waiting.append(conversation)
        num_tokens += len(conversation.token_ids) - 1
    if waiting:
        yield pack(waiting)


def loss_of(
    model: Transformer,
    batch: Batch,
    adapter: Adapter | None = None,
    run_layer: RunLayer | None = None,
) -> Tensor:
    """Mean loss of what is learned, in nats a token."""
    logits = model.logits_after(batch.token_ids, batch.starts, batch.rows, adapter, run_layer)
    return cross_entropy(logits, batch.targets)
