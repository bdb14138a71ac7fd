"""Playlists of users and of M3U files, with the bounds and duplicates of each version (jellyfin-api.md 13)."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jellytui.demo.library import M3uPlaylist
from jellytui.demo.state.store import Store


@dataclass(slots=True)
class Playlist:
    """One list. `shares` says for each user whether he may edit."""

    id: str
    name: str
    owner_id: str
    public: bool
    created: datetime
    entries: list[str] = field(default_factory=list)
    shares: dict[str, bool] = field(default_factory=dict)
    from_file: bool = False

    def visible_to(self, user_id: str | None) -> bool:
        """Whether the user may see it."""
        return self.public or user_id == self.owner_id or user_id in self.shares

    def editable_by(self, user_id: str | None) -> bool:
        """Whether the user may edit it."""
        return user_id == self.owner_id or self.shares.get(user_id or "", False)


class Playlists:
    """All lists, in the order of their making."""

    def __init__(self, store: Store, *, keep_duplicates: bool) -> None:
        self._store = store
        self._keep_duplicates = keep_duplicates
        self._lists: dict[str, Playlist] = {}
        saved = [
            Playlist(**(value | {"created": datetime.fromisoformat(value["created"])}))
            for _, value in store.items("playlist")
        ]
        for playlist in sorted(saved, key=lambda each: each.created):
            self._lists[playlist.id] = playlist

    def all(self) -> list[Playlist]:
        """Every list."""
        return list(self._lists.values())

    def get(self, playlist_id: str) -> Playlist | None:
        """The list of that id."""
        return self._lists.get(playlist_id)

    def create(self, name: str, owner_id: str, entries: Iterable[str], *, public: bool, now: datetime) -> Playlist:
        """Makes a list."""
        playlist = Playlist(secrets.token_hex(16), name, owner_id, public, now)
        self._lists[playlist.id] = playlist
        self.replace(playlist, entries)
        return playlist

    def take_files(self, files: Sequence[M3uPlaylist], owner_id: str) -> None:
        """Shows the M3U files of the library as lists, and no longer those that have gone."""
        for playlist in [each for each in self._lists.values() if each.from_file]:
            del self._lists[playlist.id]
        for file in files:
            made = Playlist(file.id, file.name, owner_id, True, file.modified, list(file.track_ids), from_file=True)
            self._lists[file.id] = made

    def replace(self, playlist: Playlist, entries: Iterable[str]) -> None:
        """Sets all entries; 10.11 drops duplicates."""
        playlist.entries = list(entries) if self._keep_duplicates else list(dict.fromkeys(entries))
        self.save(playlist)

    def without_known(self, playlist: Playlist, ids: Sequence[str]) -> Sequence[str]:
        """What of the ids asked for is added: 10.11 drops those in the list, but not the tracks of an album (13)."""
        if self._keep_duplicates:
            return ids
        return [each for each in dict.fromkeys(ids) if each not in playlist.entries]

    def add(self, playlist: Playlist, entries: Sequence[str], position: int | None) -> None:
        """Adds entries at the end, or on 12 at a place, clamped to the list."""
        position = position if self._keep_duplicates else None
        place = len(playlist.entries) if position is None else max(0, min(position, len(playlist.entries)))
        playlist.entries[place:place] = entries
        self.save(playlist)

    def remove(self, playlist: Playlist, entry_ids: Iterable[str]) -> None:
        """Removes all copies: an entry's id is its item's."""
        gone = set(entry_ids)
        playlist.entries = [each for each in playlist.entries if each not in gone]
        self.save(playlist)

    def move(self, playlist: Playlist, entry_id: str, index: int) -> None:
        """Moves the first copy; `index` counts afterwards. Raises IndexError past the end."""
        if index > len(playlist.entries):
            raise IndexError(index)
        if entry_id not in playlist.entries:
            return
        playlist.entries.remove(entry_id)
        if index < 0:
            index = max(0, len(playlist.entries) + index)
        playlist.entries.insert(index, entry_id)
        self.save(playlist)

    def delete(self, playlist: Playlist) -> None:
        """Forgets a list."""
        self._lists.pop(playlist.id, None)
        self._store.remove("playlist", playlist.id)

    def save(self, playlist: Playlist) -> None:
        """Writes a list; those of files live in their files."""
        if playlist.from_file:
            return
        value: dict[str, Any] = {
            "id": playlist.id,
            "name": playlist.name,
            "owner_id": playlist.owner_id,
            "public": playlist.public,
            "created": playlist.created.astimezone(UTC).isoformat(),
            "entries": playlist.entries,
            "shares": playlist.shares,
        }
        self._store.put("playlist", playlist.id, value)
