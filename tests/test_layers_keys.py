"""What a slot may see and choose: only what lies before it and below."""

import keras
import numpy as np

from rnn_course.layers import FallingChoices, PressedKeys

CHOICES = np.array([[[4, 2, 0], [0, 0, 0]]])  # (1, 2, 3): keys 3 and 1, then a silent frame


def test_a_slot_is_given_the_keys_of_the_slots_before_and_not_its_own():
    pressed = np.array(PressedKeys(4)(CHOICES))
    assert pressed.shape == (1, 2, 3, 4)
    assert pressed[0, 0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 1]]
    assert not pressed[0, 1].any()


def test_a_key_may_only_follow_a_higher_one_and_nothing_follows_the_end():
    logits = np.array(FallingChoices()(np.zeros((1, 2, 3, 5), "float32"), CHOICES))
    assert (logits[0] == 0).astype(int).tolist() == [
        [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]],
        [[1, 1, 1, 1, 1], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]],
    ]
    assert logits[0, 1, 1, 1] == -1e9


def test_both_layers_come_back_from_their_config_and_say_their_shapes():
    layer = PressedKeys.from_config(PressedKeys(7, name="pressed").get_config())
    assert (layer.keys, layer.name) == (7, "pressed")
    assert layer.compute_output_shape((None, None, 4)) == (None, None, 4, 7)
    assert FallingChoices().compute_output_shape((None, 5, 4, 8), (None, 5, 4)) == (None, 5, 4, 8)


def test_pressed_keys_follow_the_precision_of_the_model():
    assert PressedKeys(4, dtype="float64")(CHOICES).dtype == "float64"
    assert keras.backend.standardize_dtype(PressedKeys(4, dtype="mixed_bfloat16")(CHOICES).dtype) == "bfloat16"
