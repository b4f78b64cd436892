"""A picture of how long a memory lasts: what is left of a nudge, step by step."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import BAND_ALPHA, TEXT_SIZE, axes_or_new, colors_of, label_axes, label_lines

BAND = (25, 75)


def plot_retention(
    measured, *, predicted=None, scale="log", lowest=1e-3, colors=None, half_life=True, title=None, ax=None
):
    """Draw the share of a nudge that is left in the unit it was given to, against the steps since.

    A solid line is what was measured, a dashed one what the gates alone would leave. Of several units the lines are
    the medians, and a band holds the middle half of what was measured. A memory that loses the same share at every
    step is a straight line on the log scale; a share of zero or below, which has turned over, is a gap in it.

    Args:
        measured: label -> (1 + lags,) shares of one unit or (1 + lags, units), such as `Retention.measured`. A label
            that names a cell ("LSTM", "trained GRU") gets the cell's color.
        predicted: label -> the same shape, such as `Retention.predicted`; None, or no entry, for a label without one.
        scale: "log" or "linear".
        lowest: where the log scale ends: lines that fall below it leave the picture.
        colors: label -> matplotlib color.
        half_life: whether to mark where the line first comes down to one half, and to write after how many steps.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds its medians, (1 + lags,), that of its prediction is named
        "<label>, predicted".

    Raises:
        ValueError: a shape does not fit, there is a prediction without a measurement, or `scale` is neither word.
    """
    if scale not in ("log", "linear"):
        raise ValueError(f'`scale` must be "log" or "linear"; got {scale!r}.')
    curves = _checked_curves(measured, "measured")
    promised = _checked_predictions(predicted, curves)
    colors = colors_of(curves, colors)
    ax = axes_or_new(ax)
    ax.axhline(0.5, color="#8C8C8C", linestyle=":", linewidth=1, zorder=0)
    for label, curve in curves.items():
        _draw_curve(ax, curve, promised.get(label), scale, lowest, color=colors[label], label=label)
    middles = {label: np.median(curve, axis=1) for label, curve in curves.items()}
    fallen = {label: _first_half(middle) for label, middle in middles.items()} if half_life else {}
    for label in (label for label, lag in fallen.items() if lag):
        height = _on_scale(middles[label][fallen[label]], scale)
        ax.plot(fallen[label], height, "o", color=colors[label], markersize=6, zorder=3)
    _set_scale(ax, scale, lowest, longest=max(map(len, curves.values())))
    dashed = " (dashed: if the gates alone decided)" if promised else ""
    label_axes(ax, x=f"steps since the nudge{dashed}{_note(curves)}", y="share of the nudge\nthat is left", title=title)
    names = {label: f"{label}: half after {fallen[label]}" if fallen.get(label) else label for label in curves}
    bottom = ax.get_ylim()[0]
    label_lines(ax, [(max(middles[label][-1], bottom), names[label], colors[label]) for label in curves])
    return ax


def _checked_curves(given, name):
    """Shares by label, each (1 + lags, units)."""
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f'`{name}` must be a dict such as {{"LSTM": retention.measured}}; got {type(given).__name__}.')
    curves = {}
    for label, values in given.items():
        array = as_numbers(values, f"{name}[{label!r}]")
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or 0 in array.shape or not np.isfinite(array).all():
            raise ValueError(
                f"`{name}[{label!r}]` has shape {array.shape}; expected finite shares (1 + lags,) or (1 + lags, units)."
            )
        curves[label] = array
    return curves


def _checked_predictions(predicted, curves):
    """Predictions by label, each of the shape of what was measured; labels with None are left out."""
    given = {label: values for label, values in (predicted or {}).items() if values is not None}
    if not given:
        return {}
    promised = _checked_curves(given, "predicted")
    for label, array in promised.items():
        if label not in curves or array.shape != curves[label].shape:
            has = f"shape {curves[label].shape}" if label in curves else "nothing"
            raise ValueError(f"`predicted[{label!r}]` has shape {array.shape}, `measured[{label!r}]` has {has}.")
    return promised


def _on_scale(line, scale):
    """A line without what has no place on its scale."""
    return np.where(line > 0, line, np.nan) if scale == "log" else line


def _draw_curve(ax, curve, promise, scale, lowest, *, color, label):
    """Draw the median over the units of a (1 + lags, units) curve, a band, and the median of its prediction, if any."""
    if curve.shape[1] > 1:
        edges = np.percentile(curve, BAND, axis=1)
        edges = np.maximum(edges, lowest) if scale == "log" else edges
        ax.fill_between(range(len(curve)), *edges, color=color, alpha=BAND_ALPHA, linewidth=0)
    ax.plot(_on_scale(np.median(curve, axis=1), scale), color=color, label=label)
    if promise is not None:
        line = _on_scale(np.median(promise, axis=1), scale)
        ax.plot(line, "--", color=color, linewidth=1.2, label=f"{label}, predicted")


def _first_half(middle):
    """The first lag at which at most half is left; None if it never falls so far."""
    fallen = np.flatnonzero(np.abs(middle) <= 0.5)
    return int(fallen[0]) if fallen.size else None


def _set_scale(ax, scale, lowest, *, longest):
    """Set both axes, and name the line at one half."""
    if scale == "log":
        ax.set_yscale("log")
        ax.set_ylim(max(ax.dataLim.minposy / 1.3, lowest), 1.5 * ax.dataLim.y1)
    ax.set_xlim(0, max(longest - 1, 1))
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    place = {"xycoords": ax.get_yaxis_transform(), "xytext": (-3, 3), "textcoords": "offset points"}
    ax.annotate("½", xy=(1, 0.5), ha="right", va="bottom", color="#555555", size=TEXT_SIZE, **place)


def _note(curves):
    """Say what the line and the band of several units are."""
    sizes = sorted({curve.shape[1] for curve in curves.values()})
    count = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return "" if sizes == [1] else f"\nmedian of {count} units, band: the middle half"
