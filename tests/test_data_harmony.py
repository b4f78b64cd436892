"""The grammar of harmony: its chorales keep the rules of part writing, its truth is true, its sample is its output."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import Harmony, load_chorales, make_chorales, to_voices
from rnn_course.data.chorales import read_tunes
from rnn_course.data.harmony import _Chord, _parallels, _voicings, chord_notes, write_chorales
from rnn_course.data.registry import shipped

# What a musician knows, written down here once more: the triads of C major and of C minor by the names of their notes.
PITCH = {name: number for number, name in enumerate(["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"])}
MAJOR = {1: "C E G", 2: "D F A", 3: "E G B", 4: "F A C", 5: "G B D", 6: "A C E", 7: "B D F"}
MINOR = {1: "C Eb G", 2: "D F Ab", 3: "Eb G Bb", 4: "F Ab C", 5: "G B D", 6: "Ab C Eb", 7: "B D F"}
SCALES = {False: {0, 2, 4, 5, 7, 9, 11}, True: {0, 2, 3, 5, 7, 8, 10}}


def triad(tonic, minor, degree):
    return [(PITCH[name] + tonic) % 12 for name in (MINOR if minor else MAJOR)[degree].split()]


@pytest.fixture(scope="module")
def tunes():
    return make_chorales(60, seed=11)


@pytest.fixture(scope="module")
def frames(tunes):
    """Every tune as a list of (notes from above, truth of the frame by name)."""
    return [
        [
            (notes, dict(zip(Harmony._fields, truth, strict=True)))
            for notes, truth in zip(
                voices.tolist(), zip(*(field.tolist() for field in known), strict=True), strict=True
            )
        ]
        for voices, known in zip(tunes.voices, tunes.truth, strict=True)
    ]


# --- the truth --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 11), st.booleans(), st.integers(1, 7))
def test_chords_hold_the_notes_that_a_musician_names(tonic, minor, degree):
    assert list(chord_notes(tonic, minor, degree)) == triad(tonic, minor, degree)


def test_every_frame_sings_its_whole_chord_and_nothing_else_but_one_passing_note(frames):
    seen = Counter()
    for notes, truth in (frame for tune in frames for frame in tune):
        chord = triad(truth["tonic"], truth["minor"], truth["degree"])
        foreign = [note for note in notes if note % 12 not in chord]
        assert len(foreign) == truth["passing"]
        assert truth["passing"] or {note % 12 for note in notes} == set(chord)
        seen[truth["passing"]] += 1
    assert min(seen[True], seen[False]) > 50


def test_the_bass_sings_the_note_that_the_inversion_names(frames):
    seen = Counter()
    for notes, truth in (frame for tune in frames for frame in tune):
        chord = triad(truth["tonic"], truth["minor"], truth["degree"])
        passes = notes[3] % 12 not in chord
        assert passes or notes[3] % 12 == chord[truth["inversion"]]
        seen[truth["inversion"]] += 1
    assert len(seen) == 3 and min(seen.values()) > 20


def test_a_passing_note_goes_by_steps_between_two_notes_of_chords(frames):
    for tune in frames:
        for (before, _), (notes, truth), (after, following) in zip(tune, tune[1:], tune[2:], strict=False):
            if not truth["passing"]:
                continue
            (voice,) = (voice for voice in range(4) if notes[voice] != before[voice])
            steps = notes[voice] - before[voice], after[voice] - notes[voice]
            assert steps in [(1, 2), (2, 1), (2, 2), (-1, -2), (-2, -1), (-2, -2)]
            assert (notes[voice] - truth["tonic"]) % 12 in SCALES[truth["minor"]]
            assert following["phrase"] == truth["phrase"] and not following["passing"]


def test_every_phrase_begins_on_the_tonic_and_closes_with_dominant_and_tonic(frames):
    for tune in frames:
        for number in range(tune[-1][1]["phrase"] + 1):
            phrase = [frame for frame in tune if frame[1]["phrase"] == number]
            chords = [(truth["degree"], truth["inversion"]) for _, truth in phrase]
            closing = [truth["cadence"] for _, truth in phrase]
            assert [truth["position"] for _, truth in phrase] == list(range(len(phrase)))
            assert len({(truth["tonic"], truth["minor"]) for _, truth in phrase}) == 1
            assert chords[0][0] == 1 and chords[-1] == chords[-2] == (1, 0)
            first = closing.index(True)
            assert all(closing[first:]) and list(dict.fromkeys(chords[first:])) == [(5, 0), (1, 0)]
            assert {2, 4} & {degree for degree, _ in chords[:first]}
            assert phrase[-1][0][3] % 12 == phrase[-1][1]["tonic"]


def test_a_tune_begins_and_ends_at_home_with_the_tonic_in_bass_and_soprano(frames):
    away = 0
    for tune in frames:
        keys = [(truth["tonic"], truth["minor"]) for _, truth in tune]
        assert keys[0] == keys[-1]
        assert tune[-1][0][0] % 12 == tune[-1][0][3] % 12 == keys[0][0]
        for tonic, minor in set(keys) - {keys[0]}:
            home = SCALES[keys[0][1]]
            moved = {(step + tonic - keys[0][0]) % 12 for step in SCALES[minor]}
            assert len(home & moved) >= 6  # related keys differ in one note at most
            away += 1
    assert away > 10


def test_keys_of_both_modes_on_every_tonic_are_written():
    keys = {(int(truth.tonic[0]), bool(truth.minor[0])) for truth in make_chorales(200, seed=2, most_phrases=1).truth}
    assert len(keys) == 24


# --- the rules of part writing ----------------------------------------------------------------------------------------

CHOIR = ((60, 79), (55, 74), (48, 67), (40, 62))


def test_voices_stay_in_range_and_never_meet_or_cross(tunes):
    notes = np.concatenate(tunes.voices)
    assert (notes[:, :-1] > notes[:, 1:]).all()
    assert (notes[:, 0] - notes[:, 1] <= 12).all() and (notes[:, 1] - notes[:, 2] <= 12).all()
    for voice, (low, high) in enumerate(CHOIR):
        assert low <= notes[:, voice].min() and notes[:, voice].max() <= high


def moves_of(tunes):
    return [pair for voices in tunes.voices for pair in pairwise(voices.tolist())]


def test_there_are_no_parallel_fifths_and_octaves(tunes):
    for before, after in moves_of(tunes):
        for upper, lower in combinations(range(4), 2):
            old, new = before[upper] - before[lower], after[upper] - after[lower]
            moved = before[upper] != after[upper] and before[lower] != after[lower]
            assert not (moved and old % 12 == new % 12 and old % 12 in (0, 7)), (before, after)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([67, 60], [69, 62], True),  # C and G to D and A
        ([67, 60], [67, 60], False),  # held
        ([72, 60], [74, 62], True),  # octaves
        ([79, 60], [77, 58], True),  # twelfths
        ([67, 60], [77, 58], True),  # a fifth to a twelfth, by contrary motion
        ([67, 60], [68, 62], False),  # to a diminished fifth
        ([67, 60], [65, 62], False),  # to a third
        ([76, 67, 60], [77, 69, 62], True),  # between the lower two of three
    ],
)
def test_parallels_are_what_textbooks_call_so(before, after, found):
    assert bool(_parallels(np.array(before), np.array(after))) is found


def test_no_voice_leaps_far_or_passes_where_its_neighbor_was(tunes):
    for before, after in moves_of(tunes):
        steps = [abs(old - new) for old, new in zip(before, after, strict=True)]
        assert max(steps[:3]) <= 7 and steps[3] <= 12
        for upper in range(3):
            assert after[upper] >= before[upper + 1] and after[upper + 1] <= before[upper]


def test_the_leading_tone_is_sung_once_and_rises_in_the_soprano(frames):
    rises = 0
    for tune in frames:
        for (before, truth), (after, following) in pairwise(tune):
            leading = (truth["tonic"] + 11) % 12
            if truth["degree"] in (5, 7):
                sung = [note % 12 for note in before].count(leading)
                assert sung == 1 or (sung == 0 and truth["passing"])
            same_key = truth["phrase"] == following["phrase"]
            closes = truth["degree"] in (5, 7) and following["degree"] in (1, 6)
            if same_key and closes and before[0] % 12 == leading and not truth["passing"]:
                assert after[0] == before[0] + 1
                rises += 1
    assert rises > 50


@pytest.mark.parametrize(("degree", "inversion"), [(5, 0), (5, 1), (7, 1)])
def test_no_way_to_sing_a_dominant_doubles_the_leading_tone(degree, inversion):
    ways = _voicings(_Chord(2, True, degree, inversion, cadence=False, phrase=0, frames=1))  # C sharp in D minor
    assert len(ways) > 5
    assert ((ways % 12 == 1).sum(axis=1) == 1).all()


def test_no_voice_sings_an_augmented_second(frames):
    for tune in frames:
        for (before, truth), (after, following) in pairwise(tune):
            if truth["minor"] and truth["phrase"] == following["phrase"]:
                steps = [((old - truth["tonic"]) % 12, new - old) for old, new in zip(before, after, strict=True)]
                assert not {(8, 3), (11, -3)} & set(steps)


def test_voices_move_little(tunes):
    moves = np.concatenate([np.abs(np.diff(voices, axis=0)) for voices in tunes.voices])
    rng = np.random.default_rng(0)
    shuffled = [np.abs(np.diff(voices[rng.permutation(len(voices))], axis=0)) for voices in tunes.voices]
    assert moves.mean() < 0.6 * np.concatenate(shuffled).mean()


# --- many of them -----------------------------------------------------------------------------------------------------


def test_rolls_say_who_sings_what(tunes):
    for roll, voices in zip(tunes.rolls, tunes.voices, strict=True):
        assert roll.sum() == voices.size
        np.testing.assert_array_equal(to_voices(roll), voices, strict=True)


def test_passing_notes_can_be_left_out():
    tunes = make_chorales(20, seed=3, passing=False)
    assert not any(truth.passing.any() for truth in tunes.truth)


def test_the_same_seed_gives_the_same_tunes_and_fewer_are_the_beginning_of_more():
    more, fewer, other = make_chorales(6, seed=9), make_chorales(4, seed=9), make_chorales(4, seed=8)
    for left, right in zip(zip(*more, strict=True), zip(*fewer, strict=True), strict=False):
        for one, two in zip((*left[:2], *left[2]), (*right[:2], *right[2]), strict=True):
            np.testing.assert_array_equal(one, two, strict=True)
    assert [voices.tolist() for voices in other.voices] != [voices.tolist() for voices in fewer.voices]


@given(st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_a_tune_has_at_most_as_many_phrases_as_asked_for(seed, most):
    phrases = [int(truth.phrase[-1]) + 1 for truth in make_chorales(3, seed=seed, most_phrases=most).truth]
    assert min(2, most) <= min(phrases) and max(phrases) <= most


def test_every_array_has_one_entry_a_frame_and_its_kind(tunes):
    for roll, voices, truth in zip(*tunes, strict=True):
        assert (roll.dtype, voices.dtype) == (np.dtype(bool), np.dtype(np.int64))
        assert {len(field) for field in truth} == {len(roll)} == {len(voices)}
        flags = {name for name, field in truth._asdict().items() if field.dtype == bool}
        assert flags == {"minor", "cadence", "passing"}
        assert {field.dtype for field in truth} == {np.dtype(bool), np.dtype(np.int64)}


@pytest.mark.parametrize("sizes", [{"count": 0}, {"count": 1, "most_phrases": 0}])
def test_nothing_cannot_be_written(sizes):
    with pytest.raises(ValueError, match="pass a `count` and `most_phrases` of at least 1"):
        make_chorales(seed=0, **sizes)


# --- the sample -------------------------------------------------------------------------------------------------------


def test_the_sample_reads_back_with_its_truth():
    loaded, made, first = load_chorales("sample"), make_chorales(180, seed=0), 0
    for split, size in zip(loaded[:3], (120, 20, 40), strict=True):
        assert len(split.rolls) == len(split.voices) == len(split.truth) == size
        for index in range(size):
            parts = [(*each.truth[at], each.rolls[at], each.voices[at]) for each, at in ((split, index), (made, first))]
            for left, right in zip(*parts, strict=True):
                np.testing.assert_array_equal(left, right, strict=True)
            first += 1


def test_the_committed_sample_is_what_the_grammar_writes_today(tmp_path):
    write_chorales(tmp_path / "again.json")
    committed = shipped("data", "samples", "chorales.json")
    assert (tmp_path / "again.json").read_bytes() == committed.read_bytes()
    assert committed.stat().st_size < 210_000
    assert set(read_tunes(committed)) == {"train", "valid", "test"}
