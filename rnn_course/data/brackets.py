"""Rows of brackets with letters in between, and the truth about how many are open after each symbol.

    ( a ( b ) ) c ( ) …        depth 1 1 2 2 1 0 0 1 0 …

The question is put after some of the closing brackets: was that the last one open? One number is enough to answer it,
up at each "(" and down at each ")", if it can grow as large as the depth (the Dyck language of one kind of bracket,
Chomsky and Schützenberger 1963; Weiss, Goldberg and Yahav 2018 for what recurrent networks make of it).
"""

from typing import NamedTuple

import numpy as np

SYMBOLS = ("(", ")", "a", "b", "c")
OPENING, CLOSING = 0, 1
HOMEWARD = 0.5  # how often a walk that has reached its goal turns home next, to depth 0


class Brackets(NamedTuple):
    """Rows of brackets and letters with the known truth.

    Attributes:
        tokens: `(count, time)` int64, indices into `symbols`.
        targets: `(count, time)` int64, 1 where nothing is open after the symbol, else 0.
        depth: `(count, time)` int64, how many brackets are open after the symbol.
        mask: `(count, time)` bool, True where the question is put: at closing brackets, half of them the last one open.
        symbols: the names of the tokens: "(", ")" and letters, which mean nothing.
    """

    tokens: np.ndarray
    targets: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    symbols: tuple[str, ...]


def make_brackets(
    count: int, *, time: int = 60, deepest: int = 10, letters: float = 0.3, rng: np.random.Generator | int
) -> Brackets:
    """Draw rows of brackets, and say after which closing ones to ask whether all is closed.

    The depth walks from goal to goal: half of the time home to 0, else to any depth but its own, up to `deepest`. So it
    falls as often as it rises, and the place in the row tells next to nothing about it. The question is put at as many
    closing brackets that leave something open as at such that do not, so that "yes" is right half of the time, and the
    last symbol is always the same.

    Args:
        count: how many rows.
        time: symbols in each.
        deepest: the most brackets that are ever open, at least 2: with 1 every closing bracket is the last.
        letters: share of the symbols that are letters, from 0 to below 1.
        rng: where the chance comes from; a generator, or a seed for one.

    Returns:
        A `Brackets`, its arrays `(count, time)`.

    Raises:
        ValueError: `count` or `time` below 1, `deepest` below 2, or `letters` outside 0 to 1.

    >>> made = make_brackets(1, time=9, letters=0.25, rng=np.random.default_rng(176))
    >>> print(*np.array(made.symbols)[made.tokens[0]])
    ( c ( ) ( ) ) c c
    >>> print(*made.depth[0])
    1 1 2 1 2 1 0 0 0
    """
    _refuse_nonsense(count, time, deepest, letters)
    rng = np.random.default_rng(rng)
    is_letter = rng.random((count, time)) < letters
    depth = _walk(is_letter, deepest, rng)
    steps = np.diff(depth, axis=1, prepend=0)
    some_letter = rng.integers(2, len(SYMBOLS), size=(count, time))
    tokens = np.where(is_letter, some_letter, np.where(steps > 0, OPENING, CLOSING))
    asked = _ask(tokens == CLOSING, depth == 0, rng)
    return Brackets(tokens, (depth == 0).astype(np.int64), depth, asked, SYMBOLS)


def _refuse_nonsense(count: int, time: int, deepest: int, letters: float) -> None:
    """Raise ValueError for sizes of which no rows can be made."""
    if count < 1 or time < 1:
        raise ValueError(f"Cannot make {count} rows of {time} symbols; pass a count and a time of at least 1.")
    if deepest < 2:
        raise ValueError(f"deepest is {deepest}; pass at least 2, or every closing bracket is the last one open.")
    if not 0 <= letters < 1:
        raise ValueError(f"letters is {letters}; pass a share from 0 to below 1: some symbols must be brackets.")


def _walk(is_letter: np.ndarray, deepest: int, rng: np.random.Generator) -> np.ndarray:
    """Depth after each symbol, `(count, time)`: one step toward a goal, except at letters `(count, time)`."""
    count, time = is_letter.shape
    depth = np.empty((count, time), np.int64)
    now = goal = np.zeros(count, np.int64)
    for t in range(time):
        goal = np.where(now == goal, _new_goals(now, deepest, rng), goal)
        now = now + np.where(is_letter[:, t], 0, np.sign(goal - now))
        depth[:, t] = now
    return depth


def _new_goals(now: np.ndarray, deepest: int, rng: np.random.Generator) -> np.ndarray:
    """Draw for each row a depth other than the one it has `(count,)`, home being as likely as all others together."""
    other = rng.integers(0, deepest, size=now.shape)
    other += other >= now
    return np.where((rng.random(now.shape) < HOMEWARD) & (now > 0), 0, other)


def _ask(closing: np.ndarray, closed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose closing brackets to ask at, `(count, time)` bool: as many that leave something open as that do not."""
    chance = rng.random(closing.shape)
    asked = np.zeros(closing.shape, bool)
    kinds = [closing & closed, closing & ~closed]
    fewer = min(kind.sum() for kind in kinds)
    for kind in kinds:
        places = np.flatnonzero(kind)
        asked.flat[places[np.argsort(chance.flat[places])[:fewer]]] = True
    return asked
