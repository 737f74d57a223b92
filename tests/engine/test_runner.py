import pytest
import torch

from netweight.engine import CacheSize, Request
from netweight.engine.cache import Cache
from netweight.engine.request import RequestState
from netweight.engine.runner import ModelFailure, Runner
from netweight.engine.scheduler import Scheduler
from tests.fakes import FakeModel, one_hot


class Bench:
    """A runner, and a scheduler that hands it work."""

    def __init__(self, next_logits, prompts, *, step_tokens=99, **shape):
        size = CacheSize(20, 20)
        self.model = FakeModel(next_logits, **shape)
        self.cache = Cache(size, self.model.config.sliding_window)
        self.scheduler = Scheduler(self.cache, max_running=9, step_tokens=step_tokens)
        self.runner = Runner(self.model, size)
        for index, prompt in enumerate(prompts):
            request = Request(prompt)
            self.scheduler.add(RequestState(index, request, 4, 0, torch.Generator()))

    def run(self):
        """The outcomes of a step in which every request draws token 5."""
        work = self.scheduler.schedule()
        outcomes = self.runner.collect(self.runner.launch(work))
        for one in work:
            if one.draws:
                one.state.accept(5)
            stop = one.first + len(one.token_ids)
            self.cache.store(one.state.holding, one.state.token_ids, stop)
        return outcomes


def last(ids, _):
    return one_hot(ids[-1], 32)


def test_all_requests_run_in_one_step():
    bench = Bench(last, [[1, 2, 3], [4]])
    for expected in ([3, 4], [5, 5], [5, 5]):
        assert [int(logits[-1].argmax()) for logits in bench.run()] == expected
    assert (bench.model.num_forwards, bench.model.num_tokens) == (3, 4 + 2 + 2)


def test_no_logits_come_before_the_end_of_a_prompt():
    bench = Bench(last, [list(range(20))], step_tokens=12)
    assert [bench.run()[0].shape for _ in range(3)] == [(0, 32), (1, 32), (1, 32)]


def test_each_request_sees_its_own_tokens():
    seen = []
    bench = Bench(lambda ids, _: seen.append(ids) or one_hot(5, 32), [[1] * 17, [2], [1] * 40])
    bench.run()
    bench.run()
    prompts = [[1] * 17, [2], [1] * 40]
    assert seen == [*prompts, *([*prompt, 5] for prompt in prompts)]


def test_a_failure_names_its_cause_and_spares_the_others():
    def next_logits(ids, _):
        if ids[0] == 1:
            raise RuntimeError("no memory")
        return one_hot(ids[0], 32)

    good, bad, also_good = Bench(next_logits, [[0], [1], [2]]).run()
    assert [int(logits.argmax()) for logits in (good, also_good)] == [0, 2]
    assert bad == ModelFailure("the model failed: RuntimeError: no memory")


@pytest.mark.parametrize(
    "damaged", [[0.0, float("nan")], [0.0, float("inf")], [-float("inf")] * 2], ids=str
)
def test_logits_that_are_not_numbers_are_a_failure_of_one_request(damaged):
    def next_logits(ids, _):
        return torch.tensor(damaged if ids[0] == 1 else [0.0, 1.0])

    good, bad = Bench(next_logits, [[0], [1]], vocab_size=2).run()
    assert good.shape == (1, 2)
    assert isinstance(bad, ModelFailure)
