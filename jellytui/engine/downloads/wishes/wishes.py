"""Wishes: who wants which tracks: the user, the lists he follows, the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.files import DownloadFiles
from jellytui.engine.downloads.holds import Holds
from jellytui.engine.downloads.ports import Catalogue, Server
from jellytui.engine.downloads.removal import Removal
from jellytui.engine.downloads.rows.listing import Listing
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.downloads.rows.requests import (
    PRIORITY_OF,
    USER_PRIORITY,
    Ask,
    Requests,
)
from jellytui.engine.downloads.rows.wants import Wants
from jellytui.engine.downloads.transfer.attempt import note_pause
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.downloads.upkeep.strays import Mirror
from jellytui.engine.downloads.wishes.facts import FactsAsker
from jellytui.engine.downloads.wishes.following import FAVORITES, Following, playlist_want
from jellytui.engine.errors import NotAllowedError, NotFoundError, ServerUnreachableError, UsageError
from jellytui.engine.models import DownloadInfo, Track

_CAN_DOWNLOAD = "can_download"


class Wishes:
    """Queues what is wanted, adopts what is there, lets go what nobody wants any more."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        mirror: Mirror,
        server: Server,
        requests: Requests,
        wants: Wants,
        notes: Notes,
        listing: Listing,
        files: DownloadFiles,
        holds: Holds,
        removal: Removal,
        runner: Runner,
        facts: FactsAsker,
        announcer: Announcer,
        changes: asyncio.Lock,
    ) -> None:
        self._catalogue = catalogue
        self._server = server
        self._requests = requests
        self._wants = wants
        self._notes = notes
        self._listing = listing
        self._files = files
        self._holds = holds
        self._removal = removal
        self._runner = runner
        self._facts = facts
        self._announcer = announcer
        self._changes = changes
        self._following = Following(
            catalogue=catalogue, mirror=mirror, wants=wants, request=self._request_for_user, withdraw=self.withdraw
        )

    # The user's.

    async def download_item(self, item_id: str, file_path: str | None = None) -> DownloadInfo:
        """Queues a track. Raises NotFoundError; UsageError for a path that may not be taken."""
        tracks = await self._catalogue.tracks([item_id])
        if not tracks:
            raise NotFoundError(f"There is no track {item_id} in the library. `jellytui sync` brings it up to date.")
        return (await self._request_for_user(tracks, "user", file_path))[0]

    async def download_album(self, album_id: str) -> list[DownloadInfo]:
        """Queues an album's tracks in their order. Raises NotFoundError."""
        tracks = _some(await self._catalogue.tracks_of_album(album_id), f"album {album_id}")
        return await self._request_for_user(tracks, "user")

    async def download_artist(self, artist_id: str) -> list[DownloadInfo]:
        """Queues everything by an artist, album by album. Raises NotFoundError."""
        tracks = _some(await self._catalogue.tracks_of_artist(artist_id), f"artist {artist_id}")
        return await self._request_for_user(tracks, "user")

    async def download_playlist(self, playlist_id: str) -> list[DownloadInfo]:
        """Queues a playlist's tracks, and follows it from now on. Raises NotFoundError."""
        tracks = _some(await self._catalogue.tracks_of_playlist(playlist_id), f"playlist {playlist_id}")
        return await self._request_and_follow(tracks, playlist_want(playlist_id))

    async def download_favorites(self) -> list[DownloadInfo]:
        """Queues all favourite tracks, and follows them from now on. Raises NotFoundError."""
        tracks = await self._catalogue.favorite_tracks()
        if not tracks:
            raise NotFoundError("No track is a favourite yet. Make some (f, or jellytui favorite ID) and try again.")
        return await self._request_and_follow(tracks, FAVORITES)

    async def unfollow_playlist(self, playlist_id: str) -> None:
        """Follows a playlist no more; what only it wanted is the cache's. Raises NotFoundError."""
        await self._unfollow(playlist_want(playlist_id))

    async def unfollow_favorites(self) -> None:
        """Follows the favourites no more; what only they wanted is the cache's. Raises NotFoundError."""
        await self._unfollow(FAVORITES)

    async def sync(self) -> None:
        """The library was synced: what is new in followed lists comes down, what is gone from them is let go."""
        await self._following.sync()

    async def keep(self, item_ids: Sequence[str]) -> list[DownloadInfo]:
        """Makes cached tracks the user's. Raises NotAllowedError, ServerUnreachableError, NotFoundError."""
        tracks = await self._listing.tracks(item_ids)
        if not tracks:
            raise NotFoundError("Nothing of that is here yet. Download it instead.")
        return await self._request_for_user(tracks, "user")

    # The cache's.

    async def want(
        self, tracks: Sequence[Track], wanted_by: Literal["queue", "album"], *, priority: int | None = None
    ) -> list[int]:
        """Queues tracks for the cache; the ids of their rows. `priority` where the usual one does not do."""
        usual = PRIORITY_OF[wanted_by]
        priority = usual if priority is None else priority
        infos = await self._request(tracks, lambda: self._holds.ask(wanted_by, wanted_by, priority))
        return [info.id for info in infos]

    async def withdraw(self, item_ids: Sequence[str], wanted_by: str) -> None:
        """Drops one want of these items; what nobody wants any more goes when less than half of it is here."""
        async with self._changes:
            await self._removal.let_go(await self._wants.drop(item_ids, wanted_by))

    # How.

    async def _request_and_follow(self, tracks: Sequence[Track], wanted_by: str) -> list[DownloadInfo]:
        rows = await self._request_for_user(tracks, wanted_by)
        await self._wants.follow(wanted_by, {track.id for track in tracks})
        return rows

    async def _request_for_user(
        self, tracks: Sequence[Track], wanted_by: str, file_path: str | None = None
    ) -> list[DownloadInfo]:
        if await self._wants.cached_items([track.id for track in tracks]):
            await self._must_be_allowed()
        return await self._request(tracks, lambda: self._holds.ask(wanted_by, "user", USER_PRIORITY), file_path)

    async def _request(
        self, tracks: Sequence[Track], ask: Callable[[], Ask], file_path: str | None = None
    ) -> list[DownloadInfo]:
        """Queues them by what holds when their turn has come: everything may have been paused while they waited."""
        for track in tracks:
            self._files.part_of(track.id)  # an id that may not stand in a path is refused before it has a row
        try:
            async with self._changes:
                chosen = None if file_path is None else await self._chosen_path(tracks[0].id, file_path)
                asked = replace(ask(), file_path=chosen)
                ids = await self._requests.add(tracks, asked)
                if asked.is_users and not asked.is_held:
                    note_pause(self._runner.listeners, ids, is_paused=False)
            infos = await self._announcer.changed(ids)
            self._facts.add(info.item_id for info in infos if info.status != "completed")
            return infos
        finally:
            self._runner.wake()  # also where whoever asked has hung up since

    async def _unfollow(self, wanted_by: str) -> None:
        if wanted_by not in await self._wants.followed():
            raise NotFoundError("That list is not followed.")
        await self.withdraw(await self._wants.unfollow(wanted_by), wanted_by)

    async def _chosen_path(self, item_id: str, file_path: str) -> str:
        """A path that the user chose, checked against disk and rows; the caller holds `changes`. Raises UsageError."""
        row = await self._listing.by_item(item_id)
        if row is not None:
            where = f" as {row.file_path}" if row.file_path else ""
            raise UsageError(f"This track is here or on its way already{where}. Delete it first to put it elsewhere.")
        chosen = await asyncio.to_thread(self._files.chosen_path, file_path)
        if await self._listing.has_path(chosen):
            raise UsageError(f"{file_path!r} is taken by another download. Choose another name.")
        return chosen

    async def _must_be_allowed(self) -> None:
        """Keeping what the cache holds needs the permission to download; the server's last word where it is away."""
        try:
            is_allowed = (await self._server.user()).can_download
            await self._notes.set(_CAN_DOWNLOAD, str(int(is_allowed)))
        except ServerUnreachableError:
            known = await self._notes.get(_CAN_DOWNLOAD)
            if known is None:
                raise
            is_allowed = known == "1"
        if not is_allowed:
            raise NotAllowedError("Your account may not download from this server. Ask its administrator to allow it.")


def _some(tracks: list[Track], what: str) -> list[Track]:
    if not tracks:
        raise NotFoundError(f"There is no {what} with tracks in the library. `jellytui sync` brings it up to date.")
    return tracks
