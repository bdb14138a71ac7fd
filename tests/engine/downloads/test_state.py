"""The transition table, walked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jellytui.engine.downloads.state import ACTS, STATUSES, TRANSITIONS, after, sources, target

_WALKS = st.lists(st.sampled_from(ACTS), max_size=30)


@given(_WALKS)
def test_any_series_of_acts_stays_within_the_seeds_five_states_or_ends(acts: list[str]) -> None:
    status = "pending"
    for act in acts:
        following = after(status, act)  # type: ignore[arg-type]
        if following == "gone":
            return
        status = following or status
        assert status in STATUSES


def test_each_act_leads_to_one_state_from_wherever_it_may_happen() -> None:
    for act in ACTS:
        assert sources(act), act
        assert {TRANSITIONS[status][act] for status in sources(act)} == {target(act)}


def test_from_every_state_there_is_a_way_to_completed_and_a_way_out() -> None:
    for start in STATUSES:
        reached, open_states = {start}, [start]
        while open_states:
            for following in TRANSITIONS[open_states.pop()].values():
                if following not in reached and following != "gone":
                    reached.add(following)
                    open_states.append(following)
        assert "completed" in reached
        assert "gone" in TRANSITIONS[start].values()


def test_only_what_runs_can_complete_or_be_released() -> None:
    assert sources("complete") == sources("release") == ("downloading",)


def test_what_is_complete_is_only_ever_lost_deleted_or_evicted() -> None:
    assert set(TRANSITIONS["completed"]) == {"lose", "delete", "evict"}
