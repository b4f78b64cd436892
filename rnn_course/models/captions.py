"""Networks that watch a clip and say in a sentence what they saw."""

import keras
from keras import layers, ops

from rnn_course.layers import recurrent_layer
from rnn_course.models.video import look


def build_caption_model(*, vocabulary, units=96, embedding=32, cell="lstm", dropout=0.2, **frames):
    """The network that watches hands its last state to one that writes (Venugopalan et al. 2015, "S2VT").

    While it is trained the writer reads the right words, one step late (teacher forcing). To write, hand in the start
    token, append the likeliest word of the last step, and go on until the end token.

    Input:  two: (batch, time, height, width, channels) pixels from 0 to `brightest`, and (batch, words) int tokens, the
            first one the start, 0 is padding.
    Output: (batch, words, vocabulary) logits of the word that follows each step.

    Args:
        vocabulary: how many tokens there are, padding, start and end included.
        units: units of the recurrent layer that watches and of the one that writes.
        embedding: length of a word's vector, (vocabulary, embedding).
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`, of both.
        dropout: share of features and of the writer's units that is set to zero while training.
        frames: what frames are and how they are looked at, as in `build_frame_average_model`.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, watcher, state_1
        (LSTM: state_2), tokens, embedding, writer, writer_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    clips, seen, real = look(**frames)
    tokens, logits = _write(seen, real, vocabulary, units, embedding, cell, dropout)
    return keras.Model([clips, tokens], logits, name="caption_model")


def build_feature_caption_model(*, features, vocabulary, units=96, embedding=32, cell="lstm", dropout=0.2):
    """The recurrent half of `build_caption_model`, for what trained networks have seen in the frames.

    Input:  two: (batch, time, features), rows that are all 0 are padding; and (batch, words) int tokens as there.
    Output: (batch, words, vocabulary) logits of the word that follows each step.

    Args:
        features: how many there are of each frame; those of several networks may be put side by side.
        vocabulary: how many tokens there are, padding, start and end included.
        units: units of the recurrent layer that watches and of the one that writes.
        embedding: length of a word's vector, (vocabulary, embedding).
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`, of both.
        dropout: share of features and of the writer's units that is set to zero while training.

    Returns:
        An uncompiled `keras.Model` of the layers features, features_dropout, watcher, state_1 (LSTM: state_2), tokens,
        embedding, writer, writer_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    seen = keras.Input((None, features), name="features")
    real = ops.any(ops.not_equal(seen, 0), axis=-1)
    tokens, logits = _write(seen, real, vocabulary, units, embedding, cell, dropout)
    return keras.Model([seen, tokens], logits, name="feature_caption_model")


def _write(seen, real, vocabulary, units, embedding, cell, dropout):
    """Tokens `(batch, words)` and logits `(batch, words, vocabulary)` of a writer that starts from what was `seen`."""
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    _, *last = recurrent_layer(cell, units, return_state=True, name="watcher")(seen, mask=real)
    states = [layers.Dense(units, "tanh", name=f"state_{number}")(state) for number, state in enumerate(last, 1)]
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = layers.Embedding(vocabulary, embedding, mask_zero=True, name="embedding")(tokens)
    written = recurrent_layer(cell, units, return_sequences=True, name="writer")(words, initial_state=states)
    written = layers.SpatialDropout1D(dropout, name="writer_dropout")(written)
    return tokens, layers.Dense(vocabulary, name="logits")(written)
