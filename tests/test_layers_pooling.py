"""Masked pooling against numbers worked out by hand."""

import keras
import numpy as np

from rnn_course.layers import MaskedPooling

# One sequence, three steps, two features; the last step would win both maxima and move both means.
STEPS = np.array([[[-4.0, 1.0], [-2.0, -3.0], [100.0, 100.0]]], "float32")
MASK = np.array([[True, True, False]])


def test_the_maxima_come_before_the_means_and_masked_steps_count_in_neither():
    # Of -4 and -2: maximum -2, mean -3. Of 1 and -3: maximum 1, mean -1.
    np.testing.assert_allclose(MaskedPooling()(STEPS, mask=MASK), [[-2, 1, -3, -1]])


def test_without_a_mask_every_step_counts():
    # (-4 - 2 + 100) / 3 = 94/3 and (1 - 3 + 100) / 3 = 98/3.
    np.testing.assert_allclose(MaskedPooling()(STEPS), [[100, 100, 94 / 3, 98 / 3]], rtol=1e-6)


def test_padding_of_zeros_does_not_win_over_negative_values():
    padded = np.concatenate([STEPS[:, :2], np.zeros((1, 5, 2), "float32")], axis=1)
    mask = np.array([[True, True, False, False, False, False, False]])
    np.testing.assert_allclose(MaskedPooling()(padded, mask=mask), [[-2, 1, -3, -1]])


def test_a_sequence_without_a_real_step_is_zeros():
    np.testing.assert_array_equal(MaskedPooling()(STEPS, mask=np.zeros((1, 3), bool)), np.zeros((1, 4)))


def test_it_takes_the_mask_of_an_embedding_and_hands_none_on():
    tokens = keras.Input((None,), dtype="int32")
    pooled = MaskedPooling()(keras.layers.Embedding(9, 3, mask_zero=True)(tokens))
    model = keras.Model(tokens, pooled)
    assert pooled.shape == (None, 6)
    assert getattr(pooled, "_keras_mask", None) is None
    np.testing.assert_array_equal(
        model(np.array([[4, 7]], "int32")),
        model(np.array([[4, 7, 0, 0]], "int32")),
    )


def test_it_is_built_anew_from_its_config():
    again = keras.layers.deserialize(keras.layers.serialize(MaskedPooling(name="pooling")))
    assert again.name == "pooling"
    np.testing.assert_array_equal(again(STEPS, mask=MASK), MaskedPooling()(STEPS, mask=MASK))
