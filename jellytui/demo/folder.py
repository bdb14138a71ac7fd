"""Makes a library of a folder of music by its tags, as a scan of the server does (jellyfin-api.md 5.5, 6.1a)."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from jellytui.demo.library import (
    MUSIC_ROOT,
    NEVER,
    TICKS_PER_SECOND,
    DemoAlbum,
    DemoFolder,
    DemoItem,
    DemoTrack,
    Library,
    M3uPlaylist,
    SkippedFile,
    item_id,
    views_of,
)
from jellytui.demo.sources import tags
from jellytui.demo.sources.credits import artists_of, genres_of, most_frequent
from jellytui.demo.sources.names import folder_sort_name, track_sort_name
from jellytui.demo.sources.pictures import describe, folder_picture

_AUDIO = "MediaBrowser.Controller.Entities.Audio.Audio"
_ALBUM = "MediaBrowser.Controller.Entities.Audio.MusicAlbum"
_ARTIST = "MediaBrowser.Controller.Entities.Audio.MusicArtist"
_FOLDER = "MediaBrowser.Controller.Entities.Folder"
_PLAYLIST = "MediaBrowser.Controller.Playlists.Playlist"
_DISC_FOLDER = re.compile(r"^(cd|dis[ck]|vol|volume|part|pt)[\s._-]*\d+", re.IGNORECASE)
_LYRICS_EXTENSIONS = (".lrc", ".elrc", ".txt")
_PLAYLIST_EXTENSIONS = (".m3u", ".m3u8")


def scan(folder: Path, *, merge_names: bool = True, previous: Library | None = None) -> Library:
    """Reads the music below a folder.

    `merge_names` is the way of server 12 with artists (see credits.py). With `previous` the files that have not changed
    are not read again, and what did not change keeps the date of its last save. Files that cannot be read are listed
    without tags, as the server lists them, and reported in `Library.skipped`.
    """
    return _Scan(folder, merge_names, previous).run()


class _Scan:
    """One walk through a folder: collects tracks, albums and folders, then joins them."""

    def __init__(self, root: Path, merge_names: bool, previous: Library | None) -> None:
        self._root = root
        self._merge_names = merge_names
        self._previous = previous
        self._known = {track.file: track for track in previous.tracks} if previous else {}
        self._now = datetime.now(UTC)
        self._tracks: list[DemoTrack] = []
        self._albums: list[DemoAlbum] = []
        self._songs: dict[str, list[DemoTrack]] = {}
        self._artist_folders: list[DemoFolder] = []
        self._folders: list[DemoFolder] = []
        self._skipped: list[SkippedFile] = []
        self._playlist_files: list[Path] = []

    def run(self) -> Library:
        top = self._folder(self._root, _FOLDER, None)
        self._folders.append(top)
        self._walk(self._root, top, album=None)
        artists, artist_ids = artists_of(
            self._tracks, self._artist_folders, merge_names=self._merge_names, now=self._now
        )
        genres, genre_ids = genres_of(self._tracks, self._albums, merge_names=self._merge_names, now=self._now)
        root, view, playlists_view = views_of(top, self._now)
        library = Library(
            root=root,
            view=view,
            playlists_view=playlists_view,
            tracks=self._tracks,
            albums=self._albums,
            artists=artists,
            genres=genres,
            folders=self._folders,
            playlists=[playlist for file in self._playlist_files if (playlist := self._playlist(file))],
            skipped=self._skipped,
            artist_ids=artist_ids,
            genre_ids=genre_ids,
        )
        if self._previous is not None:
            _keep_dates(library, self._previous)
        return library

    def _walk(self, path: Path, item: DemoItem, album: DemoAlbum | None) -> None:
        try:
            entries = sorted(path.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            self._skipped.append(SkippedFile(path, error.strerror or str(error)))
            return
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        files = [entry for entry in entries if entry.is_file()]
        self._playlist_files += [file for file in files if file.suffix.lower() in _PLAYLIST_EXTENSIONS]
        for file in files:
            if file.suffix.lower() in tags.EXTENSIONS:
                self._add_track(file, files, item, album)
        for folder in entries:
            if _is_folder(folder):
                self._enter(folder, item, album)

    def _enter(self, folder: Path, parent: DemoItem, album: DemoAlbum | None) -> None:
        if not _holds_music(folder):
            return
        if album is not None:
            disc = self._folder(folder, _FOLDER, parent.id)
            self._folders.append(disc)
            self._walk(folder, disc, album)
        elif _is_album(folder):
            self._add_album(folder, parent)
        elif any(_is_album(child) for child in _subfolders(folder)):
            artist = self._folder(folder, _ARTIST, parent.id)
            self._artist_folders.append(artist)
            self._walk(folder, artist, None)
        else:
            plain = self._folder(folder, _FOLDER, parent.id)
            self._folders.append(plain)
            self._walk(folder, plain, None)

    def _add_album(self, path: Path, parent: DemoItem) -> None:
        folder = self._folder(path, _ALBUM, parent.id)
        songs: list[DemoTrack] = []
        album = DemoAlbum(
            tracks=songs,
            id=folder.id,
            name=folder.name,
            sort_name=folder.sort_name,
            path=folder.path,
            parent_id=parent.id,
            created=self._now,
            saved=self._now,
        )
        self._songs[album.id] = songs
        self._walk(path, album, album)
        self._name_album(album)
        self._albums.append(album)
        cover = folder_picture(entry for entry in path.iterdir() if entry.is_file())
        album.image = describe(cover, embedded=False) if cover else None
        album.image = album.image or next((track.image for track in album.tracks if track.image), None)

    def _name_album(self, album: DemoAlbum) -> None:
        songs = album.tracks
        album.name = next((song.album for song in songs if song.album), album.name)
        album.sort_name = folder_sort_name(album.name)
        album.genres = list(dict.fromkeys(genre for song in songs for genre in song.genres))
        album.artists = most_frequent(name for song in songs for name in song.artists)
        album.album_artists = most_frequent(name for song in songs for name in song.album_artists)
        dated = next((song for song in songs if song.year), None)
        if dated is not None:
            album.year, album.premiere = dated.year, dated.premiere

    def _add_track(self, file: Path, siblings: Sequence[Path], parent: DemoItem, album: DemoAlbum | None) -> None:
        try:
            stat = file.stat()
        except OSError as error:
            self._skipped.append(SkippedFile(file, error.strerror or str(error)))
            return
        modified = datetime.fromtimestamp(stat.st_mtime_ns // 100 / TICKS_PER_SECOND, UTC)
        known = self._known.get(file)
        if known is not None and known.size == stat.st_size and known.modified == modified:
            track = replace(known)
        else:
            track = self._read(file, stat.st_size, modified)
        track.parent_id = parent.id
        track.album_id = album.id if album else None
        track.lyrics_file = _lyrics_beside(file, siblings)
        self._tracks.append(track)
        if album is not None:
            self._songs[album.id].append(track)

    def _read(self, file: Path, size: int, modified: datetime) -> DemoTrack:
        track = DemoTrack(
            id=item_id(_AUDIO, self._shown(file)),
            name=file.stem,
            sort_name=file.stem,
            path=self._shown(file),
            parent_id=None,
            created=modified,
            saved=self._now,
            file=file,
            size=size,
            modified=modified,
            container=file.suffix[1:].lower(),
        )
        try:
            found = tags.read_tags(file)
        except tags.UnreadableFileError as error:
            self._skipped.append(SkippedFile(file, str(error)))
            return track
        track.container, track.codec = found.container, found.codec
        track.run_time_ticks = round(found.seconds * 1_000_000) * 10
        track.bit_rate, track.sample_rate = found.bit_rate, found.sample_rate
        track.bit_depth, track.channels = found.bit_depth, found.channels
        track.name = found.title or file.stem
        track.artists = found.artists
        track.album_artists = found.album_artists or found.artists
        track.album, track.genres = found.album, found.genres
        track.index, track.disc = found.index, found.disc
        track.sort_name = track_sort_name(track.name, track.disc, track.index)
        track.premiere = found.date or NEVER
        track.year = found.date.year if found.date else None
        track.gain_db, track.lyrics_text = found.gain_db, found.lyrics
        track.image = describe(file, embedded=True) if found.has_picture else None
        return track

    def _folder(self, path: Path, kind: str, parent_id: str | None) -> DemoFolder:
        shown = self._shown(path)
        return DemoFolder(
            id=item_id(kind, shown),
            name=path.name,
            sort_name=folder_sort_name(path.name),
            path=shown,
            parent_id=parent_id,
            created=self._now,
            saved=self._now,
        )

    def _playlist(self, file: Path) -> M3uPlaylist | None:
        """The list in an M3U file; None when it names no track of this library."""
        ids = {track.file.resolve(): track.id for track in self._tracks}
        try:
            lines = file.read_text("utf-8-sig", "replace").splitlines()
            modified = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except OSError as error:
            self._skipped.append(SkippedFile(file, error.strerror or str(error)))
            return None
        entries = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        named = [ids.get((file.parent / entry).resolve()) for entry in entries]
        found = tuple(track_id for track_id in named if track_id)
        return M3uPlaylist(item_id(_PLAYLIST, self._shown(file)), file.stem, found, modified) if found else None

    def _shown(self, path: Path) -> str:
        relative = path.relative_to(self._root).as_posix()
        return MUSIC_ROOT if relative == "." else f"{MUSIC_ROOT}/{relative}"


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if _is_folder(entry) and not entry.name.startswith(".")]
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    """Whether it is a folder; a link back to one that it stands in is none, else its music would be there 40 times."""
    return path.is_dir() and not (path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve()))


def _has_audio(folder: Path) -> bool:
    try:
        return any(entry.suffix.lower() in tags.EXTENSIONS and entry.is_file() for entry in folder.iterdir())
    except OSError:
        return False


def _holds_music(folder: Path) -> bool:
    return _has_audio(folder) or any(_holds_music(child) for child in _subfolders(folder))


def _is_album(folder: Path) -> bool:
    """A folder with audio in it, or whose folders with audio are all discs (jellyfin-api.md 5.5)."""
    if _has_audio(folder):
        return True
    discs = [child for child in _subfolders(folder) if _holds_music(child)]
    return bool(discs) and all(_DISC_FOLDER.match(disc.name) and _has_audio(disc) for disc in discs)


def _lyrics_beside(file: Path, siblings: Sequence[Path]) -> Path | None:
    wanted = [file.with_suffix(extension) for extension in _LYRICS_EXTENSIONS]
    return next((path for path in wanted if path in siblings), None)


def _keep_dates(library: Library, previous: Library) -> None:
    """Gives what did not change the dates it had; an album is saved with its tracks (jellyfin-api.md 7.2)."""
    for item in library.everything():
        old = previous.get(item.id)
        if old is None or type(old) is not type(item):
            continue
        item.created = old.created if not isinstance(item, DemoTrack) else item.created
        if _same(item, old):
            item.saved = old.saved


def _same(item: DemoItem, old: DemoItem) -> bool:
    if isinstance(item, DemoAlbum) and isinstance(old, DemoAlbum):
        return [(t.id, t.modified) for t in item.tracks] == [(t.id, t.modified) for t in old.tracks]
    if isinstance(item, DemoTrack) and isinstance(old, DemoTrack):
        return (item.size, item.modified, item.lyrics_file) == (old.size, old.modified, old.lyrics_file)
    return item.name == old.name
