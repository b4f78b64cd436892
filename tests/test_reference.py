"""The networks written out in NumPy, against arithmetic by hand, Keras' layers, its tape, and finite differences."""

import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import BATCH, CELLS, FEATURES, HOLED, LEFT, RIGHT, TIME, UNITS, fill, sequences

from rnn_course import reference
from rnn_course.reference import Cell, Weights, backward, forward, split_gates, weight_gradients

MASKS = {"none": None, "right": RIGHT, "left": LEFT, "holed": HOLED}
VARIANTS = {
    "as_it_comes": {},
    "no_bias": {"use_bias": False},
    "relu_and_hard_sigmoid": {"activation": "relu", "recurrent_activation": "hard_sigmoid"},
    "linear": {"activation": "linear"},
    "sigmoid_and_tanh": {"activation": "sigmoid", "recurrent_activation": "tanh"},
}
every_cell = pytest.mark.parametrize("name", CELLS)


def make_layer(name, **options):
    """A built Keras layer with different weights everywhere, returning its sequence and its states."""
    kind, own = CELLS[name]
    if kind is keras.layers.SimpleRNN:
        options.pop("recurrent_activation", None)
    layer = kind(UNITS, return_sequences=True, return_state=True, **own, **options)
    layer.build((BATCH, TIME, FEATURES))
    return fill(layer)


def cell_of(name, layer):
    """The same layer as the reference knows it: weights in Keras' layout, options under Keras' names."""
    activations = {
        key: keras.activations.serialize(getattr(layer, key))
        for key in ("activation", "recurrent_activation")
        if hasattr(layer, key)
    }
    kind = name.removesuffix("_reset_before")
    return Cell(kind, Weights(*layer.get_weights()), **activations, reset_after=name == "gru")


def starting_states(name, seed=5):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=(BATCH, UNITS)) for _ in range(2 if name == "lstm" else 1))


def final_states(unrolled):
    return [states[:, -1] for states in (unrolled.hidden, unrolled.cell) if states is not None]


# ------------------------------------------------------------------------------------------------------- by hand


def tiny_lstm(kernel, recurrent_kernel, bias):
    """An LSTM with one feature and one unit; each argument is (input, forget, candidate, output)."""
    return Cell("lstm", Weights(np.array([kernel]), np.array([recurrent_kernel]), np.array(bias)))


def test_an_lstm_that_forgets_half_and_adds_nothing_halves_its_cell():
    # All weights zero: every gate is 1/2 and the candidate 0, so c = 4/2 and h = tanh(2)/2.
    cell = tiny_lstm([0.0] * 4, [0.0] * 4, [0.0] * 4)
    unrolled = forward(cell, np.ones((1, 3, 1)), initial_state=(np.array([[7.0]]), np.array([[4.0]])))
    np.testing.assert_allclose(unrolled.cell[0, :, 0], [4, 2, 1, 0.5], rtol=1e-15)
    np.testing.assert_allclose(unrolled.outputs[0, 0, 0], np.tanh(2) / 2, rtol=1e-15)
    np.testing.assert_array_equal(unrolled.gates[0, 0], [0.5, 0.5, 0, 0.5])


def test_two_steps_of_an_lstm_worked_out_by_hand():
    # W = (0.5, -1, 2, 1.5), U = (-2, 3, 1, -1), b = (0.1, 1, -0.5, 0) for input, forget, candidate, output.
    # Read 1 from h = c = 0:
    #   i = sigmoid(0.6) = 0.6457, f = sigmoid(0) = 0.5, c~ = tanh(1.5) = 0.9051, o = sigmoid(1.5) = 0.8176
    #   c = 0.5 * 0 + 0.6457 * 0.9051 = 0.5844, h = 0.8176 * tanh(0.5844) = 0.4299
    # Read -0.5:
    #   i = sigmoid(-0.25 - 2 h + 0.1) = sigmoid(-1.0099) = 0.2670
    #   f = sigmoid(0.5 + 3 h + 1) = sigmoid(2.7898) = 0.9421
    #   c~ = tanh(-1 + h - 0.5) = tanh(-1.0701) = -0.7895, o = sigmoid(-0.75 - h) = sigmoid(-1.1799) = 0.2351
    #   c = 0.9421 * 0.5844 - 0.2670 * 0.7895 = 0.3398, h = 0.2351 * tanh(0.3398) = 0.0769
    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    c_1 = 0.5 * 0 + sigmoid(0.6) * math.tanh(1.5)
    h_1 = sigmoid(1.5) * math.tanh(c_1)
    c_2 = sigmoid(1.5 + 3 * h_1) * c_1 + sigmoid(-0.15 - 2 * h_1) * math.tanh(-1.5 + h_1)
    h_2 = sigmoid(-0.75 - h_1) * math.tanh(c_2)
    assert [round(number, 4) for number in (c_1, h_1, c_2, h_2)] == [0.5844, 0.4299, 0.3398, 0.0769]

    cell = tiny_lstm([0.5, -1.0, 2.0, 1.5], [-2.0, 3.0, 1.0, -1.0], [0.1, 1.0, -0.5, 0.0])
    unrolled = forward(cell, np.array([[[1.0], [-0.5]]]))
    np.testing.assert_allclose(unrolled.cell[0, :, 0], [0, c_1, c_2], rtol=1e-14)
    np.testing.assert_allclose(unrolled.hidden[0, :, 0], [0, h_1, h_2], rtol=1e-14)
    np.testing.assert_allclose(unrolled.gates[0, 1], [0.2670, 0.9421, -0.7895, 0.2351], atol=5e-5)


def test_a_linear_rnn_adds_its_inputs_up_and_shrinks_them_by_its_weight():
    # h_t = 0.5 h_{t-1} + 2 x_t + 1 from h_0 = 8, read 1, 0, -1: 4 + 3 = 7, 3.5 + 1 = 4.5, 2.25 - 1 = 1.25.
    cell = Cell("simple_rnn", Weights(np.array([[2.0]]), np.array([[0.5]]), np.array([1.0])), activation="linear")
    unrolled = forward(cell, np.array([[[1.0], [0.0], [-1.0]]]), initial_state=(np.array([[8.0]]),))
    np.testing.assert_array_equal(unrolled.outputs[0, :, 0], [7, 4.5, 1.25])
    # With L = h_3: ∂L/∂h_t = 0.5**(3-t), ∂L/∂x_t = 2 * 0.5**(3-t), ∂L/∂h_0 = 0.5**3.
    found = backward(cell, unrolled, np.array([[[0.0], [0.0], [1.0]]]))
    np.testing.assert_array_equal(found.hidden[0, :, 0], [0.25, 0.5, 1])
    np.testing.assert_array_equal(found.inputs[0, :, 0], [0.5, 1, 2])
    np.testing.assert_array_equal(found.initial[0], [[0.125]])
    # ∂L/∂W = Σ 0.5**(3-t) x_t = 0.25 - 1, ∂L/∂U = Σ 0.5**(3-t) h_{t-1} = 2 + 3.5 + 4.5, ∂L/∂b = 1.75.
    weights = weight_gradients(cell, unrolled, found)
    assert [float(array.sum()) for array in weights] == [-0.75, 10, 1.75]


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_with_an_open_update_gate_keeps_its_state(reset_after):
    # z = sigmoid(1000) = 1, and h_t = z h_{t-1} + (1 - z) h~: Keras' z keeps.
    bias = np.array([1000.0, 0.0, 3.0])
    bias = np.stack([bias, np.zeros(3)]) if reset_after else bias
    cell = Cell("gru", Weights(np.ones((1, 3)), np.ones((1, 3)), bias), reset_after=reset_after)
    unrolled = forward(cell, np.ones((1, 4, 1)), initial_state=(np.array([[0.25]]),))
    np.testing.assert_array_equal(unrolled.hidden[0, :, 0], [0.25] * 5)


def test_a_gru_resets_before_or_after_the_product():
    # One unit, no input: r = sigmoid(0) = 1/2 everywhere, z = sigmoid(-1000) = 0, so h = h~.
    # Before: h~ = tanh((r h) U + b) = tanh(0.5 * 0.8 * 3 + 0.1); after: tanh(r (h U + b_r) + b) with b_r = 0.4.
    kernel, recurrent = np.zeros((1, 3)), np.array([[0.0, 0.0, 3.0]])
    state = (np.array([[0.8]]),)
    before = Cell("gru", Weights(kernel, recurrent, np.array([-1000.0, 0.0, 0.1])), reset_after=False)
    after = Cell("gru", Weights(kernel, recurrent, np.array([[-1000.0, 0.0, 0.1], [0.0, 0.0, 0.4]])))
    inputs = np.zeros((1, 1, 1))
    assert forward(before, inputs, initial_state=state).outputs.item() == pytest.approx(math.tanh(1.3), rel=1e-14)
    assert forward(after, inputs, initial_state=state).outputs.item() == pytest.approx(math.tanh(1.5), rel=1e-14)


def test_masked_steps_keep_the_state_and_repeat_the_output_or_put_out_zero():
    # h_t = h_{t-1} + x_t from h_0 = 10; the steps 0 and 2 are padding.
    cell = Cell("simple_rnn", Weights(np.ones((1, 1)), np.ones((1, 1))), activation="linear")
    inputs, mask = np.array([[[5.0], [1.0], [7.0], [2.0]]]), np.array([[False, True, False, True]])
    state = (np.array([[10.0]]),)
    repeated = forward(cell, inputs, mask=mask, initial_state=state)
    zeroed = forward(cell, inputs, mask=mask, initial_state=state, zero_output_for_mask=True)
    np.testing.assert_array_equal(repeated.hidden[0, :, 0], [10, 10, 11, 11, 13])
    np.testing.assert_array_equal(repeated.outputs[0, :, 0], [0, 11, 11, 13])
    np.testing.assert_array_equal(zeroed.outputs[0, :, 0], [0, 11, 0, 13])


@pytest.mark.parametrize("shape", [(BATCH, TIME - 1), (TIME,), (1, TIME), (BATCH, TIME, 1)])
def test_a_mask_of_another_shape_is_refused(shape):
    cell = cell_of("lstm", make_layer("lstm"))
    with pytest.raises(
        ValueError, match=rf"`mask` has shape \(.*\); expected \(batch, time\), here \({BATCH}, {TIME}\)"
    ):
        forward(cell, np.zeros((BATCH, TIME, FEATURES)), mask=np.ones(shape, bool))


def test_gates_are_named_in_the_order_of_keras():
    gates = np.arange(8.0).reshape(1, 1, 8)
    assert {name: gate.tolist() for name, gate in split_gates("lstm", gates).items()} == {
        "input": [[[0, 1]]],
        "forget": [[[2, 3]]],
        "candidate": [[[4, 5]]],
        "output": [[[6, 7]]],
    }
    assert list(split_gates("gru", gates[:, :, :6])) == ["update", "reset", "candidate"]
    assert split_gates("simple_rnn", gates) == {}


def test_an_intervention_after_one_step_is_what_the_next_step_reads():
    # h_t = 2 h_{t-1} + x_t; h_1 is put to 100, so h_2 = 201.
    cell = Cell("simple_rnn", Weights(np.ones((1, 1)), np.full((1, 1), 2.0)), activation="linear")

    def adjust(t, states, gates):
        assert gates.shape == (1, 1)
        return (np.full((1, 1), 100.0),) if t == 0 else states

    unrolled = forward(cell, np.ones((1, 2, 1)), adjust=adjust)
    np.testing.assert_array_equal(unrolled.outputs[0, :, 0], [100, 201])


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_an_activation_and_its_slope_are_those_of_keras(name):
    points = np.array([-40.0, -3.0, -2.9, -0.4, 0.3, 1.0, 2.9, 3.1, 40.0])
    value, slope = reference.ACTIVATIONS[name]
    with tf.GradientTape() as tape:
        watched = tf.Variable(points)
        own = keras.activations.get(name)(watched)
    np.testing.assert_allclose(value(points), own.numpy(), rtol=1e-14, atol=1e-17)
    np.testing.assert_allclose(slope(value(points)), tape.gradient(own, watched).numpy(), rtol=1e-12, atol=1e-16)


# --------------------------------------------------------------------------------------------------- against Keras


@pytest.mark.parametrize("zero_output", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@every_cell
def test_outputs_and_final_states_are_those_of_keras(name, mask, zero_output, double_precision):
    mask, inputs = MASKS[mask], sequences()
    layer = make_layer(name, zero_output_for_mask=zero_output)
    for states in (None, starting_states(name)):
        own, *own_states = layer(inputs, initial_state=states, mask=mask)
        options = {"mask": mask, "zero_output_for_mask": zero_output}
        unrolled = forward(cell_of(name, layer), inputs, initial_state=states, **options)
        np.testing.assert_allclose(unrolled.outputs, own.numpy(), rtol=1e-12, atol=1e-14)
        for found, expected in zip(final_states(unrolled), own_states, strict=True):
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12, atol=1e-14)


@every_cell
def test_in_single_precision_they_agree_to_a_millionth(name):
    layer, inputs = make_layer(name), sequences().astype("float32")
    unrolled = forward(cell_of(name, layer), inputs, mask=RIGHT)
    assert unrolled.outputs.dtype == "float32"
    np.testing.assert_allclose(unrolled.outputs, layer(inputs, mask=RIGHT)[0].numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
@every_cell
def test_every_gradient_is_the_one_on_the_tape(name, variant, double_precision):
    # The loss weighs every output and every final state differently, at masked steps too.
    layer, rng = make_layer(name, **VARIANTS[variant]), np.random.default_rng(7)
    outward = rng.normal(size=(BATCH, TIME, UNITS))
    last = starting_states(name, seed=8)
    inputs, states = tf.constant(sequences()), [tf.constant(state) for state in starting_states(name)]
    for mask in (None, HOLED):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *states])
            outputs, *final = layer(inputs, initial_state=states, mask=mask)
            loss = sum(tf.reduce_sum(a * b) for a, b in zip([outputs, *final], [outward, *last], strict=True))
        expected = tape.gradient(loss, [inputs, *states, *layer.trainable_variables])
        cell = cell_of(name, layer)
        unrolled = forward(cell, inputs.numpy(), initial_state=starting_states(name), mask=mask)
        np.testing.assert_allclose(unrolled.outputs, outputs.numpy(), rtol=1e-12, atol=1e-14)
        found = backward(cell, unrolled, outward, final_gradients=last)
        weights = [array for array in weight_gradients(cell, unrolled, found) if array is not None]
        for array, tensor in zip([found.inputs, *found.initial, *weights], expected, strict=True):
            np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-9, atol=1e-11)


@every_cell
def test_the_way_arrays_lie_in_memory_does_not_matter(name):
    arrays, run = problem(name, HOLED)
    here = run(arrays)
    turned = reference.Unrolled(*(None if part is None else np.asarray(part, order="C") for part in here.unrolled))
    one, other = (backward(here.cell, unrolled, here.outward) for unrolled in (here.unrolled, turned))
    np.testing.assert_array_equal(one.projected, other.projected)
    np.testing.assert_array_equal(one.inputs, other.inputs)
    again = backward(here.cell, here.unrolled, here.outward)  # and nothing of the forward pass was used up
    np.testing.assert_array_equal(one.inputs, again.inputs)


@pytest.mark.parametrize("mask", MASKS)
@every_cell
def test_gradients_with_zeros_put_out_for_padding_are_those_on_the_tape(name, mask, double_precision):
    layer, mask = make_layer(name, zero_output_for_mask=True), MASKS[mask]
    outward, inputs = np.random.default_rng(7).normal(size=(BATCH, TIME, UNITS)), tf.constant(sequences())
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs, mask=mask)[0] * outward)
    cell, option = cell_of(name, layer), {"zero_output_for_mask": True}
    found = backward(cell, forward(cell, inputs.numpy(), mask=mask, **option), outward, **option)
    np.testing.assert_allclose(found.inputs, tape.gradient(loss, inputs).numpy(), rtol=1e-9, atol=1e-11)


# ------------------------------------------------------------------------------------------ against finite differences


def problem(name, mask):
    """A cell with its own weights, inputs, states and a scalar loss Σ a h + Σ h²/2 over what it puts out."""
    rng = np.random.default_rng(3)
    kind, gates = name.removesuffix("_reset_before"), {"simple_rnn": 1, "lstm": 4}.get(name, 3)
    bias = (2, 3 * UNITS) if name == "gru" else (gates * UNITS,)
    shapes = [(FEATURES, gates * UNITS), (UNITS, gates * UNITS), bias]
    weights = [rng.normal(0, 0.5, shape) for shape in shapes]
    arrays = [sequences(), *starting_states(name), *weights]
    slope = rng.normal(size=(BATCH, TIME, UNITS))

    def run(arrays):
        inputs, *rest = arrays
        cell = Cell(kind, Weights(*rest[-3:]), reset_after=name == "gru")
        unrolled = forward(cell, inputs, initial_state=tuple(rest[:-3]), mask=mask)
        loss = float((slope * unrolled.outputs + unrolled.outputs**2 / 2).sum())
        return SimpleNamespace(cell=cell, unrolled=unrolled, loss=loss, outward=slope + unrolled.outputs)

    return arrays, run


@pytest.mark.parametrize("mask", ["none", "holed"])
@every_cell
def test_moving_anything_a_little_moves_the_loss_as_its_gradient_says(name, mask):
    # Central differences along one random direction for each array at once: error of order step² and rounding / step.
    arrays, run = problem(name, MASKS[mask])
    here = run(arrays)
    found = backward(here.cell, here.unrolled, here.outward)
    gradients = [found.inputs, *found.initial, *weight_gradients(here.cell, here.unrolled, found)]
    rng, step = np.random.default_rng(4), 1e-5
    for moved, gradient in enumerate(gradients):
        direction = rng.normal(size=gradient.shape)
        direction *= np.sign(direction * gradient)  # no cancelling: the sum stays as large as its parts
        ahead, behind = (
            run([a + sign * step * direction if k == moved else a for k, a in enumerate(arrays)]).loss
            for sign in (1, -1)
        )
        expected = float((gradient * direction).sum())
        assert abs((ahead - behind) / (2 * step) - expected) <= 1e-7 * expected


@every_cell
def test_without_the_way_through_time_each_step_stands_alone(name):
    # The direct gradient at t is the one of a network that begins anew at t from the same state.
    arrays, run = problem(name, None)
    here = run(arrays)
    found = backward(here.cell, here.unrolled, here.outward, through_time=False)
    np.testing.assert_array_equal(found.hidden, here.outward)
    for t in range(TIME):
        states = tuple(past[:, t] for past in (here.unrolled.hidden, here.unrolled.cell) if past is not None)
        alone = forward(here.cell, arrays[0][:, t : t + 1], initial_state=states)
        expected = backward(here.cell, alone, here.outward[:, t : t + 1])
        np.testing.assert_allclose(found.inputs[:, t : t + 1], expected.inputs, rtol=1e-12)


@every_cell
def test_longer_padding_changes_nothing(name):
    arrays, run = problem(name, RIGHT)
    here = run(arrays)
    found = backward(here.cell, here.unrolled, here.outward * RIGHT[:, :, None])
    padding = np.full((BATCH, 3, FEATURES), 1e3)
    longer = forward(
        here.cell,
        np.concatenate([arrays[0], padding], axis=1),
        initial_state=tuple(arrays[1:-3]),
        mask=np.pad(RIGHT, [(0, 0), (0, 3)]),
    )
    outward = np.pad(here.outward * RIGHT[:, :, None], [(0, 0), (0, 3), (0, 0)])
    again = backward(here.cell, longer, outward)
    np.testing.assert_array_equal(longer.hidden[:, : TIME + 1], here.unrolled.hidden)
    np.testing.assert_allclose(again.hidden[:, :TIME], found.hidden, rtol=1e-13)
    assert not again.projected[:, TIME:].any()


@pytest.mark.parametrize("kind", reference.GATES)
def test_the_state_before_the_first_step_is_zero_unless_it_is_given(kind):
    weights = Weights(np.zeros((2, 1)), np.zeros((3, 1)))
    states = reference.zero_state(Cell(kind, weights), 4, "float64")
    assert [(state.shape, state.dtype, state.any()) for state in states] == [((4, 3), "float64", False)] * len(states)
    assert len(states) == (2 if kind == "lstm" else 1)
