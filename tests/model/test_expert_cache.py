"""The cache of experts: what is held is what was asked for, within its memory."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.model.expert_cache import ExpertCache, Key

SLOT_BYTES = 8


class Disk:
    """Fills a slot with its expert's own bytes, and remembers what was read."""

    def __init__(self):
        self.reads = []
        self.broken = set()

    def read(self, key, slot):
        self.reads.append(key)
        if key in self.broken:
            raise OSError("the disk is gone")
        slot.fill_(stamp(key))


def stamp(key):
    return (key.layer * 16 + key.expert) % 251


def held(cache, layer, experts):
    """The bytes in the slots of what was asked for."""
    return [cache.slots[slot].tolist() for slot in cache.hold(layer, experts)]


def expected(layer, experts):
    return [[stamp(Key(layer, expert))] * SLOT_BYTES for expert in experts]


asked = st.lists(
    st.tuples(st.integers(0, 5), st.lists(st.integers(0, 15), max_size=4, unique=True)), max_size=30
)


@given(asked=asked, num_slots=st.integers(4, 9))
def test_slots_hold_what_was_asked_for(asked, num_slots):
    disk = Disk()
    cache = ExpertCache(num_slots, SLOT_BYTES, disk.read)
    for layer, experts in asked:
        assert held(cache, layer, experts) == expected(layer, experts)
        assert cache.resident_bytes <= num_slots * SLOT_BYTES
    cache.close()
    assert cache.counts.bytes_read == len(disk.reads) * SLOT_BYTES


def test_the_longest_unused_expert_gives_way():
    disk = Disk()
    cache = ExpertCache(3, SLOT_BYTES, disk.read)
    cache.hold(0, [1, 2, 3])
    cache.hold(0, [1])
    cache.hold(0, [4])  # in the place of 2
    disk.reads.clear()
    cache.hold(0, [1, 3])
    assert disk.reads == []
    cache.hold(0, [2])
    assert disk.reads == [Key(0, 2)]
    assert (cache.counts.num_hits, cache.counts.num_misses) == (3, 5)


def test_a_failed_read_is_raised_and_tried_again():
    disk = Disk()
    cache = ExpertCache(2, SLOT_BYTES, disk.read)
    disk.broken.add(Key(0, 1))
    with pytest.raises(OSError, match="the disk is gone"):
        cache.hold(0, [1, 2])
    disk.broken.clear()
    assert held(cache, 0, [1, 2]) == expected(0, [1, 2])


def test_slots_are_aligned_for_vector_loads():
    cache = ExpertCache(3, 128, Disk().read)
    assert all(cache.slots[index].data_ptr() % 64 == 0 for index in range(3))
    assert cache.slots.dtype == torch.uint8
