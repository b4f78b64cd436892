"""Networks that read sequences of letters, such as DNA or proteins, and say of which class each one is."""

from keras import Input, Model, layers, ops

from rnn_course.layers import MaskedPooling, recurrent_layer


def build_bilstm(*, letters, classes, length=None, units=32, hidden=64, dropout=(0.3, 0.5)):
    """A bidirectional LSTM that reads the letters themselves, one a step.

    Input:  (batch, time, letters), rows of `rnn_course.biosequences.encode`; those of padding, at the end, are all 0.
    Output: (batch, classes) logits.

    Args:
        letters: how many letters the alphabet has.
        classes: how many classes there are.
        length: letters of every sequence, where a place means the same in all of them: then each place has weights of
            its own. None: of any length, and every unit hands on its largest and its mean value over the letters.
        units: LSTM units in each direction.
        hidden: units of the layer in which all that was read meets.
        dropout: two shares that are set to zero while training, of the LSTM's units and of the hidden ones.

    Returns:
        An uncompiled `keras.Model` of the layers letters, bilstm, bilstm_dropout, flatten (pooling without a length),
        hidden, hidden_dropout and logits.
    """
    read = Input((length, letters), name="letters")
    return Model(read, _classify(read, _real(read), classes, length, units, hidden, dropout), name="bilstm")


def build_conv_bilstm(
    *, letters, classes, length=None, filters=64, width=9, pool=3, units=32, hidden=64, dropout=(0.1, 0.3, 0.5)
):
    """Filters that look for motifs, and a bidirectional LSTM that reads what they found (Quang & Xie 2016, DanQ).

    Input:  (batch, time, letters), as for `build_bilstm`; so are the arguments that are not named here.
    Output: (batch, classes) logits.

    Args:
        filters: how many motifs can be looked for, (batch, time, filters) answers.
        width: letters of a motif.
        pool: of so many neighboring answers of a filter only the largest is read, so that the LSTM has fewer steps.
        dropout: three shares that are set to zero while training, of the filters, the LSTM's units and the hidden ones.

    Returns:
        An uncompiled `keras.Model` of the layers letters, convolution, max_pooling, filter_dropout, then as above.
    """
    read = Input((length, letters), name="letters")
    answers = layers.Conv1D(filters, width, padding="same", activation="relu", name="convolution")(read)
    real = ops.cast(_real(read)[..., None], answers.dtype)  # (batch, time, 1)
    to_the_end = layers.ZeroPadding1D((0, pool - 1), name="to_the_end")  # of the last window
    pooling = layers.MaxPooling1D(pool, name="max_pooling")
    found = layers.SpatialDropout1D(dropout[0], name="filter_dropout")(pooling(to_the_end(answers * real)))
    real = pooling(to_the_end(real))[..., 0] > 0  # (batch, time / pool)
    return Model(read, _classify(found, real, classes, length, units, hidden, dropout[1:]), name="conv_bilstm")


def _real(read):
    """The mask of encoded letters: `(batch, time, letters)` to `(batch, time)`, True where a row is not all 0."""
    return ops.any(ops.not_equal(read, 0), axis=-1)


def _classify(steps, real, classes, length, units, hidden, dropout):
    """Logits `(batch, classes)` of what is read, `(batch, time, features)`, where `real`, `(batch, time)`, is True."""
    reader = recurrent_layer("lstm", units, return_sequences=True)
    states = layers.Bidirectional(reader, name="bilstm")(steps, mask=real)
    states = layers.SpatialDropout1D(dropout[0], name="bilstm_dropout")(states)  # (batch, time, 2 * units)
    if length is None:
        summary = MaskedPooling(name="pooling")(states, mask=real)  # (batch, 4 * units)
    else:
        summary = layers.Flatten(name="flatten")(states * ops.cast(real[..., None], states.dtype))
    meeting = layers.Dense(hidden, activation="relu", name="hidden")(summary)
    return layers.Dense(classes, name="logits")(layers.Dropout(dropout[1], name="hidden_dropout")(meeting))
