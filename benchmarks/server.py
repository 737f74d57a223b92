"""What does serving cost beside computing, with 64 clients that read streams at once?

    python -m benchmarks.server [--seconds 60] [--clients 64] [--no-record]

Clients ask nano over HTTP, each one question after the other, and read the answers as they are
written. Every stream has to be whole and equal to what the same question gets without streaming;
otherwise there is no result. Times are the clients'. Processor time is the server's own count, of
the engine's thread and of all others; the same questions are also put to the engine without a
server. A server of llama-cpp-python gets the same load, if NETWEIGHT_PEER_PYTHON names a Python
that has it.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx
import uvloop

from benchmarks import load
from benchmarks.record import append
from netweight import nano
from netweight.bench import check_peer, convert
from netweight.bench.gguf_words import read_words
from netweight.bench.process import peer_python
from netweight.engine import Finish, Request, Sampling, Token
from netweight.errors import BenchError
from netweight.harmony import Message, Vocabulary, render_for_completion
from netweight.model import Checkpoint, find_model, set_num_threads
from netweight.server import ChatModel, listen
from netweight.server.serve import LOOPBACK

NUM_QUESTIONS = 64
MAX_TOKENS = 200
START_S = 120
THINGS = ("cat", "boat", "kite", "robot", "garden", "lamp", "river", "train")


class Answer(NamedTuple):
    """What a client was told in all."""

    reasoning: str
    content: str
    finish_reason: str


def main() -> None:
    """Measure and append one row."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    with served("nano") as url:
        row = measured(url, options.clients, options.seconds)
    row |= alone(options.clients) | peer(options.clients, options.seconds)
    for name, value in row.items():
        print(f"{name:28} {value}", file=sys.stderr)
    if not options.no_record:
        append("server", row)


def questions() -> list[str]:
    """Sums and stories, which nano can answer."""
    return [
        f"What is {11 + 7 * i % 80} + {13 + 5 * i % 70}?"
        if i % 2
        else f"Tell me a story about a {THINGS[i // 2 % len(THINGS)]}."
        for i in range(NUM_QUESTIONS)
    ]


def bodies() -> list[load.Body]:
    """The questions as requests for chat completions."""
    return [
        {
            "model": "nano",
            "messages": [{"role": "user", "content": text}],
            "temperature": 0,
            "max_completion_tokens": MAX_TOKENS,
        }
        for text in questions()
    ]


@contextmanager
def served(model: str) -> Iterator[str]:
    """A server of the model in another process; its address, ending in /v1."""
    with listen(LOOPBACK, 0) as sock:  # which port is free; nobody else takes it so soon
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "netweight", "serve", model, "--port", str(port)]
    with running(command, port) as url:
        yield url


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[str]:
    """A server in another process, from when it answers; its address, ending in /v1."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://{LOOPBACK}:{port}/v1"
        try:
            deadline = time.monotonic() + START_S
            while not _answers(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{' '.join(command)} does not serve")
                time.sleep(0.2)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/models").status_code == 200
    except httpx.TransportError:
        return False


def measured(url: str, num_clients: int, seconds: float) -> dict[str, Any]:
    """What clients saw and what it cost."""
    twins = [_whole(url, body) for body in bodies()]

    def check(stream: load.Stream) -> None:
        answer = _joined(stream.events())
        if answer != twins[stream.key]:
            sys.exit(f"streamed: {answer}\nwhole:    {twins[stream.key]}")

    before = _counts(url)
    started = time.perf_counter()
    streams = uvloop.run(
        load.run(
            f"{url}/chat/completions",
            [{**body, "stream": True} for body in bodies()],
            num_clients=num_clients,
            duration_s=seconds,
            check=check,
        )
    )
    elapsed_s = time.perf_counter() - started
    after = _counts(url)
    return {
        "clients": num_clients,
        "seconds": round(elapsed_s, 1),
        "num_streams": len(streams),
        **_times(streams),
        **_costs({name: after[name] - before[name] for name in after}, elapsed_s),
    }


def _whole(url: str, body: load.Body) -> Answer:
    """The answer without streaming."""
    response = httpx.post(f"{url}/chat/completions", json=body, timeout=60)
    response.raise_for_status()
    [choice] = response.json()["choices"]
    message = choice["message"]
    return Answer(message["reasoning"] or "", message["content"] or "", choice["finish_reason"])


def _joined(chunks: Sequence[load.Body]) -> Answer:
    """The answer that a stream's chunks make together; they have to be of one completion."""
    if len({chunk["id"] for chunk in chunks}) != 1:
        sys.exit("chunks of several completions are mixed")
    choices = [chunk["choices"][0] for chunk in chunks]
    reasons = [choice["finish_reason"] for choice in choices]
    if set(reasons[:-1]) != {None}:
        sys.exit(f"an answer went on after its end: {reasons}")
    return Answer(
        "".join(choice["delta"].get("reasoning") or "" for choice in choices),
        "".join(choice["delta"].get("content") or "" for choice in choices),
        reasons[-1],
    )


def _counts(url: str) -> dict[str, float]:
    """The server's own counts, those without labels."""
    text = httpx.get(f"{url.removesuffix('/v1')}/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


def _times(streams: Sequence[load.Stream]) -> dict[str, float]:
    """When things came, in milliseconds. A stream's first piece only opens it.

    A piece has one token, or those of several steps where steps are quick.
    """
    first = [stream.times_s[1] - stream.started_s for stream in streams]
    between = [
        later - earlier
        for stream in streams
        for earlier, later in pairwise(stream.times_s[1:-1])  # the last piece is [DONE]
    ]
    times = {"first_token": first, "between_pieces": between}
    return {
        f"{name}_{share}_ms": round(1000 * _quantile(values, share), 2)
        for name, values in times.items()
        for share in ("p50", "p99")
    }


def _quantile(values: Sequence[float], share: str) -> float:
    return statistics.quantiles(values, n=100)[int(share.removeprefix("p")) - 1]


def _costs(counted: dict[str, float], elapsed_s: float) -> dict[str, float]:
    """Processor time for each token, of the engine and of everything else in the server."""
    num_tokens = counted["netweight_generation_tokens_total"]
    engine_s = counted["netweight_engine_cpu_seconds_total"]
    others_s = counted["netweight_process_cpu_seconds_total"] - engine_s
    return {
        "num_tokens": int(num_tokens),
        "tokens_per_s": round(num_tokens / elapsed_s, 1),
        "tokens_per_step": round(num_tokens / counted["netweight_engine_steps_total"], 1),
        "engine_us_per_token": round(1e6 * engine_s / num_tokens, 1),
        "server_us_per_token": round(1e6 * others_s / num_tokens, 1),
        "server_share_of_engine": round(others_s / engine_s, 4),
    }


def alone(num_at_once: int) -> dict[str, float]:
    """The same questions, as many at once, put to an engine without a server."""
    set_num_threads(1)
    chat_model = ChatModel.load(find_model("nano"))
    engine, vocabulary = chat_model.engine, chat_model.vocabulary
    waiting = deque(
        Request(
            render_for_completion(vocabulary, [Message.system(), Message.user(text)]),
            Sampling(temperature=0),
            vocabulary.stop_ids,
            MAX_TOKENS,
        )
        for text in 2 * questions()
    )
    num_tokens, started_s, cpu_s = 0, time.perf_counter(), time.thread_time()
    for _ in range(num_at_once):
        engine.submit(waiting.popleft())
    while engine.has_work:
        for event in engine.step():
            num_tokens += isinstance(event, Token)
            if isinstance(event, Finish) and waiting:
                engine.submit(waiting.popleft())
    return {
        "alone_tokens_per_s": round(num_tokens / (time.perf_counter() - started_s), 1),
        "alone_us_per_token": round(1e6 * (time.thread_time() - cpu_s) / num_tokens, 1),
    }


def peer(num_clients: int, seconds: float) -> dict[str, Any]:
    """The same load on the server of llama-cpp-python; says so where there is none.

    It gets the questions as the model reads them, since it knows no Harmony.
    """
    try:
        check_peer()
    except BenchError as error:
        return {"peer": None, "peer_note": str(error)}
    with TemporaryDirectory() as folder, listen(LOOPBACK, 0) as sock:
        port = sock.getsockname()[1]
        sock.close()
        file = Path(folder) / "nano.gguf"
        words = read_words(nano.FOLDER / "tokenizer.json")
        convert(Checkpoint.open(nano.FOLDER), file, dense="bf16", words=words)
        options = {"model": file, "port": port, "n_ctx": 1024, "interrupt_requests": "false"}
        options |= {"n_threads": 1, "n_threads_batch": 1}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with running([peer_python(), "-m", "llama_cpp.server", *arguments], port) as url:
            return _measured_peer(url, num_clients, seconds)


def _measured_peer(url: str, num_clients: int, seconds: float) -> dict[str, Any]:
    vocabulary = Vocabulary.load(nano.FOLDER)
    bodies = [
        {
            "prompt": vocabulary.decode(
                render_for_completion(vocabulary, [Message.system(), Message.user(text)])
            ),
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "stop": ["<|return|>"],
        }
        for text in questions()
    ]
    whole = [httpx.post(f"{url}/completions", json=body, timeout=60).json() for body in bodies]
    started = time.perf_counter()
    streams = uvloop.run(
        load.run(
            f"{url}/completions",
            [{**body, "stream": True} for body in bodies],
            num_clients=num_clients,
            duration_s=seconds,
            check=load.Stream.events,
        )
    )
    elapsed_s = time.perf_counter() - started
    num_tokens = sum(whole[stream.key]["usage"]["completion_tokens"] for stream in streams)
    return {
        "peer": f"llama-cpp-python {_peer_version()}",
        "peer_tokens_per_s": round(num_tokens / elapsed_s, 1),
        **{f"peer_{name}": value for name, value in _times(streams).items()},
    }


def _peer_version() -> str:
    command = "from importlib.metadata import version; print(version('llama-cpp-python'))"
    done = subprocess.run(
        [peer_python(), "-c", command], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
