"""Who wants a file: the wants table, and the lists that downloads follow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.downloads.rows.listing import USERS_WANT
from jellytui.engine.downloads.rows.requests import PRIORITY_OF, USER_PRIORITY
from jellytui.engine.models import CACHE_WANTS, DownloadStatus
from jellytui.engine.storage.database import Database, Transaction

_IDS = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, kw_only=True)
class WantedRow:
    """A row as far as it matters for letting it go."""

    id: int
    item_id: str
    status: DownloadStatus
    progress: float
    file_path: str | None
    is_here: bool
    """Whether a whole file is at its path: it is completed, or a successor is to come for the one that is there."""
    wanted_by: frozenset[str]

    @property
    def is_users(self) -> bool:
        """Whether a user wants it, and not only the cache or a listener."""
        return any(want not in CACHE_WANTS for want in self.wanted_by)


class Wants:
    """The wants of rows, by row and by list."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def rows(self, download_ids: Sequence[int]) -> list[WantedRow]:
        """These rows with their wants, in their order; missing ones left out."""
        found = await self._database.fetch_all(
            f"""SELECT d.id, d.item_id, d.status, d.progress, d.file_path, d.completed_at,
                group_concat(w.wanted_by, char(10)) AS wants
                FROM downloads d LEFT JOIN wants w ON w.download_id = d.id
                WHERE d.id IN {_IDS} GROUP BY d.id""",  # noqa: S608
            (_json(download_ids),),
        )
        rows = {
            row["id"]: WantedRow(
                id=row["id"],
                item_id=row["item_id"],
                status=row["status"],
                progress=row["progress"],
                file_path=row["file_path"],
                is_here=row["completed_at"] is not None,
                wanted_by=frozenset((row["wants"] or "").split("\n")) - {""},
            )
            for row in found
        }
        return [rows[download_id] for download_id in download_ids if download_id in rows]

    async def drop(self, item_ids: Sequence[str], wanted_by: str) -> list[int]:
        """Takes one want off these items; the rows that had it, their priority now that of who still wants them."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch_all(
                f"""DELETE FROM wants WHERE wanted_by = ? AND download_id IN
                    (SELECT id FROM downloads WHERE item_id IN {_IDS}) RETURNING download_id""",  # noqa: S608
                (wanted_by, _json(item_ids)),
            )
            ids = [row["download_id"] for row in rows]
            await _lower_priorities(tx, ids)
        return ids

    async def drop_users(self, download_ids: Sequence[int]) -> None:
        """Takes every user's want off these rows."""
        async with self._database.transaction() as tx:
            await tx.execute(
                f"DELETE FROM wants AS w WHERE {USERS_WANT} AND w.download_id IN {_IDS}",  # noqa: S608
                (_json(download_ids),),
            )
            await _lower_priorities(tx, download_ids)

    async def cached_items(self, item_ids: Sequence[str]) -> list[str]:
        """Those of these items of which bytes are here that no user has asked for."""
        rows = await self._database.fetch_all(
            f"""SELECT d.item_id FROM downloads d WHERE d.item_id IN {_IDS}
                AND (d.bytes_downloaded > 0 OR d.status IN ('downloading', 'completed'))
                AND NOT EXISTS (SELECT 1 FROM wants w WHERE w.download_id = d.id AND {USERS_WANT})""",  # noqa: S608
            (_json(item_ids),),
        )
        return [row["item_id"] for row in rows]

    # The lists that downloads follow.

    async def followed(self) -> list[str]:
        """The wants of the followed lists: `playlist:<id>`, `favorites`."""
        return [row["wanted_by"] for row in await self._database.fetch_all("SELECT wanted_by FROM followed")]

    async def follow(self, wanted_by: str, item_ids: Iterable[str]) -> None:
        """Follows a list from now on; it holds these tracks."""
        async with self._database.transaction() as tx:
            await tx.execute("INSERT OR IGNORE INTO followed VALUES (?, ?)", (wanted_by, timestamp(self._clock.now())))
            await _remember(tx, wanted_by, item_ids)

    async def unfollow(self, wanted_by: str) -> list[str]:
        """Follows a list no more; the tracks that it held."""
        held = await self.tracks_of(wanted_by)
        await self._database.execute("DELETE FROM followed WHERE wanted_by = ?", (wanted_by,))
        return sorted(held)

    async def tracks_of(self, wanted_by: str) -> frozenset[str]:
        """What a followed list held when it was last looked at."""
        rows = await self._database.fetch_all("SELECT item_id FROM followed_tracks WHERE wanted_by = ?", (wanted_by,))
        return frozenset(row["item_id"] for row in rows)

    async def remember(self, wanted_by: str, *, added: Iterable[str], removed: Iterable[str]) -> None:
        """Notes what a followed list has gained and lost."""
        async with self._database.transaction() as tx:
            await _remember(tx, wanted_by, added)
            await tx.execute_many(
                "DELETE FROM followed_tracks WHERE wanted_by = ? AND item_id = ?",
                [(wanted_by, item_id) for item_id in removed],
            )


async def _remember(tx: Transaction, wanted_by: str, item_ids: Iterable[str]) -> None:
    await tx.execute_many(
        "INSERT OR IGNORE INTO followed_tracks VALUES (?, ?)", [(wanted_by, item_id) for item_id in item_ids]
    )


async def _lower_priorities(tx: Transaction, download_ids: Sequence[int]) -> None:
    """Unfinished rows are as urgent as the most urgent of those who still want them; the cache's least of all."""
    whens = " ".join(f"WHEN '{want}' THEN {priority}" for want, priority in PRIORITY_OF.items() if want != "user")
    await tx.execute(
        f"""UPDATE downloads SET priority = min(priority, coalesce((
                SELECT max(CASE w.wanted_by {whens} ELSE max({USER_PRIORITY}, downloads.priority) END)
                FROM wants w WHERE w.download_id = downloads.id), {PRIORITY_OF["album"]}))
            WHERE status <> 'completed' AND id IN {_IDS}""",  # noqa: S608
        (_json(download_ids),),
    )


def _json(values: Sequence[object]) -> str:
    return json.dumps(list(values))
