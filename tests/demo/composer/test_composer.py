"""The composed library: its files, tags, lyrics and wishes, and that it is never half made."""

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import mutagen
import pytest

from jellytui.demo.composer import compose
from jellytui.demo.composer.catalogue import ALBUMS
from jellytui.demo.composer.lyrics import line_times
from jellytui.demo.composer.music.arrange import arrange
from jellytui.demo.composer.music.styles import LOFI
from jellytui.demo.composer.names import track_path
from jellytui.demo.folder import scan

_TIME = re.compile(r"^\[(\d\d):(\d\d\.\d\d)\]", re.MULTILINE)


def _tags(file: Path) -> Any:
    return mutagen.File(file)


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    files = (folder, *folder.rglob("*"))
    return {file: (file.stat().st_mtime_ns, file.stat().st_ino) for file in files}


def test_every_track_of_the_catalogue_is_a_flac_of_cd_quality(composed: Path) -> None:
    expected = {composed / track_path(album, track) for album in ALBUMS for track in album.tracks}
    assert set(composed.rglob("*.flac")) == expected
    for file in expected:
        info = _tags(file).info
        assert (info.sample_rate, info.channels, info.bits_per_sample) == (44100, 2, 16)
        assert info.length == pytest.approx(1.0)


def test_the_library_is_as_the_issue_wants_it() -> None:
    assert len(ALBUMS) == 8
    assert len({album.artist for album in ALBUMS} - {"Various Artists"}) == 5
    tracks = [track for album in ALBUMS for track in album.tracks]
    assert 60 <= len(tracks) <= 69
    assert all(20 <= track.seconds <= 90 for track in tracks)
    assert [album.title for album in ALBUMS if album.discs == 2] == ["Norðurljós"]
    assert [album.title for album in ALBUMS if album.compilation] == ["Harbour Lights"]
    years = [int(album.date[:4]) for album in ALBUMS]
    assert (min(years), max(years)) == (1999, 2025)


def test_tags_are_read_back_as_the_catalogue_says(composed: Path) -> None:
    for album in ALBUMS:
        for track in album.tracks:
            tags = _tags(composed / track_path(album, track))
            assert tags["title"] == [track.title]
            assert tags["artist"] == list(track.artists or (album.artist,))
            assert (tags["albumartist"], tags["album"], tags["date"]) == ([album.artist], [album.title], [album.date])
            assert tags["genre"] == list(track.genres or album.genres)
            assert (tags["tracknumber"], tags["discnumber"]) == ([str(album.number(track))], [str(track.disc)])
            assert ("compilation" in tags) == album.compilation
            assert bool(tags.pictures) == album.embedded
            assert re.fullmatch(r"[+-]\d+\.\d\d dB", tags["replaygain_track_gain"][0])
            assert (
                tags["replaygain_album_gain"]
                == _tags(composed / track_path(album, album.tracks[0]))["replaygain_album_gain"]
            )


def test_the_demo_server_reads_the_library_as_it_was_meant(composed: Path) -> None:
    found = scan(composed)
    assert found.skipped == []
    assert sorted(album.name for album in found.albums) == sorted(album.title for album in ALBUMS)
    assert len(found.tracks) == sum(len(album.tracks) for album in ALBUMS)
    assert all(album.image is not None for album in found.albums)
    assert {album.name: len(album.tracks) for album in found.albums}["Norðurljós"] == 10


def test_lyrics_stand_beside_their_tracks_with_times_that_rise_within_them(composed: Path) -> None:
    assert len(list(composed.rglob("*.txt"))) == 2
    synced = list(composed.rglob("*.lrc"))
    assert len(synced) == 6
    for file in synced:
        assert file.with_suffix(".flac").is_file()
        times = [60 * int(minutes) + float(seconds) for minutes, seconds in _TIME.findall(file.read_text("utf-8"))]
        assert len(times) > 6
        assert all(before < after for before, after in pairwise(times))
        assert times[-1] < _tags(file.with_suffix(".flac")).info.length


def test_synced_lines_fall_on_beats_and_fill_the_track() -> None:
    score = arrange(LOFI, 5, 0.5, 56.0, 1)
    beat = score.bar_seconds / score.style.beats
    times = line_times(score, ["line"] * 14)
    assert all(time / beat == pytest.approx(round(time / beat)) for time in times)
    assert times[0] < 0.25 * score.seconds
    assert times[-1] > 0.6 * score.seconds


def test_wishes_name_files_folders_and_artists_that_exist(composed: Path) -> None:
    wishes = json.loads((composed / "demo.json").read_text("utf-8"))
    artists = {album.artist for album in ALBUMS}
    assert all((composed / wish).exists() or wish in artists for wish in wishes["favorites"])
    assert any((composed / wish).is_dir() for wish in wishes["favorites"])
    assert len(wishes["playlists"]) == 3
    assert max(len(playlist["tracks"]) for playlist in wishes["playlists"]) >= 25
    assert any(not playlist["name"].isascii() for playlist in wishes["playlists"])
    assert all((composed / path).is_file() for playlist in wishes["playlists"] for path in playlist["tracks"])
    assert all((composed / path).is_file() and count > 0 for path, count in wishes["play_counts"].items())


def test_a_second_call_writes_nothing(composed: Path) -> None:
    before = _state(composed)
    told: list[tuple[int, int]] = []
    assert compose(composed, lambda *step: told.append(step), seconds=1.0) == composed
    assert _state(composed) == before
    assert told == []


def test_progress_counts_every_track_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    compose(tmp_path / "music", lambda *step: told.append(step), seconds=0.2)
    assert told[0] == (0, 66)
    assert told[-1] == (66, 66)
    assert all(before < after for before, after in pairwise(told))


def test_another_length_or_a_lost_file_is_composed_anew(composed: Path, tmp_path: Path) -> None:
    music = shutil.copytree(composed, tmp_path / "music")
    lost = next(music.rglob("*.flac"))
    lost.unlink()
    compose(music, seconds=0.2)
    assert _tags(lost).info.length == pytest.approx(0.2)
    assert not [path.name for path in tmp_path.iterdir() if path.name not in {"music", ".music.lock"}]


def test_an_interrupted_composition_leaves_nothing_half_made(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose(tmp_path / "music", interrupt, seconds=0.2)
    assert [path.name for path in tmp_path.iterdir()] == [".music.lock"]


def test_a_composition_that_was_killed_is_swept_by_the_next(tmp_path: Path) -> None:
    music = tmp_path / "music"
    script = (
        "import sys; from pathlib import Path; from jellytui.demo.composer import compose\n"
        "compose(Path(sys.argv[1]), lambda done, total: print(done, flush=True), seconds=0.2)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, music], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "20":
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert not music.exists()
    assert (tmp_path / ".music.new").exists()
    compose(music, seconds=0.2)
    assert len(list(music.rglob("*.flac"))) == 66
    assert not (tmp_path / ".music.new").exists()


def test_two_that_want_the_library_at_once_compose_it_once(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(compose, tmp_path / "music", lambda *step: told.append(step), 0.2) for _ in range(2)]
        assert [task.result() for task in tasks] == [tmp_path / "music"] * 2
    assert told.count((66, 66)) == 1


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("keep me")
    with pytest.raises(FileExistsError, match="something else"):
        compose(tmp_path, seconds=0.2)
    assert mine.read_text() == "keep me"


def test_asking_for_a_whole_library_loads_no_numbers(composed: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from jellytui.demo.composer import compose\n"
        "compose(Path(sys.argv[1]), seconds=1.0); print(*{'numpy', 'PIL', 'soundfile', 'mutagen'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, composed], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
