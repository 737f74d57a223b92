"""Cells that mean harm. Each test is one way out of a notebook, or one thing to use up."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from netweight.tools import Python
from netweight.tools.sandbox import Limits
from tests.tools.conftest import GONE, run, running, wait_until

# From inside a cell: the nonce and the descriptor of the program that runs cells.
FIND = (
    "import os, sys, time\n"
    "frame = sys._getframe()\n"
    "while 'nonce' not in frame.f_locals: frame = frame.f_back\n"
    "nonce, replies = frame.f_locals['nonce'], frame.f_locals['replies_fd']\n"
)


@pytest.fixture
def limited(needs_sandbox):
    """Opens a notebook with limits of its own."""
    opened = []

    def open_one(**limits):
        opened.append(Python(Limits(**{"wall_s": 60.0} | limits)).open())
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.close()


def ended(why):
    return f"[the interpreter has ended: {why}; {GONE}]"


# Going on when nobody asked


def test_nothing_runs_between_cells(notebook):
    marker = f"61.{uuid.uuid4().int}"
    code = (
        "import os, subprocess, threading, time\n"
        "counts = [0]\n"
        "def count():\n"
        "    while True: counts[0] += 1\n"
        "threading.Thread(target=count, daemon=True).start()\n"
        "children = [subprocess.Popen(['sh', '-c', 'while :; do :; done']),\n"
        f"    subprocess.Popen(['sleep', {marker!r}], start_new_session=True)]\n"
        "last = counts[0]"
    )
    run(notebook, code)
    assert processor_s(notebook) == processor_s(notebook, after_s=0.3)
    assert [state(process_id) for process_id in running(marker)] == ["T"]
    assert run(notebook, "counts[0] > last") == "True\n"
    notebook.close()
    wait_until(lambda: running(marker) == [])


def processor_s(notebook, after_s=0.0):
    """The processor time that the notebook's processes have taken, in clock ticks."""
    time.sleep(after_s)
    inside = notebook._interpreter._sandbox._inside()
    assert len(inside) == 3
    return sum(sum(map(int, stat(process.process_id).split()[11:13])) for process in inside)


def stat(process_id):
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2]


def state(process_id):
    return stat(process_id).split()[0]


def test_it_ends_with_whoever_started_it_even_when_frozen(needs_sandbox):
    marker = f"61.{uuid.uuid4().int}"
    code = f"import subprocess\nsubprocess.Popen(['sleep', {marker!r}], start_new_session=True)"
    parent = (
        "from netweight.harmony.calls import ToolCall\n"
        "from netweight.tools import Python\n"
        f"call = ToolCall('python', 'python', {code!r}, None, True, True)\n"
        "Python().open().run(call)\n"
        "input()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as process:
        wait_until(lambda: running(marker))
        process.kill()
    wait_until(lambda: not running(marker))


def test_ctrl_c_in_our_terminal_is_not_for_it(notebook):
    run(notebook, "1")
    bubblewrap = notebook._interpreter._sandbox._process.pid
    assert os.getpgid(bubblewrap) != os.getpgrp()


def test_a_fork_bomb_runs_into_the_limit_and_leaves_nothing_behind(limited):
    before = set(running("/run/cells.py"))
    notebook = limited(wall_s=1.0, num_processes=8)
    bomb = "while True:\n    try: os.fork()\n    except BlockingIOError as error: print(error)\n"
    answer = run(notebook, f"import os\n{bomb}")
    assert "Resource temporarily unavailable" in answer
    assert "[interrupted after 1 s" in answer
    notebook.close()
    wait_until(lambda: set(running("/run/cells.py")) <= before)


def test_an_interrupt_leaves_alone_what_went_into_the_background(limited):
    notebook = limited(wall_s=1.0)
    code = "import subprocess, time\np = subprocess.Popen(['sleep', '60'], process_group=0)"
    run(notebook, code)
    assert "KeyboardInterrupt" in run(notebook, "time.sleep(60)")
    assert run(notebook, "p.poll() is None") == "True\n"


def test_a_cell_that_stops_itself_is_woken_and_interrupted(limited):
    notebook = limited(wall_s=1.0)
    answer = run(notebook, "import os, signal\nx = 1\nos.kill(os.getpid(), signal.SIGSTOP)")
    assert answer.endswith("[interrupted after 1 s; variables are kept]")
    assert run(notebook, "x") == "1\n"


# Confusing us


def test_a_forged_reply_only_cuts_the_cells_own_output_short(limited):
    notebook = limited()
    forged = f"{FIND}print('a')\nos.write(replies, nonce)\ntime.sleep(0.2)\nprint('b')"
    assert run(notebook, forged) == "a\n"
    answer = run(notebook, "print('c')")
    assert answer.endswith(ended("its code wrote to a descriptor that is not its own"))
    assert run(notebook, "print('c')") == "c\n"


@pytest.mark.parametrize("reply", ["b'x'", "nonce[:8] + b'x'", "nonce + b'x'", "bytes(10**5)"])
def test_a_reply_that_is_not_the_nonce_ends_the_interpreter(notebook, reply):
    answer = run(notebook, f"{FIND}print('a')\nos.write(replies, {reply})\ntime.sleep(9)")
    assert answer == "a\n" + ended("its code wrote to a descriptor that is not its own")
    assert run(notebook, "1") == "1\n"


def test_what_is_printed_cannot_be_a_reply(notebook):
    code = f"{FIND}os.write(1, nonce * 9)\nos.write(2, nonce)\ntime.sleep(0.1)\nprint('end')"
    assert run(notebook, code).endswith("end\n")
    assert run(notebook, "1") == "1\n"


def test_closing_every_descriptor_ends_the_interpreter(notebook):
    answer = run(notebook, "import os\nos.closerange(0, 250)\nos.getcwd()")
    assert "[the interpreter has ended: exit code 1;" in answer
    assert run(notebook, "1") == "1\n"


def test_a_fork_that_comes_out_of_a_cell_does_not_reply_or_take_commands(notebook):
    assert run(notebook, "import os\nif os.fork(): os.wait()\nelse: print('fork')") == "fork\n"
    for number in range(5):
        assert run(notebook, f"{number}") == f"{number}\n"


def test_a_program_that_is_started_does_not_get_the_descriptors(notebook):
    code = (
        "import subprocess, sys\n"
        "program = 'import os\\nfor fd in range(3, 99):\\n'\n"
        "program += '  try: os.fstat(fd); print(fd)\\n  except OSError: 0'\n"
        "subprocess.run([sys.executable, '-c', program], close_fds=False)\nNone"
    )
    assert run(notebook, code) == "[no output]"


def test_the_program_that_runs_cells_can_be_neither_changed_nor_deleted(notebook):
    for attempt in ("os.remove(path)", "open(path, 'w')", "os.rename(path, '/run/x')"):
        answer = run(notebook, f"import os\npath = '/run/cells.py'\n{attempt}")
        assert "Read-only file system" in answer or "Permission denied" in answer
    assert run(notebook, "1") == "1\n"


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.modules.clear()",
        "import builtins\nvars(builtins).clear()",
        "import sys\nsys.displayhook = sys.excepthook = None\n5",
        "import sys\nsys.stdout = sys.stderr = None\n5",
        "import traceback\ntraceback.format_exception = None\n1 / 0",
        "import os\nos.write = os.read = os.getpid = None",
        "import sys\nsys.setrecursionlimit(5)",
        "import gc\n[o.clear() for o in gc.get_objects() if type(o) is dict]",
    ],
)
def test_whatever_a_cell_breaks_there_is_an_answer_and_then_a_notebook(limited, code):
    notebook = limited(wall_s=2.0)
    assert run(notebook, code)
    run(notebook, "raise SystemExit")
    notebook.close()
    assert run(notebook, "1") == "1\n"


# Others' processes, files and networks


def test_no_other_process_can_be_traced_read_or_robbed(notebook):
    code = (
        "import ctypes, os, platform\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "calls = {'x86_64': (101, 310, 311, 438), 'aarch64': (117, 270, 271, 438)}\n"
        "for number in calls[platform.machine()]:\n"
        "    libc.syscall(number, 16, 1, 0, 0, 0, 0)\n"
        "    print(os.strerror(ctypes.get_errno()))\n"
        "os.path.exists('/proc/1')"
    )
    assert run(notebook, code) == "Operation not permitted\n" * 4 + "False\n"


def test_signals_reach_nobody_outside_and_not_the_first_process(notebook):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        code = (
            "import os, signal\n"
            f"for number in (1, {bystander.pid}, os.getppid(), -1):\n"
            "    try: os.kill(number, signal.SIGKILL)\n"
            "    except (ProcessLookupError, PermissionError): pass\n"
            "'still here'\n"
        )
        assert run(notebook, code) == "'still here'\n"
        assert bystander.poll() is None
        bystander.kill()


def test_there_is_no_network(notebook):
    code = "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)"
    assert run(notebook, code).endswith("OSError: [Errno 101] Network is unreachable\n")


def test_there_are_no_files_of_this_machine(notebook):
    code = f"import os\n[os.path.exists(path) for path in ('/etc/passwd', {__file__!r}, '/home')]"
    assert run(notebook, code) == "[False, False, False]\n"


# Things to use up


def test_a_memory_bomb_is_a_memory_error_and_the_notebook_goes_on(limited):
    notebook = limited(memory_bytes=2**28)
    run(notebook, "x = 1")
    bomb = "b = []\nwhile True: b.append(bytearray(2**24))"
    assert run(notebook, bomb).endswith("MemoryError\n")
    assert run(notebook, "b.clear()\nx") == "1\n"


def test_the_memory_of_all_processes_together_is_limited_and_what_they_share_counts_once(limited):
    notebook = limited(memory_bytes=2**28)
    share = "import os, time\nb = bytearray(2**26)\nfor i in range(6):\n    if not os.fork(): "
    assert run(notebook, f"{share}time.sleep(0.8); os._exit(0)\ntime.sleep(0.6)\nlen(b)") == (
        "67108864\n"
    )
    assert run(notebook, f"{share}c = bytearray(2**26); time.sleep(60)\ntime.sleep(60)") == ended(
        "its processes took more than 256 MiB of memory together"
    )


def test_the_disk_is_small_and_the_notebook_goes_on(limited):
    notebook = limited(disk_bytes=2**22)
    fill = "for i in range(99): open(f'/mnt/data/{i}', 'wb').write(bytes(2**20))"
    assert run(notebook, fill).endswith("No space left on device\n")
    assert run(notebook, "import os\nlen(os.listdir()) < 9") == "True\n"


def test_a_file_has_a_largest_size(limited):
    notebook = limited(file_bytes=2**20)
    assert "File too large" in run(notebook, "open('f', 'wb').write(bytes(2**21))")
    assert run(notebook, "1") == "1\n"


def test_processor_time_ends_the_interpreter_and_is_told(limited):
    notebook = limited(cpu_s=1)
    assert run(notebook, "while True: pass") == ended("stopped after 1 s of processor time")


def test_long_output_is_cut_and_its_beginning_and_end_are_kept(limited):
    notebook = limited(wall_s=1.0, output_bytes=1000)
    answer = run(notebook, "print('first')\nwhile True: print('y' * 10**5)")
    assert answer.startswith("first\nyyy")
    assert "bytes of output cut here]\n" in answer
    assert answer.endswith("KeyboardInterrupt\n[interrupted after 1 s; variables are kept]")
    assert len(answer) < 1200
    cut = "\n[1001 bytes of output cut here]\n"
    assert run(notebook, "print('y' * 2000)") == f"{'y' * 500}{cut}{'y' * 499}\n"


def test_a_cell_as_long_as_a_book_is_run(notebook):
    assert run(notebook, f"x = {'a' * 10**6!r}\nlen(x)") == "1000000\n"
