import pytest

from netweight.errors import ToolError
from netweight.harmony import Message, SystemContent, Vocabulary, render_message
from netweight.harmony.calls import ToolCall
from netweight.tools import Python
from netweight.tools.sandbox import Limits
from tests.fakes import byte_vocabulary


@pytest.fixture
def python(needs_sandbox):
    return Python(Limits(wall_s=10)).open()


def run(python, code):
    return python.run(ToolCall("python", "python", code, None, is_known=True, is_complete=True))


def test_what_is_printed_is_the_answer(python):
    assert run(python, "print(6 * 7)\nprint('ü')") == "42\nü\n"


def test_an_exception_is_answered_with_its_traceback(python):
    answer = run(python, "x = 1\nx / 0")
    assert answer.startswith("Traceback (most recent call last):\n")
    assert "line 2, in <module>\n    x / 0\n" in answer
    assert answer.endswith("ZeroDivisionError: division by zero\n[exit code 1]")


def test_code_that_is_no_python_is_answered_too(python):
    assert "SyntaxError" in run(python, "print(")


def test_a_silent_program_is_told_so(python):
    assert run(python, "x = 6 * 7") == "[nothing was printed]"


def test_what_was_printed_before_the_end_is_kept_apart_from_how_it_ended(python):
    assert run(python, "print('hm', end='')\nimport os\nos._exit(3)") == "hm\n[exit code 3]"
    assert run(python, "import os\nos.abort()") == "[killed by SIGABRT]"


def test_input_is_at_its_end(python):
    assert "EOFError" in run(python, "input()")


def test_nothing_is_kept_between_calls(python):
    run(python, "x = 1\nopen('f', 'w').write('1')")
    assert "NameError" in run(python, "print(x)")
    assert "FileNotFoundError" in run(python, "open('f')")


def test_the_standard_library_is_there(python):
    modules = "ctypes, decimal, json, lzma, multiprocessing, sqlite3, ssl, threading, zoneinfo"
    assert run(python, f"import {modules}\nprint('ok')") == "ok\n"


def test_processes_and_threads_can_be_used(python):
    code = (
        "from concurrent.futures import ProcessPoolExecutor as P, ThreadPoolExecutor as T\n"
        "for pool in (P, T):\n"
        "    with pool(2) as workers: print(list(workers.map(abs, [-1, -2])))\n"
    )
    assert run(python, code) == "[1, 2]\n[1, 2]\n"


def test_the_declaration_is_prose_and_tells_the_time_limit(python):
    vocabulary: Vocabulary = byte_vocabulary()
    system = Message.system(SystemContent(tools=(python.namespace,)))
    text = vocabulary.decode(render_message(vocabulary, system))
    assert "# Tools\n\n## python\n\nRuns Python code" in text
    assert "longer than 10 seconds" in text
    assert "namespace python" not in text


def test_without_a_sandbox_there_is_no_python(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"cannot be offered.*apt-get install bubblewrap"):
        Python()
