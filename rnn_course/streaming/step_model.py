"""Turn a trained recurrent model into one that takes a single step, or a chunk of steps, with its states in the open.

A Keras model starts at zero and reads a whole sequence. The same layers, called around explicit states, can stop after
any step and go on later. Nothing is copied: the new model shares every weight with the old one.
"""

from typing import NamedTuple

import keras
from keras import ops, tree

from rnn_course.probes.layers import find_rnn_layers
from rnn_course.streaming.each_step import (
    refuse_at_sight,
    refuse_layer,
    refuse_model,
    refuse_recurrent,
    refuse_stateless,
)

STATE_NAMES = {
    keras.layers.SimpleRNNCell: ("hidden",),
    keras.layers.LSTMCell: ("hidden", "cell"),
    keras.layers.GRUCell: ("hidden",),
}


class Rebuilt(NamedTuple):
    """A model around explicit states.

    Attributes:
        model: a Keras model of `[x, *states]`, each state `(batch, units)`, that returns `[y, *new states]`.
        layers: the recurrent layer that each state belongs to, one entry a state.
        flat: whether batch and time are one axis in `y`: the last recurrent layer gave its last output only.
    """

    model: keras.Model
    layers: list
    flat: bool


def build_step_model(model, *, each_step=()):
    """Build the model that takes one step and hands its states over.

    It shares its weights with `model`, which stays as it was (the states of its stateful layers included), and is not
    compiled.

    Args:
        model: a built Keras model with one input, `(batch, time, …)`, one output and at least one recurrent layer that
            reads forward; functional or sequential, also with such models inside.
        each_step: layer classes of your own that treat each step alone, and so may stand between recurrent layers.

    Returns:
        A `keras.Model`. Its inputs are `[x, *states]`, x of shape `(batch, 1, …)` and each state `(batch, units)`, in
        the order of the layers; an LSTM has two, hidden before cell. Its outputs are `[y, *new states]`; y is what
        `model` says after this step, `(batch, 1, …)`, or `(batch, …)` where the last recurrent layer has
        `return_sequences=False`. The states' names are those of its inputs: `"lstm_1_hidden"`, `"lstm_1_cell"`.

    Raises:
        ValueError: a layer needs more of the sequence than one step, or the model cannot be taken apart; says which
            layer, and what to do.
    """
    return rebuild_stream(model, 1, each_step).model


def build_chunk_model(model, *, each_step=()):
    """Build the model that takes any number of steps, beginning at states that it is given.

    As `build_step_model`, and for each step the same numbers; one call costs less than one call a step.

    Args:
        model: a built Keras model, as in `build_step_model`.
        each_step: layer classes of your own that treat each step alone.

    Returns:
        A `keras.Model` of `[x, *states]`, x of shape `(batch, time, …)` with at least one step, that returns
        `[y, *new states]`: what `model` says after each step, `(batch, time, …)`, and the states after the last.
    """
    rebuilt = rebuild_stream(model, None, each_step)
    if not rebuilt.flat:
        return rebuilt.model
    x, (y, *states) = rebuilt.model.inputs[0], rebuilt.model.outputs
    return keras.Model(rebuilt.model.inputs, [SplitTime(name="split_time")([y, x]), *states], name=rebuilt.model.name)


class SplitTime(keras.layers.Layer):
    """Makes two axes again of batch and time.

    Input:  `[(batch * time, …), (batch, time, …)]`; only the shape of the second counts.
    Output: the first as (batch, time, …).
    """

    def call(self, inputs):
        """Return `(batch, time, …)` for `[(batch * time, …), (batch, time, …)]`."""
        flat, like = inputs
        batch, time = ops.shape(like)[:2]
        return ops.reshape(flat, (batch, time, *flat.shape[1:]))

    def compute_output_shape(self, input_shapes):
        """Return `(batch, time, …)` for the shapes `[(batch * time, …), (batch, time, …)]`."""
        flat, like = input_shapes
        return *like[:2], *flat[1:]


def rebuild_stream(model, length, each_step):
    """Do as `rebuild`, after a look at the whole: a `Rebuilt` whose states are `(batch, units)`.

    Args:
        model: a Keras model, built and with a recurrent layer.
        length: number of steps of the input; None for any.
        each_step: layer classes, as in `build_step_model`.
    """
    refuse_model(model)
    refuse_stateless(model)
    return rebuild(model, length, tuple(each_step))


def rebuild(model, length, each_step, path=""):
    """Call a model's layers again on `(batch, length, …)`, around states that are inputs and outputs.

    Args:
        model: a built Keras model.
        length: number of steps of the input; None for any.
        each_step: a tuple of layer classes, as in `build_step_model`.
        path: what stands before the names of the layers, where `model` is a layer itself.

    Returns:
        A `Rebuilt`; its states are `(batch, units)`.
    """
    refuse_model(model, path)
    chain = keras.Model(model.inputs[0], model.outputs[0])
    for layer in chain.layers:  # first of all: in the graph, a mask looks like any operation
        refuse_at_sight(layer, path)
    inside = {
        layer: rebuild(layer, length, each_step, f"{path}{layer.name}_")
        for layer in chain.layers
        if isinstance(layer, keras.Model) and find_rnn_layers(layer)
    }
    readers = [layer for layer in chain.layers if layer in inside or isinstance(layer, keras.layers.RNN)]
    states = {
        layer: inputs_like(inside[layer].model.inputs[1:]) if layer in inside else state_inputs(layer, path)
        for layer in readers
    }
    calls = Calls(each_step, inside, states, path)
    x = keras.Input(batch_shape=(None, length, *chain.input.shape[2:]), dtype=chain.input.dtype, name=chain.input.name)
    given = [state for layer in readers for state in states[layer]]
    y = call_again(chain, x, given, calls)
    new = [state for layer in readers for state in calls.new_states[layer]]
    owners = [owner for layer in readers for owner in owners_of(layer, states[layer], inside)]
    return Rebuilt(keras.Model([x, *given], [y, *new], name=f"{model.name}_steps"), owners, calls.is_flat(y))


def call_again(chain, x, states, calls):
    """Go through the graph of a model once more.

    Args:
        chain: a functional Keras model of one input and one output, each `(batch, time, …)`.
        x: symbolic tensor `(batch, time, …)`, its new input.
        states: a list of symbolic tensors `(batch, units)` that are called upon on the way.
        calls: a function of a layer and its arguments, called in its place.

    Returns:
        The symbolic tensor that comes out, `(batch, time, …)`, or flat.
    """
    more = inputs_like(states)  # Keras wants to know all inputs beforehand,
    for tensor in more:
        keras.layers.Identity()(tensor)  # and in some versions (3.13) that each has a use, be it outside of the model
    told = keras.Model([chain.input, *more], chain.output)
    keras.models.clone_model(told, input_tensors=[x, *states], clone_function=lambda layer: layer, call_function=calls)
    return calls.last


def owners_of(layer, group, inside):
    """List the recurrent layer of each state `(batch, units)` in a group; a model inside has several."""
    return inside[layer].layers if layer in inside else [layer] * len(group)


def inputs_like(tensors):
    """Make a `keras.Input` like each of some symbolic tensors `(batch, units)`."""
    return [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name) for tensor in tensors]


def state_inputs(layer, path):
    """Make a `keras.Input` `(batch, units)` for each state of a recurrent layer, named after it."""
    sizes = tree.flatten(layer.state_size)
    names = STATE_NAMES.get(type(layer.cell)) or [f"state_{k}" for k in range(len(sizes))]
    return [
        keras.Input((size,), dtype=layer.cell.compute_dtype, name=f"{path}{layer.name}_{name}")
        for size, name in zip(sizes, names, strict=True)
    ]


def read(layer, x, states):
    """Let a recurrent layer's cell read, beginning at states that are given.

    A layer of its own holds the cell for that: the one it belongs to may be stateful, and would keep what it read.

    Args:
        layer: a `keras.layers.RNN`.
        x: symbolic tensor `(batch, time, features)`.
        states: a list of symbolic tensors `(batch, units)`.

    Returns:
        The outputs `(batch, time, units)` and a list of the new states, each `(batch, units)`.
    """
    reader = keras.layers.RNN(
        layer.cell,
        return_sequences=True,
        return_state=True,
        unroll=x.shape[1] == 1,
        dtype=layer.dtype_policy,
        name=layer.name,
    )
    outputs, *new_states = reader(x, initial_state=tree.pack_sequence_as(layer.state_size, states))
    return outputs, tree.flatten(new_states)


class Calls:
    """What is called in place of each layer of a model; the symbolic tensors are `(batch, time, …)`.

    A recurrent layer reads with the states that were made for it. Any other layer is called as it is, if it treats
    each step alone. After a layer with `return_sequences=False` come tensors without a time axis: there batch and time
    are one axis, `(batch * time, …)`, for what was said about the last step is now said about every step.
    """

    def __init__(self, each_step, inside, states, path):
        """Keep what `rebuild` knows; the states are lists of symbolic tensors `(batch, units)`, one for each layer."""
        self.each_step = each_step
        self.inside = inside
        self.states = states
        self.path = path
        self.new_states = {}
        self.flat = {}  # by id, and kept, so that no id is given twice
        self.last = None

    def __call__(self, layer, *inputs, **options):
        """Call one layer on symbolic tensors `(batch, time, …)`; return its output."""
        tensors = tree.flatten(inputs)
        flat = any(map(self.is_flat, tensors))
        if layer in self.states:
            output = self.recurrent(layer, tensors, options)
            flat = self.inside[layer].flat if layer in self.inside else not layer.return_sequences
        else:
            mixed = flat and not all(map(self.is_flat, tensors))
            refuse_layer(layer, inputs, options, self.path, each_step=self.each_step, mixed=mixed)
            output = layer(*inputs, **options)
        if flat:
            self.flat[id(output)] = output
        self.last = output
        return output

    def is_flat(self, tensor):
        """Tell whether batch and time are one axis in a symbolic tensor `(batch, time, …)` or `(batch * time, …)`."""
        return id(tensor) in self.flat

    def recurrent(self, layer, tensors, options):
        """Let a recurrent layer read `(batch, time, features)`; return `(batch, time, units)`, or flat."""
        refuse_recurrent(layer, tensors, options, self.path, again=layer in self.new_states)
        if layer in self.inside:
            output, *self.new_states[layer] = self.inside[layer].model([*tensors, *self.states[layer]])
            return output
        output, self.new_states[layer] = read(layer, tensors[0], self.states[layer])
        return output if layer.return_sequences else ops.reshape(output, (-1, *output.shape[2:]))
