"""What pictures over time share: one sequence out of a batch, its real steps, and the words under the axis."""

from dataclasses import fields, is_dataclass

import numpy as np

from rnn_course.plots.page import size_in_points, text_width
from rnn_course.plots.style import TEXT_SIZE, hatch_masked

LONGEST_WORD = 14


def one_sequence(values, *, axes, name, example=0):
    """Take one sequence out of a batch, or the one that was given.

    Args:
        values: (time, …) numbers, or (batch, time, …).
        axes: the names of the axes of one sequence, such as ("time", "units").
        name: what the caller calls the array, for the message.
        example: which sequence of a batch.

    Returns:
        float array of shape `axes`.

    Raises:
        ValueError: the shape fits neither form, an axis is empty, or there is no such example.
    """
    array = as_numbers(values, name)
    one, many = ", ".join(axes), ", ".join(("batch", *axes))
    if array.ndim not in (len(axes), len(axes) + 1) or 0 in array.shape:
        raise ValueError(
            f"`{name}` has shape {array.shape}; expected ({one}) for one sequence or ({many}) with `example`, "
            "and no empty axis."
        )
    if array.ndim == len(axes):
        return array
    if not -len(array) <= example < len(array):
        raise ValueError(f"There is no example {example}: `{name}` holds {len(array)} sequences, counted from 0.")
    return array[example]


def as_numbers(values, name):
    """Read something as a float array, or say what it is instead.

    Args:
        values: numbers in any shape.
        name: str, what the caller calls them, for the message.

    Returns:
        float array of the same shape.

    Raises:
        ValueError: the rows are of different lengths, or hold no numbers; or a probe's whole result came, not one of
            its arrays.
    """
    if is_dataclass(values):
        held = [field.name for field in fields(values) if isinstance(getattr(values, field.name), np.ndarray | dict)]
        made = [f"{method}()" for method, part in vars(type(values)).items() if method[0] != "_" and callable(part)]
        parts = ", ".join(f".{part}" for part in held + made)
        raise ValueError(f"`{name}` is a whole {type(values).__name__}; pass the part that is to be drawn: {parts}.")
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"`{name}` must hold numbers in equally long rows: {problem}.") from problem


def real_steps(mask, values, *, example=0):
    """Which steps the network read: those the mask says, without those that hold nothing but NaN.

    Args:
        mask: (time,) or (batch, time) bool, True at the real steps; `None` where NaN alone marks the others.
        values: (time,) or (time, units) numbers of the one sequence.
        example: which sequence of a batch the mask is taken from.

    Returns:
        (time,) bool.

    Raises:
        ValueError: the mask has another number of steps, or no step is real.
    """
    real = ~np.isnan(values).reshape(len(values), -1).all(axis=1)
    if mask is not None:
        read = one_sequence(mask, axes=("time",), name="mask", example=example).astype(bool)
        if len(read) != len(real):
            raise ValueError(f"`mask` has {len(read)} steps, the values have {len(real)}; both must be one sequence.")
        real &= read
    if not real.any():
        raise ValueError("No step is real: at each one `mask` is False or every value NaN; True marks the real steps.")
    return real


def last_known(values):
    """The last number of a line that is one, where its name belongs.

    Args:
        values: (steps,) numbers, NaN where there is none.

    Returns:
        A scalar; NaN where all of them are.

    >>> float(last_known(np.array([1.0, 2.0, np.nan])))
    2.0
    """
    known = values[~np.isnan(values)]
    return known[-1] if known.size else np.nan


def words_at(tokens, real):
    """Lay the words of a sequence beside its steps.

    Args:
        tokens: (time,) words, or one word for each real step.
        real: (time,) bool, True at the real steps.

    Returns:
        A list of `time` words, "" at the masked steps.

    Raises:
        ValueError: there are neither as many words as steps nor as many as real steps.
    """
    tokens, positions = [readable(token) for token in tokens], np.flatnonzero(real)
    if len(tokens) == len(real):
        tokens = [tokens[position] for position in positions]
    elif len(tokens) != len(positions):
        raise ValueError(
            f"{len(tokens)} tokens do not fit {len(real)} steps, {len(positions)} of them real; "
            "pass one token for each step or one for each real step."
        )
    words = dict(zip(positions.tolist(), tokens, strict=True))
    return [words.get(step, "") for step in range(len(real))]


def readable(token):
    """A token as it can be shown on one line: visible white space, and no longer than `LONGEST_WORD`.

    Args:
        token: a word or a character.

    Returns:
        A str.

    >>> readable("\\n"), readable("internationalization")
    ('↵', 'international…')
    """
    text = str(token).replace("\n", "↵").replace("\t", "⇥")
    if text == " ":
        return "␣"
    return text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "…"


def label_steps(ax, real, *, tokens=None, note=None):
    """Give an Axes its time axis: limits, words if there are any, and hatching where the mask is False.

    Args:
        ax: an Axes whose horizontal axis counts time steps from 0.
        real: (time,) bool, True at the real steps.
        tokens: (time,) words or one for each real step; step numbers when `None`.
        note: a second line under the axis, such as what a band means.
    """
    ax.set_xlim(-0.5, len(real) - 0.5)
    label = "time step"
    if tokens is None:
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=6)
    else:
        every = _write_words(ax, words_at(tokens, real), real)
        ordinal = {1: "each", 2: "every second", 3: "every third"}.get(every, f"every {every}th")
        label = f"token at {ordinal} time step"
    ax.set_xlabel(label if note is None else f"{label}\n{note}")
    hatch_masked(ax, real)


def _write_words(ax, words, real):
    """Write words under their real steps: level, slanted, upright, or only every n-th; returns that n."""
    room = size_in_points(ax)[0] / len(words)
    every = max(1, int(np.ceil(1.15 * TEXT_SIZE / room)))
    level = room > max(text_width(word, TEXT_SIZE) for word in words) + 4
    slant = {} if level else {"rotation": 45 if room > 1.7 * TEXT_SIZE else 90}
    if not level:
        slant |= {"ha": "right", "rotation_mode": "anchor", "va": "center" if slant["rotation"] == 90 else "top"}
    steps = np.flatnonzero(real)[::every]
    for label in ax.set_xticks(steps, [words[step] for step in steps], size=TEXT_SIZE, **slant):
        label.label1.set_parse_math(False)
    return every
