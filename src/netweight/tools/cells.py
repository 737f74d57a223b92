"""The program inside the sandbox: runs cells of Python as a notebook does.

Started as `python cells.py COMMANDS REPLIES`, two descriptors. A command is a nonce, a length and
so many bytes of code. When the cell has ended, the reply is its nonce and nothing else: what the
cell prints, its last value and its traceback go where output goes, and no text can be a reply.
Code that looks for nonce and descriptor in this program's frames can reply before its end. It then
cuts its own output short and is frozen where it is, since of a reply nothing is believed but that a
cell has ended.

Knows the standard library only: nothing of ours is there.
"""

import ast
import functools
import inspect
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

NONCE_BYTES = 16
LENGTH_BYTES = 8
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def main(commands_fd: int, replies_fd: int) -> None:
    """Run the cells that come, until there are no more commands."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # is for cells only
    output_fd = os.dup(1)
    for fd in (commands_fd, replies_fd, output_fd):
        os.set_inheritable(fd, False)
    sys.argv, sys.path[0] = [""], ""
    own_id, get_id, end = os.getpid(), os.getpid, os._exit  # cells may change what `os` has
    notebook = Notebook()
    for nonce, source in commands(commands_fd):
        told = notebook.run(source)
        if get_id() != own_id:  # the cell has forked, and this is the fork
            end(0)
        write(output_fd, told.encode(errors="backslashreplace"))
        write(replies_fd, nonce)


def commands(fd: int) -> Iterator[tuple[bytes, str]]:
    """The nonce and the code of each command."""
    while nonce := read(fd, NONCE_BYTES):
        num_bytes = int.from_bytes(read(fd, LENGTH_BYTES), "big")
        yield nonce, read(fd, num_bytes).decode(errors="replace")


def read(fd: int, num_bytes: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = bytearray()
    while len(data) < num_bytes and (more := os.read(fd, num_bytes - len(data))):
        data += more
    return bytes(data)


def write(fd: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(fd, data) :]


class Notebook:
    """What cells leave to those that follow."""

    def __init__(self) -> None:
        """Names are those of a new `__main__`, in which pickle finds them again."""
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        self._names = vars(module)
        self._num_cells = 0

    def run(self, source: str) -> str:
        """Run a cell; its traceback if it fails. An interrupt that comes too late is let go."""
        self._num_cells += 1
        name = f"<cell {self._num_cells}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        try:
            try:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                self._execute(source, name)
            except BaseException as error:  # noqa: BLE001  # whatever it is, the notebook goes on
                return told(error)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:
            return "KeyboardInterrupt\n"
        return ""

    def _execute(self, source: str, name: str) -> None:
        """Run the statements; where the last is an expression, show its value, but not None."""
        flags = _FLAGS | ast.PyCF_ONLY_AST
        tree = compile(source, name, "exec", flags, dont_inherit=True)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        parts = [compile(tree, name, "exec", _FLAGS, dont_inherit=True)]
        if last is not None:
            shown = ast.Expression(last.value)
            parts.append(compile(shown, name, "eval", _FLAGS, dont_inherit=True))
        value = None
        if any(_awaits(part) for part in parts):
            value = self._event_loop.run_until_complete(self._awaited(parts))
        else:
            for part in parts:
                value = eval(part, self._names)
        sys.displayhook(value)

    async def _awaited(self, parts: list[types.CodeType]) -> object:
        """The value of the last part; all of them run in one event loop."""
        value = None
        for part in parts:
            value = eval(part, self._names)
            if _awaits(part):
                value = await value
        return value

    @functools.cached_property
    def _event_loop(self) -> "asyncio.AbstractEventLoop":
        import asyncio  # takes longer than all else here

        return asyncio.new_event_loop()


def _awaits(code: types.CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_COROUTINE)


def told(error: BaseException) -> str:
    """The traceback, without this program's own frames."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, frames))
    except Exception:  # noqa: BLE001  # the cell may have made its exceptions so, or `traceback`
        return f"{type(error).__name__}, which cannot be shown\n"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
