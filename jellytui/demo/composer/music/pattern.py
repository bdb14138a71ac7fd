"""The notation of rhythms: one bar as a string, a character a step.

`.` is silence and `-` holds the note before; any other sign begins a note, and its reader knows what it means:
chords   `c` all notes, `s` strummed down, `u` strummed up, a digit one note of the chord (3 is above the third one)
bass     `0` the root, `3` the third, `5` the fifth, `8` the octave, `a` a step below the next root
drums    `x` loud, `o` soft; `-` is not used
melody   `x`
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A note of a pattern: where it begins and how long it is, in beats from the start of the bar, and its sign."""

    beat: float
    length: float
    sign: str


def read_pattern(pattern: str, beats: int) -> tuple[Step, ...]:
    """The notes of a bar of so many beats."""
    unit = beats / len(pattern)
    steps: list[Step] = []
    for place, sign in enumerate(pattern):
        if sign in ".-":
            continue
        held = len(pattern[place + 1 :]) - len(pattern[place + 1 :].lstrip("-"))
        steps.append(Step(place * unit, (1 + held) * unit, sign))
    return tuple(steps)
