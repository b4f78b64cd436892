"""The weights of a recurrent layer, gate by gate, and the eigenvalues of what connects its units."""

from dataclasses import dataclass

import numpy as np

from rnn_course import reference
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.stand_ins import cell_of


def gate_weights(model, layer=None, *, direction="forward"):
    """Split the weights of a recurrent layer by gate and give each part its name.

    Args:
        model: a built Keras model; read, never changed.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.

    Returns:
        name -> `reference.Weights`: kernel `(features, units)`, recurrent kernel `(units, units)`, bias `(units,)`, for
        a GRU with `reset_after` `(2, units)`, input and recurrent bias, or None. LSTM: input, forget, candidate,
        output; GRU: update, reset, candidate; simple RNN: state. The arrays are copies.

    Raises:
        ValueError: no such layer, or a custom cell, whose weights have no known order.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    if ref.cell_type == "custom":
        raise ValueError(
            f"Layer {ref.path!r} ({type(ref.layer.cell).__name__}) is a custom cell, so it is not known which weights "
            "belong to which gate; expected Keras' SimpleRNN, LSTM or GRU. Its get_weights() has them all."
        )
    names = reference.GATES[ref.cell_type] or ("state",)
    parts = (
        [None] * len(names) if array is None else np.split(array, len(names), axis=-1) for array in cell_of(ref).weights
    )
    return {name: reference.Weights(*blocks) for name, *blocks in zip(names, *parts, strict=True)}


@dataclass(frozen=True)
class SpectralRadius:
    """Eigenvalues of each gate's block of the recurrent kernel; a simple RNN has one block, named state.

    Attributes:
        eigenvalues: name -> `(units,)` complex, the largest absolute value first.
        radius: name -> float, the largest absolute value.
    """

    eigenvalues: dict[str, np.ndarray]
    radius: dict[str, float]


def recurrent_spectral_radius(model, layer=None, *, direction="forward"):
    """Find the eigenvalues of each gate's recurrent block, and how far from zero the farthest lies.

    For a linear simple RNN, h_t = h_{t-1} U + x_t W + b, the Jacobian over k steps is U to the power k: with a radius
    below 1 the gradient vanishes in the end, like radius to the power k, with one above 1 it explodes in all but
    exceptional directions. Near 1 it neither vanishes nor explodes quickly. Where U is not normal, it can grow over
    the first steps although the radius is below 1; for a bound at every step take the largest singular value instead.

    With tanh, every step also multiplies by slopes of at most 1: a largest singular value below 1 is enough for the
    gradient to vanish, one above 1 is necessary for it to explode but not enough (Pascanu, Mikolov and Bengio 2013).

    For an LSTM or a GRU the radius of a block decides neither. What they hold passes from step to step through the
    forget or update gate, not through a kernel, and each block comes in times the slope of its gate (at most ¼ for a
    sigmoid) and the values around it. There the blocks are worth comparing, before and after training or gate with
    gate; how gradients fare, `gradient_flow` measures.

    Args:
        model: a built Keras model; read, never changed.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.

    Returns:
        A `SpectralRadius`, `eigenvalues` `(units,)` and a radius for each gate and the candidate; `"state"` for a
        simple RNN.

    Raises:
        ValueError: no such layer, weights that are NaN, or a custom cell, whose weights have no known order.
    """
    parts = gate_weights(model, layer, direction=direction)
    eigenvalues = {name: ordered_eigenvalues(part.recurrent_kernel) for name, part in parts.items()}
    return SpectralRadius(eigenvalues, {name: float(np.abs(values[0])) for name, values in eigenvalues.items()})


def ordered_eigenvalues(block):
    """Eigenvalues `(units,)` complex of a block `(units, units)`, the largest absolute value first."""
    if not np.isfinite(block).all():
        raise ValueError(
            "The recurrent weights hold NaN or infinity, and have no eigenvalues. Look at the training loss."
        )
    found = np.linalg.eigvals(block.astype("float64")).astype("complex128")
    return found[np.argsort(-np.abs(found), kind="stable")]
