"""Composes a piece: its form, its chords, and every note of every player, from a style and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jellytui.demo.composer.music.melody import Motif, develop, invent_motif
from jellytui.demo.composer.music.pattern import Step, read_pattern
from jellytui.demo.composer.music.styles import Beat, Style, Voice
from jellytui.demo.composer.music.theory import MODES, Key, voice_chord

_SHORT = 8.0  # seconds below which a piece is only the beginning of its theme
_STRUM_SECONDS = 0.016


@dataclass(frozen=True, slots=True)
class Note:
    """One tone: start and length in seconds, MIDI pitch, velocity 0 to 1, and who plays it."""

    start: float
    length: float
    pitch: int
    velocity: float
    voice: Voice


@dataclass(frozen=True, slots=True)
class Hit:
    """One stroke of a drum, at a time in seconds."""

    start: float
    velocity: float
    beat: Beat


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the form: I intro, A theme, B contrast, O outro; its bars, how full it is (0 to 1), its repeats."""

    kind: str
    first_bar: int
    bars: int
    intensity: float
    repeat: int


@dataclass(frozen=True, slots=True)
class Score:
    """A piece to be played: `seconds` in all, of which the last bar ends at `bars * bar_seconds` and the rest rings."""

    key: Key
    style: Style
    seconds: float
    bars: int
    bar_seconds: float
    sections: tuple[Section, ...]
    notes: tuple[Note, ...]
    hits: tuple[Hit, ...]


def form(bars: int, phrase: int) -> tuple[Section, ...]:
    """The sections of a piece of so many bars: intro, themes and contrasts of one phrase each, outro."""
    if bars < 4:
        return (Section("A", 0, bars, 0.8, 0),)
    outside = max(2, bars // 6)
    while phrase > 2 and (bars - outside) // phrase < 3:
        phrase //= 2
    count = (bars - outside) // phrase
    spare = bars - count * phrase
    body = {1: "A", 2: "AA", 3: "ABA"}.get(count) or ("AABABA" * count)[: count - 1] + "A"
    sections = [Section("I", 0, spare // 2, 0.4, 0)]
    for number, kind in enumerate(body):
        risen = number / count
        intensity = 0.62 + 0.38 * risen if kind == "A" else 0.72 + 0.2 * risen
        first = spare // 2 + number * phrase
        sections.append(Section(kind, first, phrase, intensity, body[:number].count(kind)))
    last = spare // 2 + count * phrase
    return (*sections, Section("O", last, bars - last, 0.5, 0))


def arrange(style: Style, tonic: int, energy: float, seconds: float, seed: int) -> Score:
    """Composes a piece of exactly so many seconds. `tonic` is a pitch class, `energy` 0 calm to 1 lively."""
    return _Arranger(style, tonic, energy, seconds, seed).score()


class _Arranger:
    """Chooses once for the whole piece (key, tempo, progressions, motifs, patterns), then writes bar by bar."""

    def __init__(self, style: Style, tonic: int, energy: float, seconds: float, seed: int) -> None:
        self._rng = rng = np.random.default_rng(seed)
        self._style = style
        self._seconds = seconds
        self._energy = energy
        self._key = Key(48 + tonic, MODES[str(rng.choice(style.modes))])
        low, high = style.tempo
        bar = 60.0 / (low + (high - low) * energy) * style.beats
        whole = seconds >= _SHORT
        self._tail = style.tail_seconds if whole else 0.0
        self._bars = max(4, round((seconds - self._tail) / bar)) if whole else 2
        self._bar_seconds = (seconds - self._tail) / self._bars if whole else bar
        self._sections = form(self._bars, style.phrase)
        first, second = rng.permutation(len(style.progressions))[:2]
        self._progressions = {"A": style.progressions[first], "B": style.progressions[second]}
        self._leads = [style.leads[int(number)] for number in rng.permutation(len(style.leads))]
        self._motifs = {kind: self._motif(self._lead(kind)) for kind in "AB"}
        self._patterns = {voice: self._choose(voice) for voice in (*style.layers, style.bass)}
        self._groove = style.grooves[int(rng.integers(len(style.grooves)))]
        self._notes: list[Note] = []
        self._hits: list[Hit] = []

    def score(self) -> Score:
        """Writes every section."""
        voicings: dict[Voice, tuple[int, ...]] = {}
        for section in self._sections:
            chords = self._chords(section)
            intensity = section.intensity * (0.6 + 0.4 * self._energy)
            for layer in self._style.layers:
                if intensity >= layer.above * (0.6 + 0.4 * self._energy):
                    voicings[layer] = self._layer(section, layer, chords, voicings.get(layer, ()))
            if section.intensity >= self._style.bass.above:
                self._bass(section, chords)
            if section.kind in "AB":
                self._melody(section, chords)
            self._drums(section, intensity)
        if self._sections[-1].kind == "O":
            self._farewell()
        return Score(
            self._key, self._style, self._seconds, self._bars, self._bar_seconds,
            self._sections, tuple(self._notes), tuple(self._hits),
        )  # fmt: skip

    def _lead(self, kind: str) -> Voice:
        return self._leads[-1 if kind == "B" else 0]

    def _motif(self, lead: Voice) -> Motif:
        return invent_motif(read_pattern(str(self._rng.choice(lead.patterns)), self._style.beats), self._rng)

    def _choose(self, voice: Voice) -> tuple[Step, ...]:
        return read_pattern(str(self._rng.choice(voice.patterns)), self._style.beats)

    def _chords(self, section: Section) -> list[int]:
        """The root degree of each bar; the contrast leads back by its last chord, the piece ends on its tonic."""
        progression = self._progressions["B" if section.kind == "B" else "A"]
        roots = [progression[bar % len(progression)] for bar in range(section.bars)]
        if section.kind == "B" and section.bars > 1:
            roots[-1] = 4 if self._key.mode.steps[4] == 7 and self._key.mode.steps[1] == 2 else 6
        if section.kind == "O":
            roots[-1] = 0
        return roots

    def _at(self, bar: int, beat: float) -> float:
        """The time of a place in the piece, in seconds; off-beats of a swinging style come late."""
        late = self._style.swing * 0.5 if beat % 1 == 0.5 else 0.0
        return (bar + (beat + late) / self._style.beats) * self._bar_seconds

    def _add(
        self, voice: Voice, bar: int, beat: float, length: float, pitch: int, velocity: float, late: float
    ) -> None:
        drift = self._rng.normal(0.0, self._style.loose) if self._style.loose else 0.0
        start = max(0.0, self._at(bar, beat) + late + drift)
        seconds = length * self._bar_seconds / self._style.beats
        touch = velocity * (1.0 + 0.08 * self._rng.standard_normal())
        self._notes.append(Note(start, seconds, pitch, float(np.clip(touch, 0.1, 1.0)), voice))

    def _layer(
        self, section: Section, voice: Voice, chords: Sequence[int], previous: tuple[int, ...]
    ) -> tuple[int, ...]:
        """The chords of one accompanying player; returns the last voicing, from which the next section goes on."""
        power = voice.instrument == "crunch"
        for number, root in enumerate(chords):
            bar = section.first_bar + number
            if power:
                degree = self._key.lowest_degree(voice.low)
                degree += (root - degree) % 7
                previous = (self._key.pitch(degree), self._key.pitch(degree + 4))
            else:
                previous = voice_chord(self._key, root, self._style.chord_size, voice.low, previous)
            last = section.kind == "O" and number == len(chords) - 1
            steps = (Step(0.0, self._style.beats, "s"),) if last else self._patterns[voice]
            for step in steps:
                self._strike(voice, bar, step, previous)
        return previous

    def _strike(self, voice: Voice, bar: int, step: Step, chord: tuple[int, ...]) -> None:
        velocity = 0.8 if step.beat == 0 else 0.65
        if step.sign.isdigit():
            octave, tone = divmod(int(step.sign), len(chord))
            self._add(voice, bar, step.beat, step.length, chord[tone] + 12 * octave, velocity, 0.0)
            return
        ordered = tuple(reversed(chord)) if step.sign == "u" else chord
        for place, pitch in enumerate(ordered):
            late = place * _STRUM_SECONDS if step.sign in "su" else 0.0
            self._add(voice, bar, step.beat, step.length, pitch, velocity, late)

    def _bass(self, section: Section, chords: Sequence[int]) -> None:
        voice = self._style.bass
        floor = self._key.lowest_degree(voice.low)
        for number, root in enumerate(chords):
            following = chords[(number + 1) % len(chords)]
            lowest = floor + (root - floor) % 7
            last = section.kind == "O" and number == len(chords) - 1
            for step in (Step(0.0, self._style.beats, "0"),) if last else self._patterns[voice]:
                approach = floor + (following - floor) % 7 - 1
                degree = {"0": lowest, "3": lowest + 2, "5": lowest + 4, "8": lowest + 7, "a": approach}[step.sign]
                velocity = 0.85 if step.beat == 0 else 0.7
                pitch = self._key.pitch(degree)
                self._add(voice, section.first_bar + number, step.beat, step.length, pitch, velocity, 0.0)

    def _melody(self, section: Section, chords: Sequence[int]) -> None:
        voice = self._lead(section.kind)
        low = voice.low + (3 if section.kind == "B" else 0)
        ornaments = 0.15 * min(section.repeat, 3)
        phrase = develop(
            self._key, chords, self._motifs[section.kind],
            beats=self._style.beats, low=low, ornaments=ornaments, rng=self._rng,
        )  # fmt: skip
        for sung in phrase:
            bar, beat = divmod(sung.beat, self._style.beats)
            self._add(voice, section.first_bar + int(bar), beat, sung.length, sung.pitch, sung.velocity, 0.0)

    def _farewell(self) -> None:
        """The theme's first notes once more in the outro if it is long enough, and the tonic to end on."""
        outro, voice = self._sections[-1], self._lead("A")
        degree = self._key.lowest_degree(voice.low)
        degree += -degree % 7
        theme = self._motifs["A"]
        remembered = 3 if outro.bars > 1 else 0
        for step, offset in zip(theme.rhythm[:remembered], theme.contour[:remembered], strict=True):
            wanted = degree + offset
            while wanted % 7 not in self._key.mode.melodic:
                wanted -= 1
            self._add(voice, outro.first_bar, step.beat, step.length, self._key.pitch(wanted), 0.55, 0.0)
        last = outro.first_bar + outro.bars - 1
        self._add(voice, last, 0.0, self._style.beats, self._key.pitch(degree), 0.6, 0.0)

    def _drums(self, section: Section, intensity: float) -> None:
        beats = self._style.beats
        scale = 0.6 + 0.4 * self._energy
        for bar in range(section.first_bar, section.first_bar + section.bars):
            closing = bar == section.first_bar + section.bars - 1
            final = closing and section.kind == "O"
            for beat in self._groove:
                if intensity < beat.above * scale:
                    continue
                for step in read_pattern(beat.pattern, beats):
                    if final and step.beat > 0:
                        continue
                    loud = 0.9 if step.sign == "x" else 0.45
                    touch = loud * (1.0 + 0.06 * self._rng.standard_normal())
                    self._hits.append(Hit(self._at(bar, step.beat), float(np.clip(touch, 0.1, 1.0)), beat))
            if closing and section.kind in "AB" and section.intensity > 0.6:
                self._fill(bar)

    def _fill(self, bar: int) -> None:
        """Leads into the next section: the groove's second drum in rising sixteenths on the last beat."""
        played = [beat for beat in self._groove if beat.drum not in {"sea", "vinyl", "soft kick", "kick"}]
        if not played or self._energy < 0.4:
            return
        for number in range(4):
            start = self._at(bar, self._style.beats - 1 + number / 4)
            self._hits.append(Hit(start, 0.4 + 0.15 * number, played[0]))
