"""Networks that foretell the next frame of a tune: every key by itself, or one key after the other."""

import keras
from keras import layers

from rnn_course.layers import FallingChoices, PressedKeys, recurrent_layer


def build_frame_model(*, keys=88, embedding=256, units=256, cell="gru", dropout=(0.1, 0.5)):
    """A recurrent network that says of each key how probable it is in the next frame.

    All keys are decided at once, so none knows of the others (the plain RNN of Boulanger-Lewandowski et al. 2012): the
    network may be sure that one of two chords follows, and cannot say that it will not be half of each.

    Input:  (batch, time, keys), the frames heard so far: `rnn_course.frames.previous_frames`.
    Output: (batch, time, keys) logits of each key in the frame that follows.

    Args:
        keys: how many keys there are.
        embedding: units of the layer that reads a frame before the recurrent one does: it can know whole chords.
        units: units of the recurrent layer.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        dropout: two shares, of what is heard and of the units, that are set to zero while training.

    Returns:
        An uncompiled `keras.Model` of the layers heard, heard_dropout, embedding, `<cell>`, dropout, logits.

    Raises:
        ValueError: another `cell`.
    """
    heard = keras.Input((None, keys), name="heard")
    _, states = _listen(heard, embedding, units, cell, dropout)  # (batch, time, units)
    return keras.Model(heard, layers.Dense(keys, name="logits")(states), name="frame_model")


def build_voice_model(*, keys=88, slots=4, embedding=256, units=256, hidden=512, cell="gru", dropout=(0.1, 0.5)):
    """A recurrent network that chooses the keys of the next frame one after the other, from the highest down.

    Each choice knows the frames before and the keys already chosen in its own frame, so that the product of the
    probabilities is that of the whole chord (the idea of RNN-NADE, Boulanger-Lewandowski et al. 2012).

    Input:  two: (batch, time, keys), the frames heard so far, and (batch, time, slots) int, the right choices of the
            frame that follows: `rnn_course.frames.list_choices`. A slot sees only the choices before its own.
    Output: (batch, time, slots, 1 + keys) logits of each choice.

    Args:
        keys: how many keys there are.
        slots: how many keys may sound together.
        embedding: units of the layer that reads a frame before the recurrent one does.
        units: units of the recurrent layer.
        hidden: units of the layer in which memory and chosen keys meet.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        dropout: two shares that are set to zero while training, of what is heard or chosen and of the units.

    Returns:
        An uncompiled `keras.Model` of the layers heard, heard_dropout, embedding, `<cell>`, dropout, memory, choices,
        pressed, …, logits. `memory` is all that a frame's choices know of the frames before.

    Raises:
        ValueError: another `cell`.
    """
    heard = keras.Input((None, keys), name="heard")
    choices = keras.Input((None, slots), dtype="int32", name="choices")
    last, states = _listen(heard, embedding, units, cell, dropout)
    memory = layers.Concatenate(name="memory")([states, last])  # (batch, time, units + keys)
    pressed = layers.Dropout(dropout[0], name="pressed_dropout")(PressedKeys(keys, name="pressed")(choices))
    from_memory = layers.Reshape((-1, 1, hidden), name="from_memory")(layers.Dense(hidden, name="memory_in")(memory))
    from_pressed = _dense(hidden, slots, None, "pressed_in")(pressed)  # (batch, time, slots, hidden)
    meeting = layers.Activation("relu", name="meeting")(from_memory + from_pressed)
    scores = _dense(1 + keys, slots, "u", "scores")(layers.Dropout(dropout[1], name="meeting_dropout")(meeting))
    return keras.Model([heard, choices], FallingChoices(name="logits")(scores, choices), name="voice_model")


def _listen(heard, embedding, units, cell, dropout):
    """What was heard last, `(batch, time, keys)`, and the states, `(batch, time, units)`, both after their dropout."""
    last = layers.Dropout(dropout[0], name="heard_dropout")(heard)
    chords = layers.Dense(embedding, activation="relu", name="embedding")(last)
    states = recurrent_layer(cell, units, return_sequences=True, name=cell)(chords)
    return last, layers.Dropout(dropout[1], name="dropout")(states)


def _dense(units, slots, bias, name):
    """A dense layer for each slot of `(batch, time, slots, features)`; `Dense` on four axes crashes TensorFlow 2.20."""
    return layers.EinsumDense("btsf,fu->btsu", output_shape=(None, slots, units), bias_axes=bias, name=name)
