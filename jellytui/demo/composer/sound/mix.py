"""Plays a score: places every note and stroke, adds hall, echo and pump, and limits softly."""

import numpy as np

from jellytui.demo.composer.music.arrange import Note, Score
from jellytui.demo.composer.music.theory import frequency
from jellytui.demo.composer.sound.drums import DRUMS
from jellytui.demo.composer.sound.instruments import INSTRUMENTS
from jellytui.demo.composer.sound.waves import SAMPLE_RATE, Samples, convolve, count_of, decay, noise, seconds_of

_CEILING = 0.9  # about -0.9 dBFS
_ECHOES = 3
_WET = ("clap", "palmas", "snare", "rim", "slap", "lofi snare")  # drums that are heard in the hall


def play(score: Score, seed: int) -> Samples:
    """The whole piece: shape (2, samples), peak below 0.9, exactly `score.seconds` long."""
    return _Mixer(score, seed).mix()


class _Mixer:
    """Two busses, music and drums, and the sends to the hall; each distinct note is played once and kept."""

    def __init__(self, score: Score, seed: int) -> None:
        self._score = score
        self._rng = np.random.default_rng(seed)
        self._count = count_of(score.seconds)
        self._music: Samples = np.zeros((2, self._count), dtype=np.float32)
        self._drums: Samples = np.zeros((2, self._count), dtype=np.float32)
        self._hall: Samples = np.zeros(self._count, dtype=np.float32)

    def mix(self) -> Samples:
        """Plays everything."""
        played: dict[tuple[str, int, int], Samples] = {}
        for note in self._score.notes:
            if note.start >= self._score.seconds:
                continue
            held = max(1, round(note.length * 50))  # lengths are told apart by 20 ms, so that notes are shared
            key = (note.voice.instrument, note.pitch, held)
            if key not in played:
                played[key] = INSTRUMENTS[note.voice.instrument](frequency(note.pitch), held / 50, self._rng)
            self._place(note, played[key])
        self._beat()
        if self._score.style.pump:
            self._music *= self._pump()
        mixed = self._music + self._drums + self._reverberate()
        return self._master(mixed)

    def _place(self, note: Note, tone: Samples) -> None:
        voice = note.voice
        gain = voice.gain * note.velocity**1.3
        _add(self._music, tone, note.start, gain, voice.pan)
        _send(self._hall, tone, note.start, gain * voice.room)
        delay = self._score.bar_seconds / self._score.style.beats * 0.75
        for repeat in range(1, _ECHOES + 1 if voice.echo else 1):
            pan = voice.pan if repeat % 2 == 0 else -voice.pan - 0.3
            level = gain * voice.echo**repeat
            _add(self._music, tone, note.start + repeat * delay, level, float(np.clip(pan, -1, 1)))
            _send(self._hall, tone, note.start + repeat * delay, level * voice.room)

    def _beat(self) -> None:
        strokes = {name: DRUMS[name](self._rng) for name in sorted({hit.beat.drum for hit in self._score.hits})}
        for hit in self._score.hits:
            gain = hit.beat.gain * hit.velocity
            _add(self._drums, strokes[hit.beat.drum], hit.start, gain, hit.beat.pan)
            if hit.beat.drum in _WET:
                _send(self._hall, strokes[hit.beat.drum], hit.start, gain * 0.2)

    def _pump(self) -> Samples:
        """The music steps back at each beat of the kick drum."""
        beat = self._score.bar_seconds / self._score.style.beats
        since = np.mod(seconds_of(self._count), np.float32(beat))
        shape = 1.0 - self._score.style.pump * np.exp(-since / np.float32(0.09))
        kicks = [hit.start for hit in self._score.hits if hit.beat.drum == "kick"]
        if not kicks:
            return np.ones(self._count, dtype=np.float32)
        first, last = count_of(min(kicks)), count_of(max(kicks) + beat)
        shape[:first] = shape[last:] = 1.0
        return np.convolve(shape, np.ones(128, np.float32) / 128, "same").astype(np.float32)

    def _reverberate(self) -> Samples:
        """The hall: convolution with decaying noise, at half the sample rate, as a hall has no high notes to lose."""
        style = self._score.style
        send = self._hall[: self._count // 2 * 2].reshape(-1, 2).mean(axis=1)
        length = count_of(style.hall_seconds) // 2
        tails: Samples = np.stack([noise(length, self._rng, 300, 7000) for _ in range(2)])
        tails *= decay(length, style.hall_seconds / 2)
        tails[:, : count_of(0.012) // 2] = 0.0
        tails *= np.float32(style.hall_gain) / np.sqrt(np.sum(tails**2, axis=1, keepdims=True))
        wet = np.zeros((2, self._count), dtype=np.float32)
        _double(convolve(send, tails), wet)
        return wet

    def _master(self, mixed: Samples) -> Samples:
        mixed -= mixed.mean(axis=1, keepdims=True)
        style = self._score.style
        level = float(np.sqrt(np.mean(mixed**2)))
        mixed *= np.float32(10.0 ** (style.loudness / 20.0) / max(level, 1e-6))
        mixed = np.float32(_CEILING) * np.tanh(mixed / np.float32(_CEILING))
        whole = len(self._score.sections) > 1
        fade = count_of(style.tail_seconds + 1.5 * self._score.bar_seconds if whole else 0.08)
        rise = count_of(0.004)
        mixed[:, :rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
        mixed[:, -fade:] *= np.cos(np.linspace(0.0, np.pi / 2, min(fade, self._count), dtype=np.float32))
        return mixed


def _add(bus: Samples, tone: Samples, start: float, gain: float, pan: float) -> None:
    """Adds a mono or stereo tone to a stereo bus, at equal power for every place between the loudspeakers."""
    first = round(start * SAMPLE_RATE)
    part = tone[..., : max(0, bus.shape[1] - first)]
    angle = (pan + 1.0) * np.pi / 4
    bus[0, first : first + part.shape[-1]] += part[0 if part.ndim == 2 else ...] * np.float32(
        gain * np.cos(angle) * 1.2
    )
    bus[1, first : first + part.shape[-1]] += part[1 if part.ndim == 2 else ...] * np.float32(
        gain * np.sin(angle) * 1.2
    )


def _send(bus: Samples, tone: Samples, start: float, gain: float) -> None:
    first = round(start * SAMPLE_RATE)
    part = tone[..., : max(0, bus.size - first)]
    mono = part.mean(axis=0) if part.ndim == 2 else part
    bus[first : first + mono.size] += mono * np.float32(gain)


def _double(sound: Samples, out: Samples) -> None:
    """Writes a sound of half the sample rate into one of the whole, each new sample on the line between two old."""
    even, odd = out[..., 0::2][..., : sound.shape[-1]], out[..., 1::2][..., : sound.shape[-1]]
    even[:] = odd[:] = 0.75 * sound
    quarter = 0.25 * sound
    even[..., 1:] += quarter[..., :-1]
    odd[..., :-1] += quarter[..., 1:]
