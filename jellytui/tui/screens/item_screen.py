"""What can be done with an artist, album, playlist or track, on every screen that lists them."""

from __future__ import annotations

from collections.abc import Sequence

from jellytui.engine.models import Album, Artist, DownloadInfo, Item, Playlist, Track
from jellytui.tui.format import count
from jellytui.tui.screens.base import BaseScreen


class ItemScreen(BaseScreen):
    """Queueing, downloading and liking the item under the cursor; a subclass says which that is, and plays it."""

    def current_item(self) -> Item | None:
        """The item that actions are about."""
        raise NotImplementedError

    def play_current(self) -> None:
        """Plays from the item under the cursor."""
        raise NotImplementedError

    # Actions

    def action_play(self) -> None:
        self.play_current()

    def action_enqueue(self) -> None:
        self._enqueue(play_next=False)

    def action_play_next(self) -> None:
        self._enqueue(play_next=True)

    def action_download(self) -> None:
        if item := self.current_item():
            self.run_worker(self._download(item), group="items", exit_on_error=False)

    def action_delete_download(self) -> None:
        if item := self.current_item():
            self.run_worker(self._delete_download(item), group="items", exit_on_error=False)

    def action_favorite(self) -> None:
        if item := self.current_item():
            self.run_worker(self._favorite(item), group="favorites", exit_on_error=False)

    def play_whole(self, item: Item) -> None:
        """Plays all of an artist, album or playlist, or the one track."""
        match item:
            case Artist():
                self.send("play_artist", artist_id=item.id)
            case Album():
                self.send("play_album", album_id=item.id)
            case Playlist():
                self.send("play_playlist", playlist_id=item.id)
            case Track():
                self.send("play_items", item_ids=[item.id])

    # The work behind them, in workers: a handler that awaits blocks all keys (textual.md 3.6)

    async def _tracks(self, item: Item) -> list[Track]:
        if isinstance(item, Track):
            return [item]
        scope = type(item).__name__.lower()
        return await self.jellytui.ask("get_tracks", scope=scope, item_id=item.id) or []

    def _enqueue(self, *, play_next: bool) -> None:
        if item := self.current_item():
            self.run_worker(self._enqueue_tracks(item, play_next), group="items", exit_on_error=False)

    async def _enqueue_tracks(self, item: Item, play_next: bool) -> None:
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
        if isinstance(item, Track):
            row: DownloadInfo | None = await app.ask("download_item", item_id=item.id, user_id=user_id)
            if row is not None:
                app.say(f"{item.name} is here already." if row.status == "completed" else f"{item.name} comes down.")
            return
        kind = type(item).__name__.lower()
        rows: list[DownloadInfo] | None = await app.ask(
            f"download_{kind}", **{f"{kind}_id": item.id, "user_id": user_id}
        )
        if rows is None:
            return
        coming = sum(row.status != "completed" for row in rows)
        if coming:
            app.say(f"{item.name}: {count(coming, 'track')} to download.")
        else:
            app.say(f"{item.name} is here already.")

    async def _delete_download(self, item: Item) -> None:
        from jellytui.tui.screens.confirm import Confirm

        app = self.jellytui
        track_ids = {track.id for track in await self._tracks(item)}
        rows: Sequence[DownloadInfo] = (
            await app.ask("get_downloads", user_id=self.session.backend.account.user_id) or ()
        )
        doomed = [row.id for row in rows if row.item_id in track_ids]
        if not doomed:
            app.say(f"Nothing of {item.name} is downloaded.")
            return
        what = "the download" if len(doomed) == 1 else count(len(doomed), "download")
        if not await app.push_screen_wait(Confirm(f"Delete {what} of {item.name}?", "delete")):
            return
        for download_id in doomed:
            await app.ask("delete_download", download_id=download_id)
        app.say(f"{count(len(doomed), 'download')} deleted. The server still has the music.")

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
