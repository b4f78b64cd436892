"""The gradient through time while a network learns: the right numbers, and nobody disturbed."""

import keras
import numpy as np
import pytest
from small_models import BATCH, FEATURES, RIGHT, TIME, build, fill, sequences

from rnn_course.probes import GradientFlowCallback, gradient_flow

TARGETS = np.random.default_rng(1).normal(size=(BATCH, 1))


def fitted(model, *watches, epochs=2, compiled=None, **options):
    """Fit a model to 3 × BATCH sequences in three batches an epoch; returns the losses."""
    if compiled is not None:
        model.compile(**compiled)
    x, y = (np.concatenate([sequences(seed) for seed in range(3)]), np.tile(TARGETS, (3, 1)))
    if len(model.output_shape) == 3:
        y = np.repeat(y[:, None], TIME, axis=1)
    return model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=list(watches), **options).history[
        "loss"
    ]


def linear_rnn(weight, time=5):
    layer = keras.layers.SimpleRNN(1, activation="linear", name="rnn")
    model = keras.Sequential([keras.Input((time, 1)), layer])
    layer.set_weights([np.ones((1, 1)), np.full((1, 1), weight), np.zeros(1)])
    return model


@pytest.mark.parametrize("weight", [0.5, -0.9])
def test_a_linear_rnn_whose_recurrent_weight_is_frozen_has_its_powers_in_every_record(weight):
    # h_T = w**(T-t) h_t, and the loss is the mean of h_T over two sequences, so the norm at t is |w|**(T-t) / 2,
    # whatever the weight of the input and the bias learn.
    model = linear_rnn(weight)
    model.layers[0].cell.recurrent_kernel.trainable = False
    model.compile("sgd", "mse")
    watch = GradientFlowCallback(np.ones((2, 5, 1)), np.zeros((2, 1)), loss=lambda _, outputs: outputs)
    model.fit(np.ones((4, 5, 1)), np.ones((4, 1)), epochs=3, verbose=0, callbacks=[watch])
    assert len(set(watch.history["loss"])) == 4
    assert (watch.history["norm"].shape, watch.history["norm"].dtype) == ((4, 2, 5), np.float64)
    for record in watch.history["norm"]:
        np.testing.assert_allclose(record, np.tile(abs(weight) ** np.arange(4, -1, -1) / 2, (2, 1)), rtol=1e-6)


def test_one_step_of_descent_is_seen_in_the_next_record():
    # One unit, one step: h = x = 1 and the loss is h², whose gradient is 2h; descending on it by 1/4 leaves w = 1/2.
    layer = keras.layers.SimpleRNN(1, activation="linear", use_bias=False)
    model = keras.Sequential([keras.Input((1, 1)), layer])
    layer.set_weights([np.ones((1, 1)), np.zeros((1, 1))])
    model.compile(keras.optimizers.SGD(0.25), "mse")
    watch = GradientFlowCallback(np.ones((1, 1, 1)), np.zeros((1, 1)))
    model.fit(np.ones((1, 1, 1)), np.zeros((1, 1)), epochs=2, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(watch.history["norm"][:, 0, 0], [2, 1, 0.5])
    np.testing.assert_allclose(watch.history["loss"], [1, 0.25, 0.0625])


def test_the_last_record_is_the_gradient_flow_of_the_trained_model():
    model = fill(build("right_padded", keras.layers.GRU, {}))
    before = gradient_flow(model, sequences(), TARGETS, loss="mse").norm()
    watch = GradientFlowCallback(sequences(), TARGETS)
    fitted(model, watch, compiled={"optimizer": "adam", "loss": "mse"})
    after = gradient_flow(model, sequences(), TARGETS).norm()
    np.testing.assert_array_equal(watch.history["norm"][0], before)
    np.testing.assert_array_equal(watch.history["norm"][-1], after)
    assert np.nanmax(np.abs(after - before)) > 0
    assert watch.history["loss"][-1] == pytest.approx(model.evaluate(sequences(), TARGETS, verbose=0))


def test_a_learning_rate_of_zero_makes_all_records_equal():
    model = fill(build("plain", keras.layers.LSTM, {}))
    watch = GradientFlowCallback(sequences(), TARGETS, wrt="cell")
    fitted(model, watch, compiled={"optimizer": keras.optimizers.SGD(0.0), "loss": "mse"})
    first, *later = watch.history["norm"]
    assert len(later) == 2 and (first > 0).all()
    for record in later:
        np.testing.assert_array_equal(record, first)


def stateful():
    return build("stateful", keras.layers.LSTM, {})


def with_dropout():
    inputs = keras.Input((TIME, FEATURES))
    hidden = keras.layers.GRU(4, dropout=0.3, recurrent_dropout=0.2, return_sequences=True, name="probed")(inputs)
    hidden = keras.layers.BatchNormalization()(keras.layers.Dropout(0.5)(hidden))
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.LSTM(3, dropout=0.4)(hidden)))


def for_xla():
    return build("stacked_above", keras.layers.LSTM, {})


def averaged_in_steps():
    return build("bidirectional", keras.layers.GRU, {})


DISTURBABLE = {
    stateful: {},
    with_dropout: {"loss": "mae"},
    for_xla: {"jit_compile": True},
    averaged_in_steps: {"optimizer": keras.optimizers.SGD(0.1, use_ema=True), "steps_per_execution": 2},
}


@pytest.mark.parametrize("build_model", DISTURBABLE)
def test_training_is_the_same_bit_for_bit_whether_watched_or_not(build_model):
    left = []
    for watched in (False, True):
        keras.utils.set_random_seed(5)
        model = build_model()
        compiled = {"optimizer": "adam", "loss": "mse", "jit_compile": False} | DISTURBABLE[build_model]
        if isinstance(compiled["optimizer"], keras.optimizers.Optimizer):
            compiled["optimizer"] = type(compiled["optimizer"]).from_config(compiled["optimizer"].get_config())
        targets = TARGETS if len(model.output_shape) == 2 else np.repeat(TARGETS[:, None], TIME, axis=1)
        watch = GradientFlowCallback(sequences(7), targets, "probed", unit="batch")
        watches = [watch] if watched else []
        losses = fitted(model, *watches, compiled=compiled, validation_data=(sequences(8), targets))
        variables = [variable.numpy() for variable in model.variables + model.optimizer.variables]
        left.append((losses, variables, float(keras.random.uniform(()))))
        assert len(watch.records) == (0, 5 if build_model is averaged_in_steps else 7)[watched]
    (plain_losses, plain, plain_chance), (losses, seen, chance) = left
    assert losses == plain_losses
    assert chance == plain_chance
    for one, other in zip(plain, seen, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("asked", "epochs", "batches"),
    [
        ({}, [0, 1, 2, 3, 4, 5], [0, 3, 6, 9, 12, 15]),
        ({"every": 2}, [0, 2, 4], [0, 6, 12]),
        ({"every": 4, "unit": "batch"}, [0, 1, 2, 3], [0, 4, 8, 12]),
    ],
)
def test_records_are_counted_on_over_several_fits(asked, epochs, batches):
    model = fill(build("plain", keras.layers.SimpleRNN, {}))
    watch = GradientFlowCallback(sequences(), TARGETS, **asked)
    fitted(model, watch, epochs=3, compiled={"optimizer": "sgd", "loss": "mse"})
    fitted(model, watch, epochs=2)
    assert watch.history["epoch"].tolist() == epochs
    assert watch.history["batch"].tolist() == batches
    assert watch.history["norm"].shape == (len(epochs), BATCH, TIME)
    watch.measure()
    assert (watch.history["epoch"][-1], watch.history["batch"][-1]) == (5, 15)


def test_batches_that_are_trained_on_in_one_go_are_counted_each():
    model = fill(build("plain", keras.layers.SimpleRNN, {}))
    watch = GradientFlowCallback(sequences(), TARGETS, unit="batch", every=2)
    fitted(model, watch, compiled={"optimizer": "sgd", "loss": "mse", "steps_per_execution": 3})
    assert watch.history["batch"].tolist() == [0, 3, 6]


def test_an_interrupted_training_keeps_what_was_measured():
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    model = fill(build("plain", keras.layers.GRU, {}))
    watch = GradientFlowCallback(sequences(), TARGETS)
    with pytest.raises(KeyboardInterrupt):
        fitted(model, watch, Interrupt(), epochs=5, compiled={"optimizer": "sgd", "loss": "mse"})
    assert watch.history["epoch"].tolist() == [0, 1, 2]


def test_masked_steps_are_nan_in_every_record():
    model = fill(build("right_padded", keras.layers.LSTM, {}))
    watch = GradientFlowCallback(sequences(), TARGETS)
    fitted(model, watch, compiled={"optimizer": "sgd", "loss": "mse"})
    for record in watch.history["norm"]:
        np.testing.assert_array_equal(np.isnan(record), ~RIGHT)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_either_half_of_a_bidirectional_layer_can_be_watched(direction):
    model = fill(build("bidirectional", keras.layers.GRU, {}))
    targets = np.repeat(TARGETS[:, None], TIME, axis=1)
    asked = {"direction": direction, "wrt": "inputs", "kind": "direct", "loss_step": 2}
    watch = GradientFlowCallback(sequences(), targets, "probed", **asked)
    fitted(model, watch, compiled={"optimizer": "sgd", "loss": "mse"})
    expected = gradient_flow(model, sequences(), targets, "probed", **asked).norm()
    np.testing.assert_array_equal(watch.history["norm"][-1], expected)
    assert not np.array_equal(watch.history["norm"][0], expected, equal_nan=True)


def test_a_model_with_two_outputs_is_watched_by_a_function_of_both():
    # The loss is the first output, a linear RNN's last state, plus 0 times the second: the powers of the weight again.
    inputs = keras.Input((4, 1))
    layer = keras.layers.SimpleRNN(1, activation="linear", name="rnn")
    state = layer(inputs)
    model = keras.Model(inputs, [state, keras.layers.Dense(2)(state)])
    layer.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.0), ["mse", "mse"])
    x, y = np.ones((1, 4, 1)), [np.zeros((1, 1)), np.zeros((1, 2))]
    watch = GradientFlowCallback(x, y, loss=lambda targets, outputs: outputs[0] + 0 * (outputs[1] - targets[1])[:, :1])
    model.fit(x, y, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(watch.history["norm"], [[[1 / 8, 1 / 4, 1 / 2, 1]]] * 2)
    with pytest.raises(ValueError, match="for several outputs pass a function"):
        model.fit(x, y, verbose=0, callbacks=[GradientFlowCallback(x, y)])


def test_a_loss_that_is_not_reduced_is_noted_as_the_sum_that_is_differentiated():
    watch = GradientFlowCallback(
        np.ones((2, 3, 1)), np.zeros((2, 1)), loss=keras.losses.MeanSquaredError(reduction=None)
    )
    watch.set_model(linear_rnn(1.0, time=3))
    watch.measure()
    assert watch.history["loss"].tolist() == [18.0]  # h_3 = 3 in both sequences
    np.testing.assert_allclose(watch.history["norm"][0], 6.0)


def test_a_training_that_explodes_is_recorded_as_it_is():
    model = linear_rnn(1.0)
    model.compile(keras.optimizers.SGD(1e30), "mse")
    watch = GradientFlowCallback(np.ones((2, 5, 1)), np.zeros((2, 1)))
    model.fit(np.ones((4, 5, 1)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[watch])
    assert np.isfinite(watch.history["norm"][0]).all()
    assert np.isnan(watch.history["norm"][-1]).all() and np.isnan(watch.history["loss"][-1])


def test_before_training_the_history_is_empty():
    history = GradientFlowCallback(sequences(), TARGETS).history
    assert {name: array.shape for name, array in history.items()} == {
        "epoch": (0,),
        "batch": (0,),
        "loss": (0,),
        "norm": (0, 0, 0),
    }


def test_a_model_without_weights_is_refused_before_the_first_batch():
    model = keras.Sequential([keras.layers.SimpleRNN(2), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"has no weights yet\. Call it once on a batch, or give it a keras\.Input"):
        model.fit(sequences(), TARGETS, verbose=0, callbacks=[GradientFlowCallback(sequences(), TARGETS)])


@pytest.mark.parametrize(
    ("layer", "asked", "loss", "message"),
    [
        ("lstm", {}, "mse", "no recurrent layer 'lstm'; it has 'probed'"),
        (None, {"wrt": "cell"}, "mse", "is a gru and keeps no cell state"),
        (None, {}, None, "not compiled with a loss and none was passed"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_batch(layer, asked, loss, message):
    model = fill(build("plain", keras.layers.GRU, {}))
    before = [weight.copy() for weight in model.get_weights()]
    with pytest.raises(ValueError, match=message):
        fitted(model, GradientFlowCallback(sequences(), TARGETS, layer, **asked), compiled={"loss": loss})
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_another_model_needs_another_callback():
    watch = GradientFlowCallback(sequences(), TARGETS)
    first, second = (fill(build("plain", keras.layers.GRU, {})) for _ in range(2))
    fitted(first, watch, epochs=1, compiled={"optimizer": "sgd", "loss": "mse"})
    with pytest.raises(ValueError, match=rf"holds 2 records of model '{first.name}'.*new callback for each model"):
        fitted(second, watch, compiled={"optimizer": "sgd", "loss": "mse"})
    assert len(watch.records) == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"every": 0}, "every is 0; pass a whole number of epochs or batches, at least 1"),
        ({"every": 0.5}, "every is 0.5"),
        ({"unit": "step"}, "unit is 'step'; pass 'epoch' or 'batch'"),
    ],
)
def test_wrong_intervals_are_refused_at_once(asked, message):
    with pytest.raises(ValueError, match=message):
        GradientFlowCallback(sequences(), TARGETS, **asked)
