"""Clients that are slow, rude, many or gone: they are answered or cut off, and others go on."""

import asyncio
import contextlib
import json
import random
import resource
import socket
import time

import httpx
import psutil
import pytest

from netweight.server import ServerSettings
from netweight.server.connection import Connection
from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, one_hot
from tests.server.conftest import ANSWER, chat_model, client_of, saying, until

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "27 + 15?"}]}
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)


@pytest.fixture(scope="module")
def client():
    """A client of a server that says ANSWER."""
    with client_of(saying(ANSWER)) as client:
        yield client


@pytest.fixture
def hasty(monkeypatch):
    """New connections wait a third of a second where they would wait long."""
    for name in ("header_timeout_s", "stall_timeout_s", "linger_timeout_s"):
        monkeypatch.setattr(Connection, name, 0.3)


def is_well(client):
    return client.post("chat/completions", json=BODY).status_code == 200


@pytest.fixture(scope="module", autouse=True)
def many_files():
    """Two ends of a thousand connections are in this process."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextlib.contextmanager
def raw(client):
    """A socket to the client's server."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=60) as sock:
        yield sock


def received(sock):
    """All that comes until the end; what was reset had come before."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            data += piece
    return data


def whole(body=BODY):
    encoded = json.dumps(body).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(encoded) + encoded


@pytest.mark.parametrize(
    "beginning", [b"", b"\r\n", b"POST", HEAD, HEAD + b"X-Long: " + b"x" * 100]
)
def test_headers_that_do_not_come_end_the_connection(hasty, client, beginning):
    with raw(client) as sock:
        started = time.monotonic()
        sock.sendall(beginning)
        assert received(sock) == b""
        assert 0.2 < time.monotonic() - started < 3
    assert is_well(client)


def test_headers_that_trickle_in_end_the_connection(hasty, client):
    num_sent = 0
    with raw(client) as sock, contextlib.suppress(ConnectionError):
        for byte in HEAD:
            sock.sendall(bytes([byte]))
            num_sent += 1
            time.sleep(0.05)
    assert num_sent < len(HEAD) // 2
    assert is_well(client)


def test_headers_without_end_are_not_kept(client):
    with raw(client) as sock:
        sock.sendall(HEAD)
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                sock.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
    assert is_well(client)


def test_one_request_after_the_other_uses_one_connection(hasty, client):
    with raw(client) as sock:
        for pause_s in (0, 0.4, 0.4):  # longer than headers may take, but none are under way
            time.sleep(pause_s)
            sock.sendall(whole())
            data = b""
            while not data.endswith(b"}"):
                data += sock.recv(65536)
            assert data.startswith(b"HTTP/1.1 200")


def test_requests_that_come_together_are_answered_in_turn(client):
    with raw(client) as sock:
        sock.sendall(
            whole({**BODY, "seed": 1}) + whole({**BODY, "seed": 2}) + b"GET /no HTTP/1.0\r\n\r\n"
        )
        data = received(sock)
    assert data.count(b"HTTP/1.1 200") == 2
    assert data.index(b'"seed":1') < data.index(b'"seed":2')


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9,
        b"GET\r\n\r\n",
        b"\xff\xfe" * 500,
    ],
    ids=["zeros", "TLS", "short", "bytes"],
)
def test_what_is_not_http_is_refused(hasty, client, nonsense):
    with raw(client) as sock:
        sock.sendall(nonsense)
        assert received(sock)[:12] in (b"HTTP/1.1 400", b"")
    assert is_well(client)


def test_a_refused_body_that_goes_on_ends_the_connection(hasty):
    with client_of(saying(ANSWER), ServerSettings(max_body_bytes=1000)) as client:
        with raw(client) as sock:
            sock.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            started = time.monotonic()
            with pytest.raises(ConnectionError):
                while time.monotonic() - started < 5:
                    sock.sendall(b"400\r\n" + b"x" * 0x400 + b"\r\n")
                    time.sleep(0.01)
            assert time.monotonic() - started > 0.25
        assert is_well(client)


def test_a_connection_is_of_use_after_a_refused_body(hasty):
    settings = ServerSettings(max_body_bytes=1000)
    with client_of(saying(ANSWER), settings) as client, raw(client) as sock:
        sock.sendall(HEAD + b"Content-Length: 500000\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 413")
        sock.sendall(b"x" * 500_000)
        time.sleep(0.6)  # longer than headers may take, but none are under way
        sock.sendall(whole())
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_client_that_has_sent_all_and_says_so_is_let_go(client):
    with raw(client) as sock:
        sock.sendall(whole())
        sock.shutdown(socket.SHUT_WR)
        data = received(sock)  # uvicorn takes this for a client that has left
        assert data == b"" or data.startswith(b"HTTP/1.1 200")
    assert is_well(client)


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing(client):
    for cut in (1, 10, 50):
        with raw(client) as sock:
            sock.sendall(whole()[: len(HEAD) + 30 + cut])
    assert is_well(client)


def endless():
    """A chat model that writes as fast as it can until somebody stops it."""
    logits = one_hot(ord("a"), BYTE_VOCABULARY_SIZE)
    size = {"vocab_size": BYTE_VOCABULARY_SIZE, "max_context": 1_000_000}
    return chat_model(FakeModel(lambda *_: logits, **size))


def test_a_client_that_does_not_read_is_cut_off_and_its_request_ends(hasty):
    model = endless()
    # Each token brings twenty log-probabilities, so that the buffers in between are soon full.
    body = {"model": "scripted", "prompt": "a", "stream": True, "logprobs": 20, "n": 32}
    body["max_tokens"] = 100_000
    encoded = json.dumps(body).encode()
    head = HEAD.replace(b"chat/completions", b"completions")
    with client_of(model) as client, raw(client) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % len(encoded) + encoded)
        until(lambda: model.engine.has_work)
        until(lambda: not model.engine.has_work)
        model.engine.check_integrity()
        assert client.get("../health").status_code == 200


# Many of them


def memory_of_this_process():
    return psutil.Process().memory_info().rss


async def connect_all(port, number):
    return await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", port) for _ in range(number))
    )


async def close_all(streams):
    for _, writer in streams:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in streams), return_exceptions=True)


def test_a_thousand_connections_are_answered():
    async def ask(reader, writer):
        writer.write(whole())
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def main(port):
        streams = await connect_all(port, 1000)
        statuses = await asyncio.gather(*(ask(*stream) for stream in streams))
        await close_all(streams)
        return statuses

    with client_of(saying(ANSWER), ServerSettings(max_requests=50)) as client:
        statuses = asyncio.run(main(client.base_url.port))
        assert len(statuses) == 1000
        assert set(statuses) == {200, 429}  # so many at once are too many, which each is told
        assert statuses.count(200) >= 50
        assert is_well(client)


def test_a_thousand_idle_connections_disturb_nobody_and_cost_little():
    async def main(client):
        before = memory_of_this_process()
        streams = await connect_all(client.base_url.port, 1000)
        started = time.monotonic()
        assert await asyncio.to_thread(is_well, client)
        assert time.monotonic() - started < 2
        grown = memory_of_this_process() - before
        await close_all(streams)
        return grown

    with client_of(saying(ANSWER)) as client:
        assert asyncio.run(main(client)) < 60e6


def test_bodies_of_a_hundred_megabytes_leave_memory_as_it_was():
    def pieces():
        for _ in range(100):
            yield b"x" * 1_000_000

    with client_of(saying(ANSWER)) as client:
        headers = {"content-type": "application/json"}
        assert is_well(client)
        most, before = 0, memory_of_this_process()
        for _ in range(5):
            response = client.post("chat/completions", content=pieces(), headers=headers)
            assert response.status_code == 413
            most = max(most, memory_of_this_process())
        assert most - before < 80e6  # the limit is 32 MiB, and the body is in this process, too
        assert is_well(client)


def mutated(rng, data):
    """The bytes with some of them cut out, doubled or changed."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randrange(1, 20)]
            case 2:
                data[at:at] = data[at : at + rng.randrange(1, 40)]
            case 3:
                data[at:at] = rng.choice(
                    [b"null", b"-1", b"1e999", b'"', b"{", b"\\ud800", b"[[", b"\x00"]
                )
        data = data or bytearray(b"{")
    return bytes(data)


BODIES = {
    "chat/completions": {
        **BODY,
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "response_format": {"type": "json_object"},
        "stop": ["x"],
        "logit_bias": {"5": 1},
    },
    "completions": {
        "model": "scripted",
        "prompt": [[1, 2], [3]],
        "echo": True,
        "logprobs": 2,
        "n": 1,
    },
    "../tokenize": {"prompt": "hello", "return_token_strs": True},
    "../detokenize": {"tokens": [1, 2, 3]},
}


@pytest.mark.parametrize("path", BODIES)
def test_damaged_bodies_are_answered_and_break_nothing(client, path):
    rng = random.Random(path)
    original = json.dumps(
        {**BODIES[path], "max_tokens": 3} if path.endswith("completions") else BODIES[path]
    )
    headers = {"content-type": "application/json"}
    for _ in range(60):
        body = mutated(rng, original.encode())
        response = client.post(path, content=body, headers=headers)
        assert response.status_code < 500, (body, response.text)
    assert is_well(client)


def test_one_bad_request_among_many_good_ones_hurts_none():
    def next_logits(token_ids, num_prompt):
        if 0x07 in token_ids[:num_prompt]:
            raise RuntimeError("this prompt breaks the model")
        return one_hot(ord("a"), BYTE_VOCABULARY_SIZE)

    async def main(url):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            prompts = ["fine"] * 20 + ["\a"] + ["fine"] * 20
            bodies = [{"model": "scripted", "prompt": p, "max_tokens": 20} for p in prompts]
            asks = [client.post("completions", json=body) for body in bodies]
            return await asyncio.gather(*asks)

    size = {"vocab_size": BYTE_VOCABULARY_SIZE, "max_context": 4096}
    with client_of(chat_model(FakeModel(next_logits, **size))) as client:
        responses = asyncio.run(main(str(client.base_url)))
    bad = responses.pop(20)
    assert bad.status_code == 500
    assert all(response.json()["choices"][0]["text"] == "a" * 20 for response in responses)
