"""The demo server answers as the recorded server did, but for the differences listed with a reason each."""

import tomllib
from pathlib import Path

import httpx

from jellytui.demo.server import DemoServer
from tests.demo.replay import Difference, Replay

TOPICS = ("auth", "media", "playback", "playlists", "errors")
"""Replayed in this order on one server: what one leaves behind the next one meets."""


async def test_recorded_exchanges_differ_only_as_listed(recordings: Path, recorded_music: Path) -> None:
    found: list[Difference] = []
    server = DemoServer(recorded_music, user="alice", password="wonder")
    owner = next(iter(server.world.accounts.users.values()))
    owner.policy.hidden, owner.policy.content_deletion = True, True
    async with server, httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        replay = Replay(server, recordings, "12.0")
        replay.bind_library()
        await replay.sign_in(client, "alice", "wonder")
        await replay.play(client, "library")  # binds albums and artists; its own differences are not judged yet
        for topic in TOPICS:
            found += await replay.play(client, topic)
    listed = tomllib.loads((Path(__file__).parent / "differences.toml").read_text("utf-8"))["difference"]
    expected = {(each["topic"], each["index"], each["place"]) for each in listed}
    assert {(each.topic, each.index, each.place) for each in found} == expected, "\n".join(map(str, found))
