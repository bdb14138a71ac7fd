"""An export writes each track once under a good name, and touches nothing that is not its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from jellytui.engine.downloads.upkeep.export.export import Export
from jellytui.engine.downloads.upkeep.export.manifest import NAME
from jellytui.engine.errors import NotFoundError, UsageError
from jellytui.engine.models import ExportReport
from tests.engine.downloads.upkeep.conftest import MUSIC, House


class CoversOnDisk:
    """One picture for every item."""

    def __init__(self, image: Path) -> None:
        self._image = image

    async def path(self, item_id: str, tag: str) -> Path | None:
        return self._image if item_id else None


class Exporter:
    """Exports a house's downloads to one folder."""

    def __init__(self, house: House, folder: Path, image: Path) -> None:
        self.house = house
        self.folder = folder
        self._covers = CoversOnDisk(image)

    async def add(self, item_id: str, name: str, content: bytes = MUSIC, **columns: Any) -> None:
        """A download with these names."""
        names = {"album": "Album", "album_id": "album", "album_artist": "Artist", "year": 2001, "number": 1}
        path = self.house.files.path_of(item_id, "flac")
        await self.house.add_row(item_id, name=name, file_path=path, file_size=len(content), **{**names, **columns})
        self.house.add_file(item_id, content)

    async def run(self, *, album_ids: list[str] | None = None, is_linking: bool = False) -> ExportReport:
        house = self.house
        export = Export(
            database=house.database, files=house.files, leases=house.leases, covers=self._covers, bus=house.bus
        )
        return await export.run(self.folder, album_ids=album_ids, is_linking=is_linking)

    def files(self) -> dict[str, bytes]:
        """What is in the folder, the list aside."""
        found = [path for path in self.folder.rglob("*") if path.is_file() and path.name != NAME]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def exporter(house: House, tmp_path: Path) -> Exporter:
    image = tmp_path / "cover.png"
    Image.new("RGB", (8, 8), "red").save(image)
    return Exporter(house, tmp_path / "stick", image)


async def test_music_is_written_by_artist_album_and_title_with_its_cover(exporter: Exporter) -> None:
    await exporter.add("one", "First", image_item_id="album")
    await exporter.add("two", "Second", number=2)
    await exporter.add("disc", "Far", album="Long", album_id="long", disc=2, number=3)

    report = await exporter.run()

    files = exporter.files()
    assert set(files) == {
        "Artist/Album (2001)/01 - First.flac",
        "Artist/Album (2001)/02 - Second.flac",
        "Artist/Album (2001)/cover.jpg",
        "Artist/Long (2001)/2-03 - Far.flac",
    }
    assert files["Artist/Album (2001)/01 - First.flac"] == MUSIC
    assert files["Artist/Album (2001)/cover.jpg"].startswith(b"\xff\xd8\xff")
    assert (report.written, report.unchanged, report.covers, report.problems) == (3, 0, 1, ())


@pytest.mark.parametrize("is_listed", [True, False])
async def test_a_second_run_writes_nothing_even_when_its_list_is_lost(exporter: Exporter, is_listed: bool) -> None:
    await exporter.add("one", "Same", image_item_id="x")
    await exporter.add("two", "same", MUSIC + b"2")
    await exporter.run()
    before = {path: path.stat().st_mtime_ns for path in exporter.folder.rglob("*.flac")}
    if not is_listed:
        (exporter.folder / NAME).unlink()

    report = await exporter.run()

    assert (report.written, report.unchanged, report.covers) == (0, 2, 0)
    assert {path: path.stat().st_mtime_ns for path in exporter.folder.rglob("*.flac")} == before


async def test_names_that_a_careless_file_system_takes_for_one_get_a_number(exporter: Exporter) -> None:
    await exporter.add("one", "Song", MUSIC + b"1")
    await exporter.add("two", "SONG", MUSIC + b"2")
    await exporter.add("three", "Song", MUSIC + b"3", album_id="another", album="ALBUM", album_artist="ARTIST")
    await exporter.run()
    assert set(exporter.files()) == {
        "ARTIST/ALBUM (2001)/01 - Song.flac",
        "ARTIST/Album (2001) (2)/01 - SONG.flac",
        "ARTIST/Album (2001) (2)/01 - Song (2).flac",
    }


async def test_a_changed_download_replaces_its_own_file_and_nothing_else(exporter: Exporter) -> None:
    await exporter.add("one", "Song")
    await exporter.run()
    exporter.house.add_file("one", MUSIC + b"again")
    (exporter.folder / "Artist/Album (2001)/.jellytui-0123456789abcdef").write_bytes(b"half")  # a killed copy's
    report = await exporter.run()
    assert report.written == 1
    assert exporter.files() == {"Artist/Album (2001)/01 - Song.flac": MUSIC + b"again"}


async def test_foreign_files_and_links_are_gone_round(exporter: Exporter, tmp_path: Path) -> None:
    album = exporter.folder / "Artist" / "Album (2001)"
    album.mkdir(parents=True)
    (album / "01 - song.FLAC").write_bytes(b"mine")
    (album / "Cover.JPG").write_bytes(b"mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (exporter.folder / "Linked").symlink_to(outside)
    await exporter.add("one", "Song", image_item_id="x")
    await exporter.add("two", "Song", album_artist="Linked", album_id="other", number=2)

    await exporter.run()

    files = exporter.files()
    assert files["Artist/Album (2001)/01 - song.FLAC"] == b"mine"
    assert files["Artist/Album (2001)/Cover.JPG"] == b"mine"
    assert files["Artist/Album (2001)/01 - Song (2).flac"] == MUSIC
    assert files["Linked (2)/Album (2001)/02 - Song.flac"] == MUSIC
    assert not list(outside.iterdir())


@pytest.mark.parametrize("path", ["../../escaped/x/y.flac", "/etc/x/y.flac", "a/../y.flac", "y.flac"])
async def test_a_list_that_leads_out_is_not_believed(exporter: Exporter, tmp_path: Path, path: str) -> None:
    await exporter.add("one", "Song")
    exporter.folder.mkdir()
    (exporter.folder / NAME).write_bytes(msgspec.json.encode({"tracks": {"one": path}, "albums": {"album": "../.."}}))
    await exporter.run()
    assert set(exporter.files()) == {"Artist/Album (2001)/01 - Song.flac"}


async def test_hard_links_need_no_room_and_are_copies_where_they_cannot_be(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await exporter.add("one", "Song")
    report = await exporter.run(is_linking=True)
    exported = exporter.folder / "Artist/Album (2001)/01 - Song.flac"
    assert report.linked == 1
    assert exported.samefile(exporter.house.root / exporter.house.files.path_of("one", "flac"))

    exported.unlink()

    def refused(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")  # FAT

    monkeypatch.setattr(os, "link", refused)
    report = await exporter.run(is_linking=True)
    assert (report.written, report.linked) == (1, 0)
    assert "copied" in report.note
    assert exported.read_bytes() == MUSIC


async def test_only_the_albums_asked_for_and_none_that_is_not_there(exporter: Exporter) -> None:
    await exporter.add("one", "Song")
    await exporter.add("two", "Song", album_id="other", album="Other")
    await exporter.run(album_ids=["other"])
    assert set(exporter.files()) == {"Artist/Other (2001)/01 - Song.flac"}
    with pytest.raises(NotFoundError, match="nowhere"):
        await exporter.run(album_ids=["other", "nowhere"])


async def test_a_folder_in_the_download_folder_is_refused_and_a_missing_file_is_told(exporter: Exporter) -> None:
    await exporter.add("one", "Song")
    (exporter.house.root / exporter.house.files.path_of("one", "flac")).unlink()
    report = await exporter.run()
    assert len(report.problems) == 1
    assert report.written == 0
    for folder in (exporter.house.root / "out", Path("out")):
        exporter.folder = folder
        with pytest.raises(UsageError):
            await exporter.run()
