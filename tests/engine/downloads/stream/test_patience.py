"""How long a listener's download waits, and when it gives up."""

from __future__ import annotations

import pytest

from jellytui.engine.downloads.stream.patience import Again, after
from jellytui.engine.downloads.transfer.refusal import Kind, Refusal
from jellytui.engine.errors import JellytuiError, NotFoundError, ServerError


def _refusal(kind: Kind, *, retry_after_s: float | None = None, is_answer: bool = False) -> Refusal:
    return Refusal(kind=kind, text="why", retry_after_s=retry_after_s, is_answer=is_answer)


def test_after_progress_it_goes_on_at_once() -> None:
    assert after(_refusal("retry"), failures=0) == Again(delay_s=0.0)


def test_without_progress_it_waits_longer_each_time_and_never_gives_a_bad_line_up() -> None:
    delays = []
    for failures in range(1, 8):
        step = after(_refusal("retry"), failures=failures)
        assert isinstance(step, Again)
        delays.append(step.delay_s)
    assert delays == [1.0, 3.0, 10.0, 15.0, 15.0, 15.0, 15.0]


def test_a_server_that_answers_with_errors_again_and_again_is_believed() -> None:
    assert isinstance(after(_refusal("retry", is_answer=True), failures=3), Again)
    assert isinstance(after(_refusal("retry", is_answer=True), failures=4), ServerError)


def test_a_wish_to_be_asked_later_is_kept_to() -> None:
    assert after(_refusal("retry", retry_after_s=40.0), failures=1) == Again(delay_s=40.0)


@pytest.mark.parametrize("kind", ["server", "sign_in"])
def test_a_server_that_is_away_is_waited_for(kind: Kind) -> None:
    step = after(_refusal(kind), failures=0)
    assert isinstance(step, Again)
    assert (step.delay_s, str(step.away)) == (1.0, "why")


def test_what_no_waiting_helps_is_an_error() -> None:
    assert isinstance(after(_refusal("gone"), failures=0), NotFoundError)
    assert type(after(_refusal("permanent"), failures=0)) is JellytuiError
