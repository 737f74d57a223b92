from array import array

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from netweight.engine.cache import Cache, Holding, PageCounts, PagePool
from netweight.engine.capacity import CacheSize
from netweight.model import PAGE_TOKENS

WINDOW = 20  # of the cache here: it touches three pages at most
SIZE = CacheSize(8, 8)


def tokens(*blocks, tail=1):
    """A page full of each block's number, and a few tokens more."""
    return [block for block in blocks for _ in range(PAGE_TOKENS)] + [9] * tail


def begun(cache, token_ids, adapter=None):
    """A sequence that found what it could."""
    holding = Holding(adapter)
    cache.open(holding, token_ids, len(token_ids) - 1)
    return holding


def stored(cache, token_ids, adapter=None):
    """A sequence whose tokens are all in the cache."""
    holding = begun(cache, token_ids, adapter)
    cache.grow(holding, len(token_ids) - holding.num_stored)
    cache.store(holding, token_ids, len(token_ids))
    return holding


@pytest.fixture
def cache():
    return Cache(SIZE, WINDOW)


def test_pages_are_held_as_tokens_come_and_freed_with_the_sequence(cache):
    holding = stored(cache, tokens(1, tail=1))
    assert cache.counts[0] == PageCounts(free=6, held=2, cached=0)
    cache.release(holding)
    assert cache.counts[0] == PageCounts(free=7, held=0, cached=1)


def test_who_begins_alike_holds_the_same_pages(cache):
    first, second = stored(cache, tokens(1, 2, 3)), begun(cache, tokens(1, 2, 4))
    assert second.num_stored == 2 * PAGE_TOKENS
    assert second.pages == first.pages[:2]


def test_one_token_is_always_left_to_compute(cache):
    stored(cache, tokens(1, 2, tail=0))
    assert begun(cache, tokens(1, 2, tail=0)).num_stored == PAGE_TOKENS
    assert begun(cache, tokens(1, 2, tail=1)).num_stored == 2 * PAGE_TOKENS


def test_equal_pages_after_different_ones_are_different(cache):
    stored(cache, tokens(1, 2))
    assert begun(cache, tokens(3, 2)).num_stored == 0


def test_pages_are_shared_under_one_adapter_and_not_across(cache):
    stored(cache, tokens(1, 2), "a")
    assert begun(cache, tokens(1, 2), "a").num_stored == 2 * PAGE_TOKENS
    for other in ("b", None):
        assert begun(cache, tokens(1, 2), other).num_stored == 0


def test_no_adapter_has_the_name_of_a_page():
    cache = Cache(SIZE, WINDOW)
    page = tokens(1, tail=0)
    stored(cache, tokens(1, 2))
    # The bytes that the first page's key is made of, as a name.
    assert begun(cache, tokens(2), array("i", page).tobytes().decode()).num_stored == 0


def test_what_was_generated_is_found_by_the_next_turn(cache):
    holding = stored(cache, tokens(1))
    answer = tokens(1)[:-1] + [5] * 20
    cache.grow(holding, len(answer) - holding.num_stored)
    cache.store(holding, answer, len(answer))
    cache.release(holding)
    assert begun(cache, [*answer, 7, 7]).num_stored == 2 * PAGE_TOKENS


def test_pages_out_of_every_window_are_given_up(cache):
    holding = stored(cache, tokens(1, 2, 3, 4, tail=0))
    assert [page >= 0 for page in holding.window_pages] == [False, False, True, True]
    assert cache.counts[1] == PageCounts(free=4, held=2, cached=2)


def test_a_prefix_without_its_window_is_cut_to_where_there_is_one():
    cache = Cache(CacheSize(8, 4), WINDOW)
    cache.release(stored(cache, tokens(1, 2, tail=0)))
    holding = begun(cache, tokens(1, 2, 3, 4, tail=0))
    for num_stored in (48, 64):  # takes the first window pages away: 1 and 2 are out of the window
        cache.grow(holding, 16)
        cache.store(holding, tokens(1, 2, 3, 4, tail=0), num_stored)
    other = begun(cache, tokens(6, 7, tail=0))
    cache.grow(other, 32)
    assert begun(cache, tokens(1, 2, 8)).num_stored == 0  # all pages are known, the windows not
    assert begun(cache, tokens(1, 2, 3, 4)).num_stored == 4 * PAGE_TOKENS


def test_the_last_pages_of_the_least_recent_are_evicted_first(cache):
    for block in (1, 2):
        cache.release(stored(cache, tokens(block, 3, 4, tail=0)))
    cache.grow(begun(cache, tokens(5)), 3 * PAGE_TOKENS)
    assert begun(cache, tokens(1, 3, 4)).num_stored == 2 * PAGE_TOKENS
    assert begun(cache, tokens(2, 3, 4)).num_stored == 3 * PAGE_TOKENS


def test_two_that_compute_the_same_page_end_up_with_one(cache):
    first, second = begun(cache, tokens(1)), begun(cache, tokens(1))
    for holding in (first, second):
        cache.grow(holding, 17)
        cache.store(holding, tokens(1), 17)
    assert first.pages[0] == second.pages[0]
    assert cache.counts[0].held == 3


def test_guesses_that_were_wrong_are_never_found(cache):
    holding = begun(cache, tokens(1, tail=0))
    cache.grow(holding, 40)
    cache.store(holding, tokens(1, 2, 3), 20)
    assert begun(cache, tokens(1, 2, 3)).num_stored == PAGE_TOKENS


def test_nothing_is_found_after_forgetting_and_holders_go_on(cache):
    cache.release(stored(cache, tokens(8)))
    holding = stored(cache, tokens(1, 2))
    cache.forget()
    cache.check_integrity([holding])
    assert begun(cache, tokens(1, 2)).num_stored == begun(cache, tokens(8)).num_stored == 0
    cache.grow(holding, 16)
    cache.store(
        holding, tokens(1, 2, 9), 48
    )  # its first page is unknown, so this could not be found
    assert begun(cache, tokens(1, 2, 9)).num_stored == 0


def test_room_is_what_both_kinds_of_pages_have():
    for size in (CacheSize(3, 9), CacheSize(9, 3)):
        cache = Cache(size, WINDOW)
        holding = stored(cache, tokens(1, tail=1))
        assert cache.room(holding, 5) == 5
        assert cache.room(holding, 99) == 15 + 16


def test_nobody_begins_without_room_for_all_of_it():
    def begins(token_ids, spare, *size):
        cache, holding = Cache(CacheSize(*size), WINDOW), Holding()
        cache.release(stored(cache, tokens(1, 2)))
        begins = cache.open(holding, token_ids, len(token_ids) - 1, spare=spare)
        cache.check_integrity([holding])
        return begins

    assert begins(tokens(3, 4), 0, 3, 3)
    assert not begins(tokens(3, 4), 1, 3, 3)  # a page too few
    assert begins(tokens(1, 2), 1, 4, 3)  # two of three are there
    assert not begins(tokens(1, 2), 2, 4, 3)
    assert begins(tokens(3, 4), 9, 20, 3)
    cache = Cache(CacheSize(20, 3), WINDOW)
    stored(cache, tokens(tail=1))
    assert not cache.open(Holding(), tokens(3), 16, spare=0)  # two window pages are too few


def test_releasing_what_is_not_held_is_our_mistake():
    pool = PagePool(2)
    page, _ = pool.take()
    pool.release(page)
    with pytest.raises(AssertionError, match="not held"):
        pool.release(page)


def test_a_leak_is_found(cache):
    holding = stored(cache, tokens(1))
    cache.check_integrity([holding])
    with pytest.raises(AssertionError):
        cache.check_integrity([])


class Sequence:
    """A holder, and all its tokens: the prompt, then what it generates."""

    def __init__(self, token_ids):
        self.token_ids = token_ids
        self.holding = Holding()


blocks = st.lists(st.sampled_from([1, 2]), max_size=4)


class CacheMachine(RuleBasedStateMachine):
    """Sequences come and go; what each of them reads is what it would have written."""

    make_cache = Cache
    checks_integrity = True
    sequences = Bundle("sequences")

    @initialize(num_pages=st.integers(4, 9), num_window_pages=st.integers(3, 9))
    def begin(self, num_pages, num_window_pages):
        self.cache = self.make_cache(CacheSize(num_pages, num_window_pages), WINDOW)
        self.written = {}, {}  # (page, slot) -> all tokens up to the one written there
        self.running = []
        self.parents = {}  # key -> key of the page before it

    @rule(target=sequences, some=blocks, tail=st.integers(1, 20))
    def start(self, some, tail):
        sequence = Sequence(tokens(*some, tail=tail))
        known = self.longest_known(sequence.token_ids)
        self.cache.open(sequence.holding, sequence.token_ids, len(sequence.token_ids) - 1)
        assert sequence.holding.num_stored == known
        self.running.append(sequence)
        return sequence

    @rule(sequence=sequences, wanted=st.integers(1, 40), num_wrong=st.integers(0, 20))
    def go_on(self, sequence, wanted, num_wrong):
        """Store the next tokens, some of them wrong guesses that are written over later."""
        holding = sequence.holding
        if not holding.pages and holding.num_stored == 0:
            self.cache.open(holding, sequence.token_ids, len(sequence.token_ids) - 1)
        if sequence not in self.running:
            self.running.append(sequence)
        self.read(sequence)
        first, num_tokens = holding.num_stored, self.cache.room(holding, wanted)
        if num_tokens == 0:
            return
        self.cache.grow(holding, num_tokens)
        stop = first + num_tokens - min(num_wrong, num_tokens - 1)
        sequence.token_ids += [1] * (stop - len(sequence.token_ids))
        self.write(holding, [*sequence.token_ids[:stop], *[3] * 40], first, first + num_tokens)
        self.cache.store(holding, sequence.token_ids, stop)

    @rule(sequence=sequences)
    def pause(self, sequence):
        if sequence in self.running:
            self.running.remove(sequence)
            self.cache.release(sequence.holding)

    @rule(sequence=consumes(sequences))
    def end(self, sequence):
        self.pause(sequence)

    @rule()
    def forget(self):
        self.cache.forget()
        self.parents.clear()

    @invariant()
    def all_is_in_order(self):
        for sequence in self.running:
            self.read(sequence)
        if self.checks_integrity:
            self.cache.check_integrity(sequence.holding for sequence in self.running)

    @invariant()
    def no_window_page_is_kept_for_nothing(self):
        assert set(self.cache._window._page_of) <= set(self.cache._full._page_of)

    @invariant()
    def nothing_is_known_whose_beginning_is_not(self):
        for sequence in self.running:
            keys = sequence.holding.keys
            self.parents.update(zip(keys[1:], keys, strict=False))
        known = self.cache._full._page_of
        assert all(self.parents[key] in known for key in known if key in self.parents)

    def longest_known(self, token_ids):
        """The longest prefix that may be found, by its definition."""
        probe = Holding()
        self.cache._extend_keys(probe, token_ids, len(token_ids))
        full = [self.cache._full.find(key) is not None for key in probe.keys]
        window = [self.cache._window.find(key) is not None for key in probe.keys]
        for length in range((len(token_ids) - 1) // PAGE_TOKENS * PAGE_TOKENS, 0, -PAGE_TOKENS):
            seen = range(max(0, length - WINDOW + 1), length)
            if all(full[: length // PAGE_TOKENS]) and all(window[i // PAGE_TOKENS] for i in seen):
                return length
        return 0

    def write(self, holding, token_ids, first, stop):
        kinds = zip(self.written, (holding.pages, holding.window_pages), strict=True)
        for written, pages in kinds:
            for position in range(first, stop):
                page, slot = pages[position // PAGE_TOKENS], position % PAGE_TOKENS
                written[page, slot] = token_ids[: position + 1]

    def read(self, sequence):
        """What the model would, for the sequence's next token."""
        holding, stop = sequence.holding, sequence.holding.num_stored
        kinds = zip(self.written, (holding.pages, holding.window_pages), strict=True)
        for (written, pages), first in zip(kinds, (0, max(0, stop - WINDOW + 1)), strict=True):
            for position in range(first, stop):
                page, slot = pages[position // PAGE_TOKENS], position % PAGE_TOKENS
                assert written[page, slot] == sequence.token_ids[: position + 1]


CacheMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_what_a_sequence_reads_is_what_it_wrote = CacheMachine.TestCase


class ShortWindow(Cache):
    """Gives window pages up one too early."""

    def _first_seen(self, position):
        return max(0, position - self._sliding_window + 1 + PAGE_TOKENS) // PAGE_TOKENS


class Orphaning(Cache):
    """Knows a page by its own tokens alone."""

    def _key(self, parent, ids):
        return super()._key(b"", ids)


class Hasty(PagePool):
    """Frees a page with its first holder."""

    def release(self, page):
        self._num_holders[page] = 1
        super().release(page)


class Careless(PagePool):
    """Takes a cached page and leaves its key in place."""

    def _forget(self, page):
        key, self._keys[page] = self._keys[page], None
        return key


def with_pool(pool):
    class Wrong(Cache):
        def __init__(self, size, sliding_window):
            super().__init__(size, sliding_window)
            self._full, self._window = pool(size.num_pages), pool(size.num_window_pages)

    Wrong.__name__ = pool.__name__
    return Wrong


WRONG = [ShortWindow, Orphaning, with_pool(Hasty), with_pool(Careless)]


@pytest.mark.parametrize("checks", [False, True], ids=["by its reads", "by check_integrity"])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_a_wrong_cache_is_caught(wrong, checks):
    class Machine(CacheMachine):
        make_cache = wrong
        checks_integrity = checks

    once = settings(
        max_examples=300, stateful_step_count=40, phases=[Phase.generate], database=None
    )
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Machine, settings=once)
