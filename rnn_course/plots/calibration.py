"""A picture of calibration: of all predictions that a classifier is 80 % sure of, are 80 % right?"""

import numpy as np

from rnn_course.plots.page import settle, size_in_points, text_width, wrapped
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import BASELINE_STYLE, SERIES_COLORS, TEXT_SIZE, axes_or_new, label_axes

COLOR, BAR = SERIES_COLORS[0], "#D6D6D6"
QUANTITY = "probability of the predicted class"
NOTE = "on top: number of predictions; gray: their share"
SURE = 1.96  # standard deviations on each side of a share, for 95 %


def plot_calibration(probabilities, labels, *, bins=10, title=None, ax=None):
    """Draw a reliability diagram: how often predictions are right, against how sure of them the classifier is.

    Predictions are sorted into bins of equal width by their confidence, the probability of the predicted class. Each
    bin that holds any has a dot at its mean confidence and its share of right ones, with a bar over the 95 % interval
    of a share of so many (Wilson 1927), and its number of predictions on top; gray columns show the same numbers as
    shares of all. Dots below the dashed line: the classifier is too sure of itself.

    Source: Guo et al. (2017), figure 1.

    Args:
        probabilities: (batch, classes), rows that sum to 1; of two classes pass both.
        labels: (batch,) int, the true classes.
        bins: how many bins there are between 0 and 1; a bin holds its upper end.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line "accuracy" has a point for each bin that is not empty, the patches a column for each bin.

    Raises:
        ValueError: the shapes do not fit, rows are no probabilities, labels are no classes, or there are no bins.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_calibration([[0.75, 0.25]] * 4, [0, 0, 0, 1], ax=Figure().subplots())
    >>> [line.get_xydata().tolist() for line in ax.lines if line.get_label() == "accuracy"]
    [[[0.75, 0.75]]]
    """
    confidence, right = _checked_predictions(probabilities, labels)
    if bins < 1:
        raise ValueError(f"bins is {bins}; pass 1 or more.")
    place = np.ceil(confidence * bins).astype(int).clip(1, bins) - 1
    counts = np.bincount(place, minlength=bins)
    held = np.flatnonzero(counts)
    mean, share = (np.bincount(place, weights=each)[held] / counts[held] for each in (confidence, right))
    ax = axes_or_new(ax)
    ax.bar((np.arange(bins) + 0.5) / bins, counts / len(right), width=0.96 / bins, color=BAR, zorder=1)
    ax.plot([0, 1], [0, 1], label="as sure as right", zorder=2, **BASELINE_STYLE)
    ax.vlines(mean, *_interval(share, counts[held]), color=COLOR, linewidth=1.6, zorder=3)
    ax.plot(mean, share, "o", color=COLOR, markersize=6, label="accuracy", zorder=4, clip_on=False)
    ax.set(xlim=(max(0, held[0] / bins - 0.02), 1.02), ylim=(0, 1))
    label_axes(ax, y="share that is right", title=title)
    _write_counts(ax, counts, held)
    ax.set_xlabel(f"{QUANTITY}\n{wrapped(NOTE, size_in_points(ax)[0], TEXT_SIZE)}")
    return ax


def _checked_predictions(probabilities, labels):
    """The confidence (batch,) and whether each prediction is right (batch,), checked."""
    probabilities, labels = as_numbers(probabilities, "probabilities"), np.asarray(labels)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"`probabilities` has shape {probabilities.shape} and `labels` {labels.shape}; expected (batch, classes) "
            "with two classes or more, and (batch,). One probability p becomes two: np.stack([1 - p, p], axis=-1)."
        )
    sums = probabilities.sum(axis=1)
    if not len(labels) or not ((probabilities >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            f"`probabilities` {probabilities.shape} must be rows of probabilities, one at least, that sum to 1. Take "
            "the softmax of logits first."
        )
    if labels.dtype.kind not in "iu" or not ((labels >= 0) & (labels < probabilities.shape[1])).all():
        raise ValueError(
            f"`labels` of type {labels.dtype} must be classes: integers from 0 to {probabilities.shape[1] - 1}."
        )
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels


def _interval(share, counts):
    """The two ends of Wilson's interval of shares (bins,) of so many (bins,)."""
    spread = SURE**2 / counts
    middle = (share + spread / 2) / (1 + spread)
    half = np.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return middle - half, middle + half


def _write_counts(ax, counts, held):
    """Write the number of predictions above each bin, as many numbers as there is room for."""
    bins = len(counts)
    settle(ax)
    room = size_in_points(ax)[0] / np.ptp(ax.get_xlim()) / bins
    texts = [f"{counts[place]:,}" for place in held]
    every = max(1, int(np.ceil((max(text_width(text, TEXT_SIZE) for text in texts) + 4) / room)))
    top = ax.secondary_xaxis("top")
    shown = [(place, text) for place, text in zip(held, texts, strict=True) if (held[-1] - place) % every == 0]
    top.set_xticks([(place + 0.5) / bins for place, _ in shown], [text for _, text in shown], size=TEXT_SIZE)
    top.tick_params(length=0, pad=1)
    top.spines["top"].set_visible(False)
