"""Stand-ins that behave: models with scripted logits, and a vocabulary of single bytes."""

import json
import random
import re
from dataclasses import dataclass

import torch

from netweight.harmony import Vocabulary


@dataclass
class FakeShape:
    vocab_size: int
    max_context: int


class FakeCache:
    """Remembers the token ids themselves."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.token_ids = []
        self.num_prompt = None

    @property
    def length(self):
        return len(self.token_ids)


class FakeModel:
    """Logits are what `next_logits(all token ids so far, number of prompt tokens)` returns."""

    def __init__(self, next_logits, *, vocab_size=32, max_context=64):
        self.config = FakeShape(vocab_size, max_context)
        self.next_logits = next_logits
        self.num_forwards = 0

    def new_cache(self, capacity):
        return FakeCache(capacity)

    def forward(self, token_ids, cache=None, *, last_only=False):
        assert token_ids.dtype == torch.int64
        assert token_ids.shape[0] == 1
        assert token_ids.shape[1] > 0
        assert last_only
        self.num_forwards += 1
        cache.token_ids += token_ids[0].tolist()
        assert cache.length <= cache.capacity
        if cache.num_prompt is None:
            cache.num_prompt = cache.length
        return self.next_logits(cache.token_ids, cache.num_prompt)[None, None].float()


def one_hot(token_id, vocab_size):
    """Logits that leave no doubt."""
    logits = torch.full((vocab_size,), -50.0)
    logits[token_id] = 50.0
    return logits


def scripted(reply, **kwargs):
    """A model that continues every prompt with `reply`, and then with its last token."""

    def next_logits(token_ids, num_prompt):
        place = min(len(token_ids) - num_prompt, len(reply) - 1)
        return one_hot(reply[place], model.config.vocab_size)

    model = FakeModel(next_logits, **kwargs)
    return model


def scripted_in_turn(replies, mark, **kwargs):
    """A model that takes its next reply each time that the prompt has one more `mark` in it."""

    def next_logits(token_ids, num_prompt):
        reply = replies[token_ids[:num_prompt].count(mark)]
        place = min(len(token_ids) - num_prompt, len(reply) - 1)
        return one_hot(reply[place], model.config.vocab_size)

    model = FakeModel(next_logits, **kwargs)
    return model


def pseudorandom(**kwargs):
    """A model whose logits are any function of all tokens so far: each history has its own."""

    def next_logits(token_ids, num_prompt):
        rng = random.Random(repr(token_ids))
        return torch.tensor([rng.gauss(0, 2) for _ in range(model.config.vocab_size)])

    model = FakeModel(next_logits, **kwargs)
    return model


# A vocabulary of single bytes and Harmony's control tokens: any text is as many tokens as bytes.
CONTROL_NAMES = ("start", "end", "message", "channel", "constrain", "call", "return", "endoftext")
BYTE_VOCABULARY_SIZE = 256 + len(CONTROL_NAMES)


def byte_vocabulary():
    return Vocabulary(
        ranks={bytes([value]): value for value in range(256)},
        specials={f"<|{name}|>": 256 + index for index, name in enumerate(CONTROL_NAMES)},
        split=r"[\s\S]",
        source="bytes",
    )


def spell(text):
    """The byte vocabulary's ids of a text in which markers such as <|end|> are control tokens."""
    ids = []
    for part in re.split(r"(<\|[a-z]+\|>)", text):
        if part.startswith("<|"):
            ids.append(256 + CONTROL_NAMES.index(part.strip("<|>")))
        else:
            ids += part.encode()
    return ids


def write_byte_tokenizer(folder):
    """The byte vocabulary as a tokenizer.json."""
    others = iter(range(256, 512))
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    alphabet = {chr(b if b in printable else next(others)): b for b in range(256)}
    split = {"type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated"}
    document = {
        "model": {"type": "BPE", "vocab": alphabet, "merges": []},
        "added_tokens": [
            {"id": 256 + index, "content": f"<|{name}|>"}
            for index, name in enumerate(CONTROL_NAMES)
        ],
        "pre_tokenizer": split,
    }
    (folder / "tokenizer.json").write_text(json.dumps(document))
