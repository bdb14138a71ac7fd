"""Real libmpv, without a sound card: gapless to the bit, positions, errors, growing files, closing at any moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.engine.errors import DiskError, ServerUnreachableError
from jellytui.engine.player.devices import audio_devices
from jellytui.engine.player.mpv import MpvSound, libmpv_version
from jellytui.engine.player.sound import (
    SoundDevice,
    SoundFacts,
    SoundStalled,
    SoundStarted,
    stream_uri,
)
from jellytui.engine.player.source import GrowingFile
from tests.support.hearing import RATE, Ear, PartialFile, noise, open_ear, tone, write
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv


async def test_local_tracks_follow_each_other_without_losing_a_sample(recorder: Ear, tmp_path: Path) -> None:
    samples = noise(2.0)
    first = write(tmp_path / "first.flac", samples[: RATE + 321])
    second = write(tmp_path / "second.flac", samples[RATE + 321 :])
    recorder.sound.set_paused(True)
    recorder.sound.load(str(first), start_ms=0, gain_db=None)
    last = recorder.sound.append(str(second), gain_db=None)
    recorder.sound.set_paused(False)
    await recorder.until_ended(last)
    await recorder.sound.close()
    heard, _ = soundfile.read(tmp_path / "audiodump.wav", dtype="int16")
    assert np.array_equal(heard, samples)


async def test_growing_files_are_gapless_too(recorder: Ear, tmp_path: Path) -> None:
    samples = noise(2.0)
    first = write(tmp_path / "first.flac", samples[: RATE + 321]).read_bytes()
    second = write(tmp_path / "second.flac", samples[RATE + 321 :]).read_bytes()
    files = [PartialFile(first, available=len(first)), PartialFile(second, available=len(second))]
    recorder.files = {"a": [files[0]], "b": [files[1]]}
    recorder.sound.set_paused(True)
    recorder.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    last = recorder.sound.append(stream_uri("b"), gain_db=None)
    recorder.sound.set_paused(False)
    await recorder.until_ended(last)
    await recorder.sound.close()
    heard, _ = soundfile.read(tmp_path / "audiodump.wav", dtype="int16")
    assert np.array_equal(heard, samples)
    assert [file.is_closed for file in files] == [True, True]


async def test_the_server_s_gain_applies_where_tags_say_nothing(recorder: Ear, tmp_path: Path) -> None:
    samples = noise(0.5)
    load_id = recorder.sound.load(str(write(tmp_path / "a.flac", samples)), start_ms=0, gain_db=-6.0)
    await recorder.until_ended(load_id)
    await recorder.sound.close()
    heard, _ = soundfile.read(tmp_path / "audiodump.wav", dtype="int16")
    factor = np.abs(heard.astype(float)).mean() / np.abs(samples.astype(float)).mean()
    assert factor == pytest.approx(10 ** (-6 / 20), rel=0.01)


async def test_a_track_tells_when_it_starts_what_it_is_and_when_it_ends(ear: Ear, tmp_path: Path) -> None:
    load_id = ear.sound.load(str(tone(tmp_path / "a.flac", 0.5)), start_ms=0, gain_db=None)
    ended = await ear.until_ended(load_id)
    assert SoundStarted(load_id=load_id) in ear.events
    facts = ear.of(SoundFacts)[-1]
    assert (facts.codec, facts.sample_rate_hz, facts.bit_depth, facts.duration_ms) == ("flac", RATE, 16, 500)
    assert (ended.reason, ended.duration_ms, ended.error) == ("eof", 500, None)


async def test_a_load_may_begin_in_the_middle_and_be_sought_in(ear: Ear, tmp_path: Path) -> None:
    ear.sound.set_paused(True)
    ear.sound.load(str(tone(tmp_path / "a.flac", 20)), start_ms=7000, gain_db=None)
    await until(lambda: len(ear.of(SoundStarted)) == 1)
    await until(lambda: ear.sound.position_ms == pytest.approx(7000, abs=50))
    ear.sound.seek(12_000)
    assert ear.sound.position_ms == 12_000
    await until(lambda: len(ear.of(SoundStarted)) == 2)
    assert ear.sound.position_ms == pytest.approx(12_000, abs=50)


@pytest.mark.parametrize("ending", ["flac", "wav"])
async def test_a_load_that_is_to_begin_behind_its_end_has_ended(ear: Ear, tmp_path: Path, ending: str) -> None:
    file = tone(tmp_path / f"a.{ending}", 0.5)
    ended = await ear.until_ended(ear.sound.load(str(file), start_ms=2000, gain_db=None))
    assert (ended.reason, ended.error) == ("eof", None)
    whole = await ear.until_ended(ear.sound.load(str(file), start_ms=0, gain_db=None))
    assert (whole.reason, whole.position_ms) == ("eof", 500)


async def test_what_was_appended_can_be_replaced_and_dropped(ear: Ear, tmp_path: Path) -> None:
    tracks = [str(tone(tmp_path / f"{name}.flac", 0.3)) for name in "abc"]
    ear.sound.set_paused(True)
    ear.sound.load(tracks[0], start_ms=0, gain_db=None)
    dropped = ear.sound.append(tracks[1], gain_db=None)
    wanted = ear.sound.append(tracks[2], gain_db=None)
    ear.sound.set_paused(False)
    await ear.until_ended(wanted)
    assert not [event for event in ear.of(SoundStarted) if event.load_id == dropped]


async def test_what_is_appended_when_the_last_track_has_just_ended_plays_all_the_same(ear: Ear, tmp_path: Path) -> None:
    await ear.until_ended(ear.sound.load(str(tone(tmp_path / "a.flac", 0.3)), start_ms=0, gain_db=None))
    appended = ear.sound.append(str(tone(tmp_path / "b.flac", 0.3)), gain_db=None)
    assert (await ear.until_ended(appended)).reason == "eof"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("missing.flac", None, "No such file"), ("page.flac", b"<html>sign in</html>" * 50, "not music")],
)
async def test_what_cannot_be_played_says_why(
    ear: Ear, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = await ear.until_ended(ear.sound.load(str(tmp_path / name), start_ms=0, gain_db=None))
    assert ended.reason == "error"
    assert ended.error
    assert words in ended.error.text


@pytest.mark.slow  # ffmpeg tries for 26 s
async def test_a_server_that_is_gone_is_told_from_a_bad_file(ear: Ear) -> None:
    ended = await ear.until_ended(ear.sound.load("http://127.0.0.1:1/a", start_ms=0, gain_db=None))
    assert isinstance(ended.error, ServerUnreachableError)


async def test_a_growing_file_stalls_and_goes_on_in_place(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(3.0)).read_bytes()
    file = PartialFile(content, available=len(content) // 2)
    ear.files = {"a": [file]}
    load_id = ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: SoundStalled(is_stalled=True) in ear.events)
    assert 1000 <= ear.sound.position_ms <= 1600
    assert ear.ended(load_id) == []
    stalls = len(ear.events)
    file.grow()
    await until(lambda: SoundStalled(is_stalled=False) in ear.events[stalls:])
    ended = await ear.until_ended(load_id)
    assert (ended.reason, ended.duration_ms) == ("eof", 3000)


async def test_a_seek_that_waits_for_bytes_is_a_stall(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(60.0)).read_bytes()
    file = PartialFile(content, available=len(content) // 4)
    ear.files = {"a": [file]}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: ear.of(SoundStarted))
    ear.sound.seek(50_000)
    await until(lambda: ear.of(SoundStalled)[-1:] == [SoundStalled(is_stalled=True)])
    assert len(ear.of(SoundStarted)) == 1
    file.grow()
    await until(lambda: len(ear.of(SoundStarted)) == 2)
    assert ear.of(SoundStalled)[-1] == SoundStalled(is_stalled=False)


async def test_a_stream_is_read_as_far_as_it_is_here_and_after_a_jump_a_little_ahead(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(120.0)).read_bytes()
    files = [PartialFile(content, available=len(content)), PartialFile(content, available=len(content) // 2)]
    ear.files = {"a": list(files)}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: files[0].furthest == len(content))
    assert ear.sound.position_ms < 60_000
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: files[1].furthest == len(content) // 2)
    ear.sound.seek(70_000)
    files[1].grow()
    await until(lambda: abs(ear.sound.position_ms - 71_000) < 500)
    assert files[1].furthest < len(content) * (71 + 20 + 2) / 120


async def test_only_what_is_kept_is_read_whole(tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(120.0)).read_bytes()
    file = PartialFile(content, available=len(content))
    async with open_ear("null", stream_bitrate=128_000) as ear:
        ear.files = {"a": [file]}
        ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
        await until(lambda: ear.sound.position_ms > 1000)
        assert file.furthest < len(content) * (1 + 20 + 3) / 120


async def test_a_stream_that_breaks_off_tells_its_reason(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(3.0)).read_bytes()
    file = PartialFile(content, available=len(content) // 2)
    ear.files = {"a": [file]}
    load_id = ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: ear.of(SoundStarted))
    file.fail(ServerUnreachableError("the server went away."))
    ended = await ear.until_ended(load_id)
    assert ended.reason == "error"
    assert isinstance(ended.error, ServerUnreachableError)


async def test_a_stream_that_cannot_be_opened_tells_its_reason(ear: Ear) -> None:
    ear.open_error = DiskError("the disk is full.")
    ended = await ear.until_ended(ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None))
    assert isinstance(ended.error, DiskError)


async def test_the_same_item_may_be_open_twice(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(0.4)).read_bytes()
    ear.files = {"a": [PartialFile(content, available=len(content)) for _ in range(2)]}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    again = ear.sound.append(stream_uri("a"), gain_db=None)
    assert (await ear.until_ended(again)).reason == "eof"


async def test_stopping_and_closing_do_not_wait_for_bytes(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(1.0)).read_bytes()
    files = [PartialFile(content), PartialFile(content)]
    ear.files = {"a": [files[0]], "b": [files[1]]}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await until(lambda: not ear.files["a"])
    ear.sound.halt()
    await until(lambda: files[0].is_closed)
    ear.sound.load(stream_uri("b"), start_ms=0, gain_db=None)
    await until(lambda: not ear.files["b"])
    await ear.sound.close()
    await until(lambda: files[1].is_closed)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
async def test_a_halted_sound_holds_no_file_not_even_one_that_it_opened_ahead(
    ear: Ear, tmp_path: Path, share: float
) -> None:
    """Of the one ahead that share is here; what it lacks is being waited for."""
    content = write(tmp_path / "a.wav", noise(2.0)).read_bytes()
    files = [PartialFile(content, available=round(len(content) * part)) for part in (1.0, share)]
    ear.files = {"a": [files[0]], "b": [files[1]]}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    ear.sound.append(stream_uri("b"), gain_db=None)
    await until(lambda: not ear.files["b"] and (share == 1.0 or files[1].is_waiting))
    ear.sound.halt()
    await until(lambda: all(file.is_closed and not file.is_waiting for file in files))


async def test_a_stream_whose_opening_hangs_can_be_stopped(ear: Ear) -> None:
    opening = asyncio.Event()
    never = asyncio.Event()

    async def hang(item_id: str) -> GrowingFile:
        opening.set()
        await never.wait()
        raise AssertionError(item_id)

    sound = MpvSound(PlayerSettings(audio_output="null"), ServerSettings())
    await sound.open(ear.events.append, hang)
    sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await opening.wait()
    sound.halt()
    await sound.close()
    never.set()


async def test_nothing_is_said_after_closing(ear: Ear, tmp_path: Path) -> None:
    ear.sound.load(str(tone(tmp_path / "a.flac", 5)), start_ms=0, gain_db=None)
    await until(lambda: ear.of(SoundStarted))
    await ear.sound.close()
    await ear.sound.close()
    said = len(ear.events)
    await asyncio.sleep(0)
    assert len(ear.events) == said


async def test_a_mistyped_audio_output_is_named_and_the_music_plays_in_silence(tmp_path: Path) -> None:
    async with open_ear("nonsense") as ear:
        load_id = ear.sound.load(str(tone(tmp_path / "a.flac", 1.5)), start_ms=0, gain_db=None)
        await until(lambda: ear.of(SoundDevice))
        assert (await ear.until_ended(load_id)).reason == "eof"
    assert "audio_output = 'nonsense'" in ear.of(SoundDevice)[0].problem


async def test_the_doctor_learns_version_and_devices() -> None:
    assert "mpv" in libmpv_version()
    assert "auto" in await audio_devices(PlayerSettings(audio_output="null"))


async def test_a_mute_server_can_be_left(ear: Ear, tmp_path: Path) -> None:
    """A server that takes the connection and says nothing (downloads-playback.md 3.6)."""
    asked = asyncio.Event()
    answered = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answered.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    left = ear.sound.load(f"http://127.0.0.1:{port}/a", start_ms=0, gain_db=None)
    await asked.wait()
    played = ear.sound.load(str(tone(tmp_path / "a.flac", 0.3)), start_ms=0, gain_db=None)
    assert (await ear.until_ended(played)).reason == "eof"
    assert ear.ended(left) == []
    answered.set()
    server.close()
