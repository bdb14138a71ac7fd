"""Compares rows with what lies on the disk: pure, so that every case can be read, and tested, in one place.

| row | on the disk | finding |
| --- | --- | --- |
| completed | its file, as long as the row says | none |
| completed | no file; one of another length | lost; wrong_size (until a search finds it elsewhere: moved) |
| completed | its file on the shelf under another ending | moved |
| unfinished | the whole file | finished |
| unfinished, completed before (replaced on the server) | the old file | none: it plays until the new one is here |
| downloading, though nothing runs | no whole file | interrupted |
| unfinished | a `.part` of another length than the row says | progress |
| any | a second file on the shelf | extra, once the row is completed |
| completed, or none | a `.part` | leftover |
| none | a file | unrecorded |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jellytui.engine.downloads.upkeep.survey import OnDisk, Present
from jellytui.engine.models import DownloadStatus, FindingKind

REPAIRS: dict[FindingKind, str] = {
    "lost": "download it again (if only the cache wanted it: forget it)",
    "wrong_size": "download it again (if only the cache wanted it: delete it)",
    "moved": "use it where it lies now",
    "finished": "count it as completed",
    "interrupted": "go on with it",
    "progress": "correct the number of bytes",
    "unrecorded": "take it up among your downloads",
    "extra": "delete the second file",
    "leftover": "delete it",
    "damaged": "put it aside and download it again",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table says of one item, as far as the disk can tell otherwise."""

    id: int
    item_id: str
    name: str
    status: DownloadStatus
    generation: int
    file_path: str | None
    file_size: int | None
    expected_size: int | None
    bytes_downloaded: int
    trusted_bytes: int | None
    """Of the `.part` only so much is sure to be on the medium after a power cut; None: all of it."""
    completed_at: str | None = None
    """When the file at its path became whole; the row of an unfinished successor has it too."""

    @property
    def known_size(self) -> int | None:
        """The file's length in bytes, as the server's answer said, else as its last scan did."""
        return self.file_size or self.expected_size


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A finding with what mending it needs."""

    kind: FindingKind
    item_id: str
    row: Row | None = None
    file: OnDisk | None = None
    bytes_here: int = 0
    """Of the item's `.part`."""

    @property
    def path(self) -> str:
        """The file that the finding is about."""
        if self.file is not None:
            return self.file.path
        return (self.row and self.row.file_path) or ""


def judge(row: Row, present: Present, there: OnDisk | None, *, may_run: bool) -> Iterator[Verdict]:
    """What is wrong with a row. `there` is the file at its path, if it has one; `may_run`: a row that says
    downloading may be right (it is never while nothing runs), and is left alone."""
    here = _part_bytes(row, present)
    if row.status == "completed":
        yield from _judge_completed(row, present, there, here)
        return
    if row.status == "downloading" and may_run:
        return
    whole = _whole(row, present, there)
    if whole is not None:
        yield Verdict(kind="finished", item_id=row.item_id, row=row, file=whole)
    elif row.status == "downloading":
        yield Verdict(kind="interrupted", item_id=row.item_id, row=row, file=present.part, bytes_here=here)
    elif row.bytes_downloaded != here:
        yield Verdict(kind="progress", item_id=row.item_id, row=row, file=present.part, bytes_here=here)


def judge_strays(item_id: str, present: Present) -> Iterator[Verdict]:
    """What to do with files of an item that has no row."""
    music = [file for file in present.finals if file.size]
    for file in music[:1]:
        yield Verdict(kind="unrecorded", item_id=item_id, file=file)
    empty = [file for file in present.finals if not file.size]
    for rest in (*music[1:], *empty, present.part, present.aside):
        if rest is not None:
            yield Verdict(kind="leftover", item_id=item_id, file=rest)


def _judge_completed(row: Row, present: Present, there: OnDisk | None, here: int) -> Iterator[Verdict]:
    if there is not None and _fits(there, row.file_size):
        for file in present.finals:
            if file.path != there.path:
                yield Verdict(kind="extra", item_id=row.item_id, row=row, file=file)
        for rest in (present.part, present.aside):
            if rest is not None:
                yield Verdict(kind="leftover", item_id=row.item_id, row=row, file=rest)
        return
    for file in present.finals:
        if _fits(file, row.file_size):
            yield Verdict(kind="moved", item_id=row.item_id, row=row, file=file)
            return
    kind: FindingKind = "lost" if there is None else "wrong_size"
    yield Verdict(kind=kind, item_id=row.item_id, row=row, file=there, bytes_here=here)


def _whole(row: Row, present: Present, there: OnDisk | None) -> OnDisk | None:
    """The whole file of an unfinished row: as long as known. Where no length is known, what stands where the ids put
    it is whole, for only a commit puts it there; a path that the user chose proves nothing. Where the server has
    replaced the file, the old one is there, and may be as long as the new."""
    if row.completed_at is not None:
        return None
    for file in (there, *present.finals):
        if file is None or not _fits(file, row.known_size):
            continue
        if row.known_size is not None or file in present.finals:
            return file
    return None


def _fits(file: OnDisk, size: int | None) -> bool:
    return file.size > 0 and size in (None, file.size)


def _part_bytes(row: Row, present: Present) -> int:
    if present.part is None:
        return 0
    return present.part.size if row.trusted_bytes is None else min(present.part.size, row.trusted_bytes)
