"""Attention against numbers worked out by hand and against NumPy; padding has no weight at all."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from rnn_course.layers import CrossAttention
from rnn_course.probes import autodiff

KINDS = ("dot", "additive")
every_kind = pytest.mark.parametrize("kind", KINDS)
RNG = np.random.default_rng(0)
QUERIES = RNG.normal(size=(2, 3, 4)).astype("float32")  # (batch, target, query_features)
MEMORY = RNG.normal(size=(2, 5, 6)).astype("float32")  # (batch, source, features)
MASK = np.array([[True] * 5, [True, True, False, False, False]])


def filled(kind, *, units=3, **options):
    """A built layer whose weights all differ, those that begin as zeros too."""
    layer = CrossAttention(units, kind=kind, **options)
    layer.build(QUERIES.shape, MEMORY.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def by_numpy(layer, queries, memory, mask):
    """Context and weights, one query and one memory vector at a time, in float64."""
    weight = {variable.name: np.asarray(variable, "float64") for variable in layer.weights}
    weights = np.zeros((*queries.shape[:2], memory.shape[1]))
    for example, target in np.ndindex(*queries.shape[:2]):
        query = queries[example, target] @ weight["query_kernel"]
        keys = [m @ weight["memory_kernel"] for m in memory[example, mask[example]]]
        if layer.kind == "dot":
            scores = [query @ key / np.sqrt(layer.units) for key in keys]
        else:
            scores = [weight["score_kernel"] @ np.tanh(query + key + weight["bias"]) for key in keys]
        weights[example, target, mask[example]] = np.exp(scores) / np.exp(scores).sum()
    return np.einsum("bts,bsf->btf", weights, memory), weights


# ----------------------------------------------------------------------------------------------------- what it computes


def test_two_scaled_dot_products_of_two_units_share_three_to_one():
    # W_q = W_k = 1. The query (√2 ln 3, 0) scores ln 3 against (1, 0) and 0 against (0, 1): weights 3/4 and 1/4.
    layer = CrossAttention(2)
    layer.build((1, 1, 2), (1, 2, 2))
    layer.set_weights([np.eye(2), np.eye(2)])
    context, weights = layer(np.array([[[np.sqrt(2) * np.log(3), 0]]]), np.eye(2)[None])
    np.testing.assert_allclose(weights, [[[0.75, 0.25]]], rtol=1e-6)
    np.testing.assert_allclose(context, [[[0.75, 0.25]]], rtol=1e-6)


def test_an_additive_score_is_v_times_the_tanh_of_the_sum():
    # With b = (-1, 0) the memories 1 and 2 and the query 0 give tanh(0, 0) and tanh(1, 0); v = (ln 2 / tanh 1, 9)
    # makes scores of 0 and ln 2: weights 1/3 and 2/3, and of the memory itself 1/3 · 1 + 2/3 · 2 = 5/3 is read.
    layer = CrossAttention(2, kind="additive")
    layer.build((1, 1, 1), (1, 2, 1))
    v = np.array([np.log(2) / np.tanh(1), 9])
    layer.set_weights([np.ones((1, 2)), np.array([[1.0, 0.0]]), np.array([-1.0, 0.0]), v])
    context, weights = layer(np.zeros((1, 1, 1)), np.array([[[1.0], [2.0]]]))
    np.testing.assert_allclose(weights, [[[1 / 3, 2 / 3]]], rtol=1e-6)
    np.testing.assert_allclose(context, [[[5 / 3]]], rtol=1e-6)


@every_kind
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_it_equals_numpy_one_pair_at_a_time(kind, mask):
    layer = filled(kind)
    context, weights = layer(QUERIES, MEMORY, memory_mask=mask)
    expected = by_numpy(layer, QUERIES, MEMORY, np.ones_like(MASK) if mask is None else mask)
    np.testing.assert_allclose(context, expected[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(weights, expected[1], rtol=1e-4, atol=1e-6)


@every_kind
def test_one_query_at_a_time_with_the_memory_projected_once_gives_the_same(kind):
    layer = filled(kind)
    context, weights = layer(QUERIES, MEMORY, memory_mask=MASK)
    keys = layer.project(MEMORY)
    assert tuple(keys.shape) == (2, 5, 3)
    steps = [layer.attend(QUERIES[:, t : t + 1], keys, MEMORY, memory_mask=MASK) for t in range(3)]
    np.testing.assert_allclose(np.concatenate([step[0] for step in steps], axis=1), context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([step[1] for step in steps], axis=1), weights, rtol=1e-5, atol=1e-6)


def test_scores_of_hundreds_do_not_overflow_though_padding_has_the_largest():
    layer = CrossAttention(1)
    layer.build((1, 1, 1), (1, 3, 1))
    layer.set_weights([np.ones((1, 1)), np.ones((1, 1))])
    memory = np.array([[[-300.0], [-300.0], [9000.0]]])
    _, weights = layer(np.ones((1, 1, 1)), memory, memory_mask=np.array([[True, True, False]]))
    np.testing.assert_array_equal(weights, [[[0.5, 0.5, 0.0]]])


# -------------------------------------------------------------------------------------------------------------- padding


@every_kind
@pytest.mark.parametrize("more", [1, 40])
def test_padding_has_a_weight_of_exactly_zero_and_changes_nothing_however_long(kind, more):
    layer = filled(kind)
    context, weights = layer(QUERIES, MEMORY)
    noise = np.full((2, more, 6), 1e3, "float32")
    mask = np.arange(5 + more) < np.full((2, 1), 5)
    padded_context, padded = layer(QUERIES, np.concatenate([MEMORY, noise], axis=1), memory_mask=mask)
    assert not np.asarray(padded)[:, :, 5:].any()
    np.testing.assert_allclose(padded[:, :, :5], weights, rtol=1e-6)
    np.testing.assert_allclose(padded_context, context, rtol=1e-5, atol=1e-6)


@every_kind
def test_a_memory_that_is_all_padding_gives_zeros(kind):
    context, weights = filled(kind)(QUERIES, MEMORY, memory_mask=np.array([[False] * 5, [True] * 5]))
    np.testing.assert_array_equal(weights[0], np.zeros((3, 5)))
    np.testing.assert_array_equal(context[0], np.zeros((3, 6)))
    np.testing.assert_allclose(np.sum(weights[1], axis=-1), 1, rtol=1e-6)


@every_kind
def test_no_gradient_reaches_padding_and_none_is_nan_where_all_is_padding(kind):
    layer = filled(kind)
    mask = np.array([[False] * 5, [True, True, False, False, False]])
    far = np.where(mask[:, :, None], MEMORY, 1e3 * MEMORY)  # scores whose exponentials would be infinite
    queries, memory = ops.convert_to_tensor(QUERIES), ops.convert_to_tensor(far)
    variables = [variable.value for variable in layer.trainable_variables]
    with autodiff.recorder() as tape:
        for tensor in (queries, memory, *variables):
            tape.watch(tensor)
        context, _ = layer(queries, memory, memory_mask=mask)
        loss = ops.sum(context**2)
    gradients = [ops.convert_to_numpy(found) for found in tape.gradient(loss, [queries, memory, *variables])]
    assert all(np.isfinite(found).all() for found in gradients)
    assert not gradients[1][~mask].any() and gradients[1][mask].all()
    assert not gradients[0][0].any() and gradients[0][1].all()
    assert all(found.any() for found in gradients[2:])


# ------------------------------------------------------------------------------------------------------ inside a model


def reader(kind="dot", *, masked_queries=True):
    """Two token sequences in, context and weights out, lengths unknown."""
    target, source = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    queries = layers.Embedding(9, 4, mask_zero=masked_queries)(target)
    memory = layers.Embedding(9, 6, mask_zero=True)(source)
    return keras.Model([target, source], CrossAttention(3, kind=kind, name="attention")(queries, memory))


TARGET, SOURCE = np.array([[3, 4, 0], [5, 6, 7]]), np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])


@every_kind
def test_the_mask_of_the_memory_is_found_by_itself(kind):
    model = reader(kind)
    assert model.output_shape == [(None, None, 6), (None, None, None)]
    _, weights = model([TARGET, SOURCE])
    assert not np.asarray(weights)[0, :, 3:].any()
    assert np.asarray(weights)[0, :, :3].all() and np.asarray(weights)[1].all()


def test_the_memory_is_masked_where_the_queries_are_not():
    _, weights = reader(masked_queries=False)([TARGET, SOURCE])
    assert not np.asarray(weights)[0, :, 3:].any()


def test_the_context_keeps_the_mask_of_the_queries_and_the_weights_have_none():
    model = reader()
    context, weights = model.outputs
    summed = keras.Model(model.inputs, layers.LSTM(2, return_sequences=True, name="above")(context))
    assert getattr(weights, "_keras_mask", None) is None
    states = np.asarray(summed([TARGET, SOURCE]))
    np.testing.assert_array_equal(states[0, 2], states[0, 1])  # a masked step repeats the state before it
    assert (states[1, 2] != states[1, 1]).any()


def test_without_masks_the_context_has_none():
    queries, memory = keras.Input((3, 4)), keras.Input((5, 6))
    context, _ = CrossAttention(2)(queries, memory)
    assert getattr(context, "_keras_mask", None) is None
    assert context.shape == (None, 3, 6)


@every_kind
def test_it_is_the_same_inside_a_compiled_function(kind):
    model = reader(kind)
    eager = model([TARGET, SOURCE])
    model.compile(jit_compile=True)
    for compiled, own in zip(model.predict([TARGET, SOURCE], verbose=0), eager, strict=True):
        np.testing.assert_allclose(compiled, own, rtol=1e-5, atol=1e-6)


def test_it_learns_inside_a_compiled_function():
    inner = reader("additive")
    model = keras.Model(inner.inputs, layers.Dense(1)(inner.outputs[0]))
    model.compile("adam", "mse", jit_compile=True)
    before = [weight.copy() for weight in model.get_layer("attention").get_weights()]
    model.fit([TARGET, SOURCE], np.ones((2, 3, 1)), verbose=0)
    after = model.get_layer("attention").get_weights()
    assert all((old != new).any() for old, new in zip(before, after, strict=True))


@every_kind
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_mixed_precision_gives_halves_near_the_full_numbers(kind, half):
    layer, full = filled(kind, dtype=f"mixed_{half}"), filled(kind)
    mixed = layer(QUERIES, MEMORY, memory_mask=MASK)
    stepwise = layer.attend(QUERIES, layer.project(MEMORY), MEMORY, memory_mask=MASK)
    for here, step, own in zip(mixed, stepwise, full(QUERIES, MEMORY, memory_mask=MASK), strict=True):
        assert keras.backend.standardize_dtype(here.dtype) == keras.backend.standardize_dtype(step.dtype) == half
        np.testing.assert_array_equal(ops.cast(step, "float32"), ops.cast(here, "float32"))
        np.testing.assert_allclose(ops.cast(here, "float32"), own, atol=0.05)
    assert not np.asarray(ops.cast(mixed[1], "float32"))[1, :, 2:].any()


@every_kind
def test_a_saved_model_comes_back_the_same(kind, tmp_path):
    model = reader(kind)
    model.save(tmp_path / "reader.keras")
    again = keras.models.load_model(tmp_path / "reader.keras")
    assert again.get_layer("attention").kind == kind and again.get_layer("attention").units == 3
    for loaded, own in zip(again([TARGET, SOURCE]), model([TARGET, SOURCE]), strict=True):
        np.testing.assert_array_equal(loaded, own)


# --------------------------------------------------------------------------------------------------------------- errors


def test_an_unknown_kind_is_refused_with_the_kinds_there_are():
    with pytest.raises(ValueError, match="kind is 'cosine'; pass one of 'dot', 'additive'"):
        CrossAttention(3, kind="cosine")


def test_a_length_below_one_is_refused():
    with pytest.raises(ValueError, match="units is 0; pass a length of at least 1"):
        CrossAttention(0)


@pytest.mark.parametrize(
    ("queries", "memory", "mask", "message"),
    [
        ((2, 4), (2, 5, 6), None, r"Queries have shape \(2, 4\) and memory \(2, 5, 6\); expected \(batch, target, q"),
        ((2, 3, 4), (2, 6), None, r"memory \(2, 6\); expected .* \(batch, source, features\). Give a single query"),
        ((2, 3, 4), (2, 5, 6), (2, 5, 1), r"mask has shape \(2, 5, 1\); expected \(batch, source\), True at the real"),
    ],
)
@pytest.mark.parametrize("built", [False, True])
def test_other_ranks_are_refused(queries, memory, mask, message, built):
    layer = filled("dot") if built else CrossAttention(3)
    with pytest.raises(ValueError, match=message):
        layer(np.ones(queries), np.ones(memory), memory_mask=None if mask is None else np.ones(mask, bool))
