"""Stand-ins that behave: models with scripted logits, and a vocabulary of single bytes."""

import json
import random
import re
from dataclasses import dataclass

import numpy as np
import torch

from netweight.engine import Sampling
from netweight.engine.sampler import distribution
from netweight.harmony import Vocabulary
from netweight.model import NOTHING_ALLOWED, PAGE_TOKENS, UNSOUND


@dataclass
class FakeShape:
    vocab_size: int
    max_context: int
    sliding_window: int


class FakePages:
    """Slots of pages of one kind: a token id, a digest of what it saw, its prompt's length."""

    def __init__(self, num_pages):
        self.ids = np.full(num_pages * PAGE_TOKENS, -1)
        self.seen = np.zeros(num_pages * PAGE_TOKENS, np.int64)
        self.num_prompt = np.zeros(num_pages * PAGE_TOKENS, np.int64)  # 0: in the middle of it

    def slots(self, table, first, stop):
        positions = np.arange(first, stop)
        pages = table[positions // PAGE_TOKENS]
        assert (pages >= 0).all(), "a page was given up that is looked at"
        return pages * PAGE_TOKENS + positions % PAGE_TOKENS


class FakeModel:
    """Logits are what `next_logits(all token ids so far, number of prompt tokens)` returns.

    The ids are those in the pages that it is given. Digests depend on a sequence's adapter, as keys
    and values do. A prompt is taken to end where logits were
    first asked for, which is not so where a request was preempted or its prompt scored.
    """

    def __init__(
        self, next_logits, *, vocab_size=32, max_context=64, sliding_window=20, adapters=()
    ):
        self.config = FakeShape(vocab_size, max_context, sliding_window)
        self.next_logits = next_logits
        self.num_forwards = 0
        self.num_tokens = 0
        self.sampling = None  # the engine's own
        self.adapters = adapters

    def new_cache(self, num_pages, num_window_pages):
        return FakePages(num_pages), FakePages(num_window_pages)

    def step(self, token_ids, layout, cache, rows, adapters):
        assert token_ids.dtype == rows.dtype == torch.int64
        tensors = (layout.positions, layout.starts, layout.pages, layout.window_pages)
        assert all(x.dtype == torch.int32 and x.is_contiguous() for x in tensors)
        assert layout.starts[-1] == len(layout.positions) == len(token_ids) > 0
        self.num_forwards += 1
        self.num_tokens += len(token_ids)
        ids, positions, starts = token_ids.numpy(), layout.positions.numpy(), layout.starts.numpy()
        assert len(adapters) == len(starts) - 1
        wanted = set(rows.tolist())
        logits = []
        for index in range(len(starts) - 1):
            tables = layout.pages[index].numpy(), layout.window_pages[index].numpy()
            number = (None, *self.adapters).index(adapters[index])
            for row in range(starts[index], starts[index + 1]):
                assert positions[row] == positions[starts[index]] + row - starts[index]
                seen = self.take(cache, tables, int(positions[row]), int(ids[row]), number)
                if row in wanted:
                    logits.append(self.logits(cache, tables, int(positions[row]), seen))
        assert len(logits) == len(rows)
        size = self.config.vocab_size
        return torch.stack(logits).float() if logits else torch.empty((0, size))

    def take(self, cache, tables, position, token_id, adapter):
        """Store a token and a digest of all it sees, which real keys and values depend on, too."""
        first = max(0, position - self.config.sliding_window + 1)
        seen = [token_id, position, adapter]
        for pages, table, start in zip(cache, tables, (0, first), strict=True):
            seen += pages.seen[pages.slots(table, start, position)].tolist()
        digest = hash(tuple(seen))
        for pages, table in zip(cache, tables, strict=True):
            [slot] = pages.slots(table, position, position + 1)
            pages.ids[slot], pages.seen[slot], pages.num_prompt[slot] = token_id, digest, 0
        return digest

    def logits(self, cache, tables, position, digest):
        pages = cache[0]
        slots = pages.slots(tables[0], 0, position + 1)
        num_prompt = pages.num_prompt[slots[-2]] if position > 0 else 0
        pages.num_prompt[slots[-1]] = num_prompt or position + 1
        return self.next_logits(pages.ids[slots].tolist(), int(pages.num_prompt[slots[-1]]))


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


class Pseudorandom(FakeModel):
    """Logits are any function of all that the last token sees in the pages that it is given.

    Each history has its own, so a wrong page, a stale one or a wrong position gives other tokens.
    `habit` makes a small cycle of tokens likelier, so that text repeats.
    """

    def __init__(self, *, habit=0, **kwargs):
        super().__init__(None, **kwargs)
        self.habit = habit

    def logits(self, cache, tables, position, digest):
        rng = random.Random(digest)
        logits = torch.tensor([rng.gauss(0, 2) for _ in range(self.config.vocab_size)])
        [slot] = cache[0].slots(tables[0], position, position + 1)
        logits[(cache[0].ids[slot] + 1) % 4] += self.habit
        return logits


class Drawing(Pseudorandom):
    """Draws itself, and takes tokens that nobody has looked at, as a model on a device does."""

    is_ahead = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.num_unseen = self.num_masked = self.num_draws = 0

    def step_from(self, token_ids, previous, *where):
        unseen = token_ids < 0
        if unseen.any():
            token_ids = torch.where(unseen, previous.long()[(-1 - token_ids).clamp(0)], token_ids)
            self.num_unseen += int(unseen.sum())
        return self.step(token_ids, *where)

    def draw(self, logits, draws):
        assert logits.shape[0] == draws.points.numel() > 0
        self.num_draws += logits.shape[0]
        self.num_masked += draws.bits is not None
        return torch.tensor([self.draw_one(logits, draws, i) for i in range(logits.shape[0])])

    def draw_one(self, logits, draws, index):
        row = logits[index]
        if not torch.isfinite(row.max()):
            return UNSOUND
        if draws.bits is not None:
            words = draws.bits[index].numpy().view(np.uint8)
            kept = np.unpackbits(words, count=row.numel(), bitorder="little")
            row = row.masked_fill(torch.from_numpy(kept == 0), -torch.inf)
            if row.max() == -torch.inf:
                return NOTHING_ALLOWED
        if draws.temperature[index] == 0:
            return int(row.argmax())
        settings = Sampling(
            temperature=float(draws.temperature[index]),
            min_p=float(draws.min_p[index]),
            top_k=int(draws.top_k[index]),
            top_p=float(draws.top_p[index]),
        )
        sums = distribution(row, settings).cumsum(0)
        return int(torch.searchsorted(sums, draws.points[index] * sums[-1], right=True))


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
