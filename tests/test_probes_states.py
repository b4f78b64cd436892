"""What `trace` says a layer held is what the layer itself puts out; and states drawn together into a plane."""

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
    LEFT,
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

from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.stand_ins import ReplayError
from rnn_course.probes.states import project_states, trace

MASKS = {"right_padded": RIGHT, "left_padded": LEFT, "masked_sequences": RIGHT, "go_backwards": RIGHT}
every_cell = pytest.mark.parametrize("name", CELLS)


def own_sequence(layer, inputs, mask=None):
    """The layer's outputs at every step of the input, from Keras alone: a twin that returns sequences."""
    twin = type(layer).from_config(
        layer.get_config() | {"return_sequences": True, "return_state": False, "stateful": False}
    )
    twin.build(inputs.shape)
    twin.set_weights(layer.get_weights()[: len(twin.weights)])
    outputs = twin(inputs, mask=mask).numpy()
    return outputs[:, ::-1] if layer.go_backwards else outputs


def in_reading_order(seen, array):
    return array[:, ::-1] if seen.direction == "backward" else array


def refuse_broken_recursion(seen, initial=0.0):
    """Assert that the traced gates, by the textbook, make the traced states out of one another; no masked steps."""
    hidden = in_reading_order(seen, seen.hidden)
    gates = {gate: in_reading_order(seen, opening) for gate, opening in seen.gates.items()}
    for gate, opening in gates.items():
        assert opening.shape == hidden.shape
        assert (np.abs(opening) <= 1).all() and ((opening >= 0).all() or gate == "candidate")
    assert not seen.gates or (gates["candidate"] < 0).any()
    if seen.cell_type == "lstm":
        cell = in_reading_order(seen, seen.cell)
        before = np.concatenate([np.full_like(cell[:, :1], initial), cell[:, :-1]], axis=1)
        np.testing.assert_allclose(cell, gates["forget"] * before + gates["input"] * gates["candidate"], rtol=1e-12)
        np.testing.assert_allclose(hidden, gates["output"] * np.tanh(cell), rtol=1e-12)
    if seen.cell_type == "gru":
        before = np.concatenate([np.full_like(hidden[:, :1], initial), hidden[:, :-1]], axis=1)
        expected = gates["update"] * before + (1 - gates["update"]) * gates["candidate"]
        np.testing.assert_allclose(hidden, expected, rtol=1e-12)


@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting != "bidirectional"])
@every_cell
def test_hidden_is_the_layer_s_own_output_at_every_step(name, setting, double_precision):
    model = fill(build(setting, *CELLS[name]))
    layer = find_rnn_layer(model, path_of(setting)).layer
    mask, fed = MASKS.get(setting), sequences()
    seen = trace(model, sequences(), path_of(setting))
    if setting == "stacked_above":
        fed = keras.Model(model.input, layer.input)(sequences()).numpy()
    np.testing.assert_allclose(seen.inputs, fed, rtol=1e-12)
    np.testing.assert_allclose(seen.hidden, own_sequence(layer, fed, mask), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(seen.mask, np.ones((BATCH, TIME), bool) if mask is None else mask)
    assert seen.cell_type == name.removesuffix("_reset_before")
    assert seen.direction == ("backward" if setting == "go_backwards" else "forward")
    assert list(seen.gates) == {
        "simple_rnn": [],
        "lstm": ["input", "forget", "candidate", "output"],
        "gru": ["update", "reset", "candidate"],
    }.get(seen.cell_type)
    assert (seen.cell is None) == (name != "lstm")
    if mask is None:
        refuse_broken_recursion(seen)


@every_cell
def test_the_halves_of_a_bidirectional_layer_are_those_of_its_own_output(name, double_precision):
    model = fill(build("bidirectional", *CELLS[name]))
    own = keras.Model(model.input, model.get_layer("probed").output)(sequences()).numpy()
    for half, direction in enumerate(("forward", "backward")):
        seen = trace(model, sequences(), "probed", direction=direction)
        expected = own[:, :, half * UNITS : (half + 1) * UNITS]
        np.testing.assert_allclose(seen.hidden, expected, rtol=1e-12, atol=1e-14)
        assert seen.direction == direction
        np.testing.assert_array_equal(seen.mask, RIGHT)


def test_index_t_is_step_t_of_the_input_whichever_way_it_was_read():
    # One unit that copies: h_t = x_t (W = 1, U = 0), so hidden must be the input, not the input turned round.
    for wrapped in (False, True):
        layer = layers.SimpleRNN(1, activation="linear", go_backwards=not wrapped, return_sequences=True)
        layer = layers.Bidirectional(layer) if wrapped else layer
        model = keras.Sequential([keras.Input((3, 1)), layer])
        model.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)] * (1 + wrapped))
        seen = trace(model, np.array([[[1.0], [2.0], [3.0]]]), direction="backward")
        assert seen.direction == "backward"
        np.testing.assert_array_equal(seen.hidden[0, :, 0], [1, 2, 3])
        np.testing.assert_array_equal(seen.inputs[0, :, 0], [1, 2, 3])


def test_a_backward_layer_s_first_step_has_read_everything():
    # h_t = h_{t+1} + x_t: at step 0 the sum of all.
    layer = layers.SimpleRNN(1, activation="linear", go_backwards=True)
    model = keras.Sequential([keras.Input((3, 1)), layer])
    model.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)])
    np.testing.assert_array_equal(trace(model, np.array([[[1.0], [2.0], [4.0]]])).hidden[0, :, 0], [7, 6, 4])


@every_cell
def test_the_gates_of_a_backward_layer_stand_at_the_steps_they_opened_for(name, double_precision):
    kind, own = CELLS[name]
    model = fill(sequential(kind(UNITS, go_backwards=True, **own), shape=(TIME, FEATURES)))
    refuse_broken_recursion(trace(model, sequences()))


def test_the_state_of_an_lstm_that_only_forgets_halves_at_every_step():
    # Candidate bias 1000, all else zero: gates 1/2, candidate 1: c = 1/2, 3/4, 7/8 and h = tanh(c)/2.
    model = keras.Sequential([keras.Input((3, 1)), layers.LSTM(1)])
    model.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 0.0, 1000.0, 0.0])])
    seen = trace(model, np.ones((1, 3, 1)))
    np.testing.assert_array_equal(seen.cell[0, :, 0], [0.5, 0.75, 0.875])
    np.testing.assert_allclose(seen.hidden[0, :, 0], np.tanh([0.5, 0.75, 0.875]) / 2, rtol=1e-6)
    opening = {gate: values[0, :, 0].tolist() for gate, values in seen.gates.items()}
    assert opening == {"input": [0.5] * 3, "forget": [0.5] * 3, "candidate": [1.0] * 3, "output": [0.5] * 3}


@pytest.mark.parametrize("zero_output", [False, True])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"unroll": True}])
@every_cell
def test_between_masked_steps_the_trace_still_follows_the_layer(name, options, zero_output, double_precision):
    kind, own = CELLS[name]
    layer = kind(UNITS, return_sequences=True, zero_output_for_mask=zero_output, **own, **options)
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = fill(keras.Model(inputs, layer(Masked(HOLED)(inputs))))
    outputs = model(sequences()).numpy()
    seen = trace(model, sequences())
    expected = outputs[:, ::-1] if layer.go_backwards else outputs
    np.testing.assert_allclose(seen.hidden, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(seen.mask, HOLED)


@pytest.mark.parametrize("setting", SETTINGS)
def test_stepping_through_a_cell_that_it_does_not_know_gives_the_same_states(setting, double_precision):
    known, unknown = (fill(build(setting, kind)) for kind in (layers.LSTM, as_custom(layers.LSTM)))
    for direction in ("forward", "backward")[: 1 + (setting == "bidirectional")]:
        one, other = (trace(m, sequences(), path_of(setting), direction=direction) for m in (known, unknown))
        assert other.cell_type == "custom" and other.cell is None and other.gates == {}
        assert one.direction == other.direction == ("backward" if setting == "go_backwards" else direction)
        np.testing.assert_allclose(other.hidden, one.hidden, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(other.inputs, one.inputs, rtol=1e-12)
        np.testing.assert_array_equal(other.mask, one.mask)


class Leak(layers.Layer):
    """A cell of one's own: h_t = h_{t-1} / 2 + x_t."""

    state_size = 1

    def call(self, inputs, states):
        hidden = states[0] / 2 + inputs
        return hidden, [hidden]


class Secretive(Leak):
    """A cell that puts out something else than its state."""

    def call(self, inputs, states):
        hidden, states = super().call(inputs, states)
        return 3 * hidden, states


def sequential(*parts, shape=(3, 1)):
    return keras.Sequential([keras.Input(shape), *parts])


def test_a_cell_of_one_s_own_is_traced_step_by_step():
    # Ones in: 1, 1/2 + 1, 3/4 + 1.
    seen = trace(sequential(layers.RNN(Leak())), np.ones((1, 3, 1)))
    np.testing.assert_array_equal(seen.hidden[0, :, 0], [1, 1.5, 1.75])
    assert (seen.cell_type, seen.gates, seen.cell) == ("custom", {}, None)


def test_a_cell_without_one_clear_hidden_state_is_refused():
    ones = np.ones((1, 3, 1))
    with pytest.raises(ReplayError, match=r"'rnn.*' \(Secretive\) puts out something else than its first state"):
        trace(sequential(layers.RNN(Secretive())), ones)
    for stack in ([layers.GRUCell(2), layers.GRUCell(2)], [layers.LSTMCell(2), layers.LSTMCell(3)]):
        with pytest.raises(
            ReplayError, match=r"a stack of cells \(StackedRNNCells\).*one recurrent layer for each cell"
        ):
            trace(sequential(layers.RNN(stack)), ones)
    with pytest.raises(ReplayError, match=r"\(ConvLSTMCell\) has states of shape \[\(1, 4, 2\), .*\(batch, units\)"):
        trace(sequential(layers.ConvLSTM1D(2, 1), shape=(3, 4, 1)), np.ones((1, 3, 4, 1)))


def test_a_layer_that_is_called_twice_has_no_single_trace():
    shared, inputs = layers.GRU(UNITS, return_sequences=True, name="shared"), keras.Input((TIME, UNITS))
    model = keras.Model(inputs, layers.LSTM(2, name="last")(shared(shared(inputs))))
    data = np.ones((BATCH, TIME, UNITS))
    with pytest.raises(
        ValueError, match=r"^Layer 'shared' is called more than once in this model, so it has more than one"
    ):
        trace(model, data, "shared")
    assert trace(model, data, "last").hidden.shape == (BATCH, TIME, 2)  # others are not in the way
    each = layers.TimeDistributed(layers.LSTM(2, name="words"))
    document = sequential(each, layers.GRU(2, name="document"), shape=(2, 3, 1))
    with pytest.raises(ValueError, match="words' is called more than once"):
        trace(document, np.ones((1, 2, 3, 1)), "words")
    assert trace(document, np.ones((1, 2, 3, 1)), "document").hidden.shape == (1, 2, 2)


class Compiled(keras.Model):
    """A model with one layer inside a compiled function of its own, and one outside."""

    def __init__(self):
        super().__init__(name="compiled")
        self.inside = layers.LSTM(2, name="inside")
        self.outside = layers.GRU(2, name="outside")
        self.quick = tf.function(self.inside)

    def call(self, inputs):
        return self.quick(inputs) + self.outside(inputs)


def test_a_layer_inside_a_compiled_function_cannot_be_seen_and_stays_as_it_is():
    model = Compiled()
    model(np.ones((1, 3, 1)))
    with pytest.raises(ValueError, match="never reached layer 'inside' as Keras code: is its call a compiled function"):
        trace(model, np.ones((1, 3, 1)), "inside")  # compiled before: Keras code is not run at all
    with pytest.raises(
        ValueError, match=r"'inside' is called inside a function that is being compiled.*Take the tf\.fun"
    ):
        trace(model, np.ones((1, 4, 1)), "inside")  # compiled now, for another length
    data = np.ones((1, 5, 1), "float32")
    assert trace(model, data, "outside").hidden.shape == (1, 5, 2)
    np.testing.assert_allclose(model.quick(data), model.inside(data), rtol=1e-6)


def test_a_stateful_layer_begins_where_it_stood_and_stays_there(double_precision):
    for kind in (layers.LSTM, as_custom(layers.GRU)):
        model = fill(build("stateful", kind))
        model(sequences(3))
        layer = model.get_layer("probed")
        before = [variable.numpy() for variable in layer.states]
        assert all(array.any() for array in before)
        seen = trace(model, sequences())
        for old, variable in zip(before, layer.states, strict=True):
            np.testing.assert_array_equal(old, variable.numpy())
        own = keras.Model(model.input, layer.output)(sequences()).numpy()
        np.testing.assert_allclose(seen.hidden, own, rtol=1e-12)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_cell
def test_in_mixed_precision_the_trace_is_as_near_as_the_numbers_allow(name, policy):
    kind, own = CELLS[name]
    layer = kind(UNITS, return_sequences=True, dtype=policy, **own)
    model = fill(sequential(layer, shape=(TIME, FEATURES)))
    data = sequences().astype("float32")
    seen = trace(model, data)
    assert seen.hidden.dtype == "float32"
    np.testing.assert_allclose(seen.hidden, keras.ops.cast(model(data), "float32").numpy(), atol=2e-2)


@every_cell
def test_in_single_precision_it_agrees_to_a_millionth(name):
    model = fill(build("stacked_below", *CELLS[name]))
    own = keras.Model(model.input, model.get_layer("probed").output)(sequences()).numpy()
    np.testing.assert_allclose(trace(model, sequences(), "probed").hidden, own, rtol=0, atol=1e-6)


def test_padding_of_a_token_model_is_masked_and_more_of_it_changes_nothing():
    reader = layers.Bidirectional(layers.LSTM(UNITS), name="reader")
    model = sequential(layers.Embedding(7, FEATURES, mask_zero=True), reader, shape=(None,))
    tokens = np.array([[3, 1, 4, 0], [2, 6, 0, 0]])
    for direction in ("forward", "backward"):
        seen = trace(fill(model), tokens, direction=direction)
        longer = trace(model, np.pad(tokens, [(0, 0), (0, 5)]), direction=direction)
        np.testing.assert_array_equal(seen.mask, tokens != 0)
        np.testing.assert_allclose(longer.hidden[:, :4][seen.mask], seen.hidden[seen.mask], rtol=1e-6)
        assert not longer.mask[:, 4:].any()


def test_a_model_with_two_inputs_is_traced_from_a_list():
    source, target = keras.Input((4, FEATURES)), keras.Input((TIME, FEATURES))
    _, *states = layers.LSTM(UNITS, return_state=True, name="encoder")(source)
    decoder = layers.LSTM(UNITS, return_sequences=True, name="decoder")
    model = fill(keras.Model([source, target], decoder(target, initial_state=states)))
    data = [sequences()[:, :4], sequences(9)]
    np.testing.assert_allclose(trace(model, data, "decoder").hidden, model(data).numpy(), atol=1e-6)


def test_dropout_is_off_while_looking():
    model = fill(build("plain", layers.GRU, {"dropout": 0.5, "recurrent_dropout": 0.5}))
    seen = trace(model, sequences())
    np.testing.assert_array_equal(seen.hidden, trace(model, sequences()).hidden)


def test_a_layer_that_does_more_than_its_cell_is_refused_and_put_back():
    class Doubled(layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            return 2 * super().call(sequences, initial_state, mask, training)

    model = fill(build("plain", Doubled))
    before = model(sequences()).numpy()
    with pytest.raises(
        ReplayError, match=r"The replay of layer 'probed' \(Doubled with LSTMCell\) differs .* by up to"
    ):
        trace(model, sequences())
    assert "call" not in vars(model.get_layer("probed"))
    np.testing.assert_array_equal(before, model(sequences()).numpy())


@pytest.mark.parametrize("kind", [layers.LSTM, as_custom(layers.LSTM)])
def test_a_network_that_has_blown_up_can_still_be_looked_at(kind):
    model = fill(build("plain", kind))
    kernel = model.get_layer("probed").cell.kernel
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(trace(model, sequences()).hidden).all()


def test_nothing_in_the_model_changes():
    model = fill(build("stacked_below", layers.GRU))
    model.compile("adam", "mse")
    before = model.get_weights()
    trace(model, sequences(), "probed")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for layer in model.layers:
        assert "call" not in vars(layer)
        assert getattr(layer, "use_cudnn", "auto") == "auto"


# ------------------------------------------------------------------------------------------------------ projection


def test_points_on_a_line_need_one_axis():
    # All states are a multiple of (3, 4): a length of 5, and PCA keeps lengths.
    along = np.array([[-1.0, 0.0], [2.0, 5.0]])
    found = project_states(along[:, :, None] * np.array([3.0, 4.0]))
    np.testing.assert_allclose(found.explained, [1, 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(found.points[:, :, 0]), 5 * np.abs(along - along.mean()), rtol=1e-12)
    np.testing.assert_allclose(found.points[:, :, 1], 0, atol=1e-12)
    assert found.method == "pca"


def test_masked_states_take_no_part_and_have_no_place():
    states = np.random.default_rng(0).normal(size=(BATCH, TIME, UNITS))
    wild = np.where(RIGHT[:, :, None], states, 1e6)
    for method in ("pca", "tsne"):
        one, other = (project_states(array, method=method, mask=RIGHT).points for array in (states, wild))
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(np.isnan(one).any(-1), ~RIGHT)


def test_more_axes_hold_more_of_the_variance():
    states = np.random.default_rng(0).normal(size=(4, 10, 5)) * [5, 4, 3, 2, 1]
    found = project_states(states, dimensions=3)
    assert found.points.shape == (4, 10, 3)
    assert (np.diff(found.explained) < 0).all()
    assert project_states(states, dimensions=5).explained.sum() == pytest.approx(1)


def test_tsne_keeps_two_far_clusters_apart_and_the_same_seed_draws_them_alike():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(2, 15, 8)) + np.array([0.0, 50.0])[:, None, None]
    found = project_states(states, method="tsne", seed=3)
    assert found.points.shape == (2, 15, 2) and found.explained is None
    centers = found.points.mean(1, keepdims=True)
    spread = np.linalg.norm(found.points - centers, axis=-1).max()
    assert np.linalg.norm(centers[0] - centers[1]) > 2 * spread
    np.testing.assert_array_equal(found.points, project_states(states, method="tsne", seed=3).points)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 5), {}, r"states have shape \(4, 5\); expected \(batch, time, units\)"),
        ((2, 4, 5), {"method": "umap"}, "method is 'umap'; pass 'pca' or 'tsne'"),
        ((2, 4, 5), {"mask": np.ones((2, 3), bool)}, r"mask has shape \(2, 3\); expected \(2, 4\)"),
        ((2, 4, 5), {"mask": np.zeros((2, 4), bool)}, "0 states of 5 units cannot be projected to 2 dimensions"),
        ((2, 4, 1), {}, "8 states of 1 units cannot be projected to 2 dimensions"),
        ((2, 4, 5), {}, "The states are all the same at the real steps: there is nothing to draw"),
    ],
)
def test_what_cannot_be_projected_is_refused(shape, options, message):
    with pytest.raises(ValueError, match=message):
        project_states(np.ones(shape), **options)


def test_states_with_nan_at_real_steps_are_refused():
    states = np.random.default_rng(0).normal(size=(2, 4, 5))
    states[1, 3] = np.nan
    with pytest.raises(
        ValueError,
        match=r"The states hold NaN or infinity at 1 real steps, first at step 3 of example 1\. Pass mask for padding",
    ):
        project_states(states)
    assert np.isnan(project_states(states, mask=~np.isnan(states[:, :, 0])).points[1, 3]).all()


@pytest.mark.parametrize("name", CELLS)
def test_a_batch_that_is_all_padding_is_traced(name):
    cell, options = CELLS[name]
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = keras.Model(inputs, cell(UNITS, name="probed", **options)(Masked(np.zeros((BATCH, TIME), bool))(inputs)))
    seen = trace(fill(model), sequences())
    assert not seen.mask.any() and (seen.hidden == 0).all()


def test_the_states_of_a_convolution_are_refused_with_what_to_do():
    model = keras.Sequential([keras.Input((3, 6, 6, 1)), layers.ConvLSTM2D(2, 3, name="seer")])
    with pytest.raises(ReplayError, match=r"'seer' .ConvLSTMCell. has states of shape .* input_attribution shows"):
        trace(model, np.ones((2, 3, 6, 6, 1)))
