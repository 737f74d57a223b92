"""`netweight serve` as a process: what it says, and how it ends."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import httpx


@contextmanager
def serving(*arguments, **kwargs):
    """The process and a client of it."""
    command = [sys.executable, "-W", "error", "-m", "netweight", "serve", *map(str, arguments)]
    with subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    ) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            transport = httpx.HTTPTransport(retries=5)
            with httpx.Client(base_url=url, transport=transport, timeout=20) as client:
                client.get("../health")
                yield process, client
        finally:
            process.kill()


def test_an_answer_under_way_ends_before_the_server_does(tiny_folder):
    with serving(tiny_folder, "--host", "0.0.0.0", "--grace", 20) as (process, client):
        body = {"model": "tiny", "prompt": "a", "stream": True, "max_tokens": 100, "seed": 6}
        with client.stream("POST", "completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            process.send_signal(signal.SIGTERM)
            text = "\n".join(lines)
        assert text.rstrip().endswith("data: [DONE]")
        assert re.search(r'"finish_reason": "(length|stop)"', text)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert "other machines can use this server, and it asks for no key" in errors
    assert "Traceback" not in errors


def test_a_second_ctrl_c_ends_the_server_at_once_and_without_an_error(tiny_folder):
    with serving(tiny_folder, "--grace", 60) as (process, client):
        body = {"model": "tiny", "prompt": "a", "stream": True, "max_tokens": 400, "seed": 6}
        with client.stream("POST", "completions", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)  # the first has to be seen as one of its own
            process.send_signal(signal.SIGINT)
            with suppress(httpx.RemoteProtocolError):
                list(lines)
        told, errors = process.stdout.read(), process.stderr.read()
        process.wait(10)
    assert process.returncode in (0, -signal.SIGINT)
    assert "Traceback" not in told + errors


def test_keys_are_asked_for_and_not_shown(tiny_folder, tmp_path):
    file = tmp_path / "keys"
    file.write_text("zanzibar\n")
    arguments = [tiny_folder, "--host", "0.0.0.0", "--api-key-file", file]
    with serving(*arguments) as (process, client):
        assert client.get("models").status_code == 401
        headers = {"authorization": "Bearer zanzibar"}
        assert client.get("models", headers=headers).status_code == 200
        process.send_signal(signal.SIGINT)
        # Not communicate(), which would leave out what readline() has already buffered.
        told, errors = process.stdout.read(), process.stderr.read()
        process.wait(20)
    assert process.returncode == 0
    assert "Authorization: Bearer YOUR_KEY" in told
    assert "other machines" not in errors
    assert "zanzibar" not in told + errors


def test_kept_responses_outlive_the_server(tiny_folder, tmp_path):
    file = tmp_path / "responses.sqlite"
    asked = {"model": "tiny", "input": "a", "max_output_tokens": 5, "seed": 6}
    ids, num_read = [], []
    for _ in range(2):
        with serving(tiny_folder, "--store", file) as (process, client):
            following = {"previous_response_id": ids[-1]} if ids else {}
            answer = client.post("responses", json=asked | following)
            assert answer.status_code == 200, answer.text
            assert answer.json()["previous_response_id"] == (ids[-1] if ids else None)
            ids.append(answer.json()["id"])
            num_read.append(answer.json()["usage"]["input_tokens"])
            assert client.get(f"responses/{ids[0]}").json()["output"]
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    assert num_read[1] > num_read[0]  # what was said before the restart as well


def test_a_store_that_cannot_be_had_is_told_before_the_weights_are_loaded(tmp_path):
    file = tmp_path / "missing" / "store"
    command = [sys.executable, "-m", "netweight", "serve", "no weights", "--store", file]
    done = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"there is no folder {file.parent}. Make it" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
