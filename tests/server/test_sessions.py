import asyncio
import threading

import pytest

from netweight.errors import ToolError
from netweight.harmony.calls import ToolCall
from netweight.server.chat import PendingCall
from netweight.server.sessions import Sessions
from tests.server.responses import BuiltIn, Python, Waiting


def pending(tool, text="a"):
    return PendingCall(0, tool, ToolCall("python", "python", text, None, True, True), "analysis")


def with_sessions(work, **kwargs):
    """What `work(sessions, built_in)` comes to, in an event loop."""

    async def main():
        built_in = BuiltIn(Python)
        sessions = Sessions([built_in], **kwargs)
        try:
            async with asyncio.timeout(30):
                return await work(sessions, built_in)
        finally:
            await sessions.close()

    return asyncio.run(main())


async def use(sessions, session):
    with sessions.using(session):
        return await sessions.answer(session, pending(session.tool("python")))


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


def test_a_session_is_found_again_with_its_tools_as_they_were():
    async def work(sessions, built_in):
        session = sessions.new()
        assert sessions.find(session.session_id) is None
        assert await use(sessions, session) == "A"
        assert sessions.find(session.session_id) is session
        assert await use(sessions, session) == "A A"
        assert len(built_in.opened) == 1
        assert sessions.tool_names == {"python"}

    with_sessions(work)


def test_what_was_not_called_is_not_opened_and_takes_no_place():
    async def work(sessions, built_in):
        kept = sessions.new()
        await use(sessions, kept)
        for _ in range(3):
            with sessions.using(sessions.new()):
                assert len(built_in.opened) == 1
            with sessions.using(session := sessions.new()):
                session.tool("python")
            built_in.opened.pop()
        assert sessions.num_kept == 1
        assert sessions.find(kept.session_id) is kept

    with_sessions(work, max_kept=1)


def test_of_too_many_sessions_the_longest_unused_is_let_go_and_its_tools_closed():
    now_s = [0.0]

    async def work(sessions, built_in):
        kept = [sessions.new() for _ in range(3)]
        for session in (*kept[:2], kept[0], kept[2]):
            now_s[0] += 1
            await use(sessions, session)
        found = [sessions.find(session.session_id) is not None for session in kept]
        assert found == [True, False, True]
        await until(lambda: built_in.opened[1].num_closed == 1)
        assert built_in.opened[0].num_closed == 0

    with_sessions(work, max_kept=2, clock=lambda: now_s[0])


def test_a_session_in_use_is_never_let_go():
    async def work(sessions, built_in):
        first = sessions.new()
        with sessions.using(first):
            await sessions.answer(first, pending(first.tool("python")))
            await use(sessions, sessions.new())
            await use(sessions, sessions.new())
            assert sessions.find(first.session_id) is first
            assert sessions.num_kept == 1

    with_sessions(work, max_kept=1)


def test_a_session_that_is_idle_for_too_long_is_let_go_without_being_asked():
    async def work(sessions, built_in):
        for _ in range(2):
            await use(sessions, sessions.new())
        assert sessions.num_kept == 2
        await until(lambda: sessions.num_kept == 0)
        await until(lambda: all(tool.num_closed == 1 for tool in built_in.opened))

    with_sessions(work, idle_s=0.1)


def test_a_session_that_was_let_go_while_somebody_meant_to_use_it_is_kept_again():
    async def work(sessions, built_in):
        first = sessions.new()
        await use(sessions, first)
        await use(sessions, sessions.new())
        assert sessions.find(first.session_id) is None
        await until(lambda: built_in.opened[0].num_closed == 1)
        await use(sessions, first)
        assert sessions.find(first.session_id) is first

    with_sessions(work, max_kept=1)


def test_cancelling_a_call_stops_it():
    async def work(sessions, built_in):
        tool = Waiting()
        calling = asyncio.ensure_future(sessions.answer(sessions.new(), pending(tool)))
        await asyncio.to_thread(tool.has_begun.wait, 30)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await asyncio.to_thread(tool.has_ended.wait, 30)

    with_sessions(work)


def test_a_call_can_be_stopped_from_outside():
    async def work(sessions, built_in):
        return await sessions.answer(sessions.new(), pending(Waiting()), is_stopped=lambda: True)

    assert with_sessions(work) == "stopped"


def test_calls_of_several_conversations_run_at_once():
    async def work(sessions, built_in):
        tools = [Waiting() for _ in range(4)]
        is_enough = threading.Event()
        calls = [
            sessions.answer(sessions.new(), pending(tool), is_stopped=is_enough.is_set)
            for tool in tools
        ]
        calling = asyncio.gather(*calls)
        await until(lambda: all(tool.has_begun.is_set() for tool in tools))
        is_enough.set()
        await calling

    with_sessions(work)


class Stubborn(Python):
    def close(self):
        super().close()
        raise ToolError("it does not end.")


def test_a_tool_that_does_not_close_hurts_nobody(caplog):
    async def work(sessions, built_in):
        built_in._make = Stubborn
        await use(sessions, sessions.new())
        await use(sessions, sessions.new())
        await until(lambda: built_in.opened[0].num_closed == 1)

    with_sessions(work, max_kept=1)
    assert "it does not end" in caplog.text
