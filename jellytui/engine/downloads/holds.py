"""Holds: what holds the queue back as a whole: pause all, a metered link, the disk, the server; with the words."""

from __future__ import annotations

from jellytui.config import Settings
from jellytui.engine.downloads.announce import Announcer
from jellytui.engine.downloads.ports import Link, Network
from jellytui.engine.downloads.rows.notes import Notes
from jellytui.engine.downloads.rows.queue import PAUSED_ALL, QueueRows
from jellytui.engine.downloads.rows.requests import Ask
from jellytui.engine.downloads.transfer.runner import Runner
from jellytui.engine.models import HoldKind, Origin


class Holds:
    """Pause all outlives a restart; the link's cost is looked at when it changes (`follow_network`)."""

    def __init__(
        self,
        *,
        notes: Notes,
        rows: QueueRows,
        runner: Runner,
        announcer: Announcer,
        network: Network,
        link: Link,
        settings: Settings,
    ) -> None:
        self._notes = notes
        self._rows = rows
        self._runner = runner
        self._announcer = announcer
        self._network = network
        self._link = link
        self._settings = settings
        self.is_paused = False
        """Whether everything is paused, also what is yet to come."""

    async def take_settings(self, settings: Settings) -> None:
        """Goes by other settings from now on."""
        self._settings = settings
        await self.follow_network()

    async def load(self) -> None:
        """Takes up what an earlier run noted."""
        self.is_paused = await self._notes.get(PAUSED_ALL) == "1"

    async def pause(self, is_paused: bool) -> None:
        """Pauses everything to come, or lets it go on."""
        self.is_paused = is_paused
        await self._notes.set(PAUSED_ALL, str(int(is_paused)))
        self._announcer.totals_changed()

    @property
    def is_metered(self) -> bool:
        """Whether the link costs money and the settings forbid that."""
        return self._settings.cache.wifi_only and self._network.is_metered

    def ask(self, wanted_by: str, origin: Origin, priority: int) -> Ask:
        """A request as it must begin under what holds now; a listener's begins whatever holds."""
        is_stream = wanted_by == "stream"
        return Ask(
            wanted_by=wanted_by,
            origin=origin,
            priority=priority,
            is_held=self.is_paused and not is_stream,
            wait_reason="metered" if self.is_metered and not is_stream else None,
        )

    async def follow_network(self) -> None:
        """Stops what may not run on this link, or lets it go on."""
        if self.is_metered:
            self._runner.stop_where(lambda each: each.claim.is_unmetered_only and not each.is_stream, "metered")
            changed = await self._rows.set_wait_reason("metered")
        else:
            changed = await self._rows.end_wait_reason("metered")
        self._runner.wake()
        await self._announcer.changed(changed)

    def why(self, *, waiting: int) -> tuple[HoldKind, str | None]:
        """Why nothing starts, in a word and in a sentence, `waiting` rows being pending; None while the queue runs."""
        if self._runner.disk_problem is not None:
            return "disk", self._runner.disk_problem.text
        if self.is_paused:
            return "paused", "Everything is paused, also what you add."
        if not waiting:
            return "", None
        if not self._link.is_online:
            return "server", "The server is away; downloads go on by themselves once it is back."
        if self.is_metered:
            return "metered", "This link costs money, so downloads wait for another."
        return "", None
