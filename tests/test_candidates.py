"""A softmax over some words that stands for one over all: who is chosen, what each stands for, what is learned."""

import keras
import numpy as np
import pytest
from keras import ops

from rnn_course.candidates import sample_candidates
from rnn_course.layers import CandidateLogits, TiedEmbedding
from rnn_course.models import build_candidate_twin, build_language_model, build_translator

TARGETS = np.array([[3, 7, 0], [7, 9, 4]])


def draw(seed=0, **options):
    return sample_candidates(TARGETS, **{"vocabulary": 40, "size": 12, "rng": np.random.default_rng(seed)} | options)


def test_the_targets_and_padding_are_among_the_candidates_and_the_places_find_them():
    chosen = draw()
    np.testing.assert_array_equal(chosen.ids[chosen.places], TARGETS)
    assert chosen.ids[0] == 0 and chosen.places[0, 2] == 0
    assert len(chosen.ids) == 12 == len(set(chosen.ids.tolist()))
    assert (np.diff(chosen.ids) > 0).all()


def test_each_drawn_one_stands_for_its_share_of_those_that_are_not_there():
    chosen = draw()
    there = np.isin(chosen.ids, [0, 3, 4, 7, 9])
    assert (chosen.correction[there] == 0).all()
    # 35 words are not in the batch, 7 are drawn: each stands for 5.
    np.testing.assert_allclose(np.exp(chosen.correction[~there]), 5, rtol=1e-6)


def test_on_average_the_sum_over_the_candidates_is_the_sum_over_all():
    weights = np.random.default_rng(1).uniform(size=40)
    sums = []
    for seed in range(2_000):
        chosen = draw(seed)
        sums.append((weights[chosen.ids] * np.exp(chosen.correction)).sum())
    # The sample's sum has a standard deviation of about 3.5, its mean over 2,000 draws one of 0.08.
    np.testing.assert_allclose(np.mean(sums), weights.sum(), atol=0.3)


def test_a_small_vocabulary_is_taken_whole():
    chosen = draw(vocabulary=10, size=999)
    np.testing.assert_array_equal(chosen.ids, np.arange(10))
    assert (chosen.correction == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, r"5 different targets, padding included, more than size=4"),
        ({"vocabulary": 9}, r"from 0 to 9; expected integers from 0 to 8"),
    ],
)
def test_targets_that_find_no_place_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(**options)


def test_targets_that_are_no_integers_are_refused():
    with pytest.raises(ValueError, match="targets are float64"):
        sample_candidates(np.array([0.5]), vocabulary=4, size=4, rng=np.random.default_rng(0))


def dense(size=40, features=3):
    layer = keras.layers.Dense(size)
    layer.build((None, None, features))
    layer.set_weights([np.random.default_rng(2).normal(size=(features, size)), np.arange(size) / 10])
    return layer


def test_the_logits_are_those_of_the_whole_layer_and_the_correction():
    layer, chosen = dense(), draw()
    vectors = np.random.default_rng(3).normal(size=(2, 4, 3)).astype("float32")
    found = CandidateLogits(layer)(vectors, chosen.ids, chosen.correction)
    np.testing.assert_allclose(found, np.array(layer(vectors))[..., chosen.ids] + chosen.correction, atol=1e-5)


def test_a_table_that_is_read_and_chosen_from_gives_the_same_logits():
    layer, chosen = TiedEmbedding(40, 3), draw()
    layer.build()
    layer.bias.assign(np.arange(40) / 10)
    vectors = np.random.default_rng(3).normal(size=(2, 4, 3)).astype("float32")
    found = CandidateLogits(layer)(vectors, chosen.ids, chosen.correction)
    whole = np.array(layer(vectors, reverse=True))
    np.testing.assert_allclose(found, whole[..., chosen.ids] + chosen.correction, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dense(3),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(3, activation="softmax"),
        keras.layers.Embedding(3, 2),
    ],
)
def test_only_a_built_layer_of_plain_logits_will_do(layer):
    if isinstance(layer, keras.layers.Dense) and layer.activation is not keras.activations.linear:
        layer.build((None, 2))
    with pytest.raises(
        ValueError, match="pass the built layer of all logits, a TiedEmbedding or a Dense without activation"
    ):
        CandidateLogits(layer)


def small_translator():
    keras.utils.set_random_seed(0)
    return build_translator(source_vocabulary=20, target_vocabulary=40, embedding=4, units=6, dropout=0.0)


def test_the_twin_shares_every_weight_with_its_model():
    model = small_translator()
    twin = build_candidate_twin(model)
    assert [weight.path for weight in twin.trainable_weights] == [weight.path for weight in model.trainable_weights]
    assert all(mine is theirs for mine, theirs in zip(twin.trainable_weights, model.trainable_weights, strict=True))


def test_with_all_words_as_candidates_a_step_of_training_is_the_same_step():
    source, read = np.array([[3, 4, 5], [6, 7, 0]]), np.array([[2, 3, 7], [2, 7, 9]])
    models = [small_translator() for _ in range(2)]
    for model, target in ((models[0], TARGETS), (build_candidate_twin(models[1]), draw(size=40).places)):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
        model.compile(keras.optimizers.SGD(0.5), loss)
        extra = [] if model is models[0] else [np.arange(40, dtype="int32"), np.zeros(40, "float32")]
        model.train_on_batch([source, read, *extra], target)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_word_that_is_not_asked_for_is_not_moved():
    model, chosen = small_translator(), draw()
    twin = build_candidate_twin(model)
    before = model.get_layer("target_embedding").get_weights()[1]
    twin.compile(
        keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    )
    inputs = [np.array([[3, 4], [6, 7]]), np.array([[2, 3, 7], [2, 7, 9]]), chosen.ids, chosen.correction]
    twin.train_on_batch(inputs, chosen.places)
    moved = np.abs(model.get_layer("target_embedding").get_weights()[1] - before) > 0
    np.testing.assert_array_equal(np.flatnonzero(moved), chosen.ids)


def test_a_language_model_has_a_twin_as_well():
    model = build_language_model(vocabulary=40, embedding=4, units=(5,), cell="gru")
    chosen = draw()
    twin = build_candidate_twin(model, vectors="dropout_1", logits="logits")
    found = twin([TARGETS, chosen.ids, chosen.correction])
    whole = ops.convert_to_numpy(model(TARGETS))
    np.testing.assert_allclose(found, whole[..., chosen.ids] + chosen.correction, atol=1e-5)
