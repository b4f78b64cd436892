"""A lesson's flat `results`: what they must hold, those of the last full run, and how a table shows them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.lessons.find import Lesson, course_folder

# Metrics between 0 and 1 that tables show in percent.
_SHARES = frozenset({"accuracy", "f1", "precision", "recall"})

# What each lesson's `results` must hold, whatever else it measures.
REQUIRED_RESULTS = ("minutes", "source")


class Comparison(NamedTuple):
    """One metric of a lesson beside its baseline and the published figure; `None` where there is none.

    `spread` and `baseline_spread` are standard deviations over the lesson's seeds, in the metric's own unit.
    """

    metric: str
    model: float | None
    spread: float | None
    baseline: float | None
    baseline_spread: float | None
    published: float | None


def recorded_results(lesson: Lesson) -> dict[str, Any]:
    """Read what a lesson's last full run measured, in a clone as in an installed wheel.

    Args:
        lesson: one of the course's own lessons.

    Returns:
        The content of `results/NN_slug.json`; empty for a lesson that has not been run in full.

    Raises:
        ValueError: the file is damaged.
    """
    path = course_folder() / "results" / f"{lesson.name}.json"
    return read_results(path) if path.is_file() else {}


def read_results(path: Path) -> dict[str, Any]:
    """Read the flat figures of a run.

    Args:
        path: a JSON file.

    Returns:
        Its content.

    Raises:
        ValueError: the file holds no JSON, no dict, or no number of minutes.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}). Run its lesson again, or check the file out again.") from error
    minutes = results.get("minutes") if isinstance(results, dict) else None
    if not isinstance(minutes, int | float) or isinstance(minutes, bool):
        raise ValueError(f"{path} holds no dict with a number of `minutes`, as a run leaves it. Run its lesson again.")
    return results


def fault_of_results(results: Any) -> str | None:
    """Say what is wrong with what a lesson left as its `results`.

    Args:
        results: anything; right is a flat dict of figures and texts that holds `REQUIRED_RESULTS`.

    Returns:
        The end of a sentence that begins with "The lesson's `results`", or `None` where all is well.
    """
    if not isinstance(results, dict):
        return f"must be a dict, not a {type(results).__name__}."
    for name, value in results.items():
        if isinstance(value, dict | list):
            return f"must be flat: {name!r} holds a {type(value).__name__}; give each figure a name of its own."
        if isinstance(value, float) and value - value != 0:
            return f"hold {value} under {name!r}, which no table can show; leave it out or say it in words."
    missing = [name for name in REQUIRED_RESULTS if name not in results]
    return f"lack {', '.join(repr(name) for name in missing)}." if missing else None


def compare(results: Mapping[str, Any]) -> list[Comparison]:
    """Set each metric beside its baseline and the published figure.

    The model's value of a metric M stands under `test_M` or `M`, the others under `baseline_M` and
    `published_M`; a spread stands under its figure's name and `_std`.

    Args:
        results: a lesson's flat results.

    Returns:
        The metrics that have something to be compared with, then the others, both in the order of `results`.

    >>> row = compare({"test_accuracy": 0.82, "baseline_accuracy": 0.81})[0]
    >>> row.metric, row.model, row.baseline, row.published
    ('accuracy', 0.82, 0.81, None)
    """
    numbers = {name: value for name, value in results.items() if _is_figure(name, value)}
    keys: dict[str, str | None] = {}  # the metric's name to the key of the model's value
    for name in numbers:
        prefix, _, rest = name.partition("_")
        if name.endswith("_std") and name.removesuffix("_std") in numbers:
            continue
        if prefix in ("baseline", "published"):
            keys.setdefault(rest, None)
        elif prefix == "test":
            keys[rest] = name
        elif keys.get(name) is None:  # a figure on another split does not hide that of the test split
            keys[name] = name
    rows = [_comparison(metric, key, numbers) for metric, key in keys.items()]
    return sorted(rows, key=lambda row: row.baseline is None and row.published is None)


def _is_figure(name: str, value: Any) -> bool:
    counted = name in ("minutes", "seed", "seeds")
    return isinstance(value, int | float) and not isinstance(value, bool) and not counted


def _comparison(metric: str, key: str | None, numbers: Mapping[str, float]) -> Comparison:
    return Comparison(
        metric=metric,
        model=numbers.get(key),
        spread=numbers.get(f"{key}_std"),
        baseline=numbers.get(f"baseline_{metric}"),
        baseline_spread=numbers.get(f"baseline_{metric}_std"),
        published=numbers.get(f"published_{metric}"),
    )


def show_figure(metric: str, value: float | None, spread: float | None = None) -> str:
    """Write a figure as a table shows it: shares as percentages, all else with four digits or more.

    Args:
        metric: the metric's name; one with the word `accuracy`, `f1`, `precision` or `recall` is a share between
            0 and 1.
        value: the figure, or `None`.
        spread: its standard deviation, in the same unit.

    Returns:
        Text such as `82.4 ± 0.3 %`, or `–` where there is no figure.

    >>> show_figure("accuracy", 0.8243, 0.0031)
    '82.4 ± 0.3 %'
    >>> show_figure("nats_per_char", 1.51234), show_figure("step_microseconds", 36912.3)
    ('1.512', '36,912')
    """
    if value is None:
        return "–"
    if _SHARES.intersection(metric.split("_")):
        around = "" if spread is None else f" ± {100 * spread:.1f}"
        return f"{100 * value:.1f}{around} %"
    around = "" if spread is None else f" ± {spread:.2g}"
    if abs(value) >= 1_000:
        return f"{value:,.0f}{around}"
    return f"{value}{around}" if isinstance(value, int) else f"{value:.4g}{around}"
