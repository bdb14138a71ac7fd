"""The `.part` hands over what it has gathered as soon as a reader waits, and loses nothing by that."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest_asyncio

from jellytui.engine.downloads.transfer.part import WRITE_BYTES, Part
from tests.support.waiting import until


@pytest_asyncio.fixture
async def part(tmp_path: Path) -> AsyncIterator[Part]:
    with ThreadPoolExecutor(2) as executor:
        part = await Part.open(tmp_path / "a.part", executor)
        yield part
        await part.close()


async def test_little_is_gathered_until_a_reader_waits(part: Part) -> None:
    await part.write(b"x" * 1000)
    assert (part.size, part.written) == (1000, 0)
    part.hand_over()
    await until(lambda: part.written == 1000)


async def test_while_a_reader_waits_each_chunk_is_written_at_once(part: Part) -> None:
    part.is_awaited = True
    for number in range(1, 6):
        await part.write(b"x" * 1000)
        part.hand_over()
        await until(lambda number=number: part.written == 1000 * number)  # type: ignore[misc]


async def test_nothing_is_lost_however_writing_and_handing_over_cross(part: Part) -> None:
    dice = random.Random(7)
    whole = bytearray()
    for _ in range(300):
        chunk = dice.randbytes(dice.choice([1, 1000, 70_000]))
        whole += chunk
        await part.write(chunk)
        part.is_awaited = dice.random() < 0.5
        for _ in range(dice.randrange(3)):
            part.hand_over()
            await asyncio.sleep(0)
    await part.flush()
    assert len(whole) > 4 * WRITE_BYTES
    assert (part.size, part.written) == (len(whole), len(whole))
    assert part.path.read_bytes() == whole


async def test_a_reader_hears_of_growth_and_of_a_file_that_begins_anew(part: Part) -> None:
    heard: list[tuple[int, int]] = []
    part.on_change = lambda: heard.append((part.written, part.version))
    await part.write(b"x" * 1000)
    await part.flush()
    descriptor, version = part.duplicate()
    await part.begin_anew()
    assert heard == [(1000, 0), (0, 1)]
    assert (version, part.version) == (0, 1)
    assert os.pread(descriptor, 2000, 0) == b"x" * 1000
    os.close(descriptor)
