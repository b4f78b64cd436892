"""What pictures of labeled scores share: one row for each label, its spread, its number, and the lines to beat."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import BASELINE_STYLE, PUBLISHED_STYLE, TEXT_SIZE, axes_or_new, ink

ROW_HEIGHT = 0.36
FLAG_HEIGHT = 0.62


def checked_scores(scores, name="scores"):
    """Read labeled scores, one or several for each label.

    Args:
        scores: label -> a number, or (seeds,) numbers.
        name: what the caller calls them, for the message.

    Returns:
        A dict of label -> (seeds,) float array.

    Raises:
        ValueError: it is no dict, is empty, or a label has no finite score.
    """
    if not isinstance(scores, Mapping) or not scores:
        raise ValueError(f'`{name}` must be a dict such as {{"LSTM": [0.81, 0.83]}}; got {scores!r}.')
    rows = {label: np.atleast_1d(as_numbers(values, f"{name}[{label!r}]")) for label, values in scores.items()}
    for label, values in rows.items():
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise ValueError(
                f"`{name}[{label!r}]` must be one finite number or (seeds,) of them; got {scores[label]!r}."
            )
    return rows


def reference_lines(baseline, published):
    """Read the lines to beat.

    Args:
        baseline: a number, label -> number, or `None`.
        published: a number, label -> number, or `None`.

    Returns:
        A list of (label, value, line style).

    Raises:
        ValueError: one of them holds anything but single numbers.
    """
    lines = []
    for name, wish, style in (("baseline", baseline, BASELINE_STYLE), ("published", published, PUBLISHED_STYLE)):
        wish = {} if wish is None else wish if isinstance(wish, Mapping) else {name: wish}
        lines += [(label, _one_number(value, name), style) for label, value in wish.items()]
    return lines


def _one_number(value, name):
    """One finite number, checked."""
    number = as_numbers(value, name)
    if number.ndim or not np.isfinite(number):
        raise ValueError(f"`{name}` must be a finite number, or a dict of label -> number; got {value!r}.")
    return float(number)


def rows_axes(ax, rows, references):
    """Make the Axes of a picture with one row for each label, the first on top.

    Args:
        ax: an Axes, or `None` for a new figure as high as the rows need.
        rows: a dict of label -> (seeds,) scores.
        references: a list of (label, value, line style).

    Returns:
        The Axes, row i at height i, with room above the rows for the names of the references.
    """
    ax = axes_or_new(ax, height=1.1 + ROW_HEIGHT * (len(rows) + FLAG_HEIGHT * len(references)))
    ax.set_ylim(len(rows) - 0.4, -0.6 - FLAG_HEIGHT * len(references))
    ax.set_yticks(range(len(rows)), [str(label) for label in rows])
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=6)
    return ax


def write_values(ax, rows, value_format):
    """Write each row's number at the right: its mean, and the lowest and highest where there are several.

    Args:
        ax: the Axes of `rows_axes`.
        rows: a dict of label -> (seeds,) scores.
        value_format: a format specification, such as ".3f".
    """
    for height, values in enumerate(rows.values()):
        text = format(values.mean(), value_format)
        if len(values) > 1:
            text += f" ({values.min():{value_format}} – {values.max():{value_format}})"
        place = {"xycoords": ax.get_yaxis_transform(), "xytext": (6, 0), "textcoords": "offset points"}
        ax.annotate(text, xy=(1, height), va="center", size=TEXT_SIZE, annotation_clip=False, **place)


def draw_references(ax, references):
    """Draw the lines to beat across the rows, each with its name above them; call it when the limits are set.

    Args:
        ax: the Axes of `rows_axes`.
        references: a list of (label, value, line style).
    """
    bottom = max(ax.get_ylim())
    ax.set_xlim(ax.get_xlim())
    for number, (label, value, style) in enumerate(references):
        top = -0.6 - FLAG_HEIGHT * (len(references) - number - 0.5)
        ax.plot([value, value], [top, bottom], **style, zorder=2, label=label)
        on_the_left = (value - ax.get_xlim()[0]) / np.ptp(ax.get_xlim()) > 0.6
        ax.annotate(
            label,
            xy=(value, top),
            xytext=(-5 if on_the_left else 5, 0),
            textcoords="offset points",
            ha="right" if on_the_left else "left",
            va="center",
            size=TEXT_SIZE,
            color=ink(style["color"]),
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )


def spread_note(rows, what="score"):
    """Say what dots and numbers stand for.

    Args:
        rows: a dict of label -> (seeds,) scores.
        what: what one number of several is, such as "seed".

    Returns:
        A line for under the axis, "" where every label has one number.
    """
    counts = sorted({len(values) for values in rows.values()})
    if counts == [1]:
        return ""
    count = f"{counts[0]}" if len(counts) == 1 else f"up to {counts[-1]}"
    return f"\nmean of {count} {what}s (lowest – highest)"
