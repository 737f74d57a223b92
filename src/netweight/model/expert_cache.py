"""Experts of a model that is larger than memory: the recently used ones in slots, the rest on disk.

An expert is read in parts by several threads, so that the disk is kept busy even by one; what was
used longest ago gives way. Reads may begin before an expert is needed, on a guess. Knows no layout
of weights: whoever makes the cache says how a part of an expert is read into its slot.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

_READERS = 8  # threads; a disk answers several requests at once faster than one by one


class Key(NamedTuple):
    """An expert's place in the model."""

    layer: int
    expert: int


@dataclass
class Counts:
    """What the cache has done since it was made."""

    num_hits: int = 0  # held, or being read, when they were needed
    num_misses: int = 0
    num_early: int = 0  # reads that began on a guess
    bytes_read: int = 0
    waited_s: float = 0.0  # by computation, for reads


@dataclass
class _Held:
    """An expert in a slot, which may still be filled."""

    slot: int
    reads: list[Future[None]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return all(read.done() for read in self.reads)


class ExpertCache:
    """`num_slots` slots of `slot_bytes`; all memory it ever uses. For one computing thread."""

    def __init__(
        self,
        num_slots: int,
        slot_bytes: int,
        read: Callable[[Key, int, Tensor], None],
        *,
        num_parts: int = 1,
    ) -> None:
        """Reserve the slots.

        `read` fills one part of `num_parts` of a slot, uint8 [slot_bytes], and runs in any thread.
        """
        self.slots = torch.empty((num_slots, slot_bytes), dtype=torch.uint8)
        self.counts = Counts()
        self._read = read
        self._num_parts = num_parts
        self._free = list(range(num_slots))
        self._held: OrderedDict[Key, _Held] = OrderedDict()  # longest unused first
        self._dropped: list[_Held] = []  # wrong guesses whose last reads are not done
        self._in_use: frozenset[Key] = frozenset()  # by whoever called `hold` last
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
        self._in_use = frozenset(keys)
        self._drop_wrong_guesses(layer)
        missing = [key for key in keys if key not in self._held]
        for key in keys:
            if key in self._held:
                self._held.move_to_end(key)
        self.counts.num_hits += len(keys) - len(missing)
        self.counts.num_misses += len(missing)
        started = time.perf_counter()
        for key in missing:
            self._begin(key, self._slot())
        self._wait(keys)
        self.counts.waited_s += time.perf_counter() - started
        return [self._held[key].slot for key in keys]

    def expect(self, layer: int, experts: Sequence[int]) -> None:
        """Begin to read experts that will probably be needed next, and return at once.

        Nothing that the last `hold` gave out gives way, nor anything that is being read: what finds
        no slot then is not read.
        """
        for key in (Key(layer, expert) for expert in experts):
            if key in self._held:
                continue
            if not self._has_room():
                return
            self.counts.num_early += 1
            self._begin(key, self._slot())

    def close(self) -> None:
        """Let the threads go."""
        self._readers.shutdown()

    def _begin(self, key: Key, slot: int) -> None:
        data = self.slots[slot]
        reads = [
            self._readers.submit(self._read, key, part, data) for part in range(self._num_parts)
        ]
        self._held[key] = _Held(slot, reads)
        self.counts.bytes_read += self.slots.shape[1]

    def _drop_wrong_guesses(self, layer: int) -> None:
        """Call off what is being read for this layer in vain, so that nothing waits behind it."""
        wrong = [
            key
            for key, held in self._held.items()
            if key.layer == layer and key not in self._in_use and not held.is_whole
        ]
        for key in wrong:
            held = self._held.pop(key)
            num_cancelled = sum(read.cancel() for read in held.reads)
            self.counts.bytes_read -= num_cancelled * self.slots.shape[1] // self._num_parts
            self._dropped.append(held)

    def _has_room(self) -> bool:
        self._free_dropped()
        unused = (held for key, held in self._held.items() if key not in self._in_use)
        return bool(self._free) or any(held.is_whole for held in unused)

    def _slot(self) -> int:
        """A free slot; or that of the longest unused expert that is whole, or else when it is."""
        self._free_dropped()
        if self._free:
            return self._free.pop()
        unused = [key for key in self._held if key not in self._in_use]
        key = next((key for key in unused if self._held[key].is_whole), None)
        held = (
            self._dropped.pop()
            if key is None and self._dropped
            else self._held.pop(key or unused[0])
        )
        wait(held.reads)  # a guess that failed and was not needed has harmed nobody
        return held.slot

    def _free_dropped(self) -> None:
        self._free += [held.slot for held in self._dropped if held.is_whole]
        self._dropped = [held for held in self._dropped if not held.is_whole]

    def _wait(self, keys: Sequence[Key]) -> None:
        reads = {key: self._held[key].reads for key in keys}
        wait([read for each in reads.values() for read in each])
        broken = [key for key, each in reads.items() if any(read.exception() for read in each)]
        for key in broken:
            self._free.append(self._held.pop(key).slot)
        for key in broken:
            for read in reads[key]:
                read.result()
        for key in keys:
            self._held[key].reads.clear()
