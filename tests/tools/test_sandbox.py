"""Code that means harm. Each test is one way out, or one thing to use up."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest

from netweight.errors import ToolError
from netweight.tools import sandbox
from netweight.tools.sandbox import Limits
from tests.tools.conftest import running, wait_until

needs_sandbox = pytest.mark.usefixtures("needs_sandbox")
PREFIX = Path(sys.base_prefix).resolve()
PYTHON = str(PREFIX / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def run_code(code, *, name="code.py", readable=PREFIX, **limits):
    """What comes of a Python program, which is stopped after 10 seconds if not before."""
    return sandbox.run(
        [PYTHON, "-u", name],
        files={name: code.encode()},
        readable=[PREFIX, readable],
        limits=Limits(**{"wall_s": 10.0} | limits),
    )


def attempt(*statements, **limits):
    """What each statement raises, or `done`, a line each."""
    code = "import ctypes, os, socket\nlibc = ctypes.CDLL(None)\n"
    for statement in statements:
        code += f"try: {statement}; print('done')\n"
        code += "except OSError as error: print(error.strerror)\n"
    outcome = run_code(code, **limits)
    assert outcome.trouble is None, outcome
    return outcome.output.splitlines()


@contextmanager
def background_run(code, **settings):
    """Run code in another thread during the block; the list holds its outcome afterwards."""
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(run_code(code, **settings)))
    thread.start()
    yield outcomes
    thread.join()


# What comes back


@needs_sandbox
def test_both_streams_come_back_in_order():
    code = "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)"
    assert run_code(code) == ("1\n2\n3\n", None)


@needs_sandbox
def test_an_exit_code_and_a_signal_are_told():
    assert run_code("raise SystemExit(3)").trouble == "exit code 3"
    assert run_code("import os; os.abort()").trouble == "killed by SIGABRT"


@needs_sandbox
def test_bytes_that_are_no_text_are_replaced():
    assert run_code(r"import os; os.write(1, b'a\xffb')").output == "a\ufffdb"


@needs_sandbox
@pytest.mark.parametrize(
    ("num_bytes", "cut"), [(100, ""), (101, "\n[1 bytes of output cut here]\n")]
)
def test_output_is_kept_up_to_the_limit(num_bytes, cut):
    content = b"a" * 50 + b"b" * (num_bytes - 50)
    limits = Limits(output_bytes=100)
    outcome = sandbox.run(["cat", "f"], files={"f": content}, limits=limits)
    assert outcome.output == "a" * 50 + cut + "b" * 50


@needs_sandbox
def test_each_run_starts_with_an_empty_home():
    code = "import os; print(os.listdir()); open('kept', 'w')"
    assert run_code(code) == run_code(code) == ("['code.py']\n", None)


# Ways out


@needs_sandbox
def test_there_is_no_network_and_not_even_this_machine():
    name = f"\0netweight-{uuid.uuid4()}"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(name)
        unix.listen()
        errors = attempt(
            f"socket.create_connection({tcp.getsockname()!r}, 1)",
            f"socket.socket(socket.AF_UNIX).connect({name!r})",
            "socket.create_connection(('192.0.2.1', 80), 1)",
        )
    assert errors == ["Connection refused", "Connection refused", "Network is unreachable"]


@needs_sandbox
def test_a_virtual_machines_line_to_its_host_is_closed():
    assert attempt("socket.socket(40, socket.SOCK_STREAM)") == [os.strerror(97)]


@needs_sandbox
def test_message_queues_of_this_machine_are_out_of_reach():
    name, libc = f"/netweight-{uuid.uuid4()}".encode(), ctypes.CDLL(None)
    assert libc.mq_open(name, os.O_CREAT, 0o666, None) >= 0
    try:
        code = f"import ctypes; print(ctypes.CDLL(None).mq_open({name!r}, 0))"
        assert run_code(code).output == "-1\n"
    finally:
        libc.mq_unlink(name)


@needs_sandbox
def test_the_loader_finds_the_systems_libraries():
    assert attempt("os.stat('/etc/ld.so.cache')") == ["done"]


@needs_sandbox
def test_folders_made_readable_cannot_be_changed(tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "file").write_text("content")
    code = f"print(open('{tmp_path}/file').read())\nopen('{tmp_path}/new', 'w')"
    outcome = run_code(code, readable=tmp_path)
    assert outcome.output.startswith("content\n")
    assert "Read-only file system" in outcome.output


@needs_sandbox
def test_files_of_this_machine_cannot_be_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    paths = ["/etc/shadow", "/etc/passwd", secret, Path(__file__), "/proc/1/environ", "/sys/kernel"]
    assert all(Path(path).exists() for path in paths)
    errors = attempt(*(f"os.stat({str(path)!r})" for path in paths))
    assert errors == ["No such file or directory"] * len(paths)


@needs_sandbox
def test_of_the_users_home_only_the_way_to_the_interpreter_is_there():
    hidden = [str(path) for path in Path.home().iterdir() if path not in PREFIX.parents]
    if not hidden:
        pytest.skip("the home folder is empty")
    outcome = run_code(f"import os; print([p for p in {hidden!r} if os.path.lexists(p)])")
    assert outcome.output == "[]\n"


@needs_sandbox
def test_the_environment_is_not_handed_on(monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    outcome = run_code("import os; print(sorted(os.environ))")
    assert outcome.output == "['HOME', 'LANG', 'PATH', 'PWD']\n"


@needs_sandbox
def test_standard_input_is_not_handed_on():
    reader, writer = os.pipe()
    os.write(writer, b"secret")
    os.close(writer)
    own = os.dup(0)
    try:
        os.dup2(reader, 0)
        assert sandbox.run(["cat"]) == ("", None)
    finally:
        os.dup2(own, 0)
        os.close(own)
        os.close(reader)


@needs_sandbox
def test_the_machines_name_and_terminal_are_not_there():
    code = "import os, socket; print(socket.gethostname(), os.getsid(0) > 0)"
    assert run_code(code).output == "sandbox True\n"


@needs_sandbox
def test_code_is_not_root_and_cannot_become_root():
    assert run_code("import os; print(0 in {os.getuid(), *os.getgroups()})").output == "False\n"
    assert attempt("os.setuid(0)")[0] in ("Operation not permitted", "Invalid argument")


@needs_sandbox
def test_nothing_but_home_and_shared_memory_can_be_written():
    places = ["/", "/usr/", "/etc/", "/dev/", f"{PREFIX}/", "/tmp/", "/dev/shm/"]
    errors = attempt(*(f"open({place + 'new'!r}, 'w')" for place in places))
    assert errors == ["Read-only file system"] * 5 + ["done"] * 2


@needs_sandbox
def test_code_cannot_make_namespaces_of_its_own():
    for kind in ("--user", "--pid", "--net", "--mount"):
        outcome = sandbox.run(["unshare", kind, "echo", "made"])
        assert (outcome.output, outcome.trouble) == (
            "unshare: unshare failed: Operation not permitted\n",
            "exit code 1",
        )


@needs_sandbox
def test_signals_reach_nobody_outside():
    with subprocess.Popen(["sleep", "60"]) as bystander:
        outcome = run_code(
            "import os, signal\n"
            f"for number in (1, {bystander.pid}, {os.getpid()}, -1):\n"
            "    try: os.kill(number, signal.SIGKILL)\n"
            "    except (ProcessLookupError, PermissionError): pass\n"
            "print('still here')\n"
        )
        assert bystander.poll() is None
        bystander.kill()
    assert outcome == ("still here\n", None)


@needs_sandbox
def test_a_daemon_does_not_outlive_the_program():
    marker = f"{uuid.uuid4()}.py"
    outcome = run_code(
        "import os, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        os.closerange(0, 99)\n"
        "        time.sleep(60)\n"
        "    os._exit(0)\n"
        "os.wait(); print('left')\n",
        name=marker,
    )
    assert outcome == ("left\n", None)
    wait_until(lambda: running(marker) == [])


@needs_sandbox
def test_a_program_that_hides_from_the_pipe_is_waited_for_and_stopped():
    marker = f"{uuid.uuid4()}.py"
    code = "import os, time\nos.closerange(0, 99)\ntime.sleep(60)"
    outcome = run_code(code, name=marker, wall_s=0.4)
    assert outcome == ("", "stopped after 0.4 s")
    wait_until(lambda: running(marker) == [])


@needs_sandbox
def test_the_sandbox_ends_with_whoever_started_it():
    marker = f"61.{uuid.uuid4().int}"  # seconds
    code = f"import os; os.execvp('sleep', ['sleep', {marker!r}])"
    parent = (
        "from netweight.tools import sandbox\n"
        f"sandbox.run(['python3', 'code.py'], files={{'code.py': {code.encode()!r}}})"
    )
    with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE) as process:
        process.stdin.write(parent.encode())
        process.stdin.close()
        wait_until(lambda: running(marker))
        process.kill()
    wait_until(lambda: not running(marker))


# Things to use up


@needs_sandbox
def test_a_program_that_sleeps_too_long_is_stopped_and_what_it_said_is_kept():
    start_s = time.monotonic()
    outcome = run_code("import time; print('hm'); time.sleep(60)", wall_s=1.0)
    assert outcome == ("hm\n", "stopped after 1 s")
    assert time.monotonic() - start_s < 3


@needs_sandbox
def test_processor_time_is_limited_and_a_second_later_the_kernel_does_not_ask():
    code = "import resource\nprint(resource.getrlimit(resource.RLIMIT_CPU))\nwhile True: pass"
    outcome = run_code(code, cpu_s=1, wall_s=20)
    assert outcome == ("(1, 2)\n", "stopped after 1 s of processor time")


@needs_sandbox
def test_a_fork_bomb_runs_into_the_limit_and_leaves_nothing_behind():
    marker = f"{uuid.uuid4()}.py"
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except BlockingIOError: print('x')\n"
    outcome = run_code(bomb, name=marker, wall_s=1.0, num_processes=8)
    assert "x" in outcome.output
    assert outcome.trouble == "stopped after 1 s"
    wait_until(lambda: running(marker) == [])


@needs_sandbox
def test_processes_of_other_sandboxes_do_not_count():
    many = "import os, time\nfor i in range(3): os.fork()\ntime.sleep(1)"
    with background_run(many) as first:
        assert run_code("import os; os.fork()", num_processes=4) == ("", None)
    assert first == [("", None)]


@needs_sandbox
def test_a_memory_bomb_is_a_memory_error():
    outcome = run_code("b = bytearray(2**40)", memory_bytes=2**28)
    assert outcome.output.endswith("MemoryError\n")
    grown = "b = []\nwhile True: b.append(bytearray(2**24))"
    assert run_code(grown, memory_bytes=2**28).output.endswith("MemoryError\n")


@needs_sandbox
def test_where_the_machine_runs_out_of_memory_the_sandbox_goes_first():
    marker = f"{uuid.uuid4()}.py"
    with background_run("import time; time.sleep(1)", name=marker):
        wait_until(lambda: len(running(marker)) == 3)  # bubblewrap twice, and the program
        scores = {Path(f"/proc/{pid}/oom_score_adj").read_text() for pid in running(marker)}
    assert scores == {"1000\n"}


@needs_sandbox
def test_memory_that_no_process_holds_cannot_be_had():
    code = (
        "import ctypes, os\n"
        "print(ctypes.CDLL(None).shmget(0, 4096, 0o1600))\n"
        "try: os.memfd_create('m')\n"
        "except PermissionError as error: print(error.strerror)\n"
    )
    assert run_code(code).output == "-1\nOperation not permitted\n"


@needs_sandbox
def test_only_so_many_files_can_be_open():
    outcome = run_code("files = [open('/dev/null') for i in range(99)]", num_files=32)
    assert "Too many open files" in outcome.output


@needs_sandbox
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_the_disk_is_small(folder):
    write = f"open(f'{folder}/{{i}}', 'wb').write(bytes(2**20))"
    outcome = run_code(f"for i in range(99): {write}", disk_bytes=2**22)
    assert outcome.output.endswith("No space left on device\n")


@needs_sandbox
def test_a_file_has_a_largest_size():
    outcome = run_code("open('f', 'wb').write(bytes(2**21))", file_bytes=2**20)
    assert outcome.output.endswith("File too large\n")


@needs_sandbox
def test_endless_output_is_cut_and_its_beginning_and_end_are_kept():
    code = "import sys\nprint('first')\nwhile True: sys.stdout.write('y' * 10**6)"
    outcome = run_code(code, wall_s=1.0, output_bytes=1000)
    assert outcome.output.startswith("first\nyyy")
    assert "bytes of output cut here]\nyyy" in outcome.output
    assert len(outcome.output) < 1100
    assert outcome.trouble == "stopped after 1 s"


# Without a sandbox


def test_without_bubblewrap_nothing_runs_and_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install bubblewrap" in sandbox.unavailable_because()
    with pytest.raises(ToolError, match="cannot be started"):
        sandbox.run(["true"])


def test_where_namespaces_are_refused_bubblewraps_words_and_the_remedy_are_told(
    monkeypatch, tmp_path
):
    refusing = tmp_path / "bwrap"
    refusing.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1"
    )
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    reason = sandbox.unavailable_because()
    assert "(bwrap: setting up uid map: Permission denied)" in reason
    assert "kernel.apparmor_restrict_unprivileged_userns" in reason
