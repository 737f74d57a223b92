"""Two engines of nano as Ray Serve deployments, on a cluster of this machine alone."""

import importlib.util
import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from functools import partial

import httpx
import psutil
import pytest

from netweight.cli.options import built_in_tools, load_chat_model
from netweight.errors import ServerError
from netweight.server import Plan, ServerSettings, create_front, deployed, serving_app
from netweight.server.replicas import with_shared_store

needs_ray = [
    pytest.mark.slow,
    # Ray 2.60 raises these in its own code, and tests turn warnings into errors.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed: netweight[ray]"
    ),
]
SETTINGS = ServerSettings(max_requests=64)
NANO = Plan(
    partial(load_chat_model, "nano", num_sharers=2),
    partial(built_in_tools, python=False, browser=None),
    SETTINGS,
    num_replicas=2,
)

# Without nano's tokens that end a message or an answer, 3 seconds of tokens until its context ends.
ENDLESS = {str(token_id): -100 for token_id in (1015, 1016, 1022)}


@pytest.fixture(scope="module")
def cluster():
    """A client of a front with two replicas, and these."""
    with deployed(NANO) as (replicas, model_name):
        front = create_front(replicas, model_name, SETTINGS)
        with serving_app(front, SETTINGS) as url, httpx.Client(base_url=url, timeout=60) as client:
            until(lambda: set(states(client).values()) == {"ok"})
            yield client, replicas
    assert not ray_processes(), "Ray is still there"


def until(condition, *, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def states(client):
    return client.get("../health").json()["replicas"]


def ray_processes():
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE
    ]


def is_loopback(ip):
    address = ipaddress.ip_address(ip)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def refusal_of(port):
    """How a replica refuses somebody who has no token."""
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/ray.serve.ASGIService/HandleRequest")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=10)
    return refused.value.code().name


def body(text, **fields):
    messages = [{"role": "user", "content": text}]
    return {"model": "nano", "messages": messages, "temperature": 0, **fields}


def running(client, name):
    """Requests that a replica answers now."""
    start = f'netweight_num_requests_running{{replica="{name}"}} '
    lines = client.get("../metrics").text.splitlines()
    [value] = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return int(value)


def kill(replica):
    pid = replica.handle.pid.remote().result(timeout_s=10)
    os.kill(pid, signal.SIGKILL)
    return pid


class Asking(threading.Thread):
    """Asks once, and says how that ended."""

    def __init__(self, client, number):
        super().__init__()
        self.client, self.number, self.outcome = client, number, None

    def run(self):
        is_streamed = self.number % 2 == 0
        asked = body(f"Tell story {self.number}.", stream=is_streamed)
        if self.number % 3 == 0:
            asked |= {"logit_bias": ENDLESS, "max_tokens": 400}
        response = self.client.post("chat/completions", json=asked)
        self.outcome = self.read_stream(response) if is_streamed else self.read_whole(response)

    def read_whole(self, response):
        fields = response.json()
        return fields["error"]["code"] if "error" in fields else fields["choices"][0]["message"]

    def read_stream(self, response):
        *events, done, end = response.text.split("\n\n")
        assert (done, end) == ("data: [DONE]", ""), "a stream was cut off"
        last = json.loads(events[-1].removeprefix("data: "))
        return last["error"]["code"] if "error" in last else last["choices"][0]


class TestCluster:
    pytestmark = needs_ray

    def test_a_conversation_goes_home(self, cluster):
        client, _ = cluster
        for number in range(6):
            first = f"Question {number}. " + "What is 27 + 15? " * 20
            said = client.post("chat/completions", json=body(first, max_tokens=20)).json()
            turns = [
                {"role": "user", "content": first},
                {"role": "assistant", "content": said["choices"][0]["message"]["content"] or "42"},
                {"role": "user", "content": "And 28 + 15?"},
            ]
            again = client.post("chat/completions", json={**body(""), "messages": turns}).json()
            assert again["usage"]["prompt_tokens_details"]["cached_tokens"] >= 64

    def test_a_stream_says_what_the_whole_answer_says(self, cluster):
        client, _ = cluster
        whole = client.post("chat/completions", json=body("What is 27 + 15?", max_tokens=200))
        streamed = client.post(
            "chat/completions", json=body("What is 27 + 15?", max_tokens=200, stream=True)
        )
        events = [json.loads(e.removeprefix("data: ")) for e in streamed.text.split("\n\n")[:-2]]
        deltas = [event["choices"][0]["delta"] for event in events]
        message = whole.json()["choices"][0]["message"]
        for kind in ("content", "reasoning"):
            assert "".join(delta.get(kind) or "" for delta in deltas) == (message[kind] or "")

    def test_a_client_that_leaves_frees_the_engine(self, cluster):
        client, replicas = cluster
        asked = body("Go on.", stream=True, logit_bias=ENDLESS)
        with client.stream("POST", "chat/completions", json=asked) as response:
            lines = response.iter_lines()  # closing it would close the connection
            next(lines)
            until(lambda: sum(running(client, replica.name) for replica in replicas) == 1)
        until(lambda: not any(running(client, replica.name) for replica in replicas), timeout_s=2)

    def test_others_cannot_use_ray(self, cluster):
        listening = [
            place.laddr
            for process in ray_processes()
            for place in process.net_connections(kind="inet")
            if place.status == psutil.CONN_LISTEN
        ]
        open_ports = [address.port for address in listening if not is_loopback(address.ip)]
        assert len(listening) > len(open_ports)
        # Serve's replicas listen everywhere, whatever they are told, but ask for the token.
        assert len(open_ports) == len(cluster[1])
        assert [refusal_of(port) for port in open_ports] == ["UNAUTHENTICATED"] * len(open_ports)

    def test_when_a_replica_is_killed_under_load_nothing_hangs(self, cluster):
        client, replicas = cluster
        made = client.post("responses", json={"model": "nano", "input": "Hello."}).json()
        askers = [Asking(client, number) for number in range(24)]
        for asker in askers:
            asker.start()
        until(lambda: all(running(client, replica.name) for replica in replicas))
        dead = replicas[0]
        pid = kill(dead)
        for asker in askers:
            asker.join(timeout=60)
        assert not any(asker.is_alive() for asker in askers), "a request hangs"
        lost = [asker.number for asker in askers if asker.outcome == "engine_lost"]
        answered = [asker for asker in askers if isinstance(asker.outcome, dict)]
        assert len(answered) + len(lost) == len(askers)
        assert lost, "no stream was hit: the kill came too late to tell anything"
        assert all(number % 2 == 0 for number in lost), "only streams that had begun may fail"
        until(lambda: states(client)[dead.name] == "ok")
        assert dead.handle.pid.remote().result(timeout_s=10) != pid
        # Responses are kept in a file that all replicas share.
        assert client.get(f"responses/{made['id']}").json()["id"] == made["id"]

    def test_with_all_replicas_gone_a_request_waits_for_one_that_comes_back(self, cluster):
        client, replicas = cluster
        for replica in replicas:
            kill(replica)
        # A request that loses one engine and then the other within this moment is refused.
        until(lambda: set(states(client).values()) == {"lost"})
        response = client.post("chat/completions", json=body("What is 27 + 15?", max_tokens=5))
        assert response.status_code == 200, response.text
        until(lambda: set(states(client).values()) == {"ok"})


# Without a cluster


def test_without_ray_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with pytest.raises(ServerError, match=r"pip install 'netweight\[ray\]'"), deployed(NANO):
        pass


def test_a_client_address_is_refused_with_the_right_one():
    with (
        pytest.raises(ServerError, match="--ray-address HOST:PORT"),
        deployed(NANO, "ray://somewhere:10001"),
    ):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there_is_noticed_at_once(address):
    with pytest.raises(ServerError, match="there is no Ray at"), deployed(NANO, address):
        pass


def storing(path):
    return replace(NANO, settings=replace(SETTINGS, store_path=path))


def test_machines_of_a_cluster_do_not_share_a_store(tmp_path):
    plan = storing(tmp_path / "store")
    with pytest.raises(ServerError, match=r"\(auto\).*Leave --store out"), deployed(plan, "auto"):
        pass
    assert not any(tmp_path.iterdir())


def test_replicas_share_the_store_that_is_named_and_leave_it_there(tmp_path):
    plan = storing(tmp_path / "store")
    with with_shared_store(plan) as shared:
        assert shared == plan
    assert (tmp_path / "store").is_file()
    with with_shared_store(NANO) as shared:
        temporary = shared.settings.store_path
        assert temporary.is_file()
    assert not temporary.parent.exists()


def test_ray_is_not_loaded_without_need():
    code = "import netweight.server, sys; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
