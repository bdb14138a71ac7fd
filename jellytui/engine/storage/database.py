"""The database of one account: one writer, readers beside it, migrations by number.

Every write goes through the one writer connection; a write of several rows is a `transaction()`. Readers are
connections of their own in threads of their own (WAL), so that a page for a list never waits behind a sync
(textual.md 3.5).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from jellytui.engine.errors import DatabaseError

T = TypeVar("T")
Parameters = Sequence[Any] | dict[str, Any]

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_size_limit = 16777216",
)


class Transaction:
    """What can be done inside `Database.transaction()`; leaves with a commit, or a rollback on an error."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs one statement; returns how many rows it changed."""
        return (await self._run(sql, parameters)).rowcount

    async def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs one INSERT; returns the row's id."""
        return (await self._run(sql, parameters)).lastrowid or 0

    async def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Runs one statement for each row."""
        cursor = await self._connection.executemany(sql, rows)
        await cursor.close()

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query (also of a RETURNING)."""
        return list(await self._connection.execute_fetchall(sql, parameters))

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        rows = await self.fetch_all(sql, parameters)
        return rows[0] if rows else None

    async def _run(self, sql: str, parameters: Parameters) -> aiosqlite.Cursor:
        cursor = await self._connection.execute(sql, parameters)
        if cursor.description is not None:  # another way to the connection's thread; a statement without rows is over
            await cursor.close()
        return cursor


class Database:
    """The writer. Open with `Database.open(path)`; statements outside a transaction commit by themselves."""

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self.path = path
        self._connection = connection
        self._statements = Transaction(connection)
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Opens or makes the file and brings it to the newest version.

        Raises DatabaseError for a file of a newer jellytui or one that is no database.
        """
        opening = asyncio.create_task(cls._open(path))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Its thread would outlive the loop, and end with an error on the screen of whoever quits early.
            await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                await opening.result().close()
            raise

    @classmethod
    async def _open(cls, path: Path) -> Database:
        try:
            # First without aiosqlite, whose thread would end after its loop where it cannot be opened.
            await asyncio.to_thread(lambda: sqlite3.connect(path).close())
            connection = await aiosqlite.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise DatabaseError(f"{path} cannot be used as a database ({error}).") from error
        connection.row_factory = sqlite3.Row
        database = cls(path, connection)
        try:
            for pragma in _PRAGMAS:
                await database._statements.execute(pragma)
            await database._migrate()
        except sqlite3.DatabaseError as error:
            await connection.close()
            raise DatabaseError(f"{path} cannot be used as a database ({error}).") from error
        except BaseException:
            await connection.close()
            raise
        return database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """BEGIN IMMEDIATE … COMMIT; one at a time."""
        async with self._lock:
            try:
                # Inside: cancelled here, the thread may still begin, and the rollback comes after it.
                await self._statements.execute("BEGIN IMMEDIATE")
                yield self._statements
            except BaseException:
                await asyncio.shield(self._connection.rollback())
                raise
            try:
                await asyncio.shield(self._connection.commit())
            except sqlite3.Error:
                await asyncio.shield(self._connection.rollback())
                raise

    async def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Runs one writing statement; returns how many rows it changed."""
        async with self._lock:
            return await self._statements.execute(sql, parameters)

    async def fetch_all(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query, on the writer's connection: small queries of the engine's own."""
        async with self._lock:
            return await self._statements.fetch_all(sql, parameters)

    async def fetch_one(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        async with self._lock:
            return await self._statements.fetch_one(sql, parameters)

    async def close(self) -> None:
        """Waits for what is under way, then closes."""
        async with self._lock:
            await self._connection.close()

    async def _migrate(self) -> None:
        row = await self._statements.fetch_one("PRAGMA user_version")
        version = int(row[0]) if row else 0
        scripts = migration_scripts()
        newest = scripts[-1][0]
        if version > newest:
            raise DatabaseError(
                f"{self.path} was written by a newer jellytui (version {version}, this one knows {newest}). "
                "Install the newer jellytui again, or sign in with another JELLYTUI_HOME."
            )
        for number, sql in scripts:
            if number <= version:
                continue
            # One script, one transaction: a crash leaves the old version whole.
            await self._connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")


def migration_scripts() -> list[tuple[int, str]]:
    """The numbered migrations in their order: (number, SQL)."""
    folder = resources.files("jellytui.engine.storage") / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")) for entry in found)


class Reader:
    """A read-only connection in a thread of its own; work is handed to it as functions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-reader")
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` with the connection in the reader's thread.

        Raises sqlite3.OperationalError when interrupted, CancelledError once it is closed: nobody waits for it then.
        """
        if self._is_closed:
            raise asyncio.CancelledError
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, work)

    def interrupt(self) -> None:
        """Breaks off what runs now, from any thread."""
        if self._connection is not None:
            self._connection.interrupt()

    async def close(self) -> None:
        """Breaks off what runs, cancels what waits, and closes."""
        self._is_closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.interrupt()
        await asyncio.to_thread(self._executor.shutdown)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA query_only = ON")
        return work(self._connection)
