"""Tunes on paper: MIDI files, one track for each voice."""

from collections.abc import Sequence
from pathlib import Path

from rnn_course.music.files import checked_path
from rnn_course.music.tunes import CHOIR_VOICES, checked_tune, notes_of, refuse_tempo
from rnn_course.whole_files import written_whole

TICKS = 480  # of a MIDI file, a quarter note
DRUMS = 9  # the channel that General MIDI keeps for them, counted from 0
MOST_VOICES = 15  # a channel each, without that of the drums
CHURCH_ORGAN = 19  # General MIDI, counted from 0: it holds a note as long as it is written
LOUDNESS = 80  # of a MIDI note, from 1 to 127


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

    voices, path = checked_tune(voices), checked_path(path, (".mid", ".midi"))
    refuse_tempo(step, beats_per_minute)
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
    with written_whole(path) as part, open(part, "xb") as stream:
        file.save(file=stream)
    return path


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
