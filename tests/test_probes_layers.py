"""Every recurrent layer of a model is found, once, under a path that leads back to it."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import FEATURES, TIME, UNITS, as_custom

from rnn_course.probes.layers import find_rnn_layer, find_rnn_layers


def paths_of(model):
    return [ref.path for ref in find_rnn_layers(model)]


def sequential(*parts, name="model"):
    return keras.Sequential([keras.Input((TIME, FEATURES)), *parts], name=name)


class Drawers(keras.Model):
    """A subclassed model that keeps its layers in a list and in a dict."""

    def __init__(self):
        super().__init__(name="drawers")
        self.tower = [layers.LSTM(UNITS, return_sequences=True, name=f"floor_{k}") for k in range(2)]
        self.heads = {"count": layers.GRU(UNITS, name="count"), "class": layers.Dense(1)}

    def call(self, inputs):
        for floor in self.tower:
            inputs = floor(inputs)
        return self.heads["class"](self.heads["count"](inputs))


class Block(layers.Layer):
    """A layer, not a model, that holds others."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inside = layers.Bidirectional(layers.GRU(UNITS), name="both")

    def call(self, inputs):
        return self.inside(inputs)


@pytest.fixture(scope="module")
def encoder_and_decoder():
    """Two LSTMs called "lstm", one of them in a model of its own."""
    encoder = sequential(layers.LSTM(UNITS, return_sequences=True, name="lstm"), name="encoder")
    inputs = keras.Input((TIME, FEATURES))
    return keras.Model(inputs, layers.LSTM(UNITS, name="lstm")(encoder(inputs)), name="both")


@pytest.fixture(scope="module")
def bidirectional():
    return sequential(layers.Bidirectional(layers.LSTM(UNITS, name="lstm"), name="reader"), layers.Dense(1))


@pytest.mark.parametrize(
    ("make", "cell_type"),
    [
        (layers.SimpleRNN, "simple_rnn"),
        (layers.LSTM, "lstm"),
        (layers.GRU, "gru"),
        (lambda units, name: layers.RNN(layers.LSTMCell(units), name=name), "lstm"),
        (lambda units, name: layers.RNN([layers.GRUCell(units)], name=name), "custom"),
        (as_custom(layers.LSTM), "custom"),
        (lambda units, name: layers.LSTM(units, name=name, activation="hard_sigmoid"), "lstm"),
        (lambda units, name: layers.LSTM(units, name=name, activation=None), "lstm"),
        (lambda units, name: layers.GRU(units, name=name, recurrent_activation="gelu"), "custom"),
        (lambda units, name: layers.GRU(units, name=name, activation=layers.LeakyReLU()), "custom"),
    ],
)
def test_a_layer_is_found_with_its_kind_of_cell(make, cell_type):
    layer = make(UNITS, name="memory")
    (ref,) = find_rnn_layers(sequential(layers.Dense(3), layer, layers.Dense(1)))
    assert ref == ("memory", layer, cell_type, "forward")


def test_a_function_that_only_shares_the_name_of_an_activation_is_not_taken_for_it():
    def tanh(x):
        return 2 * keras.ops.tanh(x)

    (ref,) = find_rnn_layers(sequential(layers.SimpleRNN(UNITS, activation=tanh)))
    assert ref.cell_type == "custom"


def test_stacked_layers_come_in_the_order_of_the_model():
    stack = [layers.GRU(UNITS, return_sequences=True, name="low"), layers.LSTM(UNITS, name="high", go_backwards=True)]
    refs = find_rnn_layers(sequential(*stack))
    assert [(ref.path, ref.cell_type, ref.direction) for ref in refs] == [
        ("low", "gru", "forward"),
        ("high", "lstm", "backward"),
    ]


def test_a_bidirectional_layer_counts_as_two(bidirectional):
    refs = find_rnn_layers(bidirectional)
    assert [(ref.path, ref.direction) for ref in refs] == [
        ("reader/forward", "forward"),
        ("reader/backward", "backward"),
    ]
    reader = bidirectional.get_layer("reader")
    assert [ref.layer for ref in refs] == [reader.forward_layer, reader.backward_layer]


def test_nested_models_and_plain_layers_and_wrappers_are_searched(encoder_and_decoder):
    assert sorted(paths_of(encoder_and_decoder)) == ["encoder/lstm", "lstm"]
    assert paths_of(sequential(Block(name="block"))) == ["block/both/forward", "block/both/backward"]
    inputs = keras.Input((3, TIME, FEATURES))
    each = layers.TimeDistributed(layers.LSTM(UNITS, name="words"), name="sentences")
    document = keras.Model(inputs, layers.GRU(UNITS, name="document")(each(inputs)))
    assert paths_of(document) == ["sentences/words", "document"]


def test_layers_in_lists_and_dicts_of_a_subclassed_model_are_found():
    model = Drawers()
    model(np.zeros((1, TIME, FEATURES)))
    assert paths_of(model) == ["floor_0", "floor_1", "count"]
    assert find_rnn_layer(model, "floor_1").layer is model.tower[1]


def test_a_shared_layer_is_listed_once_however_many_ways_lead_to_it():
    shared = layers.LSTM(UNITS, name="shared")
    inner = sequential(shared, name="inner")
    inputs, other = keras.Input((TIME, FEATURES)), keras.Input((TIME, FEATURES))
    model = keras.Model([inputs, other], layers.Add()([shared(inputs), shared(other), inner(inputs)]))
    assert paths_of(model) == ["shared"]
    assert find_rnn_layer(model, shared).layer is shared


def test_a_model_without_recurrence_has_an_empty_list_and_is_refused_by_name():
    model = sequential(layers.Dense(1), name="flat")
    assert find_rnn_layers(model) == []
    with pytest.raises(ValueError, match=r"Model 'flat' has no recurrent layer: nothing here is a keras\.layers\.RNN"):
        find_rnn_layer(model)


def test_looking_changes_nothing():
    model = Drawers()
    before = set(vars(model)), set(vars(model.tower[0]))
    find_rnn_layers(model)
    assert before == (set(vars(model)), set(vars(model.tower[0])))
    assert not model.built


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("reader", "forward"),
        ("reader/forward", "forward"),
        ("reader/backward", "backward"),
        ("backward_lstm", "backward"),
    ],
)
def test_a_half_is_found_by_wrapper_path_or_its_own_name(asked, path, bidirectional):
    assert find_rnn_layer(bidirectional, asked).path == f"reader/{path}"


def test_a_half_is_found_by_direction_by_the_wrapper_and_by_itself(bidirectional):
    reader = bidirectional.get_layer("reader")
    for direction, half in (("forward", reader.forward_layer), ("backward", reader.backward_layer)):
        for asked in (None, "reader", reader):
            assert find_rnn_layer(bidirectional, asked, direction=direction).layer is half
        assert find_rnn_layer(bidirectional, half).layer is half


def test_a_path_wins_over_a_name_that_others_bear_too(encoder_and_decoder):
    inner = encoder_and_decoder.get_layer("encoder").get_layer("lstm")
    assert find_rnn_layer(encoder_and_decoder, "encoder/lstm").layer is inner
    assert find_rnn_layer(encoder_and_decoder, "lstm").layer is encoder_and_decoder.get_layer("lstm")
    assert find_rnn_layer(encoder_and_decoder, inner).path == "encoder/lstm"


def test_where_several_fit_the_error_lists_them(encoder_and_decoder):
    message = r"Model 'both' has 2 recurrent layers: '[a-z/]+', '[a-z/]+'\. Pass one of these as `layer`"
    with pytest.raises(ValueError, match=message):
        find_rnn_layer(encoder_and_decoder)
    pair = keras.Input((TIME, FEATURES))
    towers = [sequential(layers.LSTM(UNITS, name="lstm"), name=name)(pair) for name in ("left", "right")]
    model = keras.Model(pair, layers.Add()(towers), name="towers")
    message = "Model 'towers' has several layers called 'lstm': 'left/lstm', 'right/lstm'. Pass the full path"
    with pytest.raises(ValueError, match=message):
        find_rnn_layer(model, "lstm")


def test_a_name_that_is_not_there_is_answered_with_those_that_are(bidirectional):
    message = r"Model 'model' has no recurrent layer 'dense'; it has 'reader/forward', 'reader/backward'\. Pass one"
    with pytest.raises(ValueError, match=message):
        find_rnn_layer(bidirectional, "dense")
    with pytest.raises(ValueError, match="no recurrent layer 'stranger'"):
        find_rnn_layer(bidirectional, layers.LSTM(2, name="stranger"))


def test_an_unbuilt_model_and_an_unknown_direction_are_refused(bidirectional):
    with pytest.raises(ValueError, match=r"Model 'drawers' has no weights yet\. Call it once on a batch"):
        find_rnn_layer(Drawers())
    with pytest.raises(ValueError, match="direction is 'left'; pass 'forward' or 'backward'"):
        find_rnn_layer(bidirectional, direction="left")
