"""A picture of confusion: what is called what, and how often."""

import numpy as np

from rnn_course.plots.page import settle, size_in_points, text_width
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import MAGNITUDE, TEXT_SIZE, axes_or_new, label_axes, text_on

ROW_POINTS = 3.2 * TEXT_SIZE


def plot_confusion(counts, names, *, title=None, ax=None):
    """Draw a confusion matrix: a row for each true class, a column for each predicted one.

    Colors show which share of its row a cell holds, from 0 to 1 in every picture, so that rare classes are seen as well
    as frequent ones; the numbers are counts and shares.

    Args:
        counts: (classes, classes) int, how many examples of a class (row) are called so (column), such as
            `sklearn.metrics.confusion_matrix`.
        names: (classes,) words, what the classes are called.
        title: the finding.
        ax: where to draw; a new figure, higher for many classes, when `None`.

    Returns:
        The Axes; its image holds the share of each row, (classes, classes), 0 in a row without examples.

    Raises:
        ValueError: the shapes do not fit, or the numbers are no counts.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_confusion([[3, 1], [0, 4]], ["no", "yes"], ax=Figure().subplots())
    >>> ax.images[0].get_array().tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    counts, names = _checked_counts(counts, names)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = axes_or_new(ax, height=max(3.0, 1.3 + len(names) * ROW_POINTS / 72))
    image = ax.imshow(shares, aspect="auto", interpolation="nearest", cmap=MAGNITUDE, vmin=0, vmax=1)
    ax.figure.colorbar(
        image, ax=ax, label="share of the true class", pad=0.02, aspect=18, ticks=[0, 0.25, 0.5, 0.75, 1]
    )
    label_axes(ax, x="predicted class", y="true class", title=title)
    _label_classes(ax, names)
    _write_numbers(ax, counts, shares)
    return ax


def _checked_counts(counts, names):
    """The counts as (classes, classes) int, and the names as words, checked."""
    counts, names = as_numbers(counts, "counts"), [str(name) for name in names]
    if not names or counts.shape != (len(names), len(names)):
        raise ValueError(
            f"`counts` has shape {counts.shape} and there are {len(names)} names; expected (classes, classes), and a "
            "name for each class."
        )
    if not ((counts >= 0) & (counts % 1 == 0)).all():
        raise ValueError("`counts` must be whole numbers from 0 on; pass how many, not shares: those are drawn anyway.")
    return counts.astype(int), names


def _label_classes(ax, names):
    """Write the names on both sides; those below slanted where they would touch."""
    places = range(len(names))
    ax.set_yticks(places, names, size=TEXT_SIZE)
    settle(ax)
    room = size_in_points(ax)[0] / len(names)
    level = room > max(text_width(name, TEXT_SIZE) for name in names) + 4
    slant = {} if level else {"rotation": 45 if room > 1.7 * TEXT_SIZE else 90, "ha": "right"}
    slant |= {} if level else {"rotation_mode": "anchor", "va": "center" if slant["rotation"] == 90 else "top"}
    ax.set_xticks(places, names, size=TEXT_SIZE, **slant)
    ax.tick_params(length=0)
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        label.set_parse_math(False)


def _write_numbers(ax, counts, shares):
    """Write count and share into each cell, the share alone where cells are narrow, nothing where they are small."""
    settle(ax)
    width, height = size_in_points(ax) / len(counts)
    numbers, parts = ([f"{each:{form}}" for each in values.flat] for values, form in ((counts, ","), (shares, ".0%")))
    widest, narrow = (max(text_width(text, TEXT_SIZE) for text in texts) + 4 for texts in (numbers + parts, parts))
    if width < narrow or height < 1.3 * TEXT_SIZE:
        return
    texts = parts
    if width > widest and height > 2.5 * TEXT_SIZE:
        texts = [f"{number}\n{part}" for number, part in zip(numbers, parts, strict=True)]
    for (row, column), share, text in zip(np.ndindex(counts.shape), shares.flat, texts, strict=True):
        color = text_on(MAGNITUDE(float(share)))
        ax.text(column, row, text, color=color, size=TEXT_SIZE, ha="center", va="center")
