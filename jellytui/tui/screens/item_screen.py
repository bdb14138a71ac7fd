"""What can be done with an artist, album, playlist or track, on every screen that lists them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from jellytui.engine.models import Album, Artist, DownloadInfo, Item, Playlist, Track
from jellytui.tui.format import count
from jellytui.tui.screens.base import BaseScreen

Act = Callable[[Item], Coroutine[Any, Any, None]]


class ItemScreen(BaseScreen):
    """Queueing, downloading and liking the item under the cursor; a subclass says which that is, and plays it."""

    def current_item(self) -> Item | None:
        """The item that actions are about; None while it is not known."""
        raise NotImplementedError

    def play_current(self) -> None:
        """Plays from the item under the cursor."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Waits until it is known what the cursor points at; at once where it always is."""

    # Actions

    def action_play(self) -> None:
        self.play_current()

    def action_enqueue(self) -> None:
        self.act(lambda item: self._enqueue(item, play_next=False))

    def action_play_next(self) -> None:
        self.act(lambda item: self._enqueue(item, play_next=True))

    def action_download(self) -> None:
        self.act(self._download)

    def action_delete_download(self) -> None:
        self.act(self._delete_download)

    def action_favorite(self) -> None:
        self.act(self._favorite)

    def act(self, act: Act) -> None:
        """Does something with the item that is under the cursor now, in a worker: a handler that awaits blocks all
        keys (textual.md 3.6)."""
        self.run_worker(self._act(self.current_item(), act), group="items", exit_on_error=False)

    async def _act(self, item: Item | None, act: Act) -> None:
        if item is None:
            await self.settle()
            item = self.current_item()
        if item is not None:
            await act(item)

    async def play_whole(self, item: Item) -> None:
        """Plays all of an artist, album or playlist, or the one track."""
        ask = self.jellytui.ask
        match item:
            case Artist():
                await ask("play_artist", artist_id=item.id)
            case Album():
                await ask("play_album", album_id=item.id)
            case Playlist():
                await ask("play_playlist", playlist_id=item.id)
            case Track():
                await ask("play_items", item_ids=[item.id])

    # The work behind the actions

    async def _tracks(self, item: Item) -> list[Track]:
        if isinstance(item, Track):
            return [item]
        scope = type(item).__name__.lower()
        return await self.jellytui.ask("get_tracks", scope=scope, item_id=item.id) or []

    async def _enqueue(self, item: Item, *, play_next: bool) -> None:
        tracks = await self._tracks(item)
        if not tracks:
            return
        added = await self.jellytui.ask("enqueue_items", item_ids=[track.id for track in tracks], play_next=play_next)
        if added is not None:
            where = "to play next" if play_next else "to the end of the queue"
            self.jellytui.say(f"{_named(item, len(tracks))} added {where}.")

    async def _download(self, item: Item) -> None:
        user_id = self.session.backend.account.user_id
        app = self.jellytui
        if app.removals.is_waiting:
            await app.removals.spare({track.id for track in await self._tracks(item)})
        if isinstance(item, Track):
            before = self.session.downloads.item_download(item.id)
            row: DownloadInfo | None = await app.ask("download_item", item_id=item.id, user_id=user_id)
            if row is not None:
                app.say(f"{item.name} {_coming(row, before)}.")
            return
        kind = type(item).__name__.lower()
        have = self.session.downloads.downloads.values()
        cached = {row.item_id for row in have if row.status == "completed" and not row.is_kept}
        rows: list[DownloadInfo] | None = await app.ask(
            f"download_{kind}", **{f"{kind}_id": item.id, "user_id": user_id}
        )
        if rows is None:
            return
        coming = sum(row.status != "completed" for row in rows)
        if coming:
            app.say(f"{item.name}: {count(coming, 'track')} to download.")
        elif any(row.item_id in cached for row in rows):
            app.say(f"{item.name} was in the cache; now it stays.")
        else:
            app.say(f"{item.name} is here already.")

    async def _delete_download(self, item: Item) -> None:
        """Takes the downloads off all lists; they are deleted once that can no longer be undone."""
        app, downloads = self.jellytui, self.session.downloads
        rows = [downloads.item_download(track.id) for track in await self._tracks(item)]
        doomed = {row.id: row for row in rows if row is not None}
        if not doomed:
            app.say(f"Nothing of {item.name} is downloaded.")
            return
        playlist_id = item.id if isinstance(item, Playlist) else ""
        app.removals.delete(list(doomed.values()), item.name, playlist_id=playlist_id)

    async def _favorite(self, item: Item) -> None:
        library = self.session.library
        was = library.is_favorite(item)
        # Shown at once; the engine keeps it and tells the server when it can.
        library.set_favorite(item.id, not was)
        library.flush()
        if await self.jellytui.ask("set_favorite", item_id=item.id, is_favorite=not was) is None:
            library.set_favorite(item.id, was)
            library.flush()


def _named(item: Item, tracks: int) -> str:
    return item.name if isinstance(item, Track) else f"{item.name}, {count(tracks, 'track')},"


def _coming(row: DownloadInfo, before: DownloadInfo | None) -> str:
    """What asking for a track has led to, in words."""
    if row.status != "completed":
        return "comes down"
    if before is not None and before.status == "completed" and not before.is_kept:
        return "was in the cache; now it stays"
    return "is here already"
