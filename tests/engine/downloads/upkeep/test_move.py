"""Downloads move to another folder whole, whatever happens on the way, and a restart finds them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from jellytui.engine.downloads.files import MARKER, DownloadFiles
from jellytui.engine.downloads.upkeep import carry, move
from jellytui.engine.downloads.upkeep.root import choose_root, remember_root
from jellytui.engine.errors import DiskError, UsageError
from jellytui.engine.events import UpkeepState
from jellytui.engine.storage.database import Database
from tests.engine.downloads.upkeep.conftest import MUSIC, House
from tests.support.waiting import until

ACCOUNT = PurePosixPath("server/user")


async def three(house: House) -> dict[str, bytes]:
    """A download, one at a path of the user's own, and half of one; their content by path."""
    await house.add_row("abc")
    house.add_file("abc")
    await house.add_row("chosen", file_path="Mine/song.flac")
    house.write("Mine/song.flac", MUSIC)
    await house.add_row("half", "paused", file_size=100, bytes_downloaded=50)
    house.add_part("half", b"x" * 50)
    return contents(house.root)


def contents(root: Path) -> dict[str, bytes]:
    """All files below a folder by their path in it, the mark aside."""
    files = [path for path in root.rglob("*") if path.is_file() and path.name != MARKER]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_everything_is_in_the_new_folder_and_nothing_in_the_old(house: House, tmp_path: Path) -> None:
    before = await three(house)
    old, new = house.root, tmp_path / "new"
    rows = await house.snapshot()

    report = await house.caretaker.move(new)

    assert contents(new) == before
    assert not old.exists()
    assert (report.files, report.old_folder, report.folder, report.note) == (3, str(old), str(new), "")
    assert house.files.root == house.disk.root == new
    assert await house.snapshot() == rows  # paths are relative to the root
    assert (await house.caretaker.verify(is_repairing=False, is_deep=False)).counts == {}


async def test_on_another_disk_files_are_copied(house: House, other_disk: Path) -> None:
    before = await three(house)
    report = await house.caretaker.move(other_disk / "music")
    assert contents(other_disk / "music") == before
    assert report.bytes_copied == sum(len(content) for content in before.values())


async def test_a_disk_without_room_is_said_and_the_old_folder_stays_in_use(house: House, other_disk: Path) -> None:
    await house.add_row("big", file_size=200_000)
    house.add_file("big", bytes(200_000))
    with pytest.raises(DiskError, match="full"):
        await house.caretaker.move(other_disk)
    assert house.files.root == house.root
    assert (house.root / house.files.path_of("big", "flac")).stat().st_size == 200_000


async def test_a_file_being_played_stays_until_it_is_let_go(house: House, tmp_path: Path) -> None:
    await three(house)
    old = house.root
    with house.leases.hold("abc"):
        report = await house.caretaker.move(tmp_path / "new")
        assert "played" in report.note
        assert list(contents(old)) == [house.files.path_of("abc", "flac")]
    await until(lambda: not old.exists())


async def test_other_accounts_and_foreign_files_stay(house: House, tmp_path: Path) -> None:
    await three(house)
    others = [house.write("server/other/ab/abc.flac"), house.write("notes.txt")]
    old = house.root
    await house.caretaker.move(tmp_path / "new")
    assert all(path.exists() for path in others)
    assert set(contents(old)) == {"server/other/ab/abc.flac", "notes.txt"}


@pytest.mark.parametrize("place", ["", "inside", "..", "file", "full"])
async def test_a_folder_that_cannot_be_it_is_refused_and_untouched(house: House, tmp_path: Path, place: str) -> None:
    before = await three(house)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    folder = {"": house.root, "inside": house.root / "inside", "..": tmp_path}.get(place, tmp_path / place)

    with pytest.raises(UsageError):
        await house.caretaker.move(folder)

    assert contents(house.root) == before
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="whole path"):
        await house.caretaker.move(Path("relative"))


async def test_a_move_that_breaks_off_changes_nothing_and_goes_on_later(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await house.add_row(f"{number}aa")
        house.add_file(f"{number}aa")
    before, new, linked = contents(house.root), tmp_path / "new", carry.link
    count = 0

    def failing(source: Path, target: Path) -> bool:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(5, "Input/output error", str(source))
        return linked(source, target)

    monkeypatch.setattr(move, "link", failing)
    with pytest.raises(DiskError):
        await house.caretaker.move(new)
    assert contents(house.root) == before
    assert house.files.root == house.root
    monkeypatch.undo()

    house.files.absolute(house.files.path_of("0aa", "flac")).unlink()  # deleted meanwhile
    killed = new / house.files.account / "1a" / ".jellytui-0123456789abcdef"  # in the middle of a copy
    killed.write_bytes(b"half")
    await house.caretaker.move(new)
    assert contents(new) == {path: content for path, content in before.items() if "0aa" not in path}


async def test_a_cancelled_move_stops_and_tells(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await three(house)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    linked = carry.link

    def slow(source: Path, target: Path) -> bool:
        loop.call_soon_threadsafe(begun.set)
        return linked(source, target)

    monkeypatch.setattr(move, "link", slow)
    async with house.bus.listen([UpkeepState]) as events:
        moving = asyncio.create_task(house.caretaker.move(tmp_path / "new"))
        await begun.wait()
        moving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await moving
        told = [event.status for event in await events.batch() if isinstance(event, UpkeepState)]
    assert told[-1] == "cancelled"
    assert house.files.root in (house.root, tmp_path / "new")
    assert len(contents(house.files.root)) == 3


async def test_what_a_crash_after_the_switch_left_behind_goes_at_the_next_start(house: House, tmp_path: Path) -> None:
    before = await three(house)
    old, new = house.root, tmp_path / "new"
    subprocess.run(["cp", "-a", old, new], check=True)
    await house.database.execute("INSERT INTO downloads_state VALUES ('moved_from', ?)", (str(old),))
    house.files.root = house.disk.root = new

    house.caretaker.start()
    await house.caretaker.swept()

    assert not old.exists()
    assert contents(new) == before


# Where a start finds them.


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "default", tmp_path / "configured"


def inhabit(root: Path) -> None:
    """As a root with files of the account."""
    (root / ACCOUNT / "ab").mkdir(parents=True)
    (root / MARKER).touch()


async def test_the_first_root_is_the_configured_one_or_ours(database: Database, folders: tuple[Path, Path]) -> None:
    default, configured = folders
    for wish, folder in ((None, default), (configured, configured)):
        chosen = await choose_root(database, configured=str(wish) if wish else None, default=default, account=ACCOUNT)
        assert (chosen.folder, chosen.may_make, chosen.note) == (folder, True, "")


async def test_a_root_once_used_is_never_made_again_but_ours(database: Database, folders: tuple[Path, Path]) -> None:
    default, configured = folders
    for wish, folder, may_make in ((None, default, True), (configured, configured, False)):
        await remember_root(database, folder)
        chosen = await choose_root(database, configured=str(wish) if wish else None, default=default, account=ACCOUNT)
        assert (chosen.folder, chosen.may_make) == (folder, may_make)


async def test_after_a_move_a_restart_finds_the_files_whatever_the_config_still_says(
    database: Database, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    default, configured = folders
    moved = tmp_path / "moved"
    inhabit(moved)
    await remember_root(database, moved)
    for wish in (None, configured):
        chosen = await choose_root(database, configured=str(wish) if wish else None, default=default, account=ACCOUNT)
        assert (chosen.folder, chosen.may_make) == (moved, False)
    assert f"jellytui downloads move {configured}" in chosen.note


async def test_the_config_wins_where_the_files_are_there_or_the_old_root_is_gone(
    database: Database, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    default, configured = folders
    await remember_root(database, tmp_path / "gone")
    chosen = await choose_root(database, configured=str(configured), default=default, account=ACCOUNT)
    assert (chosen.folder, chosen.may_make) == (configured, True)
    inhabit(tmp_path / "gone")
    inhabit(configured)
    chosen = await choose_root(database, configured=str(configured), default=default, account=ACCOUNT)
    assert (chosen.folder, chosen.note) == (configured, "")


async def test_a_new_database_still_knows_where_the_files_are(tmp_path: Path, database: Database) -> None:
    await remember_root(database, tmp_path / "moved")
    await database.close()
    database.path.unlink()
    database = await Database.open(database.path)
    chosen = await choose_root(database, configured=None, default=tmp_path / "default", account=ACCOUNT)
    assert chosen.folder == tmp_path / "moved"
    await database.close()


async def test_what_is_moved_can_be_read_by_a_new_engine(house: House, tmp_path: Path) -> None:
    await three(house)
    await house.caretaker.move(tmp_path / "new")
    files = DownloadFiles(root=tmp_path / "new", server_id="server", user_id="user")
    assert files.absolute((await house.row("abc"))["file_path"]).read_bytes() == MUSIC
    assert files.absolute("Mine/song.flac").stat().st_nlink == 1
