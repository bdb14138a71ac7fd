"""A damaged database is set aside and a new one begun; one that is only newer, locked or unreadable is not."""

from __future__ import annotations

import random
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jellytui.engine.errors import DatabaseError
from jellytui.engine.storage import rescue
from jellytui.engine.storage.database import Database, migration_scripts
from jellytui.engine.storage.rescue import open_or_rescue

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ASIDE = "jellytui.db.damaged-20260102T030405Z"


async def filled(path: Path, rows: int = 300) -> None:
    """A database with downloads, closed in order."""
    database = await Database.open(path)
    async with database.transaction() as tx:
        for number in range(rows):
            await tx.execute(
                "INSERT INTO downloads (item_id, user_id, name) VALUES (?, 'user', ?)", (f"{number:032x}", "x" * 200)
            )
        await tx.execute("INSERT INTO wants SELECT id, 'user' FROM downloads")
        await tx.execute("INSERT INTO plays VALUES ('p', 't', 's', 'e', 0, NULL, NULL, 0)")
    await database.close()


async def count(database: Database, table: str) -> int:
    row = await database.fetch_one(f"SELECT count(*) FROM {table}")
    assert row is not None
    return int(row[0])


def overwrite(path: Path, start: int, length: int) -> None:
    """Writes noise over a stretch of the file."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(1).randbytes(length))


async def test_a_healthy_database_is_opened_without_a_word(tmp_path: Path) -> None:
    await filled(tmp_path / "jellytui.db")
    opened = await open_or_rescue(tmp_path / "jellytui.db", now=NOW)
    assert opened.note == ""
    assert await count(opened.database, "downloads") == 300
    await opened.database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["jellytui.db"]


async def test_a_file_that_is_no_database_is_set_aside_whole_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "jellytui.db"
    path.write_bytes(b"my thesis " * 2000)
    opened = await open_or_rescue(path, now=NOW)
    assert (tmp_path / ASIDE).read_bytes() == b"my thesis " * 2000
    assert ASIDE in opened.note
    assert "jellytui sync" in opened.note
    assert await count(opened.database, "downloads") == 0
    await opened.database.close()


async def test_broken_pages_in_the_downloads_are_noticed_and_what_can_be_read_comes_along(tmp_path: Path) -> None:
    path = tmp_path / "jellytui.db"
    await filled(path)
    size = path.stat().st_size
    overwrite(path, path.read_bytes().find(f"{150:032x}userpending".encode()) // 4096 * 4096, 8192)

    opened = await open_or_rescue(path, now=NOW)

    assert (tmp_path / ASIDE).stat().st_size == size
    saved = await count(opened.database, "downloads")
    assert 0 < saved < 300
    assert f"{saved} downloads" in opened.note
    assert await count(opened.database, "plays") == 1
    row = await opened.database.fetch_one(
        "SELECT count(*) FROM wants WHERE download_id NOT IN (SELECT id FROM downloads)"
    )
    assert row is not None
    assert row[0] == 0
    row = await opened.database.fetch_one("PRAGMA integrity_check")
    assert row is not None
    assert row[0] == "ok"
    await opened.database.close()


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_is_broken_the_start_ends_with_a_whole_database(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "jellytui.db"
    await filled(path, rows=100)
    chance = random.Random(seed)
    size = path.stat().st_size
    if seed % 3 == 0:
        with path.open("r+b") as file:
            file.truncate(chance.randrange(1, size))
    else:
        overwrite(path, chance.randrange(size), chance.randrange(1, 20_000))
    # As after a crash, so that it is looked through.
    path.with_name("jellytui.db-wal").write_bytes(b"\0" * 64)

    opened = await open_or_rescue(path, now=NOW)

    row = await opened.database.fetch_one("PRAGMA quick_check")
    assert row is not None
    assert row[0] == "ok"
    await opened.database.close()


async def test_rows_that_lead_out_of_the_download_folder_are_not_believed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    await filled(old, rows=0)
    source = sqlite3.connect(old)
    for item_id, path in (("a", "../../etc/passwd"), ("b", "/etc/passwd"), ("c", "s/u/c/c.flac"), ("../d", None)):
        source.execute(
            "INSERT INTO downloads (item_id, user_id, status, file_path) VALUES (?, 'user', 'completed', ?)",
            (item_id, path),
        )
    source.commit()
    source.close()
    database = await Database.open(new)
    rescue._copy_readable(old, new)
    rows = await database.fetch_all("SELECT item_id, file_path, status FROM downloads ORDER BY item_id")
    assert [tuple(row) for row in rows] == [
        ("a", None, "pending"),
        ("b", None, "pending"),
        ("c", "s/u/c/c.flac", "completed"),
    ]
    await database.close()


async def test_a_second_damage_in_the_same_second_sets_aside_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "jellytui.db"
    for content in (b"one " * 1000, b"two " * 1000):
        path.write_bytes(content)
        opened = await open_or_rescue(path, now=NOW)
        await opened.database.close()
    assert (tmp_path / ASIDE).read_bytes().startswith(b"one")
    assert (tmp_path / f"{ASIDE}-2").read_bytes().startswith(b"two")


async def test_a_newer_or_a_locked_database_is_refused_and_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "jellytui.db"
    await filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(DatabaseError, match="newer jellytui"):
        await open_or_rescue(path, now=NOW)
    assert not list(tmp_path.glob("*damaged*"))


async def test_a_folder_in_the_place_of_the_database_is_said_and_not_moved(tmp_path: Path) -> None:
    (tmp_path / "jellytui.db").mkdir()
    with pytest.raises((DatabaseError, sqlite3.OperationalError)):
        await open_or_rescue(tmp_path / "jellytui.db", now=NOW)
    assert (tmp_path / "jellytui.db").is_dir()


# Migrations.


def schema(path: Path) -> list[tuple[str, str, str]]:
    """Every table, index, trigger with its words, columns in a table's own order."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name").fetchall()
    connection.close()
    return [(str(kind), str(name), str(sql)) for kind, name, sql in rows]


@pytest.mark.parametrize("version", range(1, len(migration_scripts()) + 1))
async def test_a_database_of_every_older_version_becomes_what_a_new_one_is_and_keeps_its_rows(
    tmp_path: Path, version: int
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    connection = sqlite3.connect(old, isolation_level=None)
    for number, sql in migration_scripts()[:version]:
        connection.executescript(f"BEGIN; {sql}; PRAGMA user_version = {number}; COMMIT;")
    connection.execute("INSERT INTO downloads (item_id, user_id, status) VALUES ('a', 'u', 'paused')")
    connection.execute("INSERT INTO wants VALUES (1, 'user')")
    connection.close()
    await (await Database.open(new)).close()

    database = await Database.open(old)

    rows = await database.fetch_all("SELECT item_id, status, wanted_by FROM downloads JOIN wants ON download_id = id")
    assert [tuple(row) for row in rows] == [("a", "paused", "user")]
    await database.close()
    assert schema(old) == schema(new)
    fresh, brought = sqlite3.connect(new), sqlite3.connect(old)
    assert fresh.execute("PRAGMA user_version").fetchone() == brought.execute("PRAGMA user_version").fetchone()
    fresh.close()
    brought.close()


async def test_a_crash_in_the_middle_of_a_migration_leaves_the_older_version_whole(tmp_path: Path) -> None:
    path = tmp_path / "jellytui.db"
    first, second = migration_scripts()[:2]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"BEGIN; {first[1]}; PRAGMA user_version = 1; COMMIT;")
    # The process dies before its COMMIT: the connection is never closed in order, its files are copied as they lie.
    connection.executescript(f"BEGIN; {second[1]}; PRAGMA user_version = 2;")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in tmp_path.glob("jellytui.db*"):
        shutil.copy(file, crashed)
    connection.close()

    opened = await open_or_rescue(crashed / "jellytui.db", now=NOW)

    assert opened.note == ""
    assert await count(opened.database, "tracks") == 0
    await opened.database.close()
