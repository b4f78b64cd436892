"""Feed `fit` with batches, so that it returns when its last one is done.

Keras on TensorFlow makes a `tf.data.Dataset` of whatever `fit` is given, arrays or a generator, and such a dataset
tunes itself in a thread of its own. The thread looks around after 10 ms, then after 20 more, 40 more and so on, up to
a minute. When `fit` is done, the thread is woken a moment before it is told to stop; where it asks in that moment, it
sleeps on until its next turn, and `fit` waits for it: up to as long again as it has trained. (In TensorFlow's source
it is `Model::OptimizeLoop` that sleeps and `CancellationManager::StartCancel` that wakes it early.)
`benchmarks/fit_end.py` measures how often.
"""

from collections.abc import Iterable, Sized
from itertools import chain
from typing import Any

import keras
import numpy as np


def dataset_of(batches: Iterable) -> Any:
    """Make a dataset of batches that `fit` takes as it takes a generator, and that does not tune itself.

    Args:
        batches: batches of one structure, such as tuples `(inputs, targets)` of arrays `(batch, …)`, of which only the
            size of the batch may differ. A list is read anew in each epoch, in its order, so that `fit` needs
            `shuffle=False`; a generator is read once, so that it needs `steps_per_epoch`, too.

    Returns:
        A `tf.data.Dataset` of the same batches `(batch, …)`, which makes two of them ahead.

    Raises:
        ValueError: where there is no batch.

    Example:
        >>> dataset = dataset_of([(np.zeros((4, 3)), np.zeros(4)), (np.zeros((2, 3)), np.zeros(2))])
        >>> [inputs.shape[0] for inputs, targets in dataset]
        [4, 2]
    """
    import tensorflow as tf  # here, since `in_batches` serves every backend

    reader = iter(batches)
    first = next(reader, None)
    if first is None:
        raise ValueError("There is no batch. Pass a list or a generator that holds at least one.")
    again = chain([first], reader) if reader is batches else batches
    signature = keras.tree.map_structure(lambda array: tf.TensorSpec(*_form_of(array)), first)
    dataset = tf.data.Dataset.from_generator(lambda: again, output_signature=signature)
    if isinstance(batches, Sized):  # or Keras warns at its end that it has ended
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(2).with_options(options)


def in_batches(arrays: Any, *, size: int = 256) -> list:
    """Cut arrays into batches, in order.

    Args:
        arrays: a structure of arrays `(rows, …)`, such as a tuple `(inputs, targets)`.
        size: rows of a batch; the last one holds what is left.

    Returns:
        A list of such structures, of arrays `(batch, …)`.

    Raises:
        ValueError: where the arrays differ in their rows or have none, or `size` is below 1.

    Example:
        >>> [len(inputs) for inputs, targets in in_batches((np.zeros((5, 3)), np.zeros(5)), size=2)]
        [2, 2, 1]
    """
    arrays = keras.tree.map_structure(np.asarray, arrays)
    counts = sorted({len(array) for array in keras.tree.flatten(arrays)})
    if len(counts) != 1 or counts == [0]:
        raise ValueError(
            f"The inputs hold {' and '.join(map(str, counts))} examples; expected the same number in each, and one at "
            "least. Pass arrays (batch, …)."
        )
    if size < 1:
        raise ValueError(f"size is {size}; pass how many examples a batch holds, 1 or more.")
    starts = range(0, counts[0], size)
    return [
        keras.tree.map_structure(lambda array, start=start: array[start : start + size], arrays) for start in starts
    ]


def _form_of(array: np.ndarray) -> tuple:
    """Say what a batch's array `(batch, …)` is like: its shape but for the size of the batch, and its type."""
    array = np.asarray(array)
    return (None, *array.shape[1:]), array.dtype
