"""Deck: what lies in the sound, the track that plays and the one appended behind it for gapless."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from jellytui.engine.models import LocalSource, MediaItem, QueueEntry, Track
from jellytui.engine.player.sound import Sound, stream_uri
from jellytui.engine.player.source import LocalFiles, create_media_item


@dataclass(frozen=True, kw_only=True)
class Load:
    """A queue entry in the sound. `lease` keeps its file; `is_plain` says that mpv opens the URL itself."""

    load_id: int
    entry: QueueEntry
    item: MediaItem
    lease: ExitStack
    is_plain: bool

    @property
    def is_local(self) -> bool:
        return isinstance(self.item.source, LocalSource)


class Deck:
    """Loads entries into the sound, each by the source that is right at that moment."""

    def __init__(
        self,
        *,
        sound: Sound,
        files: LocalFiles,
        stream_url: Callable[[str], str],
        replaygain: Literal["album", "track", "off"],
    ) -> None:
        self.current: Load | None = None
        self.ahead: Load | None = None
        self.dropped: int | None = None
        """The load that was taken off last: where mpv plays it all the same, it was faster."""
        self._sound = sound
        self._files = files
        self._stream_url = stream_url
        self._replaygain = replaygain

    def gain(self, track: Track) -> float | None:
        """What the server measured, in dB, for files without tags of their own; mpv reads the others' tags itself."""
        if self._replaygain == "off":
            return None
        if self._replaygain == "album" and track.album_gain_db is not None:
            return track.album_gain_db
        return track.gain_db

    async def load(self, entry: QueueEntry, *, start_ms: int, is_plain: bool = False) -> Load:
        """Plays an entry instead of all that is here. `is_plain`: remote ones by their URL, not through a stream."""
        self._release()
        with ExitStack() as lease:
            item = await self._choose(entry.track, lease)
            load_id = self._sound.load(_uri_of(item, is_plain), start_ms=start_ms, gain_db=self.gain(entry.track))
            self.current = Load(load_id=load_id, entry=entry, item=item, lease=lease.pop_all(), is_plain=is_plain)
        return self.current

    async def prepare(self, entry: QueueEntry | None) -> None:
        """Appends the entry that plays next; takes off what was appended when it is another, or None."""
        if self.current is None:
            return
        with ExitStack() as lease:
            item = None if entry is None else await self._choose(entry.track, lease)
            if self.current is None or (self.ahead and self.ahead.entry == entry and self.ahead.item == item):
                return
            self._drop_ahead()
            if entry is not None and item is not None:
                is_plain = self.current.is_plain
                load_id = self._sound.append(_uri_of(item, is_plain), gain_db=self.gain(entry.track))
                self.ahead = Load(load_id=load_id, entry=entry, item=item, lease=lease.pop_all(), is_plain=is_plain)

    async def is_outdated(self, load: Load) -> bool:
        """Whether the file that was loaded is not there any more, or lies elsewhere."""
        with ExitStack() as lease:
            return load.is_local and await self._choose(load.entry.track, lease) != load.item

    def take_over(self) -> Load | None:
        """The current load has ended; the one ahead, if any, is current from now on."""
        if self.current is not None:
            self.current.lease.close()
        self.current, self.ahead = self.ahead, None
        return self.current

    def clear(self) -> None:
        """Stops the sound and lets go of everything."""
        if self.current or self.ahead:
            self._sound.halt()
        self._release()

    async def _choose(self, track: Track, lease: ExitStack) -> MediaItem:
        """What to load of a track; its file is held from before anybody looks, so that it cannot go in between."""
        lease.enter_context(self._files.lease(track.id))
        item = await create_media_item(track, files=self._files, stream_url=self._stream_url)
        if not isinstance(item.source, LocalSource):
            lease.close()
        return item

    def _drop_ahead(self) -> None:
        if self.ahead is None:
            return
        self._sound.drop_appended()
        self.ahead.lease.close()
        self.dropped, self.ahead = self.ahead.load_id, None

    def let_go(self) -> None:
        """The sound needs the files no more."""
        for load in (self.current, self.ahead):
            if load is not None:
                load.lease.close()

    def _release(self) -> None:
        self.let_go()
        self.current = self.ahead = None


def _uri_of(item: MediaItem, is_plain: bool) -> str:
    """One fetch: what is remote comes through a stream of the downloads, unless nothing can be written."""
    if isinstance(item.source, LocalSource):
        return item.source.file_path
    return item.source.stream_url if is_plain else stream_uri(item.track.id)
