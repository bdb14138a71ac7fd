"""Follows a music file's container from its beginning to its end, without decoding: is it cut short, holed, no music?

Lenient where players are: only what no whole file shows is called broken. The functions block and raise OSError.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO

HOLE_BYTES = 64 * 1024
"""Compressed music never has so many zeros in a row; what a power cut leaves behind does."""

CUT = "It ends before its music does."
NO_MUSIC = "It does not begin as music does."
_TAIL_BYTES = 1024 * 1024

_MP3_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by (MPEG version, layer); 2 stands for 2 and 2.5."""
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def problem_of(file: BinaryIO, size: int) -> str:
    """What is broken about a file of that many bytes, in words; empty when nothing is, or nothing can be said."""
    start = _after_id3(file)
    head = _at(file, start, 64)
    if not head.strip(b"\0"):
        return "It holds zeros where its music should begin."
    if head.lstrip()[:1] in (b"<", b"{") or head.startswith((b"%PDF", b"PK\x03\x04")):
        return NO_MUSIC
    for magic, offset, check, is_dense in _CHECKS:
        if head[offset : offset + len(magic)] == magic:
            return check(file, start, size) or (_holed(file, start, size) if is_dense else "")
    if _mp3_frame_bytes(head):
        return _check_mp3(file, start, size) or _holed(file, start, size)
    return ""


def _check_flac(file: BinaryIO, start: int, size: int) -> str:
    """The chain of metadata, and whether the last frame is whole and the one with the last sample."""
    position, is_last = start + 4, False
    info = _at(file, position + 4, 34)
    while not is_last:
        header = _at(file, position, 4)
        if len(header) < 4:
            return CUT
        is_last = bool(header[0] & 0x80)
        position += 4 + int.from_bytes(header[1:], "big")
    if position >= size:
        return CUT
    samples = int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF
    tail_start = max(position, size - _TAIL_BYTES)
    tail = _at(file, tail_start, size - tail_start)
    if tail[-128:-125] == b"TAG":
        tail = tail[:-128]
    ends = _flac_frame_ends(tail, int.from_bytes(info[:2], "big"))
    if not samples:
        return ""  # written without knowing how long it would be
    return "" if samples in ends and _crc16(tail[ends[samples] :]) == 0 else CUT


def _flac_frame_ends(data: bytes, block_size: int) -> dict[int, int]:
    """After which sample the frames end that begin in `data`, and where; a header proves itself by its checksum."""
    ends = {}
    at = data.find(b"\xff")
    while at >= 0:
        if data[at + 1 : at + 2] in (b"\xf8", b"\xf9") and (end := _flac_frame_end(data, at, block_size)):
            ends[end] = at
        at = data.find(b"\xff", at + 1)
    return ends


def _flac_frame_end(data: bytes, at: int, block_size: int) -> int:
    """The sample after a frame; 0 where no frame begins."""
    header = data[at : at + 16]
    if len(header) < 6:
        return 0
    kind, rate = header[2] >> 4, header[2] & 0x0F
    first = header[4]
    more = 0 if first < 0x80 else next((n for n in range(1, 7) if not first << (n + 1) & 0x80), 0)
    number = first if not more else first & (0x3F >> more)
    for byte in header[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    position = 5 + more
    if kind == 6:
        length, position = header[position] + 1 if position < len(header) else 0, position + 1
    elif kind == 7:
        length, position = int.from_bytes(header[position : position + 2], "big") + 1, position + 2
    elif kind == 1:
        length = 192
    elif 2 <= kind <= 5:
        length = 576 << (kind - 2)
    else:
        length = 256 << (kind - 8) if kind >= 8 else 0
    position += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if not length or position >= len(header) or _crc8(header[:position]) != header[position]:
        return 0
    return (number if header[1] & 1 else number * block_size) + length


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


def _crc16(data: bytes) -> int:
    """Of a whole frame with its own checksum at the end: 0."""
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x8005) & 0xFFFF if value & 0x8000 else value << 1
    return value


def _check_ogg(file: BinaryIO, start: int, size: int) -> str:
    """Page after page, to the very end."""
    position = start
    while position < size:
        header = _at(file, position, 27 + 255)
        if header[:4] != b"OggS":
            # A tag behind the music is none of ours.
            return "" if header[:3] == b"TAG" else "One of its pages is missing or broken."
        if len(header) < 27 or len(header) < 27 + header[26]:
            return CUT
        position += 27 + header[26] + sum(header[27 : 27 + header[26]])
    return CUT if position > size else ""


def _check_mp3(file: BinaryIO, start: int, size: int) -> str:
    """Frame after frame; players skip some rubbish, so that half of it may be none."""
    position, music = start, 0
    while position + 4 <= size:
        length = _mp3_frame_bytes(_at(file, position, 4))
        if length:
            position += length
            music += length
            continue
        block = _at(file, position, 4096)
        if block.startswith((b"TAG", b"APETAGEX")):
            break
        at = block.find(b"\xff", 1)
        position += at if at > 0 else len(block)
    return "" if music * 2 >= size - start else "Less than half of it is music."


def _mp3_frame_bytes(header: bytes) -> int:
    """How long the frame with this header is; 0 where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate_index, bitrate_index, padding = header[2] >> 2 & 3, header[2] >> 4, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    bitrate = _MP3_BITRATES[1 if version == 3 else 2, layer][bitrate_index - 1] * 1000
    rate = _MP3_RATES[version][rate_index]
    if layer == 1:
        return (12 * bitrate // rate + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bitrate // rate + padding


def _check_mp4(file: BinaryIO, start: int, size: int) -> str:
    """Box after box; the music and its index must be among them."""
    position, found = start, set()
    while position + 8 <= size:
        header = _at(file, position, 16)
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:])
        found.add(name)
        if length == 0:
            break
        if length < 8:
            return "One of its boxes is broken."
        position += length
    if position > size or not {b"moov", b"mdat"} <= found:
        return CUT
    return ""


def _check_riff(file: BinaryIO, start: int, size: int) -> str:
    """WAV and AIFF: chunk after chunk; a length of a writer that did not know it is not believed."""
    order = ">" if _at(file, start, 4) == b"FORM" else "<"
    (whole,) = struct.unpack(f"{order}I", _at(file, start + 4, 4).ljust(4, b"\0"))
    if whole < 0x7FFFFFFF and start + 8 + whole > size + 1:
        return CUT
    position = start + 12
    while position + 8 <= size:
        name, length = struct.unpack(f"{order}4sI", _at(file, position, 8))
        if name in (b"data", b"SSND"):
            return CUT if length not in (0, 0xFFFFFFFF, 0x7FFFFFFF) and position + 8 + length > size else ""
        position += 8 + length + length % 2
    return CUT


def _check_wavpack(file: BinaryIO, start: int, size: int) -> str:
    position = start
    while position + 32 <= size:
        header = _at(file, position, 8)
        if header[:4] != b"wvpk":
            return "" if header[:3] in (b"APE", b"TAG", b"ID3") else "One of its blocks is missing or broken."
        position += 8 + int.from_bytes(header[4:], "little")
    return CUT if position > size else ""


def _check_matroska(file: BinaryIO, start: int, size: int) -> str:
    """The two outermost elements: the header, and the segment with all the rest."""
    position = start + 4
    length, width = _ebml_length(_at(file, position, 8))
    position += width + length
    if _at(file, position, 4) != b"\x18\x53\x80\x67":
        return CUT
    length, width = _ebml_length(_at(file, position + 4, 8))
    is_known = length != (1 << 7 * width) - 1
    return CUT if is_known and position + 4 + width + length > size else ""


def _ebml_length(data: bytes) -> tuple[int, int]:
    """(value, its bytes)."""
    if not data or not data[0]:
        return 0, 1
    width = 9 - data[0].bit_length()
    return int.from_bytes(data[:width], "big") & ((1 << 7 * width) - 1), width


def _holed(file: BinaryIO, start: int, size: int) -> str:
    """Whether zeros stand where music should."""
    hole, position = bytes(HOLE_BYTES), _music_start(file, start)
    while position < size:
        block = _at(file, position, 1024 * 1024)
        if hole in block:
            return "A part of it holds only zeros, as after a power cut."
        # Overlapping, so that a hole across two blocks is seen.
        position += max(len(block) - HOLE_BYTES, 0) if len(block) == 1024 * 1024 else len(block)
        if not block:
            break
    return ""


def _music_start(file: BinaryIO, start: int) -> int:
    """Behind FLAC's metadata, which may hold much padding."""
    if _at(file, start, 4) != b"fLaC":
        return start
    position, is_last = start + 4, False
    while not is_last:
        header = _at(file, position, 4)
        if len(header) < 4:
            break
        is_last = bool(header[0] & 0x80)
        position += 4 + int.from_bytes(header[1:], "big")
    return position


def _after_id3(file: BinaryIO) -> int:
    """Where the file begins behind its ID3v2 tags."""
    position = 0
    while (header := _at(file, position, 10))[:3] == b"ID3" and len(header) == 10:
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        position += 10 + size
    return position


def _at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


_CHECKS: tuple[tuple[bytes, int, Callable[[BinaryIO, int, int], str], bool], ...] = (
    (b"fLaC", 0, _check_flac, True),
    (b"OggS", 0, _check_ogg, True),
    (b"ftyp", 4, _check_mp4, False),
    (b"RIFF", 0, _check_riff, False),
    (b"FORM", 0, _check_riff, False),
    (b"wvpk", 0, _check_wavpack, True),
    (b"\x1a\x45\xdf\xa3", 0, _check_matroska, False),
)
"""(magic, where, check, whether zeros in a row prove damage)."""
