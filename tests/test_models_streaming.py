"""The forecaster: a mean and a spread for every next value, and nothing that looks ahead."""

import keras
import numpy as np
import pytest

from rnn_course.layers import FusedGRU, FusedLSTM, FusedSimpleRNN
from rnn_course.models import build_forecaster

VALUES = np.random.default_rng(0).normal(size=(2, 7, 3)).astype("float32")


def forecast(model, values):
    return np.asarray(model(values, training=False))


def test_the_layers_have_the_names_that_the_lesson_uses():
    model = build_forecaster()
    assert [layer.name for layer in model.layers] == ["values", "lstm_1", "forecast"]
    assert model.get_layer("lstm_1").units == 128
    assert model.input_shape == (None, None, 1) and model.output_shape == (None, None, 2)
    assert not model.compiled
    # By hand: 4 · 128 · (1 + 128 + 1) in the LSTM and 2 · (128 + 1) in the readout.
    assert model.count_params() == 66_560 + 258


@pytest.mark.parametrize(("cell", "kind"), [("lstm", FusedLSTM), ("gru", FusedGRU), ("simple_rnn", FusedSimpleRNN)])
def test_each_cell_says_a_mean_and_a_spread_for_every_feature_at_every_step(cell, kind):
    model = build_forecaster(features=3, units=4, cell=cell)
    assert type(model.get_layer(f"{cell}_1")) is kind
    assert forecast(model, VALUES).shape == (2, 7, 6)


def test_no_step_sees_a_later_one():
    model, changed = build_forecaster(features=3, units=4), VALUES.copy()
    changed[:, 4] += 1
    before, after = forecast(model, VALUES), forecast(model, changed)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-4


def test_the_forecast_is_a_linear_reading_of_the_state_so_that_means_and_logarithms_are_free():
    model = build_forecaster(features=3, units=4)
    hidden = keras.Model(model.input, model.get_layer("lstm_1").output)
    kernel, bias = model.get_layer("forecast").get_weights()
    np.testing.assert_allclose(forecast(model, VALUES), forecast(hidden, VALUES) @ kernel + bias, atol=1e-6)


def test_another_cell_is_refused_with_the_list():
    with pytest.raises(ValueError, match="cell is 'rnn'; pass one of: 'lstm', 'gru', 'simple_rnn'"):
        build_forecaster(cell="rnn")
