"""MpvSound: the Sound that libmpv makes; the only module that imports mpv.

python-mpv is imported in a thread when sound is first needed (downloads-playback.md 3.7, point 11), so that the app
starts without it. mpv's callbacks only hand over to the loop; nothing touches the handle after `close`; terminate
runs in a thread (points 1 to 3). Load ids are mpv's playlist entry ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import locale
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from jellytui.config import PlayerSettings, ServerSettings
from jellytui.engine.errors import SoundError
from jellytui.engine.player.core import CLOSED, Core, Made
from jellytui.engine.player.failure import failure_of, words_of_no_device
from jellytui.engine.player.libmpv import OPTIONS, apply_settings, find_libmpv, install_line
from jellytui.engine.player.sound import (
    STREAM_SCHEME,
    OpenStream,
    SoundDevice,
    SoundEnded,
    SoundEvent,
    SoundFacts,
    SoundListener,
    SoundStalled,
    SoundStarted,
)
from jellytui.engine.player.stream import Streams

log = logging.getLogger(__name__)

_REPLAYGAIN = {"album": "album", "track": "track", "off": "no"}
_BIT_DEPTHS = {"u8": 8, "u8p": 8, "s16": 16, "s16p": 16, "s32": 24, "s32p": 24}
"""By sample format; music of 24 bits is decoded to s32, lossy codecs to float."""
_DEVICE_BUFFER_MS = 1000
_READ_AHEAD = "demuxer-readahead-secs"
_WHOLE_SONG_S = "86400"
_SEEK_PATIENCE_S = 0.5
_OPENED_AHEAD_MS = 20_000
_NOTHING_PLAYED = "no audio or video data played"
"""mpv's word for a load of which not one sample came out."""
_MARK = "jellytui: a load has failed, mark"


class MpvSound:
    """One libmpv handle, owned by the loop that opened it."""

    def __init__(self, settings: PlayerSettings, server: ServerSettings) -> None:
        self._settings = settings
        self._server = server
        self._core = Core()
        self._mpv: Any = None
        self._streams: Streams | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: SoundListener | None = None
        self._is_closed = False
        self._stream_numbers = itertools.count(1)
        self._marks = itertools.count(1)
        self._failures: dict[str, tuple[SoundEnded, str]] = {}
        """Loads that failed, with mpv's word for it, by the mark in the log before which the cause stands."""
        self._uris: dict[int, str] = {}
        self._appended: int | None = None
        self._seeks = 0
        self._is_stuck = False
        """Whether it was told that a seek waits for bytes."""
        # Written on mpv's thread:
        self._playing = 0
        self._position_ms = 0
        self._is_moving = False
        self._is_ending = False
        self._duration_ms = 0
        self._codec = ""
        self._parameters: dict[str, Any] = {}
        self._last_error = ""
        self._file_error = ""
        self._ended: SoundEnded | None = None
        """The last load's end, told once the audio device has played all of it."""

    async def open(self, listener: SoundListener, open_stream: OpenStream) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._mpv, self._streams = await self._core.open(partial(self._make, open_stream, self._loop))

    @property
    def position_ms(self) -> int:
        return self._position_ms

    def load(self, uri: str, *, start_ms: int, gain_db: float | None) -> int:
        options = {"start": f"{start_ms / 1000:.3f}"} if start_ms else {}
        self._appended = None
        self._is_moving = False
        self._seeks += 1
        self._position_ms = start_ms
        self._uris.clear()
        return self._load(uri, "replace", options | _gain_option(gain_db))

    def append(self, uri: str, *, gain_db: float | None) -> int:
        self.drop_appended()
        self._remove_past()
        # Where the last track has just ended, of which nobody has heard yet, it plays at once.
        self._appended = self._load(uri, "append-play", _gain_option(gain_db))
        return self._appended

    def drop_appended(self) -> None:
        for index, entry in reversed(list(enumerate(self._playlist()))):
            if entry["id"] == self._appended and not entry.get("current"):
                self._handle().command("playlist-remove", index)
        self._appended = None

    def set_paused(self, is_paused: bool) -> None:
        self._handle().pause = is_paused

    def seek(self, position_ms: int) -> None:
        self._is_moving = False
        self._position_ms = position_ms
        try:
            # Behind a jump all that follows would be fetched beside the download, and then again in its turn.
            self._read_little_ahead()
            self._handle().command("seek", f"{position_ms / 1000:.3f}", "absolute+exact")
        except SystemError:
            log.info("there is nothing to seek in")
            return
        self._seeks += 1
        asyncio.get_running_loop().call_later(_SEEK_PATIENCE_S, self._tell_stuck, self._seeks)

    def set_volume(self, volume: int) -> None:
        self._handle().volume = volume

    def set_muted(self, is_muted: bool) -> None:
        self._handle().mute = is_muted

    def halt(self) -> None:
        self._appended = None
        self._is_moving = False
        self._handle().command("stop")
        if self._streams is not None:
            self._streams.close_all()

    def devices(self) -> list[str]:
        return [device["name"] for device in self._handle().audio_device_list]

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._mpv = None
        await self._core.close()

    # On the loop

    def _handle(self) -> Any:
        if self._mpv is None:
            raise SoundError(CLOSED)
        return self._mpv

    def _load(self, uri: str, mode: str, options: dict[str, str]) -> int:
        if uri.startswith(f"{STREAM_SCHEME}://"):
            uri = f"{uri}/{next(self._stream_numbers)}"
            if "start" not in options and not self._settings.stream_bitrate:
                # As mpv does with a URL: else it wakes up for each packet that was heard, to read one more.
                options = options | {_READ_AHEAD: _WHOLE_SONG_S}
        handle = self._handle()
        # From mpv 0.38 on, loadfile takes an index before the options.
        index = [-1] if handle.mpv_version_tuple >= (0, 38, 0) else []
        encoded = ",".join(f"{name}={value}" for name, value in options.items())
        load_id = int(handle.command("loadfile", uri, mode, *index, encoded)["playlist_entry_id"])
        self._uris[load_id] = uri
        return load_id

    def _read_little_ahead(self) -> None:
        self._handle().command("set", f"file-local-options/{_READ_AHEAD}", OPTIONS["demuxer_readahead_secs"])

    def _let_open_ahead(self, load_id: int, is_ending: bool) -> None:
        """Only the last seconds are for the next file: mpv never drops what it has opened, though the queue changes."""
        if self._is_closed or load_id != self._playing:
            return
        handle = self._handle()
        # Its length may be told only after its first position; a transcoded stream has none.
        is_ending = is_ending and (handle.duration or 0) * 1000 - self._position_ms <= _OPENED_AHEAD_MS
        with contextlib.suppress(SystemError):  # it has just ended
            if is_ending:
                self._read_little_ahead()  # the next one is read as far as this one
            handle["prefetch-playlist"] = "yes" if is_ending else "no"

    def _playlist(self) -> list[dict[str, Any]]:
        return self._handle().playlist or []

    def _remove_past(self) -> None:
        """What has been played leaves mpv's playlist, which else grows for days."""
        current = next((index for index, entry in enumerate(self._playlist()) if entry.get("current")), 0)
        for _ in range(current):
            self._handle().command("playlist-remove", 0)

    def _ahead_s(self, uri: str) -> float:
        """How many seconds of music are demuxed of that stream; 0 where it is not the one that is heard."""
        if self._mpv is None or not self._is_moving or self._uris.get(self._playing) != uri:
            return 0.0
        return float(self._mpv.demuxer_cache_duration or 0.0)

    def _deliver(self, event: SoundEvent) -> None:
        if not self._is_closed and self._listener is not None:
            self._listener(event)

    def _tell_stuck(self, seek: int) -> None:
        """A seek that waits for bytes is a stall, of which mpv says nothing."""
        if seek == self._seeks and not self._is_moving:
            self._is_stuck = True
            self._deliver(SoundStalled(is_stalled=True))

    def _ask_for_cause(self, ended: SoundEnded, file_error: str) -> None:
        """mpv hands out its log, where the cause stands, after its events: what was said before a mark is all of it."""
        if self._is_closed:
            return
        mark = f"{_MARK} {next(self._marks)}"
        self._failures[mark] = (ended, file_error)
        self._handle().command("print-text", mark)

    # In a thread

    def _make(self, open_stream: OpenStream, loop: asyncio.AbstractEventLoop) -> Made:
        library = find_libmpv()
        mpv = _import_mpv()
        locale.setlocale(locale.LC_NUMERIC, "C")  # somebody may have set it since mpv was imported
        handle = mpv.MPV(
            **OPTIONS,
            replaygain=_REPLAYGAIN[self._settings.replaygain],
            tls_verify="yes" if self._server.verify else "no",
            loglevel="info",  # what the marks are printed at
            log_handler=self._on_log,
        )
        try:
            apply_settings(handle, self._settings, self._server)
            streams = Streams(library, handle.handle, open_stream, loop, self._ahead_s)
            self._listen(handle, mpv.MpvEventID, mpv.strict_decoder)
        except BaseException:
            handle.terminate()
            raise
        return handle, streams

    # On mpv's thread

    def _listen(self, handle: Any, ids: Any, decoder: Any) -> None:
        def on_event(event: Any) -> None:
            kind = event.event_id.value
            if kind in (ids.START_FILE, ids.END_FILE):
                facts = event.as_dict(decoder)
                self._on_start(facts) if kind == ids.START_FILE else self._on_end(facts)
            elif kind == ids.PLAYBACK_RESTART:
                self._is_moving = True
                self._last_error = ""
                if self._is_stuck:
                    self._is_stuck = False
                    self._post(SoundStalled(is_stalled=False))
                self._post(SoundStarted(load_id=self._playing))

        handle.register_event_callback(on_event)
        handle.observe_property("time-pos", self._on_position)
        handle.observe_property("duration", self._on_duration)
        handle.observe_property("audio-params", self._on_parameters)
        handle.observe_property("audio-codec-name", self._on_codec)
        handle.observe_property("paused-for-cache", self._on_stall)
        handle.observe_property("current-ao", self._on_output)
        handle.observe_property("idle-active", self._on_idle)

    def _on_start(self, facts: dict[str, Any]) -> None:
        if self._ended is not None:
            self._position_ms = 0
        self._tell_end(is_drained=False)
        self._playing = int(facts["playlist_entry_id"])
        self._duration_ms = 0
        self._tell_ending(is_ending=False)

    def _on_end(self, facts: dict[str, Any]) -> None:
        reason = facts.get("reason")
        if reason not in ("eof", "error"):
            return
        load_id = int(facts["playlist_entry_id"])
        position_ms, duration_ms = self._position_ms, self._duration_ms
        self._is_moving = False
        failure = self._streams.failure(self._uris.get(load_id, "")) if self._streams else None
        self._file_error = str(facts.get("file_error", ""))
        # A load that was to begin behind its end: its file has become a shorter one.
        was_over = self._file_error == _NOTHING_PLAYED and position_ms > 0
        self._ended = SoundEnded(
            load_id=load_id,
            reason="error" if failure else "eof" if was_over else reason,
            position_ms=position_ms,
            duration_ms=duration_ms,
            error=failure,
        )

    def _on_idle(self, _name: str, is_idle: bool | None) -> None:
        if is_idle:
            self._tell_end(is_drained=True)

    def _tell_end(self, *, is_drained: bool) -> None:
        """Before the next load begins, or when mpv falls idle: by then the device has played the rest."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        if ended.reason == "error":
            self._call_on_loop(self._ask_for_cause, ended, self._file_error)
            return
        if is_drained and ended.reason == "eof" and ended.duration_ms - ended.position_ms < _DEVICE_BUFFER_MS:
            ended = replace(ended, position_ms=ended.duration_ms)
        self._post(ended)

    def _on_position(self, _name: str, seconds: float | None) -> None:
        if seconds is not None and self._is_moving:
            self._position_ms = max(0, round(seconds * 1000))
            is_ending = self._duration_ms - self._position_ms <= _OPENED_AHEAD_MS
            if is_ending != self._is_ending:
                self._tell_ending(is_ending=is_ending)

    def _tell_ending(self, *, is_ending: bool) -> None:
        self._is_ending = is_ending
        self._call_on_loop(self._let_open_ahead, self._playing, is_ending)

    def _on_duration(self, _name: str, seconds: float | None) -> None:
        if seconds:
            self._duration_ms = round(seconds * 1000)
            self._post_facts()

    def _on_parameters(self, _name: str, parameters: dict[str, Any] | None) -> None:
        if parameters:
            self._parameters = parameters
            self._post_facts()

    def _on_codec(self, _name: str, codec: str | None) -> None:
        if codec:
            self._codec = codec
            self._post_facts()

    def _post_facts(self) -> None:
        self._post(
            SoundFacts(
                load_id=self._playing,
                duration_ms=self._duration_ms,
                codec=self._codec,
                sample_rate_hz=int(self._parameters.get("samplerate", 0)),
                bit_depth=_BIT_DEPTHS.get(self._parameters.get("format", ""), 0),
            )
        )

    def _on_stall(self, _name: str, is_stalled: bool | None) -> None:
        self._post(SoundStalled(is_stalled=bool(is_stalled)))

    def _on_output(self, _name: str, output: str | None) -> None:
        if output:
            is_missing = output == "null" and self._settings.audio_output != "null"
            self._post(SoundDevice(problem=words_of_no_device(self._settings) if is_missing else ""))

    def _on_log(self, level: str, prefix: str, text: str) -> None:
        words = text.strip()
        if level == "info":
            if failure := self._failures.pop(words, None):
                self._tell_failure(*failure)
            return
        if level in ("error", "fatal") or prefix == "ffmpeg":
            self._last_error = self._last_error or words.rstrip(".")
        log.info("mpv %s: %s", prefix, words)

    def _tell_failure(self, ended: SoundEnded, file_error: str) -> None:
        cause, self._last_error = self._last_error, ""
        self._post(replace(ended, error=ended.error or failure_of(file_error, cause)))

    def _post(self, event: SoundEvent) -> None:
        self._call_on_loop(self._deliver, event)

    def _call_on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._is_closed or self._loop is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function, *arguments)


def _gain_option(gain_db: float | None) -> dict[str, str]:
    return {} if gain_db is None else {"replaygain-fallback": f"{gain_db:.2f}"}


def _import_mpv() -> Any:
    """python-mpv, which loads the library as it is imported. Raises SoundError."""
    try:
        import mpv
    except OSError as error:
        raise SoundError(f"No sound: libmpv cannot be loaded ({error}). Install it anew: {install_line()}") from error
    return mpv


def libmpv_version() -> str:
    """The name and version of the libmpv that is installed. Raises SoundError."""
    find_libmpv()
    handle = _import_mpv().MPV(config="no", ao="null", vid="no")
    try:
        return str(handle.mpv_version)
    finally:
        handle.terminate()
