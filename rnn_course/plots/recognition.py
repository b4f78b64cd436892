"""When did it know? How probable each class was after each frame."""

import numpy as np

from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import SERIES_COLORS, axes_or_new, color_of, label_axes, label_lines

OTHERS = "#B5B5B5"


def plot_recognition(probabilities, *, labels=None, truth=None, title=None, ax=None):
    """Draw how probable each class was after each frame: when did the network know?

    Named are the classes that were ahead after some frame, five at most, and the true one; the others are gray.

    Args:
        probabilities: `(time, classes)` from 0 to 1.
        labels: names of the classes; "class 0", … when `None`.
        truth: an int, the true class: its line is thicker.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; it holds a line of `time` probabilities for each class, labeled by its name.

    Raises:
        ValueError: numbers that are no probabilities, or labels or a truth that do not fit.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_recognition([[0.5, 0.5], [0.9, 0.1]], labels=["left", "right"], ax=Figure().subplots())
    >>> [(line.get_label(), line.get_ydata().tolist()) for line in ax.lines]
    [('left', [0.5, 0.9]), ('right', [0.5, 0.1])]
    """
    chances = _checked_chances(probabilities)
    time, classes = chances.shape
    names = [f"class {index}" for index in range(classes)] if labels is None else [str(label) for label in labels]
    if len(names) != classes or (truth is not None and not 0 <= truth < classes):
        raise ValueError(
            f"There are {classes} classes, {len(names)} labels, and the truth is {truth}; pass a label for each class "
            f"and an index from 0 to {classes - 1}."
        )
    named = _named(chances, truth)
    ax = axes_or_new(ax)
    ax.set(xlim=(-0.5, time - 0.5), ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=8)
    label_axes(ax, x="frame", y="probability", title=title)
    ends = []
    for index in range(classes):
        style = {"color": OTHERS, "linewidth": 1, "zorder": 1}
        if index in named:
            color = color_of("", named.index(index))
            style = {"color": color, "linewidth": 2.6 if index == truth else 1.6, "marker": ".", "zorder": 2}
            ends.append((chances[-1, index], names[index] + (" (true)" if index == truth else ""), color))
        ax.plot(chances[:, index], label=names[index], **style)
    label_lines(ax, ends)
    return ax


def _named(chances, truth):
    """Which classes get a name, best first: those ahead after some frame, five at most, and the true one."""
    ahead = np.unique(chances.argmax(axis=1))
    named = sorted(ahead.tolist(), key=lambda index: -chances[:, index].max())
    first = [] if truth is None else [int(truth)]
    return (first + [index for index in named if index not in first])[: len(SERIES_COLORS)]


def _checked_chances(probabilities):
    """The probabilities (time, classes), checked."""
    chances = as_numbers(probabilities, "probabilities")
    if chances.ndim != 2 or 0 in chances.shape or not ((chances >= 0) & (chances <= 1 + 1e-6)).all():
        shown = f"from {chances.min():g} to {chances.max():g}" if chances.size else "empty"
        raise ValueError(
            f"`probabilities` must be (time, classes) from 0 to 1; got shape {chances.shape}, {shown}. Logits need a "
            "softmax first; of a batch, pick one example."
        )
    return chances
