"""A network that reads how a body moves, joint by joint."""

import keras
from keras import layers, ops

from rnn_course.layers import MaskedPooling, recurrent_layer


def build_pose_model(*, joints, classes, dimensions=2, units=64, cell="gru", bidirectional=False, dropout=0.4):
    """A recurrent network that reads where the joints of a body are and how each has moved.

    Motion is measured since the frame before and since the one before that (DD-Net, Yang et al. 2019, has two speeds as
    well). Positions and motion are brought to one scale over the real frames of the training clips. Not the last state
    alone answers, but the largest and the mean value of every unit.

    Input:  (batch, time, joints, dimensions) positions; frames in which all of them are 0 are padding.
    Output: (batch, classes) logits.

    Args:
        joints: how many joints a body has.
        classes: how many classes there are.
        dimensions: 2 in a picture, 3 in space.
        units: units of the recurrent layer, in each direction.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        bidirectional: the clip is also read from its end.
        dropout: share of the pooled units that is set to zero while training.

    Returns:
        An uncompiled `keras.Model` of the layers poses, positions, positions_and_motion, norm, `<cell>`
        (or bi_`<cell>`), pooling, pooling_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    poses = keras.Input((None, joints, dimensions), name="poses")
    places = layers.Reshape((-1, joints * dimensions), name="positions")(poses)
    real = ops.any(ops.not_equal(places, 0), axis=-1)  # (batch, time)
    motion = [_moved(places, real, lag) for lag in (1, 2)]
    read = layers.Concatenate(name="positions_and_motion")([places, *motion])
    read = layers.BatchNormalization(momentum=0.9, name="norm")(read, mask=real)
    reader = recurrent_layer(cell, units, return_sequences=True, name=cell)
    reader = layers.Bidirectional(reader, name=f"bi_{cell}") if bidirectional else reader
    pooled = MaskedPooling(name="pooling")(reader(read, mask=real), mask=real)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(dropout, name="pooling_dropout")(pooled))
    return keras.Model(poses, logits, name="pose_model")


def _moved(places, real, lag):
    """How far each of `places`, `(batch, time, features)`, moved in `lag` frames; 0 where either frame is not real."""
    before = ops.pad(places, [[0, 0], [lag, 0], [0, 0]])[:, :-lag]
    both = ops.logical_and(real, ops.any(ops.not_equal(before, 0), axis=-1))
    return (places - before) * ops.cast(both[..., None], places.dtype)
