"""Lyrics are asked for once, also where there are none, and again when the track changed."""

from __future__ import annotations

from typing import Any

import pytest

from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.library.lyrics import LyricsStore
from jellytui.engine.library.syncing import mirror
from jellytui.engine.models import LyricLine, Lyrics
from jellytui.engine.storage.database import Database
from tests.support.catalogue import MUSIC, CatalogueInMemory, track

WORDS = Lyrics(item_id="track-one", lines=(LyricLine(text="La la", start_ms=500), LyricLine(text="", start_ms=900)))


@pytest.fixture
def store(server: CatalogueInMemory, database: Database) -> LyricsStore:
    return LyricsStore(client=server, database=database)


async def mirrored(database: Database, **more: Any) -> None:
    async with database.transaction() as transaction:
        await mirror.store_tracks(transaction, MUSIC, [track("one", **more)])


async def test_lyrics_come_from_the_server_once_and_then_from_disk(
    store: LyricsStore, server: CatalogueInMemory, database: Database
) -> None:
    await mirrored(database, has_lyrics=True, etag="1")
    server.words["track-one"] = WORDS

    assert await store.get("track-one") == await store.get("track-one") == WORDS
    assert len(server.asked("lyrics")) == 1


async def test_a_track_that_the_server_has_no_words_of_is_asked_about_once_until_it_changes(
    store: LyricsStore, server: CatalogueInMemory, database: Database
) -> None:
    await mirrored(database, has_lyrics=True, etag="1")
    assert (await store.get("track-one")).lines == ()
    assert (await store.get("track-one")).lines == ()
    assert len(server.asked("lyrics")) == 1

    server.words["track-one"] = WORDS
    await mirrored(database, has_lyrics=True, etag="2")
    assert await store.get("track-one") == WORDS


async def test_a_track_without_lyrics_by_the_catalogue_is_not_asked_about(
    store: LyricsStore, server: CatalogueInMemory, database: Database
) -> None:
    await mirrored(database)

    assert (await store.get("track-one")).lines == ()
    assert server.calls == []


async def test_offline_lyrics_that_are_not_here_are_an_error_and_not_kept_as_none(
    store: LyricsStore, server: CatalogueInMemory, database: Database
) -> None:
    await mirrored(database, has_lyrics=True)

    def away(*_: Any) -> None:
        raise ServerUnreachableError("music cannot be reached")

    server.before = away
    with pytest.raises(ServerUnreachableError):
        await store.get("track-one")
    server.before = lambda *_: None
    server.words["track-one"] = WORDS
    assert await store.get("track-one") == WORDS
