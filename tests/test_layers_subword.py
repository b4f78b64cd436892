"""Subword embedding: sums that one can do by hand."""

import keras
import numpy as np
import pytest

from rnn_course.layers import SubwordEmbedding

# Four words: padding, one without parts, one with part 1, one with parts 1 and 2.
PARTS = [[0, 0], [0, 0], [1, 0], [1, 2]]
WORDS = np.array([[9, 9], [3, -1], [1, 2], [2, 4]], "float32")
PART_VECTORS = np.array([[7, 7], [5, 0], [-1, 8]], "float32")


def hand_filled():
    layer = SubwordEmbedding(4, 2, parts=PARTS, name="embedding")
    layer.build()
    layer.set_weights([WORDS, PART_VECTORS])
    return layer


def test_a_vector_is_the_sum_of_word_and_parts_over_the_root_of_how_many_there_are():
    # Word 1: (3, -1) alone. Word 2: (1 + 5, 2 + 0) / √2. Word 3: (2 + 5 - 1, 4 + 0 + 8) / √3.
    expected = [[[3, -1], [6 / 2**0.5, 2 / 2**0.5], [6 / 3**0.5, 12 / 3**0.5]]]
    np.testing.assert_allclose(hand_filled()(np.array([[1, 2, 3]])), expected, rtol=1e-6)


def test_without_parts_it_is_an_embedding():
    layer = SubwordEmbedding(4, 2, parts=np.zeros((4, 3), int))
    layer.build()
    layer.set_weights([WORDS, PART_VECTORS[:1]])
    np.testing.assert_array_equal(layer(np.array([[2, 1]])), WORDS[[[2, 1]]])


def test_padding_is_masked():
    np.testing.assert_array_equal(hand_filled().compute_mask(np.array([[3, 0]])), [[True, False]])


def test_a_word_that_is_read_teaches_its_parts_and_the_words_that_share_them():
    layer = hand_filled()
    model = keras.Sequential([keras.Input((1,), dtype="int32"), layer])
    model.compile(keras.optimizers.SGD(1.0), lambda true, predicted: keras.ops.sum(predicted))
    model.train_on_batch(np.array([[2]]), np.zeros((1, 1, 2)))
    moved_words, moved_parts = (layer.get_weights()[0] - WORDS, layer.get_weights()[1] - PART_VECTORS)
    # The sum of the vector has the gradient 1/√2 for the word and for its part, and none for the others.
    np.testing.assert_allclose(moved_words[[0, 1, 3]], 0)
    np.testing.assert_allclose(moved_parts[[0, 2]], 0)
    np.testing.assert_allclose([moved_words[2], moved_parts[1]], np.full((2, 2), -(0.5**0.5)), rtol=1e-5)
    assert np.all(np.asarray(layer(np.array([[3]]))) != [[[6 / 3**0.5, 12 / 3**0.5]]])


def test_it_is_built_anew_from_its_config():
    again = keras.layers.deserialize(keras.layers.serialize(hand_filled()))
    again.set_weights([WORDS, PART_VECTORS])
    np.testing.assert_array_equal(again(np.array([[1, 2, 3]])), hand_filled()(np.array([[1, 2, 3]])))
    assert (again.name, again.mask_zero) == ("embedding", True)


def test_the_vectors_of_the_parts_are_saved_too(tmp_path):
    model = keras.Sequential([keras.Input((None,), dtype="int32"), hand_filled()])
    model.save(tmp_path / "vectors.keras")
    again = keras.saving.load_model(tmp_path / "vectors.keras")
    for kept, original in zip(again.get_weights(), [WORDS, PART_VECTORS], strict=True):
        np.testing.assert_array_equal(kept, original)


def test_a_copy_of_a_model_has_the_same_table_of_parts():
    model = keras.Sequential([keras.Input((None,), dtype="int32"), hand_filled()])
    np.testing.assert_array_equal(keras.models.clone_model(model).layers[0].parts, PARTS)


@pytest.mark.parametrize("parts", [np.zeros((3, 2), int), np.zeros(4, int)])
def test_a_table_that_is_not_a_row_for_every_word_is_refused(parts):
    with pytest.raises(ValueError, match=r"parts has shape \(.*\); expected \(4, parts\), a row for every word"):
        SubwordEmbedding(4, 2, parts=parts)


def test_parts_of_padding_are_refused():
    with pytest.raises(ValueError, match=r"Word 0 is padding and has parts \[1, 0\]"):
        SubwordEmbedding(4, 2, parts=[[1, 0], *PARTS[1:]])
