"""Tunes on paper and to the ear: files read back, sound measured, and part writing counted by hand."""

import base64
import io
import re
import wave
from itertools import combinations

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.music import (
    CHOIR_RANGES,
    DISSONANT,
    Sound,
    dissonances,
    listen,
    note_name,
    notes_of,
    out_of_range,
    parallel_fifths,
    parallel_octaves,
    part_writing,
    synthesize,
    to_wav,
    voice_crossings,
    write_midi,
)

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71
CADENCE = np.array([[D + 12, G, B - 12, G - 24], [C + 12, G, C, C - 12], [C + 12, G, C, C - 12]])
TUNES = st.integers(1, 5).flatmap(
    lambda count: st.lists(st.lists(st.integers(50, 62) | st.just(0), min_size=count, max_size=count), min_size=1)
)


def heard(path):
    """What a MIDI file plays: for each track its name, (tick, type, key, channel) of its notes, and its length."""
    tracks = []
    for track in mido.MidiFile(path).tracks:
        now, notes = 0, []
        for message in track:
            now += message.time
            if message.type in ("note_on", "note_off"):
                notes.append((now, message.type.removeprefix("note_"), message.note, message.channel))
        tracks.append((track.name, notes, now))
    return tracks


# --- paper ------------------------------------------------------------------------------------------------------------


def test_notes_are_named_by_letter_and_octave():
    # MIDI 69 is A4, the tuning fork's 440 Hz; a piano has A0 to C8.
    assert [note_name(midi) for midi in (69, 21, 108, 59, 66, 1)] == ["A4", "A0", "C8", "B3", "F#4", "C#-1"]
    assert note_name(np.int64(60)) == "C4"
    with pytest.raises(ValueError, match="128 is no MIDI number; pass an integer from 1 to 127"):
        note_name(128)


def test_a_pitch_that_stays_is_one_note_unless_it_is_struck_again():
    voice = [C, C, 0, 0, C, D]
    assert notes_of(voice) == [(0, 2, C), (4, 5, C), (5, 6, D)]
    assert notes_of(voice, repeat=True) == [(0, 1, C), (1, 2, C), (4, 5, C), (5, 6, D)]
    assert notes_of([0, 0]) == []


def test_a_file_has_a_track_for_each_voice_and_holds_its_notes(tmp_path):
    # 480 ticks are a quarter note, the length of a frame.
    tracks = heard(write_midi(CADENCE, tmp_path / "cadence.mid"))
    assert [name for name, _, _ in tracks] == ["soprano", "alto", "tenor", "bass"]
    assert tracks[0][1] == [(0, "on", 74, 0), (480, "off", 74, 0), (480, "on", 72, 0), (1440, "off", 72, 0)]
    assert tracks[1][1] == [(0, "on", 67, 1), (1440, "off", 67, 1)]
    assert {length for _, _, length in tracks} == {1440}


def test_a_note_that_is_struck_again_ends_before_it_begins(tmp_path):
    ((_, notes, _),) = heard(write_midi([[C], [C]], tmp_path / "twice.mid", repeat=True))
    assert notes == [(0, "on", 60, 0), (480, "off", 60, 0), (480, "on", 60, 0), (960, "off", 60, 0)]


def test_rests_are_silent_and_count_at_both_ends(tmp_path):
    ((name, notes, length),) = heard(write_midi([[0], [C], [0], [0]], tmp_path / "rests.mid"))
    assert (name, notes, length) == ("voice 1", [(480, "on", 60, 0), (960, "off", 60, 0)], 1920)


def test_two_voices_on_the_same_note_have_channels_of_their_own(tmp_path):
    # On one channel, the end of the one would end the other.
    tracks = heard(write_midi([[C, C], [D, C]], tmp_path / "unison.mid"))
    assert [{channel for *_, channel in notes} for _, notes, _ in tracks] == [{0}, {1}]


def test_no_voice_is_played_by_the_drums(tmp_path):
    tracks = heard(write_midi([[C] * 15], tmp_path / "many.mid"))
    assert [notes[0][3] for _, notes, _ in tracks] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]


def test_a_third_of_a_quarter_note_does_not_drift(tmp_path):
    # 100 frames of 0.7 ticks beyond a whole number: rounding each by itself would be 30 ticks off at the end.
    ((_, notes, _),) = heard(write_midi([[C], [D]] * 50, tmp_path / "drift.mid", step=100.7 / 480))
    assert notes[-1][0] == 10070
    ((_, notes, _),) = heard(write_midi([[C], [D]] * 3, tmp_path / "triplets.mid", step=1 / 3))
    assert [tick for tick, kind, *_ in notes if kind == "on"] == [0, 160, 320, 480, 640, 800]


def test_the_file_says_tempo_and_instrument(tmp_path):
    # 120 quarter notes a minute are half a second, or 500,000 microseconds, each; three of them last 1.5 s.
    path = write_midi(CADENCE, tmp_path / "a.midi", beats_per_minute=120, program=52)
    file = mido.MidiFile(path)
    messages = [message for track in file.tracks for message in track]
    assert [message.tempo for message in messages if message.type == "set_tempo"] == [500_000]
    assert [message.program for message in messages if message.type == "program_change"] == [52] * 4
    assert file.length == pytest.approx(1.5)


def test_a_file_is_replaced_only_by_a_whole_one(tmp_path, monkeypatch):
    path = write_midi(CADENCE, tmp_path / "a.mid")
    before = path.read_bytes()

    def save_half(self, file):
        file.write(b"MThd")
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(mido.MidiFile, "save", save_half)
        with pytest.raises(OSError, match="no room"):
            write_midi(CADENCE[:1], path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    assert len(heard(write_midi(CADENCE[:1], path))[0][1]) == 2 and list(tmp_path.iterdir()) == [path]


@settings(max_examples=30, deadline=None)
@given(TUNES, st.booleans())
def test_every_frame_of_any_tune_is_found_again_in_the_file(tmp_path_factory, rows, repeat):
    voices = np.array(rows)
    found = np.zeros_like(voices)
    path = write_midi(voices, tmp_path_factory.getbasetemp() / "any.mid", step=0.25, repeat=repeat)
    for column, (_, notes, length) in enumerate(heard(path)):
        assert length == 120 * len(voices)
        for (start, _, key, _), (stop, kind, same, _) in zip(notes[::2], notes[1::2], strict=True):
            assert kind == "off" and key == same
            found[start // 120 : stop // 120, column] = key
    np.testing.assert_array_equal(found, voices)


@pytest.mark.parametrize(
    ("voices", "options", "message"),
    [
        ([C, D], {}, r"`voices` must be \(time, voices\), .* got shape \(2,\)"),
        (CADENCE[None], {}, r"got shape \(1, 3, 4\). Pick one tune."),
        (np.zeros((0, 4), int), {}, r"no empty axis; got shape \(0, 4\)"),
        ([[C, D], [C]], {}, "equally long rows of MIDI numbers"),
        (np.zeros((3, 88), bool), {}, "got bool. A roll of True and False must be made voices first"),
        (CADENCE / 2, {}, "MIDI numbers, integers with 0 for a rest; got float64"),
        ([[-1, C]], {}, "numbers from -1 to 60; MIDI numbers go from 0 to 127"),
        ([[C, 128]], {}, "numbers from 60 to 128"),
        ([[C] * 16], {}, r"There are 16 voices, and MIDI has 15 channels beside .* such as voices\[:, :15\]"),
        (CADENCE, {"program": 128}, "program is 128; pass an instrument of General MIDI, an integer from 0 to 127"),
        (CADENCE, {"step": 0}, "step is 0 and beats_per_minute 100.0; pass a step above 0"),
        (CADENCE, {"step": 1 / 1000}, "shorter than the 1/480 that the file can tell apart"),
        (CADENCE, {"beats_per_minute": 3}, "from 4 to 1000 beats a minute"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_no_file(tmp_path, voices, options, message):
    with pytest.raises(ValueError, match=message):
        write_midi(voices, tmp_path / "tune.mid", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_the_ending_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"The name must end in \.mid or \.midi; got 'tune\.wav'"):
        write_midi(CADENCE, tmp_path / "tune.wav")
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere for tune\.mid; make it first"):
        write_midi(CADENCE, tmp_path / "nowhere" / "tune.mid")
    with pytest.raises(ValueError, match=r"The name must end in \.wav; got 'tune\.mp3'"):
        listen(CADENCE).save(tmp_path / "tune.mp3")


def test_one_voice_is_asked_for_where_there_are_several():
    with pytest.raises(ValueError, match=r"`voice` must be \(time,\); got shape \(3, 4\). Pick one voice"):
        notes_of(CADENCE)


# --- ear --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("midi", "hertz"), [(69, 440.0), (57, 220.0), (60, 261.6256), (81, 880.0)])
def test_a_note_sounds_at_its_frequency_and_its_multiples(midi, hertz):
    samples = synthesize([[midi]], rate=16000, beats_per_minute=15)  # 4 seconds
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / 16000)
    assert frequencies[spectrum.argmax()] == pytest.approx(hertz, abs=0.25)
    near = np.abs(frequencies[:, None] / hertz - np.arange(1, 7)).min(axis=1) < 0.1
    assert (spectrum[near] ** 2).sum() > 0.999 * (spectrum**2).sum()
    assert all(spectrum[np.abs(frequencies / hertz - multiple) < 0.02].max() > 1 for multiple in range(1, 7))


def test_a_partial_that_the_rate_cannot_hold_is_left_out_and_not_folded_back():
    # A6 has 1760 Hz; at 8000 samples a second its third multiple, 5280 Hz, would be heard at 2720 Hz.
    samples = synthesize([[93]], rate=8000, beats_per_minute=15)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    frequencies = np.fft.rfftfreq(len(samples), 1 / 8000)
    assert spectrum[np.abs(frequencies - 2720) < 50].max() < 1e-3 * spectrum.max()
    # Half the rate is 4000 Hz: B7 has 3951, C8 has 4186.
    assert synthesize([[107]], rate=8000).any() and not synthesize([[108]], rate=8000).any()


def test_frames_last_as_long_as_the_tempo_says():
    # Three quarter notes at 90 a minute are 2 seconds; three eighths 1 second.
    assert synthesize(CADENCE, rate=4000, beats_per_minute=90).shape == (8000,)
    assert synthesize(CADENCE, rate=4000, beats_per_minute=90, step=0.5).shape == (4000,)
    assert synthesize(CADENCE).dtype == np.float32


def test_a_rest_is_silent():
    samples = synthesize([[C], [0], [C]], rate=4000, beats_per_minute=60)
    assert not samples[4000:8000].any()
    assert samples[:4000].any() and samples[8000:].any()
    assert not synthesize([[0, 0]]).any()


@settings(max_examples=15, deadline=None)
@given(TUNES)
def test_no_sample_is_louder_than_nine_tenths(rows):
    samples = synthesize(rows, rate=2000, step=0.25)
    assert np.abs(samples).max() == pytest.approx(0.9 if np.any(rows) else 0, abs=1e-6)


def test_fifteen_voices_on_one_note_are_not_louder_than_one():
    np.testing.assert_allclose(synthesize([[C] * 15], rate=4000), synthesize([[C]], rate=4000), atol=1e-6)


@pytest.mark.parametrize("voices", [[[C], [G], [E]], [[C, 0], [0, A], [B, 0]]])
def test_nothing_clicks_where_notes_meet(voices):
    # A cut at full loudness jumps by up to 0.9; these meet at a sample of 0.
    samples = synthesize(voices, rate=8000, beats_per_minute=60)
    for edge in (0, 8000, 16000, 24000):
        around = samples[max(edge - 4, 0) : edge + 4]
        assert np.abs(around).max() < 0.01
    inside = np.abs(np.diff(samples[1000:7000])).max()
    assert np.abs(np.diff(samples)).max() < 3 * inside


def test_a_note_rings_away_and_a_held_one_is_not_struck_again():
    loudness = [np.abs(part).max() for part in np.split(synthesize([[C]] * 4, beats_per_minute=60), 4)]
    assert loudness == sorted(loudness, reverse=True) and loudness[3] < 0.5 * loudness[0]
    again = [np.abs(part).max() for part in np.split(synthesize([[C]] * 4, beats_per_minute=60, repeat=True), 4)]
    np.testing.assert_allclose(again, 0.9, atol=1e-6)


@pytest.mark.parametrize(("bits", "kind", "zero", "reach"), [(8, np.uint8, 128, 127), (16, "<i2", 0, 32767)])
def test_a_wav_file_holds_the_samples(bits, kind, zero, reach):
    samples = np.array([0.0, 1.0, -1.0, 0.5])
    with wave.open(io.BytesIO(to_wav(samples, 11025, bits=bits))) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes())
        stored = np.frombuffer(file.readframes(4), kind).astype(int) - zero
    assert shape == (1, bits // 8, 11025, 4)
    assert stored.tolist() == [0, reach, -reach, round(reach / 2)]


@pytest.mark.parametrize(
    ("samples", "bits", "message"),
    [
        ([0.0, 1.1], 16, r"from -1 to 1; got shape \(2,\), sizes up to 1.1"),
        ([np.nan], 16, "sizes up to nan"),
        (np.zeros((2, 2)), 16, r"got shape \(2, 2\)"),
        ([0.0], 24, "bits is 24; pass 8 or 16"),
    ],
)
def test_samples_that_no_file_holds_are_refused(samples, bits, message):
    with pytest.raises(ValueError, match=message):
        to_wav(np.array(samples), 8000, bits=bits)


def test_a_rate_that_is_no_sound_is_refused():
    with pytest.raises(ValueError, match="rate is 44; pass the samples a second, at least 1000"):
        synthesize(CADENCE, rate=44)


def test_a_notebook_plays_the_samples_without_a_network():
    sound = listen(CADENCE, title='Bach & "sons"')
    page = sound._repr_html_()
    assert "<figcaption>Bach &amp; &quot;sons&quot;</figcaption>" in page and "<audio controls" in page
    assert "http" not in page and "<script" not in page
    assert "(2 s): run the notebook to hear it." in page  # what GitHub shows, which plays nothing
    data = base64.b64decode(re.search(r'src="data:audio/wav;base64,([^"]+)"', page)[1])
    with wave.open(io.BytesIO(data)) as file:
        stored = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
        assert file.getframerate() == sound.rate
    np.testing.assert_allclose((stored.astype(float) - 128) / 127, sound.samples, atol=0.5 / 127 + 1e-6)


def test_thirty_frames_take_less_than_two_hundred_kilobytes():
    page = listen(np.tile(CADENCE, (10, 1)), title="thirty frames")._repr_html_()
    assert 150_000 < len(page) < 200_000


def test_a_sound_is_saved_with_sixteen_bits_and_says_how_long_it_is(tmp_path):
    sound = listen(CADENCE, beats_per_minute=90)
    with wave.open(str(sound.save(tmp_path / "a.wav"))) as file:
        assert (file.getsampwidth(), file.getnframes()) == (2, 16000)
    assert repr(sound) == "Sound(2.0 s at 8000 Hz)" and sound.seconds == 2
    assert Sound(np.zeros(4000), 8000)._repr_html_().startswith('<audio controls title="Sound"')


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_fifth_after_a_fifth_in_the_same_direction_is_parallel():
    assert parallel_fifths([[G, C], [A, D]]) == (1, [(1, 0, 1)])
    assert parallel_fifths([[A, D], [G, C]]).places == [(1, 0, 1)]
    assert parallel_fifths([[G, C], [A, D], [B, E]]).places == [(1, 0, 1), (2, 0, 1)]


def test_an_octave_more_does_not_hide_a_fifth():
    assert parallel_fifths([[G + 12, C], [A + 12, D]]).count == 1
    assert parallel_fifths([[G, C], [A + 12, D]]).count == 1  # a fifth, then a twelfth, both upward


def test_what_stays_moves_apart_or_is_no_fifth_is_no_parallel():
    assert parallel_fifths([[G, C], [G, C]]).count == 0  # held
    assert parallel_fifths([[G, C + 12], [G + 12, C + 12]]).count == 0  # one voice stays
    assert parallel_fifths([[G, C], [G + 1, C - 11]]).count == 0  # one up, one down, to a fifth and an octave
    assert parallel_fifths([[F, C], [G, D]]).count == 0  # fourths
    assert parallel_fifths([[G, C], [B - 1, D]]).count == 0  # the second is a sixth
    assert parallel_fifths([[E, C], [A, D]]).count == 0  # the first is a third; hidden fifths are not asked for


def test_a_rest_breaks_a_parallel_and_is_no_note():
    assert parallel_fifths([[G, C], [0, 0], [A, D]]).count == 0
    # 55 - 0 and 67 - 0 are a fifth and octaves, if a rest were a note.
    assert parallel_fifths([[55, 0], [67, 0]]).count == 0
    assert parallel_octaves([[48, 0], [60, 0]]).count == 0
    assert parallel_octaves([[0, 0], [C, C]]).count == 0


def test_octaves_and_unisons_are_parallel_octaves_and_no_fifths():
    tune = [[C + 12, C, C], [D + 12, D, D]]
    assert parallel_octaves(tune) == (3, [(1, 0, 1), (1, 0, 2), (1, 1, 2)])
    assert parallel_fifths(tune) == (0, [])
    assert parallel_octaves([[G, C], [A, D]]).count == 0


def test_a_textbook_error_between_tenor_and_bass_is_found_where_it_is():
    # C major to D minor with every voice a step up: bass and tenor in fifths, bass and soprano in octaves.
    tune = [[C + 12, E, G - 12, C - 12], [D + 12, F, A - 12, D - 12]]
    assert parallel_fifths(tune).places == [(1, 2, 3)]
    assert parallel_octaves(tune).places == [(1, 0, 3)]


def test_places_come_in_the_order_of_time():
    # First alto and tenor, then soprano and alto.
    tune = [[C + 12, G, C], [B - 12, A, D], [F, A - 1, D - 1], [D + 12, G, C], [E + 12, A, 0]]
    assert parallel_fifths(tune).places == [(1, 1, 2), (2, 1, 2), (3, 1, 2), (4, 0, 1)]


def test_a_clean_cadence_breaks_no_rule_but_its_tones_may_clash():
    # G major (D, G, B, G) to C major (C, G, C, C): no voice crosses and no two voices are parallel.
    found = part_writing(CADENCE, ranges=CHOIR_RANGES)
    assert (found.parallel_fifths, found.parallel_octaves, found.voice_crossings) == (0, 0, 0)
    assert (found.dissonances, found.out_of_range) == (0, 0)
    assert (found.tunes, found.frames) == (1, 3)
    # With F in the alto the first chord is G7: F and G, a second, and B and F, a tritone.
    assert dissonances([[74, F, 59, 43], *CADENCE[1:].tolist()]) == (1, [0])


def test_a_voice_below_one_that_is_written_below_it_crosses():
    # The alto goes above the soprano; then the soprano below both; a unison and a rest are no crossing.
    tune = [[C, D, A - 12], [A - 12, D, C], [C, C, C], [C, 0, A - 12], [0, G, C]]
    assert voice_crossings(tune) == (3, [(0, 0, 1), (1, 0, 1), (1, 0, 2)])


@pytest.mark.parametrize(
    ("semitones", "clashes"),
    list(enumerate([0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1])),
    ids=["unison", "m2", "M2", "m3", "M3", "P4", "tritone", "P5", "m6", "M6", "m7", "M7"],
)
def test_seconds_sevenths_and_the_tritone_are_dissonant(semitones, clashes):
    assert dissonances([[C + semitones, C]]).count == clashes
    assert dissonances([[C + semitones + 24, C]]).count == clashes
    assert dissonances([[C, C + semitones]]).count == clashes  # crossed or not


def test_a_frame_of_many_dissonances_counts_once_and_a_rest_never():
    assert dissonances([[C + 2, C + 1, C], [C, 0, 0], [C + 13, 0, C]]) == (2, [0, 2])
    assert dissonances([[61, 0]]).count == 0  # C#, and 61 - 0 would be a second


def test_what_is_dissonant_can_be_chosen():
    assert dissonances([[F, C]], intervals=(*DISSONANT, 5)).count == 1
    with pytest.raises(ValueError, match=r"`intervals` holds \[13\]; pass semitones from 0 to 11"):
        dissonances(CADENCE, intervals=[13])


def test_a_note_at_the_end_of_a_range_is_inside_it():
    ranges = [(C, G), (40, 50)]
    assert out_of_range([[C, 50], [G, 40], [C - 1, 51], [0, 39]], ranges) == (3, [(2, 0), (2, 1), (3, 1)])
    assert [[note_name(end) for end in ends] for ends in CHOIR_RANGES] == [
        ["C4", "A5"],
        ["F3", "D5"],
        ["C3", "A4"],
        ["E2", "E4"],
    ]


def test_a_range_is_needed_for_each_voice():
    with pytest.raises(ValueError, match=r"`ranges` has shape \(4, 2\); expected \(2, 2\), the lowest and the highest"):
        out_of_range([[C, D]], CHOIR_RANGES)
    assert part_writing(CADENCE).out_of_range is None  # nobody said what is too high
    assert part_writing([[C, D]], ranges=[(60, 61), (0, 61)]).out_of_range == 100


def test_rates_are_per_hundred_frames_of_all_tunes_together():
    # Two parallel fifths, one crossing and one dissonant frame (C and D) in 3 + 1 + 4 = 8 frames.
    tunes = [[[G, C], [A, D], [B, E]], [[C, D]], [[C, C]] * 4]
    found = part_writing(tunes)
    assert (found.tunes, found.frames) == (3, 8)
    assert (found.parallel_fifths, found.voice_crossings, found.dissonances) == (25.0, 12.5, 12.5)
    assert found.parallel_octaves == 0


def test_nothing_is_parallel_between_the_end_of_a_tune_and_the_next():
    assert part_writing([[[G, C]], [[A, D]]]).parallel_fifths == 0
    assert part_writing([[G, C], [A, D]]).parallel_fifths == 50


def test_an_array_of_tunes_is_as_good_as_a_list():
    tunes = np.array([[[G, C], [A, D]], [[A, D], [G, C]]])
    assert part_writing(tunes) == part_writing(list(tunes)) == part_writing(tunes.tolist())
    with pytest.raises(ValueError, match="There is no tune to count in"):
        part_writing([])


def slow_places(rows, interval):
    """Parallels by the words of the textbook: one pair, one step at a time."""
    places = []
    for frame in range(1, len(rows)):
        for one, other in combinations(range(len(rows[0])), 2):
            (a, b), (c, d) = ((rows[place][one], rows[place][other]) for place in (frame - 1, frame))
            same_way = (a < c and b < d) or (a > c and b > d)
            if 0 not in (a, b, c, d) and same_way and abs(a - b) % 12 == interval == abs(c - d) % 12:
                places.append((frame, one, other))
    return places


@settings(max_examples=100, deadline=None)
@given(TUNES)
def test_parallels_are_those_of_a_slow_second_count(rows):
    assert parallel_fifths(rows).places == slow_places(rows, 7)
    assert parallel_octaves(rows).places == slow_places(rows, 0)
