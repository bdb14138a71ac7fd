"""Places: which file below the export's folder is a track's: nothing foreign is touched, nothing leads out."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from jellytui.engine.downloads.upkeep.carry import drop_temporaries, is_same
from jellytui.engine.downloads.upkeep.export.manifest import Manifest
from jellytui.engine.downloads.upkeep.export.names import album_folder, artist_folder, folded, track_file
from jellytui.engine.models import Track


class Places:
    """Gives each track its file; blocks, so it is used in threads. Raises OSError."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest
        self._names: dict[PurePosixPath, dict[str, str]] = {}
        self._albums = {folded(path) for path in manifest.albums.values()}

    def file_of(self, track: Track, source: Path, *, has_discs: bool) -> tuple[Path, bool]:
        """Where the track's file goes, its folder made, and whether it is there already as it should be."""
        facts = source.stat()
        known = self._manifest.tracks.get(track.id)
        if known is not None and self._is_ours(PurePosixPath(known)):
            self._listed(PurePosixPath(known).parent)
            target = self._folder / known
            target.parent.mkdir(parents=True, exist_ok=True)
            return target, target.is_file() and is_same(facts, target.stat())
        album = self._album(track)
        names, number = self._listed(album), 1
        while True:
            name = track_file(track, source.suffix, has_discs=has_discs, number=number)
            there = names.get(folded(name))
            path = self._folder / album / (there or name)
            is_there = there is not None and _is_plain_file(path) and is_same(facts, path.stat())
            if there is None or (is_there and not self._is_anothers(album / there)):
                names[folded(name)] = path.name
                self._manifest.tracks[track.id] = str(album / path.name)
                return path, is_there
            number += 1

    def cover_of(self, track: Track) -> Path | None:
        """Where the cover of the track's album goes; None where there is one."""
        album = self._album(track)
        names = self._listed(album)
        if "cover.jpg" in names:
            return None
        names["cover.jpg"] = "cover.jpg"
        return self._folder / album / "cover.jpg"

    def _album(self, track: Track) -> PurePosixPath:
        """The album's folder, made; two albums of one name get two."""
        key = track.album_id or f"{track.album_artist}\n{track.album}"
        known = self._manifest.albums.get(key)
        if known is not None and self._is_made(PurePosixPath(known)):
            return PurePosixPath(known)
        artist = self._subfolder(PurePosixPath(), artist_folder(track))
        number = 1
        while True:
            album = artist / self._spelled(artist, album_folder(track, number))
            if folded(str(album)) not in self._albums and self._is_made(album):
                self._albums.add(folded(str(album)))
                self._manifest.albums[key] = str(album)
                return album
            number += 1

    def _subfolder(self, parent: PurePosixPath, name: str) -> PurePosixPath:
        """A folder of that name, shared by all who have it; a link or a file in its place is gone round."""
        number, wish = 1, name
        while not self._is_made(parent / self._spelled(parent, wish)):
            number += 1
            wish = f"{name} ({number})"
        return parent / self._spelled(parent, wish)

    def _is_made(self, path: PurePosixPath) -> bool:
        """Makes the folder and those above it; False where something else, or a link that leads away, is there."""
        for part in (*reversed(path.parents), path):
            if part == PurePosixPath():
                continue  # the user's own choice, be it a link
            real = self._folder / part
            if real.is_symlink() or (real.exists() and not real.is_dir()):
                return False
            if not real.exists():
                real.mkdir()
                self._listed(part.parent)[folded(part.name)] = part.name
        return True

    def _is_ours(self, path: PurePosixPath) -> bool:
        """Whether a path of the list is still a place of ours: real folders, and a plain file or nothing."""
        target = self._folder / path
        return self._is_made(path.parent) and (_is_plain_file(target) or not os.path.lexists(target))

    def _is_anothers(self, path: PurePosixPath) -> bool:
        return str(path) in self._manifest.tracks.values()

    def _spelled(self, parent: PurePosixPath, name: str) -> str:
        """As the folder spells it that is there."""
        return self._listed(parent).get(folded(name), name)

    def _listed(self, folder: PurePosixPath) -> dict[str, str]:
        """The names in a folder, by what a careless file system sees of them."""
        if folder not in self._names:
            real = self._folder / folder
            if folder != PurePosixPath():
                drop_temporaries(real)
            names = [path.name for path in real.iterdir()] if real.is_dir() else []
            self._names[folder] = {folded(name): name for name in names}
        return self._names[folder]


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
