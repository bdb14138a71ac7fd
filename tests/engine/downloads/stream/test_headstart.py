"""A request may be begun before anybody has opened what it is for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from jellytui.config import ServerSettings
from jellytui.engine.downloads.ports import Media, MediaResponse
from jellytui.engine.downloads.stream.headstart import HeadStarts
from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.jellyfin.media import MediaClient
from tests.engine.downloads.conftest import Rig
from tests.engine.downloads.stream.test_reading import song_of
from tests.support.streaming import Asked, read_on
from tests.support.waiting import until


@pytest_asyncio.fixture
async def client(listening: Rig) -> AsyncIterator[JellyfinClient]:
    """Speaks to the rig's server."""
    client = JellyfinClient(
        account=listening.account, token=listening.token, server=ServerSettings(), clock=listening.clock
    )
    yield client
    await client.close()


@pytest.fixture
def media(client: JellyfinClient) -> HeadStarts:
    return HeadStarts(MediaClient(client=client))


class HeardMedia:
    """A Media that tells when an answer has come."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self.has_answered = asyncio.Event()

    @asynccontextmanager
    async def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AsyncIterator[MediaResponse]:
        async with self._media.open(url, start=start, end=end, if_range=if_range, authorized=authorized) as response:
            self.has_answered.set()
            yield response


@pytest.fixture
def answers(client: JellyfinClient) -> HeardMedia:
    return HeardMedia(MediaClient(client=client))


async def _body(response: MediaResponse) -> bytes:
    return b"".join([chunk async for chunk in response.chunks()])


async def test_what_was_begun_is_taken_by_who_asks_for_the_whole(
    listening: Rig, client: JellyfinClient, media: HeadStarts
) -> None:
    song = song_of(listening, "mp3")
    url = client.stream_url(song.id)
    media.begin(url)
    await until(lambda: listening.asked(song.id))
    async with media.open(url, start=1000, authorized=False) as response:
        assert await _body(response) == song.file.read_bytes()[1000:]
    async with media.open(url, authorized=False) as response:
        assert await _body(response) == song.file.read_bytes()
    assert len(listening.asked(song.id)) == 2
    async with media.open(url, authorized=False) as response:
        assert response.status == 200
    assert len(listening.asked(song.id)) == 3


async def test_what_nobody_takes_is_let_go(listening: Rig, client: JellyfinClient, media: HeadStarts) -> None:
    url = client.stream_url(song_of(listening, "flac").id)
    media.begin(url)
    await media.drop(url)
    media.begin(url)
    await media.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "head start"]


async def test_what_was_answered_is_let_go_at_once_too(
    listening: Rig, client: JellyfinClient, answers: HeardMedia
) -> None:
    media = HeadStarts(answers)
    url = client.stream_url(song_of(listening, "flac").id)
    media.begin(url)
    await answers.has_answered.wait()
    async with asyncio.timeout(2):  # a request that waits to be taken waits for five seconds
        await media.drop(url)


async def test_a_failure_is_told_to_who_takes_it(listening: Rig, client: JellyfinClient, media: HeadStarts) -> None:
    song = song_of(listening, "flac")
    await listening.server.stop()
    url = client.stream_url(song.id)
    media.begin(url)
    with pytest.raises(ServerUnreachableError):
        async with media.open(url, authorized=False):
            pass
    await listening.server.start()


async def test_a_queue_that_is_faster_than_the_listener_takes_what_was_begun_for_him(listening: Rig) -> None:
    async def hurry() -> None:
        while True:
            listening.manager.runner.wake()
            await asyncio.sleep(0)

    hurrying = asyncio.create_task(hurry())
    for song in listening.songs:
        file = await listening.manager.open_stream(song.id)
        assert await read_on(file) == song.file.read_bytes()
        file.close()
        assert Asked.of(listening.asked(song.id)).ranges.count((0, None)) == 1
    hurrying.cancel()
