"""Progressive transcodes by ffmpeg, streamed while they are made (jellyfin-api.md 8.3, 8.6)."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from jellytui.demo.wire.replies import TranscodeError

_CHUNK_BYTES = 64 * 1024
_MUXERS = {"mp3": "mp3", "aac": "adts", "m4a": "ipod", "mp4": "mp4", "ts": "mpegts", "ogg": "ogg", "oga": "ogg",
           "opus": "ogg", "webm": "webm", "flac": "flac", "wav": "wav"}  # fmt: skip
_CODECS = {
    "mp3": "libmp3lame",
    "aac": "aac",
    "opus": "libopus",
    "vorbis": "libvorbis",
    "flac": "flac",
    "wav": "pcm_s16le",
}
_DEFAULT_CODEC = {"mp3": "mp3", "aac": "aac", "m4a": "aac", "mp4": "aac", "ts": "aac", "ogg": "vorbis", "oga": "vorbis",
                  "opus": "opus", "webm": "opus", "flac": "flac", "wav": "wav"}  # fmt: skip
CONTENT_TYPES = {"mp3": "audio/mpeg", "aac": "audio/aac", "m4a": "audio/mp4", "mp4": "audio/mp4", "ts": "video/mp2t",
                 "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg", "webm": "audio/webm",
                 "flac": "audio/flac", "wav": "audio/wav"}  # fmt: skip
_MISSING = b"The demo server cannot transcode: ffmpeg is not installed.\n"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make of a file."""

    container: str
    codec: str | None = None
    bit_rate: int | None = None
    channels: int | None = None
    sample_rate: int | None = None
    start_ticks: int = 0


def has_ffmpeg() -> bool:
    """Whether transcodes are possible here."""
    return shutil.which("ffmpeg") is not None


def arguments(file: Path, recipe: Recipe) -> list[str]:
    """ffmpeg's command line. Raises TranscodeError for a container that it cannot write."""
    if recipe.container not in _MUXERS:
        raise TranscodeError
    wanted = recipe.codec if recipe.codec in _CODECS else _DEFAULT_CODEC[recipe.container]
    line = ["ffmpeg", "-nostdin", "-v", "error"]
    if recipe.start_ticks:
        line += ["-ss", f"{recipe.start_ticks / 10_000_000:.3f}"]
    line += ["-i", str(file), "-map", "0:a:0", "-map_metadata", "-1", "-c:a", _CODECS[wanted]]
    for option, value in (("-b:a", recipe.bit_rate), ("-ac", recipe.channels), ("-ar", recipe.sample_rate)):
        line += [option, str(value)] if value else []
    if recipe.container in {"m4a", "mp4"}:
        line += ["-movflags", "frag_keyframe+empty_moov"]
    return [*line, "-f", _MUXERS[recipe.container], "pipe:1"]


async def transcode(file: Path, recipe: Recipe) -> AsyncGenerator[bytes, None]:
    """The bytes as ffmpeg makes them. When it dies half-way they end as if they were complete, as on the server."""
    process = await asyncio.create_subprocess_exec(
        *arguments(file, recipe), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    at_end = False
    try:
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            yield chunk
        at_end = True
    finally:
        if not at_end:
            process.kill()
        await process.communicate()  # also reads what is left: with a full pipe it would never be over


def missing_ffmpeg() -> bytes:
    """The words for a person where ffmpeg is not installed."""
    return _MISSING
