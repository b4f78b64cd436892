"""Attention is read off as the model used it, replaced where asked, and held against links that are known."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_models import fill

from rnn_course.layers import CrossAttention
from rnn_course.probes import ReplayError, ablate_attention, alignment_agreement, attention_weights

WORDS = 9
SOURCE = np.array([[3, 4, 5, 6], [7, 2, 0, 0], [8, 8, 3, 0]])
TARGET = np.array([[2, 5, 3], [2, 4, 0], [2, 0, 0]])
BOTH = [SOURCE, TARGET]


def translator(kind="dot", attention=CrossAttention, **options):
    """Source and target ids in, one vector for each target step out: encoder, decoder, attention on top."""
    source, target = (
        keras.Input((None,), dtype="int32", name="source"),
        keras.Input((None,), dtype="int32", name="told"),
    )
    embedded = layers.Embedding(WORDS, 4, mask_zero=True)(source)
    memory, *states = layers.LSTM(5, return_sequences=True, return_state=True, name="encoder")(embedded)
    told = layers.Embedding(WORDS, 4, mask_zero=True)(target)
    queries = layers.LSTM(5, return_sequences=True, name="decoder", **options)(told, initial_state=states)
    context, _ = attention(3, kind=kind, name="attention")(queries, memory)
    return fill(keras.Model([source, target], layers.Dense(2, name="head")(context), name="translator"), scale=1.0)


def outputs_of(model, inputs):
    return ops.convert_to_numpy(model(inputs, training=False))


def copier():
    """Reads its one-hot source by the target's own words: what is looked at is what is put out."""
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    one_hot = layers.Embedding(WORDS, WORDS, mask_zero=True, name="one_hot")
    context, weights = CrossAttention(WORDS, name="attention")(one_hot(target), one_hot(source))
    model = keras.Model([source, target], [context, weights], name="copier")
    model.get_layer("one_hot").set_weights([np.eye(WORDS)])
    model.get_layer("attention").set_weights([30 * np.eye(WORDS), np.eye(WORDS)])  # scores of 10 against 0
    return model


# ------------------------------------------------------------------------------------------------------ what it reads


def test_an_attention_that_looks_for_the_same_word_is_seen_to_look_there():
    # The target word 5 is the third source word: e¹⁰ of e¹⁰ + 3 in all.
    found = attention_weights(copier(), [SOURCE[:1], np.array([[5, 3]])])
    assert found.weights[0].argmax(-1).tolist() == [2, 0]
    np.testing.assert_allclose(found.weights[0, 0, 2], np.exp(10) / (np.exp(10) + 3), rtol=1e-6)


@pytest.mark.parametrize("kind", ["dot", "additive"])
def test_the_weights_are_those_of_the_layer_called_on_what_it_was_given(kind):
    model = translator(kind)
    layer = model.get_layer("attention")
    given = keras.Model(model.inputs, [model.get_layer("decoder").output, model.get_layer("encoder").output[0]])
    queries, memory = (ops.convert_to_numpy(tensor) for tensor in given(BOTH))
    found = attention_weights(model, BOTH)
    np.testing.assert_allclose(found.weights, layer(queries, memory, memory_mask=SOURCE != 0)[1], rtol=1e-5)
    np.testing.assert_array_equal(found.source_mask, SOURCE != 0)
    np.testing.assert_array_equal(found.target_mask, TARGET != 0)
    assert not found.weights[~np.broadcast_to((SOURCE != 0)[:, None], found.weights.shape)].any()


def test_batches_and_every_form_of_inputs_give_the_same():
    model = translator()
    whole = attention_weights(model, BOTH)
    for inputs in (tuple(BOTH), {"source": SOURCE, "told": TARGET}):
        found = attention_weights(model, inputs, batch_size=2)
        np.testing.assert_allclose(found.weights, whole.weights, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(found.source_mask, whole.source_mask)


def test_sequences_without_masks_are_all_real():
    vectors = keras.Input((4, 3))
    model = keras.Model(vectors, CrossAttention(2)(vectors, vectors)[0])
    found = attention_weights(model, np.ones((2, 4, 3)))
    assert found.source_mask.shape == found.target_mask.shape == (2, 4)
    assert found.source_mask.all() and found.target_mask.all()
    np.testing.assert_allclose(found.weights, np.full((2, 4, 4), 0.25), rtol=1e-6)


def test_an_attention_inside_another_model_is_found_by_name_path_or_itself():
    inner = translator()
    source, target = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    outer = keras.Model([source, target], inner([source, target]), name="outer")
    whole = attention_weights(inner, BOTH).weights
    for layer in (None, "attention", "translator/attention", inner.get_layer("attention")):
        np.testing.assert_allclose(attention_weights(outer, BOTH, layer).weights, whole, rtol=1e-6)


# ------------------------------------------------------------------------------------------------------ what it changes


def test_other_weights_are_what_the_rest_of_the_model_reads():
    # All of the weight on the first source word: the context is its one-hot vector, whatever is asked.
    def first(weights, source_mask):
        assert weights.shape == (*source_mask.shape[:1], 3, 4)
        return np.eye(4)[np.zeros(weights.shape[:2], int)]

    context, weights = ablate_attention(copier(), BOTH, first, batch_size=2)
    np.testing.assert_array_equal(context, np.eye(WORDS)[np.repeat(SOURCE[:, :1], 3, axis=1)])
    np.testing.assert_array_equal(weights, np.eye(4)[np.zeros((3, 3), int)])


def test_reading_all_real_words_alike_gives_their_mean():
    model = translator()
    kept = keras.Model(model.inputs, model.get_layer("encoder").output[0])
    memory, kernel, bias = ops.convert_to_numpy(kept(BOTH)), *model.get_layer("head").get_weights()
    real = SOURCE != 0
    means = np.stack([states[there].mean(0) for states, there in zip(memory, real, strict=True)])
    found = ablate_attention(model, BOTH, lambda weights, mask: 0 * weights + (mask / mask.sum(-1)[:, None])[:, None])
    np.testing.assert_allclose(found, np.repeat((means @ kernel + bias)[:, None], 3, axis=1), rtol=1e-4, atol=1e-5)


def test_the_layer_s_own_weights_change_nothing():
    model = translator("additive")
    np.testing.assert_allclose(
        ablate_attention(model, BOTH, lambda weights, mask: weights), outputs_of(model, BOTH), rtol=1e-5, atol=1e-6
    )


def explode(weights, source_mask):
    raise ZeroDivisionError("on purpose")


@pytest.mark.parametrize("replace", [lambda weights, mask: np.zeros_like(weights), explode], ids=["zeros", "failing"])
def test_the_model_is_the_same_afterwards_whatever_happened(replace):
    model = translator()
    layer = model.get_layer("attention")
    before, variables = outputs_of(model, BOTH), [variable.numpy() for variable in model.variables]
    if replace is explode:
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            ablate_attention(model, BOTH, replace)
    else:
        ablate_attention(model, BOTH, replace)
    assert "call" not in vars(layer)
    np.testing.assert_array_equal(outputs_of(model, BOTH), before)
    for variable, own in zip(model.variables, variables, strict=True):
        np.testing.assert_array_equal(variable, own)


def test_what_a_stateful_encoder_remembers_is_left_alone():
    source = keras.Input(batch_shape=(3, 4), dtype="int32")
    memory = layers.LSTM(5, return_sequences=True, stateful=True, name="encoder")(layers.Embedding(WORDS, 4)(source))
    model = fill(keras.Model(source, CrossAttention(2)(memory, memory)[0]))
    model(SOURCE)
    before = [state.numpy() for state in model.get_layer("encoder").states]
    attention_weights(model, SOURCE)
    for state, own in zip(model.get_layer("encoder").states, before, strict=True):
        np.testing.assert_array_equal(state, own)


# -------------------------------------------------------------------------------------------------------------- errors


@keras.saving.register_keras_serializable("tests")
class Sharpened(CrossAttention):
    """Shows other weights than those it reads with."""

    def call(self, queries, memory, memory_mask=None):
        context, weights = super().call(queries, memory, memory_mask=memory_mask)
        return context, weights**2


def test_weights_that_are_not_those_it_reads_with_are_refused():
    with pytest.raises(ReplayError, match=r"^The memory under the weights of attention layer 'attention' \(Sharpened"):
        attention_weights(translator(attention=Sharpened), BOTH)


def twice(*names):
    vectors = keras.Input((4, 3))
    first = CrossAttention(2, name=names[0])
    second = first if names[0] == names[1] else CrossAttention(2, name=names[1])
    return keras.Model(vectors, second(first(vectors, vectors)[0], vectors)[0], name="twice")


@pytest.mark.parametrize(
    ("model", "layer", "message"),
    [
        (lambda: twice("low", "high"), None, "Model 'twice' has several attention layers; pass one of 'low', 'high'"),
        (lambda: twice("low", "high"), "middle", "no attention layer 'middle'; it has 'low', 'high'. Pass one of"),
        (lambda: twice("low", "low"), None, "^Attention layer 'low' is called more than once in this model"),
        (lambda: keras.Sequential([keras.Input((4, 3)), layers.Dense(2)], name="plain"), None, "'plain' has no attent"),
    ],
)
def test_a_layer_that_is_not_the_only_one_is_named_or_refused(model, layer, message):
    with pytest.raises(ValueError, match=message):
        attention_weights(model(), np.ones((2, 4, 3)), layer)


def test_one_of_two_attentions_is_read_when_it_is_named():
    model = fill(twice("low", "high"), scale=3.0)
    vectors = np.random.default_rng(0).normal(size=(2, 4, 3))
    low, high = (attention_weights(model, vectors, name).weights for name in ("low", "high"))
    np.testing.assert_allclose(low, model.get_layer("low")(vectors, vectors)[1], rtol=1e-5)
    assert np.abs(low - high).max() > 0.01


def test_inputs_of_different_numbers_and_none_are_refused():
    with pytest.raises(ValueError, match="The inputs hold 2 and 3 examples; expected the same number in each"):
        attention_weights(translator(), [SOURCE, TARGET[:2]])
    with pytest.raises(ValueError, match=r"The inputs hold 0 examples; expected .* one at least"):
        attention_weights(translator(), [SOURCE[:0], TARGET[:0]])


def test_replacing_weights_by_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^`replace` returned weights of shape \(3, 4\); expected \(3, 3, 4\)"):
        ablate_attention(translator(), BOTH, lambda weights, mask: weights[:, 0])


# --------------------------------------------------------------------------------------------------------- known links


def test_agreement_is_counted_over_the_target_steps_that_have_a_link():
    # Example 0: steps 0 and 2 have links, the first looks at one of its two, the last does not. Example 1: right.
    weights = np.zeros((2, 3, 4))
    weights[0, [0, 1, 2], [3, 0, 1]] = 1
    weights[1, 0] = [0.2, 0.5, 0.3, 0.0]
    found = alignment_agreement(weights, [[(1, 0), (3, 0), (2, 2)], np.array([[1, 0]])])
    assert found.agreed.tolist() == [1, 1]
    assert found.counted.tolist() == [2, 1]
    assert found.share == pytest.approx(2 / 3)


def test_a_link_is_source_before_target():
    weights = np.zeros((1, 2, 3))
    weights[0, 0, 2] = weights[0, 1, 1] = 1
    assert alignment_agreement(weights, [[(2, 0)]]).share == 1
    assert alignment_agreement(weights, [[(0, 1)]]).share == 0


def test_an_example_without_links_counts_nothing():
    found = alignment_agreement(np.ones((2, 2, 2)), [[], [(0, 1)]])
    assert found.counted.tolist() == [0, 1] and found.share == 1


@pytest.mark.parametrize(
    ("shape", "links", "message"),
    [
        ((2, 3), [[(0, 0)], []], r"weights has shape \(2, 3\) and there are links of 2 examples; expected \(batch, t"),
        ((2, 3, 4), [[(0, 0)]], "there are links of 1 examples; expected .* one .links, 2. array for each example"),
        ((1, 3, 4), [[(0, 0, 0)]], r"links of example 0 have shape \(1, 3\) and type int64; expected \(links, 2\) int"),
        ((1, 3, 4), [[(0.5, 0)]], "type float64; expected"),
        ((1, 3, 4), [[(0, 0), (4, 1)]], r"Example 0 has the link \(4, 1\); there are 4 source and 3 target steps"),
        ((1, 3, 4), [[(0, -1)]], r"Example 0 has the link \(0, -1\)"),
        ((1, 3, 4), [[]], "No target step has a link"),
    ],
)
def test_links_that_do_not_fit_are_refused(shape, links, message):
    with pytest.raises(ValueError, match=message):
        alignment_agreement(np.ones(shape), links)
