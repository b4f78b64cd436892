"""A picture of one figure taken apart: by the length of a text, by the place of a word, by any ordered groups."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.page import settle, size_in_points, text_width, wrapped
from rnn_course.plots.steps import as_numbers, last_known
from rnn_course.plots.style import (
    BAND_ALPHA,
    BASELINE_STYLE,
    TEXT_SIZE,
    axes_or_new,
    band_note,
    color_of,
    label_axes,
    label_lines,
)

NOTE_OVERHANG = 50  # points that a centered note may be wider than the Axes: labels stand on both sides of it


def plot_breakdown(curves, *, groups, counts=None, x, y, baseline=None, title=None, ax=None):
    """Draw a figure for each of some ordered groups, one line for each model.

    Several seeds of one model are drawn as their mean with a band from the lowest to the highest.

    Args:
        curves: label -> (groups,) numbers, or (seeds, groups); NaN where a group has none. A label that names a cell
            gets the cell's color.
        groups: (groups,) names in order, such as "1–5" or numbers.
        counts: (groups,) int, how many examples each group holds, written below its name; left out when `None`.
        x: what the groups are, with their unit.
        y: what the values are, with their unit.
        baseline: what to beat, dashed and black: a number, (groups,) numbers, or label -> one of these.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes, group i at i; the line of each label holds the mean of its seeds, (groups,).

    Raises:
        ValueError: there is no curve or no group, or the number of values or counts is not that of the groups.

    >>> from matplotlib.figure import Figure
    >>> curves = {"LSTM": [0.5, 0.25]}
    >>> ax = plot_breakdown(curves, groups=["short", "long"], x="sentence", y="BLEU", ax=Figure().subplots())
    >>> ax.lines[0].get_ydata().tolist()
    [0.5, 0.25]
    """
    groups = [f"{group:g}" if isinstance(group, float | np.floating) else str(group) for group in groups]
    runs = _checked_runs(curves, len(groups))
    counts = _checked_counts(counts, len(groups))
    lines = _checked_baselines(baseline, len(groups))
    ax = axes_or_new(ax)
    labels = [_draw_run(ax, values, label, index) for index, (label, values) in enumerate(runs.items())]
    labels += [_draw_baseline(ax, values, label) for label, values in lines.items()]
    ax.set_xlim(-0.3, len(groups) - 0.7)
    ax.margins(y=0.1)
    label_axes(ax, x=x, y=y, title=title)
    names = label_lines(ax, labels)  # they take room from what stands below the axis
    _name_groups(ax, groups, counts)
    _add_notes(ax, _notes(runs, counts))
    for name in names:
        name.remove()
    label_lines(ax, labels)  # and that moves them
    return ax


def _checked_runs(curves, groups):
    """Bring every curve to label -> (seeds, groups)."""
    if not isinstance(curves, Mapping) or not curves or not groups:
        raise ValueError(
            f'`curves` must be a dict such as {{"LSTM": [0.5, 0.4]}} with a value for each of at least one group; got '
            f"{curves!r} and {groups} groups."
        )
    runs = {label: np.atleast_2d(as_numbers(values, f"curves[{label!r}]")) for label, values in curves.items()}
    for label, values in runs.items():
        if values.ndim != 2 or not len(values) or values.shape[1] != groups or np.isinf(values).any():
            raise ValueError(
                f"`curves[{label!r}]` has shape {np.shape(curves[label])}; expected ({groups},) or (seeds, {groups}) "
                "finite numbers, one for each group, NaN where there is none."
            )
        if np.isnan(values).any(axis=0).all():
            raise ValueError(
                f"`curves[{label!r}]` has no group with a number from every seed, so there is no mean to draw. Leave "
                "the seeds out that failed."
            )
    return runs


def _checked_counts(counts, groups):
    """The number of examples of each group as a list of int; None stays None."""
    if counts is None:
        return None
    counts = as_numbers(counts, "counts")
    if counts.shape != (groups,) or (counts < 0).any() or (counts % 1 != 0).any():
        raise ValueError(f"`counts` must be ({groups},) numbers of examples, one for each group; got {counts}.")
    return counts.astype(int).tolist()


def _checked_baselines(baseline, groups):
    """Bring every accepted form of baseline to label -> (groups,)."""
    baseline = {} if baseline is None else baseline if isinstance(baseline, Mapping) else {"baseline": baseline}
    lines = {label: as_numbers(values, f"baseline[{label!r}]") for label, values in baseline.items()}
    for label, values in lines.items():
        if values.shape not in ((), (groups,)) or np.isinf(values).any() or np.isnan(values).all():
            raise ValueError(
                f"`baseline[{label!r}]` must be a finite number or ({groups},) of them, one for each group; got "
                f"{baseline[label]!r}."
            )
    return {label: np.broadcast_to(values, (groups,)) for label, values in lines.items()}


def _draw_run(ax, values, label, index):
    """Draw the mean of (seeds, groups) and the range around it; returns what `label_lines` needs."""
    color = color_of(label, index, taken=[line.get_color() for line in ax.lines])
    places, mean = np.arange(values.shape[1]), values.mean(axis=0)
    if len(values) > 1:
        ax.fill_between(places, values.min(axis=0), values.max(axis=0), color=color, alpha=BAND_ALPHA, linewidth=0)
    ax.plot(places, mean, marker="o", markersize=4, color=color, label=label, zorder=3)
    return last_known(mean), label, color


def _draw_baseline(ax, values, label):
    """Draw a line to beat, (groups,), over the whole width; returns what `label_lines` needs."""
    places = np.arange(len(values), dtype=float)
    if (values == values[0]).all():
        places[[0, -1]] = -0.3, len(values) - 0.7
    if len(values) == 1:
        places, values = np.array([-0.3, 0.3]), np.repeat(values, 2)
    ax.plot(places, values, label=label, zorder=2, **BASELINE_STYLE)
    return last_known(values), label, BASELINE_STYLE["color"]


def _notes(runs, counts):
    """Say what the second line of the tick labels and a band stand for; "" where there is neither."""
    below = "below each: number of examples" if counts is not None else ""
    return "; ".join(filter(None, [below, band_note(map(len, runs.values()))]))


def _add_notes(ax, notes):
    """Write notes under the axis label, no wider than the Axes and what lies left of it."""
    if notes:
        settle(ax)
        ax.set_xlabel(f"{ax.get_xlabel()}\n{wrapped(notes, size_in_points(ax)[0] + NOTE_OVERHANG, TEXT_SIZE)}")


def _name_groups(ax, groups, counts):
    """Write the names of the groups, and their counts below, as many as there is room for."""
    names = groups if counts is None else [f"{name}\n{count:,}" for name, count in zip(groups, counts, strict=True)]
    ax.set_xticks([0], names[:1], size=TEXT_SIZE)  # as high as all of them will be
    settle(ax)
    room = size_in_points(ax)[0] / np.ptp(ax.get_xlim())
    widest = max(text_width(line, TEXT_SIZE) for name in names for line in name.split("\n"))
    every = max(1, int(np.ceil((widest + 8) / room)))
    for label in ax.set_xticks(range(0, len(names), every), names[::every], size=TEXT_SIZE):
        label.label1.set_parse_math(False)
