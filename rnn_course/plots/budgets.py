"""Pictures of what a model reaches for the minutes it is given."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from rnn_course.plots.rows import reference_lines
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import (
    BAND_ALPHA,
    PUBLISHED_STYLE,
    axes_or_new,
    band_note,
    color_of,
    label_axes,
    label_lines,
)

MARK_STYLE = {"marker": "D", "markersize": 6, "linestyle": "none", "color": PUBLISHED_STYLE["color"], "zorder": 4}


def plot_against_minutes(
    curves,
    *,
    marks=None,
    levels=None,
    log_minutes=False,
    limits=None,
    quantity="validation loss (nats per character)",
    title=None,
    ax=None,
):
    """Draw the loss against the minutes of training, with what others reached and what needs no training.

    Several seeds of one run are drawn as their mean with a band from the lowest to the highest. Beside each name stands
    its number: of a run the last one.

    Args:
        curves: label -> (minutes, values), each (points,), or (seeds, points) for several seeds, whose minutes are
            averaged too. A label that names a cell gets the cell's color.
        marks: label -> (minute, value) of a published result, drawn as a diamond with a dotted line to its name; or
            label -> a number where its minutes are not known, drawn as a dotted line.
        levels: label -> a number, the baselines, drawn dashed and black.
        log_minutes: whether the minutes are on a log scale, which needs them above 0.
        limits: the two ends of the vertical axis, what lies beyond being neither drawn nor named; what there is
            decides when `None`.
        quantity: what the values are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds the mean of its seeds.

    Raises:
        ValueError: there is no curve, minutes and values differ in shape or are not finite, minutes do not grow, or
            a minute is not above 0 on a log scale.

    >>> from matplotlib.figure import Figure
    >>> run = {"GRU": ([1, 2, 3], [2.5, 2.0, 1.75])}
    >>> ax = plot_against_minutes(run, levels={"5-gram": 1.5}, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['GRU 1.75', '5-gram 1.50']
    """
    runs = _checked_runs(curves, log_minutes)
    points, lines = _checked_marks({} if marks is None else marks, log_minutes)
    references = reference_lines(levels, lines)
    ax = axes_or_new(ax)
    labels = [_draw_run(ax, *run, label, index) for index, (label, run) in enumerate(runs.items())]
    for label, value, style in references:
        ax.axhline(value, label=label, zorder=1, **style)
    _draw_points(ax, points)
    _set_scales(ax, log_minutes, limits)
    for minute, value in points.values():
        ax.plot([minute, ax.get_xlim()[1]], [value, value], zorder=1, **PUBLISHED_STYLE)
    label_axes(ax, x="minutes of training" + _note(runs), y=quantity, title=title)
    labels += [(value, label, style["color"]) for label, value, style in references]
    labels += [(value, label, PUBLISHED_STYLE["color"]) for label, (_, value) in points.items()]
    low, high = sorted(ax.get_ylim())
    shown = [(value, f"{label} {value:#.3g}", color) for value, label, color in labels if low <= value <= high]
    label_lines(ax, shown)
    return ax


def _checked_runs(curves, log_minutes):
    """Bring every run to label -> minutes and values, (2, seeds, points)."""
    if not isinstance(curves, Mapping) or not curves:
        raise ValueError(f'`curves` must be a dict such as {{"LSTM": (minutes, values)}}; got {curves!r}.')
    return {label: _checked_run(run, f"curves[{label!r}]", log_minutes) for label, run in curves.items()}


def _checked_run(run, name, log_minutes):
    """One run as (2, seeds, points), checked."""
    run = as_numbers(run, name)
    run = run[:, None] if run.ndim == 2 else run
    if run.ndim != 3 or len(run) != 2 or not run.size or not np.isfinite(run).all():
        raise ValueError(
            f"`{name}` must be (minutes, values), each (points,) or (seeds, points), and finite; got an array of "
            f"shape {run.shape}. Pass as many values as minutes."
        )
    if (np.diff(run[0]) <= 0).any() or (log_minutes and (run[0] <= 0).any()):
        raise ValueError(f"The minutes of `{name}` must grow, and be above 0 on a log scale; got {run[0].tolist()}.")
    return run


def _checked_marks(marks, log_minutes):
    """The published results with minutes, label -> (minute, value), and those without, label -> value."""
    marks = {label: as_numbers(mark, f"marks[{label!r}]") for label, mark in marks.items()}
    for label, mark in marks.items():
        early = mark.shape == (2,) and (mark[0] < 0 or (log_minutes and mark[0] == 0))
        if mark.shape not in ((), (2,)) or not np.isfinite(mark).all() or early:
            raise ValueError(
                f"`marks[{label!r}]` must be (minute, value), or a value alone, with a minute above 0; got {mark}."
            )
    points = {label: mark for label, mark in marks.items() if mark.shape == (2,)}
    return points, {label: mark for label, mark in marks.items() if label not in points}


def _draw_run(ax, minutes, values, label, index):
    """Draw the mean of (seeds, points) and the range around it; returns what `label_lines` needs."""
    color = color_of(label, index, taken=[line.get_color() for line in ax.lines])
    if len(values) > 1:
        low, high = np.percentile(values, (0, 100), axis=0)
        ax.fill_between(minutes.mean(axis=0), low, high, color=color, alpha=BAND_ALPHA, linewidth=0)
    size = 4 if values.shape[1] == 1 else 0
    ax.plot(minutes.mean(axis=0), values.mean(axis=0), marker="o", markersize=size, color=color, label=label, zorder=3)
    return values.mean(axis=0)[-1], label, color


def _draw_points(ax, points):
    """Draw a diamond for each published result, label -> (minute, value)."""
    for label, (minute, value) in points.items():
        ax.plot([minute], [value], label=label, **MARK_STYLE)


def _set_scales(ax, log_minutes, limits):
    """Set both axes for good: minutes from 0, or on a log scale that is labeled with plain numbers."""
    ax.margins(x=0.03, y=0.12)
    if log_minutes:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(ax.get_xlim() if log_minutes else (0, ax.get_xlim()[1]))
    if limits is not None:
        ax.set_ylim(*limits)


def _note(runs):
    """Say what a band stands for."""
    note = band_note(run.shape[1] for run in runs.values())
    return note and f"\n{note}"
