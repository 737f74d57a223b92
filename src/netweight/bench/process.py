"""Worker processes: ours and llama.cpp's, and the one way to ask either.

The peer may live in another environment: NETWEIGHT_PEER_PYTHON names its Python.
"""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from netweight.errors import BenchError

PEER_PYTHON = "NETWEIGHT_PEER_PYTHON"


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

    def __init__(self, command: Sequence[str], *, num_threads: int) -> None:
        """Start it. What it writes to standard error is kept for the message when it dies."""
        environment = os.environ | {"OMP_NUM_THREADS": str(num_threads)}
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

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
        """Have a command done and return its answer.

        Raises:
            BenchError: when the command cannot be done, or the worker died over it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self._process.wait()
            raise BenchError(f"the worker ended with {status} in {do}: {self._errors.last()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer


def start_ours(*, num_threads: int) -> Process:
    """A process of our own model."""
    return Process([sys.executable, "-m", "netweight.bench.worker"], num_threads=num_threads)


def start_peer(*, num_threads: int) -> Process:
    """A process of llama.cpp.

    Raises:
        BenchError: when llama-cpp-python is not there; says how to get it.
    """
    check_peer()
    script = Path(__file__).with_name("peer_worker.py")
    return Process([peer_python(), str(script)], num_threads=num_threads)


def peer_python() -> str:
    """The Python that runs llama.cpp."""
    return os.environ.get(PEER_PYTHON) or sys.executable


def check_peer() -> None:
    """Raise BenchError when llama-cpp-python cannot be imported there."""
    problem = _peer_problem(peer_python())
    if problem is None:
        return
    raise BenchError(
        f"llama-cpp-python is missing ({problem}). Build it with: CC=clang CXX=clang++ "
        f"{peer_python()} -m pip install llama-cpp-python (gcc 12's AMX code crashes). It may be "
        f"in an environment of its own: {PEER_PYTHON} names that one's Python."
    )


@cache
def _peer_problem(python: str) -> str | None:
    try:
        done = subprocess.run(
            [python, "-c", "import llama_cpp"], capture_output=True, text=True, timeout=120
        )
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
