import pytest
import torch

from netweight.engine import Request
from netweight.engine.cache import CachePool
from netweight.engine.request import RequestState
from netweight.engine.scheduler import Scheduler
from tests.fakes import FakeCache


@pytest.fixture
def scheduler():
    return Scheduler(CachePool(FakeCache, 10))


def add(scheduler, request_id, num_tokens):
    request = Request([0])
    scheduler.add(RequestState(request_id, request, num_tokens - 1, 0, torch.Generator()))


def running(scheduler):
    scheduler.check_integrity()
    return [state.request_id for state in scheduler.schedule()]


def test_requests_that_fit_together_run_side_by_side(scheduler):
    for request_id in range(3):
        add(scheduler, request_id, 4)
    assert running(scheduler) == [0, 1]


def test_a_small_request_does_not_overtake_an_older_large_one(scheduler):
    for request_id, num_tokens in enumerate([6, 8, 2]):
        add(scheduler, request_id, num_tokens)
    assert running(scheduler) == [0]
    scheduler.remove(0)
    assert running(scheduler) == [1, 2]


def test_a_request_that_waits_can_be_taken_out(scheduler):
    add(scheduler, 0, 10)
    add(scheduler, 1, 10)
    assert running(scheduler) == [0]
    assert scheduler.remove(1).request_id == 1
    assert scheduler.num_requests == 1


def test_removing_what_is_not_there_says_so(scheduler):
    assert scheduler.remove(7) is None


def test_a_request_larger_than_the_pool_would_wait_for_ever_and_is_our_mistake(scheduler):
    with pytest.raises(AssertionError):
        add(scheduler, 0, 11)
