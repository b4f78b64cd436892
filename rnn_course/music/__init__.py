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

from rnn_course.music.midi import write_midi
from rnn_course.music.rules import (
    DISSONANT,
    Found,
    PartWriting,
    dissonances,
    out_of_range,
    parallel_fifths,
    parallel_octaves,
    part_writing,
    voice_crossings,
)
from rnn_course.music.sound import Sound, listen, synthesize, to_wav
from rnn_course.music.tunes import CHOIR_RANGES, CHOIR_VOICES, Note, note_name, notes_of

__all__ = [
    "CHOIR_RANGES",
    "CHOIR_VOICES",
    "DISSONANT",
    "Found",
    "Note",
    "PartWriting",
    "Sound",
    "dissonances",
    "listen",
    "note_name",
    "notes_of",
    "out_of_range",
    "parallel_fifths",
    "parallel_octaves",
    "part_writing",
    "synthesize",
    "to_wav",
    "voice_crossings",
    "write_midi",
]
