"""Conversations that are packed together are read as if each were alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight import nano
from netweight.model import load_transformer
from recipes.batch import Encoded, loss_of, pack, packed

lengths = st.lists(st.integers(2, 30), min_size=1, max_size=12)


def encoded(length, first=5):
    ids = [(first + 7 * place) % 900 for place in range(length)]
    return Encoded(ids, [place > length // 2 for place in range(length)])


@pytest.fixture(scope="module")
def model():
    return load_transformer(nano.FOLDER, dtype=torch.float32)


@given(lengths, st.integers(1, 60))
def test_nothing_is_lost_or_doubled_and_batches_are_not_too_large(lengths, batch_tokens):
    conversations = [encoded(length, first) for first, length in enumerate(lengths)]
    batches = list(packed(conversations, batch_tokens))
    wanted = [
        t for ids, learned in conversations for t, learn in zip(ids, learned, strict=True) if learn
    ]
    assert [t for batch in batches for t in batch.targets.tolist()] == wanted
    assert sum(len(batch.starts) - 1 for batch in batches) == len(conversations)
    for batch in batches:
        assert batch.starts[-1] == batch.token_ids.numel()
        assert batch.token_ids.numel() <= batch_tokens or len(batch.starts) == 2


def test_a_target_is_the_token_after_its_row():
    batch = pack([encoded(9), encoded(14, first=3)])
    inside = [row for row in batch.rows.tolist() if row + 1 not in batch.starts]
    for row, target in zip(batch.rows.tolist(), batch.targets.tolist(), strict=True):
        if row in inside:
            assert batch.token_ids[row + 1] == target
    assert len(inside) == len(batch.rows) - 2  # each conversation's last token is read by none


def test_packed_conversations_do_not_see_each_other(model):
    conversations = [encoded(200), encoded(9, first=3), encoded(40, first=4)]
    together = loss_of(model, pack(conversations))
    alone = [pack([conversation]) for conversation in conversations]
    sizes = [batch.targets.numel() for batch in alone]
    losses = [loss_of(model, batch) * size for batch, size in zip(alone, sizes, strict=True)]
    assert together.item() == pytest.approx(sum(losses).item() / sum(sizes), rel=1e-5)
    batch = pack(conversations)
    joined = batch._replace(starts=[0, batch.starts[-1]])
    assert loss_of(model, joined).item() != pytest.approx(together.item(), rel=1e-3)
