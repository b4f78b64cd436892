"""Rolls, voices, their transposition and their splits; chorales from a file of the real format, and the real ones."""

import hashlib
import json
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnn_course.data import (
    Harmony,
    Tunes,
    cache,
    load_chorales,
    make_chorales,
    registry,
    split_tunes,
    to_voices,
    transpose,
)
from rnn_course.data.chorales import to_roll

rolls = arrays(bool, st.tuples(st.integers(1, 6), st.just(88)), elements=st.sampled_from([True] + [False] * 20))


def roll_of(*frames):
    """Press the keys of MIDI numbers, one list a frame."""
    roll = np.zeros((len(frames), 88), bool)
    for time, notes in enumerate(frames):
        for note in notes:
            roll[time, note - 21] = True
    return roll


def tunes_of(*tunes):
    made = tuple(roll_of(*frames) for frames in tunes)
    return Tunes(made, tuple(map(to_voices, made)))


# --- voices -----------------------------------------------------------------------------------------------------------


def test_four_notes_go_to_four_voices_from_above():
    assert to_voices(roll_of([48, 64, 67, 72], [72, 50, 65, 69])).tolist() == [[72, 67, 64, 48], [72, 69, 65, 50]]


def test_with_three_notes_the_voice_rests_whose_rest_lets_the_others_move_least():
    # From 72 67 64 48 to 72 65 53: 0 + 1 + 5 where the alto rests, 0 + 2 + 5 where the tenor does, more for the others.
    assert to_voices(roll_of([72, 67, 64, 48], [72, 65, 53])).tolist()[1] == [72, 0, 65, 53]


def test_a_voice_that_rested_is_judged_by_its_last_note():
    # The alto sang 67, rested twice, and takes 66 again: the tenor's last note is 60 by then.
    voices = to_voices(roll_of([72, 67, 64, 48], [72, 62, 48], [72, 60, 48], [], [72, 66, 48]))
    assert voices[:, 1].tolist() == [67, 0, 0, 0, 66]
    assert voices[:, 2].tolist() == [64, 62, 60, 0, 0]


def test_a_bass_that_leaps_an_octave_up_sings_in_unison_with_the_tenor():
    # From 88 79 72 60 to 88 79 72: with bass and tenor on 72 they move 12 together. With tenor and alto on 79 it is
    # 0 + 0 + 7 + 12, with alto and soprano on 88 0 + 9 + 7 + 12.
    voices = to_voices(roll_of([60, 72, 79, 88], [72, 79, 88]), unisons=True)
    assert voices.tolist() == [[88, 79, 72, 60], [88, 79, 72, 72]]


def test_unisons_are_for_one_missing_note_only():
    voices = to_voices(roll_of([72, 67, 64, 48], [72, 48], [], [71, 67, 62]), unisons=True)
    assert voices[1:].tolist() == [[72, 0, 0, 48], [0, 0, 0, 0], [71, 67, 62, 62]]


def test_equally_good_ways_are_decided_for_the_upper_voice():
    # 66 is one semitone from 67 and from 65; the outer voices stay.
    assert to_voices(roll_of([72, 67, 65, 48], [72, 66, 48])).tolist()[1] == [72, 66, 0, 48]


def test_a_voice_that_has_not_sung_waits_at_its_place_in_the_first_full_frame():
    assert to_voices(roll_of([64], [72, 67, 64, 48])).tolist() == [[0, 0, 64, 0], [72, 67, 64, 48]]


def test_without_a_full_frame_the_voices_stand_evenly_from_the_highest_to_the_lowest_note():
    # Four voices wait at 90, 70, 50 and 30.
    assert to_voices(roll_of([90, 30], [52], [68])).tolist() == [[90, 0, 0, 30], [0, 0, 52, 0], [0, 68, 0, 0]]


def test_of_more_notes_than_voices_the_outer_ones_stay_and_the_inner_voices_move_least():
    # 67 and 64 move to 66 and 63 (2 together); 69 and 58 are dropped, though 76 and 40 are farther from 72 and 48.
    voices = to_voices(roll_of([72, 67, 64, 48], [76, 69, 66, 63, 58, 40]))
    assert voices[1].tolist() == [76, 66, 63, 40]


@pytest.mark.parametrize(("count", "expected"), [(1, [72]), (2, [72, 48]), (3, [72, 64, 48]), (5, [72, 64, 60, 48, 0])])
def test_any_number_of_voices_can_be_asked_for(count, expected):
    # Three voices wait at 72, 60, 48; of five at 72, 66, 60, 54, 48 one rests: 54 costs 0 + 2 + 0 + 0, the least.
    notes = [72, 64, 48] if count == 3 else [72, 64, 60, 48]
    expected = [72, 64, 60, 0, 48] if count == 5 else expected
    assert to_voices(roll_of(notes), voices=count).tolist() == [expected]


def test_nobody_sings_in_silence():
    assert to_voices(np.zeros((3, 88), bool)).tolist() == [[0] * 4] * 3
    assert to_voices(np.zeros((0, 88), bool)).shape == (0, 4)


@given(rolls, st.integers(1, 6), st.booleans())
def test_voices_stand_from_above_and_give_the_roll_back(roll, count, unisons):
    voices = to_voices(roll, voices=count, unisons=unisons)
    assert (voices.shape, voices.dtype) == ((len(roll), count), np.int64)
    for frame, keys in zip(voices.tolist(), roll, strict=True):
        sung, there = [note for note in frame if note], (np.flatnonzero(keys) + 21).tolist()
        assert sung == sorted(sung, reverse=True)
        if len(there) <= count:
            assert sorted(set(sung)) == there
            shared = unisons and 0 < len(there) == count - 1
            assert len(sung) == len(there) + shared
        else:
            assert len(set(sung)) == count and set(sung) <= set(there)
            assert frame[0] == there[-1] and (count == 1 or frame[-1] == there[0])


@given(st.sets(st.integers(21, 108), min_size=4, max_size=4), st.sets(st.integers(21, 108), min_size=1, max_size=8))
def test_no_other_way_of_dealing_moves_the_voices_less(before, after):
    before, after = sorted(before, reverse=True), sorted(after, reverse=True)
    found = to_voices(roll_of(before, after))[1].tolist()
    if len(after) <= 4:
        ways = [dict(zip(chosen, after, strict=True)) for chosen in combinations(range(4), len(after))]
    else:
        ways = [dict(enumerate([after[0], *inner, after[-1]])) for inner in combinations(after[1:-1], 2)]
    least = min(sum(abs(before[voice] - note) for voice, note in way.items()) for way in ways)
    assert sum(abs(old - new) for old, new in zip(before, found, strict=True) if new) == least


@pytest.mark.parametrize("roll", [np.zeros((3, 88)), np.zeros((3, 87), bool), np.zeros(88, bool)])
def test_only_a_roll_can_be_dealt_out(roll):
    with pytest.raises(
        ValueError, match=r"Came a roll of shape .* for 4 voices\. Pass \(time, 88\) bool and at least 1"
    ):
        to_voices(roll)
    with pytest.raises(ValueError, match="for 0 voices"):
        to_voices(np.zeros((3, 88), bool), voices=0)


# --- transposition ----------------------------------------------------------------------------------------------------


def test_a_tune_moves_with_all_its_notes_and_rests_stay_rests():
    voices = np.array([[72, 67, 0, 48], [0, 0, 0, 0], [108, 60, 55, 33]])
    down = transpose(voices, -12)
    assert down.tolist() == [[60, 55, 0, 36], [0, 0, 0, 0], [96, 48, 43, 21]]
    np.testing.assert_array_equal(transpose(to_roll(voices), -12), to_roll(down), strict=True)
    assert transpose(voices.astype(np.int8), -12).dtype == np.int8
    assert voices[0, 0] == 72


@given(rolls, st.integers(-90, 90))
def test_transposition_drops_no_note_or_refuses(roll, semitones):
    notes = np.flatnonzero(roll.any(axis=0)) + 21 + semitones
    if notes.size and (notes.min() < 21 or notes.max() > 108):
        with pytest.raises(ValueError, match="leave the keyboard"):
            transpose(roll, semitones)
        return
    moved = transpose(roll, semitones)
    assert moved.sum() == roll.sum()
    np.testing.assert_array_equal(transpose(moved, -semitones), roll)


@pytest.mark.parametrize("semitones", [13, -28])
def test_the_edge_of_the_keyboard_is_not_left(semitones):
    voices = np.array([[96, 48]])  # 96 + 12 = 108 and 48 - 27 = 21 are the last that there are
    assert transpose(voices, 12).tolist() == [[108, 60]]
    assert transpose(voices, -27).tolist() == [[69, 21]]
    said = rf"notes from 48 to 96; moved by {semitones} semitones, .* \(21 to 108\)\. Pass a number from -27 to 12\."
    for notes in (voices, to_roll(voices)):
        with pytest.raises(ValueError, match=said):
            transpose(notes, semitones)


@pytest.mark.parametrize("notes", [np.zeros((3, 88)), np.zeros((3, 87), bool), np.zeros(4, int)])
def test_what_is_neither_roll_nor_voices_is_refused(notes):
    with pytest.raises(ValueError, match=r"shape .* and dtype .*\. Pass a roll, \(time, 88\) bool, or voices, "):
        transpose(notes, 1)


def test_all_parts_of_tunes_move_together():
    tunes = make_chorales(3, seed=4)
    moved = tunes.transposed(-7)
    for before, after in zip(zip(*tunes, strict=True), zip(*moved, strict=True), strict=True):
        np.testing.assert_array_equal(after[1], before[1] - 7)
        np.testing.assert_array_equal(after[0][:, :81], before[0][:, 7:])
        np.testing.assert_array_equal(after[2].tonic, (before[2].tonic + 5) % 12)
        np.testing.assert_array_equal(after[2].degree, before[2].degree)
    assert tunes_of([[60]]).transposed(1).truth is None


def test_tunes_are_chosen_with_their_truth_and_shown_without_their_notes():
    tunes = make_chorales(3, seed=4)
    chosen = tunes.at([2, 0])
    for part, whole in zip(chosen, tunes, strict=True):
        assert part[0] is whole[2] and part[1] is whole[0] and len(part) == 2
    assert repr(tunes_of([[60], [61]], [[62]])) == "Tunes(2 tunes, 3 frames)"
    assert repr(chosen).endswith("harmony known)")
    assert tunes.at([]).rolls == ()


# --- splits -----------------------------------------------------------------------------------------------------------


def test_a_tune_and_its_copies_in_other_keys_are_in_one_split():
    tunes = tunes_of(*([[60 + key], [60 + key, 64 + key + kind]] for kind in range(10) for key in range(3)))
    parts = split_tunes(tunes, valid=0.2, test=0.2, seed=3)
    kinds = [{int(roll[1].nonzero()[0][-1] - roll[0].nonzero()[0][0]) for roll in part.rolls} for part in parts]
    assert [len(part.rolls) for part in parts] == [18, 6, 6]  # 20 % of 30 are six: two kinds of three each
    assert [len(each) for each in kinds] == [6, 2, 2]
    assert len(set.union(*kinds)) == 10


@given(st.integers(3, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_every_tune_is_in_one_split_and_the_seed_decides_which(count, seed):
    tunes = tunes_of(*([[40, 41 + kind]] for kind in range(count)))
    parts, again = split_tunes(tunes, seed=seed), split_tunes(tunes, seed=seed)
    kinds = [[int(voices.max()) for voices in part.voices] for part in parts]
    assert sorted(kind for each in kinds for kind in each) == list(range(41, 41 + count))
    share = max(1, round(count / 10))
    assert [len(each) for each in kinds] == [count - 2 * share, share, share]
    assert kinds == [[int(voices.max()) for voices in part.voices] for part in again]


def test_another_seed_splits_otherwise_and_truth_goes_along():
    tunes = make_chorales(30, seed=1)
    splits = [split_tunes(tunes, seed=seed) for seed in (0, 1)]
    assert len({repr([voices.tolist() for voices in parts[2].voices]) for parts in splits}) == 2
    place = {roll.tobytes(): index for index, roll in enumerate(tunes.rolls)}
    for part in splits[0]:
        for roll, truth in zip(part.rolls, part.truth, strict=True):
            assert tunes.truth[place[roll.tobytes()]] is truth


@pytest.mark.parametrize("shares", [(0, 0.1), (0.1, -1), (0.5, 0.5)])
def test_shares_that_leave_nothing_are_refused(shares):
    with pytest.raises(ValueError, match="pass two shares above 0 whose sum is below 1"):
        split_tunes(tunes_of([[60]]), valid=shares[0], test=shares[1])


@pytest.mark.parametrize("notes", [[60, 61, 62, 63], [60]])
def test_too_few_different_tunes_are_refused(notes):
    with pytest.raises(ValueError, match=f"{len(notes)} tunes are too few to split: but for transposition 1 of them"):
        split_tunes(tunes_of(*([[note]] for note in notes)))


# --- the loader -------------------------------------------------------------------------------------------------------

TABLE = {
    "train": [[[60, 72, 79, 88], [72, 79, 88], []], [[50, 57]]],
    "valid": [[[43, 96]]],
    "test": [[[48, 64, 67, 72]], [[50, 62, 65, 69]], [[45]]],
}


@pytest.fixture
def real_file(tmp_path, monkeypatch):
    """A cache with a small file in the format of the real one, and the registry that goes with it."""
    path = tmp_path / "jsb_chorales" / "jsb-chorales-quarter.json"
    path.parent.mkdir()
    path.write_text(json.dumps(TABLE))
    content = path.read_bytes()
    digest, url = hashlib.sha256(content).hexdigest(), f"http://127.0.0.1:1/{path.name}"
    row = f'{{ path = "{path.name}", bytes = {len(content)}, sha256 = "{digest}", url = "{url}" }}'
    table = f'[jsb_chorales]\nlicense = "none"\ncitation = "none"\nfiles = [\n{row},\n]\n'
    (tmp_path / "registry.toml").write_text(table)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


def test_frames_of_notes_become_rolls_and_voices_in_their_official_splits(real_file):
    loaded = load_chorales("jsb_chorales")
    assert repr(loaded) == "Chorales(source='jsb_chorales', train / valid / test = 2 / 1 / 3 tunes)"
    for name, split in zip(("train", "valid", "test"), loaded[:3], strict=True):
        notes = [[(np.flatnonzero(frame) + 21).tolist() for frame in roll] for roll in split.rolls]
        assert notes == TABLE[name]
        assert {roll.dtype for roll in split.rolls} == {np.dtype(bool)}
        assert split.truth is None
    assert loaded.train.voices[0].tolist() == [[88, 79, 72, 60], [88, 79, 72, 72], [0, 0, 0, 0]]
    assert "public domain" in loaded.card


def test_auto_takes_the_cached_real_set_and_says_so_in_one_line(real_file, capsys):
    assert load_chorales().source == "jsb_chorales"
    assert capsys.readouterr().out == "Data: jsb_chorales, chorales by J. S. Bach, found in the cache.\n"


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_file, capsys):
    real_file.unlink()
    assert load_chorales("auto").source == "sample"
    assert capsys.readouterr().out == (
        "Data: the bundled sample, chorales written by the course's grammar, because the server 127.0.0.1:1 cannot be "
        "reached.\n"
    )


def test_auto_downloads_what_is_missing_and_says_so(real_file, monkeypatch, capsys):
    def fetch(name):
        real_file.write_bytes(content)
        return {real_file.name: real_file}

    content = real_file.read_bytes()
    real_file.unlink()
    monkeypatch.setattr("rnn_course.data.chorales.fetch", fetch)
    assert load_chorales().source == "jsb_chorales"
    assert capsys.readouterr().out == "Data: jsb_chorales, chorales by J. S. Bach, downloaded just now.\n"


def test_the_real_set_asked_for_by_name_is_never_replaced_by_the_sample(real_file):
    real_file.write_text("damaged")
    with pytest.raises(cache.DataError, match=r"cached jsb-chorales-quarter\.json is damaged"):
        load_chorales("jsb_chorales")


def test_an_unknown_source_lists_the_three():
    with pytest.raises(
        ValueError, match=r"no source 'nottingham' of chorales. Pass one of: 'auto', 'sample', 'jsb_chorales'\."
    ):
        load_chorales("nottingham")


# --- the cards: the sample's everywhere; the real one's on machines whose cache holds the set -------------------------

CACHED = [name for name in ("jsb_chorales",) if all(file.state == "cached" for file in cache.status(name))]
sources = pytest.mark.parametrize("source", ["sample", *CACHED])


@pytest.fixture(scope="module")
def loaded():
    return {source: load_chorales(source) for source in ("sample", *CACHED)}


@sources
def test_rolls_and_voices_say_the_same(loaded, source):
    for split in loaded[source][:3]:
        for roll, voices in zip(split.rolls, split.voices, strict=True):
            frames = [sorted(set(frame) - {0}) for frame in voices.tolist()]
            assert frames == [(np.flatnonzero(frame) + 21).tolist() for frame in roll]
            assert ((voices[:, :-1] >= voices[:, 1:]) | (voices[:, :-1] == 0) | (voices[:, 1:] == 0)).all()


@sources
def test_the_splits_have_the_sizes_that_their_cards_say(loaded, source):
    for name, split in zip(("train", "valid", "test"), loaded[source][:3], strict=True):
        lengths = [len(roll) for roll in split.rolls]
        row = next(line for line in loaded[source].card.splitlines() if line.startswith(f"| {name} |"))
        told = f"{min(lengths)} to {max(lengths)} ({np.median(lengths):g})"
        assert row == f"| {name} | {len(lengths)} | {sum(lengths):,} | {told} |"


def nats(chances, truth):
    """-ln of the chance of what came, for every frame."""
    return [
        -sum(np.log(chance if on else 1 - chance) for chance, on in zip(*pair, strict=True))
        for pair in zip(chances, truth, strict=True)
    ]


@sources
def test_the_baselines_cost_what_their_cards_say(loaded, source):
    train, test = (split.rolls for split in (loaded[source].train, loaded[source].test))
    frames = sum(map(len, train))
    alone = [(sum(int(roll[:, key].sum()) for roll in train) + 1) / (frames + 2) for key in range(88)]
    counts = np.zeros((2, 2, 88))  # before, now, key
    for roll in train:
        for before, now in pairwise(roll):
            counts[before.astype(int), now.astype(int), np.arange(88)] += 1
    after = (counts[:, 1] + 1) / (counts.sum(axis=1) + 2)
    first = [nats([alone], roll[:1])[0] for roll in test]
    marginal = [cost for roll in test for cost in nats([alone] * len(roll), roll)]
    markov = [
        cost for roll in test for cost in nats(after[roll[:-1].astype(int), np.arange(88)].tolist(), roll[1:].tolist())
    ]
    card = loaded[source].card
    told = [f"{np.mean(marginal):.2f}", f"{np.mean([*first, *markov]):.2f}"]
    without_first = [f"{(np.sum(marginal) - np.sum(first)) / len(markov):.2f}", f"{np.mean(markov):.2f}"]
    columns = zip(told, *([without_first] if source != "sample" else []), strict=True)
    for name, figures in zip(("every key by itself", "every key given whether"), columns, strict=True):
        row = next(line for line in card.splitlines() if line.startswith(f"| {name}"))
        assert row.endswith(f"| {' | '.join(figures)} |")


def test_the_card_of_the_real_set_counts_its_traps(loaded):
    for source in CACHED:
        tunes = [roll for split in loaded[source][:3] for roll in split.rolls]
        card, notes = " ".join(loaded[source].card.split()), np.concatenate(tunes).sum(axis=1)
        counts = " | ".join(f"{(notes == count).sum():,}" for count in range(5))
        assert f"| frames of all splits | {counts} |" in card and notes.max() == 4
        assert f"{notes.mean():.2f} notes a frame" in card
        keys = np.flatnonzero(np.concatenate(tunes).any(axis=0)) + 21
        assert f"from {keys[0]} to {keys[-1]}." in card
        ends = sum((roll[-1].nonzero()[0][0] + 21) % 12 == 0 for roll in tunes)
        assert f"{ends} of {len(tunes)} end on a C in the bass" in card
        assert all(roll[0].any() and roll[-1].any() for roll in tunes)
        heads = [{tuple(voices[:12, 0] - voices[0, 0]) for voices in loaded[source].train.voices}]
        shared = sum(tuple(voices[:12, 0] - voices[0, 0]) in heads[0] for voices in loaded[source].test.voices)
        assert f"- {shared} of the {len(loaded[source].test.rolls)} test chorales begin with the same 12 notes" in card
        still = np.concatenate([(roll[1:] == roll[:-1]).all(axis=1) for roll in loaded[source].test.rolls])
        assert f"{still.mean():.0%}".replace("%", " %") + " of the test frames do" in card
        assert len({np.roll(roll, -int(roll.any(0).argmax()), 1).tobytes() for roll in tunes}) == len(tunes)


def test_the_card_of_the_sample_describes_it(loaded):
    parts = loaded["sample"][:3]
    truth, card = [each for part in parts for each in part.truth], " ".join(loaded["sample"].card.split())
    every = Harmony(*map(np.concatenate, zip(*truth, strict=True)))
    phrases = [int(each.phrase[-1]) + 1 for each in truth]
    assert " / ".join(str(phrases.count(count)) for count in (2, 3, 4)) + " tunes" in card
    away = [(each.tonic != each.tonic[0]) | (each.minor != each.minor[0]) for each in truth]
    share = f"{np.concatenate(away).mean():.0%}".replace("%", " %")
    assert f"{sum(each.any() for each in away)} tunes leave home and {share} of the frames" in card
    shares = " | ".join(f"{(every.degree == degree).mean():.0%}".replace("%", " %") for degree in (1, 2, 4, 5, 6, 7))
    assert f"| share of the frames | {shares} |" in card
    assert f"In {every.passing.mean():.0%}".replace("%", " %") + " of the frames one voice passes" in card
    notes = np.concatenate([voices for part in parts for voices in part.voices])
    assert f"MIDI numbers from {notes.min()} to {notes.max()}" in card
    assert len({voices.tobytes() for part in parts for voices in part.voices}) == 180
