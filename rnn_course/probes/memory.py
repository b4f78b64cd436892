"""How long a unit remembers: what its gates promise, and what is left of a nudge when it is measured."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnn_course import reference
from rnn_course.probes.inputs import refuse_no_trace, refuse_not_finite
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import histories, in_reading_order

KEEP_GATES = {"lstm": "forget", "gru": "update"}
MOST_NUMBERS = 4_000_000  # in the gates of one part of the batch: 32 MB


@dataclass(frozen=True)
class MemoryHalfLife:
    """How long each unit would keep what it holds if its own gate were all that touched it.

    Attributes:
        steps: `(units,)`, time steps until half is left; inf where the gate never closes, 0 where it is once shut.
        keep: `(units,)`, the geometric mean f of the gate that keeps, over all real steps of all examples.
        steps_by_example: `(batch, units)`, the same for each example alone; NaN for one without a real step.
        keep_by_example: `(batch, units)`, the same.
        gate: which gate keeps: `"forget"` (LSTM) or `"update"` (GRU).
    """

    steps: np.ndarray
    keep: np.ndarray
    steps_by_example: np.ndarray
    keep_by_example: np.ndarray
    gate: str


def memory_half_life(trace):
    """Turn the gate that keeps into a time: the half-life ln ½ / ln f of each unit's memory, in steps.

    An LSTM's c_t = f c_{t-1} + i c̃ and a GRU's h_t = z h_{t-1} + (1 - z) h̃ multiply what they hold by a gate at every
    step, so after k steps the product of its openings is left: f to the power k, f being their geometric mean. Tallec
    and Ollivier (2018) read gates as time constants in this way.

    What this leaves out is the recurrent connections: what a unit holds moves the gates and candidates of the next
    step, its own among them, and can be written anew or wiped out by them. `memory_retention` measures all of it.

    Args:
        trace: a `Trace` of an LSTM or a GRU, its gates `(batch, time, units)`.

    Returns:
        A `MemoryHalfLife`; `steps` is `(units,)`.

    Raises:
        ValueError: no trace came, the cell has no gate that keeps, no step is real, or the gate is NaN or not between
            0 and 1.
    """
    gate = keep_gate_of(trace)
    opening = trace.gates[gate].astype("float64")
    refuse_not_finite(opening, trace.mask, f"The openings of the {gate} gate")
    real = trace.mask[:, :, None]
    low, high = opening[trace.mask].min(), opening[trace.mask].max()
    if low < 0 or high > 1:
        raise ValueError(
            f"The {gate} gate runs from {low:.3g} to {high:.3g}; a half-life needs one between 0 and 1, such as a "
            "sigmoid. Use memory_retention, which measures."
        )
    logarithm = np.log(opening, out=np.full(opening.shape, -np.inf), where=opening > 0)
    total, count = np.where(real, logarithm, 0).sum(axis=1), real.sum(axis=1)  # (batch, units), (batch, 1)
    by_example = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    overall = total.sum(axis=0) / count.sum()
    return MemoryHalfLife(half_life(overall), np.exp(overall), half_life(by_example), np.exp(by_example), gate)


def keep_gate_of(trace):
    """Name the gate that keeps the memory in a `Trace`, its gates `(batch, time, units)`.

    Raises:
        ValueError: the cell has none, or no step is real.
    """
    refuse_no_trace(trace)
    if trace.cell_type == "custom":
        raise ValueError(
            "A custom cell has no gate that is known to keep its state, so no half-life follows from one. Trace an "
            "LSTM or a GRU; how far back your cell reaches, gradient_flow measures."
        )
    if trace.cell_type not in KEEP_GATES:
        raise ValueError(
            f"A {trace.cell_type} has no gate that keeps its state, so no half-life follows from one. Trace an LSTM or "
            "a GRU, or use memory_retention, which measures."
        )
    if not trace.mask.any():
        raise ValueError(
            "The mask of the trace is False everywhere: no step is real. Pass inputs that are not padding."
        )
    return KEEP_GATES[trace.cell_type]


def half_life(logarithm):
    """Steps until half is left, from the logarithm `(…)` of what each step keeps: ln ½ / ln f, inf where f is 1.

    >>> half_life(np.log([0.5, 0.25, 1.0])).tolist()
    [1.0, 0.5, inf]
    """
    steps = np.where(np.isnan(logarithm), np.nan, np.inf)
    return np.divide(np.log(0.5), logarithm, out=steps, where=logarithm < 0)


@dataclass(frozen=True)
class Retention:
    """How much of a nudge to one unit's memory is still in the same unit k steps later; row k of an array is lag k.

    1 is all of it, 0 nothing; above 1 it has grown, below 0 it has turned over. Steps are counted in the direction in
    which the layer reads. A masked step carries the memory over; after an example's last real step there is NaN.

    Attributes:
        measured: `(1 + lags, units)`, mean over the examples that have got so far.
        predicted: `(1 + lags, units)`, what the gate that keeps would leave by itself: the product of its openings
            over the same steps, mean over the same examples; None for a simple RNN.
        by_example: `(batch, 1 + lags, units)`, what was measured in each example; NaN where `step` is padding, too.
        count: `(1 + lags,)`, how many examples have got so far.
        step: the step of the input after which the memory was nudged.
        state: what was nudged, `"cell"` (LSTM) or `"hidden"`.
        cell_type: `"simple_rnn"`, `"lstm"` or `"gru"`.
    """

    measured: np.ndarray
    predicted: np.ndarray | None
    by_example: np.ndarray
    count: np.ndarray
    step: int
    state: str
    cell_type: str

    def half_life(self):
        """The first lag at which at most half of the nudge is left, `(units,)` float; inf where it never falls so far.

        It is read off `measured`, in whole steps.
        """
        fallen = np.abs(self.measured) <= 0.5
        return np.where(fallen.any(axis=0), fallen.argmax(axis=0), np.inf)


def memory_retention(model, inputs, layer=None, *, direction="forward", step, lags=None, nudge=1e-3):
    """Nudge one unit's memory, read on, and measure how much of the nudge is still in that unit.

    The memory is an LSTM's cell state c_t, whose h_t = o tanh(c_t) moves with it, and the hidden state of the other
    cells. Each unit is nudged on its own, the inputs stay what they are, and everything else follows by the recurrence:
    gates, candidates and other units too. For a small nudge, the result at lag k is the diagonal of the Jacobian
    ∂c_{t+k}/∂c_t (Pascanu, Mikolov and Bengio 2013 on its norm); with a linear simple RNN, that of U to the power k.
    A large `nudge` asks another question: does a memory of that size last? From there on, numbers are float64.

    Args:
        model: a built Keras model; read, never changed.
        inputs: what `model` takes, `(batch, time, …)`.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.
        step: the step of the input after which the memory is nudged; a negative one counts from the end.
        lags: how many steps to follow the nudge; to the end of the sequences when `None`.
        nudge: how much is added to the state of the unit.

    Returns:
        A `Retention`; `measured` is `(1 + lags, units)`.

    Raises:
        ValueError: no such layer or step, no example that is real there, no lags or a nudge of zero, states that are
            NaN, or a custom cell.
        ReplayError: the replay does not equal the layer's own steps.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    refuse_unanswerable(ref, lags, nudge)
    _, record = replay(model, inputs, ref)
    shape = record.unrolled.outputs.shape[:2]
    mask = np.ones(shape, bool) if record.unrolled.mask is None else record.unrolled.mask
    step, now = steps_of(ref, step, shape[1])
    refuse_not_finite(
        *(in_reading_order(ref.layer, each) for each in (record.unrolled.hidden[:, 1:], mask)), "The states"
    )
    chosen = np.flatnonzero(mask[:, now])
    if not chosen.size:
        raise ValueError(f"Step {step} is padding in every example: there is no memory to nudge. Pass another step.")
    reached = steps_reached(mask[chosen, now:], lags)
    rest = rest_of(record.unrolled, mask, chosen, now, reached.shape[1] - 1)
    found = np.where(reached[:, :, None], shares_in_parts(record.cell, rest, nudge), np.nan)
    by_example = np.full((len(mask), *found.shape[1:]), np.nan)
    by_example[chosen] = found
    promised = what_gates_keep(ref.cell_type, rest)
    return Retention(
        measured=np.nanmean(found, axis=0),
        predicted=None if promised is None else np.nanmean(np.where(reached[:, :, None], promised, np.nan), axis=0),
        by_example=by_example,
        count=reached.sum(axis=0),
        step=step,
        state="hidden" if record.unrolled.cell is None else "cell",
        cell_type=ref.cell_type,
    )


def refuse_unanswerable(ref, lags, nudge):
    """Raise ValueError for a cell without a closed form, no lags at all, or a nudge that is none; takes no arrays."""
    if lags is not None and (lags < 1 or lags != int(lags)):
        raise ValueError(
            f"lags is {lags}; pass a whole number from 1 on, or leave it out to follow the nudge to the end."
        )
    if not np.isfinite(nudge) or nudge == 0:
        raise ValueError(f"nudge is {nudge}; pass a small number that is not zero, such as 1e-3.")
    if ref.cell_type == "custom":
        raise ValueError(
            f"Layer {ref.path!r} ({type(ref.layer.cell).__name__}) is a custom cell, whose memory cannot be nudged "
            "unit by unit; expected Keras' SimpleRNN, LSTM or GRU. How far back it reaches, gradient_flow measures."
        )


def steps_of(ref, step, time):
    """A step of the input, counted from 0, and its place in the order in which the layer reads; no arrays.

    Raises:
        ValueError: the sequences have no such step.
    """
    if step != int(step) or not -time <= step < time:
        raise ValueError(f"step is {step}; the sequences have steps 0 to {time - 1}.")
    step = int(step) % time
    return step, time - 1 - step if ref.direction == "backward" else step


def steps_reached(mask, lags=None):
    """Where examples have not ended yet.

    Args:
        mask: `(batch, 1 + steps)` bool, True at real steps; the first one is real in all.
        lags: how many steps are wanted at most; an int, or None for all.

    Returns:
        `(batch, 1 + lags)` bool, up to the last real step of the longest example.

    >>> steps_reached(np.array([[True, False, True, False, False]])).tolist()
    [[True, True, True]]
    """
    reached = np.logical_or.accumulate(mask[:, ::-1], axis=1)[:, ::-1]
    return reached[:, : reached.any(axis=0).sum()][:, : None if lags is None else 1 + lags]


class Rest(NamedTuple):
    """What is left to read after a step, and the state to go on from, in float64 and in reading order.

    Attributes:
        inputs: `(batch, lags, features)`.
        mask: `(batch, lags)` bool.
        states: the hidden state, and the cell state if there is one, each `(batch, units)`.
        gates: `(batch, 1 + lags, gates * units)`, the first those that led to the states.
    """

    inputs: np.ndarray
    mask: np.ndarray
    states: tuple[np.ndarray, ...]
    gates: np.ndarray


def rest_of(unrolled, mask, chosen, now, lags):
    """Cut what comes after a step out of a forward pass.

    Args:
        unrolled: a `reference.Unrolled`, arrays `(batch, time, …)`.
        mask: `(batch, time)` bool.
        chosen: `(examples,)` indices of the examples to take.
        now: an int, the step after which it begins, in reading order.
        lags: an int, how many steps are taken.

    Returns:
        A `Rest`, its inputs `(examples, lags, features)`.
    """
    after = slice(now + 1, now + 1 + lags)
    return Rest(
        inputs=unrolled.inputs[chosen, after].astype("float64"),
        mask=mask[chosen, after],
        states=tuple(history[chosen, now + 1].astype("float64") for history in histories(unrolled)),
        gates=unrolled.gates[chosen, now : now + 1 + lags].astype("float64"),
    )


def shares_in_parts(cell, rest, nudge):
    """`shares_left` of a whole batch, `(batch, 1 + lags, units)`, so few examples at a time that they fit in memory."""
    batch, length, width = rest.gates.shape
    units = rest.states[0].shape[1]
    size = max(1, MOST_NUMBERS // (length * width * (1 + units)))
    parts = [slice(start, start + size) for start in range(0, batch, size)]
    return np.concatenate(
        [
            shares_left(
                cell,
                Rest(rest.inputs[part], rest.mask[part], tuple(s[part] for s in rest.states), rest.gates[part]),
                nudge,
            )
            for part in parts
        ]
    )


def shares_left(cell, rest, nudge):
    """Read on from nudged states, all units of all examples at once, and compare with reading on undisturbed.

    Args:
        cell: a `reference.Cell`, its weights as in `reference.Weights`, kernel `(features, gates * units)`.
        rest: a `Rest`, inputs `(batch, lags, features)`.
        nudge: a float, how much is added to one unit of the memory in each row.

    Returns:
        `(batch, 1 + lags, units)`: what is left of the nudge in the unit it was given to, as a share of it.
    """
    batch, lags = rest.mask.shape
    memory = rest.states[-1]
    units = memory.shape[1]
    rows = 1 + units  # the first one is left alone
    pushed = (memory[:, None] + np.vstack([np.zeros(units), nudge * np.eye(units)])).reshape(-1, units)
    states = (pushed,)
    if cell.kind == "lstm":
        output_gate = reference.split_gates("lstm", rest.gates)["output"][:, 0]
        states = (np.repeat(output_gate, rows, axis=0) * reference.ACTIVATIONS[cell.activation].value(pushed), pushed)
    inputs, mask = (np.repeat(array, rows, axis=0) for array in (rest.inputs, rest.mask))
    unrolled = reference.forward(cell, inputs, initial_state=states, mask=mask)
    history = histories(unrolled)[-1].reshape(batch, rows, 1 + lags, units)
    return (np.diagonal(history[:, 1:], axis1=1, axis2=3) - history[:, 0]) / nudge


def what_gates_keep(cell_type, rest):
    """The product of the openings of the gate that keeps, `(batch, 1 + lags, units)`; None for a cell without one."""
    if cell_type not in KEEP_GATES:
        return None
    opening = reference.split_gates(cell_type, rest.gates)[KEEP_GATES[cell_type]].copy()
    opening[:, 0] = 1
    opening[:, 1:][~rest.mask] = 1  # a masked step carries over
    return np.cumprod(opening, axis=1)
