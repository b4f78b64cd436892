"""Two tasks that can only be solved by remembering: for how many steps is chosen, and what a guess costs is known.

Adding problem (Hochreiter and Schmidhuber 1997, in the form of Arjovsky et al. 2016): among `time` numbers two are
marked, and their sum is asked for after the last one.

    number  0.3  0.9  0.1  0.7  0.5  0.2
    marked   0    1    0    0    1    0      target 0.9 + 0.5 = 1.4

Copy memory (the same papers; Bai et al. 2018): repeat some symbols after `delay` steps. With 0 for a blank, five
kinds of symbols, three of them to keep, a delay of 4, and 6 for "now":

    input   2 5 1 0 0 0 6 0 0 0
    target  0 0 0 0 0 0 0 2 5 1
"""

from typing import NamedTuple

import numpy as np


class LongMemory(NamedTuple):
    """Examples of one task.

    Attributes:
        inputs: adding problem: `(count, time, 2)` float32, a number and its mark; copy memory: `(count, time)` int32.
        targets: adding problem: `(count, 1)` float32; copy memory: `(count, time)` int32, one class a step.
    """

    inputs: np.ndarray
    targets: np.ndarray


def make_adding_problem(count, *, time, rng):
    """Rows of numbers from [0, 1), two of them marked, and the sum of the marked ones.

    One mark stands in each half, uniformly placed: the convention of Arjovsky et al. (2016), whom most papers on long
    memory follow. (Hochreiter and Schmidhuber, 1997, took numbers from [-1, 1] and put the first mark among the
    first ten steps; Bai et al., 2018, put both marks anywhere.) The sum is of two uniform numbers, so its variance is
    2/12: whoever always answers 1 has a mean squared error of 1/6 = 0.167, the figure to beat.

    Args:
        count: how many examples.
        time: how many numbers each row holds, at least 2.
        rng: a `numpy.random.Generator`, or a seed for one.

    Returns:
        `LongMemory` with inputs `(count, time, 2)` and targets `(count, 1)`, both float32.

    Raises:
        ValueError: `count` is below 1 or `time` below 2.

    >>> rows = make_adding_problem(3, time=200, rng=np.random.default_rng(0))
    >>> rows.inputs.shape, rows.targets.shape
    ((3, 200, 2), (3, 1))
    """
    _at_least(1, count=count)
    _at_least(2, time=time)
    half = time // 2
    examples = np.arange(count)
    inputs = np.zeros((count, time, 2), "float32")
    rng = np.random.default_rng(rng)
    inputs[:, :, 0] = rng.random((count, time), "float32")
    for places in (rng.integers(half, size=count), rng.integers(half, time, size=count)):
        inputs[examples, places, 1] = 1
    return LongMemory(inputs, np.sum(inputs[:, :, 0] * inputs[:, :, 1], axis=1, keepdims=True))


def make_copy_memory(count, *, delay, symbols=8, length=10, rng):
    """Symbols to be repeated after a delay, in the layout of Arjovsky et al. (2016).

    A row holds `length` symbols from 1 … `symbols`, blanks (0), at step `length + delay - 1` the delimiter
    (`symbols + 1`), and blanks again while the answer is given. The target is 0 up to and at the delimiter, then the
    symbols in their order: each must be kept for `length + delay` steps. (Bai et al., 2018, repeat the delimiter
    instead of the last blanks.)

    Args:
        count: how many examples.
        delay: steps from the end of the symbols to the start of the answer, the delimiter among them, at least 1.
        symbols: how many kinds of symbols there are, at least 1; the classes are then 0 … `symbols`.
        length: how many symbols a row holds, at least 1.
        rng: a `numpy.random.Generator`, or a seed for one.

    Returns:
        `LongMemory` with inputs and targets `(count, delay + 2 * length)`, both int32.

    Raises:
        ValueError: one of the sizes is below 1.

    >>> row = make_copy_memory(1, delay=3, symbols=5, length=2, rng=np.random.default_rng(4))
    >>> row.inputs
    array([[4, 5, 0, 0, 6, 0, 0]], dtype=int32)
    >>> row.targets
    array([[0, 0, 0, 0, 0, 4, 5]], dtype=int32)
    """
    _at_least(1, count=count, delay=delay, symbols=symbols, length=length)
    inputs = np.zeros((count, delay + 2 * length), "int32")
    targets = np.zeros_like(inputs)
    asked = np.random.default_rng(rng).integers(1, symbols + 1, size=(count, length))
    inputs[:, :length] = targets[:, -length:] = asked
    inputs[:, length + delay - 1] = symbols + 1
    return LongMemory(inputs, targets)


def copy_memory_guess(*, delay, symbols=8, length=10):
    """Cross-entropy of copy memory without a memory, in nats a step: length · ln(symbols) / (delay + 2 · length).

    Such a model knows when the answer is due, not what it is: blanks cost nothing, each symbol ln(symbols).
    Source: Arjovsky et al. (2016), section 5.1.

    Args:
        delay: as in `make_copy_memory`.
        symbols: as there.
        length: as there.

    Returns:
        A float.

    Raises:
        ValueError: one of the sizes is below 1.

    >>> round(copy_memory_guess(delay=1_000), 4)
    0.0204
    """
    _at_least(1, delay=delay, symbols=symbols, length=length)
    return float(length * np.log(symbols) / (delay + 2 * length))


def _at_least(smallest, **sizes):
    """Refuse a size that no example can have."""
    for name, size in sizes.items():
        if size < smallest:
            raise ValueError(f"`{name}` must be at least {smallest}; got {size}. Ask for a larger one.")
