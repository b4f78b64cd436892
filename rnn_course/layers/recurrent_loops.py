"""The loop of a recurrent cell over all steps, and its gradient: gates are kept, a kernel's gradient is one product."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

from rnn_course.layers.recurrent_steps import Steps


class Ways(NamedTuple):
    """How a cell runs over all steps; holds no arrays.

    Attributes:
        steps: the `Steps` of the cell.
        plain: `forward` for these steps.
        forward: the same, perhaps compiled.
        backward: `backward` for these steps, perhaps compiled.
    """

    steps: Steps
    plain: Callable
    forward: Callable
    backward: Callable


def recurrence(ways, added, real, recurrent, states, *, every):
    """Run a cell over all steps, with a gradient of its own.

    Args:
        ways: the `Ways` of the cell.
        added: what the input adds, `(time, batch, gates * units)`, in reading order.
        real: a list of one mask `(time, batch, 1)`, True at the real steps; or an empty list.
        recurrent: the `Recurrent`.
        states: the initial states, each `(batch, units)`.
        every: whether the hidden state is wanted after every step, or after the last alone.

    Returns:
        The hidden states `(time, batch, units)`, or `(1, batch, units)`; and a list of final states `(batch, units)`.
    """
    real = [tf.stop_gradient(mask) for mask in real]

    def walk(forward, added, kernel, bias, *states):
        return forward(added, real, recurrent._replace(kernel=kernel, bias=bias), list(states))

    def wanted(histories):
        return [*([histories[0][1:]] if every else []), *(history[-1] for history in histories)]

    def outputs_again(operands):
        return wanted(walk(ways.plain, *operands)[0])

    @tf.custom_gradient
    def read_on(*operands):
        histories, kept = walk(ways.forward, *(tf.stop_gradient(operand) for operand in operands))

        def way_back(operands, upstream):
            weights = recurrent._replace(kernel=operands[1], bias=operands[2])
            hidden, final = list(upstream[:every]), list(upstream[every:])
            added, products, bias, first = ways.backward(histories, kept, real, weights, hidden, final)
            kernel = kernel_gradient(ways.steps, histories, kept, recurrent.dropout, products)
            return [added, kernel, bias, *first]

        def pull_back(*upstream):
            return differentiable(way_back, outputs_again, operands, upstream)

        return wanted(histories), pull_back

    found = read_on(added, recurrent.kernel, recurrent.bias, *states)
    return (found[0], found[1:]) if every else (found[0][None], found)


def ways_to_run(steps):
    """Choose how to run the `Steps` of a cell over `(time, batch, units)`, as `Ways`: in a graph, compiled.

    What runs eagerly may run only once, and its loop is Python's, so that every kind of derivative can be taken of it.
    """
    loop = loop_in_python if tf.executing_eagerly() else loop_in_graph
    there, back = partial(forward, steps, loop), partial(backward, steps, loop)
    if tf.executing_eagerly():
        return Ways(steps, there, there, back)
    return Ways(steps, there, *(tf.function(way, jit_compile=True, autograph=False) for way in (there, back)))


def loop_in_python(step, begin, times):
    """Call `step` with 0, 1, … and what it returned, `(…)`, at first `begin`, `times` times."""
    for t in range(times):
        begin = step(t, *begin)
    return begin


def loop_in_graph(step, begin, times):
    """Do what `loop_in_python` does with tensors `(…)`, in a graph."""
    _, *end = tf.while_loop(
        lambda t, *_: t < times, lambda t, *now: (t + 1, *step(t, *now)), (0, *begin), maximum_iterations=times
    )
    return end


def forward(steps, loop, added, real, recurrent, states):
    """Walk over all steps.

    Args:
        steps: the `Steps` of the cell.
        loop: a function that loops.
        added: `(time, batch, gates * units)`.
        real: a list of one bool `(time, batch, 1)`, or an empty list.
        recurrent: the `Recurrent`.
        states: the initial states, each `(batch, units)`.

    Returns:
        The states before the first step and after each one, a list of `(1 + time, batch, units)`; and what was kept of
        each step, `(time, batch, kept * units)`.
    """
    time = added.shape[0]
    added, real = steps_of(added), [steps_of(mask) for mask in real]
    histories = [room_for(time + 1, state.shape[1], state.dtype).write(0, state) for state in states]
    kept = room_for(time, steps.kept * states[0].shape[1], states[0].dtype)

    def step(t, states, histories, kept):
        after, keep = steps.forward(added.read(t), states, recurrent)
        after = where([mask.read(t) for mask in real], after, states)
        histories = [history.write(t + 1, state) for history, state in zip(histories, after, strict=True)]
        return after, histories, kept.write(t, keep)

    _, histories, kept = loop(step, (list(states), histories, kept), time)
    return [history.stack() for history in histories], kept.stack()


def backward(steps, loop, histories, kept, real, recurrent, hidden, final):
    """Walk over all steps, from the last to the first, with the gradients of what came out.

    Args:
        steps: the `Steps` of the cell.
        loop: a function that loops.
        histories: the states, each `(1 + time, batch, units)`.
        kept: `(time, batch, kept * units)`.
        real: a list of one bool `(time, batch, 1)`, or an empty list.
        recurrent: the `Recurrent`.
        hidden: a list of one array `(time, batch, units)`, the gradients of the hidden state after each step; or an
            empty list.
        final: gradients of the final states, each `(batch, units)`.

    Returns:
        The gradients of what the input added and of the products with the kernel, each `(time, batch, gates * units)`;
        of the bias `(gates * units,)`; and of the initial states, a list of `(batch, units)`.
    """
    time = kept.shape[0]
    histories, gates = [steps_of(history) for history in histories], steps_of(kept)
    real, hidden = ([steps_of(array) for array in arrays] for arrays in (real, hidden))
    turned = recurrent._replace(kernel=tf.transpose(recurrent.kernel))  # once, not at every step

    def step(done, gradients, added):
        t = time - 1 - done
        gradients = [sum((each.read(t) for each in hidden), gradients[0]), *gradients[1:]]
        before, after = ([history.read(s) for history in histories] for s in (t, t + 1))
        own, earlier = steps.backward(gradients, gates.read(t), before, after, turned)
        masks = [mask.read(t) for mask in real]
        (own,) = where(masks, [own], [tf.zeros_like(own)])
        return where(masks, earlier, gradients), added.write(t, own)

    first, added = loop(step, (final, room_for(time, recurrent.bias.shape[0], kept.dtype)), time)
    added = added.stack()
    products = steps.products(added, kept)
    return added, products, tf.reduce_sum(flat(products), axis=0), first


def kernel_gradient(steps, histories, kept, dropout, products):
    """The gradient of the recurrent kernel: one product over all steps.

    Args:
        steps: the `Steps` of the cell.
        histories: the states, each `(1 + time, batch, units)`.
        kept: `(time, batch, kept * units)`.
        dropout: a list of masks `(batch, units)`: none, or one for each gate.
        products: the gradients of the products with the kernel, `(time, batch, gates * units)`.

    Returns:
        `(units, gates * units)`.
    """
    factors = steps.factors(histories[0][:-1], kept)
    if dropout:
        factors = factors * (len(dropout) // len(factors))
        factors = [factor * mask for factor, mask in zip(factors, dropout, strict=True)]
    pairs = zip(factors, tf.split(products, len(factors), axis=-1), strict=True)
    return tf.concat([tf.matmul(flat(x), flat(y), transpose_a=True) for x, y in pairs], axis=1)


def differentiable(way_back, outputs, operands, upstream):
    """Call a way back so that its result has a gradient too: that of the same steps, differentiated automatically.

    Args:
        way_back: a function of operands and the gradients of the outputs, `(…)`; returns the gradients of the operands.
        outputs: a function of the operands, `(…)`; returns the outputs, without a gradient of its own.
        operands: a list of tensors `(…)`.
        upstream: gradients of the outputs, a list of tensors `(…)`.

    Returns:
        What `way_back` returns, a list of the operands' shapes `(…)`.
    """
    count = len(operands)

    @tf.custom_gradient
    def once(*tensors):
        operands, upstream = tensors[:count], tensors[count:]

        def again(*further):
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                with tf.GradientTape() as inner:
                    inner.watch(operands)
                    found = outputs(operands)
                found = inner.gradient(found, operands, output_gradients=upstream)
                refuse_forward_mode(found)
            return tape.gradient(found, tensors, output_gradients=further, unconnected_gradients="zero")

        return way_back(operands, upstream), again

    return once(*operands, *upstream)


def refuse_forward_mode(found):
    """Raise NotImplementedError where a tape has recorded nothing: gradients `(…)`, some of them None."""
    if any(gradient is None for gradient in found):
        raise NotImplementedError(
            "A fused recurrent layer has gradients of any order on a tape, and none for a ForwardAccumulator. "
            "Give its weights to the layer of Keras that it is made from (LSTM, GRU or SimpleRNN), which has both."
        )


def where(masks, new, old):
    """Each of `new` where the mask `(batch, 1)`, if there is one, is True, and of `old` elsewhere, `(batch, …)`."""
    for mask in masks:
        new = [tf.where(mask, *pair) for pair in zip(new, old, strict=True)]
    return new


def steps_of(array):
    """An array `(time, …)` to be read step by step, as often as one likes."""
    shelf = tf.TensorArray(array.dtype, array.shape[0], element_shape=array.shape[1:], clear_after_read=False)
    return shelf.unstack(array)


def room_for(time, size, dtype):
    """Room for `time` arrays `(batch, size)` of a dtype, to be written step by step."""
    return tf.TensorArray(dtype, time, element_shape=(None, size))


def flat(array):
    """`(time, batch, units)` as `(time * batch, units)`."""
    return tf.reshape(array, (-1, array.shape[-1]))
