"""Rescue: a damaged database is set aside, never thrown away, and a new one begun with what could still be read.

The library is the server's and comes back by a sync; files on the disk are taken up by the sweep. What is only here,
the wishes of the user and the plays that the server does not know yet, is copied row by row as far as it can be read.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jellytui.engine.errors import DatabaseError
from jellytui.engine.storage.database import Database

log = logging.getLogger(__name__)

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SUFFIXES = ("", "-wal", "-shm")
_IRREPLACEABLE = (
    "downloads",
    "wants",
    "followed",
    "followed_tracks",
    "downloads_state",
    "plays",
    "favorite_wishes",
    "favorites",
)
_MENDING = (
    # What a broken page may have made of a row must not lead out of the download root.
    "DELETE FROM downloads WHERE item_id GLOB '*[^A-Za-z0-9_-]*' OR length(item_id) NOT BETWEEN 1 AND 64",
    """UPDATE downloads SET file_path = NULL, status = 'pending'
       WHERE file_path LIKE '/%' OR '/' || file_path || '/' LIKE '%/../%' OR instr(file_path, char(0))""",
    "DELETE FROM wants WHERE download_id NOT IN (SELECT id FROM downloads)",
    "DELETE FROM followed_tracks WHERE wanted_by NOT IN (SELECT wanted_by FROM followed)",
)


@dataclass(frozen=True)
class Rescued:
    """A database that can be used; `note` tells the user what happened, empty when nothing did."""

    database: Database
    note: str = ""


async def open_or_rescue(path: Path, *, now: datetime) -> Rescued:
    """Opens the database; a damaged one is set aside and a new one made.

    A database that was not closed in order is looked through first. The caller holds the account's lock.
    Raises DatabaseError for a file of a newer jellytui, and for one that cannot be opened for other reasons.
    """
    was_closed = not await asyncio.to_thread(_has_journal, path)
    try:
        database = await Database.open(path)
    except DatabaseError as error:
        if not _is_damage(error.__cause__):
            raise
        return await _begin_anew(path, now, str(error.__cause__))
    damage = await _damage_of(database, thoroughly=not was_closed)
    if not damage:
        return Rescued(database)
    await database.close()
    return await _begin_anew(path, now, damage)


async def _damage_of(database: Database, *, thoroughly: bool) -> str:
    """What SQLite finds wrong; always in the downloads, which are only here, elsewhere after a crash."""
    try:
        row = await database.fetch_one("PRAGMA quick_check(1)" if thoroughly else "PRAGMA quick_check('downloads')")
        if row is not None and row[0] != "ok":
            return str(row[0])
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            return str(error)
        raise DatabaseError(f"{database.path} cannot be used as a database ({error}).") from error
    return ""


async def _begin_anew(path: Path, now: datetime, damage: str) -> Rescued:
    aside = await asyncio.to_thread(_set_aside, path, now)
    log.error("the database was damaged (%s) and is set aside as %s", damage, aside)
    database = await Database.open(path)
    saved = await asyncio.to_thread(_copy_readable, aside, path)
    note = (
        f"The database was damaged. It is set aside as {aside.name}, and a new one begun with "
        f"{saved.get('downloads', 0):,} downloads that could still be read; what is on the disk is taken up again. "
        "Bring the library back with: jellytui sync"
    )
    return Rescued(database, note)


def _has_journal(path: Path) -> bool:
    """A write-ahead log that is still there: the last process did not close."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _is_damage(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _set_aside(path: Path, now: datetime) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in _SUFFIXES:
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.replace(aside.with_name(aside.name + suffix))
    return aside


def _copy_readable(old: Path, new: Path) -> dict[str, int]:
    """Copies what can be read of the tables that no server can give back; how many rows of each."""
    saved: dict[str, int] = {}
    target = sqlite3.connect(new, isolation_level=None, timeout=10)
    try:
        source = sqlite3.connect(f"{old.as_uri()}?mode=ro", uri=True)
        try:
            # Tables whose description can be read are read, though another's is broken.
            source.execute("PRAGMA writable_schema = ON")
            target.execute("BEGIN IMMEDIATE")
            for table in _IRREPLACEABLE:
                saved[table] = _copy_table(source, target, table)
            for statement in _MENDING:
                target.execute(statement)
            target.execute("COMMIT")
        finally:
            source.close()
    except sqlite3.Error as error:
        log.warning("nothing of the damaged database can be copied: %s", error)
        return {}
    finally:
        target.close()
    return saved


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    """Row by row until the first that cannot be read; rows that break a rule of the table are left out."""
    copied = 0
    try:
        there = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
        columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})") if row[1] in there]
        if not columns:
            return 0
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        for row in source.execute(f"SELECT {names} FROM {table}"):  # noqa: S608
            done = target.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})", row)  # noqa: S608
            copied += done.rowcount
    except sqlite3.Error as error:
        log.warning("%s of the damaged database can only be read in part: %s", table, error)
    return copied
