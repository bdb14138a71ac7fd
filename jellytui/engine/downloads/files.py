"""The files of one account's downloads: where they lie, how one becomes visible, how it goes.

Paths are made of ids, never of metadata (design.md): `<root>/<server>/<user>/<id[:2]>/<id>.<ext>`, stored relative to
the root. All functions block and are called in threads; they raise OSError, which `disk.py` puts into words.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from copy import copy
from pathlib import Path, PurePosixPath

from jellytui.engine.downloads.upkeep.carry import link
from jellytui.engine.errors import UsageError

PART_SUFFIX = ".part"
MARKER = ".jellytui-downloads"
"""In the root, so that an empty mount point is not taken for it."""
NO_EXTENSION = "audio"
"""The ending of music of an unknown kind."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXTENSIONS = frozenset(
    [
        "aac",
        "ac3",
        "aif",
        "aiff",
        "alac",
        "amr",
        "ape",
        "asf",
        "dff",
        "dsf",
        "dts",
        "flac",
        "m4a",
        "m4b",
        "mka",
        "mp2",
        "mp3",
        "mp4",
        "mpc",
        "oga",
        "ogg",
        "opus",
        "ra",
        "shn",
        "tta",
        "wav",
        "webm",
        "wma",
        "wv",
    ]
)
_EXTENSION_OF_MIME = {
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/x-aiff": "aiff",
    "audio/aiff": "aiff",
    "audio/x-wavpack": "wv",
    "audio/x-ms-wma": "wma",
    "video/x-ms-asf": "wma",
    "audio/aac": "aac",
    "audio/x-matroska": "mka",
    "video/x-matroska": "mka",
}


def is_safe_id(item_id: str) -> bool:
    """Whether an id may stand in a path."""
    return _ID.fullmatch(item_id) is not None


def is_extension(ending: str) -> bool:
    """Whether a file's ending (without the dot) is one that jellytui gives to music."""
    return ending == NO_EXTENSION or ending in _EXTENSIONS


def extension_of(container: str, mime_type: str | None) -> str:
    """The file name's ending: by the item's container, else by the answer's type, else `audio`."""
    for name in container.lower().split(","):
        if name in _EXTENSIONS:
            return name
    return _EXTENSION_OF_MIME.get((mime_type or "").partition(";")[0].strip().lower(), NO_EXTENSION)


class DownloadFiles:
    """The folder of one account below the download root."""

    def __init__(self, *, root: Path, server_id: str, user_id: str) -> None:
        self.root = root
        self._account = account_path(server_id, user_id)

    @property
    def account(self) -> PurePosixPath:
        """The account's folder, relative to the root."""
        return self._account

    def at(self, root: Path) -> DownloadFiles:
        """The same account's files below another root."""
        other = copy(self)
        other.root = root
        return other

    def require_root(self) -> None:
        """Raises OSError (ENOENT) when the root is gone."""
        require_root(self.root)

    def absolute(self, relative: str) -> Path:
        """Where a stored path lies."""
        return self.root / relative

    def path_of(self, item_id: str, extension: str) -> str:
        """The stored path of an item's file. Raises UsageError for an id that may not stand in a path."""
        return str(self._account / self._shelf(item_id) / f"{item_id}.{extension}")

    def part_of(self, item_id: str) -> Path:
        """Where an item's bytes grow; a name of its own for each item."""
        return self.root / self._account / self._shelf(item_id) / f"{item_id}{PART_SUFFIX}"

    def has_part(self, item_id: str) -> bool:
        """Whether bytes of an item lie in its `.part`, or may lie there: it cannot be looked at."""
        try:
            return self.part_of(item_id).stat().st_size > 0
        except OSError as error:
            return not isinstance(error, FileNotFoundError)

    def of(self, item_id: str) -> list[Path]:
        """Whatever lies where the item's id puts it; lists a folder."""
        return list(self.part_of(item_id).parent.glob(f"{item_id}.*"))

    def chosen_path(self, file_path: str) -> str:
        """A path that the user chose, checked: relative, inside the root, free. Raises UsageError."""
        chosen = PurePosixPath(file_path)
        if not file_path or chosen.is_absolute() or ".." in chosen.parts or "\0" in file_path:
            raise UsageError(f"{file_path!r} must be a path inside the download folder, such as 'Albums/song.flac'.")
        if chosen.suffix == PART_SUFFIX or chosen.name == MARKER or str(chosen) == ".":
            raise UsageError(f"{file_path!r} is a name that jellytui needs itself. Choose another.")
        full = self.root / chosen
        if not full.resolve().is_relative_to(self.root.resolve()):
            raise UsageError(f"{file_path!r} leads out of the download folder.")
        if os.path.lexists(full):
            raise UsageError(f"{file_path!r} is there already. Choose another name.")
        return str(chosen)

    def commit(self, part: Path, relative: str, *, may_replace: bool) -> None:
        """Makes a complete `.part` visible: flushed, renamed, the folder flushed (downloads-playback.md 1.6).

        Raises OSError (EEXIST) for a file that is in the way, unless `may_replace`: it is ours.
        """
        final = self.absolute(relative)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        self.make_folder(final.parent)
        if may_replace or not _link(part, final):
            part.replace(final)
            _sync_folder(final.parent)
        else:
            _sync_folder(final.parent)  # before the other name goes: one of them is there whatever happens
            part.unlink()
        if part.parent != final.parent:
            _sync_folder(part.parent)

    def make_folder(self, folder: Path) -> None:
        """Makes a folder below the root; its entries are on the medium when this returns.

        Raises OSError; never makes the root itself or fills one without its mark: its disk may be away.
        """
        if folder.is_dir():
            return
        self.require_root()
        below = [path for path in (folder, *folder.parents) if path.is_relative_to(self.root) and path != self.root]
        for path in reversed([path for path in below if not path.exists()]):
            path.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(path.parent)

    def take_back(self, relative: str, part: Path) -> None:
        """Undoes a commit whose row was moved meanwhile: the file is a `.part` again."""
        final = self.absolute(relative)
        if not part.exists() and final.exists():
            final.replace(part)

    def remove(self, path: Path) -> None:
        """Deletes a file and the folders that it leaves empty, up to the root."""
        path.unlink(missing_ok=True)
        folder = path.parent
        while folder != self.root and folder.is_relative_to(self.root):
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or gone already
            folder = folder.parent

    def size_of(self, relative: str) -> int | None:
        """The file's length; None where there is none."""
        path = self.absolute(relative)
        return path.stat().st_size if path.is_file() else None

    def _shelf(self, item_id: str) -> str:
        if not is_safe_id(item_id):
            raise UsageError(f"{item_id!r} is not the id of a Jellyfin item.")
        return item_id[:2]


def require_root(root: Path) -> None:
    """Raises OSError (ENOENT) where there is no root: its disk may be away."""
    if not (root / MARKER).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(root))


def account_path(server_id: str, user_id: str) -> PurePosixPath:
    """Where an account's files lie, relative to the root."""
    return PurePosixPath(_safe(server_id), _safe(user_id))


def _safe(name: str) -> str:
    """An account's id as a folder; the digest of one that may not stand in a path."""
    return name if is_safe_id(name) else hashlib.sha256(name.encode()).hexdigest()[:32]


def _link(part: Path, final: Path) -> bool:
    """Gives the file its final name beside the other, unless that is taken; False where there are no such links."""
    if not os.path.lexists(final):
        return link(part, final)
    if not os.path.samestat(final.lstat(), part.lstat()):  # else an earlier run came as far as this
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final))
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
