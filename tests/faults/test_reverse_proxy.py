"""The faults of media with nginx between server and engine, which holds answers back or not: the file is right, or its
row says why not; what came is kept."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from jellytui.demo.library import DemoTrack, Library
from jellytui.demo.server import DemoServer
from tests.engine.downloads.conftest import Rig, rig_for
from tests.faults.reverse_proxy import ReverseProxy, reverse_proxy
from tests.support.clock import ManualClock
from tests.support.waiting import until

DOWNLOAD = "/items/*/download"
HALF = 1_300_000
ONE_WRITE = 1_000_000
OVERLAP = 64 * 1024


@dataclass
class Site:
    """A server behind nginx, and an engine that knows only nginx."""

    rig: Rig
    proxy: ReverseProxy
    clock: ManualClock

    @property
    def song(self) -> DemoTrack:
        return self.rig.songs[0]

    async def half_here(self, buffering: str = "on") -> int:
        """Lets nginx die in the middle of the song and starts it again; the bytes that are here."""
        self.proxy.start(buffering=buffering)
        self.rig.server.faults.add("drip", route=DOWNLOAD, rate=6_000_000, times=1)
        await self.rig.manager.wishes.download_item(self.song.id)
        await self.until_half()
        self.proxy.stop()
        row = await self.rig.until_row(self.song.id, lambda row: row.wait_reason)
        assert (row.status, row.wait_reason) == ("pending", "retry")
        kept = self.rig.part(self.song.id).stat().st_size
        assert row.bytes_downloaded == kept > ONE_WRITE
        self.proxy.start(buffering=buffering)
        return kept

    async def until_half(self) -> None:
        """Waits until half of the song is on the disk."""
        part = self.rig.part(self.song.id)
        await until(lambda: part.exists() and part.stat().st_size > ONE_WRITE)

    async def whole(self) -> None:
        """The song comes to its end."""
        await self.rig.until_status(self.song.id, "completed")
        await self.rig.whole(self.song.id)

    def starts(self) -> list[int]:
        """From which byte each request that came to the server asked."""
        ranges = [request.headers.get("range", "bytes=0-") for request in self.rig.asked(self.song.id)]
        return [int(each.removeprefix("bytes=").partition("-")[0]) for each in ranges]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def site(noise: Library, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Site]:
    folder = noise.tracks[0].file.parents[2]
    async with DemoServer(folder, library=noise, relay=True) as server, rig_for(server, tmp_path, clock) as rig:
        with reverse_proxy(tmp_path / "nginx", server.url) as proxy:
            rig.account = replace(rig.account, server_url=proxy.url)
            await rig.restart()
            yield Site(rig, proxy, clock)


@dataclass(frozen=True)
class Case:
    """A fault of the server, and what the engine makes of it behind nginx: `waits` is the row's reason to wait."""

    fault: dict[str, Any]
    waits: str = "retry"
    is_kept: bool = True
    words: str = ""
    further: tuple[int, ...] = ()
    """From where the server is asked after the resumed request."""
    reaches_server: bool = True


BROKEN = {
    "the connection to the server ends": Case({"kind": "close", "after_bytes": HALF}),
    "the connection to the server is reset": Case({"kind": "reset", "after_bytes": HALF}),
    "the server falls silent": Case({"kind": "stall", "after_bytes": HALF}),
    "the server promises too much": Case({"kind": "lie", "extra_bytes": 10}, further=(0,)),
    "the server takes too long (504)": Case(
        {"kind": "delay", "seconds": 1.2}, "server", is_kept=False, reaches_server=False
    ),
    "the server starts (503)": Case({"kind": "status", "status": 503}, "server", is_kept=False),
    "the server stumbles (500)": Case({"kind": "status", "status": 500}, is_kept=False),
    "the server is busy (429)": Case({"kind": "status", "status": 429}, is_kept=False),
}


@pytest.mark.parametrize("buffering", ["on", "off"])
@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_behind_nginx_is_waited_for_and_resumed(site: Site, name: str, buffering: str) -> None:
    case, rig, song = BROKEN[name], site.rig, site.song
    site.proxy.start(buffering=buffering)
    rig.server.faults.add(route=DOWNLOAD, times=1, **case.fault)
    await rig.manager.wishes.download_item(song.id)
    row = await rig.until_row(song.id, lambda row: row.wait_reason)
    assert (row.status, row.wait_reason, row.retry_count) == ("pending", case.waits, int(case.waits == "retry"))
    await rig.until_idle()
    kept = rig.part(song.id).stat().st_size
    assert (kept > OVERLAP) == case.is_kept
    rig.link.is_online = True
    await rig.manager.acts.resume([row.id])
    await site.whole()
    assert site.starts() == [0] * case.reaches_server + [max(0, kept - OVERLAP), *case.further]


REFUSED = {
    "gone": Case({"kind": "status", "status": 404}, words="no longer has"),
    "not allowed": Case({"kind": "status", "status": 403}, words="may not download"),
    "a login page": Case({"kind": "html"}, words="A web page came"),
    "compressed on the way": Case({"kind": "headers", "headers": {"Content-Encoding": "gzip"}}, words="compresses"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_server_refuses_is_said_through_nginx_too(site: Site, name: str) -> None:
    site.proxy.start()
    site.rig.server.faults.add(route=DOWNLOAD, **REFUSED[name].fault)
    await site.rig.manager.wishes.download_item(site.song.id)
    row = await site.rig.until_status(site.song.id, "failed")
    assert REFUSED[name].words in (row.error_message or "")
    assert (row.bytes_downloaded, len(site.rig.asked(site.song.id))) == (0, 1)


@pytest.mark.parametrize("buffering", ["on", "off"])
async def test_a_proxy_that_dies_in_the_middle_costs_no_byte(site: Site, buffering: str) -> None:
    kept = await site.half_here(buffering)
    await site.rig.attempt_after(site.song.id, 5)
    await site.whole()
    assert site.starts() == [0, kept - OVERLAP]


@pytest.mark.parametrize("buffering", ["on", "off"])
async def test_a_server_that_is_away_behind_the_proxy_costs_no_attempt(site: Site, buffering: str) -> None:
    kept = await site.half_here(buffering)
    port = int(site.rig.server.url.rpartition(":")[2])
    await site.rig.server.stop()
    await site.clock.advance(5)
    row = await site.rig.until_row(site.song.id, lambda row: row.wait_reason == "server")
    assert (row.status, row.retry_count, row.bytes_downloaded) == ("pending", 1, kept)
    assert "starting or away" in (row.error_message or "")
    await site.rig.server.start()
    assert site.rig.server.url.endswith(f":{port}")
    site.rig.link.is_online = True
    await site.rig.manager.acts.resume([row.id])
    await site.whole()
    assert site.starts()[-1] == kept - OVERLAP


CONTINUED = {
    "gzip for everything": {"http": "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;"},
    "no date of the file": {"download": "proxy_hide_header Last-Modified;"},
    "an answer in pieces": {"download": "proxy_buffer_size 4k; output_buffers 1 4k;"},
    "a cache of its own": {
        "http": "proxy_cache_path {folder}/cache keys_zone=music:1m;",
        "download": "proxy_cache music; proxy_cache_key $uri; proxy_cache_valid 200 1h; proxy_ignore_headers Vary;",
    },
}
BEGUN_ANEW = {
    "no ranges": {"download": "proxy_set_header Range ''; proxy_set_header If-Range ''; max_ranges 0;"},
    "a date of its own": {
        "download": "proxy_hide_header Last-Modified; add_header Last-Modified 'Tue, 01 Jan 2030 00:00:00 GMT';"
    },
}


@pytest.mark.parametrize("name", [*CONTINUED, *BEGUN_ANEW])
async def test_a_proxy_with_ideas_of_its_own_does_not_spoil_the_file(site: Site, tmp_path: Path, name: str) -> None:
    kept = await site.half_here()
    told = {block: lines.format(folder=tmp_path) for block, lines in (CONTINUED | BEGUN_ANEW)[name].items()}
    site.proxy.start(**told)
    await site.clock.advance(5)
    row = await site.rig.until_status(site.song.id, "completed", "failed")
    assert (row.status, row.retry_count) == ("completed", 0), row.error_message
    await site.whole()
    is_asked_for_the_rest = kept - OVERLAP in site.starts()
    assert is_asked_for_the_rest or name in ("no ranges", "a cache of its own")


NOT_MUSIC = {
    "a login page": ("return 200 '<html>Sign in</html>';", "failed", "A web page came"),
    "a login page elsewhere": (
        "return 302 $scheme://localhost:$server_port/login;",
        "failed",
        "A web page came",
    ),
    "a page that forbids": ("return 403 '<html>No</html>';", "failed", "may not download"),
    "a password of its own": ("return 401 '<html>Who?</html>';", "pending", "sign in"),
    "too many requests": ("return 429;", "pending", "too busy"),
    "maintenance": ("return 503 '<html>Back soon</html>';", "pending", "starting or away"),
}


@pytest.mark.parametrize("name", NOT_MUSIC)
async def test_pages_of_the_proxy_are_never_taken_for_music_and_cost_nothing_that_is_here(
    site: Site, name: str
) -> None:
    kept = await site.half_here()
    lines, status, words = NOT_MUSIC[name]
    site.proxy.start(download=lines, server="location = /login { return 200 '<html>Sign in</html>'; }")
    await site.clock.advance(5)
    row = await site.rig.until_row(site.song.id, lambda row: words in (row.error_message or ""))
    await site.rig.until_idle()
    assert row.status == status
    assert site.rig.part(site.song.id).stat().st_size == kept

    site.proxy.start()
    site.rig.link.is_online = True
    await site.rig.manager.acts.resume([row.id])
    await site.whole()
    assert site.starts()[-1] == kept - OVERLAP


async def test_nginx_own_416_for_a_file_that_is_shorter_now_begins_anew(site: Site, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    static = (
        f"alias {media}/$id; limit_rate 4m; limit_rate_after 1200k; default_type audio/wav; proxy_intercept_errors off;"
    )
    file = media / site.song.id
    content = site.song.file.read_bytes()
    file.write_bytes(content + b"longer before" * 1000)
    files = f"location ~ ^/Items/(?<id>[0-9a-f]+)/Download$ {{ {static} }}"
    site.proxy.start(server=files)
    await site.rig.manager.wishes.download_item(site.song.id)
    await site.until_half()
    site.proxy.stop()
    await site.rig.until_row(site.song.id, lambda row: row.wait_reason == "retry")
    assert site.rig.part(site.song.id).stat().st_size > ONE_WRITE
    file.write_bytes(content[:1_000_000])
    os.utime(file)
    site.proxy.start(server=files)
    await site.clock.advance(5)
    row = await site.rig.until_status(site.song.id, "completed", "failed")
    assert (row.status, row.error_message) == ("completed", None)
    assert (site.rig.root / (row.file_path or "")).read_bytes() == content[:1_000_000]
