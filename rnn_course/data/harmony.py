"""Chorales for four voices, written by a seeded grammar of functional harmony, with the truth about every frame.

    I  I6 | IV  ii6 | V  | I          tonic, predominant, dominant, tonic: a phrase

A tune has a home key, major or minor. Its phrases begin on the tonic and end with a cadence, dominant to tonic; those
in the middle may stand in a related key. The four voices are then led through the chords of the whole tune at once, by
the cheapest way that breaks no rule: a way costs what the voices move, and a little for repeated notes, doublings,
height and a whim. The rules: no two voices a fifth or an octave apart move to another fifth or octave, none crosses or
passes another, none leaves its range or leaps far, none sings an augmented second, and in the soprano the leading tone
rises.
"""

import json
import random
from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.chance import choose, happens
from rnn_course.data.chorales import SPLITS, Harmony, Tunes, to_roll

SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}  # by minor; its dominant has the 11 of major
# What the singers of a choir reach with ease: soprano, alto, tenor and bass, lowest and highest MIDI number.
RANGES = ((60, 79), (55, 74), (48, 67), (40, 62))
WIDEST = (12, 12, 19)  # between neighboring voices
LEAPS = (7, 7, 7, 12)  # the farthest that a voice moves

# Degree and inversion: "6" stands on its third, "64" on its fifth. The numerals do not tell minor chords from major.
FIGURES = {
    "I": (1, 0), "I6": (1, 1), "I64": (1, 2), "II": (2, 0), "II6": (2, 1), "IV": (4, 0), "V": (5, 0), "V6": (5, 1),
    "VI": (6, 0), "VII6": (7, 1),
}  # fmt: skip
TONICS = ("I", "I I6", "I V6 I", "I VII6 I6", "I IV I", "I V I", "I V VI", "I6 V I", "I V6 I IV I6")
PREDOMINANTS = ("IV", "II6", "II", "VI IV", "VI II6", "IV II6", "IV II")
DOMINANTS = ("V", "V", "I64 V")
# Keys of the phrases in the middle: how far the tonic moves, and whether it is a minor one then.
RELATED = {False: ((7, False), (9, True), (5, False)), True: ((3, False), (7, True))}

HELD, PASSING, AWAY = 35, 60, 60  # how often out of 100: a chord of two frames, a passing note in it, a related key
FORBIDDEN = 100_000
SIZES = (120, 20, 40)  # tunes of the bundled sample


class _Chord(NamedTuple):
    """One chord and its place in the tune."""

    tonic: int
    minor: bool
    degree: int
    inversion: int
    cadence: bool
    phrase: int
    frames: int


def make_chorales(count: int, *, seed: int, most_phrases: int = 4, passing: bool = True) -> Tunes:
    """Write chorales for soprano, alto, tenor and bass, and say key and chord of every frame.

    Args:
        count: how many.
        seed: of the grammar's choices; the same seed gives the same tunes with every version of Python and NumPy, and
            fewer tunes are the beginning of more.
        most_phrases: the most phrases that a tune has, at least 1. All numbers from 2 on are equally likely.
        passing: whether a voice may pass, in the second frame of a chord, through the note between two notes that are
            a third apart.

    Returns:
        `Tunes` with `truth`; each voice has its own note in every frame, so that `to_voices` deals the rolls out as
        the grammar did.

    Raises:
        ValueError: where `count` or `most_phrases` is less than 1.

    Example:
        >>> tunes = make_chorales(2, seed=0)
        >>> tunes
        Tunes(2 tunes, 75 frames, harmony known)
        >>> tunes.truth[0].degree[:4].tolist(), tunes.voices[0][:2].tolist()
        ([1, 4, 1, 7], [[72, 64, 57, 45], [74, 65, 57, 50]])
    """
    if count < 1 or most_phrases < 1:
        raise ValueError(
            f"Cannot write {count} tunes of up to {most_phrases} phrases; pass a `count` and `most_phrases` of at "
            "least 1."
        )
    rng = random.Random(seed)
    tunes = [_tune(rng, most_phrases, passing) for _ in range(count)]
    voices, truth = zip(*tunes, strict=True)
    return Tunes(tuple(map(to_roll, voices)), voices, truth)


def chord_notes(tonic: int, minor: bool, degree: int) -> tuple[int, int, int]:
    """Return root, third and fifth of a chord as pitch classes, 0 (C) to 11 (B).

    In a minor key the chords on the fifth and the seventh step hold the raised leading tone.

    Args:
        tonic: the pitch class of the key's first note.
        minor: whether the key is a minor one.
        degree: the step of the scale on which the chord is built, 1 to 7.

    Returns:
        A tuple of three ints.

    Example:
        >>> chord_notes(9, True, 5)  # the dominant of A minor: E, G sharp, B
        (4, 8, 11)
    """
    scale = list(SCALES[bool(minor)])
    scale[6] = 11 if degree in (5, 7) else scale[6]
    root, third, fifth = ((int(tonic) + scale[(int(degree) - 1 + step) % 7]) % 12 for step in (0, 2, 4))
    return root, third, fifth


def write_chorales(path: Path) -> None:
    """Write the bundled sample, one tune a line.

    Args:
        path: the file to write, JSON: for each split a list of tunes, each with its voices from above,
            `(voices, time)`, and one list for each field of `Harmony`.
    """
    tunes = make_chorales(sum(SIZES), seed=0)
    lines = []
    for voices, truth in zip(tunes.voices, tunes.truth, strict=True):
        fields = {name: values.astype(int).tolist() for name, values in truth._asdict().items()}
        lines.append(json.dumps({"voices": voices.T.tolist(), **fields}, separators=(",", ":")))
    parts, first = [], 0
    for split, size in zip(SPLITS, SIZES, strict=True):
        parts.append(f'"{split}":[\n' + ",\n".join(lines[first : first + size]) + "\n]")
        first += size
    path.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8", newline="\n")


def _tune(rng: random.Random, most_phrases: int, passing: bool) -> tuple[np.ndarray, Harmony]:
    """Write one tune: voices `(time, 4)` and its truth."""
    while True:  # a few plans cannot be sung without breaking a rule; another one is drawn
        chords = _plan(rng, most_phrases)
        sung = _lead(rng, chords)
        if sung is not None:
            break
    place = np.repeat(np.arange(len(chords)), [chord.frames for chord in chords])
    frames = [chords[at] for at in place]
    voices = sung[place]
    passed = _pass(rng, voices, frames, place) if passing else np.zeros(len(frames), bool)
    return voices, _truth(frames, passed)


def _plan(rng: random.Random, most_phrases: int) -> list[_Chord]:
    """Choose keys and chords of one tune."""
    count = min(2, most_phrases) + int(rng.random() * max(1, most_phrases - 1))
    home = int(rng.random() * 12), happens(rng, 50)
    chords: list[_Chord] = []
    for phrase in range(count):
        away = 0 < phrase < count - 1 and happens(rng, AWAY)
        chords += _phrase(rng, _related(rng, *home) if away else home, phrase)
    return chords


def _related(rng: random.Random, tonic: int, minor: bool) -> tuple[int, bool]:
    distance, minor = choose(rng, RELATED[minor])
    return (tonic + distance) % 12, minor


def _phrase(rng: random.Random, key: tuple[int, bool], number: int) -> list[_Chord]:
    """Write tonic, predominant, dominant, tonic; the last chord is held."""
    beginnings = [choose(rng, TONICS) for _ in range(1 + happens(rng, 50))]
    middle = choose(rng, PREDOMINANTS)
    if key[1]:
        middle = " ".join("II6" if name == "II" else name for name in middle.split())  # it is diminished in minor
    names = " ".join([*beginnings, middle, choose(rng, DOMINANTS), "I"]).split()
    names = [name for name, before in zip(names, [None, *names], strict=False) if name != before]
    last = len(names) - 1
    return [
        _Chord(*key, *FIGURES[name], at >= last - 1, number, 2 if at == last or happens(rng, HELD) else 1)
        for at, name in enumerate(names)
    ]


def _lead(rng: random.Random, chords: list[_Chord]) -> np.ndarray | None:
    """Find the cheapest way through the voicings of all chords, `(chords, 4)`; None where all break a rule."""
    voicings = [_voicings(chord) for chord in chords]
    costs, ways = _standing(rng, voicings[0], chords[0]), []
    for at in range(1, len(chords)):
        total = costs[:, None] + _moving(voicings[at - 1], voicings[at], chords[at - 1], chords[at])
        ways.append(total.argmin(axis=0))
        costs = total.min(axis=0) + _standing(rng, voicings[at], chords[at])
    costs = costs + FORBIDDEN * (voicings[-1][:, 0] % 12 != chords[-1].tonic)  # the soprano ends on the tonic, too
    best = [int(costs.argmin())]
    if costs[best[0]] >= FORBIDDEN:
        return None
    for way in reversed(ways):
        best.append(int(way[best[-1]]))
    return np.array([options[at] for options, at in zip(voicings, reversed(best), strict=True)])


def _voicings(chord: _Chord) -> np.ndarray:
    """List every way to sing a whole chord, `(voicings, 4)`: in range, not crossing, not too far apart."""
    notes = chord_notes(*chord[:3])
    places = [[note for note in range(low, high + 1) if note % 12 in notes] for low, high in RANGES]
    places[3] = [note for note in places[3] if note % 12 == notes[chord.inversion]]
    ways = np.array(list(product(*places)), np.int64)
    gaps = ways[:, :-1] - ways[:, 1:]
    ways = ways[((gaps > 0) & (gaps <= WIDEST)).all(axis=1)]
    sung = (ways[:, :, None] % 12 == notes).sum(axis=1)  # (voicings, 3): how many voices sing root, third, fifth
    doubled = _doubling(chord)
    return ways[(sung > 0).all(axis=1) & np.isin(sung.argmax(axis=1), list(doubled))]


def _doubling(chord: _Chord) -> dict[int, int]:
    """Say what each note of a chord costs that may be sung twice: 0 its root, 1 its third, 2 its fifth."""
    if chord.inversion == 2:
        return {2: 0}
    if chord.degree == 7 or (chord.minor and chord.degree == 2):  # diminished: only its third is stable
        return {1: 0}
    if chord.degree == 5:  # its third is the leading tone
        return {0: 0, 2: 3}
    return {0: 0, 2: 3, 1: 6}


def _standing(rng: random.Random, voicings: np.ndarray, chord: _Chord) -> np.ndarray:
    """Say what each voicing costs by itself, `(voicings,)`: its doubling, its height, and a whim."""
    notes = chord_notes(*chord[:3])
    sung = (voicings[:, :, None] % 12 == notes).sum(axis=1).argmax(axis=1)
    price = np.array([_doubling(chord).get(note, 0) for note in range(3)])
    middles = np.array([(low + high) // 2 for low, high in RANGES])
    whim = np.array([int(rng.random() * 12) for _ in voicings], np.int64)
    return price[sung] + np.abs(voicings - middles).sum(axis=1) // 4 + whim


def _moving(before: np.ndarray, after: np.ndarray, left: _Chord, right: _Chord) -> np.ndarray:
    """Say what it costs to go from each voicing of a chord to each of the next, `(before, after)`."""
    first, second = before[:, None], after[None]
    moves = second - first
    cost = np.abs(moves) @ np.array([2, 2, 2, 1]) + 4 * (moves[..., 0] == 0)
    broken = _parallels(first, second) | (np.abs(moves) > LEAPS).any(axis=-1)
    broken |= (second[..., :-1] < first[..., 1:]).any(axis=-1) | (second[..., 1:] > first[..., :-1]).any(axis=-1)
    if left[:2] == right[:2]:
        broken |= _breaks_the_scale(first, moves, left, right)
    return cost + FORBIDDEN * broken


def _breaks_the_scale(first: np.ndarray, moves: np.ndarray, left: _Chord, right: _Chord) -> np.ndarray:
    """Tell where a voice sings an augmented second, or the soprano's leading tone does not rise to the tonic."""
    steps = (first - left.tonic) % 12
    augmented = left.minor & (((steps == 8) & (moves == 3)) | ((steps == 11) & (moves == -3)))
    resolves = left.degree in (5, 7) and right.degree in (1, 6)
    return augmented.any(axis=-1) | (resolves & (steps[..., 0] == 11) & (moves[..., 0] != 1))


def _parallels(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Tell where two voices a fifth or an octave apart, octaves aside, both move to the same interval again."""
    found = np.zeros(np.broadcast_shapes(before.shape, after.shape)[:-1], bool)
    for upper, lower in combinations(range(before.shape[-1]), 2):
        old, new = ((notes[..., upper] - notes[..., lower]) % 12 for notes in (before, after))
        both = (before[..., upper] != after[..., upper]) & (before[..., lower] != after[..., lower])
        found |= (old == new) & ((old == 0) | (old == 7)) & both
    return found


def _pass(rng: random.Random, voices: np.ndarray, frames: list[_Chord], place: np.ndarray) -> np.ndarray:
    """Let voices pass between chords, changing `voices`; return in which frames one does, `(time,)` bool."""
    passed = np.zeros(len(frames), bool)
    for time in range(1, len(frames) - 1):
        ends = place[time - 1] == place[time] != place[time + 1]  # the second frame of a chord
        if not (ends and frames[time].phrase == frames[time + 1].phrase and happens(rng, PASSING)):
            continue
        options = _passing_frames(voices[time - 1 : time + 2], frames[time])
        if options:
            voices[time], passed[time] = choose(rng, options), True
    return passed


def _passing_frames(around: np.ndarray, chord: _Chord) -> list[np.ndarray]:
    """List what the middle one of three frames may become, `(4,)` each: one voice goes by steps of the scale."""
    scale = {(chord.tonic + step) % 12 for step in SCALES[chord.minor]}
    options = []
    for voice, (start, _, end) in enumerate(around.T.tolist()):
        between = range(min(start, end) + 1, max(start, end)) if abs(start - end) in (3, 4) else ()
        for note in between:
            frame = around[1].copy()
            frame[voice] = note
            in_order = (frame[:-1] > frame[1:]).all()
            if (
                note % 12 in scale
                and abs(2 * note - start - end) <= 1
                and in_order
                and not _parallels(frame, around[2])
            ):
                options.append(frame)
    return options


def _truth(frames: list[_Chord], passed: np.ndarray) -> Harmony:
    table = {name: [getattr(chord, name) for chord in frames] for name in _Chord._fields[:-1]}
    phrase = np.array(table.pop("phrase"))
    starts = np.searchsorted(phrase, phrase)  # phrases are numbered in order
    flags = {name: np.array(table.pop(name), bool) for name in ("minor", "cadence")}
    numbers = {name: np.array(values, np.int64) for name, values in table.items()}
    position = np.arange(len(frames), dtype=np.int64) - starts
    return Harmony(**numbers, **flags, phrase=phrase.astype(np.int64), position=position, passing=passed)
