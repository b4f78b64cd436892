"""Pictures of what a network remembers: all units at once, single units over time, and paths through state space."""

from dataclasses import is_dataclass

import numpy as np

from rnn_course.plots.page import box_around, boxes_along, free_place, points_of, settle, text_width, walls
from rnn_course.plots.steps import as_numbers, label_steps, one_sequence, real_steps, words_at
from rnn_course.plots.style import (
    DIVERGING,
    SERIES_COLORS,
    TEXT_SIZE,
    axes_or_new,
    ink,
    label_axes,
    label_lines,
    last_finite,
    show_not_finite,
)

MOST_UNIT_TICKS, MOST_SCALE_TICKS = 12, 5


def plot_states(
    hidden,
    *,
    example=0,
    mask=None,
    tokens=None,
    order=None,
    limit=None,
    quantity="hidden state",
    title=None,
    ax=None,
):
    """Draw the state of every unit at every step as one image, centered at zero.

    Args:
        hidden: (batch, time, units), or (time, units) of one sequence.
        example: which sequence of a batch.
        mask: (batch, time) or (time,) bool, True at the real steps; the others are hatched. Without it every step is
            real at which there is a number, and a `Trace` has numbers at padding, too: pass its `mask`.
        tokens: (time,) words, or one for each real step, written under the axis.
        order: (rows,) unit indices from top to bottom; all units in their own order when `None`.
        limit: the value at both ends of the color scale; the largest size in the picture when `None`.
        quantity: what the values are, with their unit if they have one.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its image has the shape (rows, time). A value that is NaN or infinite at a real step is hatched, too,
        and the axis says so.

    Raises:
        ValueError: a shape does not fit, `order` names no unit, or `limit` is not above zero.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_states(np.zeros((2, 5, 3)), mask=[[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], ax=Figure().subplots())
    >>> ax.images[0].get_array().shape
    (3, 5)
    """
    values = one_sequence(hidden, axes=("time", "units"), name="hidden", example=example)
    real = real_steps(mask, values, example=example)
    limit = symmetric_limit(values[real], limit)
    ax = axes_or_new(ax)
    draw_units(ax, values, real, order=order, cmap=DIVERGING, limits=(-limit, limit), quantity=quantity)
    label_steps(ax, real, tokens=tokens)
    show_not_finite(ax, values[real])
    label_axes(ax, title=title)
    return ax


def symmetric_limit(values, limit=None):
    """The value at both ends of a diverging scale.

    Args:
        values: numbers of any shape, at the real steps only.
        limit: a wish of the caller's, or `None` for the largest size.

    Returns:
        A float above zero; 1.0 where every value is zero.

    Raises:
        ValueError: no value is finite, or the wish is not above zero.
    """
    if limit is not None:
        if not limit > 0:
            raise ValueError(f"`limit` must be above zero, as it ends a scale from -limit to +limit; got {limit}.")
        return float(limit)
    finite = np.abs(np.asarray(values)[np.isfinite(values)])
    if not finite.size:
        raise ValueError("None of the values is finite, so there is nothing to draw; look for NaN in what was passed.")
    return float(finite.max()) or 1.0


def draw_units(ax, values, real, *, order, cmap, limits, quantity):
    """Draw one image of units over steps with its color scale; masked steps are absent from it.

    Args:
        ax: the Axes to draw in.
        values: (time, units).
        real: (time,) bool, True at the real steps.
        order: (rows,) unit indices from top to bottom, or `None`.
        cmap: a matplotlib colormap.
        limits: the two ends of the color scale.
        quantity: the label of the color scale.

    Returns:
        The image, its array of shape (rows, time).

    Raises:
        ValueError: `order` names a unit that does not exist.
    """
    rows = _rows(order, units=values.shape[1])
    shown = np.ma.masked_invalid(np.where(real[:, None], values, np.nan)[:, rows].T)
    image = ax.imshow(shown, aspect="auto", interpolation="nearest", cmap=cmap, vmin=limits[0], vmax=limits[1])
    low, high = shown.min() < limits[0], shown.max() > limits[1]
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[low, high]
    bar = ax.figure.colorbar(image, ax=ax, label=quantity, pad=0.02, aspect=18, extend=extend)
    bar.ax.locator_params(axis="y", nbins=MOST_SCALE_TICKS)
    ax.set_ylabel("unit" if order is None or len(rows) <= MOST_UNIT_TICKS else f"{len(rows)} units, in the order given")
    if len(rows) <= MOST_UNIT_TICKS:
        ax.set_yticks(range(len(rows)), rows)
    elif order is not None:
        ax.set_yticks([])
    else:
        ax.locator_params(axis="y", nbins=MOST_SCALE_TICKS, integer=True, min_n_ticks=1)
    return image


def _rows(order, *, units):
    """The unit of each row, checked."""
    if order is None:
        return np.arange(units)
    rows = np.asarray(order)
    if rows.ndim != 1 or not rows.size or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= units:
        raise ValueError(f"`order` must be (rows,) unit indices from 0 to {units - 1}; got {order!r}.")
    return rows


def plot_unit_over_time(
    values,
    *,
    labels=None,
    example=0,
    mask=None,
    tokens=None,
    colors=None,
    quantity="hidden state",
    title=None,
    ax=None,
):
    """Draw one unit, or a few, as lines over time.

    Args:
        values: (time,) of one unit; (time, units) of a few; or (batch, time, units).
        labels: (units,) names written at the ends of the lines; "unit 0", … when `None`.
        example: which sequence of a batch.
        mask: (batch, time) or (time,) bool, True at the real steps; the lines stop at the others.
        tokens: (time,) words, or one for each real step, written under the axis.
        colors: (units,) matplotlib colors; at most five units need none.
        quantity: what the values are, with their unit if they have one.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; line i holds the (time,) values of unit i, NaN at the masked steps. Where one is not finite at a real
        step its line has a gap, and the axis says so.

    Raises:
        ValueError: a shape does not fit, or there are more units than labels or colors.
    """
    array = as_numbers(values, "values")
    array = array[:, None] if array.ndim == 1 else array
    array = one_sequence(array, axes=("time", "units"), name="values", example=example)
    real = real_steps(mask, array, example=example)
    units = array.shape[1]
    labels = _one_each([f"unit {unit}" for unit in range(units)] if labels is None else labels, units, "labels")
    colors = _colors(colors, units)
    ax = axes_or_new(ax)
    ax.axhline(0, color="#B5B5B5", linewidth=0.8, zorder=1)
    for line, label, color in zip(np.where(real[:, None], array, np.nan).T, labels, colors, strict=True):
        ax.plot(line, color=color, marker="o", markersize=3, label=label)
    label_steps(ax, real, tokens=tokens)
    show_not_finite(ax, array[real], sign="gap")
    label_axes(ax, y=quantity, title=title)
    ends = [last_finite(line) for line in array[real].T]
    label_lines(ax, list(zip(ends, labels, colors, strict=True)))
    return ax


def _colors(colors, count):
    """The color of each line, checked; the first of the series when `None`."""
    if colors is None and count > len(SERIES_COLORS):
        raise ValueError(
            f"{count} lines are more than the {len(SERIES_COLORS)} colors that can be told apart; draw fewer, such as "
            f"values[:, :{len(SERIES_COLORS)}], or pass `colors`, one for each of them."
        )
    return _one_each(SERIES_COLORS[:count] if colors is None else colors, count, "colors")


def _one_each(entries, count, name):
    """Check that there is one entry for each line."""
    if len(entries) != count:
        raise ValueError(f"`{name}` has {len(entries)} entries for {count} lines; pass one for each of them.")
    return list(entries)


def plot_trajectories(
    points,
    *,
    labels,
    tokens=None,
    mask=None,
    colors=None,
    axis_labels=("component 1", "component 2"),
    title=None,
    ax=None,
):
    """Draw the paths that several sequences take through a two-dimensional picture of state space.

    A hollow circle is the state after the first step, a full one the last; arrowheads point along time. One unit is
    as long on both axes. A word that two paths share at the same place is written once, and a word that finds no
    free place is left out rather than written over another.

    Args:
        points: (batch, time, 2), or a list of (time, 2) of different lengths; such as `project_states` gives.
        labels: (batch,) names, written at the ends of the paths.
        tokens: for each path its (time,) words, or one for each real step.
        mask: (batch, time) bool, or a list of (time,), True at the real steps; the others are left out, as is NaN.
        colors: (batch,) matplotlib colors; at most five paths need none.
        axis_labels: names of the two axes, with unit or share of variance.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; line i holds the real points of path i.

    Raises:
        ValueError: a shape does not fit, or labels, tokens, masks and paths differ in number.
    """
    paths = [_path(path) for path in _batch_of_paths(points)]
    masks = [None] * len(paths) if mask is None else _one_each(mask, len(paths), "mask")
    reals = [real_steps(real, path) for real, path in zip(masks, paths, strict=True)]
    labels = _one_each(labels, len(paths), "labels")
    colors = _colors(colors, len(paths))
    words = [[] for _ in paths] if tokens is None else _one_each(tokens, len(paths), "tokens")
    words = [_real_words(line, real) for line, real in zip(words, reals, strict=True)]
    paths = [_finite(path[real]) for path, real in zip(paths, reals, strict=True)]
    ax = axes_or_new(ax, height=3.6)
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.12)
    label_axes(ax, x=axis_labels[0], y=axis_labels[1], title=title)
    for path, color in zip(paths, colors, strict=True):
        _draw_path(ax, path, color)
    _write_along(ax, paths, words, labels, colors)
    return ax


def _batch_of_paths(points):
    """The paths one by one; ValueError where there is none, or a whole `Projection` came."""
    if is_dataclass(points):
        as_numbers(points, "points")
    if points is None or not len(points):
        raise ValueError("`points` holds no path; pass (batch, time, 2), such as `project_states` gives as `.points`.")
    return points


def _path(path):
    """One path as (time, 2), checked."""
    path = as_numbers(path, "points")
    if path.ndim != 2 or path.shape[1] != 2 or not len(path):
        raise ValueError(
            f"Each path of `points` must be (time, 2); got shape {path.shape}. "
            "Project the states to two components first, such as with `project_states`."
        )
    return path


def _finite(path):
    """The real steps of one path, (time, 2), checked."""
    if not np.isfinite(path).all():
        raise ValueError("A path of `points` is not finite at a real step; only masked steps may hold NaN, in both.")
    return path


def _real_words(tokens, real):
    """The words of the real steps, none where there are no tokens."""
    words = words_at(tokens, real) if len(tokens) else [""] * len(real)
    return [words[step] for step in np.flatnonzero(real)]


def _draw_path(ax, path, color):
    """Draw one path with its start, its end, and an arrowhead in the middle of every step."""
    ax.plot(*path.T, color=color, linewidth=1.4, alpha=0.9, zorder=2)
    ax.plot(
        *path[:1].T, "o", markersize=7, markerfacecolor="white", markeredgecolor=color, markeredgewidth=1.6, zorder=3
    )
    ax.plot(*path[-1:].T, "o", markersize=8, color=color, zorder=3)
    steps = np.diff(path, axis=0)
    moving = np.hypot(*steps.T) > 0
    heads = (path[:-1] + steps / 2)[moving]
    shape = {"headwidth": 5, "headlength": 5, "headaxislength": 5, "width": 0.022, "minshaft": 0.1, "minlength": 0}
    directions = steps[moving] / np.hypot(*steps[moving].T)[:, None]
    ax.quiver(
        *heads.T, *directions.T, angles="xy", units="inches", scale=10, pivot="mid", color=color, zorder=3, **shape
    )


def _write_along(ax, paths, words, labels, colors):
    """Write the names at the ends of the paths, then the words beside their steps, where there is room."""
    settle(ax)
    pages = [points_of(ax, *path.T) for path in paths]
    taken = [box for page in pages for box in boxes_along(page)] + walls(ax)
    for path, page, label, color in zip(paths, pages, labels, colors, strict=True):
        _write(ax, path[-1], page[-1], str(label), taken, must=True, color=ink(color), weight="bold")
    written = set()
    for path, page, line in zip(paths, pages, words, strict=True):
        for point, place, word in zip(path, page, line, strict=True):
            shown = word if any(map(str.isalnum, word)) else f"“{word}”"
            key = (word, *np.round(place / 4).astype(int))
            if word and key not in written:
                _write(ax, point, place, shown, taken, must=False, color="#333333")
            written.add(key)


def _write(ax, point, place, text, taken, *, must, **style):
    """Write a text beside a point, where it covers least; without `must`, only where it covers nothing."""
    size = np.array([text_width(text, TEXT_SIZE, weight=style.get("weight", "normal")) + 2, 1.2 * TEXT_SIZE])
    offset, covered = free_place(place, size, taken)
    if covered > 0 and not must:
        return
    taken.append(box_around(place + offset, size))
    ax.annotate(
        text,
        xy=point,
        xytext=offset,
        textcoords="offset points",
        ha="center",
        va="center",
        size=TEXT_SIZE,
        parse_math=False,
        **style,
    )
