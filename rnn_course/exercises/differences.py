"""What separates a learner's result from the expected one, in words that do not give the expected one away."""

import math
from typing import Any

import numpy as np


def difference(seen: Any, expected: Any, *, tolerance: float = 1e-5) -> str | None:
    """Say what separates a result from the expected one, without giving the expected one away.

    Args:
        seen: any object: a number, an array of any shape, a string, a tuple, list or dict of these, an exception.
        expected: what it should be. Strings are compared without regard to case and outer spaces.
        tolerance: how far a number may be off, relative and absolute.

    Returns:
        One clause, or `None` where the two agree.

    >>> difference(np.zeros(3), np.zeros((3, 1)))
    'the shape is (3,) instead of (3, 1)'
    >>> difference(("lstm", 0.5), ("LSTM", 0.50000001)) is None
    True
    """
    if isinstance(seen, Exception) or isinstance(expected, Exception):
        same = type(seen) is type(expected)
        return None if same else raised(seen) if isinstance(seen, Exception) else "an error was expected"
    if isinstance(expected, str):
        return _text_difference(seen, expected)
    if isinstance(expected, dict):
        return _dict_difference(seen, expected, tolerance)
    if isinstance(expected, tuple | list):
        return _sequence_difference(seen, expected, tolerance)
    return _array_difference(seen, expected, tolerance)


def _text_difference(seen: Any, expected: str) -> str | None:
    if not isinstance(seen, str):
        return f"{kind(seen)} came instead of a text"
    return None if seen.strip().casefold() == expected.strip().casefold() else "the text is another one"


def _dict_difference(seen: Any, expected: dict, tolerance: float) -> str | None:
    if not isinstance(seen, dict) or set(seen) != set(expected):
        found = f"keys {sorted(map(str, seen))}" if isinstance(seen, dict) else kind(seen)
        return f"{found} came instead of a dict with the keys {sorted(map(str, expected))}"
    problems = ((key, difference(seen[key], value, tolerance=tolerance)) for key, value in expected.items())
    return next((f"at {key!r}, {problem}" for key, problem in problems if problem is not None), None)


def _sequence_difference(seen: Any, expected: tuple | list, tolerance: float) -> str | None:
    if not isinstance(seen, tuple | list) and not (isinstance(seen, np.ndarray) and seen.ndim > 0):
        return f"{kind(seen)} came instead of {kind(expected)}"
    if len(seen) != len(expected):
        return f"there are {len(seen)} entries instead of {len(expected)}"
    pairs = enumerate(zip(seen, expected, strict=True))
    problems = ((place, difference(*pair, tolerance=tolerance)) for place, pair in pairs)
    return next((f"at entry {place}, {problem}" for place, problem in problems if problem is not None), None)


def _array_difference(seen: Any, expected: Any, tolerance: float) -> str | None:
    """Compare numbers or truth values: kind first, then shape, then NaN, then size."""
    expected = np.asarray(expected)
    came, seen = kind(seen), _as_array(seen)
    if seen is None or seen.dtype.kind not in ("b" if expected.dtype.kind == "b" else "iuf"):
        return f"{came} came instead of {kind(expected)}"
    if seen.shape != expected.shape:
        return f"the shape is {seen.shape} instead of {expected.shape}"
    missing = np.isnan(seen) & ~np.isnan(expected)
    if missing.any():
        return "the result is NaN" if seen.ndim == 0 else f"{missing.sum()} of {seen.size} numbers are NaN"
    wrong = ~np.isclose(seen, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    return _where(wrong, seen, expected) if wrong.any() else None


def _as_array(seen: Any) -> np.ndarray | None:
    """Convert to an array of any shape; `None` where rows have different lengths."""
    try:
        return np.asarray(seen)
    except Exception:
        return None


def _where(wrong: np.ndarray, seen: np.ndarray, expected: np.ndarray) -> str:
    """Say where two arrays of one shape `()` or more part ways."""
    if expected.dtype.kind == "b":
        return f"{wrong.sum()} of {wrong.size} truth values are the other way round"
    if seen.ndim == 0:
        return f"the number is too {'large' if seen > expected else 'small'}"
    first = tuple(int(index) for index in np.argwhere(wrong)[0])
    return f"{wrong.sum()} of {wrong.size} numbers differ, the first at index {first}"


def raised(error: Exception) -> str:
    """Say which exception an answer ended with."""
    return f"your answer raised {type(error).__name__}: {error}"


def kind(value: Any) -> str:
    """Name what something is: "a number", "numbers of shape (3,)", "a text", …

    >>> kind(0.5), kind(np.zeros(3)), kind("yes"), kind([1, 2])
    ('a number', 'numbers of shape (3,)', 'a text', 'a list of 2')
    """
    if isinstance(value, str):
        return "a text"
    if isinstance(value, tuple | list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, bool | np.bool_):
        return "True or False"
    if isinstance(value, int | float | np.number):
        return "a number"
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        single, several = ("True or False", "truth values") if value.dtype.kind == "b" else ("a number", "numbers")
        return f"{several} of shape {value.shape}" if value.shape else single
    return f"a {type(value).__name__}"


def shown(value: Any) -> str:
    """Write a value on one short line.

    >>> shown(1 / 3), shown(np.arange(3.0)), shown(np.zeros((20, 5)))
    ('0.333333', '[0., 1., 2.]', 'numbers of shape (20, 5)')
    """
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {value}"
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=24).replace("\n", "")
    else:
        text = repr(value)
    return text if len(text) <= 80 else kind(value) if not isinstance(value, str) else f"{text[:77]}…"
