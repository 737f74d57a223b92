"""What a run may spend, how its parts share it, and how long it still takes."""

import asyncio
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.budget import Budget, Gatekeeper, Pace


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


# How long the run still takes


def ask(pace, clock, task, num, *, seconds):
    """Samples of a task, one after the other, each of so many seconds."""
    for _ in range(num):
        clock.now += seconds
        pace.tell(task, pace.num_left[task] - 1)


@pytest.fixture
def clock():
    return Clock()


def pace_of(clock, budget=None, **num_left):
    return Pace(num_left, budget or Budget(clock=clock))


def test_no_time_is_told_before_the_first_sample_is_done(clock):
    pace = pace_of(clock, a=4, b=4)
    assert pace.seconds_left() is None
    pace.tell("a", 4)
    clock.now += 50
    assert pace.seconds_left() is None


def test_a_task_goes_at_its_own_pace_and_those_to_come_at_the_runs(clock):
    pace = pace_of(clock, a=4, b=6, c=10)
    pace.tell("a", 4)
    ask(pace, clock, "a", 1, seconds=3)
    assert pace.seconds_left() == 3 * 3 + 3 * (6 + 10)
    ask(pace, clock, "a", 3, seconds=3)
    pace.end("a")
    clock.now += 1000  # between tasks: writing records is nobody's pace
    pace.tell("b", 6)
    assert pace.seconds_left() == 3 * (6 + 10)
    ask(pace, clock, "b", 2, seconds=9)
    assert pace.seconds_left() == 9 * 4 + (4 * 3 + 2 * 9) / 6 * 10


def test_samples_asked_side_by_side_are_as_much_faster(clock):
    pace = pace_of(clock, a=10)
    pace.tell("a", 10)
    clock.now += 8
    for num_left in (9, 8, 7, 6):
        pace.tell("a", num_left)
    assert pace.seconds_left() == 2 * 6


def test_what_earlier_logs_have_is_no_pace(clock):
    pace = pace_of(clock, a=0, b=2, c=5)
    pace.tell("a", 0)  # 80 of 80 in an earlier log
    pace.end("a")
    assert pace.seconds_left() is None
    pace.tell("b", 2)
    ask(pace, clock, "b", 1, seconds=4)
    assert pace.seconds_left() == 4 * (1 + 5)


def test_what_is_left_of_a_task_that_is_over_takes_no_time(clock):
    pace = pace_of(clock, a=9, b=2, broken=7)
    pace.tell("a", 9)
    ask(pace, clock, "a", 1, seconds=4)
    pace.end("a")  # its share of the budget was spent
    pace.end("broken")  # it could not even begin
    assert pace.seconds_left() == 4 * 2
    pace.tell("b", 2)
    ask(pace, clock, "b", 2, seconds=1)
    assert pace.seconds_left() == 0


def test_a_budget_ends_a_run_sooner(clock):
    pace = pace_of(clock, Budget(minutes=2, clock=clock), a=100)
    pace.tell("a", 100)
    ask(pace, clock, "a", 2, seconds=10)
    assert pace.seconds_left() == 120 - 20


def test_what_is_left_of_a_budget_lasts_by_its_pace(clock):
    budget = Budget(tokens=100, clock=clock)
    assert budget.seconds_left() == inf
    clock.now += 20
    budget.spend(40)
    assert budget.seconds_left() == 30
    budget.spend(100)  # what was under way is not cut off
    assert budget.seconds_left() == 0
    assert Budget(clock=clock).seconds_left() == inf


@given(
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=5),
    seconds=st.integers(1, 10**4),
    num_asked=st.integers(1, 25),
)
def test_of_a_steady_run_the_time_left_is_always_right(sizes, seconds, num_asked):
    clock = Clock()
    tasks = {str(number): size for number, size in enumerate(sizes)}
    pace = pace_of(clock, **tasks)
    left = sum(sizes)
    for task, size in tasks.items():
        pace.tell(task, size)
        for _ in range(min(size, num_asked)):
            ask(pace, clock, task, 1, seconds=seconds)
            num_asked, left = num_asked - 1, left - 1
            assert pace.seconds_left() == pytest.approx(seconds * left)
        if num_asked == 0:
            return
        pace.end(task)
    assert pace.seconds_left() == 0
