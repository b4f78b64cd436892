"""Small models with one recurrent layer called "probed", in every setting in which a probe must be right."""

import functools

import keras
import numpy as np

CELLS = {
    "simple_rnn": (keras.layers.SimpleRNN, {}),
    "lstm": (keras.layers.LSTM, {}),
    "gru": (keras.layers.GRU, {}),
    "gru_reset_before": (keras.layers.GRU, {"reset_after": False}),
}
BATCH, TIME, FEATURES, UNITS = 3, 6, 4, 5
LENGTHS = np.array([6, 4, 1])
RIGHT = np.arange(TIME) < LENGTHS[:, None]  # (batch, time), real steps first, then padding
LEFT = RIGHT[:, ::-1]
HOLED = np.array([[1, 1, 0, 1, 0, 1], [0, 1, 1, 0, 0, 1], [1, 0, 0, 0, 1, 0]], bool)


def sequences(seed=0):
    """Inputs of the models below, `(batch, time, features)`."""
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, FEATURES))


def fill(model, seed=1, scale=0.5):
    """Give every weight its own value, so that a swapped gate cannot pass."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, scale, variable.shape))
    return model


class Masked(keras.layers.Layer):
    """Marks steps as padding by a fixed mask."""

    def __init__(self, mask, **options):
        super().__init__(**options)
        self.mask = mask
        self.supports_masking = True

    def call(self, inputs):
        return inputs

    def compute_mask(self, inputs, mask=None):
        return keras.ops.convert_to_tensor(self.mask)


class Reader(keras.Model):
    """A subclassed model: it has no `input`, and its layers no `output`."""

    def __init__(self, cell):
        super().__init__(name="reader")
        self.probed = cell(UNITS, name="probed")
        self.head = keras.layers.Dense(1, name="head")

    def call(self, inputs):
        return self.head(self.probed(inputs))


def return_state(cell, inputs):
    last, *states = cell(UNITS, name="probed", return_state=True, return_sequences=True)(inputs)
    return keras.layers.Concatenate()([keras.layers.Flatten()(last), *states])


def initial_state(cell, inputs):
    _, *states = cell(UNITS, name="probed", return_state=True)(inputs)
    return cell(UNITS, name="decoder")(inputs[:, :3], initial_state=states)


def nested(cell, inputs):
    return keras.Sequential([keras.Input((TIME, FEATURES)), cell(UNITS, name="probed")], name="inner")(inputs)


def bidirectional(cell, inputs):
    return keras.layers.Bidirectional(cell(UNITS, return_sequences=True), name="probed")(Masked(RIGHT)(inputs))


SETTINGS = {
    "plain": lambda cell, x: cell(UNITS, name="probed")(x),
    "right_padded": lambda cell, x: cell(UNITS, name="probed")(Masked(RIGHT)(x)),
    "left_padded": lambda cell, x: cell(UNITS, name="probed")(Masked(LEFT)(x)),
    "masked_sequences": lambda cell, x: cell(UNITS, name="probed", return_sequences=True)(Masked(RIGHT)(x)),
    "stacked_below": lambda cell, x: cell(3)(cell(UNITS, name="probed", return_sequences=True)(x)),
    "stacked_above": lambda cell, x: cell(UNITS, name="probed")(cell(3, return_sequences=True)(x)),
    "bidirectional": bidirectional,
    "go_backwards": lambda cell, x: cell(UNITS, name="probed", go_backwards=True)(Masked(RIGHT)(x)),
    "stateful": lambda cell, x: cell(UNITS, name="probed", stateful=True, return_sequences=True)(x),
    "return_state": return_state,
    "initial_state": initial_state,
    "nested": nested,
    "subclassed": None,
}


def build(setting, cell, options=None):
    """A small model with the layer "probed" in the given setting, as wide as Keras' floatx."""
    cell = functools.partial(cell, **(options or {}))
    if setting == "subclassed":
        model = Reader(cell)
        model(np.zeros((BATCH, TIME, FEATURES)))
        return model
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    return keras.Model(inputs, keras.layers.Dense(1, name="head")(SETTINGS[setting](cell, inputs)))


def path_of(setting):
    """Where the layer "probed" is found."""
    return {"nested": "inner/probed"}.get(setting, "probed")


def as_custom(cell):
    """The same layer under another class: a probe knows no closed form for it and must go through autodiff."""
    return keras.saving.register_keras_serializable("tests")(type(f"Own{cell.__name__}", (cell,), {}))
