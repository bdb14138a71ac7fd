"""The seed's commands by their names and parameters, as a face calls them: through the registry, by JSON types only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from jellytui.engine.commands import download, offline
from jellytui.engine.commands.registry import Registry
from jellytui.engine.errors import NotFoundError, UsageError
from tests.engine.downloads.conftest import Rig

SEED = {
    "download_item": ["item_id", "user_id", "file_path"],
    "download_album": ["album_id", "user_id"],
    "get_downloads": ["user_id", "status_filter"],
    "pause_download": ["download_id"],
    "resume_download": ["download_id"],
    "cancel_download": ["download_id"],
    "delete_download": ["download_id"],
    "offline_is_available": ["item_id"],
    "offline_get_items": ["user_id"],
    "offline_search": ["user_id", "query"],
}


class Face:
    """Calls commands as a socket would: arguments and results go through JSON."""

    def __init__(self, rig: Rig) -> None:
        self._registry = Registry([*download.COMMANDS, *offline.COMMANDS])
        self._services = SimpleNamespace(account=rig.account, downloads=rig.manager)

    async def call(self, name: str, **arguments: Any) -> Any:
        command = self._registry[name]
        over_the_wire = msgspec.json.decode(msgspec.json.encode(arguments))
        result = await command.run(self._services, over_the_wire)
        return msgspec.json.decode(msgspec.json.encode(result), type=command.result)


@pytest.fixture
def face(rig: Rig) -> Face:
    return Face(rig)


def test_the_seeds_ten_commands_have_its_names_and_parameters() -> None:
    registry = Registry([*download.COMMANDS, *offline.COMMANDS])
    assert {name: list(registry[name].arguments.__struct_fields__) for name in SEED} == SEED
    assert all(command.summary.endswith(".") for command in registry)


async def test_from_asking_to_listening_offline_to_deleting(rig: Rig, face: Face) -> None:
    song, user_id = rig.songs[0], rig.account.user_id
    row = await face.call("download_item", item_id=song.id, user_id=user_id)
    await rig.until_status(song.id, "completed")
    assert [each.id for each in await face.call("get_downloads", user_id=user_id)] == [row.id]
    assert await face.call("get_downloads", user_id=user_id, status_filter="failed") == []
    assert await face.call("offline_is_available", item_id=song.id)
    assert [track.id for track in await face.call("offline_get_items", user_id=user_id)] == [song.id]
    for query, count in (("hiss", 1), ("HIS som", 1), ("bod", 0), ("zzz", 0), ("", 1)):
        assert len(await face.call("offline_search", user_id=user_id, query=query)) == count, query
    assert (await face.call("get_downloads_summary")).completed_count == 1
    await face.call("delete_download", download_id=row.id)
    assert not await face.call("offline_is_available", item_id=song.id)


async def test_many_at_once(rig: Rig, face: Face) -> None:
    rig.link.is_online = False
    rows = await face.call("download_album", album_id=rig.songs[0].album_id, user_id=rig.account.user_id)
    ids = [row.id for row in rows]
    paused = await face.call("pause_downloads", download_ids=ids[:3])
    assert [(row.id, row.status) for row in paused] == [(download_id, "paused") for download_id in ids[:3]]
    await face.call("resume_downloads", download_ids=ids[:1])
    await face.call("prioritize_downloads", download_ids=ids[2:3])
    await face.call("cancel_downloads", download_ids=ids[1:2])
    left = await face.call("get_downloads", user_id=rig.account.user_id)
    assert [(row.id, row.status) for row in left] == [(ids[2], "paused"), (ids[0], "pending"), (ids[3], "pending")]
    await face.call("pause_all_downloads")
    await face.call("resume_all_downloads")
    await face.call("delete_downloads", download_ids=ids)
    assert await face.call("get_downloads", user_id=rig.account.user_id) == []


async def test_another_users_downloads_are_not_to_be_had(face: Face, rig: Rig) -> None:
    for name, arguments in (
        ("download_item", {"item_id": rig.songs[0].id}),
        ("download_favorites", {}),
        ("get_downloads", {}),
        ("offline_get_items", {}),
    ):
        with pytest.raises(UsageError, match="not signed in here"):
            await face.call(name, user_id="somebody", **arguments)


async def test_a_row_that_is_not_there_is_said_to_be_missing(face: Face) -> None:
    for name in ("pause", "resume", "cancel", "delete", "prioritize"):
        with pytest.raises(NotFoundError, match="4711"):
            await face.call(f"{name}_download", download_id=4711)
