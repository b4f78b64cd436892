"""Pictures of gates: how far each one is open, step by step."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.states import draw_units
from rnn_course.plots.steps import label_steps, one_sequence, real_steps
from rnn_course.plots.style import (
    BAND_ALPHA,
    DIVERGING,
    GATE_COLORS,
    MAGNITUDE,
    axes_or_new,
    label_axes,
    label_lines,
)

CANDIDATE_TICKS, GATE_TICKS = {-1: "−1", 0: "0 shut", 1: "1 open"}, {0: "0 shut", 0.5: "0.5", 1: "1 open"}
BAND = (25, 75)


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
    label_axes(ax, y="opening, or candidate" if has_candidate else "gate opening", title=title)
    label_lines(ax, [(line[real][-1], name, GATE_COLORS[name]) for name, line in lines.items()])
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
    label_axes(ax, title=title)
    return ax
