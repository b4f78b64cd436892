"""Your own music: MIDI files as rolls and voices on a grid of equal steps."""

import io
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.chorales import HIGHEST, KEYS, LOWEST, Tunes, to_voices

ENDINGS = (".mid", ".midi")
DRUMS = 9  # channel 10, counted from 0
MOST_FRAMES = 200_000  # of one tune; nearly seven hours of quarter notes at 120 a minute, in sixteenths


class MidiTunes(NamedTuple):
    """Tunes read from MIDI files.

    Attributes:
        tunes: the `Tunes`, one a file, without truth.
        names: the name of each one's file, with the folders below the one that was read.
        skipped: the files that were left out, each with the reason.
    """

    tunes: Tunes
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of frames."""
        return f"MidiTunes({self.tunes}, {len(self.skipped)} files skipped)"


def read_midi(
    path: str | Path, *, step: float = 0.25, voices: int = 4, unisons: bool = False, on_error: str = "raise"
) -> MidiTunes:
    """Read a MIDI file, or all that a folder and its subfolders hold, on a grid of equal steps.

    Start and end of a note move to the nearest line of the grid (from the middle between two, to the later one), and it
    sounds in the frames between. A note whose start and end move to the same line gets the one frame that begins there,
    unless it is over by then: a passing note between two lines vanishes, a short one on a line stays. So choose a step
    as long as the shortest notes you care for.

    All tracks and channels are played together. Drums (channel 10), notes outside the piano's 88 keys and silence
    before the first note and after the last are left out; tempo, loudness and pedal play no part. A note that is never
    ended sounds to the end of the longest track.

    Args:
        path: a file, or a folder of files whose names end in .mid or .midi.
        step: the length of a frame in quarter notes; 0.25 is a sixteenth.
        voices: among how many the notes are dealt out, by the rule of `to_voices`. It is none of the file's tracks.
        unisons: whether two voices share a note where just one note is missing, likewise.
        on_error: "raise" where a file cannot be used, or "skip" it and list it in the result.

    Returns:
        A `MidiTunes`; its `tunes` go into `split_tunes`.

    Raises:
        FileNotFoundError: where there is no such file or folder, or the folder holds no MIDI file.
        ValueError: where a file is broken, no MIDI file, or without notes; with "skip", where that is so of all of
            them. Also for a `step`, `voices` or `on_error` of which no tunes can be made.

    Example:
        >>> import tempfile, mido
        >>> notes = [mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=480)]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     mido.MidiFile(tracks=[mido.MidiTrack(notes)], ticks_per_beat=480).save(Path(folder, "mine.mid"))
        ...     read_midi(folder)
        MidiTunes(Tunes(1 tunes, 4 frames), 0 files skipped)
    """
    if not (0 < step < math.inf and voices >= 1 and on_error in ("raise", "skip")):
        raise ValueError(
            f"step={step}, voices={voices}, on_error={on_error!r}; pass a step above 0, at least 1 voice, and "
            "'raise' or 'skip'."
        )
    rolls, skipped = {}, []
    for name, file in _files(Path(path)).items():
        try:
            rolls[name] = _read_roll(file, name, step)
        except ValueError as error:
            if on_error == "raise":
                raise
            skipped.append((name, str(error)))
    if not rolls:
        name, reason = skipped[0]
        raise ValueError(f"None of {len(skipped)} MIDI files can be used; the first, {name}: {reason}")
    tunes = Tunes(
        tuple(rolls.values()), tuple(to_voices(roll, voices=voices, unisons=unisons) for roll in rolls.values())
    )
    return MidiTunes(tunes, tuple(rolls), tuple(skipped))


def _files(path: Path) -> dict[str, Path]:
    """Return the files to read by their names, in order."""
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise FileNotFoundError(
            f"There is no file or folder {path} (looked in {Path.cwd()}). Pass the path of a MIDI file or of a folder."
        )
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if not found:
        raise FileNotFoundError(
            f"The folder {path} holds no file that ends in {' or '.join(ENDINGS)}. Pass a folder of MIDI files."
        )
    return {file.relative_to(path).as_posix(): file for file in found}


def _read_roll(path: Path, name: str, step: float) -> np.ndarray:
    """Read one file as a roll, `(time, 88)` bool, or raise a ValueError that names it."""
    file = _parse(path, name)
    spans = [span for span in _spans(file.tracks) if LOWEST <= span[2] <= HIGHEST]
    unit = step * file.ticks_per_beat
    first, last = min((span[0] for span in spans), default=0), max((span[1] for span in spans), default=0)
    if last - first > MOST_FRAMES * unit:  # also keeps numbers of any size from the division below
        raise ValueError(
            f"{name} would have more than {MOST_FRAMES:,} frames of {step:g} quarter notes. Pass a longer step, or "
            "leave the file out: its times may be damaged."
        )
    return _on_grid(spans, unit, name)


def _parse(path: Path, name: str):
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(path.read_bytes()))
    except Exception as error:  # mido lets many kinds through, from EOFError to its own
        said = str(error) or type(error).__name__
        raise ValueError(
            f"{name} is no MIDI file, or a broken one ({said}). Export it again, or pass on_error='skip'."
        ) from error
    if file.ticks_per_beat < 1 or file.type == 2:
        what = "its tracks begin at different times (type 2)" if file.type == 2 else "its times are no beats"
        raise ValueError(f"{name} is a MIDI file without a common beat: {what}. Export it as type 0 or 1.")
    return file


def _spans(tracks) -> list[tuple[int, int, int]]:
    """List (start, end, note) in ticks; where a note is struck again, the first end is that of the first start."""
    spans, left, longest = [], [], 0
    for track in tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
                continue
            starts = sounding.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity > 0:
                starts.append(now)
            elif starts:
                spans.append((starts.pop(0), now, message.note))
        left += [(start, note) for (_, note), starts in sounding.items() for start in starts]
        longest = max(longest, now)
    return spans + [(start, longest, note) for start, note in left]


def _on_grid(spans: list[tuple[int, int, int]], unit: float, name: str) -> np.ndarray:
    """Press the keys of (start, end, note) in ticks on a grid of `unit` ticks."""
    frames = []
    for start, end, note in spans:
        begin, stop = (math.floor(tick / unit + 0.5) for tick in (start, end))
        if begin < stop or end > begin * unit:
            frames.append((begin, max(stop, begin + 1), note - LOWEST))
    if not frames:
        raise ValueError(
            f"{name} holds no note that could be used: none at all, drums alone, none on the piano's keys, or only "
            "shorter ones than the step. Leave it out, or pass a shorter step."
        )
    first, last = min(begin for begin, _, _ in frames), max(stop for _, stop, _ in frames)
    roll = np.zeros((last - first, KEYS), bool)
    for begin, stop, key in frames:
        roll[begin - first : stop - first, key] = True
    return roll
