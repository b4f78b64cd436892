"""With NumPy alone the network says what it says in Keras, and one file and the weights are all that it needs."""

import functools
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from small_models import fill
from streaming_models import BATCH, FEATURES, IDS, MODELS, NUMBERS, TIME, inputs_of, model, reads_numbers, whole

from rnn_course.streaming import NumpyStream, State, Stream, export_weights, load_state, numpy_stream, save_state


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """The `NumpyStream` of one of the models, from a file."""
    folder = tmp_path_factory.mktemp("devices")

    @functools.cache
    def load(name):
        export_weights(model(name), folder / f"{name}.npz")
        return NumpyStream.load(folder / f"{name}.npz")

    return load


@pytest.mark.parametrize("name", MODELS)
def test_any_cutting_gives_what_keras_gives_for_the_whole(name, device):
    @given(st.lists(st.integers(0, TIME), max_size=6))
    @settings(max_examples=20, deadline=None, derandomize=True)
    def cut(cuts):
        state, said = device(name).initial_state(BATCH), []
        for piece in np.split(inputs_of(name), sorted(cuts), axis=1):
            y, state = device(name).run(piece, state)
            said.append(y)
        np.testing.assert_allclose(np.concatenate(said, axis=1), whole(name), rtol=0, atol=1e-6)

    cut()


@pytest.mark.parametrize("name", MODELS)
def test_step_by_step_for_a_single_stream(name, device):
    state, said = device(name).initial_state(), []
    for x in inputs_of(name)[1]:
        y, state = device(name).step(x, state)
        said.append(y)
    np.testing.assert_allclose(said, whole(name)[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["gru_reset_before", "stacked_ids", "last_output"])
def test_keras_and_numpy_go_on_from_each_other(name, device, tmp_path):
    inputs, path = inputs_of(name), tmp_path / "state.npz"
    trained = Stream(model(name))
    _, state = trained.run(inputs[:, :3], trained.initial_state(BATCH))
    save_state(path, state)
    _, state = device(name).run(inputs[:, 3:6], load_state(path))
    save_state(path, state)
    y, _ = trained.run(inputs[:, 6:], load_state(path))
    np.testing.assert_allclose(y, whole(name)[:, 6:], rtol=0, atol=1e-6)


LONE = """
import importlib.abc, sys

class Door(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "tensorflow", "rnn_course"):
            raise ImportError(f"{name} is not on this device")

sys.meta_path.insert(0, Door())
sys.path.insert(0, sys.argv[1])
import numpy as np
from numpy_stream import NumpyStream, load_state, save_state

folder = sys.argv[1]
device = NumpyStream.load(folder + "/weights.npz")
inputs = np.load(folder + "/inputs.npy")
first, state = device.run(inputs[:, :4], device.initial_state(len(inputs)))
save_state(folder + "/state.npz", state)
rest, _ = device.run(inputs[:, 4:], load_state(folder + "/state.npz"))
np.save(folder + "/said.npy", np.concatenate([first, rest], axis=1))
assert not {"keras", "tensorflow", "rnn_course"} & set(sys.modules)
"""


def test_the_one_file_runs_where_there_is_nothing_but_numpy(tmp_path):
    (tmp_path / "numpy_stream.py").write_bytes(Path(numpy_stream.__file__).read_bytes())
    export_weights(model("stacked_ids"), tmp_path / "weights.npz")
    np.save(tmp_path / "inputs.npy", IDS)
    done = subprocess.run([sys.executable, "-I", "-c", LONE, tmp_path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "said.npy"), whole("stacked_ids"), rtol=0, atol=1e-6)


# --- a step is a function of what comes in and of the state -----------------------------------------------------------


@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru", "gru_reset_before", "bare_layer"])
def test_what_a_step_returns_is_nobody_elses(name, device):
    one = device(name)
    _, state = one.run(NUMBERS, one.initial_state(BATCH))
    kept = [array.copy() for array in state.arrays]
    y, after = one.step(NUMBERS[:, 0], state)
    said, left = y.copy(), [array.copy() for array in after.arrays]
    y[:] = 7.0  # the output is not a part of the state
    assert all(map(np.array_equal, after.arrays, left))
    one.step(NUMBERS[:, 1], after)  # nor is anything written into by a later step
    assert all(map(np.array_equal, after.arrays, left))
    for array in after.arrays:
        array[:] = 9.0
    assert all(map(np.array_equal, state.arrays, kept))
    np.testing.assert_array_equal(one.step(NUMBERS[:, 0], state)[0], said)


def test_an_lstm_of_zeros_halves_its_cell(tmp_path):
    # All gates are 1/2 and the candidate is 0: c = 4/2 and h = tanh(2)/2, whatever comes in.
    one = reads_numbers(layers.LSTM(1, return_sequences=True, unit_forget_bias=False, name="lstm"))
    one.set_weights([np.zeros_like(weight) for weight in one.get_weights()])
    export_weights(one, tmp_path / "weights.npz")
    state = State(("lstm_hidden", "lstm_cell"), (np.full((1, 1), 9, np.float32), np.full((1, 1), 4, np.float32)))
    y, after = NumpyStream.load(tmp_path / "weights.npz").step(NUMBERS[0, 0], state)
    np.testing.assert_allclose(
        [y[0], after.arrays[0][0, 0], after.arrays[1][0, 0]], [np.tanh(2) / 2] * 2 + [2], rtol=1e-6
    )


def test_large_sums_do_not_overflow(tmp_path):
    one = fill(reads_numbers(layers.LSTM(5, return_sequences=True), layers.Dense(3, activation="softmax")))
    export_weights(one, tmp_path / "weights.npz")
    device = NumpyStream.load(tmp_path / "weights.npz")
    y, _ = device.run(1e4 * NUMBERS, device.initial_state(BATCH))
    np.testing.assert_allclose(y, one.predict(1e4 * NUMBERS, verbose=0), atol=1e-6)
    large = np.array([[1000, -1000, 0]], np.float32)
    assert numpy_stream.softmax(large).tolist() == [[1, 0, 0]]
    assert numpy_stream.ACTIVATIONS["sigmoid"](large).tolist() == [[1, 0, 0.5]]


def test_double_precision_stays_double(double_precision, tmp_path):
    one = fill(reads_numbers(layers.GRU(5, return_sequences=True), layers.Dense(2, activation="tanh")))
    export_weights(one, tmp_path / "weights.npz")
    device = NumpyStream.load(tmp_path / "weights.npz")
    x = np.random.default_rng(3).normal(size=(BATCH, TIME, FEATURES))
    y, state = device.run(x, device.initial_state(BATCH))
    assert {y.dtype, state.arrays[0].dtype} == {np.dtype("float64")}
    np.testing.assert_allclose(y, one.predict(x, verbose=0), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", sorted(numpy_stream.ACTIVATIONS))
def test_an_activation_is_that_of_keras(name):
    sums = np.linspace(-9, 9, 200, dtype=np.float32).reshape(2, 100)
    found = numpy_stream.ACTIVATIONS[name](sums)
    np.testing.assert_allclose(found, keras.activations.get(name)(sums), rtol=1e-6, atol=1e-6)
    assert found.dtype == np.float32


# --- what is refused --------------------------------------------------------------------------------------------------


def branching():
    inputs = keras.Input((None, FEATURES))
    states = layers.GRU(FEATURES, return_sequences=True)(inputs)
    return keras.Model(inputs, layers.Add(name="skip")([states, inputs]))


REFUSED = {
    "a layer": (
        lambda: reads_numbers(layers.GRU(4), layers.LayerNormalization(name="norm")),
        r"Layer 'norm' \(LayerNormalization\) has no NumPy form here; there are Embedding, Dense, Activation",
    ),
    "an activation": (
        lambda: reads_numbers(layers.GRU(4), layers.Dense(2, activation="gelu", name="head")),
        r"Layer 'head' \(Dense\) has the activation .*gelu.*, with no NumPy form; there are linear, tanh",
    ),
    "gates of another kind": (
        lambda: reads_numbers(layers.LSTM(4, recurrent_activation="hard_sigmoid", name="lstm")),
        r"Layer 'lstm' \(LSTM\) computes with tanh and hard_sigmoid; its NumPy form knows tanh and sigmoid",
    ),
    "a branch": (branching, r"Layer 'skip' \(Add\) does not read the layer right before it, and only a chain"),
    "a stack of cells": (
        lambda: reads_numbers(layers.RNN(layers.LSTMCell(4), name="cells")),
        r"Layer 'cells' \(RNN\) has no NumPy form here",
    ),
    "bidirectional": (
        lambda: reads_numbers(layers.Bidirectional(layers.LSTM(4), name="both")),
        r"Layer 'both' \(Bidirectional\) needs the end of the sequence",
    ),
    "half precision": (
        lambda: reads_numbers(layers.LSTM(4, dtype="mixed_float16")),
        "computes in float16; NumpyStream computes in float32 or float64. Build it without mixed precision",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_numpy_form_is_refused_by_name(name, tmp_path):
    build, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        export_weights(build(), tmp_path / "weights.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_nobody_knows_is_refused(device):
    one = device("stacked_ids")
    for token in (-1, 7):
        with pytest.raises(ValueError, match=rf"Token ids \[{token}\] came; the model has vectors for 0 to 6"):
            one.step(token, one.initial_state())


def test_a_state_of_another_stream_is_refused(device):
    with pytest.raises(
        ValueError, match=r"The state holds rnn_hidden \(1, 5\) float32; for 2 stream\(s\) at once this"
    ):
        device("lstm").step(NUMBERS[:, 0], device("gru").initial_state())


def test_a_state_is_no_set_of_weights(device, tmp_path):
    save_state(tmp_path / "state.npz", device("lstm").initial_state())
    with pytest.raises(
        ValueError, match=r"holds 'rnn_course state 1'; expected 'rnn_course weights 1'. Write it with exp"
    ):
        NumpyStream.load(tmp_path / "state.npz")


def test_dropout_is_left_out_and_a_model_inside_is_a_part_of_the_chain(tmp_path):
    front = keras.Sequential([keras.Input((None, FEATURES)), layers.GRU(4, return_sequences=True)], name="front")
    one = fill(reads_numbers(layers.SpatialDropout1D(0.5), front, layers.Dropout(0.5), layers.LSTM(3)))
    export_weights(one, tmp_path / "weights.npz")
    device = NumpyStream.load(tmp_path / "weights.npz")
    y, state = device.run(NUMBERS, device.initial_state(BATCH))
    np.testing.assert_allclose(y[:, -1], one.predict(NUMBERS, verbose=0), atol=1e-6)
    assert state.names == Stream(one).initial_state().names
