"""The composer: what is given stays, what is written is what the network says, and nothing else gets in."""

import keras
import numpy as np
import pytest

from rnn_course.composition import Composer
from rnn_course.data import read_midi, to_voices
from rnn_course.frames import choice_nats, list_choices, pad_rolls, previous_frames
from rnn_course.models import build_frame_model, build_voice_model
from rnn_course.music import write_midi

KEYS, SLOTS, LOWEST = 12, 3, 60
OPENING = np.zeros((2, KEYS), bool)
OPENING[0, [0, 4, 7]] = OPENING[1, [2, 5, 9]] = True


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build_voice_model(keys=KEYS, slots=SLOTS, embedding=8, units=6, hidden=16, cell="lstm")


@pytest.fixture(scope="module")
def composer(model):
    return Composer(model, lowest=LOWEST)


def rng():
    return np.random.default_rng(0)


def test_tunes_begin_with_the_opening_and_have_the_length_asked_for(composer):
    tunes = composer.compose(OPENING, frames=9, count=3, rng=rng())
    assert [tune.roll.shape for tune in tunes] == [(9, KEYS)] * 3
    for tune in tunes:
        np.testing.assert_array_equal(tune.roll[:2], OPENING)
        assert tune.opening == 2
    assert (tunes[0].roll != tunes[1].roll).any()


def test_what_a_frame_cost_is_what_the_model_says_of_the_whole_tune(model, composer):
    tunes = composer.compose(OPENING, frames=9, count=3, temperature=0.7, top_p=0.9, rng=rng())
    frames, _ = pad_rolls([tune.roll for tune in tunes])
    choices = list_choices(frames, slots=SLOTS)
    expected = choice_nats(model([previous_frames(frames), choices]), choices)
    np.testing.assert_allclose([tune.nats for tune in tunes], expected, rtol=1e-5)


def test_the_same_numbers_write_the_same_tune(composer):
    one, two, of_seed = (composer.compose(frames=6, rng=each)[0].roll for each in (rng(), rng(), 0))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, of_seed)


def test_a_given_melody_is_the_highest_voice_and_silence_is_silence(composer):
    melody = np.array([71, 65, 0, 60, 66])
    tune = composer.compose(frames=5, melody=melody, rng=rng())[0]
    highest = [LOWEST + np.flatnonzero(frame).max() if frame.any() else 0 for frame in tune.roll]
    assert highest == melody.tolist()


def test_a_melody_goes_on_where_the_opening_ends(composer):
    tune = composer.compose(OPENING, frames=4, melody=[60, 61, 70, 71], rng=rng())[0]
    np.testing.assert_array_equal(tune.roll[:2], OPENING)
    assert [np.flatnonzero(frame).max() for frame in tune.roll[2:]] == [10, 11]


def test_every_slot_stays_in_its_range(composer):
    ranges = [(66, 71), (63, 66), (60, 62)]
    tunes = composer.compose(frames=30, count=2, ranges=ranges, temperature=3.0, rng=rng())
    for tune in tunes:
        for choices in list_choices(tune.roll, slots=SLOTS):
            for choice, (low, high) in zip(choices, ranges, strict=True):
                assert choice == 0 or low <= LOWEST + choice - 1 <= high


def test_both_ends_of_a_range_belong_to_it(composer):
    tune = composer.compose(frames=30, ranges=[(66, 67), (64, 64), (60, 60)], temperature=3.0, rng=rng())[0]
    assert (np.flatnonzero(tune.roll.any(axis=0)) + LOWEST).tolist() == [60, 64, 66, 67]


def test_a_low_temperature_takes_the_likeliest_choice(model, composer):
    tune = composer.compose(OPENING, frames=6, temperature=1e-4, rng=rng())[0]
    frames = tune.roll[None].astype("float32")
    choices = list_choices(frames, slots=SLOTS)
    likeliest = np.argmax(model([previous_frames(frames), choices]), axis=-1)
    np.testing.assert_array_equal(likeliest[:, 2:], choices[:, 2:])


def test_a_unit_that_is_held_changes_the_tune_from_the_first_written_frame(composer):
    free, held = (composer.compose(OPENING, frames=8, hold=hold, rng=rng())[0] for hold in (None, {0: 50.0}))
    np.testing.assert_allclose(free.nats[:2], held.nats[:2])
    assert abs(free.nats[2] - held.nats[2]) > 1e-3


def test_a_held_unit_is_read_by_the_choices_and_carried_to_the_next_frame(model, composer):
    tune = composer.compose(frames=8, hold={1: 0.9}, rng=rng())[0]
    frames = tune.roll[None].astype("float32")
    choices, cell = list_choices(frames, slots=SLOTS), model.get_layer("lstm").cell
    choose = keras.Model([model.get_layer("memory").output, model.inputs[1]], model.output)
    states, nats = [np.zeros((1, 6), "float32")] * 2, []
    for time, heard in enumerate(previous_frames(frames)[0]):
        _, states = cell(model.get_layer("embedding")(heard[None]), states)
        hidden = np.array(states[0])
        hidden[:, 1] = 0.9
        states = [hidden, states[1]]
        memory = np.concatenate([hidden, heard[None]], axis=1)
        nats.append(
            choice_nats(choose([memory[:, None], choices[:, time : time + 1]]), choices[:, time : time + 1]).item()
        )
    np.testing.assert_allclose(tune.nats, nats, rtol=1e-5)


def test_training_on_is_heard_at_once(model, composer):
    before = composer.compose(frames=4, rng=rng())[0].nats
    weights = model.get_weights()
    model.set_weights([10 * weight for weight in weights])
    after = composer.compose(frames=4, rng=rng())[0].nats
    model.set_weights(weights)
    assert np.abs(before - after).max() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"opening": np.zeros((2, 5), bool)}, r"Pass \(time, 12\) bool"),
        ({"opening": np.zeros((9, KEYS), bool)}, "at most as long as the tune"),
        ({"melody": [60, 61]}, r"melody of shape \(2,\) .* for 4 frames"),
        ({"melody": []}, r"melody of shape \(0,\) for 4 frames"),
        ({"melody": [60, 61, 62, 90]}, "MIDI numbers from 60 to 71"),
        ({"ranges": [(60, 70)]}, r"Pass \(3, 2\)"),
        ({"temperature": 0}, "temperature is 0"),
        ({"hold": {6: 0.0}}, "units 0 to 5"),
    ],
)
def test_what_cannot_be_done_is_refused(composer, options, message):
    with pytest.raises(ValueError, match=message):
        composer.compose(**{"opening": None, "frames": 4, "rng": rng()} | options)


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="Pass one of `build_voice_model`"):
        Composer(build_frame_model(keys=KEYS, units=3))


def test_the_short_form_prints_no_array(composer):
    assert repr(composer.compose(OPENING, frames=3, rng=rng())[0]).startswith("Composed(3 frames, 2 of them given, ")


def test_a_composed_tune_is_the_same_when_its_midi_file_is_read_back(tmp_path):
    keras.utils.set_random_seed(1)
    piano = build_voice_model(keys=88, slots=4, embedding=8, units=6, hidden=16)
    tune = Composer(piano).compose(frames=12, ranges=[(60, 81), (53, 74), (48, 69), (40, 64)], rng=rng())[0].roll
    sounding = np.flatnonzero(tune.any(axis=1))
    path = write_midi(to_voices(tune), tmp_path / "composed.mid")
    again = read_midi(path, step=1).tunes.rolls[0]
    np.testing.assert_array_equal(again, tune[sounding[0] : sounding[-1] + 1])  # silence at the ends is left out
