import torch

from netweight.engine import Request
from netweight.engine.cache import CachePool
from netweight.engine.request import RequestState
from netweight.engine.runner import ModelFailure, Runner
from tests.fakes import FakeModel, one_hot, scripted


def state_of(pool, request_id, prompt_ids):
    state = RequestState(request_id, Request(prompt_ids), 4, 0, torch.Generator())
    assert pool.take(request_id, state.num_cache_tokens)
    return state


def setup(model):
    pool = CachePool(model.new_cache, 64)
    return pool, Runner(model, pool)


def test_only_tokens_that_the_cache_lacks_are_run():
    pool, runner = setup(scripted([5]))
    state = state_of(pool, 0, [1, 2, 3])
    [logits] = runner.run([state])
    assert logits.shape == (32,)
    assert pool.cache(0).token_ids == [1, 2, 3]
    state.accept(5)
    runner.run([state])
    assert pool.cache(0).token_ids == [1, 2, 3, 5]


def test_each_request_of_a_batch_has_its_own_cache():
    pool, runner = setup(FakeModel(lambda ids, _: one_hot(ids[-1], 32)))
    batch = [state_of(pool, index, [index]) for index in range(3)]
    assert [int(logits.argmax()) for logits in runner.run(batch)] == [0, 1, 2]


def test_a_failure_names_its_cause_and_spares_the_others():
    def next_logits(ids, _):
        if ids[0] == 1:
            raise RuntimeError("no memory")
        return one_hot(ids[0], 32)

    pool, runner = setup(FakeModel(next_logits))
    good, bad = runner.run([state_of(pool, 0, [0]), state_of(pool, 1, [1])])
    assert int(good.argmax()) == 0
    assert bad == ModelFailure("the model failed: RuntimeError: no memory")


def test_logits_that_are_not_numbers_are_a_failure():
    for damaged in ([0.0, float("nan")], [0.0, float("inf")], [-float("inf")] * 2):
        pool, runner = setup(FakeModel(lambda *_, x=damaged: torch.tensor(x), vocab_size=2))
        [outcome] = runner.run([state_of(pool, 0, [1])])
        assert isinstance(outcome, ModelFailure)
