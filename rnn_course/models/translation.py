"""A network that reads a sentence and writes another, with and without looking back at what it read."""

import keras
from keras import layers, ops

from rnn_course.layers import CrossAttention, TiedEmbedding, recurrent_layer


def build_translator(
    *, source_vocabulary, target_vocabulary, embedding=192, units=256, cell="gru", attention="dot", dropout=0.2
):
    """Encoder and decoder; the decoder looks back at every word (Bahdanau et al. 2015) or has one vector to go by.

    The encoder's last states are the summary, from which the decoder's first state is computed. While it is trained,
    the decoder reads the right target, one step late (teacher forcing, Williams and Zipser 1989). Its choices also
    heed a context: with attention a mean of the encoder's states, weighted anew for every word by the decoder's state
    (Luong et al. 2015), without it the summary, the same for all words (Cho et al. 2014). Nothing else differs.

    Input:  two: (batch, source) and (batch, target) int token ids, 0 is padding; the target begins with a start token.
    Output: (batch, target, vocabulary) logits of the target's token that follows each step.

    Args:
        source_vocabulary: number of source token ids, padding and unknown included.
        target_vocabulary: number of target token ids.
        embedding: length of a token's vector; the target's vectors are also the last layer (Press and Wolf 2017).
        units: units of the decoder, an even number; the encoder has half of them in each direction.
        cell: `"gru"`, `"lstm"` or `"simple_rnn"`.
        attention: `"dot"`, `"additive"`, or `None`.
        dropout: share of features that is set to zero while training, the same ones at every step of a row.

    Returns:
        An uncompiled `keras.Model` of the layers source, source_embedding, encoder, summary, state_1 (LSTM: state_2),
        target, target_embedding, decoder, attention (where there is one), combined, norm, dropout.

    Raises:
        ValueError: another `cell`, or an odd number of units.
    """
    if units % 2:
        raise ValueError(f"units is {units}; pass an even number: the encoder has half of them in each direction.")
    source = keras.Input((None,), dtype="int32", name="source")
    vectors = layers.Embedding(source_vocabulary, embedding, mask_zero=True, name="source_embedding")(source)
    vectors = layers.SpatialDropout1D(dropout, name="source_dropout")(vectors)
    reader = recurrent_layer(cell, units // 2, return_sequences=True, return_state=True)
    memory, *last = layers.Bidirectional(reader, name="encoder")(vectors)  # (batch, source, units)
    summary = layers.Concatenate(name="summary")(last)  # (batch, units), with LSTM (batch, 2 * units)
    names = [f"state_{number}" for number in range(1, 1 + len(last) // 2)]
    states = [layers.Dense(units, "tanh", name=name)(summary) for name in names]
    target = keras.Input((None,), dtype="int32", name="target")
    lookup = TiedEmbedding(target_vocabulary, embedding, name="target_embedding")
    words = layers.SpatialDropout1D(dropout, name="target_dropout")(lookup(target))
    hidden = recurrent_layer(cell, units, return_sequences=True, name="decoder")(words, initial_state=states)
    if attention is None:
        context = summary[:, None, :] + ops.zeros_like(hidden[:, :, :1])  # (batch, target, …): the same at every step
    else:
        context, _ = CrossAttention(units, kind=attention, name="attention")(hidden, memory)
    combined = layers.Concatenate(name="hidden_and_context")([hidden, context])
    combined = layers.LayerNormalization(name="norm")(layers.Dense(embedding, name="combined")(combined))
    combined = layers.SpatialDropout1D(dropout, name="dropout")(combined)
    return keras.Model([source, target], lookup(combined, reverse=True), name="translator")
