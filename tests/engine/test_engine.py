import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from netweight.engine import (
    CacheSize,
    Counts,
    Engine,
    Finish,
    PageCounts,
    PromptLogprobs,
    Request,
    Sampling,
    Stats,
    Token,
)
from netweight.errors import ContextTooLong, RequestError
from netweight.model import load_transformer, synthesize
from tests.fakes import FakeModel, Pseudorandom, one_hot, scripted
from tests.model.shapes import SMALL, native_sets

GREEDY = Sampling(temperature=0)


def run(engine, request):
    """The token ids and the Finish event of one request by itself."""
    *tokens, finish = engine.generate(request)
    assert all(isinstance(event, Token) for event in tokens)
    return [event.token_id for event in tokens], finish


def test_greedy_tokens_are_the_models_likeliest_until_a_stop_id():
    engine = Engine(scripted([5, 6, 7]))
    tokens, finish = run(engine, Request([1, 2], GREEDY, stop_ids=frozenset({7})))
    assert tokens == [5, 6, 7]
    assert finish.reason == "stop"


def test_an_answer_stops_at_max_tokens():
    tokens, finish = run(Engine(scripted([5])), Request([1], GREEDY, max_tokens=3))
    assert tokens == [5, 5, 5]
    assert finish.reason == "length"


def test_a_stop_id_as_the_last_allowed_token_counts_as_a_stop():
    request = Request([1], GREEDY, stop_ids=frozenset({6}), max_tokens=2)
    assert run(Engine(scripted([5, 6])), request)[1].reason == "stop"


def test_stop_ids_in_the_prompt_do_not_stop():
    request = Request([6, 6], GREEDY, stop_ids=frozenset({6}), max_tokens=2)
    assert run(Engine(scripted([5])), request)[0] == [5, 5]


def test_without_max_tokens_the_answer_fills_the_context():
    tokens, finish = run(Engine(scripted([5], max_context=10)), Request([1, 2, 3], GREEDY))
    assert len(tokens) == 7
    assert finish.reason == "length"


def test_a_request_that_cannot_run_is_refused_before_any_work():
    model = scripted([5], max_context=4)
    engine = Engine(model)
    with pytest.raises(ContextTooLong):
        engine.submit(Request([1] * 4))
    assert not engine.has_work
    assert model.num_forwards == 0


def test_equal_seeds_give_equal_tokens_and_others_do_not():
    def tokens(seed):
        request = Request([1], Sampling(seed=seed), max_tokens=20)
        return run(Engine(Pseudorandom()), request)[0]

    assert tokens(3) == tokens(3)
    assert tokens(3) != tokens(4)


def test_a_request_without_a_seed_reports_the_one_it_got():
    engine = Engine(Pseudorandom(), fresh_seed=iter([11, 12]).__next__)
    tokens, finish = run(engine, Request([1], max_tokens=20))
    assert finish.seed == 11
    assert run(engine, Request([1], Sampling(seed=11), max_tokens=20))[0] == tokens
    assert run(engine, Request([1], max_tokens=20))[1].seed == 12


def test_logprobs_come_with_every_token_when_asked():
    request = Request([1], Sampling(seed=0), max_tokens=5, num_logprobs=32)
    *tokens, _ = Engine(Pseudorandom()).generate(request)
    for event in tokens:
        by_id = dict(event.logprobs.top)
        assert torch.tensor(list(by_id.values())).exp().sum() == pytest.approx(1, abs=1e-5)
        assert event.logprobs.drawn == by_id[event.token_id]


def test_no_logprobs_are_computed_unasked():
    token, _ = Engine(scripted([5])).generate(Request([1], max_tokens=1))
    assert token.logprobs is None


def test_a_model_failure_ends_its_request_and_the_engine_goes_on():
    def next_logits(ids, _):
        if ids[:1] == [9] and len(ids) == 3:
            raise RuntimeError("broken")
        return one_hot(5, 32)

    engine = Engine(FakeModel(next_logits))
    bad = engine.submit(Request([9], GREEDY, max_tokens=4))
    good = engine.submit(Request([1], GREEDY, max_tokens=4))
    events = [event for _ in range(9) for event in engine.step()]
    finishes = {event.request_id: event for event in events if isinstance(event, Finish)}
    assert finishes[bad].reason == "error"
    assert "broken" in finishes[bad].error
    assert finishes[good].reason == "length"
    engine.check_integrity()


def test_after_a_failure_nothing_is_reused_since_the_damage_may_be_there():
    broken = [float("nan")] * 32
    engine = Engine(FakeModel(lambda ids, _: one_hot(5, 32) if ids[-1] else torch.tensor(broken)))
    prompt = [1] * 20
    assert run(engine, Request([*prompt, 2], GREEDY, max_tokens=1))[1].reason == "length"
    assert run(engine, Request([*prompt, 0], GREEDY))[1].reason == "error"
    assert run(engine, Request([*prompt, 2], GREEDY, max_tokens=1))[1].counts.num_cached_tokens == 0


def test_the_next_turn_computes_only_what_is_new():
    model = Pseudorandom(max_context=200)
    engine = Engine(model)
    prompt = list(range(30))
    answer, finish = run(engine, Request(prompt, GREEDY, max_tokens=40))
    assert finish.counts == Counts(num_cached_tokens=0)
    model.num_tokens = 0
    turn = [*prompt, *answer, 1, 2, 3]
    _, finish = run(engine, Request(turn, GREEDY, max_tokens=1))
    assert finish.counts == Counts(num_cached_tokens=64)
    assert model.num_tokens == len(turn) - 64


def test_a_prompt_longer_than_the_cache_is_refused_before_any_work():
    model = scripted([5])
    engine = Engine(model, cache_size=CacheSize(2, 9))
    with pytest.raises(ContextTooLong, match="keys and values holds 32"):
        engine.submit(Request([1] * 32))
    assert model.num_forwards == 0
    assert len(run(engine, Request([1] * 30))[0]) == 2


@pytest.mark.parametrize("step_tokens", [7, 500])
def test_a_prompt_is_scored_when_asked(step_tokens):
    prompt = [index % 7 for index in range(90)]
    engine = Engine(Pseudorandom(max_context=200), max_running=3, step_tokens=step_tokens)
    *scores, token, _ = engine.generate(Request(prompt, GREEDY, max_tokens=1, prompt_logprobs=1))
    assert isinstance(token, Token)
    scored = [logprobs for event in scores for logprobs in event.logprobs]
    assert len(scored) == len(prompt) - 1
    for length in (1, 40, 64, 89):  # as if the prompt were that long, and its next token drawn
        request = Request(prompt[:length], GREEDY, max_tokens=1, num_logprobs=32)
        token, _ = Engine(Pseudorandom(max_context=200)).generate(request)
        assert scored[length - 1].drawn == dict(token.logprobs.top)[prompt[length]]
        assert scored[length - 1].top == token.logprobs.top[:1]


class Overheard:
    """A model whose logits are kept."""

    def __init__(self, model):
        self.model, self.rows = model, []

    def __getattr__(self, name):
        return getattr(self.model, name)

    def step(self, *arguments):
        logits = self.model.step(*arguments)
        self.rows += logits.double()
        return logits


def moments_told(model, prompt, **limits):
    """The moments of log p at each place of a prompt but the first."""
    request = Request(prompt, GREEDY, max_tokens=1, prompt_logprobs=0, prompt_moments=True)
    events = Engine(model, **limits).generate(request)
    told = [event for event in events if isinstance(event, PromptLogprobs)]
    assert all(len(event.moments) == len(event.logprobs) for event in told)
    return [moments for event in told for moments in event.moments]


@pytest.mark.parametrize("step_tokens", [37, 500])
@pytest.mark.parametrize("kernels", ["reference", *native_sets()])
def test_moments_are_those_of_the_logits_in_double_precision(
    kernels, step_tokens, tmp_path, monkeypatch
):
    monkeypatch.setenv("NETWEIGHT_KERNELS", kernels)
    synthesize(SMALL, tmp_path / "model", seed=7)
    model = Overheard(load_transformer(tmp_path / "model"))
    prompt = [(7 * index) % SMALL.vocab_size for index in range(90)]
    told = moments_told(model, prompt, max_running=3, step_tokens=step_tokens)
    assert len(told) == len(prompt) - 1
    *scored, _ = model.rows  # what is drawn from comes last
    for (mean, std), logits in zip(told, scored, strict=True):
        logprobs = logits.log_softmax(0)
        p = logprobs.exp()
        expected = (p * logprobs).sum()
        assert mean == pytest.approx(float(expected), abs=1e-6)
        variance = (p * logprobs**2).sum() - expected**2
        assert std == pytest.approx(float(variance.sqrt()), abs=1e-6)
        assert std > 0.01


def test_moments_do_not_depend_on_how_a_prompt_is_cut():
    prompt = [index % 7 for index in range(90)]
    whole, cut = (
        moments_told(Pseudorandom(max_context=200), prompt, max_running=3, step_tokens=step_tokens)
        for step_tokens in (500, 7)
    )
    assert whole == cut
    assert len(set(whole)) > 80


def test_moments_cost_nothing_unasked(monkeypatch):
    monkeypatch.setattr("netweight.engine.engine.moments", None)  # to call it would fail
    request = Request([1, 2, 3], GREEDY, max_tokens=2, num_logprobs=1, prompt_logprobs=1)
    scores, *_ = Engine(scripted([5])).generate(request)
    assert len(scores.logprobs) == 2
    assert scores.moments is None


def test_stats_say_how_busy_the_engine_is():
    engine = Engine(scripted([5]), cache_size=CacheSize(4, 6))
    for _ in range(3):
        engine.submit(Request([1] * 20, GREEDY, max_tokens=20))
    engine.step()
    assert engine.stats == Stats(1, 2, 0, PageCounts(2, 2, 0), PageCounts(4, 2, 0))
    while engine.has_work:
        engine.step()
    stats = engine.stats
    assert (stats.num_running, stats.num_waiting) == (0, 0)
    assert stats.pages.held == stats.window_pages.held == 0


def test_cancelling_frees_at_once_and_only_the_first_time():
    engine = Engine(scripted([5]))
    first, second = engine.submit(Request([1])), engine.submit(Request([1]))
    engine.step()
    assert engine.cancel(first).reason == "cancelled"
    assert engine.cancel(first) is None
    assert [event.request_id for event in engine.step()] == [second]


def test_closing_the_iterator_cancels():
    engine = Engine(scripted([5]))
    events = engine.generate(Request([1]))
    next(events)
    events.close()
    assert not engine.has_work


def test_generate_refuses_a_busy_engine():
    engine = Engine(scripted([5]))
    engine.submit(Request([1]))
    with pytest.raises(RequestError, match="idle"):
        next(engine.generate(Request([1])))


requests = st.builds(
    Request,
    prompt_ids=st.lists(st.integers(0, 31), min_size=1, max_size=6),
    sampling=st.builds(Sampling, temperature=st.sampled_from([0, 1.0]), seed=st.integers(0, 9)),
    stop_ids=st.frozensets(st.integers(0, 31), max_size=6),
    max_tokens=st.one_of(st.none(), st.integers(1, 12)),
)


class Failing(Pseudorandom):
    """Now and then has no logits, or some that are no numbers."""

    def logits(self, cache, tables, position, digest):
        if digest % 23 == 0:
            raise RuntimeError("now and then")
        logits = super().logits(cache, tables, position, digest)
        return logits * float("nan") if digest % 23 == 1 else logits


class EngineMachine(RuleBasedStateMachine):
    """Any mix of submitting, stepping and cancelling, on a model that sometimes fails."""

    def __init__(self):
        super().__init__()
        self.engine = Engine(Failing(max_context=24), cache_size=CacheSize(4, 6))
        self.asked = {}  # request id -> request
        self.tokens = {}  # request id -> token ids
        self.finished = {}  # request id -> Finish

    def record(self, events):
        for event in events:
            assert event.request_id not in self.finished, "an event after the last one"
            if isinstance(event, Finish):
                self.finished[event.request_id] = event
            else:
                self.tokens[event.request_id].append(event.token_id)

    @rule(request=requests)
    def submit(self, request):
        request_id = self.engine.submit(request)
        assert request_id not in self.asked
        self.asked[request_id], self.tokens[request_id] = request, []

    @rule()
    def step(self):
        self.record(self.engine.step())

    @rule(data=st.data())
    def cancel(self, data):
        request_id = data.draw(st.integers(0, len(self.asked)))
        alive = request_id in self.asked and request_id not in self.finished
        finish = self.engine.cancel(request_id)
        assert (finish is not None) == alive
        self.record([finish] if finish else [])

    @invariant()
    def nothing_leaks(self):
        self.engine.check_integrity()
        assert self.engine.has_work == (len(self.finished) < len(self.asked))

    @invariant()
    def limits_hold(self):
        for request_id, finish in self.finished.items():
            request, tokens = self.asked[request_id], self.tokens[request_id]
            stopped = bool(tokens) and tokens[-1] in request.stop_ids
            assert not request.stop_ids & set(tokens[:-1])
            assert (finish.reason == "stop") == stopped
            if finish.reason == "length":
                limit = request.max_tokens or 24 - len(request.prompt_ids)
                assert len(tokens) == limit

    def teardown(self):
        for _ in range(24 * (len(self.asked) + 1)):
            if not self.engine.has_work:
                break
            self.record(self.engine.step())
        assert set(self.finished) == set(self.asked), "a request never ended"
        self.engine.check_integrity()


EngineMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
test_every_admitted_request_ends_exactly_once_whatever_happens = EngineMachine.TestCase
