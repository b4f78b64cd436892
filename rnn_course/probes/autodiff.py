"""The one place that holds automatic differentiation: TensorFlow's tape, for the probes.

The probes write what they compute in NumPy and `keras.ops`; what they need of a framework stands here.
"""

import keras
import numpy as np
import tensorflow as tf


def recorder():
    """Open a tape that records nothing but what follows from tensors it is told to `watch`; takes no arrays.

    Returns:
        A context manager with `.watch(tensor)`, `.gradient(target, sources)` and `.jacobian(target, source)`.

    Raises:
        RuntimeError: Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Gradient probes need Keras on TensorFlow, and it runs on {keras.backend.backend()!r}. "
            "Set KERAS_BACKEND=tensorflow before keras is imported."
        )
    return tf.GradientTape(watch_accessed_variables=False)


def is_eager(tensor):
    """Whether a tensor `(…)` holds numbers, or is a placeholder inside a function that is being compiled."""
    return tf.executing_eagerly() and hasattr(tensor, "numpy")


def with_known_gradient(outputs, sources, pull_back):
    """Make tensors that hold given numbers and whose gradient with respect to `sources` is given too.

    Args:
        outputs: a list of arrays, each of any shape `(…)`.
        sources: a list of the tensors `(…)` that they were computed from.
        pull_back: takes one array for each output, the gradient in the output's shape; returns one for each source.

    Returns:
        A list of tensors of the outputs' shapes.
    """

    @tf.custom_gradient
    def replay(*sources):
        def gradient(*upstream):
            found = pull_back(*(np.asarray(one) for one in upstream))
            return [tf.cast(one, source.dtype) for one, source in zip(found, sources, strict=True)]

        return [tf.constant(output) for output in outputs], gradient

    return replay(*sources)
