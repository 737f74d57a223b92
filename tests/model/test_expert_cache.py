"""The cache of experts: what is held is what was asked for, within its memory."""

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netweight.model.expert_cache import ExpertCache, Key

SLOT_BYTES = 8
NUM_PARTS = 2


class Disk:
    """Fills a slot with its expert's own bytes, and remembers what was read."""

    def __init__(self):
        self.reads = []
        self.broken = set()
        self.may_read = threading.Event()
        self.may_read.set()

    def read(self, key, part, slot):
        self.reads.append(key)
        if key in self.broken:
            raise OSError("the disk is gone")
        self.may_read.wait(10)
        slot[part::NUM_PARTS].fill_(stamp(key))


def stamp(key):
    return (key.layer * 16 + key.expert) % 251


def held(cache, layer, experts):
    """The bytes in the slots of what was asked for."""
    return [cache.slots[slot].tolist() for slot in cache.hold(layer, experts)]


def expected(layer, experts):
    return [[stamp(Key(layer, expert))] * SLOT_BYTES for expert in experts]


def cache_of(num_slots, disk):
    return ExpertCache(num_slots, SLOT_BYTES, disk.read, num_parts=NUM_PARTS)


some = st.lists(st.integers(0, 15), max_size=4, unique=True)
asked = st.lists(st.tuples(st.integers(0, 5), some, some), max_size=30)


@given(asked=asked, num_slots=st.integers(4, 9))
def test_slots_hold_what_was_asked_for_whatever_was_guessed(asked, num_slots):
    disk = Disk()
    cache = cache_of(num_slots, disk)
    for layer, experts, guessed in asked:
        slots = cache.hold(layer, experts)
        cache.expect(layer + 1, guessed)
        assert [cache.slots[slot].tolist() for slot in slots] == expected(layer, experts)
        assert cache.resident_bytes <= num_slots * SLOT_BYTES
    cache.close()
    assert cache.counts.bytes_read == len(disk.reads) * SLOT_BYTES // NUM_PARTS


def test_a_guess_is_read_before_it_is_needed_and_costs_nothing_then():
    disk = Disk()
    cache = cache_of(4, disk)
    cache.hold(0, [1, 2])
    cache.expect(1, [3])
    assert held(cache, 1, [3]) == expected(1, [3])
    assert (cache.counts.num_early, cache.counts.num_misses) == (1, 2)


def test_a_guess_does_not_wait_and_takes_no_slot_that_is_used_or_being_filled():
    disk = Disk()
    cache = cache_of(3, disk)
    slots = cache.hold(0, [1, 2])
    disk.may_read.clear()
    cache.expect(1, [3, 4, 5])  # one slot is free, and two are in use
    disk.may_read.set()
    assert [cache.slots[slot].tolist() for slot in slots] == expected(0, [1, 2])
    assert cache.counts.num_early == 1
    assert held(cache, 1, [3, 4]) == expected(1, [3, 4])


def test_what_is_needed_takes_the_slot_of_a_guess_that_is_being_read():
    disk = Disk()
    cache = cache_of(2, disk)
    disk.may_read.clear()
    cache.expect(1, [3, 4])
    threading.Timer(0.05, disk.may_read.set).start()
    assert held(cache, 0, [1, 2]) == expected(0, [1, 2])


def test_a_guess_that_cannot_be_read_hurts_only_when_it_is_needed():
    disk = Disk()
    cache = cache_of(2, disk)
    disk.broken.add(Key(1, 3))
    cache.expect(1, [3])
    assert held(cache, 0, [1, 2]) == expected(0, [1, 2])
    cache.expect(1, [3])
    with pytest.raises(OSError, match="the disk is gone"):
        cache.hold(1, [3])


def test_the_longest_unused_expert_gives_way():
    disk = Disk()
    cache = cache_of(3, disk)
    cache.hold(0, [1, 2, 3])
    cache.hold(0, [1])
    cache.hold(0, [4])  # in the place of 2
    disk.reads.clear()
    cache.hold(0, [1, 3])
    assert disk.reads == []
    cache.hold(0, [2])
    assert disk.reads == [Key(0, 2)] * NUM_PARTS
    assert (cache.counts.num_hits, cache.counts.num_misses) == (3, 5)


def test_a_failed_read_is_raised_and_tried_again():
    disk = Disk()
    cache = cache_of(2, disk)
    disk.broken.add(Key(0, 1))
    with pytest.raises(OSError, match="the disk is gone"):
        cache.hold(0, [1, 2])
    disk.broken.clear()
    assert held(cache, 0, [1, 2]) == expected(0, [1, 2])


def test_slots_are_aligned_for_vector_loads():
    cache = ExpertCache(3, 128, Disk().read)
    assert all(cache.slots[index].data_ptr() % 64 == 0 for index in range(3))
    assert cache.slots.dtype == torch.uint8


def test_a_wrong_guess_is_called_off_before_what_is_needed_is_read():
    disk = Disk()
    cache = ExpertCache(64, SLOT_BYTES, disk.read, num_parts=NUM_PARTS)
    disk.may_read.clear()
    cache.expect(1, list(range(16)))  # more than there are threads
    threading.Timer(0.05, disk.may_read.set).start()
    assert held(cache, 1, [20]) == expected(1, [20])
    assert len(disk.reads) < 16 * NUM_PARTS
    assert cache.counts.bytes_read == len(disk.reads) * SLOT_BYTES // NUM_PARTS
    assert held(cache, 1, list(range(16))) == expected(1, list(range(16)))
