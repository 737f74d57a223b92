import pytest

from netweight.engine.cache import CachePool
from tests.fakes import FakeCache


@pytest.fixture
def pool():
    return CachePool(FakeCache, 10)


def test_room_that_is_there_can_be_taken_to_the_last_token(pool):
    assert pool.take(0, 4)
    assert pool.take(1, 6)
    assert pool.num_free == 0


def test_a_request_that_does_not_fit_holds_nothing(pool):
    assert not pool.take(0, 11)
    assert pool.num_free == 10


def test_a_cache_has_the_size_that_was_taken_and_stays_the_same(pool):
    pool.take(0, 4)
    assert pool.cache(0).capacity == 4
    assert pool.cache(0) is pool.cache(0)


def test_freeing_gives_room_back_and_forgets_the_cache(pool):
    pool.take(0, 4)
    first = pool.cache(0)
    pool.free(0)
    pool.take(0, 4)
    assert pool.cache(0) is not first


def test_taking_twice_or_freeing_what_is_not_held_is_our_mistake(pool):
    pool.take(0, 4)
    with pytest.raises(AssertionError):
        pool.take(0, 1)
    with pytest.raises(KeyError):
        pool.free(1)


def test_a_leak_is_found(pool):
    pool.take(0, 4)
    pool.check_integrity({0})
    with pytest.raises(AssertionError):
        pool.check_integrity(set())
