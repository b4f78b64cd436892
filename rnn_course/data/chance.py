"""Chance for the grammars, from the stream of `random()` alone: of `random.Random` only that is promised to stay."""

import random
from collections.abc import Sequence
from typing import Any


def choose(rng: random.Random, options: Sequence) -> Any:
    """Choose one of some options, all equally likely.

    Args:
        rng: where the chance comes from; one number is drawn.
        options: at least one.

    Returns:
        One of them.

    Example:
        >>> choose(random.Random(0), "abc")
        'c'
    """
    return options[int(rng.random() * len(options))]


def happens(rng: random.Random, percent: float) -> bool:
    """Tell whether something happens that does so in so many cases out of 100.

    Args:
        rng: where the chance comes from; one number is drawn.
        percent: from 0 (never) to 100 (always).

    Returns:
        Whether it does.

    Example:
        >>> happens(random.Random(0), 85), happens(random.Random(0), 84)
        (True, False)
    """
    return rng.random() * 100 < percent
