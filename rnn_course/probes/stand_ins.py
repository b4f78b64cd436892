"""What takes the place of a recurrent layer's `call` during a replay, and proves that it is the same.

Simple RNN, LSTM and GRU are replayed in closed form (`rnn_course.reference`), forward and backward.
"""

import keras
import numpy as np
from keras import ops, tree

from rnn_course import reference
from rnn_course.probes import autodiff
from rnn_course.probes.layers import ACTIVATION_NAMES

PROVED_STEPS = 32
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


class ReplayError(RuntimeError):
    """A replay did not give the numbers that the layer itself gives."""


class Record:
    """What one recurrent layer did during one call of its model, in the order in which it read.

    Attributes:
        ref: the `LayerRef`.
        unrolled: a `reference.Unrolled`, arrays `(batch, time, …)`; None until the layer is called.
        cell: a `reference.Cell`; None for a custom cell.
        results: the tensors that the layer gave back, `(batch, …)`, watched by the tape; empty for a custom cell.
        nudges: for a custom cell, zeros `(batch, time, …)` added to what the name says: `"hidden"`, `"inputs"`.
        failure: the error that the stand-in raised, if it did.
    """

    def __init__(self, ref):
        """Begin an empty record of the layer `ref`; no arrays yet."""
        self.ref = ref
        self.unrolled = None
        self.cell = None
        self.results = []
        self.nudges = {}
        self.failure = None


def recorded_call(record, tape=None, *, adjust=None):
    """Make the stand-in for `layer.call` of the layer that is looked at; shapes as in `keras.layers.RNN.call`.

    Args:
        record: the `Record` to fill; its arrays are `(batch, time, …)`.
        tape: an open `autodiff.recorder()` that is to watch what the layer gives back, or None.
        adjust: a function of t and the states, each `(batch, units)`, as in `reference.forward`; or None.
    """
    layer = record.ref.layer

    def call(sequences, initial_state=None, mask=None, training=False):
        refuse_call(record, sequences)
        states = None
        if initial_state is not None or layer.stateful:
            states = starting_states(layer, sequences, initial_state)
        record.cell, record.unrolled = read(record.ref, sequences, states, mask, adjust=adjust)
        record.results = [ops.convert_to_tensor(result) for result in results_of(layer, record.unrolled)]
        for result in record.results if tape is not None else ():
            tape.watch(result)
        return tuple(record.results) if layer.return_state else record.results[0]

    return call


def passing_call(ref, tape=None):
    """Make the stand-in for `layer.call` of a layer on the way to or from the one that is looked at.

    The model may call it more than once; where it compiles that call, the layer's own stands.

    Args:
        ref: the `LayerRef`.
        tape: an open `autodiff.recorder()` that is to find its way through the layer, or None.

    Returns:
        A function of `(batch, time, features)`, and of what else `keras.layers.RNN.call` takes.
    """
    layer = ref.layer
    own_call = layer.call

    def call(sequences, initial_state=None, mask=None, training=False):
        if not autodiff.is_eager(sequences):
            return own_call(sequences, initial_state=initial_state, mask=mask)
        states = starting_states(layer, sequences, initial_state)
        cell, unrolled = read(ref, sequences, states, mask)

        def pull_back(*upstream):
            found = back_through(layer, cell, unrolled, upstream)
            return [in_reading_order(layer, found.inputs), *found.initial]

        results = results_of(layer, unrolled)
        if tape is None:
            tensors = [ops.convert_to_tensor(result) for result in results]
        else:
            tensors = autodiff.with_known_gradient(results, [sequences, *states], pull_back)
        return tuple(tensors) if layer.return_state else tensors[0]

    return call


def read(ref, sequences, states, mask, *, adjust=None):
    """Read a layer's input as the layer does.

    Args:
        ref: the `LayerRef`.
        sequences: tensor `(batch, time, features)`.
        states: the initial states, a list of tensors `(batch, units)`; None for zeros.
        mask: tensor `(batch, time)`, or None.
        adjust: a function of t and the states, each `(batch, units)`, as in `reference.forward`; or None.

    Returns:
        The `reference.Cell`, and its `reference.Unrolled`, proved by the layer's own cell unless it was adjusted.

    Raises:
        ReplayError: the layer's own cell takes other steps.
    """
    cell = cell_of(ref)
    unrolled = reference.forward(
        cell,
        in_reading_order(ref.layer, working_array(ref.layer, sequences)),
        initial_state=states and tuple(working_array(ref.layer, state) for state in states),
        mask=in_reading_order(ref.layer, plain_mask(mask)),
        zero_output_for_mask=ref.layer.zero_output_for_mask,
        adjust=adjust,
    )
    if adjust is None:
        prove_by_cell(ref, unrolled)
    return cell, unrolled


def cell_of(ref):
    """Read a layer's weights and options into a `reference.Cell`; shapes as in `reference.Weights`."""
    cell = ref.layer.cell
    variables = [cell.kernel, cell.recurrent_kernel] + ([cell.bias] if cell.use_bias else [])
    return reference.Cell(
        ref.cell_type,
        reference.Weights(*(working_array(ref.layer, variable) for variable in variables)),
        ACTIVATION_NAMES[cell.activation],
        ACTIVATION_NAMES[getattr(cell, "recurrent_activation", keras.activations.sigmoid)],
        getattr(cell, "reset_after", True),
    )


def results_of(layer, unrolled):
    """What a layer's options let it give back, as arrays: outputs `(batch, time, units)` or the last; final states."""
    output = unrolled.outputs if layer.return_sequences else unrolled.outputs[:, -1]
    states = [history[:, -1] for history in histories(unrolled)] if layer.return_state else []
    return [result.astype(layer.compute_dtype, copy=False) for result in (output, *states)]


def back_through(layer, cell, unrolled, upstream, *, through_time=True):
    """Take the gradients of what a layer gave back through it.

    Args:
        layer: the `keras.layers.RNN`.
        cell: its `reference.Cell`.
        unrolled: its `reference.Unrolled`, arrays `(batch, time, …)`.
        upstream: one array for each of `results_of`, of its shape.
        through_time: False for direct gradients, as in `reference.backward`.

    Returns:
        A `reference.Gradients`, in the order in which the layer read, arrays `(batch, time, …)`.
    """
    output, *final = (np.asarray(gradient, unrolled.outputs.dtype) for gradient in upstream)
    if not layer.return_sequences:
        last, output = output, np.zeros(unrolled.outputs.shape, output.dtype)
        output[:, -1] = last
    return reference.backward(
        cell,
        unrolled,
        output,
        final_gradients=tuple(final),
        zero_output_for_mask=layer.zero_output_for_mask,
        through_time=through_time,
    )


def prove_by_cell(ref, unrolled):
    """Hold a replay against the layer's own cell: from the state before, one step must give the state after.

    The steps are independent of one another once the states are known, so one call of the cell proves up to 32 of
    them, spread evenly over batch and time.

    Args:
        ref: the `LayerRef`.
        unrolled: its replay, arrays `(batch, time, …)`.

    Raises:
        ReplayError: they differ.
    """
    time = unrolled.outputs.shape[1]
    real = np.arange(unrolled.outputs.shape[0] * time) if unrolled.mask is None else np.flatnonzero(unrolled.mask)
    if not len(real):
        return  # all is padding, and no step was taken
    chosen = real[:: max(1, -(-len(real) // PROVED_STEPS))]
    example, step = np.divmod(chosen, max(time, 1))
    dtype = ref.layer.compute_dtype
    before = [ops.convert_to_tensor(past[example, step], dtype=dtype) for past in histories(unrolled)]
    _, after = ref.layer.cell.call(ops.convert_to_tensor(unrolled.inputs[example, step], dtype=dtype), before)
    for past, own in zip(histories(unrolled), tree.flatten(after), strict=True):
        refuse_difference(ref, past[example, step + 1], own)


# ----------------------------------------------------------------------------------------------------- small things


def starting_states(layer, sequences, initial_state):
    """The states a layer begins with, as a list of tensors `(batch, units)`: given, kept from before, or zeros."""
    if initial_state is None:
        initial_state = layer.states if layer.stateful else layer.get_initial_state(sequences.shape[0])
    return [ops.cast(ops.copy(state), layer.cell.compute_dtype) for state in tree.flatten(initial_state)]


def in_reading_order(layer, array):
    """Turn the time axis of `(batch, time, …)` round where the layer reads backwards; None stays None."""
    if array is None or not layer.go_backwards:
        return array
    return ops.flip(array, axis=1) if not isinstance(array, np.ndarray) else array[:, ::-1]


def plain_mask(mask):
    """A Keras mask as a bool array `(batch, time)`; None stays None."""
    if mask is None:
        return None
    mask = ops.convert_to_numpy(tree.flatten(mask)[0]).astype(bool)
    return mask.reshape(mask.shape[:2])


def working_array(layer, values):
    """A tensor or variable `(…)` as an array in the replay's precision: float64 where the layer's is, else float32."""
    return ops.convert_to_numpy(values).astype("float64" if layer.compute_dtype == "float64" else "float32", copy=False)


def histories(unrolled):
    """The states of a replay, each `(batch, 1 + time, units)`: hidden, and cell if there is one."""
    return [unrolled.hidden] if unrolled.cell is None else [unrolled.hidden, unrolled.cell]


def refuse_call(record, sequences):
    """Raise ValueError unless a call on `(batch, time, features)` has numbers to record, and is the first one."""
    if not autodiff.is_eager(sequences):
        raise ValueError(
            f"Layer {record.ref.path!r} is called inside a function that is being compiled, where there are no numbers "
            "to read. Take the tf.function off the code that calls it, or probe the part inside."
        )
    if record.unrolled is not None:
        raise ValueError(
            f"Layer {record.ref.path!r} is called more than once in this model, so it has more than one trace. "
            "Probe a model that ends before its second call."
        )


def refuse_difference(ref, replayed, own):
    """Raise ReplayError unless a replay's numbers `(…)` equal the layer's own `(…)`."""
    replayed, own = (np.asarray(ops.convert_to_numpy(numbers), "float64") for numbers in (replayed, own))
    tolerance = TOLERANCE.get(ref.layer.compute_dtype, 5e-2)
    if not np.allclose(replayed, own, rtol=tolerance, atol=tolerance, equal_nan=True):
        raise ReplayError(
            f"The replay of layer {ref.path!r} ({type(ref.layer).__name__} with {type(ref.layer.cell).__name__}) "
            f"differs from the layer itself by up to {np.abs(replayed - own).max():.3g}. Known options: activation, "
            "recurrent_activation, use_bias, reset_after, zero_output_for_mask, go_backwards, stateful; this layer "
            "does something else between its input and its output."
        )
