"""What is left of a memory: by hand where gates are pinned or the network is linear, by autodiff where they are not."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from small_models import (
    BATCH,
    CELLS,
    FEATURES,
    HOLED,
    LENGTHS,
    RIGHT,
    SETTINGS,
    TIME,
    UNITS,
    Masked,
    as_custom,
    build,
    fill,
    path_of,
    sequences,
)

from rnn_course.probes import memory
from rnn_course.probes.memory import memory_half_life, memory_retention
from rnn_course.probes.states import Trace, trace

KEEP = np.array([0.5, 0.9, 0.99, 0.1, 0.8])  # what the gate that keeps is pinned to, for each unit
every_cell = pytest.mark.parametrize("name", CELLS)
gated_cells = pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before"])


def handmade(openings, mask=None, cell_type="lstm"):
    """A trace whose gate that keeps is `(batch, time, units)` as given."""
    openings = np.asarray(openings, dtype=float)
    mask = np.ones(openings.shape[:2], bool) if mask is None else np.asarray(mask)
    gates = {"lstm": {"input": 0 * openings, "forget": openings}, "gru": {"update": openings, "reset": 0 * openings}}
    return Trace(openings, openings, gates[cell_type], openings, mask, cell_type, "forward")


def alone(layer, *, time=TIME, mask=None):
    """A model of one layer, which reads `(BATCH, time, FEATURES)`."""
    inputs = keras.Input(batch_shape=(BATCH, time, FEATURES))
    model = keras.Model(inputs, layer(inputs if mask is None else Masked(mask)(inputs)))
    return fill(model)


def pin(layer):
    """Set all weights to zero and the gate that keeps to `KEEP`, by its bias."""
    kernel, recurrent, bias = layer.get_weights()
    new = np.zeros_like(bias).reshape(-1, bias.shape[-1])
    block = 1 if isinstance(layer, layers.LSTM) else 0
    new[0, block * UNITS : (block + 1) * UNITS] = np.log(KEEP / (1 - KEEP))
    layer.set_weights([0 * kernel, 0 * recurrent, new.reshape(bias.shape)])


# ------------------------------------------------------------------------------------------------- half-life of a gate


@pytest.mark.parametrize("cell_type", ["lstm", "gru"])
def test_a_memory_that_halves_at_every_step_has_a_half_life_of_one(cell_type):
    found = memory_half_life(handmade(np.full((1, 3, 3), [0.5, 0.25, np.sqrt(0.5)]), cell_type=cell_type))
    np.testing.assert_allclose(found.steps, [1, 0.5, 2])
    np.testing.assert_allclose(found.keep, [0.5, 0.25, np.sqrt(0.5)])
    assert found.gate == {"lstm": "forget", "gru": "update"}[cell_type]


def test_a_gate_that_never_closes_keeps_for_ever_and_one_that_is_once_shut_keeps_nothing():
    found = memory_half_life(handmade([[[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]]))
    assert found.steps.tolist() == [np.inf, 0.0]
    assert found.keep.tolist() == [1.0, 0.0]


def test_the_mean_over_steps_is_geometric():
    # 1/8 and 1/2 leave 1/16 after two steps: 1/4 a step, half of it after half a step. The arithmetic mean is 5/16.
    found = memory_half_life(handmade([[[1 / 8], [1 / 2]]]))
    np.testing.assert_allclose(found.keep, [1 / 4])
    np.testing.assert_allclose(found.steps, [1 / 2])


def test_padding_takes_no_part_and_each_example_has_its_own():
    # Real: 1/2 1/2 1/2 and 1/16; so (1/2)^7 in four steps. The last example is padding alone.
    mask = [[True, True, True], [True, False, False], [False, False, False]]
    found = memory_half_life(handmade([[[0.5]] * 3, [[1 / 16], [1.0], [0.0]], [[0.3]] * 3], mask))
    np.testing.assert_allclose(found.steps, [4 / 7])
    np.testing.assert_allclose(found.keep, [0.5 ** (7 / 4)])
    np.testing.assert_allclose(found.steps_by_example, [[1.0], [0.25], [np.nan]])
    np.testing.assert_allclose(found.keep_by_example, [[0.5], [1 / 16], [np.nan]])


@pytest.mark.parametrize(
    "setting", ["plain", "right_padded", "bidirectional", "go_backwards", "stacked_above", "nested"]
)
@gated_cells
def test_pinned_gates_give_the_half_life_of_their_bias(name, setting, double_precision):
    model = fill(build(setting, *CELLS[name]))
    layer = model
    for part in path_of(setting).split("/"):
        layer = layer.get_layer(part)
    pin(layer.forward_layer if setting == "bidirectional" else layer)
    found = memory_half_life(trace(model, sequences(), path_of(setting)))
    np.testing.assert_allclose(found.steps, np.log(0.5) / np.log(KEEP), rtol=1e-10)
    np.testing.assert_allclose(found.steps_by_example, np.tile(found.steps, (BATCH, 1)), rtol=1e-10)


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (dataclasses.replace(handmade([[[0.5]]]), cell_type="simple_rnn"), "A simple_rnn has no gate that keeps its"),
        (
            dataclasses.replace(handmade([[[0.5]]]), cell_type="custom"),
            "A custom cell has no gate .* gradient_flow measures",
        ),
        (handmade([[[0.5]]], [[False]]), "The mask of the trace is False everywhere: no step is real"),
        (handmade([[[1.5], [0.2]]]), "The forget gate runs from 0.2 to 1.5; a half-life needs one between 0 and 1"),
        (handmade([[[-0.5], [0.2]]], cell_type="gru"), "The update gate runs from -0.5 to 0.2"),
    ],
)
def test_a_trace_without_a_half_life_is_refused(seen, message):
    with pytest.raises(ValueError, match=message):
        memory_half_life(seen)


# -------------------------------------------------------------------------------------------------- what a nudge leaves


@pytest.mark.parametrize("nudge", [1e-3, -2.0])
@gated_cells
def test_where_gates_are_pinned_the_share_left_is_the_opening_to_the_power_of_the_lag(name, nudge):
    # No recurrent weights: nothing but the gate touches the memory, so measured and promised are one, at any size.
    cell, options = CELLS[name]
    layer = cell(UNITS, **options)
    model = alone(layer)
    pin(layer)
    found = memory_retention(model, sequences(), step=1, nudge=nudge)
    expected = KEEP ** np.arange(TIME - 1)[:, None]  # lags 0 to 4
    np.testing.assert_allclose(found.measured, expected, rtol=1e-5)
    np.testing.assert_allclose(found.predicted, expected, rtol=1e-5)
    np.testing.assert_allclose(found.by_example, np.tile(expected, (BATCH, 1, 1)), rtol=1e-5)
    assert found.half_life().tolist() == [1, np.inf, np.inf, 1, 4]  # 0.8^3 = 0.512, 0.8^4 = 0.41
    assert (found.step, found.state) == (1, "cell" if name == "lstm" else "hidden")
    assert found.cell_type == name.removesuffix("_reset_before")


def test_in_a_linear_rnn_the_share_left_is_the_diagonal_of_the_kernel_s_power():
    layer = layers.SimpleRNN(UNITS, activation="linear")
    model = alone(layer)
    kernel = np.float64(layer.get_weights()[1])
    for step in (0, 3, -1):
        found = memory_retention(model, sequences(), step=step)
        powers = [np.diag(np.linalg.matrix_power(kernel, k)) for k in range(TIME - step % TIME)]
        np.testing.assert_allclose(found.measured, powers, rtol=1e-9, atol=1e-12)
        assert found.predicted is None
        assert found.step == step % TIME
        np.testing.assert_array_equal(found.count, [BATCH] * len(powers))


def diagonals_by_autodiff(layer, inputs, step, mask=None):
    """The diagonal of ∂(state after step + k) / ∂(state after step), `(batch, 1 + lags, units)`, from Keras' own cell.

    For an LSTM the state is c, and h = o tanh(c) moves with it: the output gate is read off by h / tanh(c).
    """
    cell = layer.cell
    states = [tf.zeros((len(inputs), UNITS), "float64")] * (2 if isinstance(layer, layers.LSTM) else 1)
    order = range(inputs.shape[1] - 1, -1, -1) if layer.go_backwards else range(inputs.shape[1])
    found, start = [], None
    with tf.GradientTape(persistent=True) as tape:
        for t in order:
            _, new = cell(inputs[:, t], states)
            keep = np.ones((len(inputs), 1), bool) if mask is None else mask[:, t, None]
            states = [tf.where(keep, after, before) for after, before in zip(new, states, strict=True)]
            if t == step:
                output_gate = states[0] / tf.tanh(states[-1])
                start = tf.identity(states[-1])
                tape.watch(start)
                states = [tf.stop_gradient(output_gate) * tf.tanh(start), start] if len(states) == 2 else [start]
            if start is not None:
                found.append(tf.unstack(states[-1], axis=1))
    diagonals = [[tape.gradient(part, start)[:, unit] for unit, part in enumerate(parts)] for parts in found]
    return np.moveaxis(np.array(diagonals), 2, 0)  # it was (1 + lags, units, batch)


@pytest.mark.parametrize("go_backwards", [False, True])
@every_cell
def test_for_a_small_nudge_it_is_the_diagonal_of_the_jacobian(name, go_backwards, double_precision):
    cell, options = CELLS[name]
    layer = cell(UNITS, go_backwards=go_backwards, **options)
    model = alone(layer)
    found = memory_retention(model, sequences(), step=3, nudge=1e-6)
    expected = diagonals_by_autodiff(layer, sequences(), 3)
    assert found.measured.shape == ((4, UNITS) if go_backwards else (3, UNITS))
    np.testing.assert_allclose(found.by_example, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.measured, expected.mean(axis=0), rtol=1e-4, atol=1e-6)
    assert np.abs(found.measured[1:]).min() > 1e-5


@gated_cells
def test_what_is_promised_is_the_product_of_the_gate_s_openings(name, double_precision):
    cell, options = CELLS[name]
    model = alone(cell(UNITS, **options), mask=HOLED)
    seen = trace(model, sequences())
    kept = np.where(HOLED[:, :, None], seen.gates["forget" if name == "lstm" else "update"], 1)
    found = memory_retention(model, sequences(), step=0)
    # Examples 0 and 2 are real at step 0. Their last real steps are 5 and 4: at lag 5 there is example 0 alone.
    expected = np.stack([np.prod(kept[[0, 2], 1 : 1 + k], axis=1) for k in range(TIME)], axis=1)
    np.testing.assert_allclose(found.predicted[:5], expected[:, :5].mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(found.predicted[5], expected[0, 5], rtol=1e-10)
    np.testing.assert_array_equal(found.count, [2, 2, 2, 2, 2, 1])
    assert np.abs(found.predicted - found.measured).max() > 1e-2  # the recurrent weights are not zero


@every_cell
def test_a_masked_step_carries_over_and_an_example_that_has_ended_is_nan(name, double_precision):
    cell, options = CELLS[name]
    layer = cell(UNITS, **options)
    model = alone(layer, mask=HOLED)
    found = memory_retention(model, sequences(), step=0, nudge=1e-6)
    expected = diagonals_by_autodiff(layer, sequences(), 0, HOLED)
    np.testing.assert_allclose(found.by_example[0], expected[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.by_example[0, 2], found.by_example[0, 1])  # step 2 is a hole of example 0
    assert np.isnan(found.by_example[1]).all()  # begins after step 0
    np.testing.assert_allclose(found.by_example[2, :5], expected[2, :5], rtol=1e-4, atol=1e-6)
    assert np.isnan(found.by_example[2, 5]).all()
    np.testing.assert_allclose(found.measured[5], expected[0, 5], rtol=1e-4, atol=1e-6)


def test_the_lags_end_with_the_longest_example_and_each_counts_as_long_as_it_lasts():
    model = alone(layers.GRU(UNITS), mask=RIGHT & (np.arange(TIME) < 5))
    found = memory_retention(model, sequences(), step=0)
    np.testing.assert_array_equal(LENGTHS.clip(max=5), [5, 4, 1])
    np.testing.assert_array_equal(found.count, [3, 2, 2, 2, 1])
    np.testing.assert_allclose(found.measured, np.nanmean(found.by_example, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(np.isfinite(found.by_example).all(axis=2).sum(axis=0), found.count)


def test_lags_cut_the_walk_and_change_nothing_else():
    model = alone(layers.LSTM(UNITS))
    whole, two = (memory_retention(model, sequences(), step=1, lags=lags) for lags in (None, 2))
    assert two.measured.shape == (3, UNITS)
    np.testing.assert_array_equal(two.measured, whole.measured[:3])
    np.testing.assert_array_equal(two.predicted, whole.predicted[:3])


def test_few_examples_at_a_time_give_what_all_give(monkeypatch):
    model = alone(layers.LSTM(UNITS), mask=HOLED)
    whole = memory_retention(model, sequences(), step=2)
    monkeypatch.setattr(memory, "MOST_NUMBERS", 1)
    np.testing.assert_allclose(memory_retention(model, sequences(), step=2).by_example, whole.by_example, rtol=1e-9)


@pytest.mark.parametrize("setting", SETTINGS)
@every_cell
def test_wherever_a_layer_stands_its_memory_is_that_of_the_layer_alone(name, setting, double_precision):
    # The layer's own inputs and mask, fed to a twin that stands alone, must give the same shares.
    cell, options = CELLS[name]
    model = fill(build(setting, cell, options))
    before = [variable.numpy() for variable in model.variables]
    for direction in ("forward", "backward") if setting == "bidirectional" else ("forward",):
        seen = trace(model, sequences(), path_of(setting), direction=direction)
        found = memory_retention(model, sequences(), path_of(setting), direction=direction, step=2)
        inputs = keras.Input(batch_shape=seen.inputs.shape)
        twin = cell(UNITS, go_backwards=seen.direction == "backward", **options)
        alone = keras.Model(inputs, twin(Masked(seen.mask)(inputs)))
        twin.set_weights([array.numpy() for array in model_layer(model, setting, direction).trainable_weights])
        expected = memory_retention(alone, seen.inputs, step=2)
        np.testing.assert_allclose(found.by_example, expected.by_example, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(np.isfinite(found.by_example[:, 0]).all(axis=1), seen.mask[:, 2])
        np.testing.assert_array_equal(found.count, expected.count)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())


def model_layer(model, setting, direction):
    """The recurrent layer at the path of a setting."""
    for part in path_of(setting).split("/"):
        model = model.get_layer(part)
    return getattr(model, f"{direction}_layer", model)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"step": 6}, "step is 6; the sequences have steps 0 to 5"),
        ({"step": -7}, "step is -7; the sequences have steps 0 to 5"),
        ({"step": 0, "nudge": 0}, "nudge is 0; pass a small number that is not zero, such as 1e-3"),
        ({"step": 0, "nudge": np.inf}, "nudge is inf; pass a small number"),
        ({"step": 0, "lags": 0}, "lags is 0; pass a whole number from 1 on, or leave it out"),
        ({"step": 0, "layer": "lstm"}, "no recurrent layer 'lstm'; it has 'probed'"),
    ],
)
def test_questions_without_an_answer_are_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        memory_retention(build("plain", layers.GRU), sequences(), **asked)


def test_a_step_that_is_padding_everywhere_is_refused():
    model = alone(layers.GRU(UNITS), mask=RIGHT & (np.arange(TIME) < 5))
    with pytest.raises(ValueError, match=r"Step 5 is padding in every example: there is no memory to nudge\. Pass"):
        memory_retention(model, sequences(), step=5)


def test_a_custom_cell_is_refused():
    with pytest.raises(ValueError, match=r"Layer 'probed' \(GRUCell\) is a custom cell, .* gradient_flow measures"):
        memory_retention(build("plain", as_custom(layers.GRU)), sequences(), step=0)
