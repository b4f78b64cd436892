"""From logits to choices: greedy, temperature, top-k, top-p. NumPy only; chance comes through `rng` alone.

Logits are `(…, size)`: one real number for each thing to choose from, where -inf rules a choice out. Every choice takes
one `rng.random()` and looks it up in the cumulative distribution, in the order of the indices, so that whoever draws
the same numbers makes the same choices, in compiled code too.
"""

import numpy as np

# A set of choices that misses `p` by no more than this has reached it: 0.5 + 0.3 is not 0.8 to the last digit.
ROUNDING = 1e-6


def log_softmax(logits, temperature=1.0):
    """Turn logits into log probabilities, `log softmax(logits / temperature)`.

    A temperature below 1 sharpens the distribution, one above 1 flattens it (Ackley, Hinton & Sejnowski 1985). The
    largest logit is subtracted first, so that nothing overflows, however large the logits and small the temperature.

    Args:
        logits: `(…, size)` numbers; -inf has probability 0.
        temperature: a number above 0.

    Returns:
        `(…, size)` float64; `exp` of it sums to 1 over the last axis.

    Raises:
        ValueError: a temperature that is not above 0 or not finite; logits that are NaN, +inf, or all -inf.

    Example:
        >>> np.exp(log_softmax(np.log([4.0, 1.0]))).round(3)
        array([0.8, 0.2])
        >>> np.exp(log_softmax(np.log([4.0, 1.0]), temperature=2.0)).round(3)
        array([0.667, 0.333])
    """
    logits = _usable(logits)
    if not 0 < temperature < np.inf:
        raise ValueError(
            f"temperature is {temperature}; pass a number above 0 (1 leaves the logits as they are), "
            "or use `greedy` for the most likely choice every time."
        )
    with np.errstate(over="ignore"):  # too far below the largest to matter: -inf is the right limit
        shifted = (logits - logits.max(axis=-1, keepdims=True)) / temperature
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def top_k(logits, k):
    """Rule out all but the k most likely choices (Fan, Lewis & Dauphin 2018, section 5.4).

    Args:
        logits: `(…, size)` numbers; -inf is ruled out already.
        k: an int, how many stay, 1 or more; all of them where there are no more than k. Of equally likely ones, those
            with the lower index stay.

    Returns:
        `(…, size)` float64: the logits of those that stay, -inf for the others.

    Raises:
        ValueError: where k is not a whole number from 1 on, or the logits are NaN, +inf, or all -inf.

    Example:
        >>> top_k([1.0, 3.0, 2.0], 2)
        array([-inf,   3.,   2.])
    """
    logits = _usable(logits)
    if k != int(k) or k < 1:
        raise ValueError(f"k is {k}; pass how many choices stay, a whole number from 1 on.")
    return _without(logits, _ranked(logits)[..., int(k) :])


def top_p(logits, p):
    """Rule out all but the smallest set of choices whose probability reaches p: the nucleus (Holtzman et al. 2020).

    Choices are taken from the most likely down until their probabilities sum to p; the one that reaches p is still in.
    So the most likely stays, however small p is. What misses p by no more than `ROUNDING` (a millionth) has reached it.

    Args:
        logits: `(…, size)` numbers; -inf is ruled out already. Apply a temperature before: it changes the set.
        p: scalar, the probability to reach, above 0, at most 1; at 1 all stay. Of equally likely choices, the lower
            index comes first.

    Returns:
        `(…, size)` float64: the logits of those that stay, -inf for the others.

    Raises:
        ValueError: where p is not above 0 and at most 1, or the logits are NaN, +inf, or all -inf.

    Example:
        >>> logits = np.log([0.15, 0.5, 0.05, 0.3])
        >>> np.isfinite(top_p(logits, 0.8))
        array([False,  True, False,  True])
        >>> np.isfinite(top_p(logits, 0.81))
        array([ True,  True, False,  True])
    """
    logits = _usable(logits)
    if not 0 < p <= 1:
        raise ValueError(f"p is {p}; pass the probability to keep, above 0 and at most 1.")
    order = _ranked(logits)
    chances = np.take_along_axis(np.exp(log_softmax(logits)), order, axis=-1)  # (…, size), falling
    before = chances.cumsum(axis=-1) - chances  # what the more likely ones hold together
    dropped = (before >= p - ROUNDING) & (p < 1)
    dropped[..., 0] = False
    filtered = np.where(dropped, -np.inf, np.take_along_axis(logits, order, axis=-1))
    return np.take_along_axis(filtered, np.argsort(order, axis=-1), axis=-1)


def greedy(logits):
    """Make the most likely choice; of equally likely ones, the one with the lowest index.

    Args:
        logits: `(…, size)` numbers.

    Returns:
        `(…)` integers, each from 0 to `size - 1`.

    Raises:
        ValueError: logits that are NaN, +inf, or all -inf.

    Example:
        >>> int(greedy([0.5, 2.0, 2.0]))
        1
    """
    return _usable(logits).argmax(axis=-1)


def distribution(logits, *, temperature=1.0, top_k=None, top_p=None):
    """Give the probabilities that `sample` draws from: first the temperature, then top-k, then top-p of what is left.

    Args:
        logits: `(…, size)` numbers; -inf has probability 0.
        temperature: a number above 0, as in `log_softmax`.
        top_k: how many choices stay; all when None.
        top_p: which share of the probability stays; all when None.

    Returns:
        `(…, size)` float64 that sum to 1 over the last axis; exactly 0 for what is ruled out.

    Raises:
        ValueError: options or logits that `log_softmax`, `top_k` or `top_p` refuse.

    Example:
        >>> distribution(np.log([0.1, 0.2, 0.3, 0.4]), top_k=3, top_p=0.7).round(3)
        array([0.   , 0.   , 0.429, 0.571])
    """
    return np.exp(log_softmax(_filtered(logits, temperature, top_k, top_p)))


def choose(probabilities, uniforms):
    """Look numbers from [0, 1) up in cumulative distributions: the inverse transform (Devroye 1986, section III.2).

    The choice is the first index at which the cumulative sum exceeds the number. Nothing of probability 0 is chosen.

    Args:
        probabilities: `(…, size)`, 0 or more; each row is divided by its sum.
        uniforms: `(…)`, one for each row, from 0 up to but not 1, such as `rng.random()` gives.

    Returns:
        `(…)` integers, each from 0 to `size - 1`.

    Raises:
        ValueError: where the shapes do not fit, a number is not in [0, 1), or a row is no distribution.

    Example:
        >>> choose(np.tile([0.2, 0.5, 0.3], (4, 1)), [0.0, 0.2, 0.69, 0.71])
        array([0, 1, 1, 2])
    """
    probabilities, uniforms = np.asarray(probabilities, "float64"), np.asarray(uniforms, "float64")
    if probabilities.shape[:-1] != uniforms.shape or not probabilities.ndim:
        raise ValueError(
            f"probabilities {probabilities.shape} and uniforms {uniforms.shape} do not fit; expected (…, size) and (…)."
        )
    if not ((uniforms >= 0) & (uniforms < 1)).all():
        raise ValueError("A uniform number lies outside [0, 1). Draw them with `rng.random`.")
    reached = probabilities.cumsum(axis=-1)
    whole = reached[..., -1:]
    if (probabilities < 0).any() or not (whole > 0).all():
        raise ValueError(
            "A probability is negative or NaN, or a row holds only 0. Pass such as `distribution` returns."
        )
    beyond = (reached > uniforms[..., np.newaxis] * whole) | (reached == whole)  # u * whole may round up to whole
    return beyond.argmax(axis=-1)


def sample(logits, *, temperature=1.0, top_k=None, top_p=None, rng):
    """Draw one choice from every distribution, with one `rng.random()` for each.

    Args:
        logits: `(…, size)` numbers; -inf is never drawn.
        temperature: a number above 0; below 1 the likely becomes likelier.
        top_k: draw from this many of the most likely only; from all when None.
        top_p: draw from the smallest set that holds this share of the probability (of what top-k left); from all when
            None.
        rng: a `numpy.random.Generator`.

    Returns:
        `(…)` integers, each from 0 to `size - 1`.

    Raises:
        ValueError: options or logits that `log_softmax`, `top_k` or `top_p` refuse.

    Example:
        >>> logits = np.log([0.7, 0.2, 0.1])
        >>> rng = np.random.default_rng(0)
        >>> [int(sample(logits, rng=rng)) for _ in range(8)]
        [0, 0, 0, 0, 1, 2, 0, 1]
    """
    chances = distribution(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    return choose(chances, rng.random(chances.shape[:-1]))


def _filtered(logits, temperature, k, p):
    """Apply what is asked for. No temperature changes the order, so top-k may come before the rounding does."""
    logits = log_softmax(logits if k is None else top_k(logits, k), temperature)
    return logits if p is None else top_p(logits, p)


def _ranked(logits):
    """List the indices from the most to the least likely, equally likely ones by index."""
    return np.argsort(-logits, axis=-1, kind="stable")


def _without(logits, dropped):
    """Copy the logits with -inf at the dropped indices of every row."""
    logits = logits.copy()
    np.put_along_axis(logits, dropped, -np.inf, axis=-1)
    return logits


def _usable(logits):
    """Convert logits to float64 and refuse those that leave no distribution."""
    logits = np.asarray(logits, "float64")
    if not logits.ndim or not logits.shape[-1]:
        raise ValueError(f"The logits have shape {logits.shape}, expected (…, size) with at least one choice.")
    if np.isnan(logits).any() or (logits == np.inf).any():
        raise ValueError("The logits hold NaN or +inf, expected finite numbers or -inf. Look for what made them.")
    if (logits == -np.inf).all(axis=-1).any():
        raise ValueError("All logits of a choice are -inf: everything is ruled out. Leave at least one finite.")
    return logits
