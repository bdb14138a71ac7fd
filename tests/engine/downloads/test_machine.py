"""A state machine of random acts, faults and crashes over the whole manager, a real database and real files."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jellytui.config import Settings
from jellytui.engine.bus import EventBus
from jellytui.engine.downloads.files import PART_SUFFIX
from jellytui.engine.downloads.manager import DownloadManager
from jellytui.engine.errors import BodyBrokenError, JellytuiError, ServerUnreachableError
from jellytui.engine.jellyfin.records import MediaFacts, UserInfo
from jellytui.engine.models import Account, Track
from jellytui.engine.storage.database import Database
from tests.engine.downloads.conftest import CoversInMemory, LyricsInMemory, NetworkInMemory
from tests.support.catalogue import LinkInMemory
from tests.support.clock import ManualClock

T = TypeVar("T")

SIZE = 300_000
CHUNK = 50_000
ITEMS = [f"{number}{number}aa" for number in range(5)]
SOME = st.lists(st.sampled_from(ITEMS), unique=True)
FULL = 1 << 60
WATCH = """
CREATE TRIGGER watch AFTER UPDATE OF status ON downloads WHEN OLD.status = 'pending' AND NEW.status = 'downloading'
BEGIN
    INSERT INTO violations SELECT NEW.item_id, p.item_id FROM downloads p
    WHERE p.status = 'pending' AND p.next_attempt_at IS NULL AND p.id <> NEW.id
    AND (p.is_unmetered_only = 0 OR NEW.is_unmetered_only = 1)
    AND (p.priority > NEW.priority
         OR (p.priority = NEW.priority AND (p.queued_at, p.id) < (NEW.queued_at, NEW.id)));
END;
"""
"""Notes each claim that passes over a row whose turn it was, in the claim's own transaction."""
ACCOUNT = Account(
    server_url="http://test",
    server_id="server",
    server_name="Test",
    server_version="12",
    user_id="user",
    user_name="user",
    device_id="device",
)


def content(item_id: str, version: int) -> bytes:
    """What the server has of an item in one version: no two alike anywhere, and longer with each."""
    seed = f"{item_id} {version}".encode()
    block = b"".join(hashlib.sha256(seed + bytes([number])).digest() for number in range(250))
    return (block * (SIZE // len(block) + 1))[: SIZE + version]


@dataclass
class Answer:
    """One answer of the server: a status, or a body that may break off."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    breaks_after: int | None = None

    def hurry(self) -> None:
        return

    async def chunks(self, patience_s: Callable[[], float] | None = None) -> AsyncIterator[bytes]:
        end = len(self.body) if self.breaks_after is None else min(self.breaks_after, len(self.body))
        for start in range(0, end, CHUNK):
            await asyncio.sleep(0)
            yield self.body[start : min(start + CHUNK, end)]
        if self.breaks_after is not None:
            raise BodyBrokenError("The connection broke in the middle of the file.")


@dataclass
class ServerInMemory:
    """Media, catalogue and facts of one server; `faults` are used up one by one."""

    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ITEMS, 0))
    faults: list[str] = field(default_factory=list)
    playlist: list[str] = field(default_factory=list)
    open_bodies: int = 0
    most_open_bodies: int = 0

    @asynccontextmanager
    async def open(
        self, url: str, *, start: int = 0, end: int | None = None, if_range: str | None = None, authorized: bool
    ) -> AsyncIterator[Answer]:
        await asyncio.sleep(0)
        self.open_bodies += 1
        self.most_open_bodies = max(self.most_open_bodies, self.open_bodies)
        try:
            yield self._answer(url.rpartition("/")[2], start)
        finally:
            self.open_bodies -= 1

    def _answer(self, item_id: str, start: int) -> Answer:
        fault = self.faults.pop() if self.faults else ""
        match fault:
            case "away":
                raise ServerUnreachableError("The server cannot be reached.")
            case "500" | "503" | "404" | "429":
                return Answer(int(fault), {})
        version = self.versions[item_id]
        whole = content(item_id, version)
        headers = {"last-modified": f"version {version}", "content-type": "audio/flac"}
        breaks_after = 130_000 if fault == "break" else None
        if start == 0 or fault == "ignore range":
            return Answer(200, {**headers, "content-length": str(len(whole))}, whole, breaks_after)
        if start >= len(whole):
            return Answer(416, {})
        partial = {**headers, "content-range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"}
        return Answer(206, partial, whole[start:], breaks_after)

    async def tracks(self, ids: Sequence[str]) -> list[Track]:
        return [Track(id=item_id, name=item_id, album_id="album", container="flac") for item_id in ids]

    async def tracks_of_album(self, album_id: str) -> list[Track]:
        return await self.tracks(ITEMS)

    tracks_of_artist = tracks_of_album

    async def tracks_of_playlist(self, playlist_id: str) -> list[Track]:
        return await self.tracks(self.playlist)

    async def favorite_tracks(self) -> list[Track]:
        return await self.tracks(ITEMS)

    async def media_facts(self, ids: Sequence[str]) -> list[MediaFacts]:
        return [
            MediaFacts(
                item_id=item_id,
                size_bytes=len(content(item_id, self.versions[item_id])),
                etag=f"e{self.versions[item_id]}",
            )
            for item_id in ids
        ]

    async def user(self) -> UserInfo:
        return UserInfo(id="user", name="user")

    def download_url(self, item_id: str) -> str:
        return f"http://test/download/{item_id}"

    stream_url = download_url

    def limited_url(self, item_id: str, bit_rate: int) -> str:
        return self.download_url(item_id)


class Downloads(RuleBasedStateMachine):
    """`wanted` is what the user has asked for and not taken back, each with the want that it has: the promise that
    nothing of it is ever lost."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folders = [Path(tempfile.mkdtemp())]
        self.server = ServerInMemory()
        self.clock = ManualClock()
        self.link = LinkInMemory()
        self.network = NetworkInMemory()
        self.wanted: set[tuple[str, str]] = set()
        self.listed: set[str] = set()
        """What the followed playlist held when it was last looked at."""
        self.is_following = False
        self.free_floor_bytes = 0
        self.leases: dict[str, contextlib.ExitStack] = {}
        self.run(self.start())
        self.run(self.watch())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def start(self) -> None:
        folder = self.folders[-1]
        self.database = await Database.open(folder / "jellytui.db")
        self.manager = DownloadManager(
            account=ACCOUNT,
            database=self.database,
            root=folder / "downloads",
            media=self.server,
            client=self.server,
            connection=self.link,
            catalogue=self.server,
            mirror=self.server,
            covers=CoversInMemory(),
            lyrics=LyricsInMemory(),
            bus=EventBus(),
            settings=Settings(),
            clock=self.clock,
            network=self.network,
            free_floor_bytes=self.free_floor_bytes,
        )
        await self.manager.start()

    async def watch(self) -> None:
        """Lets the database watch the order of the queue, and gives it the library's tracks."""
        await self.database.execute("CREATE TABLE violations (claimed TEXT, waiting TEXT)")
        await self.database.execute(WATCH)
        for item_id in ITEMS:
            await self.mirror(item_id)

    async def mirror(self, item_id: str) -> None:
        """The library knows the track as it is now."""
        track = Track(id=item_id, name=item_id, album_id="album", etag=f"t{self.server.versions[item_id]}")
        await self.database.execute(
            """INSERT OR REPLACE INTO tracks
               (id, library_id, album_id, duration_ms, play_count, credits, sort_key, words, body)
               VALUES (?, '', '', 0, 0, '[]', '', '', ?)""",
            (item_id, msgspec.json.encode(track)),
        )

    async def stop(self) -> None:
        for held in self.leases.values():
            held.close()
        self.leases.clear()
        await self.manager.stop()
        await self.database.close()

    async def act(self, name: str, item_id: str) -> bool:
        """Does something to the item's row; whether there was one that allowed it."""
        row = await self.manager.listing.by_item(item_id)
        if row is None:
            return False
        try:
            await getattr(self.manager.acts, name)([row.id])
        except JellytuiError:
            return False
        return True

    # What a user does.

    @rule(item_id=st.sampled_from(ITEMS))
    def ask(self, item_id: str) -> None:
        self.run(self.manager.wishes.download_item(item_id))
        self.wanted.add((item_id, "user"))

    @rule()
    def ask_for_the_album(self) -> None:
        self.run(self.manager.wishes.download_album("album"))
        self.wanted |= {(item_id, "user") for item_id in ITEMS}

    @rule(items=SOME.filter(bool))
    def follow_a_playlist(self, items: list[str]) -> None:
        self.server.playlist = items
        self.run(self.manager.wishes.download_playlist("mix"))
        self.is_following = True
        self.listed |= set(items)
        self.wanted |= {(item_id, "playlist:mix") for item_id in items}

    @rule(items=SOME)
    def sync(self, items: list[str]) -> None:
        self.server.playlist = items
        self.run(self.manager.sync_wants())
        if items and self.is_following:
            self.wanted |= {(item_id, "playlist:mix") for item_id in set(items) - self.listed}
            self.wanted -= {(item_id, "playlist:mix") for item_id in self.listed - set(items)}
            self.listed = set(items)

    @rule()
    def clear_completed(self) -> None:
        self.run(self.manager.acts.clear_completed())

    @rule(item_id=st.sampled_from(ITEMS), name=st.sampled_from(["pause", "resume", "prioritize", "download_anyway"]))
    def steer(self, item_id: str, name: str) -> None:
        self.run(self.act(name, item_id))

    @rule(item_id=st.sampled_from(ITEMS), name=st.sampled_from(["cancel", "delete"]))
    def take_back(self, item_id: str, name: str) -> None:
        had_file = self.run(self.manager.local_path(item_id)) is not None
        if self.run(self.act(name, item_id)) and not (name == "cancel" and had_file):
            self.wanted -= {want for want in self.wanted if want[0] == item_id}

    @rule(item_id=st.sampled_from(ITEMS), is_held=st.booleans())
    def play(self, item_id: str, is_held: bool) -> None:
        self.run(self._play(item_id, is_held))

    async def _play(self, item_id: str, is_held: bool) -> None:
        """Somebody reads the file for a while."""
        if is_held and item_id not in self.leases:
            held = self.leases[item_id] = contextlib.ExitStack()
            held.enter_context(self.manager.lease(item_id))
        elif not is_held and item_id in self.leases:
            self.leases.pop(item_id).close()

    @rule(is_paused=st.booleans())
    def all_at_once(self, is_paused: bool) -> None:
        self.run(self.manager.acts.pause_all() if is_paused else self.manager.acts.resume_all())

    # What the cache does.

    @rule(item_id=st.sampled_from(ITEMS))
    def cache(self, item_id: str) -> None:
        self.run(self._cache(item_id))

    async def _cache(self, item_id: str) -> None:
        await self.manager.want(await self.server.tracks([item_id]), "queue")

    @rule(item_id=st.sampled_from(ITEMS))
    def uncache(self, item_id: str) -> None:
        self.run(self.manager.withdraw([item_id], "queue"))

    @rule()
    def evict(self) -> None:
        self.run(self._evict())

    async def _evict(self) -> None:
        rows = await self.manager.downloads()
        gone = set(await self.manager.evict([row.id for row in rows]))
        assert not [row for row in rows if row.id in gone and set(row.wanted_by) - {"queue"}]
        assert not [row for row in rows if row.id in gone and row.item_id in self.leases]

    # What happens to them.

    @rule(fault=st.sampled_from(["away", "500", "503", "404", "429", "break", "break", "ignore range"]))
    def fault(self, fault: str) -> None:
        self.server.faults.append(fault)

    @rule(item_id=st.sampled_from(ITEMS))
    def replace_on_the_server(self, item_id: str) -> None:
        self.server.versions[item_id] += 1
        self.run(self.mirror(item_id))

    @rule(is_full=st.booleans())
    def fill_the_disk(self, is_full: bool) -> None:
        self.free_floor_bytes = self.manager.disk.free_floor_bytes = FULL if is_full else 0

    @rule(is_metered=st.booleans())
    def change_the_link(self, is_metered: bool) -> None:
        self.run(self._change_the_link(is_metered))

    async def _change_the_link(self, is_metered: bool) -> None:
        self.network.set(is_metered)

    @rule(days=st.sampled_from([-400, -1, 1, 400]))
    def set_the_clock(self, days: int) -> None:
        self.clock.set_wall(self.clock.now() + timedelta(days=days))

    @rule(steps=st.integers(0, 60))
    def work(self, steps: int) -> None:
        async def some() -> None:
            for _ in range(steps):
                await asyncio.sleep(0.0002)

        self.run(some())

    @rule(seconds=st.sampled_from([1, 5, 20, 300]))
    def wait(self, seconds: int) -> None:
        self.link.is_online = True
        self.run(self.clock.advance(seconds))

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.stop()
            await self.start()

        self.run(again())

    @rule()
    def crash(self) -> None:
        self.run(self._crash())

    @rule(item_id=st.sampled_from(ITEMS), name=st.sampled_from(["cancel", "delete"]), steps=st.integers(0, 8))
    def crash_while_taking_back(self, item_id: str, name: str, steps: int) -> None:
        """What was begun is done, or has not been: what is gone is not wanted, what is there is."""

        async def crash_in_the_middle() -> None:
            act = asyncio.create_task(self.act(name, item_id))
            for _ in range(steps):
                await asyncio.sleep(0.0003)
            await self._crash(act)
            row = await self.manager.listing.by_item(item_id)
            self.wanted = {
                (wanted, want)
                for wanted, want in self.wanted
                if wanted != item_id or (row is not None and want in row.wanted_by)
            }

        self.run(crash_in_the_middle())

    async def _crash(self, *under_way: asyncio.Task[bool]) -> None:
        """The next engine finds what was on disk at this instant, whatever this one still does."""
        fresh = Path(tempfile.mkdtemp())
        # Threads may still rename and remove parts: those are then missing, as after a crash.
        async with self.database.transaction():
            with contextlib.suppress(shutil.Error):
                shutil.copytree(self.folders[-1], fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-shm"))
        await asyncio.gather(*under_way)
        await self.stop()
        self.folders.append(fresh)
        await self.start()

    # What holds at every moment.

    @invariant()
    def nothing_asked_for_is_lost(self) -> None:
        rows = {row.item_id: row for row in self.run(self.manager.listing.all())}
        for item_id, want in self.wanted:
            assert item_id in rows
            assert want in rows[item_id].wanted_by

    @invariant()
    def what_is_complete_is_whole(self) -> None:
        for row in self.run(self.manager.listing.all()):
            if row.completed_at is None:
                continue  # neither complete, nor with an old file that the server has replaced
            assert row.file_path is not None
            stored = (self.manager.disk.root / row.file_path).read_bytes()
            versions = range(self.server.versions[row.item_id] + 1)
            assert stored in [content(row.item_id, version) for version in versions]

    @invariant()
    def the_slots_are_kept_to(self) -> None:
        assert self.server.most_open_bodies <= Settings().downloads.concurrency

    @invariant()
    def every_file_has_its_row(self) -> None:
        before = {row.item_id for row in self.run(self.manager.listing.all())}
        files = {path.stem for path in self.files()}
        # A row that was added while the first list was read may have its file already.
        assert files <= before | {row.item_id for row in self.run(self.manager.listing.all())}

    @invariant()
    def nobody_is_passed_over(self) -> None:
        found = self.run(self.database.fetch_all("SELECT claimed, waiting FROM violations"))
        assert not [tuple(row) for row in found]

    def files(self) -> list[Path]:
        return [path for path in self.manager.disk.root.rglob("*.*") if path.is_file() and path.name[0] != "."]

    def teardown(self) -> None:
        try:
            self.run(self._until_all_is_here())
            self.nobody_is_passed_over()
            self.nothing_asked_for_is_lost()
            self.what_is_complete_is_whole()
            self.every_file_has_its_row()
            assert not [path for path in self.files() if path.suffix == PART_SUFFIX]
        finally:
            self.run(self.stop())
            self.loop.close()
            for folder in self.folders:
                shutil.rmtree(folder)

    async def _until_all_is_here(self) -> None:
        self.server.faults.clear()
        self.network.set(False)
        self.manager.disk.free_floor_bytes = 0
        for held in self.leases.values():
            held.close()
        self.leases.clear()
        async with asyncio.timeout(20):
            while True:
                self.link.is_online = True
                await self.manager.acts.resume_all()
                await self.manager.acts.retry_failed()
                await self.clock.advance(60)
                rows = await self.manager.listing.all()
                if all(row.status == "completed" for row in rows) and not self.manager.runner.running:
                    return
                await asyncio.sleep(0.001)


TestDownloads = Downloads.TestCase
TestDownloads.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
