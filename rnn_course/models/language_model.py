"""A network that reads a text and says, after every token, how probable each next one is."""

import keras
from keras import layers

from rnn_course.layers import recurrent_layer


def build_language_model(*, vocabulary, embedding=64, units=(256,), cell="lstm", dropout=0.1, batch=None):
    """Recurrent layers, one upon the other, and a distribution over the next token at every step.

    The same weights serve two ways of reading (Mikolov et al. 2010 for the model, Graves 2013 for characters): with
    `batch` given, the layers are stateful and each row of a batch goes on where that row of the last batch stopped,
    so that the gradient is cut between batches and the memory is not (truncated back-propagation through time,
    Williams and Peng 1990). Without, every sequence begins with nothing remembered. Build both, and carry weights over
    with `reader.set_weights(model.get_weights())`.

    Input:  (batch, time) int token ids.
    Output: (batch, time, vocabulary) logits of the token that follows each step.

    Args:
        vocabulary: number of token ids, padding and unknown included.
        embedding: length of a token's vector.
        units: units of each recurrent layer, from the input up.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        dropout: share of every recurrent layer's units whose outputs are set to zero while training, the same ones
            at every step of a row (Gal and Ghahramani 2016).
        batch: number of rows of every batch, for layers that keep their state from batch to batch; `None`: none kept.

    Returns:
        An uncompiled `keras.Model` of the layers tokens, embedding, `<cell>_1`, dropout_1, `<cell>_2`, … and logits.

    Raises:
        ValueError: another `cell`, or no recurrent layer.
    """
    if not units:
        raise ValueError("units is empty: without a recurrent layer nothing is remembered. Pass such as (256,).")
    tokens = keras.Input((None,), batch_size=batch, dtype="int32", name="tokens")
    states = layers.Embedding(vocabulary, embedding, name="embedding")(tokens)  # (batch, time, embedding)
    for number, size in enumerate(units, start=1):
        options = {"stateful": batch is not None, "name": f"{cell}_{number}"}
        layer = recurrent_layer(cell, size, return_sequences=True, **options)
        states = layers.SpatialDropout1D(dropout, name=f"dropout_{number}")(layer(states))  # (batch, time, size)
    logits = layers.Dense(vocabulary, name="logits")(states)
    return keras.Model(tokens, logits, name="language_model")
