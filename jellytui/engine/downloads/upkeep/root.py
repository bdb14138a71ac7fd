"""Where the downloads of an account lie: what config.toml says, what the database remembers, and what the disk shows.

config.toml wins, with one exception: while this account's downloads demonstrably lie where they were left (moved there
by `jellytui downloads move`, or not moved yet after an edit of config.toml) and the configured folder has none of them,
they are used where they are, and the user is told. So a restart always finds the files.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jellytui.engine.downloads.files import MARKER
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.storage.database import Database
from jellytui.paths import ensure_folder

_NOTE = "root"
_FILE = "downloads-root"
"""Beside the database: a damaged one must not take the way to the files with it."""


@dataclass(frozen=True)
class ChosenRoot:
    """The download root, and whether it may be made where it is not there; `note` is for the user."""

    folder: Path
    may_make: bool
    note: str = ""


async def choose_root(
    database: Database, *, configured: str | None, default: Path, account: PurePosixPath
) -> ChosenRoot:
    """The root of the account whose files lie below `account` in it."""
    noted = await Notes(database).get(_NOTE)
    return await asyncio.to_thread(_choose, noted or _read(database), configured, default, account)


async def remember_root(database: Database, root: Path) -> None:
    """Notes where the downloads lie from now on, in the database and beside it. Raises OSError."""
    await Notes(database).set(_NOTE, str(root))
    await asyncio.to_thread(_write, database, root)


def _choose(noted: str | None, named: str | None, default: Path, account: PurePosixPath) -> ChosenRoot:
    configured = Path(named).expanduser() if named else None
    known = Path(noted) if noted else None
    wish = configured or default
    if known is None or known == wish:
        # Our own folder is on the disk of the database, so it is never an unplugged one.
        return ChosenRoot(wish, may_make=known is None or wish == default)
    if configured is None:
        return ChosenRoot(known, may_make=False)
    if _holds(known, account) and not _holds(configured, account):
        return ChosenRoot(
            known,
            may_make=False,
            note=f"Your downloads still lie in {known}, and config.toml names {configured}. "
            f"Move them with: jellytui downloads move {configured}",
        )
    return ChosenRoot(configured, may_make=True)


def _holds(root: Path, account: PurePosixPath) -> bool:
    return (root / MARKER).exists() and (root / account).is_dir()


def _read(database: Database) -> str | None:
    try:
        return database.path.with_name(_FILE).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _write(database: Database, root: Path) -> None:
    if _read(database) == str(root):
        return
    file = database.path.with_name(_FILE)
    ensure_folder(file.parent)
    fresh = file.with_name(f"{_FILE}.new")
    fresh.write_text(f"{root}\n", encoding="utf-8")
    fresh.replace(file)
