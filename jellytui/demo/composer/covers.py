"""Draws the demo's album covers: one design and one palette each, of shapes large enough to be read in a terminal."""

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = 600
_SCALE = 2  # drawn larger, then reduced: smooth edges
_S = SIZE * _SCALE

Colour = tuple[int, int, int]
Point = tuple[float, float]


def draw_cover(name: str) -> bytes:
    """The picture of a design as JPEG, 600 by 600. Raises KeyError for a name that is none."""
    picture = _DESIGNS[name]().resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def _hex(code: str) -> Colour:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def _gradient(*stops: tuple[float, str]) -> Image.Image:
    """A picture that goes from colour to colour, top (0) to bottom (1)."""
    column = Image.new("RGB", (1, _S))
    for y in range(_S):
        at = y / (_S - 1)
        above = max((stop for stop in stops if stop[0] <= at), key=lambda stop: stop[0])
        below = min((stop for stop in stops if stop[0] >= at), key=lambda stop: stop[0])
        share = 0.0 if above[0] == below[0] else (at - above[0]) / (below[0] - above[0])
        first, second = _hex(above[1]), _hex(below[1])
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
        column.putpixel((0, y), (red, green, blue))
    return column.resize((_S, _S))


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    """A filled circle; places and radius are shares of the picture's width, as everywhere below."""
    box = ((x - radius) * _S, (y - radius) * _S, (x + radius) * _S, (y + radius) * _S)
    draw.ellipse(box, fill=_hex(colour))


def _shape(draw: ImageDraw.ImageDraw, points: list[Point], colour: str) -> None:
    draw.polygon([(x * _S, y * _S) for x, y in points], fill=_hex(colour))


def _stroke(draw: ImageDraw.ImageDraw, points: list[Point], width: float, colour: str) -> None:
    """A line with round ends and joints."""
    draw.line([(x * _S, y * _S) for x, y in points], fill=_hex(colour), width=round(width * _S), joint="curve")
    for x, y in (points[0], points[-1]):
        _disc(draw, x, y, width / 2, colour)


def _roots() -> Image.Image:
    picture = _gradient((0.0, "e8a23d"), (0.56, "f2c879"), (0.5601, "5b2a1b"), (1.0, "33140f"))
    draw = ImageDraw.Draw(picture)
    draw.pieslice((0.2 * _S, 0.26 * _S, 0.8 * _S, 0.86 * _S), 180, 360, fill=_hex("c8452e"))
    for turn in (-1, 1):
        for reach, rise, colour in ((0.30, 0.30, "2f6b4f"), (0.21, 0.40, "3f8a5f"), (0.10, 0.46, "2f6b4f")):
            _leaf(draw, (0.5, 0.56), (0.5 + turn * reach, 0.56 - rise), 0.07, colour)
    _stroke(draw, [(0.5, 0.2), (0.5, 0.62)], 0.03, "1f4a38")
    _branch(draw, (0.5, 0.56), 90, 0.20, 0.044, 5)
    return picture


def _leaf(draw: ImageDraw.ImageDraw, foot: Point, tip: Point, width: float, colour: str) -> None:
    """A leaf from its foot to its tip."""
    across = math.atan2(tip[1] - foot[1], tip[0] - foot[0]) + math.pi / 2
    sides: list[list[Point]] = []
    for side in (1, -1):
        edge: list[Point] = []
        for step in range(33):
            along = step / 32
            bulge = side * width * math.sin(math.pi * along) * (1.25 - 0.5 * along)
            x = foot[0] + (tip[0] - foot[0]) * along + bulge * math.cos(across)
            y = foot[1] + (tip[1] - foot[1]) * along + bulge * math.sin(across)
            edge.append((x, y))
        sides.append(edge)
    _shape(draw, sides[0] + sides[1][::-1], colour)


def _branch(draw: ImageDraw.ImageDraw, start: Point, angle: float, length: float, width: float, depth: int) -> None:
    """A root that divides in two, or in three at first, until it is thin."""
    if depth == 0:
        return
    turn = math.radians(angle)
    end = (start[0] + length * math.cos(turn), start[1] + length * 0.72 * math.sin(turn))
    _stroke(draw, [start, end], width, "f3dcae")
    for spread in (-52, 0, 52) if depth == 5 else (-30, 26):
        _branch(draw, end, angle + spread, length * 0.76, width * 0.72, depth - 1)


def _arches() -> Image.Image:
    picture = _gradient((0.0, "7a0f1f"), (1.0, "b3202c"))
    draw = ImageDraw.Draw(picture)
    for ring, colour in enumerate(("f4e3c1", "d9482b", "f4e3c1", "d9482b", "f2b134", "180a12")):
        half = 0.44 - ring * 0.06
        box = ((0.5 - half) * _S, (0.46 - half) * _S, (0.5 + half) * _S, (0.46 + half) * _S)
        draw.pieslice(box, 150, 390, fill=_hex(colour))
        foot = half * math.cos(math.radians(30))
        draw.rectangle(((0.5 - foot) * _S, 0.46 * _S, (0.5 + foot) * _S, _S), fill=_hex(colour))
    _disc(draw, 0.5, 0.43, 0.085, "f7e7b5")
    _disc(draw, 0.527, 0.418, 0.070, "180a12")
    _shape(draw, [(0.385, 1.0), (0.5, 0.62), (0.615, 1.0)], "d9482b")
    _shape(draw, [(0.44, 1.0), (0.5, 0.74), (0.56, 1.0)], "f2b134")
    return picture


_INVADER = (
    "..x.....x..",
    "...x...x...",
    "..xxxxxxx..",
    ".xx.xxx.xx.",
    "xxxxxxxxxxx",
    "x.xxxxxxx.x",
    "x.x.....x.x",
    "...xx.xx...",
)


def _invader() -> Image.Image:
    picture = _gradient((0.0, "12103a"), (1.0, "2b1463"))
    draw = ImageDraw.Draw(picture)
    pixel = 0.066
    rows = ("7df9ff", "7df9ff", "5ce1ff", "5ce1ff", "ffe45c", "ffe45c", "ffb84d", "ffb84d")
    for shift, colours in ((0.022, ("ff2e88",) * len(rows)), (0.0, rows)):
        for row, line in enumerate(_INVADER):
            for column, sign in enumerate(line):
                if sign == "x":
                    x, y = 0.5 + (column - 5.5) * pixel + shift, 0.20 + row * pixel + shift
                    box = (x * _S, y * _S, (x + pixel) * _S, (y + pixel) * _S)
                    draw.rectangle(box, fill=_hex(colours[row]))
    for column in range(10):
        if column not in {3, 7}:
            x = 0.07 + column * 0.088
            draw.rectangle((x * _S, 0.84 * _S, (x + 0.066) * _S, 0.906 * _S), fill=_hex("ff2e88"))
    return picture


def _sunset() -> Image.Image:
    picture = _gradient((0.0, "1a0b3b"), (0.35, "5b1a78"), (0.62, "ff5f6d"), (0.6201, "12062b"), (1.0, "2a0f54"))
    sun = _gradient((0.0, "fff07a"), (0.16, "fff07a"), (0.64, "ff3f8e"), (1.0, "ff3f8e"))
    mask = Image.new("L", (_S, _S), 0)
    stencil = ImageDraw.Draw(mask)
    stencil.ellipse((0.22 * _S, 0.12 * _S, 0.78 * _S, 0.68 * _S), fill=255)
    stencil.rectangle((0, 0.62 * _S, _S, _S), fill=0)
    for number, y in enumerate((0.38, 0.445, 0.505, 0.56)):
        stencil.rectangle((0, y * _S, _S, (y + 0.014 + 0.006 * number) * _S), fill=0)
    picture.paste(sun, (0, 0), mask)
    draw = ImageDraw.Draw(picture)
    for number in range(-9, 10):
        _stroke(draw, [(0.5 + number * 0.055, 0.62), (0.5 + number * 0.26, 1.02)], 0.007, "3fe0ff")
    for number in range(8):
        y = 0.62 + 0.38 * (number / 7.5) ** 1.8
        _stroke(draw, [(-0.1, y), (1.1, y)], 0.004 + 0.0008 * number, "3fe0ff")
    return picture


def _aurora() -> Image.Image:
    picture = _gradient((0.0, "071330"), (0.55, "0d2f4f"), (1.0, "15506a"))
    light = Image.new("RGB", (_S, _S))
    veils = ((0.22, "1fd18a", 0.9), (0.48, "4bf0a8", 2.1), (0.76, "2bb7c9", 3.6), (0.9, "8a5cf0", 5.0))
    for place, colour, swing in veils:
        veil = Image.new("RGB", (_S, _S))
        brush = ImageDraw.Draw(veil)
        right = [(place + 0.10 * math.sin(y * 5 + swing) + 0.09 - 0.05 * y, y) for y in (n / 40 for n in range(33))]
        left = [(x - 0.17 + 0.1 * y, y) for x, y in right]
        _shape(brush, left + right[::-1], colour)
        veil = veil.filter(ImageFilter.GaussianBlur(0.028 * _S))
        light = ImageChops.lighter(light, veil)
    picture = ImageChops.lighter(picture, light)
    draw = ImageDraw.Draw(picture)
    ridge: list[Point] = [(0, 0.8), (0.16, 0.62), (0.34, 0.78), (0.52, 0.56), (0.74, 0.8), (0.88, 0.68), (1, 0.8)]
    _shape(draw, [*ridge, (1, 1), (0, 1)], "0c2238")
    _shape(draw, [(0.52, 0.56), (0.45, 0.65), (0.51, 0.63), (0.55, 0.67), (0.595, 0.64)], "e9f6ff")
    _shape(draw, [(0.16, 0.62), (0.105, 0.685), (0.155, 0.67), (0.19, 0.69), (0.215, 0.667)], "e9f6ff")
    _shape(draw, [(0, 0.90), (0.28, 0.80), (0.60, 0.90), (0.85, 0.82), (1, 0.88), (1, 1), (0, 1)], "050f1f")
    return picture


def _rain() -> Image.Image:
    picture = _gradient((0.0, "2c4a5a"), (1.0, "16303f"))
    draw = ImageDraw.Draw(picture)
    dice = random.Random(7)
    for number in range(26):
        x, y, length = (number % 13) / 12 * 1.2 - 0.05, dice.random() * 1.1 - 0.1, 0.10 + 0.10 * dice.random()
        _stroke(draw, [(x, y), (x - length * 0.35, y + length)], 0.010, "7fb3bf")
    _disc(draw, 0.5, 0.52, 0.385, "0f2530")
    _disc(draw, 0.5, 0.5, 0.385, "e9dcc3")
    _stroke(draw, [(0.80, 0.24), (0.90, 0.14)], 0.09, "e9dcc3")
    _disc(draw, 0.5, 0.5, 0.30, "fbf4e4")
    _disc(draw, 0.5, 0.5, 0.262, "5a3220")
    _disc(draw, 0.5, 0.5, 0.215, "6f4029")
    _disc(draw, 0.5, 0.5, 0.165, "5a3220")
    _disc(draw, 0.44, 0.46, 0.085, "f2cf7c")
    _disc(draw, 0.475, 0.445, 0.075, "5a3220")
    return picture


def _station() -> Image.Image:
    picture = _gradient((0.0, "1b2a52"), (0.8, "33477f"), (0.8001, "e6ecf5"), (1.0, "c3d0e6"))
    draw = ImageDraw.Draw(picture)
    dice = random.Random(3)
    for _ in range(46):
        _disc(draw, dice.random(), dice.random() * 0.78, 0.006 + 0.009 * dice.random(), "dfe8f7")
    _stroke(draw, [(0.5, 0.5), (0.5, 0.9)], 0.055, "0e1732")
    _shape(draw, [(0.34, 0.93), (0.40, 0.87), (0.60, 0.87), (0.66, 0.93)], "0e1732")
    _disc(draw, 0.5, 0.42, 0.345, "0e1732")
    _disc(draw, 0.5, 0.42, 0.305, "f6e9c8")
    for hour in range(12):
        turn = math.radians(hour * 30)
        inner, width = (0.215, 0.03) if hour % 3 == 0 else (0.25, 0.014)
        ends = [(0.5 + radius * math.sin(turn), 0.42 - radius * math.cos(turn)) for radius in (inner, 0.272)]
        _stroke(draw, ends, width, "8c1f2f")
    _stroke(draw, [(0.5, 0.42), (0.5 - 0.125, 0.42 - 0.085)], 0.040, "0e1732")
    _stroke(draw, [(0.5, 0.42), (0.5 + 0.15, 0.42 - 0.155)], 0.026, "0e1732")
    _disc(draw, 0.5, 0.42, 0.034, "8c1f2f")
    return picture


def _harbour() -> Image.Image:
    picture = _gradient((0.0, "0b1e3f"), (0.7, "1d4f7a"), (0.7001, "0a3550"), (1.0, "062033"))
    draw = ImageDraw.Draw(picture)
    _shape(draw, [(0.33, 0.255), (1.05, 0.02), (1.05, 0.47)], "f7d774")
    _shape(draw, [(0.33, 0.255), (1.05, 0.13), (1.05, 0.36)], "fdf0b8")
    tower = [(0.25, 0.33), (0.41, 0.33), (0.46, 0.84), (0.20, 0.84)]
    _shape(draw, tower, "f5efe6")
    for top in (0.33, 0.534, 0.738):
        bottom = min(top + 0.102, 0.84)
        reach = [0.08 + 0.05 * (y - 0.33) / 0.51 for y in (top, bottom)]
        band = [(0.33 - reach[0], top), (0.33 + reach[0], top), (0.33 + reach[1], bottom), (0.33 - reach[1], bottom)]
        _shape(draw, band, "d7263d")
    _shape(draw, [(0.22, 0.33), (0.44, 0.33), (0.44, 0.305), (0.22, 0.305)], "10131f")
    _shape(draw, [(0.265, 0.305), (0.395, 0.305), (0.395, 0.205), (0.265, 0.205)], "fdf0b8")
    _shape(draw, [(0.235, 0.21), (0.425, 0.21), (0.33, 0.12)], "d7263d")
    _shape(draw, [(0.04, 1.0), (0.12, 0.84), (0.56, 0.82), (0.68, 1.0)], "10131f")
    for row, (y, colour) in enumerate(((0.76, "2f86ab"), (0.84, "2a7398"), (0.92, "235f80"))):
        for number in range(5):
            x = 0.58 + number * 0.13 - 0.05 * row
            if x > 0.52 + 0.05 * row:
                _stroke(draw, [(x, y), (x + 0.07, y)], 0.02, colour)
    return picture


_DESIGNS: dict[str, Callable[[], Image.Image]] = {
    "arches": _arches,
    "aurora": _aurora,
    "harbour": _harbour,
    "invader": _invader,
    "rain": _rain,
    "roots": _roots,
    "station": _station,
    "sunset": _sunset,
}
