"""Steps of the transformer over pages that a test hands out."""

import random

import torch

from netweight.model import PAGE_TOKENS, Layout


class Paging:
    """Pages for sequences of a test, in an order that nobody would expect.

    Window pages are given up, and their numbers used again, as soon as no window reaches them.
    """

    def __init__(self, model, num_pages=64, num_window_pages=64, seed=0):
        self.model = model
        self.cache = model.new_cache(num_pages, num_window_pages)
        shuffled = random.Random(seed)
        self.free = shuffled.sample(range(num_pages), num_pages)
        self.free_window = shuffled.sample(range(num_window_pages), num_window_pages)
        self.held = {}

    def step(self, pieces, rows=None, adapters=None):
        """Logits after `rows` (all) of the tokens in {sequence: its next tokens}.

        `adapters` has the names of those that have one: {sequence: its adapter}.
        """
        starts, positions, tables, window_tables = [0], [], [], []
        for name, tokens in pieces.items():
            length, pages, window_pages = self.held.setdefault(name, (0, [], []))
            stop = length + len(tokens)
            while len(pages) * PAGE_TOKENS < stop:
                pages.append(self.free.pop())
                window_pages.append(self.free_window.pop())
            first_seen = max(0, length - self.model.config.sliding_window + 1)
            for index in range(first_seen // PAGE_TOKENS):
                if window_pages[index] >= 0:
                    self.free_window.append(window_pages[index])
                    window_pages[index] = -1
            self.held[name] = (stop, pages, window_pages)
            positions += range(length, stop)
            starts.append(stop - length + starts[-1])
            tables.append(pages)
            window_tables.append(window_pages)
        ids = torch.tensor([token for tokens in pieces.values() for token in tokens])
        layout = Layout(ints(positions), ints(starts), table(tables), table(window_tables))
        rows = torch.arange(len(ids)) if rows is None else torch.tensor(rows, dtype=torch.int64)
        names = [(adapters or {}).get(name) for name in pieces]
        return self.model.step(ids, layout, self.cache, rows, names)


def ints(values):
    return torch.tensor(values, dtype=torch.int32)


def table(rows):
    width = max(map(len, rows))
    return ints([row + [-1] * (width - len(row)) for row in rows])
