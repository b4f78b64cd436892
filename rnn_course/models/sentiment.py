"""A network that reads a text and says which of two classes it belongs to."""

import keras
from keras import layers

from rnn_course.layers import MaskedPooling, SubwordEmbedding, WordDropout, recurrent_layer


def build_sentiment_classifier(*, vocabulary, parts=None, embedding=64, units=32, word_dropout=0.2, dropout=0.5):
    """Bidirectional LSTM that reads a sentence and says how positive it is.

    Not the last state alone answers, but the largest and the mean value of every unit over the sentence (Conneau et
    al. 2017 pool a bidirectional LSTM by the maximum). A few thousand sentences are few for word vectors learned from
    nothing, so the network forgets on purpose in three places while training: whole words, features of all vectors of
    a sentence at once (Gal & Ghahramani 2016), and pooled features.

    Input:  (batch, time) int token ids, 0 is padding, 1 the unknown word.
    Output: (batch, 1) logit; above 0 is the second class, such as "positive" or "spam".

    Args:
        vocabulary: number of token ids, padding and unknown included.
        parts: `(vocabulary, parts)` int from `affixes`: words that begin or end alike share a part of their vectors;
            `None`: every word for itself.
        embedding: length of a word's vector.
        units: LSTM units in each direction.
        word_dropout: share of the words that the unknown one replaces while training.
        dropout: share of the pooled features that is set to zero while training; 0.6 of it for the word vectors.

    Returns:
        An uncompiled `keras.Model` of the layers tokens, word_dropout, embedding, embedding_dropout, bilstm, pooling,
        dropout and logit.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = WordDropout(word_dropout, name="word_dropout")(tokens)
    if parts is None:
        lookup = layers.Embedding(vocabulary, embedding, mask_zero=True, name="embedding")
    else:
        lookup = SubwordEmbedding(vocabulary, embedding, parts=parts, name="embedding")
    vectors = lookup(words)  # (batch, time, embedding)
    vectors = layers.SpatialDropout1D(0.6 * dropout, name="embedding_dropout")(vectors)
    reader = recurrent_layer("lstm", units, return_sequences=True)
    states = layers.Bidirectional(reader, name="bilstm")(vectors)  # (batch, time, 2 * units)
    pooled = MaskedPooling(name="pooling")(states)  # (batch, 4 * units)
    logit = layers.Dense(1, name="logit")(layers.Dropout(dropout, name="dropout")(pooled))
    return keras.Model(tokens, logit, name="sentiment_classifier")
