"""Melodies: a motif, and its development over the chords of a phrase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jellytui.demo.composer.music.pattern import Step
from jellytui.demo.composer.music.theory import Key, chord_degrees

_SPAN = 11  # degrees that a melody may use: an octave and a half


@dataclass(frozen=True, slots=True)
class Motif:
    """A short idea: the rhythm of one bar, and how far each of its notes lies from the first, in scale steps."""

    rhythm: tuple[Step, ...]
    contour: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sung:
    """One note of a melody: place and length in beats from the start of the phrase, MIDI pitch, velocity 0 to 1."""

    beat: float
    length: float
    pitch: int
    velocity: float


def invent_motif(rhythm: tuple[Step, ...], rng: np.random.Generator) -> Motif:
    """A motif that moves mostly by step, with one leap that the next notes walk back."""
    contour, place = [0], 0
    leap_at = int(rng.integers(1, max(2, len(rhythm))))
    direction = 1 if rng.random() < 0.6 else -1
    for note in range(1, len(rhythm)):
        if note == leap_at:
            place += direction * int(rng.choice([2, 3, 4]))
            direction = -direction
        else:
            place += direction * int(rng.choice([0, 1, 1, 1, 2]))
            direction = -direction if rng.random() < 0.2 else direction
        contour.append(place)
    return Motif(rhythm, tuple(contour))


def develop(
    key: Key, chords: Sequence[int], motif: Motif, *, beats: int, low: int, ornaments: float, rng: np.random.Generator
) -> list[Sung]:
    """A phrase: the motif, its sequence, its inversion, then a cadence, fitted to one chord (a root degree) a bar.

    `low` is the lowest MIDI pitch; `ornaments` (0 to 1) is how often a long note is broken by its neighbour.
    """
    floor = key.lowest_degree(low)
    previous = floor + _SPAN // 2
    sung: list[Sung] = []
    for bar, root in enumerate(chords):
        last, role = bar == len(chords) - 1, bar % 4
        tones = chord_degrees(root, 3)
        if last or role == 3:
            rest = _nearest(previous, tones[:1] if last else tones)
            line = [(step, rest + above) for step, above in zip(_cadence(beats), (2, 1, 0), strict=True)]
        else:
            turned = -1 if role == 2 else 1
            anchor = _nearest(previous + (role == 1), tones)
            offsets = [turned * offset for offset in motif.contour]
            line = [(step, anchor + offset) for step, offset in zip(motif.rhythm, offsets, strict=True)]
        for step, wanted in line:
            resting = step.beat == 0 or step.length >= 2
            degree = _nearest(_within(wanted, floor), tones if resting else key.mode.melodic)
            velocity = 0.85 if step.beat == 0 else 0.75 if resting else 0.65
            place = bar * beats + step.beat
            if 1 <= step.length < 3 and not last and rng.random() < ornaments:
                neighbour = _nearest(_within(degree + int(rng.choice([-1, 1])), floor), key.mode.melodic)
                half = step.length / 2
                sung.append(Sung(place, half, key.pitch(degree), velocity))
                sung.append(Sung(place + half, half, key.pitch(neighbour), velocity * 0.8))
            else:
                sung.append(Sung(place, step.length, key.pitch(degree), velocity))
            previous = degree
    return sung


def _cadence(beats: int) -> tuple[Step, ...]:
    """Two short notes that walk down to a long one, which rests for the rest of the bar."""
    return (Step(0.0, 0.5, "x"), Step(0.5, 0.5, "x"), Step(1.0, float(beats - 1), "x"))


def _nearest(degree: int, classes: Sequence[int]) -> int:
    """The degree nearest to one whose class (0 to 6) is among those given; the lower of two."""
    return min(range(degree - 4, degree + 5), key=lambda each: (each % 7 not in classes, abs(each - degree)))


def _within(degree: int, floor: int) -> int:
    """The same note by octaves, inside the range of the melody."""
    while degree < floor:
        degree += 7
    while degree > floor + _SPAN:
        degree -= 7
    return degree
