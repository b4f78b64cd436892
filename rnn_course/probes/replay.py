"""Call a model while its recurrent layers are replayed step by step, so that every state can be seen and moved.

A Keras model hides what happens between a recurrent layer's input and its output. For the time of one call, the
layers' `call` is swapped for a replay that keeps everything: in closed form (`rnn_course.reference`) for simple RNN,
LSTM and GRU, step by step through the layer's own cell for any other. Afterwards every layer is as it was. The closed
form is also the quick way: called eagerly, Keras walks through an LSTM operation by operation.
"""

import contextlib

import keras
import numpy as np
from keras import ops, tree

from rnn_course import reference
from rnn_course.probes import autodiff
from rnn_course.probes.layers import ACTIVATION_NAMES, find_rnn_layers

PROVED_STEPS = 512
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


class ReplayError(RuntimeError):
    """A replay did not give the numbers that the layer itself gives."""


class Record:
    """What one recurrent layer did during one call of its model, in the order in which it read.

    Attributes:
        ref: the `LayerRef`.
        cell: a `reference.Cell`; None for a custom cell.
        source: the watched input tensor `(batch, time, features)`, when there is a tape.
        unrolled: a `reference.Unrolled`, arrays `(batch, time, …)`; None until the layer is called.
        gradients: a `reference.Gradients` after a backward pass in closed form, else None.
        failure: the error that a stand-in raised, if one did.
        nudges: for a custom cell, zeros `(batch, time, …)` added to what the name says: `"hidden"`, `"inputs"`.
    """

    def __init__(self, ref):
        """Begin an empty record of the layer `ref`; no arrays yet."""
        self.ref = ref
        self.cell = None
        self.source = None
        self.unrolled = None
        self.gradients = None
        self.nudges = {}
        self.failure = None


def replay(model, inputs, target, *, tape=None, through_time=True, adjust=None):
    """Call a model with its recurrent layers replayed.

    Args:
        model: a built Keras model; the same afterwards as before.
        inputs: what `model` takes, `(batch, time, …)`.
        target: the `LayerRef` to keep a record of.
        tape: an open `autodiff.recorder()`, to differentiate what follows from the target layer; or None.
        through_time: False cuts the target's gradient between steps.
        adjust: intervention on the target's states, as in `reference.forward`; a custom cell has no gates to give it.

    Returns:
        The model's outputs, and the `Record` of the target.

    Raises:
        ValueError: the model calls the target more than once, or not at all.
        ReplayError: the replay does not equal the layer's own steps.
    """
    record = Record(target)
    make = custom_call if target.cell_type == "custom" else closed_form_call
    call = make(record, tape, through_time=through_time, adjust=adjust)
    with replayed_layers(model, tape, calls={target.layer: keeping_failure(record, call)}):
        try:
            outputs = model(inputs, training=False)
        except Exception:
            if record.failure is not None:  # Keras has wrapped its own words round it
                raise record.failure from None
            raise
    if record.unrolled is None:
        raise ValueError(
            f"Calling model {model.name!r} never reached layer {target.path!r} as Keras code: is its call a compiled "
            "function, or the layer left out at inference? Probe the part that calls it."
        )
    return outputs, record


@contextlib.contextmanager
def replayed_layers(model, tape=None, *, calls=None):
    """Replay the recurrent layers of a model in closed form, where there is one, while the context is open.

    Takes and returns no arrays: the model is called inside.

    Args:
        model: a built Keras model.
        tape: an open `autodiff.recorder()`, or None.
        calls: layer -> stand-in for its `call`, for those that are to do something else.
    """
    refs = find_rnn_layers(model)
    stand_ins = {
        ref.layer: closed_form_call(Record(ref), tape, shared=True) for ref in refs if ref.cell_type != "custom"
    }
    with unchanged(refs), swapped_calls(stand_ins | (calls or {})):
        yield


@contextlib.contextmanager
def swapped_calls(calls):
    """Give layers another `call` while the context is open, and their own back, whatever happens; takes no arrays.

    Args:
        calls: layer -> function that takes what its `call` takes.
    """
    own = {layer: vars(layer)["call"] for layer in calls if "call" in vars(layer)}
    try:
        for layer, call in calls.items():
            vars(layer)["call"] = call
        yield
    finally:
        for layer in calls:
            vars(layer).pop("call", None)
            vars(layer).update({"call": own[layer]} if layer in own else {})


@contextlib.contextmanager
def unchanged(refs):
    """Keep the states of stateful layers, and fused kernels out of the way, while the context is open; no arrays."""
    states = [[variable.numpy() for variable in tree.flatten(ref.layer.states or [])] for ref in refs]
    fused = {ref.layer: ref.layer.use_cudnn for ref in refs if hasattr(ref.layer, "use_cudnn")}
    try:
        for layer in fused:
            layer.use_cudnn = False  # its kernel would go round the replay
        yield
    finally:
        for layer, choice in fused.items():
            layer.use_cudnn = choice
        for ref, values in zip(refs, states, strict=True):
            for variable, value in zip(tree.flatten(ref.layer.states or []), values, strict=True):
                variable.assign(value)


def keeping_failure(record, call):
    """Wrap a stand-in for `layer.call`, any shapes `(…)`: what it raises is kept in `record.failure`, word for word."""

    def kept(*args, **options):
        try:
            return call(*args, **options)
        except (ReplayError, ValueError) as failure:
            record.failure = failure
            raise

    return kept


# ------------------------------------------------------------------------------------------------- the closed form


def closed_form_call(record, tape, *, through_time=True, adjust=None, shared=False):
    """Make the stand-in for `layer.call` of a simple RNN, LSTM or GRU; shapes as in `keras.layers.RNN.call`.

    Args:
        record: the `Record` to fill; its arrays are `(batch, time, …)`.
        tape: an open tape, or None.
        through_time: as in `replay`.
        adjust: as in `replay`.
        shared: whether the layer is only passed on the way: then the model may call it more than once, and where it
            compiles that call, the layer's own stands.
    """
    layer = record.ref.layer
    own_call = layer.call

    def call(sequences, initial_state=None, mask=None, training=False):
        if shared and not autodiff.is_eager(sequences):
            return own_call(sequences, initial_state=initial_state, mask=mask)
        if not shared:
            refuse_call(record, sequences)
        sources = [sequences, *starting_states(layer, sequences, initial_state)]
        if tape is not None and not shared:
            tape.watch(sequences)
            record.source = sequences
        cell = cell_of(record.ref)
        options = {"zero_output_for_mask": layer.zero_output_for_mask}
        unrolled = reference.forward(
            cell,
            in_reading_order(layer, working_array(layer, sequences)),
            initial_state=tuple(working_array(layer, state) for state in sources[1:]),
            mask=in_reading_order(layer, plain_mask(mask)),
            adjust=adjust,
            **options,
        )
        if adjust is None:
            prove_by_cell(record.ref, unrolled)
        record.cell, record.unrolled = cell, unrolled

        def pull_back(output_gradients, *final_gradients):
            found = reference.backward(
                cell,
                unrolled,
                output_gradients.astype(unrolled.outputs.dtype),
                final_gradients=final_gradients,
                through_time=through_time,
                **options,
            )
            record.gradients = found
            return [in_reading_order(layer, found.inputs), *found.initial]

        results = [unrolled.outputs, *(history[:, -1] for history in histories(unrolled))]
        results = [result.astype(layer.compute_dtype) for result in results]
        if tape is None:
            tensors = [ops.convert_to_tensor(result) for result in results]
        else:
            tensors = autodiff.with_known_gradient(results, sources, pull_back)
        return as_layer_returns(layer, tensors[0], tensors[1:])

    return call


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


def prove_by_cell(ref, unrolled):
    """Hold a replay against the layer's own cell: from the state before, one step must give the state after.

    The steps are independent of one another once the states are known, so one call of the cell proves up to 512 of
    them, spread evenly over batch and time.

    Args:
        ref: the `LayerRef`.
        unrolled: its replay, arrays `(batch, time, …)`.

    Raises:
        ReplayError: they differ.
    """
    time = unrolled.outputs.shape[1]
    real = np.arange(unrolled.outputs.shape[0] * time) if unrolled.mask is None else np.flatnonzero(unrolled.mask)
    chosen = real[:: max(1, -(-len(real) // PROVED_STEPS))]
    example, step = np.divmod(chosen, max(time, 1))
    dtype = ref.layer.compute_dtype
    before = [ops.convert_to_tensor(past[example, step], dtype=dtype) for past in histories(unrolled)]
    _, after = ref.layer.cell(ops.convert_to_tensor(unrolled.inputs[example, step], dtype=dtype), before)
    for past, own in zip(histories(unrolled), tree.flatten(after), strict=True):
        refuse_difference(ref, past[example, step + 1], own)


# ---------------------------------------------------------------------------------------------------- any other cell


def custom_call(record, tape, *, through_time=True, adjust=None):
    """Make the stand-in for `layer.call` of a layer whose cell has no closed form here: its own cell, step by step.

    Args:
        record: the `Record` to fill; its arrays are `(batch, time, …)`.
        tape: an open tape, or None.
        through_time: as in `replay`.
        adjust: as in `replay`.
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
        if tape is not None:
            for nudge in record.nudges.values():
                tape.watch(nudge)
        real = in_reading_order(layer, plain_mask(mask))
        outputs, states, hidden = walk_cell(record, sequences, states, real, through_time=through_time, adjust=adjust)
        if adjust is None:
            refuse_difference(record.ref, outputs if layer.return_sequences else outputs[:, -1], own_output)
        inputs = in_reading_order(layer, ops.convert_to_numpy(sequences))
        record.unrolled = reference.Unrolled(ops.convert_to_numpy(outputs), hidden, None, None, inputs, real)
        return as_layer_returns(layer, outputs, states)

    return call


def walk_cell(record, sequences, states, real, *, through_time, adjust):
    """Step a layer's own cell through time, adding the record's nudges.

    Args:
        record: a `Record` with nudges `(batch, time, …)`.
        sequences: tensor `(batch, time, features)`.
        states: the initial states.
        real: mask `(batch, time)` in reading order, or None.
        through_time: as in `replay`.
        adjust: as in `replay`.

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


# ----------------------------------------------------------------------------------------------------- small things


def starting_states(layer, sequences, initial_state):
    """The states a layer begins with, as a list of tensors `(batch, units)`: given, kept from before, or zeros."""
    if initial_state is None:
        initial_state = layer.states if layer.stateful else layer.get_initial_state(sequences.shape[0])
    return [ops.cast(ops.copy(state), layer.cell.compute_dtype) for state in tree.flatten(initial_state)]


def as_layer_returns(layer, outputs, states):
    """Shape a replay's results as the layer's options ask: outputs `(batch, time, units)` or the last; with states."""
    output = outputs if layer.return_sequences else outputs[:, -1]
    return (output, *states) if layer.return_state else output


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


def where(keep, new, old):
    """`new` where `keep` `(batch, 1)` is True, `old` elsewhere, both `(batch, units)`; `new` when `keep` is None."""
    return new if keep is None else ops.where(keep, new, old)


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
    replayed, own = (
        np.asarray(ops.convert_to_numpy(replayed), "float64"),
        np.asarray(ops.convert_to_numpy(own), "float64"),
    )
    tolerance = TOLERANCE.get(ref.layer.compute_dtype, 5e-2)
    if not np.allclose(replayed, own, rtol=tolerance, atol=tolerance):
        raise ReplayError(
            f"The replay of layer {ref.path!r} ({type(ref.layer).__name__} with {type(ref.layer.cell).__name__}) "
            f"differs from the layer itself by up to {np.abs(replayed - own).max():.3g}. Known options: activation, "
            "recurrent_activation, use_bias, reset_after, zero_output_for_mask, go_backwards, stateful; this layer "
            "does something else between its input and its output."
        )


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
        raise ReplayError(f"Layer {ref.path!r} ({kind}) has states of shape {shapes}; probes read (batch, units).")


def refuse_hidden_output(ref, output, state):
    """Raise ReplayError unless a custom cell's output `(batch, units)` is its first state, as Keras' contract asks."""
    same = output.shape == state.shape and np.array_equal(ops.convert_to_numpy(output), ops.convert_to_numpy(state))
    if not same:
        raise ReplayError(
            f"The cell of layer {ref.path!r} ({type(ref.layer.cell).__name__}) puts out something else than its first "
            "state, so it is not clear which one to call hidden. Let it return the hidden state first."
        )
