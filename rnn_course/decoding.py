"""From logits to choices: greedy, temperature, top-k, top-p, beam search. NumPy only; chance comes through `rng` alone.

Logits are `(…, size)`: one real number for each thing to choose from, where -inf rules a choice out. Every choice takes
one `rng.random()` and looks it up in the cumulative distribution, in the order of the indices, so that whoever draws
the same numbers makes the same choices, in compiled code too. Beam search is no chance: it looks for the likeliest
whole sequence, and is written here to be read and compared with, one sequence at a time.
"""

from dataclasses import dataclass

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
    if (probabilities < 0).any() or not ((whole > 0) & (whole < np.inf)).all():
        raise ValueError(
            "A probability is negative, NaN or infinite, or a row holds only 0. Pass such as `distribution` returns."
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
        rng: a `numpy.random.Generator`, or a seed for one.

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
    return choose(chances, np.random.default_rng(rng).random(chances.shape[:-1]))


@dataclass(frozen=True)
class Hypothesis:
    """One sequence that a beam search found.

    Attributes:
        tokens: `(time,)` ints, without the start and without the end.
        log_probability: scalar, the log probabilities of its tokens added up, that of the end included.
        score: scalar, what it was ranked by: log_probability / length ** length_penalty.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def beam_search(step, state, *, start, end, width, longest, length_penalty=1.0):
    """Look for the likeliest sequence by keeping the `width` likeliest beginnings at every step; 1 is greedy.

    Every beginning that has not ended is extended by every token. Of these extensions and of the beginnings that have
    ended, which stay as they are, the `width` with the highest summed log probability are kept. Of equally likely
    ones, those of the better beginning stay, then those with the lower token. The search is over when all have ended,
    or after `longest` tokens. What is left, ended or not, is ranked by its summed log probability divided by
    length ** length_penalty, where the length counts the tokens written, the end included (Cho et al. 2014 divide by
    the length; Wu et al. 2016 by ((5 + length) / 6) ** length_penalty); the likelier goes first where that is equal.

    Args:
        step: a function, `step(tokens, state) -> (log_probabilities, state)`: what follows `(beams,)` tokens, as
            `(beams, vocabulary)`, and the state after them, `(beams, …)`. It is called with the beginnings that have
            not ended, best first: 1 at first, then up to `width`.
        state: `(1, …)`, or a list or tuple of such arrays: what the first step starts from; () where there is none.
        start: an int, the token that the first step reads.
        end: an int, the token that ends a sequence.
        width: how many beginnings are kept, a whole number from 1 on.
        longest: how many tokens are written at most, a whole number from 1 on.
        length_penalty: a number from 0 on; 0 ranks by the probability of the whole, which favors short sequences, 1 by
            the mean log probability of a token.

    Returns:
        A list of `Hypothesis`, best first: `width` of them, or fewer where there are no more of a probability above 0.

    Raises:
        ValueError: options out of range, log probabilities that are none or of another shape, or a state whose rows
            are not those of the beams.

    Example:
        The likeliest first token, 1, is followed by nothing likely; 2 is nearly sure to be followed by the end, 0.

        >>> chances = np.array([[0.1, 0.5, 0.4], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])
        >>> def step(tokens, state):
        ...     return np.log(chances[tokens]), state
        >>> for width in (1, 2):
        ...     best = beam_search(step, (), start=0, end=0, width=width, longest=9)[0]
        ...     print(best.tokens, round(float(np.exp(best.log_probability)), 2))
        (1,) 0.2
        (2,) 0.36
    """
    _refuse_search(width, longest, length_penalty)
    beams, totals = [()], np.zeros(1)  # what is written, best first; (beams,) summed log probabilities
    for _ in range(longest):
        going = [number for number, tokens in enumerate(beams) if tokens[-1:] != (end,)]
        if not going:
            break
        read = np.array([beams[number][-1] if beams[number] else start for number in going])
        log_probabilities, state = step(read, state)
        candidates = _candidates(totals, going, log_probabilities, end)
        parents, tokens, totals = _likeliest(candidates, width)
        pairs = list(zip(parents, tokens, strict=True))
        rows = [going.index(parent) for parent, token in pairs if parent in going and token != end]
        state = _rows(state, rows, len(going))
        beams = [(*beams[parent], token) if parent in going else beams[parent] for parent, token in pairs]
    pairs = zip(beams, totals.tolist(), strict=True)
    found = [_hypothesis(written, total, end, length_penalty) for written, total in pairs]
    return sorted(found, key=lambda hypothesis: -hypothesis.score)


def _candidates(totals, going, log_probabilities, end):
    """Add up `(beams, vocabulary)` log probabilities; a beam that has ended has one candidate, itself, at `end`."""
    log_probabilities = _usable(log_probabilities)
    if log_probabilities.ndim != 2 or len(log_probabilities) != len(going):
        raise ValueError(
            f"The step returned log probabilities of shape {log_probabilities.shape} for {len(going)} tokens, "
            f"expected ({len(going)}, vocabulary). Return one row for each token that it reads."
        )
    if log_probabilities.max() > 1e-3:  # more than rounding in half precision
        raise ValueError(
            f"The step returned a log probability of {log_probabilities.max():.4g}, expected 0 or less. "
            "Return `log_softmax(logits)`, neither logits nor probabilities."
        )
    vocabulary = log_probabilities.shape[1]
    if not 0 <= end < vocabulary:
        raise ValueError(f"end is {end}, which is no token of a vocabulary of {vocabulary} (0 to {vocabulary - 1}).")
    candidates = np.full((len(totals), vocabulary), -np.inf)
    candidates[:, end] = totals
    candidates[going] = totals[going, np.newaxis] + log_probabilities
    return candidates


def _likeliest(candidates, width):
    """Give beams, tokens and log probabilities of the best of `(beams, vocabulary)` candidates that are possible."""
    best = _ranked(candidates.ravel())[:width]
    best = best[np.isfinite(candidates.ravel()[best])]
    parents, tokens = np.divmod(best, candidates.shape[1])
    return parents.tolist(), tokens.tolist(), candidates.ravel()[best]


def _rows(state, rows, beams):
    """Take the rows of some beams from a state `(beams, …)`, or from each of a list or tuple of states."""
    if isinstance(state, list | tuple):
        return type(state)([_rows(each, rows, beams) for each in state])
    state = np.asarray(state)
    if not state.ndim or len(state) != beams:
        raise ValueError(
            f"The step returned a state of shape {state.shape} for {beams} tokens, expected ({beams}, …). "
            "Return one row for each token that it reads, or () where there is no state."
        )
    return state[rows]


def _hypothesis(written, log_probability, end, length_penalty):
    """Score one sequence; its end counts for the length but is not among its tokens."""
    tokens = written[:-1] if written[-1] == end else written
    return Hypothesis(tokens, log_probability, log_probability / len(written) ** length_penalty)


def _refuse_search(width, longest, length_penalty):
    """Raise ValueError for options that leave nothing to search."""
    if width != int(width) or width < 1 or longest != int(longest) or longest < 1:
        raise ValueError(f"width is {width} and longest is {longest}; pass whole numbers from 1 on for both.")
    if not 0 <= length_penalty < np.inf:
        raise ValueError(
            f"length_penalty is {length_penalty}; pass a number from 0 (the sum of log probabilities) on, such as 1 "
            "(their mean)."
        )


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
