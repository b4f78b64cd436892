"""Weights come apart by gate under their own names, and the eigenvalues are those of the recurrent blocks."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import CELLS, FEATURES, SETTINGS, TIME, UNITS, as_custom, build, fill, path_of, sequences

from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.states import trace
from rnn_course.probes.weights import gate_weights, recurrent_spectral_radius

ORDER = {"simple_rnn": ["state"], "lstm": ["input", "forget", "candidate", "output"]}
every_cell = pytest.mark.parametrize("name", CELLS)


def alone(layer):
    return keras.Sequential([keras.Input((TIME, FEATURES)), layer])


@pytest.mark.parametrize("setting", SETTINGS)
@every_cell
def test_put_together_again_the_parts_are_the_layer_s_own_variables(name, setting):
    model = fill(build(setting, *CELLS[name]))
    for direction in ("forward", "backward") if setting == "bidirectional" else ("forward",):
        parts = gate_weights(model, path_of(setting), direction=direction)
        assert list(parts) == ORDER.get(name, ["update", "reset", "candidate"])
        own = find_rnn_layer(model, path_of(setting), direction=direction).layer.get_weights()
        for index, variable in enumerate(own):
            whole = np.concatenate([weights[index] for weights in parts.values()], axis=-1)
            np.testing.assert_array_equal(whole, variable)
        for weights in parts.values():
            assert weights.kernel.shape == (FEATURES if setting != "stacked_above" else 3, UNITS)
            assert weights.recurrent_kernel.shape == (UNITS, UNITS)
            assert weights.bias.shape == ((2, UNITS) if name == "gru" else (UNITS,))


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before"])
def test_the_name_of_a_part_is_the_gate_that_it_moves(name):
    # Only one gate gets a large input bias: the trace must show that gate, and no other, wide open.
    cell, options = CELLS[name]
    layer = cell(UNITS, **options)
    model = alone(layer)
    for index, gate in enumerate(gate_weights(model)):
        kernel, recurrent, bias = (np.zeros_like(array) for array in layer.get_weights())
        bias.reshape(-1, bias.shape[-1])[0, index * UNITS : (index + 1) * UNITS] = 1000
        layer.set_weights([kernel, recurrent, bias])
        largest = {part: np.abs(weights.bias).max() for part, weights in gate_weights(model).items()}
        assert largest == {part: 1000 * (part == gate) for part in largest}
        opened = {part: values.min() for part, values in trace(model, sequences()).gates.items()}
        assert opened == {part: 1.0 if part == gate else 0.0 if part == "candidate" else 0.5 for part in opened}


@every_cell
def test_a_layer_without_bias_has_none_in_any_part(name):
    cell, options = CELLS[name]
    parts = gate_weights(alone(cell(UNITS, use_bias=False, **options)))
    assert [weights.bias for weights in parts.values()] == [None] * len(parts)


def test_the_parts_are_copies():
    model = alone(layers.LSTM(UNITS))
    before = [array.copy() for array in model.get_weights()]
    for weights in gate_weights(model).values():
        for array in weights:
            array += 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_eigenvalues_of_a_rotation_lie_on_the_circle_of_its_radius():
    # A quarter turn times 0.8 has the eigenvalues ±0.8 i; a third unit alone has 0.3.
    layer = layers.SimpleRNN(3)
    model = alone(layer)
    turn = np.array([[0.0, 0.8, 0.0], [-0.8, 0.0, 0.0], [0.0, 0.0, 0.3]])
    layer.set_weights([np.zeros((FEATURES, 3)), turn, np.zeros(3)])
    found = recurrent_spectral_radius(model)
    assert list(found.eigenvalues) == ["state"]
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues["state"]), [-0.8j, 0.8j, 0.3], atol=1e-7)
    np.testing.assert_allclose(np.abs(found.eigenvalues["state"]), [0.8, 0.8, 0.3], rtol=1e-6)
    assert found.radius == {"state": pytest.approx(0.8)}
    assert isinstance(found.radius["state"], float)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before"])
def test_each_gate_has_the_eigenvalues_of_its_own_block(name):
    # Block k is diagonal with k + 1/10, k + 2/10, …: its radius is known, and no two are alike.
    cell, options = CELLS[name]
    layer = cell(UNITS, **options)
    model = alone(layer)
    kernel, recurrent, bias = layer.get_weights()
    diagonals = np.arange(recurrent.shape[1] // UNITS)[:, None] + np.arange(1, UNITS + 1) / 10
    layer.set_weights([kernel, np.concatenate([np.diag(-values) for values in diagonals], axis=1), bias])
    found = recurrent_spectral_radius(model)
    assert list(found.eigenvalues) == list(found.radius) == ORDER.get(name, ["update", "reset", "candidate"])
    for gate, values in zip(found.eigenvalues, diagonals, strict=True):
        assert found.eigenvalues[gate].dtype == "complex128"
        np.testing.assert_allclose(found.eigenvalues[gate], -values[::-1], rtol=1e-6)
        assert found.radius[gate] == pytest.approx(values[-1])


def test_in_a_linear_rnn_the_radius_is_what_a_step_leaves_in_the_end():
    # U is not normal: the first steps grow although every eigenvalue is 0.9; after many, one step leaves about 0.9.
    layer = layers.SimpleRNN(2, activation="linear")
    model = alone(layer)
    kernel = np.array([[0.9, 1.0], [0.0, 0.9]])
    layer.set_weights([np.zeros((FEATURES, 2)), kernel, np.zeros(2)])
    radius = recurrent_spectral_radius(model).radius["state"]
    norms = [np.linalg.norm(np.linalg.matrix_power(kernel, k)) for k in (1, 2, 300, 301)]
    assert radius == pytest.approx(0.9, rel=1e-3)
    assert norms[1] > norms[0] > 1
    assert norms[3] / norms[2] == pytest.approx(0.9, rel=0.01)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_halves_of_a_bidirectional_layer_have_their_own_radius(direction):
    both = layers.Bidirectional(layers.SimpleRNN(2))
    model = alone(both)
    for half, scale in (("forward", 0.25), ("backward", 0.75)):
        getattr(both, f"{half}_layer").set_weights([np.zeros((FEATURES, 2)), scale * np.eye(2), np.zeros(2)])
    found = recurrent_spectral_radius(model, direction=direction)
    assert found.radius["state"] == {"forward": 0.25, "backward": 0.75}[direction]


@pytest.mark.parametrize("probe", [gate_weights, recurrent_spectral_radius])
def test_a_custom_cell_and_an_unknown_layer_are_refused(probe):
    with pytest.raises(ValueError, match=r"Layer 'probed' \(LSTMCell\) is a custom cell, .* which gate; expected"):
        probe(build("plain", as_custom(layers.LSTM)))
    with pytest.raises(ValueError, match="has no recurrent layer 'rnn'; it has 'probed'"):
        probe(build("plain", layers.LSTM), "rnn")
