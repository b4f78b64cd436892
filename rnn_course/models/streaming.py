"""A network that listens to a sensor and says, after every value, what it expects next and how sure it is."""

import keras
from keras import layers

from rnn_course.layers import recurrent_layer


def build_forecaster(*, features=1, units=128, cell="lstm"):
    """One recurrent layer, and a normal distribution over the next values at every step.

    The model reads forward only and treats nothing but the recurrence across steps, so that it can be taken apart into
    single steps (`rnn_course.streaming`). It is trained with the Gaussian negative log-likelihood of what came next
    (Nix and Weigend 1994): a spread is given as its logarithm, which may take any value.

    Input:  (batch, time, features) values.
    Output: (batch, time, 2 * features), first the means of the next values, then the logarithms of their spreads.

    Args:
        features: how many values a step has.
        units: units of the recurrent layer.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.

    Returns:
        An uncompiled `keras.Model` of the layers values, `<cell>_1` and forecast.

    Raises:
        ValueError: another `cell`.
    """
    values = keras.Input((None, features), name="values")
    hidden = recurrent_layer(cell, units, return_sequences=True, name=f"{cell}_1")(values)  # (batch, time, units)
    forecast = layers.Dense(2 * features, name="forecast")(hidden)
    return keras.Model(values, forecast, name="forecaster")
