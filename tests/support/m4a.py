"""Writes an M4A file without an encoder: an MP4 around AAC frames of silence, which are always the same bytes."""

import struct
from pathlib import Path

RATE = 44_100
_FRAME_SAMPLES = 1024
_SILENT_FRAME = bytes([0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80])  # AAC-LC, two channels
_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def write_m4a(file: Path, seconds: float) -> None:
    """Writes silence of about that length."""
    frames = max(1, round(seconds * RATE / _FRAME_SAMPLES))
    start = _box(b"ftyp", b"M4A \0\0\0\0M4A mp42isom")
    # The sample table holds the place of the data, which follows it: its size does not depend on the number.
    size = len(start) + len(_movie(frames, 0))
    file.write_bytes(start + _movie(frames, size + 8) + _box(b"mdat", _SILENT_FRAME * frames))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _movie(frames: int, data_at: int) -> bytes:
    length = frames * _FRAME_SAMPLES
    header = struct.pack(">4I", 0, 0, RATE, length) + struct.pack(">IHH8x", 0x10000, 0x100, 0)
    movie_header = _full(b"mvhd", header, _UNITY, bytes(24), struct.pack(">I", 2))
    track_header = _full(
        b"tkhd",
        struct.pack(">5I8x", 0, 0, 1, 0, length),
        struct.pack(">4H", 0, 0, 0x100, 0),
        _UNITY,
        bytes(8),
        flags=7,
    )
    media_header = _full(b"mdhd", struct.pack(">4IHH", 0, 0, RATE, length, 0x55C4, 0))
    handler = _full(b"hdlr", bytes(4), b"soun", bytes(12), b"sound\0")
    data = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
    information = _box(b"minf", _full(b"smhd", bytes(4)), data, _sample_table(frames, data_at))
    track = _box(b"trak", track_header, _box(b"mdia", media_header, handler, information))
    return _box(b"moov", movie_header, track)


def _sample_table(frames: int, data_at: int) -> bytes:
    configuration = _descriptor(5, bytes([0x12, 0x10]))  # AAC-LC, 44.1 kHz, two channels
    decoder = _descriptor(4, bytes([0x40, 0x15, 0, 0, 0]), struct.pack(">II", 160_000, 160_000), configuration)
    stream = _full(b"esds", _descriptor(3, bytes(3), decoder, _descriptor(6, b"\x02")))
    entry = _box(b"mp4a", bytes(6), struct.pack(">H8xHHHHI", 1, 2, 16, 0, 0, RATE << 16), stream)
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">3I", 1, frames, _FRAME_SAMPLES)),
        _full(b"stsc", struct.pack(">4I", 1, 1, frames, 1)),
        _full(b"stsz", struct.pack(">2I", len(_SILENT_FRAME), frames)),
        _full(b"stco", struct.pack(">2I", 1, data_at)),
    )


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body
