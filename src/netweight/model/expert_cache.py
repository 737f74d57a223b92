"""Experts of a model that is larger than memory: the recently used ones in slots, the rest on disk.

Reads are started together and done by a few threads, so that the disk is kept busy; what was used
longest ago gives way. Knows no layout of weights: whoever makes the cache says how an expert is
read into its slot.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

_READERS = 4  # threads; a disk answers several requests at once faster than one by one


class Key(NamedTuple):
    """An expert's place in the model."""

    layer: int
    expert: int


@dataclass
class Counts:
    """What the cache has done since it was made."""

    num_hits: int = 0
    num_misses: int = 0
    bytes_read: int = 0
    waited_s: float = 0.0  # by computation, for reads


class ExpertCache:
    """`num_slots` slots of `slot_bytes`; all memory it ever uses. For one computing thread."""

    def __init__(
        self, num_slots: int, slot_bytes: int, read: Callable[[Key, Tensor], None]
    ) -> None:
        """Reserve the slots; `read` fills one, uint8 [slot_bytes], and may run in any thread."""
        self.slots = torch.empty((num_slots, slot_bytes), dtype=torch.uint8)
        self.counts = Counts()
        self._read = read
        self._free = list(range(num_slots))
        self._held: OrderedDict[Key, int] = OrderedDict()  # to slots, longest unused first
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="experts")

    @property
    def resident_bytes(self) -> int:
        """Memory that holds experts now."""
        return len(self._held) * self.slots.shape[1]

    def hold(self, layer: int, experts: Sequence[int]) -> list[int]:
        """Have these experts in memory; their slots, valid until the next call.

        Raises:
            whatever `read` raises; what could not be read is then not held.
        """
        assert len(experts) <= self.slots.shape[0], "more experts at once than slots"
        keys = [Key(layer, expert) for expert in experts]
        missing = [key for key in keys if key not in self._held]
        for key in keys:
            if key in self._held:
                self._held.move_to_end(key)
        self.counts.num_hits += len(keys) - len(missing)
        self.counts.num_misses += len(missing)
        self._read_all(missing)
        return [self._held[key] for key in keys]

    def close(self) -> None:
        """Let the threads go."""
        self._readers.shutdown()

    def _read_all(self, missing: Sequence[Key]) -> None:
        """Read experts into free slots, or into those of the longest unused ones."""
        started = time.perf_counter()
        reading: dict[Key, Future[None]] = {}
        for key in missing:
            # What was asked for with these was used just now, so it is never the longest unused.
            slot = self._free.pop() if self._free else self._held.popitem(last=False)[1]
            self._held[key] = slot
            reading[key] = self._readers.submit(self._read, key, self.slots[slot])
        wait(reading.values())
        self.counts.bytes_read += len(missing) * self.slots.shape[1]
        self.counts.waited_s += time.perf_counter() - started
        for key, done in reading.items():
            if done.exception() is not None:
                self._free.append(self._held.pop(key))
        for done in reading.values():
            done.result()
