"""Recurrent networks written out in NumPy, forward and backward through time: the known answers.

The names are Keras' own: `kernel` W multiplies the input, `recurrent_kernel` U the state, `bias` b is added. With
these, one step from x_t and h_{t-1} to h_t is

    simple RNN   h_t = tanh(x_t W + h_{t-1} U + b)
    LSTM         c_t = f c_{t-1} + i c̃,  h_t = o tanh(c_t)          (Hochreiter and Schmidhuber 1997; Gers et al. 2000)
    GRU          h_t = z h_{t-1} + (1 - z) h̃                        (Cho et al. 2014; z = 1 keeps)

where i, f, o, z and the reset gate r are sigmoids of such sums. `x_t W + b` needs no state, so it is computed for all
steps at once; what is left in the loop is one product a step. Back-propagation through time (Werbos 1990) walks the
same loop from the last step to the first.

Axes: arrays that a function takes or returns are `(batch, time, …)`; inside the loops time comes first.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """The weights of one recurrent layer, laid out as Keras does.

    Attributes:
        kernel: `(features, gates * units)`; the gates are LSTM: input, forget, candidate, output; GRU: update, reset,
            candidate; simple RNN: one block.
        recurrent_kernel: `(units, gates * units)`.
        bias: `(gates * units,)`, for a GRU with `reset_after` `(2, 3 * units)`: input and recurrent bias; or None.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None = None


class Cell(NamedTuple):
    """One recurrent layer: what kind of cell, its weights, its options as Keras names them.

    Attributes:
        kind: `"simple_rnn"`, `"lstm"` or `"gru"`.
        weights: `Weights`, shapes there: kernel `(features, gates * units)`, and so on.
        activation: a name in `ACTIVATIONS`, of the state (and the LSTM's candidate).
        recurrent_activation: a name in `ACTIVATIONS`, of the gates.
        reset_after: GRU only. True: h̃ sees r (h_{t-1} U + b), cuDNN's form; False: (r h_{t-1}) U, Cho et al. 2014.
    """

    kind: str
    weights: Weights
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    reset_after: bool = True


class Unrolled(NamedTuple):
    """All that a forward pass computed.

    Attributes:
        outputs: `(batch, time, units)`, h_t; at a masked step the output before it, or zero.
        hidden: `(batch, 1 + time, units)`; `hidden[:, 0]` is the initial state, `hidden[:, t + 1]` is h_t.
        cell: `(batch, 1 + time, units)` for an LSTM, else None.
        gates: `(batch, time, gates * units)` after their activations, in Keras' order; `split_gates` names them.
        inputs: `(batch, time, features)`.
        mask: `(batch, time)` bool, True at real steps; None when every step is real.
    """

    outputs: np.ndarray
    hidden: np.ndarray
    cell: np.ndarray | None
    gates: np.ndarray
    inputs: np.ndarray
    mask: np.ndarray | None


class Gradients(NamedTuple):
    """What back-propagation through time finds.

    Attributes:
        hidden: `(batch, time, units)`, ∂L/∂h_t.
        cell: `(batch, time, units)`, ∂L/∂c_t, through h_t and all later steps; None without a cell state.
        inputs: `(batch, time, features)`, ∂L/∂x_t.
        projected: `(batch, time, gates * units)`, ∂L/∂(x_t W + b): the input's side of each gate, before activation.
        recurrent: `(batch, time, gates * units)`, the same for the state's side; it differs in a GRU only.
        initial: ∂L/∂h_0 `(batch, units)`, and for an LSTM ∂L/∂c_0 too, as a tuple.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    inputs: np.ndarray
    projected: np.ndarray
    recurrent: np.ndarray
    initial: tuple[np.ndarray, ...]


class Activation(NamedTuple):
    """An activation function and its slope, the slope written in terms of the function's value.

    Attributes:
        value: takes an array of any shape `(…)`, returns the same shape.
        slope: takes what `value` returned `(…)`, returns the derivative there, the same shape.
    """

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)) of an array `(…)`, by way of tanh: no overflow.

    >>> sigmoid(np.array([0.0, -1000.0]))
    array([0.5, 0. ])
    """
    return 0.5 * np.tanh(0.5 * x) + 0.5


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda y: 1 - y * y),
    "sigmoid": Activation(sigmoid, lambda y: y * (1 - y)),
    "relu": Activation(lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(y.dtype)),
    "linear": Activation(lambda x: x, np.ones_like),
    "hard_sigmoid": Activation(lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda y: ((y > 0) & (y < 1)).astype(y.dtype) / 6),
}


GATES = {
    "simple_rnn": (),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("update", "reset", "candidate"),
}


def split_gates(kind, gates):
    """Name the gates of a forward pass.

    Args:
        kind: `"simple_rnn"`, `"lstm"` or `"gru"`.
        gates: `(batch, time, gates * units)`, as in `Unrolled`.

    Returns:
        name -> `(batch, time, units)`; empty for a simple RNN, which has none.
    """
    names = GATES[kind]
    return dict(zip(names, np.split(gates, len(names), axis=-1), strict=True)) if names else {}


# --------------------------------------------------------------------------------------------------------- forward


def simple_rnn_step(projected, states, cell):
    """One step of a simple RNN (Elman 1990): h_t = tanh(x_t W + b + h_{t-1} U).

    Args:
        projected: `(batch, units)`, x_t W + b.
        states: `(h_{t-1},)`, of shape `(batch, units)`.
        cell: a `Cell`.

    Returns:
        `(h_t,)` and h_t once more in the gates' place, each `(batch, units)`.
    """
    (hidden,) = states
    hidden = ACTIVATIONS[cell.activation].value(projected + hidden @ cell.weights.recurrent_kernel)
    return (hidden,), hidden


def lstm_step(projected, states, cell):
    """One step of an LSTM: c_t = f c_{t-1} + i c̃ and h_t = o tanh(c_t).

    Args:
        projected: `(batch, 4 * units)`, x_t W + b; gates in the order input, forget, candidate, output.
        states: `(h_{t-1}, c_{t-1})`, each `(batch, units)`.
        cell: a `Cell`.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`, and the gates `(batch, 4 * units)`.
    """
    hidden, memory = states
    activation = ACTIVATIONS[cell.activation].value
    squash = ACTIVATIONS[cell.recurrent_activation].value
    units = hidden.shape[-1]
    sums = projected + hidden @ cell.weights.recurrent_kernel
    gates = squash(sums)
    gates[:, 2 * units : 3 * units] = activation(sums[:, 2 * units : 3 * units])
    i, f, candidate, o = (gates[:, k * units : (k + 1) * units] for k in range(4))
    memory = f * memory + i * candidate
    return (o * activation(memory), memory), gates


def gru_step(projected, states, cell):
    """One step of a GRU: h_t = z h_{t-1} + (1 - z) h̃.

    Args:
        projected: `(batch, 3 * units)`, x_t W + b; gates in the order update z, reset r, candidate h̃.
        states: `(h_{t-1},)`, of shape `(batch, units)`.
        cell: a `Cell`.

    Returns:
        `(h_t,)`, `(batch, units)`, and the gates `(batch, 3 * units)`.
    """
    (hidden,) = states
    squash = ACTIVATIONS[cell.recurrent_activation].value
    units = hidden.shape[-1]
    first_two, last = np.s_[:, : 2 * units], np.s_[:, 2 * units :]
    kernel, gates = cell.weights.recurrent_kernel, np.empty_like(projected)
    z, r, candidate = (gates[:, k * units : (k + 1) * units] for k in range(3))
    if cell.reset_after:
        recurrent = hidden @ kernel + recurrent_bias(cell)
        gates[first_two] = squash(projected[first_two] + recurrent[first_two])
        from_state = r * recurrent[last]
    else:
        gates[first_two] = squash(projected[first_two] + hidden @ kernel[first_two])
        from_state = (r * hidden) @ kernel[last]
    candidate[:] = ACTIVATIONS[cell.activation].value(projected[last] + from_state)
    return (z * hidden + (1 - z) * candidate,), gates


STEPS = {"simple_rnn": simple_rnn_step, "lstm": lstm_step, "gru": gru_step}


def forward(cell, inputs, *, initial_state=None, mask=None, zero_output_for_mask=False, adjust=None):
    """Read sequences from the first step to the last and keep everything.

    Args:
        cell: a `Cell`.
        inputs: `(batch, time, features)`.
        initial_state: `(h_0,)`, for an LSTM `(h_0, c_0)`, each `(batch, units)`; zeros when None.
        mask: `(batch, time)` bool; where it is False the states stay as they are.
        zero_output_for_mask: whether masked steps put out zeros instead of the output before them (Keras' option).
        adjust: called as `adjust(t, states, gates)` after step t, with `(batch, gates * units)` gates; returns the
            states that go on, each `(batch, units)`: the place for an intervention. Masked steps take none.

    Returns:
        An `Unrolled`.

    Raises:
        ValueError: a mask of another shape.
    """
    step = STEPS[cell.kind]
    projected = project(cell, inputs)  # (time, batch, gates * units)
    time, batch, _ = projected.shape
    if mask is not None and np.shape(mask) != (batch, time):
        raise ValueError(f"`mask` has shape {np.shape(mask)}; expected (batch, time), here {(batch, time)}.")
    states = initial_state or zero_state(cell, batch, projected.dtype)
    history = [np.empty((time + 1, *state.shape), projected.dtype) for state in states]
    gates = projected  # a row that has been used makes room for the gates it led to
    for past, state in zip(history, states, strict=True):
        past[0] = state
    keep = None if mask is None else np.asarray(mask, bool).T[:, :, None]  # (time, batch, 1)
    for t in range(time):
        new, gates[t] = step(projected[t], states, cell)
        if adjust is not None:
            new = adjust(t, new, gates[t])
        if keep is not None:
            new = tuple(np.where(keep[t], after, before) for after, before in zip(new, states, strict=True))
        states = new
        for past, state in zip(history, states, strict=True):
            past[t + 1] = state
    hidden, memory = (*map(swap_batch_time, history), None)[:2]
    outputs = hidden[:, 1:] if keep is None else masked_outputs(hidden, mask, zero=zero_output_for_mask)
    return Unrolled(outputs, hidden, memory, swap_batch_time(gates), inputs, mask)


def project(cell, inputs):
    """x_t W + b for all steps at once.

    Args:
        cell: a `Cell`.
        inputs: `(batch, time, features)`.

    Returns:
        `(time, batch, gates * units)`: time first, ready for the loop.
    """
    projected = swap_batch_time(inputs) @ cell.weights.kernel
    bias = cell.weights.bias
    if bias is not None:
        projected += bias[0] if bias.ndim == 2 else bias
    return projected


def recurrent_bias(cell):
    """Bias on the state's side, `(3 * units,)`: a GRU with `reset_after` has one, elsewhere it is the scalar 0."""
    bias = cell.weights.bias
    return 0.0 if bias is None or bias.ndim == 1 else bias[1]


def zero_state(cell, batch, dtype="float32"):
    """The state before the first step: zeros `(batch, units)`, for an LSTM two of them, as a tuple."""
    units = len(cell.weights.recurrent_kernel)
    return tuple(np.zeros((batch, units), dtype) for _ in range(2 if cell.kind == "lstm" else 1))


def swap_batch_time(array):
    """`(batch, time, …)` as `(time, batch, …)`, or back: the same memory, as the loops read it."""
    return np.swapaxes(array, 0, 1)


def masked_outputs(hidden, mask, *, zero=False):
    """What a layer puts out under a mask: at a masked step the last real output before it, or zero.

    Before the first real step the output is zero either way, whatever the initial state: so does Keras.

    Args:
        hidden: `(batch, 1 + time, units)`, the initial state first.
        mask: `(batch, time)` bool.
        zero: whether every masked step puts out zero.

    Returns:
        `(batch, time, units)`.
    """
    started = np.logical_or.accumulate(mask, axis=1)
    return np.where((mask if zero else started)[:, :, None], hidden[:, 1:], 0)


# -------------------------------------------------------------------------------------------------------- backward


def simple_rnn_step_backward(cell, unrolled):
    """Prepare the backward steps of a simple RNN.

    Args:
        cell: a `Cell`.
        unrolled: the `Unrolled` of its forward pass; arrays `(batch, time, …)`.

    Returns:
        A function of t and (∂L/∂h_t,), `(batch, units)`, that returns what it was given and (∂L/∂h_{t-1},); and two
        arrays `(time, batch, gates * units)` in which it leaves the gradients of the input's and of the state's side of
        the sums: here one and the same. Until it comes by, slopes stand in them: what needs no gradient is computed for
        all steps at once.
    """
    d_sums = swap_batch_time(ACTIVATIONS[cell.activation].slope(unrolled.gates))
    back = np.ascontiguousarray(cell.weights.recurrent_kernel.T)

    def step(t, states):
        d_sums[t] *= states[0]
        return states, (d_sums[t] @ back,)

    return step, d_sums, d_sums


def lstm_step_backward(cell, unrolled):
    """Prepare the backward steps of an LSTM as `simple_rnn_step_backward` does, with sums `(time, batch, 4 * units)`.

    Given ∂L/∂h_t and the part of ∂L/∂c_t that comes from later steps, a step returns ∂L/∂h_t and all of ∂L/∂c_t.
    """
    activation, squash = ACTIVATIONS[cell.activation], ACTIVATIONS[cell.recurrent_activation]
    i, f, candidate, o = map(swap_batch_time, split_gates("lstm", unrolled.gates).values())
    memory = swap_batch_time(unrolled.cell)  # (1 + time, batch, units)
    bounded = activation.value(memory[1:])
    hidden_to_memory = o * activation.slope(bounded)
    d_sums = np.empty((*f.shape[:2], 4, f.shape[2]), f.dtype)  # the first three move c_t, the last one h_t
    np.multiply(candidate, squash.slope(i), out=d_sums[:, :, 0])
    np.multiply(memory[:-1], squash.slope(f), out=d_sums[:, :, 1])
    np.multiply(i, activation.slope(candidate), out=d_sums[:, :, 2])
    np.multiply(bounded, squash.slope(o), out=d_sums[:, :, 3])
    flat = d_sums.reshape(*f.shape[:2], 4 * f.shape[2])
    back = np.ascontiguousarray(cell.weights.recurrent_kernel.T)

    def step(t, states):
        d_hidden, d_memory = states
        d_memory = d_memory + d_hidden * hidden_to_memory[t]
        d_sums[t, :, :3] *= d_memory[:, None]
        d_sums[t, :, 3] *= d_hidden
        return (d_hidden, d_memory), (flat[t] @ back, d_memory * f[t])

    return step, flat, flat


def gru_step_backward(cell, unrolled):
    """Prepare the backward steps of a GRU as `simple_rnn_step_backward` does, with sums `(time, batch, 3 * units)`.

    With `reset_after` the two sides of the candidate's sum differ: r stands before the state's.
    """
    activation, squash = ACTIVATIONS[cell.activation], ACTIVATIONS[cell.recurrent_activation]
    z, r, candidate = map(swap_batch_time, split_gates("gru", unrolled.gates).values())
    before = swap_batch_time(unrolled.hidden)[:-1]  # (time, batch, units), h_{t-1}
    units = z.shape[-1]
    candidate_slope = (1 - z) * activation.slope(candidate)
    d_sums = np.empty((*z.shape[:2], 3, units), z.dtype)
    d_sums[:, :, 0] = (before - candidate) * squash.slope(z)
    d_sums[:, :, 1] = squash.slope(r)
    d_sums[:, :, 2] = candidate_slope
    flat = d_sums.reshape(*z.shape[:2], 3 * units)
    back = np.ascontiguousarray(cell.weights.recurrent_kernel.T)
    if not cell.reset_after:
        d_sums[:, :, 1] *= before

        def step_before(t, states):
            (d_hidden,) = states
            d_sums[t, :, ::2] *= d_hidden[:, None]
            d_gated = d_sums[t, :, 2] @ back[2 * units :]  # of r * h_{t-1}
            d_sums[t, :, 1] *= d_gated
            return states, (d_hidden * z[t] + d_gated * r[t] + flat[t, :, : 2 * units] @ back[: 2 * units],)

        return step_before, flat, flat
    bias = np.broadcast_to(recurrent_bias(cell), 3 * units)
    gated = before @ cell.weights.recurrent_kernel[:, 2 * units :] + bias[2 * units :]
    d_sums[:, :, 1] *= candidate_slope * gated
    d_state = d_sums.copy()
    d_state[:, :, 2] *= r
    flat_state = d_state.reshape(flat.shape)

    def step_after(t, states):
        (d_hidden,) = states
        d_sums[t] *= d_hidden[:, None]
        d_state[t] *= d_hidden[:, None]
        return states, (d_hidden * z[t] + flat_state[t] @ back,)

    return step_after, flat, flat_state


STEPS_BACKWARD = {"simple_rnn": simple_rnn_step_backward, "lstm": lstm_step_backward, "gru": gru_step_backward}


def backward(cell, unrolled, output_gradients, *, final_gradients=None, zero_output_for_mask=False, through_time=True):
    """Back-propagation through time: δ_t = g_t + J_t^T δ_{t+1}, from the last step to the first (Werbos 1990).

    Args:
        cell: the `Cell` of the forward pass.
        unrolled: the `Unrolled` that `forward` returned; arrays `(batch, time, …)`.
        output_gradients: `(batch, time, units)`, g_t: the loss' gradient with respect to each output on its own.
        final_gradients: `(batch, units)` for each final state, where the loss uses them; else None.
        zero_output_for_mask: as it was in `forward`.
        through_time: False cuts the way to earlier steps: what is left is the *direct* gradient of each step.

    Returns:
        `Gradients`. At masked steps they are those of the state that was carried over.
    """
    step, projected, recurrent = STEPS_BACKWARD[cell.kind](cell, unrolled)
    real = None if unrolled.mask is None else np.asarray(unrolled.mask, bool).T[:, :, None]
    incoming = swap_batch_time(output_gradients)
    if real is not None:
        incoming = gradients_at_real_steps(incoming, real, zero_output_for_mask)
    time, batch, _ = incoming.shape
    carried = final_gradients or zero_state(cell, batch, incoming.dtype)
    found = [np.empty_like(incoming) for _ in carried]
    for t in reversed(range(time)):
        carried = (carried[0] + incoming[t], *carried[1:])
        at_step, earlier = step(t, carried)
        if not through_time:
            earlier = tuple(np.zeros_like(state) for state in earlier)
        if real is not None:
            at_step = tuple(np.where(real[t], here, past) for here, past in zip(at_step, carried, strict=True))
            earlier = tuple(np.where(real[t], past, here) for past, here in zip(earlier, carried, strict=True))
            projected[t] *= real[t]
            recurrent[t] *= real[t]
        for array, state in zip(found, at_step, strict=True):
            array[t] = state
        carried = earlier
    inputs = projected @ np.ascontiguousarray(cell.weights.kernel.T)
    hidden, memory = (*map(swap_batch_time, found), None)[:2]
    return Gradients(hidden, memory, *map(swap_batch_time, (inputs, projected, recurrent)), carried)


def gradients_at_real_steps(incoming, real, zero_output_for_mask):
    """Move each masked step's output gradient to the real step whose output it repeats.

    Args:
        incoming: `(time, batch, units)`.
        real: `(time, batch, 1)` bool.
        zero_output_for_mask: whether masked steps put out zeros: then their gradient goes nowhere.

    Returns:
        `(time, batch, units)`, zero at masked steps.
    """
    if zero_output_for_mask:
        return incoming * real
    moved = np.zeros_like(incoming)
    waiting = np.zeros_like(incoming[0])
    for t in reversed(range(len(incoming))):
        waiting = waiting + incoming[t]
        moved[t] = waiting * real[t]
        waiting = waiting * ~real[t]
    return moved


def weight_gradients(cell, unrolled, gradients):
    """∂L/∂W, ∂L/∂U and ∂L/∂b: every step used the same weights, so their gradients are sums over batch and time.

    Args:
        cell: a `Cell`.
        unrolled: the `Unrolled` of its forward pass; arrays `(batch, time, …)`.
        gradients: its `backward` pass; arrays `(batch, time, …)`.

    Returns:
        `Weights` of gradients, in the shapes of the weights: kernel `(features, gates * units)`, and so on.
    """
    batch_and_time = ((0, 1), (0, 1))
    before = unrolled.hidden[:, :-1]
    kernel = np.tensordot(unrolled.inputs, gradients.projected, batch_and_time)
    recurrent = np.tensordot(before, gradients.recurrent, batch_and_time)
    if cell.kind == "gru" and not cell.reset_after:
        last = np.s_[..., 2 * before.shape[-1] :]
        gated = before * split_gates("gru", unrolled.gates)["reset"]
        recurrent[last] = np.tensordot(gated, gradients.recurrent[last], batch_and_time)
    if cell.weights.bias is None:
        return Weights(kernel, recurrent)
    bias = gradients.projected.sum((0, 1))
    if cell.weights.bias.ndim == 2:
        bias = np.stack([bias, gradients.recurrent.sum((0, 1))])
    return Weights(kernel, recurrent, bias)
