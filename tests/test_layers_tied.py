"""One table for reading and choosing words."""

import keras
import numpy as np

from rnn_course.layers import TiedEmbedding

TABLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], "float32")
BIAS = np.array([0.0, 0.5, -1.0], "float32")


def table(**options):
    layer = TiedEmbedding(3, 2, **options)
    layer.build()
    layer.set_weights([TABLE, BIAS])
    return layer


def test_a_logit_is_the_product_with_the_words_vector_plus_its_bias():
    np.testing.assert_allclose(table()(np.array([[[3.0, 4.0]]]), reverse=True), [[[0.0, 3.5, 7.0]]])


def test_read_it_is_an_embedding():
    np.testing.assert_array_equal(table()(np.array([[2, 1]])), TABLE[[2, 1]][None])


def test_both_uses_teach_the_same_vectors():
    tokens = keras.Input((None,), dtype="int32")
    layer = table()
    model = keras.Model(tokens, layer(layer(tokens), reverse=True))
    assert len(model.trainable_weights) == 2
    model.compile(keras.optimizers.SGD(1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(np.array([[1]]), np.array([[2]]))
    moved = np.abs(layer.get_weights()[0] - TABLE).max(axis=1) > 0
    # Word 1 was read and every word was a choice; all three move, word 0 because it might have been chosen.
    assert moved.tolist() == [True, True, True]


def test_vectors_begin_with_a_length_of_about_one():
    keras.utils.set_random_seed(0)
    layer = TiedEmbedding(500, 64)
    layer.build()
    np.testing.assert_allclose(np.linalg.norm(layer.get_weights()[0], axis=1).mean(), 1, atol=0.05)


def test_ids_bring_a_mask_and_vectors_keep_theirs():
    layer, mask = table(mask_zero=True), np.array([[True, False]])
    np.testing.assert_array_equal(layer.compute_mask(np.array([[2, 0]])), mask)
    assert layer.compute_mask(np.zeros((1, 2, 2)), mask, reverse=True) is mask


def test_saving_keeps_vectors_and_biases(tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    layer = table()
    model = keras.Model(tokens, layer(layer(tokens), reverse=True))
    model.save(tmp_path / "tied.keras")
    again = keras.models.load_model(tmp_path / "tied.keras")
    np.testing.assert_array_equal(again(np.array([[1, 2]])), model(np.array([[1, 2]])))
