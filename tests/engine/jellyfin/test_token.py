"""A token that is no longer taken: read again, checked, and only then a sign-in is asked for (design.md)."""

from __future__ import annotations

import asyncio

import pytest

from jellytui.demo.server import DemoServer
from jellytui.engine.errors import NotAllowedError, NotSignedInError
from jellytui.engine.jellyfin.auth import SignInService, stored_token
from jellytui.engine.jellyfin.client import JellyfinClient
from jellytui.engine.models import Account
from jellytui.paths import Paths


def asked(server: DemoServer, path: str) -> int:
    """How often."""
    return sum(request.path == path for request in server.requests)


def revoke(server: DemoServer) -> None:
    server.world.accounts.revoke(lambda device: True)


async def test_a_sign_in_of_another_process_is_taken_up(
    client: JellyfinClient, sign_in: SignInService, demo_server: DemoServer, account: Account, paths: Paths
) -> None:
    old = client.authorization()
    refusals: list[NotSignedInError] = []
    client.on_refused(refusals.append)
    await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")

    assert len(await client.music_libraries()) == 1

    assert client.authorization() != old
    assert f'Token="{stored_token(paths, account)}"' in client.authorization()
    assert (asked(demo_server, "/Users/Me"), refusals) == (0, [])


async def test_a_revoked_token_asks_for_a_sign_in_and_says_so_once(
    client: JellyfinClient, demo_server: DemoServer
) -> None:
    refusals: list[NotSignedInError] = []
    client.on_refused(refusals.append)
    revoke(demo_server)
    with pytest.raises(NotSignedInError, match=":login"):
        await client.music_libraries()
    assert len(refusals) == 1
    assert asked(demo_server, "/UserViews") == asked(demo_server, "/Users/Me") == 1


async def test_a_file_with_another_dead_token_asks_for_a_sign_in_too(
    client: JellyfinClient, sign_in: SignInService, demo_server: DemoServer
) -> None:
    await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    revoke(demo_server)
    with pytest.raises(NotSignedInError):
        await client.music_libraries()
    assert asked(demo_server, "/UserViews") == 2


async def test_a_play_refused_with_the_old_token_is_counted_once_with_the_new(
    client: JellyfinClient, sign_in: SignInService, demo_server: DemoServer
) -> None:
    (library,) = await client.music_libraries()
    track = (await client.tracks_page(library.id, 0, 1, with_total=False)).items[0]
    await sign_in.with_password(await sign_in.probe(demo_server.url), "demo", "demo")
    await client.mark_played(track.id, "2026-01-02T03:04:05.000000Z")
    assert (await client.user_data(track.id)).play_count == 1


async def test_one_refusal_with_a_good_token_is_no_reason_to_sign_in(
    client: JellyfinClient, demo_server: DemoServer
) -> None:
    demo_server.faults.add("status", route="/userviews", status=401, times=1)
    assert len(await client.music_libraries()) == 1
    assert asked(demo_server, "/Users/Me") == 1


async def test_many_refusals_with_a_good_token_check_it_once(client: JellyfinClient, demo_server: DemoServer) -> None:
    demo_server.faults.add("status", route="/userviews", status=401)
    results = await asyncio.gather(*(client.music_libraries() for _ in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {NotAllowedError}
    assert asked(demo_server, "/Users/Me") == 1


async def test_a_refusal_with_words_is_about_a_permission(client: JellyfinClient, demo_server: DemoServer) -> None:
    body = '"demo is not permitted to access Library Music."'
    demo_server.faults.add("status", route="/userviews", status=401, body=body, content_type="application/json")
    with pytest.raises(NotAllowedError):
        await client.music_libraries()
    assert asked(demo_server, "/Users/Me") == 0


async def test_out_of_hours_the_token_is_kept(client: JellyfinClient, demo_server: DemoServer) -> None:
    user = next(iter(demo_server.world.accounts.users.values()))
    user.policy.access_now = False
    refusals: list[NotSignedInError] = []
    client.on_refused(refusals.append)
    with pytest.raises(NotAllowedError):
        await client.music_libraries()
    user.policy.access_now = True
    assert len(await client.music_libraries()) == 1
    assert refusals == []
