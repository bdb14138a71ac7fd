"""How much music a player has ahead, as its reads tell."""

from __future__ import annotations

import asyncio

from jellytui.engine.downloads.stream.cushion import Cushion
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.conftest import SECONDS
from tests.support.streaming import read_on
from tests.support.waiting import until

RATE = 100_000.0


def test_what_was_taken_less_the_time_since_is_ahead() -> None:
    cushion = Cushion()
    assert cushion.length_s(RATE, 5.0) == 0
    cushion.took(0, 300_000, 10.0)
    cushion.took(300_000, 200_000, 11.0)
    assert (cushion.length_s(RATE, 11.0), cushion.age_s(11.0)) == (4.0, 1.0)
    assert cushion.length_s(RATE, 14.0) == 1.0
    assert cushion.length_s(RATE, 20.0) == 0


def test_a_jump_begins_anew() -> None:
    cushion = Cushion()
    cushion.took(0, 1_000_000, 10.0)
    cushion.took(5_000_000, 100_000, 12.0)
    assert (cushion.length_s(RATE, 12.0), cushion.age_s(12.0)) == (1.0, 0.0)


async def test_a_reader_is_in_a_hurry_at_first_and_has_a_cushion_later(listening: Rig) -> None:
    song = listening.songs[0]
    rate = song.size / SECONDS
    file = await listening.manager.open_stream(song.id)
    await read_on(file, 0, song.size // 2)
    assert file.cushion_s(rate) == 0
    await until(lambda: file.cushion_s(rate) > 1)
    assert file.cushion_s(rate) < 20
    await asyncio.to_thread(file.readinto, 0, memoryview(bytearray(10)))
    assert file.cushion_s(rate) == 0
    file.close()
