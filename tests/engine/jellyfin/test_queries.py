"""What is asked of which version of the server."""

from __future__ import annotations

import pytest

from jellytui.engine.jellyfin import queries


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("10.11.11", (10, 11, 11)), ("12.0.0-rc5", (12, 0, 0)), ("10.9", (10, 9)), ("v12", (12,)), ("", ()), ("new", ())],
)
def test_versions_are_compared_as_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert queries.version(text) == numbers


def test_ten_nine_is_the_oldest_and_newer_than_ten_eight() -> None:
    assert queries.version("10.8.13") < queries.OLDEST <= queries.version("10.9.0") < queries.version("10.10.7")


@pytest.mark.parametrize(
    ("version", "is_asked"), [("10.9.11", True), ("10.10.7", True), ("10.11.0", False), ("12.0.0", False)]
)
def test_the_date_that_moves_an_old_servers_etag_is_asked_only_there(version: str, is_asked: bool) -> None:
    fields = str(queries.tracks("user", queries.version(version))["fields"]).split(",")
    assert ("DateLastSaved" in fields) is is_asked
    assert {"Genres", "DateCreated", "SortName", "ParentId", "Etag"} <= set(fields)


@pytest.mark.parametrize(("version", "path"), [("10.9.11", "/Artists"), ("10.11.11", "/Artists"), ("12.0.0", "/Items")])
def test_artists_are_asked_where_the_server_lists_them_all(version: str, path: str) -> None:
    assert queries.artists("user", "library", queries.version(version))[0] == path
    assert (queries.favorite_artists("user", queries.version(version)) is None) is (path == "/Items")


def test_ids_that_a_server_cannot_read_do_not_make_it_list_everything() -> None:
    assert queries.of_ids(["garbage", "more"])["limit"] == 2
