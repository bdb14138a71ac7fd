"""CacheList: what the cache holds, what it was good for, and what it would do now, each step with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message

from jellytui.engine.models import CacheStep, CacheUse, Origin
from jellytui.tui import format as fmt
from jellytui.tui.widgets.virtual_list import Cell, VirtualList

_ORIGINS: dict[Origin, tuple[str, str]] = {
    "user": ("Yours", "stays until you delete it"),
    "stream": ("Played", "kept from listening"),
    "queue": ("Queue", "fetched ahead of the queue"),
    "album": ("Albums", "the rest of albums you play"),
}
_STEPS: dict[str, tuple[Cell, str]] = {
    "fetch": (("⇣", "accent"), "fetch"),
    "withdraw": (("⏸", "dim"), "stop"),
    "evict": (("✕", "warn"), "remove"),
    "leave": (("·", "dim"), "leave"),
}


class CacheList(VirtualList):
    """Facts above, steps below; the cursor stands on steps only."""

    class RoomChanged(Message):
        """Its lines have another width, the first one included: another reason may lack the room."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._use: CacheUse | None = None
        self._steps: Sequence[CacheStep] = ()
        self._facts = 0
        """How many lines stand above the steps."""
        self.empty_text = "Asking what the cache holds…"

    @property
    def step(self) -> CacheStep | None:
        """The step under the cursor."""
        at = self.cursor - self._facts
        return self._steps[at] if 0 <= at < len(self._steps) else None

    @property
    def keepable(self) -> CacheStep | None:
        """The step under the cursor, when its track is here or coming: what is yet to be fetched cannot be kept."""
        return self.step if self.step is not None and self.step.act in ("evict", "withdraw") else None

    @property
    def cut_reason(self) -> str:
        """In full why the step under the cursor is taken, when its line lacks the room; empty when it has."""
        step = self.step
        if step is None or fmt.width(step.reason) <= _reason_room(step, self._room):
            return ""
        return f"{step.name or step.item_id}: {step.reason}"

    def show(self, use: CacheUse, steps: Sequence[CacheStep]) -> None:
        """Takes what the cache is now; draws only when that is something else."""
        if use == self._use and list(steps) == list(self._steps):
            return
        self._use, self._steps = use, steps
        self._facts = len(self._lines(80))
        self.set_row_count(self._facts + len(steps))

    def on_resize(self) -> None:
        self.post_message(self.RoomChanged())

    def is_selectable(self, index: int) -> bool:
        return index >= self._facts

    def row_cells(self, index: int, width: int) -> Sequence[Cell]:
        if index < self._facts:
            return self._lines(width)[index]
        return step_cells(self._steps[index - self._facts], width)

    def _lines(self, width: int) -> list[list[Cell]]:
        use = self._use
        if use is None:
            return []
        lines = [[], self._limit(use, width), []]
        for origin_use in use.uses:
            name, reason = _ORIGINS[origin_use.origin]
            share = origin_use.bytes / max(1, *(one.bytes for one in use.uses))
            room = 20 if width >= 90 else 10 if width >= 60 else 0
            bar = fmt.bar(share, room)[0] if room else ""
            lines.append(
                [
                    (fmt.fit(name, 9), ""),
                    (fmt.fit(bar, room), "title" if origin_use.origin == "user" else "accent"),
                    (f"{fmt.size(origin_use.bytes):>10}", ""),
                    (f"{fmt.count(origin_use.files, 'file'):>14}", "dim"),
                    (fmt.cut(f"   {reason}", max(0, width - room - 33)), "dim"),
                ]
            )
        lines += [[], self._good(use)]
        if use.is_metered:
            lines.append([("This link is metered: the cache fetches nothing until it is not.", "warn")])
        heading = "WHAT IT WOULD DO NOW" if self._steps else "There is nothing to fetch or to remove now."
        return [*lines, [], [(heading, "title" if self._steps else "dim")]]

    @staticmethod
    def _limit(use: CacheUse, width: int) -> list[Cell]:
        share = use.cache_bytes / use.limit_bytes if use.limit_bytes else 0.0
        numbers = f"   {fmt.share_of(use.cache_bytes, use.limit_bytes)} · {fmt.percent(share)}"
        if use.reserved_bytes:
            numbers += f" · {fmt.size(use.reserved_bytes)} to come"
        full, empty = fmt.bar(share, max(10, min(60, width - 9 - fmt.width(numbers) - 2)))
        return [(fmt.fit("Cache", 9), "title"), (full, "accent"), (empty, "line"), (numbers, "")]

    @staticmethod
    def _good(use: CacheUse) -> list[Cell]:
        plays = f"{fmt.count(use.plays, 'play')} from the disk thanks to it"
        saved = f" · {fmt.size(use.bytes_saved)} not fetched twice" if use.bytes_saved else ""
        return [(plays + saved, "good" if use.plays else "dim")]


def step_cells(step: CacheStep, width: int) -> list[Cell]:
    """One step: sign and word of what is done, the track, its size, and why."""
    sign, word = _STEPS[step.act]
    return [
        sign,
        (f" {word:<7} ", "dim"),
        (fmt.fit(step.name or step.item_id, _name_room(width)), ""),
        ("" if step.act == "leave" else f"{fmt.size(step.bytes):>9}", "dim"),
        (f"  {fmt.fit(step.reason, _reason_room(step, width))}", "dim"),
    ]


def _name_room(width: int) -> int:
    return max(10, min(34, width * 2 // 6))


def _reason_room(step: CacheStep, width: int) -> int:
    """What is left has no size, which leaves more for the reason."""
    return width - _name_room(width) - (12 if step.act == "leave" else 21)
