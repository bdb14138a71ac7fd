"""verify --deep finds files that are cut, holed or no music, in every container, and no fault in whole ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jellytui.engine.downloads.upkeep.content.containers import HOLE_BYTES, problem_of
from jellytui.engine.downloads.upkeep.content.tags import read_tags
from jellytui.engine.events import UpkeepState
from tests.engine.downloads.upkeep.conftest import House
from tests.support.music import Song, write_song

TAGS = {"title": "So What", "artist": "Miles", "albumartist": "Miles Davis", "album": "Kind of Blue",
        "date": "1959", "tracknumber": "1/5", "discnumber": "2"}  # fmt: skip
ENDINGS = ("flac", "mp3", "ogg", "opus", "wav", "aiff")


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Real music in each container that we can make."""
    folder = tmp_path_factory.mktemp("songs")
    return {
        ending: write_song(
            folder, Song(path=f"song.{ending}", tags=TAGS, seconds=20, cover=b"\xff\xd8" * 2000)
        ).read_bytes()
        for ending in ENDINGS
    }


def problem(content: bytes, folder: Path) -> str:
    path = folder / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        return problem_of(file, len(content))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_whole_file_has_no_problem(songs: dict[str, bytes], ending: str, tmp_path: Path) -> None:
    assert problem(songs[ending], tmp_path) == ""


@pytest.mark.parametrize("ending", ["flac", "ogg", "opus", "wav", "aiff"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_found(songs: dict[str, bytes], ending: str, share: float, tmp_path: Path) -> None:
    content = songs[ending]
    assert problem(content[: int(len(content) * share)], tmp_path)


@pytest.mark.parametrize("ending", ["flac", "mp3", "ogg", "opus"])
def test_a_hole_as_after_a_power_cut_is_found(songs: dict[str, bytes], ending: str, tmp_path: Path) -> None:
    content = bytearray(songs[ending])
    start = len(content) // 2
    size = min(HOLE_BYTES + 4096, len(content) - start)
    content[start : start + size] = bytes(size)
    if size > HOLE_BYTES or ending in ("ogg", "opus"):
        assert problem(bytes(content), tmp_path)


@pytest.mark.parametrize("content", [b"<html>Sign in", b'{"error": 1}', bytes(5000), b"%PDF-1.7", b""])
def test_what_is_no_music_is_found(content: bytes, tmp_path: Path) -> None:
    assert problem(content, tmp_path)


def test_a_cut_mp4_is_found_and_a_whole_one_is_not(tmp_path: Path) -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + name + content

    whole = box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", b"x" * 100) + box(b"mdat", b"y" * 1000)
    assert problem(whole, tmp_path) == ""
    assert problem(whole[:-1], tmp_path)
    assert problem(whole[:124], tmp_path)


@pytest.mark.parametrize("ending", ["flac", "mp3", "ogg", "opus"])
def test_tags_name_a_file(songs: dict[str, bytes], ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"song.{ending}"
    path.write_bytes(songs[ending])
    track = read_tags(path, "id")
    assert (track.id, track.name, track.album, track.artists) == ("id", "So What", "Kind of Blue", ("Miles",))
    assert (track.album_artist, track.year, track.number, track.disc) == ("Miles Davis", 1959, 1, 2)


@pytest.mark.parametrize("ending", ENDINGS)
def test_tags_of_broken_files_are_none_but_never_an_error(songs: dict[str, bytes], ending: str, tmp_path: Path) -> None:
    content, path = songs[ending], tmp_path / "file"
    for size in (0, 3, 11, 40, 100, 1000):
        path.write_bytes(content[:size])
        assert read_tags(path, "id").id == "id"
        path.write_bytes(content[:size] + b"\xff" * 500)
        assert read_tags(path, "id").id == "id"
    assert read_tags(tmp_path / "missing", "id").name == ""


async def test_a_broken_file_is_put_aside_and_downloaded_again(house: House, songs: dict[str, bytes]) -> None:
    good, bad = songs["ogg"], songs["ogg"][:-700] + bytes(700)
    await house.add_row("good", file_path=house.files.path_of("good", "ogg"), file_size=len(good))
    house.add_file("good", good, ending="ogg")
    await house.add_row("bad", file_path=house.files.path_of("bad", "ogg"), file_size=len(bad))
    broken = house.add_file("bad", bad[: len(good) // 2] + b"?" * (len(bad) - len(good) // 2), ending="ogg")

    shallow = await house.caretaker.verify(is_repairing=False, is_deep=False)
    seen = await house.caretaker.verify(is_repairing=False, is_deep=True)
    mended = await house.caretaker.verify(is_repairing=True, is_deep=True)

    assert shallow.counts == {}
    assert seen.counts == mended.counts == {"damaged": 1}
    (finding,) = seen.findings
    assert (finding.item_id, finding.is_repaired) == ("bad", False)
    assert finding.note
    assert seen.bytes_read == len(good) + len(bad)
    assert "not decoded" in seen.checked
    assert mended.repaired_count == 1
    assert (await house.row("bad"))["status"] == "pending"
    assert not broken.exists()
    assert broken.with_name("bad.damaged").exists()
    # It stays until the whole one is here, and then goes.
    await house.caretaker.sweep()
    assert (await house.row("bad"))["status"] == "pending"
    house.add_file("bad", bad, ending="ogg")
    await house.database.execute("UPDATE downloads SET status = 'completed' WHERE item_id = 'bad'")
    await house.database.execute(
        "UPDATE downloads SET file_path = ? WHERE item_id = 'bad'", (house.files.path_of("bad", "ogg"),)
    )
    await house.caretaker.sweep()
    assert not broken.with_name("bad.damaged").exists()


async def test_a_file_being_played_is_not_read_and_the_report_says_so(house: House, songs: dict[str, bytes]) -> None:
    await house.add_row("played", file_path=house.files.path_of("played", "ogg"), file_size=4)
    house.add_file("played", b"<htm", ending="ogg")
    with house.leases.hold("played"):
        report = await house.caretaker.verify(is_repairing=True, is_deep=True)
    assert report.counts == {}
    assert "being played: 1" in report.checked


async def test_verifying_tells_how_far_it_is_and_can_be_cancelled(house: House, songs: dict[str, bytes]) -> None:
    for number in range(20):
        item_id = f"{number:02}aa"
        await house.add_row(item_id, file_path=house.files.path_of(item_id, "wav"), file_size=len(songs["wav"]))
        house.add_file(item_id, songs["wav"], ending="wav")
    async with house.bus.listen([UpkeepState]) as events:
        verifying = asyncio.create_task(house.caretaker.verify(is_repairing=False, is_deep=True))
        (state,) = await events.batch()
        assert isinstance(state, UpkeepState)
        assert (state.work, state.status, state.total) == ("verify", "running", 20)
        verifying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await verifying
        last = (await events.batch())[-1]
    assert isinstance(last, UpkeepState)
    assert last.status == "cancelled"


async def test_a_second_file_is_only_deleted_on_request(house: House, songs: dict[str, bytes]) -> None:
    await house.add_row("one")
    house.add_file("one")
    second = house.add_file("one", songs["mp3"], ending="mp3")
    await house.caretaker.sweep()
    assert second.exists()
    report = await house.caretaker.verify(is_repairing=True, is_deep=False)
    assert report.counts == {"extra": 1}
    assert not second.exists()
