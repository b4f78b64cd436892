"""Features of real video: a frozen image network looks at every frame once, and what it saw is kept in a file."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rnn_course.whole_files import written_whole


def extract_features(model, clips, *, preprocess=None, batch_size=32, cache=None):
    """Let an image network look at every frame of some clips; nothing is trained.

    With `cache` a clip is looked at once: what counts is its content and the network's, not their names, so that clips
    may be added or shuffled. Frames that are 0 everywhere are padding: they are not looked at, and stay 0.

    Args:
        model: a built Keras model from (batch, height, width, channels) to (batch, features), such as any of
            `keras.applications` with `include_top=False, pooling="avg"`; read, never changed.
        clips: `(batch, time, height, width, channels)` pixels; or an iterable of clips `(time, height, width,
            channels)` of different lengths, of which only one at a time is held. Gray frames are given to a model that
            wants three channels three times over.
        preprocess: a function that is applied to the frames `(time, height, width, channels)` float32 of one clip, such
            as `keras.applications.mobilenet_v2.preprocess_input`.
        batch_size: frames that the model sees at once.
        cache: a folder in which features are kept; `None` keeps none.

    Returns:
        float32 `(batch, time, features)`, as long as the longest clip; 0 at padding.

    Raises:
        ValueError: clips that are no clips or do not fit the model, a model that gives no vector, a broken cache file.

    Example:
        >>> class Mean:  # stands for a Keras model
        ...     input_shape, layers = (None, 2, 2, 1), []
        ...     get_weights = list
        ...     predict_on_batch = staticmethod(lambda frames: frames.mean(axis=(1, 2)))
        >>> extract_features(Mean(), [np.full((2, 2, 2, 1), 3), np.full((1, 2, 2, 1), 5)])[..., 0].tolist()
        [[3.0, 3.0], [5.0, 0.0]]
    """
    if not isinstance(clips, Iterable) or isinstance(clips, (str, bytes, dict)):
        raise ValueError(f"`clips` is {type(clips).__name__}; pass an array or an iterable of clips.")
    path = None if cache is None else Path(cache) / f"features-{fingerprint(model)}.npz"
    known = _read(path)
    found, new = [], False
    for number, clip in enumerate(clips):
        frames, real = _frames_for(model, clip, preprocess, number)
        key = hashlib.sha256(repr(frames.shape).encode() + real.tobytes() + frames.tobytes()).hexdigest()
        if key not in known:
            known[key], new = _look(model, frames, real, batch_size), True
        found.append(known[key])
    if new and path is not None:
        _write(path, known)
    return _stack(found)


def fingerprint(model):
    """A short name of what a network computes: of its layers' settings and of every weight, not of what it is called.

    Args:
        model: a built Keras model.

    Returns:
        A str of 16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for layer in _flat(model):
        settings = {name: value for name, value in _config(layer).items() if name != "name"}
        digest.update(f"{type(layer).__name__} {settings}\n".encode())
    for weight in model.get_weights():
        digest.update(f"{weight.shape} {weight.dtype}\n".encode() + np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:16]


def _flat(model):
    """All layers of a model, those of models inside it too."""
    for layer in model.layers:
        yield from _flat(layer) if hasattr(layer, "layers") else [layer]


def _config(layer):
    """The settings of a layer; of one of somebody's own making there may be none."""
    try:
        return layer.get_config()
    except NotImplementedError:
        return {}


def _frames_for(model, clip, preprocess, number):
    """The frames of a clip as the model wants them, float32, and which of them are real, `(time,)` bool."""
    clip = np.asarray(clip)
    if clip.ndim != 4 or 0 in clip.shape or clip.dtype.kind not in "uifb":
        raise ValueError(
            f"Clip {number} has shape {clip.shape} of {clip.dtype}; expected numbers (time, height, width, channels), "
            "no axis empty."
        )
    frames, real = clip.astype("float32"), clip.any(axis=(1, 2, 3))
    wanted = tuple(model.input_shape[1:])
    if clip.shape[-1] == 1 and wanted[-1] == 3:
        frames = np.repeat(frames, 3, axis=-1)
    if any(size not in (None, given) for size, given in zip(wanted, frames.shape[1:], strict=True)):
        raise ValueError(
            f"Clip {number} has frames of shape {clip.shape[1:]}, the model takes {wanted}. Read the clips in that "
            "size, or build the model for theirs (input_shape=…)."
        )
    if preprocess is not None:
        frames = np.asarray(preprocess(frames), "float32")
    return frames, real


def _look(model, frames, real, batch_size):
    """Features (time, features) of the frames of one clip.

    Every batch is filled up to the same size: a compiled model would be compiled again for each other one.
    """
    shown = frames[real]
    filled = np.concatenate([shown, np.zeros((-len(shown) % batch_size, *frames.shape[1:]), "float32")])
    parts = [filled[start : start + batch_size] for start in range(0, len(filled), batch_size)]
    answers = [np.asarray(model.predict_on_batch(part)) for part in parts]
    if answers and answers[0].ndim != 2:
        raise ValueError(
            f"The model answers with shape {answers[0].shape}; expected (batch, features). Of keras.applications, pass "
            'one with include_top=False and pooling="avg".'
        )
    features = np.concatenate(answers)[: len(shown)] if answers else np.zeros((0, 0))
    rows = np.zeros((len(frames), features.shape[1]), "float32")
    rows[real] = features
    return rows


def _stack(found):
    """Rows of different lengths as one array, zeros behind the shorter ones."""
    if not found:
        raise ValueError("There is no clip; pass at least one.")
    stacked = np.zeros((len(found), max(map(len, found)), max(rows.shape[1] for rows in found)), "float32")
    for clip, rows in zip(stacked, found, strict=True):
        clip[: len(rows), : rows.shape[1]] = rows
    return stacked


def _read(path):
    """What a cache file holds, {key: rows}; nothing where there is no file."""
    if path is None or not path.exists():
        return {}
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as kept:
            return {key: kept[key] for key in kept.files}
    except Exception as problem:  # a damaged file can raise anything, from zlib's errors to a lack of memory
        raise ValueError(f"The features in {path.name} cannot be read ({problem}); delete the file.") from problem


def _write(path, known):
    """Write a cache file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part, open(part, "xb") as file:
        np.savez(file, **known)
