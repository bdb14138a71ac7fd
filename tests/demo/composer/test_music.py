"""The composed music: in key, with a form, each piece its own, clean to the last sample."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from jellytui.demo.composer.catalogue import ALBUMS, Album, Track, shortened
from jellytui.demo.composer.covers import draw_cover
from jellytui.demo.composer.music.arrange import arrange, form
from jellytui.demo.composer.music.pattern import Step, read_pattern
from jellytui.demo.composer.music.styles import AMBIENT, CHIP, FOLK_GUITAR, LOFI, TECHNO, WALTZ, Style
from jellytui.demo.composer.music.theory import MODES, Key, frequency, voice_chord
from jellytui.demo.composer.names import track_path
from jellytui.demo.composer.sound.instruments import INSTRUMENTS
from jellytui.demo.composer.sound.loudness import gain_db, measure
from jellytui.demo.composer.sound.mix import play
from jellytui.demo.composer.write import compose_piece, pieces_of

Audio = npt.NDArray[np.float64]

_STYLES = (FOLK_GUITAR, CHIP, TECHNO, AMBIENT, LOFI, WALTZ)


def _every_track() -> list[tuple[Album, Track]]:
    return [(album, track) for album in shortened(1.0) for track in album.tracks]


def _audio(file: Path) -> Audio:
    samples: Audio = soundfile.read(file)[0]
    return samples


def _share_in_key(samples: Audio, key: Key) -> float:
    """How much of the energy between 110 and 1800 Hz lies nearest to notes of the key."""
    mono = samples.mean(axis=1)
    power = np.abs(np.fft.rfft(mono * np.hanning(mono.size))) ** 2
    frequencies = np.fft.rfftfreq(mono.size, 1 / 44100)
    heard = (frequencies > 110) & (frequencies < 1800)
    classes = np.round(69 + 12 * np.log2(frequencies[heard] / 440)).astype(int) % 12
    energy = np.bincount(classes, power[heard], 12)
    return float(energy[list(key.pitch_classes)].sum() / energy.sum())


def test_no_track_is_silent_clipped_or_off_centre(composed: Path) -> None:
    for album, track in _every_track():
        samples = _audio(composed / track_path(album, track))
        assert np.sqrt(np.mean(samples**2)) > 0.03, track.title
        assert np.max(np.abs(samples)) < 0.95, track.title
        assert np.max(np.abs(samples.mean(axis=0))) < 0.005, track.title
        assert np.abs(samples[:, 0] - samples[:, 1]).max() > 0.01, track.title  # it is stereo


def test_every_track_differs_from_every_other(composed: Path) -> None:
    prints = [_audio(composed / track_path(album, track))[::7].tobytes() for album, track in _every_track()]
    assert len(set(prints)) == len(prints)


def test_the_energy_of_each_track_lies_in_its_key(composed: Path) -> None:
    shares = []
    for album in shortened(1.0):
        for piece in pieces_of(album):
            key = compose_piece(piece).key
            for track in piece.tracks:
                shares.append(_share_in_key(_audio(composed / track_path(album, track)), key))
                assert shares[-1] > 0.65, track.title  # 7 of 12 notes are 0.58 of noise
    assert np.mean(shares) > 0.85


@pytest.mark.parametrize("style", _STYLES)
def test_a_piece_of_full_length_is_in_key_and_fades_to_silence(style: Style) -> None:
    score = arrange(style, 9, 0.6, 30.0, 5)
    samples = play(score, 5)
    assert samples.shape == (2, 30 * 44100)
    assert _share_in_key(samples.T.astype(np.float64), score.key) > 0.75
    assert np.max(np.abs(samples[:, :8])) < 0.1
    assert np.max(np.abs(samples[:, -44:])) < 0.01


def test_the_same_piece_is_composed_and_played_the_same_each_time() -> None:
    first, second = (arrange(LOFI, 5, 0.5, 12.0, 3) for _ in range(2))
    assert first == second
    assert np.array_equal(play(first, 3), play(second, 3))


def test_the_two_tracks_of_the_live_sets_finale_join_without_a_gap(composed: Path) -> None:
    album = next(album for album in shortened(1.0) if album.title == "Vivo en Sevilla")
    piece = pieces_of(album)[-1]
    first, second = (_audio(composed / track_path(album, track)) for track in piece.tracks)
    joined = np.concatenate([first, second])
    whole = np.round(play(compose_piece(piece), piece.seed) * 32767) / 32768
    assert np.array_equal(joined.T, whole)
    steps = np.abs(np.diff(joined, axis=0))
    assert steps[len(first) - 1].max() <= steps[len(first) - 2000 : len(first) + 2000].max()
    assert np.sqrt(np.mean(first[-2000:] ** 2)) > 0.02  # the music goes on over the joint
    assert np.sqrt(np.mean(second[:2000] ** 2)) > 0.02


def test_a_form_covers_every_bar_once_and_comes_home() -> None:
    for bars in range(4, 60):
        sections = form(bars, 4)
        assert sections[0].first_bar == 0
        assert all(one.first_bar + one.bars == other.first_bar for one, other in pairwise(sections))
        assert sections[-1].first_bar + sections[-1].bars == bars
        kinds = "".join(section.kind for section in sections)
        assert kinds.startswith("IA")
        assert kinds.endswith("AO")
        assert bars < 12 or "B" in kinds


@pytest.mark.parametrize("style", _STYLES)
def test_a_piece_has_a_theme_that_returns_a_bass_chords_and_stays_in_its_key(style: Style) -> None:
    score = arrange(style, 2, 0.7, 60.0, 11)
    assert all(note.pitch % 12 in score.key.pitch_classes for note in score.notes)
    players = Counter(note.voice for note in score.notes)
    assert players[style.bass] >= score.bars // 2
    assert any(players[lead] > 8 for lead in style.leads)
    assert len([layer for layer in style.layers if players[layer]]) >= 1
    assert score.hits
    themes = [section for section in score.sections if section.kind == "A"]
    heads = []
    for section in themes[:2]:
        start, end = (section.first_bar * score.bar_seconds + shift for shift in (-0.05, score.bar_seconds - 0.05))
        heads.append([n.pitch for n in score.notes if n.voice in style.leads and start <= n.start < end])
    assert heads[0][:1] == heads[1][:1]


def test_chords_move_by_small_steps() -> None:
    key = Key(57, MODES["minor"])
    before = voice_chord(key, 0, 3, 52, ())
    for root in (5, 2, 6, 3, 4, 0):
        after = voice_chord(key, root, 3, 52, before)
        assert sum(abs(a - b) for a, b in zip(before, after, strict=True)) <= 9
        before = after


def test_a_pattern_is_read_as_beats() -> None:
    assert read_pattern("x-.o", 4) == (Step(0.0, 2.0, "x"), Step(3.0, 1.0, "o"))
    assert read_pattern("c--", 3) == (Step(0.0, 3.0, "c"),)


@pytest.mark.parametrize("name", sorted(INSTRUMENTS))
def test_every_instrument_is_in_tune_and_ends_in_silence(name: str) -> None:
    wanted = frequency(57)
    tone = INSTRUMENTS[name](wanted, 1.0, np.random.default_rng(1))
    mono = np.atleast_2d(tone).mean(axis=0)
    assert np.max(np.abs(np.atleast_2d(tone)[:, -1])) < 0.001
    heard = mono[2000:40000] * np.hanning(38000)
    power = np.abs(np.fft.rfft(heard, 1 << 19))
    frequencies = np.fft.rfftfreq(1 << 19, 1 / 44100)
    cents = np.arange(-60, 61)
    comb = [sum(np.interp(k * wanted * 2 ** (c / 1200), frequencies, power) for k in range(1, 6)) for c in cents]
    assert abs(int(cents[int(np.argmax(comb))])) <= 15


def test_loudness_is_that_of_the_standard() -> None:
    """BS.1770: a stereo sine of 997 Hz whose peak is full scale reads 0 LUFS, each channel alone -3.01."""
    sine = np.sin(2 * np.pi * 997 * np.arange(44100 * 4) / 44100).astype(np.float32)
    assert gain_db([measure(np.stack([sine, sine]))]) == pytest.approx(-18.0, abs=0.05)
    assert gain_db([measure(np.stack([sine, sine * 0]))]) == pytest.approx(-18.0 + 3.01, abs=0.05)


def test_every_album_has_a_cover_of_its_own() -> None:
    covers = [draw_cover(album.cover) for album in ALBUMS]
    assert len(set(covers)) == len(ALBUMS)
    assert all(cover.startswith(b"\xff\xd8") for cover in covers)
