"""The database of an account: migrations, transactions that are whole or nothing, readers beside the writer."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jellytui.engine.errors import DatabaseError
from jellytui.engine.storage.database import Database, Reader, migration_scripts


async def facts(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch_all("SELECT name FROM sync_state ORDER BY name")]


ADD = "INSERT INTO sync_state (name, value) VALUES (?, '')"


async def test_opening_brings_a_new_file_to_the_newest_version_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")
    await database.execute(ADD, ("kept",))
    await database.close()

    database = await Database.open(tmp_path / "a.db")

    assert await facts(database) == ["kept"]
    row = await database.fetch_one("PRAGMA user_version")
    assert row is not None
    assert row[0] == migration_scripts()[-1][0]
    for pragma, value in (("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 1)):
        row = await database.fetch_one(f"PRAGMA {pragma}")
        assert row is not None
        assert row[0] == value
    await database.close()


async def test_a_commit_that_fails_leaves_nothing_open_behind_it(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")
    await database.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    await database.execute("CREATE TABLE child (parent REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError):
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO child VALUES (7)")
    async with database.transaction() as transaction:
        await transaction.execute(ADD, ("afterwards",))
    assert await facts(database) == ["afterwards"]
    assert not await database.fetch_all("SELECT * FROM child")
    await database.close()


def test_migrations_are_numbered_without_gaps_and_twins() -> None:
    numbers = [number for number, _ in migration_scripts()]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_what_an_older_version_wrote_is_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as older, older:
        for number, sql in migration_scripts()[:4]:
            older.executescript(f"{sql}\nPRAGMA user_version = {number};")
        older.execute(
            "INSERT INTO plays (play_id, track_id, started_at, played_at, reported) VALUES ('p', 't', '1', '2', 0)"
        )
    database = await Database.open(tmp_path / "a.db")
    row = await database.fetch_one("SELECT play_id, reported, is_open FROM plays")
    assert row is not None
    assert tuple(row) == ("p", 0, 0)
    await database.close()


async def test_a_file_of_a_newer_version_is_refused_with_words(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()

    with pytest.raises(DatabaseError, match="newer jellytui"):
        await Database.open(path)


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"my thesis " * 200)

    with pytest.raises(DatabaseError, match="cannot be used"):
        await Database.open(path)

    assert path.read_bytes() == b"my thesis " * 200


def test_an_opening_that_is_given_up_leaves_no_thread_behind_its_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: errors.append(args.exc_value))

    async def give_up(turns: int) -> None:
        opening = asyncio.create_task(Database.open(tmp_path / "a.db"))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    before = set(threading.enumerate())
    for turns in range(1, 30):
        asyncio.run(give_up(turns))
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert errors == []


async def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")

    async with database.transaction() as transaction:
        await transaction.execute_many(ADD, [("one",), ("two",)])

    async def fail_halfway() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, ("three",))
            await transaction.execute(ADD, ("one",))

    with pytest.raises(sqlite3.IntegrityError):
        await fail_halfway()

    assert await facts(database) == ["one", "two"]
    await database.close()


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancelled_transaction_leaves_nothing_and_the_next_one_works(tmp_path: Path, turns: int) -> None:
    database = await Database.open(tmp_path / "a.db")

    async def write() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(ADD, ("one",))
            await transaction.execute(ADD, ("two",))
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.transaction() as transaction:
        await transaction.execute(ADD, ("three",))
    assert await facts(database) == ["three"]
    await database.close()


async def test_transactions_come_one_after_the_other(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")
    await database.execute("INSERT INTO sync_state (name, value) VALUES ('count', '0')")

    async def count() -> None:
        async with database.transaction() as transaction:
            row = await transaction.fetch_one("SELECT value FROM sync_state WHERE name = 'count'")
            assert row is not None
            await transaction.execute("UPDATE sync_state SET value = ? WHERE name = 'count'", (int(row[0]) + 1,))

    await asyncio.gather(*(count() for _ in range(20)))

    row = await database.fetch_one("SELECT value FROM sync_state")
    assert row is not None
    assert row[0] == "20"
    await database.close()


async def test_a_reader_reads_beside_an_open_transaction_and_cannot_write(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")
    reader = Reader(database.path)

    async with database.transaction() as transaction:
        await transaction.execute(ADD, ("one",))
        assert await reader.run(lambda c: c.execute("SELECT count(*) FROM sync_state").fetchone()[0]) == 0
    assert await reader.run(lambda c: c.execute("SELECT count(*) FROM sync_state").fetchone()[0]) == 1

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await reader.run(lambda c: c.execute(ADD, ("two",)))
    await reader.close()
    await database.close()


async def test_a_reader_can_be_interrupted_and_used_again(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.db")
    reader = Reader(database.path)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(connection: sqlite3.Connection) -> object:
        def tell() -> int:
            loop.call_soon_threadsafe(begun.set)
            return 1

        # Called from inside the statement, so that the interrupt meets it running.
        connection.create_function("tell", 0, tell, deterministic=True)
        return connection.execute(f"{endless} WHERE tell() = 1").fetchone()

    running = asyncio.create_task(reader.run(work))
    await begun.wait()
    reader.interrupt()

    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        await running
    assert await reader.run(lambda c: c.execute("SELECT 1").fetchone()[0]) == 1
    await reader.close()
    await database.close()


async def test_a_file_that_cannot_be_opened_is_refused_with_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="cannot be used as a database"):
        await Database.open(tmp_path)
    with pytest.raises(DatabaseError, match="cannot be used as a database"):
        await Database.open(tmp_path / "missing" / "jellytui.db")


async def test_a_reader_that_is_closed_answers_nothing_any_more_and_keeps_no_file_open(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "jellytui.db")
    reader = Reader(database.path)
    await reader.run(lambda connection: connection.execute("SELECT 1").fetchone())

    closing = asyncio.create_task(reader.close())
    await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await reader.run(lambda connection: connection.execute("SELECT 1").fetchone())
    await closing
    await reader.close()
    await database.close()

    assert not list(tmp_path.glob("*-wal")), "the last connection that closes takes the log with it"
