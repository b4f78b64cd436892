"""What pictures on a log scale share: a line of its own for what is exactly zero, below everything that is not."""

import numpy as np

from rnn_course.plots.style import BAND_ALPHA

MOST_DECADES = 6
ZERO_MARKERS = ("x", "+", "1", "2", "3")  # by the order of the lines that hold zeros


def floor_below(curves):
    """The height at which zero is drawn: a decade below everything that is positive.

    Args:
        curves: a list of arrays of any shapes `(…)`, never negative; NaN is left out.

    Returns:
        A float, a power of ten.

    >>> floor_below([[0.0, 0.02], [3.0, np.nan]])
    0.001
    """
    values = np.concatenate([np.ravel(curve) for curve in curves])
    positive = values[values > 0]
    return float(10.0 ** (np.floor(np.log10(positive.min())) - 1)) if positive.size else 0.1


def draw_band(ax, steps, low, high, floor, *, color):
    """Fill the space between two edges; an edge at zero runs along the floor.

    Args:
        ax: an Axes with a log scale.
        steps: `(steps,)`, where on the horizontal axis.
        low: `(steps,)`, the lower edge, NaN where there is none.
        high: `(steps,)`, the upper edge; the band is left out where it is zero.
        floor: a float, the height that stands for zero.
        color: a matplotlib color.
    """
    low, high = (np.where(high > 0, np.maximum(edge, floor), np.nan) for edge in (low, high))
    ax.fill_between(steps, low, high, color=color, alpha=BAND_ALPHA, linewidth=0)


def draw_line(ax, steps, values, floor, *, label, color, marker, **style):
    """Draw a line where it is above zero, and a marker on the floor where it is exactly zero.

    Args:
        ax: an Axes with a log scale.
        steps: `(steps,)`, where on the horizontal axis.
        values: `(steps,)`, never negative, NaN where there is none.
        floor: a float, the height that stands for zero.
        label: what the line is called.
        color: a matplotlib color.
        marker: the marker of the zeros.
        **style: what else `Axes.plot` takes.
    """
    line = np.where(values > 0, values, np.nan)
    known = np.isfinite(np.concatenate([[np.nan], line, [np.nan]]))
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])  # a line of one point would not be seen
    ax.plot(steps, line, color=color, label=label, marker="o", markersize=5, markevery=alone.tolist(), **style)
    zero = values == 0
    if zero.any():
        heights = np.full(zero.sum(), floor)
        ax.plot(np.asarray(steps)[zero], heights, marker, color=color, markersize=6, label=f"{label}: exactly 0")


def name_the_floor(ax, floor):
    """Set the line of zeros apart from the log scale and name it.

    Args:
        ax: an Axes with a log scale, everything drawn.
        floor: a float, the height that stands for zero.
    """
    lowest, highest = np.log10(floor) + 1, np.floor(np.log10(max(ax.get_ylim()[1], 10 * floor)))
    step = max(1, np.ceil((highest - lowest) / MOST_DECADES))
    decades = np.arange(highest, lowest - 1 + 0.7 * step, -step)[::-1]  # none so low that it would lie on "exactly 0"
    ax.axhspan(floor / 10**0.5, floor * 10**0.5, color="#EDEDED", linewidth=0, zorder=0)
    ax.set_ylim(bottom=floor / 10**0.5)
    ax.set_yticks([floor, *10.0**decades], ["exactly 0", *[f"$10^{{{decade:.0f}}}$" for decade in decades]])
    ax.minorticks_off()
