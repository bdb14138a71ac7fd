"""Cover: an album's picture in half blocks, two pixels a cell; read in a thread, drawn from cached strips."""

from __future__ import annotations

import asyncio
from colorsys import rgb_to_hls
from dataclasses import dataclass

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import Worker

Pixel = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """A decoded cover: rows of pixels, twice as many as lines, and its most telling colour, if it has one."""

    pixels: tuple[tuple[Pixel, ...], ...]
    accent: Pixel | None


class Cover(Widget):
    """Shows the picture at a path; a note sign where there is none. Never drawn anew while the track stays."""

    class Decoded(Message):
        """A cover was read; `accent` is its colour as "#rrggbb", empty when it has none worth showing."""

        def __init__(self, accent: str) -> None:
            super().__init__()
            self.accent = accent

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._path: str | None = None
        self._strips: list[Strip] = []

    def show(self, path: str | None) -> None:
        """Takes another picture; None for no picture."""
        if path != self._path:
            self._path = path
            self._load()

    def on_resize(self) -> None:
        self._load()

    def _load(self) -> None:
        # The function, not its coroutine: one that is cancelled before it began would never be awaited.
        _: Worker[None] = self.run_worker(self._decode, group="cover", exclusive=True, exit_on_error=False)

    async def _decode(self) -> None:
        columns, lines = self.size
        picture = None
        if self._path is not None and columns and lines:
            picture = await asyncio.to_thread(decode, self._path, columns, lines)
        self._strips = [] if picture is None else half_blocks(picture)
        self.refresh()
        self.post_message(self.Decoded("" if picture is None or picture.accent is None else _hex(picture.accent)))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y < len(self._strips):
            return self._strips[y].adjust_cell_length(width, self.rich_style)
        if not self._strips and y == self.size.height // 2:
            return Strip([Segment("♪".center(width), self.rich_style)]).adjust_cell_length(width)
        return Strip.blank(width, self.rich_style)


def decode(path: str, columns: int, lines: int) -> Picture | None:
    """Reads a picture and fits it into so many cells; None when it is no picture. Blocks: call it in a thread."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            side = min(columns, lines * 2)
            fitted = image.convert("RGB").resize((side, side - side % 2), Image.Resampling.LANCZOS)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    width, height = fitted.size
    raw = fitted.tobytes()
    flat: list[Pixel] = [(raw[at], raw[at + 1], raw[at + 2]) for at in range(0, len(raw), 3)]
    rows = tuple(tuple(flat[row * width : (row + 1) * width]) for row in range(height))
    few = fitted.quantize(8).convert("RGB").getcolors(256) or []
    return Picture(rows, accent_of([(int(count), pixel) for count, pixel in few if isinstance(pixel, tuple)]))


def accent_of(colors: list[tuple[int, tuple[int, ...]]]) -> Pixel | None:
    """The colour that stands for a picture: vivid, and light enough to be read on a dark ground; None in a grey one."""
    best: tuple[float, Pixel] | None = None
    for count, (red, green, blue, *_) in colors:
        _hue, light, saturation = rgb_to_hls(red / 255, green / 255, blue / 255)
        if saturation < 0.25 or not 0.45 <= light <= 0.85:
            continue
        score = saturation * count**0.5
        if best is None or score > best[0]:
            best = (score, (red, green, blue))
    return best[1] if best else None


def half_blocks(picture: Picture) -> list[Strip]:
    """Two rows of pixels a line: the upper one as foreground of ▀, the lower one as background."""
    strips = []
    for top, bottom in zip(picture.pixels[::2], picture.pixels[1::2], strict=False):
        segments = [
            Segment("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
            for upper, lower in zip(top, bottom, strict=True)
        ]
        strips.append(Strip(segments, len(segments)).simplify())
    return strips


def _hex(pixel: Pixel) -> str:
    return "#{:02x}{:02x}{:02x}".format(*pixel)
