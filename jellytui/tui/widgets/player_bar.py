"""Two lines on every screen: what plays, and how far it is; one line, the second, where the screen says the rest."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from jellytui.engine.events import PlayerState
from jellytui.tui import format as fmt
from jellytui.tui.stores.base import Keys
from jellytui.tui.stores.player import PlayerStore

Part = tuple[str, str]

_SIGNS = {"playing": "▶", "paused": "⏸", "loading": "◌", "stalled": "◌", "stopped": "■"}
_SOURCES = {"disk": "from disk", "server": "from the server", "": ""}


class PlayerBar(Widget):
    """What plays; draws only the line whose text changed, at most once a second while playing."""

    def __init__(self, player: PlayerStore) -> None:
        super().__init__()
        self._player = player
        self._drawn: tuple[list[Part], list[Part]] = ([], [])

    def on_mount(self) -> None:
        from jellytui.tui.screens.base import screen_of

        screen = screen_of(self)
        screen.follow(self._player, self._on_change)
        screen.follow(screen.session.library, self._on_change)

    def _on_change(self, _keys: Keys) -> None:
        title, position = self._lines()
        if title != self._drawn[0] and self.size.height > 1:
            self.refresh()
        elif position != self._drawn[1]:
            self.refresh(Region(0, self.size.height - 1, self.outer_size.width, 1))

    def render(self) -> Content:
        self._drawn = title, position = self._lines()
        if self.size.height == 1:
            return Content.assemble(*position)
        return Content.assemble(*title, "\n", *position)

    def on_click(self, event: events.Click) -> None:
        from jellytui.tui.screens.base import screen_of

        state = self._player.state
        start, length = self._bar_place()
        if event.y == self.size.height - 1 and state.duration_ms and start <= event.x - 1 < start + length:
            share = (event.x - 1 - start) / length
            screen_of(self).send("seek", position_ms=int(share * state.duration_ms))

    def _lines(self) -> tuple[list[Part], list[Part]]:
        return self._title_line(self.size.width), self._position_line(self.size.width)

    def _title_line(self, room: int) -> list[Part]:
        from jellytui.tui.screens.base import screen_of

        state = self._player.state
        if not state.has_sound:
            return [(self._no_sound(room)[0], "$warning")]
        if state.track is None:
            return [(fmt.cut("Nothing plays. Press enter on a track or an album.", room), "$text-dim")]
        is_favorite = screen_of(self).session.library.is_favorite(state.track)
        facts = state.waiting_for if state.waiting_for else facts_line(state, is_short=True)
        facts = fmt.cut(facts, room * 2 // 3 if state.waiting_for else room // 2)
        right = f"  {facts}  {'♥' if is_favorite else ' '}"
        left = room - fmt.width(right) - 2
        title = fmt.cut(state.track.name, left)
        artist = fmt.cut(f" · {', '.join(state.track.artists)}" if state.track.artists else "", left - fmt.width(title))
        gap = " " * (left - fmt.width(title) - fmt.width(artist))
        return [
            (f"{_SIGNS[state.status]} ", "$primary"),
            (title, "bold"),
            (artist + gap, "$text-dim"),
            (f"  {facts}  ", "$warning" if state.waiting_for else "$text-dim"),
            ("♥" if is_favorite else " ", "$primary"),
        ]

    def _position_line(self, room: int) -> list[Part]:
        state = self._player.state
        if not state.has_sound and len(reason := self._no_sound(room)) > 1:
            return [(reason[1], "$warning")]
        if state.track is None:
            return [("─" * max(0, room - 8), "$line"), (f"{_volume(state):>8}", "$text-dim")]
        length = self._bar_place()[1]
        if state.waiting_for and self.size.height == 1 and self.screen.has_class("-short"):
            # Where nothing else has room for it, the bar's place says what is awaited.
            words = fmt.fit(f"◌ {state.waiting_for}", length)
            return [
                (f"{fmt.duration(state.position_ms)} ", "$foreground"),
                (words, "$warning"),
                (f" {fmt.duration(state.duration_ms)}", "$foreground"),
                (f"{_volume(state):>8}", "$text-dim"),
            ]
        full, empty = fmt.bar(self._player.position_share, length)
        return [
            (f"{fmt.duration(state.position_ms)} ", "$foreground"),
            (full, "$primary"),
            (empty, "$line"),
            (f" {fmt.duration(state.duration_ms)}", "$foreground"),
            (f"{_volume(state):>8}", "$text-dim"),
        ]

    def _no_sound(self, room: int) -> list[str]:
        """Why nothing can be heard, in one line or two."""
        words = self._player.state.sound_problem or "No sound: install libmpv2, then start again"
        return fmt.wrap(words, room, at_most=2)

    def _bar_place(self) -> tuple[int, int]:
        """First cell and length of the position bar."""
        state = self._player.state
        start = fmt.width(fmt.duration(state.position_ms)) + 1
        return start, max(1, self.size.width - start - 1 - fmt.width(fmt.duration(state.duration_ms)) - 8)


def facts_line(state: PlayerState, *, is_short: bool) -> str:
    """What is heard: "FLAC 44.1/16 · from disk", or in full "FLAC 44.1 kHz 16 bit · from disk · gain −6.3 dB"."""
    kilohertz = f"{state.sample_rate_hz / 1000:g}" if state.sample_rate_hz else ""
    if is_short:
        form = f"{kilohertz}/{state.bit_depth}" if state.bit_depth and kilohertz else kilohertz
    else:
        form = " ".join(
            part
            for part in (kilohertz and f"{kilohertz} kHz", f"{state.bit_depth} bit" if state.bit_depth else "")
            if part
        )
    parts = [" ".join(part for part in (state.codec.upper(), form) if part), _SOURCES[state.source]]
    if not is_short and state.gain_db is not None:
        parts.append(f"gain {state.gain_db:+.1f} dB".replace("-", "−"))
    return " · ".join(part for part in parts if part)


def _volume(state: PlayerState) -> str:
    return "muted" if state.is_muted else f"vol {state.volume}"
