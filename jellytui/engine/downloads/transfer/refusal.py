"""What an answer without music means: wait for the server, try again, sign in, give up; pure (design.md, issue 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Kind = Literal["retry", "server", "sign_in", "permanent", "gone"]
"""retry: spends an attempt. server: away or starting, spends none. sign_in: 401. permanent, gone: fails at once."""

LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why no music came, in words; `retry_after_s` where the server says when to come back."""

    kind: Kind
    text: str
    retry_after_s: float | None = None
    is_answer: bool = False
    """Whether the server said so itself, so that it is no matter of the line."""


NOT_ALLOWED = "Your account may not download from this server. Ask its administrator for the permission."
"""Of a download that the server refuses to this account; what is only listened to needs no permission."""
_PERMANENT = {
    400: "The server does not offer this item for download.",
    403: NOT_ALLOWED,
}


def refusal_of(status: int, headers: Mapping[str, str], now: datetime) -> Refusal:
    """What a status other than 200, 206 and 416 means."""
    if status == 401:
        return Refusal(kind="sign_in", text="The server asks to sign in again.")
    if status in (404, 410):
        return Refusal(kind="gone", text="The server no longer has this track.")
    if status in (502, 503, 504):
        return Refusal(kind="server", text="The server is starting or away.", retry_after_s=retry_after(headers, now))
    if status in (408, 425, 429) or status >= 500:
        text = "The server is too busy (429)." if status == 429 else f"The server answered with an error ({status})."
        return Refusal(kind="retry", text=text, retry_after_s=retry_after(headers, now), is_answer=True)
    if 300 <= status < 400:
        return Refusal(kind="permanent", text=f"The server sends the download elsewhere ({status}); check its address.")
    return Refusal(kind="permanent", text=_PERMANENT.get(status, f"The server refuses this download ({status})."))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of a Retry-After (a number such as `005`, or a date), kept between 1 and 300."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isdecimal():
        seconds = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_WAIT_S)
