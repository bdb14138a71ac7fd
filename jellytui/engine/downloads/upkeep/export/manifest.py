"""The list of what an export has put into a folder, kept in it, so that the next one changes only what is new.

It lies on disks that others write too: whatever it says is checked before it is believed.
"""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

log = logging.getLogger(__name__)

NAME = ".jellytui-export.json"


class Manifest(Struct):
    """By item the path of its file, by album its folder; relative to the export's folder, with /."""

    tracks: dict[str, str] = {}
    albums: dict[str, str] = {}


def load(folder: Path) -> Manifest:
    """The folder's list; an empty one where there is none that can be believed."""
    try:
        manifest = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("the list of an earlier export cannot be read: %s", error)
        return Manifest()
    return Manifest(
        tracks={item_id: path for item_id, path in manifest.tracks.items() if _is_inside(path, parts=3)},
        albums={album: path for album, path in manifest.albums.items() if _is_inside(path, parts=2)},
    )


def save(folder: Path, manifest: Manifest) -> None:
    """Writes the list in one step. Raises OSError."""
    fresh = folder / f"{NAME}.new"
    fresh.write_bytes(msgspec.json.encode(manifest))
    fresh.replace(folder / NAME)


def _is_inside(path: str, *, parts: int) -> bool:
    """Artist/Album/File, or Artist/Album: nothing that leads elsewhere."""
    pieces = PurePosixPath(path).parts
    return len(pieces) == parts and ".." not in pieces and "/" not in pieces and "\0" not in path
