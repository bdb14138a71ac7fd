"""A download that is to go on while it plays, of which the server has no such range (416): the music is right."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from jellytui.engine.downloads.transfer.resume import OVERLAP
from jellytui.engine.events import PlayerState, TrackStarted
from tests.engine.downloads.stream.test_reading import STREAMS, song_of
from tests.faults.test_one_fetch import what_came
from tests.faults.test_one_fetch_player import Listener, folder, short_song  # noqa: F401
from tests.support.hearing import RATE, dumped, noise, samples_of, write
from tests.support.libmpv import needs_libmpv
from tests.support.waiting import until

pytestmark = needs_libmpv

BYTES_A_SECOND = 4 * RATE
CUT_BYTES = 400_000
"""Somewhat more than two seconds of the song."""


def tracks_started(listener: Listener) -> list[str]:
    return [event.track.id for event in listener.events if isinstance(event, TrackStarted)]


@pytest.mark.parametrize("audio_output", ["null", "pcm"])
async def test_an_unchanged_file_comes_anew_and_the_music_goes_on(folder: Path, audio_output: str) -> None:  # noqa: F811
    async with short_song(folder, 4.0, audio_output=audio_output) as listener:
        rig, song = listener.rig, song_of(listener.rig, "wav")
        rig.server.faults.add("close", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        rig.server.faults.add("status", route=STREAMS, status=416, nth=2, times=1)
        await listener.play("wav")
        await until(lambda: tracks_started(listener))
        await listener.player.wait_until_stopped()
        came_to_ms = listener.has_kept_its_place()
        assert listener.problems == []
        await rig.until_status(song.id, "completed")
        await rig.whole(song.id)
        came = [each for each in what_came(rig, song) if each[0] != (CUT_BYTES, None)]  # who waits there may ask for it
        assert came == [((0, None), CUT_BYTES), ((CUT_BYTES - OVERLAP, None), 0), ((0, None), song.size)]
    if audio_output == "null":
        assert came_to_ms > CUT_BYTES / BYTES_A_SECOND * 1000
    else:
        assert np.array_equal(dumped(), samples_of(song.file))


async def test_a_track_whose_file_is_shorter_now_than_what_was_heard_ends_without_words(folder: Path) -> None:  # noqa: F811
    async with short_song(folder, 4.0) as listener:
        rig, song = listener.rig, song_of(listener.rig, "wav")
        rig.server.faults.add("close", route=STREAMS, after_bytes=CUT_BYTES, times=1)
        again = rig.server.faults.add("delay", route=STREAMS, seconds=0.5, nth=2, times=1)
        was_modified = song.file.stat().st_mtime
        await listener.play("wav", "wav")
        await until(lambda: again.hits)
        shorter = write(folder / "other.wav", noise(1.5, seed=6))
        os.utime(shorter, (was_modified - 100, was_modified - 100))  # a newer one would come whole, not as a 416
        content = shorter.replace(song.file).read_bytes()
        await listener.player.wait_until_stopped()
        assert listener.problems == []
        assert tracks_started(listener) == [song.id, song.id]
        played = [event for event in listener.events if isinstance(event, PlayerState) and event.status == "playing"]
        assert (played[-1].duration_ms, played[-1].source) == (1500, "disk")
        came = [each for each in what_came(rig, song) if each[0] != (CUT_BYTES, None)]
        assert came == [((0, None), CUT_BYTES), ((CUT_BYTES - OVERLAP, None), 0), ((0, None), len(content))]
        row = await rig.until_status(song.id, "completed")
        assert (rig.root / (row.file_path or "")).read_bytes() == content
