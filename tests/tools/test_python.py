"""The model's notebook: what it is told, what it keeps, and what becomes of it."""

import itertools
import threading
import time
from contextlib import ExitStack, closing

import pytest

from netweight.errors import ToolError
from netweight.harmony import Message, SystemContent, Vocabulary, render_message
from netweight.tools import Python
from netweight.tools.sandbox import Limits
from tests.fakes import byte_vocabulary
from tests.tools.conftest import GONE, run, wait_until


@pytest.fixture
def notebooks():
    """Opens notebooks of a tool with other limits."""
    with ExitStack() as stack:
        yield lambda tool: stack.enter_context(closing(tool.open()))


def from_the_second_time():
    """What to ask whether a call is stopped: not at first, which is before it begins."""
    times = itertools.count(1)
    return lambda: next(times) > 1


# What a cell says


def test_what_is_printed_is_the_answer(notebook):
    assert run(notebook, "print(6 * 7)\nprint('ü')") == "42\nü\n"
    assert run(notebook, "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)") == "1\n2\n3\n"


def test_the_value_of_a_last_expression_is_shown_unless_it_is_none(notebook):
    assert run(notebook, "'a'\n'b'") == "'b'\n"
    assert run(notebook, "print('a')\n[1, 2]") == "a\n[1, 2]\n"
    assert run(notebook, "print('a')") == "a\n"
    assert run(notebook, "_ + [3]") == "[1, 2, 3]\n"


@pytest.mark.parametrize("code", ["x = 6 * 7", "None", "", "# nothing"])
def test_a_silent_cell_is_told_so(notebook, code):
    assert run(notebook, code) == "[no output]"


def test_an_exception_is_answered_with_the_cells_own_traceback(notebook):
    answer = run(notebook, "def divide(a):\n    return a / 0\ndivide(1)")
    lines = answer.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.strip() for line in lines if "cell" in line or "divide(1)" in line][1] == (
        "divide(1)"
    )
    assert "cells.py" not in answer
    assert answer.endswith("ZeroDivisionError: division by zero\n")


def test_code_that_is_no_python_is_answered_too(notebook):
    answer = run(notebook, "x = (")
    assert answer.startswith('  File "<cell ')
    assert answer.endswith("SyntaxError: '(' was never closed\n")


@pytest.mark.parametrize("code", ["exit(3)", "raise KeyboardInterrupt", "raise BaseException('x')"])
def test_whatever_is_raised_the_notebook_goes_on(notebook, code):
    run(notebook, "kept = 5")
    assert "Traceback" in run(notebook, code)
    assert run(notebook, "kept") == "5\n"


def test_an_exception_that_cannot_be_shown_is_answered_by_its_name(notebook):
    code = "class E(Exception):\n    __traceback__ = property()\n    __str__ = None\nraise E"
    assert "E" in run(notebook, code)
    assert run(notebook, "1") == "1\n"


def test_a_value_that_cannot_be_shown_is_an_exception(notebook):
    code = "class V:\n    def __repr__(self): raise ValueError('no')\nV()"
    assert run(notebook, code).endswith("ValueError: no\n")


def test_await_works_outside_functions_and_tasks_go_on_in_later_cells(notebook):
    define = "import asyncio\nasync def f(n): await asyncio.sleep(0.01); return n\n"
    start = "tasks = [asyncio.create_task(f(n)) for n in (7, 8)]\n"
    assert run(notebook, f"{define}{start}await tasks[0]") == "7\n"
    assert run(notebook, "await tasks[1]") == "8\n"
    assert run(notebook, "asyncio.run(f(9))") == "9\n"


def test_input_is_at_its_end(notebook):
    assert "EOFError" in run(notebook, "input()")


# What it keeps


def test_names_imports_and_files_are_kept_also_after_an_exception(notebook):
    run(notebook, "import math\nx = 6\nopen('/mnt/data/f', 'w').write('7')")
    run(notebook, "y = 8\nraise ValueError")
    assert run(notebook, "x, y, math.sqrt(4), open('f').read()") == "(6, 8, 2.0, '7')\n"


def test_a_module_that_a_cell_wrote_can_be_imported(notebook):
    run(notebook, "open('own_module.py', 'w').write('number = 3')")
    assert run(notebook, "import own_module\nown_module.number") == "3\n"


def test_notebooks_share_nothing(tool, notebook):
    run(notebook, "mine = 1\nopen('mine', 'w').close()")
    with closing(tool.open()) as other:
        assert run(other, "import os\nos.listdir()") == "[]\n"
        assert "NameError" in run(other, "mine")


def test_a_closed_notebook_starts_anew_and_has_nothing_to_tell(tool):
    with closing(tool.open()) as notebook:
        run(notebook, "x = 1")
        notebook.close()
        assert run(notebook, "'x' in globals()") == "False\n"


def test_the_thread_that_made_the_first_call_may_end(tool):
    with closing(tool.open()) as notebook:
        first = threading.Thread(target=run, args=(notebook, "x = 1"))
        first.start()
        first.join()
        time.sleep(0.2)
        assert run(notebook, "x") == "1\n"


def test_calls_from_two_threads_run_one_after_the_other(notebook):
    run(notebook, "events = []\nimport time")
    code = "events.append(1)\ntime.sleep(0.1)\nevents.append(2)"
    threads = [threading.Thread(target=run, args=(notebook, code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run(notebook, "events") == "[1, 2, 1, 2]\n"


def test_the_standard_library_is_there(notebook):
    modules = "ctypes, decimal, json, lzma, multiprocessing, sqlite3, ssl, threading, zoneinfo"
    assert run(notebook, f"import {modules}\nprint('ok')") == "ok\n"


def test_processes_and_threads_can_be_used_with_the_cells_own_functions(notebook):
    code = (
        "from concurrent.futures import ProcessPoolExecutor as P, ThreadPoolExecutor as T\n"
        "def square(n): return n * n\n"
        "for pool in (P, T):\n"
        "    with pool(2) as workers: print(list(workers.map(square, [2, 3])))\n"
    )
    assert run(notebook, code) == "[4, 9]\n[4, 9]\n"


# How it ends


def test_a_cell_that_takes_too_long_is_interrupted_and_keeps_its_state(tool, notebooks):
    notebook = notebooks(Python(Limits(wall_s=1.0)))
    answer = run(notebook, "print('hm')\nimport time\nx = 1\ntime.sleep(60)")
    assert answer.startswith("hm\nTraceback (most recent call last):\n")
    assert answer.endswith("KeyboardInterrupt\n[interrupted after 1 s; variables are kept]")
    assert run(notebook, "x") == "1\n"


def test_a_cell_that_does_not_heed_the_interrupt_is_killed_and_the_model_told(notebooks):
    notebook = notebooks(Python(Limits(wall_s=1.0)))
    start_s = time.monotonic()
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    assert run(notebook, f"print('hm', end='')\n{stubborn}") == (
        "hm\n[interrupted after 1 s; the interpreter has ended: it went on when it was "
        f"interrupted; {GONE}]"
    )
    assert time.monotonic() - start_s < 6
    assert run(notebook, "'signal' in globals()") == "False\n"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("os._exit(3)", "exit code 3"),
        ("os._exit(0)", "exit code 0"),
        ("os.abort()", "killed by SIGABRT"),
    ],
)
def test_an_interpreter_that_ends_is_told_and_the_next_call_has_a_new_one(notebook, code, how):
    answer = run(notebook, f"import os\nx = 1\nprint('hm')\n{code}")
    assert answer == f"hm\n[the interpreter has ended: {how}; {GONE}]"
    assert run(notebook, "'x' in globals()") == "False\n"


def test_a_call_that_is_stopped_ends_at_once_and_keeps_its_state(notebook):
    run(notebook, "import time\nx = 2")
    start_s = time.monotonic()
    answer = run(
        notebook, "x = 3\ntime.sleep(60)", is_stopped=lambda: time.monotonic() > start_s + 0.3
    )
    assert time.monotonic() - start_s < 2
    assert answer.endswith("KeyboardInterrupt\n[interrupted on request; variables are kept]")
    assert run(notebook, "x") == "3\n"


def test_a_call_that_is_stopped_before_it_begins_is_not_run(notebook):
    run(notebook, "x = 1")
    assert run(notebook, "x = 2", is_stopped=lambda: True) == "[stopped before it was run]"
    assert run(notebook, "x") == "1\n"


def test_a_call_that_is_stopped_just_when_it_begins_keeps_its_state_too(notebook):
    run(notebook, "import time\nx = 2")
    answer = run(notebook, "time.sleep(60)", is_stopped=from_the_second_time())
    assert answer.endswith("KeyboardInterrupt\n[interrupted on request; variables are kept]")
    assert run(notebook, "x") == "2\n"


def test_a_call_that_waits_for_its_turn_can_be_stopped(notebook):
    first = threading.Thread(target=run, args=(notebook, "import time; time.sleep(0.5)"))
    first.start()
    time.sleep(0.1)
    assert run(notebook, "x = 9", is_stopped=lambda: True) == "[stopped before it was run]"
    first.join()


def test_a_call_that_breaks_off_leaves_no_cell_running_and_the_model_is_told(notebook):
    stopped = from_the_second_time()

    def break_off():
        if stopped():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(notebook, "x = 1\nwhile True: x += 1", is_stopped=break_off)
    told = f"[the interpreter was closed when a call broke off; {GONE}]\n"
    assert run(notebook, "'x' in globals()") == f"{told}False\n"


def test_closing_ends_a_cell_that_runs(tool):
    notebook, answers = tool.open(), []
    call = threading.Thread(
        target=lambda: answers.append(run(notebook, "while True:\n  try: input()\n  except: 1"))
    )
    call.start()
    time.sleep(0.5)
    notebook.close()
    call.join(2)
    assert GONE in answers[0]


# How many there are


def test_the_least_recently_used_of_too_many_is_closed_and_its_model_told(notebooks):
    tool = Python(Limits(wall_s=60), max_interpreters=2)
    first, second, third = notebooks(tool), notebooks(tool), notebooks(tool)
    run(first, "x = 1")
    run(second, "x = 2")
    run(first, "x")
    run(third, "x = 3")
    assert run(first, "x") == "1\n"
    told = f"[the interpreter was closed since other conversations needed its place; {GONE}]\n"
    assert run(second, "'x' in globals()") == f"{told}False\n"
    assert run(second, "1") == "1\n"


def test_one_that_runs_a_cell_does_not_give_way(notebooks):
    tool = Python(Limits(wall_s=5), max_interpreters=1)
    busy, waiting = notebooks(tool), notebooks(tool)
    run(busy, "import time")
    thread = threading.Thread(target=run, args=(busy, "time.sleep(0.6)\nx = 1"))
    thread.start()
    time.sleep(0.2)
    stopped = run(waiting, "1", is_stopped=from_the_second_time())
    assert stopped == "[not run: every interpreter is busy; try again later]"
    assert run(waiting, "1") == "1\n"
    thread.join()


def test_a_place_is_free_again_however_an_interpreter_went(notebooks):
    tool = Python(Limits(wall_s=60), max_interpreters=1)
    for code in ("1", "import os; os._exit(0)", "1"):
        notebook = notebooks(tool)
        assert run(notebook, code)
        notebook.close()
    broken = notebooks(Python(Limits(memory_bytes=2**20), max_interpreters=1))
    for _ in range(2):
        with pytest.raises(ToolError, match="does not start"):
            run(broken, "1")


def test_an_idle_interpreter_is_closed_and_the_model_told(notebooks):
    notebook = notebooks(Python(Limits(wall_s=60), idle_s=0.3))
    run(notebook, "x = 1")
    wait_until(lambda: notebook._interpreter is None)
    told = f"[the interpreter was closed after 0.3 s without a call; {GONE}]\n"
    assert run(notebook, "'x' in globals()") == f"{told}False\n"


# What the model is told before


def test_the_declaration_is_the_one_that_gpt_oss_knows(tool):
    vocabulary: Vocabulary = byte_vocabulary()
    system = Message.system(SystemContent(tools=(tool.namespace,)))
    text = vocabulary.decode(render_message(vocabulary, system))
    assert "# Tools\n\n## python\n\nUse this tool to execute Python code" in text
    assert "stateful Jupyter notebook environment" in text
    assert f"time out after {Limits().wall_s} seconds" in text


def test_without_a_sandbox_there_is_no_python(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"cannot be offered.*apt-get install bubblewrap"):
        Python()


def test_an_interpreter_that_does_not_start_is_our_error_and_not_the_models(notebooks):
    notebook = notebooks(Python(Limits(memory_bytes=2**20)))
    with pytest.raises(ToolError, match="python does not start in the sandbox: "):
        run(notebook, "1")
