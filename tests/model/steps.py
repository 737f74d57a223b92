"""Steps over shuffled pages, for tests of kernels: what must not be read is not a number."""

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from netweight.model import PAGE_TOKENS, Layout
from netweight.model.rope import Rotation


@dataclass
class Heads:
    """Queries, keys and values of whole sequences, and pages that hold nothing yet."""

    lengths: list[int]
    q: list[Tensor]  # of each sequence [tokens, heads, head_dim]
    k: list[Tensor]
    v: list[Tensor]
    sinks: Tensor
    tables: list[list[int]]
    num_pages: int

    @classmethod
    def random(cls, lengths, *, group=8, kv_heads=2, head_dim=64, seed=0, spread=2.0):
        """Scores with a standard deviation of `spread`, so that the softmax has something to do."""
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(shape, generator=generator)

        counts = [-(-length // PAGE_TOKENS) for length in lengths]
        free = random.Random(seed).sample(range(sum(counts) + 2), sum(counts) + 2)
        return cls(
            lengths,
            [(spread * normal(n, group * kv_heads, head_dim)).bfloat16() for n in lengths],
            [normal(n, kv_heads, head_dim).bfloat16() for n in lengths],
            [normal(n, kv_heads, head_dim).bfloat16() for n in lengths],
            normal(group * kv_heads).bfloat16(),
            [[free.pop() for _ in range(count)] for count in counts],
            len(free) + sum(counts),
        )

    def pages(self, dtype=torch.bfloat16):
        """Pages that hold NaN everywhere."""
        kv_heads, head_dim = self.k[0].shape[1:]
        shape = (self.num_pages, 2, kv_heads, PAGE_TOKENS * head_dim)
        return torch.full(shape, torch.nan, dtype=dtype)

    def layout(self, spans):
        """The step of tokens start to stop of each sequence in {sequence: (start, stop)}."""
        positions, starts = [], [0]
        for start, stop in spans.values():
            positions += range(start, stop)
            starts.append(len(positions))
        width = max(-(-stop // PAGE_TOKENS) for _, stop in spans.values())
        rows = [(self.tables[name] + [-1] * width)[:width] for name in spans]
        return Layout(ints(positions), ints(starts), ints(rows), ints(rows))

    def gather(self, parts, spans):
        """The step's tokens of q, k or v."""
        return torch.cat([parts[name][start:stop] for name, (start, stop) in spans.items()])

    def stored(self, kernels, spans, dtype=torch.bfloat16):
        """Pages in which `kernels` have stored those tokens."""
        pages, layout = self.pages(dtype), self.layout(spans)
        k, v = (self.gather(parts, spans).to(dtype) for parts in (self.k, self.v))
        kernels.store(k, v, pages, layout.pages, layout)
        return pages

    def all_tokens(self):
        """The spans of whole sequences."""
        return {name: (0, length) for name, length in enumerate(self.lengths)}

    def last_tokens(self, *counts):
        """The spans of so many last tokens of each sequence."""
        pairs = zip(self.lengths, counts, strict=True)
        return {name: (length - count, length) for name, (length, count) in enumerate(pairs)}


def angles(tokens, head_dim, seed=0):
    """A rotation by random angles."""
    angle = 6 * torch.rand(tokens, head_dim // 2, generator=torch.Generator().manual_seed(seed))
    return Rotation(angle.cos().bfloat16(), angle.sin().bfloat16())


def ints(values):
    return torch.tensor(values, dtype=torch.int32)


def distance(ours, expected):
    """The largest difference over the largest value."""
    return float((ours.float() - expected).abs().max() / expected.abs().max())
