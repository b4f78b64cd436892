"""Pictures of how far back the gradient reaches."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.decades import ZERO_MARKERS, draw_band, draw_line, floor_below, name_the_floor
from rnn_course.plots.steps import as_numbers, label_steps
from rnn_course.plots.style import axes_or_new, colors_of, label_axes, label_lines

BAND = (10, 90)
LINE_STYLES = ("-", "--", "-.", ":")


def plot_gradient_flow(
    norms,
    *,
    mask=None,
    against="step",
    colors=None,
    quantity="gradient norm ‖∂L/∂h‖",
    title=None,
    ax=None,
):
    """Draw the size of the gradient at every step on a log scale, for several cells, layers or kinds in one Axes.

    The line is the median over the batch, the band runs from the 10th to the 90th percentile. A median of exactly
    zero has no place on a log scale: it is drawn as a cross on a gray line of its own, named "exactly 0", below the
    smallest gradient there is. Steps that are masked in every sequence are left out and hatched.

    Args:
        norms: label -> (batch, time) norms, NaN at the masked steps, such as `GradientFlow.norm()`. A label that
            names a cell ("LSTM", "GRU, total", …) gets the cell's color; a second line of one color is dashed.
        mask: (batch, time) bool, True at the real steps; not needed where the norms hold NaN at the others.
        against: "step", or "lag": steps back from each sequence's own last real step, 0 at the right.
        colors: label -> matplotlib color.
        quantity: what the norms are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds its medians, (time,), NaN where masked or exactly zero.

    Raises:
        ValueError: a shape does not fit, a norm is negative or infinite, or `against` is neither word.

    >>> from matplotlib.figure import Figure
    >>> direct = [[0.0, 0.0, 0.5], [0.0, 0.0, 0.7]]
    >>> ax = plot_gradient_flow({"direct": direct}, ax=Figure().subplots())
    >>> [tick.get_text() for tick in ax.get_yticklabels()][0]
    'exactly 0'
    """
    if against not in ("step", "lag"):
        raise ValueError(f'`against` must be "step" or "lag"; got {against!r}.')
    batches = _checked_norms(norms, mask)
    curves = {label: _percentiles(_by_lag(rows) if against == "lag" else rows) for label, rows in batches.items()}
    colors = colors_of(curves, colors)
    ax = axes_or_new(ax)
    ax.set_yscale("log")
    floor = floor_below(curves.values())
    with_zeros = [label for label, (_, median, _) in curves.items() if (median == 0).any()]
    for label, curve in curves.items():
        marker = ZERO_MARKERS[with_zeros.index(label) % 5] if label in with_zeros else None
        style = LINE_STYLES[list(colors.values())[: list(curves).index(label)].count(colors[label]) % 4]
        _draw_curve(ax, curve, floor, color=colors[label], style=style, label=label, marker=marker)
    if with_zeros:
        name_the_floor(ax, floor)
    _label_time(ax, curves.values(), against, note=_note(batches.values()))
    label_axes(ax, y=quantity, title=title)
    label_lines(
        ax, [(_height_of_label(curve, floor, against), label, colors[label]) for label, curve in curves.items()]
    )
    return ax


def _checked_norms(norms, mask):
    """The norms by label, each (batch, time) with NaN at the masked steps."""
    if not isinstance(norms, Mapping) or not norms:
        raise ValueError(f'`norms` must be a dict such as {{"LSTM": flow.norm()}}; got {type(norms).__name__}.')
    return {label: _checked(values, mask, f"norms[{label!r}]") for label, values in norms.items()}


def _checked(values, mask, name):
    """One (batch, time) array of norms with NaN at the masked steps."""
    rows = as_numbers(values, name)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(
            f"`{name}` has shape {rows.shape}; expected (batch, time): pass the norm over units, `.norm()`."
        )
    if mask is not None:
        if np.shape(mask) != rows.shape:
            raise ValueError(
                f"`mask` has shape {np.shape(mask)}, `{name}` has {rows.shape}; both must be (batch, time)."
            )
        rows = np.where(np.asarray(mask, dtype=bool), rows, np.nan)
    if (rows < 0).any() or np.isinf(rows).any():
        raise ValueError(
            f"`{name}` must hold finite norms, which are never negative; got {np.nanmin(rows)} to {np.nanmax(rows)}."
        )
    if np.isnan(rows).all():
        raise ValueError(f"Every step of `{name}` is masked or NaN, so there is nothing to draw.")
    return rows


def _by_lag(rows):
    """Move (batch, time) to (batch, lag): column k is k steps before the sequence's own last real step."""
    aligned = np.full_like(rows, np.nan)
    for row, target in zip(rows, aligned, strict=True):
        real = np.flatnonzero(~np.isnan(row))
        target[real[-1:] - real] = row[real]
    return aligned[:, : np.flatnonzero(~np.isnan(aligned).all(axis=0))[-1] + 1]


def _percentiles(rows):
    """Low, median and high over the batch, (3, steps), NaN where no sequence has the step."""
    curve = np.full((3, rows.shape[1]), np.nan)
    known = ~np.isnan(rows).all(axis=0)
    curve[:, known] = np.nanpercentile(rows[:, known], (BAND[0], 50, BAND[1]), axis=0)
    return curve


def _draw_curve(ax, curve, floor, *, color, style, label, marker):
    """Draw one band and its median; where the median is zero, a `marker` on the floor."""
    low, median, high = curve
    steps = np.arange(len(median))
    positive = median > 0
    draw_band(ax, steps, *(np.where(positive, edge, np.nan) for edge in (low, high)), floor, color=color)
    draw_line(ax, steps, median, floor, label=label, color=color, marker=marker, linestyle=style)
    known = np.concatenate([[False], positive, [False]])
    alone = known[1:-1] & ~known[:-2] & ~known[2:]  # a band of one step has no width
    if alone.any():
        ax.vlines(steps[alone], np.maximum(low[alone], floor), high[alone], color=color, alpha=0.5, linewidth=3)


def _label_time(ax, curves, against, *, note):
    """Label the horizontal axis; time runs from left to right in both forms."""
    longest = max(curve.shape[1] for curve in curves)
    if against == "lag":
        ax.set_xlim(longest - 0.5, -0.5)
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.set_xlabel(f"lag: steps before the last one\n{note}")
        return
    real = np.zeros(longest, dtype=bool)
    for _, median, _ in curves:
        real[: len(median)] |= ~np.isnan(median)
    label_steps(ax, real, note=note)


def _note(batches):
    """Say what line and band are, and over how many sequences: those that have a number."""
    sizes = sorted({int((~np.isnan(rows)).any(axis=1).sum()) for rows in batches})
    count = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return f"one sequence (n = {count})" if sizes == [1] else f"median of n = {count} sequences, band 10–90 %"


def _height_of_label(curve, floor, against):
    """Where a curve is named: at its right end, or beside its zeros where they are most of it."""
    median = curve[1][~np.isnan(curve[1])]
    last = median[0 if against == "lag" else -1]
    return floor if last == 0 or (median == 0).mean() > 0.5 else last
