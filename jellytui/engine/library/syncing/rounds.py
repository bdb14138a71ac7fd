"""One round of syncing: the whole catalogue into the mirror, or what changed since the last time (big-library.md).

Full: artists, albums and tracks page by page, each page with its place in one transaction, so that an interrupted round
goes on where it was; then playlists and favourites. What it did not meet is removed at the end, and only where the
list was whole: the server's count is not zero, stayed the same, and is the number of tracks met. A library that is
listed no more goes with its tracks, unless those that are listed hold nothing.
Changes: what the server saved since the watermark; then the counts must agree, else a full round follows, since no
server tells what was removed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from jellytui.engine.clock import Clock, timestamp
from jellytui.engine.jellyfin.records import Library, Page
from jellytui.engine.library.ports import CatalogueServer
from jellytui.engine.library.syncing import facts, mirror
from jellytui.engine.library.syncing.pages import Fetch, Pages
from jellytui.engine.library.syncing.playlists import read_playlists
from jellytui.engine.storage.database import Database, Transaction

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=5)
"""How far the watermark is set back (big-library.md, 11)."""
FULL_EVERY = timedelta(days=7)
"""One removed and one added without being noticed cancel out in the counts: a full round heals it (13)."""
_RESUME_WITHIN = timedelta(days=1)
_AT_ONCE = 200
"""Rows of a page made between two turns of the loop, which the app draws on: 2,000 at once take 80 ms."""

Show = Callable[[str, int, int], None]
"""(phase, done, total)."""
Store = Callable[[Transaction, str, Iterable[Any]], Awaitable[bool]]


class Round:
    """Runs once. `show` hears of progress, `on_change` of each committed change."""

    def __init__(
        self,
        *,
        client: CatalogueServer,
        database: Database,
        clock: Clock,
        show: Show,
        on_change: Callable[[], Awaitable[None]],
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._show = show
        self._on_change = on_change
        self._server_date: str | None = None
        self._done = 0
        self._total = 0

    async def run(self, *, full: bool) -> None:
        """Brings the mirror up to date. Raises JellytuiError; what was stored until then stays."""
        self._show("libraries", 0, 0)
        libraries = await self._client.music_libraries()
        if not full and await self._is_change_round_enough():
            if await self._read_changes(libraries):
                return
            log.info("the server's counts differ from the mirror's: reading everything")
        await self._read_all(libraries)

    async def _is_change_round_enough(self) -> bool:
        watermark = await facts.read(self._database, facts.WATERMARK)
        full_at = await facts.read(self._database, facts.FULL_AT)
        is_unfinished = await facts.read(self._database, facts.BEGUN_AT) is not None
        return watermark is not None and full_at is not None and not is_unfinished and not self._is_old(full_at)

    def _is_old(self, moment: str, limit: timedelta = FULL_EVERY) -> bool:
        return self._clock.now() - datetime.fromisoformat(moment) > limit

    # Everything

    async def _read_all(self, libraries: Sequence[Library]) -> None:
        await self._begin()
        for phase, store in _PHASES.items():
            self._done = self._total = 0
            for library in libraries:
                await self._read_list(phase, library.id, store)
        are_whole = [await self._is_whole(library.id) for library in libraries]
        await self._read_lists_of_user()
        await self._finish(libraries, are_whole)

    async def _begin(self) -> None:
        """Begins anew, or goes on with a round that was interrupted not long ago."""
        self._server_date = None
        begun_at = await facts.read(self._database, facts.BEGUN_AT)
        if begun_at is not None and not self._is_old(begun_at, _RESUME_WITHIN):
            return
        async with self._database.transaction() as transaction:
            await facts.forget_listings(transaction)
            begun = {facts.BEGUN_AT: timestamp(self._clock.now()), facts.NEXT_WATERMARK: None}
            await facts.write(transaction, begun)

    async def _read_list(self, phase: str, library_id: str, store: Store) -> None:
        done, total = self._done, self._total
        fetch = self._fetch(phase, library_id)
        place = await self._place(phase, library_id, fetch)
        if not place.is_done:
            pages = Pages(fetch, self._clock, start=place.next_index, total=place.total)
            async for stretch in pages:
                place = facts.Place(stretch.next_index, stretch.total)
                await self._store_page(phase, library_id, store, stretch.items, place)
                await self._keep_watermark(stretch.server_date)
                self._show(phase, done + place.next_index, total + stretch.total)
            if pages.skipped:
                log.warning("%d %s could not be read", pages.skipped, phase)
            place = msgspec.structs.replace(place, is_done=True)
            async with self._database.transaction() as transaction:
                await facts.keep_place(transaction, library_id, phase, place)
        self._done, self._total = done + place.next_index, total + (place.total or 0)

    async def _place(self, phase: str, library_id: str, fetch: Fetch[Any]) -> facts.Place:
        """Where to go on; the beginning if the list moved while nobody looked, since places in it mean nothing then."""
        place = await facts.place(self._database, library_id, phase)
        if place.is_done or place.total is None or (await fetch(0, 0, True)).total == place.total:
            return place
        async with self._database.transaction() as transaction:
            await facts.forget_listing(transaction, library_id, phase)
        return facts.Place()

    async def _store_page(
        self, phase: str, library_id: str, store: Store, items: Sequence[Any], reached: facts.Place
    ) -> None:
        async def work(transaction: Transaction) -> bool:
            changed = await _store_by_turns(transaction, store, library_id, items)
            if phase == "tracks":
                await facts.keep_seen(transaction, library_id, [item.id for item in items])
            await facts.keep_place(transaction, library_id, phase, reached)
            return changed

        await self._write(work)

    async def _keep_watermark(self, server_date: str | None) -> None:
        """The time of the round's first answer counts: what changes while it runs is asked for again."""
        if self._server_date is not None or server_date is None:
            return
        self._server_date = server_date
        if await facts.read(self._database, facts.NEXT_WATERMARK) is None:
            async with self._database.transaction() as transaction:
                await facts.write(transaction, {facts.NEXT_WATERMARK: _watermark(server_date)})

    async def _is_whole(self, library_id: str) -> bool:
        """Whether every track of the library was met; once more when it moved meanwhile (jellyfin-api.md 7.5).

        Met and listed may be equally many by chance when one came and one went: the total must have stayed too.
        An empty answer is only believed of a library that was empty before.
        """
        for is_last in (False, True):
            count = await self._count(library_id)
            total = (await facts.place(self._database, library_id, "tracks")).total
            async with self._database.transaction() as transaction:
                if 0 < count == total == await facts.seen_count(transaction, library_id):
                    return True
                if count == 0:
                    return not await _mirrored(transaction, library_id)
                if is_last:
                    return False
                await facts.forget_listing(transaction, library_id, "tracks")
            self._done = self._total = 0
            await self._read_list("tracks", library_id, mirror.store_tracks)
        return False

    async def _finish(self, libraries: Sequence[Library], are_whole: Sequence[bool]) -> None:
        async def work(transaction: Transaction) -> bool:
            changed = False
            for library, is_whole in zip(libraries, are_whole, strict=True):
                if is_whole:
                    changed |= await mirror.remove_unseen(transaction, library.id)
            if await facts.has_seen_any(transaction):
                changed |= await mirror.remove_other_libraries(transaction, [library.id for library in libraries])
                if all(are_whole):
                    changed |= await mirror.remove_empty(transaction)
            await facts.forget_listings(transaction)
            now = timestamp(self._clock.now())
            watermark = await facts.read(transaction, facts.NEXT_WATERMARK)
            ended = {facts.WATERMARK: watermark, facts.FULL_AT: now, facts.FINISHED_AT: now}
            await facts.write(transaction, {**ended, facts.BEGUN_AT: None, facts.NEXT_WATERMARK: None})
            return changed

        await self._write(work)
        for library in libraries:
            await self._keep_difference(library.id)

    async def _keep_difference(self, library_id: str) -> None:
        """What even a full round could not get is no reason for another one at each start."""
        count = await self._count(library_id)
        async with self._database.transaction() as transaction:
            difference = count - await _mirrored(transaction, library_id)
            await facts.write(transaction, {f"difference:{library_id}": str(difference) if difference else None})

    # Changes

    async def _read_changes(self, libraries: Sequence[Library]) -> bool:
        """Whether the mirror is up to date now."""
        since = await facts.read(self._database, facts.WATERMARK)
        for library in libraries:
            for phase, store in _PHASES.items():
                self._done = 0
                await self._read_changed(phase, library.id, store, since)
        await self._read_lists_of_user()
        return await self._end_changes(libraries, since)

    async def _end_changes(self, libraries: Sequence[Library], since: str | None) -> bool:
        """Whether the counts agree; only then is the watermark moved, and are closed libraries removed."""
        counts = {library.id: await self._count(library.id) for library in libraries}
        differences = {library.id: await self._difference(library.id) for library in libraries}
        async with self._database.transaction() as transaction:
            for library_id, count in counts.items():
                if count - await _mirrored(transaction, library_id) != differences[library_id]:
                    return False

        async def work(transaction: Transaction) -> bool:
            watermark = _watermark(self._server_date) if self._server_date else since
            finished = timestamp(self._clock.now())
            await facts.write(transaction, {facts.WATERMARK: watermark, facts.FINISHED_AT: finished})
            if not any(counts.values()) or not await mirror.remove_other_libraries(transaction, counts):
                return False
            await mirror.remove_empty(transaction)
            return True

        await self._write(work)
        return True

    async def _read_changed(self, phase: str, library_id: str, store: Store, since: str | None) -> None:
        async for stretch in Pages(self._fetch(phase, library_id, since), self._clock):
            self._server_date = self._server_date or stretch.server_date
            items = stretch.items
            await self._write(
                lambda transaction, items=items: _store_by_turns(transaction, store, library_id, items)  # type: ignore[misc]
            )
            self._show(phase, stretch.next_index, stretch.total)

    async def _difference(self, library_id: str) -> int:
        """How many tracks more than the mirror the server counted when the last full round had ended."""
        return int(await facts.read(self._database, f"difference:{library_id}") or 0)

    # Both

    async def _read_lists_of_user(self) -> None:
        playlists = await read_playlists(self._client, self._show)
        await self._write(lambda transaction: mirror.store_playlists(transaction, playlists))
        self._show("favorites", 0, 0)
        # What the server was told before it is asked now is in its answer.
        await self._database.execute("DELETE FROM favorite_wishes WHERE is_sent = 1")
        favorites = await self._client.favorite_ids()
        await self._write(lambda transaction: mirror.store_favorites(transaction, favorites))

    async def _count(self, library_id: str) -> int:
        return (await self._client.tracks_page(library_id, 0, 0, with_total=True)).total or 0

    def _fetch(self, phase: str, library_id: str, since: str | None = None) -> Fetch[Any]:
        async def fetch(start: int, limit: int, with_total: bool) -> Page[Any]:
            if phase == "artists":
                return await self._client.artists_page(library_id, start, limit, with_total=with_total)
            read = self._client.albums_page if phase == "albums" else self._client.tracks_page
            return await read(library_id, start, limit, with_total=with_total, saved_since=since)

        return fetch

    async def _write(self, work: Callable[[Transaction], Awaitable[bool]]) -> None:
        async with self._database.transaction() as transaction:
            changed = await work(transaction)
            if changed:
                await facts.grow_version(transaction)
        if changed:
            await self._on_change()


async def _store_by_turns(transaction: Transaction, store: Store, library_id: str, items: Sequence[Any]) -> bool:
    changed = False
    for start in range(0, len(items), _AT_ONCE):
        changed |= await store(transaction, library_id, items[start : start + _AT_ONCE])
    return changed


async def _store_artists(transaction: Transaction, _library_id: str, items: Iterable[Any]) -> bool:
    return await mirror.store_artists(transaction, items)


async def _store_albums(transaction: Transaction, _library_id: str, items: Iterable[Any]) -> bool:
    return await mirror.store_albums(transaction, items)


# In this order: a track is placed by its album and that album's artist.
_PHASES: dict[str, Store] = {"artists": _store_artists, "albums": _store_albums, "tracks": mirror.store_tracks}


async def _mirrored(transaction: Transaction, library_id: str) -> int:
    row = await transaction.fetch_one("SELECT count(*) FROM tracks WHERE library_id = ?", (library_id,))
    return int(row[0]) if row else 0


def _watermark(server_date: str) -> str | None:
    """A Date header, set back by the overlap; None for one that is no date: then the next round reads everything."""
    try:
        return timestamp(parsedate_to_datetime(server_date).astimezone(UTC) - OVERLAP)
    except ValueError:
        return None
