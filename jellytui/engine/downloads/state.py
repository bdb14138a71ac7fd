"""What may become of a download: the transition table, pure.

Theory of operation. A row is in one of the seed's five states. Everything that ever moves it is an *act*; the table
below says from which state an act leads where, and an act that is not listed for a state does not happen. The SQL of
rows/queue.py takes its `WHERE status IN (…)` from `sources`, so that this table is the only place that knows.

    pending ──claim──► downloading ──complete──► completed ──delete, evict──► gone
       ▲  ▲──release──────┘ │ │  └─fail──► failed ──resume──► pending
       │     pause ◄────────┘ └─cancel──► gone
       └──resume── paused

A *listener* (one fetch, issue 6) also claims what is paused or failed: his act is not the queue's.
"""

from __future__ import annotations

from typing import Literal, get_args

from jellytui.engine.models import DownloadStatus

Act = Literal[
    "claim", "listen", "release", "pause", "resume", "complete", "fail", "find", "lose", "cancel", "delete", "evict"
]
Target = DownloadStatus | Literal["gone"]

STATUSES: tuple[DownloadStatus, ...] = get_args(DownloadStatus)
ACTS: tuple[Act, ...] = get_args(Act)

TRANSITIONS: dict[DownloadStatus, dict[Act, Target]] = {
    "pending": {
        "claim": "downloading",
        "listen": "downloading",
        "pause": "paused",
        "fail": "failed",
        "find": "completed",
        "cancel": "gone",
        "delete": "gone",
    },
    "downloading": {
        "release": "pending",
        "pause": "paused",
        "complete": "completed",
        "fail": "failed",
        "cancel": "gone",
        "delete": "gone",
    },
    "paused": {
        "listen": "downloading",
        "resume": "pending",
        "find": "completed",
        "cancel": "gone",
        "delete": "gone",
    },
    "failed": {
        "listen": "downloading",
        "resume": "pending",
        "find": "completed",
        "cancel": "gone",
        "delete": "gone",
    },
    "completed": {
        "lose": "pending",
        "delete": "gone",
        "evict": "gone",
    },
}


def after(status: DownloadStatus, act: Act) -> Target | None:
    """Where the act leads from that state; None when it does not happen there."""
    return TRANSITIONS[status].get(act)


def sources(act: Act) -> tuple[DownloadStatus, ...]:
    """The states in which the act may happen."""
    return tuple(status for status in STATUSES if act in TRANSITIONS[status])


def target(act: Act) -> Target:
    """Where the act leads; the same from every state in which it may happen."""
    return TRANSITIONS[sources(act)[0]][act]
