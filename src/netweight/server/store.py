"""Responses that are kept, in one SQLite file or in memory, so that conversations can go on.

A response is a body and items, all of them JSON texts whose meaning the store does not know. One
thread owns the database, and everyone else waits for it without blocking the event loop. What was
not used for a long time, or no longer fits, is forgotten, the longest unused first.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from netweight.errors import ServerError

T = TypeVar("T")

_APPLICATION_ID = 0x4E57_5253  # "NWRS", in the file's header: tells our files from others
_VERSION = 1
_DAY_S = 24 * 3600.0
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_VERSION};
CREATE TABLE responses (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    previous_id TEXT,
    body TEXT NOT NULL,
    used_at REAL NOT NULL,
    num_bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX responses_by_use ON responses (used_at, num_bytes);
CREATE TABLE items (
    response INTEGER NOT NULL REFERENCES responses (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    is_output INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    written TEXT,
    PRIMARY KEY (response, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_id ON items (id);
"""


class StoredItem(NamedTuple):
    """An item of a conversation. `written` is how the model wrote it, where the model did."""

    item_id: str
    body: str
    written: str | None = None


@dataclass(frozen=True)
class StoredResponse:
    """A response: what it answers, what it says, and the response that it continues."""

    response_id: str
    previous_id: str | None
    body: str
    input_items: Sequence[StoredItem] = ()
    output_items: Sequence[StoredItem] = ()

    @property
    def items(self) -> list[StoredItem]:
        """The input, then the output."""
        return [*self.input_items, *self.output_items]


class ResponseMissing(Exception):
    """A response that is not in the store: never was, was deleted, or was forgotten."""

    def __init__(self, response_id: str) -> None:
        super().__init__(response_id)
        self.response_id = response_id


@dataclass(frozen=True)
class Retention:
    """How much is kept: no response longer unused than this, and no more bytes of text in all."""

    max_unused_s: float = 30 * _DAY_S  # as long as OpenAI keeps them
    max_bytes: int = 2**30


IN_MEMORY = Retention(max_bytes=2**26)


def check_store(path: Path) -> None:
    """Open or create a store's file and close it again, before anything dear is begun.

    Raises:
        ServerError: as Store does.
    """
    asyncio.run(Store(path).close())


class Store:
    """The kept responses. Methods can be awaited from any task; each is done whole or not at all.

    A method of a store that fails (disk full, file damaged) raises ServerError.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the file; None keeps everything in memory, until the store is closed.

        Raises:
            ServerError: when the file is damaged, is something else or of a newer netweight, cannot
                be written, or has no folder.
        """
        self._name = "the store in memory" if path is None else str(path)
        self._retention = retention or (Retention() if path else IN_MEMORY)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "store")
        try:
            self._thread.submit(self._open, path).result()
        except ServerError:
            self._thread.shutdown()
            raise

    async def put(self, response: StoredResponse) -> None:
        """Keep a response, and forget what no longer fits."""
        await self._do(lambda: self._put(response))

    async def get(self, response_id: str) -> StoredResponse:
        """A response; ResponseMissing where there is none."""
        return await self._do(lambda: self._get(response_id))

    async def delete(self, response_id: str) -> None:
        """Forget a response and its items; ResponseMissing where there is none."""
        await self._do(lambda: self._delete(response_id))

    async def conversation(self, response_id: str) -> list[StoredResponse]:
        """A response and all that it continues, the oldest first. They count as used now.

        Raises:
            ResponseMissing: naming the one that is missing.
        """
        return await self._do(lambda: self._conversation(response_id))

    async def items(self, item_ids: Iterable[str]) -> dict[str, StoredItem]:
        """The items of these ids that are kept; of the same item kept twice, how it first was."""
        wanted = list(item_ids)
        return await self._do(lambda: self._items(wanted)) if wanted else {}

    async def close(self) -> None:
        """Close the file; the store cannot be used again."""
        await self._do(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    # From here on: the store's thread.

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            raise ServerError(f"{self._name} failed: {error}.") from error

    def _open(self, path: Path | None) -> None:
        try:
            if path is not None:
                _check_place(path)
                path.touch(0o600)  # conversations are nobody else's business
            self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise ServerError(
                f"responses cannot be kept in {self._name}: {error}. {_remedy(error)}"
            ) from error

    def _prepare(self) -> None:
        run = self._database.execute
        run("PRAGMA busy_timeout = 5000")  # another server may use the same file
        [[application_id]] = run("PRAGMA application_id")
        [[num_tables]] = run("SELECT count(*) FROM sqlite_schema")
        if (num_tables or application_id) and application_id != _APPLICATION_ID:
            raise ServerError(
                f"{self._name} is a database of some other program. Name another file."
            )
        [[version]] = run("PRAGMA user_version")
        if version > _VERSION:
            raise ServerError(
                f"{self._name} was made by a newer netweight. Use that, or name another file."
            )
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # with WAL: whole after any crash, may lack the last put
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA secure_delete = ON")  # what is deleted is overwritten, not only let go
        if not num_tables:
            self._database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        [fault] = run("PRAGMA quick_check(1)").fetchone()
        if fault != "ok":
            raise ServerError(
                f"{self._name} is damaged: {fault}. Move it away, or name another file."
            )
        self._forget()

    def _close(self) -> None:
        self._database.close()

    def _put(self, response: StoredResponse) -> None:
        items = response.items
        num_bytes = len(response.body.encode()) + sum(
            len(item.body.encode()) + len((item.written or "").encode()) for item in items
        )
        with self._transaction():
            cursor = self._database.execute(
                "INSERT INTO responses (id, previous_id, body, used_at, num_bytes)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    response.response_id,
                    response.previous_id,
                    response.body,
                    self._clock(),
                    num_bytes,
                ),
            )
            self._database.executemany(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (cursor.lastrowid, place, place >= len(response.input_items), *item)
                    for place, item in enumerate(items)
                ],
            )
            self._forget()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is written within the block, or, if it raises, nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _get(self, response_id: str) -> StoredResponse:
        row = self._database.execute(
            "SELECT number, previous_id, body FROM responses WHERE id = ?", (response_id,)
        ).fetchone()
        if row is None:
            raise ResponseMissing(response_id)
        number, previous_id, body = row
        items = self._database.execute(
            "SELECT is_output, id, body, written FROM items WHERE response = ? ORDER BY place",
            (number,),
        ).fetchall()
        return StoredResponse(
            response_id,
            previous_id,
            body,
            [StoredItem(*fields) for is_output, *fields in items if not is_output],
            [StoredItem(*fields) for is_output, *fields in items if is_output],
        )

    def _delete(self, response_id: str) -> None:
        cursor = self._database.execute("DELETE FROM responses WHERE id = ?", (response_id,))
        if not cursor.rowcount:
            raise ResponseMissing(response_id)

    def _conversation(self, response_id: str) -> list[StoredResponse]:
        responses: list[StoredResponse] = []
        following: str | None = response_id
        with self._transaction():
            while following is not None:
                self._database.execute(
                    "UPDATE responses SET used_at = ? WHERE id = ?", (self._clock(), following)
                )
                responses.append(self._get(following))
                following = responses[-1].previous_id
        return responses[::-1]

    def _items(self, item_ids: Sequence[str]) -> dict[str, StoredItem]:
        found = {}
        for item_id in item_ids:
            row = self._database.execute(
                "SELECT id, body, written FROM items WHERE id = ? ORDER BY response LIMIT 1",
                (item_id,),
            ).fetchone()
            if row is not None:
                found[item_id] = StoredItem(*row)
        return found

    def _forget(self) -> None:
        """Forget what is too old, and, the longest unused first, what does not fit."""
        oldest = self._clock() - self._retention.max_unused_s
        self._database.execute("DELETE FROM responses WHERE used_at < ?", (oldest,))
        [[num_bytes]] = self._database.execute("SELECT total(num_bytes) FROM responses")
        if num_bytes <= self._retention.max_bytes:
            return
        self._database.execute(
            """
            DELETE FROM responses WHERE number IN (
                SELECT number FROM (
                    SELECT number,
                        sum(num_bytes) OVER (ORDER BY used_at DESC, number DESC) AS num_bytes
                    FROM responses
                ) WHERE num_bytes > ?
            )
            """,
            (self._retention.max_bytes,),
        )


def _check_place(path: Path) -> None:
    """Raise a ServerError where no file can be: a folder that is misspelt should not be made."""
    if path.is_dir():
        raise ServerError(f"{path} is a folder; responses are kept in a file. Name one in it.")
    if not path.parent.is_dir():
        raise ServerError(
            f"responses cannot be kept in {path}: there is no folder {path.parent}. Make it, or "
            "name a file elsewhere."
        )


def _remedy(error: Exception) -> str:
    """What can be done about a file that cannot be opened or made."""
    name = getattr(error, "sqlite_errorname", "")
    if isinstance(error, PermissionError) or name.startswith(
        ("SQLITE_READONLY", "SQLITE_CANTOPEN")
    ):
        return "Let this user write the file and its folder, or name another file."
    return "Name another file, or move this one away."
