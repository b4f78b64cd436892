"""The rules of part writing, counted: what stands where, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from rnn_course.music.tunes import checked_tune

DISSONANT = (1, 2, 6, 10, 11)
"""Minor and major second, tritone, minor and major seventh, in semitones above a number of whole octaves: `(5,)`."""


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
    voices = checked_tune(voices)
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
    voices = checked_tune(voices)
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
    voices, given = checked_tune(voices), np.asarray(ranges)
    if given.shape != (voices.shape[1], 2):
        raise ValueError(
            f"`ranges` has shape {given.shape}; expected ({voices.shape[1]}, 2), the lowest and the highest note of "
            "each voice, in the order of the voices."
        )
    places = np.argwhere((voices > 0) & ((voices < given[:, 0]) | (voices > given[:, 1]))).tolist()
    return Found(len(places), [tuple(place) for place in places])


def _parallels(voices, interval):
    """Where two voices keep an interval (semitones, octaves apart) and both move the same way, as a `Found`."""
    voices = checked_tune(voices)
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
    tunes = [checked_tune(tune) for tune in ([voices] if np.ndim(voices[0]) == 1 else voices)]
    frames = sum(map(len, tunes))

    def rate(rule):
        return 100 * sum(rule(tune).count for tune in tunes) / frames

    rules = (parallel_fifths, parallel_octaves, voice_crossings, dissonances)
    outside = None if ranges is None else rate(lambda tune: out_of_range(tune, ranges))
    return PartWriting(len(tunes), frames, *map(rate, rules), outside)
