"""Enter to first sample: through the stream callbacks against mpv opening the URL itself, at 20 ms RTT (issue 6)."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.sound import OpenStream, SoundEvent, SoundStarted, stream_uri
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.streaming import CODECS, QuickClock, build_songs
from tests.support.waiting import until

ROUNDS = 9
SECONDS = 60.0
RTT_S = 0.020


def run() -> None:
    """Prints the medians and their ratio for each container."""
    asyncio.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        music = build_songs(Path(folder) / "music", SECONDS)
        with _serving(music, Path(folder)) as port:
            server = DemoServer(music, port=port)  # only to know what the other process serves, and where
            async with rig_for(server, Path(folder), QuickClock(10.0)) as rig:
                watch = _Stopwatch()
                await watch.open(rig.manager.open_stream)
                for container in CODECS:
                    song = next(song for song in rig.songs if song.file.suffix == f".{container}")
                    _print(container, *await _measure(rig, watch, song))
                await watch.sound.close()
    print(f"RTT {RTT_S * 1000:.0f} ms by a relay, handshake included; median of {ROUNDS}, {os.cpu_count()} cores")


@contextmanager
def _serving(music: Path, cache: Path) -> Iterator[int]:
    """A demo server in a process of its own, so that it takes no time from the player; gives its port."""
    program = (
        "import sys; from pathlib import Path; from jellytui.demo.cli import ServeOptions, serve; "
        "folder, cache = Path(sys.argv[1]), Path(sys.argv[2]); "
        "serve(ServeOptions(folder=folder, cache=cache, delay=float(sys.argv[3]), json_output=True))"
    )
    words = [sys.executable, "-c", program, str(music), str(cache), str(RTT_S / 2)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
        finally:
            process.terminate()


async def _measure(rig: Rig, watch: _Stopwatch, song: DemoTrack) -> tuple[list[float], list[float]]:
    plain: list[float] = []
    streamed: list[float] = []
    url = f"{rig.server.url}/Audio/{song.id}/stream?static=true"
    for _ in range(ROUNDS):  # one after the other, so that both see the same machine
        plain.append(await watch.start(url))
        streamed.append(await watch.start(stream_uri(song.id)))
        await until(lambda: not rig.manager.leases.is_held(song.id))
        row = await rig.row(song.id)
        await rig.manager.acts.delete([row.id])
    return plain, streamed


class _Stopwatch:
    """Tells when a load's first sample comes. Nothing polls: that would slow the streams alone."""

    def __init__(self) -> None:
        self.sound = MpvSound(PlayerSettings(audio_output="null"), ServerSettings())
        self._started: asyncio.Queue[tuple[int, float]] = asyncio.Queue()

    async def open(self, open_stream: OpenStream) -> None:
        await self.sound.open(self._hear, open_stream)

    async def start(self, uri: str) -> float:
        """Seconds from the load to the first sample."""
        began_at = time.perf_counter()
        load_id = self.sound.load(uri, start_ms=0, gain_db=None)
        while True:
            started_id, started_at = await self._started.get()
            if started_id == load_id:
                self.sound.halt()
                return started_at - began_at

    def _hear(self, event: SoundEvent) -> None:
        if isinstance(event, SoundStarted):
            self._started.put_nowait((event.load_id, time.perf_counter()))


def _print(container: str, plain: Sequence[float], streamed: Sequence[float]) -> None:
    plain_ms, streamed_ms = (statistics.median(times) * 1000 for times in (plain, streamed))
    ratio = streamed_ms / plain_ms
    print(f"{container:5} URL {plain_ms:6.1f} ms   stream callbacks {streamed_ms:6.1f} ms   ratio {ratio:.2f}")
