"""The computed catalogue: the same each time, page by page, with sound, and never held in memory."""

import gc
from pathlib import Path

import pytest

from jellytui.demo.library import DemoTrack
from jellytui.demo.server import DemoServer
from jellytui.demo.synthetic import audio
from jellytui.demo.synthetic.library import SyntheticLibrary
from tests.support.signed_in import signed_in

_CATALOGUE = (
    "/Items?includeItemTypes=Audio&recursive=true&sortBy=Album,SortName&fields=Genres,DateCreated,SortName,ParentId,Etag"
    "&enableImageTypes=Primary&imageTypeLimit=1"
)
FOLDER = Path("/synthetic")


def test_one_seed_makes_one_catalogue_and_another_makes_another() -> None:
    first, again, other = SyntheticLibrary(500), SyntheticLibrary(500), SyntheticLibrary(500, seed=2)
    assert list(first.tracks) == list(again.tracks)
    assert [album.name for album in first.albums] == [album.name for album in again.albums]
    assert first.tracks[7].name != other.tracks[7].name
    assert {track.id for track in first.tracks}.isdisjoint(track.id for track in other.tracks)


def test_a_hundred_thousand_tracks_come_with_their_albums_artists_and_nasty_names() -> None:
    library = SyntheticLibrary(100_000)
    assert len(library.tracks) == 100_000
    assert 10_000 < len(library.albums) < 14_000
    assert 3_000 < len(library.artists) < 5_000
    names = "".join(library.tracks[number].name for number in range(0, 100_000, 97)) + library.tracks[96].name
    names += "".join(library.tracks[number].name for number in range(96, 5_000, 97))
    assert all(nasty in names for nasty in ("\x1b", "[bold red]", "\u202e", "\n", "DROP TABLE"))


def test_every_item_is_found_by_its_id_and_lies_where_it_says() -> None:
    library = SyntheticLibrary(2_000)
    for track in library.tracks:
        album = library.album_of(track)
        assert album is not None
        assert library.get(track.id) == track
        assert track.id in [each.id for each in library.children(album.id)]
        assert (album.name, album.genres, album.year) == (track.album, track.genres, track.year)
    assert sum(len(album.tracks) for album in library.albums) == 2_000
    assert sum(len(library.children(artist.id)) for artist in library.artists) == len(library.albums)
    assert library.get("0" * 32) is None
    assert library.get("not an id") is None


async def test_the_pages_of_the_whole_catalogue_bring_every_track_once_in_order() -> None:
    library = SyntheticLibrary(3_000)
    async with DemoServer(FOLDER, library=library) as server, signed_in(server) as client:
        pages = [await client.get(f"{_CATALOGUE}&limit=700&startIndex={start}") for start in range(0, 3_000, 700)]
        rows = [row for page in pages for row in page.json()["Items"]]
        small = (await client.get("/Items?includeItemTypes=MusicAlbum&recursive=true&limit=0")).json()
        found = (await client.get(f"/Items?ids={rows[5]['Id']}")).json()["Items"]
        liked = await client.post(f"/UserFavoriteItems/{rows[9]['Id']}")
        favorites = (await client.get("/Items?includeItemTypes=Audio&recursive=true&filters=IsFavorite")).json()
    assert len({row["Id"] for row in rows}) == 3_000
    keys = [(row["Album"], row["SortName"]) for row in rows]
    assert keys == sorted(keys)
    assert small["TotalRecordCount"] == len(library.albums)
    assert [row["Name"] for row in found] == [rows[5]["Name"]]
    assert liked.status_code == 200
    assert [row["Id"] for row in favorites["Items"]] == [rows[9]["Id"]]


async def test_the_sound_is_a_wav_file_of_the_size_told_any_part_of_it_alike() -> None:
    library = SyntheticLibrary(10)
    track = library.tracks[3]
    async with DemoServer(FOLDER, library=library) as server, signed_in(server) as client:
        whole = (await client.get(f"/Items/{track.id}/Download")).content
        part = await client.get(f"/Items/{track.id}/File", headers={"Range": "bytes=1001-4000"})
        end = await client.get(f"/Audio/{track.id}/stream?static=true", headers={"Range": "bytes=-7"})
        cover = await client.get(f"/Items/{_with_cover(library)}/Images/Primary?maxWidth=50")
    assert len(whole) == track.size
    assert whole[:4] + whole[8:12] == b"RIFFWAVE"
    assert (part.status_code, part.content) == (206, whole[1001:4001])
    assert end.content == whole[-7:]
    assert cover.headers["content-type"] == "image/jpeg"


def _with_cover(library: SyntheticLibrary) -> str:
    return next(album.id for album in library.albums if album.image)


@pytest.mark.parametrize("start", [0, 1, 43, 44, 45, 46, 1000])
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_any_cut_of_the_sound_is_what_the_whole_holds_there(start: int, count: int) -> None:
    whole = audio.read(440, 2, 0, audio.size_of(2))
    assert audio.read(440, 2, start, count) == whole[start : start + count]


def test_reading_everything_keeps_no_track() -> None:
    library = SyntheticLibrary(20_000)
    alive_before = _tracks_alive()
    ordered = library.in_order("tracks", "Album,SortName", lambda items: list(range(len(items))))
    longest = max(len(track.name) for track in ordered)
    assert longest > 200
    assert _tracks_alive() - alive_before < 20


def _tracks_alive() -> int:
    gc.collect()
    return sum(isinstance(each, DemoTrack) for each in gc.get_objects())
