import socket

import httpx
import pytest

from netweight.errors import ServerError
from netweight.server import base_url, listen, serving
from tests.server.conftest import ANSWER, saying


@pytest.fixture
def taken():
    """A port that is in use."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_a_port_in_use_is_refused_with_a_remedy(taken):
    with pytest.raises(ServerError, match=f"port {taken} on 127.0.0.1 is in use.*--port 0"):
        listen("127.0.0.1", taken)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", "a" * 300])
def test_a_host_that_is_not_this_machine_is_refused(host):
    with pytest.raises(ServerError, match="not an address of this machine"):
        listen(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_url_is_one_that_this_machine_can_open(host):
    with listen(host, 0) as sock:
        assert base_url(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}/v1"


def test_serving_lasts_as_long_as_its_block_and_can_be_repeated():
    for _ in range(2):
        with serving(saying(ANSWER)) as url:
            assert httpx.get(f"{url}/models").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/models")


def test_serving_on_a_port_in_use_says_so(taken):
    with pytest.raises(ServerError, match="in use"), serving(saying(ANSWER), port=taken):
        pass


def test_an_error_in_the_block_stops_the_server():
    urls = []
    with pytest.raises(ZeroDivisionError), serving(saying(ANSWER)) as url:
        urls.append(url)
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(urls[0])


def test_a_server_that_cannot_start_says_so(monkeypatch, caplog):
    model = saying(ANSWER)
    monkeypatch.setattr("netweight.server.worker.Worker.start", lambda self: 1 / 0)
    monkeypatch.setattr("netweight.server.worker.Worker.stop", lambda self: None)
    with pytest.raises(ServerError, match="did not start"), serving(model):
        pass
    assert "ZeroDivisionError" in caplog.text
