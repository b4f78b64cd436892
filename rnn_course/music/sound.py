"""Tunes to the ear: a few partials a note, and a player that a notebook shows."""

import base64
import html
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnn_course.music.files import checked_path
from rnn_course.music.tunes import checked_tune, notes_of, refuse_tempo
from rnn_course.whole_files import written_whole

RATE = 8000  # samples a second
LOUDEST = 0.9  # of what a sample can hold
PARTIALS = np.array([1.0, 0.5, 0.28, 0.16, 0.09, 0.05])  # how loud each multiple of a note's frequency is
RING = 2.0  # seconds until the lowest partial has sunk to 1/e; the n-th one sinks n times as fast
ATTACK, RELEASE = 0.015, 0.04  # seconds until a note is there, and until it is gone


def synthesize(
    voices: Sequence[Sequence[int]],
    *,
    rate: int = RATE,
    step: float = 1.0,
    beats_per_minute: float = 100.0,
    repeat: bool = False,
) -> np.ndarray:
    """Play a tune: six partials a note, which fade in, ring away and fade out before the next note begins.

    Partials at half the rate or above cannot be heard and are left out; at the default rate that is all of a note from
    C8 (108) on. The loudest sample is 0.9, however many voices there are; a tune of rests is silence.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.
        rate: samples a second.
        step: how many quarter notes a frame lasts.
        beats_per_minute: quarter notes a minute, from 4 to 1000.
        repeat: strike a pitch that stays at every frame, instead of holding it.

    Returns:
        `(samples,)` float32 from -0.9 to 0.9.

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers, or another argument is out of bounds.

    Example:
        >>> synthesize([[60, 48], [62, 47]], rate=4000, beats_per_minute=60).shape
        (8000,)
    """
    voices = checked_tune(voices)
    refuse_tempo(step, beats_per_minute)
    if rate < 1000:
        raise ValueError(f"rate is {rate}; pass the samples a second, at least 1000, such as {RATE}.")
    frame = step * 60 / beats_per_minute * rate  # samples
    samples = np.zeros(round(len(voices) * frame))
    for voice in voices.T:
        for start, stop, pitch in notes_of(voice, repeat=repeat):
            first, last = round(start * frame), round(stop * frame)
            samples[first:last] += _tone(pitch, last - first, rate)
    loudest = np.abs(samples).max(initial=0)
    return (samples * (LOUDEST / loudest if loudest else 0)).astype(np.float32)


def _tone(pitch, count, rate):
    """One note, `(count,)` samples that begin and end at 0: equal temperament, A4 (69) at 440 Hz."""
    seconds = np.arange(count) / rate
    multiples = np.arange(1, len(PARTIALS) + 1)
    frequencies = 440 * 2 ** ((pitch - 69) / 12) * multiples
    heard = frequencies < rate / 2
    waves = np.sin(2 * np.pi * frequencies[heard, None] * seconds) * np.exp(-multiples[heard, None] * seconds / RING)
    return PARTIALS[heard] @ waves * _fade(count, ATTACK * rate) * _fade(count, RELEASE * rate)[::-1]


def _fade(count, length):
    """`(count,)` numbers that rise from 0 to 1 like half a cosine within `length`, or within half of a short note."""
    return (1 - np.cos(np.pi * np.minimum(np.arange(count) / max(1.0, min(length, count / 2)), 1))) / 2


def to_wav(samples: np.ndarray, rate: int, *, bits: int = 16) -> bytes:
    """Pack samples as a WAV file of one channel.

    Args:
        samples: `(samples,)` numbers from -1 to 1.
        rate: an int, samples a second.
        bits: a sample's size, 8 or 16.

    Returns:
        The file's bytes, no array.

    Raises:
        ValueError: where the samples are no row of finite numbers from -1 to 1, or the size is another one.

    Example:
        >>> to_wav(np.array([-1.0, 0.0, 1.0]), 8000, bits=8)[-3:]
        b'\\x01\\x80\\xff'
    """
    samples = np.asarray(samples, dtype=float)
    if samples.ndim != 1 or not (np.abs(samples) <= 1).all():
        reach = np.abs(samples).max(initial=0)
        raise ValueError(f"`samples` must be (samples,) from -1 to 1; got shape {samples.shape}, sizes up to {reach}.")
    if bits not in (8, 16):
        raise ValueError(f"bits is {bits}; pass 8 or 16.")
    scaled = np.round(samples * (2 ** (bits - 1) - 1))
    written = (scaled + 128).astype(np.uint8) if bits == 8 else scaled.astype("<i2")
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(written.tobytes())
    return stream.getvalue()


@dataclass(frozen=True, eq=False)
class Sound:
    """Something to hear; a notebook shows it as a player that needs no network.

    Attributes:
        samples: `(samples,)` float32 from -1 to 1.
        rate: samples a second.
        title: what is to be heard, or `None`.
        bits: a sample's size in a notebook, 8 or 16; `save` writes 16.
    """

    samples: np.ndarray = field(repr=False)
    rate: int
    title: str | None = None
    bits: int = 8

    @property
    def seconds(self) -> float:
        """How long it lasts, a scalar."""
        return len(self.samples) / self.rate

    def save(self, path: str | Path) -> Path:
        """Write a WAV file of 16 bits a sample; an existing file is replaced only by a complete one.

        Args:
            path: where to, ending in ".wav".

        Returns:
            The `pathlib.Path` that was written.

        Raises:
            FileNotFoundError: where the folder of `path` does not exist.
            ValueError: where the path ends in something else, or the samples are none.
        """
        packed, path = to_wav(self.samples, self.rate), checked_path(path, (".wav",))
        with written_whole(path) as part:
            part.write_bytes(packed)
        return path

    def __repr__(self) -> str:
        """Return a short form that prints no array."""
        title = f"{self.title!r}, " if self.title else ""
        return f"Sound({title}{self.seconds:.1f} s at {self.rate} Hz)"

    def _repr_html_(self) -> str:
        """The player with the sound inside it; where a page cannot play, words that say so."""
        title = html.escape(self.title or "Sound", quote=True)
        data = base64.b64encode(to_wav(self.samples, self.rate, bits=self.bits)).decode()
        silent = f"{title} ({self.seconds:.0f} s): run the notebook to hear it."
        player = f'<audio controls title="{title}" src="data:audio/wav;base64,{data}">{silent}</audio>'
        return f"<figure><figcaption>{title}</figcaption>{player}</figure>" if self.title else player


def listen(
    voices: Sequence[Sequence[int]],
    *,
    rate: int = RATE,
    step: float = 1.0,
    beats_per_minute: float = 100.0,
    repeat: bool = False,
    title: str | None = None,
) -> Sound:
    """Make a tune a `Sound`; at the defaults, 30 frames take 192 kB of a notebook.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.
        rate: samples a second; the size grows with it.
        step: how many quarter notes a frame lasts.
        beats_per_minute: quarter notes a minute, from 4 to 1000.
        repeat: strike a pitch that stays at every frame, instead of holding it.
        title: what is to be heard.

    Returns:
        A `Sound`.

    Raises:
        ValueError: as in `synthesize`.

    Example:
        >>> listen([[60], [64], [67]], title="C major")
        Sound('C major', 1.8 s at 8000 Hz)
    """
    options = {"step": step, "beats_per_minute": beats_per_minute, "repeat": repeat}
    return Sound(synthesize(voices, rate=rate, **options), rate, title)
