"""What each step is said to have contributed, against models whose shares are known."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import BATCH, CELLS, FEATURES, RIGHT, TIME, UNITS, Masked, as_custom, fill, sequences

from rnn_course.probes.attribution import input_attribution

METHODS = ("gradient", "gradient_x_input", "integrated_gradients")
WORTH = np.array([0.0, 2.0, -3.0, 0.5, 1.0, -1.0, 4.0])  # of each token
TOKENS = np.array([[1, 2, 3, 4, 0, 0], [6, 5, 0, 0, 0, 0], [2, 2, 2, 1, 5, 3]])


def bag(*, outputs=1):
    """Adds the worth of the tokens up; output k counts it k + 1 times. Score = Σ worth + k + 1."""
    tokens = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(len(WORTH), 2, name="embedding")(tokens)
    head = layers.Dense(outputs, name="head")
    model = keras.Model(tokens, head(layers.GlobalAveragePooling1D()(vectors) * TIME), name="bag")
    model.get_layer("embedding").set_weights([np.stack([WORTH, np.ones(len(WORTH))], axis=1)])
    size = np.arange(1.0, outputs + 1)
    head.set_weights([np.stack([size, np.zeros(outputs)]), size])
    return model


def classifier(cell, *, bidirectional=False, outputs=1, **options):
    """Token ids in, `outputs` numbers out, by way of a recurrent layer."""
    layer = cell(UNITS, **options)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(len(WORTH), FEATURES, mask_zero=True, name="embedding"),
            layers.Bidirectional(layer) if bidirectional else layer,
            layers.Dense(outputs, name="head"),
        ],
        name="classifier",
    )
    return fill(model, scale=1.0)


def test_in_a_bag_of_words_each_word_contributes_its_worth():
    # The score is Σ worth + 1, and padding has a worth of 0 here: x · ∂score/∂x is the worth itself.
    for method in ("gradient_x_input", "integrated_gradients"):
        found = input_attribution(bag(), TOKENS, method=method)
        np.testing.assert_allclose(found.values, np.where(TOKENS == 0, np.nan, WORTH[TOKENS]), rtol=1e-5)
        np.testing.assert_allclose(found.score, WORTH[TOKENS].sum(1) + 1, rtol=1e-5)
        np.testing.assert_allclose(found.baseline_score, 1, rtol=1e-6)
        assert found.method == method


def test_the_plain_gradient_is_a_length_and_the_same_for_every_word_of_a_bag():
    # ∂score/∂(embedding) = (1, 0) at every step: length 1.
    found = input_attribution(bag(), TOKENS, method="gradient")
    np.testing.assert_allclose(found.values, np.where(TOKENS == 0, np.nan, 1), rtol=1e-5)


def test_the_chosen_output_is_the_one_that_is_explained():
    model = bag(outputs=3)
    for output, times in ((0, 1), (2, 3), (-1, 3)):
        found = input_attribution(model, TOKENS, method="gradient_x_input", output=output)
        np.testing.assert_allclose(found.values[2], times * WORTH[TOKENS[2]], rtol=1e-5)
        np.testing.assert_allclose(found.score, model(TOKENS).numpy()[:, output], rtol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_integrated_gradients_add_up_to_what_the_input_changed(name, bidirectional):
    cell, options = CELLS[name]
    model = classifier(cell, bidirectional=bidirectional, **options)
    found = input_attribution(model, TOKENS, steps=64)
    np.testing.assert_allclose(found.score, model(TOKENS).numpy()[:, 0], rtol=1e-5)
    assert np.abs(found.score - found.baseline_score).max() > 0.2
    np.testing.assert_allclose(np.nansum(found.values, 1), found.score - found.baseline_score, atol=2e-3)


def test_more_steps_bring_integrated_gradients_nearer():
    model = classifier(layers.LSTM)
    gaps = []
    for steps in (2, 8, 32):
        found = input_attribution(model, TOKENS, steps=steps)
        gaps.append(np.abs(np.nansum(found.values, 1) - (found.score - found.baseline_score)).max())
    assert gaps[0] > 4 * gaps[1] > 16 * gaps[2]


@pytest.mark.parametrize("method", METHODS)
def test_padding_has_no_share_and_more_of_it_changes_nothing(method):
    model = classifier(layers.GRU, bidirectional=True)
    found = input_attribution(model, TOKENS, method=method, steps=4)
    longer = input_attribution(model, np.pad(TOKENS, [(0, 0), (0, 3)]), method=method, steps=4)
    np.testing.assert_array_equal(np.isnan(found.values), TOKENS == 0)
    np.testing.assert_array_equal(np.isnan(longer.values[:, TIME:]), True)
    np.testing.assert_allclose(longer.values[:, :TIME], found.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_closed_form_attributes_as_autodiff_does(method):
    known, unknown = classifier(layers.LSTM), classifier(as_custom(layers.LSTM))
    one, other = (input_attribution(model, TOKENS, method=method, steps=4) for model in (known, unknown))
    np.testing.assert_allclose(one.values, other.values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one.score, other.score, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_step_of_a_sequence_of_numbers_has_a_share(method):
    # y = Σ_t w · x_t / TIME, so the share of step t is w · x_t / TIME, and the gradient is w / TIME everywhere.
    weights, inputs = np.array([1.0, -2.0, 0.5, 3.0]), keras.Input((TIME, FEATURES))
    model = keras.Model(inputs, layers.Dense(1, name="head")(layers.GlobalAveragePooling1D()(inputs)))
    model.get_layer("head").set_weights([weights[:, None], np.zeros(1)])
    found = input_attribution(model, sequences(), method=method)
    share = sequences() @ weights / TIME
    expected = np.full_like(share, np.linalg.norm(weights) / TIME) if method == "gradient" else share
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.baseline_score, 0)


@pytest.mark.parametrize("method", METHODS)
def test_every_pixel_of_a_frame_has_a_share(method):
    # y = Σ w · x over all frames, pixels and channels: the share of a pixel is w · x summed over its channels alone.
    frames, weights = (np.random.default_rng(seed).normal(size=size) for seed, size in ((1, (3, 4, 2, 5, 3)), (2, 120)))
    inputs = keras.Input(frames.shape[1:])
    model = keras.Model(inputs, layers.Dense(1, name="head")(layers.Flatten()(inputs)))
    model.get_layer("head").set_weights([weights[:, None], np.zeros(1)])
    found = input_attribution(model, frames, method=method)
    weights = weights.reshape(4, 2, 5, 3)
    lengths = np.broadcast_to(np.linalg.norm(weights, axis=-1), (3, 4, 2, 5))
    expected = lengths if method == "gradient" else (frames * weights).sum(-1)
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)  # (batch, time, height, width)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_shares_of_pixels_add_up_behind_convolutions_and_a_recurrent_layer(bidirectional):
    frames = np.random.default_rng(3).random((2, 5, 6, 4, 1))
    inputs = keras.Input((None, 6, 4, 1))
    eye = keras.Sequential([keras.Input((6, 4, 1)), layers.Conv2D(3, 3, activation="tanh"), layers.Flatten()])
    reader = layers.Bidirectional(layers.GRU(UNITS)) if bidirectional else layers.GRU(UNITS)
    model = fill(keras.Model(inputs, layers.Dense(3)(reader(layers.TimeDistributed(eye)(inputs)))))
    found = input_attribution(model, frames, output=1, steps=64)
    assert found.values.shape == (2, 5, 6, 4)
    np.testing.assert_allclose(found.score, np.array(model(frames))[:, 1], rtol=1e-5)
    np.testing.assert_allclose(found.values.sum((1, 2, 3)), found.score - found.baseline_score, atol=2e-3)
    gradient = input_attribution(model, frames, output=1, method="gradient").values
    nudged = frames.copy()
    nudged[0, 3, 2, 1] += 1e-2  # one pixel, by a little
    slope = (np.array(model(nudged)) - np.array(model(frames)))[0, 1] / 1e-2
    np.testing.assert_allclose(gradient[0, 3, 2, 1], abs(slope), rtol=0.05)


def test_steps_that_a_mask_hides_have_no_influence():
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = fill(keras.Model(inputs, layers.Dense(1)(layers.LSTM(UNITS)(Masked(RIGHT)(inputs)))))
    found = input_attribution(model, sequences(), method="gradient")
    assert (found.values[~RIGHT] == 0).all() and (found.values[RIGHT] > 0).all()


def test_embeddings_share_what_a_step_contributed():
    # Two tables side by side, worth w and 2 w: together a step contributes 3 w. One more is never called, and one is
    # called for nothing.
    class Wide(keras.Model):
        def __init__(self):
            super().__init__(name="wide")
            self.unused = layers.Embedding(7, 1, name="unused")
            self.unused.build()
            self.ignored = layers.Embedding(7, 1, name="ignored")
            self.tables = [layers.Embedding(7, 1, name=f"table_{k}") for k in range(2)]

        def call(self, tokens):
            self.ignored(tokens)
            return keras.ops.sum(sum(table(tokens) for table in self.tables), axis=1)

    model = Wide()
    model(TOKENS)
    for times, table in enumerate(model.tables, start=1):
        table.set_weights([times * WORTH[:, None]])
    found = input_attribution(model, TOKENS, method="gradient_x_input")
    np.testing.assert_allclose(found.values, np.where(TOKENS == 0, np.nan, 3 * WORTH[TOKENS]), rtol=1e-5)


def test_the_place_of_a_word_is_not_a_word():
    # A table of positions belongs to the model: it is left in place, for the baseline too.
    class Placed(keras.Model):
        def __init__(self):
            super().__init__(name="placed")
            self.words, self.places = (layers.Embedding(7, 1, name=name) for name in ("words", "places"))

        def call(self, tokens):
            return keras.ops.sum(self.words(tokens) + self.places(keras.ops.arange(TIME))[None], axis=1)

    model = Placed()
    model(TOKENS)
    model.words.set_weights([WORTH[:, None]])
    model.places.set_weights([np.ones((7, 1))])
    found = input_attribution(model, TOKENS)
    np.testing.assert_allclose(found.values, np.where(TOKENS == 0, np.nan, WORTH[TOKENS]), rtol=1e-5)
    np.testing.assert_allclose(found.baseline_score, TIME)


def test_the_place_of_a_word_is_no_word_in_a_batch_of_one_either():
    # Then the places (1, time) have the shape of the tokens; they are the same for every token.
    class Placed(keras.Model):
        def __init__(self):
            super().__init__(name="placed")
            self.words, self.places = (layers.Embedding(7, 1, name=name) for name in ("words", "places"))

        def call(self, tokens):
            return keras.ops.sum(self.words(tokens) + self.places(keras.ops.arange(TIME)[None]), axis=1)

    model = Placed()
    model(TOKENS)
    model.words.set_weights([WORTH[:, None]])
    model.places.set_weights([np.ones((7, 1))])
    found = input_attribution(model, TOKENS[2:])
    np.testing.assert_allclose(found.values, [WORTH[TOKENS[2]]], rtol=1e-5)
    np.testing.assert_allclose(found.baseline_score, TIME)


def test_with_a_mask_token_0_is_a_word_like_the_others():
    model = bag()
    model.get_layer("embedding").set_weights([np.stack([WORTH + 7, np.ones(7)], axis=1)])
    found = input_attribution(model, TOKENS, mask=np.ones(TOKENS.shape, bool))
    np.testing.assert_allclose(found.values, WORTH[TOKENS] + 7, rtol=1e-5)
    np.testing.assert_allclose(found.values.sum(1), found.score - found.baseline_score, rtol=1e-5)


def test_a_mask_hides_whole_steps_of_frames_too():
    frames = np.arange(1.0, 2 * 3 * 2 * 2 + 1).reshape(2, 3, 2, 2, 1)
    inputs = keras.Input((3, 2, 2, 1))
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones")(layers.Flatten()(inputs)))
    mask = np.array([[True, True, False], [True, False, False]])
    found = input_attribution(model, frames, mask=mask)
    np.testing.assert_allclose(found.values, np.where(mask[:, :, None, None], frames[..., 0], np.nan), rtol=1e-5)
    with pytest.raises(ValueError, match=r"mask has shape \(2, 2\); expected \(2, 3\), the inputs' \(batch, time\)"):
        input_attribution(model, frames, mask=mask[:, :2])


@pytest.mark.parametrize("mask_value", [0.0, -1.0])
def test_padding_stays_padding_on_the_way_from_zeros(mask_value):
    # The same numbers by a mask that never looks at the inputs, with zeros at the padding.
    padded = np.where(RIGHT[:, :, None], sequences(), mask_value)
    inputs = keras.Input(batch_shape=(BATCH, TIME, FEATURES))
    model = fill(keras.Model(inputs, layers.Dense(1)(layers.LSTM(UNITS)(layers.Masking(mask_value)(inputs)))))
    fixed = keras.Model(inputs, layers.Dense(1)(layers.LSTM(UNITS)(Masked(RIGHT)(inputs))))
    fixed.set_weights(model.get_weights())
    found, known = (input_attribution(each, padded) for each in (model, fixed))
    np.testing.assert_allclose(found.values, known.values, atol=1e-5)
    np.testing.assert_allclose(found.baseline_score, known.baseline_score, rtol=1e-5)
    assert np.abs(known.values).max() > 0.1 and "call" not in vars(model.layers[1])


def test_a_model_that_gives_one_number_an_example_needs_no_axis_for_it():
    inputs = keras.Input((TIME, FEATURES))
    model = keras.Model(inputs, keras.ops.sum(inputs, axis=(1, 2)))
    np.testing.assert_allclose(input_attribution(model, sequences()).values, sequences().sum(-1), rtol=1e-5, atol=1e-6)


def test_a_model_of_several_inputs_is_refused_with_what_to_do():
    inputs = [keras.Input((TIME, FEATURES), name=name) for name in ("text", "place")]
    model = keras.Model(inputs, keras.ops.sum(inputs[0] + inputs[1], axis=1), name="two")
    with pytest.raises(ValueError, match="Model 'two' takes 2 inputs; attribution explains one"):
        input_attribution(model, [sequences(), sequences()])


@pytest.mark.parametrize("method", METHODS)
def test_nothing_in_the_model_changes(method):
    model = classifier(layers.LSTM, bidirectional=True)
    model.compile("adam", "mse")
    weights, before = model.get_weights(), model.predict(TOKENS, verbose=0)
    input_attribution(model, TOKENS, method=method, steps=2)
    every_layer = [*model.layers, model.layers[1].forward_layer, model.layers[1].backward_layer]
    assert all("call" not in vars(layer) for layer in every_layer)
    for old, new in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(before, model.predict(TOKENS, verbose=0))


def test_the_layers_are_put_back_when_something_fails():
    model = classifier(layers.LSTM, outputs=2)
    with pytest.raises(ValueError, match="has 2 outputs"):
        input_attribution(model, TOKENS)
    assert all("call" not in vars(layer) for layer in model.layers)


def twice():
    tokens = keras.Input((TIME,), dtype="int32")
    table = layers.Embedding(7, 1, name="table")
    back = table(keras.ops.flip(tokens, axis=1))
    return keras.Model(tokens, layers.Dense(1)(layers.Flatten()(table(tokens) + back)), name="twice")


def flat():
    return keras.Sequential([keras.Input((TIME,)), layers.Dense(1)], name="flat")


def every_step():
    return keras.Sequential([keras.Input((TIME,)), layers.Embedding(7, 1)], name="every_step")


@pytest.mark.parametrize(
    ("make", "asked", "message"),
    [
        (
            bag,
            {"method": "lime"},
            "method is 'lime'; pass one of 'gradient', 'gradient_x_input', 'integrated_gradients'",
        ),
        (bag, {"output": 1}, "output is 1; model 'bag' has 1 outputs"),
        (lambda: bag(outputs=3), {}, "Model 'bag' has 3 outputs; pass output=0 … 2"),
        (
            flat,
            {},
            r"Model 'flat' takes \(batch, time\) and has no keras\.layers\.Embedding.*pass inputs\[\.\.\., None\]",
        ),
        (twice, {}, "Model 'twice' calls Embedding 'table' more than once; attribution needs one input"),
        (every_step, {}, r"Model 'every_step' puts out \(3, 6, 1\); attribution needs \(batch, outputs\)\. Pass a mo"),
    ],
)
def test_errors_say_what_came_and_what_to_do(make, asked, message):
    with pytest.raises(ValueError, match=message):
        input_attribution(make(), TOKENS, **asked)
