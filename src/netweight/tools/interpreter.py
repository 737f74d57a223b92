"""A Python interpreter in a sandbox, which runs one cell after another.

Between cells it is frozen, and so is what cells have left running. Knows the sandbox and
`cells.py`, the program inside; knows no conversation.
"""

import os
import secrets
import select
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from netweight.errors import ToolError
from netweight.tools import sandbox
from netweight.tools.cells import LENGTH_BYTES, NONCE_BYTES

_PROGRAM = Path(__file__).with_name("cells.py")
_PLACE = PurePosixPath("/run/cells.py")  # in the sandbox, away from the files of cells
_LOOK_S = 0.05  # how often to see whether a cell has run for too long, or is to be stopped
_WEIGH_S = 0.25  # how often to see how much memory it holds, which takes 5 ms
_YIELD_S = 2.0  # that an interrupted cell has to end by itself
_START_S = 60.0  # takes 0.1 s where nothing else runs

_Asked = Callable[[], bool]


class Ran(NamedTuple):
    """What came of a cell."""

    output: str
    interrupted: str | None  # why; None: it ran to its end, or to an exception
    ended: str | None  # why the interpreter is no more; None: it goes on


class Interpreter:
    """One interpreter. It has to be closed, also when it has ended."""

    def __init__(self, limits: sandbox.Limits) -> None:
        """Start one, without waiting for it. It ends with the thread that calls this.

        Raises:
            ToolError: when the sandbox cannot be started.
        """
        self._limits = limits
        with ExitStack() as theirs, ExitStack() as ours:
            commands_fd, self._commands_fd = _pipe(theirs, ours)
            self._replies_fd, replies_fd = _pipe(ours, theirs)
            self._sandbox = _start(limits, commands_fd, replies_fd)
            os.set_blocking(self._commands_fd, False)
            self._fds = ours.pop_all()
        self._is_open = True

    def wait(self) -> None:
        """Wait until it runs cells.

        Raises:
            ToolError: when it does not; gives its own words.
        """
        limits = replace(self._limits, wall_s=_START_S)
        ran = self._run("", _Patience(limits, lambda: False, lambda: False))
        if ran.interrupted or ran.ended:
            words = " ".join(ran.output.split()) or ran.ended or ran.interrupted
            raise ToolError(f"python does not start in the sandbox: {words}.")

    def run(self, source: str, *, is_stopped: _Asked, is_given_up: _Asked) -> Ran:
        """Run a cell. When stopped it is interrupted first; when given up, all ends at once.

        Raises:
            ToolError: when the sandbox does not end.
        """
        return self._run(source, _Patience(self._limits, is_stopped, is_given_up))

    def close(self) -> None:
        """End it, and all that it has started.

        Raises:
            ToolError: when something does not die.
        """
        if self._is_open:
            self._end(sandbox.Capture(0))

    def _run(self, source: str, patience: "_Patience") -> Ran:
        capture = sandbox.Capture(self._limits.output_bytes)
        self._sandbox.thaw()
        end = self._follow(source.encode(errors="replace"), capture, patience)
        if end is None and not self._sandbox.freeze():
            end = "it starts processes without end"
        if end is None:
            sandbox.drain(self._sandbox.output_fd, capture, 0)
            return Ran(capture.text(), patience.interrupted, None)
        if not end:
            sandbox.drain(self._sandbox.output_fd, capture, time.monotonic() + _YIELD_S)
        how = self._end(capture)
        return Ran(capture.text(), patience.interrupted, end or how or "exit code 0")

    def _follow(self, code: bytes, capture: sandbox.Capture, patience: "_Patience") -> str | None:
        """Send a cell, and take in what it prints until it has ended, which is None.

        Else why there can be no other, which is "" where the interpreter is ending by itself.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        command = nonce + len(code).to_bytes(LENGTH_BYTES, "big") + code
        output_fd, reply = self._sandbox.output_fd, b""
        poller = select.poll()
        poller.register(output_fd, select.POLLIN)
        poller.register(self._replies_fd, select.POLLIN)
        poller.register(self._commands_fd, select.POLLOUT)
        while patience.lasts(self._sandbox):
            ready = {fd for fd, _ in poller.poll(_LOOK_S * 1000)}
            if output_fd in ready and not self._read_output(capture):
                return ""
            if self._commands_fd in ready:
                command = self._write(command)
                if not command:
                    poller.unregister(self._commands_fd)
            if self._replies_fd in ready:
                more = os.read(self._replies_fd, NONCE_BYTES + 1)
                reply += more
                if reply == nonce:
                    return None
                if not more:
                    return ""
                if not nonce.startswith(reply):
                    return "its code wrote to a descriptor that is not its own"
        return patience.why

    def _read_output(self, capture: sandbox.Capture) -> bool:
        """Take in some of what was printed; whether there can be more."""
        data = os.read(self._sandbox.output_fd, 2**16)
        capture.add(data)
        return bool(data)

    def _write(self, command: bytes) -> bytes:
        """Send some of a command; what is left to send."""
        try:
            return command[os.write(self._commands_fd, command) :]
        except BrokenPipeError:  # nobody is left to read it; output will end too
            return b""

    def _end(self, capture: sandbox.Capture) -> str | None:
        self._is_open = False
        with self._fds:
            return self._sandbox.end(capture)


@dataclass
class _Patience:
    """When a cell is interrupted, and when it is given up."""

    limits: sandbox.Limits
    is_stopped: _Asked
    is_given_up: _Asked
    interrupted: str | None = None
    why: str = "it was closed"  # it is given up
    _deadline_s: float = field(init=False)
    _heeds_s: float = field(init=False)
    _weigh_s: float = field(init=False)

    def __post_init__(self) -> None:
        now_s = time.monotonic()
        self._deadline_s, self._weigh_s = now_s + self.limits.wall_s, now_s + _WEIGH_S
        self._heeds_s = now_s + _LOOK_S  # what has hardly begun would miss its interrupt

    def lasts(self, running: sandbox.Sandbox) -> bool:
        """Whether to go on waiting; interrupts the cell when its time has come."""
        now_s = time.monotonic()
        is_late = now_s >= self._deadline_s
        if self.is_given_up() or self._is_too_heavy(running, now_s):
            return False
        if is_late and self.interrupted:
            self.why = "it went on when it was interrupted"
            return False
        is_asked = now_s >= self._heeds_s and self.is_stopped()
        if not self.interrupted and (is_late or is_asked):
            self.interrupted = f"after {self.limits.wall_s:g} s" if is_late else "on request"
            self._deadline_s = now_s + _YIELD_S
            running.interrupt()
        return True

    def _is_too_heavy(self, running: sandbox.Sandbox, now_s: float) -> bool:
        if now_s < self._weigh_s:
            return False
        self._weigh_s = now_s + _WEIGH_S
        if running.memory_bytes() <= self.limits.memory_bytes:
            return False
        most_mib = self.limits.memory_bytes / 2**20
        self.why = f"its processes took more than {most_mib:g} MiB of memory together"
        return True


def _pipe(for_reading: ExitStack, for_writing: ExitStack) -> tuple[int, int]:
    """A pipe's two ends, which are closed with the stacks."""
    reader, writer = os.pipe()
    for_reading.callback(os.close, reader)
    for_writing.callback(os.close, writer)
    return reader, writer


def _start(limits: sandbox.Limits, commands_fd: int, replies_fd: int) -> sandbox.Sandbox:
    """Start the interpreter that runs us, with `cells.py` and without our own packages."""
    prefix, version = Path(sys.base_prefix).resolve(), sys.version_info
    python = prefix / "bin" / f"python{version.major}.{version.minor}"
    unbuffered = "-u"  # what was printed before a kill counts
    return sandbox.start(
        [str(python), unbuffered, str(_PLACE), str(commands_fd), str(replies_fd)],
        files={str(_PLACE): _PROGRAM.read_bytes()},
        readable=[prefix],
        limits=limits,
        fds=[commands_fd, replies_fd],
    )
