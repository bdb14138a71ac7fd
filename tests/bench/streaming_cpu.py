"""CPU while streaming: through the stream callbacks against mpv opening the URL itself, in one process (issue 6).

When they fetch differs: mpv keeps 20 s ahead, ours fetches the whole file as the line brings it, and keeps it. So a
track is played from its beginning to its end: over a line that brings little more than is played, over one that brings
four times as much, and over loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.engine.clock import SystemClock
from jellytui.engine.player.mpv import MpvSound
from jellytui.engine.player.sound import SoundEnded, SoundEvent, stream_uri
from tests.bench.flow.relay import line
from tests.engine.downloads.conftest import Rig, rig_for
from tests.support.waiting import until

ROUNDS = 2
PLAYED_S = 60.0
_RATE_HZ = 44_100
_SHARES = (1.3, 4.0)
"""How much faster than the music a line is."""


@dataclass(frozen=True)
class _Case:
    name: str
    song: DemoTrack
    short: DemoTrack
    """Played first and not counted: what is imported then is imported once in an app's life."""
    server_url: str
    rig: Rig


@dataclass(frozen=True)
class _Cost:
    cpu_s: float
    switches: int
    """How often a thread of ours gave up the processor by itself."""


def run() -> None:
    """Prints for each case what both take, and the ratio."""
    asyncio.run(_run())


async def _run() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        music = folder / "music"
        _write_music(music / "Noise" / "Long" / "01 Track.flac", PLAYED_S)
        _write_music(music / "Noise" / "Long" / "02 Short.flac", 1.0)
        with _serving(music, folder) as port:
            server = DemoServer(music, port=port)  # only to know what the other process serves, and where
            song, short = server.library.tracks
            for share in _SHARES:
                with line(server.url, round(song.file.stat().st_size / PLAYED_S * share)) as url:
                    behind = DemoServer(music, library=server.library, port=int(url.rpartition(":")[2]))
                    async with rig_for(behind, _made(folder / f"at {share}"), SystemClock()) as rig:
                        await _measure(_Case(f"line at {share}x", song, short, url, rig))
            async with rig_for(server, _made(folder / "fast"), SystemClock()) as rig:
                await _measure(_Case("loopback", song, short, server.url, rig))
    print(f"CPU of the process in {PLAYED_S:.0f} s of FLAC; mean of {ROUNDS}, {os.cpu_count()} cores")


async def _measure(case: _Case) -> None:
    await case.rig.client.tls()  # made once in an app's life too
    await _play(case, stream_uri(case.short.id))
    plain: list[_Cost] = []
    streamed: list[_Cost] = []
    url = f"{case.server_url}/Audio/{case.song.id}/stream?static=true"
    for _ in range(ROUNDS):  # by turns, so that both see the same machine
        plain.append(await _play(case, url))
        streamed.append(await _play(case, stream_uri(case.song.id)))
        await until(lambda: not case.rig.manager.leases.is_held(case.song.id))
        row = await case.rig.row(case.song.id)
        await case.rig.manager.acts.delete([row.id])
    _print(case.name, plain, streamed)


async def _play(case: _Case, uri: str) -> _Cost:
    """A handle of its own for each play, so that no memory of the one before is used; making it is not counted."""
    sound = MpvSound(PlayerSettings(audio_output="null"), ServerSettings())
    ended = asyncio.Event()

    def hear(event: SoundEvent) -> None:
        if isinstance(event, SoundEnded):
            assert event.reason == "eof", event
            ended.set()

    await sound.open(hear, case.rig.manager.open_stream)
    cpu_before, switches_before = time.process_time(), _switches()
    sound.load(uri, start_ms=0, gain_db=None)
    await ended.wait()
    cost = _Cost(time.process_time() - cpu_before, _switches() - switches_before)
    await sound.close()
    return cost


@contextmanager
def _serving(music: Path, cache: Path) -> Iterator[int]:
    """A demo server in a process of its own, so that it is not counted; gives its port."""
    program = (
        "import sys; from pathlib import Path; from jellytui.demo.cli import ServeOptions, serve; "
        "serve(ServeOptions(folder=Path(sys.argv[1]), cache=Path(sys.argv[2]), json_output=True))"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(music), str(cache)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
        finally:
            process.terminate()


def _write_music(file: Path, seconds: float) -> None:
    """Noise that FLAC packs about as well as loud music: a megabit a second."""
    file.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(1).normal(0, 0.03, (round(seconds * _RATE_HZ), 2))
    soundfile.write(file, samples, _RATE_HZ, format="FLAC", subtype="PCM_16")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _switches() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


def _print(name: str, plain: Sequence[_Cost], streamed: Sequence[_Cost]) -> None:
    plain_s, streamed_s = (statistics.mean(cost.cpu_s for cost in costs) for costs in (plain, streamed))
    woken, woken_too = (statistics.mean(cost.switches for cost in costs) for costs in (plain, streamed))
    print(
        f"{name:12} URL {plain_s:.3f} s   stream callbacks {streamed_s:.3f} s   ratio {streamed_s / plain_s:.2f}"
        f"   wake-ups {woken:.0f} / {woken_too:.0f}"
    )


if __name__ == "__main__":
    run()
