"""What a probe is handed: inputs that fit a model, and arrays that hold numbers; anything else is refused in words."""

from dataclasses import fields, is_dataclass

import keras
import numpy as np
from keras import tree


def fitting_inputs(model, inputs):
    """Read what a model is to be called on, and refuse what it cannot take before Keras does.

    Args:
        model: a built Keras model; a subclassed one does not say what it takes, and is trusted.
        inputs: `(batch, time, …)`, its rows in a list, or a list, tuple or dict of arrays for a model of several.

    Returns:
        The inputs `(batch, time, …)`, as an array where rows came in a list; else as they are.

    Raises:
        ValueError: nothing came, rows of unequal length, a shape that the model does not take, or no time step.
    """
    known = getattr(model, "inputs", None) or ()
    if inputs is None:
        raise ValueError(f"inputs is None; pass what model {model.name!r} takes, (batch, time, …).")
    if isinstance(inputs, list | tuple) and len(known) < 2 and not all(hasattr(each, "shape") for each in inputs):
        inputs = array_of_rows(inputs)
    if len(known) == 1 and hasattr(inputs, "shape"):
        refuse_shape(model, tuple(known[0].shape), tuple(inputs.shape))
    for array in tree.flatten(inputs):
        if len(np.shape(array)) > 1 and np.shape(array)[1] == 0:
            raise ValueError(
                f"inputs have shape {np.shape(array)}: not one time step, so that nothing was read. Pass at least one."
            )
    return inputs


def array_of_rows(rows):
    """Rows of numbers in a list as one array `(batch, time, …)`; ValueError where they are not equally long."""
    try:
        return np.asarray(rows)
    except ValueError as problem:
        raise ValueError(
            f"inputs are {len(rows)} rows of unequal length; expected (batch, time, …). Pad them to one length, such "
            "as with rnn_course.sequences.pad, and let the model mask the padding."
        ) from problem


def refuse_shape(model, expected, shape):
    """Raise ValueError unless inputs of one shape fit a model that expects another, in which None is any length.

    Of the batch, Keras takes any number of rows; only a stateful layer minds, and says so.

    Keras adds or takes away a last axis of length 1, and so these fit, too.
    """
    fitting = (shape, (*shape, 1), shape[:-1] if shape[-1:] == (1,) else shape)
    if any(
        len(one) == len(expected)
        and all(want in (None, size) for want, size in zip(expected[1:], one[1:], strict=True))
        for one in fitting
    ):
        return
    wanted = ", ".join(["batch", *("any" if size is None else str(size) for size in expected[1:])])
    raise ValueError(
        f"inputs have shape {shape}; model {model.name!r} takes ({wanted}). "
        "Pass one sequence as inputs[None]; a model for other features must be built anew."
    )


def refuse_no_model(model):
    """Raise ValueError unless a Keras model, or a layer that holds others, came; takes no arrays."""
    if not isinstance(model, keras.layers.Layer):
        raise ValueError(f"model is {type(model).__name__} {model!r:.60}; pass the built Keras model itself.")


def as_numbers(values, name):
    """Read something as a float64 array `(…)`, or say what it is instead.

    Args:
        values: numbers in any shape `(…)`.
        name: str, what the caller calls them.

    Returns:
        float64 array of the same shape `(…)`.

    Raises:
        ValueError: a probe's whole result came, rows of unequal length, or something else than numbers.
    """
    if is_dataclass(values):
        made = [f".{method}()" for method, part in vars(type(values)).items() if method[0] != "_" and callable(part)]
        held = [f".{field.name}" for field in fields(values) if isinstance(getattr(values, field.name), np.ndarray)]
        raise ValueError(f"{name} is a whole {type(values).__name__}; pass one of its parts: {', '.join(made + held)}.")
    try:
        return np.asarray(values, "float64")
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} must hold numbers in equally long rows: {problem}.") from problem


def refuse_no_trace(trace):
    """Raise ValueError unless a `Trace` came, by its gates `(batch, time, units)` and its mask `(batch, time)`."""
    if not (hasattr(trace, "gates") and hasattr(trace, "mask")):
        raise ValueError(
            f"trace is a {type(trace).__name__}; pass what rnn_course.probes.trace(model, inputs) returns."
        )


def refuse_not_finite(values, where, name):
    """Raise ValueError where numbers `(batch, time, …)` that take part are NaN or infinite.

    Args:
        values: `(batch, time, …)`.
        where: `(batch, time)` bool, which steps take part.
        name: str, what the caller calls them.
    """
    wrong = ~np.isfinite(values)
    wrong = (wrong.reshape(*where.shape, -1).any(-1) if wrong.size else np.zeros(where.shape, bool)) & where
    if wrong.any():
        example, step = (int(place) for place in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name} hold NaN or infinity at {int(wrong.sum())} real steps, first at step {step} of example {example}. "
            "Pass mask for padding; elsewhere look for NaN in the inputs and the weights."
        )
