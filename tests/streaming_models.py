"""Small models for streams, each with its own weights everywhere, and what they say step by step: the whole."""

import functools

import keras
import numpy as np
from keras import layers
from small_models import fill

BATCH, TIME, FEATURES, VOCABULARY = 2, 9, 3, 7
NUMBERS = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")
IDS = np.random.default_rng(1).integers(0, VOCABULARY, (BATCH, TIME))


def reads_numbers(*parts):
    return keras.Sequential([keras.Input((None, FEATURES), name="numbers"), *parts])


def reads_ids(*parts):
    embedding = layers.Embedding(VOCABULARY, 4, name="embedding")
    return keras.Sequential([keras.Input((None,), dtype="int32", name="ids"), embedding, *parts])


MODELS = {
    "simple_rnn": lambda: reads_numbers(layers.SimpleRNN(5, return_sequences=True, name="rnn"), layers.Dense(2)),
    "lstm": lambda: reads_numbers(layers.LSTM(5, return_sequences=True, name="rnn"), layers.Dense(2)),
    "gru": lambda: reads_numbers(layers.GRU(5, return_sequences=True, name="rnn"), layers.Dense(2)),
    "gru_reset_before": lambda: reads_numbers(
        layers.GRU(5, return_sequences=True, reset_after=False, name="rnn"), layers.Dense(2)
    ),
    "stacked_ids": lambda: reads_ids(
        layers.LSTM(5, return_sequences=True, name="lstm"),
        layers.Dropout(0.5),
        layers.GRU(4, return_sequences=True, name="gru"),
        layers.Dense(VOCABULARY, activation="softmax", name="head"),
    ),
    "last_output": lambda: reads_numbers(
        layers.LSTM(5, return_sequences=True, use_bias=False, name="lstm"),
        layers.SimpleRNN(4, activation="relu", name="rnn"),
        layers.Dense(3, activation="relu"),
        layers.Dense(2, activation="sigmoid"),
    ),
    "bare_layer": lambda: reads_numbers(layers.LSTM(5, return_sequences=True, name="rnn")),
}


@functools.cache
def model(name):
    """One model of each kind for all tests of a file; nobody changes its weights."""
    return fill(MODELS[name](), seed=len(name))


def inputs_of(name):
    """`(batch, time, features)` numbers, or `(batch, time)` ids."""
    return IDS if model(name).input_shape == (None, None) else NUMBERS


@functools.cache
def whole(name):
    """What Keras says after each step, `(batch, time, …)`; where it only says the last, from each beginning anew."""
    one, inputs = model(name), inputs_of(name)
    if len(one.output_shape) == 3:
        return one.predict(inputs, verbose=0)
    return np.stack([one.predict(inputs[:, : t + 1], verbose=0) for t in range(TIME)], axis=1)
