"""Running a command where it can do no harm: bubblewrap, and a limit on whatever it could use up.

The command sees the system's programs and libraries, which it cannot change, and a small disk in
memory that goes when it ends. It sees no network, no file of the user's, no other process and no
environment variable of ours. What it starts ends with it. Where bubblewrap cannot run, nothing
runs: there is no way around the sandbox.

One thing has only a loose limit: the memory of all its processes together, which is `num_processes`
times `memory_bytes`. The kernel, when short of memory, takes them before anything else.

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from netweight.errors import ToolError
from netweight.tools import seccomp

HOME = PurePosixPath("/tmp")  # of the sandbox, where it is all there is to write to
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_PACKAGES = {"bwrap": "bubblewrap", "prlimit": "util-linux", "choom": "util-linux"}
_STAND_INS = range(30_000, 60_000)  # user ids that hardly any system gives out
_LAST_WORDS_S = 5.0  # a sandbox that was killed is gone in milliseconds


@dataclass(frozen=True)
class Limits:
    """What a command may use up. Its processes share the disk, twice: at home and in /dev/shm."""

    wall_s: float = 30.0
    cpu_s: int = 20  # of each process
    memory_bytes: int = 2**30  # address space of each process
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

    `files` are put into its home folder, where it starts, by name; `readable` are folders of this
    machine that it may read besides the system's. Standard output and error come back as one text,
    in the order in which they were written. Whatever the command does is told in the outcome.

    Raises:
        ToolError: when bubblewrap cannot be started or stopped.
    """
    capture = _Capture(limits.output_bytes)
    with ExitStack() as stack:
        data = {
            name: stack.enter_context(_in_memory(content))
            for name, content in (files or {}).items()
        }
        filter_fd = stack.enter_context(_in_memory(seccomp.deny_filter()))
        arguments = [*_bubblewrap(data, filter_fd, readable, limits), *_limited(limits), *command]
        try:
            process = stack.enter_context(
                subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    pass_fds=[*data.values(), filter_fd],
                )
            )
        except OSError as error:
            raise ToolError(f"the sandbox cannot be started: {error}.") from error
        is_late = _follow(process, capture, limits.wall_s)
    trouble = f"stopped after {limits.wall_s:g} s" if is_late else None
    return Outcome(capture.text(), trouble or _trouble(process.returncode, limits))


def _follow(process: subprocess.Popen[bytes], capture: "_Capture", wall_s: float) -> bool:
    """Take in what a sandbox prints until it ends; whether time ran out.

    Bubblewrap holds the pipe to the last, so that its end is the sandbox's: what is left in there
    is by then being killed by the kernel, with the first process of its namespace.
    """
    assert process.stdout is not None, "standard output is a pipe"
    output_fd = process.stdout.fileno()
    try:
        if _drain(output_fd, capture, time.monotonic() + wall_s):
            return False
    finally:
        process.kill()  # its namespace dies with it, and all that is in there
    if not _drain(output_fd, capture, time.monotonic() + _LAST_WORDS_S):
        raise ToolError("the sandbox was killed but does not end; look for processes named bwrap.")
    return True


def _drain(output_fd: int, capture: "_Capture", deadline_s: float) -> bool:
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
    for path in _SYSTEM:
        yield from ("--ro-bind-try", path, path)
    disk = ("--size", str(limits.disk_bytes), "--perms", "1777", "--tmpfs")
    yield from ("--dev", "/dev", *disk, "/dev/shm", "--remount-ro", "/dev")
    yield from (*disk, str(HOME), "--chdir", str(HOME))
    for folder in readable:
        for parent in reversed(folder.parents[:-1]):  # else only root could pass through them
            yield from ("--dir", str(parent))
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
class _Capture:
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
