"""Modes, keys and chords: which pitches belong together, and how one chord moves to the next."""

from dataclasses import dataclass

_ALL = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Mode:
    """A scale of seven notes: semitones above the tonic, and the degrees that a melody in it favours."""

    steps: tuple[int, ...]
    melodic: tuple[int, ...] = _ALL


MODES: dict[str, Mode] = {
    "major": Mode((0, 2, 4, 5, 7, 9, 11)),
    "bright pentatonic": Mode((0, 2, 4, 5, 7, 9, 11), (0, 1, 2, 4, 5)),
    "minor": Mode((0, 2, 3, 5, 7, 8, 10)),
    "dark pentatonic": Mode((0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 4, 6)),
    "hirajoshi": Mode((0, 2, 3, 5, 7, 8, 10), (0, 1, 2, 4, 5)),
    "dorian": Mode((0, 2, 3, 5, 7, 9, 10)),
    "lydian": Mode((0, 2, 4, 6, 7, 9, 11)),
    "mixolydian": Mode((0, 2, 4, 5, 7, 9, 10)),
    "phrygian": Mode((0, 1, 3, 5, 7, 8, 10)),
    "hijaz": Mode((0, 1, 4, 5, 7, 8, 10)),
    "harmonic minor": Mode((0, 2, 3, 5, 7, 8, 11)),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (MIDI note number) and its mode. Degrees count scale steps from the tonic; 7 is its octave."""

    tonic: int
    mode: Mode

    def pitch(self, degree: int) -> int:
        """The MIDI note number of a degree, which may be below 0 or above 6."""
        octave, step = divmod(degree, 7)
        return self.tonic + 12 * octave + self.mode.steps[step]

    def lowest_degree(self, pitch: int) -> int:
        """The first degree that is not below a pitch."""
        degree = 7 * ((pitch - self.tonic) // 12)
        while self.pitch(degree) < pitch:
            degree += 1
        return degree

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The notes of the scale, 0 = C to 11 = B."""
        return frozenset((self.tonic + step) % 12 for step in self.mode.steps)


def chord_degrees(root: int, size: int) -> tuple[int, ...]:
    """The degrees of a chord in thirds on a root: three notes, or four with the seventh; as classes 0 to 6."""
    return tuple((root + 2 * third) % 7 for third in range(size))


def voice_chord(key: Key, root: int, size: int, low: int, previous: tuple[int, ...]) -> tuple[int, ...]:
    """The pitches of a chord at or above `low`, in the inversion whose voices move least from the previous chord."""
    floor = key.lowest_degree(low)
    classes = chord_degrees(root, size)
    inversions: list[tuple[int, ...]] = []
    for lowest in range(floor, floor + 7):
        if lowest % 7 not in classes:
            continue
        above = sorted(lowest + (degree - lowest) % 7 for degree in classes)
        inversions.append(tuple(key.pitch(degree) for degree in above))
    if len(previous) != size:
        return next(voicing for voicing in inversions if (voicing[0] - key.pitch(root)) % 12 == 0)
    return min(inversions, key=lambda voicing: sum(abs(a - b) for a, b in zip(voicing, previous, strict=True)))


def frequency(pitch: float) -> float:
    """The frequency of a MIDI note number in Hz, equal temperament at A = 440."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))
