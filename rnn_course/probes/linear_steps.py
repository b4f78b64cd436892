"""One step of a recurrence as a linear map: what a small change of the state or the input becomes a step later.

A gradient that goes back through a layer meets one vector a step; a Jacobian is a gradient for many rows at once. There
it pays to write the step's own Jacobian down as a matrix, once for all rows: they then cost one product a step.
Everything is in float64, since the products of a hundred small matrices leave float32.
"""

from typing import NamedTuple

import numpy as np

from rnn_course import reference


class LinearSteps(NamedTuple):
    """The Jacobians of the steps that one example took, masked steps left out.

    `hidden` and `inputs` are taken with c_t held fixed, and `cell_to_hidden` says what c_t itself does to h_t.

    Attributes:
        hidden: `(time, units, units)`, ∂h_t/∂h_{t-1}.
        inputs: `(time, units, features)`, ∂h_t/∂x_t; None where it was not asked for.
        cell: `(time, units, units)`, ∂c_t/∂h_{t-1}; this and what follows are None without a cell state.
        cell_inputs: `(time, units, features)`, ∂c_t/∂x_t; None where it was not asked for.
        cell_to_hidden: `(time, units)`, the diagonal of ∂h_t/∂c_t.
        kept: `(time, units)`, the diagonal of ∂c_t/∂c_{t-1}: the forget gate.
    """

    hidden: np.ndarray
    inputs: np.ndarray | None
    cell: np.ndarray | None = None
    cell_inputs: np.ndarray | None = None
    cell_to_hidden: np.ndarray | None = None
    kept: np.ndarray | None = None


def linear_steps(cell, unrolled, example, *, with_inputs):
    """Linearize the real steps of one example.

    Args:
        cell: a `reference.Cell`.
        unrolled: its `reference.Unrolled`; arrays `(batch, time, …)`.
        example: index of one of the batch; at least one of its steps is real.
        with_inputs: whether to look at the inputs too.

    Returns:
        `LinearSteps`; `hidden` is `(time, units, units)`, of the real steps alone.
    """
    cell, unrolled = in_double_precision(cell, real_steps_of(unrolled, example))
    _, *slopes = reference.STEPS_BACKWARD[cell.kind](cell, unrolled)  # ∂h_t (in an LSTM ∂c_t too) / ∂ each gate's sum
    units = unrolled.hidden.shape[-1]
    input_slopes, state_slopes = (slope.reshape(len(slope), -1, units) for slope in slopes)  # (time, gates, units)
    kernel = cell.weights.kernel if with_inputs else None
    if cell.kind == "lstm":
        return linear_lstm(cell, unrolled, state_slopes, kernel)
    if cell.kind == "gru" and not cell.reset_after:
        return linear_gru_reset_before(cell, unrolled, state_slopes, kernel)
    hidden = through_gates(state_slopes, cell.weights.recurrent_kernel)
    if cell.kind == "gru":
        add_diagonal(hidden, reference.split_gates("gru", unrolled.gates)["update"][0])
    return LinearSteps(hidden, None if kernel is None else through_gates(input_slopes, kernel))


def linear_lstm(cell, unrolled, slopes, kernel):
    """Linearize an LSTM: its first three gates move c_t, the output gate h_t.

    Args:
        cell: a `reference.Cell`.
        unrolled: the real steps of one example, `(1, time, …)`.
        slopes: `(time, 4, units)`, ∂c_t / ∂ the sum of each of the first three gates, ∂h_t / ∂ that of the last.
        kernel: `(features, 4 * units)`, or None to leave the inputs out.

    Returns:
        `LinearSteps`; `hidden` is `(time, units, units)`.
    """
    recurrent, units = cell.weights.recurrent_kernel, slopes.shape[-1]
    first, last = np.s_[:, : 3 * units], np.s_[:, 3 * units :]
    gates = reference.split_gates("lstm", unrolled.gates)
    activation = reference.ACTIVATIONS[cell.activation]
    return LinearSteps(
        hidden=through_gates(slopes[:, 3:], recurrent[last]),
        inputs=None if kernel is None else through_gates(slopes[:, 3:], kernel[last]),
        cell=through_gates(slopes[:, :3], recurrent[first]),
        cell_inputs=None if kernel is None else through_gates(slopes[:, :3], kernel[first]),
        cell_to_hidden=gates["output"][0] * activation.slope(activation.value(unrolled.cell[0, 1:])),
        kept=gates["forget"][0],
    )


def linear_gru_reset_before(cell, unrolled, slopes, kernel):
    """Linearize a GRU whose reset gate stands before the product: h̃ sees (r h_{t-1}) U.

    Args:
        cell: a `reference.Cell`.
        unrolled: the real steps of one example, `(1, time, …)`.
        slopes: `(time, 3, units)`: ∂h_t / ∂ the sums of z and h̃; for r, ∂(r h_{t-1}) / ∂ its sum.
        kernel: `(features, 3 * units)`, or None to leave the inputs out.

    Returns:
        `LinearSteps`; `hidden` is `(time, units, units)`.
    """
    recurrent, units = cell.weights.recurrent_kernel, slopes.shape[-1]
    update, reset, candidate = (np.s_[:, k * units : (k + 1) * units] for k in range(3))
    gates = reference.split_gates("gru", unrolled.gates)
    gated = through_gates(slopes[:, 2:], recurrent[candidate])  # (time, units, units), ∂h_t/∂(r h_{t-1})
    by_reset = gated * slopes[:, 1:2]  # ∂h_t / ∂ the sum of r
    hidden = through_gates(slopes[:, :1], recurrent[update])
    hidden += gated * gates["reset"][0][:, None]
    hidden += by_reset @ recurrent[reset].T
    add_diagonal(hidden, gates["update"][0])
    if kernel is None:
        return LinearSteps(hidden, None)
    z_and_candidate = through_gates(slopes[:, ::2], np.hstack([kernel[update], kernel[candidate]]))
    return LinearSteps(hidden, z_and_candidate + by_reset @ kernel[reset].T)


def walk_back(steps, seeds):
    """Take gradients of the last states back to the first step, all of them in one walk.

    Rows that begin at step s are alive at the steps t ≤ s only, so that those of all steps together cost half of what
    as many rows of the last step cost.

    Args:
        steps: the `LinearSteps` of `time` steps; arrays `(time, …)`.
        seeds: `(ends, rows, units)`, directions r of h_s for the last `ends` steps s.

    Yields:
        `(t, first, hidden, cell)` from the last step to the first: the step; which of the `ends` is the first that is
        alive; ∂(r · h_s)/∂h_t and ∂(r · h_s)/∂c_t, each `(ends, rows, units)` of those alive, the second None without
        a cell state. They are views of what the walk goes on with: copy them.
    """
    ends, rows, units = seeds.shape
    hidden = np.zeros((ends * rows, units))
    cell = None if steps.cell is None else np.zeros_like(hidden)
    for t in reversed(range(len(steps.hidden))):
        first = t - (len(steps.hidden) - ends)
        if first >= 0:
            hidden[first * rows : (first + 1) * rows] = seeds[first]
        first = max(first, 0)
        alive = hidden[first * rows :]
        carried = None if cell is None else cell[first * rows :]
        if carried is not None:
            carried += alive * steps.cell_to_hidden[t]
        yield t, first, *(None if part is None else part.reshape(-1, rows, units) for part in (alive, carried))
        earlier = alive @ steps.hidden[t]
        if carried is not None:
            earlier += carried @ steps.cell[t]
            carried *= steps.kept[t]
        alive[:] = earlier


def gradient_at(steps, wrt, t, hidden, cell):
    """Pick what was asked for out of one step of `walk_back`.

    Args:
        steps: the `LinearSteps`, arrays `(time, …)`.
        wrt: `"hidden"`, `"cell"` or `"inputs"`.
        t: index of the step.
        hidden: `(ends, rows, units)`, the gradients with respect to h_t.
        cell: `(ends, rows, units)`, those with respect to c_t, or None.

    Returns:
        `(ends, rows, units)`, or `(ends, rows, features)` for the inputs.
    """
    if wrt != "inputs":
        return hidden if wrt == "hidden" else cell
    found = flat(hidden) @ steps.inputs[t]
    if cell is not None:
        found += flat(cell) @ steps.cell_inputs[t]
    return found.reshape(*hidden.shape[:2], -1)


# ----------------------------------------------------------------------------------------------------- small things


def through_gates(slopes, kernel):
    """Sum over the gates of slope times weight: the Jacobian of each step.

    Args:
        slopes: `(time, gates, units)`, ∂ state / ∂ the sum of each gate.
        kernel: `(features, gates * units)`, ∂ that sum / ∂ what comes in.

    Returns:
        `(time, units, features)`.
    """
    gates, units = slopes.shape[1:]
    weights = np.ascontiguousarray(kernel.reshape(-1, gates, units).transpose(2, 1, 0))  # (units, gates, features)
    found = np.empty((len(slopes), units, weights.shape[-1]), slopes.dtype)  # step behind step, as the walk reads them
    np.matmul(np.ascontiguousarray(slopes.transpose(2, 0, 1)), weights, out=np.swapaxes(found, 0, 1))
    return found


def add_diagonal(matrices, diagonals):
    """Add `(time, units)` to the diagonals of `(time, units, units)`, in place."""
    units = np.arange(matrices.shape[-1])
    matrices[:, units, units] += diagonals


def flat(rows):
    """`(ends, rows, units)` as `(ends * rows, units)`, so that one product does for all of them."""
    return rows.reshape(-1, rows.shape[-1])


def real_steps_of(unrolled, example):
    """Cut one example's real steps out of a `reference.Unrolled`: arrays `(1, time, …)`, the masked steps left out."""
    real = real_positions(unrolled, example)
    with_start = np.concatenate([real[:1], real + 1])  # a masked step carries the state over
    picked = {name: getattr(unrolled, name)[example, real][None] for name in ("outputs", "gates", "inputs")}
    states = {
        name: None if past is None else past[example, with_start][None]
        for name, past in (("hidden", unrolled.hidden), ("cell", unrolled.cell))
    }
    return reference.Unrolled(**picked, **states, mask=None)


def real_positions(unrolled, example):
    """Positions of one example's real steps in the order in which they were read, `(time,)` without the masked ones."""
    if unrolled.mask is None:
        return np.arange(unrolled.outputs.shape[1])
    return np.flatnonzero(unrolled.mask[example])


def in_double_precision(cell, unrolled):
    """The same `reference.Cell` and `reference.Unrolled` with arrays `(…)` in float64; None stays None."""

    def wide(array):
        return None if array is None else array.astype("float64", copy=False)

    weights = reference.Weights(*map(wide, cell.weights))
    return cell._replace(weights=weights), reference.Unrolled(*map(wide, unrolled))
