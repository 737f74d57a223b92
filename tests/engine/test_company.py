"""Whatever happens around a request, it gets the tokens that it would get alone."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from netweight.engine import CacheSize, Engine, PromptLogprobs, Request, Sampling, Token
from netweight.engine.cache import Cache
from netweight.engine.scheduler import Scheduler
from netweight.errors import ContextTooLong
from netweight.model import PAGE_TOKENS, Checkpoint, find_model, load_transformer
from tests.engine.test_cache import WRONG
from tests.fakes import Drawing, Pseudorandom
from tests.model.adapters import write_adapter
from tests.model.shapes import needs_native

CONTEXT = 96
GREEDY = Sampling(temperature=0)


class Whimsical:
    """A constraint: what it allows, sometimes one token only, depends on all that was drawn."""

    def __init__(self):
        self.drawn = []

    def choices(self):
        rng = random.Random(repr(self.drawn))
        return rng.sample(range(32), rng.choice([1, 1, 2, 31]))

    def allowed(self):
        return np.array([sum(1 << i for i in self.choices())], np.uint32).view(np.int32)

    def advance(self, token_id):
        assert token_id in self.choices()
        self.drawn.append(token_id)

    def forced(self):
        ahead = Whimsical()
        ahead.drawn = list(self.drawn)
        while len(ahead.choices()) == 1:
            ahead.drawn += ahead.choices()
        return ahead.drawn[len(self.drawn) :]


class Story:
    """What a request was told, however its prompt was cut into pieces."""

    def __init__(self):
        self.prompt_scores, self.tokens, self.finish = [], [], None
        self.moments = []

    def hear(self, event):
        assert self.finish is None, "an event after the last one"
        if isinstance(event, Token):
            self.tokens.append((event.token_id, event.logprobs))
        elif isinstance(event, PromptLogprobs):
            assert not self.tokens
            self.prompt_scores += event.logprobs
            self.moments += event.moments or ()
        else:
            self.finish = event

    def check(self, alone):
        """Assert that it is the same as alone, or the beginning of that if it was cancelled."""
        if self.finish.reason == "cancelled":
            assert self.tokens == alone.tokens[: len(self.tokens)]
            assert self.prompt_scores == alone.prompt_scores[: len(self.prompt_scores)]
            assert self.moments == alone.moments[: len(self.moments)]
        else:
            assert self.tokens == alone.tokens
            assert self.prompt_scores == alone.prompt_scores
            assert self.moments == alone.moments
            assert self.finish.reason == alone.finish.reason, self.finish


def stories(engine, *requests):
    told = {engine.submit(request): Story() for request in requests}
    while engine.has_work:
        for event in engine.step():
            told[event.request_id].hear(event)
        engine.check_integrity()
    return list(told.values())


BEGINNINGS = [[], [1] * 20, [1] * 40, [1] * 16 + [2] * 16 + [3] * 16, [4] * 16 + [2] * 16]
requests = st.builds(
    lambda beginning, rest, scores, **fields: Request((*beginning, *rest), **scores, **fields),
    beginning=st.sampled_from(BEGINNINGS),
    rest=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    scores=st.sampled_from(
        [{}, {}, {"prompt_logprobs": 1}, {"prompt_logprobs": 0, "prompt_moments": True}]
    ),
    sampling=st.builds(
        Sampling,
        temperature=st.sampled_from([0, 1.0]),
        seed=st.integers(0, 2),
        top_p=st.sampled_from([0.9, 1.0]),
    ),
    stop_ids=st.frozensets(st.integers(10, 31), max_size=1),
    max_tokens=st.integers(1, 24),
    num_logprobs=st.sampled_from([None, None, 1]),
    adapter=st.sampled_from([None, None, "a", "b"]),
)


class CompanyMachine(RuleBasedStateMachine):
    """Requests that begin alike share a cache that is too small for all of them.

    The youngest are preempted all the time; some answers repeat, and are guessed ahead.
    """

    alone = {}  # noqa: RUF012  # what requests get alone, kept from example to example
    checks_integrity = True

    @initialize(
        size=st.builds(CacheSize, st.integers(4, 12), st.integers(3, 12)),
        step_tokens=st.integers(5, 40),
        speculate=st.sampled_from([0, 3, 8]),
        habit=st.sampled_from([0, 6]),
    )
    def begin(self, size, step_tokens, speculate, habit):
        self.habit = habit
        limits = {"max_running": 4, "step_tokens": step_tokens, "speculate": speculate}
        self.engine = Engine(self.model(), cache_size=size, **limits)
        self.expected, self.told = {}, {}

    def model(self):
        return Pseudorandom(habit=self.habit, max_context=CONTEXT, adapters=("a", "b"))

    @rule(request=requests, limited=st.booleans())
    def submit(self, request, limited):
        self.ask(request, limited)

    def ask(self, request, limited):
        try:
            request = replace(request, max_tokens=self.engine.check(request))
        except ContextTooLong:
            return
        key = (request, limited, self.habit)
        constraint = Whimsical if limited else lambda: None
        if key not in self.alone:
            engine = Engine(CompanyMachine.model(self))
            [self.alone[key]] = stories(engine, replace(request, constraint=constraint()))
        request_id = self.engine.submit(replace(request, constraint=constraint()))
        self.expected[request_id], self.told[request_id] = self.alone[key], Story()

    @rule(num_steps=st.integers(1, 12))
    def step(self, num_steps):
        for _ in range(num_steps):
            for event in self.engine.step():
                self.told[event.request_id].hear(event)

    @rule(data=st.data())
    def cancel(self, data):
        request_id = data.draw(st.integers(0, len(self.told)))
        finish = self.engine.cancel(request_id)
        if finish:
            self.told[request_id].hear(finish)

    @invariant()
    def all_is_in_order(self):
        if self.checks_integrity:
            self.engine.check_integrity()

    def teardown(self):
        if not hasattr(self, "told"):
            return
        for _ in range(CONTEXT * (len(self.told) + 1)):
            if not self.engine.has_work:
                break
            self.step(1)
        for request_id, story in self.told.items():
            assert story.finish is not None, "a request never ended"
            story.check(self.expected[request_id])


def test_a_request_gets_what_it_would_get_alone():
    seen = Counter()

    class Machine(CompanyMachine):
        def teardown(self):
            super().teardown()
            if hasattr(self, "told"):
                counts = [story.finish.counts for story in self.told.values()]
                seen["preempted"] += self.engine.stats.num_preemptions > 0
                seen["found"] += any(count.num_cached_tokens for count in counts)
                seen["guessed"] += any(count.num_accepted for count in counts)

    run_state_machine_as_test(Machine, settings=settings(max_examples=60, stateful_step_count=30))
    assert min(seen.values()) >= 6, f"the machine seldom reaches what it is about: {seen}"


class AheadMachine(CompanyMachine):
    """The same on a model that draws, and runs a step ahead; alone, requests draw on the host."""

    @initialize(
        size=st.builds(CacheSize, st.integers(4, 12), st.integers(3, 12)),
        step_tokens=st.integers(5, 40),
        speculate=st.sampled_from([0, 0, 0, 0, 3]),
    )
    def begin(self, size, step_tokens, speculate):
        super().begin(size, step_tokens, speculate, habit=0)

    @rule(request=requests, limited=st.booleans(), plain=st.sampled_from([True, True, True, False]))
    def submit(self, request, limited, plain):
        if plain:  # who is not holds the others up
            scores = {"prompt_logprobs": None, "prompt_moments": False, "num_logprobs": None}
            request = replace(request, **scores)
        self.ask(request, limited)

    def model(self):
        self.drawing = Drawing(habit=self.habit, max_context=CONTEXT, adapters=("a", "b"))
        return self.drawing


def test_a_model_that_draws_ahead_gives_what_the_host_draws():
    seen = Counter()

    class Machine(AheadMachine):
        def teardown(self):
            super().teardown()
            if hasattr(self, "told"):
                seen["unseen"] += self.drawing.num_unseen > 0
                seen["masked"] += self.drawing.num_masked > 0
                seen["cancelled"] += any(
                    story.finish.reason == "cancelled" for story in self.told.values()
                )

    run_state_machine_as_test(Machine, settings=settings(max_examples=80, stateful_step_count=30))
    assert min(seen.values()) >= 6, f"the machine seldom reaches what it is about: {seen}"


def test_a_model_that_draws_ahead_gives_the_same_where_the_youngest_gives_way():
    crowd = [Request([n] * (9 + n), Sampling(seed=n), max_tokens=50) for n in range(4)]
    alone = [stories(Engine(Pseudorandom(max_context=CONTEXT)), one)[0].tokens for one in crowd]
    model = Drawing(max_context=CONTEXT)
    engine = Engine(model, cache_size=CacheSize(9, 40), max_running=3)
    assert [story.tokens for story in stories(engine, *crowd)] == alone
    assert engine.stats.num_preemptions > 0
    assert model.num_unseen > 50


class Broken(Whimsical):
    """A constraint that fails when it is asked for the fourth token."""

    def allowed(self):
        if len(self.drawn) == 3:
            raise RuntimeError("out of rules")
        return super().allowed()


def test_a_constraint_that_fails_while_steps_run_ahead_harms_no_other(caplog):
    free = Request([1, 2], Sampling(seed=1), max_tokens=12)
    [alone] = stories(Engine(Pseudorandom(max_context=CONTEXT)), free)
    model = Drawing(max_context=CONTEXT)
    limited = Request([3], Sampling(seed=2), max_tokens=12, constraint=Broken())
    broken, other = stories(Engine(model), limited, free)
    assert (len(broken.tokens), broken.finish.reason) == (3, "error")
    assert "out of rules" in broken.finish.error
    other.check(alone)
    assert "a step failed" not in caplog.text
    assert model.num_forwards == 12  # none is run again


class Forgetful(Drawing):
    """Takes the first of what was drawn for every token that nobody has looked at."""

    def step_from(self, token_ids, previous, *where):
        return super().step_from(token_ids.clamp(-1), previous, *where)


class Misplaced(Scheduler):
    """Puts the next token where the one before it belongs."""

    def ahead(self, work):
        following = super().ahead(work)
        return [one._replace(first=one.first - 1) for one in following]


def test_a_step_ahead_that_is_wrong_shows_as_wrong_tokens(monkeypatch):
    class Machine(AheadMachine):
        checks_integrity = False

    class WithForgetful(Machine):
        def model(self):
            return Forgetful(habit=self.habit, max_context=CONTEXT, adapters=("a", "b"))

    once = settings(max_examples=300, phases=[Phase.generate], database=None)
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(WithForgetful, settings=once)
    monkeypatch.setattr("netweight.engine.engine.Scheduler", Misplaced)
    monkeypatch.setattr(CompanyMachine, "alone", {})
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Machine, settings=once)


class Presumptuous(Cache):
    """Takes the first wrong guess, or what comes after the last right one, for stored."""

    def store(self, holding, token_ids, num_stored):
        room = len(holding.pages) * PAGE_TOKENS
        super().store(holding, token_ids, min(num_stored + 1, len(token_ids), room))


class Undiscerning(Cache):
    """Finds pages of other adapters."""

    def _root(self, adapter):
        return b""


@pytest.mark.parametrize(
    "wrong", [*WRONG, Presumptuous, Undiscerning], ids=lambda wrong: wrong.__name__
)
def test_a_wrong_cache_shows_as_wrong_tokens(wrong, monkeypatch):
    class Machine(CompanyMachine):
        checks_integrity = False

    monkeypatch.setattr("netweight.engine.engine.Cache", wrong)
    monkeypatch.setattr(CompanyMachine, "alone", {})
    once = settings(max_examples=300, phases=[Phase.generate], database=None)
    with pytest.raises((AssertionError, KeyError)):
        run_state_machine_as_test(Machine, settings=once)


def test_a_real_model_gives_the_same_answers_alone_and_in_a_crowd(monkeypatch):
    monkeypatch.setenv("NETWEIGHT_KERNELS", "reference")
    model = load_transformer(find_model("nano").path)
    beginning = [(7 * index) % 500 for index in range(150)]
    crowd = [
        Request((*beginning[: 40 * n], *range(9 * n, 9 * n + 20)), GREEDY, max_tokens=24)
        for n in (3, 2, 3)
    ]
    alone = [stories(Engine(model), request)[0].tokens for request in crowd]
    size = CacheSize(12, 60)
    engine = Engine(model, cache_size=size, step_tokens=200, speculate=6)
    told = stories(engine, *crowd)
    assert [story.tokens for story in told] == alone
    assert engine.stats.num_preemptions > 0
    assert sum(story.finish.counts.num_cached_tokens for story in told) > 0


@needs_native
@pytest.mark.parametrize("dense", ["bf16", "int8"])
def test_adapters_of_a_real_model_answer_side_by_side_as_they_do_alone(dense, tmp_path):
    path = find_model("nano").path
    config = Checkpoint.open(path).config
    adapters = {
        name: write_adapter(tmp_path / name, config, seed=seed, rank=3 * seed, size=0.5)
        for name, seed in (("a", 1), ("b", 2))
    }
    model = load_transformer(path, dense=dense, adapters=adapters)
    beginning = [(7 * index) % 500 for index in range(100)]
    crowd = [
        Request(
            beginning,
            Sampling(seed=1),
            max_tokens=40,
            adapter=name,
            prompt_logprobs=scored,
            prompt_moments=scored is not None,
        )
        for name, scored in (("a", None), (None, 1), ("b", 1), ("a", 1), (None, None), ("b", None))
    ]
    alone = [stories(Engine(model), request)[0] for request in crowd]
    engine = Engine(model, cache_size=CacheSize(24, 80), step_tokens=90, speculate=6)
    told = stories(engine, *crowd)
    for story, expected in zip(told, alone, strict=True):
        story.check(expected)
    assert len({tuple(story.tokens) for story in told}) == 3, "adapters change what is said"
    assert len({tuple(story.prompt_scores) for story in told}) == 1 + 3
    assert len({tuple(story.moments) for story in told}) == 1 + 3
    assert engine.stats.num_preemptions > 0
    assert any(story.finish.counts.num_cached_tokens for story in told)
