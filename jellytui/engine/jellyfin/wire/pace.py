"""Pace: how the body of an answer is read; travels with it among its extensions, under NAME.

A module of its own, since httpcore is not imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable

NAME = "jellytui.pace"


class Pace:
    """Whoever reads a body says here how; whoever brings it asks."""

    def __init__(self, hurry: Callable[[], None]) -> None:
        self.patience_s: Callable[[], float] | None = None
        """How many seconds what comes may be left to gather, asked when nothing is here."""
        self.hurry = hurry
        """Ends the patience of a read that is under way."""
