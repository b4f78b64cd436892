"""The baselines of a network that watches: what single frames know, and what all of them know without their order."""

import keras
from keras import layers

from rnn_course.layers import MaskedPooling
from rnn_course.models.video import look


def build_frame_average_model(*, classes, dropout=0.2, **frames):
    """What single frames know: each one votes for itself, and the mean of their logits decides.

    Nothing here compares two frames, so neither their order nor what changed between them can count: the baseline of
    every network that claims to have seen a motion (Karpathy et al. 2014, "single-frame"). With `pairs` every frame
    votes together with the one before it: the baseline of every network that claims to have remembered something.

    Input:  (batch, time, height, width, channels) pixels from 0 to `brightest`, any number of frames.
    Output: (batch, classes) logits.

    Args:
        classes: how many classes there are.
        dropout: share of features that is set to zero while training.
        frames: what frames are and how they are looked at, as in `build_clip_model`: height and width, and where wanted
            channels, filters, features, pairs, mask_zero and brightest.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, frame_logits,
        pooling and logits. `frame_logits` are those of each frame, or pair, (batch, time, classes).
    """
    clips, seen, real = look(**frames)
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    votes = MaskedPooling(name="pooling")(layers.Dense(classes, name="frame_logits")(seen), mask=real)
    return keras.Model(clips, layers.Identity(name="logits")(votes[:, classes:]), name="frame_average_model")


def build_late_fusion_model(*, classes, hidden=64, dropout=0.2, **frames):
    """What all frames know together when their order is lost: their features meet, then a dense network decides.

    Unlike votes, features may be compared: that something was at the left and also at the right, though not which came
    first. The largest and the mean value of each feature are kept.

    Input:  (batch, time, height, width, channels) pixels from 0 to `brightest`, any number of frames.
    Output: (batch, classes) logits.

    Args:
        classes: how many classes there are.
        hidden: units of the dense layer.
        dropout: share of features and of the units that is set to zero while training.
        frames: what frames are and how they are looked at, as in `build_frame_average_model`.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, pooling, hidden,
        hidden_dropout and logits.
    """
    clips, seen, real = look(**frames)
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    pooled = MaskedPooling(name="pooling")(seen, mask=real)  # (batch, 2 * features)
    meeting = layers.Dense(hidden, activation="relu", name="hidden")(pooled)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(dropout, name="hidden_dropout")(meeting))
    return keras.Model(clips, logits, name="late_fusion_model")
