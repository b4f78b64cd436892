"""How a cell uses its gates: which units keep them shut, which keep them open, which let them move."""

from dataclasses import dataclass

import numpy as np

from rnn_course.probes.inputs import refuse_no_trace, refuse_not_finite


@dataclass(frozen=True)
class GateSaturation:
    """For every gate and unit, the share of real steps at which the gate is nearly shut, and nearly open.

    The two shares of a unit add up to at most 1; what is missing is the share of steps at which the gate is between.
    The candidate is no gate but a proposal between -1 and 1, and is left out.

    Attributes:
        shut: name -> `(units,)`, from 0 to 1.
        open: name -> `(units,)`, from 0 to 1.
        thresholds: the two openings below and above which a gate counts as nearly shut and nearly open.
        count: how many real steps were counted.
    """

    shut: dict[str, np.ndarray]
    open: dict[str, np.ndarray]
    thresholds: tuple[float, float]
    count: int


def gate_saturation(trace, *, shut=0.1, open=0.9):
    """Count how often each gate of each unit is nearly shut or nearly open (Karpathy, Johnson and Fei-Fei 2015, 4.2).

    An LSTM unit whose forget gate is nearly always open is a long memory, and so is a GRU unit whose update gate is:
    Keras' z = 1 keeps. A unit whose forget gate is nearly always shut works without a memory, on its input alone.

    Args:
        trace: a `Trace` of an LSTM or a GRU, its gates `(batch, time, units)`.
        shut: an opening below this one counts as nearly shut.
        open: an opening above this one counts as nearly open.

    Returns:
        A `GateSaturation`; its shares are `(units,)` for each gate.

    Raises:
        ValueError: no trace came, the cell has no gates, no step is real, a gate is NaN there, or `shut` is not below
            `open`.
    """
    if not 0 <= shut < open <= 1:
        raise ValueError(f"shut is {shut} and open is {open}; expected 0 <= shut < open <= 1.")
    openings = real_openings(trace)
    return GateSaturation(
        shut={name: (opening < shut).mean(axis=0) for name, opening in openings.items()},
        open={name: (opening > open).mean(axis=0) for name, opening in openings.items()},
        thresholds=(shut, open),
        count=int(trace.mask.sum()),
    )


def real_openings(trace):
    """The gates of a `Trace` at its real steps, name -> `(steps, units)`; the candidate is no gate.

    Raises:
        ValueError: no trace came, the cell has no gates, no step is real, or a gate is NaN there.
    """
    refuse_no_trace(trace)
    if not trace.gates:
        raise ValueError(
            f"A {trace.cell_type} has no gates that the probes can name. Trace an LSTM or a GRU; how long any of "
            "Keras' cells remembers, memory_retention measures."
        )
    if not trace.mask.any():
        raise ValueError(
            "The mask of the trace is False everywhere: no step is real. Pass inputs that are not padding."
        )
    gates = {name: gate for name, gate in trace.gates.items() if name != "candidate"}
    for name, gate in gates.items():
        refuse_not_finite(gate, trace.mask, f"The openings of the {name} gate")
    return {name: gate[trace.mask] for name, gate in gates.items()}
