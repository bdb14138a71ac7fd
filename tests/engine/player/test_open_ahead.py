"""Real libmpv opens the next file shortly before the present one ends, and not before: the queue may still change."""

from __future__ import annotations

from pathlib import Path

from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.player.sound import SoundStarted, stream_uri
from jellytui.engine.player.source import GrowingFile
from tests.support.hearing import Ear, PartialFile, noise, open_ear, write
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv


async def heard_on(ear: Ear, count: int) -> None:
    """Waits until so many loads or seeks are heard, and half a second of the last."""
    await until(lambda: len(ear.of(SoundStarted)) == count)
    begun_ms = ear.sound.position_ms
    await until(lambda: ear.sound.position_ms >= begun_ms + 500)


async def test_the_next_file_is_opened_in_the_last_twenty_seconds_and_read_twenty_seconds_far(
    ear: Ear, tmp_path: Path
) -> None:
    content = write(tmp_path / "a.wav", noise(60.0)).read_bytes()
    files = [PartialFile(content, available=len(content)) for _ in range(2)]
    ear.files = {"a": [files[0]], "b": [files[1]]}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    ear.sound.append(stream_uri("b"), gain_db=None)
    await until(lambda: files[0].furthest == len(content))
    await heard_on(ear, 1)
    ear.sound.seek(36_000)
    await heard_on(ear, 2)
    assert ear.files["b"]
    ear.sound.seek(41_000)
    await until(lambda: not ear.files["b"])
    await until(lambda: files[1].furthest > len(content) * 18 / 60)
    await heard_on(ear, 3)
    assert files[1].furthest < len(content) * 23 / 60


async def test_what_follows_after_the_queue_was_edited_is_opened_ahead_alone(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(60.0)).read_bytes()
    ear.files = {name: [PartialFile(content, available=len(content))] for name in "abc"}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    ear.sound.append(stream_uri("b"), gain_db=None)
    await heard_on(ear, 1)
    ear.sound.append(stream_uri("c"), gain_db=None)
    ear.sound.seek(41_000)
    await until(lambda: not ear.files["c"])
    assert ear.sound.position_ms < 60_000
    assert ear.files["b"]


async def test_who_goes_back_from_the_end_may_edit_the_queue_again(ear: Ear, tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(60.0)).read_bytes()
    ear.files = {name: [PartialFile(content, available=len(content))] for name in "ab"}
    ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
    await heard_on(ear, 1)
    ear.sound.seek(45_000)
    await heard_on(ear, 2)
    ear.sound.seek(5_000)
    await heard_on(ear, 3)
    ear.sound.append(stream_uri("b"), gain_db=None)
    ear.sound.seek(10_000)
    await heard_on(ear, 4)
    assert ear.files["b"]


async def test_an_opening_ahead_that_failed_is_forgotten_once_it_is_tried_again(tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav", noise(2.0)).read_bytes()
    opened: list[str] = []

    async def away_at_first(item_id: str) -> GrowingFile:
        opened.append(item_id)
        if opened == ["a", "b"]:
            raise ServerUnreachableError("away for a moment")
        return PartialFile(content, available=len(content))

    async with open_ear("null", away_at_first) as ear:
        ear.sound.load(stream_uri("a"), start_ms=0, gain_db=None)
        ended = await ear.until_ended(ear.sound.append(stream_uri("b"), gain_db=None))
    assert opened == ["a", "b", "b"]
    assert (ended.reason, ended.error) == ("eof", None)
