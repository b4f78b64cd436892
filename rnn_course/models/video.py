"""Networks that watch: one small network looks at each frame, a recurrent one remembers what it saw."""

import keras
from keras import layers, ops

from rnn_course.layers import FoldedTimeDistributed, recurrent_layer


def build_clip_model(
    *,
    height,
    width,
    classes,
    channels=1,
    filters=(16, 32, 32),
    features=64,
    units=64,
    cell="gru",
    dropout=0.2,
    every_frame=False,
    pairs=False,
    mask_zero=False,
    brightest=255,
):
    """The same convolutions look at every frame, and a recurrent layer watches what they see (Donahue et al. 2015).

    Two such models that differ in `every_frame` alone have the same weights in the same order: train with one answer a
    clip, then let the other say what was known when, `other.set_weights(model.get_weights())`.

    Input:  (batch, time, height, width, channels) pixels from 0 to `brightest`, any number of frames.
    Output: (batch, classes) logits; (batch, time, classes) with `every_frame`.

    Args:
        height: pixels of a frame from top to bottom.
        width: pixels of a frame from left to right.
        classes: how many classes there are.
        channels: 1 for gray frames, 3 for colored ones.
        filters: how many filters each convolution has; each one halves height and width.
        features: what is handed on of each frame, (batch, time, features).
        units: units of the recurrent layer.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        dropout: share of features and of units that is set to zero while training, the same at all frames of a clip.
        every_frame: an answer after each frame instead of one at the end.
        pairs: the convolutions see each frame together with the one before it, as two images on top of each other, and
            can find small motions by themselves; the recurrent layer adds them up. The first frame is its own.
        mask_zero: frames that are 0 everywhere are padding, which changes no answer.
        brightest: the largest value that a pixel can have; 255 for bytes.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, `<cell>`,
        states_dropout and logits; before the frames pairs, and what finds the mask, where they are asked for.

    Raises:
        ValueError: another `cell`.
    """
    clips, seen, real = look(height, width, channels, filters, features, pairs, mask_zero, brightest)
    return keras.Model(clips, _watch(seen, real, classes, units, cell, dropout, every_frame), name="clip_model")


def build_feature_model(*, features, classes, units=64, cell="gru", dropout=0.2, every_frame=False):
    """The recurrent half of `build_clip_model`, for features that a frozen network has computed once.

    Input:  (batch, time, features) of `rnn_course.features.extract_features`; rows that are all 0 are padding.
    Output: (batch, classes) logits; (batch, time, classes) with `every_frame`.

    Args:
        features: how many there are of each frame.
        classes: how many classes there are.
        units: units of the recurrent layer.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        dropout: share of features and of units that is set to zero while training, the same at all frames of a clip.
        every_frame: an answer after each frame instead of one at the end.

    Returns:
        An uncompiled `keras.Model` of the layers features, norm, features_dropout, `<cell>`, states_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    given = keras.Input((None, features), name="features")
    seen = layers.LayerNormalization(name="norm")(given)
    real = ops.any(ops.not_equal(given, 0), axis=-1)
    return keras.Model(given, _watch(seen, real, classes, units, cell, dropout, every_frame), name="feature_model")


def look(height, width, channels=1, filters=(16, 32, 32), features=64, pairs=False, mask_zero=False, brightest=255):
    """Let the same convolutions look at every frame, or at every pair of neighbors: how each clip model begins.

    Without the norm nothing is learned for many epochs: what differs from frame to frame is small beside what does not.

    Args:
        height: an int, pixels of a frame from top to bottom.
        width: an int, pixels of a frame from left to right.
        channels: an int, 1 for gray frames, 3 for colored ones.
        filters: (convolutions,) ints, how many filters each has.
        features: an int, how many are handed on of each frame.
        pairs, mask_zero, brightest: as in `build_clip_model`.

    Returns:
        Symbolic tensors: the clips `(batch, time, height, width, channels)`; what is seen in their frames, `(batch,
        time, features)`; and which of these are real, `(batch, time)` bool, or None where all are.
    """
    clips = keras.Input((None, height, width, channels), name="clips")
    real = ops.any(ops.not_equal(clips, 0), axis=(2, 3, 4)) if mask_zero else None
    shown = layers.Rescaling(1 / brightest, name="brightness")(clips)
    if pairs:
        before = ops.concatenate([shown[:, :1], shown[:, :-1]], axis=1)
        shown = layers.Concatenate(name="pairs")([shown, before])
    eye = [keras.Input((height, width, channels * (2 if pairs else 1)), name="frame")]
    for number, count in enumerate(filters, start=1):
        look = {"strides": 2, "padding": "same", "activation": "relu", "name": f"convolution_{number}"}
        eye.append(layers.Conv2D(count, 5 if number == 1 else 3, **look))
    eye += [layers.Flatten(name="flatten"), layers.Dense(features, name="features")]
    seen = FoldedTimeDistributed(keras.Sequential(eye, name="frame_encoder"), name="frames")(shown)
    return clips, layers.BatchNormalization(momentum=0.9, name="norm")(seen, mask=real), real


def _watch(seen, real, classes, units, cell, dropout, every_frame):
    """Logits of what is seen, `(batch, time, features)`, where `real`, `(batch, time)` or None, is True."""
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    states = recurrent_layer(cell, units, return_sequences=every_frame, name=cell)(seen, mask=real)
    kind = layers.SpatialDropout1D if every_frame else layers.Dropout
    return layers.Dense(classes, name="logits")(kind(dropout, name="states_dropout")(states))
