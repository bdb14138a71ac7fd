"""The parts of now playing: the track's name and its download, the facts of its sound, what is next, and transport."""

from __future__ import annotations

from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from jellytui.engine.events import PlayerState
from jellytui.engine.models import Track
from jellytui.tui import format as fmt
from jellytui.tui.widgets.download_button import DownloadButton
from jellytui.tui.widgets.player_bar import facts_line
from jellytui.tui.widgets.virtual_list import Cell


class Title(Widget):
    """Three lines: the track in the cover's colour, its artist, its album with year and place."""

    track: reactive[Track | None] = reactive(None)
    accent: reactive[str] = reactive("")

    def render(self) -> Content:
        track, room = self.track, self.size.width
        if track is None:
            return Content.styled("Nothing plays.\nPress 1 for the library, then enter on an album.", "$text-dim")
        disc = f"disc {track.disc}" if track.disc and track.disc > 1 else ""
        place = f"track {track.number}" if track.number else ""
        album = " · ".join(part for part in (track.album, str(track.year or ""), disc, place) if part)
        return Content.assemble(
            (fmt.cut(track.name, room), f"bold {self.accent or '$primary'}"),
            "\n",
            (fmt.cut(", ".join(track.artists), room), "$foreground"),
            "\n",
            (fmt.cut(album, room), "$text-dim"),
        )


class Heading(Vertical):
    """What plays, with its download in words below."""

    def compose(self) -> ComposeResult:
        yield Title()
        yield DownloadButton("lg")

    @property
    def title(self) -> Title:
        """The three lines."""
        return self.query_one(Title)

    @property
    def button(self) -> DownloadButton:
        """The track's download."""
        return self.query_one(DownloadButton)


class Facts(Widget):
    """What is heard, in as many lines as the cover is wide: "FLAC 44.1 kHz 16 bit · from disk · gain −6.3 dB"."""

    words: reactive[str] = reactive("", layout=True)

    def show(self, player: PlayerState) -> None:
        """Takes the facts of the player's state."""
        self.words = facts_line(player, is_short=False)

    def render(self) -> Content:
        return Content.styled("\n".join(lines_of(self.words, self.size.width)), "$text-dim")


def lines_of(facts: str, room: int) -> list[str]:
    """Facts in lines that break between facts where they can: never a number away from its unit."""
    lines: list[str] = []
    for fact in facts.split(" · "):
        longer = f"{lines[-1]} · {fact}" if lines else fact
        if lines and fmt.width(longer) <= room:
            lines[-1] = longer
        else:
            lines += wrap(fact, max(8, room))
    return lines


class Upcoming(Widget):
    """The next few tracks under a heading."""

    rows: reactive[tuple[tuple[Track, Cell], ...]] = reactive(())
    """Each track with the sign of its download."""

    def render(self) -> Content:
        if not self.rows:
            return Content("")
        room = self.size.width
        lines = [Content.styled("NEXT", "bold $text-dim")]
        for track, (sign, _role) in self.rows:
            time = f"{fmt.duration(track.duration_ms):>8}"
            head = f"{track.number or '':>2} {sign} "
            name = fmt.fit(track.name, room - len(head) - len(time))
            lines.append(Content.assemble((head, "$text-dim"), name, (time, "$text-dim")))
        return Content("\n").join(lines)


class Transport(Widget):
    """Two centred lines: what is awaited, if anything; shuffle, back, pause, on, repeat."""

    state: reactive[tuple[str, str, bool, str]] = reactive(("", "stopped", False, "off"))
    """What is awaited, status, whether shuffled, repeat."""
    trouble: reactive[str] = reactive("")
    """What is wrong with the server, in a sentence."""

    def show(self, player: PlayerState) -> None:
        """Takes what is drawn of the player's state."""
        self.state = (player.waiting_for, player.status, player.is_shuffled, player.repeat)

    def render(self) -> Content:
        waiting_for, status, is_shuffled, repeat = self.state
        room = self.size.width
        button = "▌▌" if status == "playing" else "◌ " if waiting_for else "▶ "
        signs = [
            (f"⇄ {'on ' if is_shuffled else 'off'}", "$primary" if is_shuffled else "$text-dim"),
            ("     ◀◀     ", "$foreground"),
            (button, "bold $primary"),
            ("     ▶▶     ", "$foreground"),
            (f"↻ {repeat:<3}", "$text-dim" if repeat == "off" else "$primary"),
        ]
        indent = " " * max(0, (room - sum(fmt.width(text) for text, _ in signs)) // 2)
        awaited = self.trouble if 0 < fmt.width(self.trouble) <= room - 2 else waiting_for
        words = fmt.fit(f"◌ {awaited}" if waiting_for else "", room, "center")
        return Content.assemble((words, "$warning"), "\n", indent, *signs)
