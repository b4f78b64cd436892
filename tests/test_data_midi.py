"""MIDI files, written here with mido, as rolls and voices; and files that are none."""

import io

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import Tunes, make_chorales, read_midi, split_tunes, to_voices

BEAT = 480


def track_of(*events):
    """Write (tick, kind, note), options last, as a track; kind is on, off or silent (on with velocity 0)."""
    track, now = mido.MidiTrack(), 0
    for tick, kind, note, *options in sorted(events, key=lambda event: event[0]):
        velocity = 64 if kind == "on" else 0
        name = "note_off" if kind == "off" else "note_on"
        settings = options[0] if options else {}
        track.append(mido.Message(name, note=note, velocity=velocity, time=tick - now, **settings))
        now = tick
    return track


def played(*notes, **options):
    """Write (start, end, note) in beats as a track."""
    events = [
        (round(time * BEAT), kind, note, options)
        for *times, note in notes
        for time, kind in zip(times, ("on", "off"), strict=True)
    ]
    return track_of(*sorted(events, key=lambda event: (event[0], event[1] == "on")))


@pytest.fixture
def save(tmp_path):
    """Write tracks into a file of the test's folder."""

    def save(*tracks, name="tune.mid", **options):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mido.MidiFile(tracks=list(tracks), **({"ticks_per_beat": BEAT} | options)).save(path)
        return path

    return save


def frames_of(path, **options):
    """Return the one tune of a file as a list of the MIDI numbers of every frame."""
    (roll,) = read_midi(path, **options).tunes.rolls
    return [(np.flatnonzero(frame) + 21).tolist() for frame in roll]


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_a_note_sounds_in_the_frames_between_its_start_and_its_end(save):
    path = save(played((0, 2, 60), (1, 3, 64)))
    assert frames_of(path, step=1) == [[60], [60, 64], [64]]
    assert frames_of(path, step=0.5) == [[60]] * 2 + [[60, 64]] * 2 + [[64]] * 2
    assert len(frames_of(path)) == 12  # sixteenths


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [
        (1.0, 2.0, [1]),
        (0.6, 1.6, [1]),  # both move to the nearest line
        (1.4, 2.4, [1]),
        (0.5, 1.5, [1]),  # the middle moves to the later line
        (0.4, 1.5, [0, 1]),
        (1.0, 1.1, [1]),  # short, on the line
        (0.9, 1.2, [1]),  # short, a little early: still sounds at the line
        (1.2, 1.4, [1]),  # short, a little late
        (0.5, 1.0, []),  # over when its frame begins
        (0.6, 0.9, []),
    ],
)
def test_notes_move_to_the_nearest_lines_and_a_passing_one_vanishes(save, start, end, frames):
    path = save(played((0, 4, 30)), played((start, end, 72)))  # the low note shows where the tune begins
    assert [time for time, notes in enumerate(frames_of(path, step=1)) if 72 in notes] == frames


def test_thirds_of_a_beat_fall_on_their_grid(save):
    path = save(played((0, 1 / 3, 60), (1 / 3, 2 / 3, 62), (2 / 3, 1, 64), (1, 4 / 3, 65)))
    assert frames_of(path, step=1 / 3) == [[60], [62], [64], [65]]


def test_silence_around_a_tune_is_left_out_and_within_it_kept(save):
    path = save(played((4, 5, 60), (7, 8, 62)), track_of((20 * BEAT, "off", 60)))
    assert frames_of(path, step=1) == [[60], [], [], [62]]


def test_the_ticks_of_a_beat_are_the_files_own(save):
    tracks = [played((0, 1, 60), (1, 2, 62))]
    assert frames_of(save(*tracks, ticks_per_beat=960), step=0.5) == [[60], [62]]


def test_tempo_changes_nothing(save):
    tempo = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo, time=BEAT) for tempo in (250_000, 900_000)])
    notes = played((0, 1, 60), (1, 2, 62))
    assert frames_of(save(tempo, notes), step=1) == frames_of(save(notes), step=1) == [[60], [62]]


# --- notes ------------------------------------------------------------------------------------------------------------


def test_tracks_and_channels_are_played_together(save):
    path = save(played((0, 1, 60)), played((0, 1, 64), channel=3), played((1, 2, 67), channel=15))
    assert frames_of(path, step=1) == [[60, 64], [67]]


def test_one_channel_does_not_end_the_note_of_another(save):
    path = save(
        track_of((0, "on", 60), (BEAT, "off", 60, {"channel": 1}), (2 * BEAT, "off", 60)),
        track_of((BEAT, "off", 60)),
    )
    assert frames_of(path, step=1) == [[60], [60]]


def test_drums_and_notes_outside_the_piano_are_left_out(save):
    path = save(played((0, 4, 38), channel=9), played((1, 2, 60), (1, 2, 20), (1, 2, 109), (2, 3, 21), (2, 3, 108)))
    assert frames_of(path, step=1) == [[60], [21, 108]]


def test_a_note_struck_with_velocity_0_ends(save):
    path = save(track_of((0, "on", 60), (BEAT, "silent", 60), (2 * BEAT, "on", 62), (3 * BEAT, "silent", 62)))
    assert frames_of(path, step=1) == [[60], [], [62]]


def test_a_note_that_is_never_ended_sounds_to_the_end_of_the_longest_track(save):
    tracks = track_of((0, "on", 60), (BEAT, "on", 62), (2 * BEAT, "off", 62)), track_of((4 * BEAT, "off", 90))
    for order in (tracks, tracks[::-1]):
        assert frames_of(save(*order), step=1) == [[60], [60, 62], [60], [60]]


def test_a_note_struck_again_before_it_ended_sounds_as_long_as_either(save):
    # The second is struck a little before the first ends: both are there.
    path = save(track_of((0, "on", 60), (470, "on", 60), (490, "off", 60), (3 * BEAT, "off", 60)))
    assert frames_of(path, step=1) == [[60], [60], [60]]


def test_an_end_without_a_beginning_is_nothing(save):
    assert frames_of(save(track_of((0, "off", 60), (0, "on", 62), (BEAT, "off", 62))), step=1) == [[62]]


def test_voices_are_dealt_out_as_elsewhere(save):
    path = save(played((0, 1, 72), (0, 1, 67), (0, 1, 64), (0, 1, 48), (1, 2, 72), (1, 2, 65), (1, 2, 53)))
    for options in ({}, {"voices": 2}, {"unisons": True}):
        tunes = read_midi(path, step=1, **options).tunes
        np.testing.assert_array_equal(tunes.voices[0], to_voices(tunes.rolls[0], **options), strict=True)
    assert tunes.truth is None


@given(st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_a_chorale_that_is_written_frame_by_frame_comes_back(tmp_path_factory, seed):
    tunes = make_chorales(1, seed=seed)
    tracks = [
        played(*((time, time + 1, note) for time, note in enumerate(voice)), channel=channel)
        for channel, voice in enumerate(tunes.voices[0].T.tolist())
    ]
    path = tmp_path_factory.mktemp("written") / "tune.mid"
    mido.MidiFile(tracks=tracks, ticks_per_beat=BEAT).save(path)
    found = read_midi(path, step=1).tunes
    np.testing.assert_array_equal(found.rolls[0], tunes.rolls[0], strict=True)
    np.testing.assert_array_equal(found.voices[0], tunes.voices[0], strict=True)


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_with_its_subfolders_in_the_order_of_names(save, tmp_path):
    for note, name in ((62, "b.mid"), (60, "a.MIDI"), (64, "more/c.mid")):
        save(played((0, 1, note)), name=name)
    (tmp_path / "notes.txt").write_text("no music")
    found = read_midi(tmp_path, step=1)
    assert found.names == ("a.MIDI", "b.mid", "more/c.mid")
    assert [voices.max() for voices in found.tunes.voices] == [60, 62, 64]
    assert found.skipped == ()
    assert isinstance(found.tunes, Tunes)
    assert repr(found) == "MidiTunes(Tunes(3 tunes, 3 frames), 0 files skipped)"


def test_a_folder_of_tunes_can_be_split(save, tmp_path):
    for last in range(10):
        save(played((0, 1, 60), (1, 2, 61 + last)), name=f"{last}.mid")
    parts = split_tunes(read_midi(str(tmp_path)).tunes, seed=1)
    assert [len(part.rolls) for part in parts] == [8, 1, 1]


def test_a_broken_file_is_named_or_skipped_and_listed(save, tmp_path):
    save(played((0, 1, 60)), name="good.mid")
    (tmp_path / "bad.mid").write_bytes(b"RIFF, and no music")
    with pytest.raises(
        ValueError, match=r"^bad\.mid is no MIDI file, or a broken one \(MThd not found.*on_error='skip'"
    ):
        read_midi(tmp_path)
    found = read_midi(str(tmp_path), on_error="skip")
    assert found.names == ("good.mid",)
    ((name, reason),) = found.skipped
    assert name == "bad.mid" and "MThd not found" in reason


def test_where_every_file_is_broken_the_first_is_explained(tmp_path):
    for name in ("a.mid", "b.mid"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"None of 2 MIDI files can be used; the first, a\.mid: .*\(EOFError\)"):
        read_midi(tmp_path, on_error="skip")


def test_a_folder_without_midi_files_and_a_path_to_nothing_are_told_apart(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"folder .* holds no file that ends in \.mid or \.midi\. Pass a folder"
    ):
        read_midi(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*missing \(looked in .*\)\. Pass the path"):
        read_midi(tmp_path / "missing")


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "notes", [played(), played((0, 1, 38), channel=9), played((0, 1, 12)), played((0.125, 0.25, 60))]
)
def test_a_file_without_usable_notes_says_so(save, notes):
    with pytest.raises(ValueError, match=r"tune\.mid holds no note that could be used: none at all, drums alone"):
        read_midi(save(notes), step=0.25)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((8, b"\x00\x02"), "type 2"),  # the tracks of its three begin each at its own time
        ((12, b"\xe7\x28"), "its times are no beats"),  # 25 pictures a second, 40 ticks each
        ((12, b"\x00\x00"), "its times are no beats"),
        ((14, b"MTrx"), "no MTrk header"),
    ],
)
def test_a_file_without_beats_or_tracks_says_so(save, change, said):
    path = save(played((0, 1, 60)))
    content = bytearray(path.read_bytes())
    place, new = change
    content[place : place + len(new)] = new
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^tune\.mid .*{said}"):
        read_midi(path)


def test_a_file_that_is_cut_off_is_broken(save):
    path = save(played((0, 1, 60)))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match=r"tune\.mid is no MIDI file, or a broken one \(EOFError\)"):
        read_midi(path)


def test_times_without_end_are_refused_before_memory_is_asked_for(save):
    path = save(track_of((0, "on", 60), (2**27, "off", 60)), ticks_per_beat=1)
    with pytest.raises(ValueError, match=r"tune\.mid would have more than 200,000 frames of 0\.25 quarter notes"):
        read_midi(path)


def test_a_time_too_large_for_a_float_is_refused_likewise(save):
    content = save(track_of((0, "on", 60), (100, "off", 60))).read_bytes()
    huge = content.replace(b"\x64\x80\x3c", b"\xff" * 200 + b"\x64\x80\x3c")
    size = int.from_bytes(huge[18:22], "big") + len(huge) - len(content)
    path = save(played((0, 1, 60)))
    path.write_bytes(huge[:18] + size.to_bytes(4, "big") + huge[22:])
    assert len(huge) == len(content) + 200
    with pytest.raises(ValueError, match="more than 200,000 frames"):
        read_midi(path)


@pytest.mark.parametrize("options", [{"step": 0}, {"step": float("nan")}, {"voices": 0}, {"on_error": "ignore"}])
def test_options_of_which_no_tunes_can_be_made_are_refused(save, options):
    with pytest.raises(ValueError, match="pass a step above 0, at least 1 voice, and 'raise' or 'skip'"):
        read_midi(save(played((0, 1, 60))), **options)


def good_bytes():
    stream = io.BytesIO()
    tracks = [played((0, 1, 60), (1, 2, 62)), played((0, 2, 48), channel=1)]
    mido.MidiFile(tracks=tracks, ticks_per_beat=BEAT).save(file=stream)
    return stream.getvalue()


@given(st.lists(st.tuples(st.integers(0, len(good_bytes()) - 1), st.binary(min_size=1, max_size=3)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_a_value_error_that_names_it(tmp_path_factory, damages):
    content = bytearray(good_bytes())
    for place, new in damages:
        content[place : place + len(new)] = new
    read_or_refuse(tmp_path_factory.getbasetemp() / "damaged.mid", bytes(content))


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_read_or_refused_with_a_value_error_that_names_them(tmp_path_factory, content, headed):
    header = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\x00\x00\x00" + bytes([len(content)])
    read_or_refuse(tmp_path_factory.getbasetemp() / "random.mid", header * headed + content)


def read_or_refuse(path, content):
    path.write_bytes(content)
    try:
        found = read_midi(path)
    except ValueError as error:
        assert str(error).startswith(path.name)
    else:
        assert found.names == (path.name,) and found.tunes.rolls[0].any()
