"""Sandbox `bwrap` for any Inspect task: bubblewrap around each command, no container and no daemon.

A sample has a folder of its own at /sample, where commands start, and another at /tmp; both last
from one command to the next, and go with the sample. All else is read-only: the system's programs,
and the folders that the configuration names. There is no network, no file of the user's, no
environment variable of ours, no other process. What a command starts ends with it, so nothing can
be left running for the next one: tools that keep a server inside do not work here.

Files are read and written by programs inside, which go where a link inside leads, never outside.
Knows no task.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any, Literal, NoReturn, Protocol, overload

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    concurrency,
    sandboxenv,
)
from pydantic import BaseModel, ConfigDict

from netweight.errors import WeighError

_WORK, _HOME = "/sample", "/tmp"
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_PATH = "/usr/local/bin:/usr/bin:/bin"
_PACKAGES = {
    "bwrap": "bubblewrap", "prlimit": "util-linux", "choom": "util-linux", "setpriv": "util-linux",
}  # fmt: skip
_STAND_INS = range(30_000, 60_000)  # user ids that hardly any system gives out
_WATCH_S = 0.5  # how often to weigh a command's memory and files, which takes some milliseconds
_FILE_S = 60  # for reading or writing one file
_PROBE_S = 30
_LAST_WORDS_S = 10.0  # a sandbox that was killed is gone in milliseconds
_EXIT_KILLED = 137

# The first line on standard error says that the sandbox stands, so that its own failure is never
# taken for the command's.
_INSIDE = 'echo "$1" >&2; cd "$2" || exit 126; shift 2; exec "$@"'
_READ = 'test -d "$1" && exit 21; test -e "$1" || exit 22; test -r "$1" || exit 13; exec cat "$1"'
_WRITE = (
    'test -d "$1" && exit 21; mkdir -p "$(dirname "$1")" || exit 13; '
    'test -e "$1" && { test -w "$1" || exit 13; }; cat > "$1" || exit 13'
)


class BwrapConfig(BaseModel):
    """What a sample's commands may see and use up.

    `readable` are files and folders of this machine that they may read besides the system's; where
    such a folder has a `bin`, that comes first on PATH. Sizes in bytes. `address_space` is wide,
    since node and the JVM reserve far more than they use; what is used is watched, by `memory`, of
    all the processes of a command together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    readable: tuple[str, ...] = (sys.base_prefix,)
    address_space: int = 32 * 2**30
    memory: int = 4 * 2**30
    disk: int = 2 * 2**30  # of /sample and /tmp together, watched
    largest_file: int = 2**29
    num_processes: int = 512  # threads count too
    num_files: int = 4096  # open at once, of each process
    cpu_s: int = 3600  # of each process


def config_of(config: SandboxEnvironmentConfigType | None) -> BwrapConfig:
    """Return the configuration that a task gave, or the default one.

    Raises:
        WeighError: it is of another kind, such as a file's name.
    """
    if config is None:
        return BwrapConfig()
    if isinstance(config, BwrapConfig):
        return config
    raise WeighError(
        f"the bwrap sandbox cannot be configured with {config!r}. Give a BwrapConfig, or nothing."
    )


async def unavailable_because(config: BwrapConfig) -> str | None:
    """Why commands cannot run in a sandbox here, and the remedy; None when they can."""
    from netweight.tools import seccomp

    machine = os.uname()
    if machine.sysname != "Linux" or machine.machine not in seccomp.MACHINES:
        return f"the bwrap sandbox needs Linux on {' or '.join(seccomp.MACHINES)}."
    for program, package in _PACKAGES.items():
        if shutil.which(program) is None:
            return (
                f"there is no {program} here; install {package}, as in: apt-get install {package}."
            )
    sandbox = BwrapSandbox(config)
    try:
        await sandbox.exec(["true"], timeout=_PROBE_S)
    except (SandboxUnavailableError, TimeoutError) as error:
        return (
            f"bubblewrap does not run here ({str(error) or 'it took too long'}); it needs "
            "version 0.8 and the right to make user namespaces: see "
            "kernel.unprivileged_userns_clone, "
            "kernel.apparmor_restrict_unprivileged_userns and your container's seccomp profile."
        )
    finally:
        sandbox.remove()
    return None


@sandboxenv(name="bwrap")
class BwrapSandbox(SandboxEnvironment):
    """One sample's sandbox: two folders, and a fresh bubblewrap around each command."""

    def __init__(self, config: BwrapConfig) -> None:
        """Make the folders; `remove` has to be called."""
        super().__init__()
        self._config = config
        self._folder = tempfile.TemporaryDirectory(prefix="bwrap-", ignore_cleanup_errors=True)
        self._user = secrets.choice(_STAND_INS) if os.geteuid() == 0 else None
        self._work, self._home = Path(self._folder.name, "work"), Path(self._folder.name, "tmp")
        for folder in (self._work, self._home):
            folder.mkdir()
            if self._user is not None:  # root passes some limits and reads every file
                os.chown(folder, self._user, self._user)

    @classmethod
    async def task_init(cls, task_name: str, config: SandboxEnvironmentConfigType | None) -> None:
        """Find out, before the first sample, whether there is a sandbox on this machine.

        Raises:
            WeighError: there is none; says why, and the remedy.
        """
        if reason := await unavailable_because(config_of(config)):
            raise WeighError(f"the sandbox of {task_name} cannot run: {reason}")

    @classmethod
    async def sample_init(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        metadata: dict[str, str],
    ) -> dict[str, SandboxEnvironment]:
        """Make one sample's sandbox."""
        return {"default": cls(config_of(config))}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Remove the sample's files."""
        for environment in environments.values():
            await anyio.to_thread.run_sync(environment.as_type(cls).remove)

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """Read a configuration back from a log."""
        return BwrapConfig(**config)

    def remove(self) -> None:
        """Remove what the sample left behind."""
        self._folder.cleanup()

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run a command in /sample or `cwd`; of long output, the beginning and the end are kept.

        A command that takes more memory or disk than it may is killed, which the last line on its
        standard error says. One that timed out is not tried again, whatever `timeout_retry` says.

        Raises:
            TimeoutError: it took longer than `timeout` seconds; all it started has been killed.
            SandboxUnavailableError: bubblewrap failed, so that the command was never started.
            SandboxUserUnsupportedError: a user was named; there is only one.
        """
        if user is not None:
            raise SandboxUserUnsupportedError(
                f"the bwrap sandbox cannot run a command as {user!r}: it has one user only."
            )
        from netweight.tools.sandbox import Capture

        limit = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
        output, errors = Capture(limit), Capture(limit)
        async with _slot() if concurrency else AsyncExitStack():
            with anyio.fail_after(timeout):
                exit_code = await self._run(cmd, _bytes(input), output, errors, cwd, env)
        return ExecResult(exit_code == 0, exit_code, output.text(), errors.text())

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file, making its folders.

        Raises:
            IsADirectoryError, PermissionError: it cannot be written.
        """
        errors = _Whole(2**12)
        with anyio.fail_after(_FILE_S):
            exit_code = await self._run(_script(_WRITE, file), _bytes(contents), errors, errors)
        if exit_code != 0:
            _refuse(file, exit_code, errors.text())

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        """Read a file.

        Raises:
            FileNotFoundError, IsADirectoryError, PermissionError: it cannot be read.
            UnicodeDecodeError: it is no text in UTF-8.
            OutputLimitExceededError: it is larger than Inspect's limit.
        """
        content = _Whole(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE)
        errors = _Whole(2**12)
        with anyio.fail_after(_FILE_S):
            exit_code = await self._run(_script(_READ, file), b"", content, errors)
        if content.is_cut:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None)
        if exit_code != 0:
            _refuse(file, exit_code, errors.text())
        return content.data.decode() if text else bytes(content.data)

    async def _run(
        self,
        command: Sequence[str],
        given: bytes,
        output: "_Sink",
        errors: "_Sink",
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command to its end, and return its exit code."""
        from netweight.tools import seccomp

        nonce = secrets.token_hex(16)
        past_first_line = _PastFirstLine(nonce.encode(), errors)
        with ExitStack() as stack:
            filter_fd = os.memfd_create("seccomp")
            stack.callback(os.close, filter_fd)
            os.write(filter_fd, seccomp.deny_filter())
            os.lseek(filter_fd, 0, os.SEEK_SET)
            inside = ["/bin/sh", "-c", _INSIDE, "sh", nonce, cwd or ".", *command]
            arguments = [*self._bubblewrap(filter_fd, env or {}), *self._limited(), *inside]
            async with _process(arguments, filter_fd) as process:
                trouble = await self._follow(process, given, output, past_first_line)
        if not past_first_line.was_there:
            raise SandboxUnavailableError(past_first_line.text() or "bubblewrap said no word")
        if trouble is None:
            assert process.returncode is not None, "it has ended"
            return process.returncode
        errors.add(f"\n[killed: it took more than {trouble}]\n".encode())
        return _EXIT_KILLED

    async def _follow(
        self, process: Process, given: bytes, output: "_Sink", errors: "_Sink"
    ) -> str | None:
        """Feed a command and take in what it prints, to its end; what it took too much of."""
        assert process.stdin and process.stdout and process.stderr, "all three are pipes"
        trouble: list[str] = []

        async def watch() -> None:
            while not trouble:
                await anyio.sleep(_WATCH_S)
                if excess := await anyio.to_thread.run_sync(self._excess, process.pid):
                    trouble.append(excess)
                    process.kill()

        async with anyio.create_task_group() as watching:
            watching.start_soon(watch)
            async with anyio.create_task_group() as streams:
                streams.start_soon(_take_in, process.stdout, output)
                streams.start_soon(_take_in, process.stderr, errors)
                streams.start_soon(_feed, process.stdin, given)
            await process.wait()
            watching.cancel_scope.cancel()
        return trouble[0] if trouble else None

    def _excess(self, process_id: int) -> str | None:
        """What a command takes too much of."""
        from netweight.tools.processes import descendants, memory_bytes

        limits = self._config
        inside = descendants(process_id)
        if sum(memory_bytes(process.process_id) for process in inside) > limits.memory:
            return f"{limits.memory / 2**20:g} MiB of memory"
        if _disk_bytes(self._work) + _disk_bytes(self._home) > limits.disk:
            return f"{limits.disk / 2**20:g} MiB of disk"
        return None

    def _bubblewrap(self, filter_fd: int, env: Mapping[str, str]) -> Iterator[str]:
        """Bubblewrap's command line, up to the command. Later arguments build on earlier ones."""
        yield from ("choom", "-n", "1000", "--", "bwrap")
        yield from ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts")
        yield from ("--unshare-cgroup-try", "--hostname", "sandbox")
        yield from ("--new-session", "--die-with-parent", "--seccomp", str(filter_fd))
        if self._user is None:
            yield from ("--unshare-user", "--disable-userns")
        path = [str(Path(folder, "bin")) for folder in self._config.readable]
        path = [folder for folder in path if Path(folder).is_dir()]
        yield from ("--clearenv", "--setenv", "PATH", ":".join([*path, _PATH]))
        yield from ("--setenv", "HOME", _HOME, "--setenv", "LANG", "C.UTF-8")
        for name, value in env.items():
            yield from ("--setenv", name, value)
        yield from ("--ro-bind", "/usr", "/usr", "--dir", "/etc")
        for place in _SYSTEM:
            yield from ("--ro-bind-try", place, place)
        shared_memory = ("--size", str(2**26), "--perms", "1777", "--tmpfs", "/dev/shm")
        yield from ("--dev", "/dev", *shared_memory, "--remount-ro", "/dev", "--proc", "/proc")
        yield from ("--bind", str(self._home), _HOME, "--bind", str(self._work), _WORK)
        for place in self._config.readable:
            if not Path(place).is_relative_to("/usr"):
                for parent in reversed(Path(place).parents[:-1]):  # else only root could pass them
                    yield from ("--dir", str(parent))
                yield from ("--ro-bind", place, place)
        yield from ("--chdir", _WORK, "--remount-ro", "/", "--")

    def _limited(self) -> Iterator[str]:
        """What a command is started through, so that limits count its own processes only."""
        if self._user is not None:
            user = str(self._user)
            yield from ("/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups")
            yield from ("--bounding-set", "-all")
        limits = self._config
        yield from ("/usr/bin/prlimit", "--core=0", f"--cpu={limits.cpu_s}:{limits.cpu_s + 1}")
        yield from (f"--as={limits.address_space}", f"--nproc={limits.num_processes}")
        yield from (f"--fsize={limits.largest_file}", f"--nofile={limits.num_files}", "--")


class _Sink(Protocol):
    """What takes in a stream."""

    def add(self, data: bytes, /) -> None:
        """Take in what comes next."""


@dataclass
class _Whole:
    """A stream up to a size, and whether there was more."""

    num_bytes_kept: int
    data: bytearray = field(default_factory=bytearray)
    is_cut: bool = False

    def add(self, data: bytes) -> None:
        self.data += data
        self.is_cut = self.is_cut or len(self.data) > self.num_bytes_kept
        del self.data[self.num_bytes_kept :]

    def text(self) -> str:
        return " ".join(self.data.decode(errors="replace").split())


@dataclass
class _PastFirstLine:
    """Standard error, whose first line is the sandbox's own; the rest is the command's."""

    line: bytes
    rest: _Sink
    was_there: bool = False
    _head: _Whole = field(default_factory=lambda: _Whole(2**16))

    def add(self, data: bytes) -> None:
        if self.was_there:
            self.rest.add(data)
            return
        self._head.add(data)
        if self._head.data.startswith(self.line + b"\n"):
            self.was_there = True
            self.rest.add(bytes(self._head.data[len(self.line) + 1 :]))

    def text(self) -> str:
        """What the sandbox said when it failed."""
        return self._head.text()


@asynccontextmanager
async def _process(arguments: Sequence[str], filter_fd: int) -> AsyncIterator[Process]:
    """Bubblewrap, which is dead when this is left, and with it all that runs inside."""
    try:
        process = await anyio.open_process(
            arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={"PATH": _PATH},
            start_new_session=True,  # Ctrl-C in our terminal is not for it
            pass_fds=[filter_fd],
        )
    except OSError as error:
        raise SandboxUnavailableError(f"bubblewrap cannot be started: {error}") from error
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        with anyio.CancelScope(shield=True), anyio.move_on_after(_LAST_WORDS_S):
            await process.aclose()


async def _take_in(stream: ByteReceiveStream, sink: _Sink) -> None:
    async for data in stream:
        sink.add(data)


async def _feed(stream: ByteSendStream, data: bytes) -> None:
    with suppress(anyio.BrokenResourceError, BrokenPipeError, ConnectionResetError):
        if data:
            await stream.send(data)
        await stream.aclose()  # a command may end, or close its end, before it has read it all


def _slot() -> AbstractAsyncContextManager[object]:
    """One of Inspect's places for a process, whose number --max-subprocesses sets."""
    from inspect_ai.util._subprocess import max_subprocesses_context_var  # named nowhere public

    return concurrency("subprocesses", max_subprocesses_context_var.get())


def _bytes(text: str | bytes | None) -> bytes:
    return text.encode() if isinstance(text, str) else text or b""


def _script(script: str, file: str) -> list[str]:
    return ["/bin/sh", "-c", script, "sh", file if file.startswith("/") else f"./{file}"]


def _refuse(file: str, exit_code: int, words: str) -> NoReturn:
    match exit_code:
        case 21:
            raise IsADirectoryError(f"{file} is a folder in the sandbox")
        case 22:
            raise FileNotFoundError(f"there is no {file} in the sandbox")
        case _:
            raise PermissionError(f"{file} cannot be read or written in the sandbox: {words}")


def _disk_bytes(folder: Path) -> int:
    """What a folder's files take on disk; what has just gone or cannot be seen is nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118 - faster
    return total
