"""Replay a recurrent layer whose cell has no closed form here: its own cell, step by step, under the tape."""

import keras
import numpy as np
from keras import ops, tree

from rnn_course import reference
from rnn_course.probes.stand_ins import (
    ReplayError,
    in_reading_order,
    plain_mask,
    refuse_call,
    refuse_difference,
    starting_states,
)


def custom_call(record, tape=None, *, through_time=True, adjust=None):
    """Make the stand-in for `layer.call`; shapes as in `keras.layers.RNN.call`.

    Args:
        record: the `Record` to fill; its arrays are `(batch, time, …)`.
        tape: an open `autodiff.recorder()` that is to watch a zero added at each step, or None.
        through_time: False cuts the gradient between steps.
        adjust: a function of t and the states, each `(batch, units)`, as in `reference.forward`; there are no gates.
    """
    layer = record.ref.layer
    own_call = layer.call

    def call(sequences, initial_state=None, mask=None, training=False):
        refuse_call(record, sequences)
        states = starting_states(layer, sequences, initial_state)
        refuse_states(record.ref, states)
        own = own_call(sequences, initial_state=list(states), mask=mask)
        own_output = tree.flatten(own)[0]
        shape = (*sequences.shape[:2], own_output.shape[-1])
        record.nudges = {"hidden": ops.zeros(shape, own_output.dtype), "inputs": ops.zeros_like(sequences)}
        for nudge in record.nudges.values() if tape is not None else ():
            tape.watch(nudge)
        real = in_reading_order(layer, plain_mask(mask))
        outputs, states, hidden = walk_cell(record, sequences, states, real, through_time=through_time, adjust=adjust)
        output = outputs if layer.return_sequences else outputs[:, -1]
        if adjust is None:
            refuse_difference(record.ref, output, own_output)
        inputs = in_reading_order(layer, ops.convert_to_numpy(sequences))
        record.unrolled = reference.Unrolled(ops.convert_to_numpy(outputs), hidden, None, None, inputs, real)
        return (output, *states) if layer.return_state else output

    return call


def walk_cell(record, sequences, states, real, *, through_time, adjust):
    """Step a layer's own cell through time, adding the record's nudges.

    Args:
        record: a `Record` with nudges `(batch, time, …)`.
        sequences: tensor `(batch, time, features)`.
        states: the initial states, tensors `(batch, units)`.
        real: mask `(batch, time)` in reading order, or None.
        through_time: as in `custom_call`.
        adjust: a function, as in `custom_call`, or None.

    Returns:
        Outputs `(batch, time, units)` as a tensor, the final states, and the hidden states as an array
        `(batch, 1 + time, units)`.
    """
    layer = record.ref.layer
    steps = in_reading_order(layer, sequences + record.nudges["inputs"])
    nudges = in_reading_order(layer, record.nudges["hidden"])
    output = ops.zeros_like(nudges[:, 0])
    outputs, hidden = [], [states[0]]
    for t in range(steps.shape[1]):
        if not through_time:
            states = tuple(ops.stop_gradient(state) for state in states)
        new_output, new_states = layer.cell(steps[:, t], list(states))
        refuse_hidden_output(record.ref, new_output, tree.flatten(new_states)[0])
        new_output = new_output + nudges[:, t]
        new_states = (new_output, *tree.flatten(new_states)[1:])
        if adjust is not None:
            new_states = map(ops.convert_to_tensor, adjust(t, new_states, None))
        keep = None if real is None else real[:, t, None]
        states = tuple(where(keep, new, old) for new, old in zip(new_states, states, strict=True))
        output = where(keep, states[0], ops.zeros_like(output) if layer.zero_output_for_mask else output)
        outputs.append(output)
        hidden.append(states[0])
    history = np.stack([ops.convert_to_numpy(state) for state in hidden], axis=1)
    return ops.stack(outputs, axis=1), states, history


def where(keep, new, old):
    """`new` where `keep` `(batch, 1)` is True, `old` elsewhere, both `(batch, units)`; `new` when `keep` is None."""
    return new if keep is None else ops.where(keep, new, old)


def refuse_states(ref, states):
    """Raise ReplayError unless a custom cell's states are `(batch, units)` of one cell, not of several in a stack."""
    kind = type(ref.layer.cell).__name__
    if isinstance(ref.layer.cell, keras.layers.StackedRNNCells):
        raise ReplayError(
            f"Layer {ref.path!r} steps through a stack of cells ({kind}) at once, so it has no single hidden state. "
            "Build one recurrent layer for each cell; the numbers are the same."
        )
    shapes = [tuple(state.shape) for state in states]
    if any(len(shape) != 2 for shape in shapes):
        raise ReplayError(
            f"Layer {ref.path!r} ({kind}) has states of shape {shapes}; probes read (batch, units). What the model's "
            "answer owes to each input, input_attribution shows."
        )


def refuse_hidden_output(ref, output, state):
    """Raise ReplayError unless a custom cell's output `(batch, units)` is its first state, as Keras' contract asks."""
    if not np.array_equal(ops.convert_to_numpy(output), ops.convert_to_numpy(state), equal_nan=True):
        raise ReplayError(
            f"The cell of layer {ref.path!r} ({type(ref.layer.cell).__name__}) puts out something else than its first "
            "state, so it is not clear which one to call hidden. Let it return the hidden state first."
        )
