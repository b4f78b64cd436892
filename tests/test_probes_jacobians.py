"""Jacobians through time, against powers of a matrix, gates pinned by hand, finite differences and the tape."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import (
    BATCH,
    CELLS,
    FEATURES,
    HOLED,
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

from rnn_course.probes.gradients import gradient_flow
from rnn_course.probes.jacobians import connectivity, jacobian_spectrum, lag_profile
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.states import trace

WHOLE_CELLS = {name: cell for name, (cell, options) in CELLS.items() if not options}


def model_of(layer, features=FEATURES, time=TIME):
    """A model that is this one layer, and reads one example or more."""
    return keras.Sequential([keras.Input((time, features)), layer])


def build_holed(cell, options):
    """A model whose sequences have masked steps at both ends and in the middle."""
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    return keras.Model(inputs, cell(UNITS, name="probed", **options)(Masked(HOLED)(inputs)))


# ------------------------------------------------------------------------------------------------- worked out by hand


def linear_rnn(recurrent_kernel, time):
    units = len(recurrent_kernel)
    model = model_of(keras.layers.SimpleRNN(units, activation="linear"), features=1, time=time)
    model.layers[0].set_weights([np.ones((1, units)), recurrent_kernel, np.zeros(units)])
    return model


@pytest.mark.parametrize(
    "kernel",
    [
        np.diag([0.9, 0.5, 1.1]),
        np.array([[0.5, 4.0, 0.0], [0.0, 0.5, 4.0], [0.0, 0.0, 0.5]]),  # non-normal: it grows before it shrinks
        np.random.default_rng(0).normal(size=(3, 3)),
    ],
    ids=["diagonal", "non-normal", "random"],
)
def test_the_spectrum_of_a_linear_rnn_is_that_of_the_powers_of_its_matrix(kernel):
    kernel = kernel.astype("float32")
    spectrum = jacobian_spectrum(linear_rnn(kernel, 8), np.ones((1, 8, 1)))
    powers = [np.linalg.matrix_power(kernel.astype("float64"), 7 - t) for t in range(8)]
    expected = [np.linalg.svd(power, compute_uv=False) for power in powers]
    np.testing.assert_allclose(spectrum.singular_values[0], expected, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(spectrum.frobenius[0], [np.linalg.norm(power) for power in powers], rtol=1e-9)
    assert spectrum.standard_error is None
    assert (np.diff(spectrum.singular_values) <= 0).all(), "largest first"


def test_an_orthogonal_matrix_keeps_every_direction_at_every_lag():
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))
    spectrum = jacobian_spectrum(linear_rnn(turn, 50), np.ones((2, 50, 1)))
    np.testing.assert_allclose(spectrum.singular_values, 1, atol=1e-5)


def test_a_jacobian_that_leaves_single_precision_is_not_lost():
    spectrum = jacobian_spectrum(linear_rnn(np.diag([0.25, 0.125]), 101), np.ones((1, 101, 1)))
    np.testing.assert_allclose(spectrum.singular_values[0, 0], [0.25**100, 0.125**100], rtol=1e-12)


OPEN = {"input": np.array([0.5, -1.0]), "forget": np.array([2.0, -0.5]), "output": np.array([-1.0, 1.5])}
I_GATE, F_GATE, O_GATE = (1 / (1 + np.exp(-OPEN[name])) for name in ("input", "forget", "output"))
LAGS = np.arange(TIME - 1, -1, -1)


def pinned_lstm():
    # No weights, so the biases alone set the gates; the candidate is tanh(0.3 x), and x = 0 leaves c at 0.
    layer = keras.layers.LSTM(2, return_sequences=True)
    model = model_of(layer, features=1)
    kernel = np.zeros((1, 8))
    kernel[0, 4:6] = 0.3
    layer.set_weights(
        [kernel, np.zeros((2, 8)), np.concatenate([OPEN["input"], OPEN["forget"], [0, 0], OPEN["output"]])]
    )
    return model


def test_an_lstm_with_pinned_gates_passes_its_cell_through_forget_and_output_gates():
    # ∂h_T/∂c_t = o f**(T-t) tanh'(0), one number a unit; the unit with the larger one comes first.
    spectrum = jacobian_spectrum(pinned_lstm(), np.zeros((1, TIME, 1)), wrt="cell")
    expected = -np.sort(-(O_GATE * F_GATE ** LAGS[:, None]), axis=1)
    np.testing.assert_allclose(spectrum.singular_values[0], expected, rtol=1e-6)


def test_the_hidden_state_of_an_lstm_misses_what_its_cell_carries():
    # The gates do not look at h, so h_t reaches nothing later: only h_T itself is left, while c_t still arrives.
    spectrum = jacobian_spectrum(pinned_lstm(), np.zeros((1, TIME, 1)))
    np.testing.assert_array_equal(spectrum.singular_values[0], np.repeat(LAGS == 0, 2).reshape(TIME, 2))


def test_an_input_reaches_a_pinned_lstm_through_input_forget_and_output_gates():
    # ∂h_s/∂x_t = o f**(s-t) i 0.3 in each unit.
    inputs = np.zeros((1, TIME, 1))
    lag = np.arange(TIME)[:, None] - np.arange(TIME)
    each = np.where(
        lag[..., None] >= 0, O_GATE * F_GATE ** np.maximum(lag, 0)[..., None] * I_GATE * 0.3, 0
    )  # (time, time, units)
    one = connectivity(pinned_lstm(), inputs, readout=1)
    np.testing.assert_allclose(one.values[0], each[..., 1], rtol=1e-6)
    every = connectivity(pinned_lstm(), inputs)
    np.testing.assert_allclose(every.values[0], np.linalg.norm(each, axis=-1), rtol=1e-6)
    assert (every.values[0][lag < 0] == 0).all()


def test_a_gru_with_a_pinned_update_gate_keeps_that_share_of_its_state():
    # No weights: h_t = z h_{t-1} + (1 - z) tanh(0), so ∂h_T/∂h_t = z**(T-t) in each unit.
    layer = keras.layers.GRU(2, reset_after=False)
    model = model_of(layer, features=1)
    layer.set_weights([np.zeros((1, 6)), np.zeros((2, 6)), np.concatenate([OPEN["forget"], [0.7, -0.7], [0, 0]])])
    spectrum = jacobian_spectrum(model, np.ones((1, TIME, 1)))
    np.testing.assert_allclose(spectrum.singular_values[0], -np.sort(-(F_GATE ** LAGS[:, None])), rtol=1e-6)


# ------------------------------------------------------------------------------------------------- finite differences


def differences(model, data, ref, wrt):
    """∂h_s/∂state_t by central differences of replays, `(batch, s, t, units, units)` in reading order."""
    which, small = ("hidden", "cell").index(wrt), 1e-6
    found = np.zeros((BATCH, TIME, TIME, UNITS, UNITS))

    def states_after(step, push):
        def adjust(t, states, gates):
            moved = list(states)
            if t == step:
                moved[which] = moved[which] + push
                if wrt == "cell":  # c_t reaches h_t = o tanh(c_t) too
                    moved[0] = gates[:, 3 * UNITS :] * np.tanh(moved[1])
            return tuple(moved)

        return replay(model, data, ref, adjust=adjust)[1].unrolled.hidden[:, 1:]

    for step in range(TIME):
        for unit in range(UNITS):
            push = small * np.eye(UNITS)[unit]
            moved = (states_after(step, push) - states_after(step, -push)) / (2 * small)
            found[:, :, step, :, unit] = moved
    return found


def masked_pairs(values, mask):
    return np.where(mask[:, :, None] & mask[:, None], values, np.nan)


def check_against_differences(model, layer, direction, wrt):
    data, ref = sequences(), find_rnn_layer(model, layer, direction=direction)
    moved = differences(model, data, ref, wrt)
    last = TIME - 1  # in reading order; a masked step carries the state of the last real one
    singular = np.linalg.svd(moved[:, last], compute_uv=False)
    readout = np.random.default_rng(3).normal(size=(BATCH, TIME, UNITS))
    asked = readout[:, ::-1] if ref.layer.go_backwards else readout
    one = np.linalg.norm(np.einsum("bsu,bstuv->bstv", asked, moved), axis=-1)
    every = np.linalg.norm(moved, axis=(-2, -1))
    if ref.layer.go_backwards:
        singular, one, every = singular[:, ::-1], one[:, ::-1, ::-1], every[:, ::-1, ::-1]

    spectrum = jacobian_spectrum(model, data, layer, direction=direction, wrt=wrt)
    mask, near = spectrum.mask, {"rtol": 1e-6, "atol": 1e-8}
    np.testing.assert_allclose(spectrum.singular_values, np.where(mask[:, :, None], singular, np.nan), **near)
    np.testing.assert_allclose(spectrum.frobenius, np.where(mask, np.linalg.norm(singular, axis=-1), np.nan), **near)
    options = {"direction": direction, "wrt": wrt}
    for values, expected in (
        (connectivity(model, data, layer, readout=readout, **options).values, one),
        (connectivity(model, data, layer, **options).values, every),
    ):
        np.testing.assert_allclose(values, masked_pairs(expected, mask), **near)
        unread = np.tril(np.ones((TIME, TIME), bool), -1) if ref.layer.go_backwards else ~np.tri(TIME, dtype=bool)
        assert (np.nan_to_num(values[:, unread]) == 0).all()


@pytest.mark.parametrize(
    ("setting", "half"),
    [
        ("right_padded", "forward"),
        ("left_padded", "forward"),
        ("go_backwards", "forward"),
        ("bidirectional", "forward"),
        ("bidirectional", "backward"),
        ("stacked_above", "forward"),
        ("stacked_below", "forward"),
        ("stateful", "forward"),
        ("nested", "forward"),
    ],
)
@pytest.mark.parametrize("name", CELLS)
def test_pushing_a_state_a_little_moves_the_later_ones_as_the_jacobian_says(name, setting, half, double_precision):
    model = fill(build(setting, *CELLS[name]))
    check_against_differences(model, path_of(setting), half, "hidden")


@pytest.mark.parametrize("setting", ["plain", "left_padded", "bidirectional", "initial_state"])
def test_pushing_a_cell_state_a_little_moves_the_later_states_as_the_jacobian_says(setting, double_precision):
    half = "backward" if setting == "bidirectional" else "forward"
    check_against_differences(fill(build(setting, keras.layers.LSTM)), "probed", half, "cell")


@pytest.mark.parametrize("name", CELLS)
def test_masked_steps_in_the_middle_are_skipped_and_absent(name, double_precision):
    model = fill(build_holed(*CELLS[name]))
    check_against_differences(model, "probed", "forward", "hidden")
    spectrum = jacobian_spectrum(model, sequences())
    np.testing.assert_array_equal(spectrum.mask, HOLED)
    np.testing.assert_array_equal(np.isnan(spectrum.singular_values).all(-1), ~HOLED)
    last = [np.flatnonzero(row)[-1] for row in HOLED]
    np.testing.assert_array_equal(spectrum.singular_values[range(BATCH), last], 1)


@pytest.mark.parametrize("setting", ["plain", "left_padded", "go_backwards"])
@pytest.mark.parametrize("name", CELLS)
def test_changing_an_input_a_little_moves_the_states_as_connectivity_says(name, setting, double_precision):
    model, data, small = fill(build(setting, *CELLS[name])), sequences(), 1e-6
    expected = np.zeros((BATCH, TIME, TIME, UNITS, FEATURES))
    for t in range(TIME):
        for feature in range(FEATURES):
            push = np.zeros(data.shape)
            push[:, t, feature] = small
            moved = trace(model, data + push).hidden - trace(model, data - push).hidden
            expected[:, :, t, :, feature] = moved / (2 * small)
    found = connectivity(model, data)
    assert found.wrt == "inputs" and found.cell_type == name.removesuffix("_reset_before")
    expected_all = np.linalg.norm(expected, axis=(-2, -1))
    np.testing.assert_allclose(found.values, masked_pairs(expected_all, found.mask), rtol=1e-6, atol=1e-8)
    unit = connectivity(model, data, readout=2).values
    expected_unit = np.linalg.norm(expected[:, :, :, 2], axis=-1)
    np.testing.assert_allclose(unit, masked_pairs(expected_unit, found.mask), rtol=1e-6, atol=1e-8)


# ------------------------------------------------------------------------------------------- against the other probes


@pytest.mark.parametrize("name", WHOLE_CELLS)
def test_a_row_of_connectivity_is_the_gradient_of_a_loss_at_its_step(name, double_precision):
    model, data = fill(model_of(WHOLE_CELLS[name](UNITS, return_sequences=True))), sequences()
    readout = np.random.default_rng(4).normal(size=UNITS)
    for wrt in ("inputs", "hidden", *(["cell"] if name == "lstm" else [])):
        found = connectivity(model, data, readout=readout, wrt=wrt).values
        for s in (2, TIME - 1):
            loss = {"loss": lambda _, h: tf.reduce_sum(h * readout), "loss_step": s, "wrt": wrt}
            flow = gradient_flow(model, data, np.zeros(data.shape), **loss)
            np.testing.assert_allclose(found[:, s], flow.norm(), rtol=1e-9, atol=1e-15)


def test_every_form_of_readout_that_says_the_same_gives_the_same(double_precision):
    model, data = fill(build("masked_sequences", keras.layers.GRU)), sequences()
    one_hot = np.eye(UNITS)[3]
    expected = connectivity(model, data, readout=3)
    assert not np.array_equal(expected.values, connectivity(model, data, readout=2).values)
    padded = np.where(RIGHT[:, :, None], one_hot, np.nan)
    for readout in (np.int64(3), one_hot, np.tile(one_hot, (TIME, 1)), padded):
        np.testing.assert_array_equal(connectivity(model, data, readout=readout).values, expected.values)


def test_a_readout_for_each_step_is_used_at_its_own_step(double_precision):
    model, data = fill(build("bidirectional", keras.layers.LSTM)), sequences()
    readout = np.random.default_rng(5).normal(size=(TIME, UNITS))
    for half in ("forward", "backward"):
        together = connectivity(model, data, direction=half, readout=readout).values
        for s in (0, 3):
            alone = connectivity(model, data, direction=half, readout=readout[s]).values
            np.testing.assert_allclose(together[:, s], alone[:, s], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "setting", "half"),
    [
        ("lstm", "left_padded", "forward"),
        ("gru", "bidirectional", "backward"),
        ("simple_rnn", "initial_state", "forward"),
    ],
)
def test_a_custom_cell_has_the_jacobians_of_the_cell_it_copies(name, setting, half, double_precision):
    cell, data = WHOLE_CELLS[name], sequences()
    closed, custom = (fill(build(setting, kind)) for kind in (cell, as_custom(cell)))
    readout = np.random.default_rng(6).normal(size=(BATCH, TIME, UNITS))
    for probe, options in (
        (jacobian_spectrum, {}),
        (jacobian_spectrum, {"method": "hutchinson"}),
        (connectivity, {"readout": readout}),
        (connectivity, {"wrt": "hidden"}),
    ):
        known, taped = (probe(model, data, "probed", direction=half, **options) for model in (closed, custom))
        assert (known.cell_type, taped.cell_type) == (name, "custom")
        for field in {"singular_values", "frobenius", "standard_error", "values"} & set(vars(known)):
            if vars(known)[field] is not None:
                np.testing.assert_allclose(vars(taped)[field], vars(known)[field], rtol=1e-7, atol=1e-12)


# --------------------------------------------------------------------------------------------------------- hutchinson


def test_random_vectors_estimate_the_frobenius_norm_with_an_honest_error():
    model, data = fill(build("right_padded", keras.layers.GRU)), sequences()
    exact = jacobian_spectrum(model, data).frobenius
    errors = []
    for seed in range(20):
        guess = jacobian_spectrum(model, data, method="hutchinson", probes=32, seed=seed)
        assert guess.singular_values is None
        unsure = RIGHT & (guess.standard_error > 1e-9)
        errors.append((guess.frobenius - exact)[unsure] / guess.standard_error[unsure])
    errors = np.concatenate(errors)
    assert np.abs(errors).max() < 6
    assert 0.7 < errors.std() < 1.5, "the standard error is as large as the error"


def test_many_random_vectors_reach_the_exact_norm_and_at_the_last_step_every_single_one_does():
    model, data = fill(build("plain", keras.layers.LSTM)), sequences()
    for wrt in ("hidden", "cell"):
        exact = jacobian_spectrum(model, data, wrt=wrt).frobenius
        guess = jacobian_spectrum(model, data, wrt=wrt, method="hutchinson", probes=20_000)
        np.testing.assert_allclose(guess.frobenius, exact, rtol=0.02)
        few = jacobian_spectrum(model, data, wrt=wrt, method="hutchinson", probes=2, seed=7)
        np.testing.assert_allclose(few.frobenius[:, -1], exact[:, -1], rtol=1e-12)
        np.testing.assert_allclose(few.standard_error[:, -1], 0, atol=1e-12)


def test_the_seed_is_all_that_decides_an_estimate():
    model, data = fill(build("plain", keras.layers.GRU)), sequences()
    one, same, other = (jacobian_spectrum(model, data, method="hutchinson", seed=seed).frobenius for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


# -------------------------------------------------------------------------------------------------------- the contract


def test_an_example_without_a_real_step_is_absent():
    mask = np.array(RIGHT)
    mask[1] = False
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = fill(keras.Model(inputs, keras.layers.GRU(UNITS)(Masked(mask)(inputs))))
    spectrum, found = jacobian_spectrum(model, sequences()), connectivity(model, sequences(), readout=0)
    np.testing.assert_array_equal(np.isnan(spectrum.frobenius), ~mask)
    np.testing.assert_array_equal(np.isnan(found.values), np.isnan(masked_pairs(np.ones(found.values.shape), mask)))


def test_nothing_in_the_model_changes():
    for kind in (keras.layers.LSTM, as_custom(keras.layers.LSTM)):
        model, data = fill(build("stateful", kind)), sequences()
        model.predict_on_batch(data)
        layer = find_rnn_layer(model).layer
        before = [variable.numpy() for variable in model.variables]
        kept = vars(layer).copy()
        first = jacobian_spectrum(model, data).frobenius
        connectivity(model, data, readout=1)
        np.testing.assert_array_equal(jacobian_spectrum(model, data).frobenius, first)
        for old, variable in zip(before, model.variables, strict=True):
            np.testing.assert_array_equal(old, variable.numpy())
        assert any(np.abs(variable.numpy()).max() > 0 for variable in layer.states)
        assert vars(layer).keys() == kept.keys() and "call" not in vars(layer)


@pytest.mark.parametrize(
    ("probe", "asked", "message"),
    [
        (jacobian_spectrum, {"method": "lanczos"}, "method is 'lanczos'; pass 'exact' or 'hutchinson'"),
        (jacobian_spectrum, {"method": "hutchinson", "probes": 1}, "probes is 1; it takes at least 2"),
        (
            jacobian_spectrum,
            {"wrt": "inputs"},
            "wrt is 'inputs'; pass 'hidden' or 'cell'. For inputs there is connectivity",
        ),
        (jacobian_spectrum, {"wrt": "cell"}, "is a gru and keeps no cell state"),
        (connectivity, {"wrt": "gates"}, "wrt is 'gates'; pass 'hidden', 'cell' or 'inputs'"),
        (connectivity, {"wrt": "cell"}, "is a gru and keeps no cell state"),
        (connectivity, {"readout": 5}, "readout is 5; layer 'probed' has units 0 to 4"),
        (connectivity, {"readout": -1}, "readout is -1; layer 'probed' has units 0 to 4"),
        (connectivity, {"readout": 0.5}, "readout is 0.5; layer 'probed' has units 0 to 4"),
        (connectivity, {"readout": np.ones(4)}, r"readout has shape \(4,\); .*\(5,\), \(6, 5\) or \(3, 6, 5\)"),
        (connectivity, {"readout": np.ones((5, 6))}, r"readout has shape \(5, 6\)"),
        (connectivity, {"readout": np.full(5, np.nan)}, "readout holds NaN or infinity at a real step"),
        (connectivity, {"layer": "lstm"}, "no recurrent layer 'lstm'; it has 'probed'"),
    ],
)
def test_errors_say_what_came_and_what_to_do(probe, asked, message):
    model = fill(build("plain", keras.layers.GRU))
    with pytest.raises(ValueError, match=message):
        probe(model, sequences(), **asked)


# -------------------------------------------------------------------------------------------------------- lag profile


def test_a_lag_counts_back_from_each_sequence_s_own_last_real_step():
    norms = [[0.25, 0.5, 1.0, np.nan], [np.nan, 4.0, 8.0, 16.0], [np.nan, np.nan, np.nan, 3.0]]
    profile = lag_profile(norms)
    np.testing.assert_array_equal(profile.lag, [0, 1, 2])
    np.testing.assert_array_equal(profile.median, [3, 4.25, 2.125])
    np.testing.assert_array_equal(profile.low, [2, 2.375, 1.1875])
    np.testing.assert_array_equal(profile.high, [9.5, 6.125, 3.0625])
    np.testing.assert_array_equal(profile.count, [3, 2, 2])


def test_a_mask_says_what_nan_says():
    norms = np.arange(1.0, 9).reshape(2, 4)
    mask = np.array([[True, True, False, False], [True] * 4])
    by_mask, by_nan = lag_profile(norms, mask=mask), lag_profile(np.where(mask, norms, np.nan))
    np.testing.assert_array_equal(by_mask.median, [5, 4, 6, 5])
    for name, values in vars(by_mask).items():
        np.testing.assert_array_equal(values, vars(by_nan)[name])


def test_the_lag_of_a_connectivity_is_s_minus_t_over_all_s():
    values = np.tril(10.0 ** -(np.arange(4)[:, None] - np.arange(4)))[None] * np.array([1.0, 2, 3])[:, None, None]
    values[0, 1] = values[0, :, 1] = np.nan
    profile = lag_profile(values)
    np.testing.assert_array_equal(profile.count, [11, 7, 5, 3])
    np.testing.assert_allclose(profile.median, [2, 0.2, 0.02, 0.002])
    backward = lag_profile(values[:, ::-1, ::-1], direction="backward")
    np.testing.assert_array_equal(backward.median, profile.median)
    masked = lag_profile(np.nan_to_num(values, nan=7.0), mask=[[True, False, True, True], [True] * 4, [True] * 4])
    np.testing.assert_array_equal(masked.median, profile.median)


def test_a_zero_is_a_zero_and_a_lag_that_no_pair_has_is_absent():
    profile = lag_profile([[0.0, np.nan, 0.0, 2.0], [4.0, np.nan, 0.0, 2.0]])
    np.testing.assert_array_equal(profile.median, [2, 0, np.nan, 2])
    np.testing.assert_array_equal(profile.count, [2, 2, 0, 2])


def test_a_layer_that_reads_backward_ends_at_the_first_step():
    profile = lag_profile([[1.0, 0.5, 0.25, np.nan]], direction="backward")
    np.testing.assert_array_equal(profile.median, [1, 0.5, 0.25])


@pytest.mark.parametrize(
    ("norms", "asked", "message"),
    [
        (np.ones(3), {}, r"norms have shape \(3,\); expected \(batch, time\) or \(batch, time, time\)"),
        (np.ones((2, 3, 4)), {}, r"norms have shape \(2, 3, 4\)"),
        (np.ones((2, 3)), {"mask": [True] * 3}, r"mask has shape \(3,\); expected \(2, 3\)"),
        (np.ones((2, 3)), {"direction": "up"}, "direction is 'up'"),
        (np.full((2, 3), np.nan), {}, "masked or NaN: there is no last step"),
        (np.tril(np.ones((3, 3)))[None], {"direction": "backward"}, "reads the other way. Pass direction='forward'"),
        (np.triu(np.ones((3, 3)))[None], {}, "reads the other way. Pass direction='backward'"),
    ],
)
def test_norms_that_do_not_fit_are_refused(norms, asked, message):
    with pytest.raises(ValueError, match=message):
        lag_profile(norms, **asked)


def test_a_custom_cell_in_half_precision_has_singular_values_too():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = fill(build("plain", as_custom(keras.layers.SimpleRNN)))
        found = jacobian_spectrum(model, sequences())
    finally:
        keras.config.set_dtype_policy(policy)
    np.testing.assert_allclose(found.singular_values[:, -1], 1, rtol=1e-3)  # the way from the last step to itself
    assert found.singular_values.dtype == "float64"
