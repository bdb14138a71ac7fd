"""Tuned instruments: each is a function of frequency and held seconds that returns one note, mono or stereo."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from jellytui.demo.composer.sound.waves import (
    Samples,
    contour,
    count_of,
    decay,
    noise,
    oscillate,
    peak_one,
    ring_off,
    saw,
    seconds_of,
    square,
    table,
)

Instrument = Callable[[float, float, np.random.Generator], Samples]

_SINE = (1.0,)


def _string(frequency: float, seconds: float, rng: np.random.Generator, bright: float, sustain: float) -> Samples:
    """A plucked string after Karplus and Strong: a burst of noise that runs round and loses its edge each time.

    `bright` (0 to 1) is how hard the pluck is, `sustain` how much of the tone is left after one second.
    """
    count = count_of(seconds)
    period = max(8, round(44100 / frequency))
    burst = rng.uniform(-1.0, 1.0, period).astype(np.float32)
    softness = round((1.0 - bright) * period * 0.12) + 1
    kernel = np.ones(softness, dtype=np.float32) / softness
    burst = np.convolve(np.tile(burst, 3), kernel, "same")[period : 2 * period].astype(np.float32)
    plucked_at = max(1, round(period * 0.19))
    burst = burst - 0.8 * np.roll(burst, plucked_at)  # a string plucked near its end lacks some harmonics
    burst -= burst.mean()
    loss = np.float32(sustain ** (1.0 / frequency))
    wanted = frequency * (period + 0.5) / 44100  # the mean of two neighbours delays by half a sample
    rounds = int(count * wanted) // period + 2
    turns = np.empty((rounds, period), dtype=np.float32)
    turns[0] = burst
    for now, after in pairwise(turns):
        np.add(now[1:], now[:-1], out=after[1:])
        after[0] = now[0] + now[-1]
        after *= loss * np.float32(0.5)
    tone: Samples = np.interp(np.arange(count) * wanted, np.arange(turns.size), turns.ravel()).astype(np.float32)
    rise = min(count, 40)
    tone[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)  # a finger, not a click
    return tone


def _plucked(bright: float, sustain: float, body: float, release: float = 0.25) -> Instrument:
    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        tone = _string(frequency, held + release, rng, bright, sustain)
        wood = oscillate(table(_SINE), frequency, tone.size) * decay(tone.size, 0.6)
        return ring_off(peak_one(tone) + np.float32(body) * wood, held, release)

    return play


def bouzouki(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """Two steel strings not quite in tune, to the left and to the right."""
    left = _string(frequency * 0.9985, held + 0.3, rng, 0.8, 0.2)
    right = _string(frequency * 1.0015, held + 0.3, rng, 0.8, 0.2)
    both = np.stack([left + 0.5 * right, right + 0.5 * left])
    return ring_off(peak_one(both), held, 0.3)


def koto(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """A hard pluck whose pitch settles in the first moments."""
    tone = _string(frequency, held + 0.6, rng, 0.7, 0.15)
    time = np.arange(tone.size) + 40.0 * (1.0 - np.exp(-np.arange(tone.size) / 3000.0))
    bent = np.interp(time, np.arange(tone.size), tone).astype(np.float32)
    return ring_off(peak_one(bent), held, 0.6)


def _struck(partials: tuple[tuple[float, float, float], ...], release: float, knock: float = 0.0) -> Instrument:
    """Bars, bells and strings under hammers: partials as (ratio, amplitude, seconds to a thousandth at 220 Hz)."""

    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        count = count_of(held + release)
        stretch = (220.0 / frequency) ** 0.45
        tone = np.zeros(count, dtype=np.float32)
        for ratio, amplitude, seconds in partials:
            if ratio * frequency < 14000:
                wave = oscillate(table(_SINE), ratio * frequency, count, phase=float(rng.random()))
                tone += np.float32(amplitude) * wave * decay(count, seconds * stretch)
        if knock:
            size = min(count, 1200)
            tone[:size] += np.float32(knock) * noise(size, rng, 300, 4000) * decay(size, 0.02)
        rise = np.minimum(seconds_of(count) / 0.002, 1.0)
        return ring_off(peak_one(tone * rise), held, release)

    return play


_PIANO = _struck(
    tuple(
        (k * (1 + 0.0004 * k * k) ** 0.5, k**-1.25 * abs(math.sin(math.pi * k / 7.3)) + 0.02, 4.5 / (1 + 0.35 * k))
        for k in range(1, 13)
    ),
    0.35,
    0.05,
)
_VIBRAPHONE = _struck(((1, 1, 4.0), (4, 0.22, 1.2), (10, 0.05, 0.3)), 0.5)
_MUSIC_BOX = _struck(((1, 1, 2.5), (2, 0.3, 1.8), (4, 0.3, 0.9), (8, 0.08, 0.3)), 0.9, 0.08)
_GLASS = _struck(((1, 1, 6.0), (2, 0.25, 4.0), (3, 0.3, 2.5), (6, 0.08, 1.0)), 1.6)
_BELL = _struck(((1, 1, 2.0), (2, 0.6, 1.4), (3, 0.25, 1.0), (4, 0.25, 0.7), (8, 0.12, 0.3)), 0.5)


def piano(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """A piano with its strings slightly apart: the low ones to the left."""
    tone = _PIANO(frequency, held, rng)
    place = float(np.clip(np.log2(frequency / 260.0) / 3.0, -0.6, 0.6))
    return np.stack([tone * np.float32(1 - 0.4 * max(place, 0)), tone * np.float32(1 + 0.4 * min(place, 0))])


def epiano(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """An electric piano: a fork that modulates another, panned to and fro."""
    count = count_of(held + 0.4)
    time = seconds_of(count)
    angle = np.float32(2 * np.pi * frequency) * time
    bite = 1.3 * decay(count, 1.4) + 0.15
    tone = np.sin(angle + bite * np.sin(angle)) + 0.12 * np.sin(14 * angle) * decay(count, 0.25)
    tone = tone * decay(count, 5.0) * np.minimum(time / 0.004, 1.0)
    sway = 0.22 * np.sin(2 * np.pi * 4.6 * time + float(rng.random()) * 6.3)
    return ring_off(peak_one(np.stack([tone * (1 - sway), tone * (1 + sway)])), held, 0.4)


def _blown(harmonics: tuple[float, ...], breath: float, attack: float, vibrato: float) -> Instrument:
    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        count = count_of(held + 0.12)
        within = tuple(each for k, each in enumerate(harmonics, 1) if k * frequency < 15000)
        tone = oscillate(table(within), frequency, count, vibrato=vibrato)
        if breath:
            tone = tone + np.float32(breath) * noise(count, rng, frequency, frequency * 4)
        return tone * contour(count, held * 0.95, attack=attack, release=0.12, sustain=0.8, fall=0.2)

    return play


def accordion(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """Two reeds that beat against each other under a swelling bellows."""
    count = count_of(held + 0.1)
    cycle = square(frequency, 2600.0, 0.32)
    reeds = [oscillate(cycle, frequency * detune, count, phase=float(rng.random())) for detune in (0.9975, 1.0, 1.003)]
    both = np.stack([reeds[0] + reeds[1], reeds[1] + reeds[2]]) * 0.5
    return (both * contour(count, held * 0.96, attack=0.05, release=0.1, sustain=0.85)).astype(np.float32)


def organ(frequency: float, held: float, rng: np.random.Generator) -> Samples:
    """Drawbars, with the slow turn of a rotating loudspeaker."""
    count = count_of(held + 0.05)
    tone = oscillate(table((0.6, 1.0, 0.5, 0.6, 0.0, 0.2, 0.0, 0.25)), frequency, count, phase=float(rng.random()))
    sway = 0.15 * np.sin(2 * np.pi * 6.1 * seconds_of(count))
    both = np.stack([tone * (1 - sway), tone * (1 + sway)]).astype(np.float32)
    return both * contour(count, held, attack=0.008, release=0.05)


def _ensemble(cutoff: float, spread: float, attack: float, release: float) -> Instrument:
    """Four sawtooth players apart in tune and place."""

    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        count = count_of(held + release)
        cycle = saw(frequency, max(cutoff, frequency * 1.5))
        both = np.zeros((2, count), dtype=np.float32)
        for player, place in enumerate((-0.9, -0.3, 0.3, 0.9)):
            detune = 1.0 + spread * (player - 1.5) / 1.5
            wave = oscillate(cycle, frequency * detune, count, phase=float(rng.random()))
            both[0] += wave * np.float32(np.sqrt(0.5 - place / 2))
            both[1] += wave * np.float32(np.sqrt(0.5 + place / 2))
        return both * np.float32(0.4) * contour(count, held, attack=min(attack, held), release=release)

    return play


def _filtered(dark: float, bright: float, fall: float, detune: float = 0.0) -> Instrument:
    """A sawtooth synthesizer: its filter opens with each note and closes within `fall` seconds."""

    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        count = count_of(held + 0.12)
        opened = decay(count, fall)
        phase = float(rng.random())
        low, high = saw(frequency, dark), saw(frequency, bright)
        tone = oscillate(low, frequency, count, phase=phase) * (1 - opened)
        tone += oscillate(high, frequency, count, phase=phase) * opened
        if detune:
            tone = 0.6 * tone + 0.4 * oscillate(low, frequency * (1 + detune), count)
        return np.asarray(tone, np.float32) * contour(count, held, attack=0.004, release=0.12, sustain=0.75, fall=0.15)

    return play


def _chip(width: float, sustain: float) -> Instrument:
    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:  # noqa: ARG001 - one shape for all
        count = count_of(held + 0.02)
        tone = oscillate(square(frequency, 9000.0, width), frequency, count, vibrato=0.15 if held > 0.3 else 0.0)
        return tone * contour(count, held * 0.92, attack=0.003, release=0.02, sustain=sustain, fall=0.08)

    return play


def triangle(frequency: float, held: float, rng: np.random.Generator) -> Samples:  # noqa: ARG001
    """The bass of a games console."""
    count = count_of(held + 0.02)
    harmonics = tuple((-1.0) ** (k // 2) / k**2 if k % 2 else 0.0 for k in range(1, 20))
    tone = oscillate(table(harmonics), frequency, count)
    return tone * contour(count, held * 0.9, attack=0.003, release=0.02)


def sub(frequency: float, held: float, rng: np.random.Generator) -> Samples:  # noqa: ARG001
    """A round bass, with just enough overtones to be heard on small loudspeakers."""
    count = count_of(held + 0.15)
    tone = oscillate(table((1.0, 0.25, 0.08)), frequency, count)
    return tone * contour(count, held, attack=0.015, release=0.15, sustain=0.8, fall=0.5)


def _overdriven(fifth: bool, vibrato: float) -> Instrument:
    """Strings through an amplifier turned up."""

    def play(frequency: float, held: float, rng: np.random.Generator) -> Samples:
        count = count_of(held + 0.08)
        string = _string(frequency, held + 0.08, rng, 0.8, 0.5)
        hum = oscillate(saw(frequency, 2500.0), frequency, count, vibrato=vibrato)
        driven = np.tanh((4.0 if fifth else 3.0) * (0.5 * peak_one(string) + 0.5 * hum))
        smooth: Samples = np.convolve(driven, np.ones(7, np.float32) / 7, "same").astype(np.float32)
        return smooth * contour(count, held * 0.95, attack=0.004, release=0.08, sustain=0.8, fall=0.4)

    return play


INSTRUMENTS: dict[str, Instrument] = {
    "accordion": accordion,
    "acid": _filtered(260.0, 2200.0, 0.35),
    "bell": _BELL,
    "blip": _chip(0.25, 0.35),
    "bouzouki": bouzouki,
    "choir": _ensemble(1100.0, 0.004, 0.6, 1.2),
    "clarinet": _blown((1.0, 0.04, 0.55, 0.05, 0.3, 0.04, 0.14, 0.02, 0.06), 0.015, 0.04, 0.12),
    "crunch": _overdriven(fifth=True, vibrato=0.0),
    "epiano": epiano,
    "flute": _blown((1.0, 0.35, 0.12, 0.05, 0.02), 0.07, 0.06, 0.22),
    "glass": _GLASS,
    "harp": _plucked(0.45, 0.10, 0.2, 0.9),
    "koto": koto,
    "melodica": _blown((1.0, 0.6, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08), 0.03, 0.03, 0.12),
    "music box": _MUSIC_BOX,
    "nylon": _plucked(0.35, 0.10, 0.35),
    "organ": organ,
    "overdriven": _overdriven(fifth=False, vibrato=0.3),
    "pad": _ensemble(650.0, 0.0035, 1.2, 2.0),
    "piano": piano,
    "pulse": _chip(0.25, 0.75),
    "saw lead": _filtered(1200.0, 6000.0, 0.4, 0.006),
    "square": _chip(0.5, 0.75),
    "stab": _filtered(700.0, 4500.0, 0.18, 0.008),
    "steel": _plucked(0.8, 0.14, 0.2),
    "strings": _ensemble(1800.0, 0.004, 0.35, 0.7),
    "sub": sub,
    "supersaw": _ensemble(2400.0, 0.007, 0.08, 0.4),
    "triangle": triangle,
    "upright": _plucked(0.12, 0.05, 1.2, 0.15),
    "vibraphone": _VIBRAPHONE,
}
