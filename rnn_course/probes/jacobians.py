"""How much of a state arrives later: the Jacobians from every step of a recurrent layer to the steps after it."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from keras import ops

from rnn_course.probes import autodiff
from rnn_course.probes.gradients import refuse_unknown
from rnn_course.probes.inputs import as_numbers, refuse_not_finite
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.linear_steps import gradient_at, linear_steps, real_positions, walk_back
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import in_reading_order

THREADS = 2
MOST_NUMBERS, MOST_PAIRS = 2**28, 2**26  # in arrays of float64: 2 GiB of Jacobians, half a GiB of pairs of steps


@dataclass(frozen=True)
class Spectrum:
    """Singular values of ∂h_T/∂h_t or ∂h_T/∂c_t: by how much the way from step t to the last one stretches a change.

    Attributes:
        singular_values: `(batch, time, units)`, largest first, NaN at masked steps; None where they were not computed.
        frobenius: `(batch, time)`, the Frobenius norm, the root of their summed squares; NaN at masked steps.
        standard_error: `(batch, time)`, that of `frobenius` where it is an estimate; None where it is exact.
        mask: `(batch, time)` bool, True at real steps.
        cell_type: `"simple_rnn"`, `"lstm"`, `"gru"` or `"custom"`.
        wrt: `"hidden"` or `"cell"`.
    """

    singular_values: np.ndarray | None
    frobenius: np.ndarray
    standard_error: np.ndarray | None
    mask: np.ndarray
    cell_type: str
    wrt: str


@dataclass(frozen=True)
class Connectivity:
    """How strongly the state at one step depends on what stood at another.

    Attributes:
        values: `(batch, time, time)`, [s, t] is ‖∂(r · h_s)/∂x_t‖; exactly 0 where t was read after s, NaN where s or t
            is masked.
        mask: `(batch, time)` bool, True at real steps.
        cell_type: `"simple_rnn"`, `"lstm"`, `"gru"` or `"custom"`.
        wrt: `"inputs"`, `"hidden"` or `"cell"`.
    """

    values: np.ndarray
    mask: np.ndarray
    cell_type: str
    wrt: str


@dataclass(frozen=True)
class LagProfile:
    """A quantity against the number of steps back in time.

    Attributes:
        lag: `(lag,)` int, 0, 1, 2, …
        median: `(lag,)`, NaN where no pair of real steps lies so far apart.
        low: `(lag,)`, the 25th percentile.
        high: `(lag,)`, the 75th percentile.
        count: `(lag,)` int, how many numbers each of them stands for.
    """

    lag: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


def jacobian_spectrum(
    model, inputs, layer=None, *, direction="forward", wrt="hidden", method="exact", probes=16, seed=0
):
    """Measure by how much a small change of the state at step t is stretched or shrunk on its way to the last step T.

    A gradient norm follows one direction, that of one loss. The singular values of ∂h_T/∂h_t tell of all directions: a
    network can only learn from step t what still has a singular value well above zero (Pascanu et al. 2013; Pennington
    et al. 2017 on how even they should be). T is each sequence's last real step in the order in which the layer reads.

    In an LSTM ∂h_T/∂h_t moves h_t while c_t stays, so it does not see the cell state, on which most of the memory
    travels. `wrt="cell"` sees it: ∂h_T/∂c_t, through h_t and every later step.

    `"exact"` carries `units` rows back through time; `"hutchinson"` carries `probes` random vectors of ±1, whose mean
    square is the squared Frobenius norm (Hutchinson 1990): for wide layers, and where the norm is enough. Everything is
    done in float64; a singular value below about 1e-15 of the largest one at its step is rounding noise even so. A
    custom cell goes through autodiff instead, slowly and in its own precision.

    Args:
        model: a built Keras model; read, never changed. It runs in inference mode: dropout is off.
        inputs: what `model` takes, `(batch, time, …)`. The cost grows with batch and time.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.
        wrt: `"hidden"`, or `"cell"` in an LSTM.
        method: `"exact"` or `"hutchinson"`.
        probes: how many random vectors, at least 2; hutchinson only.
        seed: of the random vectors; hutchinson only.

    Returns:
        A `Spectrum`; `singular_values` are `(batch, time, units)`, `frobenius` is `(batch, time)`.

    Raises:
        ValueError: an unknown name, fewer than two probes, states that are NaN, or Jacobians too large for the memory.
        ReplayError: the replay does not equal the layer's own steps.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    refuse_spectrum(ref, wrt, method, probes)
    _, record = replay(model, inputs, ref)
    batch, time, units = record.unrolled.outputs.shape
    refuse_not_finite(in_reading_order(ref.layer, record.unrolled.hidden[:, 1:]), real_mask(record), "The states")
    rows = units if method == "exact" else probes
    advice = "Pass fewer steps, such as inputs[:, -1000:], or method='hutchinson' with few probes."
    refuse_size((time, rows, units) if record.cell else (rows, batch, time, units), MOST_NUMBERS, advice)
    if method == "exact":
        rows, measure = np.eye(units), singular_values
    else:
        rows, measure = np.random.default_rng(seed).choice([-1.0, 1.0], (probes, units)), squared_lengths
    found = np.full((batch, time, len(rows)), np.nan)
    for example, real, jacobians in jacobians_of_last(model, inputs, record, rows, wrt):
        found[example, real] = measure(jacobians)
    found = in_reading_order(ref.layer, found)
    if method == "exact":
        return Spectrum(found, np.hypot.reduce(found, axis=-1), None, real_mask(record), ref.cell_type, wrt)
    return Spectrum(None, *root_mean(found), real_mask(record), ref.cell_type, wrt)


def connectivity(model, inputs, layer=None, *, direction="forward", readout=None, wrt="inputs"):
    """Measure how strongly the state at every step s depends on the input or the state at every step t.

    The number at [s, t] is the length of ∂(r_s · h_s)/∂x_t, the total derivative through every step between, where r_s
    is a direction in which the state at s is read; with `readout=None` it is the Frobenius norm of ∂h_s/∂x_t. Madsen
    (2019, "Visualizing memorization in RNNs", Distill) draws one row of it for a character model's logit and calls it
    connectivity; with `gradient_flow(…, kind="direct").values` as `readout` the rows here are those of a loss.

    A length below about 1e-162, whose square leaves float64, comes out as 0.

    One direction a step costs little; `readout=None` follows every unit and costs `units` times as much. A custom cell
    goes through autodiff, slowly and in its own precision.

    Args:
        model: a built Keras model; read, never changed. It runs in inference mode: dropout is off.
        inputs: what `model` takes, `(batch, time, …)`. The cost grows with batch and the square of time.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`. A layer that reads backwards fills the other triangle.
        readout: one unit's index; `(units,)`, one direction for all steps; `(time, units)` or `(batch, time, units)`,
            one for each; or None for all units together.
        wrt: the layer's `"inputs"`, its `"hidden"` state, or the LSTM's `"cell"` state.

    Returns:
        A `Connectivity`; `values` are `(batch, time, time)`, first s, then t.

    Raises:
        ValueError: an unknown name, a readout that does not fit the layer, or more pairs of steps than fit the memory.
        ReplayError: the replay does not equal the layer's own steps.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    refuse_unknown(ref, wrt, "total")
    _, record = replay(model, inputs, ref)
    batch, time, units = record.unrolled.outputs.shape
    rows = units if readout is None else 1
    refuse_size((batch, time, time), MOST_PAIRS, "Pass fewer examples or steps, such as inputs[:1, -1000:].")
    advice = "Pass fewer steps, such as inputs[:, -1000:], or one direction as `readout`."
    refuse_size((time, rows, units) if record.cell else (time, rows, batch, time, units), MOST_NUMBERS, advice)
    seeds = readout_rows(readout, record)
    batch, time, _, _ = seeds.shape
    found = np.full((batch, time, time), np.nan)
    for example, real, norms in norms_of_all(model, inputs, record, seeds, wrt):
        found[example, real[:, None], real] = norms
    if ref.layer.go_backwards:
        found = found[:, ::-1, ::-1]
    return Connectivity(found, real_mask(record), ref.cell_type, wrt)


def lag_profile(norms, *, mask=None, direction="forward"):
    """Sum up how a quantity falls off with the number of steps back in time.

    Steps are counted as they stand in the arrays, masked ones in between included. NaN is left out; a zero is a zero.

    Args:
        norms: `(batch, time)`, such as `GradientFlow.norm()` of a loss at the last real step, which is lag 0, or
            `Spectrum.frobenius`; or `(batch, time, time)`, such as `Connectivity.values`, with the lag s - t.
        mask: `(batch, time)` bool, True at real steps; not needed where NaN stands at the others.
        direction: `"backward"` for a layer that reads so: its last step is the first one of the arrays.

    Returns:
        A `LagProfile` over examples, and over s where there are several; arrays `(lag,)`.

    Raises:
        ValueError: shapes that do not fit, no real step, infinity, or a connectivity that fills the other triangle.

    >>> lag_profile([[0.25, 0.5, 1.0], [0.5, 1.0, np.nan]]).median
    array([1.  , 0.5 , 0.25])
    """
    norms = checked_norms(norms, mask, direction)
    columns = by_lag(norms).T if norms.ndim == 2 else diagonals(norms)
    columns = [column[~np.isnan(column)] for column in columns]
    longest = max((lag for lag, column in enumerate(columns) if column.size), default=None)
    if longest is None:
        raise ValueError("Every step of norms is masked or NaN: there is no last step to count back from.")
    columns = columns[: longest + 1]
    quartiles = [np.percentile(column, (50, 25, 75)) if column.size else np.full(3, np.nan) for column in columns]
    return LagProfile(np.arange(len(columns)), *np.transpose(quartiles), np.array([len(column) for column in columns]))


# ---------------------------------------------------------------------------------------------- Jacobians of a replay


def jacobians_of_last(model, inputs, record, rows, wrt):
    """Take directions of the last state back to every step, one example at a time.

    Args:
        model: a built Keras model.
        inputs: what `model` takes, `(batch, time, …)`.
        record: the `Record` of a replay on them.
        rows: `(rows, units)`, directions of h_T.
        wrt: `"hidden"` or `"cell"`.

    Yields:
        `(example, real, jacobians)`: its index, its real steps in reading order `(time,)`, and `(time, rows, units)`.
    """
    if record.cell is None and not len(record.unrolled.outputs):
        return  # there is no example, and the tape knows no empty Jacobian
    if record.cell is None:
        seeds = np.zeros((*record.unrolled.outputs.shape[:2], *rows.shape))
        for example, real in examples_of(record):
            seeds[example, real[-1]] = rows
        taped = taped_jacobian(model, inputs, record.ref, seeds, wrt, "btru,btu->r")  # (rows, batch, time, units)
        yield from ((example, real, taped[:, example, real].swapaxes(0, 1)) for example, real in examples_of(record))
        return
    for example, real in examples_of(record):
        steps = linear_steps(record.cell, record.unrolled, example, with_inputs=False)
        found = np.empty((len(real), *rows.shape))
        for t, _, hidden, cell in walk_back(steps, rows[None]):
            found[t] = gradient_at(steps, wrt, t, hidden, cell)[0]
        yield example, real, found


def norms_of_all(model, inputs, record, seeds, wrt):
    """Take directions of every state back to every step before it, one example at a time.

    Args:
        model: a built Keras model.
        inputs: what `model` takes, `(batch, time, …)`.
        record: the `Record` of a replay on them.
        seeds: `(batch, time, rows, units)`, directions of h_s in reading order.
        wrt: `"inputs"`, `"hidden"` or `"cell"`.

    Yields:
        `(example, real, norms)`: its index, its real steps in reading order `(time,)`, and `(time, time)`: s, then t.
    """
    if record.cell is None and not len(record.unrolled.outputs):
        return  # there is no example, and the tape knows no empty Jacobian
    if record.cell is None:
        taped = taped_jacobian(model, inputs, record.ref, seeds, wrt, "btru,btu->tr")  # (time, rows, batch, time, …)
        norms = np.sqrt((taped.astype("float64") ** 2).sum((1, -1)))
        yield from ((example, real, norms[real, example][:, real]) for example, real in examples_of(record))
        return
    for example, real in examples_of(record):
        steps = linear_steps(record.cell, record.unrolled, example, with_inputs=wrt == "inputs")
        found = np.zeros((len(real), len(real)))
        for t, first, hidden, cell in walk_back(steps, seeds[example, real]):
            gradients = gradient_at(steps, wrt, t, hidden, cell)
            found[first:, t] = np.sqrt(np.einsum("sru,sru->s", gradients, gradients))
        yield example, real, found


def taped_jacobian(model, inputs, ref, seeds, wrt, equation):
    """Differentiate the states of a custom cell by the framework's tape.

    Args:
        model: a built Keras model.
        inputs: what `model` takes, `(batch, time, …)`.
        ref: the `LayerRef`.
        seeds: `(batch, time, rows, units)`, directions of the states in reading order; zero at masked steps.
        wrt: `"hidden"` or `"inputs"`.
        equation: str, how seeds and states are summed, as in `numpy.einsum`: it must sum over the batch, whose examples
            do not depend on each other.

    Returns:
        `(…, batch, time, units)` in reading order, or features at the end; `…` is what the equation leaves.
    """
    hidden = []

    def keep(t, states, gates):
        states = list(states)
        hidden.append(states[0])
        return states

    with autodiff.recorder() as tape:
        _, record = replay(model, inputs, ref, tape=tape, adjust=keep)
        states = ops.stack(hidden, axis=1)  # (batch, time, units)
        target = ops.einsum(equation, ops.convert_to_tensor(seeds, dtype=states.dtype), states)
    found = ops.convert_to_numpy(tape.jacobian(target, record.nudges[wrt])).astype("float64")  # float16 has no svd
    return np.flip(found, -2) if ref.layer.go_backwards else found


def examples_of(record):
    """Yield each example of a `Record` that has a real step, and its real steps in reading order `(time,)`."""
    for example in range(len(record.unrolled.outputs)):
        real = real_positions(record.unrolled, example)
        if real.size:
            yield example, real


def real_mask(record):
    """Which steps of a `Record` are real, `(batch, time)` bool in the order of time."""
    mask = in_reading_order(record.ref.layer, record.unrolled.mask)
    return np.ones(record.unrolled.outputs.shape[:2], bool) if mask is None else mask


# --------------------------------------------------------------------------------------------------- what is measured


def singular_values(jacobians):
    """Singular values of `(steps, units, units)`, largest first, `(steps, units)`; on two threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        parts = pool.map(lambda part: np.linalg.svd(part, compute_uv=False), np.array_split(jacobians, THREADS))
        return np.concatenate(list(parts))


def squared_lengths(rows):
    """Squared length of each row of `(steps, rows, units)`, `(steps, rows)`."""
    return np.einsum("sru,sru->sr", rows, rows)


def root_mean(squares):
    """The root of the mean of `(batch, time, probes)`, and its standard error by the delta method: `(batch, time)`."""
    mean = squares.mean(-1)
    error = squares.std(-1, ddof=1) / np.sqrt(squares.shape[-1])
    root = np.sqrt(mean)
    return root, np.divide(error, 2 * root, out=np.where(np.isnan(mean), np.nan, 0.0), where=root > 0)


def diagonals(values):
    """What lies on the diagonal and on each one below it of `(batch, time, time)`: a list of arrays `(pairs,)`."""
    return [np.diagonal(values, -lag, 1, 2).ravel() for lag in range(values.shape[1])]


def by_lag(norms):
    """Line `(batch, time)` up at each sequence's last real step: `(batch, lag)`, NaN where there is none."""
    aligned = np.full_like(norms, np.nan)
    for row, target in zip(norms, aligned, strict=True):
        real = np.flatnonzero(~np.isnan(row))
        target[real[-1:] - real] = row[real]
    return aligned


# ------------------------------------------------------------------------------------------------------------- checks


def readout_rows(readout, record):
    """Turn a readout into directions `(batch, time, rows, units)` in reading order, zero at masked steps.

    Args:
        readout: an index, `(units,)`, `(time, units)`, `(batch, time, units)`, or None, as `connectivity` takes it.
        record: the `Record` of the replay.

    Returns:
        `(batch, time, rows, units)`; one row, or `units` of them for None.

    Raises:
        ValueError: it does not fit the layer, or holds NaN at a real step.
    """
    shape = batch, time, units = record.unrolled.outputs.shape
    if readout is None:
        return np.broadcast_to(np.eye(units), (batch, time, units, units))
    array = np.asarray(readout)
    if array.ndim == 0:
        array = np.eye(units)[checked_unit(readout, record.ref, units)]
    if array.shape not in (shape[2:], shape[1:], shape):
        raise ValueError(
            f"readout has shape {array.shape}; layer {record.ref.path!r} takes a unit's index, ({units},), "
            f"({time}, {units}) or ({batch}, {time}, {units}): units, (time, units) or (batch, time, units)."
        )
    mask = real_mask(record)
    rows = np.where(mask[:, :, None], np.broadcast_to(array, shape), 0.0)
    if not np.isfinite(rows).all():
        raise ValueError("readout holds NaN or infinity at a real step; only masked steps may.")
    return in_reading_order(record.ref.layer, rows)[:, :, None]


def refuse_size(shape, most, advice):
    """Raise ValueError for an array of a shape that would fill the machine's memory; takes no arrays.

    Args:
        shape: a tuple such as `(batch, time, time)`, of the float64 array that is about to be made.
        most: an int, how many numbers it may hold.
        advice: str, what to do instead.
    """
    if math.prod(shape) > most:
        needed, allowed = (8 * count / 2**30 for count in (math.prod(shape), most))
        raise ValueError(f"This needs an array {shape} of float64, {needed:,.1f} GiB, more than {allowed:g}. {advice}")


def checked_unit(readout, ref, units):
    """The index of a unit, or ValueError: it is no index, or the layer has not so many; takes no arrays."""
    unit = np.asarray(readout)
    if unit.dtype.kind not in "iu" or not 0 <= unit < units:
        raise ValueError(f"readout is {readout!r}; layer {ref.path!r} has units 0 to {units - 1}.")
    return int(unit)


def refuse_spectrum(ref, wrt, method, probes):
    """Raise ValueError for what `jacobian_spectrum` does not know; takes no arrays."""
    if method not in ("exact", "hutchinson"):
        raise ValueError(f"method is {method!r}; pass 'exact' or 'hutchinson'.")
    if method == "hutchinson" and (probes < 2 or probes != int(probes)):
        raise ValueError(f"probes is {probes}; it takes at least 2, a whole number, to tell how sure an estimate is.")
    if wrt not in ("hidden", "cell"):
        raise ValueError(f"wrt is {wrt!r}; pass 'hidden' or 'cell'. For inputs there is connectivity.")
    refuse_unknown(ref, wrt, "total")


def checked_norms(norms, mask, direction):
    """The norms of `lag_profile` in reading order, `(batch, time)` or `(batch, time, time)`, NaN at masked steps.

    Raises:
        ValueError: as `lag_profile` says.
    """
    norms = as_numbers(norms, "norms")
    if norms.ndim not in (2, 3) or (norms.shape[1] != norms.shape[-1] and norms.ndim == 3):
        raise ValueError(f"norms have shape {norms.shape}; expected (batch, time) or (batch, time, time).")
    if direction not in ("forward", "backward"):
        raise ValueError(f"direction is {direction!r}; pass 'forward' or 'backward'.")
    if mask is not None:
        mask = np.asarray(mask, bool)
        if mask.shape != norms.shape[:2]:
            raise ValueError(f"mask has shape {mask.shape}; expected {norms.shape[:2]}, the norms' (batch, time).")
        norms = np.where(mask if norms.ndim == 2 else mask[:, :, None] & mask[:, None], norms, np.nan)
    if np.isinf(norms).any():
        raise ValueError(
            f"norms hold infinity {int(np.isinf(norms).sum())} times: what they measure has left the range of its "
            "float type. Take it in float64, or clip it and say so."
        )
    if direction == "backward":
        norms = norms[:, ::-1] if norms.ndim == 2 else norms[:, ::-1, ::-1]
    if norms.ndim == 3 and np.nansum(np.abs(np.triu(norms, 1))) > 0:
        raise ValueError(
            "norms depend on steps that are read later, so the layer reads the other way. "
            f"Pass direction={'forward' if direction == 'backward' else 'backward'!r}."
        )
    return norms
