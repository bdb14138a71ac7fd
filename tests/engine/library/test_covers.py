"""A cover is fetched once and then a file; offline there is what is there."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from jellytui.engine.errors import ServerUnreachableError
from jellytui.engine.library.covers import SIZE_PX, Covers
from tests.support.catalogue import CatalogueInMemory

JPEG = b"\xff\xd8\xff\xe0 picture"


def away(*_: Any) -> None:
    raise ServerUnreachableError("music cannot be reached")


async def test_a_cover_is_fetched_once_however_often_it_is_wanted(server: CatalogueInMemory, tmp_path: Path) -> None:
    server.images["album", "tag"] = JPEG
    covers = Covers(client=server, folder=tmp_path / "covers")

    paths = await asyncio.gather(*(covers.path("album", "tag") for _ in range(5)))
    again = await Covers(client=server, folder=tmp_path / "covers").path("album", "tag")

    assert len({*paths, again}) == 1
    assert again is not None
    assert again.read_bytes() == JPEG
    assert server.asked("image") == [("album", "tag", SIZE_PX)]


async def test_who_looked_just_before_a_cover_came_does_not_fetch_it_again(
    server: CatalogueInMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.images["album", "tag"] = JPEG
    covers = Covers(client=server, folder=tmp_path)
    exists, looks = Path.exists, itertools.count(1)
    has_come = threading.Event()

    def look(path: Path) -> bool:
        is_there = exists(path)
        if not is_there and path.is_relative_to(tmp_path) and next(looks) == 2:
            has_come.wait(1)
        return is_there

    monkeypatch.setattr(Path, "exists", look)
    first, second = asyncio.create_task(covers.path("album", "tag")), asyncio.create_task(covers.path("album", "tag"))
    await first
    has_come.set()
    assert await second == await first
    assert server.asked("image") == [("album", "tag", SIZE_PX)]


async def test_a_new_tag_brings_a_new_cover_and_the_old_file_goes(server: CatalogueInMemory, tmp_path: Path) -> None:
    server.images["album", "old"], server.images["album", "new"] = JPEG, JPEG + b"2"
    covers = Covers(client=server, folder=tmp_path)
    old = await covers.path("album", "old")

    new = await covers.path("album", "new")

    assert new is not None
    assert old is not None
    assert new.read_bytes() == JPEG + b"2"
    assert not old.exists()


async def test_offline_there_is_the_older_cover_or_none(server: CatalogueInMemory, tmp_path: Path) -> None:
    server.images["album", "old"] = JPEG
    covers = Covers(client=server, folder=tmp_path)
    old = await covers.path("album", "old")
    server.before = away

    assert await covers.path("album", "new") == old
    assert await covers.path("other", "tag") is None
    server.before = lambda *_: None
    server.images["album", "new"] = JPEG
    assert await covers.path("album", "new") != old


async def test_an_item_without_cover_and_an_answer_that_is_no_picture_are_not_asked_for_again(
    server: CatalogueInMemory, tmp_path: Path
) -> None:
    server.images["page", "tag"] = b"<html>sign in</html>"
    covers = Covers(client=server, folder=tmp_path)

    for _ in range(2):
        assert await covers.path("none", "tag") is None
        assert await covers.path("page", "tag") is None
    assert await covers.path("", "") is None

    assert len(server.asked("image")) == 2


async def test_ids_and_tags_never_lead_out_of_the_folder(server: CatalogueInMemory, tmp_path: Path) -> None:
    server.images["../../etc", "../x/\x00"] = JPEG
    folder = tmp_path / "covers"

    path = await Covers(client=server, folder=folder).path("../../etc", "../x/\x00")

    assert path is not None
    assert path.resolve().is_relative_to(folder)
