"""Reading a track while it comes: what is read is what the server has, and no byte comes twice."""

from __future__ import annotations

import asyncio

from jellytui.demo.library import DemoTrack
from tests.engine.downloads.conftest import Rig
from tests.support.streaming import Asked, read_on
from tests.support.waiting import until


def song_of(rig: Rig, container: str) -> DemoTrack:
    return next(song for song in rig.songs if song.file.suffix == f".{container}")


async def test_what_is_read_is_the_servers_file_and_so_is_what_stays(listening: Rig) -> None:
    song = song_of(listening, "flac")
    file = await listening.manager.open_stream(song.id)
    assert await asyncio.to_thread(file.size) == song.size
    assert await read_on(file) == song.file.read_bytes()
    file.close()
    row = await listening.until_status(song.id, "completed")
    assert (row.origin, row.priority) == ("stream", 300)
    await listening.whole(song.id)
    assert Asked.of(listening.asked(song.id)).ranges == ((0, None),)
    await until(lambda: not listening.manager.leases.is_held(song.id))
    assert (await listening.row(song.id)).wanted_by == ()
