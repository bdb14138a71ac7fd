"""What LibraryChanged says after a scan, with its traps by version (jellyfin-api.md 12, changing-library.json)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jellytui.demo.library import DemoAlbum, DemoArtist, DemoItem, DemoTrack, Library


@dataclass(slots=True, kw_only=True)
class LibraryChange:
    """The ids of a message."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    folders_added_to: list[str] = field(default_factory=list)
    folders_removed_from: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.removed)

    def data(self, view_id: str) -> dict[str, Any]:
        """The message. The libraries are named only where something came or went."""
        return {
            "FoldersAddedTo": self.folders_added_to,
            "FoldersRemovedFrom": self.folders_removed_from,
            "ItemsAdded": self.added,
            "ItemsRemoved": self.removed,
            "ItemsUpdated": self.updated,
            "CollectionFolders": [view_id] if self.added or self.removed else [],
            "IsEmpty": False,
        }


def compare(old: Library, new: Library, *, is_12: bool) -> LibraryChange:
    """What a scan changed. 12 names of a vanished folder only itself, and artists without a folder after every scan."""
    before, after = ({item.id: item for item in _on_disk(library)} for library in (old, new))
    added = [item for each, item in after.items() if each not in before]
    removed = [item for each, item in before.items() if each not in after]
    grown = {item.parent_id for item in added}
    updated = [item.id for each, item in after.items() if each in before and _was_saved(item, before[each], grown)]
    if is_12:
        updated += [artist.id for artist in new.artists if not artist.is_folder]
        gone = {item.id for item in removed}
        removed = [item for item in removed if item.parent_id not in gone]
    return LibraryChange(
        added=[item.id for item in added],
        updated=updated,
        removed=[item.id for item in removed],
        folders_added_to=_parents(added),
        folders_removed_from=[each for each in _parents(removed) if each in after],
    )


def _on_disk(library: Library) -> Iterator[DemoItem]:
    """What lies in the folder: not the views, and not the artists and genres that are names alone."""
    yield from library.folders
    yield from (artist for artist in library.artists if artist.is_folder)
    yield from library.albums
    yield from library.tracks


def _was_saved(item: DemoItem, old: DemoItem, grown: set[str | None]) -> bool:
    """A folder is named when something came into it or its tracks changed, not for what went."""
    if isinstance(item, DemoAlbum) and isinstance(old, DemoAlbum):
        kept = {track.id: track for track in old.tracks}
        changed = any(track.id in kept and track.modified != kept[track.id].modified for track in item.tracks)
        return changed or item.id in grown
    return isinstance(item, DemoTrack | DemoArtist) and item.saved != old.saved


def _parents(items: Iterable[DemoItem]) -> list[str]:
    return list(dict.fromkeys(item.parent_id for item in items if item.parent_id))
