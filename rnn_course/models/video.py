"""Networks that watch: one small network looks at each frame or pose, a recurrent one remembers what it saw."""

import keras
from keras import layers, ops

from rnn_course.layers import MaskedPooling

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}


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
        channels: 1 for grey frames, 3 for colored ones.
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
    clips, seen, real = _look(pairs, height, width, channels, filters, features, mask_zero, brightest)
    return keras.Model(clips, _watch(seen, real, classes, units, cell, dropout, every_frame), name="clip_model")


def build_frame_average_model(*, classes, dropout=0.2, **frames):
    """What single frames know: each one votes for itself, and the mean of their logits decides.

    Nothing here compares two frames, so neither their order nor what changed between them can count: the baseline of
    every network that claims to have seen a motion (Karpathy et al. 2014, "single-frame").

    Input:  (batch, time, height, width, channels) pixels from 0 to `brightest`, any number of frames.
    Output: (batch, classes) logits.

    Args:
        classes: how many classes there are.
        dropout: share of features that is set to zero while training.
        frames: what frames are and how they are looked at, as in `build_clip_model`: height and width, and where wanted
            channels, filters, features, mask_zero and brightest.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, frame_logits,
        pooling and logits. `frame_logits` are those of each frame, (batch, time, classes).
    """
    clips, seen, real = _look(False, **frames)
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
    clips, seen, real = _look(False, **frames)
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    pooled = MaskedPooling(name="pooling")(seen, mask=real)  # (batch, 2 * features)
    meeting = layers.Dense(hidden, activation="relu", name="hidden")(pooled)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(dropout, name="hidden_dropout")(meeting))
    return keras.Model(clips, logits, name="late_fusion_model")


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


def build_pose_model(*, joints, classes, dimensions=2, units=64, cell="gru", bidirectional=False, dropout=0.4):
    """A recurrent network that reads where the joints of a body are and how each has moved since the frame before.

    Positions and motion are brought to one scale over the real frames of the training clips. Not the last state alone
    answers, but the largest and the mean value of every unit.

    Input:  (batch, time, joints, dimensions) positions; frames in which all of them are 0 are padding.
    Output: (batch, classes) logits.

    Args:
        joints: how many joints a body has.
        classes: how many classes there are.
        dimensions: 2 in a picture, 3 in space.
        units: units of the recurrent layer, in each direction.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        bidirectional: the clip is also read from its end.
        dropout: share of what was read and of the pooled units that is set to zero while training.

    Returns:
        An uncompiled `keras.Model` of the layers poses, positions, positions_and_motion, norm, norm_dropout, `<cell>`
        (or bi_`<cell>`), pooling, pooling_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    poses = keras.Input((None, joints, dimensions), name="poses")
    places = layers.Reshape((-1, joints * dimensions), name="positions")(poses)
    real = ops.any(ops.not_equal(places, 0), axis=-1)  # (batch, time)
    moved = places[:, 1:] - places[:, :-1]
    moved = moved * ops.cast(ops.logical_and(real[:, 1:], real[:, :-1])[..., None], moved.dtype)
    moved = layers.ZeroPadding1D((1, 0), name="motion")(moved)  # the first frame has none before it
    read = layers.Concatenate(name="positions_and_motion")([places, moved])
    read = layers.BatchNormalization(momentum=0.9, name="norm")(read, mask=real)
    read = layers.SpatialDropout1D(dropout, name="norm_dropout")(read)
    reader = _cell(cell)(units, return_sequences=True, name=cell)
    reader = layers.Bidirectional(reader, name=f"bi_{cell}") if bidirectional else reader
    pooled = MaskedPooling(name="pooling")(reader(read, mask=real), mask=real)
    logits = layers.Dense(classes, name="logits")(layers.Dropout(dropout, name="pooling_dropout")(pooled))
    return keras.Model(poses, logits, name="pose_model")


def build_caption_model(*, vocabulary, units=96, embedding=32, cell="lstm", dropout=0.2, pairs=False, **frames):
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
        pairs: each frame is seen together with the one before it, as in `build_clip_model`.
        frames: what frames are and how they are looked at, as in `build_frame_average_model`.

    Returns:
        An uncompiled `keras.Model` of the layers clips, brightness, frames, norm, features_dropout, watcher, state_1
        (LSTM: state_2), tokens, embedding, writer, writer_dropout and logits.

    Raises:
        ValueError: another `cell`.
    """
    clips, seen, real = _look(pairs, **frames)
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    _, *last = _cell(cell)(units, return_state=True, name="watcher")(seen, mask=real)
    states = [layers.Dense(units, "tanh", name=f"state_{number}")(state) for number, state in enumerate(last, 1)]
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = layers.Embedding(vocabulary, embedding, mask_zero=True, name="embedding")(tokens)
    written = _cell(cell)(units, return_sequences=True, name="writer")(words, initial_state=states)
    written = layers.SpatialDropout1D(dropout, name="writer_dropout")(written)
    return keras.Model([clips, tokens], layers.Dense(vocabulary, name="logits")(written), name="caption_model")


def _cell(cell):
    """The recurrent layer of a name; refuses other names."""
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; pass one of: {', '.join(map(repr, CELLS))}.")
    return CELLS[cell]


def _look(pairs, height, width, channels=1, filters=(16, 32, 32), features=64, mask_zero=False, brightest=255):
    """Clips, what is seen in their frames, `(batch, time, features)`, and which of these are real; None means all.

    Without the norm nothing is learned for many epochs: what differs from frame to frame is small beside what does not.
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
    seen = layers.TimeDistributed(keras.Sequential(eye, name="frame_encoder"), name="frames")(shown)
    return clips, layers.BatchNormalization(momentum=0.9, name="norm")(seen, mask=real), real


def _watch(seen, real, classes, units, cell, dropout, every_frame):
    """Logits of what is seen, `(batch, time, features)`, where `real`, `(batch, time)` or None, is True."""
    seen = layers.SpatialDropout1D(dropout, name="features_dropout")(seen)
    states = _cell(cell)(units, return_sequences=every_frame, name=cell)(seen, mask=real)
    kind = layers.SpatialDropout1D if every_frame else layers.Dropout
    return layers.Dense(classes, name="logits")(kind(dropout, name="states_dropout")(states))
