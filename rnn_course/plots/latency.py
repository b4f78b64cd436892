"""Pictures of what a step costs: several ways to take one, and how the cost grows with the steps taken before."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import NullFormatter

from rnn_course.plots.rows import checked_scores, draw_references, reference_lines, rows_axes
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import BAND_ALPHA, TEXT_SIZE, axes_or_new, color_of, colors_of, label_axes, label_lines

SPREAD = (10, 90)  # percent
ROOM = 1.6  # a factor, left and right of everything shown


def plot_latency(times, *, baseline=None, colors=None, unit="µs", title=None, ax=None):
    """Draw how long each of several ways takes, on a log scale: one row each, a median and the middle eight tenths.

    Args:
        times: label -> a number, or (repeats,) numbers, all positive; the first label is on top.
        baseline: a number, or label -> number: times to compare with, drawn dashed and black.
        colors: label -> matplotlib color; without an entry, a label has the color of the cell it names.
        unit: str, the unit of all of them.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; row i is at height i, a dot at its median, which is also written at the right.

    Raises:
        ValueError: there is no time, or one is not a positive number.
    """
    rows, references = checked_scores(times, "times"), reference_lines(baseline, None)
    for label, values in [*rows.items(), *((label, value) for label, value, _ in references)]:
        if np.min(values) <= 0:
            raise ValueError(f"The time of {label!r} must be above 0 to stand on a log scale; got {np.min(values)}.")
    edges = {label: np.percentile(values, (SPREAD[0], 50, SPREAD[1])) for label, values in rows.items()}
    ax = rows_axes(ax, rows, references)
    ax.set_xscale("log")
    for height, label in enumerate(rows):
        color = (colors or {}).get(label, color_of(label, 0))
        low, middle, high = edges[label]
        ax.plot([low, high], [height, height], color=color, linewidth=5, alpha=0.35, solid_capstyle="butt")
        ax.plot(middle, height, "o", color=color, markersize=7, label=label)
        _write(ax, height, f"{middle:,.0f} {unit}" if middle >= 10 else f"{middle:.1f} {unit}")
    shown = [*np.ravel(list(edges.values())), *(value for _, value, _ in references)]
    ax.set_xlim(min(shown) / ROOM, max(shown) * ROOM)
    ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    draw_references(ax, references)
    several = any(len(values) > 1 for values in rows.values())
    note = "\ndots: medians, bars: the middle eight tenths" if several else ""
    label_axes(ax, x=f"time of one step ({unit}){note}", title=title)
    return ax


def _write(ax, height, text):
    """Write a row's number right of the Axes."""
    place = {"xycoords": ax.get_yaxis_transform(), "xytext": (6, 0), "textcoords": "offset points"}
    ax.annotate(text, xy=(1, height), va="center", size=TEXT_SIZE, annotation_clip=False, **place)


def plot_cost(costs, *, quantity, bands=None, colors=None, lowest=None, title=None, ax=None):
    """Draw what a step costs against the number of steps that came before it, both on a log scale.

    A cost that does not depend on the past is a level line; one that is proportional to it rises by a decade a decade.

    Args:
        costs: label -> a pair of arrays, (lengths,) steps and (lengths,) costs, all positive. A label that names a cell
            has its color.
        quantity: what the costs are, with the unit.
        bands: label -> (2, lengths), a lower and an upper edge around the line of that label; or `None`.
        colors: label -> matplotlib color.
        lowest: where the vertical axis begins; a little below the lowest cost when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; each line has the label's name.

    Raises:
        ValueError: a shape does not fit, or something is not positive.
    """
    curves = _checked_costs(costs)
    colors = colors_of(curves, colors)
    ax = axes_or_new(ax)
    ax.set(xscale="log", yscale="log")
    for label, (steps, values) in curves.items():
        if label in (bands or {}):
            edges = _checked_band(bands[label], label, len(steps))
            ax.fill_between(steps, *edges, color=colors[label], alpha=BAND_ALPHA, linewidth=0)
        ax.plot(steps, values, color=colors[label], marker="o", markersize=4, label=label)
    if lowest is not None:
        ax.set_ylim(bottom=lowest)
    low, high = np.log10(ax.get_ylim())
    if np.ceil(low) <= np.floor(high):  # a power of ten stands on the axis
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(color="#E4E4E4", linewidth=0.6)
    label_axes(ax, x="steps read before", y=quantity, title=title)
    label_lines(ax, [(values[-1], label, colors[label]) for label, (_, values) in curves.items()])
    return ax


def _checked_costs(costs):
    """Pairs of (lengths,) arrays by label."""
    if not isinstance(costs, Mapping) or not costs:
        raise ValueError(f'`costs` must be a dict such as {{"LSTM": (steps, costs)}}; got {type(costs).__name__}.')
    curves = {}
    for label, pair in costs.items():
        array = as_numbers(pair, f"costs[{label!r}]")
        if array.ndim != 2 or len(array) != 2 or not array.size or not (np.isfinite(array) & (array > 0)).all():
            raise ValueError(
                f"`costs[{label!r}]` must be two equally long rows of positive numbers, steps and costs; "
                f"got shape {array.shape}. Count steps from 1: a log scale has no 0."
            )
        curves[label] = array
    return curves


def _checked_band(band, label, lengths):
    """The two edges of a band, (2, lengths)."""
    edges = as_numbers(band, f"bands[{label!r}]")
    if edges.shape != (2, lengths):
        raise ValueError(f"`bands[{label!r}]` has shape {edges.shape}; expected (2, {lengths}): lower and upper edge.")
    return edges
