"""Pictures of a stream: what was expected and what came, the surprise under it, changes and alarms."""

import numpy as np

from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import CELL_COLORS, NEGATIVE, POSITIVE, axes_or_new, label_axes

BAND_WIDTH = 2  # standard deviations on either side of the mean
CHANGE_STYLE = {"color": "#555555", "linestyle": (0, (4, 3)), "linewidth": 0.9, "zorder": 0.5}
HATCH = {"facecolor": "none", "edgecolor": "#B5B5B5", "hatch": "////", "linewidth": 0, "zorder": 0.4}


def plot_forecast(
    values, mean, spread, *, changes=(), start=0, color=CELL_COLORS["lstm"], quantity="sensor", title=None, ax=None
):
    """Draw what a sensor said, and the band in which each value had been expected one step before it came.

    Args:
        values: (time,) what came.
        mean: (time,) what was expected at the same steps.
        spread: (time,) standard deviations of the expectation, never negative.
        changes: (changes,) steps at which something really changed; those outside the picture are left out.
        start: the step of the first value.
        color: the forecast's matplotlib color.
        quantity: what the sensor measures, with the unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its lines "expected" and "came" hold (time,) values, the band is two standard deviations wide on
        either side.

    Raises:
        ValueError: the three are not equally long rows of numbers, or one has no finite number.
    """
    rows = _equal_rows(values=values, mean=mean, spread=spread)
    ax = axes_or_new(ax)
    steps = start + np.arange(len(rows["values"]))
    rows = {name: np.where(np.isfinite(row), row, np.nan) for name, row in rows.items()}
    missing = np.isnan(list(rows.values())).any(axis=0)
    low, high = (rows["mean"] + sign * BAND_WIDTH * rows["spread"] for sign in (-1, 1))
    ax.fill_between(steps, low, high, color=color, alpha=0.28, linewidth=0, label="band")
    ax.plot(steps, rows["mean"], color=color, linewidth=1, label="expected")
    ax.plot(steps, rows["values"], "o", color="#222222", markersize=1.6, label="came")
    _frame(ax, steps, changes)
    ax.set_xlabel("time step\ndots: what came; band: two standard deviations around what was expected")
    _hatch_missing(ax, steps, missing)
    label_axes(ax, y=quantity, title=title)
    return ax


def plot_surprise(surprise, *, threshold=None, changes=(), alarms=(), start=0, quantity=None, title=None, ax=None):
    """Draw the surprise at every step, or a sum of it, with the threshold above which an alarm is given.

    Args:
        surprise: (time,) numbers, such as -ln of the density that was given to what came.
        threshold: a number, drawn dashed; or `None`.
        changes: (changes,) steps at which something really changed; those outside the picture are left out.
        alarms: (alarms,) steps at which an alarm was given, marked above the line.
        start: the step of the first number.
        quantity: what the numbers are; "surprise (nats)" when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its line "surprise" holds the (time,) numbers, "alarm" the steps of the alarms.

    Raises:
        ValueError: the surprise is no row of numbers, or none of them is finite.
    """
    row = _equal_rows(surprise=surprise)["surprise"]
    ax = axes_or_new(ax)
    steps = start + np.arange(len(row))
    missing = ~np.isfinite(row)
    known = np.concatenate([[False], ~missing, [False]])
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:]).tolist()  # a line of one point would not be seen
    points = {"marker": "o", "markersize": 3, "markevery": alone}
    ax.plot(steps, np.where(missing, np.nan, row), color=NEGATIVE, linewidth=0.9, label="surprise", **points)
    if threshold is not None:
        ax.axhline(threshold, color="black", linestyle="--", linewidth=1.2, label="threshold")
    inside = np.array([step for step in alarms if steps[0] <= step <= steps[-1]])
    heights = np.full(len(inside), 1.0)
    ax.plot(
        inside,
        heights,
        "v",
        color=POSITIVE,
        markersize=8,
        label="alarm",
        transform=ax.get_xaxis_transform(),
        clip_on=False,
    )
    _frame(ax, steps, changes)
    ax.set_xlabel("time step\ndashed upright: a change; triangle: an alarm")
    _hatch_missing(ax, steps, missing)
    label_axes(ax, y=quantity or "surprise (nats)", title=title)
    return ax


def _frame(ax, steps, changes):
    """Set the time axis, and draw an upright line at each change inside it."""
    room = 0 if len(steps) > 1 else 0.5
    ax.set_xlim(steps[0] - room, steps[-1] + room)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=6)
    for step in changes:
        if steps[0] <= step <= steps[-1]:
            ax.axvline(step, label=f"change {step}", **CHANGE_STYLE)


def _hatch_missing(ax, steps, missing):
    """Hatch the steps (time,) at which a number is missing, (time,) bool, and say so under the axis."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    for start, stop in edges.reshape(-1, 2):
        ax.axvspan(steps[0] + start - 0.5, steps[0] + stop - 0.5, **HATCH)
    if missing.any():
        ax.set_xlabel(f"{ax.get_xlabel()}\nhatched: not finite")


def _equal_rows(**given):
    """Rows of numbers of one length, by name."""
    rows = {name: as_numbers(values, name) for name, values in given.items()}
    shapes = {name: row.shape for name, row in rows.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 or not shape[0] for shape in shapes.values()):
        raise ValueError(f"Expected equally long rows of numbers, (time,); got shapes {shapes}. Pick one stream.")
    for name, row in rows.items():
        if not np.isfinite(row).any():
            raise ValueError(f"No number of `{name}` is finite, so there is nothing to draw; look for what made them.")
    return rows
