"""What a tune is: `(time, voices)` MIDI numbers; its notes and their names, and what is refused."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
CHOIR_VOICES = ("soprano", "alto", "tenor", "bass")
CHOIR_RANGES = ((60, 81), (53, 74), (48, 69), (40, 64))
"""Lowest and highest note of soprano (C4 to A5), alto (F3 to D5), tenor (C3 to A4) and bass (E2 to E4): `(4, 2)`.

Some collections are written an octave higher than a choir sings; add 12 to the ranges there.
"""

SLOWEST, FASTEST = 4, 1000  # quarter notes a minute; a MIDI file holds none slower than 3.6


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
    row = checked_tune(np.reshape(voice, (-1, 1)))[:, 0]
    struck = np.diff(row, prepend=-1) != 0
    starts = np.flatnonzero(struck | repeat)
    stops = np.append(starts[1:], len(row))
    found = zip(starts.tolist(), stops.tolist(), row[starts].tolist(), strict=True)
    return [Note(*entry) for entry in found if entry[2]]


def checked_tune(voices):
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


def refuse_tempo(step, beats_per_minute):
    """Raise an error unless a frame lasts and the tempo can be written; takes and returns no arrays."""
    if not (0 < step < np.inf and SLOWEST <= beats_per_minute <= FASTEST):
        raise ValueError(
            f"step is {step} and beats_per_minute {beats_per_minute}; pass a step above 0 (in quarter notes) and from "
            f"{SLOWEST} to {FASTEST} beats a minute."
        )
