"""Worker processes: ours and the peers', and the one way to ask any of them.

A peer may live in another environment: NETWEIGHT_PEER_PYTHON names its Python.
"""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from netweight.errors import BenchError

PEER_PYTHON = "NETWEIGHT_PEER_PYTHON"

PeerName = Literal["llama.cpp", "transformers", "gpt-oss"]
PEERS: tuple[PeerName, ...] = ("llama.cpp", "transformers", "gpt-oss")
_MODULES: dict[PeerName, str] = {
    "llama.cpp": "llama_cpp",
    "transformers": "transformers, accelerate",
    "gpt-oss": "gpt_oss.triton.model",
}
_HOW_TO_GET: dict[PeerName, str] = {
    "llama.cpp": (
        "llama-cpp-python is missing ({problem}). Build it with: CC=clang CXX=clang++ "
        "{python} -m pip install llama-cpp-python (gcc 12's AMX code crashes)."
    ),
    "transformers": (
        "transformers is missing ({problem}). Get it with: "
        "{python} -m pip install transformers accelerate."
    ),
    "gpt-oss": (
        "gpt_oss is missing ({problem}). Get it, and the kernels that it needs, as "
        "https://github.com/openai/gpt-oss says of its Triton implementation."
    ),
}


class TookTooLong(BenchError):
    """A worker that was ended because it did not answer in time."""


class _Tail(threading.Thread):
    """The last lines that a process writes to standard error, read so that it never blocks."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        super().__init__(daemon=True)
        self._process = process
        self._lines: deque[str] = deque(maxlen=20)
        self.start()

    def run(self) -> None:
        """Read until the process closes it."""
        assert self._process.stderr is not None
        with self._process.stderr as errors:
            self._lines.extend(errors)

    def last(self) -> str:
        """The last of them, once the process has ended: the gist of a traceback."""
        self.join()
        return self._lines[-1].strip() if self._lines else "it said nothing"


class Process:
    """A worker at the other end of a pipe; leaving the context ends it."""

    def __init__(
        self, command: Sequence[str], *, num_threads: int, more: Mapping[str, str] | None = None
    ) -> None:
        """Start it, with `more` in its environment.

        What it writes to standard error is kept for the message when it dies.
        """
        environment = {**os.environ, "OMP_NUM_THREADS": str(num_threads), **(more or {})}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._errors = _Tail(self._process)

    def __enter__(self) -> "Process":
        """Nothing more to do."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker."""
        self.close()

    def close(self) -> None:
        """End the worker: at once if it is in the middle of something."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._errors.join()
        with suppress(BrokenPipeError):  # a command that nobody will read
            self._process.stdin.close()
        self._process.stdout.close()

    def ask(
        self,
        do: str,
        *,
        timeout_s: float | None = None,
        **arguments: Any,  # noqa: ANN401  # JSON
    ) -> dict[str, Any]:
        """Have a command done and return its answer; the worker is ended if it takes longer.

        Raises:
            TookTooLong: when it took longer.
            BenchError: when the command cannot be done, or the worker died over it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with _ended_after(self._process, timeout_s) as is_late:
            try:
                self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
            except BrokenPipeError:
                line = ""
        if not line and is_late.is_set():
            raise TookTooLong(f"{do} took longer than {timeout_s:.0f} s")
        if not line:
            status = self._process.wait()
            raise BenchError(f"the worker ended with {status} in {do}: {self._errors.last()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer


@contextmanager
def _ended_after(
    process: "subprocess.Popen[str]", timeout_s: float | None
) -> Iterator[threading.Event]:
    """End a process after so long; the event says whether that was done."""
    is_late = threading.Event()
    if timeout_s is None:
        yield is_late
        return

    def end() -> None:
        is_late.set()
        process.kill()

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


def start_ours(*, num_threads: int) -> Process:
    """A process of our own model."""
    return Process([sys.executable, "-m", "netweight.bench.worker"], num_threads=num_threads)


def start_peer(name: PeerName = "llama.cpp", *, num_threads: int) -> Process:
    """A process of a peer.

    Raises:
        BenchError: when the peer is not there; says how to get it.
    """
    check_peer(name)
    here = Path(__file__)
    if name == "llama.cpp":
        script = [str(here.with_name("peer_worker.py"))]
    else:
        script = [str(here.with_name("torch_peers.py")), name]
    # Without a script's folder among those of modules, where ours would stand for others' names.
    more = {"PYTHONSAFEPATH": "1"}
    return Process([peer_python(), *script], num_threads=num_threads, more=more)


def peer_python() -> str:
    """The Python that runs peers."""
    return os.environ.get(PEER_PYTHON) or sys.executable


def check_peer(name: PeerName = "llama.cpp") -> None:
    """Raise BenchError when a peer cannot be imported there."""
    python = peer_python()
    problem = _peer_problem(python, _MODULES[name])
    if problem is None:
        return
    raise BenchError(
        _HOW_TO_GET[name].format(problem=problem, python=python)
        + f" It may be in an environment of its own: {PEER_PYTHON} names that one's Python."
    )


@cache
def _peer_problem(python: str, modules: str) -> str | None:
    try:
        done = subprocess.run(
            [python, "-c", f"import {modules}"], capture_output=True, text=True, timeout=120
        )
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
