"""Composes the whole library into a folder: at once, by all processors, and never half."""

import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jellytui.demo.composer.catalogue import ALBUMS, WISHES, Album, shortened
from jellytui.demo.composer.names import album_path, track_path

if TYPE_CHECKING:
    from jellytui.demo.composer.write import Piece, Written

Progress = Callable[[int, int], None]

_STAMP = ".composed.json"
_DEMO = "demo.json"
_ALONE = 300.0  # seconds of music below which starting other processes takes longer than it saves


def compose(folder: Path, progress: Progress | None = None, seconds: float | None = None) -> Path:
    """Makes sure that `folder` holds the demo's music, and returns it.

    A library that is whole and of this version is left as it is. Otherwise a new one is composed beside it and put in
    its place by one rename; another process that wants the same waits for it. `progress` is told (tracks done, tracks
    in all); with `seconds` each track has that length. Raises FileExistsError when the folder holds something else.
    """
    albums = ALBUMS if seconds is None else shortened(seconds)
    if _is_whole(folder, seconds):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f".{folder.name}.lock")):
        if _is_whole(folder, seconds):
            return folder
        _refuse_foreign(folder)
        new = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)  # left by a process that was killed; the lock says that it is gone
        try:
            _write_all(new, albums, progress or _silent)
            _write_stamp(new, seconds)
            _replace(folder, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return folder


def _write_all(root: Path, albums: tuple[Album, ...], progress: Progress) -> None:
    from jellytui.demo.composer.covers import draw_cover
    from jellytui.demo.composer.write import pieces_of, write_tags

    pieces = [piece for album in albums for piece in pieces_of(album)]
    total, done = sum(len(album.tracks) for album in albums), 0
    progress(done, total)
    written: dict[Album, list[Written]] = {album: [] for album in albums}
    for each in _render(root, pieces):
        album = each.piece.album
        written[album].append(each)
        if len(written[album]) == len(pieces_of(album)):
            cover = draw_cover(album.cover)
            (root / album_path(album) / "cover.jpg").write_bytes(cover)
            write_tags(root, album, written[album], cover)
        done += len(each.piece.tracks)
        progress(done, total)
    (root / _DEMO).write_text(json.dumps(_wishes(albums), ensure_ascii=False, indent=1), "utf-8")


def _render(root: Path, pieces: list["Piece"]) -> Iterator["Written"]:
    """Writes the audio of all pieces and yields each as it is done."""
    from jellytui.demo.composer.write import write_piece

    if sum(piece.seconds for piece in pieces) < _ALONE:
        yield from (write_piece(root, piece) for piece in pieces)
        return
    # "spawn", as whoever calls may have threads, which a fork would tear
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(os.cpu_count() or 1, 8), mp_context=context, initializer=_prepare_worker)
    try:
        # long pieces first, so that no processor is left waiting for the last one
        tasks = [pool.submit(write_piece, root, piece) for piece in sorted(pieces, key=lambda piece: -piece.seconds)]
        yield from (task.result() for task in as_completed(tasks))
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    """A worker leaves ctrl+c to its parent, and ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _wishes(albums: tuple[Album, ...]) -> dict[str, Any]:
    """What demo.json says: favourites, playlists and play counts, by paths relative to the folder."""
    titled = {album.title: album for album in albums}
    paths = {
        (album.title, track.title): track_path(album, track).as_posix() for album in albums for track in album.tracks
    }
    favorites = [paths[wish] for wish in WISHES.tracks]
    favorites += [album_path(titled[title]).as_posix() for title in WISHES.albums]
    playlists = [
        {"name": name, "tracks": [paths[wish] for wish in wishes]} for name, wishes in WISHES.playlists.items()
    ]
    # who likes a track has heard it: the first favourites most, and a little of what stands beside them
    counts = {paths[wish]: 21 - 2 * place for place, wish in enumerate(WISHES.tracks)}
    for place, wish in enumerate(WISHES.playlists["Long Way Home"]):
        counts.setdefault(paths[wish], 1 + place % 4)
    return {"favorites": favorites + list(WISHES.artists), "playlists": playlists, "play_counts": counts}


def _version() -> str:
    """Changes with every change of the composer, so that nobody has to remember to raise a number."""
    room = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(room.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> dict[str, int]:
    return {
        file.relative_to(folder).as_posix(): file.stat().st_size
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != _STAMP
    }


def _write_stamp(folder: Path, seconds: float | None) -> None:
    stamp = {"version": _version(), "seconds": seconds, "files": _files(folder)}
    (folder / _STAMP).write_text(json.dumps(stamp, ensure_ascii=False), "utf-8")


def _is_whole(folder: Path, seconds: float | None) -> bool:
    """Whether a library of this version and length is there with each of its files."""
    try:
        stamp = json.loads((folder / _STAMP).read_text("utf-8"))
        if (stamp["version"], stamp["seconds"]) != (_version(), seconds):
            return False
        return all((folder / file).stat().st_size == size for file, size in stamp["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _refuse_foreign(folder: Path) -> None:
    """Keeps a folder that we have not written from being replaced."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not any((folder / name).exists() for name in (_STAMP, _DEMO))):
        raise FileExistsError(f"{folder} holds something else than the demo's music; move it away")


def _replace(folder: Path, new: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _silent(done: int, total: int) -> None:
    """Progress that nobody wants to see."""
    del done, total
