"""When to try again: the seed's 5, 15, 45 s, at most three times, anew after progress; pure."""

from __future__ import annotations

from dataclasses import dataclass

RETRY_DELAYS_S = (5.0, 15.0, 45.0)
"""Seed, Retry Strategy."""

PROGRESS_BYTES = 1_000_000
"""That much beyond the furthest point ever held starts the count anew (issue 5)."""


@dataclass(frozen=True, kw_only=True)
class RetryDecision:
    """The row's counters after a failure; `delay_s` is None when it has failed for good."""

    retry_count: int
    furthest_bytes: int
    delay_s: float | None


def after_failure(
    *, retry_count: int, furthest_bytes: int, held_bytes: int, max_retries: int, retry_after_s: float | None = None
) -> RetryDecision:
    """Counts an attempt that failed with `held_bytes` here; a Retry-After longer than our own delay is kept to."""
    if held_bytes >= furthest_bytes + PROGRESS_BYTES:
        retry_count = 0
    furthest_bytes = max(furthest_bytes, held_bytes)
    if retry_count >= max_retries:
        return RetryDecision(retry_count=retry_count, furthest_bytes=furthest_bytes, delay_s=None)
    delay = RETRY_DELAYS_S[min(retry_count, len(RETRY_DELAYS_S) - 1)]
    return RetryDecision(
        retry_count=retry_count + 1, furthest_bytes=furthest_bytes, delay_s=max(delay, retry_after_s or 0.0)
    )
