"""Frames of music as a network reads and writes them, and what it pays for a frame in nats.

A frame is a set of keys. Either each key is a yes or no of its own, or the keys are chosen one after the other from the
highest to the lowest, each knowing the ones before: choice 0 says "no further key", choice k + 1 says key k. Every set
has exactly one such list, so both kinds of network are paid for the same thing and their nats may be compared.
"""

import numpy as np


def pad_rolls(rolls, *, length=None):
    """Put tunes of different lengths into one array, with silence behind the shorter ones.

    Args:
        rolls: for each tune `(time, keys)` bool.
        length: how many frames the array has; the longest tune's when None.

    Returns:
        Frames `(batch, time, keys)` float32, 1 where a key sounds, and a mask `(batch, time)` bool.

    Raises:
        ValueError: where there is no tune, the tunes have different numbers of keys, or one is longer than `length`.

    Example:
        >>> frames, mask = pad_rolls([np.ones((1, 2), bool), np.ones((3, 2), bool)])
        >>> frames.shape, mask.sum(axis=1).tolist()
        ((2, 3, 2), [1, 3])
    """
    keys = {np.shape(roll)[1:] for roll in rolls}
    if len(keys) != 1 or len(*keys) != 1:
        raise ValueError(
            f"Came rolls of {sorted(keys)} keys; pass at least one roll, each (time, keys), of equal keys."
        )
    longest = max(map(len, rolls))
    length = longest if length is None else length
    if longest > length:
        raise ValueError(f"The longest tune has {longest} frames, more than length={length}. Pass at least {longest}.")
    frames = np.zeros((len(rolls), length, *keys.pop()), "float32")
    for row, roll in zip(frames, rolls, strict=True):
        row[: len(roll)] = roll
    return frames, np.arange(length) < np.array([len(roll) for roll in rolls])[:, None]


def previous_frames(frames):
    """Shift tunes by one frame: what a network has heard when it must foretell each one.

    Args:
        frames: `(batch, time, keys)`.

    Returns:
        The same shape and dtype; the first frame is silence, the last one is gone.

    Example:
        >>> previous_frames(np.array([[[1, 0], [0, 1]]])).tolist()
        [[[0, 0], [1, 0]]]
    """
    return np.concatenate([np.zeros_like(frames[:, :1]), frames[:, :-1]], axis=1)


def list_choices(frames, *, slots):
    """List the keys of every frame from the highest to the lowest.

    Args:
        frames: `(…, keys)`, 1 or True where a key sounds.
        slots: int, how many choices a frame has: the most keys that may sound together.

    Returns:
        `(…, slots)` int32: k + 1 for key k, then 0 for "no further key".

    Raises:
        ValueError: where more keys sound in a frame than there are slots, or a key is NaN.

    Example:
        >>> list_choices(np.array([[1, 0, 1, 1], [0, 0, 0, 0]]), slots=3).tolist()
        [[4, 3, 1], [0, 0, 0]]
    """
    frames = np.asarray(frames)
    if frames.dtype.kind == "f" and np.isnan(frames).any():
        raise ValueError(f"{int(np.isnan(frames).sum())} keys are NaN, neither on nor off; pass 1 or 0 for each.")
    sounding = frames > 0
    most = int(sounding.sum(axis=-1).max(initial=0))
    if most > slots:
        raise ValueError(f"A frame has {most} keys, more than slots={slots}. Pass at least {most}.")
    numbers = np.where(sounding, np.arange(1, sounding.shape[-1] + 1), 0)
    highest_first = np.sort(numbers, axis=-1)[..., ::-1]
    missing = max(0, slots - sounding.shape[-1])
    padded = np.pad(highest_first, [(0, 0)] * (sounding.ndim - 1) + [(0, missing)])
    return padded[..., :slots].astype("int32")


def press_choices(choices, *, keys):
    """Press the keys that were chosen; `list_choices` in reverse.

    Args:
        choices: `(…, slots)` int: k + 1 for key k, 0 for "no further key".
        keys: int, how many keys there are.

    Returns:
        `(…, keys)` bool.

    Raises:
        ValueError: where a choice is no integer from 0 to `keys`.

    Example:
        >>> press_choices(np.array([[4, 3, 1], [0, 0, 0]]), keys=4).astype(int).tolist()
        [[1, 0, 1, 1], [0, 0, 0, 0]]
    """
    choices = _checked_choices(choices, keys + 1)
    pressed = np.zeros((*choices.shape[:-1], keys + 1), bool)
    np.put_along_axis(pressed, choices, True, axis=-1)
    return pressed[..., 1:]


def key_nats(logits, frames):
    """Say what a frame costs a network that decides on every key by itself, in nats.

    The sum over the keys of -ln p(what the key did), the convention of Boulanger-Lewandowski et al. (2012).

    Args:
        logits: `(…, keys)`, of each key's own sigmoid.
        frames: `(…, keys)`, 1 where a key sounds, else 0.

    Returns:
        `(…)` float64.

    Raises:
        ValueError: where the numbers of keys differ, a key is neither 0 nor 1, or a logit is not finite.

    Example:
        >>> key_nats(np.zeros((1, 88)), np.zeros((1, 88))).round(2)  # 88 fair coins
        array([61.])
    """
    logits, frames = np.asarray(logits, "float64"), np.asarray(frames)
    if logits.shape[-1:] != frames.shape[-1:] or not ((frames == 0) | (frames == 1)).all():
        raise ValueError(
            f"logits {logits.shape} and frames {frames.shape} of type {frames.dtype} do not fit; expected (…, keys) "
            "twice, 1 where a key sounds, else 0."
        )
    _refuse_not_finite(logits)
    return (np.logaddexp(0, logits) - logits * frames).sum(axis=-1)


def choice_nats(logits, choices):
    """Say what a frame costs a network that chooses key after key, in nats.

    The sum over the slots of -ln p(choice | the choices before): by the chain rule -ln p(the whole set of keys).

    Args:
        logits: `(…, slots, choices)`, each given the right choices of the slots before.
        choices: `(…, slots)` int.

    Returns:
        `(…)` float64.

    Raises:
        ValueError: where the shapes do not fit, a choice has no logit, or a logit is not finite.

    Example:
        >>> choice_nats(np.zeros((1, 2, 4)), np.array([[3, 0]])).round(2)  # two dice with four sides
        array([2.77])
    """
    logits = np.asarray(logits, "float64")
    if logits.shape[:-1] != np.shape(choices):
        raise ValueError(
            f"logits {logits.shape} and choices {np.shape(choices)} do not fit; expected (…, slots, choices) and "
            "(…, slots)."
        )
    choices = _checked_choices(choices, logits.shape[-1])
    _refuse_not_finite(logits)
    logarithms = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return -np.take_along_axis(logarithms, choices[..., None], axis=-1)[..., 0].sum(axis=-1)


def _checked_choices(choices, count):
    """The choices `(…, slots)` as an array; ValueError unless all are integers from 0 to `count - 1`."""
    choices = np.asarray(choices)
    if choices.size and (choices.dtype.kind not in "iu" or choices.min() < 0 or choices.max() >= count):
        raise ValueError(
            f"The choices are of type {choices.dtype}, from {choices.min()} to {choices.max()}; expected integers from "
            f"0, no further key, to {count - 1}, the highest key."
        )
    return choices.astype(int)


def _refuse_not_finite(logits):
    """Raise ValueError where a logit `(…)` is NaN or infinite."""
    if not np.isfinite(logits).all():
        raise ValueError(f"{int((~np.isfinite(logits)).sum())} logits are NaN or infinite. Look for what made them.")
