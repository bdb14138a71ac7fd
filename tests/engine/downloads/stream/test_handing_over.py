"""The `.part` gives readers what it has gathered before that is in the file, and loses nothing by that."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from jellytui.engine.downloads.transfer.part import WRITE_BYTES, Part
from tests.support.waiting import until


@pytest_asyncio.fixture
async def part(tmp_path: Path) -> AsyncIterator[Part]:
    with ThreadPoolExecutor(2) as executor:
        part = await Part.open(tmp_path / "a.part", executor)
        yield part
        await part.close()


def _read(part: Part, offset: int, length: int) -> bytes:
    buffer = bytearray(length)
    return bytes(buffer[: part.copy(offset, memoryview(buffer))])


async def test_what_is_gathered_can_be_read_before_it_is_written(part: Part) -> None:
    await part.write(b"abc")
    await part.write(b"defg")
    assert (part.size, part.written) == (7, 0)
    assert [_read(part, offset, 3) for offset in (0, 1, 3, 6, 7)] == [b"abc", b"bc", b"def", b"g", b""]
    part.hand_over()
    await until(lambda: part.written == 7)
    assert _read(part, 3, 3) == b""
    assert part.path.read_bytes() == b"abcdefg"


async def test_what_could_not_be_written_is_kept_and_written_in_its_place(part: Part) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    await part.write(b"x" * 1000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            await part.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _read(part, 0, 2000) == b"x" * 1000
    await part.write(b"y" * 1000)
    await part.flush()
    assert part.path.read_bytes() == b"x" * 1000 + b"y" * 1000


async def test_nothing_is_lost_however_writing_handing_over_and_reading_cross(part: Part) -> None:
    dice = random.Random(7)
    whole = bytearray()
    from_memory = 0
    for _ in range(300):
        chunk = dice.randbytes(dice.choice([1, 1000, 70_000]))
        whole += chunk
        await part.write(chunk)
        for _ in range(dice.randrange(3)):
            part.hand_over()
            await asyncio.sleep(0)
        offset = len(whole) - dice.randint(1, min(len(whole), 2 * len(chunk)))  # half of them in what came last
        got = _read(part, offset, 100_000)
        assert got == whole[offset : offset + len(got)]
        assert got or offset < part.written
        from_memory += bool(got)
    await part.flush()
    assert from_memory > 20
    assert len(whole) > 4 * WRITE_BYTES
    assert (part.size, part.written) == (len(whole), len(whole))
    assert part.path.read_bytes() == whole


async def test_a_reader_hears_of_growth_and_of_a_file_that_begins_anew(part: Part) -> None:
    heard: list[tuple[int, int]] = []
    part.on_change = lambda: heard.append((part.size, part.version))
    await part.write(b"x" * 1000)
    await part.flush()
    descriptor = part.duplicate()
    await part.begin_anew()
    assert heard == [(1000, 0), (0, 1)]
    assert os.pread(descriptor, 2000, 0) == b"x" * 1000
    os.close(descriptor)


async def test_a_disk_that_is_full_is_noticed_with_the_next_bytes(part: Part) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        await part.write(b"x" * 1000)
        part.hand_over()
        with pytest.raises(OSError, match="File too large"):
            await _write_until_it_fails(part)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert part.size < WRITE_BYTES / 2


async def _write_until_it_fails(part: Part) -> None:
    while part.size < WRITE_BYTES / 2:
        await part.write(b"y")
        await asyncio.sleep(0)


async def test_a_write_under_way_is_waited_for_however_often_that_is_cancelled(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        part = await Part.open(tmp_path / "b.part", executor)
        may_write = threading.Event()
        executor.submit(may_write.wait, 10)
        executor.submit(may_write.wait, 10)  # a disk that hangs
        await part.write(b"x" * 1000)
        flushing = asyncio.create_task(part.flush())
        for _ in range(3):
            await asyncio.sleep(0)
            flushing.cancel()
        await asyncio.sleep(0)
        assert not flushing.done()
        may_write.set()
        with pytest.raises(asyncio.CancelledError):
            await flushing
        assert part.written == 1000
        await part.close()
