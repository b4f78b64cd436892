"""What a vector still knows of the words that it was made from."""

from dataclasses import dataclass

import numpy as np

ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class ReadBack:
    """How well the word at each position can be read off a vector, on examples that the readout was not fitted on.

    Attributes:
        accuracy: `(time,)`, share of the asked words that are read back; NaN where none was asked.
        chance: `(time,)`, the same share for always saying the most frequent word that stood there in the fit.
        predicted: `(batch, time)` int, the word that is read; 0 where none was asked.
        asked: `(batch, time)` bool, True at the words that were asked: real ones, outside the fit.
        correct: `(batch, time)` bool, True at the asked words that are read back.
        count: `(time,)` int, how many words were asked.
    """

    accuracy: np.ndarray
    chance: np.ndarray
    predicted: np.ndarray
    asked: np.ndarray
    correct: np.ndarray
    count: np.ndarray


def read_back(states, tokens, *, fit, mask=None, penalty=1.0):
    """Ask a vector which word stood at each position of what it was made from, by linear readouts.

    For every position a ridge regression from the states to the one-hot word is fitted on the examples of `fit` and
    asked on the others (linear probes: Alain & Bengio 2017). The states are centered and brought to one scale by the
    fit; an example without a word at a position stands for none of the words. All positions share one Cholesky factor:
    in the coordinates in which the penalized covariance is one, the regression is the sum of the states of each word.

    Args:
        states: `(batch, units)`, such as an encoder's last hidden states.
        tokens: `(batch, time)` int, the word at each position, 0 is padding.
        fit: `(batch,)` bool, True at the examples that the readouts are fitted on.
        mask: `(batch, time)` bool, True at the real words; where `tokens` is not 0 when None.
        penalty: weight of the squared weights beside the summed squared errors, above 0.

    Returns:
        A `ReadBack`; its accuracy is `(time,)`.

    Raises:
        ValueError: shapes that do not fit, tokens that are no integers, states that are not finite, an empty half, or
            a penalty that is not above 0.

    Example:
        >>> states, words = np.eye(2)[[0, 1, 0, 1]], np.array([[5, 7], [6, 7], [5, 7], [6, 8]])
        >>> read_back(states, words, fit=np.array([True, True, False, False])).accuracy.tolist()
        [1.0, 0.5]
    """
    states, tokens, fit = np.asarray(states), np.asarray(tokens), np.asarray(fit)
    mask = tokens != 0 if mask is None else np.asarray(mask)
    refuse_data(states, tokens, fit, mask, penalty)
    fitted, others = whitened(states, fit, penalty)
    predicted, usual = np.zeros(tokens.shape, int), np.full(tokens.shape[1], -1)
    for t in range(tokens.shape[1]):
        there = mask[:, t]
        if not there[fit].any() or not there[~fit].any():
            continue
        words, counts, sums = sums_of_words(fitted[there[fit]], tokens[fit & there, t])
        usual[t] = words[counts.argmax()]
        predicted[~fit & there, t] = words[likeliest(others[there[~fit]], sums, counts / fit.sum())]
    return marked(tokens, predicted, usual, ~fit[:, None] & mask)


def whitened(states, fit, penalty):
    """Bring the states to coordinates in which ridge regression needs no inverse.

    Args:
        states: `(batch, units)`.
        fit: `(batch,)` bool.
        penalty: a float above 0.

    Returns:
        float32 arrays, `(fitted, units)` and `(others, units)`: L⁻¹ (x - mean) / deviation, with L Lᵀ the summed
        squares of the fit plus the penalty.
    """
    states = states.astype("float64")
    deviation = states[fit].std(0)
    moving = deviation > 1e-9 * np.abs(states[fit]).max(0)  # a unit that never moves in the fit says nothing
    scaled = (states - states[fit].mean(0))[:, moving] / deviation[moving]
    squares = scaled[fit].T @ scaled[fit] + penalty * np.eye(moving.sum())
    turned = np.linalg.solve(np.linalg.cholesky(squares), scaled.T).T.astype("float32")
    return turned[fit], turned[~fit]


def sums_of_words(states, words):
    """Add up the states of each word.

    Args:
        states: `(examples, units)`.
        words: `(examples,)` int, one at least.

    Returns:
        The words `(classes,)` that occur, how often each does `(classes,)`, and their sums `(classes, units)`.
    """
    order = np.argsort(words, kind="stable")
    found, first, counts = np.unique(words[order], return_index=True, return_counts=True)
    return found, counts, np.add.reduceat(states[order], first, axis=0)


def likeliest(states, sums, shares):
    """Which class scores most, a block of rows at a time so that the scores never fill the memory.

    Args:
        states: `(examples, units)`, whitened.
        sums: `(classes, units)`, of whitened states.
        shares: `(classes,)`, how often each class is there: what is said without a state.

    Returns:
        `(examples,)` int, indices of classes.
    """
    shares = shares.astype(states.dtype)
    starts = range(0, len(states), ROWS_AT_ONCE)
    return np.concatenate([(states[at : at + ROWS_AT_ONCE] @ sums.T + shares).argmax(-1) for at in starts])


def marked(tokens, predicted, usual, asked):
    """Compare what is read with what was there.

    Args:
        tokens: `(batch, time)` int.
        predicted: `(batch, time)` int, 0 where nothing could be said.
        usual: `(time,)` int, the most frequent word of the fit; -1 where there is none.
        asked: `(batch, time)` bool.

    Returns:
        A `ReadBack`; shares are `(time,)`. Where the fit has no word, nothing is read back.
    """
    count = asked.sum(0)
    correct = asked & (predicted == tokens) & (usual >= 0)
    guessed = asked & (usual == tokens)
    nothing = np.full(len(count), np.nan)
    accuracy, chance = (
        np.divide(hits.sum(0), count, out=nothing.copy(), where=count > 0) for hits in (correct, guessed)
    )
    return ReadBack(accuracy, chance, predicted, asked, correct, count)


def refuse_data(states, tokens, fit, mask, penalty):
    """Raise ValueError unless `read_back` can work with its arrays, of the shapes stated there."""
    fits = states.ndim == tokens.ndim == 2 and len(states) == len(tokens) and mask.shape == tokens.shape
    if not fits or fit.shape != (len(states),):
        raise ValueError(
            f"states {states.shape}, tokens {tokens.shape}, fit {fit.shape} and mask {mask.shape} do not fit; expected "
            "(batch, units), (batch, time), (batch,) and (batch, time)."
        )
    if tokens.dtype.kind not in "iu" or fit.dtype != bool or mask.dtype != bool:
        raise ValueError(
            f"tokens are {tokens.dtype}, fit {fit.dtype} and mask {mask.dtype}; expected integers, bool and bool."
        )
    if fit.all() or not fit.any():
        raise ValueError(
            f"{fit.sum()} of {len(fit)} examples are for the fit; some must be fitted on and others asked."
        )
    if not np.isfinite(states).all():
        raise ValueError("states must be finite; there is a NaN or an infinite number among them.")
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty}; pass a number above 0, such as 1.0.")
