"""A unit that was planted is found, chance is not taken for one, and holding a unit does what it says."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import (
    BATCH,
    CELLS,
    FEATURES,
    RIGHT,
    TIME,
    UNITS,
    Masked,
    as_custom,
    build,
    fill,
    path_of,
    sequences,
)

from rnn_course.probes.neurons import ablate_units, unit_concept_correlation
from rnn_course.probes.stand_ins import ReplayError
from rnn_course.probes.states import trace

every_cell = pytest.mark.parametrize("name", CELLS)

# ------------------------------------------------------------------------------------------ units that follow a concept


def drifting(rng, *shape):
    """Numbers that remember: each step is the one before it and a little noise, along the second axis."""
    steps = rng.normal(size=shape)
    for t in range(1, shape[1]):
        steps[:, t] = 0.95 * steps[:, t - 1] + 0.3 * steps[:, t]
    return steps


def test_a_planted_unit_is_found_and_nothing_in_the_null_reaches_it():
    rng = np.random.default_rng(0)
    concept = rng.random((12, 10)) < 0.4
    states = rng.normal(size=(12, 10, 8))
    states[:, :, 5] = 3 - 2 * concept  # follows the concept, turned over
    found = unit_concept_correlation(states, concept, permutations=99, rng=rng)
    assert found.best == 5
    assert found.correlation[5] == pytest.approx(-1)
    assert found.p_values[5] == pytest.approx(1 / 100)
    assert found.null.shape == (99,) and found.null.max() < 0.9
    assert (np.delete(found.p_values, 5) > 0.05).all()


def test_the_correlation_is_pearson_s_over_real_steps_alone():
    rng = np.random.default_rng(1)
    states, concept = rng.normal(size=(BATCH, TIME, UNITS)), rng.normal(size=(BATCH, TIME))
    padded = np.where(RIGHT[:, :, None], states, 1e3), np.where(RIGHT, concept, 1e3)
    found = unit_concept_correlation(*padded, mask=RIGHT, permutations=5, rng=rng)
    expected = [np.corrcoef(states[:, :, unit][RIGHT], concept[RIGHT])[0, 1] for unit in range(UNITS)]
    np.testing.assert_allclose(found.correlation, expected, rtol=1e-10)
    assert found.best == np.abs(expected).argmax()


def test_a_unit_that_never_moves_follows_nothing():
    states, rng = np.full((4, 5, 2), 0.1), np.random.default_rng(0)
    states[:, :, 1] = rng.normal(size=(4, 5))
    found = unit_concept_correlation(states, rng.normal(size=(4, 5)), permutations=9, rng=rng)
    assert abs(found.correlation[0]) < 1e-9
    assert found.p_values[0] == 1


@pytest.mark.parametrize(
    "make", [drifting, lambda rng, *shape: rng.normal(size=shape)], ids=["drifting", "independent"]
)
def test_where_there_is_nothing_to_find_the_best_unit_is_seldom_called_significant(make):
    # With 40 repeats at 5 %, two are expected; more than six have a chance of 1 in 300. Drifting states and a drifting
    # concept fool a test that shuffles single steps: their correlations are large by chance.
    called = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        states, concept = make(rng, 10, 12, 6), make(rng, 10, 12)
        found = unit_concept_correlation(states, concept, permutations=60, rng=rng)
        called += found.p_values[found.best] <= 0.05
    assert called <= 6


def test_the_p_value_counts_the_best_of_all_units_in_the_null():
    # With many units the best is large by chance: the null must hold the best of 200, not the same unit's own.
    rng = np.random.default_rng(0)
    found = unit_concept_correlation(rng.normal(size=(8, 6, 200)), rng.normal(size=(8, 6)), permutations=50, rng=rng)
    assert np.abs(found.correlation).max() > 0.35
    assert found.p_values[found.best] > 0.05
    reached = (found.null >= np.abs(found.correlation[found.best])).sum()
    assert found.p_values[found.best] == pytest.approx((1 + reached) / 51)


def test_where_the_other_sequence_has_padding_the_null_does_not_count():
    states = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 9.0]])[:, :, None]
    concept, mask = np.array([[0, 1, 0], [1, 0, 7]]), np.array([[1, 1, 1], [1, 1, 0]], bool)
    found = unit_concept_correlation(states, concept, mask=mask, permutations=20, rng=np.random.default_rng(0))
    # As it was: states 1 2 3 2 1 and concept 0 1 0 1 0, r = 0.4 / sqrt(2.8 * 1.2). Exchanged, the third step has a
    # concept in one sequence only: states 1 2 2 1 and concept 1 0 0 1, r = -1.
    assert set(found.null.round(4)) == {0.2182, 1.0}


def test_the_same_generator_gives_the_same_null():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 4))
    one, other = (unit_concept_correlation(*data, permutations=9, rng=np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(one.null, other.null)


@pytest.mark.parametrize(
    ("states", "concept", "mask", "message"),
    [
        ((4, 5, 2), (4, 6), None, r"states \(4, 5, 2\), concept \(4, 6\) and mask \(4, 5\) do not fit; expected"),
        ((4, 5, 2), (4, 5), (4, 4), r"mask \(4, 4\) do not fit; expected \(batch, time, units\), \(batch, time\) and"),
        ((1, 5, 2), (1, 5), None, "One sequence alone cannot be dealt anew"),
        ((4, 5, 2), (4, 5), None, "The concept is 1 at every real step: nothing can follow it"),
    ],
)
def test_data_that_cannot_answer_is_refused(states, concept, mask, message):
    mask = None if mask is None else np.ones(mask, bool)
    with pytest.raises(ValueError, match=message):
        unit_concept_correlation(np.ones(states), np.ones(concept), mask=mask, rng=np.random.default_rng(0))


# ------------------------------------------------------------------------------------------------- units that are held


def copier(kind="forward"):
    """One unit of a linear RNN, h_t = h_{t-1} + x_t, whose outputs are the model's own."""
    layer = layers.SimpleRNN(1, activation="linear", return_sequences=True, go_backwards=kind == "backward", name="sum")
    model = keras.Sequential([keras.Input((4, 1)), layer], name="copier")
    layer.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)])
    return model


ONES = np.ones((1, 4, 1))


def test_a_held_unit_is_read_on_by_the_next_step():
    # h = 1, 2, then put to 10 at step 2, and 10 + 1 at step 3.
    steps = np.array([[False, False, True, False]])
    np.testing.assert_array_equal(ablate_units(copier(), ONES, 0, value=10.0, steps=steps)[0, :, 0], [1, 2, 10, 11])
    np.testing.assert_array_equal(ablate_units(copier(), ONES, [0], value=[10.0])[0, :, 0], [10] * 4)


def test_steps_are_those_of_the_input_for_a_layer_that_reads_backwards_too():
    # Read from the end: 1 at step 3, put to 10 at step 2, then 11 and 12; the layer's output begins with its first.
    steps = np.array([[False, False, True, False]])
    held = ablate_units(copier("backward"), ONES, 0, value=10.0, steps=steps)
    np.testing.assert_array_equal(held[0, :, 0], [1, 10, 11, 12])


@every_cell
def test_with_all_units_held_at_zero_only_the_head_s_bias_is_left(name):
    cell, options = CELLS[name]
    for kind in (cell, as_custom(cell)):
        model = fill(build("right_padded", kind, options))
        held = ablate_units(model, sequences(), range(UNITS))
        np.testing.assert_allclose(held, np.tile(model.get_layer("head").bias.numpy(), (BATCH, 1)), rtol=1e-6)
        assert np.abs(model(sequences()).numpy() - held).min() > 1e-3


@pytest.mark.parametrize("setting", ["right_padded", "left_padded", "go_backwards", "nested", "stateful", "subclassed"])
@every_cell
def test_holding_nothing_or_a_unit_where_it_was_anyway_changes_nothing(name, setting, double_precision):
    model = fill(build(setting, *CELLS[name]))
    before = [variable.numpy() for variable in model.variables]
    intact = ablate_units(model, sequences(), [], path_of(setting))
    hidden = trace(model, sequences(), path_of(setting)).hidden
    for step in (0, 3):
        steps = np.arange(TIME)[None] == np.full((BATCH, 1), step)
        for example in range(BATCH):
            asked = {"value": hidden[example, step, [1, 4]], "steps": steps & (np.arange(BATCH) == example)[:, None]}
            same = ablate_units(model, sequences(), [1, 4], path_of(setting), **asked)
            np.testing.assert_allclose(same, intact, rtol=1e-12)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    np.testing.assert_allclose(intact, model(sequences()).numpy(), rtol=1e-10)


def test_holding_an_lstm_s_cell_moves_its_output_with_it():
    # Candidate bias 1000, all else zero: gates 1/2 and candidate 1, so c = 1/2, 3/4, 7/8 and h = tanh(c)/2. With c put
    # to 4 at step 1: h = tanh(4)/2 there, then c = 4/2 + 1/2.
    model = keras.Sequential([keras.Input((3, 1)), layers.LSTM(1, return_sequences=True)])
    model.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 0.0, 1000.0, 0.0])])
    steps = np.array([[False, True, False]])
    held = ablate_units(model, np.ones((1, 3, 1)), 0, state="cell", value=4.0, steps=steps)
    np.testing.assert_allclose(held[0, :, 0], np.tanh([0.5, 4, 2.5]) / 2, rtol=1e-6)


@every_cell
def test_an_intervention_has_no_influence_on_what_was_before(name):
    model = fill(build("stateful", *CELLS[name]))
    steps = np.arange(TIME)[None].repeat(BATCH, 0) >= np.array([[2], [4], [TIME]])
    held = ablate_units(model, sequences(), [2], value=1.5, steps=steps)
    changed = np.abs(held - ablate_units(model, sequences(), []))[:, :, 0] > 1e-6
    np.testing.assert_array_equal(changed, steps)


@pytest.mark.parametrize(("direction", "half"), [("forward", 0), ("backward", 1)])
def test_one_half_of_a_bidirectional_layer_is_held_and_the_other_reads_on(direction, half):
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    both = layers.Bidirectional(layers.GRU(UNITS, return_sequences=True))(Masked(RIGHT)(inputs))
    model = fill(keras.Model(inputs, both))
    own = model(sequences()).numpy().reshape(BATCH, TIME, 2, UNITS)
    held = ablate_units(model, sequences(), range(UNITS), direction=direction, value=0.25).reshape(own.shape)
    np.testing.assert_array_equal(held[:, :, half], np.where(RIGHT[:, :, None], 0.25, 0).repeat(UNITS, axis=2))
    np.testing.assert_allclose(held[:, :, 1 - half], own[:, :, 1 - half], atol=1e-6)


@pytest.mark.parametrize("setting", ["left_padded", "masked_sequences", "bidirectional", "stacked_below"])
@every_cell
def test_a_cell_that_is_not_known_is_held_in_the_same_way(name, setting, double_precision):
    cell, options = CELLS[name]
    known, unknown = (fill(build(setting, kind, options)) for kind in (cell, as_custom(cell)))
    asked = {
        "units": [0, 2],
        "layer": "probed",
        "value": [0.3, -1.0],
        "steps": np.arange(BATCH * TIME).reshape(3, 6) % 3 < 2,
    }
    one, other = (ablate_units(model, sequences(), **asked) for model in (known, unknown))
    np.testing.assert_allclose(one, other, rtol=1e-10)
    assert np.abs(one - known(sequences()).numpy()).max() > 1e-2


@pytest.mark.parametrize("state", ["hidden", "cell"])
def test_padding_is_never_touched(state):
    # Padding before the sentence must not hand a held value over to its first step.
    inputs = keras.Input((None, FEATURES))
    layer = layers.LSTM(UNITS, return_sequences=True)
    model = fill(keras.Model(inputs, layer(layers.Masking()(inputs))))
    plain = ablate_units(model, sequences(), [1, 2], state=state, value=3.0)
    for width, where in (((2, 0), slice(2, None)), ((0, 2), slice(None, TIME))):
        padded = np.pad(sequences(), [(0, 0), width, (0, 0)])
        held = ablate_units(model, padded, [1, 2], state=state, value=3.0)
        np.testing.assert_allclose(held[:, where], plain, rtol=1e-5)
    steps = np.zeros((BATCH, TIME + 2), bool)
    steps[:, :2] = True
    before = np.pad(sequences(), [(0, 0), (2, 0), (0, 0)])
    untouched = ablate_units(model, before, [1, 2], state=state, value=3.0, steps=steps)
    np.testing.assert_allclose(untouched[:, 2:], model(sequences()).numpy(), atol=1e-6)
    custom = as_custom(layers.LSTM)(UNITS, return_sequences=True)
    again = fill(keras.Model(inputs, custom(layers.Masking()(inputs))))
    if state == "hidden":
        np.testing.assert_allclose(ablate_units(again, before, [1, 2], value=3.0)[:, 2:], plain, rtol=1e-5)


def test_batches_give_what_the_whole_gives():
    model = fill(build("nested", layers.GRU), scale=1.0)
    model = keras.Sequential([keras.Input((TIME, FEATURES)), *model.get_layer("inner").layers, model.get_layer("head")])
    inputs = np.concatenate([sequences(seed) for seed in range(3)])
    steps = np.random.default_rng(0).random(inputs.shape[:2]) < 0.5
    asked = {"units": [1], "value": 2.0, "steps": steps}
    whole = ablate_units(model, inputs, **asked)
    assert whole.shape == (9, 1)
    np.testing.assert_allclose(ablate_units(model, inputs, batch_size=4, **asked), whole, rtol=1e-5)


def test_a_layer_of_another_length_than_the_input_is_held_everywhere():
    # A vector goes in and is repeated seven times: there is no step of the input to name.
    model = keras.Sequential([keras.Input((2,)), layers.RepeatVector(7), layers.GRU(3, return_sequences=True)])
    np.testing.assert_array_equal(ablate_units(model, np.ones((4, 2)), [0, 1, 2], value=0.5), np.full((4, 7, 3), 0.5))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"units": [1, 5]}, r"Layer 'probed' has units 0 to 4; got \[1, 5\]\. Pass their indices"),
        ({"units": -1}, r"units 0 to 4; got \[-1\]"),
        ({"units": [True, False]}, r"units 0 to 4; got \[True, False\]\. Pass their indices"),
        ({"units": [0.5]}, r"units 0 to 4; got \[0\.5\]"),
        ({"units": 0, "state": "gates"}, "state is 'gates'; pass 'hidden' or 'cell'"),
        ({"units": 0, "state": "cell"}, "Layer 'probed' is a gru and keeps no cell state. Pass state='hidden'"),
        ({"units": 0, "steps": np.ones((3, 2), bool)}, r"steps has shape \(3, 2\); expected \(3, 6\), the inputs'"),
        ({"units": [0, 1], "value": [1, 2, 3]}, r"value has shape \(3,\); pass a number, or one for each of 2 units"),
        ({"units": 0, "layer": "lstm"}, "no recurrent layer 'lstm'; it has 'probed'"),
    ],
)
def test_errors_say_what_came_and_what_to_do(asked, message):
    model = build("plain", layers.GRU)
    with pytest.raises(ValueError, match=message):
        ablate_units(model, sequences(), **asked)
    assert "call" not in vars(model.get_layer("probed"))


def test_a_model_of_several_inputs_is_held_and_read_in_batches():
    heard, added = keras.Input((None, 1)), keras.Input((None, 2))
    copy = layers.SimpleRNN(1, activation="linear", use_bias=False, return_sequences=True)
    model = keras.Model([heard, added], layers.Concatenate()([copy(heard), added]))
    copy.set_weights([np.ones((1, 1)), np.zeros((1, 1))])  # it says what it hears
    inputs = [np.ones((3, 4, 1)), np.arange(24.0).reshape(3, 4, 2)]
    steps = np.array([[True, False, False, False]] * 3)
    held = ablate_units(model, inputs, 0, value=5.0, steps=steps, batch_size=2)
    np.testing.assert_array_equal(held[:, :, 0], [[5, 1, 1, 1]] * 3)
    np.testing.assert_array_equal(held[:, :, 1:], inputs[1])
    with pytest.raises(ValueError, match=r"steps has shape \(1, 4\); expected \(3, 4\)"):
        ablate_units(model, inputs, 0, steps=steps[:1])


class Adding(keras.Model):
    """A subclassed model of two inputs, which its `inputs` do not tell: it says the sum of what it hears."""

    def __init__(self):
        super().__init__(name="adding")
        self.copy = layers.SimpleRNN(1, activation="linear", use_bias=False, return_sequences=True, name="copy")

    def call(self, inputs):
        one, other = inputs.values() if isinstance(inputs, dict) else inputs
        return self.copy(one + other)


@pytest.mark.parametrize("form", [list, tuple, lambda pair: dict(zip("ab", pair, strict=True))])
def test_a_subclassed_model_takes_its_inputs_in_the_form_it_is_given(form):
    model = Adding()
    inputs = form([np.arange(12.0).reshape(3, 4, 1), np.ones((3, 4, 1))])
    model(inputs)
    model.copy.set_weights([np.ones((1, 1)), np.zeros((1, 1))])
    steps = np.arange(4) == np.arange(3)[:, None]
    held = ablate_units(model, inputs, 0, value=-1.0, steps=steps, batch_size=2)
    np.testing.assert_array_equal(held[:, :, 0], np.where(steps, -1, np.arange(1.0, 13).reshape(3, 4)))


@pytest.mark.parametrize("form", [list, lambda pair: dict(zip("ab", pair, strict=True))])
def test_several_outputs_keep_their_structure_batch_after_batch(form):
    inputs = keras.Input((TIME, FEATURES))
    states = layers.GRU(UNITS, name="probed")(inputs)
    model = fill(keras.Model(inputs, form([layers.Dense(2, name="p")(states), layers.Dense(2, name="q")(states)])))
    held, plain = ablate_units(model, sequences(), [], batch_size=2), model(sequences())
    assert type(held) is type(plain)
    for one, other in zip(keras.tree.flatten(held), keras.tree.flatten(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_steps_are_those_that_the_layer_reads_not_those_of_the_first_input():
    source, target = keras.Input((6, 1)), keras.Input((None, 1))
    copy = layers.SimpleRNN(1, activation="linear", use_bias=False, return_sequences=True, name="copy")
    model = keras.Model([source, target], copy(target, initial_state=source[:, 0]))
    copy.set_weights([np.ones((1, 1)), np.zeros((1, 1))])
    inputs = [np.zeros((2, 6, 1)), np.ones((2, 3, 1))]
    steps = np.array([[False, True, False], [False, False, True]])
    np.testing.assert_array_equal(ablate_units(model, inputs, 0, steps=steps)[:, :, 0], ~steps)


def test_steps_of_the_input_are_refused_where_a_convolution_has_made_it_shorter():
    model = keras.Sequential([keras.Input((TIME, FEATURES)), layers.Conv1D(2, 3), layers.GRU(UNITS, name="probed")])
    with pytest.raises(
        ValueError, match=r"steps has shape \(3, 6\); expected \(3, 4\), .* where they reach layer 'probe"
    ):
        ablate_units(model, sequences(), 0, steps=np.ones((BATCH, TIME), bool))
    with pytest.raises(ValueError, match=r"steps has shape \(3,\); expected \(batch, time\)"):
        ablate_units(model, sequences(), 0, steps=np.ones(BATCH, bool))


def test_a_stack_of_cells_is_refused_in_words():
    cells = [layers.LSTMCell(2), layers.LSTMCell(2)]
    model = keras.Sequential([keras.Input((TIME, FEATURES)), layers.RNN(cells, name="tower")])
    with pytest.raises(
        ReplayError, match=r"'tower' steps through a stack of cells .* Build one recurrent layer for each"
    ):
        ablate_units(model, sequences(), 0)


def test_a_convolution_s_cell_is_refused_for_its_states_not_for_its_number_of_units():
    model = keras.Sequential([keras.Input((3, 6, 6, 1)), layers.ConvLSTM2D(2, 3, name="seer")])
    with pytest.raises(ReplayError, match=r"'seer' .ConvLSTMCell. has states of shape"):
        ablate_units(model, np.ones((2, 3, 6, 6, 1)), 0)


def test_of_no_example_there_is_no_answer():
    assert ablate_units(build("plain", layers.GRU), sequences()[:0], 0).shape == (0, 1)
