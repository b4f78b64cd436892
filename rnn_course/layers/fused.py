"""Recurrent layers that compute what Keras' own compute, in less time on a CPU.

Five things make them quick. What the input adds to every gate is one product for all steps, taken before the loop. The
loop keeps the gates, so that the way back has nothing to compute twice. The gradient of a kernel is one product over
all steps, taken after the loop back, where automatic differentiation takes a small one at every step and adds them up.
The loops are compiled, also where the rest of the model is not, and each half of a batch has loops of its own,
so that two processor cores need not meet at every step.

Compiled code is for one length: where that differs from batch to batch, it would be compiled again and again, and not
compiled the rest gains nothing. So sequences of unknown length get Keras' own loop; so do options that this arithmetic
does not cover, and machines and backends with something better.
"""

from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from rnn_course.layers.recurrent_loops import flat, recurrence, ways_to_run
from rnn_course.layers.recurrent_steps import EARLY_GRU, GRU, LSTM, SIMPLE_RNN, Recurrent


class Batch(NamedTuple):
    """What a layer reads.

    Attributes:
        sequences: `(batch, time, features)`.
        states: the initial states, a list of `(batch, units)`.
        mask: a list of one bool `(batch, time)` or `(batch, time, 1)`, True at the real steps; or an empty list.
        dropout: a list of masks `(batch, features)` on the input: none, one for all gates, or one for each.
        recurrent_dropout: a list of masks `(batch, units)` on the hidden state: none, or one for each gate.
    """

    sequences: tf.Tensor
    states: list
    mask: list
    dropout: list
    recurrent_dropout: list


@keras.saving.register_keras_serializable(package="rnn_course")
class FusedLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` with a quicker loop: the same arguments, weights and numbers.

    Batches of several lengths in one graph, activations other than tanh and sigmoid, `unroll=True`, a GPU (which has
    cuDNN) and backends other than TensorFlow get Keras' own loop.

    Input:  (batch, time, features), and a mask (batch, time) if any step is padding.
    Output: (batch, time, units), or (batch, units) of the last step; states (batch, units) with `return_state`.

    >>> layer = FusedLSTM(4, return_sequences=True)
    >>> layer(keras.ops.ones((2, 3, 5))).shape
    TensorShape([2, 3, 4])
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Read `(batch, time, features)`; return the last output, all outputs and the states, as Keras' own does."""
        if is_covered(self, sequences):
            return read(self, LSTM, sequences, initial_state, mask, training=training)
        return super().inner_loop(sequences, initial_state, mask, training=training)


@keras.saving.register_keras_serializable(package="rnn_course")
class FusedGRU(keras.layers.GRU):
    """`keras.layers.GRU` with a quicker loop: the same arguments, weights and numbers, `reset_after` or not.

    Batches of several lengths in one graph, activations other than tanh and sigmoid, `unroll=True`, a GPU (which has
    cuDNN) and backends other than TensorFlow get Keras' own loop.

    Input:  (batch, time, features), and a mask (batch, time) if any step is padding.
    Output: (batch, time, units), or (batch, units) of the last step; states (batch, units) with `return_state`.

    >>> layer = FusedGRU(4, return_sequences=True)
    >>> layer(keras.ops.ones((2, 3, 5))).shape
    TensorShape([2, 3, 4])
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Read `(batch, time, features)`; return the last output, all outputs and the states, as Keras' own does."""
        if is_covered(self, sequences):
            steps = GRU if self.cell.reset_after else EARLY_GRU
            return read(self, steps, sequences, initial_state, mask, training=training)
        return super().inner_loop(sequences, initial_state, mask, training=training)


@keras.saving.register_keras_serializable(package="rnn_course")
class FusedSimpleRNN(keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with a quicker loop: the same arguments, weights and numbers.

    Batches of several lengths in one graph, activations other than tanh, `unroll=True`, a GPU and backends other than
    TensorFlow get Keras' own loop.

    Input:  (batch, time, features), and a mask (batch, time) if any step is padding.
    Output: (batch, time, units), or (batch, units) of the last step; states (batch, units) with `return_state`.

    >>> layer = FusedSimpleRNN(4, return_sequences=True)
    >>> layer(keras.ops.ones((2, 3, 5))).shape
    TensorShape([2, 3, 4])
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Read `(batch, time, features)`; return the last output, all outputs and the states, as Keras' own does."""
        if is_covered(self, sequences):
            return read(self, SIMPLE_RNN, sequences, initial_state, mask, training=training)
        return super().inner_loop(sequences, initial_state, mask, training=training)


# Keras names the weights in a file after the class of their layer. With the name of the layer that it is made from, a
# fused layer reads that layer's files, and writes such files.
for layer in (FusedLSTM, FusedGRU, FusedSimpleRNN):
    layer.__name__ = layer.__base__.__name__


def is_covered(layer, sequences):
    """Whether the loops here do all that a layer's options ask for, on `(batch, time, features)` of a known time."""
    cell = layer.cell
    return (
        keras.backend.backend() == "tensorflow"
        and (tf.executing_eagerly() or sequences.shape[1] is not None)
        and not tf.config.list_logical_devices("GPU")
        and not layer.unroll
        and getattr(layer, "use_cudnn", "auto") is not True
        and cell.activation is keras.activations.tanh
        and getattr(cell, "recurrent_activation", keras.activations.sigmoid) is keras.activations.sigmoid
        and max(cell.dropout, cell.recurrent_dropout) < 1
    )


def read(layer, steps, sequences, states, mask, *, training):
    """Let a layer read a batch; in a graph in two halves, so that two processor cores need not wait for one another.

    Args:
        layer: a `FusedLSTM`, `FusedGRU` or `FusedSimpleRNN`.
        steps: the `Steps` of its cell.
        sequences: `(batch, time, features)`.
        states: the initial states, a list of `(batch, units)`.
        mask: `(batch, time)` or `(batch, time, 1)`, True at the real steps; or None.
        training: whether dropout is on.

    Returns:
        The last output `(batch, units)`, the outputs `(batch, time, units)` (the last one alone, with time 1, unless
        the layer returns sequences), and the list of final states, each `(batch, units)`.

    Raises:
        ValueError: a mask of another batch or time than the sequences.
    """
    cell, states = layer.cell, keras.tree.flatten(states)
    mask = [] if mask is None else [bool_mask(keras.tree.flatten(mask)[0], sequences)]
    drops = [cell.get_dropout_mask(sequences[:, 0])] if training and cell.dropout else []
    recurrent_drops = [cell.get_recurrent_dropout_mask(states[0])] if training and cell.recurrent_dropout else []
    batch = Batch(sequences, states, mask, keras.tree.flatten(drops), keras.tree.flatten(recurrent_drops))
    ways = ways_to_run(steps)
    parts = [batch] if tf.executing_eagerly() or sequences.shape[0] == 1 else halves_of(batch)
    outputs, *final = joined([read_part(layer, ways, part) for part in parts])
    return outputs[:, -1], outputs, final


def bool_mask(mask, sequences):
    """Read a mask `(batch, time, …)` as bool; refuse one that does not go with sequences `(batch, time, features)`."""
    mask = tf.cast(mask, "bool")
    if not mask.shape[:2].is_compatible_with(sequences.shape[:2]):
        raise ValueError(
            f"The mask has shape {tuple(mask.shape)}, the sequences {tuple(sequences.shape)}; pass a mask of the same "
            "batch and time."
        )
    return mask


def halves_of(batch):
    """Split a `Batch`, arrays `(batch, …)`, into two."""
    size = batch.sequences.shape[0] or tf.shape(batch.sequences)[0]
    halves = zip(*(tf.split(array, [size // 2, size - size // 2]) for array in tf.nest.flatten(batch)), strict=True)
    return [tf.nest.pack_sequence_as(batch, half) for half in halves]


def joined(parts):
    """Put lists of arrays `(batch, …)` together along the batch."""
    return parts[0] if len(parts) == 1 else [tf.concat(arrays, axis=0) for arrays in zip(*parts, strict=True)]


def read_part(layer, ways, batch):
    """Let a layer read a batch, or half of one.

    Args:
        layer: a `FusedLSTM`, `FusedGRU` or `FusedSimpleRNN`.
        ways: the `Ways` of its cell.
        batch: a `Batch`.

    Returns:
        A list: the outputs `(batch, time, units)`, or the last one alone, with time 1; then the final states, each
        `(batch, units)`.
    """
    real = [in_reading_order(layer, mask if len(mask.shape) == 3 else mask[..., None]) for mask in batch.mask]
    added = projection(layer.cell, in_reading_order(layer, batch.sequences), batch.dropout)
    recurrent = recurrent_part(layer.cell, batch.recurrent_dropout)
    hidden, final = recurrence(ways, added, real, recurrent, batch.states, every=layer.return_sequences)
    outputs = visible(hidden, *real, layer=layer) if real else hidden
    return [tf.transpose(outputs, (1, 0, 2)), *final]


def in_reading_order(layer, array):
    """Turn `(batch, time, …)` into `(time, batch, …)`, from the last step to the first where the layer reads so."""
    array = tf.transpose(array, (1, 0, 2))
    return tf.reverse(array, [0]) if layer.go_backwards else array


def projection(cell, inputs, dropout):
    """What the input adds to each gate, for all steps in one product.

    Args:
        cell: the layer's cell.
        inputs: `(time, batch, features)`.
        dropout: a list of masks `(batch, features)`: none, one for all gates, or one for each.

    Returns:
        `(time, batch, gates * units)`.
    """
    dropped = [inputs * mask for mask in dropout] or [inputs]
    kernels = tf.split(working(cell, cell.kernel), len(dropped), axis=1)
    added = tf.concat([tf.matmul(flat(x), kernel) for x, kernel in zip(dropped, kernels, strict=True)], axis=1)
    if has_two_biases(cell):
        added += working(cell, cell.bias[0])
    return tf.reshape(added, (inputs.shape[0], inputs.shape[1] or -1, added.shape[1]))


def recurrent_part(cell, dropout):
    """What a cell multiplies its hidden state with, as a `Recurrent`; `dropout` is a list of masks `(batch, units)`."""
    kernel = working(cell, cell.recurrent_kernel)
    if cell.use_bias:
        bias = working(cell, cell.bias[1] if has_two_biases(cell) else cell.bias)
    else:
        bias = tf.zeros(kernel.shape[1:], kernel.dtype)
    return Recurrent(kernel, bias, [tf.stop_gradient(mask) for mask in dropout])


def has_two_biases(cell):
    """Whether a cell's bias is `(2, gates * units)`: one for the input, one inside the product with the state."""
    return cell.use_bias and len(cell.bias.shape) == 2


def working(cell, variable):
    """A variable `(…)` in the precision in which the cell computes."""
    return ops.cast(ops.convert_to_tensor(variable), cell.compute_dtype)


def visible(hidden, real, *, layer):
    """What a layer puts out under a mask: its hidden state; zero until there is one, or at every masked step.

    Args:
        hidden: `(time, batch, units)`, or the last step alone.
        real: `(time, batch, 1)` bool.
        layer: the layer, asked whether it has `zero_output_for_mask`.

    Returns:
        An array of the shape of `hidden`.
    """
    seen = real if layer.zero_output_for_mask else tf.cumsum(tf.cast(real, "int32")) > 0
    return tf.where(seen if layer.return_sequences else seen[-1:], hidden, tf.zeros_like(hidden))
