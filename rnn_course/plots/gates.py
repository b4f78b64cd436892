"""Pictures of gates: how far each one is open, step by step, and how often it is nearly shut or open."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.page import size_in_points, text_width
from rnn_course.plots.states import draw_units
from rnn_course.plots.steps import as_numbers, label_steps, one_sequence, real_steps
from rnn_course.plots.style import (
    BAND_ALPHA,
    DIVERGING,
    GATE_COLORS,
    MAGNITUDE,
    TEXT_SIZE,
    axes_or_new,
    ink,
    label_axes,
    label_lines,
    last_finite,
    show_not_finite,
)

CANDIDATE_TICKS, GATE_TICKS = {-1: "−1", 0: "0 shut", 1: "1 open"}, {0: "0 shut", 0.5: "0.5", 1: "1 open"}
BAND = (25, 75)
SHARE_TICKS = {0: "0 never", 0.5: "0.5", 1: "1 always"}
SATURATION_MARKERS = ("o", "s", "^", "D", "v", "P")


def plot_gates(gates, *, example=0, unit=None, mask=None, tokens=None, title=None, ax=None):
    """Draw the gates of one cell over time: those of one unit, or the mean over all units.

    The candidate is no gate but a proposal between -1 and 1: it is dashed, and leaving it out of `gates` leaves the
    axis from 0 to 1.

    Args:
        gates: name -> (batch, time, units), or (time, units) of one sequence, such as `Trace.gates`; the names are
            those of `GATE_COLORS`.
        example: which sequence of a batch.
        unit: which unit; the mean over the units with a band around their middle half when `None`.
        mask: (batch, time) or (time,) bool, True at the real steps; the lines stop at the others.
        tokens: (time,) words, or one for each real step, written under the axis.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes, one line for each gate in the order of `gates`.

    Raises:
        ValueError: there are no gates (a SimpleRNN has none), a name is unknown, a shape does not fit, or there is
            no such unit.
    """
    values = _checked_gates(gates, example)
    first = next(iter(values.values()))
    units, real = first.shape[1], real_steps(mask, first, example=example)
    if unit is not None and not 0 <= unit < units:
        raise ValueError(f"There is no unit {unit}; the gates have units 0 to {units - 1}.")
    ax = axes_or_new(ax)
    lines = {name: _draw_gate(ax, np.where(real[:, None], gate, np.nan), name, unit) for name, gate in values.items()}
    has_candidate = "candidate" in values
    ax.set_ylim((-1.05 if has_candidate else -0.03), 1.05)
    ticks = CANDIDATE_TICKS if has_candidate else GATE_TICKS
    ax.set_yticks(list(ticks), list(ticks.values()))
    note = None if unit is not None else f"mean of {units} units, band: the middle half of them"
    label_steps(ax, real, tokens=tokens, note=note)
    show_not_finite(ax, np.stack([line[real] for line in lines.values()]), sign="gap")
    label_axes(ax, y="opening, or candidate" if has_candidate else "gate opening", title=title)
    label_lines(ax, [(last_finite(line[real]), name, GATE_COLORS[name]) for name, line in lines.items()])
    return ax


def _checked_gates(gates, example):
    """The gates of one sequence by name, each (time, units)."""
    if not isinstance(gates, Mapping) or not gates:
        raise ValueError(
            f"`gates` must be a dict of name -> (batch, time, units); got {gates!r}. "
            "A SimpleRNN has no gates: trace an LSTM or a GRU."
        )
    for name in gates:
        _check_name(name)
    values = {
        name: one_sequence(gate, axes=("time", "units"), name=f"gates[{name!r}]", example=example)
        for name, gate in gates.items()
    }
    shapes = {name: gate.shape for name, gate in values.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"All gates of one cell have the same shape; got {shapes}.")
    return values


def _check_name(name):
    """Refuse a name that is no gate."""
    if name not in GATE_COLORS:
        raise ValueError(f"{name!r} is not the name of a gate; the names are {', '.join(GATE_COLORS)}.")


def _draw_gate(ax, gate, name, unit):
    """Draw one gate, (time, units) with NaN at the masked steps; returns the (time,) line."""
    style = {"color": GATE_COLORS[name], "linestyle": "--" if name == "candidate" else "-", "label": name}
    if unit is not None:
        line = gate[:, unit]
    else:
        gate = np.where(np.isfinite(gate).all(axis=1, keepdims=True), gate, np.nan)  # one infinite unit has no mean
        line = gate.mean(axis=1)
        low, high = np.percentile(gate, BAND, axis=1)
        ax.fill_between(range(len(gate)), low, high, color=style["color"], alpha=BAND_ALPHA, linewidth=0)
    ax.plot(line, marker="o", markersize=3, **style)
    return line


def plot_gate_image(
    values,
    *,
    gate,
    example=0,
    mask=None,
    tokens=None,
    order=None,
    title=None,
    ax=None,
):
    """Draw one gate of every unit at every step as one image.

    Args:
        values: (batch, time, units), or (time, units) of one sequence; such as `Trace.gates["forget"]`.
        gate: its name, one of `GATE_COLORS`; "candidate" is drawn from -1 to 1, a gate from 0 to 1.
        example: which sequence of a batch.
        mask: (batch, time) or (time,) bool, True at the real steps; the others are hatched.
        tokens: (time,) words, or one for each real step, written under the axis.
        order: (rows,) unit indices from top to bottom; all units in their own order when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its image has the shape (rows, time).

    Raises:
        ValueError: the name is unknown, a shape does not fit, or `order` names no unit.
    """
    _check_name(gate)
    values = one_sequence(values, axes=("time", "units"), name="values", example=example)
    real = real_steps(mask, values, example=example)
    signed = gate == "candidate"
    cmap, limits = (DIVERGING, (-1, 1)) if signed else (MAGNITUDE, (0, 1))
    quantity = "candidate" if signed else f"{gate} gate\n(0 = shut, 1 = open)"
    ax = axes_or_new(ax)
    draw_units(ax, values, real, order=order, cmap=cmap, limits=limits, quantity=quantity)
    label_steps(ax, real, tokens=tokens)
    show_not_finite(ax, values[real])
    label_axes(ax, title=title)
    return ax


def plot_gate_saturation(shut, open, *, thresholds=(0.1, 0.9), title=None, ax=None):
    """Draw every unit of every gate by the share of steps at which it is nearly shut, and nearly open.

    Karpathy, Johnson and Fei-Fei (2015, figure 2) draw gates like this. The corners: a unit at the lower left is never
    saturated, one at the upper left is always open, one at the lower right always shut. On the dashed line the gate is
    a switch, always one or the other; nothing can lie beyond it.

    Args:
        shut: name -> (units,) shares from 0 to 1, such as `GateSaturation.shut`; the names are those of `GATE_COLORS`.
        open: name -> (units,) shares from 0 to 1, such as `GateSaturation.open`.
        thresholds: what counts as shut and as open, named on the axes.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; one collection of (units,) points for each gate, in the order of `shut`.

    Raises:
        ValueError: the names differ or are unknown, a shape does not fit, or the two shares of a unit pass 1.
    """
    points = _checked_shares(shut, open)
    ax = axes_or_new(ax)
    ax.plot([0, 1], [1, 0], color="#8C8C8C", linestyle="--", linewidth=1, zorder=1)
    for (name, place), marker in zip(points.items(), SATURATION_MARKERS, strict=False):
        dots = {"marker": marker, "s": 34, "alpha": 0.75, "linewidths": 0.5, "edgecolors": "white", "zorder": 2}
        ax.scatter(*place, color=GATE_COLORS[name], label=name, clip_on=False, **dots)
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.04, 1.04))
    ax.set_xticks(list(SHARE_TICKS), list(SHARE_TICKS.values()))
    ax.set_yticks(list(SHARE_TICKS), list(SHARE_TICKS.values()))
    names = [ink(GATE_COLORS[name]) for name in points]
    ax.legend(loc="upper right", frameon=False, labelcolor=names, fontsize=TEXT_SIZE, borderaxespad=0, handletextpad=0)
    low, high = thresholds
    shut_label = f"share of steps nearly shut (below {low:g})"
    if text_width(shut_label, TEXT_SIZE) > size_in_points(ax)[0]:
        shut_label = shut_label.replace(" (", "\n(")
    label_axes(ax, x=shut_label, title=title)
    ax.set_ylabel(f"share of steps nearly\nopen (above {high:g})")
    return ax


def _checked_shares(shut, open):
    """The points of each gate, (2, units): share shut, share open."""
    if not isinstance(shut, Mapping) or not isinstance(open, Mapping) or not shut or list(shut) != list(open):
        raise ValueError(
            "`shut` and `open` must be dicts with the same gates, name -> (units,), such as GateSaturation.shut and "
            f".open; got {_keys(shut)} and {_keys(open)}."
        )
    points = {}
    for name in shut:
        _check_name(name)
        shares = [as_numbers(given[name], f"{of}[{name!r}]") for of, given in (("shut", shut), ("open", open))]
        if shares[0].ndim != 1 or not shares[0].size or shares[0].shape != shares[1].shape:
            raise ValueError(f"The shares of {name!r} must be (units,); got {shares[0].shape} and {shares[1].shape}.")
        points[name] = np.stack(shares)
        if not (points[name] >= 0).all() or not (points[name].sum(axis=0) <= 1 + 1e-9).all():
            raise ValueError(f"The shares of {name!r} must be from 0 to 1, those of a unit together at most 1.")
    return points


def _keys(given):
    """What a message says of something that should be a dict."""
    return list(given) if isinstance(given, Mapping) else type(given).__name__
