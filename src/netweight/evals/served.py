"""A server of this machine's own, started for a while: `netweight serve` in another process.

Evaluations see a model only over HTTP, whoever serves it.
"""

import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from threading import Thread
from typing import IO
from urllib.request import urlopen

from netweight.errors import WeighError

_ADDRESS = re.compile(r" served at (http://\S+) ")
_START_TIMEOUT_S = 30.0
_PAUSE_S = 0.05
_END_TIMEOUT_S = 20.0
_NUM_LAST_LINES = 20


class Server:
    """`netweight serve MODEL` on a free port of this machine, until it is closed."""

    def __init__(self, model: str, options: Sequence[str] = ()) -> None:
        """Start it, and wait until it serves; loading a large model takes minutes.

        Raises:
            WeighError: when it ends before it serves, with what it said.
        """
        command = [sys.executable, "-m", "netweight", "serve", model, "--port", "0", *options]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        self._said: IO[str] = self._process.stdout
        self.base_url = self._address()
        # What else it says would fill the pipe if nobody read it.
        self._reader = Thread(target=self._read_on, daemon=True)
        self._reader.start()
        self._wait_until_it_answers()

    def _address(self) -> str:
        last = deque[str](maxlen=_NUM_LAST_LINES)
        for line in self._said:
            last.append(line)
            if address := _ADDRESS.search(line):
                return address[1]
        self._said.close()
        code = self._process.wait()
        told = "".join(last).strip() or f"it ended with code {code}"
        raise WeighError(f"no server started: {told}")

    def _wait_until_it_answers(self) -> None:
        """It says its address a moment before it takes requests."""
        health = f"{self.base_url.removesuffix('/v1')}/health"
        for _ in range(round(_START_TIMEOUT_S / _PAUSE_S)):
            try:
                with urlopen(health, timeout=_START_TIMEOUT_S):
                    return
            except OSError:
                time.sleep(_PAUSE_S)
        self.close()
        raise WeighError(f"the server at {self.base_url} does not answer")

    def _read_on(self) -> None:
        for _ in self._said:
            pass

    def close(self) -> None:
        """End it; answers under way are given up."""
        self._process.terminate()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_END_TIMEOUT_S)
        self._said.close()
