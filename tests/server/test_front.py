"""A front whose replicas are applications in its own process, which can be lost and fall silent."""

import asyncio
import json
import threading
import time
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import replace
from functools import partial

import httpx
import pytest

from netweight.server import ServerSettings, create_app, create_front, serving_app
from netweight.server.fleet import Patience, ReplicaLost, _Limit
from netweight.server.metrics import merged
from netweight.server.replicas import answer
from netweight.server.settings import DEFAULTS
from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, one_hot, spell
from tests.server.conftest import ANSWER, chat_model, client_at, saying, until

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "27 + 15?"}]}
RESPONSE = {"model": "scripted", "input": "27 + 15?"}
PATIENT = Patience(silence=60, pause=0.02, replica=60, fetch=60)  # on a busy machine, too


class Local:
    """A replica in this process."""

    def __init__(self, index, model):
        self.name = f"engine-{index}"
        self.engine = model.engine
        self.app = create_app(model, is_guarded=True)
        self.asks = []
        self.state = "well"

    async def ask(self, ask):
        self.asks.append(ask)
        async with aclosing(answer(self.app, ask, lambda: 0.0)) as pieces:
            while True:
                following = asyncio.ensure_future(anext(pieces, None))
                try:
                    while not following.done() or self.state != "well":
                        if self.state == "dead":
                            raise ReplicaLost("it died")
                        await asyncio.sleep(0.005)
                finally:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
                if following.result() is None:
                    return
                yield following.result()

    async def beats(self):
        while True:
            if self.state == "dead":
                raise ReplicaLost("it is dead")
            if self.state == "silent":
                await asyncio.Event().wait()
            yield None
            await asyncio.sleep(0.02)


class Served:
    """A client of a front, and the replicas behind it."""

    def __init__(self, replicas, fleet, client):
        self.replicas, self.fleet, self.client = replicas, fleet, client

    def at(self, path):
        """The replicas that were asked for a path, in order."""
        asked = [(r, a) for r in self.replicas for a in r.asks if a.path == path]
        return [replica for replica, _ in asked]

    @property
    def busy(self):
        return next(replica for replica in self.replicas if replica.engine.has_work)


@contextmanager
def served(*models, settings=DEFAULTS, patience=PATIENT):
    replicas = [Local(index, model) for index, model in enumerate(models)]
    front = create_front(replicas, "scripted", settings, patience=patience)
    with ExitStack() as cleanup:
        for replica in replicas:
            replica.app.state.worker.start()
            cleanup.callback(replica.app.state.worker.stop)
        url = cleanup.enter_context(serving_app(front, settings))
        client = cleanup.enter_context(client_at(url))
        until(lambda: set(states(client).values()) == {"ok"})
        yield Served(replicas, front.state.worker, client)


def states(client):
    return client.get("../health").json()["replicas"]


def slow(*, num_tokens=1_000_000):
    """A chat model that takes its time over an analysis."""
    opening = spell("<|channel|>analysis<|message|>a")

    def next_logits(token_ids, num_prompt):
        time.sleep(0.002)
        place = len(token_ids) - num_prompt
        token = spell("<|return|>")[0] if place >= num_tokens else opening[min(place, 3)]
        return one_hot(token, BYTE_VOCABULARY_SIZE)

    model = FakeModel(next_logits, vocab_size=BYTE_VOCABULARY_SIZE, max_context=1_000_000)
    return chat_model(model)


@pytest.fixture(scope="module")
def pair():
    with served(saying(ANSWER), saying(ANSWER)) as both:
        yield both


def in_background(work):
    """Start something, and give a way to wait for its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()

    def wait():
        thread.join(timeout=60)
        assert not thread.is_alive(), "it hangs"
        return results[0]

    return wait


# What a client sees is what one engine says.


@pytest.mark.parametrize(
    "method, path, body",
    [
        ("POST", "chat/completions", {**BODY, "seed": 5}),
        ("POST", "chat/completions", {**BODY, "seed": 5, "stream": True}),
        ("POST", "chat/completions", {**BODY, "nonsense": 1}),
        ("POST", "completions", {"model": "scripted", "prompt": "a", "max_tokens": 3, "seed": 1}),
        ("POST", "completions", {"model": "other", "prompt": "a"}),
        ("POST", "../tokenize", {"model": "scripted", "prompt": "a"}),
        ("GET", "models/scripted", None),
        ("GET", "responses/resp_none", None),
        ("GET", "../nowhere", None),
        ("DELETE", "models", None),
        ("GET", "../", None),
    ],
)
def test_an_answer_by_way_of_the_front_is_the_same(pair, answering, method, path, body):
    def seen(client):
        answered = client.request(method, path, json=body)
        volatile = {"created", "id"}
        lines = [line.removeprefix("data: ") for line in answered.text.split("\n")]
        told = [
            {key: value for key, value in json.loads(line).items() if key not in volatile}
            if line.startswith("{")
            else line
            for line in lines
        ]
        kept = {"content-type", "cache-control", "allow", "content-security-policy"}
        headers = {name: value for name, value in answered.headers.items() if name in kept}
        return answered.status_code, headers, told

    assert seen(pair.client) == seen(answering)


def test_the_second_turn_of_a_conversation_goes_where_the_first_went(pair):
    for number in range(8):
        first = {"role": "user", "content": f"Question {number}. " + "Think about it. " * 20}
        turns = [first, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "?"}]
        pair.client.post("chat/completions", json={**BODY, "messages": [first]})
        usage = pair.client.post("chat/completions", json={**BODY, "messages": turns}).json()[
            "usage"
        ]
        assert usage["prompt_tokens_details"]["cached_tokens"] > 200
    assert {replica.name for replica in pair.at("/v1/chat/completions")} == {"engine-0", "engine-1"}


def test_a_response_is_continued_and_read_where_it_was_made(pair):
    for number in range(6):
        body = {"model": "scripted", "input": f"Question {number}"}
        made = pair.client.post("responses", json=body).json()
        later = pair.client.post(
            "responses",
            json={"model": "scripted", "input": "And?", "previous_response_id": made["id"]},
        )
        assert later.status_code == 200, later.text
        assert pair.client.get(f"responses/{made['id']}").json()["id"] == made["id"]


def test_an_api_key_is_not_sent_on():
    settings = ServerSettings(api_keys=("secret",))
    with served(saying(ANSWER), settings=settings) as one:
        key = {"Authorization": "Bearer secret"}
        assert one.client.post("chat/completions", json=BODY).status_code == 401
        assert one.client.post("chat/completions", json=BODY, headers=key).status_code == 200
        [ask] = one.replicas[0].asks
        assert "secret" not in repr(ask)
        assert "Bearer YOUR_KEY" in one.client.get("../docs").text


# Replicas that are lost


@pytest.mark.parametrize("path, body", [("chat/completions", BODY), ("responses", RESPONSE)])
def test_a_request_whose_replica_dies_before_answering_goes_to_another(path, body):
    with served(slow(num_tokens=150), slow(num_tokens=150)) as pair:
        wait = in_background(lambda: pair.client.post(path, json=body))
        until(lambda: any(replica.engine.has_work for replica in pair.replicas))
        dead = pair.busy
        dead.state = "dead"
        assert wait().status_code == 200
        assert len(pair.at(f"/v1/{path}")) == 2
        until(lambda: not dead.engine.has_work)
        assert states(pair.client)[dead.name] == "lost"


def test_a_stream_that_has_begun_ends_with_an_error_of_its_api():
    with served(slow(), slow()) as pair:
        body = {**BODY, "stream": True}
        with pair.client.stream("POST", "chat/completions", json=body) as response:
            lines = (line for line in response.iter_lines() if line)
            next(lines)
            pair.busy.state = "dead"
            *_, last, done = lines
        error = json.loads(last.removeprefix("data: "))["error"]
        assert (error["code"], error["type"]) == ("engine_lost", "server_error")
        assert done == "data: [DONE]"


def test_a_streamed_response_that_is_lost_ends_with_the_next_event():
    with served(slow(), slow()) as pair:
        body = {**RESPONSE, "stream": True}
        with pair.client.stream("POST", "responses", json=body) as response:
            lines = (line for line in response.iter_lines() if line.startswith("data: "))
            events = [json.loads(next(lines).removeprefix("data: "))]
            pair.busy.state = "dead"
            events += [json.loads(line.removeprefix("data: ")) for line in lines]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert (events[-1]["type"], events[-1]["code"]) == ("error", "engine_lost")


def test_a_replica_that_falls_silent_is_lost_after_a_while():
    patience = replace(PATIENT, silence=0.6)
    with served(slow(num_tokens=150), slow(num_tokens=150), patience=patience) as pair:
        wait = in_background(lambda: pair.client.post("chat/completions", json=BODY))
        until(lambda: any(replica.engine.has_work for replica in pair.replicas))
        pair.busy.state = "silent"
        assert wait().status_code == 200


def test_a_request_that_has_not_reached_a_dead_replica_goes_to_another_at_once():
    with served(saying(ANSWER), saying(ANSWER)) as pair:
        [first, second] = pair.replicas
        first.ask, second.ask = never_reached(first, second), never_reached(second, first)
        assert pair.client.post("chat/completions", json=BODY).status_code == 200
        assert {first.state, second.state} == {"well", "dead"}


def never_reached(replica, other):
    """An `ask` with which a replica dies and the request does not notice; the other one is well."""

    async def ask(ask):
        replica.state, other.ask = "dead", partial(Local.ask, other)
        await asyncio.Event().wait()
        yield

    return ask


def test_an_end_is_not_put_off_by_signs_of_life():
    async def ended():
        async with asyncio.timeout(None) as timeout:
            limit = _Limit(timeout, 60)
            limit.end()
            limit.extend()
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        asyncio.run(ended())


def test_a_request_that_two_replicas_died_of_is_refused():
    with served(slow(), slow(), saying(ANSWER)) as three:
        for replica in three.replicas:  # whoever reads it dies
            replica.ask = dying(replica)
        refused = three.client.post("chat/completions", json=BODY)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["error"]["code"] == "engine_lost"
        assert sum(replica.state == "dead" for replica in three.replicas) == 2


def dying(replica):
    async def ask(ask):
        replica.state = "dead"
        raise ReplicaLost("it died")
        yield

    return ask


def test_with_no_replica_left_requests_are_refused_and_served_again_when_one_is_back():
    with served(saying(ANSWER)) as one:
        one.replicas[0].state = "dead"
        until(lambda: states(one.client) == {"engine-0": "lost"})
        assert one.client.get("../health").status_code == 503
        one.fleet.patience = replace(PATIENT, replica=0.1)
        refused = one.client.post("chat/completions", json=BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_engine")
        one.fleet.patience = PATIENT
        wait = in_background(lambda: one.client.post("chat/completions", json=BODY))
        one.replicas[0].state = "well"
        assert wait().status_code == 200


def test_an_answer_without_a_sign_of_life_is_given_up():
    settings = ServerSettings(answer_timeout_s=0.1)
    patience = replace(PATIENT, overtime=0.2)
    with served(saying(ANSWER), settings=settings, patience=patience) as one:
        one.replicas[0].ask = stuck
        refused = one.client.post("chat/completions", json=BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (504, "timeout")


async def stuck(ask):
    await asyncio.Event().wait()
    yield


# Clients that leave, and the end


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_client_that_leaves_frees_the_engine(is_streamed):
    with served(slow()) as one:
        engine = one.replicas[0].engine
        body = {**BODY, "stream": is_streamed}
        if is_streamed:
            with one.client.stream("POST", "chat/completions", json=body) as response:
                lines = response.iter_lines()  # closing it would close the connection
                next(lines)
                until(lambda: engine.has_work)
                time.sleep(0.1)
                assert engine.has_work
        else:
            with pytest.raises(httpx.ReadTimeout):
                one.client.post("chat/completions", json=body, timeout=httpx.Timeout(30, read=0.3))
        until(lambda: not engine.has_work)
        engine.check_integrity()


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_server_that_stops_tells_its_clients_why(is_streamed):
    with ExitStack() as stack:
        one = stack.enter_context(served(slow()))
        url = f"{one.client.base_url}chat/completions"
        body = {**BODY, "stream": is_streamed}
        wait = in_background(lambda: httpx.post(url, json=body, timeout=60))
        until(lambda: one.replicas[0].engine.has_work)
        stop = in_background(stack.pop_all().close)
        assert "the server is stopping" in wait().text
        stop()


# What the front tells of itself


def test_metrics_of_all_are_told_apart_by_a_label(pair):
    pair.client.post("chat/completions", json=BODY)
    text = pair.client.get("../metrics").text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert 'netweight_replicas{replica="front",state="up"} 2' in text
    assert 'netweight_engine_steps_total{replica="engine-0"}' in text
    assert 'netweight_engine_steps_total{replica="engine-1"}' in text
    path = 'path="/v1/chat/completions",method="POST",status="200"'
    assert f'netweight_http_requests_total{{replica="front",{path}}}' in text


def test_metrics_of_the_same_name_are_put_together():
    one = '# HELP a_total As.\n# TYPE a_total counter\na_total 1\na_total{b="{ }"} 2\n'
    other = "# HELP c Cs.\n# TYPE c gauge\nc 3\n# HELP a_total As.\n# TYPE a_total counter\n"
    assert merged({"x": one, "y": f"{other}a_total 4\n"}) == (
        "# HELP a_total As.\n# TYPE a_total counter\n"
        'a_total{replica="x"} 1\na_total{replica="x",b="{ }"} 2\na_total{replica="y"} 4\n'
        '# HELP c Cs.\n# TYPE c gauge\nc{replica="y"} 3\n'
    )
