"""The arithmetic of one step of each recurrent cell, there and back; nothing here knows that there are other steps."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Recurrent(NamedTuple):
    """What a step multiplies its hidden state with.

    Attributes:
        kernel: `(units, gates * units)`.
        bias: `(gates * units,)`, added to the product.
        dropout: a list of masks `(batch, units)` on the hidden state: none, or one for each gate.
    """

    kernel: tf.Tensor
    bias: tf.Tensor
    dropout: list


class Steps(NamedTuple):
    """The arithmetic of one kind of cell; holds no arrays.

    Attributes:
        forward: `(added, states, recurrent)` -> the states after a step, and what to keep of it. `added` is what the
            input adds to each gate, `(batch, gates * units)`.
        backward: `(gradients, kept, before, after, turned)` -> gradients of `added` and of the states before the
            step, from those of the states after it; `turned` is the `Recurrent`, its kernel transposed.
        products: `(added, kept)` over all steps -> the gradients of the products with the recurrent kernel, from those
            of what the input added, both `(time, batch, gates * units)`.
        factors: `(before, kept)` over all steps -> what the recurrent kernel was multiplied with: one
            `(time, batch, units)` for all gates, or one for each, as a list.
        kept: how many numbers `forward` keeps for each unit, an int.
    """

    forward: Callable
    backward: Callable
    products: Callable
    factors: Callable
    kept: int


def lstm_forward(added, states, recurrent):
    """One step of an LSTM: `(batch, 4 * units)`, two states `(batch, units)`, a `Recurrent`; see `Steps`.

    σ(x) is ½ tanh(½ x) + ½, so that one tanh does for all four gates.
    """
    hidden, cell = states
    half = per_gate([0.5, 0.5, 1, 0.5], hidden)
    gates = tf.tanh((added + product(hidden, recurrent)) * half) * half + per_gate([0.5, 0.5, 0, 0.5], hidden)
    let_in, forget, candidate, let_out = tf.split(gates, 4, axis=1)
    cell = forget * cell + let_in * candidate
    return [let_out * tf.tanh(cell), cell], gates


def lstm_backward(gradients, kept, before, after, turned):
    """One step of an LSTM back: two gradients and states `(batch, units)`, kept `(batch, 4 * units)`; see `Steps`.

    σ' is σ (1 - σ), tanh' is (tanh + 1)(1 - tanh).
    """
    let_in, forget, candidate, let_out = tf.split(kept, 4, axis=1)
    squashed = tf.tanh(after[1])
    hidden, cell = gradients
    cell = cell + hidden * let_out * (1 - squashed * squashed)
    slopes = (kept + per_gate([0, 0, 1, 0], hidden)) * (1 - kept)
    added = tf.concat([cell * candidate, cell * before[1], cell * let_in, hidden * squashed], axis=1) * slopes
    return added, [product_back(added, turned), cell * forget]


def gru_forward(added, states, recurrent):
    """One step of a GRU that resets after the product: `(batch, 3 * units)`, `(batch, units)`; see `Steps`."""
    (hidden,) = states
    update, reset, candidate = tf.split(added, 3, axis=1)
    more_update, more_reset, past = tf.split(product(hidden, recurrent), 3, axis=1)
    update, reset = tf.sigmoid(update + more_update), tf.sigmoid(reset + more_reset)
    candidate = tf.tanh(candidate + reset * past)
    return [update * hidden + (1 - update) * candidate], tf.concat([update, reset, candidate, past], axis=1)


def gru_backward(gradients, kept, before, after, turned):
    """One step of it back: gradient and states `(batch, units)`, kept `(batch, 4 * units)`; see `Steps`."""
    update, reset, candidate, past = tf.split(kept, 4, axis=1)
    inner = gradients[0] * (1 - update) * (1 - candidate * candidate)
    own_update = gradients[0] * (before[0] - candidate) * update * (1 - update)
    own_reset = inner * past * reset * (1 - reset)
    back = product_back(tf.concat([own_update, own_reset, inner * reset], axis=1), turned)
    return tf.concat([own_update, own_reset, inner], axis=1), [gradients[0] * update + back]


def gru_products(added, kept):
    """Gradients `(time, batch, 3 * units)`: the reset gate stands behind the candidate's product; see `Steps`."""
    reset = tf.split(kept, 4, axis=-1)[1]
    gates, candidate = tf.split(added, [2 * reset.shape[-1], reset.shape[-1]], axis=-1)
    return tf.concat([gates, candidate * reset], axis=-1)


def early_gru_forward(added, states, recurrent):
    """One step of a GRU that resets before the product: `(batch, 3 * units)`, `(batch, units)`; see `Steps`."""
    (hidden,) = states
    gates, inner = parts_of(recurrent, axis=1)
    units = hidden.shape[1]
    update, reset = tf.split(tf.sigmoid(added[:, : 2 * units] + product(hidden, gates)), 2, axis=1)
    candidate = tf.tanh(added[:, 2 * units :] + product(reset * hidden, inner))
    return [update * hidden + (1 - update) * candidate], tf.concat([update, reset, candidate], axis=1)


def early_gru_backward(gradients, kept, before, after, turned):
    """One step of it back: gradient and states `(batch, units)`, kept `(batch, 3 * units)`; see `Steps`."""
    update, reset, candidate = tf.split(kept, 3, axis=1)
    gates, inner = parts_of(turned, axis=0)
    own_candidate = gradients[0] * (1 - update) * (1 - candidate * candidate)
    own_update = gradients[0] * (before[0] - candidate) * update * (1 - update)
    gated = product_back(own_candidate, inner)  # the gradient of reset * hidden
    own_gates = tf.concat([own_update, gated * before[0] * reset * (1 - reset)], axis=1)
    earlier = gradients[0] * update + gated * reset + product_back(own_gates, gates)
    return tf.concat([own_gates, own_candidate], axis=1), [earlier]


def early_gru_factors(before, kept):
    """The candidate's kernel met the reset hidden states `(time, batch, units)`; see `Steps`."""
    return [before, before, tf.split(kept, 3, axis=-1)[1] * before]


def simple_forward(added, states, recurrent):
    """One step of a simple RNN: `(batch, units)` each; there is nothing to keep but the state; see `Steps`."""
    hidden = tf.tanh(added + product(states[0], recurrent))
    return [hidden], hidden[:, :0]


def simple_backward(gradients, kept, before, after, turned):
    """One step of it back: gradient and states `(batch, units)`; see `Steps`."""
    added = gradients[0] * (1 - after[0] * after[0])
    return added, [product_back(added, turned)]


def same_products(added, kept):
    """The products `(time, batch, gates * units)` were added to what the input added: one gradient; see `Steps`."""
    return added


def whole_factors(before, kept):
    """The whole kernel met the hidden states `(time, batch, units)`; see `Steps`."""
    return [before]


def per_gate(values, like):
    """A number for each gate as a row `(gates * units,)`, for states like `(batch, units)`."""
    return tf.constant(np.repeat(values, like.shape[-1]), like.dtype)


def product(hidden, recurrent):
    """The hidden state `(batch, units)` times the kernel, and the bias: `(batch, gates * units)`."""
    if not recurrent.dropout:
        return tf.matmul(hidden, recurrent.kernel) + recurrent.bias
    kernels = tf.split(recurrent.kernel, len(recurrent.dropout), axis=1)
    parts = [tf.matmul(hidden * mask, kernel) for mask, kernel in zip(recurrent.dropout, kernels, strict=True)]
    return tf.concat(parts, axis=1) + recurrent.bias


def product_back(gradient, turned):
    """The gradient of the hidden state, from that of its product.

    Args:
        gradient: `(batch, gates * units)`.
        turned: a `Recurrent`, its kernel transposed, `(gates * units, units)`.

    Returns:
        `(batch, units)`.
    """
    if not turned.dropout:
        return tf.matmul(gradient, turned.kernel)
    count = len(turned.dropout)
    parts = zip(turned.dropout, tf.split(gradient, count, axis=1), tf.split(turned.kernel, count, axis=0), strict=True)
    return tf.add_n([mask * tf.matmul(part, kernel) for mask, part, kernel in parts])


def parts_of(recurrent, *, axis):
    """Split the `Recurrent` of three gates into that of the first two and that of the last.

    Args:
        recurrent: its kernel is `(units, 3 * units)`, or transposed.
        axis: of the gates in the kernel, 1 or 0.

    Returns:
        Two `Recurrent`, the bias of each `(gates * units,)`.
    """
    units = recurrent.bias.shape[0] // 3
    kernels = tf.split(recurrent.kernel, [2 * units, units], axis=axis)
    biases = tf.split(recurrent.bias, [2 * units, units])
    drops = (recurrent.dropout[:2], recurrent.dropout[2:])
    return tuple(Recurrent(*part) for part in zip(kernels, biases, drops, strict=True))


LSTM = Steps(lstm_forward, lstm_backward, same_products, whole_factors, kept=4)
GRU = Steps(gru_forward, gru_backward, gru_products, whole_factors, kept=4)
EARLY_GRU = Steps(early_gru_forward, early_gru_backward, same_products, early_gru_factors, kept=3)
SIMPLE_RNN = Steps(simple_forward, simple_backward, same_products, whole_factors, kept=0)
