"""A network that reads a text and says which of two classes it belongs to."""

import keras
from keras import layers

from rnn_course.layers import MaskedPooling, WordDropout


def build_sentiment_classifier(*, vocabulary, embedding=64, units=32, word_dropout=0.2, dropout=0.5):
    """Bidirectional LSTM that reads a sentence and says how positive it is.

    Every step's state takes part in the answer, not only the last one: the largest and the mean value of each unit over
    the sentence (Conneau et al. 2017 pool a bidirectional LSTM by the maximum). A few thousand sentences are few for a
    network that learns its word vectors from nothing, so it forgets on purpose in three places while training: whole
    words, whole features of all word vectors of a sentence (Gal & Ghahramani 2016), and pooled features.

    Input:  (batch, time) int token ids, 0 is padding, 1 the unknown word.
    Output: (batch, 1) logit; above 0 is the second class, such as "positive" or "spam".

    Args:
        vocabulary: number of token ids, padding and unknown included.
        embedding: length of a word's vector.
        units: LSTM units in each direction.
        word_dropout: share of the words that are replaced by the unknown one while training.
        dropout: share of the pooled features, and 0.6 times this the share of the word vectors' features, that are
            set to zero while training.

    Returns:
        An uncompiled `keras.Model` with the layers tokens, word_dropout, embedding, embedding_dropout, bilstm,
        pooling, dropout, logit.

    Example:
        model = build_sentiment_classifier(vocabulary=len(words))
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), ["accuracy"])
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = WordDropout(word_dropout, name="word_dropout")(tokens)
    vectors = layers.Embedding(vocabulary, embedding, mask_zero=True, name="embedding")(
        words
    )  # (batch, time, embedding)
    vectors = layers.SpatialDropout1D(0.6 * dropout, name="embedding_dropout")(vectors)
    reader = layers.LSTM(units, return_sequences=True)
    states = layers.Bidirectional(reader, name="bilstm")(vectors)  # (batch, time, 2 * units)
    pooled = MaskedPooling(name="pooling")(states)  # (batch, 4 * units)
    pooled = layers.Dropout(dropout, name="dropout")(pooled)
    logit = layers.Dense(1, name="logit")(pooled)
    return keras.Model(tokens, logit, name="sentiment_classifier")
