"""What a person types for an address, and what is meant."""

from __future__ import annotations

import pytest

from jellytui.engine.errors import UsageError
from jellytui.engine.jellyfin.signin.addresses import candidates, moved

PATH = "/System/Info/Public"


@pytest.mark.parametrize(
    ("typed", "urls"),
    [
        ("attic", ["https://attic", "http://attic:8096", "http://attic", "https://attic:8920"]),
        (" Attic:8096/ ", ["http://attic:8096", "https://attic:8096"]),
        ("https://attic", ["https://attic", "https://attic:8920"]),
        ("https://attic:443/", ["https://attic"]),
        ("http://attic:8096/web/index.html#!/home.html?x=1", ["http://attic:8096"]),
        ("http://attic:8096/web/#/home.html", ["http://attic:8096"]),
        ("http://attic:80/jellyfin/web/index.html", ["http://attic/jellyfin", "http://attic"]),
        ("http://attic:8096//jellyfin//?next=1", ["http://attic:8096/jellyfin", "http://attic:8096"]),
        ("http://ana:secret@attic:8096", ["http://attic:8096"]),
        ("http://[fd00::1]:8096", ["http://[fd00::1]:8096"]),
        ("192.168.1.2:8096", ["http://192.168.1.2:8096", "https://192.168.1.2:8096"]),
    ],
)
def test_a_careless_address_becomes_the_servers_it_may_mean(typed: str, urls: list[str]) -> None:
    assert candidates(typed) == urls


@pytest.mark.parametrize(
    "typed", ["", "   ", "ftp://attic", "http://", "http://attic:port", "http://attic:99999", "a b"]
)
def test_what_is_no_address_is_said(typed: str) -> None:
    with pytest.raises(UsageError):
        candidates(typed)


@pytest.mark.parametrize(
    ("asked", "location", "base"),
    [
        ("http://attic:8096", "../../jellyfin/web/", "http://attic:8096/jellyfin"),
        ("http://attic:8096", "../../jellyfin/api-docs/swagger", "http://attic:8096/jellyfin"),
        ("http://attic", "https://attic/System/Info/Public", "https://attic"),
        ("http://attic/music", "https://attic/music/system/info/public", "https://attic/music"),
        ("http://attic", "https://attic:443/System/Info/Public/", "https://attic"),
        ("https://attic", "http://attic/System/Info/Public", None),
        ("http://attic", "ftp://attic/", None),
        ("http://attic", "http://attic:99999/", None),
        ("http://attic", "http://[nowhere", None),
    ],
)
def test_a_redirect_is_followed_to_a_base_and_never_from_https_to_http(
    asked: str, location: str, base: str | None
) -> None:
    assert moved(asked, location, PATH) == base
