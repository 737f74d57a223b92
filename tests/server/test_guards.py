"""Who may come in, how much they may bring, how many at once."""

import asyncio
import json
import logging
import threading
import time

import httpx
import pytest

from netweight.server import ServerSettings, serving
from tests.fakes import BYTE_VOCABULARY_SIZE, FakeModel, one_hot
from tests.server.conftest import ANSWER, chat_model, client_of, saying, until

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "27 + 15?"}]}
JSON = {"content-type": "application/json"}


def ask(client, **kwargs):
    return client.post("chat/completions", json=BODY, **kwargs)


def error_of(response):
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() == {"error"}
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return error


def bearer(key):
    return {"authorization": f"Bearer {key}"}


class Gate(FakeModel):
    """A model that takes a step only when the test lets it, and writes the letter a."""

    def __init__(self):
        size = {"vocab_size": BYTE_VOCABULARY_SIZE, "max_context": 4096}
        super().__init__(self._step, **size)
        self.steps = threading.Semaphore(0)

    def _step(self, *_):
        assert self.steps.acquire(timeout=60)
        return one_hot(ord("a"), BYTE_VOCABULARY_SIZE)


# Keys


@pytest.fixture(scope="module")
def locked():
    """A client of a server that knows two keys."""
    settings = ServerSettings(api_keys=("first", "second"))
    with client_of(saying(ANSWER), settings) as client:
        yield client


@pytest.mark.parametrize("key", ["first", "second"])
def test_any_of_the_keys_lets_in(locked, key):
    assert ask(locked, headers=bearer(key)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("third"),
        {"authorization": "Bearer"},
        bearer("firs"),
        bearer("first second"),
        {"authorization": "first"},
        {"authorization": "Basic first"},
        {"authorization": b"Bearer \xff\xfe"},
    ],
)
def test_without_a_right_key_nobody_comes_in(locked, headers):
    response = ask(locked, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    error = error_of(response)
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert "first" not in error["message"]


@pytest.mark.parametrize("path", ["models", "../metrics", "../tokenize", "../nothing"])
def test_what_is_not_open_needs_a_key(locked, path):
    assert locked.get(path).status_code == 401


@pytest.mark.parametrize("path", ["health", "docs", "openapi.json"])
def test_what_says_nothing_of_the_model_is_open(locked, path):
    assert locked.get(f"../{path}").status_code == 200
    assert locked.post(f"../{path}").status_code == 401


def test_a_request_without_a_key_is_refused_before_its_body_is_read(locked):
    response = locked.post("chat/completions", content=b"{" * 1000, headers=JSON)
    assert response.status_code == 401


# Web pages from elsewhere


@pytest.mark.parametrize(
    "host", ["localhost:99", "127.0.0.1", "[::1]:8000", "192.168.1.9", "my.localhost", "LOCALHOST"]
)
def test_a_server_answers_to_addresses_and_to_localhost(answering, host):
    assert answering.get("models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "a@127.0.0.1",
        "localhost/x",
        "[::1",
        "x:y:z",
    ],
)
def test_a_server_answers_to_no_name_that_may_be_anybodys(answering, host):
    response = answering.get("models", headers={"host": host})
    assert response.status_code == 403
    assert error_of(response)["code"] == "host_not_allowed"


def test_other_names_can_be_allowed():
    with client_of(saying(ANSWER), ServerSettings(host_names=("Box.example",))) as client:
        assert client.get("models", headers={"host": "box.example:80"}).status_code == 200
        assert client.get("models", headers={"host": "fox.example"}).status_code == 403


def test_with_a_key_names_do_not_matter(locked):
    headers = {"host": "api.example", "origin": "https://app.example", **bearer("first")}
    assert ask(locked, headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_pages_from_elsewhere_may_not_ask(answering, origin):
    response = ask(answering, headers={"origin": origin})
    assert response.status_code == 403
    assert error_of(response)["code"] == "origin_not_allowed"
    assert "access-control-allow-origin" not in response.headers


def test_the_servers_own_page_may_ask(answering):
    origin = str(answering.base_url).removesuffix("/v1/")
    assert ask(answering, headers={"origin": origin}).status_code == 200


def test_pages_may_be_allowed_by_their_origin():
    origin = "https://app.example"
    with client_of(saying(ANSWER), ServerSettings(cors_origins=(origin,))) as client:
        asks = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        preflight = client.options("chat/completions", headers=asks)
        assert preflight.status_code == 200
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        response = ask(client, headers={"origin": origin})
        assert response.headers["access-control-allow-origin"] == origin
        other = ask(client, headers={"origin": "https://evil.example"})
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers


def test_a_page_that_is_allowed_can_read_why_its_key_is_wrong():
    settings = ServerSettings(cors_origins=("*",), api_keys=("k",))
    with client_of(saying(ANSWER), settings) as client:
        response = ask(client, headers={"origin": "https://app.example", **bearer("x")})
        assert response.status_code == 401
        assert response.headers["access-control-allow-origin"] == "*"


# Bodies


@pytest.fixture(scope="module")
def small():
    """A client of a server that takes small bodies, and waits for them two seconds."""
    settings = ServerSettings(max_body_bytes=1000, body_timeout_s=2)
    with client_of(saying(ANSWER), settings) as client:
        yield client


def in_pieces(num_bytes):
    for _ in range(0, num_bytes, 100):
        yield b"x" * 100


@pytest.mark.parametrize("content", [b"x" * 1001, in_pieces(5000)], ids=["announced", "in pieces"])
def test_a_body_that_is_too_large_is_a_413(small, content):
    response = small.post("chat/completions", content=content, headers=JSON)
    assert response.status_code == 413
    error = error_of(response)
    assert error["code"] == "request_too_large"
    assert "1,000" in error["message"]
    assert ask(small).status_code == 200


def test_a_body_of_exactly_the_limit_is_read(small):
    body = json.dumps(BODY).ljust(1000).encode()
    assert small.post("chat/completions", content=body, headers=JSON).status_code == 200


def test_a_body_that_does_not_come_is_a_408(small):
    def slow():
        yield b"{"
        time.sleep(2.5)
        yield b"}"

    response = small.post("chat/completions", content=slow(), headers=JSON)
    assert response.status_code == 408
    assert "2 seconds" in error_of(response)["message"]


def deep(depth):
    """A well-formed request that is nested so deeply."""
    value = b"[" * (depth - 1) + b"]" * (depth - 1)
    return json.dumps(BODY).encode().removesuffix(b"}") + b', "metadata": ' + value + b"}"


@pytest.mark.parametrize("depth", [202, 1_000, 10_000, 1_000_000])
def test_json_nested_too_deeply_is_a_400(answering, depth):
    response = answering.post("chat/completions", content=deep(depth), headers=JSON)
    assert response.status_code == 400
    assert "deeper than 200" in error_of(response)["message"]


def schema_of(depth):
    schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


@pytest.mark.parametrize("depth", [5, 50, 95])
def test_a_schema_as_deep_as_json_may_be_breaks_nothing(answering, depth):
    function = {"name": "f", "parameters": schema_of(depth), "strict": True}
    tools = [{"type": "function", "function": function}]
    response = answering.post("chat/completions", json={**BODY, "tools": tools})
    assert response.status_code in (200, 400)


# Crowds


def test_more_requests_than_are_taken_at_once_are_a_429(monkeypatch):
    model = Gate()
    chat = chat_model(model)
    body = {**BODY, "max_tokens": 20}
    answers, came = [], {}  # by their prompts, since each is checked several times
    check = chat.engine.check

    def noting(request):
        came[id(request.prompt_ids)] = request
        return check(request)

    monkeypatch.setattr(chat.engine, "check", noting)

    def send():
        answers.append(client.post("chat/completions", json=body))

    with client_of(chat, ServerSettings(max_requests=2)) as client:
        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        until(lambda: model.num_forwards == 1 and len(came) == 2)
        # Between steps the engine takes the other in.
        until(lambda: chat.engine.stats.num_running == 2 or model.steps.release())
        response = ask(client)
        assert response.headers["retry-after"] == "1"
        assert error_of(response)["code"] == "rate_limit_exceeded"
        assert client.get("../health").status_code == 200
        model.steps.release(100)
        for thread in threads:
            thread.join(timeout=60)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert client.post("chat/completions", json=body).status_code == 200


def test_large_bodies_are_not_kept_without_limit():
    settings = ServerSettings(max_body_bytes=100_000, body_timeout_s=3, max_requests=50)

    async def send(port, more):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 99999\r\n\r\n" + b"x" * 90_000
        )
        await writer.drain()
        more.append(writer)

    async def main(port):
        writers = []
        await asyncio.gather(*(send(port, writers) for _ in range(20)))
        async with httpx.AsyncClient() as client:
            for _ in range(200):
                response = await client.post(
                    f"http://127.0.0.1:{port}/v1/chat/completions",
                    content=b"x" * 99_000,
                    headers=JSON,
                )
                if response.status_code == 429:
                    break
        for writer in writers:
            writer.close()
        return response

    with client_of(saying(ANSWER), settings) as client:
        response = asyncio.run(main(client.base_url.port))
        assert response.status_code == 429
        assert "memory" in error_of(response)["message"]
        until(lambda: ask(client).status_code == 200)


# How long, and what is left behind


def test_an_answer_that_takes_too_long_is_given_up():
    model = Gate()
    settings = ServerSettings(answer_timeout_s=0.3)
    with client_of(chat_model(model), settings) as client:
        response = ask(client)
        assert response.status_code == 504
        assert response.headers["x-should-retry"] == "false"
        error = error_of(response)
        assert error["code"] == "timeout"
        assert "0.3 seconds" in error["message"]
        text = client.post("chat/completions", json={**BODY, "stream": True}).text
        assert '"code": "timeout"' in text
        assert text.endswith("data: [DONE]\n\n")
        model.steps.release(10)


def test_the_engine_is_free_one_step_after_a_client_has_left():
    model = Gate()
    chat = chat_model(model)
    with client_of(chat) as client:
        body = {**BODY, "stream": True}
        with client.stream("POST", "chat/completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            for _ in range(3):
                model.steps.release()
            until(lambda: model.num_forwards == 4)  # the fourth waits
        time.sleep(0.2)  # the server sees that the client has left
        assert chat.engine.stats.num_running == 1
        model.steps.release()
        until(lambda: not chat.engine.has_work)
        assert model.num_forwards == 4
        assert chat.engine.stats.pages.held == 0


def test_answers_under_way_end_in_the_grace_period(monkeypatch):
    model = Gate()
    got = []

    def read(url):
        body = {**BODY, "max_tokens": 20, "stream": True}
        got.append(httpx.post(f"{url}/chat/completions", json=body, timeout=60).text)

    with serving(chat_model(model), ServerSettings(grace_s=10)) as url:
        thread = threading.Thread(target=read, args=(url,))
        thread.start()
        until(lambda: model.num_forwards > 0)
        threading.Timer(0.2, lambda: model.steps.release(40)).start()
    thread.join(timeout=60)
    assert '"finish_reason":"length"' in got[0]
    assert "stopping" not in got[0]


def test_answers_that_do_not_end_in_the_grace_period_are_told_why():
    model = Gate()
    got = []

    def read(url):
        got.append(httpx.post(f"{url}/chat/completions", json=BODY, timeout=60))

    with serving(chat_model(model), ServerSettings(grace_s=0.1)) as url:
        thread = threading.Thread(target=read, args=(url,))
        thread.start()
        until(lambda: model.num_forwards > 0)
        threading.Timer(0.3, lambda: model.steps.release(5)).start()
    thread.join(timeout=60)
    assert got[0].status_code == 503
    assert "stopping" in error_of(got[0])["message"]


# What is logged


def test_a_request_is_logged_without_its_query_and_its_text(caplog):
    settings = ServerSettings(access_log=True, api_keys=("secret-key",))
    with client_of(saying(ANSWER), settings) as client, caplog.at_level(logging.DEBUG):
        ask(client, headers=bearer("secret-key"))
        client.get("models?token=zanzibar", headers=bearer("wrong-key"))
        client.get("../a%0Ab", headers=bearer("secret-key"))
    lines = [record.message for record in caplog.records if record.name.endswith("guards")]
    assert "127.0.0.1 POST /v1/chat/completions 200" in lines[0]
    assert "GET /v1/models 401" in lines[1]
    assert "GET /a%0Ab 404" in lines[2]
    told = [r.getMessage() for r in caplog.records if r.name.startswith(("netweight", "uvicorn"))]
    for word in ("zanzibar", "secret-key", "wrong-key", "27 + 15"):
        assert not any(word in line for line in told)


def test_a_request_is_not_logged_unless_asked(answering, caplog):
    with caplog.at_level(logging.DEBUG):
        ask(answering)
    assert not [record for record in caplog.records if record.name.endswith("guards")]
