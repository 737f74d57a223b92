"""Several requests of one caller: how they share a prompt, and how one of them is stopped."""

import asyncio
from contextlib import aclosing

import pytest

from netweight.engine import Finish, Request, Sampling, Token
from tests.fakes import FakeModel, one_hot, scripted
from tests.server.test_worker import GREEDY, working


async def collect(worker, requests, **kwargs):
    async with asyncio.timeout(10):
        batches = [batch async for batch in worker.batches_of(requests, **kwargs)]
    return [pair for batch in batches for pair in batch]


def of(pairs, index, kind):
    return [event for place, event in pairs if place == index and isinstance(event, kind)]


@pytest.mark.parametrize("num_requests", [1, 2, 5])
def test_requests_with_one_prompt_read_it_once(num_requests):
    model = scripted([5], max_context=256)
    prompt = list(range(16)) * 8
    requests = [Request(prompt, Sampling(seed=i), max_tokens=3) for i in range(num_requests)]
    with working(model) as worker:
        pairs = asyncio.run(collect(worker, requests))
    for index in range(num_requests):
        assert len(of(pairs, index, Token)) == 3
        [finish] = of(pairs, index, Finish)
        assert finish.seed == index
        # All but the last page of the prompt, of which at least one token has to be read.
        assert finish.counts.num_cached_tokens >= (len(prompt) - 32 if index > 0 else 0)
    assert model.num_tokens <= len(prompt) + num_requests * (32 + 3)


def test_requests_whose_first_fails_still_end():
    def next_logits(token_ids, num_prompt):
        return 1 / 0

    prompt = [1, 2, 3]
    with working(FakeModel(next_logits)) as worker:
        pairs = asyncio.run(collect(worker, [Request(prompt), Request(prompt), Request([4])]))
    assert [of(pairs, index, Finish)[0].reason for index in range(3)] == ["error"] * 3


def test_one_that_is_stopped_ends_and_the_others_go_on():
    seen = []

    async def main(worker):
        prompt = [1, 2, 3]
        requests = [Request(prompt, GREEDY, max_tokens=most) for most in (40, 3000, 40)]
        async with aclosing(worker.batches_of(requests, is_stopped=lambda i: i == 1)) as batches:
            async for batch in batches:
                seen.extend(batch)

    with working(scripted([5], max_context=4000)) as worker:
        asyncio.run(asyncio.wait_for(main(worker), 10))
        assert not worker._engine.has_work
        worker._engine.check_integrity()
    assert [of(seen, index, Finish)[0].reason for index in range(3)] == [
        "length",
        "cancelled",
        "length",
    ]
    assert len(of(seen, 1, Token)) < 3000
    assert len(of(seen, 0, Token)) == len(of(seen, 2, Token)) == 40


def test_leaving_ends_those_that_wait_for_the_prompt_too():
    async def main(worker):
        prompt = [1, 2, 3]
        requests = [Request(prompt, GREEDY) for _ in range(3)]
        async with aclosing(worker.batches_of(requests)) as batches:
            await anext(batches)
        async with asyncio.timeout(5):
            while worker._engine.has_work:
                await asyncio.sleep(0.01)

    model = FakeModel(lambda *_: one_hot(5, 32), max_context=100_000)
    with working(model) as worker:
        asyncio.run(main(worker))
