"""Draws what a terminal shows as a picture: one glyph a cell on a fixed grid; lines and blocks as exact rectangles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

CELL = (10, 21)
"""Pixels of a cell at scale 1."""

FOREGROUND, BACKGROUND = "d5d3cd", "14161a"
_PLAIN = {
    "black": "1a1d22",
    "red": "e07a6b",
    "green": "8db580",
    "brown": "d9c077",
    "blue": "7aa2c8",
    "magenta": "b48ead",
    "cyan": "88c0c0",
    "white": "d5d3cd",
    "brightblack": "848994",
}
FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
)
BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf"
INSTALL = "apt-get install fonts-dejavu-core fonts-droid-fallback fonts-nanum"
MISSING = f"There is no font to draw with. Install one, then try again: {INSTALL}"


class NoFontError(Exception):
    """None of the fonts is installed; the text says which to install."""


class Painter:
    """Draws screens at one scale."""

    def __init__(self, scale: int = 2) -> None:
        """Raises NoFontError."""
        self._width, self._height = CELL[0] * scale, CELL[1] * scale
        size = round(16.5 * scale)
        self._fonts = [ImageFont.truetype(path, size) for path in FONTS if Path(path).is_file()]
        if not self._fonts:
            raise NoFontError(MISSING)
        self._bold = ImageFont.truetype(BOLD, size) if Path(BOLD).is_file() else self._fonts[0]
        self.missing: set[str] = set()
        """Characters that no font had."""
        self._line = max(1, scale)
        self._baseline = round(16 * scale)

    def draw(self, screen: pyte.Screen) -> Image.Image:
        """The picture of a screen, with a margin of half a line around it."""
        margin = self._height // 2
        size = (screen.columns * self._width + 2 * margin, screen.lines * self._height + 2 * margin)
        image = Image.new("RGB", size, _rgb(_common_background(screen), BACKGROUND))
        pen = ImageDraw.Draw(image)
        for y in range(screen.lines):
            row = screen.buffer[y]
            for x in range(screen.columns):
                char = row[x]
                left, top = margin + x * self._width, margin + y * self._height
                ink, paper = _rgb(char.fg, FOREGROUND), _rgb(char.bg, BACKGROUND)
                if char.reverse:
                    ink, paper = paper, ink
                pen.rectangle((left, top, left + self._width - 1, top + self._height - 1), fill=paper)
        for y in range(screen.lines):
            row = screen.buffer[y]
            for x in range(screen.columns):
                char = row[x]
                if not char.data.strip():
                    continue
                left, top = margin + x * self._width, margin + y * self._height
                ink, paper = _rgb(char.fg, FOREGROUND), _rgb(char.bg, BACKGROUND)
                if char.reverse:
                    ink, paper = paper, ink
                cells = 2 if x + 1 < screen.columns and row[x + 1].data == "" else 1
                self._glyph(pen, char.data, (left, top), ink, is_bold=char.bold, cells=cells)
        return image

    def _glyph(
        self,
        pen: ImageDraw.ImageDraw,
        text: str,
        at: tuple[int, int],
        ink: tuple[int, ...],
        *,
        is_bold: bool,
        cells: int,
    ) -> None:
        boxes = list(self._boxes(text))
        if boxes:
            for left, top, right, bottom in boxes:
                pen.rectangle((at[0] + left, at[1] + top, at[0] + right - 1, at[1] + bottom - 1), fill=ink)
            return
        font = self._font_for(text, is_bold)
        width = self._width * cells
        drawn = font.getlength(text)
        # A glyph of a proportional font is centred in its cell, and made smaller where it is too wide.
        if drawn > width * 1.05:
            font = font.font_variant(size=font.size * width / drawn)
            drawn = font.getlength(text)
        pen.text((at[0] + (width - drawn) / 2, at[1] + self._baseline), text, fill=ink, font=font, anchor="ls")

    def _font_for(self, text: str, is_bold: bool) -> ImageFont.FreeTypeFont:
        if is_bold and _has(self._bold, text[0]):
            return self._bold
        for font in self._fonts:
            if _has(font, text[0]):
                return font
        self.missing.add(text[0])
        return self._fonts[0]

    def _boxes(self, text: str) -> Iterable[tuple[int, int, int, int]]:
        """Lines and blocks as rectangles that meet those of the next cells."""
        width, height = self._width, self._height
        thin, thick = self._line, self._line * 2
        middle, centre = height // 2, width // 2
        match text:
            case "─":
                yield (0, middle - thin // 2, width, middle - thin // 2 + thin)
            case "━":
                yield (0, middle - thick // 2, width, middle - thick // 2 + thick)
            case "╸":
                yield (0, middle - thick // 2, centre, middle - thick // 2 + thick)
            case "│" | "┬" | "├" | "┤" | "┴" | "┼" | "╷" | "╵":
                top = middle if text in "┬╷" else 0
                bottom = middle if text in "┴╵" else height
                yield (centre - thin // 2, top, centre - thin // 2 + thin, bottom)
                left = centre if text == "├" else 0
                right = centre if text == "┤" else width
                if text not in "│╷╵":
                    yield (left, middle - thin // 2, right, middle - thin // 2 + thin)
            case "▀":
                yield (0, 0, width, middle)
            case "▄":
                yield (0, middle, width, height)
            case "█":
                yield (0, 0, width, height)
            case "▌":
                yield (0, 0, centre, height)
            case "▐":
                yield (centre, 0, width, height)
            case "⏸":  # in few fonts
                top, bottom = height // 3, height * 3 // 4
                yield (width // 5, top, width * 2 // 5, bottom)
                yield (width * 3 // 5, top, width * 4 // 5, bottom)
            case _:
                return


@lru_cache(maxsize=4096)
def _has(font: ImageFont.FreeTypeFont, char: str) -> bool:
    """Whether a font has a glyph of its own for a character."""
    return bytes(font.getmask(char)) != bytes(font.getmask("\U0010fffe")) or font.getlength(char) == 0


def _rgb(color: str, default: str) -> tuple[int, ...]:
    text = default if color == "default" else _PLAIN.get(color, color)
    if len(text) != 6:
        text = default
    return tuple(int(text[at : at + 2], 16) for at in (0, 2, 4))


def _common_background(screen: pyte.Screen) -> str:
    """The background of most cells, for the margin."""
    found: Sequence[str] = [screen.buffer[y][x].bg for y in range(screen.lines) for x in range(0, screen.columns, 4)]
    return max(set(found), key=found.count)
