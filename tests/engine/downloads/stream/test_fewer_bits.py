"""With `stream_bitrate` the server sends fewer bits: they are heard and not kept."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import soundfile

from jellytui.config import PlayerSettings, Settings
from jellytui.demo.server import DemoServer
from jellytui.engine.errors import NotFoundError
from jellytui.engine.player.sound import stream_uri
from tests.engine.downloads.conftest import Rig, rig_for
from tests.engine.downloads.stream.conftest import SECONDS
from tests.engine.downloads.stream.test_reading import SLOW, STREAMS, song_of
from tests.support.hearing import RATE, open_ear
from tests.support.libmpv import needs_libmpv
from tests.support.streaming import Asked, QuickClock, read_on
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the demo server needs ffmpeg to transcode")

LIMITED = "*/universal"
BIT_RATE = 128_000


@pytest.fixture
def passing_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are, by the test's own account."""
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest_asyncio.fixture
async def saving(song_server: DemoServer, tmp_path: Path, passing_folder: Path) -> AsyncIterator[Rig]:
    """A download engine that streams in few bits."""
    async with rig_for(song_server, tmp_path, QuickClock(20.0)) as rig:
        rig.settings = Settings(player=PlayerSettings(stream_bitrate=BIT_RATE))
        await rig.restart()
        yield rig


async def test_fewer_bits_come_and_nothing_stays(saving: Rig, passing_folder: Path) -> None:
    song = song_of(saving, "flac")
    file = await saving.manager.open_stream(song.id)
    assert await asyncio.to_thread(file.size) is None
    sound = await read_on(file)
    assert 0.8 < len(sound) / (BIT_RATE / 8 * SECONDS) < 1.2
    file.close()
    assert await saving.rows() == {}
    await until(lambda: not list(passing_folder.iterdir()))
    assert not [path for path in saving.root.rglob("*") if path.is_file() and "jellytui" not in path.name]


async def test_a_break_is_waited_out_at_the_same_place(saving: Rig) -> None:
    song = song_of(saving, "flac")
    whole = await saving.manager.open_stream(song.id)
    expected = await read_on(whole)
    whole.close()
    saving.server.faults.add("close", route=LIMITED, after_bytes=200_000, times=1)
    file = await saving.manager.open_stream(song.id)
    assert await read_on(file) == expected
    file.close()


async def test_what_is_here_is_played_as_it_is(saving: Rig) -> None:
    song = song_of(saving, "mp3")
    await saving.manager.wishes.download_item(song.id)
    await saving.until_status(song.id, "completed")
    file = await saving.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()


async def test_a_track_that_is_gone_says_so(saving: Rig) -> None:
    song = song_of(saving, "mp3")
    saving.server.faults.add("status", route=LIMITED, status=404)
    file = await saving.manager.open_stream(song.id)
    with pytest.raises(NotFoundError):
        await read_on(file)
    file.close()


async def test_a_download_that_runs_already_is_joined_as_it_is(saving: Rig) -> None:
    song = song_of(saving, "flac")
    saving.server.faults.add("drip", route=STREAMS, rate=4 * SLOW, times=1)
    await saving.manager.want(await saving.catalogue.tracks([song.id]), "queue")
    await saving.until_status(song.id, "downloading")
    file = await saving.manager.open_stream(song.id)
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    await saving.until_status(song.id, "completed")
    assert Asked.of(saving.asked(song.id)).ranges == ((0, None),)
    assert _limited(saving) == []


async def test_what_only_waits_for_its_turn_is_not_fetched_for_a_listener(saving: Rig) -> None:
    song = song_of(saving, "flac")
    await saving.manager.acts.pause_all()
    await saving.manager.want(await saving.catalogue.tracks([song.id]), "queue")
    file = await saving.manager.open_stream(song.id)
    assert len(await read_on(file)) < song.size
    file.close()
    assert saving.asked(song.id) == []


async def test_what_was_opened_ahead_is_not_asked_for_again(saving: Rig, passing_folder: Path) -> None:
    song = song_of(saving, "flac")
    ahead = await saving.manager.open_stream(song.id)
    begin = await read_on(ahead, 0, 100_000)
    ahead.close()
    file = await saving.manager.open_stream(song.id)
    sound = await read_on(file)
    assert sound.startswith(begin)
    assert len(_limited(saving)) == 1
    file.close()
    await until(lambda: not list(passing_folder.iterdir()))
    later = await saving.manager.open_stream(song.id)
    assert await read_on(later) == sound
    later.close()
    assert len(_limited(saving)) == 2


async def test_others_stop_reading_while_fewer_bits_are_short(saving: Rig) -> None:
    other, song = song_of(saving, "wav"), song_of(saving, "flac")
    saving.server.faults.add("drip", route="*/download", rate=4 * SLOW)
    saving.server.faults.add("stall", route=LIMITED, after_bytes=80_000, times=1)
    row = await saving.manager.wishes.download_item(other.id)
    await until(lambda: row.id in saving.manager.runner.running and saving.manager.runner.running[row.id].bytes_here)
    file = await saving.manager.open_stream(song.id)
    await read_on(file, 0, 60_000)
    held = saving.manager.runner.running[row.id].bytes_here
    await asyncio.sleep(0.2)  # what must not happen cannot be awaited
    assert saving.manager.runner.running[row.id].bytes_here <= held + 64 * 1024
    file.close()
    await saving.until_status(other.id, "completed")


async def test_others_go_on_once_enough_of_the_fewer_bits_is_here(saving: Rig) -> None:
    other, song = song_of(saving, "wav"), song_of(saving, "flac")
    file = await saving.manager.open_stream(song.id)
    await saving.manager.wishes.download_item(other.id)
    await saving.until_status(other.id, "completed")
    await read_on(file)
    file.close()


@needs_libmpv
async def test_fewer_bits_play_to_their_end(saving: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    song = song_of(saving, "flac")
    async with open_ear("pcm", saving.manager.open_stream) as ear:
        ended = await ear.until_ended(ear.sound.load(stream_uri(song.id), start_ms=0, gain_db=None))
    assert (ended.reason, ended.error) == ("eof", None)
    assert soundfile.info("audiodump.wav").frames == pytest.approx(SECONDS * RATE, rel=0.01)


def _limited(rig: Rig) -> list[str]:
    """The streams in few bits that the server was asked for."""
    return [request.path for request in rig.server.requests if request.path.endswith("/universal")]
