"""Asking for music, and what becomes of it, against a real server."""

from __future__ import annotations

from tests.engine.downloads.conftest import Rig


async def test_a_track_comes_down_and_is_exactly_the_servers_file(rig: Rig) -> None:
    song = rig.songs[0]
    row = await rig.manager.wishes.download_item(song.id)
    assert (row.status, row.item_id, row.wanted_by) == ("pending", song.id, ("user",))
    await rig.until_status(song.id, "completed", "failed")
    await rig.whole(song.id)
    assert await rig.manager.offline.is_available(song.id)
