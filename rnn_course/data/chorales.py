"""Tunes in several voices, as piano rolls and as voices: their types, their splits, and the chorales of the course.

A roll says which of the piano's 88 keys sound in a frame, a voice what one singer sings. Files of music often hold only
the first; `to_voices` deals the notes out.
"""

import json
from collections.abc import Sequence
from operator import index
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.cache import fetch
from rnn_course.data.registry import shipped
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown

LOWEST, KEYS = 21, 88  # the piano: key k is MIDI number 21 + k
HIGHEST = LOWEST + KEYS - 1
SHARE = 0.1  # of the tunes, for valid and for test
SOURCES = ("auto", "sample", "jsb_chorales")
SPLITS = ("train", "valid", "test")


class Harmony(NamedTuple):
    """What a grammar knows about every frame of a tune that it wrote.

    Attributes:
        tonic: `(time,)` int64, the key's first note as a pitch class, 0 (C) to 11 (B).
        minor: `(time,)` bool, whether the key is a minor one.
        degree: `(time,)` int64, the step of the scale on which the chord is built, 1 to 7.
        inversion: `(time,)` int64, which of the chord's notes the bass sings: 0 its root, 1 its third, 2 its fifth.
        cadence: `(time,)` bool, True in the dominant and the tonic that close a phrase.
        phrase: `(time,)` int64, the number of the phrase, from 0.
        position: `(time,)` int64, how many frames ago the phrase began.
        passing: `(time,)` bool, True where one voice sings a note that is not of the chord, on its way between two.
    """

    tonic: np.ndarray
    minor: np.ndarray
    degree: np.ndarray
    inversion: np.ndarray
    cadence: np.ndarray
    phrase: np.ndarray
    position: np.ndarray
    passing: np.ndarray


class Tunes(NamedTuple):
    """Tunes, each as a roll and as voices, with the truth about their harmony where a grammar wrote them.

    Attributes:
        rolls: for each tune `(time, 88)` bool: True where key k, MIDI number 21 + k, sounds.
        voices: for each tune `(time, voices)` int64 MIDI numbers, the highest voice first; 0 where a voice rests.
        truth: for each tune its `Harmony`. `None` where no truth is known, as in all real music.
    """

    rolls: tuple[np.ndarray, ...]
    voices: tuple[np.ndarray, ...]
    truth: tuple[Harmony, ...] | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of frames."""
        known = "" if self.truth is None else ", harmony known"
        return f"Tunes({len(self.rolls):,} tunes, {sum(map(len, self.rolls)):,} frames{known})"

    def at(self, indices: Sequence[int]) -> "Tunes":
        """Return the tunes at some indices, with their truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        parts = (part and tuple(part[place] for place in indices) for part in self)
        return Tunes(*parts)

    def transposed(self, semitones: int) -> "Tunes":
        """Return all tunes, with their truth, so many semitones higher, or lower where it is negative.

        Args:
            semitones: how far; ValueError where a note would leave the keyboard, as in `transpose`.
        """
        rolls, voices = (tuple(transpose(part, semitones) for part in parts) for parts in self[:2])
        moved = self.truth and tuple(each._replace(tonic=(each.tonic + semitones) % 12) for each in self.truth)
        return Tunes(rolls, voices, moved)


class Chorales(NamedTuple):
    """Tunes in three splits.

    Attributes:
        train: the `Tunes` to learn from.
        valid: the ones to choose by.
        test: the ones to report on, once.
        source: where they come from: "sample" or a data set's name.
        card: what one has to know before using them, as Markdown.
    """

    train: Tunes
    valid: Tunes
    test: Tunes
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of frames."""
        sizes = " / ".join(f"{len(split.rolls):,}" for split in self[:3])
        return f"Chorales(source={self.source!r}, train / valid / test = {sizes} tunes)"


def load_chorales(source: str = "auto") -> Chorales:
    """Load chorales for four voices, one frame a quarter note.

    Args:
        source: "jsb_chorales" (382 chorales by J. S. Bach in their official splits), "sample" (written by the course's
            own grammar, bundled: no network is touched, and key and chord of every frame are known) or "auto":
            jsb_chorales where it is cached or can be downloaded, otherwise the sample. "auto" prints one line that says
            which and why.

    Returns:
        `Chorales`: train, valid and test with `rolls`, `voices` and, in the sample, `truth`; the source that was taken
        and its card. The real file does not say who sings what; its voices are those of `to_voices(unisons=True)`.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where the real set is asked for by name and cannot be had.

    Example:
        >>> load_chorales("sample")
        Chorales(source='sample', train / valid / test = 120 / 20 / 40 tunes)
    """
    refuse_unknown(source, SOURCES, "chorales")
    if source == "auto":
        sample = "the bundled sample, chorales written by the course's grammar"
        return real_or_sample(load_chorales, "jsb_chorales", sample, about="chorales by J. S. Bach")
    if source == "sample":
        splits = read_tunes(shipped("data", "samples", "chorales.json"))
        return Chorales(**splits, source=source, card=card_of("chorales"))
    return Chorales(**_read_frames(fetch(source)["jsb-chorales-quarter.json"]), source=source, card=card_of(source))


def split_tunes(
    tunes: Tunes, *, valid: float = SHARE, test: float = SHARE, seed: int = 0
) -> tuple[Tunes, Tunes, Tunes]:
    """Cut tunes into train, valid and test; no tune is cut, and none is in two of them, not even in another key.

    Tunes that are equal but for a transposition stay together. These groups are drawn at random for test, then for
    valid; one that is too large for what is left there goes on to the next, and at last to train.

    Args:
        tunes: `batch` tunes, such as those of `read_midi`.
        valid: share of the tunes for valid, above 0; at least one is taken.
        test: share of the tunes for test, likewise.
        seed: of the shuffle; the same seed gives the same splits with every version of NumPy.

    Returns:
        Train, valid and test.

    Raises:
        ValueError: where the shares leave nothing for train, or there are too few different tunes for three splits.
    """
    if not (valid > 0 and test > 0 and valid + test < 1):
        raise ValueError(
            f"valid={valid} and test={test}; pass two shares above 0 whose sum is below 1, such as {SHARE}."
        )
    groups, size = _equal_but_for_the_key(tunes.rolls), len(tunes.rolls)
    parts: dict[str, list[int]] = {"test": [], "valid": [], "train": []}
    rooms = {"test": max(1, round(test * size)), "valid": max(1, round(valid * size)), "train": size}
    for chosen in np.random.RandomState(seed).permutation(len(groups)):  # its streams are frozen
        group = groups[chosen]
        name = next(name for name in parts if len(parts[name]) + len(group) <= rooms[name])
        parts[name] += group
    if not all(parts.values()):
        raise ValueError(
            f"{size} tunes are too few to split: but for transposition {len(groups)} of them differ, and train, valid "
            "and test need one each that fits. Add other tunes."
        )
    return tuple(tunes.at(parts[name]) for name in SPLITS)


def transpose(notes: np.ndarray, semitones: int) -> np.ndarray:
    """Move every note of a tune so many semitones up, or down where it is negative.

    Args:
        notes: a roll, `(time, 88)` bool, or voices, `(time, voices)` int MIDI numbers, 0 where one rests.
        semitones: how far, an int.

    Returns:
        The same shape and dtype; rests stay rests.

    Raises:
        ValueError: where a note would leave the keyboard (MIDI numbers 21 to 108), or the array is neither of the two.

    Example:
        >>> transpose(np.array([[72, 67, 64, 48], [72, 0, 65, 53]]), 2).tolist()
        [[74, 69, 66, 50], [74, 0, 67, 55]]
    """
    notes, semitones = np.asarray(notes), index(semitones)
    is_roll = notes.dtype == bool
    if notes.ndim != 2 or (notes.shape[1] != KEYS if is_roll else notes.dtype.kind not in "iu"):
        raise ValueError(
            f"Came an array of shape {notes.shape} and dtype {notes.dtype}. Pass a roll, (time, {KEYS}) bool, or "
            "voices, (time, voices) int."
        )
    sounding = np.flatnonzero(notes.any(axis=0)) + LOWEST if is_roll else notes[notes != 0].astype(np.int64)
    if sounding.size:
        _refuse_to_leave(int(sounding.min()), int(sounding.max()), semitones)
    if is_roll:
        return np.roll(notes, semitones, axis=1)
    return np.where(notes != 0, notes.astype(np.int64) + semitones, 0).astype(notes.dtype)


def to_roll(voices: np.ndarray) -> np.ndarray:
    """Press the keys of all voices together.

    Args:
        voices: `(time, voices)` int MIDI numbers from 21 to 108, 0 where one rests.

    Returns:
        `(time, 88)` bool; two voices on one note are one key.
    """
    roll = np.zeros((len(voices), KEYS), bool)
    time, voice = np.nonzero(voices)
    roll[time, voices[time, voice] - LOWEST] = True
    return roll


def to_voices(roll: np.ndarray, *, voices: int = 4, unisons: bool = False) -> np.ndarray:
    """Deal the notes of a roll out to voices, the highest to the first; voices never cross.

    - As many notes as voices: each gets its own, from above.
    - Fewer: the order is kept and each note goes to the voice that is nearest, so that all together move as little as
      possible from their last notes; the others rest. With `unisons`, where one note alone is missing nobody rests:
      two neighbors sing the same note, again those for which all move least.
    - More: the highest and the lowest note are kept, and of those between the ones that move the inner voices least.

    Equally good ways are decided for the upper voice (with unisons: the upper pair). A voice's last note is, before it
    has sung, its note in the first frame that has one for every voice; where there is no such frame, the voices stand
    evenly spread from the highest to the lowest note of the roll.

    Args:
        roll: `(time, 88)` bool.
        voices: how many, at least 1.
        unisons: whether two voices share a note where just one note is missing, as in the chorales.

    Returns:
        `(time, voices)` int64 MIDI numbers, 0 where a voice rests. `to_roll` gives the roll back, but for frames with
        more notes than voices.

    Raises:
        ValueError: where the roll has another shape or dtype, or there is no voice.

    Example:
        >>> roll = np.zeros((3, 88), bool)
        >>> roll[0, [51, 46, 43, 27]] = roll[1, [51, 44, 32]] = roll[2, [52, 46, 43, 27]] = True
        >>> to_voices(roll).tolist()
        [[72, 67, 64, 48], [72, 0, 65, 53], [73, 67, 64, 48]]
        >>> to_voices(roll, unisons=True).tolist()
        [[72, 67, 64, 48], [72, 65, 65, 53], [73, 67, 64, 48]]
    """
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[1] != KEYS or roll.dtype != bool or voices < 1:
        raise ValueError(
            f"Came a roll of shape {roll.shape} and dtype {roll.dtype} for {voices} voices. Pass (time, {KEYS}) bool "
            "and at least 1 voice."
        )
    frames = [(np.flatnonzero(frame)[::-1] + LOWEST).tolist() for frame in roll]
    last = _first_places(frames, voices)
    dealt = np.zeros((len(frames), voices), np.int64)
    for time, notes in enumerate(frames):
        dealt[time] = _deal(notes, last, unisons)
        last = [new or old for new, old in zip(dealt[time].tolist(), last, strict=True)]
    return dealt


def read_tunes(path: Path) -> dict[str, Tunes]:
    """Read the bundled sample.

    Args:
        path: a file that `harmony.write_chorales` wrote.

    Returns:
        The `Tunes` of each split ("train", "valid" and "test"), harmony included.
    """
    table = json.loads(path.read_text(encoding="utf-8"))
    return {split: _parse(table[split]) for split in SPLITS}


def _parse(rows: list[dict]) -> Tunes:
    voices = tuple(np.array(row["voices"], np.int64).T for row in rows)
    kinds = {name: bool if name in ("minor", "cadence", "passing") else np.int64 for name in Harmony._fields}
    truth = tuple(Harmony(**{name: np.array(row[name]).astype(kind) for name, kind in kinds.items()}) for row in rows)
    return Tunes(tuple(map(to_roll, voices)), voices, truth)


def _read_frames(path: Path) -> dict[str, Tunes]:
    """Read chorales that are lists of frames, each a list of the MIDI numbers that sound in it."""
    table = json.loads(path.read_text(encoding="utf-8"))
    rolls = {split: tuple(map(_frames_to_roll, table[split])) for split in SPLITS}
    return {
        split: Tunes(tunes, tuple(to_voices(roll, unisons=True) for roll in tunes)) for split, tunes in rolls.items()
    }


def _frames_to_roll(frames: list[list[int]]) -> np.ndarray:
    roll = np.zeros((len(frames), KEYS), bool)
    for time, notes in enumerate(frames):
        roll[time, np.array(notes, np.int64) - LOWEST] = True
    return roll


def _first_places(frames: list[list[int]], voices: int) -> list[float]:
    """Return where each voice stands before it has sung, from above."""
    full = next((notes for notes in frames if len(notes) == voices), None)
    if full is not None:
        return list(full)
    sounding = [note for notes in frames for note in notes] or [LOWEST]
    return np.linspace(max(sounding), min(sounding), voices).tolist()


def _deal(notes: list[int], last: list[float], unisons: bool) -> list[int]:
    """Return the note of each voice, 0 for a rest; notes and last notes from above."""
    missing = len(last) - len(notes)
    if missing == 0:
        return notes
    if missing == 1 and notes and unisons:
        ways = [notes[: at + 1] + notes[at:] for at in range(len(notes))]
        return min(ways, key=lambda way: sum(abs(new - old) for new, old in zip(way, last, strict=True)))
    if missing > 0:
        singing = dict(zip(_nearest(notes, last), notes, strict=True))
        return [singing.get(voice, 0) for voice in range(len(last))]
    inner = notes[1:-1]
    kept = [inner[at] for at in _nearest(last[1:-1], inner)]
    return [notes[0], *kept, notes[-1]][: len(last)]


def _nearest(few: Sequence[float], many: Sequence[float]) -> tuple[int, ...]:
    """Return for each of the few an index into the many, rising, so that the sum of the distances is least."""
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())] * (len(many) + 1)  # using only the first j of the many
    for one in few:
        row: list[tuple[float, tuple[int, ...]]] = [(np.inf, ())]
        for at, other in enumerate(many):
            cost, chosen = best[at]
            row.append(min(row[-1], (cost + abs(one - other), (*chosen, at))))
        best = row
    return best[-1][1]


def _refuse_to_leave(low: int, high: int, semitones: int) -> None:
    if low + semitones < LOWEST or high + semitones > HIGHEST:
        raise ValueError(
            f"The tune has notes from {low} to {high}; moved by {semitones} semitones, some would leave the keyboard "
            f"({LOWEST} to {HIGHEST}). Pass a number from {LOWEST - low} to {HIGHEST - high}."
        )


def _equal_but_for_the_key(rolls: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the indices of the tunes in groups whose rolls differ by a transposition at most."""
    groups: dict[tuple[int, bytes], list[int]] = {}
    for place, roll in enumerate(rolls):
        lowest = roll.any(axis=0).argmax()  # 0 where all is silent
        groups.setdefault((len(roll), np.roll(roll, -lowest, axis=1).tobytes()), []).append(place)
    return list(groups.values())
