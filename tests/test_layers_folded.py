"""The same layer at every step: what it answers, whatever the lengths are that came before."""

import keras
import numpy as np
import pytest

from rnn_course.layers import FoldedTimeDistributed

RNG = np.random.default_rng(0)


def small(wrapped, time=None):
    """A model of one wrapped layer from (batch, time, 3) to (batch, time, units)."""
    steps = keras.Input((time, 3))
    return keras.Model(steps, FoldedTimeDistributed(wrapped, name="every_step")(steps))


@pytest.mark.parametrize("rows", [2, 6, 20])
def test_clips_of_every_length_can_follow_one_another(rows):
    # Once lengths have differed, the compiled function knows none any more; every answer is still a product of its own.
    keras.utils.set_random_seed(0)
    model = small(keras.layers.Dense(4))
    kernel, bias = model.get_layer("every_step").get_weights()
    for time in (16, 8, 5, 16, 1, 30):
        steps = RNG.normal(size=(rows, time, 3)).astype("float32")
        answer = model.predict(steps, verbose=0, batch_size=7)
        assert answer.shape == (rows, time, 4)
        np.testing.assert_allclose(answer, steps @ kernel + bias, atol=1e-5)


def test_a_layer_that_differs_in_training_is_told_so():
    keras.utils.set_random_seed(0)
    model, ones = small(keras.layers.Dropout(0.5)), np.ones((4, 5, 3), "float32")
    assert (np.array(model(ones)) == 1).all()
    assert set(np.unique(model(ones, training=True))) == {0.0, 2.0}


def test_it_is_the_layer_of_keras_with_its_weights_and_comes_back_from_a_file(tmp_path):
    keras.utils.set_random_seed(0)
    model = small(keras.layers.Dense(4), time=5)
    stock = keras.layers.TimeDistributed(keras.layers.Dense(4))
    steps = RNG.normal(size=(2, 5, 3)).astype("float32")
    stock(steps)
    stock.set_weights(model.get_layer("every_step").get_weights())
    np.testing.assert_allclose(model(steps), stock(steps), atol=1e-6)
    assert isinstance(model.get_layer("every_step"), keras.layers.TimeDistributed)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(steps), model(steps))
