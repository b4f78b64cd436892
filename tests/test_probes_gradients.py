"""The gradient through time, against answers worked out by hand, plain Keras autodiff, and finite differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import (
    BATCH,
    CELLS,
    FEATURES,
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

from rnn_course.probes.gradients import gradient_flow
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import ReplayError


@pytest.fixture
def data():
    return sequences(), np.random.default_rng(1).normal(size=(BATCH, 1))


def squares(targets, outputs):
    """A loss whose gradient differs from step to step and keeps the sum: no mean hides a missing step."""
    return tf.reduce_sum(tf.square(outputs - 0.3))


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", CELLS)
def test_the_closed_form_is_the_gradient_that_autodiff_finds(name, setting, double_precision, data):
    cell, options = CELLS[name]
    model = fill(build(setting, cell, options))
    custom = fill(build(setting, as_custom(cell), options))
    for half in ("forward", "backward") if setting == "bidirectional" else ("forward",):
        for wrt in ("hidden", "inputs"):
            for kind in ("total", "direct"):
                asked = {"direction": half, "loss": squares, "wrt": wrt, "kind": kind}
                closed = gradient_flow(model, data[0], data[1], path_of(setting), **asked)
                through = gradient_flow(custom, data[0], data[1], path_of(setting), **asked)
                assert closed.cell_type != "custom" and through.cell_type == "custom"
                np.testing.assert_allclose(closed.values, through.values, rtol=1e-6, atol=1e-10)
                np.testing.assert_array_equal(np.isnan(closed.norm()), ~closed.mask)


@pytest.mark.parametrize(
    "setting", [s for s in SETTINGS if s not in ("stacked_above", "bidirectional", "initial_state")]
)
@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_at_the_inputs_is_that_of_the_untouched_model(name, setting, double_precision, data):
    # Here plain Keras can answer too: its inputs are the layer's inputs.
    cell, options = CELLS[name]
    model = fill(build(setting, cell, options))
    inputs = tf.constant(data[0])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = squares(None, model(inputs))
    expected = tape.gradient(loss, inputs).numpy()
    for variable in find_rnn_layer(model, path_of(setting)).layer.states or []:
        variable.assign(tf.zeros_like(variable))
    flow = gradient_flow(model, data[0], data[1], path_of(setting), loss=squares, wrt="inputs")
    np.testing.assert_allclose(flow.values[flow.mask], expected[flow.mask], rtol=1e-6, atol=1e-10)


def test_a_layer_above_that_is_called_twice_passes_the_gradient_on_both_times(double_precision, data):
    # The layer above is shared, masked, reads backwards and begins from the probed layer's state the second time.
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    hidden, state = keras.layers.GRU(UNITS, return_sequences=True, return_state=True, name="probed")(inputs)
    above = keras.layers.GRU(UNITS, return_sequences=True, go_backwards=True, name="above")
    twice = above(Masked(RIGHT)(above(hidden)), initial_state=state)
    model = fill(keras.Model(inputs, keras.layers.Dense(1)(twice)))
    watched = tf.constant(data[0])
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = squares(None, model(watched))
    flow = gradient_flow(model, *data, "probed", loss=squares, wrt="inputs")
    np.testing.assert_allclose(flow.values, tape.gradient(loss, watched).numpy(), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("wrt", ["hidden", "cell"])
def test_pushing_a_state_a_little_moves_the_loss_as_its_gradient_says(wrt, double_precision, data):
    # A central difference at every step: the only thing it knows of the recurrence is how to run it.
    model = fill(build("plain", keras.layers.LSTM, {}))
    ref = find_rnn_layer(model)
    flow = gradient_flow(model, data[0], data[1], loss=squares, wrt=wrt)
    small, which = 1e-6, ("hidden", "cell").index(wrt)
    for step in (0, 2, TIME - 1):

        def loss_after(push, step=step):
            def adjust(t, states, gates):
                moved = list(states)
                if t == step:
                    moved[which] = moved[which] + push
                    if wrt == "cell":  # c_t reaches the loss through h_t = o tanh(c_t) too
                        moved[0] = gates[:, 3 * UNITS :] * np.tanh(moved[1])
                return tuple(moved)

            return float(squares(None, replay(model, data[0], ref, adjust=adjust)[0]))

        for unit in range(UNITS):
            push = np.zeros((BATCH, UNITS))
            push[:, unit] = small
            measured = (loss_after(push) - loss_after(-push)) / (2 * small)
            assert measured == pytest.approx(flow.values[:, step, unit].sum(), rel=1e-5, abs=1e-8)


def linear_rnn(weight, time, *, sequences=False):
    layer = keras.layers.SimpleRNN(1, activation="linear", return_sequences=sequences, name="rnn")
    model = keras.Sequential([keras.Input((time, 1)), layer])
    layer.set_weights([np.ones((1, 1)), np.full((1, 1), weight), np.zeros(1)])
    return model


@pytest.mark.parametrize("weight", [0.5, 1.0, 1.1])
def test_the_gradient_of_a_linear_rnn_shrinks_by_its_weight_at_every_step(weight):
    # h_T = w**(T-t) h_t, and the loss is h_T itself, so the total gradient at t is w**(T-t).
    model = linear_rnn(weight, 8)
    flow = gradient_flow(model, np.ones((2, 8, 1)), np.zeros((2, 1)), loss=lambda _, outputs: tf.reduce_sum(outputs))
    expected = weight ** np.arange(7, -1, -1)
    np.testing.assert_allclose(flow.values[0, :, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(flow.norm()[1], expected, rtol=1e-6)


def test_the_direct_gradient_of_a_loss_on_the_last_step_is_exactly_zero_before_it():
    flow = gradient_flow(linear_rnn(0.9, 5), np.ones((1, 5, 1)), np.ones((1, 1)), loss="mse", kind="direct")
    assert (flow.norm()[0, :4] == 0).all()
    assert flow.norm()[0, 4] > 0


def test_a_mean_over_the_batch_divides_the_gradient_by_its_size():
    model = linear_rnn(0.5, 4)
    one = gradient_flow(model, np.ones((1, 4, 1)), np.zeros((1, 1)), loss="mse").norm()[0]
    four = gradient_flow(model, np.ones((4, 4, 1)), np.zeros((4, 1)), loss="mse").norm()[0]
    np.testing.assert_allclose(four, one / 4, rtol=1e-6)


def test_a_loss_at_one_step_reaches_no_later_step():
    # With the loss h_2 alone, the gradient is w**(2-t) up to step 2 and 0 after it.
    model = linear_rnn(0.5, 5, sequences=True)
    flow = gradient_flow(
        model, np.ones((1, 5, 1)), np.zeros((1, 5, 1)), loss=lambda _, y: tf.reduce_sum(y), loss_step=2
    )
    np.testing.assert_allclose(flow.values[0, :, 0], [0.25, 0.5, 1, 0, 0])


def test_an_lstm_with_all_gates_at_one_half_passes_half_of_the_cell_gradient_back():
    # All weights zero: f = 1/2, and the state does not touch the gates, so ∂L/∂c_t = ∂L/∂c_{t+1} / 2 where c stays 0:
    # at the last step ∂h/∂c = o (1 - tanh(0)²) = 1/2.
    layer = keras.layers.LSTM(1, unit_forget_bias=False, name="lstm")
    model = keras.Sequential([keras.Input((4, 1)), layer])
    layer.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.zeros(4)])
    flow = gradient_flow(model, np.ones((1, 4, 1)), np.zeros((1, 1)), loss=lambda _, y: tf.reduce_sum(y), wrt="cell")
    np.testing.assert_allclose(flow.values[0, :, 0], [1 / 16, 1 / 8, 1 / 4, 1 / 2], rtol=1e-6)


def test_masked_steps_are_absent_from_the_gradient_not_zero(data):
    model = fill(build("right_padded", keras.layers.GRU, {}))
    flow = gradient_flow(model, *data, loss="mse")
    np.testing.assert_array_equal(flow.mask, RIGHT)
    assert np.isnan(flow.values[~RIGHT]).all() and np.isfinite(flow.values[RIGHT]).all()


def test_the_compiled_loss_and_its_name_and_its_object_give_the_same_gradient(data):
    model = fill(build("masked_sequences", keras.layers.LSTM, {}))
    model.compile(loss="mse")
    targets = np.ones((BATCH, TIME, 1))
    flows = [
        gradient_flow(model, data[0], targets, loss=loss).values[RIGHT]
        for loss in (None, "mse", "mean_squared_error", keras.losses.MeanSquaredError())
    ]
    for other in flows[1:]:
        np.testing.assert_array_equal(flows[0], other)
    by_hand = gradient_flow(
        model, data[0], targets, loss=lambda y, p: tf.reduce_sum(((p - y)[:, :, 0] ** 2)[RIGHT]) / RIGHT.sum()
    )
    np.testing.assert_allclose(flows[0], by_hand.values[RIGHT], rtol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_closed_form_and_autodiff_agree_in_single_precision(name, data):
    cell, options = CELLS[name]
    flows = [
        gradient_flow(fill(build("plain", kind, options)), *data, "probed", loss="mse").values
        for kind in (cell, as_custom(cell))
    ]
    assert np.abs(flows[0] - flows[1]).max() <= 1e-4 * np.abs(flows[1]).max()


def test_nothing_in_the_model_changes(data):
    model = fill(build("stateful", keras.layers.LSTM, {}))
    model.compile("adam", "mse")
    targets = np.ones((BATCH, TIME, 1))
    model.train_on_batch(data[0], targets)
    layer = find_rnn_layer(model).layer
    before = [variable.numpy() for variable in model.variables + model.optimizer.variables]
    kept = {name: vars(thing).copy() for name, thing in (("model", model), ("layer", layer))}
    gradient_flow(model, data[0], targets)
    for old, variable in zip(before, model.variables + model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    assert any(np.abs(variable.numpy()).max() > 0 for variable in layer.states)
    for name, thing in (("model", model), ("layer", layer)):
        assert vars(thing).keys() == kept[name].keys()
        assert all(vars(thing)[key] is value for key, value in kept[name].items() if callable(value))


def test_the_layer_is_put_back_when_the_loss_fails(data):
    model = fill(build("plain", keras.layers.GRU, {}))
    before = model.predict_on_batch(data[0])

    def broken(targets, outputs):
        raise ArithmeticError("no loss today")

    with pytest.raises(ArithmeticError, match="no loss today"):
        gradient_flow(model, *data, loss=broken)
    assert "call" not in vars(find_rnn_layer(model).layer)
    np.testing.assert_array_equal(before, model.predict_on_batch(data[0]))


def test_a_layer_that_does_more_than_its_cell_is_refused(data):
    class Doubled(keras.layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            return 2 * super().call(sequences, initial_state, mask, training)

    model = fill(build("plain", Doubled, {}))
    with pytest.raises(ReplayError, match=r"'probed'.*Doubled.*something else between its input and its output"):
        gradient_flow(model, *data, loss="mse")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "whole"}, "kind is 'whole'; pass 'total' or 'direct'"),
        ({"wrt": "gates"}, "wrt is 'gates'; pass 'hidden', 'cell' or 'inputs'"),
        ({"wrt": "cell"}, "is a gru and keeps no cell state"),
        ({"layer": "lstm"}, "no recurrent layer 'lstm'; it has 'probed'"),
        ({"loss_step": 2}, r"loss_step=2 needs an output at every step, \(batch, 6, …\)"),
        ({"loss": None}, "not compiled with a loss and none was passed"),
        ({"loss": lambda targets, outputs: tf.constant(1.0)}, "does not depend on layer 'probed'"),
        ({"direction": "up"}, "direction is 'up'"),
    ],
)
def test_errors_say_what_came_and_what_to_do(asked, message, data):
    model = fill(build("plain", keras.layers.GRU, {}))
    with pytest.raises(ValueError, match=message):
        gradient_flow(model, *data, **({"loss": "mse"} | asked))


def test_a_loss_step_beyond_the_sequence_is_refused(data):
    model = fill(build("stateful", keras.layers.GRU, {}))
    with pytest.raises(ValueError, match="loss_step is 6; the sequences have steps 0 to 5"):
        gradient_flow(model, data[0], np.ones((BATCH, TIME, 1)), loss="mse", loss_step=6)


def test_a_loss_step_of_a_model_of_several_outputs_is_refused_with_what_to_do(data):
    inputs = keras.Input((TIME, FEATURES))
    states = keras.layers.GRU(UNITS, return_sequences=True)(inputs)
    model = keras.Model(inputs, {"one": states, "other": states})
    with pytest.raises(ValueError, match=r"loss_step=2 needs one output .* pass a loss, a function of \(targets, outp"):
        gradient_flow(model, *data, loss="mse", loss_step=2)


def test_a_batch_that_is_all_padding_has_no_gradient_and_is_no_error(data):
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    states = keras.layers.LSTM(UNITS)(Masked(np.zeros((BATCH, TIME), bool))(inputs))
    found = gradient_flow(fill(keras.Model(inputs, keras.layers.Dense(1)(states))), *data, loss="mse")
    assert np.isnan(found.values).all() and not found.mask.any()


def test_a_loss_of_ones_own_picks_what_it_needs_of_several_outputs(data):
    inputs = keras.Input((TIME, FEATURES))
    states = keras.layers.GRU(UNITS, return_sequences=True)(inputs)
    several = keras.Model(inputs, {"one": states, "other": 2 * states})
    single = keras.Model(inputs, states)
    found = [
        gradient_flow(model, data[0], np.zeros((BATCH, 1)), loss=loss).values
        for model, loss in (
            (several, lambda _, outputs: keras.ops.square(outputs["one"][:, -1])),
            (single, lambda _, outputs: keras.ops.square(outputs[:, -1])),
        )
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)
