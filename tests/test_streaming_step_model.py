"""A model of one step shares the trained model's weights and says what it says; what cannot be streamed is refused."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import CELLS, fill

from rnn_course.streaming import build_chunk_model, build_step_model
from rnn_course.streaming.each_step import refuse_mask

BATCH, TIME, FEATURES, UNITS = 2, 5, 3, 4
X = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def sequential(*parts, **options):
    return keras.Sequential([keras.Input((None, FEATURES)), *parts], **options)


def functional(build):
    inputs = keras.Input((TIME, FEATURES))
    return keras.Model(inputs, build(inputs))


def zeros(model, batch=BATCH):
    return [keras.ops.zeros((batch, state.shape[-1])) for state in model.inputs[1:]]


def stepped(step, x):
    """What a step model says after each step, `(batch, time, …)`, and its last states."""
    states, said = zeros(step, len(x)), []
    for t in range(x.shape[1]):
        y, *states = step([keras.ops.convert_to_tensor(x[:, t : t + 1]), *states])
        said.append(np.asarray(y).reshape(len(x), -1))
    return np.stack(said, axis=1), states


def says_the_same(model, x=X):
    """Assert that steps, and one chunk, say what the model says: after every step, or after the last."""
    fill(model)
    want = np.asarray(model(x, training=False))
    step, chunk = build_step_model(model), build_chunk_model(model)
    found, states = stepped(step, x)
    y, *after = chunk([keras.ops.convert_to_tensor(x), *zeros(chunk, len(x))])
    np.testing.assert_allclose(found if want.ndim == 3 else found[:, -1], want, atol=1e-6)
    np.testing.assert_allclose(y, found, atol=1e-6)
    for one, other in zip(after, states, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    return step


# --- what it says -----------------------------------------------------------------------------------------------------


def skipping(inputs):
    first = layers.GRU(UNITS, return_sequences=True)(inputs)
    second = layers.SimpleRNN(UNITS, return_sequences=True)(first)
    joined = layers.Concatenate()([layers.Add()([first, second]), inputs])
    return layers.TimeDistributed(layers.Dense(2))(joined)


def two_readers(inputs):
    last = [layers.LSTM(UNITS)(inputs), layers.GRU(UNITS)(inputs)]
    return layers.Dense(2)(layers.Concatenate(axis=1)(last))


STACKED = layers.StackedRNNCells
MODELS = {
    **{
        name: lambda cell=cell, options=options: sequential(
            cell(UNITS, return_sequences=True, **options), layers.Dense(2)
        )
        for name, (cell, options) in CELLS.items()
    },
    "last output": lambda: sequential(layers.LSTM(UNITS), layers.BatchNormalization(axis=1), layers.Dense(2)),
    "normalized": lambda: sequential(
        layers.LayerNormalization(), layers.GRU(UNITS, return_sequences=True), layers.BatchNormalization()
    ),
    "stacked cells": lambda: sequential(
        layers.RNN(STACKED([layers.LSTMCell(UNITS), layers.GRUCell(3), layers.SimpleRNNCell(2)]), return_sequences=True)
    ),
    "dropout": lambda: sequential(
        layers.LSTM(UNITS, dropout=0.5, recurrent_dropout=0.5), layers.Dropout(0.5), layers.GaussianNoise(1.0)
    ),
    "skipping": lambda: functional(skipping),
    "two readers": lambda: functional(two_readers),
    "unrolled": lambda: functional(layers.LSTM(UNITS, unroll=True)),
}


@pytest.mark.parametrize("name", MODELS)
def test_step_after_step_says_what_the_model_says(name):
    says_the_same(MODELS[name]())


def test_a_model_inside_a_model_hands_its_states_out():
    encoder = sequential(layers.LSTM(UNITS, return_sequences=True, name="lstm"), name="encoder")
    head = keras.Sequential([keras.Input((UNITS,)), layers.Dense(3, activation="tanh"), layers.Dense(2)], name="head")
    step = says_the_same(functional(lambda inputs: head(layers.LSTM(UNITS, name="lstm")(encoder(inputs)))))
    names = ["encoder_lstm_hidden", "encoder_lstm_cell", "lstm_hidden", "lstm_cell"]
    assert [state.name for state in step.inputs[1:]] == names


def test_the_states_come_in_the_order_of_the_layers_hidden_before_cell():
    model = sequential(
        layers.LSTM(3, return_sequences=True, name="lstm_1"), layers.GRU(2, return_sequences=True, name="gru_1")
    )
    step = build_step_model(model)
    assert [(state.name, state.shape) for state in step.inputs[1:]] == [
        ("lstm_1_hidden", (None, 3)),
        ("lstm_1_cell", (None, 3)),
        ("gru_1_hidden", (None, 2)),
    ]
    assert step.inputs[0].shape == (None, 1, FEATURES)
    assert [output.shape for output in step.outputs] == [(None, 1, 2), (None, 3), (None, 3), (None, 2)]


def test_an_lstm_of_zeros_halves_its_cell():
    # All gates are 1/2 and the candidate is 0: c = 4/2 and h = tanh(2)/2, whatever comes in.
    model = sequential(layers.LSTM(1, return_sequences=True, unit_forget_bias=False))
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    y, hidden, cell = build_step_model(model)([X[:1, :1], np.full((1, 1), 9.0), np.full((1, 1), 4.0)])
    np.testing.assert_allclose([y[0, 0, 0], hidden[0, 0], cell[0, 0]], [np.tanh(2) / 2, np.tanh(2) / 2, 2.0], rtol=1e-6)


# --- what it leaves alone ---------------------------------------------------------------------------------------------


def test_the_weights_are_shared_and_none_is_added():
    model = sequential(layers.LSTM(UNITS, return_sequences=True), layers.Dense(2))
    for built in (build_step_model(model), build_chunk_model(model)):
        assert {id(weight) for weight in built.weights} == {id(weight) for weight in model.weights}


def test_a_stateful_model_keeps_its_own_state_and_batch():
    model = fill(
        keras.Sequential([keras.Input(batch_shape=(BATCH, TIME, FEATURES)), layers.LSTM(UNITS, stateful=True)])
    )
    model(X)
    kept = [keras.ops.convert_to_numpy(state) for state in model.layers[0].states]
    step, chunk = build_step_model(model), build_chunk_model(model)
    for built in (step, chunk):
        built([keras.ops.convert_to_tensor(X[:1, :1]), *zeros(built, 1)])  # another batch, too
    for state, before in zip(model.layers[0].states, kept, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(state), before)


def test_the_model_trains_on_as_before():
    model = fill(sequential(layers.GRU(UNITS), layers.Dense(1)))
    model.compile("sgd", "mse")
    before, optimizer = model.predict(X, verbose=0), model.optimizer
    step = build_step_model(model)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    assert model.optimizer is optimizer and not step.compiled
    assert model.layers[0].output.shape == (None, UNITS)
    model.train_on_batch(X, np.ones((BATCH, 1)))
    found, _ = stepped(step, X)
    np.testing.assert_allclose(found[:, -1], model.predict(X, verbose=0), atol=1e-6)


# --- what is refused --------------------------------------------------------------------------------------------------


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.reader = layers.LSTM(UNITS)

    def call(self, inputs):
        return self.reader(inputs)


def subclassed():
    model = Subclassed()
    model(X)
    return model


class Doubled(layers.Layer):
    """Treats each step alone, but who knows."""

    def call(self, inputs):
        return 2 * inputs


class OwnCall(layers.LSTM):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences[:, ::-1], initial_state, mask, training)


def with_a_second_output(inputs):
    states = layers.GRU(UNITS, return_sequences=True)(inputs)
    return [states, layers.Dense(1)(states)]


def shared(inputs):
    reader = layers.GRU(FEATURES, return_sequences=True, name="twice")
    return reader(reader(inputs))


def started(inputs):
    return layers.GRU(UNITS, name="decoder")(inputs, initial_state=layers.SimpleRNN(UNITS)(inputs))


def mixed(inputs):
    return layers.Add(name="both")([layers.GRU(UNITS, return_sequences=True)(inputs), layers.GRU(UNITS)(inputs)])


def masked_ids():
    ids = keras.Input((None,), dtype="int32")
    return keras.Model(ids, layers.GRU(UNITS)(layers.Embedding(5, 3, mask_zero=True, name="embedding")(ids)))


END = "needs the end of the sequence before it can say anything about its beginning"
TOO_LATE = "sums up or rearranges the whole sequence"
EVERY = {"return_sequences": True}
REFUSED = {
    "bidirectional": (
        lambda: sequential(layers.Bidirectional(layers.LSTM(UNITS), name="both_ways")),
        rf"Layer 'both_ways' \(Bidirectional\) {END}.* Train a model that reads forward only",
    ),
    "bidirectional inside": (
        lambda: functional(sequential(layers.Bidirectional(layers.LSTM(UNITS), name="both_ways"), name="encoder")),
        rf"Layer 'encoder_both_ways' \(Bidirectional\) {END}",
    ),
    "backward": (
        lambda: sequential(layers.LSTM(UNITS, go_backwards=True, name="reader")),
        rf"Layer 'reader' \(LSTM\) reads from the last step to the first \(go_backwards=True\): it {END}",
    ),
    "masking": (
        lambda: sequential(layers.Masking(name="mask"), layers.GRU(UNITS)),
        r"Layer 'mask' \(Masking\) masks steps\. A stream has no padding.*set_weights\(model\.get_weights\(\)\)",
    ),
    "mask_zero": (masked_ids, r"Layer 'embedding' \(Embedding\) masks token 0 \(mask_zero=True\)\. A stream has no"),
    "convolution": (
        lambda: sequential(layers.Conv1D(3, 2, name="window"), layers.GRU(UNITS)),
        r"Layer 'window' \(Conv1D\) looks at several steps at once\. Put it before the stream",
    ),
    "pooling": (
        lambda: sequential(layers.GRU(UNITS, **EVERY), layers.GlobalMaxPooling1D(name="pool")),
        rf"Layer 'pool' \(GlobalMaxPooling1D\) {TOO_LATE}.*return_sequences=False",
    ),
    "flatten": (
        lambda: functional(lambda x: layers.Dense(1)(layers.Flatten(name="flat")(layers.GRU(UNITS, **EVERY)(x)))),
        rf"Layer 'flat' \(Flatten\) {TOO_LATE}",
    ),
    "repeated": (
        lambda: sequential(layers.GRU(UNITS), layers.RepeatVector(2, name="again"), layers.GRU(UNITS)),
        rf"Layer 'again' \(RepeatVector\) {TOO_LATE}",
    ),
    "attention": (
        lambda: functional(lambda x: layers.Attention(name="look")([layers.GRU(UNITS, **EVERY)(x)] * 2)),
        r"Layer 'look' \(Attention\) looks at all steps at once.*key-value cache, and no constant memory",
    ),
    "axis of time": (
        lambda: functional(lambda x: layers.LayerNormalization(axis=1, name="norm")(layers.GRU(UNITS, **EVERY)(x))),
        r"Layer 'norm' \(LayerNormalization\) works along axis \[?1\]? of 3: other steps take part\. Let it be axis -1",
    ),
    "joined in time": (
        lambda: functional(lambda x: layers.Concatenate(axis=1, name="join")([layers.GRU(FEATURES, **EVERY)(x), x])),
        r"Layer 'join' \(Concatenate\) works along axis 1 of 3",
    ),
    "last step beside all steps": (
        lambda: functional(mixed),
        r"Layer 'both' \(Add\) joins the last step with all steps",
    ),
    "unknown layer": (
        lambda: sequential(layers.GRU(UNITS), Doubled(name="twofold")),
        r"Layer 'twofold' \(Doubled\) is not known to treat each step alone\. .* each_step=\(Doubled,\)",
    ),
    "unknown layer inside": (
        lambda: sequential(
            keras.Sequential([keras.Input((None, FEATURES)), Doubled()], name="front"), layers.GRU(UNITS)
        ),
        r"Layer 'front_doubled\w*' \(Doubled\) is not known",
    ),
    "operation": (
        lambda: functional(lambda x: layers.GRU(UNITS, **EVERY)(x)[:, -1]),
        r"\(GetItem\) is an operation on tensors, which may mix steps\. .*for x\[:, -1\], .* return_sequences=False",
    ),
    "a call of its own": (
        lambda: sequential(OwnCall(UNITS, name="own")),
        r"Layer 'own' \(OwnCall\) reads in a way of its own\. Put what is special into a cell",
    ),
    "images": (
        lambda: keras.Sequential([keras.Input((TIME, 4, 4, 1)), layers.ConvLSTM2D(2, 3, name="film")]),
        r"Layer 'film' \(ConvLSTM2D\) holds images as its state",
    ),
    "shared": (
        lambda: functional(shared),
        r"Layer 'twice' \(GRU\) is called more than once, so it would need two states",
    ),
    "started": (lambda: functional(started), r"Layer 'decoder' \(GRU\) starts from states that the model computes"),
    "returned states": (
        lambda: functional(lambda x: layers.GRU(UNITS, return_state=True, name="reader")(x)[0]),
        r"Layer 'reader' \(GRU\) hands its final states to the model \(return_state=True\)",
    ),
    "two outputs": (lambda: functional(with_a_second_output), r"has 1 inputs and 2 outputs; a stream has one of each"),
    "no recurrent layer": (lambda: sequential(layers.Dense(1), name="plain"), "Model 'plain' has no recurrent layer"),
    "unbuilt": (lambda: keras.Sequential([layers.GRU(UNITS)], name="raw"), "Model 'raw' has no weights yet"),
    "subclassed": (
        subclassed,
        r"Model 'own' \(Subclassed\) computes in a method of its own, which cannot be taken apart",
    ),
    "no model": (lambda: layers.GRU(UNITS), "needs a Keras model, and got GRU. Pass the trained keras.Model"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_streamed_is_refused_by_name_and_with_the_reason(name):
    build, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        build_step_model(build())


def test_a_list_of_no_masks_is_no_mask():
    refuse_mask(layers.Add(name="both"), {"mask": [None, None]}, "")
    with pytest.raises(ValueError, match=r"Layer 'both' \(Add\) is given a mask"):
        refuse_mask(layers.Add(name="both"), {"mask": [None, keras.Input((3,), dtype="bool")]}, "")


def test_a_layer_of_ones_own_may_stand_in_a_stream_if_one_says_so():
    model = fill(sequential(layers.GRU(UNITS, return_sequences=True), Doubled()))
    step = build_step_model(model, each_step=(Doubled,))
    np.testing.assert_allclose(stepped(step, X)[0], model.predict(X, verbose=0), atol=1e-6)
