"""Words and numbers as people read them: durations, sizes, rates, counts, and text cut to a width in cells.

The rules are those of looks.md (Words): thousands separators, MB and GB by thousands, m:ss and h:mm:ss.
"""

from __future__ import annotations

from typing import Literal

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"
RING = "○◔◑◕●"


def duration(milliseconds: int) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def size(number_of_bytes: float) -> str:
    """Bytes as kB, MB, GB or TB (thousands); a decimal below 100: "61.2 MB", "140 MB", "1.2 GB"."""
    value = max(0.0, float(number_of_bytes)) / 1000
    for unit in ("kB", "MB", "GB"):
        if value < 999.5:
            return f"{_short(value, unit)} {unit}"
        value /= 1000
    return f"{_short(value, 'TB')} TB"


def share_of(part_bytes: float, whole_bytes: float) -> str:
    """How much of how much, the unit once where it is the same: "9.3 of 10 GB", "800 kB of 31.0 MB"."""
    part, whole = size(part_bytes), size(whole_bytes)
    amount, unit = part.split(" ")
    return f"{amount if whole.endswith(unit) else part} of {whole.replace('.0 ', ' ')}"


def rate(bytes_per_second: float) -> str:
    """Bytes per second in the units of `size`: "8.1 MB/s"."""
    return f"{size(bytes_per_second)}/s"


def number(value: int) -> str:
    """With thousands separators: "1,204"."""
    return f"{value:,}"


def count(value: int, noun: str) -> str:
    """ "1 track", "2 tracks", "1,204 tracks"."""
    return f"{number(value)} {noun}" + ("" if value == 1 else "s")


def percent(share: float) -> str:
    """A share of 0 to 1 in whole percents, rounded down, so that 100 % means all of it: "51 %"."""
    return f"{int(min(1.0, max(0.0, share)) * 100)} %"


def ring(share: float) -> str:
    """One cell that fills up with a share of 0 to 1: ○◔◑◕●."""
    return RING[min(len(RING) - 1, max(0, int(share * (len(RING) - 1) + 0.001)))]


def width(text: str) -> int:
    """How many cells a text takes; wide characters take two, combining ones none."""
    return cell_len(text)


def cut(text: str, cells: int) -> str:
    """The text in at most so many cells, an ellipsis where something is missing."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + ELLIPSIS


def wrap(text: str, cells: int, *, at_most: int | None = None) -> list[str]:
    """The text in lines of at most so many cells, broken between words; `at_most` lines, the last one cut."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and cell_len(longer) > cells:
            lines.append(word)
        else:
            lines[-1] = longer
    if at_most is not None and len(lines) > at_most:
        lines[at_most - 1 :] = [" ".join(lines[at_most - 1 :])]
    return [cut(line, cells) for line in lines]


def fit(text: str, cells: int, align: Literal["left", "right", "center"] = "left") -> str:
    """The text in exactly so many cells: cut with an ellipsis or padded with spaces."""
    shown = cut(text, cells)
    padding = max(0, cells - cell_len(shown))
    if align == "right":
        return " " * padding + shown
    if align == "center":
        return " " * (padding // 2) + shown + " " * (padding - padding // 2)
    return shown + " " * padding


def bar(share: float, cells: int) -> tuple[str, str]:
    """A progress bar of exactly so many cells as its full and its empty part: ("━━━╸", "──────")."""
    halves = round(min(1.0, max(0.0, share)) * cells * 2)
    full = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return full, "─" * (cells - len(full))


def _short(value: float, unit: str) -> str:
    return f"{value:.0f}" if unit == "kB" or value >= 99.95 else f"{value:.1f}"
