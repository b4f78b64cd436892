"""How likely is a symbol after the few before it? Counts of a text, smoothed: the baseline of every language model.

An n-gram model learns by counting, in one pass and seconds, and it is hard to beat on little text. NumPy only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

FALLBACK_DISCOUNTS = np.array([0.5, 1.0, 1.5])  # where a text is too small to estimate them (KenLM's choice)


@dataclass(frozen=True, eq=False)
class _Level:
    """What follows the contexts of one length, as sorted keys and what belongs to each of them.

    Attributes:
        contexts: `(contexts,)` keys: number of the context that is one symbol shorter, then the symbol before it.
        grams: `(grams,)` keys: number of the context, then the symbol that follows.
        share: `(grams,)` discounted share of a symbol after its context.
        rest: `(contexts,)` what the discounts leave to the shorter context.
    """

    contexts: np.ndarray
    grams: np.ndarray
    share: np.ndarray
    rest: np.ndarray


class NGram:
    """Interpolated n-gram model with modified Kneser-Ney smoothing.

    Source: Chen and Goodman 1999, "An empirical study of smoothing techniques for language modeling".

    The probability of a symbol after a context is its discounted share there, plus what the discounts saved times its
    probability after the context without its first symbol, down to no context at all and then to 1 / size. A shorter
    context counts differently: not how often a symbol stood there, but after how many different symbols.

    Attributes:
        order: symbols that are looked at together: the one to tell and `order - 1` before it.
        size: how many symbols there are.

    Example:
        >>> model = NGram.fit([0, 1, 0, 1], order=2, size=3)
        >>> model.distribution([0]).round(3)
        array([0.25 , 0.667, 0.083])
    """

    def __init__(self, levels: Sequence[_Level], size: int):
        """Keep the tables, from no context to the longest one; `NGram.fit` makes them."""
        self._levels, self.order, self.size = tuple(levels), len(levels), size

    @classmethod
    def fit(cls, ids: Sequence[int], *, order: int = 5, size: int) -> "NGram":
        """Count a text.

        Args:
            ids: `(time,)` integers from 0 to `size - 1`, the whole text.
            order: how many symbols are looked at together; 1 is the unigram, which looks at none before.
            size: how many symbols there are, those that the text lacks included.

        Returns:
            The model.

        Raises:
            ValueError: where the text is empty or holds something else than such integers, `order` is below 1, or
                `size` is too large to be counted with.
        """
        ids = _checked(ids, size, "ids")
        if order < 1 or not len(ids):
            raise ValueError(f"order is {order} and the text has {len(ids)} symbols; pass 1 or more of both.")
        if (len(ids) + 1) * (size + 2) > np.iinfo(np.int64).max:
            raise ValueError(
                f"{len(ids)} symbols of a vocabulary of {size} are too many to be numbered in 64 bits. Pass the "
                "`size=len(vocabulary)` of the text."
            )
        tables = list(_count(_rows(ids, order, filling=size), size))
        counts = [_neighbors(*pair, size) for pair in pairwise(tables)] + [tables[-1][2]]
        levels = [_smooth(*table[:2], count, size) for table, count in zip(tables, counts, strict=True)]
        return cls(levels, size)

    def nats(self, ids: Sequence[int], *, context: Sequence[int] = ()) -> np.ndarray:
        """Say how surprising each symbol of a text is: -ln of its probability after those before it.

        Args:
            ids: `(time,)` integers from 0 to `size - 1`; the mean of the result is the cross-entropy.
            context: what stood before them, any number of integers.

        Returns:
            `(time,)` float64, always finite.

        Raises:
            ValueError: where an index has no place in the model.
        """
        ids, context = _checked(ids, self.size, "ids"), _checked(context, self.size, "context")
        rows = _rows(np.concatenate([context, ids]), self.order, filling=self.size + 1)[len(context) :]
        return -np.log(self._probabilities(rows[:, :-1], ids))

    def distribution(self, context: Sequence[int]) -> np.ndarray:
        """Return the probability of every symbol after a context.

        Args:
            context: `(time,)` integers, of which the last `order - 1` count; `()` where nothing is known.

        Returns:
            `(size,)` float64, all above zero, with sum 1.

        Raises:
            ValueError: where an index has no place in the model.
        """
        context = _checked(context, self.size, "context")
        past = _rows(np.append(context, 0), self.order, filling=self.size + 1)[-1:, :-1]
        return self._probabilities(past, np.arange(self.size))

    def _probabilities(self, past: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Probability of each of `ids`, `(time,)`, after its row of `past`, `(time, order - 1)`, or after one row."""
        probability = np.full(len(ids), 1 / self.size)
        context = np.zeros(len(past), np.int64)
        for back, level in enumerate(self._levels):
            if back:
                context = _find(level.contexts, _key(context, past[:, -back], self.size + 2))
            gram = _find(level.grams, _key(context, ids, self.size))
            share = np.where(gram >= 0, level.share[gram], 0.0)
            probability = np.where(context >= 0, level.rest[context] * probability + share, probability)
        return probability


def _checked(ids: Sequence[int], size: int, name: str) -> np.ndarray:
    """The indices as `(time,)` int64, or an error that says what is wrong with them."""
    given = np.asarray(ids)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise ValueError(f"`{name}` must be (time,) integers; got {given.dtype} of shape {given.shape}.")
    outside = given[(given < 0) | (given >= size)]
    if outside.size:
        raise ValueError(
            f"`{name}` holds {outside[:5].tolist()}, but a model of size {size} knows 0 to {size - 1}. "
            "Pass `size=len(vocabulary)` to `NGram.fit`."
        )
    return given.astype(np.int64)


def _rows(ids: np.ndarray, order: int, *, filling: int) -> np.ndarray:
    """Each index with those before it, `(time, order)`; before the first one stands `filling`, which is no symbol.

    In counting it is `size`, the beginning of the text; in scoring `size + 1`, which no context holds.
    """
    padded = np.concatenate([np.full(order - 1, filling), ids])
    return np.lib.stride_tricks.sliding_window_view(padded, order) if len(ids) else np.empty((0, order), np.int64)


def _key(number: np.ndarray, symbol: np.ndarray, base: int) -> np.ndarray:
    """One integer for a context's number and a symbol, the same shape; -1 where there is no such context."""
    return np.where(number >= 0, number * base + symbol, -1)


def _find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The place of each wanted key among sorted ones, -1 where it is not there; the shape of `wanted`."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def _count(rows: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each length of context, from none: its contexts, its grams, and how often each gram occurs."""
    contexts, context = np.zeros(1, np.int64), np.zeros(len(rows), np.int64)
    for back in range(rows.shape[1]):
        if back:
            contexts, context = np.unique(context * (size + 2) + rows[:, -1 - back], return_inverse=True)
        yield contexts, *np.unique(context * size + rows[:, -1], return_counts=True)


def _neighbors(shorter: tuple, longer: tuple, size: int) -> np.ndarray:
    """After how many different symbols each shorter gram occurs, the text's beginning being one; `(grams,)`."""
    contexts, grams, _ = longer
    beheaded = contexts[grams // size] // (size + 2) * size + grams % size
    return np.bincount(_find(shorter[1], beheaded), minlength=len(shorter[1]))


def _smooth(contexts: np.ndarray, grams: np.ndarray, counts: np.ndarray, size: int) -> _Level:
    """Take the discount off every count and hand it to the shorter context."""
    context, discount = grams // size, _discounts(counts)[np.minimum(counts, 3) - 1]
    total = np.bincount(context, counts)
    return _Level(contexts, grams, (counts - discount) / total[context], np.bincount(context, discount) / total)


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What a count of 1, of 2, and of 3 or more gives away, `(3,)`, from how many grams occur 1, 2, 3 and 4 times."""
    once, twice, thrice, four = np.bincount(np.minimum(counts, 5), minlength=6)[1:5]
    if 0 in (once, twice, thrice, four):
        return FALLBACK_DISCOUNTS
    y = once / (once + 2 * twice)
    estimates = np.array([1, 2, 3]) - y * np.array([2 * twice / once, 3 * thrice / twice, 4 * four / thrice])
    return estimates if (estimates > 0).all() else FALLBACK_DISCOUNTS
