"""The built-in `python`: a notebook for each conversation, whose interpreter runs in a sandbox.

gpt-oss was trained with a notebook that keeps its state, and is told of it in the same words. An
interpreter starts with a conversation's first call and is frozen between calls. It goes when the
conversation ends, when nobody has called it for long, or when another conversation needs its place.
Then, as when the model's own code ends it, the model is told that a later call finds a new one.

Knows Harmony's declaration of the tool, and interpreters; starts no process itself.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from netweight.errors import ToolError
from netweight.harmony import ToolNamespace, python_namespace
from netweight.harmony.calls import ToolCall
from netweight.tools import sandbox
from netweight.tools.interpreter import Interpreter, Ran

_LIMITS = sandbox.Limits()
_LOOK_S = 0.05  # how often to see whether it is this call's turn
_GONE = "variables, imports and files are gone"


class Python:
    """Runs the model's code with the interpreter that runs us, without our own packages."""

    def __init__(
        self,
        limits: sandbox.Limits = _LIMITS,
        *,
        max_interpreters: int = 8,
        idle_s: float = 900.0,
    ) -> None:
        """A tool whose interpreters are held to `limits`, are so many at most, and idle so long.

        A wall limit other than the default is not what the model is told.

        Raises:
            ToolError: when there is no sandbox on this machine; says why, and the remedy.
        """
        reason = sandbox.unavailable_because()
        if reason is not None:
            raise ToolError(f"python cannot be offered to the model: {reason}")
        self.limits = limits
        self.idle_s = idle_s
        self._max_interpreters = max_interpreters
        # A sandbox ends with the thread that started it, and this one stays.
        self._starter = ThreadPoolExecutor(1, "python-sandboxes")
        self._lock = threading.RLock()  # a notebook that gives way leaves its place meanwhile
        self._running: list[Notebook] = []  # the least recently used first

    @property
    def namespace(self) -> ToolNamespace:
        """A namespace without tools: what is sent to it is code, not JSON."""
        return python_namespace()

    def open(self) -> "Notebook":
        """A notebook for one conversation."""
        return Notebook(self)

    def start(self) -> Interpreter:
        """A new interpreter, ready to run cells.

        Raises:
            ToolError: when it does not start.
        """
        interpreter = self._starter.submit(Interpreter, self.limits).result()
        try:
            interpreter.wait()
        except BaseException:
            interpreter.close()
            raise
        return interpreter

    def take_place(self, notebook: "Notebook") -> bool:
        """Whether one more interpreter may run; if need be, the least recently used gives way."""
        with self._lock:
            if len(self._running) >= self._max_interpreters:
                why = "since other conversations needed its place"
                if not any(each.give_way(why) for each in [*self._running]):
                    return False
            self._running.append(notebook)
            return True

    def leave_place(self, notebook: "Notebook") -> None:
        """This notebook's interpreter has ended."""
        with self._lock:
            self._running.remove(notebook)

    def was_used(self, notebook: "Notebook") -> None:
        """This notebook is the last to give way."""
        with self._lock:
            self._running.remove(notebook)
            self._running.append(notebook)


class Notebook:
    """One conversation's python."""

    def __init__(self, tool: Python) -> None:
        """A notebook without an interpreter, which the first call starts."""
        self._tool = tool
        self._turn = threading.Lock()
        self._interpreter: Interpreter | None = None
        self._lost: str | None = None  # why it is gone, until the model has been told
        self._is_closing = threading.Event()
        self._timer: threading.Timer | None = None

    @property
    def namespace(self) -> ToolNamespace:
        """That of the tool."""
        return self._tool.namespace

    def run(self, call: ToolCall, *, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """What a cell prints, its last value and traceback; in brackets what else came of it.

        Raises:
            ToolError: when an interpreter cannot be started or stopped.
        """
        while not self._turn.acquire(timeout=_LOOK_S):
            if is_stopped():
                return "[stopped before it was run]"
        try:
            if is_stopped():
                return "[stopped before it was run]"
            return self._run(call.text, is_stopped)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Forget everything, also what runs now.

        Raises:
            ToolError: when the interpreter does not end.
        """
        self._is_closing.set()
        with self._turn:
            self._is_closing.clear()
            self._end()
            self._lost = None

    def give_way(self, why: str) -> bool:
        """Close the interpreter, unless it runs a cell; whether one was closed."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            if self._interpreter is None:
                return False
            self._lost = f"[the interpreter was closed {why}; {_GONE}]\n"
            self._end()
            return True
        finally:
            self._turn.release()

    def _run(self, source: str, is_stopped: Callable[[], bool]) -> str:
        self._watch(None)
        if self._interpreter is None and not self._start(is_stopped):
            return "[not run: every interpreter is busy; try again later]"
        assert self._interpreter is not None, "it was started"
        try:
            ran = self._interpreter.run(
                source, is_stopped=is_stopped, is_given_up=self._is_closing.is_set
            )
        except BaseException:  # nobody knows what it does now
            self._lost = f"[the interpreter was closed when a call broke off; {_GONE}]\n"
            self._end()
            raise
        if ran.ended is None:
            self._tool.was_used(self)
            self._watch(self._tool.idle_s)
        else:
            self._end()
        lost, self._lost = self._lost or "", None
        return lost + _told(ran)

    def _start(self, is_stopped: Callable[[], bool]) -> bool:
        """Start an interpreter, when there is a place for one; whether there was."""
        deadline_s = time.monotonic() + self._tool.limits.wall_s
        while not self._tool.take_place(self):
            is_late = time.monotonic() > deadline_s
            if is_late or is_stopped() or self._is_closing.is_set():
                return False
            time.sleep(_LOOK_S)
        try:
            self._interpreter = self._tool.start()
        except BaseException:
            self._tool.leave_place(self)
            raise
        return True

    def _end(self) -> None:
        """Let the interpreter go, if there is one."""
        self._watch(None)
        interpreter, self._interpreter = self._interpreter, None
        if interpreter is not None:
            self._tool.leave_place(self)
            interpreter.close()

    def _watch(self, idle_s: float | None) -> None:
        """Close the interpreter after so long without a call; None: do not."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if idle_s is not None:
            self._timer = threading.Timer(
                idle_s, self.give_way, [f"after {idle_s:g} s without a call"]
            )
            self._timer.daemon = True
            self._timer.start()


def _told(ran: Ran) -> str:
    """A cell's output, and what the model has to know besides."""
    notes = []
    if ran.interrupted:
        notes.append(f"interrupted {ran.interrupted}")
    if ran.ended:
        notes.append(f"the interpreter has ended: {ran.ended}; {_GONE}")
    elif ran.interrupted:
        notes.append("variables are kept")
    if not notes:
        return ran.output or "[no output]"
    line_end = "" if ran.output.endswith("\n") or not ran.output else "\n"
    return f"{ran.output}{line_end}[{'; '.join(notes)}]"
