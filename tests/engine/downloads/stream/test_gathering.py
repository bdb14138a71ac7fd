"""What comes is left to gather while the player has music ahead, and is read at once when somebody is in a hurry."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from jellytui.engine.downloads.stream.feed import Feed
from jellytui.engine.downloads.stream.reader import StreamReader
from jellytui.engine.downloads.transfer.part import Part
from jellytui.engine.downloads.worker import Control
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.test_reading import STREAMS, song_of
from tests.support.streaming import read_on
from tests.support.waiting import until

THIN = 300_000
"""Bytes a second: half a second for what is read at once where there is patience."""


async def test_a_player_with_music_ahead_has_its_bytes_in_fewer_and_larger_pieces(
    listening: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[int] = []
    write = Part.write

    async def seen(part: Part, chunk: bytes) -> None:
        pieces.append(len(chunk))
        await write(part, chunk)

    async def count(container: str, ahead_s: float) -> int:
        song = song_of(listening, container)
        pieces.clear()
        file = await listening.manager.open_stream(song.id)
        file.ahead_s = lambda: ahead_s
        assert await read_on(file) == song.file.read_bytes()
        file.close()
        return len(pieces)

    monkeypatch.setattr(Part, "write", seen)
    listening.server.faults.add("drip", route=STREAMS, rate=4 * THIN)
    hasty = await count("ogg", 0.0)
    assert await count("mp3", 100.0) < hasty / 3


async def test_whoever_stops_a_fetch_has_it_read_what_had_gathered() -> None:
    hurried: list[str] = []

    class Response:
        status = 200
        headers: Mapping[str, str] = {}

        def hurry(self) -> None:
            hurried.append("hurried")

        async def chunks(self, patience_s: Callable[[], float] | None = None) -> AsyncIterator[bytes]:
            assert patience_s is None
            yield b""

    control = Control()
    control.response = Response()
    control.stop()
    assert (hurried, control.is_stopped) == (["hurried"], True)


async def test_a_jump_ends_the_patience_that_was_granted_before(
    listening: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = 0
    hurry = Control.hurry

    def seen(control: Control) -> None:
        nonlocal hurried
        hurried += 1
        hurry(control)

    monkeypatch.setattr(Control, "hurry", seen)
    song = song_of(listening, "wav")
    listening.server.faults.add("drip", route=STREAMS, rate=THIN)
    file = await listening.manager.open_stream(song.id)
    file.ahead_s = lambda: 100.0
    await read_on(file, 0, 300_000)
    (transfer,) = listening.manager.runner.running.values()
    before = hurried
    await read_on(file, transfer.bytes_here + 1000, 10)
    assert hurried > before
    file.close()


async def test_a_listener_who_joins_knows_the_length_and_outlives_a_break(listening: Rig) -> None:
    song = song_of(listening, "wav")
    listening.server.faults.add("drip", route="*/download", rate=3_000_000)
    listening.server.faults.add("close", route="*/download", after_bytes=2_000_000, times=1)
    await listening.manager.wishes.download_item(song.id)
    await until(lambda: listening.part(song.id).exists() and listening.part(song.id).stat().st_size > 0)
    file = await listening.manager.open_stream(song.id)
    assert await asyncio.to_thread(file.size) == song.size
    assert await read_on(file) == song.file.read_bytes()
    file.close()


def test_a_file_that_is_slow_to_close_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"x" * 1000)
    feed = Feed(path)
    feed.complete(path, 1000)
    reader = StreamReader(feed, on_move=lambda: None, on_starve=lambda _: None, on_close=lambda _: None)
    assert reader.readinto(0, memoryview(bytearray(10))) == 10
    close, is_closing, may_close = os.close, threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:  # as NFS is, which writes back what is dirty
        is_closing.set()
        assert may_close.wait(10)
        close(descriptor)

    monkeypatch.setattr(os, "close", slow)
    thread = threading.Thread(target=reader.close)
    thread.start()
    assert is_closing.wait(10)
    assert feed.condition.acquire(timeout=5)
    feed.condition.release()
    may_close.set()
    thread.join()
