"""Frames of music as a network reads and writes them; every number worked out by hand or by going through all sets."""

from itertools import product

import numpy as np
import pytest

from rnn_course.frames import choice_nats, key_nats, list_choices, pad_rolls, press_choices, previous_frames


def test_shorter_tunes_get_silence_behind_them_and_a_mask_says_where():
    frames, mask = pad_rolls([np.eye(3, dtype=bool), np.ones((1, 3), bool)], length=4)
    assert frames.dtype == "float32"
    assert frames[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert frames[1].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert mask.tolist() == [[True, True, True, False], [True, False, False, False]]


@pytest.mark.parametrize(
    ("rolls", "length", "message"),
    [
        ([], None, "at least one roll"),
        ([np.ones((2, 3)), np.ones((2, 4))], None, "equal keys"),
        ([np.ones(3)], None, r"\(time, keys\)"),
        ([np.ones((5, 3))], 4, "longest tune has 5 frames, more than length=4"),
    ],
)
def test_tunes_that_do_not_fit_together_are_refused(rolls, length, message):
    with pytest.raises(ValueError, match=message):
        pad_rolls(rolls, length=length)


def test_a_network_hears_silence_before_the_first_frame_and_never_the_last():
    frames = np.arange(1, 7).reshape(1, 3, 2)
    assert previous_frames(frames).tolist() == [[[0, 0], [1, 2], [3, 4]]]


def test_keys_are_listed_from_above_and_pressed_again():
    frames = np.array([[[0, 1, 0, 0, 1], [0, 0, 0, 0, 0]], [[1, 1, 1, 0, 0], [0, 0, 0, 0, 1]]])
    choices = list_choices(frames, slots=3)
    assert choices.tolist() == [[[5, 2, 0], [0, 0, 0]], [[3, 2, 1], [5, 0, 0]]]
    np.testing.assert_array_equal(press_choices(choices, keys=5), frames)


def test_more_slots_than_keys_are_filled_with_no_further_key():
    assert list_choices(np.array([[1, 1]]), slots=4).tolist() == [[2, 1, 0, 0]]


def test_a_frame_with_more_keys_than_slots_is_refused_because_one_would_be_lost():
    with pytest.raises(ValueError, match="A frame has 3 keys, more than slots=2"):
        list_choices(np.array([[1, 1, 1]]), slots=2)


def test_every_key_by_itself_costs_the_logarithm_of_what_it_did():
    chances = np.array([0.9, 0.2, 0.5])
    cost = key_nats(np.log(chances / (1 - chances)), np.array([1, 0, 1]))
    np.testing.assert_allclose(cost, -np.log(0.9 * 0.8 * 0.5))


def test_large_logits_cost_what_they_say_and_not_infinity():
    np.testing.assert_allclose(key_nats(np.array([[5000.0, -5000.0]]), np.array([[0, 1]])), [10_000])


def test_choices_cost_the_logarithm_of_their_product():
    chances = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]])
    np.testing.assert_allclose(choice_nats(np.log(chances), np.array([2, 1])), -np.log(0.25 * 0.6))


def test_the_probabilities_of_all_frames_sum_to_one():
    logits = np.random.default_rng(0).normal(size=4)
    frames = np.array([*product([0, 1], repeat=4)])
    np.testing.assert_allclose(np.exp(-key_nats(logits, frames)).sum(), 1)
