import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from netweight.engine import Request
from netweight.engine.cache import Cache
from netweight.engine.capacity import CacheSize
from netweight.engine.request import RequestState
from netweight.engine.scheduler import Scheduler
from netweight.engine.speculation import Drafter

WINDOW = 20


def make(num_pages=8, num_window_pages=24, **limits):
    return Scheduler(Cache(CacheSize(num_pages, num_window_pages), WINDOW), **limits)


def request_state(request_id, num_prompt, max_tokens=50, drafter=None, **fields):
    request = Request([request_id % 7] * num_prompt, **fields)
    return RequestState(request_id, request, max_tokens, 0, torch.Generator(), drafter)


def add(scheduler, *lengths, **fields):
    """Add requests whose prompts have these lengths."""
    states = [request_state(index, length, **fields) for index, length in enumerate(lengths)]
    for state in states:
        scheduler.add(state)
    return states


def step(scheduler):
    """Take a step as the engine does, each request drawing token 0; (id, tokens) of its work."""
    scheduler.check_integrity()
    work = scheduler.schedule()
    scheduler.check_integrity()
    for one in work:
        state = one.state
        assert (
            one.token_ids[: len(one.token_ids) - one.num_drafted]
            == state.token_ids[one.first : one.first + len(one.token_ids) - one.num_drafted]
        )
        state.num_scored += one.num_scored
        if one.draws:
            reason = state.accept(0)
            scheduler._cache.store(state.holding, state.token_ids, len(state.token_ids) - 1)
            if reason:
                scheduler.remove(state.request_id)
        else:
            stop = one.first + len(one.token_ids)
            scheduler._cache.store(state.holding, state.token_ids, stop)
    return [(one.state.request_id, len(one.token_ids)) for one in work]


def test_prompts_are_read_in_pieces_the_oldest_first():
    scheduler = make(max_running=8, step_tokens=20)
    add(scheduler, 30, 30)
    assert step(scheduler) == [(0, 20)]
    assert step(scheduler) == [(0, 10), (1, 10)]
    assert step(scheduler) == [(0, 1), (1, 19)]
    assert step(scheduler) == [(0, 1), (1, 1)]


def test_a_long_prompt_does_not_stall_answers():
    scheduler = make(num_pages=12, max_running=8, step_tokens=16)
    add(scheduler, 3, 100)
    assert step(scheduler) == [(0, 3), (1, 13)]
    for _ in range(5):
        assert step(scheduler) == [(0, 1), (1, 15)]


def test_no_more_run_than_may():
    scheduler = make(max_running=2, step_tokens=99)
    add(scheduler, 5, 5, 5)
    assert step(scheduler) == [(0, 5), (1, 5)]
    scheduler.remove(0)
    assert step(scheduler) == [(1, 1), (2, 5)]


def test_the_youngest_gives_its_pages_up_and_goes_on_where_it_was():
    scheduler = make(num_pages=4)
    old, young = add(scheduler, 16, 15)
    for _ in range(17):
        step(scheduler)
    assert (scheduler.num_running, scheduler.num_waiting) == (2, 0)
    drawn = list(young.token_ids)
    step(scheduler)  # the old one needs a third page
    assert (scheduler.num_running, scheduler.num_waiting) == (1, 1)
    assert scheduler.num_preemptions == 1
    assert young.token_ids == drawn
    scheduler.remove(old.request_id)
    assert step(scheduler) == [(1, len(drawn) - 16)]  # its first page was still there
    assert young.num_cached_tokens == 0  # when it first began


def test_the_youngest_gives_up_when_it_is_the_one_that_needs_more():
    scheduler = make(num_pages=4)
    add(scheduler, 15, 31)
    for _ in range(2):
        step(scheduler)
    assert scheduler.num_running == 2
    assert step(scheduler) == [(0, 1)]
    assert (scheduler.num_running, scheduler.num_waiting) == (1, 1)


def test_a_small_request_does_not_overtake_an_older_large_one():
    scheduler = make(num_pages=5)
    add(scheduler, 50, 40, 5)
    assert step(scheduler) == [(0, 50)]
    assert scheduler.num_waiting == 2
    scheduler.remove(0)
    assert step(scheduler) == [(1, 40), (2, 5)]


def test_a_request_that_waits_can_be_taken_out():
    scheduler = make(num_pages=4)
    add(scheduler, 50, 50)
    step(scheduler)
    assert scheduler.remove(1).request_id == 1
    assert scheduler.num_requests == 1
    assert scheduler.remove(1) is None


def test_few_window_pages_make_smaller_pieces():
    scheduler = make(num_window_pages=3)
    add(scheduler, 100)
    assert [step(scheduler) for _ in range(4)] == [[(0, 48)], [(0, 16)], [(0, 16)], [(0, 16)]]


def test_guesses_take_what_is_left_of_the_step_and_of_the_pages():
    def answering(num_pages=8, **limits):
        scheduler = make(num_pages, **limits)
        drafter = Drafter(99)
        drafter.settle(1, 1)  # one more than at first
        [state] = add(scheduler, 30, drafter=drafter)
        while state.num_pending > 1 or len(state.token_ids) == 30:
            step(scheduler)
        return step(scheduler)

    assert answering() == [(0, 1 + 2)]
    assert answering(num_pages=2) == [(0, 1 + 1)]
    assert answering(max_running=3, step_tokens=4) == [(0, 1 + 1)]


def test_guesses_leave_tokens_for_prompts():
    scheduler = make(num_pages=12, max_running=3, step_tokens=4)
    add(scheduler, 10, 50, drafter=Drafter(99))
    expected = [[(0, 4)], [(0, 4)], [(0, 2), (1, 2)], [(0, 1 + 1), (1, 2)]]
    assert [step(scheduler) for _ in range(4)] == expected


def test_prompts_are_scored_so_many_tokens_at_a_time():
    scheduler = make(num_pages=30)
    add(scheduler, 100, 100, prompt_logprobs=0)
    assert step(scheduler) == [(0, 64)]
    assert step(scheduler) == [(0, 36), (1, 29)]
    assert step(scheduler) == [(0, 1), (1, 64)]


def test_the_prompt_of_a_request_that_wants_it_scored_is_read_whatever_is_known():
    scheduler = make(num_pages=30)
    [state] = add(scheduler, 100, prompt_logprobs=0)
    work = scheduler.schedule()
    assert [(len(one.token_ids), one.num_scored, one.num_rows) for one in work] == [(64, 64, 64)]
    state.num_scored += 64
    scheduler._cache.store(state.holding, state.token_ids, 64)
    [one] = scheduler.schedule()
    assert (len(one.token_ids), one.num_scored, one.num_rows) == (36, 35, 36)
    scheduler._preempt(state)  # before anything was drawn: what has been told is not told again
    scheduler._cache.forget()
    assert [one.num_scored for one in scheduler.schedule()] == [35]


class SchedulerMachine(RuleBasedStateMachine):
    """Requests of all sizes come, go on and go; what is promised about each step holds."""

    @initialize(num_pages=st.integers(4, 9), num_window_pages=st.integers(3, 20))
    def begin(self, num_pages, num_window_pages):
        self.step_tokens, self.num_pages = 12, num_pages
        self.scheduler = make(num_pages, num_window_pages, max_running=4, step_tokens=12)
        self.alive = {}
        self.num_added = 0

    @rule(num_prompt=st.integers(1, 60), max_tokens=st.integers(1, 30), guesses=st.booleans())
    def add(self, num_prompt, max_tokens, guesses):
        num_prompt = min(num_prompt, self.num_pages * 16 - max_tokens)
        drafter = Drafter(5) if guesses else None
        state = request_state(self.num_added, num_prompt, max_tokens, drafter)
        self.scheduler.add(state)
        self.alive[self.num_added] = state
        self.num_added += 1

    @rule()
    def step(self):
        answering = [s for s in self.scheduler._running if s.num_pending == 1]
        before = {state.request_id: state.holding.num_stored for state in self.alive.values()}
        done = dict(step(self.scheduler))
        assert sum(done.values()) <= self.step_tokens
        for state in answering:  # a token for everyone who is being answered, but for lack of pages
            assert state.request_id in done or state in self.scheduler._waiting
        if self.alive:
            assert min(self.alive) in done, "the oldest does not go on"
        waiting = [state.request_id for state in self.scheduler._waiting]
        for state in list(self.alive.values()):
            if len(state.token_ids) == len(state.request.prompt_ids) + state.max_tokens:
                del self.alive[state.request_id]
            elif state.request_id in done and state.request_id not in waiting:
                assert state.holding.num_stored > before[state.request_id]

    @rule(data=st.data())
    def remove(self, data):
        request_id = data.draw(st.integers(0, self.num_added))
        removed = self.scheduler.remove(request_id)
        assert removed is self.alive.pop(request_id, None)

    @invariant()
    def all_are_somewhere(self):
        assert self.scheduler.num_requests == len(self.alive)
        self.scheduler.check_integrity()

    def teardown(self):
        most = sum(len(s.request.prompt_ids) + s.max_tokens for s in self.alive.values())
        for _ in range(2 * most):
            if not self.alive:
                break
            self.step()
        assert not self.alive, "a request never ended"
        assert self.scheduler._cache.counts[0].held == 0


SchedulerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_every_request_gets_its_turn_and_ends = SchedulerMachine.TestCase
