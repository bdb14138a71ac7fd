"""Finds the pictures of albums and tracks: files in the folder, or embedded in the music (jellyfin-api.md 9)."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from jellytui.demo.library import DemoImage, tag_of
from jellytui.demo.sources.tags import UnreadableFileError, read_picture

PICTURE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_FOLDER_NAMES = ("folder", "poster", "cover", "default", "front", "album")
_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def folder_picture(files: Iterable[Path]) -> Path | None:
    """The cover among a folder's files, by the names that the server knows."""
    pictures = {file.stem.lower(): file for file in files if file.suffix.lower() in PICTURE_EXTENSIONS}
    return next((pictures[name] for name in _FOLDER_NAMES if name in pictures), None)


def describe(file: Path, *, embedded: bool) -> DemoImage | None:
    """The picture of a file with its tag, shape and blur hash; None when it cannot be read."""
    try:
        data = read_picture(file) if embedded else file.read_bytes()
        stat = file.stat()
    except (OSError, UnreadableFileError):
        return None
    if data is None:
        return None
    try:
        with Image.open(io.BytesIO(data)) as picture:
            ratio = picture.width / picture.height
            colour = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    assert isinstance(colour, tuple)
    return DemoImage(
        file=file,
        embedded=embedded,
        tag=tag_of(file, stat.st_mtime_ns, embedded),
        blur_hash=_blur_hash(int(colour[0]), int(colour[1]), int(colour[2])),
        modified=datetime.fromtimestamp(int(stat.st_mtime), UTC),
        aspect_ratio=ratio,
    )


def picture_bytes(image: DemoImage) -> bytes | None:
    """The bytes of a picture as they are stored; None when the file has gone."""
    if image.colour is not None:
        out = io.BytesIO()
        Image.new("RGB", (600, 600), f"#{image.colour:06x}").save(out, "JPEG")
        return out.getvalue()
    try:
        return read_picture(image.file) if image.embedded else image.file.read_bytes()
    except (OSError, UnreadableFileError):
        return None


def _blur_hash(red: int, green: int, blue: int) -> str:
    """A valid blur hash of one component: the average colour."""
    value, digits = (red << 16) + (green << 8) + blue, ""
    for _ in range(4):
        value, digit = divmod(value, 83)
        digits = _BASE83[digit] + digits
    return "00" + digits
