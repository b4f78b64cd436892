"""How good an answer is. NumPy only.

A model of sequences is judged by the probability it gave to what really came next: the mean of -log p over the steps,
in nats (natural logarithm) or bits (base 2), or its exponential, the perplexity.
"""

import math

import numpy as np


def surprisal(logits, targets):
    """Give -log of the probability of every target, in nats (Shannon 1948: the information in seeing it).

    Args:
        logits: `(…, size)` numbers of any magnitude; -inf is probability 0.
        targets: `(…)` integers, each from 0 to `size - 1`.

    Returns:
        `(…)` float64, 0 or more; inf where the target had probability 0.

    Raises:
        ValueError: shapes that do not fit; targets that are no index; logits that are NaN, +inf, or all -inf.

    Example:
        >>> surprisal(np.log([[0.5, 0.5], [0.1, 0.9]]), [0, 0]).round(3)
        array([0.693, 2.303])
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    _refuse_unfitting(logits, targets)
    highest = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(highest).all():
        raise ValueError("The logits of a step are NaN, +inf, or all -inf, expected finite numbers or -inf.")
    shifted = np.subtract(logits, highest, dtype="float64")
    chosen = np.take_along_axis(shifted, targets[..., np.newaxis], axis=-1)[..., 0]
    return np.log(np.exp(shifted).sum(axis=-1)) - chosen


def cross_entropy(logits, targets, *, mask=None):
    """Average the surprisal of the targets over the real steps: nats per step.

    Every real step counts the same, whichever sequence it is in. A uniform guess over `size` choices scores log(size).

    Args:
        logits: `(…, size)` numbers, such as `(batch, time, vocabulary)`.
        targets: `(…)` integers, each from 0 to `size - 1` at the real steps.
        mask: `(…)` bool, True at the real steps; all when None. What the logits and targets are at the others does not
            matter.

    Returns:
        A float, nats per real step; inf where a target had probability 0.

    Raises:
        ValueError: shapes that do not fit, targets that are no index, logits that are NaN, or a mask without a real
            step.

    Example:
        >>> nats = cross_entropy(np.zeros((1, 3, 8)), [[2, 5, 0]], mask=[[True, True, False]])
        >>> print(round(nats / np.log(8), 6))
        1.0
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    mask = np.ones(targets.shape, bool) if mask is None else np.asarray(mask, bool)
    if not mask.shape == targets.shape == logits.shape[:-1]:
        raise ValueError(
            f"logits {logits.shape}, targets {targets.shape} and mask {mask.shape} do not fit; "
            "expected (…, size), (…) and (…)."
        )
    if not mask.any():
        raise ValueError("There is no real step to average over. Pass a mask that is True somewhere.")
    return float(surprisal(logits[mask], targets[mask]).mean())


def perplexity(nats):
    """Turn nats per step into perplexity, exp(nats): how many equally likely choices are as hard as this.

    Args:
        nats: scalar, or `(…)`: what `cross_entropy` returns, 0 or more.

    Returns:
        A scalar, or `(…)`; inf where it is too large for a float.

    Example:
        >>> print(round(perplexity(np.log(67)), 6))
        67.0
    """
    with np.errstate(over="ignore"):
        return np.exp(nats)


def bits(nats):
    """Turn nats into bits: nats / log(2).

    Args:
        nats: scalar, or `(…)`: what `cross_entropy` returns.

    Returns:
        A scalar, or `(…)`.

    Example:
        >>> print(bits(np.log(8)))
        3.0
    """
    return nats / math.log(2)


def _refuse_unfitting(logits, targets):
    """Raise ValueError unless `targets` are indices into the last axis of `logits`."""
    if not logits.ndim or logits.shape[:-1] != targets.shape:
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} do not fit; expected (…, size) and (…).")
    if targets.dtype.kind not in "iu":
        raise ValueError(f"The targets are of type {targets.dtype}, expected integers: indices, not one-hot vectors.")
    outside = targets[(targets < 0) | (targets >= logits.shape[-1])]
    if outside.size:
        raise ValueError(
            f"Targets {outside[:5].tolist()} are outside the {logits.shape[-1]} choices of the logits "
            f"(0 to {logits.shape[-1] - 1}). Check the vocabulary that made them."
        )
