"""Pictures of single units: does one stand for a concept, and is it missed when it is gone?"""

import numpy as np

from rnn_course.plots.rows import (
    checked_scores,
    draw_references,
    reference_lines,
    rows_axes,
    spread_note,
    write_values,
)
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import NEGATIVE, POSITIVE, TEXT_SIZE, axes_or_new, ink, label_axes

CHANCE = (5, 95)


def plot_unit_concept(correlation, null, *, concept="the concept", title=None, ax=None):
    """Draw how strongly each unit follows a concept, sorted, against what the best unit reaches by chance.

    The band is the permutation null: the best `|correlation|` of all units after the concept was shuffled, from the
    5th to the 95th percentile over the permutations. A unit above the band is more than chance explains.

    Args:
        correlation: (units,) numbers from -1 to 1.
        null: (permutations,) the best `|correlation|` of all units in each permutation.
        concept: what the units are compared with.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its points lie at (rank from 1, `|correlation|`).

    Raises:
        ValueError: an array is not one-dimensional, is empty, or holds what no correlation can be.
    """
    correlation, null = _correlations(correlation, "correlation"), _correlations(null, "null")
    order = np.argsort(-np.abs(correlation), kind="stable")
    low, high = np.percentile(np.abs(null), CHANCE)
    ax = axes_or_new(ax)
    ax.axhspan(low, high, color="#D9D9D9", linewidth=0, zorder=0)
    for sign, color, marker in ((-1, NEGATIVE, "v"), (1, POSITIVE, "^")):
        ranks = np.flatnonzero(np.where(correlation[order] < 0, -1, 1) == sign)
        ax.scatter(ranks + 1, np.abs(correlation[order[ranks]]), color=color, marker=marker, s=24, zorder=3)
    ax.set_xlim(0.5 - 0.02 * len(order), len(order) + 0.5 + 0.02 * len(order))
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    ax.set_ylim(0, 1.15 * max(np.abs(correlation).max(), high))
    _name_best(ax, order[0], correlation[order[0]])
    _name_chance(ax, (low + high) / 2, len(order), len(null))
    label_axes(
        ax,
        x=f"{len(order)} units, strongest first (▲ positive, ▼ negative)",
        y=f"|correlation| with\n{concept}",
        title=title,
    )
    return ax


def _correlations(values, name):
    """A (units,) or (permutations,) array of numbers between -1 and 1, checked."""
    values = as_numbers(values, name)
    axis = "units" if name == "correlation" else "permutations"
    if values.ndim != 1 or not values.size or not (np.abs(values) <= 1 + 1e-6).all():
        raise ValueError(f"`{name}` must be ({axis},) numbers from -1 to 1; got shape {values.shape}, {values!r}.")
    return values


def _name_best(ax, unit, value):
    """Write which unit is the best, and its sign, above it: the next best may stand close beside."""
    text = f"unit {unit}: r = {value:+.2f}".replace("-", "−")
    color = ink(NEGATIVE if value < 0 else POSITIVE)
    place = {"xytext": (-4, 6), "textcoords": "offset points", "va": "bottom"}
    ax.annotate(text, xy=(1, abs(value)), color=color, weight="bold", size=TEXT_SIZE, **place)


def _name_chance(ax, height, units, permutations):
    """Write at the right what the band is."""
    text = f"best of {units} units\nby chance, 90 % of\n{permutations} shuffles"
    place = {"xycoords": ax.get_yaxis_transform(), "xytext": (5, 0), "textcoords": "offset points"}
    ax.annotate(text, xy=(1, height), va="center", color="#555555", size=TEXT_SIZE, annotation_clip=False, **place)


def plot_ablation(scores, *, baseline=None, quantity="test accuracy", value_format=".3f", title=None, ax=None):
    """Draw what the network scores with units taken away, one bar for each case.

    Args:
        scores: label -> a number, or (runs,) numbers such as one for each random choice of units; drawn from the top.
        baseline: a number, or label -> number, drawn dashed and black.
        quantity: what the scores are, with their unit.
        value_format: how the numbers at the right are written.
        title: the finding.
        ax: where to draw; a new figure as high as the rows need when `None`.

    Returns:
        The Axes; bars start at zero and end at the mean, a line runs from the lowest to the highest of several.

    Raises:
        ValueError: there are no scores, or one is not a finite number.
    """
    rows, references = checked_scores(scores), reference_lines(baseline, None)
    ax = rows_axes(ax, rows, references)
    means = [values.mean() for values in rows.values()]
    ax.barh(range(len(rows)), means, height=0.62, color="#9DB8D2", zorder=1)
    for height, values in enumerate(rows.values()):
        if len(values) > 1:
            ax.plot([values.min(), values.max()], [height, height], color="#1F3B57", linewidth=2, zorder=3)
    write_values(ax, rows, value_format)
    draw_references(ax, references)
    label_axes(ax, x=quantity + spread_note(rows, "run"), title=title)
    return ax
