"""How long a listener's download waits before it tries again, and when it gives up: pure."""

from __future__ import annotations

from dataclasses import dataclass

from jellytui.engine.downloads.transfer.refusal import Refusal
from jellytui.engine.errors import JellytuiError, NotFoundError, ServerError, ServerUnreachableError

_DELAYS_S = (1.0, 3.0, 10.0, 15.0)
"""Somebody waits for the music: sooner than the queue's 5, 15, 45 s."""
_GIVES_UP_AFTER = 4
"""Answers with an error, one after the other and without a byte between them."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try again in so many seconds; `away` when the server was not there at all."""

    delay_s: float
    away: ServerUnreachableError | None = None


def after(refusal: Refusal, *, failures: int) -> Again | JellytuiError:
    """What a refusal means, the last of so many in a row that brought no byte (0: this one brought some)."""
    delay_s = 0.0 if failures == 0 else _DELAYS_S[min(failures, len(_DELAYS_S)) - 1]
    delay_s = max(delay_s, refusal.retry_after_s or 0.0)
    match refusal.kind:
        case "gone":
            return NotFoundError(refusal.text)
        case "permanent":
            return JellytuiError(refusal.text)
        case "server" | "sign_in":
            return Again(delay_s=max(delay_s, _DELAYS_S[0]), away=ServerUnreachableError(refusal.text))
        case "retry":
            if refusal.is_answer and failures >= _GIVES_UP_AFTER:
                return ServerError(refusal.text)
            return Again(delay_s=delay_s)
