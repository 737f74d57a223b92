import asyncio
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netweight.errors import ServerError
from netweight.server.store import (
    ResponseMissing,
    Retention,
    Store,
    StoredItem,
    StoredResponse,
    check_store,
)


def response(number, previous=None, *, text="{}"):
    return StoredResponse(
        f"resp_{number}",
        None if previous is None else f"resp_{previous}",
        text,
        [StoredItem(f"msg_in_{number}", '{"role":"user"}')],
        [StoredItem(f"rs_{number}", "{}", "thought"), StoredItem(f"msg_{number}", "{}", "said")],
    )


def with_store(work, *args, **kwargs):
    """What `work(store)` returns, of a store opened for it."""

    async def main():
        store = Store(*args, **kwargs)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(main())


async def fill(store, *responses):
    for each in responses:
        await store.put(each)


async def kept(store, *numbers):
    """Which of these responses are there."""
    there = []
    for number in numbers:
        try:
            await store.get(f"resp_{number}")
            there.append(number)
        except ResponseMissing:
            continue
    return there


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_response_comes_back_as_it_was_put(tmp_path, in_memory):
    async def work(store):
        await fill(store, response(1), response(2, 1))
        return await store.get("resp_2")

    assert with_store(work, None if in_memory else tmp_path / "store") == response(2, 1)


def test_a_file_is_read_by_the_next_store(tmp_path):
    path = tmp_path / "store"
    with_store(lambda store: fill(store, response(1), response(2, 1)), path)
    assert with_store(lambda store: store.conversation("resp_2"), path) == [
        response(1),
        response(2, 1),
    ]


def test_others_cannot_read_the_file(tmp_path):
    path = tmp_path / "store"

    async def work(store):
        await store.put(response(1))
        return {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}

    assert with_store(work, path) == {0o600}  # the file's companions, too


def test_a_process_killed_while_writing_leaves_whole_responses(tmp_path):
    path = tmp_path / "store"
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.server.test_store import response\n"
        "from netweight.server.store import Store\n"
        "async def main():\n"
        "    store = Store(Path(sys.argv[1]))\n"
        "    for number in range(10**6):\n"
        "        await store.put(response(number))\n"
        "        print(number, flush=True)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    while b"20" not in process.stdout.readline():
        pass
    process.kill()
    process.wait()
    process.stdout.close()

    async def work(store):
        return [await store.get(f"resp_{number}") for number in range(20)]

    assert with_store(work, path) == [response(number) for number in range(20)]


def test_what_is_not_there_is_missing_by_name():
    async def work(store):
        await fill(store, response(2, 1))
        for action in (store.get, store.delete, store.conversation):
            with pytest.raises(ResponseMissing) as caught:
                await action("resp_9")
            assert caught.value.response_id == "resp_9"
        with pytest.raises(ResponseMissing) as caught:
            await store.conversation("resp_2")
        assert caught.value.response_id == "resp_1"

    with_store(work)


def test_a_deleted_response_leaves_no_trace(tmp_path):
    path = tmp_path / "store"
    secret = "the user's secret"

    async def work(store):
        await fill(store, response(1, text=secret), response(2))
        await store.delete("resp_1")
        assert await kept(store, 1, 2) == [2]
        assert await store.items(["rs_1", "rs_2"]) == {"rs_2": StoredItem("rs_2", "{}", "thought")}

    with_store(work, path)
    assert secret.encode() not in path.read_bytes()


def test_an_item_is_found_by_its_id():
    async def work(store):
        await fill(store, response(1))
        return await store.items(["msg_1", "msg_in_1", "msg_9"])

    assert with_store(work) == {
        "msg_1": StoredItem("msg_1", "{}", "said"),
        "msg_in_1": StoredItem("msg_in_1", '{"role":"user"}'),
    }


def test_an_id_cannot_be_used_twice_and_the_first_response_stays():
    async def work(store):
        await fill(store, response(1))
        with pytest.raises(ServerError, match="UNIQUE"):
            await store.put(response(1, text='{"other":1}'))
        return await store.get("resp_1")

    assert with_store(work) == response(1)


def test_what_was_not_used_for_long_is_forgotten():
    now_s = [0.0]

    async def work(store):
        await fill(store, response(1), response(2, 1), response(3))
        now_s[0] = 8.0
        await store.conversation("resp_2")
        now_s[0] = 12.0
        await store.put(response(4))
        return await kept(store, 1, 2, 3, 4)

    retention = Retention(max_unused_s=10)
    assert with_store(work, retention=retention, clock=lambda: now_s[0]) == [1, 2, 4]


def test_an_old_file_is_tidied_when_it_is_opened(tmp_path):
    path = tmp_path / "store"
    with_store(lambda store: fill(store, response(1)), path, clock=lambda: 0.0)
    assert with_store(lambda store: kept(store, 1), path, clock=lambda: 31 * 24 * 3600.0) == []


def test_what_does_not_fit_is_forgotten_the_longest_unused_first():
    now_s = [0.0]

    async def work(store):
        for number in range(1, 5):
            now_s[0] += 1
            await store.put(response(number, text="x" * 1000))
            await store.conversation("resp_1")
        return await kept(store, 1, 2, 3, 4)

    retention = Retention(max_bytes=3500)
    assert with_store(work, retention=retention, clock=lambda: now_s[0]) == [1, 3, 4]


def test_many_tasks_can_use_a_store_at_once():
    async def work(store):
        await asyncio.gather(*(store.put(response(number)) for number in range(50)))
        found = await asyncio.gather(*(store.get(f"resp_{number}") for number in range(50)))
        assert found == [response(number) for number in range(50)]

    with_store(work)


def test_the_event_loop_goes_on_while_the_store_is_busy():
    async def work(store):
        slow = asyncio.ensure_future(store._do(lambda: time.sleep(0.2)))
        await asyncio.sleep(0)
        assert not slow.done()
        await slow

    with_store(work)


def damage(path):
    with_store(lambda store: fill(store, *map(response, range(200))), path)
    data = bytearray(path.read_bytes())
    data[8192:-4096] = bytes(len(data) - 4096 - 8192)
    path.write_bytes(data)


def write_foreign(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE songs (name TEXT)")
    database.close()


def write_newer(path):
    with_store(lambda store: fill(store), path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda path: path.write_text("this is no database, " * 100),
            "file is not a database. Name another file, or move this one away",
        ),
        (damage, "damaged|malformed"),
        (write_foreign, "some other program"),
        (write_newer, "newer netweight"),
        (lambda path: path.mkdir(), "is a folder.* Name one in it"),
    ],
)
def test_a_file_that_is_no_store_is_refused_by_name_and_left_alone(tmp_path, spoil, message):
    path = tmp_path / "store"
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ServerError, match=message) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_does_not_exist_is_not_made(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match=f"no folder {tmp_path / folder}. Make it, or name"):
        Store(tmp_path / folder / "store")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_is_refused_with_the_remedy():
    with pytest.raises(ServerError, match=r"Permission denied.*Let this user write the file"):
        Store(Path("/sys/store"))  # where even the administrator makes no files


def test_a_file_that_others_keep_from_being_written_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "store"
    with_store(lambda store: fill(store, response(1)), path)
    connect = sqlite3.connect
    read_only = f"file:{path}?mode=ro"
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **kwargs: connect(read_only, uri=True, **kwargs)
    )
    with pytest.raises(ServerError, match=r"readonly database.*Let this user write the file"):
        Store(path)


def test_a_store_can_be_checked_before_it_is_needed(tmp_path):
    path = tmp_path / "store"
    check_store(path)
    with_store(lambda store: fill(store, response(1)), path)
    check_store(path)
    assert with_store(lambda store: kept(store, 1), path) == [1]
