"""Pictures of weights: the eigenvalues of recurrent kernels in the complex plane, and kernels gate by gate."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.page import size_in_points
from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import (
    DIVERGING,
    GATE_COLORS,
    TEXT_SIZE,
    axes_or_new,
    color_of,
    ink,
    label_axes,
    show_not_finite,
)

MARKERS = ("o", "x", "^", "+", "s")
MOST_SCALE_TICKS = 5
WIDEST_NAME, POINTS_BELOW = 180, 36  # points that names take beside the circle, and that the axis takes below it


def plot_eigenvalues(eigenvalues, *, colors=None, title=None, ax=None):
    """Draw eigenvalues in the complex plane with the unit circle, several sets in one Axes.

    Inside the circle a linear recurrence shrinks what it repeats, outside it grows; the angle is how far a step turns.

    Args:
        eigenvalues: label -> (units,) complex numbers, such as `SpectralRadius.eigenvalues`, or one set before and one
            after training. The name of a gate gets the gate's color, that of a cell the cell's.
        colors: label -> matplotlib color.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds the real parts over the imaginary parts, (units,), and its name in the
        legend gives the radius: the largest absolute value.

    Raises:
        ValueError: there are no sets, or one holds no finite numbers.
    """
    sets = _checked_sets(eigenvalues)
    colors = {label: _color(label, index) for index, label in enumerate(sets)} | dict(colors or {})
    ax = axes_or_new(ax)
    angle = np.linspace(0, 2 * np.pi, 181)
    ax.axhline(0, color="#D9D9D9", linewidth=0.8, zorder=0)
    ax.axvline(0, color="#D9D9D9", linewidth=0.8, zorder=0)
    ax.plot(np.cos(angle), np.sin(angle), color="#555555", linewidth=1, label="unit circle", zorder=1)
    for index, (label, values) in enumerate(sets.items()):
        style = {"marker": MARKERS[index % len(MARKERS)], "markersize": 5, "linestyle": "none", "alpha": 0.85}
        name = f"{label}: radius {np.abs(values).max():.2f}"
        ax.plot(values.real, values.imag, color=colors[label], markerfacecolor="none", label=name, zorder=2, **style)
    reach = 1.08 * max(1, *(np.abs(values).max() for values in sets.values()))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", anchor="W")
    label_axes(ax, x="real part", y="imaginary part", title=title)
    _name_sets(ax, [ink(colors[label]) for label in sets])
    return ax


def _name_sets(ax, inks):
    """Write the names beside the circle where there is room for them, else below it."""
    width, height = size_in_points(ax)
    beside = {"bbox_to_anchor": (1.02, 1), "borderaxespad": 0}
    below = {"bbox_to_anchor": (0, 0), "borderaxespad": POINTS_BELOW / TEXT_SIZE}
    place = beside if width > height + WIDEST_NAME else below
    ax.legend(loc="upper left", frameon=False, labelcolor=["#555555", *inks], fontsize=TEXT_SIZE, **place)


def _checked_sets(eigenvalues):
    """Sets of eigenvalues by label, each (units,) complex."""
    if not isinstance(eigenvalues, Mapping) or not eigenvalues:
        raise ValueError(
            f'`eigenvalues` must be a dict such as {{"after training": radius.eigenvalues["state"]}}; got '
            f"{type(eigenvalues).__name__}."
        )
    sets = {label: np.asarray(values, dtype=complex) for label, values in eigenvalues.items()}
    for label, values in sets.items():
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise ValueError(
                f"`eigenvalues[{label!r}]` must be (units,) finite complex numbers; got shape {values.shape}."
            )
    return sets


def _color(label, index):
    """The fixed color of a gate or cell, or the next one of the series."""
    return GATE_COLORS.get(label) or color_of(label, index)


def plot_gate_weights(weights, *, limit=None, rows="unit before", title=None, ax=None):
    """Draw the weights of all gates beside one another as one image, on one scale that is centered at zero.

    Args:
        weights: name -> (rows, units): the recurrent kernel or the kernel of each gate, such as
            `{name: part.recurrent_kernel for name, part in gate_weights(model).items()}`.
        limit: the value at both ends of the color scale; the largest size in the picture when `None`.
        rows: what a row is: "unit before", or "feature" for a kernel.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its image has the shape (rows, gates * units), the gates in the order of `weights`, set apart by white
        lines.

    Raises:
        ValueError: there are no weights, the gates have different shapes, or `limit` is not above zero.
    """
    blocks = _checked_blocks(weights)
    whole = np.concatenate(list(blocks.values()), axis=1)
    limit = symmetric_limit(whole, limit)
    units = whole.shape[1] // len(blocks)
    ax = axes_or_new(ax)
    image = ax.imshow(
        np.ma.masked_invalid(whole), aspect="auto", interpolation="nearest", cmap=DIVERGING, vmin=-limit, vmax=limit
    )
    for edge in range(units, whole.shape[1], units):
        ax.axvline(edge - 0.5, color="white", linewidth=4)
    extend = "both" if (np.abs(whole[np.isfinite(whole)]) > limit).any() else "neither"
    bar = ax.figure.colorbar(image, ax=ax, label="weight", pad=0.02, aspect=18, extend=extend)
    bar.ax.locator_params(axis="y", nbins=MOST_SCALE_TICKS)
    ax.set_xticks((np.arange(len(blocks)) + 0.5) * units - 0.5, list(blocks), size=TEXT_SIZE)
    ax.tick_params(axis="x", length=0)
    for tick, name in zip(ax.get_xticklabels(), blocks, strict=True):
        tick.set_color(ink(GATE_COLORS.get(name, "black")))
    ax.locator_params(axis="y", nbins=MOST_SCALE_TICKS, integer=True, min_n_ticks=1)
    ax.set_xlabel(f"gate, its units 0 to {units - 1} from left to right")
    show_not_finite(ax, whole)
    label_axes(ax, y=rows, title=title)
    return ax


def _checked_blocks(weights):
    """The weights of each gate, (rows, units), all of one shape."""
    if not isinstance(weights, Mapping) or not weights:
        raise ValueError(f"`weights` must be a dict of name -> (rows, units); got {type(weights).__name__}.")
    several = [name for name, values in weights.items() if hasattr(values, "recurrent_kernel")]
    if several:
        raise ValueError(
            f"`weights[{several[0]!r}]` holds all weights of its gate; pass one part of each, such as "
            "{name: part.recurrent_kernel for name, part in weights.items()}."
        )
    blocks = {name: as_numbers(values, f"weights[{name!r}]") for name, values in weights.items()}
    shapes = {name: block.shape for name, block in blocks.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 2 or 0 in shape for shape in shapes.values()):
        raise ValueError(f"The weights of every gate must be (rows, units) of one shape; got {shapes}.")
    return blocks
