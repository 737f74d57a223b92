"""Experts of a model that is larger than memory: the recently used ones in slots, the rest on disk.

Reads are started together and done by a few threads, so that the disk is kept busy; what was used
longest ago gives way. Knows no layout of weights: whoever makes the cache says how an expert is
read into its slot.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
    num_prefetched: int = 0
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
        self._reading: dict[Key, Future[None]] = {}
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="experts")

    @property
    def resident_bytes(self) -> int:
        """Memory that holds experts now."""
        return len(self._held) * self.slots.shape[1]

    def hold(self, layer: int, experts: Sequence[int]) -> list[int]:
        """Have these experts in memory; their slots, valid until the next call.

        Raises:
            whatever `read` raises; the expert is then not held.
        """
        assert len(experts) <= self.slots.shape[0], "more experts at once than slots"
        keys = [Key(layer, expert) for expert in experts]
        for key in keys:
            if key in self._held:
                self._held.move_to_end(key)
                self.counts.num_hits += 1
        for key in keys:
            if key not in self._held:
                self.counts.num_misses += 1
                self._start(key, keep=keys, is_needed=True)
        started = time.perf_counter()
        for key in keys:
            self._wait(key)
        self.counts.waited_s += time.perf_counter() - started
        return [self._held[key] for key in keys]

    def prefetch(self, layer: int, experts: Sequence[int], *, keep: Sequence[int]) -> None:
        """Begin to read experts that are likely next; `keep` of the layer before stay."""
        kept = [Key(layer - 1, expert) for expert in keep]
        for expert in experts:
            key = Key(layer, expert)
            if key not in self._held and self._start(key, keep=kept, is_needed=False):
                self.counts.num_prefetched += 1

    def close(self) -> None:
        """Wait for reads under way."""
        self._readers.shutdown()

    def _start(self, key: Key, *, keep: Sequence[Key], is_needed: bool) -> bool:
        """Begin to read an expert into a free slot, or into that of the longest unused one.

        Slots that are being read into give way only to what is needed now.
        """
        if not self._free and not self._evict(keep, may_wait=is_needed):
            return False
        slot = self._free.pop()
        self._held[key] = slot
        self._reading[key] = self._readers.submit(self._read, key, self.slots[slot])
        self.counts.bytes_read += self.slots.shape[1]
        return True

    def _evict(self, keep: Sequence[Key], *, may_wait: bool) -> bool:
        others = [key for key in self._held if key not in keep]
        idle = (key for key in others if key not in self._reading or self._reading[key].done())
        oldest = next(idle, others[0] if others and may_wait else None)
        if oldest is None:
            return False
        reading = self._reading.pop(oldest, None)
        if reading is not None:
            reading.exception()  # waits; what nobody asked for may have failed
        self._free.append(self._held.pop(oldest))
        return True

    def _wait(self, key: Key) -> None:
        reading = self._reading.get(key)
        if reading is None:
            return
        try:
            reading.result()
        except BaseException:
            self._free.append(self._held.pop(key))
            raise
        finally:
            self._reading.pop(key)
