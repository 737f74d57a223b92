"""Built-in tools in use by conversations, kept between the responses of each.

A session belongs to a conversation and has an id, which clients see as a container's. It is kept
until it has not been used for a while, or until others need its place. Tools run in threads, so
that the event loop goes on; all else here belongs to the event loop. Knows no HTTP.
"""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from netweight.errors import NetweightError
from netweight.server.chat import PendingCall
from netweight.tools import BuiltInTool, OpenTool

log = logging.getLogger(__name__)

_IDLE_S = 20 * 60.0  # as long as OpenAI keeps containers
_MAX_KEPT = 8  # each may hold a process with a gibibyte
_MAX_RUNNING = 8


@dataclass(eq=False)
class Session:
    """The tools that one conversation has opened."""

    session_id: str
    tools: Mapping[str, BuiltInTool]
    opened: dict[str, OpenTool] = field(default_factory=dict)
    num_users: int = 0  # responses under way
    used_at_s: float = 0.0

    def tool(self, name: str) -> OpenTool:
        """The tool of this name, opened when it is first asked for."""
        if name not in self.opened:
            # Two threads may come here at once; what one of them opened in vain cost nothing.
            self.opened.setdefault(name, self.tools[name].open())
        return self.opened[name]


class Sessions:
    """All sessions of a server, and the threads in which their tools run."""

    def __init__(
        self,
        tools: Iterable[BuiltInTool] = (),
        *,
        max_kept: int = _MAX_KEPT,
        idle_s: float = _IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tools` are those that clients may ask for; there may be none."""
        self._tools = {tool.namespace.name: tool for tool in tools}
        self._max_kept = max_kept
        self._idle_s = idle_s
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._threads = ThreadPoolExecutor(_MAX_RUNNING, "tool")
        self._tidying: asyncio.TimerHandle | None = None

    @property
    def tool_names(self) -> frozenset[str]:
        """The names of the tools that there are."""
        return frozenset(self._tools)

    @property
    def num_kept(self) -> int:
        """Sessions that there are."""
        return len(self._sessions)

    def find(self, session_id: str) -> Session | None:
        """The session of this id, unless it was let go."""
        return self._sessions.get(session_id)

    def new(self) -> Session:
        """A session for a new conversation. It is kept from the first call of a tool on."""
        return Session(f"cntr_{secrets.token_hex(16)}", self._tools)

    @contextmanager
    def using(self, session: Session) -> Iterator[None]:
        """While the block lasts the session is not let go."""
        session.num_users += 1
        try:
            yield
        finally:
            session.num_users -= 1
            session.used_at_s = self._clock()
            if session.session_id in self._sessions:
                self._tidy()

    async def answer(
        self,
        session: Session,
        call: PendingCall,
        *,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> str:
        """The answer of a session's tool to a call. Cancelling this stops the tool.

        Raises:
            ToolError: when the tool does not work.
        """
        self._sessions[session.session_id] = session
        is_left = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, call.run, lambda: is_left.is_set() or is_stopped()
            )
        finally:
            is_left.set()

    async def close(self) -> None:
        """Let all sessions go, and stop their tools."""
        if self._tidying is not None:
            self._tidying.cancel()
        for session in [*self._sessions.values()]:
            self._let_go(session)
        await asyncio.to_thread(self._threads.shutdown)

    def _tidy(self) -> None:
        """Let go what has been idle for too long or is too much, and look again later."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        idle = [session for session in self._sessions.values() if not session.num_users]
        idle.sort(key=lambda session: session.used_at_s)
        num_surplus = max(0, len(self._sessions) - self._max_kept)
        too_old = [s for s in idle if s.used_at_s <= self._clock() - self._idle_s]
        num_gone = max(num_surplus, len(too_old))
        for session in idle[:num_gone]:
            self._let_go(session)
        if idle[num_gone:]:
            due_s = idle[num_gone].used_at_s + self._idle_s - self._clock()
            loop = asyncio.get_running_loop()
            self._tidying = loop.call_later(max(due_s, 0.01), self._tidy)

    def _let_go(self, session: Session) -> None:
        del self._sessions[session.session_id]
        for tool in session.opened.values():
            self._threads.submit(_close, tool)  # which may have a process to end


def _close(tool: OpenTool) -> None:
    try:
        tool.close()
    except NetweightError as error:
        log.warning("a tool did not end: %s", error)
