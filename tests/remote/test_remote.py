"""A face over the socket cannot be told from a face in the engine's process."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest

from jellytui.engine.backend import Views
from jellytui.engine.bus import EventBus, Listener
from jellytui.engine.errors import EngineGoneError, NotFoundError, UsageError
from jellytui.engine.events import DownloadEvent, Event, PlayerState, ProblemOccurred, SyncState
from jellytui.engine.library.views import LibraryViews
from jellytui.engine.models import Account, DownloadInfo, Problem, QueueEntry, QueuePage, Track
from jellytui.remote.client import RemoteBackend
from jellytui.remote.protocol import PROTOCOL_VERSION, Call, Happened, Hello, Listen, Result, decode_answer, encode
from jellytui.remote.server import RemoteServer

ACCOUNT = Account(
    server_url="http://attic:8096",
    server_id="s1",
    server_name="attic",
    server_version="12.0.0",
    user_id="u1",
    user_name="demo",
    device_id="d1",
)
PAGE = QueuePage(
    version=3,
    start=0,
    length=1,
    current_index=0,
    entries=(QueueEntry(entry_id=9, track=Track(id="t1", name="Alba", artists=("Alma Verde",), gain_db=-6.3)),),
)


class SmallEngine:
    """A Backend that answers a few commands, to hold at the other end of the socket."""

    def __init__(self, database: Path) -> None:
        self.bus = EventBus()
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.was_cancelled = asyncio.Event()
        self._views = LibraryViews(database)

    @property
    def account(self) -> Account:
        return ACCOUNT

    @property
    def views(self) -> Views:
        return self._views

    async def call(self, name: str, /, **arguments: Any) -> Any:
        self.called.append((name, arguments))
        match name:
            case "get_queue":
                return PAGE
            case "delete_download":
                raise NotFoundError("There is no download 7.")
            case "await_sync":
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.was_cancelled.set()
                    raise
            case "get_downloads_summary":
                await asyncio.Event().wait()
            case "get_player":
                raise ZeroDivisionError
        return None

    def events(self, kinds: Iterable[type[Event]] | None = None) -> Listener:
        return self.bus.listen(kinds)

    async def close(self) -> None:
        await self._views.close()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SmallEngine]:
    engine = SmallEngine(tmp_path / "x.db")
    yield engine
    await engine.close()


@pytest.fixture
async def server(engine: SmallEngine, tmp_path: Path) -> AsyncIterator[RemoteServer]:
    server = RemoteServer(engine, tmp_path / "run" / "x.sock", tmp_path / "x.db")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def face(server: RemoteServer, tmp_path: Path) -> AsyncIterator[RemoteBackend]:
    face = await RemoteBackend.connect(tmp_path / "run" / "x.sock")
    yield face
    await face.close()


async def test_a_result_survives_the_wire_whole(engine: SmallEngine, face: RemoteBackend) -> None:
    assert await face.call("get_queue", start=0, limit=5) == PAGE
    assert engine.called == [("get_queue", {"start": 0, "limit": 5})]
    assert face.account == ACCOUNT


async def test_an_error_arrives_as_its_own_type_with_its_words(face: RemoteBackend) -> None:
    with pytest.raises(NotFoundError, match="There is no download 7"):
        await face.call("delete_download", download_id=7)


async def test_a_broken_command_breaks_neither_engine_nor_face(face: RemoteBackend) -> None:
    with pytest.raises(Exception, match="get_player went wrong inside jellytui"):
        await face.call("get_player")
    assert await face.call("get_queue") == PAGE


async def test_an_unknown_command_is_refused_in_words(face: RemoteBackend) -> None:
    with pytest.raises(UsageError, match="no command 'fly'"):
        await face.call("fly")


async def test_the_stream_begins_with_the_retained_states(engine: SmallEngine, face: RemoteBackend) -> None:
    engine.bus.publish(PlayerState(status="playing", position_ms=61_000))
    engine.bus.publish(SyncState(status="done", total=63))
    async with face.events() as events:
        batch: list[Event] = []
        while len(batch) < 2:
            batch += await events.batch()
    assert batch == [PlayerState(status="playing", position_ms=61_000), SyncState(status="done", total=63)]


async def test_only_the_kinds_asked_for_arrive(engine: SmallEngine, face: RemoteBackend) -> None:
    async with face.events([DownloadEvent]) as events:
        await face.call("get_queue")  # answered after the listening began: nothing published below is missed
        engine.bus.publish(PlayerState(status="paused"))
        event = DownloadEvent(type="progress", download=DownloadInfo(id=7, item_id="t1", user_id="u1", progress=0.31))
        engine.bus.publish(event)
        assert await events.batch() == [event]


async def test_a_slow_face_keeps_the_newest_state_and_every_occurrence(
    engine: SmallEngine, face: RemoteBackend
) -> None:
    async with face.events([PlayerState, ProblemOccurred]) as events:
        await face.call("get_queue")
        for second in range(500):
            engine.bus.publish(PlayerState(status="playing", position_ms=second * 1000))
            engine.bus.publish(ProblemOccurred(problem=Problem(code="disk", text=str(second))))
        await face.call("get_queue")
        problems: list[str] = []
        last = PlayerState()
        while len(problems) < 500 or last.position_ms < 499_000:
            for event in await events.batch():
                if isinstance(event, ProblemOccurred):
                    problems.append(event.problem.text)
                elif isinstance(event, PlayerState):
                    last = event
    assert problems == [str(second) for second in range(500)]


async def test_giving_a_call_up_cancels_it_over_there(engine: SmallEngine, face: RemoteBackend) -> None:
    waiting = asyncio.create_task(face.call("await_sync"))
    await face.call("get_queue")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5):
        await engine.was_cancelled.wait()


async def test_when_the_engine_ends_calls_fail_and_streams_end(
    server: RemoteServer, engine: SmallEngine, face: RemoteBackend
) -> None:
    events = face.events()
    waiting = asyncio.create_task(face.call("await_sync"))
    await face.call("get_queue")
    await server.stop()
    with pytest.raises(EngineGoneError, match="has ended"):
        await waiting
    assert await events.batch() == []
    assert face.is_gone
    with pytest.raises(EngineGoneError):
        await face.call("get_queue")


async def test_the_socket_is_closed_to_other_users(server: RemoteServer, tmp_path: Path) -> None:
    socket = tmp_path / "run" / "x.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_a_dead_holders_socket_file_is_taken_over(engine: SmallEngine, tmp_path: Path) -> None:
    socket = tmp_path / "run" / "x.sock"
    first = RemoteServer(engine, socket, tmp_path / "x.db")
    await first.start()
    second = RemoteServer(engine, socket, tmp_path / "x.db")
    await second.start()
    face = await RemoteBackend.connect(socket)
    assert await face.call("get_queue") == PAGE
    await face.close()
    await second.stop()
    await first.stop()


async def test_a_line_that_is_no_request_ends_only_that_face(
    server: RemoteServer, face: RemoteBackend, tmp_path: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(tmp_path / "run" / "x.sock")
    await reader.readline()
    writer.write(b"GET / HTTP/1.1\n")
    assert await reader.read() == b""
    writer.close()
    assert await face.call("get_queue") == PAGE


async def test_a_kind_of_event_that_this_engine_does_not_know_stays_silent(
    server: RemoteServer, engine: SmallEngine, tmp_path: Path
) -> None:
    reader, writer = await asyncio.open_unix_connection(tmp_path / "run" / "x.sock")
    await reader.readline()
    engine.bus.publish(SyncState(status="done", total=63))
    writer.write(encode(Listen(1, ("OfTomorrow", "Struct", "SyncState"))))
    assert decode_answer(await reader.readline()) == Happened(1, SyncState(status="done", total=63))
    writer.write(encode(Call(2, "get_queue")))
    assert isinstance(decode_answer(await reader.readline()), Result)
    writer.close()


async def test_an_engine_that_sends_what_is_no_answer_is_left(tmp_path: Path) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode(Hello(PROTOCOL_VERSION, "jellytui", ACCOUNT, str(tmp_path / "x.db"))))
        await reader.readline()
        writer.write(b'{"is":"event","id":1,"event":{"event":"of-tomorrow"}}\n')
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(babble, tmp_path / "x.sock"):
        face = await RemoteBackend.connect(tmp_path / "x.sock")
        async with asyncio.timeout(5):
            with pytest.raises(EngineGoneError):
                await face.call("get_queue")
        await face.close()
