"""Running a command where it can do no harm: bubblewrap, and a limit on whatever it could use up.

The command sees the system's programs and libraries, which it cannot change, and a small disk in
memory that goes when it ends. It sees no network, no file of the user's, no other process and no
environment variable of ours. What it starts ends with it. Where bubblewrap cannot run, nothing
runs: there is no way around the sandbox.

One thing has only a loose limit: the memory of all its processes together, which is `num_processes`
times `memory_bytes`. The kernel, when short of memory, takes them before anything else, and whoever
started a sandbox can watch it.

Knows nothing of models or of programming languages.
"""

import os
import platform
import secrets
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from netweight.errors import ToolError
from netweight.tools import seccomp
from netweight.tools.processes import Process, descendants, memory_bytes

HOME = PurePosixPath("/tmp")  # of the sandbox, where it is all there is to write to
_DRIVE = PurePosixPath("/mnt/data")  # another name of it, the one that gpt-oss was trained with
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_PACKAGES = {"bwrap": "bubblewrap", "prlimit": "util-linux", "choom": "util-linux"}
_STAND_INS = range(30_000, 60_000)  # user ids that hardly any system gives out
_LAST_WORDS_S = 5.0  # a sandbox that was killed is gone in milliseconds
_FREEZE_S = 2.0  # takes milliseconds, unless processes are born all the time


@dataclass(frozen=True)
class Limits:
    """What a command may use up. Its processes share the disk, twice: at home and in /dev/shm."""

    wall_s: float = 120.0
    cpu_s: int = 600  # of each process
    memory_bytes: int = 2**30  # address space of each process; of all together, if watched
    num_processes: int = 16  # threads count too
    num_files: int = 256  # open at once, of each process
    disk_bytes: int = 64 * 2**20
    file_bytes: int = 32 * 2**20  # the largest file
    output_bytes: int = 16 * 2**10  # of what is printed, the beginning and the end are kept


class Outcome(NamedTuple):
    """What came of a command: what it printed, and how it ended where that was not exit code 0."""

    output: str
    trouble: str | None


def unavailable_because() -> str | None:
    """Why there is no sandbox on this machine, and the remedy; None when there is one.

    Finds out by running `true` in it, which takes some milliseconds.
    """
    if platform.system() != "Linux" or platform.machine() not in seccomp.MACHINES:
        return f"the sandbox needs Linux on {' or '.join(seccomp.MACHINES)}."
    for program, package in _PACKAGES.items():
        if shutil.which(program) is None:
            return (
                f"there is no {program} here; install {package}, as in: apt-get install {package}."
            )
    outcome = run(["true"])
    if outcome.trouble is None:
        return None
    words = " ".join(outcome.output.split()) or outcome.trouble
    return (
        f"bubblewrap does not run here ({words}); it needs version 0.8 and the right to make user "
        "namespaces: see kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns and your container's seccomp profile."
    )


def run(
    command: Sequence[str],
    *,
    files: Mapping[str, bytes] | None = None,
    readable: Sequence[Path] = (),
    limits: Limits = Limits(),  # frozen, so sharing it is safe
) -> Outcome:
    """Run a command in a sandbox of its own, and wait for it.

    The arguments are those of `start`. Standard output and error come back as one text, in the
    order in which they were written. Whatever the command does is told in the outcome.

    Raises:
        ToolError: when bubblewrap cannot be started or stopped.
    """
    capture = Capture(limits.output_bytes)
    sandbox = start(command, files=files, readable=readable, limits=limits)
    try:
        is_late = not drain(sandbox.output_fd, capture, time.monotonic() + limits.wall_s)
    finally:
        trouble = sandbox.end(capture)
    return Outcome(capture.text(), f"stopped after {limits.wall_s:g} s" if is_late else trouble)


def start(
    command: Sequence[str],
    *,
    files: Mapping[str, bytes] | None = None,
    readable: Sequence[Path] = (),
    limits: Limits = Limits(),  # frozen, so sharing it is safe
    fds: Sequence[int] = (),
) -> "Sandbox":
    """Start a command in a sandbox of its own.

    `files` are put into its home folder, where it starts, by name, or elsewhere, by absolute path;
    `readable` are folders of this machine that it may read besides the system's. It gets the
    descriptors `fds`, under the same numbers. It ends at the latest with the thread that called
    this: the kernel ties a process to the thread that started it.

    Raises:
        ToolError: when bubblewrap cannot be started.
    """
    with ExitStack() as stack:
        data = {
            name: stack.enter_context(_in_memory(content))
            for name, content in (files or {}).items()
        }
        filter_fd = stack.enter_context(_in_memory(seccomp.deny_filter()))
        arguments = [*_bubblewrap(data, filter_fd, readable, limits), *_limited(limits), *command]
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[*data.values(), filter_fd, *fds],
                process_group=0,  # Ctrl-C in our terminal is not for it
            )
        except OSError as error:
            raise ToolError(f"the sandbox cannot be started: {error}.") from error
    return Sandbox(process, limits)


class Sandbox:
    """A command that was started in a sandbox. `end` has to be called, even if it ends by itself.

    Bubblewrap runs outside, then as the first process inside, and the command is that one's child.
    """

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        """`process` is bubblewrap."""
        assert process.stdout is not None, "standard output is a pipe"
        self._process = process
        self._output = process.stdout
        self._limits = limits

    @property
    def output_fd(self) -> int:
        """What is printed inside. Bubblewrap holds it to the last: its end is the sandbox's."""
        return self._output.fileno()

    def interrupt(self) -> None:
        """Do as Ctrl-C in a terminal does, which leaves alone what went into the background.

        Processes that were stopped are woken for it.
        """
        inside = self._inside()
        first = {process.parent_id for process in inside[:1]}  # whose group the command is in
        self._send(signal.SIGINT, [process for process in inside if process.group_id in first])
        self._send(signal.SIGCONT, inside)

    def freeze(self) -> bool:
        """Stop every process inside, where it is; whether that worked.

        Each look at the processes is out of date at once. So it has worked when those that were
        told to stop are still, and no others are there.
        """
        deadline_s = time.monotonic() + _FREEZE_S
        told: set[int] = set()
        while time.monotonic() < deadline_s:
            inside = self._inside()
            found = {process.process_id for process in inside}
            if found <= told and all(process.is_still for process in inside):
                return True
            self._send(signal.SIGSTOP, inside)
            told = found
        return False

    def thaw(self) -> None:
        """Let the processes inside go on."""
        self._send(signal.SIGCONT, self._inside())

    def end(self, capture: "Capture") -> str | None:
        """Kill what still runs, and take in its last words; how the command ended, if not well.

        Raises:
            ToolError: when something does not die.
        """
        self._process.kill()  # its namespace dies with it, and all that is in there
        if not drain(self.output_fd, capture, time.monotonic() + _LAST_WORDS_S):
            raise ToolError(
                "the sandbox was killed but does not end; look for processes named bwrap."
            )
        self._process.wait()
        self._output.close()
        return _trouble(self._process.returncode, self._limits)

    def memory_bytes(self) -> int:
        """The memory that all processes inside hold together."""
        return sum(memory_bytes(process.process_id) for process in self._inside())

    def _inside(self) -> list[Process]:
        return [
            process
            for process in descendants(self._process.pid)
            if process.parent_id != self._process.pid
        ]

    @staticmethod
    def _send(number: signal.Signals, processes: Iterable[Process]) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process.process_id, number)


def drain(output_fd: int, capture: "Capture", deadline_s: float) -> bool:
    """Read a pipe; whether its end came before the deadline."""
    poller = select.poll()
    poller.register(output_fd, select.POLLIN)
    while (left_s := deadline_s - time.monotonic()) > 0:
        if poller.poll(left_s * 1000):
            data = os.read(output_fd, 2**16)
            if not data:
                return True
            capture.add(data)
    return False


def _trouble(exit_code: int, limits: Limits) -> str | None:
    """What bubblewrap's exit code says of the command: its own, or 128 and a signal's number."""
    if exit_code == 0:
        return None
    number = -exit_code if exit_code < 0 else exit_code - 128
    if number == signal.SIGXCPU:
        return f"stopped after {limits.cpu_s} s of processor time"
    if number in {*signal.Signals}:
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {exit_code}"


def _bubblewrap(
    data: Mapping[str, int], filter_fd: int, readable: Sequence[Path], limits: Limits
) -> Iterator[str]:
    """Bubblewrap's command line, up to the command. Later arguments build on earlier ones."""
    yield from ("choom", "-n", "1000", "--", "bwrap")
    yield from ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--hostname", "sandbox")
    yield from ("--new-session", "--die-with-parent", "--seccomp", str(filter_fd))
    if os.geteuid() != 0:
        yield from ("--unshare-user", "--disable-userns")
    yield from ("--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin")
    yield from ("--setenv", "HOME", str(HOME), "--setenv", "LANG", "C.UTF-8")
    yield from ("--ro-bind", "/usr", "/usr", "--dir", "/etc")
    for place in _SYSTEM:
        yield from ("--ro-bind-try", place, place)
    disk = ("--size", str(limits.disk_bytes), "--perms", "1777", "--tmpfs")
    yield from ("--dev", "/dev", *disk, "/dev/shm", "--remount-ro", "/dev")
    yield from (*disk, str(HOME), "--chdir", str(HOME))
    for path in (_DRIVE, *readable):
        for parent in reversed(path.parents[:-1]):  # else only root could pass through them
            yield from ("--dir", str(parent))
    yield from ("--symlink", str(HOME), str(_DRIVE))
    for folder in readable:
        yield from ("--ro-bind", str(folder), str(folder))
    for name, fd in data.items():
        yield from ("--perms", "0444", "--ro-bind-data", str(fd), str(HOME / name))
    yield from ("--remount-ro", "/", "--")


def _limited(limits: Limits) -> Iterator[str]:
    """What a command is started through inside, so that limits count its own processes only."""
    if os.geteuid() == 0:  # root reads all files and passes some limits, so another user runs it
        user = str(secrets.choice(_STAND_INS))
        yield from ("setpriv", "--reuid", user, "--regid", user, "--clear-groups")
        yield from ("--bounding-set", "-all")
    yield from ("prlimit", "--core=0", f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}")
    yield from (f"--as={limits.memory_bytes}", f"--nproc={limits.num_processes}")
    yield from (f"--fsize={limits.file_bytes}", f"--nofile={limits.num_files}", "--")


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file in memory, to be read from its beginning by who gets its descriptor."""
    fd = os.memfd_create("sandbox")
    with os.fdopen(fd, "w+b") as file:
        file.write(content)
        file.flush()
        file.seek(0)
        yield fd


@dataclass
class Capture:
    """The beginning and the end of a stream, of `num_bytes_kept` in all."""

    num_bytes_kept: int
    num_bytes: int = 0
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Take in what comes next."""
        self.num_bytes += len(data)
        room = self.num_bytes_kept // 2 - len(self._head)
        self._head += data[: max(room, 0)]
        self._tail += data[max(room, 0) :]
        del self._tail[: -(self.num_bytes_kept - self.num_bytes_kept // 2)]

    def text(self) -> str:
        """What was kept, with a line in place of what was cut."""
        num_cut = self.num_bytes - len(self._head) - len(self._tail)
        cut = f"\n[{num_cut} bytes of output cut here]\n".encode() if num_cut else b""
        return (self._head + cut + self._tail).decode(errors="replace")
