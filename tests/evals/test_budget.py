"""What a run may spend, and how its parts share it."""

import asyncio

import pytest

from netweight.evals.budget import Budget, Gatekeeper


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_without_limits_nothing_stops():
    budget = Budget()
    budget.begin_part(1)
    budget.spend(10**12)
    assert budget.reason_to_stop() is None


def test_parts_share_tokens_and_pass_on_what_they_leave():
    budget = Budget(tokens=90)
    budget.begin_part(3)
    budget.spend(10)
    assert budget.reason_to_stop() is None
    budget.begin_part(2)  # 80 are left for two
    budget.spend(39)
    assert budget.reason_to_stop() is None
    budget.spend(1)
    assert "token" in budget.reason_to_stop()
    budget.begin_part(1)
    assert budget.reason_to_stop() is None
    budget.spend(40)
    assert "token" in budget.reason_to_stop()


def test_parts_share_minutes_and_pass_on_what_they_leave():
    clock = Clock()
    budget = Budget(minutes=4, clock=clock)
    budget.begin_part(2)
    clock.now += 119
    assert budget.reason_to_stop() is None
    clock.now += 1
    assert "time" in budget.reason_to_stop()
    budget.begin_part(1)
    assert budget.reason_to_stop() is None
    clock.now += 120
    assert "time" in budget.reason_to_stop()


def test_a_part_that_overran_leaves_nothing_and_owes_nothing():
    budget = Budget(tokens=10)
    budget.begin_part(2)
    budget.spend(50)
    budget.begin_part(1)
    assert "token" in budget.reason_to_stop()


@pytest.mark.parametrize(("sample", "stops"), [("a", True), ("b", False)])
def test_what_an_earlier_log_has_is_not_asked_again(sample, stops):
    gatekeeper = Gatekeeper(Budget(), {("a", 1)})
    stop = asyncio.run(gatekeeper.schedule_sample(sample, 1))
    assert (stop is not None) == stops
    assert gatekeeper.reason is None  # of the budget
