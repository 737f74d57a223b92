"""The bwrap sandbox: what comes back from it, and each way out of it that is closed."""

import asyncio
import os
import shutil
import time
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.solver import solver
from inspect_ai.util import (
    OutputLimitExceededError,
    SandboxEnvironmentSpec,
    SandboxUserUnsupportedError,
    sandbox,
)
from inspect_ai.util._sandbox.limits import override_sandbox_output_limit

from netweight.errors import WeighError
from netweight.evals.bwrap import BwrapConfig, BwrapSandbox, config_of, unavailable_because

HEAVY = 'import time; a = b"x" * 10**8; time.sleep(60)'
needs_bwrap = pytest.mark.usefixtures("needs_bwrap")


@pytest.fixture
def box(needs_bwrap):
    box = BwrapSandbox(BwrapConfig())
    yield box
    box.remove()


def sh(box, script, **settings):
    return asyncio.run(box.exec(["sh", "-c", script], **settings))


def running(marker):
    """The command lines on this machine that have the marker in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path] if marker.encode() in path.read_bytes() else []
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_both_streams_the_exit_code_and_the_input_are_passed_on(box):
    done = sh(box, "cat; echo no >&2; exit 3", input="hé")
    assert (done.stdout, done.stderr, done.returncode, done.success) == ("hé", "no\n", 3, False)


def test_a_program_that_is_not_there_is_the_commands_failure(box):
    done = asyncio.run(box.exec(["no-such-program"]))
    assert done.returncode == 127 and "not found" in done.stderr


def test_files_and_tmp_last_from_one_command_to_the_next(box):
    sh(box, "mkdir a && echo 1 > a/b && echo 2 > /tmp/c")
    assert sh(box, "cat b /tmp/c", cwd="a").stdout == "1\n2\n"


def test_variables_are_those_given_and_none_of_ours(box, monkeypatch):
    monkeypatch.setenv("OUR_SECRET", "1")
    names = {line.partition("=")[0] for line in sh(box, "env", env={"X": "2"}).stdout.splitlines()}
    assert names <= {"X", "PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "X" in names


def test_files_are_written_and_read_back_byte_for_byte(box):
    asyncio.run(box.write_file("a/b.txt", "hé\r\n"))
    assert asyncio.run(box.read_file("a/b.txt")) == "hé\r\n"
    asyncio.run(box.write_file("/sample/c", b"\xff\x00"))
    assert asyncio.run(box.read_file("c", text=False)) == b"\xff\x00"
    with pytest.raises(UnicodeDecodeError):
        asyncio.run(box.read_file("c"))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda box: box.read_file("none"), FileNotFoundError),
        (lambda box: box.read_file("."), IsADirectoryError),
        (lambda box: box.write_file("/tmp", ""), IsADirectoryError),
        (lambda box: box.write_file("/usr/x", ""), PermissionError),
        (lambda box: box.exec(["true"], user="root"), SandboxUserUnsupportedError),
    ],
)
def test_what_cannot_be_done_is_told_as_inspect_expects(box, call, error):
    with pytest.raises(error):
        asyncio.run(call(box))


def test_a_link_leads_nowhere_but_inside(box, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("ours")
    sh(box, f"ln -s {secret} a && ln -s {tmp_path} b")
    with pytest.raises(FileNotFoundError):
        asyncio.run(box.read_file("a"))
    with pytest.raises(PermissionError):
        asyncio.run(box.write_file("b/new", "theirs"))
    assert list(tmp_path.iterdir()) == [secret]


def test_there_is_no_network(box):
    code = "import socket; socket.create_connection(('1.1.1.1', 80), 3)"
    assert "Network is unreachable" in asyncio.run(box.exec(["python3", "-c", code])).stderr


def test_nothing_outside_can_be_written_or_seen(box, tmp_path):
    for place in ("/usr/x", "/etc/x", "/x", "/dev/x", "/proc/sys/kernel/hostname"):
        assert not sh(box, f"echo 1 > {place}").success
    for place in (tmp_path, Path.home() / ".bashrc", "/etc/shadow", "/home", "/sys"):
        assert not sh(box, f"cat {place} || ls {place}").success


def test_other_processes_are_neither_seen_nor_reached(box):
    done = sh(box, f"ls -d /proc/[0-9]*; kill -9 {os.getpid()}")
    assert len(done.stdout.split()) < 8 and not done.success


def test_a_timeout_kills_the_command_and_all_its_children(box):
    with pytest.raises(TimeoutError):
        sh(box, "sleep 98761 & setsid sleep 98762 & sleep 98763", timeout=1)
    deadline = time.monotonic() + 10
    while running("sleep\x009876"):
        assert time.monotonic() < deadline, "a child outlived the timeout"
        time.sleep(0.05)


def test_what_a_command_leaves_running_ends_with_it(box):
    began = time.monotonic()
    assert sh(box, "setsid sleep 98764 > /dev/null 2>&1 & exit 0").success
    while running("sleep\x0098764"):  # the kernel takes a moment to bury it
        assert time.monotonic() - began < 60
        time.sleep(0.05)


def test_of_long_output_the_beginning_and_the_end_are_kept(box):
    with override_sandbox_output_limit(1000):
        done = sh(box, "echo first; yes | head -c 100000; echo; echo last")
    assert done.stdout.startswith("first") and done.stdout.endswith("last\n")
    assert len(done.stdout) < 1100 and "bytes of output cut here" in done.stdout


def test_a_file_over_the_limit_is_not_read(box):
    asyncio.run(box.write_file("a", "x" * 1001))
    with override_sandbox_output_limit(1000), pytest.raises(OutputLimitExceededError):
        asyncio.run(box.read_file("a"))


@pytest.mark.parametrize(
    ("limits", "script", "told"),
    [
        ({"disk": 2**20}, "head -c 4000000 /dev/zero > a; sleep 60", "1 MiB of disk"),
        ({"memory": 2**26}, f"python3 -c '{HEAVY}'", "64 MiB of mem"),
        ({"largest_file": 2**20}, "head -c 4000000 /dev/zero > a", ""),
    ],
)
def test_a_command_that_takes_too_much_is_stopped(needs_bwrap, limits, script, told):
    box = BwrapSandbox(BwrapConfig(**limits))
    done = sh(box, script)
    box.remove()
    assert not done.success and told in done.stderr


def test_removing_a_sandbox_removes_what_it_left(needs_bwrap):
    box = BwrapSandbox(BwrapConfig())
    sh(box, "mkdir -p a/b && touch a/b/c && chmod 000 a")
    folder = Path(box._folder.name)
    box.remove()
    assert not folder.exists()


def test_without_bubblewrap_the_remedy_is_told(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(WeighError, match="apt-get install bubblewrap"):
        asyncio.run(BwrapSandbox.task_init("some task", None))


def test_a_bubblewrap_that_fails_is_not_taken_for_the_commands_failure(needs_bwrap):
    broken = BwrapConfig(readable=("/no/such/folder",))
    assert "no/such/folder" in asyncio.run(unavailable_because(broken))
    assert asyncio.run(unavailable_because(BwrapConfig())) is None


def test_only_our_configuration_is_taken():
    assert config_of(None) == BwrapConfig()
    again = BwrapSandbox.config_deserialize(BwrapConfig(memory=5).model_dump())
    assert config_of(again).memory == 5
    with pytest.raises(WeighError, match="cannot be configured"):
        config_of("compose.yaml")


@pytest.mark.inspect
def test_an_inspect_task_runs_in_it(needs_bwrap, tmp_path):
    @solver
    def look():
        async def solve(state, generate):
            done = await sandbox().exec(["python3", "-c", "print(open('given').read())"])
            state.metadata["seen"] = done.stdout
            return state

        return solve

    task = Task(
        dataset=[Sample("?", files={"given": "here"})],
        solver=look(),
        sandbox=SandboxEnvironmentSpec("bwrap", BwrapConfig()),
    )
    (log,) = inspect_eval(task, model="mockllm/model", display="none", log_dir=str(tmp_path))
    assert log.status == "success" and log.samples[0].metadata["seen"] == "here\n"
