import asyncio
import threading
import time
from contextlib import aclosing, contextmanager

import pytest

from netweight.engine import Engine, Finish, Request, Sampling
from netweight.errors import AnswerTimeout, RequestError, ServerError
from netweight.server.worker import Worker
from tests.fakes import FakeModel, one_hot, scripted

GREEDY = Sampling(temperature=0)


@contextmanager
def working(model):
    worker = Worker(Engine(model))
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


class Gate(FakeModel):
    """A model that takes a step only when the test lets it."""

    def __init__(self):
        super().__init__(self._step)
        self.steps = threading.Semaphore(0)

    def _step(self, *_):
        assert self.steps.acquire(timeout=10)
        return one_hot(5, 32)


async def collect(worker, request):
    async with asyncio.timeout(10):
        return [event async for event in worker.events(request)]


def test_events_come_back_in_order_and_end_with_finish():
    with working(scripted([5, 6])) as worker:
        events = asyncio.run(collect(worker, Request([1], GREEDY, max_tokens=2)))
    assert [getattr(event, "token_id", None) for event in events] == [5, 6, None]


def test_concurrent_requests_each_get_their_own_events():
    async def main(worker):
        some = [Request([n], GREEDY, max_tokens=3) for n in range(8)]
        return await asyncio.gather(*(collect(worker, request) for request in some))

    with working(FakeModel(lambda ids, _: one_hot(ids[-1], 32))) as worker:
        for n, (*tokens, finish) in enumerate(asyncio.run(main(worker))):
            assert [token.token_id for token in tokens] == [n] * 3
            assert isinstance(finish, Finish)


def test_closing_the_events_cancels_the_request():
    async def main(worker, model):
        async with aclosing(worker.events(Request([1], GREEDY))) as events:
            model.steps.release()
            await anext(events)
        model.steps.release()  # the step that was under way when the events were closed
        while worker._engine.has_work:
            await asyncio.sleep(0.01)
        return model.num_forwards

    model = Gate()
    with working(model) as worker:
        assert asyncio.run(asyncio.wait_for(main(worker, model), 10)) <= 2


def test_a_bad_request_is_refused_in_the_callers_thread():
    with working(scripted([5])) as worker, pytest.raises(RequestError, match="empty"):
        asyncio.run(collect(worker, Request([])))


def test_draining_ends_what_is_under_way_and_refuses_what_comes():
    async def main(worker, model):
        async with aclosing(worker.events(Request([1], GREEDY))) as events:
            model.steps.release()
            await anext(events)
            worker.drain()
            model.steps.release()
            with pytest.raises(ServerError, match="stopping"):
                while True:
                    await anext(events)
        with pytest.raises(ServerError, match="stopping"):
            await collect(worker, Request([1]))

    model = Gate()
    with working(model) as worker:
        asyncio.run(asyncio.wait_for(main(worker, model), 10))


def test_a_failed_engine_ends_its_requests_and_refuses_new_ones(monkeypatch, caplog):
    def broken():
        raise RuntimeError("bug")

    worker = Worker(Engine(scripted([5])))
    monkeypatch.setattr(worker._engine, "step", broken)
    worker.start()
    with pytest.raises(ServerError, match="has failed"):
        asyncio.run(collect(worker, Request([1])))
    assert worker.refusal == "the engine has failed"
    with pytest.raises(ServerError, match="has failed"):
        asyncio.run(collect(worker, Request([1])))
    worker.stop()
    assert "bug" in caplog.text


def test_a_request_queued_while_the_engine_fails_does_not_wait_for_ever():
    worker = Worker(Engine(scripted([5])))
    worker.refusal = None  # as it was when the request was queued ...

    async def main():
        waiting = asyncio.ensure_future(collect(worker, Request([1])))
        await asyncio.sleep(0)
        worker.refusal = worker.end = "the engine has failed"  # ... and what happened then
        worker._commands.get()()
        await waiting

    with pytest.raises(ServerError, match="has failed"):
        asyncio.run(main())


async def batches_of(worker, requests):
    async with asyncio.timeout(10):
        return [batch async for batch in worker.batches_of(requests)]


def test_quick_steps_are_told_together_but_the_first_and_the_last_at_once():
    with working(scripted([5], max_context=1000)) as worker:
        batches = asyncio.run(batches_of(worker, [Request([1], GREEDY, max_tokens=300)]))
    assert len(batches[0]) < 20  # one, or what came while the reader woke up
    assert isinstance(batches[-1][-1][1], Finish)
    assert sum(map(len, batches)) == 301
    assert len(batches) < 150


def test_a_slow_step_is_told_as_soon_as_it_is_taken():
    def next_logits(*_):
        time.sleep(0.05)
        return one_hot(5, 32)

    with working(FakeModel(next_logits)) as worker:
        batches = asyncio.run(batches_of(worker, [Request([1], GREEDY, max_tokens=6)]))
    assert len(batches) >= 5  # six, unless this machine stands still for a while


def test_a_token_does_not_wait_for_a_step_that_does_not_come():
    async def main(worker, model):
        async with aclosing(worker.batches_of([Request([1], GREEDY)])) as batches:
            model.steps.release(3)
            seen = []
            while len(seen) < 3:  # though there is no fourth step
                seen += await anext(batches)
        model.steps.release()

    model = Gate()
    with working(model) as worker:
        asyncio.run(asyncio.wait_for(main(worker, model), 10))


def test_an_answer_under_way_goes_on_while_no_new_one_is_taken():
    async def main(worker):
        with worker.answering():
            worker.refuse()
            assert worker.is_busy
            with pytest.raises(ServerError, match="stopping"):
                await collect(worker, Request([1], GREEDY, max_tokens=2))
            async with asyncio.timeout(10):
                request = Request([1], GREEDY, max_tokens=2)
                events = [event async for event in worker.events(request, goes_on=True)]
            assert len(events) == 3
            worker.drain()
            with pytest.raises(ServerError, match="stopping"):
                async for _ in worker.events(request, goes_on=True):
                    pass
        assert not worker.is_busy

    with working(scripted([5])) as worker:
        asyncio.run(main(worker))


def test_an_answer_that_takes_too_long_ends():
    model = Gate()
    worker = Worker(Engine(model), answer_timeout_s=0.1)
    worker.start()
    with pytest.raises(AnswerTimeout, match=r"0\.1 seconds"):
        asyncio.run(collect(worker, Request([1], GREEDY)))
    model.steps.release(2)
    worker.stop()
    assert not worker._engine.has_work
