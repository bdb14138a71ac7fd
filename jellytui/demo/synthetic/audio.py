"""The sound of a synthetic track: a WAV file whose every byte follows from its place, so that nothing is kept."""

import struct

RATE = 8000
"""Samples a second: a track of three minutes has 3 MB, as an MP3 would."""

HEADER_BYTES = 44
_BYTES_PER_SAMPLE = 2


def size_of(seconds: int) -> int:
    """The size of the file in bytes."""
    return HEADER_BYTES + seconds * RATE * _BYTES_PER_SAMPLE


def read(frequency_hz: int, seconds: int, start: int, count: int) -> bytes:
    """So many bytes of the file from a place in it; fewer at its end."""
    end = min(start + count, size_of(seconds))
    head = _header(seconds)[start:end] if start < HEADER_BYTES else b""
    first, last = max(0, start - HEADER_BYTES), max(0, end - HEADER_BYTES)
    if last <= first:
        return head
    samples = _samples(frequency_hz, first // _BYTES_PER_SAMPLE, -(-last // _BYTES_PER_SAMPLE))
    skipped = first % _BYTES_PER_SAMPLE
    return head + samples[skipped : skipped + last - first]


def _header(seconds: int) -> bytes:
    data = seconds * RATE * _BYTES_PER_SAMPLE
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * _BYTES_PER_SAMPLE, _BYTES_PER_SAMPLE, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + data, b"WAVE") + form + struct.pack("<4sI", b"data", data)


def _samples(frequency_hz: int, first: int, last: int) -> bytes:
    import numpy as np

    turns = (np.arange(first, last, dtype=np.int64) * frequency_hz % RATE) / RATE
    tone: bytes = (np.sin(turns * (2 * np.pi)) * 9000).astype("<i2").tobytes()
    return tone
