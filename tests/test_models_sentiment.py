"""The sentiment classifier: what padding may not change, what learns, what is kept in a file."""

import keras
import numpy as np
import pytest

from rnn_course.layers import FusedLSTM, SubwordEmbedding
from rnn_course.models import build_sentiment_classifier

PARTS = np.array([[0, 0], [0, 0], *([word, word % 3] for word in range(1, 11))])  # 12 words, some with one part
TOKENS = np.array([[3, 8, 2, 5], [6, 4, 0, 0], [1, 9, 7, 0]], "int32")


def filled(seed=1, **sizes):
    """A small classifier, every weight with its own value."""
    model = build_sentiment_classifier(**{"vocabulary": 12, "parts": PARTS, "embedding": 5, "units": 3, **sizes})
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.7, variable.shape))
    return model


def logits(model, tokens):
    return np.asarray(model(tokens, training=False))


@pytest.mark.parametrize("parts", [None, PARTS])
def test_the_layers_have_the_names_that_lessons_use(parts):
    names = [layer.name for layer in build_sentiment_classifier(vocabulary=12, parts=parts).layers]
    assert names == [
        "tokens",
        "word_dropout",
        "embedding",
        "embedding_dropout",
        "bilstm",
        "pooling",
        "dropout",
        "logit",
    ]


def test_the_reader_is_a_plain_bidirectional_lstm():
    reader = filled().get_layer("bilstm")
    assert type(reader) is keras.layers.Bidirectional
    assert type(reader.forward_layer) is FusedLSTM
    assert reader.forward_layer.units == 3


@pytest.mark.parametrize("parts", [None, PARTS])
def test_words_are_looked_up_in_an_embedding_with_or_without_parts(parts):
    lookup = filled(parts=parts).get_layer("embedding")
    assert isinstance(lookup, keras.layers.Embedding)
    assert isinstance(lookup, SubwordEmbedding) == (parts is not None)
    assert lookup.embeddings.shape == (12, 5)


def test_one_logit_comes_out_for_every_sentence():
    model = filled()
    assert model.output_shape == (None, 1)
    assert logits(model, TOKENS).shape == (3, 1)
    assert not model.compiled


@pytest.mark.parametrize("parts", [None, PARTS])
@pytest.mark.parametrize("more", [1, 20])
def test_longer_padding_changes_nothing(more, parts):
    model = filled(parts=parts)
    padded = np.pad(TOKENS, ((0, 0), (0, more)))
    np.testing.assert_allclose(logits(model, padded), logits(model, TOKENS), rtol=1e-5, atol=1e-6)


def test_padding_on_the_left_changes_nothing():
    model = filled()
    np.testing.assert_allclose(
        logits(model, np.array([[0, 0, 6, 4]], "int32")), logits(model, TOKENS[1:2]), rtol=1e-5, atol=1e-6
    )


def test_the_order_of_the_words_matters():
    model = filled()
    assert np.all(np.abs(logits(model, TOKENS[:1]) - logits(model, TOKENS[:1, ::-1])) > 1e-3)


def test_a_sentence_does_not_depend_on_its_neighbors_in_the_batch():
    model = filled()
    alone = np.concatenate([logits(model, row[None]) for row in TOKENS])
    np.testing.assert_allclose(alone, logits(model, TOKENS), rtol=1e-5, atol=1e-6)


def test_training_forgets_at_random_and_inference_does_not():
    model = filled()
    np.testing.assert_array_equal(model(TOKENS, training=False), model(TOKENS, training=False))
    assert np.any(np.asarray(model(TOKENS, training=True)) != np.asarray(model(TOKENS, training=True)))


def test_words_that_all_go_missing_leave_the_sentence_of_unknown_words():
    # At a rate so close to 1 that none of 9 words stays, every real word is word 1.
    model = filled(word_dropout=1 - 1e-6, dropout=0.0)
    unknown = np.where(TOKENS != 0, 1, 0)
    np.testing.assert_allclose(model(TOKENS, training=True), logits(model, unknown), rtol=1e-5, atol=1e-6)


def test_without_dropout_training_and_inference_agree():
    model = filled(word_dropout=0.0, dropout=0.0)
    np.testing.assert_allclose(model(TOKENS, training=True), logits(model, TOKENS), rtol=1e-5, atol=1e-6)


def test_every_weight_learns_and_of_the_word_vectors_those_that_were_read():
    model = filled(word_dropout=0.0, dropout=0.0)
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), keras.losses.BinaryCrossentropy(from_logits=True))
    model.train_on_batch(TOKENS, np.array([[1.0], [0.0], [1.0]]))
    moved = [after != old for after, old in zip(model.get_weights(), before, strict=True)]
    assert all(change.any() for change in moved)
    assert len(moved) == 10  # two tables of vectors, three arrays in each direction, kernel and bias of the logit
    words, parts = (change.any(axis=1) for change in moved[:2])  # (vocabulary,), (parts,)
    assert set(np.flatnonzero(words)) == set(np.unique(TOKENS)) - {0}
    assert set(np.flatnonzero(parts)) == set(np.unique(PARTS[TOKENS])) - {0}


def test_a_saved_model_answers_as_before(tmp_path):
    model = filled()
    model.save(tmp_path / "sentiment.keras")
    again = keras.saving.load_model(tmp_path / "sentiment.keras")
    np.testing.assert_allclose(logits(again, TOKENS), logits(model, TOKENS), rtol=1e-6)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.get_layer("word_dropout").rate == model.get_layer("word_dropout").rate


def test_it_learns_that_a_negation_turns_the_word_after_it():
    # Words 2 (good), 3 (bad), 4 (not), 5 and 6 (neither): good and not bad are positive, so no bag of words is right.
    rng = np.random.default_rng(0)
    negated, bad = rng.integers(0, 2, (2, 256))
    sentences = np.stack([rng.integers(5, 7, 256), np.where(negated, 4, 5), 2 + bad, rng.integers(5, 7, 256)], axis=1)
    keras.utils.set_random_seed(0)
    model = build_sentiment_classifier(vocabulary=7, embedding=8, units=8, word_dropout=0.0, dropout=0.2)
    model.compile(keras.optimizers.Adam(0.03), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(sentences, (negated == bad).astype("float32"), epochs=12, batch_size=32, verbose=0)
    assert np.mean((logits(model, sentences)[:, 0] > 0) == (negated == bad)) == 1.0
