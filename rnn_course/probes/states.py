"""What a recurrent layer computed at every step, and its states drawn together into a plane."""

from dataclasses import dataclass

import numpy as np

from rnn_course import reference
from rnn_course.probes.inputs import as_numbers, refuse_not_finite
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import in_reading_order


@dataclass(frozen=True)
class Trace:
    """What one recurrent layer computed, step by step; index t is step t of the input, whichever way it was read.

    Attributes:
        hidden: `(batch, time, units)`, what the layer puts out at each step: at a masked step Keras repeats the output
            before it, and puts out zero before the first real step.
        cell: `(batch, time, units)`, the LSTM's cell state; else None.
        gates: name -> `(batch, time, units)`. LSTM: input, forget, candidate, output; GRU: update, reset, candidate;
            empty for others. What stands at a masked step is what the gate would have been.
        inputs: `(batch, time, features)`.
        mask: `(batch, time)` bool, True at real steps.
        cell_type: `"simple_rnn"`, `"lstm"`, `"gru"` or `"custom"`.
        direction: `"forward"` or `"backward"`: the way the layer reads.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    inputs: np.ndarray
    mask: np.ndarray
    cell_type: str
    direction: str


def trace(model, inputs, layer=None, *, direction="forward"):
    """Replay one recurrent layer and keep everything it computed on the way.

    Args:
        model: a built Keras model; read, never changed.
        inputs: what `model` takes, `(batch, time, …)`.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.

    Returns:
        A `Trace`; its `hidden` is `(batch, time, units)` and equals the layer's own output.

    Raises:
        ValueError: no such layer, or it is called more than once.
        ReplayError: the replay does not equal the layer's own steps.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    _, record = replay(model, inputs, ref)
    unrolled = record.unrolled
    gates = {} if record.cell is None else reference.split_gates(ref.cell_type, unrolled.gates)
    mask = np.ones(unrolled.outputs.shape[:2], bool) if unrolled.mask is None else unrolled.mask

    def in_time(array):
        return in_reading_order(ref.layer, array)

    return Trace(
        hidden=in_time(unrolled.outputs),
        cell=None if unrolled.cell is None else in_time(unrolled.cell[:, 1:]),
        gates={name: in_time(gate) for name, gate in gates.items()},
        inputs=in_time(unrolled.inputs),
        mask=in_time(mask),
        cell_type=ref.cell_type,
        direction=ref.direction,
    )


@dataclass(frozen=True)
class Projection:
    """States drawn together into few dimensions.

    Attributes:
        points: `(batch, time, dimensions)`; NaN at masked steps.
        explained: `(dimensions,)` share of the variance that each axis holds, from 0 to 1; None for t-SNE.
        method: `"pca"` or `"tsne"`.
    """

    points: np.ndarray
    explained: np.ndarray | None
    method: str


def project_states(states, *, method="pca", dimensions=2, mask=None, seed=0):
    """Project states of many units into a plane in which they can be drawn.

    Args:
        states: `(batch, time, units)`, such as `Trace.hidden`.
        method: `"pca"` (Pearson 1901; linear: distances and directions mean something) or `"tsne"` (van der Maaten and
            Hinton 2008: neighborhoods alone mean something).
        dimensions: how many axes are left.
        mask: `(batch, time)` bool; masked steps take no part. All steps when None.
        seed: of t-SNE's random start; the sign of each PCA axis is fixed.

    Returns:
        A `Projection`, its points `(batch, time, dimensions)`.

    Raises:
        ValueError: wrong shapes, an unknown method, too few real steps, NaN in them, or no two that differ.
    """
    states, mask = states_and_mask(states, mask)
    real = states[mask].astype("float64")
    if method not in ("pca", "tsne"):
        raise ValueError(f"method is {method!r}; pass 'pca' or 'tsne'.")
    if len(real) <= dimensions or dimensions > states.shape[2]:
        raise ValueError(
            f"{len(real)} states of {states.shape[2]} units cannot be projected to {dimensions} dimensions."
        )
    refuse_not_finite(states, mask, "The states")
    if not np.ptp(real, axis=0).max() > 0:
        raise ValueError("The states are all the same at the real steps: there is nothing to draw.")
    found, explained = (pca if method == "pca" else tsne)(real, dimensions, seed)
    points = np.full((*states.shape[:2], dimensions), np.nan)
    points[mask] = found
    return Projection(points, explained, method)


def states_and_mask(states, mask):
    """States `(batch, time, units)` and mask `(batch, time)` bool as arrays that fit; no mask: all steps.

    Raises:
        ValueError: they do not fit.
    """
    states = states if isinstance(states, np.ndarray) and states.dtype.kind == "f" else as_numbers(states, "states")
    if states.ndim != 3:
        raise ValueError(f"states have shape {states.shape}; expected (batch, time, units), such as trace(…).hidden.")
    mask = np.ones(states.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    if mask.shape != states.shape[:2]:
        raise ValueError(f"mask has shape {mask.shape}; expected {states.shape[:2]}, the states' (batch, time).")
    return states, mask


def pca(states, dimensions, seed):
    """Principal components of `(steps, units)`: `(steps, dimensions)`, and the share of variance `(dimensions,)`."""
    from sklearn.decomposition import PCA

    model = PCA(dimensions, svd_solver="full", random_state=seed)
    return model.fit_transform(states), model.explained_variance_ratio_


def tsne(states, dimensions, seed):
    """t-SNE of `(steps, units)`: `(steps, dimensions)`, and None in place of the variance."""
    from sklearn.manifold import TSNE

    options = {
        "perplexity": min(30.0, (len(states) - 1) / 3),
        "method": "exact" if len(states) <= 250 or dimensions > 3 else "barnes_hut",  # a tree pays for many states
    }
    return TSNE(dimensions, init="pca", random_state=seed, **options).fit_transform(states), None
