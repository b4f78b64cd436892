"""Tunes on paper and to the ear: MIDI files, sound, and the rules of part writing, counted.

A tune is `(time, voices)` integers: MIDI numbers from 1 to 127 (60 is middle C), 0 where a voice rests, the highest
voice first. A frame lasts `step` quarter notes, and a beat is a quarter note. A pitch that stays is ONE held note, as
these arrays do not say whether it was struck again; `repeat=True` strikes it at every frame.

* Paper: `note_name`, `notes_of`, `write_midi`.
* Ear: `listen` gives a `Sound`, which a notebook plays; `synthesize` and `to_wav` are its two halves.
* Rules: `parallel_fifths`, `parallel_octaves`, `voice_crossings`, `dissonances` and `out_of_range` say where;
  `part_writing` says how often.

NumPy and the standard library; `mido` where a file is written.
"""

import base64
import html
import io
import os
import uuid
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CHOIR_VOICES = ("soprano", "alto", "tenor", "bass")
CHOIR_RANGES = ((60, 81), (53, 74), (48, 69), (40, 64))
"""Lowest and highest note of soprano (C4 to A5), alto (F3 to D5), tenor (C3 to A4) and bass (E2 to E4): `(4, 2)`.

Some collections are written an octave higher than a choir sings; add 12 to the ranges there.
"""

TICKS = 480  # of a MIDI file, a quarter note
DRUMS = 9  # the channel that General MIDI keeps for them, counted from 0
MOST_VOICES = 15  # a channel each, without that of the drums
CHURCH_ORGAN = 19  # General MIDI, counted from 0: it holds a note as long as it is written
LOUDNESS = 80  # of a MIDI note, from 1 to 127
SLOWEST, FASTEST = 4, 1000  # quarter notes a minute; a MIDI file holds none slower than 3.6

RATE = 8000  # samples a second
LOUDEST = 0.9  # of what a sample can hold
PARTIALS = np.array([1.0, 0.5, 0.28, 0.16, 0.09, 0.05])  # how loud each multiple of a note's frequency is
RING = 2.0  # seconds until the lowest partial has sunk to 1/e; the n-th one sinks n times as fast
ATTACK, RELEASE = 0.015, 0.04  # seconds until a note is there, and until it is gone

DISSONANT = (1, 2, 6, 10, 11)
"""Minor and major second, tritone, minor and major seventh, in semitones above a number of whole octaves: `(5,)`."""


# --- paper ------------------------------------------------------------------------------------------------------------


class Note(NamedTuple):
    """One held note of a voice, or something of a tune that lasts.

    Attributes:
        start: the frame at which it begins.
        stop: the first frame at which it no longer sounds.
        pitch: its MIDI number.
    """

    start: int
    stop: int
    pitch: int


def note_name(midi: int) -> str:
    """Name a note: letter and octave, with C4 as middle C; every black key is named as a sharp.

    Args:
        midi: int from 0 to 127; 0 is a rest.

    Returns:
        A str.

    Raises:
        ValueError: where the number is none of these.

    Example:
        >>> [note_name(midi) for midi in (60, 61, 21, 0)]
        ['C4', 'C#4', 'A0', 'rest']
    """
    if midi not in range(128):
        raise ValueError(f"{midi!r} is no MIDI number; pass an integer from 1 to 127, or 0 for a rest.")
    return f"{NAMES[midi % 12]}{midi // 12 - 1}" if midi else "rest"


def notes_of(voice: Sequence[int], *, repeat: bool = False) -> list[Note]:
    """List the notes of one voice: a pitch that stays for several frames is one long note.

    Args:
        voice: `(time,)` MIDI numbers, 0 where it rests.
        repeat: strike a pitch at every frame, so that each note lasts one.

    Returns:
        A list of `Note`, in order; rests are left out.

    Raises:
        ValueError: where `voice` is no row of MIDI numbers.

    Example:
        >>> notes_of([60, 60, 0, 62])
        [Note(start=0, stop=2, pitch=60), Note(start=3, stop=4, pitch=62)]
    """
    if np.ndim(voice) != 1:
        raise ValueError(f"`voice` must be (time,); got shape {np.shape(voice)}. Pick one voice, such as voices[:, 0].")
    row = _checked(np.reshape(voice, (-1, 1)))[:, 0]
    struck = np.diff(row, prepend=-1) != 0
    starts = np.flatnonzero(struck | repeat)
    stops = np.append(starts[1:], len(row))
    found = zip(starts.tolist(), stops.tolist(), row[starts].tolist(), strict=True)
    return [Note(*entry) for entry in found if entry[2]]


def write_midi(
    voices: Sequence[Sequence[int]],
    path: str | Path,
    *,
    step: float = 1.0,
    beats_per_minute: float = 100.0,
    program: int = CHURCH_ORGAN,
    repeat: bool = False,
) -> Path:
    """Write a tune as a MIDI file with one track for each voice; an existing file is replaced only by a complete one.

    Every voice has a channel of its own, so that two of them may sound the same note. The tempo stands in the first
    track, and every track ends with the tune, rests at its end included.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.
        path: where to, ending in ".mid" or ".midi".
        step: how many quarter notes a frame lasts.
        beats_per_minute: quarter notes a minute, from 4 to 1000.
        program: the instrument's number in General MIDI, from 0 to 127: 0 piano, 19 church organ, 52 choir.
        repeat: strike a pitch that stays at every frame, instead of holding it.

    Returns:
        The `pathlib.Path` that was written.

    Raises:
        FileNotFoundError: where the folder of `path` does not exist.
        ValueError: where the tune has more than 15 voices, is no `(time, voices)` of MIDI numbers, or another argument
            is out of bounds.
    """
    import mido

    voices, path = _checked(voices), _checked_path(path, (".mid", ".midi"))
    _refuse_tempo(step, beats_per_minute)
    _refuse_instruments(voices.shape[1], program, step)
    tracks = []
    for number, name in enumerate(_names(voices.shape[1])):
        channel = number + (number >= DRUMS)
        heading = [
            mido.MetaMessage("track_name", name=name),
            mido.Message("program_change", channel=channel, program=program),
        ]
        notes = notes_of(voices[:, number], repeat=repeat)
        tracks.append(mido.MidiTrack(heading + _messages(notes, len(voices), step, channel)))
    tracks[0].insert(0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(beats_per_minute)))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS, tracks=tracks)
    return _replace(path, lambda stream: file.save(file=stream))


def _refuse_instruments(voices, program, step):
    """Raise an error unless a MIDI file can hold so many voices, a program and a step; takes and returns no arrays."""
    if voices > MOST_VOICES:
        raise ValueError(
            f"There are {voices} voices, and MIDI has {MOST_VOICES} channels beside that of the drums. Write some of "
            f"them, such as voices[:, :{MOST_VOICES}]."
        )
    if program not in range(128):
        raise ValueError(f"program is {program!r}; pass an instrument of General MIDI, an integer from 0 to 127.")
    if step * TICKS < 1:
        raise ValueError(f"A step of {step} quarter notes is shorter than the 1/{TICKS} that the file can tell apart.")


def _messages(notes, frames, step, channel):
    """The messages of one track, each with the ticks since the one before; rounded once, so that no error grows."""
    import mido

    events = [(frame, kind, pitch) for *ends, pitch in notes for frame, kind in zip(ends, ("on", "off"), strict=True)]
    events.sort(key=lambda event: event[:2])  # "off" before "on": a note that is struck again ends first
    now, messages = 0, []
    for frame, kind, pitch in events:
        then = round(frame * step * TICKS)
        loud = LOUDNESS if kind == "on" else 0
        messages.append(mido.Message(f"note_{kind}", channel=channel, note=pitch, velocity=loud, time=then - now))
        now = then
    return [*messages, mido.MetaMessage("end_of_track", time=round(frames * step * TICKS) - now)]


def _names(count):
    """What the voices are called; takes and returns no arrays."""
    return CHOIR_VOICES if count == len(CHOIR_VOICES) else [f"voice {number}" for number in range(1, count + 1)]


def _checked(voices):
    """A tune as `(time, voices)` int64, or an error that says what is wrong with it."""
    try:
        given = np.asarray(voices)
    except ValueError as problem:
        raise ValueError(f"`voices` must be (time, voices), equally long rows of MIDI numbers: {problem}.") from None
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(
            f"`voices` must be (time, voices), a column for each voice and no empty axis; got shape {given.shape}. "
            "Pick one tune."
        )
    if given.dtype.kind not in "iu":
        raise ValueError(
            f"`voices` must be MIDI numbers, integers with 0 for a rest; got {given.dtype}. A roll of "
            "True and False must be made voices first, by `rnn_course.data.to_voices`."
        )
    if given.min() < 0 or given.max() > 127:
        raise ValueError(f"`voices` holds numbers from {given.min()} to {given.max()}; MIDI numbers go from 0 to 127.")
    return given.astype(np.int64)


def _refuse_tempo(step, beats_per_minute):
    """Raise an error unless a frame lasts and the tempo can be written; takes and returns no arrays."""
    if not (0 < step < np.inf and SLOWEST <= beats_per_minute <= FASTEST):
        raise ValueError(
            f"step is {step} and beats_per_minute {beats_per_minute}; pass a step above 0 (in quarter notes) and from "
            f"{SLOWEST} to {FASTEST} beats a minute."
        )


def _checked_path(path, endings):
    """The path of a file to be written, or an error that says what is wrong with it; takes and returns no arrays."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise ValueError(f"The name must end in {' or '.join(endings)}; got {path.name!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} for {path.name}; make it first, or name another.")
    return path


def _replace(path, write):
    """Let `write(stream)` fill a file beside `path`, and move it there when it is complete."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(part, "xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


# --- ear --------------------------------------------------------------------------------------------------------------


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
    voices = _checked(voices)
    _refuse_tempo(step, beats_per_minute)
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
        packed = to_wav(self.samples, self.rate)
        return _replace(_checked_path(path, (".wav",)), lambda stream: stream.write(packed))

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


# --- rules ------------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """How often something was found in a tune, and where.

    Attributes:
        count: how often.
        places: one entry for each; the function says what it holds. Frames and voices are counted from 0.
    """

    count: int
    places: list


def parallel_fifths(voices: Sequence[Sequence[int]]) -> Found:
    """Find parallel fifths: two voices a perfect fifth apart move in the same direction to a perfect fifth again.

    A fifth and whole octaves (a twelfth, …) count as a fifth. Voices that stay, or move against each other, make no
    parallel; nor does a voice that rests in one of the two frames.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.

    Returns:
        A `Found` with the places (frame, voice, other voice), the frame being that of the second fifth.

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers.

    Example:
        >>> parallel_fifths([[67, 60], [69, 62], [69, 62]])  # C and G, D and A, and D and A held
        Found(count=1, places=[(1, 0, 1)])
    """
    return _parallels(voices, 7)


def parallel_octaves(voices: Sequence[Sequence[int]]) -> Found:
    """Find parallel octaves: two voices whole octaves apart move in the same direction to whole octaves again.

    Unisons count, as zero octaves. Voices that stay, or move against each other, make no parallel; nor does a voice
    that rests in one of the two frames.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.

    Returns:
        A `Found` with the places (frame, voice, other voice), the frame being that of the second octave.

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers.

    Example:
        >>> parallel_octaves([[72, 60], [74, 62]])
        Found(count=1, places=[(1, 0, 1)])
    """
    return _parallels(voices, 0)


def voice_crossings(voices: Sequence[Sequence[int]]) -> Found:
    """Find crossings: a voice sounds lower than one that is written below it, neighbors or not.

    Two voices on the same note do not cross.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.

    Returns:
        A `Found` with the places (frame, voice, lower voice), one for each such pair at each frame.

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers.

    Example:
        >>> voice_crossings([[60, 62], [60, 60], [60, 0]])
        Found(count=1, places=[(0, 0, 1)])
    """
    voices = _checked(voices)
    return _pairs(voices, lambda one, other: (one < other) & (one > 0))


def dissonances(voices: Sequence[Sequence[int]], *, intervals: Sequence[int] = DISSONANT) -> Found:
    """Find dissonant frames: some two of their notes are a second, a seventh or a tritone apart, or that and octaves.

    A perfect fourth is not counted, although one above the bass is a dissonance in strict counterpoint. A seventh chord
    is counted: it is dissonant wherever it stands, prepared and resolved or not. Numbers of keys do not tell an
    augmented second from a minor third, which is no dissonance.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.
        intervals: what counts, semitones from 0 to 11; `(*DISSONANT, 5)` adds the fourth.

    Returns:
        A `Found` whose places are the frames, each of them once.

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers, or an interval is not from 0 to 11.

    Example:
        >>> dissonances([[67, 64, 60], [65, 62, 59]])  # C major, and B diminished with its tritone B-F
        Found(count=1, places=[1])
    """
    voices = _checked(voices)
    if not set(intervals) <= set(range(12)):
        raise ValueError(f"`intervals` holds {list(intervals)}; pass semitones from 0 to 11, without whole octaves.")

    def clash(one, other):
        return (one > 0) & (other > 0) & np.isin(np.abs(one - other) % 12, list(intervals))

    frames = sorted({place[0] for place in _pairs(voices, clash).places})
    return Found(len(frames), frames)


def out_of_range(voices: Sequence[Sequence[int]], ranges: Sequence[Sequence[int]]) -> Found:
    """Find notes that a voice cannot sing well, because they are too low or too high for it.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests.
        ranges: `(voices, 2)` lowest and highest note of each voice, such as `CHOIR_RANGES`.

    Returns:
        A `Found` with the places (frame, voice).

    Raises:
        ValueError: where the tune is no `(time, voices)` of MIDI numbers, or there is not a range for each voice.

    Example:
        >>> out_of_range([[60], [90], [0]], [(60, 81)])
        Found(count=1, places=[(1, 0)])
    """
    voices, given = _checked(voices), np.asarray(ranges)
    if given.shape != (voices.shape[1], 2):
        raise ValueError(
            f"`ranges` has shape {given.shape}; expected ({voices.shape[1]}, 2), the lowest and the highest note of "
            "each voice, in the order of the voices."
        )
    places = np.argwhere((voices > 0) & ((voices < given[:, 0]) | (voices > given[:, 1]))).tolist()
    return Found(len(places), [tuple(place) for place in places])


def _parallels(voices, interval):
    """Where two voices keep an interval (semitones, octaves apart) and both move the same way, as a `Found`."""
    voices = _checked(voices)
    moves = np.sign(np.diff(voices, axis=0, prepend=voices[:1]))  # 0 at the first frame, which nothing leads to
    before = np.vstack([voices[:1], voices[:-1]])
    sounding = (voices > 0) & (before > 0)

    def parallel(one, other):
        apart = [np.abs(frame[:, one] - frame[:, other]) % 12 == interval for frame in (before, voices)]
        together = (moves[:, one] == moves[:, other]) & (moves[:, one] != 0)
        return apart[0] & apart[1] & together & sounding[:, one] & sounding[:, other]

    return _found(parallel, voices.shape[1])


def _pairs(voices, holds):
    """Where `holds(one voice, other voice)`, each `(time,)`, is true of a pair, as a `Found`."""
    return _found(lambda one, other: holds(voices[:, one], voices[:, other]), voices.shape[1])


def _found(holds, count):
    """Collect (frame, one, other) where `holds(one, other)`, `(time,)` bool, is true, frame by frame."""
    pairs = combinations(range(count), 2)
    places = [(frame, *pair) for pair in pairs for frame in np.flatnonzero(holds(*pair)).tolist()]
    return Found(len(places), sorted(places))


@dataclass(frozen=True)
class PartWriting:
    """How often the rules of part writing are broken: rates per 100 frames of all tunes together.

    Attributes:
        tunes: how many tunes.
        frames: how many frames they have, silent ones included.
        parallel_fifths: pairs of voices, per 100 frames.
        parallel_octaves: pairs of voices, per 100 frames.
        voice_crossings: pairs of voices, per 100 frames.
        dissonances: frames in 100 that hold a dissonance.
        out_of_range: notes per 100 frames; `None` where no ranges were given.
    """

    tunes: int
    frames: int
    parallel_fifths: float
    parallel_octaves: float
    voice_crossings: float
    dissonances: float
    out_of_range: float | None


def part_writing(voices, *, ranges: Sequence[Sequence[int]] | None = None) -> PartWriting:
    """Count what the rules of part writing forbid, in one tune or in many; nothing is counted across two tunes.

    Args:
        voices: `(time, voices)` MIDI numbers, 0 where a voice rests, or a list of such tunes.
        ranges: `(voices, 2)` lowest and highest note of each voice, such as `CHOIR_RANGES`; notes out of range
            are not counted without.

    Returns:
        A `PartWriting`.

    Raises:
        ValueError: where there is no tune, one is no `(time, voices)` of MIDI numbers, or `ranges` does not fit.

    Example:
        >>> part_writing([[67, 60], [69, 62]]).parallel_fifths  # one in two frames
        50.0
    """
    if not len(voices):
        raise ValueError("There is no tune to count in; pass one (time, voices), or a list of them.")
    tunes = [_checked(tune) for tune in ([voices] if np.ndim(voices[0]) == 1 else voices)]
    frames = sum(map(len, tunes))

    def rate(rule):
        return 100 * sum(rule(tune).count for tune in tunes) / frames

    rules = (parallel_fifths, parallel_octaves, voice_crossings, dissonances)
    outside = None if ranges is None else rate(lambda tune: out_of_range(tune, ranges))
    return PartWriting(len(tunes), frames, *map(rate, rules), outside)
